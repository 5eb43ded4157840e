#include "op/op_sort.h"

#include <stdlib.h>

#include "data/rowstore.h"
#include "op/groups.h"

/* Nulls are last whatever the direction. */
static int key_cmp(const struct value *a, const struct value *b, bool desc)
{
	int c = value_cmp(a, b);

	if (desc && a->type != T_NULL && b->type != T_NULL)
		c = -c;
	return c;
}

static int push_rows(struct op *op, const struct rowstore *s, const size_t *order, size_t n, struct err *e)
{
	int verdict = 0;

	for (size_t from = 0; from < n && !verdict;) {
		struct batch b;

		from += rowstore_batch(s, order, from, n, &op->arena, &b);
		verdict = op_push(op, &b, e);
		arena_reset(&op->arena);
	}
	return verdict;
}

/* ---- sort ---- */

struct sort {
	struct op op;
	struct sort_key *keys;
	uint32_t n_keys;
	bool by_window;
	struct rowstore rows;
};

static int sort_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct sort *s = (struct sort *)op;
	struct column *cols = arena_array(b->arena, struct column, s->n_keys);
	struct value *extra = arena_array(b->arena, struct value, s->n_keys);

	(void)port;
	for (uint32_t k = 0; k < s->n_keys; k++)
		cols[k] = expr_eval(s->keys[k].expr, &op->eval, b, b->sel, b->n_sel);
	BATCH_EACH(b->sel, b->n_sel, i)
	{
		for (uint32_t k = 0; k < s->n_keys; k++)
			extra[k] = column_get(&cols[k], i);
		rowstore_add(&s->rows, b, i, extra, s->n_keys);
	}
	op->count[0] += b->n_sel;
	return op_check_memory(op, s->rows.n, e);
}

static int window_cmp(const struct rowstore *rows, size_t i, size_t j)
{
	struct value a = rowstore_hidden(rows, i, HIDDEN_WINDOW_END), b = rowstore_hidden(rows, j, HIDDEN_WINDOW_END);
	int c = value_cmp(&a, &b);

	if (c)
		return c;
	a = rowstore_hidden(rows, i, HIDDEN_WINDOW_START);
	b = rowstore_hidden(rows, j, HIDDEN_WINDOW_START);
	return value_cmp(&a, &b);
}

static int sort_cmp(const void *x, const void *y, void *ctx)
{
	const struct sort *s = ctx;
	size_t i = *(const size_t *)x, j = *(const size_t *)y;
	const struct kept_row *p = &s->rows.rows[i], *q = &s->rows.rows[j];

	if (s->by_window && window_cmp(&s->rows, i, j))
		return window_cmp(&s->rows, i, j);
	for (uint32_t k = 0; k < s->n_keys; k++) {
		int c = key_cmp(&p->v[p->schema->n + k], &q->v[q->schema->n + k], s->keys[k].desc);

		if (c)
			return c;
	}
	return i < j ? -1 : i > j;
}

static int sort_batch_end(struct op *op, struct err *e)
{
	struct sort *s = (struct sort *)op;
	size_t *order = xmalloc(s->rows.n * sizeof *order);
	int verdict;

	for (size_t i = 0; i < s->rows.n; i++)
		order[i] = i;
	qsort_r(order, s->rows.n, sizeof *order, sort_cmp, s);
	verdict = push_rows(op, &s->rows, order, s->rows.n, e);
	free(order);
	rowstore_clear(&s->rows);
	return verdict;
}

static void sort_free(struct op *op)
{
	struct sort *s = (struct sort *)op;

	for (uint32_t k = 0; k < s->n_keys; k++)
		expr_release(s->keys[k].expr);
	rowstore_release(&s->rows);
}

static size_t sort_memory(const struct op *op)
{
	return rowstore_memory(&((const struct sort *)op)->rows);
}

static void sort_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct sort *s = (const struct sort *)op;

	for (uint32_t k = 0; k < s->n_keys; k++)
		expr_unseen(s->keys[k].expr, fn, ctx);
}

static uint64_t sort_held(const struct op *op, const char **what)
{
	*what = "rows";
	return ((const struct sort *)op)->rows.n;
}

static const struct op_class sort_class = {
	.name = "sort",
	.counters = { "sorted" },
	.process = sort_process,
	.on_batch_end = sort_batch_end,
	.free = sort_free,
	.memory = sort_memory,
	.held = sort_held,
	.unseen = sort_unseen,
};

struct op *op_sort(struct run *run, int stage, const char *word, struct sort_key *keys_take, uint32_t n_keys, enum op_scope scope)
{
	struct sort *s = op_make(&sort_class, sizeof *s, run, stage, word);

	s->keys = keys_take;
	s->n_keys = n_keys;
	s->by_window = scope == SCOPE_WINDOW;
	return &s->op;
}

/* ---- top ---- */

/* Rows of one group as a heap, the worst at the root. */
struct heap {
	size_t *at; /* numbers of kept rows */
	size_t n, cap;
};

struct top {
	struct op op;
	uint64_t limit;
	struct sort_key key;
	struct expr **per;
	uint32_t n_per, n_exprs; /* n_exprs of them are expressions, the others the window */
	struct groups groups;
	struct heap *heaps; /* one per group */
	size_t heaps_cap;
	uint32_t n_heaps;
	struct rowstore rows;
	int64_t seq; /* arrival number, the tie-break */
};

static const struct value *row_key(const struct top *t, size_t at)
{
	const struct kept_row *r = &t->rows.rows[at];

	return &r->v[r->schema->n];
}

/* Order of two kept rows: the better one first. */
static int row_cmp(const struct top *t, size_t i, size_t j)
{
	const struct value *a = row_key(t, i), *b = row_key(t, j);
	int c = key_cmp(&a[0], &b[0], t->key.desc);

	return c ? c : a[1].i < b[1].i ? -1 : 1;
}

static void sift_up(const struct top *t, struct heap *h, size_t k)
{
	while (k) {
		size_t up = (k - 1) / 2, tmp = h->at[k];

		if (row_cmp(t, h->at[k], h->at[up]) < 0)
			return;
		h->at[k] = h->at[up];
		h->at[up] = tmp;
		k = up;
	}
}

static void sift_down(const struct top *t, struct heap *h)
{
	for (size_t k = 0;;) {
		size_t worst = k, tmp;

		for (size_t c = 2 * k + 1; c <= 2 * k + 2 && c < h->n; c++)
			if (row_cmp(t, h->at[c], h->at[worst]) > 0)
				worst = c;
		if (worst == k)
			return;
		tmp = h->at[k];
		h->at[k] = h->at[worst];
		h->at[worst] = tmp;
		k = worst;
	}
}

static void offer(struct top *t, struct heap *h, const struct batch *b, uint32_t row, const struct value *key)
{
	struct value extra[2] = { *key, v_int(t->seq++) };

	if (h->n < t->limit) {
		h->at = xgrow(h->at, &h->cap, h->n + 1, sizeof *h->at);
		h->at[h->n] = rowstore_add(&t->rows, b, row, extra, 2);
		sift_up(t, h, h->n++);
		t->op.count[0]++;
		return;
	}
	t->op.count[1]++;
	if (key_cmp(key, row_key(t, h->at[0]), t->key.desc) >= 0)
		return;
	rowstore_replace(&t->rows, h->at[0], b, row, extra, 2);
	sift_down(t, h);
}

static void heaps_reserve(struct top *t, uint32_t n)
{
	t->heaps = xgrow(t->heaps, &t->heaps_cap, n, sizeof *t->heaps);
	for (; t->n_heaps < n; t->n_heaps++)
		t->heaps[t->n_heaps] = (struct heap){ 0 };
}

static int top_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct top *t = (struct top *)op;
	struct column key = expr_eval(t->key.expr, &op->eval, b, b->sel, b->n_sel);
	struct column *cols = arena_array(b->arena, struct column, t->n_per + 1);
	const struct column **per = arena_array(b->arena, const struct column *, t->n_per + 1);
	uint32_t *group = arena_array(b->arena, uint32_t, b->n_sel + 1);

	(void)port;
	for (uint32_t k = 0; k < t->n_per; k++) {
		const struct column *window = b->hidden[k == t->n_exprs ? HIDDEN_WINDOW_END : HIDDEN_WINDOW_START];

		per[k] = k < t->n_exprs || !window ? &cols[k] : window;
		cols[k] = k < t->n_exprs ? expr_eval(t->per[k], &op->eval, b, b->sel, b->n_sel) : (struct column){ .type = T_NULL };
	}
	if (t->n_per)
		groups_put(&t->groups, b->arena, per, b->sel, b->n_sel, group);
	heaps_reserve(t, t->n_per ? t->groups.table.n : 1);
	BATCH_EACH(b->sel, b->n_sel, i)
	{
		struct value k = column_get(&key, i);

		offer(t, &t->heaps[t->n_per ? group[k_] : 0], b, i, &k);
	}
	return op_check_memory(op, t->n_heaps, e);
}

static int top_cmp(const void *x, const void *y, void *ctx)
{
	return row_cmp(ctx, *(const size_t *)x, *(const size_t *)y);
}

static void top_clear(struct top *t)
{
	for (uint32_t i = 0; i < t->n_heaps; i++)
		free(t->heaps[i].at);
	t->n_heaps = 0;
	rowstore_clear(&t->rows);
	if (t->n_per)
		groups_clear(&t->groups);
}

static int top_batch_end(struct op *op, struct err *e)
{
	struct top *t = (struct top *)op;
	int verdict = 0;

	for (uint32_t i = 0; i < t->n_heaps && !verdict; i++) {
		struct heap *h = &t->heaps[i];

		qsort_r(h->at, h->n, sizeof *h->at, top_cmp, t);
		verdict = push_rows(op, &t->rows, h->at, h->n, e);
	}
	top_clear(t);
	return verdict;
}

static void top_free(struct op *op)
{
	struct top *t = (struct top *)op;

	top_clear(t);
	free(t->heaps);
	rowstore_release(&t->rows);
	expr_release(t->key.expr);
	for (uint32_t k = 0; k < t->n_exprs; k++)
		expr_release(t->per[k]);
	if (t->n_per)
		groups_release(&t->groups);
}

static size_t top_memory(const struct op *op)
{
	const struct top *t = (const struct top *)op;

	return rowstore_memory(&t->rows) + t->heaps_cap * sizeof *t->heaps + (t->n_per ? groups_memory(&t->groups) : 0);
}

static void top_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct top *t = (const struct top *)op;

	expr_unseen(t->key.expr, fn, ctx);
	for (uint32_t k = 0; k < t->n_exprs; k++)
		expr_unseen(t->per[k], fn, ctx);
}

static uint64_t top_held(const struct op *op, const char **what)
{
	*what = "rows";
	return ((const struct top *)op)->rows.n;
}

static const struct op_class top_class = {
	.name = "top",
	.counters = { "kept", "below" },
	.process = top_process,
	.on_batch_end = top_batch_end,
	.free = top_free,
	.memory = top_memory,
	.held = top_held,
	.unseen = top_unseen,
};

struct op *op_top(struct run *run, int stage, const char *word, uint64_t n, const struct sort_key *key_take, const struct top_per *per)
{
	struct top *t = op_make(&top_class, sizeof *t, run, stage, word);

	t->limit = n;
	t->key = *key_take;
	t->per = per->exprs;
	t->n_exprs = per->n;
	t->n_per = per->n + (per->scope == SCOPE_WINDOW ? 2 : 0);
	if (t->n_per)
		groups_init(&t->groups, t->n_per);
	return &t->op;
}

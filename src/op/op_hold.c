#include "op/op_hold.h"

#include <stdlib.h>

#include "data/rowstore.h"
#include "op/keep.h"
#include "op/op_assign.h"
#include "window/winset.h"

/* Rows of a window as they were committed, a piece for each micro-batch. */
struct piece {
	uint32_t first, n; /* rows */
	uint32_t loaded;   /* where the first one is while they come back in any order */
	uint32_t mark;
};

struct window_rows {
	struct rowstore rows;
	struct piece *pieces;
	uint32_t n_pieces, committed; /* rows in pieces */
	size_t pieces_cap;
};

struct hold {
	struct op op;
	struct winset windows;
	struct window_rows *at; /* by slot of the window */
	size_t cap;
	uint32_t n_rows;        /* slots with a store */
	size_t bytes;
	struct keep_dirty dirty; /* with run->durable: slots */
	struct keep_gone gone;
};

static struct interval window_of(const struct batch *b, uint32_t row)
{
	struct interval w = { INT64_MIN, INT64_MAX };

	if (!row_time(b->hidden[HIDDEN_WINDOW_START], row, &w.start) || !row_time(b->hidden[HIDDEN_WINDOW_END], row, &w.end))
		w = (struct interval){ INT64_MIN, INT64_MAX };
	return w;
}

static void reach_slot(struct hold *h, uint32_t slot)
{
	h->at = xgrow(h->at, &h->cap, (size_t)slot + 1, sizeof *h->at);
	for (; h->n_rows <= slot; h->n_rows++)
		h->at[h->n_rows] = (struct window_rows){ 0 };
}

static int hold_row(struct hold *h, const struct batch *b, uint32_t row, struct err *e)
{
	struct interval w = window_of(b, row);
	struct run *run = h->op.run;
	uint32_t slot;
	bool fresh;

	if (w.end <= h->op.watermark) {
		h->op.count[1]++;
		return run->late ? run->late(run->late_ctx, &h->op, b, row, w.end, h->op.watermark - w.end, e) : 0;
	}
	slot = winset_put(&h->windows, &w, &fresh);
	reach_slot(h, slot);
	h->bytes -= rowstore_memory(&h->at[slot].rows);
	rowstore_add(&h->at[slot].rows, b, row, NULL, 0);
	h->bytes += rowstore_memory(&h->at[slot].rows);
	if (run->durable)
		keep_dirty_add(&h->dirty, slot);
	h->op.count[0]++;
	return 0;
}

static int hold_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct hold *h = (struct hold *)op;

	(void)port;
	BATCH_EACH(b->sel, b->n_sel, i) if (hold_row(h, b, i, e)) return -1;
	return op_check_memory(op, h->windows.n, e);
}

static void release_window(struct window_rows *r)
{
	rowstore_release(&r->rows);
	free(r->pieces);
	*r = (struct window_rows){ 0 };
}

static int push_window(struct hold *h, const struct rowstore *rows, struct err *e)
{
	size_t *order = xmalloc((rows->n + 1) * sizeof *order);
	int verdict = 0;

	for (size_t i = 0; i < rows->n; i++)
		order[i] = i;
	for (size_t from = 0; from < rows->n && verdict >= 0;) {
		struct batch b;

		from += rowstore_batch(rows, order, from, rows->n, &h->op.arena, &b);
		verdict = op_push(&h->op, &b, e);
		arena_reset(&h->op.arena);
	}
	free(order);
	return verdict;
}

/* ---- what survives a restart: 'w', the window and the number of a row -> the rows from there on that came in one micro-batch ---- */

#define TAG_ROWS 'w'
#define HOLD_VERSION 1

static void put_key(const struct interval *w, uint32_t first, struct buf *out)
{
	struct value v = v_time(w->start);

	keep_value(out, &v);
	v = v_time(w->end);
	keep_value(out, &v);
	keep_number(out, first);
}

static void commit_rows(struct window_rows *r, const struct interval *w, struct keep *k)
{
	struct piece *p;

	keep_start(k, TAG_ROWS, HOLD_VERSION);
	put_key(w, r->committed, &k->key);
	for (size_t i = r->committed; i < r->rows.n; i++)
		rowstore_save_row(&r->rows, i, &k->value);
	r->pieces = xgrow(r->pieces, &r->pieces_cap, (size_t)r->n_pieces + 1, sizeof *r->pieces);
	p = &r->pieces[r->n_pieces++];
	*p = (struct piece){ .first = r->committed, .n = (uint32_t)r->rows.n - r->committed };
	keep_put(k, &p->mark);
	r->committed = (uint32_t)r->rows.n;
}

static void hold_commit(struct op *op, struct keeper *to)
{
	struct hold *h = (struct hold *)op;
	struct keep k = { .to = to };
	uint32_t slot;

	keep_gone_commit(&h->gone, to);
	while ((slot = keep_dirty_take(&h->dirty)) != UINT32_MAX)
		commit_rows(&h->at[slot], &h->windows.at[slot], &k);
	keep_release(&k);
}

/* The window has closed. */
static void drop_pieces(struct hold *h, uint32_t slot)
{
	struct window_rows *r = &h->at[slot];
	struct buf key = { 0 };

	for (uint32_t i = 0; i < r->n_pieces; i++) {
		key.n = 0;
		buf_char(&key, TAG_ROWS);
		put_key(&h->windows.at[slot], r->pieces[i].first, &key);
		keep_gone_add(&h->gone, key.p, key.n, r->pieces[i].mark);
	}
	buf_release(&key);
	keep_dirty_remove(&h->dirty, slot);
}

static bool get_time(struct bytes_in *in, int64_t *t)
{
	struct arena none = { 0 };
	bool is_time = !in->bad && in->p < in->end && *in->p == T_TIME;
	struct value v = is_time ? keep_get_value(in, &none) : v_null();

	*t = v.i;
	return v.type == T_TIME;
}

static int load_piece(struct hold *h, const struct interval *w, uint32_t first, struct bytes_in *in, uint32_t mark)
{
	bool fresh;
	uint32_t slot = winset_put(&h->windows, w, &fresh);
	struct window_rows *r;
	struct piece *p;

	reach_slot(h, slot);
	r = &h->at[slot];
	r->pieces = xgrow(r->pieces, &r->pieces_cap, (size_t)r->n_pieces + 1, sizeof *r->pieces);
	p = &r->pieces[r->n_pieces++];
	*p = (struct piece){ .first = first, .loaded = (uint32_t)r->rows.n, .mark = mark };
	for (; in->p < in->end; p->n++)
		if (rowstore_load_row(&r->rows, &in->p, in->end))
			return -1;
	return 0;
}

static int by_first(const void *x, const void *y)
{
	uint32_t a = ((const struct piece *)x)->first, b = ((const struct piece *)y)->first;

	return a < b ? -1 : a > b;
}

/* All pieces of the window are there: its rows in the order they came. */
static int put_in_order(struct window_rows *r)
{
	struct kept_row *rows;
	uint32_t n = 0, i = 0;

	if (!r->rows.n)
		return -1; /* no piece is empty */
	rows = xmalloc((r->rows.n + 1) * sizeof *rows);
	qsort(r->pieces, r->n_pieces, sizeof *r->pieces, by_first);
	for (; i < r->n_pieces && r->pieces[i].first == n && r->pieces[i].n; i++) {
		memcpy(rows + n, r->rows.rows + r->pieces[i].loaded, r->pieces[i].n * sizeof *rows);
		n += r->pieces[i].n;
	}
	free(r->rows.rows);
	r->rows.rows = rows;
	r->rows.cap = r->rows.n + 1;
	r->committed = n;
	return i == r->n_pieces ? 0 : -1;
}

static int restored(struct hold *h)
{
	for (uint32_t slot = 0; slot < h->n_rows; slot++) {
		if (put_in_order(&h->at[slot]))
			return -1;
		h->bytes += rowstore_memory(&h->at[slot].rows);
	}
	return 0;
}

static int hold_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct hold *h = (struct hold *)op;
	struct bytes_in k = keep_open(key, key_n, TAG_ROWS), in = keep_open(value, n, HOLD_VERSION);
	struct interval w;
	uint64_t first;
	bool good;

	if (!key)
		return restored(h) ? keep_refuse(op, e) : 0;
	good = get_time(&k, &w.start) && get_time(&k, &w.end) && w.start <= w.end;
	first = keep_get_number(&k);
	if (!good || !keep_over(&k) || in.bad || first > UINT32_MAX || load_piece(h, &w, (uint32_t)first, &in, mark))
		return keep_refuse(op, e);
	return 0;
}

static int hold_batch_end(struct op *op, struct err *e)
{
	struct hold *h = (struct hold *)op;

	for (;;) {
		uint32_t slot = winset_first(&h->windows);

		if (slot == WINSET_NONE || h->windows.at[slot].end > op->watermark)
			return 0;
		if (push_window(h, &h->at[slot].rows, e) < 0)
			return -1;
		h->bytes -= rowstore_memory(&h->at[slot].rows);
		drop_pieces(h, slot);
		release_window(&h->at[slot]);
		winset_pop(&h->windows);
	}
}

static bool hold_holds(const struct op *op)
{
	return ((const struct hold *)op)->windows.n;
}

static size_t hold_memory(const struct op *op)
{
	const struct hold *h = (const struct hold *)op;

	return h->bytes + h->cap * sizeof *h->at + winset_memory(&h->windows) + keep_dirty_memory(&h->dirty) + h->gone.b.cap;
}

static void hold_free(struct op *op)
{
	struct hold *h = (struct hold *)op;

	for (uint32_t i = 0; i < h->n_rows; i++)
		release_window(&h->at[i]);
	free(h->at);
	keep_dirty_release(&h->dirty);
	keep_gone_release(&h->gone);
	winset_release(&h->windows);
}

static const struct op_class hold_class = {
	.name = "hold",
	.counters = { "held", "late" },
	.process = hold_process,
	.on_batch_end = hold_batch_end,
	.free = hold_free,
	.memory = hold_memory,
	.holds = hold_holds,
	.commit = hold_commit,
	.restore = hold_restore,
};

struct op *op_hold(struct run *run, int stage, const char *word)
{
	struct hold *h = op_make(&hold_class, sizeof *h, run, stage, word);

	return &h->op;
}

#include "op/op_point.h"

#include <stdlib.h>

#include "data/batch_copy.h"

/* ---- a point ---- */

static int point_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	(void)port;
	op->count[0] += b->n_sel;
	return op_push(op, b, e);
}

static const struct op_class point_class = {
	.name = "point",
	.counters = { "passed" },
	.process = point_process,
};

struct op *op_point(struct run *run, int stage, const char *word)
{
	return op_make(&point_class, sizeof(struct op), run, stage, word);
}

/* ---- union ---- */

struct union_op {
	struct op op;
	struct batch_list *kept; /* by port */
	bool *in_turn;           /* by port, see op_union_in_turn */
	uint32_t n;
	bool done; /* those behind want no more */
};

static int union_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct union_op *u = (struct union_op *)op;

	if (u->done) {
		op->unwanted += b->n_sel;
		return 1;
	}
	op->count[0] += b->n_sel;
	if (!u->in_turn[port]) {
		batch_list_add(&u->kept[port], b);
		return op_check_memory(op, u->kept[port].rows, e);
	}
	u->done = op_push(op, b, e);
	return u->done;
}

static int push_kept(struct union_op *u, struct batch_list *l, struct err *e)
{
	int verdict = 0;

	for (size_t i = 0; i < l->n && !verdict; i++)
		verdict = op_push(&u->op, &l->at[i], e);
	batch_list_clear(l);
	return verdict;
}

static int union_batch_end(struct op *op, struct err *e)
{
	struct union_op *u = (struct union_op *)op;

	for (uint32_t i = 1; i < u->n; i++) {
		int verdict = push_kept(u, &u->kept[i], e);

		if (verdict < 0)
			return -1;
		u->done |= verdict;
	}
	return 0;
}

static void union_free(struct op *op)
{
	struct union_op *u = (struct union_op *)op;

	for (uint32_t i = 0; i < u->n; i++)
		batch_list_release(&u->kept[i]);
	free(u->kept);
	free(u->in_turn);
}

static size_t union_memory(const struct op *op)
{
	const struct union_op *u = (const struct union_op *)op;
	size_t n = 0;

	for (uint32_t i = 0; i < u->n; i++)
		n += batch_list_memory(&u->kept[i]);
	return n;
}

static const struct op_class union_class = {
	.name = "union",
	.counters = { "passed" },
	.process = union_process,
	.on_batch_end = union_batch_end,
	.free = union_free,
	.memory = union_memory,
};

struct op *op_union(struct run *run, int stage, const char *word, uint32_t n_ports)
{
	struct union_op *u = op_make(&union_class, sizeof *u, run, stage, word);

	u->kept = xcalloc(n_ports, sizeof *u->kept);
	u->in_turn = xcalloc(n_ports, sizeof *u->in_turn);
	u->in_turn[0] = true;
	u->n = n_ports;
	return &u->op;
}

bool op_is_union(const struct op *op) { return op->cls == &union_class; }

void op_union_in_turn(struct op *op, uint32_t port) { ((struct union_op *)op)->in_turn[port] = true; }

/* ---- split ---- */

enum { SPLIT_PASSED, SPLIT_NO_STREAM };

struct split_op {
	struct op op;
	struct expr **conditions;
	uint32_t n;
};

/* The rows that the condition does not choose, in place of rows[0..n). */
static uint32_t keep_others(uint32_t *rows, uint32_t n, const uint32_t *chosen, uint32_t n_chosen)
{
	uint32_t left = 0, c = 0;

	for (uint32_t k = 0; k < n; k++) {
		if (c < n_chosen && chosen[c] == rows[k])
			c++;
		else
			rows[left++] = rows[k];
	}
	return left;
}

static int split_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct split_op *s = (struct split_op *)op;
	uint32_t *rows = arena_array(b->arena, uint32_t, b->n_sel + 1), n = b->n_sel, done = 0;

	(void)port;
	for (uint32_t k = 0; k < n; k++)
		rows[k] = batch_row(b, k);
	for (uint32_t i = 0; i < s->n; i++) {
		struct batch part = *b;
		uint32_t *chosen = arena_array(b->arena, uint32_t, n + 1);
		uint64_t nulls = 0;
		int verdict;

		part.n_sel = expr_filter(s->conditions[i], &op->eval, b, rows, n, chosen, &nulls);
		part.sel = chosen;
		n = keep_others(rows, n, chosen, part.n_sel);
		op->count[SPLIT_PASSED] += part.n_sel;
		verdict = op_push_to(op, i, &part, e);
		if (verdict < 0)
			return -1;
		done += verdict == 1;
	}
	op->count[SPLIT_NO_STREAM] += n;
	return done == s->n;
}

static void split_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct split_op *s = (const struct split_op *)op;

	for (uint32_t i = 0; i < s->n; i++)
		expr_unseen(s->conditions[i], fn, ctx);
}

static void split_free(struct op *op)
{
	struct split_op *s = (struct split_op *)op;

	for (uint32_t i = 0; i < s->n; i++)
		expr_release(s->conditions[i]);
	free(s->conditions);
}

static const struct op_class split_class = {
	.name = "split",
	.counters = { "passed", "left out" },
	.process = split_process,
	.free = split_free,
	.unseen = split_unseen,
};

struct op *op_split(struct run *run, int stage, const char *word, struct expr **conditions_take, uint32_t n)
{
	struct split_op *s = op_make(&split_class, sizeof *s, run, stage, word);

	s->conditions = xcalloc(n, sizeof(struct expr *));
	memcpy(s->conditions, conditions_take, n * sizeof(struct expr *));
	s->n = n;
	return &s->op;
}

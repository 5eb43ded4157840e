#include "op/op_filter.h"

struct filter {
	struct op op;
	struct expr *cond;
};

static int filter_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct filter *f = (struct filter *)op;
	struct batch out = *b;
	uint32_t *sel = arena_array(b->arena, uint32_t, b->n_rows + 1);

	(void)port;
	out.n_sel = expr_filter(f->cond, &op->eval, b, b->sel, b->n_sel, sel, &op->nulls);
	out.sel = out.n_sel == b->n_rows ? NULL : sel;
	op->count[0] += out.n_sel;
	op->count[1] += b->n_sel - out.n_sel;
	return op_push(op, &out, e);
}

static void filter_free(struct op *op)
{
	expr_release(((struct filter *)op)->cond);
}

static void filter_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	expr_unseen(((const struct filter *)op)->cond, fn, ctx);
}

static const struct op_class filter_class = {
	.name = "filter",
	.counters = { "passed", "filtered" },
	.process = filter_process,
	.free = filter_free,
	.unseen = filter_unseen,
};

struct op *op_filter(struct run *run, int stage, const char *word, struct expr *cond_take)
{
	struct filter *f = op_make(&filter_class, sizeof *f, run, stage, word);

	f->cond = cond_take;
	return &f->op;
}

#include "op/op_reduce.h"

struct reduce {
	struct op op;
	struct reducer reducer;
	struct aggtable table;
};

static size_t reduce_memory(const struct op *op)
{
	const struct reduce *r = (const struct reduce *)op;
	size_t n = aggtable_memory(&r->table, &r->reducer);

	for (uint32_t i = 0; i < r->reducer.spec.n_calls; i++)
		n += r->reducer.spec.calls[i].call.heap_bytes;
	return n;
}

static int reduce_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct reduce *r = (struct reduce *)op;

	(void)port;
	aggtable_update(&r->table, &r->reducer, b);
	op->count[0] += b->n_sel;
	return op_check_memory(op, aggtable_n(&r->table, &r->reducer), e);
}

static int reduce_batch_end(struct op *op, struct err *e)
{
	struct reduce *r = (struct reduce *)op;
	const struct reduce_spec *s = &r->reducer.spec;
	int verdict = 0;

	if (s->n_keys || r->table.any || s->count_zero || (s->start_values && op->run->whole))
		verdict = aggtable_push_all(&r->table, &r->reducer, e);
	reducer_collect_failures(&r->reducer);
	aggtable_clear(&r->table, &r->reducer);
	return verdict;
}

static void reduce_free(struct op *op)
{
	struct reduce *r = (struct reduce *)op;

	aggtable_release(&r->table, &r->reducer);
	reducer_release(&r->reducer);
}

static void reduce_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	reducer_unseen(&((const struct reduce *)op)->reducer, fn, ctx);
}

static bool reduce_answers_empty(const struct op *op)
{
	return ((const struct reduce *)op)->reducer.spec.count_zero;
}

static uint64_t reduce_held(const struct op *op, const char **what)
{
	const struct reduce *r = (const struct reduce *)op;

	*what = r->reducer.spec.n_keys ? "keys" : NULL;
	return aggtable_n(&r->table, &r->reducer);
}

static const struct op_class reduce_class = {
	.name = "reduce",
	.makes_fields = true,
	.counters = { "absorbed" },
	.process = reduce_process,
	.on_batch_end = reduce_batch_end,
	.free = reduce_free,
	.memory = reduce_memory,
	.held = reduce_held,
	.unseen = reduce_unseen,
	.answers_empty = reduce_answers_empty,
};

struct op *op_reduce(struct run *run, int stage, const char *word, const struct reduce_spec *spec)
{
	struct reduce *r = op_make(&reduce_class, sizeof *r, run, stage, word);

	reducer_init(&r->reducer, spec, &r->op);
	aggtable_init(&r->table, &r->reducer);
	return &r->op;
}

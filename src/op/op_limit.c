#include "op/op_limit.h"

struct limit {
	struct op op;
	uint64_t n, seen;
	bool per_batch;
};

static int limit_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct limit *l = (struct limit *)op;
	uint64_t room = l->n - l->seen;
	uint32_t n = b->n_sel < room ? b->n_sel : (uint32_t)room;
	struct batch out = batch_slice(b, 0, n);
	int verdict;

	(void)port;
	l->seen += n;
	op->count[0] += n;
	op->count[1] += b->n_sel - n;
	verdict = op_push(op, &out, e);
	if (verdict)
		return verdict;
	return l->seen == l->n && !l->per_batch;
}

static int skip_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct limit *l = (struct limit *)op;
	uint64_t left = l->n - l->seen;
	uint32_t n = b->n_sel < left ? b->n_sel : (uint32_t)left;
	struct batch out = batch_slice(b, n, b->n_sel - n);

	(void)port;
	l->seen += n;
	op->count[0] += out.n_sel;
	op->count[1] += n;
	return op_push(op, &out, e);
}

static int limit_batch_end(struct op *op, struct err *e)
{
	struct limit *l = (struct limit *)op;

	(void)e;
	if (l->per_batch)
		l->seen = 0;
	return 0;
}

static const struct op_class limit_class = {
	.name = "limit",
	.counters = { "passed", "over" },
	.process = limit_process,
	.on_batch_end = limit_batch_end,
};

static const struct op_class skip_class = {
	.name = "skip",
	.counters = { "passed", "skipped" },
	.process = skip_process,
	.on_batch_end = limit_batch_end,
};

static struct op *limit_make(const struct op_class *cls, struct run *run, int stage, const char *word, const struct limit *of)
{
	struct limit *l = op_make(cls, sizeof *l, run, stage, word);

	l->n = of->n;
	l->per_batch = of->per_batch;
	return &l->op;
}

struct op *op_limit(struct run *run, int stage, const char *word, uint64_t n, bool per_batch)
{
	return limit_make(&limit_class, run, stage, word, &(struct limit){ .n = n, .per_batch = per_batch });
}

struct op *op_skip(struct run *run, int stage, const char *word, uint64_t n, bool per_batch)
{
	return limit_make(&skip_class, run, stage, word, &(struct limit){ .n = n, .per_batch = per_batch });
}

struct sample {
	struct op op;
	uint64_t seed, record;
	uint64_t below; /* hashes under this are taken */
	bool every;
};

/* SplitMix64 (Steele, Lea, Flood 2014): a bijective mix of the record number. */
static uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static int sample_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct sample *s = (struct sample *)op;
	uint32_t *sel = arena_array(b->arena, uint32_t, b->n_sel + 1);
	struct batch out = *b;

	(void)port;
	out.sel = sel;
	out.n_sel = 0;
	BATCH_EACH(b->sel, b->n_sel, i) if (mix(mix(s->seed) ^ s->record++) < s->below || s->every) sel[out.n_sel++] = i;
	op->count[0] += out.n_sel;
	op->count[1] += b->n_sel - out.n_sel;
	return op_push(op, &out, e);
}

static const struct op_class sample_class = {
	.name = "sample",
	.counters = { "taken", "left" },
	.process = sample_process,
};

struct op *op_sample(struct run *run, int stage, const char *word, double p, uint64_t seed)
{
	struct sample *s = op_make(&sample_class, sizeof *s, run, stage, word);

	s->seed = seed;
	s->every = p >= 1;
	s->below = p >= 1 ? UINT64_MAX : (uint64_t)(p * 18446744073709551616.0);
	return &s->op;
}

#include "op/op_limit.h"

#include <stdlib.h>

#include "op/keep.h"
#include "window/winset.h"

/* A count that outlives a restart: one entry, 'n'. */
struct kept_count {
	uint64_t was; /* as committed */
	uint32_t mark;
};

#define TAG_COUNT 'n'
#define COUNT_VERSION 1

static void commit_count(struct kept_count *c, uint64_t n, struct keeper *to)
{
	struct keep k = { .to = to };

	if (c->mark ? n == c->was : !n)
		return;
	keep_start(&k, TAG_COUNT, COUNT_VERSION);
	put_le(&k.value, n, 8);
	keep_put(&k, &c->mark);
	keep_release(&k);
	c->was = n;
}

static int restore_count(struct kept_count *c, uint64_t *n, const struct kept_entry *entry, const struct op *op, struct err *e)
{
	struct bytes_in key, in;

	if (!entry->key)
		return 0;
	key = keep_open(entry->key, entry->key_n, TAG_COUNT);
	in = keep_open(entry->value, entry->n, COUNT_VERSION);
	*n = c->was = get_le(&in, 8);
	c->mark = entry->mark;
	return keep_over(&key) && keep_over(&in) ? 0 : keep_refuse(op, e);
}

struct limit {
	struct op op;
	uint64_t n, seen;
	enum op_scope scope;
	struct winset windows; /* SCOPE_WINDOW: those of this micro-batch */
	uint64_t *seen_in;     /* by slot */
	size_t cap;
	struct kept_count kept;
};

/* How many rows of this row's window came so far, this one not counted. */
static uint64_t seen_of(struct limit *l, const struct batch *b, uint32_t row)
{
	struct interval w = { INT64_MIN, INT64_MAX };
	uint32_t slot;
	bool fresh;

	if (l->scope != SCOPE_WINDOW)
		return l->seen++;
	if (b->hidden[HIDDEN_WINDOW_END]) {
		w.start = column_get(b->hidden[HIDDEN_WINDOW_START], row).i;
		w.end = column_get(b->hidden[HIDDEN_WINDOW_END], row).i;
	}
	slot = winset_put(&l->windows, &w, &fresh);
	l->seen_in = xgrow(l->seen_in, &l->cap, (size_t)slot + 1, sizeof *l->seen_in);
	if (fresh)
		l->seen_in[slot] = 0;
	return l->seen_in[slot]++;
}

/* The rows before the n-th (of all, or of their window), or those from it on. */
static int pass_rows(struct limit *l, const struct batch *b, bool before, struct err *e)
{
	uint32_t *sel = arena_array(b->arena, uint32_t, b->n_sel + 1);
	struct batch out = *b;

	out.sel = sel;
	out.n_sel = 0;
	BATCH_EACH(b->sel, b->n_sel, i) if ((seen_of(l, b, i) < l->n) == before) sel[out.n_sel++] = i;
	l->op.count[0] += out.n_sel;
	l->op.count[1] += b->n_sel - out.n_sel;
	return op_push(&l->op, &out, e);
}

static int limit_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct limit *l = (struct limit *)op;
	int verdict = pass_rows(l, b, true, e);

	(void)port;
	return verdict ? verdict : l->seen >= l->n && l->scope == SCOPE_RUN;
}

static int skip_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	(void)port;
	return pass_rows((struct limit *)op, b, false, e);
}

static int limit_batch_end(struct op *op, struct err *e)
{
	struct limit *l = (struct limit *)op;

	(void)e;
	if (l->scope != SCOPE_RUN)
		l->seen = 0;
	while (winset_first(&l->windows) != WINSET_NONE)
		winset_pop(&l->windows);
	return 0;
}

static void limit_free(struct op *op)
{
	struct limit *l = (struct limit *)op;

	winset_release(&l->windows);
	free(l->seen_in);
}

static void limit_commit(struct op *op, struct keeper *k)
{
	struct limit *l = (struct limit *)op;

	if (l->scope == SCOPE_RUN)
		commit_count(&l->kept, l->seen, k);
}

static int limit_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct limit *l = (struct limit *)op;

	return restore_count(&l->kept, &l->seen, &(struct kept_entry){ key, value, key_n, n, mark }, op, e);
}

static const struct op_class limit_class = {
	.name = "limit",
	.counters = { "passed", "over" },
	.process = limit_process,
	.on_batch_end = limit_batch_end,
	.free = limit_free,
	.commit = limit_commit,
	.restore = limit_restore,
};

static const struct op_class skip_class = {
	.name = "skip",
	.counters = { "passed", "skipped" },
	.process = skip_process,
	.on_batch_end = limit_batch_end,
	.free = limit_free,
	.commit = limit_commit,
	.restore = limit_restore,
};

static struct op *limit_make(const struct op_class *cls, struct run *run, int stage, const char *word, const struct limit *of)
{
	struct limit *l = op_make(cls, sizeof *l, run, stage, word);

	l->n = of->n;
	l->scope = of->scope;
	return &l->op;
}

struct op *op_limit(struct run *run, int stage, const char *word, uint64_t n, enum op_scope scope)
{
	return limit_make(&limit_class, run, stage, word, &(struct limit){ .n = n, .scope = scope });
}

struct op *op_skip(struct run *run, int stage, const char *word, uint64_t n, enum op_scope scope)
{
	return limit_make(&skip_class, run, stage, word, &(struct limit){ .n = n, .scope = scope });
}

struct sample {
	struct op op;
	uint64_t seed, record;
	uint64_t below; /* hashes under this are taken */
	bool every;
	struct kept_count kept;
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

static void sample_commit(struct op *op, struct keeper *k)
{
	struct sample *s = (struct sample *)op;

	commit_count(&s->kept, s->record, k);
}

static int sample_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct sample *s = (struct sample *)op;

	return restore_count(&s->kept, &s->record, &(struct kept_entry){ key, value, key_n, n, mark }, op, e);
}

static const struct op_class sample_class = {
	.name = "sample",
	.counters = { "taken", "left" },
	.process = sample_process,
	.commit = sample_commit,
	.restore = sample_restore,
};

struct op *op_sample(struct run *run, int stage, const char *word, double p, uint64_t seed)
{
	struct sample *s = op_make(&sample_class, sizeof *s, run, stage, word);

	s->seed = seed;
	s->every = p >= 1;
	s->below = p >= 1 ? UINT64_MAX : (uint64_t)(p * 18446744073709551616.0);
	return &s->op;
}

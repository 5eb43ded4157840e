/* any, all. */
#include "agg/families.h"

#include "agg/pack.h"
#include "agg/rows.h"

/* Counts rather than flags, so that a window can take back what leaves it. */
struct truths {
	uint64_t n_true, n_false;
};

AGG_INLINE void truth_put(struct agg_call *c, void *state, const struct value *v)
{
	struct truths *s = state;
	int t = value_truth(v);

	if (t < 0)
		agg_fail(c, "neither true nor false");
	else
		*(t ? &s->n_true : &s->n_false) += 1;
}

static void truth_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	agg_each(AGG_IN(0), truth_put);
}

static void truth_merge(struct agg_call *c, void *dst, void *src)
{
	struct truths *d = dst, *s = src;

	(void)c;
	d->n_true += s->n_true;
	d->n_false += s->n_false;
}

static void truth_retract(struct agg_call *c, void *dst, const void *src)
{
	struct truths *d = dst;
	const struct truths *s = src;

	(void)c;
	d->n_true -= s->n_true;
	d->n_false -= s->n_false;
}

static void any_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	(void)a;
	*out = v_bool(((const struct truths *)state)->n_true > 0);
}

static void all_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	(void)a;
	*out = v_bool(((const struct truths *)state)->n_false == 0);
}

static void truth_save(struct agg_call *c, const void *state, struct buf *b)
{
	const struct truths *s = state;

	(void)c;
	pack_uint(b, s->n_true);
	pack_uint(b, s->n_false);
}

static int truth_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	struct truths *s = state;

	(void)c;
	if (!unpack_uint(p, end, &s->n_true) && !unpack_uint(p, end, &s->n_false))
		return 0;
	memset(s, 0, sizeof *s);
	return -1;
}

#define TRUTH_ROW(fin) \
	.min_args = 1, .max_args = 1, .state_size = sizeof(struct truths), .update = truth_update, .merge = truth_merge, \
	.finish = fin, .save = truth_save, .load = truth_load, .retract = truth_retract
#define TRUTH_PARAMS \
	{ \
		{ \
			"E", "expr", NULL, NULL, "a condition" \
		} \
	}

const struct agg_def agg_family_bool[] = {
	{ .doc = { .name = "any",
		   .synopsis = "any(E)",
		   .summary = "true if the condition holds for some record",
		   .text = "Nulls are skipped; what is neither true nor false is skipped and counted. False for nothing.",
		   .group = "conditions",
		   .params = TRUTH_PARAMS,
		   .examples = { { "any(x > 2)", "1\n3\n", "true", NULL }, { "any(x > 5)", "1\n3\n", "false", NULL } } },
	  TRUTH_ROW(any_finish) },
	{ .doc = { .name = "all",
		   .synopsis = "all(E)",
		   .summary = "true if the condition holds for every record",
		   .text = "Nulls are skipped; what is neither true nor false is skipped and counted. True for nothing.",
		   .group = "conditions",
		   .params = TRUTH_PARAMS,
		   .examples = { { "all(x > 2)", "1\n3\n", "false", NULL }, { "all(x > 0)", "1\n3\n", "true", NULL } } },
	  TRUTH_ROW(all_finish) },
	{ .doc = { .name = NULL } },
};

/* distinct, collect_set, mode. */
#include "agg/families.h"

#include "agg/set.h"

static void distinct_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	set_update(AGG_IN(0), 0);
}

static void any_set_merge(struct agg_call *c, void *dst, void *src) { set_merge(c, dst, src, 0); }

static void distinct_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	(void)a;
	*out = v_int(set_count(state));
}

static void distinct_save(struct agg_call *c, const void *state, struct buf *b)
{
	(void)c;
	set_save(state, b, 0);
}

static int distinct_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	return set_load(c, state, p, end, 0);
}

const struct agg_def agg_count_distinct[] = {
	{ .doc = { .name = "count" },
	  .max_args = 1,
	  .flags = AGG_DISTINCT_OK | AGG_NULLS,
	  .state_size = sizeof(struct set *),
	  .update = distinct_update,
	  .merge = any_set_merge,
	  .finish = distinct_finish,
	  .save = distinct_save,
	  .load = distinct_load,
	  .release = set_release },
};

static void collect_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	set_update(AGG_IN(0), SET_VALUES);
}

static void collect_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	*out = set_list(state, a);
}

static void collect_save(struct agg_call *c, const void *state, struct buf *b)
{
	(void)c;
	set_save(state, b, SET_VALUES);
}

static int collect_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	return set_load(c, state, p, end, SET_VALUES);
}

static void mode_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	set_update(AGG_IN(0), SET_VALUES | SET_COUNTS);
}

static void mode_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	*out = set_mode(state, a);
}

static void mode_save(struct agg_call *c, const void *state, struct buf *b)
{
	(void)c;
	set_save(state, b, SET_VALUES | SET_COUNTS);
}

static int mode_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	return set_load(c, state, p, end, SET_VALUES | SET_COUNTS);
}

const struct agg_def agg_family_set[] = {
	{ .doc = { .name = "distinct",
		   .synopsis = "distinct(E)",
		   .summary = "how many different values, exactly",
		   .text = "Values are the same as they are for keys: text by bytes, numbers by value, -0 = 0, all NaN one. "
			   "Nulls are not counted. Keeps each value once; approx_distinct needs at most 16 KiB a group. "
			   "count(distinct E) is the same.",
		   .group = "sets",
		   .params = { { "E", "expr", NULL, NULL, "any values" } },
		   .examples = { { "distinct(x)", "a\nb\na\n", "2", NULL }, { "count(distinct x)", "a\nb\na\n", "2", NULL } } },
	  .min_args = 1,
	  .max_args = 1,
	  .state_size = sizeof(struct set *),
	  .update = distinct_update,
	  .merge = any_set_merge,
	  .finish = distinct_finish,
	  .save = distinct_save,
	  .load = distinct_load,
	  .release = set_release },
	{ .doc = { .name = "collect_set",
		   .synopsis = "collect_set(E)",
		   .summary = "a list of the different values, in order of first appearance",
		   .text = "Values are the same as they are for keys; the first spelling is kept. Nulls are skipped.",
		   .group = "sets",
		   .params = { { "E", "expr", NULL, NULL, "any values" } },
		   .examples = { { "collect_set(x)", "b\na\nb\n", "[\"b\",\"a\"]", NULL } } },
	  .min_args = 1,
	  .max_args = 1,
	  .flags = AGG_ORDERED,
	  .state_size = sizeof(struct set *),
	  .update = collect_update,
	  .merge = any_set_merge,
	  .finish = collect_finish,
	  .save = collect_save,
	  .load = collect_load,
	  .release = set_release },
	{ .doc = { .name = "mode",
		   .synopsis = "mode(E)",
		   .summary = "the most frequent value, the first of equally frequent ones",
		   .text = "Values are the same as they are for keys. Nulls are skipped; the mode of nothing is null.",
		   .group = "sets",
		   .params = { { "E", "expr", NULL, NULL, "any values" } },
		   .examples = { { "mode(x)", "a\nb\nb\n", "\"b\"", NULL } } },
	  .min_args = 1,
	  .max_args = 1,
	  .flags = AGG_ORDERED,
	  .state_size = sizeof(struct set *),
	  .update = mode_update,
	  .merge = any_set_merge,
	  .finish = mode_finish,
	  .save = mode_save,
	  .load = mode_load,
	  .release = set_release },
	{ .doc = { .name = NULL } },
};

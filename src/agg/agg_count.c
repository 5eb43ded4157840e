/* count: records, records for which an expression holds, distinct values. */
#include "agg/families.h"

#include "agg/pack.h"
#include "agg/rows.h"
#include "agg/set.h"

static void count_rows(char *states, const uint32_t *gid, uint32_t n)
{
	uint64_t *count = (uint64_t *)(void *)states;

	if (!gid) {
		*count += n;
		return;
	}
	for (uint32_t k = 0; k < n; k++)
		count[gid[k]]++;
}

AGG_INLINE bool counts(const struct value *v)
{
	if (v->type == T_BOOL)
		return v->b;
	if (v->type == T_TEXT || v->type == T_STR)
		return v->n != 5 || memcmp(v->s, "false", 5) != 0;
	return v->type != T_NULL;
}

AGG_INLINE void count_add(const struct agg_in *in, uint32_t k, bool grouped, uint64_t more)
{
	((uint64_t *)(void *)in->states)[grouped ? in->gid[k] : 0] += more;
}

AGG_INLINE void count_bools_body(const struct agg_in *in, bool grouped, bool selected, bool nulls)
{
	for (uint32_t k = 0; k < in->n; k++) {
		uint32_t i = selected ? in->sel[k] : k;

		count_add(in, k, grouped, in->col->b[i] & (!nulls || bit_get(in->col->valid, i)));
	}
}
AGG_LOOP(count_bools, count_bools_body)

/* Numbers, times, durations: all but nulls. */
AGG_INLINE void count_valid_body(const struct agg_in *in, bool grouped, bool selected, bool nulls)
{
	for (uint32_t k = 0; k < in->n; k++)
		count_add(in, k, grouped, !nulls || bit_get(in->col->valid, selected ? in->sel[k] : k));
}
AGG_LOOP(count_valid, count_valid_body)

AGG_INLINE void count_values_body(const struct agg_in *in, bool grouped, bool selected, bool nulls)
{
	(void)nulls;
	for (uint32_t k = 0; k < in->n; k++)
		count_add(in, k, grouped, counts(&in->col->v[selected ? in->sel[k] : k]));
}
AGG_LOOP(count_values, count_values_body)

static void count_column(const struct agg_in *in)
{
	if (in->col->type == T_BOOL)
		agg_typed(in, count_bools);
	else if (column_is_scalar(in->col->type))
		agg_typed(in, count_valid);
	else if (in->col->type != T_NULL)
		agg_typed(in, count_values);
}

static void count_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	if (!args)
		count_rows(states, gid, n_sel);
	else
		count_column(AGG_IN(0));
}

static void count_merge(struct agg_call *c, void *dst, void *src)
{
	(void)c;
	*(uint64_t *)dst += *(uint64_t *)src;
}

static void count_retract(struct agg_call *c, void *dst, const void *src)
{
	(void)c;
	*(uint64_t *)dst -= *(const uint64_t *)src;
}

static void count_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	(void)a;
	*out = v_int((int64_t) * (const uint64_t *)state);
}

static void count_save(struct agg_call *c, const void *state, struct buf *b)
{
	(void)c;
	pack_uint(b, *(const uint64_t *)state);
}

static int count_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	(void)c;
	if (!unpack_uint(p, end, state))
		return 0;
	*(uint64_t *)state = 0;
	return -1;
}

static int count_prepare(struct agg_call *c, struct err *e)
{
	(void)e;
	if (c->distinct)
		c->def = agg_count_distinct;
	c->state_size = c->def->state_size;
	return 0;
}

const struct agg_def agg_family_count[] = {
	{ .doc = { .name = "count",
		   .synopsis = "count(), count(E), count(distinct E)",
		   .summary = "how many records, or records for which E is neither null nor false",
		   .text = "count() counts every record. count(E) counts those for which E is neither null nor false: with a "
			   "field the records that have it, with a condition the records that meet it. count(distinct E) "
			   "counts different values, nulls left out, as distinct(E) does.",
		   .group = "counting",
		   .params = { { "E", "expr", "none: every record", NULL, "a field or a condition" } },
		   .examples = { { "count()", "a\nb\nc\n", "3", NULL },
				 { "count(x > 1)", "1\n2\n3\n", "2", "records that meet a condition" },
				 { "count(distinct x)", "a\nb\na\n", "2", NULL } } },
	  .max_args = 1,
	  .flags = AGG_DISTINCT_OK | AGG_NULLS,
	  .state_size = sizeof(uint64_t),
	  .prepare = count_prepare,
	  .update = count_update,
	  .merge = count_merge,
	  .finish = count_finish,
	  .save = count_save,
	  .load = count_load,
	  .retract = count_retract },
	{ .doc = { .name = NULL } },
};

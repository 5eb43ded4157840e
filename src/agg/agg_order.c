/* first, last. */
#include "agg/families.h"

#include "agg/rows.h"

/* `last` looks at a batch twice: first it notes for each group the position of its last row, then it copies those values, so
 * that text is copied once a group and batch. pending is 0 outside of update. */
struct last {
	struct value v;
	uint64_t pending; /* position + 1 */
};

AGG_INLINE void first_put(struct agg_call *c, void *state, const struct value *v)
{
	struct value *s = state;

	if (unlikely(s->type == T_NULL))
		kept_set(c, s, v);
}

static void first_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	agg_each(AGG_IN(0), first_put);
}

static void first_merge(struct agg_call *c, void *dst, void *src) { first_put(c, dst, src); }

static void first_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	*out = value_copy(a, state);
}

static void first_save(struct agg_call *c, const void *state, struct buf *b)
{
	(void)c;
	value_save(b, state);
}

static int first_load(struct agg_call *c, void *state, const char **p, const char *end) { return kept_load(c, state, p, end); }

static void first_release(struct agg_call *c, void *state) { kept_clear(c, state); }

AGG_INLINE struct last *last_at(const struct agg_in *in, uint32_t k)
{
	return (struct last *)(void *)in->states + (in->gid ? in->gid[k] : 0);
}

static void last_one(const struct agg_in *in)
{
	struct last *s = last_at(in, 0);

	for (uint32_t k = in->n; k-- > 0;) {
		struct value v = column_get(in->col, in_row(in, k));

		if (v.type == T_NULL)
			continue;
		kept_set(in->c, &s->v, &v);
		return;
	}
}

static void last_update(AGG_UPDATE_ARGS)
{
	const struct agg_in *in = AGG_IN(0);

	(void)batch;
	if (!gid) {
		last_one(in);
		return;
	}
	for (uint32_t k = 0; k < n_sel; k++)
		if (!column_null(in->col, in_row(in, k)))
			last_at(in, k)->pending = k + (uint64_t)1;
	for (uint32_t k = 0; k < n_sel; k++) {
		struct last *s = last_at(in, k);
		struct value v;

		if (s->pending != k + (uint64_t)1)
			continue;
		v = column_get(in->col, in_row(in, k));
		kept_set(c, &s->v, &v);
		s->pending = 0;
	}
}

static void last_merge(struct agg_call *c, void *dst, void *src)
{
	struct last *d = dst, *s = src;

	if (s->v.type == T_NULL)
		return;
	kept_clear(c, &d->v);
	d->v = s->v;
	s->v = v_null();
}

#define ORDER_PARAMS \
	{ \
		{ \
			"E", "expr", NULL, NULL, "any values" \
		} \
	}

const struct agg_def agg_family_order[] = {
	{ .doc = { .name = "first",
		   .synopsis = "first(E)",
		   .summary = "the first value in input order that is not null",
		   .text = "Null if there is none. The spelling is kept.",
		   .group = "order",
		   .params = ORDER_PARAMS,
		   .examples = { { "first(x)", "b\na\nc\n", "\"b\"", NULL } } },
	  .min_args = 1,
	  .max_args = 1,
	  .flags = AGG_ORDERED,
	  .state_size = sizeof(struct value),
	  .update = first_update,
	  .merge = first_merge,
	  .finish = first_finish,
	  .save = first_save,
	  .load = first_load,
	  .release = first_release },
	{ .doc = { .name = "last",
		   .synopsis = "last(E)",
		   .summary = "the last value in input order that is not null",
		   .text = "Null if there is none. The spelling is kept.",
		   .group = "order",
		   .params = ORDER_PARAMS,
		   .examples = { { "last(x)", "b\na\nc\n", "\"c\"", NULL } } },
	  .min_args = 1,
	  .max_args = 1,
	  .flags = AGG_ORDERED,
	  .state_size = sizeof(struct last),
	  .update = last_update,
	  .merge = last_merge,
	  .finish = first_finish,
	  .save = first_save,
	  .load = first_load,
	  .release = first_release },
	{ .doc = { .name = NULL } },
};

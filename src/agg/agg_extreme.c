/* min, max, argmin, argmax: by the order of `sort`. */
#include "agg/families.h"

#include <math.h>
#include <stdlib.h>

#include "agg/rows.h"

enum { LEAST = 1, GREATEST = -1 }; /* dir: the sign that turns value_cmp into "not better" */

/* What is compared and kept: text that looks like a number is that number; one NaN, no -0, so that equals look equal. */
static struct value plain_value(const struct value *v)
{
	struct value w = *v;
	struct num n;

	if ((v->type == T_TEXT || v->type == T_NUM) && value_num(v, &n) != NUM_NOT)
		w = value_from_num(&n);
	if (w.type == T_FLOAT)
		w.f = isnan(w.f) ? (double)NAN : w.f + 0.0;
	return w;
}

/* Between equals of different looks (1 and 1.0) the choice must not depend on which came first. */
static bool looks_before(const struct value *a, const struct value *b)
{
	struct buf x = { 0 }, y = { 0 };
	bool before;

	if (a->type != b->type)
		return a->type < b->type;
	if (a->type != T_LIST && a->type != T_OBJECT)
		return false;
	value_save(&x, a);
	value_save(&y, b);
	before = x.n != y.n ? x.n < y.n : memcmp(x.p, y.p, x.n) < 0;
	buf_release(&x);
	buf_release(&y);
	return before;
}

static __attribute__((noinline)) void extreme_put(struct agg_call *c, struct value *best, const struct value *v, int dir)
{
	struct value w = plain_value(v);
	int d = best->type == T_NULL ? -1 : value_cmp(&w, best) * dir;

	if (d < 0 || (d == 0 && looks_before(&w, best)))
		kept_set(c, best, &w);
}

/* Is x certainly no better than the number kept? Ties of unlike looks, NaN and all else: no. */
AGG_INLINE bool double_is_no_better(const struct value *best, double x, int dir)
{
	return best->type == T_FLOAT && (dir == LEAST ? x >= best->f : x <= best->f);
}

AGG_INLINE bool int_is_no_better(const struct value *best, int64_t x, int dir)
{
	return best->type == T_INT && (dir == LEAST ? x >= best->i : x <= best->i);
}

AGG_INLINE void extreme_double(struct agg_call *c, struct value *best, double x, int dir)
{
	struct value v = v_float(x);

	if (unlikely(!double_is_no_better(best, x, dir)))
		extreme_put(c, best, &v, dir);
}

AGG_INLINE void extreme_int(struct agg_call *c, struct value *best, int64_t x, int dir)
{
	struct value v = v_int(x);

	if (unlikely(!int_is_no_better(best, x, dir)))
		extreme_put(c, best, &v, dir);
}

/* An int against a kept float and the like: decided by doubles when that is exact and they differ. */
AGG_INLINE bool mixed_is_no_better(const struct value *best, const struct value *v, int dir)
{
	const struct value *i = best->type == T_INT ? best : v;
	double a, b;

	if (best->type + v->type != T_INT + T_FLOAT || i->i > (int64_t)1 << 53 || i->i < -((int64_t)1 << 53) ||
	    best->type < T_INT || v->type < T_INT)
		return false;
	a = best->type == T_INT ? (double)best->i : best->f;
	b = v->type == T_INT ? (double)v->i : v->f;
	return dir == LEAST ? b > a : b < a;
}

AGG_INLINE void extreme_value(struct agg_call *c, struct value *best, const struct value *v, int dir)
{
	struct value w;
	struct num n;

	if (v->type == T_FLOAT) {
		if (likely(double_is_no_better(best, v->f, dir)) || mixed_is_no_better(best, v, dir))
			return;
	} else if (v->type == T_INT) {
		if (likely(int_is_no_better(best, v->i, dir)) || mixed_is_no_better(best, v, dir))
			return;
	} else if (v->type == T_TEXT && num_parse(v->s, v->n, &n) != NUM_NOT) {
		w = value_from_num(&n);
		if (n.kind == NUM_FLOAT ? double_is_no_better(best, n.f, dir) : int_is_no_better(best, n.i, dir))
			return;
		if (!mixed_is_no_better(best, &w, dir))
			extreme_put(c, best, &w, dir);
		return;
	}
	if (v->type != T_NULL)
		extreme_put(c, best, v, dir);
}

AGG_INLINE struct value *best_at(const struct agg_in *in, uint32_t k, bool grouped)
{
	return (struct value *)(void *)in->states + (grouped ? in->gid[k] : 0);
}

AGG_INLINE bool row_at(const struct agg_in *in, uint32_t k, bool selected, bool nulls, uint32_t *row)
{
	*row = selected ? in->sel[k] : k;
	return !nulls || bit_get(in->col->valid, *row);
}

#define EXTREME_LOOPS(name, dir) \
	AGG_INLINE void name##_floats_body(const struct agg_in *in, bool grouped, bool selected, bool nulls) \
	{ \
		uint32_t i; \
\
		for (uint32_t k = 0; k < in->n; k++) \
			if (row_at(in, k, selected, nulls, &i)) \
				extreme_double(in->c, best_at(in, k, grouped), in->col->f[i], dir); \
	} \
	AGG_LOOP(name##_floats, name##_floats_body) \
	AGG_INLINE void name##_ints_body(const struct agg_in *in, bool grouped, bool selected, bool nulls) \
	{ \
		uint32_t i; \
\
		for (uint32_t k = 0; k < in->n; k++) \
			if (row_at(in, k, selected, nulls, &i)) \
				extreme_int(in->c, best_at(in, k, grouped), in->col->i[i], dir); \
	} \
	AGG_LOOP(name##_ints, name##_ints_body) \
	AGG_INLINE void name##_values_body(const struct agg_in *in, bool grouped, bool selected, bool nulls) \
	{ \
		(void)nulls; \
		for (uint32_t k = 0; k < in->n; k++) \
			extreme_value(in->c, best_at(in, k, grouped), &in->col->v[selected ? in->sel[k] : k], dir); \
	} \
	AGG_LOOP(name##_values, name##_values_body) \
	static void name##_put(struct agg_call *c, void *state, const struct value *v) { extreme_put(c, state, v, dir); } \
	static void name##_update(AGG_UPDATE_ARGS) \
	{ \
		const struct agg_in *in = AGG_IN(0); \
\
		(void)batch; \
		if (in->col->type == T_FLOAT) \
			agg_typed(in, name##_floats); \
		else if (in->col->type == T_INT) \
			agg_typed(in, name##_ints); \
		else if (column_is_scalar(in->col->type)) \
			agg_each(in, name##_put); \
		else if (in->col->type != T_NULL) \
			agg_typed(in, name##_values); \
	} \
	static void name##_merge(struct agg_call *c, void *dst, void *src) \
	{ \
		if (((struct value *)src)->type != T_NULL) \
			extreme_put(c, dst, src, dir); \
	}

EXTREME_LOOPS(min, LEAST)
EXTREME_LOOPS(max, GREATEST)

static void extreme_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	*out = value_copy(a, state);
}

static void extreme_save(struct agg_call *c, const void *state, struct buf *b)
{
	(void)c;
	value_save(b, state);
}

static int extreme_load(struct agg_call *c, void *state, const char **p, const char *end) { return kept_load(c, state, p, end); }

static void extreme_release(struct agg_call *c, void *state) { kept_clear(c, state); }

/* argmin, argmax: the best `by` and the value that came with it first. by is T_NULL while there is none. */
struct arg {
	struct value by, value;
};

static void arg_put(struct agg_call *c, struct arg *s, const struct value *value, const struct value *by, int dir)
{
	struct value w = plain_value(by);

	if (w.type == T_NULL || (s->by.type != T_NULL && value_cmp(&w, &s->by) * dir >= 0))
		return;
	kept_set(c, &s->by, &w);
	kept_set(c, &s->value, value);
}

static void arg_update(const struct agg_in *in, const struct column *by, int dir)
{
	for (uint32_t k = 0; k < in->n; k++) {
		uint32_t row = in_row(in, k);
		struct value v = column_get(in->col, row), b = column_get(by, row);

		arg_put(in->c, in_state(in, k), &v, &b, dir);
	}
}

static void argmin_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	arg_update(AGG_IN(0), &args[1], LEAST);
}

static void argmax_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	arg_update(AGG_IN(0), &args[1], GREATEST);
}

static void argmin_merge(struct agg_call *c, void *dst, void *src)
{
	struct arg *s = src;

	arg_put(c, dst, &s->value, &s->by, LEAST);
}

static void argmax_merge(struct agg_call *c, void *dst, void *src)
{
	struct arg *s = src;

	arg_put(c, dst, &s->value, &s->by, GREATEST);
}

static void arg_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	*out = value_copy(a, &((const struct arg *)state)->value);
}

static void arg_save(struct agg_call *c, const void *state, struct buf *b)
{
	const struct arg *s = state;

	(void)c;
	value_save(b, &s->by);
	value_save(b, &s->value);
}

static void arg_release(struct agg_call *c, void *state)
{
	struct arg *s = state;

	kept_clear(c, &s->by);
	kept_clear(c, &s->value);
}

static int arg_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	struct arg *s = state;

	if (!kept_load(c, &s->by, p, end) && !kept_load(c, &s->value, p, end))
		return 0;
	arg_release(c, state);
	return -1;
}

#define EXTREME_ROW(up, mer) \
	.min_args = 1, .max_args = 1, .flags = AGG_NUM_FAST, .state_size = sizeof(struct value), .update = up, .merge = mer, \
	.finish = extreme_finish, .save = extreme_save, .load = extreme_load, .release = extreme_release
#define ARG_ROW(up, mer) \
	.min_args = 2, .max_args = 2, .flags = AGG_ORDERED, .state_size = sizeof(struct arg), .update = up, .merge = mer, \
	.finish = arg_finish, .save = arg_save, .load = arg_load, .release = arg_release
#define ARG_PARAMS \
	{ \
		{ "VALUE", "expr", NULL, NULL, "what to return, may be null" }, { "BY", "expr", NULL, NULL, "what to compare" } \
	}

const struct agg_def agg_family_extreme[] = {
	{ .doc = { .name = "min",
		   .synopsis = "min(E)",
		   .summary = "the smallest value",
		   .text = "By the order of sort: booleans, numbers (NaN last), times, durations, text, lists, objects. Text "
			   "that looks like a number is one, and the answer is then that number. Nulls are skipped; the "
			   "minimum of nothing is null. -0 comes out as 0; of equal numbers an integer is preferred to a "
			   "float.",
		   .group = "numbers",
		   .params = { { "E", "expr", NULL, NULL, "any values" } },
		   .examples = { { "min(x)", "10\n9\n", "9", "by value, not by spelling" },
				 { "min(x)", "b\na\n", "\"a\"", NULL } } },
	  EXTREME_ROW(min_update, min_merge) },
	{ .doc = { .name = "max",
		   .synopsis = "max(E)",
		   .summary = "the largest value",
		   .text = "As min: text is larger than any number, NaN larger than any other number.",
		   .group = "numbers",
		   .params = { { "E", "expr", NULL, NULL, "any values" } },
		   .examples = { { "max(x)", "10\n9\n", "10", NULL }, { "max(x)", "1\nn/a\n", "\"n/a\"", "text is larger" } } },
	  EXTREME_ROW(max_update, max_merge) },
	{ .doc = { .name = "argmin",
		   .synopsis = "argmin(VALUE, BY)",
		   .summary = "the value of the record with the smallest BY",
		   .text = "The first such record. Records whose BY is null are skipped; null if there is no other.",
		   .group = "order",
		   .params = ARG_PARAMS,
		   .examples = { { "argmin(x, length(x))", "pear\nfig\nkiwi\n", "\"fig\"", NULL } } },
	  ARG_ROW(argmin_update, argmin_merge) },
	{ .doc = { .name = "argmax",
		   .synopsis = "argmax(VALUE, BY)",
		   .summary = "the value of the record with the largest BY",
		   .text = "The first such record. Records whose BY is null are skipped; null if there is no other.",
		   .group = "order",
		   .params = ARG_PARAMS,
		   .examples = { { "argmax(x, length(x))", "fig\npear\nkiwi\n", "\"pear\"", "the first of equals" } } },
	  ARG_ROW(argmax_update, argmax_merge) },
	{ .doc = { .name = NULL } },
};

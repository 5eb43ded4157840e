/* sum, avg: order-independent totals, rounded once. */
#include "agg/families.h"

#include <math.h>

#include "agg/set.h"
#include "agg/sum.h"

static void plain_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	sum_column(AGG_IN(0));
}

static void plain_merge(struct agg_call *c, void *dst, void *src) { sum_merge(c, dst, src, false); }

static void plain_retract(struct agg_call *c, void *dst, const void *src) { sum_merge(c, dst, (void *)(uintptr_t)src, true); }

static void plain_save(struct agg_call *c, const void *state, struct buf *b)
{
	(void)c;
	sum_save(state, b);
}

static int plain_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	if (!sum_load(c, state, p, end))
		return 0;
	sum_release(c, state);
	return -1;
}

static void plain_release(struct agg_call *c, void *state) { sum_release(c, state); }

static bool fits_int64(superacc_i128 v) { return v >= INT64_MIN && v <= INT64_MAX; }

/* Only integers, and nothing but zero where floats were (they may have been retracted). */
static bool sum_is_int(const struct sum *s, superacc_i128 *v)
{
	struct mag m;

	*v = (superacc_i128)s->ints;
	if (s->n_float)
		return false;
	if (!s->fix && !s->high && !s->low && !(s->rest && s->rest->big))
		return true;
	sum_mag(s, &m);
	return mag_int(&m, v);
}

static double sum_double_of(const struct sum *s)
{
	sum_u128 fix = s->fix;
	struct mag m;

	if (!s->ints && !(s->rest && s->rest->big) && sum_fix(&fix, (superacc_u128)sum_loose(s->high, s->low)))
		return ldexp((double)(superacc_i128)fix, SUM_FIX_LSB); /* the conversion rounds once, to even */
	sum_mag(s, &m);
	return mag_double(&m);
}

static void sum_numbers(const struct sum *s, struct value *out)
{
	superacc_i128 v;
	double f;

	if (sum_special(s, &f))
		*out = v_float(f);
	else if (sum_is_int(s, &v))
		*out = fits_int64(v) ? v_int((int64_t)v) : v_float((double)v);
	else
		*out = v_float(sum_double_of(s));
}

static void sum_out(struct agg_call *c, const struct sum *s, struct value *out)
{
	*out = v_null();
	switch (sum_kind(s)) {
	case T_NULL:
		*out = v_int(0);
		break;
	case T_FLOAT:
		sum_numbers(s, out);
		break;
	case T_DUR:
		if (fits_int64((superacc_i128)s->rest->dur))
			*out = v_dur((int64_t)s->rest->dur);
		else
			agg_fail(c, "duration out of range");
		break;
	case T_TIME:
		agg_fail(c, "times do not add up");
		break;
	default:
		agg_fail(c, "numbers, durations and times do not add up");
	}
}

static void sum_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)a;
	sum_out(c, state, out);
}

/* sum(distinct E): the set of numbers, added up at the end. */
static void distinct_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	set_update(AGG_IN(0), SET_NUMBERS);
}

static void distinct_merge(struct agg_call *c, void *dst, void *src) { set_merge(c, dst, src, SET_NUMBERS); }

static void distinct_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	struct sum tmp = { 0 };

	(void)a;
	set_sum(c, state, &tmp);
	sum_out(c, &tmp, out);
	sum_release(c, &tmp);
}

static void distinct_save(struct agg_call *c, const void *state, struct buf *b)
{
	(void)c;
	set_save(state, b, SET_NUMBERS);
}

static int distinct_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	return set_load(c, state, p, end, SET_NUMBERS);
}

static const struct agg_def sum_distinct = {
	.doc = { .name = "sum" },
	.min_args = 1,
	.max_args = 1,
	.flags = AGG_NUMERIC | AGG_DISTINCT_OK,
	.state_size = sizeof(struct set *),
	.update = distinct_update,
	.merge = distinct_merge,
	.finish = distinct_finish,
	.save = distinct_save,
	.load = distinct_load,
	.release = set_release,
};

static int sum_prepare(struct agg_call *c, struct err *e)
{
	(void)e;
	c->def = c->distinct ? &sum_distinct : c->def;
	c->state_size = c->def->state_size;
	return 0;
}

/* total / n, nearest, ties to even. */
static int64_t mean_ns(superacc_i128 total, uint64_t n)
{
	superacc_i128 q = total / (superacc_i128)n, r = total % (superacc_i128)n;
	superacc_i128 twice = (r < 0 ? -r : r) * 2;

	if (twice > (superacc_i128)n || (twice == (superacc_i128)n && q & 1))
		q += total < 0 ? -1 : 1;
	return (int64_t)q;
}

static double avg_number(const struct sum *s)
{
	uint64_t n = s->n_int + s->n_float; /* 0 only when a forged state wraps */
	double f = NAN;
	struct mag m;

	if (sum_special(s, &f) || !n)
		return f;
	sum_mag(s, &m);
	mag_div(&m, n, 4);
	return mag_double(&m);
}

static void avg_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	const struct sum *s = state;

	(void)a;
	*out = v_null();
	switch (sum_kind(s)) {
	case T_NULL:
		break;
	case T_FLOAT:
		*out = v_float(avg_number(s));
		break;
	case T_DUR:
		*out = v_dur(mean_ns((superacc_i128)s->rest->dur, s->rest->n_dur));
		break;
	case T_TIME:
		*out = v_time(mean_ns((superacc_i128)s->rest->time, s->rest->n_time));
		break;
	default:
		agg_fail(c, "numbers, durations and times do not add up");
	}
}

const struct agg_def agg_family_sum[] = {
	{ .doc = { .name = "sum",
		   .synopsis = "sum(E), sum(distinct E)",
		   .summary = "the exact total of numbers, or of durations",
		   .text = "The total is exact and rounded once, to the nearest double, when it is printed: it depends "
			   "neither on the order of the records nor on how they were split. Integers stay integers as long "
			   "as the total fits 64 bits; one float among them makes the total a float. Nulls are skipped; what "
			   "is no number is skipped and counted. The sum of nothing is 0; a zero total is 0, never -0. "
			   "Durations add up to a duration; durations mixed with numbers, and times, give null. sum(distinct "
			   "E) counts each number once, equal ones being one whatever their type.",
		   .group = "numbers",
		   .params = { { "E", "expr", NULL, NULL, "numbers or durations" } },
		   .examples = { { "sum(x)", "1\n2\n3\n", "6", NULL },
				 { "sum(x)", "0.1\n0.2\n-0.3\n", "2.7755575615628914e-17", "exact, rounded once" },
				 { "sum(x)", "1e100\n1\n-1e100\n", "1", "nothing is lost on the way" },
				 { "sum(distinct x)", "5\n5\n7\n", "12", NULL } } },
	  .min_args = 1,
	  .max_args = 1,
	  .flags = AGG_NUMERIC | AGG_DISTINCT_OK,
	  .state_size = sizeof(struct sum),
	  .prepare = sum_prepare,
	  .update = plain_update,
	  .merge = plain_merge,
	  .finish = sum_finish,
	  .save = plain_save,
	  .load = plain_load,
	  .release = plain_release,
	  .retract = plain_retract },
	{ .doc = { .name = "avg",
		   .aliases = "mean",
		   .synopsis = "avg(E)",
		   .summary = "the mean of numbers, durations or times",
		   .text = "The exact total divided by the number of values, rounded once to the nearest double (for "
			   "durations and times to the nearest nanosecond). Nulls are skipped; what is no number is skipped "
			   "and counted. The mean of nothing is null.",
		   .group = "numbers",
		   .params = { { "E", "expr", NULL, NULL, "numbers, durations or times" } },
		   .examples = { { "avg(x)", "1\n2\n4\n", "2.3333333333333335", NULL },
				 { "mean(x)", "", "null", "of nothing" } } },
	  .min_args = 1,
	  .max_args = 1,
	  .flags = AGG_NUMERIC,
	  .state_size = sizeof(struct sum),
	  .update = plain_update,
	  .merge = plain_merge,
	  .finish = avg_finish,
	  .save = plain_save,
	  .load = plain_load,
	  .release = plain_release,
	  .retract = plain_retract },
	{ .doc = { .name = NULL } },
};

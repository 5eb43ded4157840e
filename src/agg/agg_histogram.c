/* histogram. */
#include "agg/families.h"

#include <math.h>

#include "agg/pack.h"
#include "agg/rows.h"

#define HISTOGRAM_BUCKETS_MAX 4096

/* A state is N + 2 counts: below LO, the N buckets, above HI. */

static double param_double(const struct value *v)
{
	struct num n;

	switch (value_num(v, &n)) {
	case NUM_INT:
		return (double)n.i;
	case NUM_FLOAT:
		return n.f;
	default:
		return NAN;
	}
}

static double histogram_lo(const struct agg_call *c) { return param_double(&c->params[0]); }
static double histogram_hi(const struct agg_call *c) { return param_double(&c->params[1]); }
static uint32_t histogram_n(const struct agg_call *c) { return (uint32_t)param_double(&c->params[2]); }

static int histogram_prepare(struct agg_call *c, struct err *e)
{
	double n;

	if (c->n_params != 3)
		return err_set(e, ERR_PROGRAM, "needs E, LO, HI and N");
	if (!isfinite(histogram_lo(c)) || !isfinite(histogram_hi(c)) || histogram_lo(c) >= histogram_hi(c) ||
	    !isfinite(histogram_hi(c) - histogram_lo(c)))
		return err_set(e, ERR_PROGRAM, "LO and HI are not two numbers in ascending order");
	n = param_double(&c->params[2]);
	if (!(n >= 1 && n <= HISTOGRAM_BUCKETS_MAX) || n != floor(n))
		return err_set(e, ERR_PROGRAM, "N is not a whole number from 1 to %d", HISTOGRAM_BUCKETS_MAX);
	c->param = n;
	c->state_size = (uint32_t)((n + 2) * sizeof(uint64_t));
	return 0;
}

/* Lower edge of bucket i; edge N is HI. */
static double histogram_edge(const struct agg_call *c, uint32_t i)
{
	double lo = histogram_lo(c), hi = histogram_hi(c);

	return i == histogram_n(c) ? hi : lo + (hi - lo) * i / histogram_n(c);
}

static uint32_t histogram_slot(const struct agg_call *c, double x)
{
	double lo = histogram_lo(c), hi = histogram_hi(c);
	uint32_t n = histogram_n(c), i;

	if (x < lo)
		return 0;
	if (x >= hi)
		return x > hi ? n + 1 : n;
	i = (uint32_t)((x - lo) / (hi - lo) * n);
	i = i < n ? i : n - 1;
	while (i > 0 && x < histogram_edge(c, i)) /* the quotient may be rounded over an edge */
		i--;
	while (i + 1 < n && x >= histogram_edge(c, i + 1))
		i++;
	return i + 1;
}

AGG_INLINE void histogram_put(struct agg_call *c, void *state, const struct value *v)
{
	uint64_t *count = state;
	double x = param_double(v);

	if (isnan(x))
		agg_fail(c, "not a number");
	else
		count[histogram_slot(c, x)]++;
}

static void histogram_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	agg_each(AGG_IN(0), histogram_put);
}

static void histogram_merge(struct agg_call *c, void *dst, void *src)
{
	uint64_t *d = dst, *s = src;

	for (uint32_t i = 0; i < histogram_n(c) + 2; i++)
		d[i] += s[i];
}

static void histogram_retract(struct agg_call *c, void *dst, const void *src)
{
	uint64_t *d = dst;
	const uint64_t *s = src;

	for (uint32_t i = 0; i < histogram_n(c) + 2; i++)
		d[i] -= s[i];
}

static void histogram_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	const uint64_t *count = state;
	uint32_t n = histogram_n(c);
	struct value *items = arena_array(a, struct value, n + 2);

	for (uint32_t i = 0; i < n + 2; i++) {
		struct field *f = arena_array(a, struct field, 3);

		f[0] = (struct field){ "from", 4, i ? v_float(histogram_edge(c, i - 1)) : v_null() };
		f[1] = (struct field){ "to", 2, i <= n ? v_float(histogram_edge(c, i)) : v_null() };
		f[2] = (struct field){ "count", 5, v_int((int64_t)count[i]) };
		items[i] = v_object(f, 3);
	}
	*out = v_list(items, n + 2);
}

static void histogram_save(struct agg_call *c, const void *state, struct buf *b)
{
	const uint64_t *count = state;

	for (uint32_t i = 0; i < histogram_n(c) + 2; i++)
		pack_uint(b, count[i]);
}

static int histogram_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	uint64_t *count = state;

	for (uint32_t i = 0; i < histogram_n(c) + 2; i++) {
		if (unpack_uint(p, end, &count[i])) {
			memset(state, 0, c->state_size);
			return -1;
		}
	}
	return 0;
}

const struct agg_def agg_family_histogram[] = {
	{ .doc = { .name = "histogram",
		   .synopsis = "histogram(E, LO, HI, N)",
		   .summary = "how many values fall into each of N equal ranges between LO and HI",
		   .text = "A list of N + 2 objects {from, to, count}: the first, with from null, counts what is below LO; "
			   "the last, with to null, what is above HI; each of the others counts from <= value < to, the last "
			   "of them HI as well. Nulls are skipped; NaN and what is no number are skipped and counted.",
		   .group = "numbers",
		   .params = { { "E", "expr", NULL, NULL, "numbers" },
			       { "LO", "number", NULL, NULL, "a literal" },
			       { "HI", "number", NULL, "> LO", "a literal" },
			       { "N", "int", NULL, "1..4096", "a literal" } },
		   .examples = { { "histogram(x, 0, 10, 2)", "-1\n0\n4\n5\n10\n",
				   "[{\"from\":null,\"to\":0,\"count\":1},{\"from\":0,\"to\":5,\"count\":2},"
				   "{\"from\":5,\"to\":10,\"count\":2},{\"from\":10,\"to\":null,\"count\":0}]",
				   NULL } } },
	  .min_args = 1,
	  .max_args = 1,
	  .max_params = 3,
	  .flags = AGG_NUMERIC,
	  .state_size = 3 * sizeof(uint64_t),
	  .prepare = histogram_prepare,
	  .update = histogram_update,
	  .merge = histogram_merge,
	  .finish = histogram_finish,
	  .save = histogram_save,
	  .load = histogram_load,
	  .retract = histogram_retract },
	{ .doc = { .name = NULL } },
};

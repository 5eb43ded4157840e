/* Errors of the approximate aggregates against their stated bounds. */
#include "agg_fixture.h"

#define PART 1000

/* approx_distinct of the integers from..from + n - 1, each twice, in parts that are merged. */
static double distinct_of(uint64_t from, uint32_t n)
{
	struct agg_call c = agg_bind("approx_distinct", false, NULL, 0);
	void *all = agg_state(&c);
	static int64_t x[PART];
	struct column col = { .i = x, .type = T_INT };
	struct value v;

	for (uint32_t at = 0; at < n; at += PART) {
		uint32_t m = n - at < PART ? n - at : PART;
		void *part = agg_state(&c);

		for (uint32_t i = 0; i < m; i++)
			x[i] = (int64_t)(from + at + i);
		c.def->update(&c, part, NULL, &col, NULL, m, NULL);
		c.def->update(&c, part, NULL, &col, NULL, m, NULL);
		c.def->merge(&c, all, part);
		agg_drop(&c, part);
	}
	c.def->finish(&c, all, NULL, &v);
	agg_drop(&c, all);
	CHECK_INT(c.heap_bytes, 0);
	return (double)v.i;
}

/* Root mean square of the relative error over several sets; the standard error is 0.81 %. */
static void distinct_error(uint32_t n, int sets)
{
	double square = 0, worst = 0;

	for (int i = 0; i < sets; i++) {
		double e = distinct_of(rng() >> 8, n) / n - 1;

		square += e * e;
		worst = fabs(e) > worst ? fabs(e) : worst;
	}
	printf("# %u values: rms error %.3f %%, worst %.3f %%\n", n, 100 * sqrt(square / sets), 100 * worst);
	CHECK(sqrt(square / sets) < 0.0081 * 1.3);
	CHECK(worst < 0.0081 * 4);
}

static void distinct_small(void)
{
	for (uint32_t n = 0; n <= 100; n += n < 10 ? 1 : 10)
		CHECK(fabs(distinct_of(1000000 + n, n) - n) <= (n > 20));
}

static int double_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

enum shape { UNIFORM, EXPONENTIAL, PARETO, SIGNED, TINY, WIDE, SHAPES };

static double draw(enum shape s)
{
	switch (s) {
	case UNIFORM:
		return rng_unit();
	case EXPONENTIAL:
		return -log(1 - rng_unit());
	case PARETO:
		return pow(1 - rng_unit(), -1.5);
	case SIGNED:
		return (rng_unit() - 0.5) * 1e6;
	case TINY:
		return rng_unit() * 1e-305;
	default:
		return pow(10, rng_unit() * 60 - 30) * (rng_below(2) ? 1 : -1) * (rng_below(10) != 0);
	}
}

static void quantile_error(enum shape shape)
{
	enum { N = 5000 };
	static double x[N];
	static const double ps[] = { 0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1 };
	struct column col = column_of_doubles(x);

	for (uint32_t i = 0; i < N; i++)
		x[i] = draw(shape);
	for (uint32_t i = 0; i < ARRAY_LEN(ps); i++) {
		struct value p = v_float(ps[i]);
		struct agg_call c = agg_bind("approx_quantile", false, &p, 1);
		double got = agg_of(&c, &col, N, NULL).f, want;
		double *sorted = xmalloc(sizeof x);

		memcpy(sorted, x, sizeof x);
		qsort(sorted, N, sizeof *sorted, double_order);
		want = sorted[(size_t)(ps[i] * (N - 1))];
		if (!(fabs(got - want) <= 0.01 * fabs(want) * (1 + 1e-9))) {
			test_bad = 1;
			printf("# shape %d: quantile %g is %g, want %g\n", (int)shape, ps[i], got, want);
		}
		free(sorted);
	}
}

/* Beyond the bucket limit the small magnitudes give way, the large ones keep the bound. */
static void collapse(void)
{
	struct value p = v_float(0.9), low = v_float(0.1);
	struct agg_call c = agg_bind("approx_quantile", false, &p, 1), d = agg_bind("approx_quantile", false, &low, 1);
	static double x[1000];
	struct column col = column_of_doubles(x);

	for (int i = 0; i < 1000; i++)
		x[i] = pow(10, (999 - i) * 0.3 - 150);
	CHECK(fabs(agg_of(&c, &col, 1000, NULL).f / x[999 - 899] - 1) <= 0.01 + 1e-9);
	CHECK(agg_of(&d, &col, 1000, NULL).f > x[999 - 99]);
	for (int i = 0; i < 1000; i++)
		x[i] = pow(10, i * 0.3 - 150);
	CHECK(fabs(agg_of(&c, &col, 1000, NULL).f / x[899] - 1) <= 0.01 + 1e-9);
}

int main(void)
{
	TEST("small counts are exact or one off") distinct_small();
	TEST("a hundred values") distinct_error(100, 40);
	TEST("a thousand") distinct_error(1000, 40);
	TEST("ten thousand") distinct_error(10000, 40);
	TEST("a hundred thousand") distinct_error(100000, 12);
	TEST("a million") distinct_error(1000000, 4);
	TEST("quantiles within one per cent")
	for (int s = 0; s < SHAPES; s++)
		quantile_error((enum shape)s);
	TEST("more buckets than the limit") collapse();
	return test_done();
}

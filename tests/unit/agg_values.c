/* Results by example: those of the documentation, exact quantiles against sorting, kinds of values, names and parameters. */
#include "agg_fixture.h"

#include "base/nearest.h"

/* An example this test can run by itself: NAME([distinct] x [, literal ...]). The others need expressions. */
struct example {
	char name[32];
	bool distinct;
	struct value params[3];
	uint32_t n_params;
};

static struct value literal(const char *p, size_t n)
{
	struct num num;

	if (n >= 2 && *p == '"')
		return v_str(p + 1, n - 2);
	num_parse(p, n, &num);
	return value_from_num(&num);
}

static bool example_read(const char *s, struct example *e)
{
	size_t n = strcspn(s, "(");

	memset(e, 0, sizeof *e);
	memcpy(e->name, s, n);
	s += n + 1;
	e->distinct = !strncmp(s, "distinct ", 9);
	s += e->distinct ? 9 : 0;
	if (*s == ')' && !s[1])
		return true;
	if (*s++ != 'x')
		return false;
	while (*s == ',' && e->n_params < 3) {
		s += 1 + strspn(s + 1, " ");
		n = *s == '"' ? 2 + strcspn(s + 1, "\"") : strcspn(s, ",)");
		if (n && (strchr("\"-.", *s) || (*s >= '0' && *s <= '9')))
			e->params[e->n_params++] = literal(s, n);
		s += n;
	}
	return *s == ')' && !s[1];
}

static uint32_t lines(const char *in, struct value *x)
{
	uint32_t n = 0;

	while (*in) {
		size_t len = strcspn(in, "\n");

		x[n++] = v_text(in, len);
		in += len + 1;
	}
	return n;
}

static bool example_run(const struct doc_example *d)
{
	struct example e;
	struct agg_call c;
	struct value x[32];
	struct column col = { .v = x, .type = T_TEXT };
	struct arena a = { 0 };
	struct buf out = { 0 };
	struct value v;

	if (!example_read(d->args, &e))
		return false;
	c = agg_bind(e.name, e.distinct, e.params, e.n_params);
	if (!strcmp(d->args, "count()")) {
		void *s = agg_state(&c);

		c.def->update(&c, s, NULL, NULL, NULL, lines(d->in, x), NULL);
		c.def->finish(&c, s, &a, &v);
		agg_drop(&c, s);
	} else {
		v = agg_of(&c, &col, lines(d->in, x), &a);
	}
	value_print_json(&out, &v, NULL);
	CHECK_BYTES(out.p, out.n, d->out);
	buf_release(&out);
	arena_release(&a);
	return true;
}

static void examples(void)
{
	int run = 0;

	for (unsigned i = 0; agg_at(i); i++)
		for (unsigned k = 0; k < DOC_EXAMPLES_MAX && agg_at(i)->doc.examples[k].args; k++)
			run += example_run(&agg_at(i)->doc.examples[k]);
	CHECK(run >= 30);
}

static int double_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void quantiles(void)
{
	for (int round = 0; round < 300; round++) {
		double x[100], sorted[100], p = rng_below(5) ? rng_unit() : rng_below(2), rank, want;
		struct value lit = v_float(p), vals[100];
		struct agg_call c = agg_bind("quantile", false, &lit, 1);
		uint32_t n = 1 + rng_below(100), k;
		struct column col = column_of_doubles(x), mixed = column_of_values(vals);

		for (uint32_t i = 0; i < n; i++) {
			x[i] = rng_below(2) ? rng_below(20) : rng_unit() * 100 - 50;
			vals[i] = x[i] == floor(x[i]) && rng_below(2) ? v_int((int64_t)x[i]) : v_float(x[i]);
		}
		memcpy(sorted, x, sizeof x);
		qsort(sorted, n, sizeof *sorted, double_order);
		rank = (n - 1) * p;
		k = (uint32_t)rank;
		want = k + 1 < n ? sorted[k] + (rank - k) * (sorted[k + 1] - sorted[k]) : sorted[k];
		CHECK(agg_of(&c, &col, n, NULL).f == want);
		CHECK(({
			      struct value v = agg_of(&c, &mixed, n, NULL);
			      v.type == T_INT ? (double)v.i : v.f;
		      }) == want);
	}
}

/* Sorted, equal, organ-pipe: selection must not need distinct or random values. */
static void quantiles_of_patterns(void)
{
	enum { N = 20000 };
	static double x[N];
	struct agg_call c = agg_bind("median", false, NULL, 0);
	struct column col = column_of_doubles(x);

	for (int i = 0; i < N; i++)
		x[i] = 1;
	CHECK(agg_of(&c, &col, N, NULL).f == 1);
	for (int i = 0; i < N; i++)
		x[i] = i;
	CHECK(agg_of(&c, &col, N, NULL).f == (N - 1) / 2.0);
	for (int i = 0; i < N; i++)
		x[i] = i < N / 2 ? i : N - 1 - i;
	CHECK(agg_of(&c, &col, N, NULL).f == (N / 2 - 1) / 2.0);
	x[0] = NAN;
	x[1] = INFINITY;
	x[2] = -INFINITY;
	CHECK(agg_of(&c, &col, 3, NULL).f == INFINITY);
}

static struct value one(const char *name, const struct value *x, uint32_t n)
{
	struct agg_call c = agg_bind(name, false, NULL, 0);
	struct column col = column_of_values((struct value *)(uintptr_t)x);
	static struct arena a; /* results live until the process ends */

	return agg_of(&c, &col, n, &a);
}

#define IS_NUM(v, want) ((v).type == T_INT ? (v).i == (want) : (v).type == T_FLOAT && (v).f == (want))

static void kinds(void)
{
	struct value d[] = { v_dur(10), v_null(), v_dur(21) }, t[] = { v_time(100), v_time(103), v_time(104) },
		     m[] = { v_dur(1), v_int(1) }, none[] = { v_null() };
	struct value v;

	v = one("sum", d, 3);
	CHECK(v.type == T_DUR && v.i == 31);
	v = one("avg", d, 3);
	CHECK(v.type == T_DUR && v.i == 16); /* 15.5, to even */
	v = one("median", d, 3);
	CHECK(v.type == T_DUR && v.i == 16);
	v = one("approx_p99", d, 3);
	CHECK(v.type == T_DUR && v.i == 10);
	v = one("max", d, 3);
	CHECK(v.type == T_DUR && v.i == 21);
	v = one("avg", t, 3);
	CHECK(v.type == T_TIME && v.i == 102);
	v = one("min", t, 3);
	CHECK(v.type == T_TIME && v.i == 100);
	CHECK_INT(one("sum", t, 3).type, T_NULL);
	CHECK_INT(one("sum", m, 2).type, T_NULL);
	CHECK_INT(one("median", m, 2).type, T_NULL);
	CHECK(IS_NUM(one("sum", none, 1), 0));
	CHECK_INT(one("avg", none, 1).type, T_NULL);
	CHECK_INT(one("min", none, 1).type, T_NULL);
	CHECK_INT(one("var", none, 1).type, T_NULL);
	CHECK_INT(one("first", none, 1).type, T_NULL);
	CHECK_INT(one("median", none, 1).type, T_NULL);
	CHECK_INT(one("approx_p50", none, 1).type, T_NULL);
	CHECK(IS_NUM(one("count", none, 1), 0));
	CHECK(one("collect", none, 1).type == T_LIST && one("collect", none, 1).n == 0);
	CHECK(one("concat", none, 1).type == T_STR && one("concat", none, 1).n == 0);
	CHECK(one("any", none, 1).type == T_BOOL && !one("any", none, 1).b);
	CHECK(one("all", none, 1).type == T_BOOL && one("all", none, 1).b);
}

static void order_of_values(void)
{
	struct value x[] = { v_float(-0.0), v_int(0), v_text("-0.0", 4) }, y[] = { v_float(NAN), v_int(3), v_float(3.0) },
		     z[] = { v_str("5", 1), v_text("40", 2), v_bool(true) }, inf[] = { v_float(INFINITY), v_float(-INFINITY) };
	struct value v;

	v = one("min", x, 3);
	CHECK(v.type == T_INT && v.i == 0);
	v = one("max", x, 1);
	CHECK(v.type == T_FLOAT && v.f == 0 && !signbit(v.f));
	v = one("min", y, 3);
	CHECK(v.type == T_INT && v.i == 3);
	CHECK(isnan(one("max", y, 3).f));
	v = one("max", z, 3);
	CHECK(v.type == T_STR && v.n == 1 && *v.s == '5');
	CHECK_INT(one("min", z, 3).type, T_BOOL);
	CHECK(isnan(one("sum", inf, 2).f));
	CHECK(one("sum", inf, 1).f == INFINITY);
	v = one("sum", x, 1);
	CHECK(v.type == T_FLOAT && !signbit(v.f));
}

static void count_of_values(void)
{
	struct value x[] = { v_null(), v_bool(false), v_text("false", 5), v_int(0), v_str("", 0), v_bool(true) };

	CHECK_INT(one("count", x, 6).i, 3);
}

static void failures(void)
{
	struct agg_call c = agg_bind("sum", false, NULL, 0);
	struct value x[] = { v_text("n/a", 3), v_str("5", 1), v_text("5", 1), v_null(), v_bool(true) };
	struct column col = column_of_values(x);

	CHECK_INT(agg_of(&c, &col, 5, NULL).i, 5);
	CHECK_INT(c.failures, 3);
	CHECK_STR(c.fail_reason, "not a number");
}

static void prepare_fails(const char *name, const struct value *params, uint32_t n, const char *msg, const char *hint)
{
	struct agg_call c = { .params = params, .n_params = n };
	struct err e = { 0 };

	c.def = agg_find(name, &c.param);
	CHECK(c.def->prepare(&c, &e) == -1);
	CHECK_STR(e.msg, msg);
	CHECK_STR(e.hint, hint);
}

static void parameters(void)
{
	struct value two = v_int(2), p95 = v_float(95), word = v_str("x", 1), h[3] = { v_int(5), v_int(5), v_int(3) };

	prepare_fails("quantile", NULL, 0, "needs a second argument, a number from 0 to 1", "");
	prepare_fails("quantile", &p95, 1, "the second argument is 95, not from 0 to 1", "write 0.95 for the 95th percentile");
	prepare_fails("approx_quantile", &word, 1, "the second argument is not a number", "");
	prepare_fails("concat", &two, 1, "the separator is not text", "");
	prepare_fails("histogram", NULL, 0, "needs E, LO, HI and N", "");
	prepare_fails("histogram", h, 3, "LO and HI are not two numbers in ascending order", "");
	h[1] = v_int(6);
	h[2] = v_float(2.5);
	prepare_fails("histogram", h, 3, "N is not a whole number from 1 to 4096", "");
}

static void names(void)
{
	double p = -1;
	struct nearest s;

	CHECK(agg_find("mean", NULL) == agg_find("avg", NULL));
	CHECK(agg_find("p95", &p) && p == 0.95);
	CHECK(agg_find("p1", &p) && p == 0.01);
	CHECK(agg_find("p5", &p) && p == 0.05);
	CHECK(agg_find("p999", &p) && p == 0.999);
	CHECK(agg_find("approx_p9999", &p) && p == 0.9999);
	CHECK_STR(agg_find("approx_p50", &p)->doc.name, "approx_pNN");
	CHECK(!agg_find("p0", NULL) && !agg_find("p100", NULL) && !agg_find("p", NULL) && !agg_find("p9x", NULL) &&
	      !agg_find("p05", NULL));
	CHECK(!agg_find("pNN", NULL) && !agg_find("approx_pNN", NULL) && !agg_find("total", NULL) && !agg_find("", NULL));
	nearest_init(&s, "cuont", 5);
	agg_nearest(&s);
	CHECK_STR(s.best, "count");
}

int main(void)
{
	TEST("the examples of the documentation") examples();
	TEST("quantiles against sorting") quantiles();
	TEST("quantiles of sorted, equal and special values") quantiles_of_patterns();
	TEST("durations, times, nothing") kinds();
	TEST("min and max: zeros, NaN, text") order_of_values();
	TEST("count(E): neither null nor false") count_of_values();
	TEST("what is no number is counted") failures();
	TEST("parameters are checked") parameters();
	TEST("names, aliases, percentiles") names();
	return test_done();
}

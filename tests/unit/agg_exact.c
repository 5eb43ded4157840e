/* sum, avg and var against slow arithmetic on single bits. */
#include "agg_fixture.h"

#include "agg/superacc.h"

/* A non-negative fixed-point number, a bit a byte; bit 0 weighs 2^LSB. */
#define LSB (-1100)
#define BITS 2300

struct slow {
	unsigned char bit[BITS];
};

static void slow_add(struct slow *s, double x)
{
	int e, carry = 0;
	uint64_t m = (uint64_t)ldexp(frexp(fabs(x), &e), 53);

	for (int i = e - 53 - LSB; m || carry; i++, m >>= 1) {
		int v;

		if (i < 0) /* subnormals come with zeros at the end */
			continue;
		v = s->bit[i] + (int)(m & 1) + carry;
		s->bit[i] = v & 1;
		carry = v >> 1;
	}
}

static int slow_cmp(const struct slow *a, const struct slow *b)
{
	for (int i = BITS; i-- > 0;)
		if (a->bit[i] != b->bit[i])
			return a->bit[i] - b->bit[i];
	return 0;
}

static void slow_sub(struct slow *a, const struct slow *b)
{
	int borrow = 0;

	for (int i = 0; i < BITS; i++) {
		int v = a->bit[i] - b->bit[i] - borrow;

		borrow = v < 0;
		a->bit[i] = (unsigned char)(v & 1);
	}
}

/* Nearest double, ties to even, bit by bit. */
static double slow_double(const struct slow *s)
{
	int top = BITS - 1, low, sticky = 0;
	double f = 0;

	while (top >= 0 && !s->bit[top])
		top--;
	if (top < 0)
		return 0;
	low = top - 52 < -1074 - LSB ? -1074 - LSB : top - 52;
	for (int i = top; i >= low; i--)
		f = f * 2 + s->bit[i];
	for (int i = 0; i < low - 1; i++)
		sticky |= s->bit[i];
	if (low > 0 && s->bit[low - 1] && (sticky || s->bit[low]))
		f += 1;
	return ldexp(f, low + LSB);
}

static double slow_sum(const double *x, uint32_t n)
{
	static struct slow pos, neg;

	memset(&pos, 0, sizeof pos);
	memset(&neg, 0, sizeof neg);
	for (uint32_t i = 0; i < n; i++)
		slow_add(x[i] < 0 ? &neg : &pos, x[i]);
	if (slow_cmp(&pos, &neg) >= 0) {
		slow_sub(&pos, &neg);
		return slow_double(&pos);
	}
	slow_sub(&neg, &pos);
	return -slow_double(&neg);
}

static bool same_bits(double a, double b) { return !memcmp(&a, &b, 8); }

#define N 200

static void fill(double *x, int shape)
{
	for (uint32_t i = 0; i < N; i++) {
		switch (shape) {
		case 0:
			x[i] = rng_double() * 0x1p-10; /* the total stays finite */
			break;
		case 1:
			x[i] = (double)rng_below(1000000) / 100 - 5000;
			break;
		case 2:
			x[i] = ldexp(rng_unit() - 0.5, (int)rng_below(140) - 70);
			break;
		case 3:
			x[i] = ldexp(rng_unit() - 0.5, -1020 - (int)rng_below(60));
			break;
		case 4:
			x[i] = i % 2 ? -x[i - 1] : ldexp(rng_unit(), (int)rng_below(1900) - 1000);
			x[i] = i == N - 1 ? x[i] + 1 : x[i];
			break;
		case 5:
			x[i] = (rng_below(2) ? 1 : -1) * (0x1p26 + (double)((int)rng_below(3) - 1) * 0x1p-27);
			break;
		default:
			x[i] = ldexp(1, -75 + (int)rng_below(3)) * (rng_below(2) ? 1 : -1) + (rng_below(3) ? 0 : ldexp(1, -80));
		}
	}
}

static void sums_of_shape(int shape)
{
	double x[N];
	struct column col = column_of_doubles(x);
	struct agg_call c = agg_bind("sum", false, NULL, 0);

	for (int round = 0; round < 40; round++) {
		struct value v;
		double want;

		fill(x, shape);
		want = slow_sum(x, N);
		v = agg_of(&c, &col, N, NULL);
		CHECK_INT(v.type, T_FLOAT);
		if (!same_bits(v.f, want == 0 ? 0 : want)) {
			test_bad = 1;
			printf("# shape %d: sum is %a, want %a\n", shape, v.f, want);
			return;
		}
	}
}

/* Many values, so that carries and the emptying of the loose counters happen. */
static void long_sum(double x, uint32_t n)
{
	static double f[1000];
	static uint32_t gid[1000];
	struct column col = column_of_doubles(f);
	struct agg_call c = agg_bind("sum", false, NULL, 0);
	void *s = agg_state(&c);
	struct value v;

	for (uint32_t i = 0; i < 1000; i++)
		f[i] = x;
	for (uint32_t i = 0; i < n; i++)
		c.def->update(&c, s, i % 3 ? gid : NULL, &col, NULL, 1000, NULL);
	c.def->finish(&c, s, NULL, &v);
	if (!same_bits(v.f, x * n * 1000)) { /* x has few bits: the product is exact */
		test_bad = 1;
		printf("# %u times %a is %a\n", n * 1000, x, v.f);
	}
	agg_drop(&c, s);
}

/* The quotient of integers below 2^53 is correctly rounded by the processor. */
static void averages(void)
{
	struct agg_call c = agg_bind("avg", false, NULL, 0);

	for (int round = 0; round < 2000; round++) {
		double x[50], total = 0;
		uint32_t n = 1 + rng_below(50);
		int scale = (int)rng_below(1800) - 1000;
		struct column col = column_of_doubles(x);
		struct value v;

		for (uint32_t i = 0; i < n; i++) {
			double k = (double)(int64_t)(rng() >> 17) - 0x1p46;

			total += k;
			x[i] = ldexp(k, scale);
		}
		v = agg_of(&c, &col, n, NULL);
		if (!same_bits(v.f, ldexp(total / n, scale) + 0.0)) {
			test_bad = 1;
			printf("# avg is %a, want %a\n", v.f, ldexp(total / n, scale));
			return;
		}
	}
}

/* Small integers: numerator and divisor of the variance are below 2^53. */
static void variances(bool floats)
{
	struct agg_call c = agg_bind("var", false, NULL, 0), p = agg_bind("var_pop", false, NULL, 0),
			d = agg_bind("stddev", false, NULL, 0);

	for (int round = 0; round < 2000; round++) {
		struct value x[30];
		uint32_t n = 2 + rng_below(28);
		int64_t s = 0, q = 0, top;
		int scale = floats ? (int)rng_below(900) - 450 : 0;
		struct column col = column_of_values(x);
		double want;

		for (uint32_t i = 0; i < n; i++) {
			int64_t k = (int64_t)rng_below(1 << 20) - (1 << 19);

			s += k;
			q += k * k;
			x[i] = floats ? v_float(ldexp((double)k, scale)) : v_int(k);
		}
		top = (int64_t)n * q - s * s;
		want = ldexp((double)top / (double)((int64_t)n * (n - 1)), 2 * scale);
		CHECK(same_bits(agg_of(&c, &col, n, NULL).f, want));
		CHECK(same_bits(agg_of(&p, &col, n, NULL).f, ldexp((double)top / (double)((int64_t)n * n), 2 * scale)));
		CHECK(fabs(agg_of(&d, &col, n, NULL).f - sqrt(want)) <= sqrt(want) * 0x1p-52);
	}
}

static void deviations_out_of_range(void)
{
	struct agg_call c = agg_bind("stddev_pop", false, NULL, 0), v = agg_bind("var_pop", false, NULL, 0);
	double big[2] = { 1e300, -1e300 }, tiny[2] = { 0x1p-1000, -0x1p-1000 }, near_[3] = { 1e15 + 1, 1e15 + 2, 1e15 + 3 };
	struct column b = column_of_doubles(big), t = column_of_doubles(tiny), n = column_of_doubles(near_);

	CHECK(agg_of(&c, &b, 2, NULL).f == 1e300);
	CHECK(isinf(agg_of(&v, &b, 2, NULL).f));
	CHECK(agg_of(&c, &t, 2, NULL).f == 0x1p-1000);
	CHECK(agg_of(&v, &t, 2, NULL).f == 0);
	CHECK(same_bits(agg_of(&v, &n, 3, NULL).f, 2.0 / 3));
}

static void integers(void)
{
	struct agg_call c = agg_bind("sum", false, NULL, 0);
	int64_t x[4] = { INT64_MAX, INT64_MAX, -INT64_MAX, -5 };
	struct column col = { .i = x, .type = T_INT };
	struct value v = agg_of(&c, &col, 4, NULL);

	CHECK_INT(v.type, T_INT);
	CHECK_INT(v.i, INT64_MAX - 5);
	v = agg_of(&c, &col, 2, NULL);
	CHECK_INT(v.type, T_FLOAT);
	CHECK(v.f == 0x1p64);
}

static void mixed(void)
{
	struct agg_call c = agg_bind("sum", false, NULL, 0);
	struct value x[4] = { v_int(INT64_MAX), v_float(0.5), v_int(-INT64_MAX), v_text("0.25", 4) };
	struct column col = column_of_values(x);
	struct value v = agg_of(&c, &col, 4, NULL);

	CHECK(v.type == T_FLOAT && v.f == 0.75);
}

/* More than fits 128 bits of weight 2^-75. */
static void inline_part_overflows(void)
{
	struct agg_call c = agg_bind("sum", false, NULL, 0);
	double x[8];
	struct column col = column_of_doubles(x);

	for (int i = 0; i < 8; i++)
		x[i] = 0x1p51 + 1;
	CHECK(agg_of(&c, &col, 8, NULL).f == 0x1p54 + 8);
	for (int i = 0; i < 4; i++)
		x[i] = -x[i];
	CHECK(same_bits(agg_of(&c, &col, 8, NULL).f, 0));
}

int main(void)
{
	static const char *const shapes[] = {
		"all exponents",	   "cents", "around one", "subnormal", "cancelling", "at the edge of the split",
		"at the lowest inline bit"
	};

	for (int i = 0; i < (int)ARRAY_LEN(shapes); i++) {
		test_open(shapes[i]);
		sums_of_shape(i);
	}
	TEST("long sums")
	{
		long_sum(0.75, 300);
		long_sum(-0x1.8p25, 300);
		long_sum(0x1.8p-20, 300);
		long_sum(0x1.8p40, 300);
		long_sum(0x1.8p-900, 300);
	}
	TEST("avg is the correctly rounded quotient") averages();
	TEST("var of integers is correctly rounded") variances(false);
	TEST("var of floats is correctly rounded") variances(true);
	TEST("squares beyond the range of double") deviations_out_of_range();
	TEST("sums of integers") integers();
	TEST("sums of integers and floats") mixed();
	TEST("sums beyond the inline part") inline_part_overflows();
	return test_done();
}

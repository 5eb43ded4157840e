#include "base/num.h"

#include <math.h>

#include "tests/unit/test.h"

#define RANDOM_PATTERNS 300000

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static double of_bits(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

/* Random bits: among them subnormals, powers of two and numbers of everyday size; always finite. */
static double random_double(int i)
{
	static const double scales[] = { 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e8 };
	uint64_t r = next_random();

	if (i % 4 == 1)
		return (double)(next_random() % 10000000) / scales[r % 8];
	if (i % 16 == 2)
		r &= 0x800fffffffffffff;
	if (i % 16 == 3)
		r &= 0xfff0000000000000;
	if ((r >> 52 & 0x7ff) == 0x7ff)
		r ^= (uint64_t)1 << 62;
	return of_bits(r);
}

static int same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

static double parsed(const char *text)
{
	struct num x;

	switch (num_parse(text, strlen(text), &x)) {
	case NUM_INT:
		return (double)x.i;
	case NUM_FLOAT:
		return x.f;
	default:
		return NAN;
	}
}

static enum num_kind kind_of(const char *text)
{
	struct num x;
	enum num_kind kind = num_parse(text, strlen(text), &x);

	CHECK(kind == x.kind);
	return kind;
}

static int64_t int_of(const char *text)
{
	struct num x;

	CHECK(num_parse(text, strlen(text), &x) == NUM_INT);
	return x.kind == NUM_INT ? x.i : 0;
}

static void test_grammar(void)
{
	static const char *const ints[] = { "0",
		                            "7",
		                            "12",
		                            "-5",
		                            "+5",
		                            "007",
		                            "12345678",
		                            "123456789",
		                            "9223372036854775807",
		                            "-9223372036854775808",
		                            " 42",
		                            "42\t ",
		                            "\t-1 ",
		                            "00000000000000000000000000000012",
		                            "-0" };
	static const char *const floats[] = { "1.",
		                              ".5",
		                              "-.5",
		                              "1.5",
		                              "17850.0",
		                              "1e5",
		                              "1E+5",
		                              "1.e1",
		                              ".5e-3",
		                              "1e400",
		                              "0.0000001",
		                              "9223372036854775808",
		                              "123456789012345678901234567890",
		                              " 2.5 ",
		                              "1234567.",
		                              ".1234567",
		                              "-9223372036854775809" };
	static const char *const others[] = { "",      " ",        ".",        "-",         "+",    "e5",  "1e",  "1e+",
		                            "1.2.3", "--1",      "+-1",      "1 2",       "0x10", "inf", "nan", "1,5",
		                            "- 1",   "1-",       "1_0",      "12a",       "a12",  "..",  ".e1", "1e1.5",
		                            "\n1",   "\xb1\xb2", "1234567x", "12345678x", "/",    ":",   "1/2", "1:2" };

	for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
		CHECK(kind_of(ints[i]) == NUM_INT);
	for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
		CHECK(kind_of(floats[i]) == NUM_FLOAT);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CHECK(kind_of(others[i]) == NUM_NOT);
	CHECK_INT(int_of("9223372036854775807"), INT64_MAX);
	CHECK_INT(int_of("-9223372036854775808"), INT64_MIN);
	CHECK_INT(int_of("00000000000000000000000000000012"), 12);
	CHECK_INT(int_of(" -42 "), -42);
	CHECK(signbit(parsed("-0.0")));
}

static void check_text(const char *text)
{
	double want = strtod(text, NULL), got = parsed(text);

	if (!same_bits(want, got) && !(want == 0 && got == 0)) {
		test_bad = 1;
		printf("# \"%s\" is %a, want %a\n", text, got, want);
	}
}

static void test_known_hard(void)
{
	static const char *const texts[] = {
		"2.2250738585072011e-308",
		"2.2250738585072012e-308",
		"2.4703282292062327e-324",
		"2.4703282292062328e-324",
		"4.9e-324",
		"1.7976931348623157e308",
		"1.7976931348623158e308",
		"1.7976931348623159e308",
		"9007199254740993",
		"9007199254740992.9",
		"9007199254740993.00000000000000000000000000000000000000000000000000000001",
		"8.41e21",
		"1e23",
		"9.5e-323",
		"1e-400",
		"7.2057594037927933e16",
		"0.500000000000000166533453693773481063544750213623046875",
		"3.518437208883201171875e13",
		"1.00000000000000011102230246251565404236316680908203125",
		"1.00000000000000011102230246251565404236316680908203124",
		"1.00000000000000011102230246251565404236316680908203126",
		"6.9294956446009195e15",
		"0e99999999999999999999",
		"1e99999999999999999999",
		"1e-99999999999999999999",
		"0.00000000000000000000000000000000000000000000000000000000000000000000000000000001e80",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		check_text(texts[i]);
	CHECK(isinf(parsed("1e400")) && isinf(parsed("-1e400")));
}

/* The point half way between two doubles, exactly, and a hair beside it. */
static void check_half_way(uint64_t bits)
{
	char text[2048], wide[2048];
	long double half = ((long double)of_bits(bits) + (long double)of_bits(bits + 1)) / 2;
	char *e;

	snprintf(text, sizeof text, "%.1100Le", half);
	check_text(text);
	e = strchr(text, 'e');
	snprintf(wide, sizeof wide, "%.*s1%s", (int)(e - text), text, e);
	check_text(wide);
	for (char *last = e - 1; last > text; last--) {
		if (*last != '0' && *last != '.') {
			--*last;
			break;
		}
	}
	check_text(text);
}

static void test_against_strtod(void)
{
	char text[64];

	for (int i = 0; i < RANDOM_PATTERNS; i++) {
		double v = random_double(i);

		snprintf(text, sizeof text, "%.17g", v);
		check_text(text);
		snprintf(text, sizeof text, "%.*g", 1 + i % 22, v);
		check_text(text);
	}
	for (int i = 0; i < 4000; i++)
		check_half_way(next_random() & 0x7fefffffffffffff);
	for (int i = 0; i < 500; i++)
		check_half_way(next_random() & 0x001fffffffffffff);
}

static void check_format(double v, const char *want)
{
	char out[NUM_MAX];
	size_t n = num_format_double(v, out);

	CHECK_BYTES(out, n, want);
}

static void test_notation(void)
{
	check_format(0, "0");
	check_format(-0.0, "-0");
	check_format(0.1, "0.1");
	check_format(6, "6");
	check_format(-15.3, "-15.3");
	check_format(25.5, "25.5");
	check_format(0.1 + 0.2, "0.30000000000000004");
	check_format(123456789012345680000.0, "123456789012345680000");
	check_format(999999999999999900000.0, "999999999999999900000");
	check_format(1e21, "1e+21");
	check_format(1.5e-9, "1.5e-9");
	check_format(1e-7, "0.0000001");
	check_format(1.25e-7, "0.000000125");
	check_format(9.9e-8, "9.9e-8");
	check_format(1.7976931348623157e308, "1.7976931348623157e+308");
	check_format(5e-324, "5e-324");
	check_format(9007199254740993.0, "9007199254740992");
	check_format(1e9, "1000000000");
	check_format(999999999.999999, "999999999.999999");
	check_format(1.0 / 3, "0.3333333333333333");
	check_format(NAN, "nan");
	check_format(-NAN, "nan");
	check_format(INFINITY, "inf");
	check_format(-INFINITY, "-inf");
}

/* The digits of a number, without sign, point, zeros at the ends and exponent. */
static int count_digits(const char *p, size_t n)
{
	int digits = 0, zeros = 0;

	for (size_t i = 0; i < n && p[i] != 'e'; i++) {
		if (p[i] == '0') {
			zeros += digits > 0;
		} else if (p[i] >= '1' && p[i] <= '9') {
			digits += zeros + 1;
			zeros = 0;
		}
	}
	return digits;
}

/* Reads back as v, and no text with one digit less does. */
static void check_shortest(double v)
{
	char out[NUM_MAX + 1], shorter[64];
	size_t n = num_format_double(v, out);
	int digits;

	out[n] = 0;
	digits = count_digits(out, n);
	CHECK(n < NUM_MAX);
	if (!same_bits(strtod(out, NULL), v)) {
		test_bad = 1;
		printf("# %.17g is printed as %s\n", v, out);
	}
	if (digits < 2)
		return;
	snprintf(shorter, sizeof shorter, "%.*e", digits - 2, v);
	if (same_bits(strtod(shorter, NULL), v)) {
		test_bad = 1;
		printf("# %s is printed as %s\n", shorter, out);
	}
}

static void test_integers(void)
{
	char out[NUM_MAX], want[NUM_MAX];

	for (int i = 0; i < 100000; i++) {
		uint64_t v = next_random() >> (i % 64);

		snprintf(want, sizeof want, "%" PRIu64, v);
		CHECK_BYTES(out, num_format_uint(v, out), want);
		snprintf(want, sizeof want, "%" PRId64, (int64_t)v);
		CHECK_BYTES(out, num_format_int((int64_t)v, out), want);
	}
	CHECK_BYTES(out, num_format_int(INT64_MIN, out), "-9223372036854775808");
	CHECK_BYTES(out, num_format_uint(0, out), "0");
	for (uint64_t v = 10; v < 10000000000000000000u; v *= 10) {
		snprintf(want, sizeof want, "%" PRIu64, v);
		CHECK_BYTES(out, num_format_uint(v, out), want);
		snprintf(want, sizeof want, "%" PRIu64, v - 1);
		CHECK_BYTES(out, num_format_uint(v - 1, out), want);
	}
}

static void test_json(void)
{
	static const char *const yes[] = { "0", "-0", "1", "10", "1.5", "-1.50", "1e5", "1E-5", "0.0", "1.5e+10" };
	static const char *const no[] = { "",   "-",   "007", "+1",   ".5",  "1.",   " 1",  "1 ",
		                          "1e", "1e+", "0x1", "01.5", "-01", "1.e5", "nan", "1.5.2" };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		CHECK(num_is_json(yes[i], strlen(yes[i])));
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		CHECK(!num_is_json(no[i], strlen(no[i])));
}

static void test_compare(void)
{
	struct num one = { .kind = NUM_INT, .i = 1 }, nan = { .kind = NUM_FLOAT, .f = NAN },
	           half = { .kind = NUM_FLOAT, .f = 1.5 };
	int64_t i;

	CHECK(num_cmp_int_double(9007199254740993, 9007199254740992.0) > 0);
	CHECK(num_cmp_int_double(9007199254740991, 9007199254740992.0) < 0);
	CHECK(num_cmp_int_double(INT64_MAX, 9223372036854775808.0) < 0);
	CHECK(num_cmp_int_double(INT64_MIN, -9223372036854775808.0) == 0);
	CHECK(num_cmp_int_double(INT64_MIN, -INFINITY) > 0);
	CHECK(num_cmp_int_double(INT64_MAX, NAN) < 0);
	CHECK(num_cmp_int_double(-1, -1.5) > 0);
	CHECK(num_cmp_int_double(-2, -1.5) < 0);
	CHECK(num_cmp_int_double(0, -0.0) == 0);
	CHECK(num_cmp(&one, &half) < 0 && num_cmp(&half, &one) > 0);
	CHECK(num_cmp(&nan, &one) > 0 && num_cmp(&one, &nan) < 0 && num_cmp(&nan, &nan) == 0);
	CHECK(num_cmp(&nan, &half) > 0);
	CHECK(num_double_to_int(-9223372036854775808.0, &i) && i == INT64_MIN);
	CHECK(!num_double_to_int(9223372036854775808.0, &i));
	CHECK(!num_double_to_int(1.5, &i) && !num_double_to_int(NAN, &i));
}

int main(void)
{
	TEST("what is a number, and of which kind")
		test_grammar();
	TEST("hard decimals are rounded correctly")
		test_known_hard();
	TEST("random decimals and half-way points agree with strtod")
		test_against_strtod();
	TEST("doubles print in plain notation from 1e-7 to 1e21")
		test_notation();
	TEST("random doubles print as the shortest text that reads back")
		for (int i = 0; i < RANDOM_PATTERNS; i++)
			check_shortest(random_double(i));
	TEST("integers print as printf does")
		test_integers();
	TEST("the number grammar of JSON")
		test_json();
	TEST("integers and doubles compare exactly")
		test_compare();
	return test_done();
}

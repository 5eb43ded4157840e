/* Numbers. Whole numbers stay whole where the answer is exact; what overflows 64 bits becomes a float. */
#define FN_GROUP "math"
#include <math.h>
#include <stdio.h>

#include "expr/fn_impl.h"
#include "expr/rowop.h"

static double as_double(const struct num *n) { return n->kind == NUM_INT ? (double)n->i : n->f; }

static void out_num(double x, struct value *out) { *out = v_float(x); }

/* A whole double as an int where it fits. */
static void out_whole(double x, struct value *out)
{
	int64_t i;

	*out = num_double_to_int(x, &i) ? v_int(i) : v_float(x);
}

/* ---- rounding ---- */

static void row_abs(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x;

	(void)n;
	if (v->type == T_DUR && v->i != INT64_MIN)
		*out = v_dur(v->i < 0 ? -v->i : v->i);
	else if (!fn_arg_num(c, v, &x))
		return;
	else if (x.kind == NUM_INT && x.i != INT64_MIN)
		*out = v_int(x.i < 0 ? -x.i : x.i);
	else
		out_num(fabs(as_double(&x)), out);
}

static void whole(struct fn_call *c, const struct value *v, double (*f)(double), struct value *out)
{
	struct num x;

	if (!fn_arg_num(c, v, &x))
		return;
	if (x.kind == NUM_INT)
		*out = v_int(x.i);
	else
		out_whole(f(x.f), out);
}

static void row_floor(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	whole(c, v, floor, out);
}

static void row_ceil(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	whole(c, v, ceil, out);
}

static void row_trunc(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	whole(c, v, trunc, out);
}

/* 10^digits below 1: a whole number to tens, hundreds ... ; halves go away from zero. */
static void round_int(int64_t x, int64_t digits, struct value *out)
{
	int64_t unit = 1, rest, up;

	if (digits >= 0) {
		*out = v_int(x);
		return;
	}
	for (; digits < 0; digits++)
		if (__builtin_mul_overflow(unit, 10, &unit)) {
			*out = v_int(0);
			return;
		}
	rest = x % unit;
	x -= rest;
	up = rest >= unit - rest ? unit : -rest >= unit + rest ? -unit : 0;
	*out = __builtin_add_overflow(x, up, &rest) ? v_float((double)x + (double)up) : v_int(rest);
}

/* To decimal digits behind the point. The decimal text decides, not the binary product: 1.005 is below a half, 2.675 too. */
static double round_digits(double x, int digits)
{
	char text[450];
	struct num r;
	int n;

	if (digits < 0) {
		double unit = pow(10, -digits);

		return isfinite(unit) ? round(x / unit) * unit : 0;
	}
	n = snprintf(text, sizeof text, "%.*f", digits, x);
	if (num_parse(text, (size_t)n, &r) == NUM_NOT)
		return x;
	return as_double(&r);
}

static void row_round(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t digits = 0;
	struct num x;

	if (!fn_arg_num(c, v, &x) || (n > 1 && !fn_arg_int(c, &v[1], &digits)))
		return;
	if (x.kind == NUM_INT)
		round_int(x.i, digits, out);
	else if (n == 1)
		out_whole(round(x.f), out);
	else if (digits > 17 || !isfinite(x.f))
		out_num(x.f, out);
	else
		out_num(round_digits(x.f, digits < -400 ? -400 : (int)digits), out);
}

static void row_sigfig(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	char text[64];
	int64_t digits;
	struct num r;
	double x;
	int len;

	(void)n;
	if (!fn_arg_double(c, &v[0], &x) || !fn_arg_int(c, &v[1], &digits))
		return;
	if (digits < 1) {
		fn_fail(c, "at least one digit");
		return;
	}
	len = snprintf(text, sizeof text, "%.*e", digits > 17 ? 16 : (int)digits - 1, x);
	if (num_parse(text, (size_t)len, &r) == NUM_NOT)
		out_num(x, out);
	else
		out_whole(as_double(&r), out);
}

/* ---- one double in, one out ---- */

static void real(struct fn_call *c, const struct value *v, double (*f)(double), struct value *out)
{
	double x, y;

	if (!fn_arg_double(c, v, &x))
		return;
	y = f(x);
	if (isnan(y) && !isnan(x))
		fn_fail(c, "outside the domain of the function");
	else
		out_num(y, out);
}

/* The functions of C's library of that name. */
#define REAL(name) \
	static void row_##name(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) \
	{ \
		(void)n; \
		real(c, v, name, out); \
	}
REAL(exp)
REAL(expm1)
REAL(sin)
REAL(cos)
REAL(tan)
REAL(asin)
REAL(acos)
REAL(atan)
REAL(sinh)
REAL(cosh)
REAL(tanh)
REAL(asinh)
REAL(acosh)
REAL(atanh)

static void row_sqrt(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	real(c, v, sqrt, out);
	if (out->type == T_FLOAT && fabs(out->f) < 0x1p26)
		out_whole(out->f, out);
}

static void row_cbrt(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	double x, y;

	(void)n;
	if (!fn_arg_double(c, v, &x))
		return;
	/* C libraries miss exact cubes by a last bit */
	y = round(cbrt(x));
	out_num(y * y * y == x ? y : cbrt(x), out);
}

/* Logarithms of 0 and below are nothing. */
static void logarithm(struct fn_call *c, const struct value *v, double (*f)(double), double least, struct value *out)
{
	double x;

	if (!fn_arg_double(c, v, &x))
		return;
	if (x <= least)
		fn_fail(c, "outside the domain of the function");
	else
		out_num(f(x), out);
}

static void row_ln(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	logarithm(c, v, log, 0, out);
}

static void row_log10(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	logarithm(c, v, log10, 0, out);
}

static void row_log2(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	logarithm(c, v, log2, 0, out);
}

static void row_log1p(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	logarithm(c, v, log1p, -1, out);
}

static void row_log(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	double b, x;

	if (n == 1) {
		logarithm(c, v, log, 0, out);
		return;
	}
	if (!fn_arg_double(c, &v[0], &b) || !fn_arg_double(c, &v[1], &x))
		return;
	if (b <= 0 || b == 1 || x <= 0)
		fn_fail(c, "outside the domain of the function");
	else
		out_num(b == 2 ? log2(x) : b == 10 ? log10(x) : log(x) / log(b), out);
}

static void row_degrees(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	double x;

	(void)n;
	if (fn_arg_double(c, v, &x))
		out_num(x * 180 / M_PI, out);
}

static void row_radians(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	double x;

	(void)n;
	if (fn_arg_double(c, v, &x))
		out_num(x * M_PI / 180, out);
}

/* ---- two ---- */

static void row_atan2(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	double y, x;

	(void)n;
	if (fn_arg_double(c, &v[0], &y) && fn_arg_double(c, &v[1], &x))
		out_num(atan2(y, x), out);
}

static void row_hypot(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	double y, x;

	(void)n;
	if (fn_arg_double(c, &v[0], &x) && fn_arg_double(c, &v[1], &y))
		out_num(hypot(x, y), out);
}

static void row_pow(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	*out = rowop_arith(OP_POW, &v[0], &v[1], c->env, &c->fail);
}

static void row_mod(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	*out = rowop_arith(OP_MOD, &v[0], &v[1], c->env, &c->fail);
}

static void row_div(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	*out = rowop_arith(OP_IDIV, &v[0], &v[1], c->env, &c->fail);
}

static void row_sign(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x;

	(void)n;
	if (v->type == T_DUR)
		*out = v_int((v->i > 0) - (v->i < 0));
	else if (!fn_arg_num(c, v, &x))
		return;
	else if (x.kind == NUM_INT)
		*out = v_int((x.i > 0) - (x.i < 0));
	else
		*out = isnan(x.f) ? v_float(x.f) : v_int((x.f > 0) - (x.f < 0));
}

static void row_clamp(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	if (value_cmp(&v[1], &v[2]) > 0)
		fn_fail(c, "the lower bound is above the upper one");
	else if (value_cmp(&v[0], &v[1]) < 0)
		*out = v[1];
	else
		*out = value_cmp(&v[0], &v[2]) > 0 ? v[2] : v[0];
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

static uint64_t magnitude(int64_t x) { return x < 0 ? 0 - (uint64_t)x : (uint64_t)x; }

static void out_uint(uint64_t x, struct value *out) { *out = x <= INT64_MAX ? v_int((int64_t)x) : v_float((double)x); }

static void row_gcd(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t a, b;

	(void)n;
	if (fn_arg_int(c, &v[0], &a) && fn_arg_int(c, &v[1], &b))
		out_uint(gcd(magnitude(a), magnitude(b)), out);
}

static void row_lcm(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	uint64_t x, y, g, r;
	int64_t a, b;

	(void)n;
	if (!fn_arg_int(c, &v[0], &a) || !fn_arg_int(c, &v[1], &b))
		return;
	x = magnitude(a);
	y = magnitude(b);
	g = gcd(x, y);
	if (!g)
		*out = v_int(0);
	else if (__builtin_mul_overflow(x / g, y, &r))
		out_num((double)(x / g) * (double)y, out);
	else
		out_uint(r, out);
}

static void row_factorial(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t x, r = 1;

	(void)n;
	if (!fn_arg_int(c, v, &x))
		return;
	if (x < 0) {
		fn_fail(c, "outside the domain of the function");
	} else if (x > 20) {
		double f = 1;

		for (; x > 1 && f <= 0x1.fffffffffffffp1023; x--)
			f *= (double)x;
		out_num(f, out);
	} else {
		for (; x > 1; x--)
			r *= x;
		*out = v_int(r);
	}
}

static void row_binomial(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t all, k;
	__int128 r = 1;

	(void)n;
	if (!fn_arg_int(c, &v[0], &all) || !fn_arg_int(c, &v[1], &k))
		return;
	if (all < 0 || k < 0 || k > all) {
		*out = v_int(0);
		return;
	}
	k = k > all - k ? all - k : k;
	for (int64_t i = 1; i <= k; i++) {
		r = r * (all - k + i) / i;
		if (r > INT64_MAX) {
			out_num(round(exp(lgamma((double)all + 1) - lgamma((double)k + 1) - lgamma((double)(all - k) + 1))), out);
			return;
		}
	}
	*out = v_int((int64_t)r);
}

static void row_width_bucket(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	double x, low, high;
	int64_t buckets;

	(void)n;
	if (!fn_arg_double(c, &v[0], &x) || !fn_arg_double(c, &v[1], &low) || !fn_arg_double(c, &v[2], &high) ||
	    !fn_arg_int(c, &v[3], &buckets))
		return;
	if (buckets < 1 || !(low < high) || !isfinite(high - low) || isnan(x))
		fn_fail(c, "outside the domain of the function");
	else if (x < low)
		*out = v_int(0);
	else if (x >= high)
		*out = v_int(buckets < INT64_MAX ? buckets + 1 : buckets);
	else
		out_whole(floor((x - low) / (high - low) * (double)buckets) + 1, out);
}

static void row_round_to(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x, unit;
	double y;

	(void)n;
	if (!fn_arg_num(c, &v[0], &x) || !fn_arg_num(c, &v[1], &unit))
		return;
	y = as_double(&unit);
	if (!(y > 0))
		fn_fail(c, "the step must be above 0");
	else if (x.kind == NUM_INT && unit.kind == NUM_INT)
		out_whole(round((double)x.i / y) * y, out);
	else
		out_num(round(as_double(&x) / y) * y, out);
}

static void row_pi(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)c, (void)v, (void)n;
	out_num(M_PI, out);
}

static void row_e(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)c, (void)v, (void)n;
	out_num(M_E, out);
}

static void row_is_nan(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x;

	(void)n;
	if (fn_arg_num(c, v, &x))
		*out = v_bool(x.kind == NUM_FLOAT && isnan(x.f));
}

static void row_is_finite(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x;

	(void)n;
	if (fn_arg_num(c, v, &x))
		*out = v_bool(x.kind == NUM_INT || isfinite(x.f));
}

static void row_is_inf(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x;

	(void)n;
	if (fn_arg_num(c, v, &x))
		*out = v_bool(x.kind == NUM_FLOAT && isinf(x.f));
}

#define ONE(name, alias, sum, expr, result) \
	{ \
		FN_DOC(#name, #name "(X)", sum), .doc.aliases = alias, FN_EX(EX(expr, result)), FN_ARGS(1, 1), .row = row_##name \
	}

static const struct fn_def defs[] = {
	ONE(abs, NULL, "distance from 0, of a number or a duration", "abs(-3)", "3"),
	ONE(floor, NULL, "largest whole number not above X", "floor(-1.5)", "-2"),
	ONE(ceil, "ceiling", "smallest whole number not below X", "ceil(1.2)", "2"),
	ONE(trunc, NULL, "whole part, towards 0", "trunc(-1.5)", "-1"),
	{ FN_DOC("round", "round(X [, DIGITS])",
		 "nearest whole number, halves away from 0; or to so many decimal digits, tens and hundreds with -1 and -2"),
	  FN_EX(EX("round(2.5)", "3"), EX("round(3.14159, 2)", "3.14"), EX("round(1250, -2)", "1300")), FN_ARGS(1, 2),
	  .row = row_round },
	{ FN_DOC("round_to", "round_to(X, STEP)", "nearest multiple of STEP"), .doc.aliases = "roundm",
	  FN_EX(EX("round_to(17, 5)", "15")), FN_ARGS(2, 2), .row = row_round_to },
	{ FN_DOC("sigfig", "sigfig(X, N)", "to N significant digits"),
	  FN_EX(EX("sigfig(123456, 2)", "120000"), EX("sigfig(0.0012345, 3)", "0.00123")), FN_ARGS(2, 2), .row = row_sigfig },
	ONE(sign, "sgn signum", "-1, 0 or 1", "sign(-0.5)", "-1"),
	{ FN_DOC("clamp", "clamp(X, LOW, HIGH)", "X, or the bound that it is beyond"), FN_EX(EX("clamp(15, 0, 10)", "10")),
	  FN_ARGS(3, 3), .row = row_clamp },
	{ FN_DOC("mod", "mod(A, B)", "remainder with the sign of B, the operator %"), FN_EX(EX("mod(-7, 3)", "2")), FN_ARGS(2, 2),
	  .row = row_mod },
	{ FN_DOC("div", "div(A, B)", "quotient rounded down, the operator //"), FN_EX(EX("div(-7, 2)", "-4")), FN_ARGS(2, 2),
	  .row = row_div },
	{ FN_DOC("pow", "pow(A, B)", "A to the power of B, the operator **"), .doc.aliases = "power",
	  FN_EX(EX("pow(2, 10)", "1024")), FN_ARGS(2, 2), .row = row_pow },
	ONE(sqrt, NULL, "square root", "sqrt(16)", "4"),
	ONE(cbrt, NULL, "cube root", "cbrt(27)", "3"),
	{ FN_DOC("hypot", "hypot(X, Y)", "length of the diagonal: sqrt(X*X + Y*Y)"), FN_EX(EX("hypot(3, 4)", "5")), FN_ARGS(2, 2),
	  .row = row_hypot },
	ONE(exp, NULL, "e to the power of X", "exp(0)", "1"),
	ONE(expm1, NULL, "exp(X) - 1, exact near 0", "expm1(0)", "0"),
	ONE(ln, NULL, "natural logarithm", "ln(e())", "1"),
	{ FN_DOC("log", "log([BASE,] X)", "logarithm, natural without a base"), FN_EX(EX("log(2, 8)", "3"), EX("log(1)", "0")),
	  FN_ARGS(1, 2), .row = row_log },
	ONE(log10, NULL, "logarithm to base 10", "log10(1000)", "3"),
	ONE(log2, NULL, "logarithm to base 2", "log2(8)", "3"),
	ONE(log1p, NULL, "ln(1 + X), exact near 0", "log1p(0)", "0"),
	ONE(sin, NULL, "sine of an angle in radians", "sin(0)", "0"),
	ONE(cos, NULL, "cosine", "cos(0)", "1"),
	ONE(tan, NULL, "tangent", "tan(0)", "0"),
	ONE(asin, NULL, "arc sine, in radians", "asin(0)", "0"),
	ONE(acos, NULL, "arc cosine", "acos(1)", "0"),
	ONE(atan, NULL, "arc tangent", "atan(0)", "0"),
	{ FN_DOC("atan2", "atan2(Y, X)", "angle of the point (X, Y), in radians"), FN_EX(EX("atan2(0, 1)", "0")), FN_ARGS(2, 2),
	  .row = row_atan2 },
	ONE(sinh, NULL, "hyperbolic sine", "sinh(0)", "0"),
	ONE(cosh, NULL, "hyperbolic cosine", "cosh(0)", "1"),
	ONE(tanh, NULL, "hyperbolic tangent", "tanh(0)", "0"),
	ONE(asinh, NULL, "inverse hyperbolic sine", "asinh(0)", "0"),
	ONE(acosh, NULL, "inverse hyperbolic cosine", "acosh(1)", "0"),
	ONE(atanh, NULL, "inverse hyperbolic tangent", "atanh(0)", "0"),
	ONE(degrees, NULL, "radians to degrees", "degrees(pi())", "180"),
	ONE(radians, NULL, "degrees to radians", "round(radians(180), 4)", "3.1416"),
	{ FN_DOC("pi", "pi()", "3.14159..."), FN_EX(EX("round(pi(), 5)", "3.14159")), FN_ARGS(0, 0), .row = row_pi },
	{ FN_DOC("e", "e()", "2.71828..."), FN_EX(EX("round(e(), 5)", "2.71828")), FN_ARGS(0, 0), .row = row_e },
	{ FN_DOC("gcd", "gcd(A, B)", "greatest common divisor"), FN_EX(EX("gcd(12, 18)", "6")), FN_ARGS(2, 2), .row = row_gcd },
	{ FN_DOC("lcm", "lcm(A, B)", "least common multiple"), FN_EX(EX("lcm(4, 6)", "12")), FN_ARGS(2, 2), .row = row_lcm },
	ONE(factorial, NULL, "1 * 2 * ... * X", "factorial(5)", "120"),
	{ FN_DOC("binomial", "binomial(N, K)", "ways to choose K of N"), FN_EX(EX("binomial(49, 6)", "13983816")), FN_ARGS(2, 2),
	  .row = row_binomial },
	{ FN_DOC("width_bucket", "width_bucket(X, LOW, HIGH, N)",
		 "which of N buckets of equal width X is in, from 1; 0 below, N + 1 from HIGH on"),
	  FN_EX(EX("width_bucket(35, 0, 100, 10)", "4")), FN_ARGS(4, 4), .row = row_width_bucket },
	ONE(is_nan, "isnan", "not a number, as of inf - inf", "is_nan(1)", "false"),
	ONE(is_inf, "isinf", "infinite", "is_inf(1e308 * 10)", "true"),
	ONE(is_finite, NULL, "neither infinite nor nan", "is_finite(1.5)", "true"),
};

FN_FAMILY(fn_family_math);

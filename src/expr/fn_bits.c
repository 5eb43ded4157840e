/* Bits of whole numbers, and their digits in other bases. */
#define FN_GROUP "bits and bases"
#include "expr/fn_impl.h"

static bool two_ints(struct fn_call *c, const struct value *v, int64_t *a, int64_t *b)
{
	return fn_arg_int(c, &v[0], a) && fn_arg_int(c, &v[1], b);
}

static void row_and(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t a, b;

	(void)n;
	if (two_ints(c, v, &a, &b))
		*out = v_int(a & b);
}

static void row_or(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t a, b;

	(void)n;
	if (two_ints(c, v, &a, &b))
		*out = v_int(a | b);
}

static void row_xor(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t a, b;

	(void)n;
	if (two_ints(c, v, &a, &b))
		*out = v_int(a ^ b);
}

static void row_not(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t a;

	(void)n;
	if (fn_arg_int(c, v, &a))
		*out = v_int(~a);
}

/* By 64 and more nothing of the number is left; a negative count is an error. */
static bool shift_args(struct fn_call *c, const struct value *v, int64_t *a, int64_t *by)
{
	if (!two_ints(c, v, a, by))
		return false;
	return *by >= 0 || fn_fail(c, "shift by less than 0");
}

static void row_shift_left(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t a, by;

	(void)n;
	if (shift_args(c, v, &a, &by))
		*out = v_int(by > 63 ? 0 : (int64_t)((uint64_t)a << by));
}

static void row_shift_right(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t a, by;

	(void)n;
	if (shift_args(c, v, &a, &by))
		*out = v_int(a >> (by > 63 ? 63 : by));
}

static void row_bit_count(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t a;

	(void)n;
	if (fn_arg_int(c, v, &a))
		*out = v_int(__builtin_popcountll((uint64_t)a));
}

static void row_bit_get(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t a, i;

	(void)n;
	if (two_ints(c, v, &a, &i))
		*out = v_int(i < 0 || i > 63 ? 0 : a >> i & 1);
}

/* ---- bases ---- */

static void digits_out(struct fn_call *c, uint64_t x, bool minus, unsigned base, struct value *out)
{
	static const char digit[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char *end = arena_bytes(c->arena, 65) + 65, *p = end;

	do {
		*--p = digit[x % base];
		x /= base;
	} while (x);
	if (minus)
		*--p = '-';
	*out = v_str(p, (size_t)(end - p));
}

static void row_to_base(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t x, base;

	(void)n;
	if (!two_ints(c, v, &x, &base))
		return;
	if (base < 2 || base > 36)
		fn_fail(c, "the base is 2 to 36");
	else
		digits_out(c, x < 0 ? 0 - (uint64_t)x : (uint64_t)x, x < 0, (unsigned)base, out);
}

/* As C prints unsigned: the bits of a negative number in two's complement. */
static void bits_out(struct fn_call *c, const struct value *v, unsigned base, struct value *out)
{
	int64_t x;

	if (fn_arg_int(c, v, &x))
		digits_out(c, (uint64_t)x, false, base, out);
}

static void row_bin(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	bits_out(c, v, 2, out);
}

static void row_oct(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	bits_out(c, v, 8, out);
}

static unsigned digit_value(char ch)
{
	unsigned letter = ((unsigned char)ch | 32u) - 'a';

	return (unsigned)(ch - '0') < 10 ? (unsigned)(ch - '0') : letter < 26 ? letter + 10 : 36;
}

static void row_from_base(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;
	uint64_t x = 0;
	int64_t base;
	bool minus;

	(void)n;
	if (!fn_text(c, &v[0], &t) || !fn_arg_int(c, &v[1], &base))
		return;
	minus = t.n && *t.p == '-';
	if (base < 2 || base > 36) {
		fn_fail(c, "the base is 2 to 36");
		return;
	}
	for (size_t i = minus; i < t.n || i == minus; i++) {
		unsigned d = i < t.n ? digit_value(t.p[i]) : 36;

		if (d >= base || __builtin_mul_overflow(x, (uint64_t)base, &x) || __builtin_add_overflow(x, d, &x) ||
		    x > (uint64_t)INT64_MAX + minus) {
			fn_fail(c, "not a number of 64 bits in that base");
			return;
		}
	}
	*out = v_int((int64_t)(minus ? 0 - x : x));
}

#define TWO(name, syn, row_, sum, expr, result) \
	{ \
		FN_DOC(name, syn, sum), FN_EX(EX(expr, result)), FN_ARGS(2, 2), .row = row_ \
	}

static const struct fn_def defs[] = {
	TWO("bit_and", "bit_and(A, B)", row_and, "bits that both have", "bit_and(12, 10)", "8"),
	TWO("bit_or", "bit_or(A, B)", row_or, "bits that one of them has", "bit_or(12, 10)", "14"),
	TWO("bit_xor", "bit_xor(A, B)", row_xor, "bits that just one of them has", "bit_xor(12, 10)", "6"),
	{ FN_DOC("bit_not", "bit_not(A)", "all bits turned round"), FN_EX(EX("bit_not(0)", "-1")), FN_ARGS(1, 1),
	  .row = row_not },
	TWO("shift_left", "shift_left(A, N)", row_shift_left, "bits moved up by N", "shift_left(1, 10)", "1024"),
	TWO("shift_right", "shift_right(A, N)", row_shift_right, "bits moved down by N, the sign kept", "shift_right(-8, 1)",
	    "-4"),
	{ FN_DOC("bit_count", "bit_count(A)", "number of bits that are 1"), .doc.aliases = "popcount bitcount",
	  FN_EX(EX("bit_count(255)", "8")), FN_ARGS(1, 1), .row = row_bit_count },
	TWO("bit_get", "bit_get(A, I)", row_bit_get, "bit I, the lowest is 0", "bit_get(5, 2)", "1"),
	{ FN_DOC("bin", "bin(N)", "digits in base 2"), FN_EX(EX("bin(10)", "\"1010\"")), FN_ARGS(1, 1), .row = row_bin },
	{ FN_DOC("oct", "oct(N)", "digits in base 8"), FN_EX(EX("oct(8)", "\"10\"")), FN_ARGS(1, 1), .row = row_oct },
	TWO("to_base", "to_base(N, BASE)", row_to_base, "digits in base 2 to 36", "to_base(255, 16)", "\"ff\""),
	TWO("from_base", "from_base(S, BASE)", row_from_base, "number with these digits in base 2 to 36", "from_base(\"ff\", 16)",
	    "255"),
};

FN_FAMILY(fn_family_bits);

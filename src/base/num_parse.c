#include "base/num.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/num_pow.h"
#include "base/num_short.h"

#define EXP_LIMIT 1000000000000000 /* exponents beyond it only say zero or infinity */
#define SIG_MAX 19                 /* decimal digits that always fit uint64 */
#define DIGITS_MAX 770             /* no halfway point between doubles has more significant digits (767) */
#define BIG_LIMBS 72               /* room for DIGITS_MAX digits and 5^1112 */
#define DOUBLE_INF 0x7ff0000000000000ull

/* What a spelling says: m * 10^exp, where m holds the first SIG_MAX significant digits. */
struct decimal {
	const char *digits, *end; /* all digits, with at most one dot among them */
	uint64_t m;
	int64_t exp;
	int integer; /* no dot, no exponent */
	int cut;     /* m does not hold all digits */
	int more;    /* and one left out is not 0 */
};

static inline unsigned digit(char c)
{
	return (unsigned)(unsigned char)c - '0';
}

/* Digits from p on, added to *m (modulo 2^64); returns the first byte that is none. */
static inline const char *eat_digits(const char *p, const char *end, uint64_t *m)
{
	uint64_t v = *m;

	while (end - p >= 8) {
		uint64_t x = num_load64(p) ^ NUM_ZEROS;

		if (num_not_digits(x))
			break;
		v = v * 100000000 + num_join_digits(x);
		p += 8;
	}
	for (; p < end && digit(*p) < 10; p++)
		v = v * 10 + digit(*p);
	*m = v;
	return p;
}

/* The exponent's digits; returns the end, or NULL if there are none. */
static const char *eat_exponent(const char *p, const char *end, int64_t *exp)
{
	int neg = p < end && *p == '-';
	const char *first;
	int64_t v = 0;

	p += p < end && (*p == '-' || *p == '+');
	for (first = p; p < end && digit(*p) < 10; p++)
		v = v < EXP_LIMIT ? v * 10 + digit(*p) : v;
	*exp += neg ? -v : v;
	return p > first ? p : NULL;
}

/* More than SIG_MAX digits: take the first significant ones again. d->exp is that of the last digit, and becomes that of m. */
static void cut_digits(struct decimal *d)
{
	const char *p = d->digits;
	int sig = 0;
	int64_t left = 0;

	d->m = 0;
	for (; p < d->end; p++) {
		if (*p == '.')
			continue;
		if (sig < SIG_MAX) {
			d->m = d->m * 10 + digit(*p);
			sig += d->m != 0;
		} else {
			left++;
			d->more |= *p != '0';
		}
	}
	d->exp += left;
	d->cut = left > 0;
}

/* Unsigned number p..end into d; 0 if it is none. */
static int scan_decimal(const char *p, const char *end, struct decimal *d)
{
	int64_t n_digits, n_fraction = 0;

	*d = (struct decimal){ .digits = p };
	p = eat_digits(p, end, &d->m);
	n_digits = p - d->digits;
	d->integer = p == end;
	if (p < end && *p == '.') {
		const char *fraction = ++p;

		p = eat_digits(p, end, &d->m);
		n_fraction = p - fraction;
		n_digits += n_fraction;
	}
	d->end = p;
	d->exp = -n_fraction;
	if (n_digits == 0)
		return 0;
	if (p < end && (*p == 'e' || *p == 'E'))
		p = eat_exponent(p + 1, end, &d->exp);
	if (p != end)
		return 0;
	if (n_digits > SIG_MAX)
		cut_digits(d);
	return 1;
}

/* m * 10^exp as the bits of a double, correctly rounded; m != 0.
 * D. Lemire, "Number Parsing at a Gigabyte per Second", Software: Practice and Experience 51 (2021), algorithm of M. Eisel;
 * no case needs another way: N. Mushtak, D. Lemire, "Fast Number Parsing Without Fallback" (2023). */
static uint64_t round_decimal(uint64_t m, int64_t exp)
{
	unsigned __int128 x;
	uint64_t hi, lo, mant;
	int zeros = __builtin_clzll(m), top, exp2;

	if (exp < NUM_POW_MIN)
		return 0;
	if (exp > 308)
		return DOUBLE_INF;
	m <<= zeros;
	x = (unsigned __int128)m * num_pow[exp - NUM_POW_MIN][0];
	if ((x >> 64 & 0x1ff) == 0x1ff) {
		/* the low half of the power may carry into the bits that decide */
		x += (unsigned __int128)m * (num_pow[exp - NUM_POW_MIN][1] + (exp < 0)) >> 64;
	}
	hi = (uint64_t)(x >> 64);
	lo = (uint64_t)x;
	top = (int)(hi >> 63);
	mant = hi >> (top + 9);
	exp2 = (int)(217706 * exp >> 16) + 63 + top - zeros + 1023; /* 217706 / 2^16 is log2(10) */
	if (exp2 <= 0) {
		if (exp2 <= -63)
			return 0;
		mant >>= 1 - exp2;
		return (mant + (mant & 1)) >> 1; /* a carry into bit 52 makes it the least normal number */
	}
	if (lo <= 1 && exp >= -4 && exp <= 23 && (mant & 3) == 1 && mant << (top + 9) == hi)
		mant &= ~(uint64_t)1; /* exactly half way: to even */
	mant = (mant + (mant & 1)) >> 1;
	if (mant >> 53) {
		mant >>= 1;
		exp2++;
	}
	if (exp2 >= 0x7ff)
		return DOUBLE_INF;
	return (uint64_t)exp2 << 52 | (mant & 0x000fffffffffffff);
}

/* A natural number, least limb first, with room for every comparison that far_decimal makes. */
struct big {
	int n;
	uint64_t d[BIG_LIMBS];
};

static void big_mul_add(struct big *b, uint64_t mul, uint64_t add)
{
	for (int i = 0; i < b->n; i++) {
		unsigned __int128 x = (unsigned __int128)b->d[i] * mul + add;

		b->d[i] = (uint64_t)x;
		add = (uint64_t)(x >> 64);
	}
	if (add) {
		if (b->n == BIG_LIMBS)
			__builtin_trap();
		b->d[b->n++] = add;
	}
}

static void big_mul_pow5(struct big *b, int64_t e)
{
	for (; e >= 27; e -= 27)
		big_mul_add(b, 7450580596923828125, 0); /* 5^27 */
	for (; e > 0; e--)
		big_mul_add(b, 5, 0);
}

static void big_shift(struct big *b, int64_t bits)
{
	for (; bits >= 32; bits -= 32)
		big_mul_add(b, (uint64_t)1 << 32, 0);
	big_mul_add(b, (uint64_t)1 << bits, 0);
}

static int big_cmp(const struct big *a, const struct big *b)
{
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (int i = a->n; i-- > 0;)
		if (a->d[i] != b->d[i])
			return a->d[i] < b->d[i] ? -1 : 1;
	return 0;
}

/* All digits of d, up to DIGITS_MAX; what follows, if not 0, is one more digit 1. Returns the exponent of ten. */
static int64_t big_digits(struct big *b, const struct decimal *d)
{
	int64_t exp = d->exp;
	const char *p = d->digits;
	int sig = 0, rest = 0;

	b->n = 0;
	for (; p < d->end; p++) {
		if (*p == '.' || (sig == 0 && *p == '0'))
			continue;
		if (sig < DIGITS_MAX) {
			big_mul_add(b, 10, digit(*p));
			exp -= sig >= SIG_MAX;
			sig++;
		} else {
			rest |= *p != '0';
		}
	}
	if (rest) {
		big_mul_add(b, 10, 1);
		exp--;
	}
	return exp;
}

/* Compare digits * 10^exp with the point half way between the double of these bits and the next larger. */
static int cmp_half_way(const struct big *digits, int64_t exp, uint64_t bits)
{
	struct big a = *digits, b = { .n = 1 };
	int64_t e = (int64_t)(bits >> 52), exp2;

	b.d[0] = (bits & 0x000fffffffffffff) | (uint64_t)(e > 0) << 52;
	b.d[0] = 2 * b.d[0] + 1;
	exp2 = (e > 0 ? e : 1) - 1076 - exp;
	if (exp >= 0)
		big_mul_pow5(&a, exp);
	else
		big_mul_pow5(&b, -exp);
	if (exp2 >= 0)
		big_shift(&b, exp2);
	else
		big_shift(&a, -exp2);
	return big_cmp(&a, &b);
}

/* A decimal of many digits between two neighbours that both could be meant: compare exactly, starting from a near double. */
static uint64_t far_decimal(const struct decimal *d, uint64_t bits)
{
	struct big digits;
	int64_t exp = big_digits(&digits, d);
	int c;

	for (; bits < DOUBLE_INF; bits++) {
		c = cmp_half_way(&digits, exp, bits);
		if (c < 0 || (c == 0 && (bits & 1) == 0))
			break;
	}
	for (; bits > 0; bits--) {
		c = cmp_half_way(&digits, exp, bits - 1);
		if (c > 0 || (c == 0 && (bits & 1) == 0))
			break;
	}
	return bits;
}

static double decimal_double(const struct decimal *d)
{
	uint64_t bits;
	double f;

	if (d->m == 0)
		return 0;
	if (!d->cut && d->m <= (uint64_t)1 << 53 && d->exp >= -22 && d->exp <= 22) {
		/* W. Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990: both operands are exact */
		f = (double)(int64_t)d->m;
		return d->exp < 0 ? f / num_pow10[-d->exp] : f * num_pow10[d->exp];
	}
	bits = round_decimal(d->m, d->exp);
	if (d->more && bits != round_decimal(d->m + 1, d->exp))
		bits = far_decimal(d, bits);
	memcpy(&f, &bits, sizeof f);
	return f;
}

static __attribute__((noinline)) enum num_kind parse_long(const char *p, const char *end, struct num *out)
{
	struct decimal d;
	int neg;

	out->kind = NUM_NOT;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (p < end && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	neg = p < end && *p == '-';
	p += p < end && (*p == '-' || *p == '+');
	if (!scan_decimal(p, end, &d))
		return NUM_NOT;
	if (d.integer && !d.cut && d.m <= (uint64_t)INT64_MAX + (uint64_t)neg) {
		out->i = (int64_t)(neg ? -d.m : d.m);
		return out->kind = NUM_INT;
	}
	out->f = decimal_double(&d);
	if (neg)
		out->f = -out->f;
	return out->kind = NUM_FLOAT;
}

enum num_kind num_parse(const char *p, size_t n, struct num *out)
{
	return num_parse_short(p, n, out) ? out->kind : parse_long(p, p + n, out);
}

static const char *json_digits(const char *p, const char *end)
{
	while (p < end && digit(*p) < 10)
		p++;
	return p;
}

int num_is_json(const char *p, size_t n)
{
	const char *end = p + n, *q;

	p += p < end && *p == '-';
	q = json_digits(p, end);
	if (q == p || (*p == '0' && q - p > 1))
		return 0;
	p = q;
	if (p < end && *p == '.') {
		q = json_digits(p + 1, end);
		if (q == p + 1)
			return 0;
		p = q;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '-' || *p == '+');
		q = json_digits(p, end);
		if (q == p)
			return 0;
		p = q;
	}
	return p == end;
}

#include "base/num.h"

#include <string.h>

#include "base/mem.h"
#include "base/num_pow.h"

/* A positive number digits * 10^exp. */
struct shortest {
	uint64_t digits;
	int exp;
};

/* "00" to "99". */
static const char pairs[201] =
	"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
	"5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

static const uint64_t powers[20] = {
	0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
	10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
	10000000000000000000u
};

/* 1233 / 2^12 is log10(2): the bit length tells the count of digits, or one too many. */
static inline unsigned count_digits(uint64_t v)
{
	unsigned guess = (unsigned)(64 - __builtin_clzll(v | 1)) * 1233 >> 12;

	return guess + 1 - (v < powers[guess]);
}

/* The last n digits of v, ending before end. */
static inline void put_digits(uint64_t v, char *end, unsigned n)
{
	for (; n >= 2; n -= 2) {
		end -= 2;
		memcpy(end, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (n)
		end[-1] = (char)('0' + v % 10);
}

size_t num_format_uint(uint64_t v, char *out)
{
	unsigned n = count_digits(v);

	put_digits(v, out + n, n);
	return n;
}

size_t num_format_int(int64_t v, char *out)
{
	if (v >= 0)
		return num_format_uint((uint64_t)v, out);
	*out = '-';
	return 1 + num_format_uint(-(uint64_t)v, out + 1);
}

/* micro / 10^6 in plain notation. */
static inline char *put_micro(char *p, uint64_t micro)
{
	uint32_t rest = (uint32_t)(micro % 1000000);
	unsigned n = 6;

	p += num_format_uint(micro / 1000000, p);
	if (rest == 0)
		return p;
	*p++ = '.';
	if (rest % 10000 == 0) {
		rest /= 10000;
		n = 2;
	} else if (rest % 100 == 0) {
		rest /= 100;
		n = 4;
	}
	put_digits(rest, p + n, n);
	while (p[n - 1] == '0')
		n--;
	return p + n;
}

/* cp * g / 2^128, any bits lost kept as an odd last bit. */
static inline uint64_t round_to_odd(uint64_t g_hi, uint64_t g_lo, uint64_t cp)
{
	unsigned __int128 x = (unsigned __int128)g_lo * cp >> 64;

	x += (unsigned __int128)g_hi * cp;
	return (uint64_t)(x >> 64) | ((uint64_t)x > 1);
}

/* The shortest decimal in the rounding interval of c * 2^q, the nearest of several.
 * R. Giulietti, "The Schubfach way to render doubles" (2020); `uneven`: the neighbour below is only half as far. */
static struct shortest schubfach(uint64_t c, int q, int uneven)
{
	int k = (int)((q * (int64_t)1262611 - (uneven ? 524031 : 0)) >> 22); /* floor of log10(2^q), or of 3/4 of it */
	int h = q + (int)(-k * (int64_t)1741647 >> 19) + 1;                  /* floor of log2(10^-k) */
	uint64_t g_hi = num_pow[-k - NUM_POW_MIN][0];
	uint64_t g_lo = num_pow[-k - NUM_POW_MIN][1] + (-k < 0 || -k > NUM_POW_EXACT); /* rounded up */
	uint64_t odd = c & 1;
	uint64_t low = round_to_odd(g_hi, g_lo, (4 * c - 2 + (uint64_t)uneven) << h) + odd;
	uint64_t mid = round_to_odd(g_hi, g_lo, 4 * c << h);
	uint64_t high = round_to_odd(g_hi, g_lo, (4 * c + 2) << h) - odd;
	uint64_t s = mid / 4, tens = s / 10;
	int below, above;

	below = low <= 40 * tens;
	above = 40 * tens + 40 <= high;
	if (s >= 10 && below != above)
		return (struct shortest){ tens + (uint64_t)above, k + 1 };
	below = low <= 4 * s;
	above = 4 * s + 4 <= high;
	if (below == above)
		above = mid > 4 * s + 2 || (mid == 4 * s + 2 && (s & 1));
	return (struct shortest){ s + (uint64_t)above, k };
}

static struct shortest shortest_of(uint64_t bits)
{
	uint64_t mant = bits & 0x000fffffffffffff;
	int e = (int)(bits >> 52);
	struct shortest d;

	d = e ? schubfach(mant | (uint64_t)1 << 52, e - 1075, mant == 0 && e > 1) : schubfach(mant, -1074, 0);
	while (d.digits % 10 == 0) {
		d.digits /= 10;
		d.exp++;
	}
	return d;
}

static char *put_exponent(char *p, int e)
{
	*p++ = 'e';
	*p++ = e < 0 ? '-' : '+';
	return p + num_format_uint((uint64_t)(e < 0 ? -e : e), p);
}

/* Lay the digits out around the point, which stands after `point` of them. */
static char *put_shortest(char *p, const struct shortest *d)
{
	unsigned n = count_digits(d->digits);
	int point = (int)n + d->exp;

	if (point > 21 || point < -6) {
		put_digits(d->digits, p + 1 + n, n);
		p[0] = p[1];
		p[1] = '.';
		return put_exponent(n > 1 ? p + 1 + n : p + 1, point - 1);
	}
	if (point <= 0) {
		memset(p, '0', (size_t)(2 - point));
		p[1] = '.';
		p += 2 - point;
		put_digits(d->digits, p + n, n);
		return p + n;
	}
	if (d->exp >= 0) {
		put_digits(d->digits, p + n, n);
		memset(p + n, '0', (size_t)d->exp);
		return p + point;
	}
	put_digits(d->digits, p + n + 1, n);
	memmove(p, p + 1, (size_t)point);
	p[point] = '.';
	return p + n + 1;
}

static __attribute__((noinline)) size_t put_special(char *out, char *p, int nan)
{
	if (nan)
		p = out;
	memcpy(p, nan ? "nan" : "inf", 3);
	return (size_t)(p + 3 - out);
}

size_t num_format_double(double v, char *out)
{
	char *p = out;
	struct shortest d;
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	if (bits >> 63)
		*p++ = '-';
	bits &= ~((uint64_t)1 << 63);
	memcpy(&v, &bits, sizeof v);
	if (unlikely(bits >> 52 == 0x7ff))
		return put_special(out, p, bits << 12 != 0);
	if (v < 1e9) {
		/* Two decimals of at most 15 digits never share a double, so one that reads back is the shortest. */
		int64_t micro = (int64_t)(v * 1e6 + 0.5);

		if ((double)micro / 1e6 == v)
			return (size_t)(put_micro(p, (uint64_t)micro) - out);
	}
	d = shortest_of(bits);
	return (size_t)(put_shortest(p, &d) - out);
}

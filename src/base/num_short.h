/* Short numbers as text, inline for the loops that read millions of them: at most 8 bytes of digits with at most one dot behind a sign.
 * All digits at once, eight to a word; nothing else of the grammar of num_parse. */
#ifndef STRM_BASE_NUM_SHORT_H
#define STRM_BASE_NUM_SHORT_H
#include <string.h>

#include "base/num.h"

#define NUM_ZEROS 0x3030303030303030ull

static const double num_pow10[] = { 1e0,  1e1,  1e2,	1e3,  1e4,  1e5,  1e6,	1e7,  1e8,  1e9,  1e10, 1e11,
				      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static inline uint64_t num_load64(const char *p)
{
	uint64_t w;

	memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

static inline uint32_t num_load32(const char *p)
{
	uint32_t w;

	memcpy(&w, p, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap32(w);
#endif
	return w;
}

static inline uint32_t num_load16(const char *p)
{
	return (uint32_t)(unsigned char)p[0] | (uint32_t)(unsigned char)p[1] << 8;
}

/* Eight digits as bytes 0..9, the first in the lowest byte: neighbours are joined, then pairs, then fours. */
static inline uint64_t num_join_digits(uint64_t w)
{
	w = w * 10 + (w >> 8);
	w = (w & 0x000000ff000000ff) * 100 + ((w >> 16) & 0x000000ff000000ff);
	return (w & 0xffff) * 10000 + (w >> 32);
}

/* Of digits xor '0': bytes that are not 0..9 get their high bit; exact up to and including the lowest such byte. */
static inline uint64_t num_not_digits(uint64_t x)
{
	return ((x + 0x7676767676767676) | x) & 0x8080808080808080;
}

/* Sanitizers do not like reads behind an object, harmless as they are within a page. */
#if defined(__SANITIZE_ADDRESS__)
#define NUM_EXACT_READS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define NUM_EXACT_READS 1
#endif
#endif
#if !defined(NUM_EXACT_READS) && defined(__x86_64__)
#define NUM_WHOLE_LOAD(p) (((uintptr_t)(p) & 4095) <= 4096 - 8)
#else
#define NUM_WHOLE_LOAD(p) 0
#endif

/* 1 to 8 bytes with the last in the top byte and '0' below the first; what it reads beyond them is in the same page. */
static inline uint64_t num_load_short(const char *p, size_t n)
{
	unsigned shift = 64 - 8 * (unsigned)n;
	uint64_t w;

	if (n == 8)
		return num_load64(p);
	if (__builtin_expect(NUM_WHOLE_LOAD(p), 1))
		return num_load64(p) << shift | NUM_ZEROS >> 8 * n;
	if (n >= 4)
		w = (uint64_t)num_load32(p + n - 4) << 32 | (uint32_t)((uint64_t)num_load32(p) << shift);
	else
		w = ((uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[n >> 1] << 8 * (n >> 1) |
		     (uint64_t)(unsigned char)p[n - 1] << 8 * (n - 1))
		    << shift;
	return w | NUM_ZEROS >> 8 * n;
}

/* All digits of the spelling as one whole number with its sign, *decimals of them behind a dot, -1: no dot. At most 8 bytes behind the sign;
 * 0: not of that form. "-0" has lost its sign: with decimals >= 0 and *m 0 look at the first byte. */
static inline int num_scan_short(const char *p, size_t n, int64_t *m, int *decimals)
{
	size_t sign = n > 0 && (*p == '-' || *p == '+');
	int64_t neg = sign && *p == '-';
	uint64_t x, bad, at;

	p += sign;
	n -= sign;
	if (n - 1 >= 8)
		return 0;
	x = num_load_short(p, n) ^ NUM_ZEROS;
	bad = num_not_digits(x);
	*decimals = -1;
	if (bad) {
		at = bad & -bad;
		if (bad != at || n < 2)
			return 0;
		at >>= 7; /* 1 at the foot of that byte */
		if ((x & at * 0xff) != at * ('.' ^ '0'))
			return 0;
		x = (x & (at - 1)) << 8 | (x & ~(at - 1) & ~(at * 0xff));
		*decimals = __builtin_clzll(at) >> 3;
	}
	/* signs are as good as random: no branch on them */
	*m = ((int64_t)num_join_digits(x) ^ -neg) + neg;
	return 1;
}

/* As num_parse, for spellings of this form; 0 for all others, which may be numbers all the same. */
static inline int num_parse_short(const char *p, size_t n, struct num *out)
{
	int decimals;
	int64_t m;

	if (!num_scan_short(p, n, &m, &decimals))
		return 0;
	if (decimals < 0) {
		out->kind = NUM_INT;
		out->i = m;
		return 1;
	}
	out->kind = NUM_FLOAT;
	out->f = m ? (double)m / num_pow10[decimals] : *p == '-' ? -0.0 : 0.0;
	return 1;
}

#endif

/* Exact sums of doubles, and of their squares.
 *
 * After Radford M. Neal, "Fast exact summation using small and large superaccumulators" (2015, arXiv:1505.05571), the small
 * superaccumulator: a fixed-point number wide enough for every double, kept in signed 64-bit chunks of weight 2^32 that overlap,
 * so that an addition touches three chunks and carries are propagated only once in 2^30 additions. Neal's has 67 chunks; these
 * have two more so that the sums kept inline by agg/sum.h (lowest bit 2^-75) lie on chunk bounds, and a second width holds
 * squares.
 *
 * Everything here is exact until mag_double(), which rounds once, to nearest, ties to even. No locale, no rounding-mode change,
 * thread-safe. */
#ifndef STRM_AGG_SUPERACC_H
#define STRM_AGG_SUPERACC_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef unsigned __int128 superacc_u128;
typedef __int128 superacc_i128;

#define SUPERACC_LSB (-1099)	/* weight of bit 0, as a power of two, of a sum */
#define SUPERACC_CHUNKS 69	/* up to 2^1024 * 2^64 additions */
#define SUPERACC_SQ_LSB (-2198) /* of a sum of squares: twice the above */
#define SUPERACC_SQ_CHUNKS 135	/* up to 2^2048 * 2^64 additions */

struct superacc {
	uint32_t n;    /* chunks used: SUPERACC_CHUNKS or SUPERACC_SQ_CHUNKS; heap ones are allocated no longer */
	uint32_t room; /* additions left before carries must be propagated */
	int64_t chunk[SUPERACC_SQ_CHUNKS];
};

/* A signed number sign * limbs * 2^lsb, trimmed: no zero limb at either end, n == 0 is zero. */
#define MAG_MAX 152 /* squares of a sum, times two counts, extended for division */
struct mag {
	bool neg;
	bool sticky; /* something non-zero lies below the lowest limb (after a division) */
	int lsb;     /* a multiple of 32 apart from other mags of the same kind */
	uint32_t n;
	uint32_t limb[MAG_MAX];
};

/* Bytes of a heap superacc of n chunks; allocate zeroed and call superacc_init. */
size_t superacc_size(uint32_t n);
void superacc_init(struct superacc *a, uint32_t n);
/* a += (neg ? -m : m) * 2^bit, bit counted from the accumulator's lowest; m << bit must lie within the chunks. */
void superacc_add(struct superacc *a, superacc_u128 m, uint32_t bit, bool neg);
/* dst += (neg ? -src : src); the same number of chunks. src is carried (its value stays). */
void superacc_merge(struct superacc *dst, struct superacc *src, bool neg);
/* The value, with lsb given to bit 0. Carries are propagated (the value stays). */
void superacc_mag(struct superacc *a, int lsb, struct mag *m);
/* a += m; m's lsb must be that of a plus a multiple of 32, and its limbs within the chunks. */
void superacc_add_mag(struct superacc *a, const struct mag *m, int lsb);

/* Split a finite double: x = (neg ? -m : m) * 2^exp; m < 2^53; zero has m = 0. */
static inline void double_split(double x, uint64_t *m, int *exp, bool *neg)
{
	uint64_t bits;
	int e;

	memcpy(&bits, &x, 8);
	e = (int)(bits >> 52 & 0x7ff);
	*neg = bits >> 63;
	*m = (bits & 0xfffffffffffffull) | (uint64_t)(e != 0) << 52;
	*exp = (e ? e : 1) - 1075;
}

/* m = v * 2^lsb. */
void mag_set(struct mag *m, superacc_u128 v, int lsb, bool neg);
/* m *= v. The result must fit MAG_MAX limbs, here and below. */
void mag_mul(struct mag *m, uint64_t v);
/* m = a * a. */
void mag_square(struct mag *m, const struct mag *a);
/* m = |a| - |b|; |a| >= |b|, else the result is zero. */
void mag_sub(struct mag *m, const struct mag *a, const struct mag *b);
/* m /= d, d > 0, after moving the point down by `extend` limbs; what is lost sets sticky. */
void mag_div(struct mag *m, uint64_t d, uint32_t extend);
/* Nearest double, ties to even; zero is +0; infinity when out of range. */
double mag_double(const struct mag *m);
/* Exponent of the highest bit: 2^e <= |m| < 2^(e+1). m must not be zero. */
int mag_exp(const struct mag *m);
/* The integer, when it is one and fits: true. */
bool mag_int(const struct mag *m, superacc_i128 *out);
/* Bits [bit, bit + 64) of |m|, bit counted as a power of two (may be negative). */
uint64_t mag_bits(const struct mag *m, int bit);

/* Compact bytes: sign and limb count, offset of the lowest limb from `lsb`, limbs. */
void mag_save(struct buf *b, const struct mag *m, int lsb);
/* Reads what mag_save wrote, limbs within `chunks` of lsb; -1 when malformed or not trimmed. */
int mag_load(const char **p, const char *end, struct mag *m, int lsb, uint32_t chunks);

#endif

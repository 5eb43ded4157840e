/* The exact sum behind sum, avg, var and their like: independent of the order and the cut of its values.
 *
 * Integers add up in 128 bits. Floats with bits between 2^-75 and 2^26 only (prices, temperatures, seconds) are split by two
 * additions of a large constant, which round them to a multiple of 2^-24 and of 2^-75, into two integers, and these add up in
 * two 64-bit counters: no shift, no carry, no conversion (the splitting is that of Dekker 1971; checked, so exact). Every 4096
 * values the two are moved into a 128-bit integer of weight 2^-75, which also takes other floats within its range. What fits
 * neither goes to a heap superaccumulator, made when first needed. Infinities and NaN are counted. Durations and times have
 * totals of their own: kinds never mix silently. Zeroed memory is the empty sum. */
#ifndef STRM_AGG_SUM_H
#define STRM_AGG_SUM_H
#include <assert.h>
#include <float.h>
#include <math.h>

#include "agg/rows.h"
#include "agg/superacc.h"

#define SUM_FIX_LSB (-75)
#define SUM_HIGH_LSB (-24)
/* |x| < this is split into high and low. */
#define SUM_SPLIT_MAX 0x1p26
/* Values between two calls of sum_settle: 4096 parts of less than 2^51 fit 64 bits. */
#define SUM_LOOSE_MASK 4095
/* Larger exponents of the lowest bit do not go to the 128-bit part: |x| < 2^52. */
#define SUM_FIX_SHIFT_MAX 74

/* States are aligned to 8 bytes only. */
typedef superacc_u128 sum_u128 __attribute__((aligned(8)));

struct sum_rest {
	struct superacc *big;
	uint64_t n_pinf, n_ninf, n_nan, n_dur, n_time;
	sum_u128 dur, time; /* two's complement, ns */
};

struct sum {
	sum_u128 ints;	   /* two's complement: wraps without undefined behaviour on hostile saved states */
	sum_u128 fix;	   /* two's complement, weight 2^-75; never overflows: see sum_fix() */
	int64_t high, low; /* weights 2^-24 and 2^-75, not yet in fix; emptied whenever n_float passes a multiple of 4096 */
	uint64_t n_int, n_float;
	struct sum_rest *rest;
};

static_assert(FLT_EVAL_METHOD == 0, "sum_split needs arithmetic in double");

/* One value. Text that looks like a number is one; other text, booleans, lists are failures. */
void sum_put(struct agg_call *c, struct sum *s, const struct value *v);
void sum_put_double(struct agg_call *c, struct sum *s, double x);
/* A whole column. */
void sum_column(const struct agg_in *in);
/* dst += src or dst -= src. */
void sum_merge(struct agg_call *c, struct sum *dst, struct sum *src, bool neg);
void sum_save(const struct sum *s, struct buf *b);
int sum_load(struct agg_call *c, struct sum *s, const char **p, const char *end);
void sum_release(struct agg_call *c, struct sum *s);

/* The exact total of all finite numbers. */
void sum_mag(const struct sum *s, struct mag *m);
/* NaN or an infinity if the sum is not finite: true and *out. */
bool sum_special(const struct sum *s, double *out);
/* What was summed: T_NULL nothing, T_FLOAT numbers, T_DUR or T_TIME only those, T_ANY a mixture. */
enum type sum_kind(const struct sum *s);

/* A double as a multiple of 2^-75 in two's complement; false when it does not fit (zero, non-finite and subnormal included). */
AGG_INLINE bool sum_fix_of(double x, superacc_u128 *out)
{
	uint64_t bits;
	superacc_u128 m, sign;
	uint32_t shift;

	memcpy(&bits, &x, 8);
	shift = (uint32_t)(bits >> 52 & 0x7ff) - (1075 + SUM_FIX_LSB);
	if (shift > SUM_FIX_SHIFT_MAX)
		return false;
	m = (superacc_u128)((bits & 0xfffffffffffffull) | (uint64_t)1 << 52) << shift;
	sign = (superacc_u128)(superacc_i128)((int64_t)bits >> 63);
	*out = (m ^ sign) - sign;
	return true;
}

/* x = high * 2^-24 + low * 2^-75; false when it does not fit. */
AGG_INLINE bool sum_split(double x, int64_t *high, int64_t *low)
{
	const double h0 = 0x1.8p52 * 0x1p-24, l0 = 0x1.8p52 * 0x1p-75;
	double h, rest, l;
	int64_t bits, zero;

	if (unlikely(!(fabs(x) < SUM_SPLIT_MAX)))
		return false;
	h = x + h0;
	rest = x - (h - h0);
	l = rest + l0;
	memcpy(&bits, &h, 8);
	memcpy(&zero, &h0, 8);
	*high = bits - zero;
	memcpy(&bits, &l, 8);
	memcpy(&zero, &l0, 8);
	*low = bits - zero;
	return likely(l - l0 == rest);
}

/* high and low as one number of weight 2^-75. */
AGG_INLINE superacc_i128 sum_loose(int64_t high, int64_t low)
{
	return (superacc_i128)high * ((int64_t)1 << (SUM_HIGH_LSB - SUM_FIX_LSB)) + low;
}

/* acc += v as signed numbers; false (acc unchanged) on overflow. */
AGG_INLINE bool sum_fix(sum_u128 *acc, superacc_u128 v)
{
	superacc_i128 r;

	if (unlikely(__builtin_add_overflow((superacc_i128)*acc, (superacc_i128)v, &r)))
		return false;
	*acc = (superacc_u128)r;
	return true;
}

#endif

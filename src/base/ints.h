/* Loops over arrays of 64-bit integers (times, for the most part), at the levels of base/simd.h. */
#ifndef STRM_BASE_INTS_H
#define STRM_BASE_INTS_H
#include <stdint.h>

#include "base/simd.h"

struct ints_ops {
	/* The largest of v[0..n) and `least`. */
	int64_t (*max)(const int64_t *v, uint32_t n, int64_t least);
	/* How many of v[0..n), from the first on, lie in [start, start + width). */
	uint32_t (*within)(const int64_t *v, uint32_t n, int64_t start, uint64_t width);
};

const struct ints_ops *ints_ops(enum simd_level level);

#endif

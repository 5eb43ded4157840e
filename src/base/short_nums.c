#include "base/short_nums.h"

#include <stdbool.h>

static bool short_float(const uint64_t *word, uint64_t len, double *f)
{
	const char *p = (const char *)word;
	int64_t m;
	int decimals;

	if (len > 8 || !num_scan_short(p, len, &m, &decimals) || decimals < 0)
		return false;
	*f = m ? (double)m / num_pow10[decimals] : *p == '-' ? -0.0 : 0.0;
	return true;
}

static bool short_int(const uint64_t *word, uint64_t len, int64_t *v)
{
	int decimals;

	return len <= 8 && num_scan_short((const char *)word, len, v, &decimals) && decimals < 0;
}

#define SIMD_BODY "base/short_nums.inc.h"
#include "base/simd_levels.h"

#ifdef SIMD_X86
#define OPS(level) \
	{ \
		short_floats_##level, short_ints_##level \
	}
static const struct short_nums_ops all_ops[SIMD_LEVELS] = { OPS(portable), OPS(sse2), OPS(avx2), OPS(avx512) };
#else
#define OPS \
	{ \
		short_floats_portable, short_ints_portable \
	}
static const struct short_nums_ops all_ops[SIMD_LEVELS] = { OPS, OPS, OPS, OPS };
#endif

const struct short_nums_ops *short_nums_ops(enum simd_level level) { return &all_ops[level]; }

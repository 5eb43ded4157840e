#include "base/ints.h"

#include <stdbool.h>

#define SIMD_BODY "base/ints.inc.h"
#include "base/simd_levels.h"

#ifdef SIMD_X86
#define OPS(level) \
	{ \
		ints_max_##level, ints_within_##level \
	}
static const struct ints_ops all_ops[SIMD_LEVELS] = { OPS(portable), OPS(sse2), OPS(avx2), OPS(avx512) };
#else
#define OPS \
	{ \
		ints_max_portable, ints_within_portable \
	}
static const struct ints_ops all_ops[SIMD_LEVELS] = { OPS, OPS, OPS, OPS };
#endif

const struct ints_ops *ints_ops(enum simd_level level) { return &all_ops[level]; }

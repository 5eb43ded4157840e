#include "base/simd.h"

#include <stdlib.h>
#include <string.h>

static enum simd_level detect(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2") &&
	    __builtin_cpu_supports("pclmul"))
		return SIMD_AVX512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
	    __builtin_cpu_supports("pclmul"))
		return SIMD_AVX2;
	return SIMD_SSE2;
#else
	return SIMD_PORTABLE;
#endif
}

enum simd_level simd_level(void)
{
	static int cached = -1;
	static const char *const names[SIMD_LEVELS] = { "portable", "sse2", "avx2", "avx512" };
	int level = __atomic_load_n(&cached, __ATOMIC_RELAXED);
	const char *want;

	if (level >= 0)
		return (enum simd_level)level;
	level = (int)detect();
	want = getenv("STRM_TEST_SIMD");
	for (int i = 0; want && i < level; i++)
		if (!strcmp(want, names[i]))
			level = i;
	__atomic_store_n(&cached, level, __ATOMIC_RELAXED);
	return (enum simd_level)level;
}

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "state/bytes.h"

uint64_t sum64(const char *p, size_t n, uint64_t seed) { return XXH3_64bits_withSeed(p, n, seed); }

struct sum128 sum128(const char *p, size_t n)
{
	XXH128_hash_t h = XXH3_128bits(p, n);

	return (struct sum128){ h.high64, h.low64 };
}

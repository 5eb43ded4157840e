/* The one hash of bytes: keys, names, sketches. Short texts go through two folded multiplications of a 16-byte load, long
 * ones through XXH3 (inlined from Debian's xxhash header). Not seeded: the same bytes hash the same in every run. */
#ifndef STRM_DATA_HASH_H
#define STRM_DATA_HASH_H
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

/* An address sanitizer does not like reads behind an object, harmless as they are. */
#if defined(__SANITIZE_ADDRESS__)
#define HASH_EXACT_READS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define HASH_EXACT_READS 1
#endif
#endif

struct key16 {
	uint64_t a, b;
};

/* The first min(n, 16) bytes, zero behind them. Loads 16 bytes where that cannot cross into an unmapped page. */
static inline __attribute__((always_inline)) struct key16 key16_load(const char *p, size_t n)
{
	struct key16 k = { 0, 0 };

	if (__builtin_expect(!n, 0))
		return k; /* p may be anything */
#if defined(__x86_64__) && !defined(HASH_EXACT_READS)
	static const uint8_t mask[32] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };

	if (__builtin_expect(((uintptr_t)p & 4095) <= 4096 - 16, 1)) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);

		if (n < 16)
			v = _mm_and_si128(v, _mm_loadu_si128((const __m128i *)(const void *)(mask + 16 - n)));
		k.a = (uint64_t)_mm_cvtsi128_si64(v);
		k.b = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(v, v));
		return k;
	}
#endif
	memcpy(&k, p, n < 16 ? n : 16);
	return k;
}

static inline uint64_t hash_mum(uint64_t a, uint64_t b)
{
	__uint128_t r = (__uint128_t)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static inline uint64_t hash_key16(struct key16 k, size_t n)
{
	return hash_mum(k.a ^ 0xa0761d6478bd642full, k.b ^ 0xe7037ed1a0b428dbull ^ n);
}

uint64_t hash_long(const char *p, size_t n);

static inline uint64_t hash_bytes(const char *p, size_t n)
{
	if (n > 16)
		return hash_long(p, n);
	return hash_key16(key16_load(p, n), n);
}

#endif

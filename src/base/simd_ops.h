/* The byte-class masks of one level (base/simd.h); included by base/simd_levels.h only, once per level. */

static inline __attribute__((unused)) unsigned SIMD(first)(uint64_t m)
{
	return (unsigned)__builtin_ctzll(m);
}

static inline __attribute__((unused)) unsigned SIMD(count)(uint64_t m)
{
	return (unsigned)__builtin_popcountll(m);
}

#if SIMD_LEVEL == 0

/* Bit 7 of each byte of v -> 8 bits. */
static inline __attribute__((unused)) uint64_t SIMD(gather8)(uint64_t v)
{
	return ((v & 0x8080808080808080ull) >> 7) * 0x0102040810204080ull >> 56;
}

static inline __attribute__((unused)) uint64_t SIMD(load8)(const char *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* Exact zero-byte test: bit 7 of each byte that is zero. */
static inline __attribute__((unused)) uint64_t SIMD(zero8)(uint64_t v)
{
	uint64_t low = 0x7f7f7f7f7f7f7f7full;

	return ~(((v & low) + low) | v | low);
}

static inline __attribute__((unused)) uint64_t SIMD(eq)(const char *p, char c)
{
	uint64_t m = 0, pat = 0x0101010101010101ull * (uint8_t)c;

	for (int i = 0; i < 8; i++)
		m |= SIMD(gather8)(SIMD(zero8)(SIMD(load8)(p + 8 * i) ^ pat)) << (8 * i);
	return m;
}

static inline __attribute__((unused)) uint64_t SIMD(below)(const char *p, uint8_t c)
{
	uint64_t m = 0;

	for (int i = 0; i < 64; i++)
		m |= (uint64_t)((uint8_t)p[i] < c) << i;
	return m;
}

static inline __attribute__((unused)) uint64_t SIMD(high)(const char *p)
{
	uint64_t m = 0;

	for (int i = 0; i < 8; i++)
		m |= SIMD(gather8)(SIMD(load8)(p + 8 * i)) << (8 * i);
	return m;
}

static inline __attribute__((unused)) uint64_t SIMD(space)(const char *p)
{
	uint64_t m = 0;

	for (int i = 0; i < 64; i++)
		m |= (uint64_t)(p[i] == ' ' || (uint8_t)(p[i] - 9) < 5) << i;
	return m;
}

#elif SIMD_LEVEL == 1

#define SIMD_EACH16(expr)                                                                                        \
	uint64_t m = 0;                                                                                          \
	for (int i = 0; i < 4; i++) {                                                                            \
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));                        \
		m |= (uint64_t)(uint32_t)_mm_movemask_epi8(expr) << (16 * i);                                    \
	}                                                                                                        \
	return m

static inline __attribute__((unused)) uint64_t SIMD(eq)(const char *p, char c)
{
	SIMD_EACH16(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)));
}

/* c must be > 0. */
static inline __attribute__((unused)) uint64_t SIMD(below)(const char *p, uint8_t c)
{
	SIMD_EACH16(_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8((char)(c - 1))), v));
}

static inline __attribute__((unused)) uint64_t SIMD(high)(const char *p)
{
	SIMD_EACH16(v);
}

static inline __attribute__((unused)) uint64_t SIMD(space)(const char *p)
{
	SIMD_EACH16(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')),
				 _mm_cmpeq_epi8(_mm_min_epu8(_mm_sub_epi8(v, _mm_set1_epi8(9)), _mm_set1_epi8(4)),
						_mm_sub_epi8(v, _mm_set1_epi8(9)))));
}
#undef SIMD_EACH16

#elif SIMD_LEVEL == 2

#define SIMD_EACH32(expr)                                                                                        \
	uint64_t m = 0;                                                                                          \
	for (int i = 0; i < 2; i++) {                                                                            \
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * i));                     \
		m |= (uint64_t)(uint32_t)_mm256_movemask_epi8(expr) << (32 * i);                                 \
	}                                                                                                        \
	return m

static inline __attribute__((unused)) uint64_t SIMD(eq)(const char *p, char c)
{
	SIMD_EACH32(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(c)));
}

/* c must be > 0. */
static inline __attribute__((unused)) uint64_t SIMD(below)(const char *p, uint8_t c)
{
	SIMD_EACH32(_mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8((char)(c - 1))), v));
}

static inline __attribute__((unused)) uint64_t SIMD(high)(const char *p)
{
	SIMD_EACH32(v);
}

static inline __attribute__((unused)) uint64_t SIMD(space)(const char *p)
{
	SIMD_EACH32(_mm256_or_si256(
		_mm256_cmpeq_epi8(v, _mm256_set1_epi8(' ')),
		_mm256_cmpeq_epi8(_mm256_min_epu8(_mm256_sub_epi8(v, _mm256_set1_epi8(9)), _mm256_set1_epi8(4)),
				  _mm256_sub_epi8(v, _mm256_set1_epi8(9)))));
}
#undef SIMD_EACH32

#else

static inline __attribute__((unused)) uint64_t SIMD(eq)(const char *p, char c)
{
	return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8(c));
}

static inline __attribute__((unused)) uint64_t SIMD(below)(const char *p, uint8_t c)
{
	return _mm512_cmplt_epu8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8((char)c));
}

static inline __attribute__((unused)) uint64_t SIMD(high)(const char *p)
{
	return _mm512_movepi8_mask(_mm512_loadu_si512(p));
}

static inline __attribute__((unused)) uint64_t SIMD(space)(const char *p)
{
	__m512i v = _mm512_loadu_si512(p);

	return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(' ')) |
	       _mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8(9)), _mm512_set1_epi8(5));
}

#endif

#if SIMD_LEVEL >= 2
static inline __attribute__((unused)) uint64_t SIMD(prefix_xor)(uint64_t m)
{
	return (uint64_t)_mm_cvtsi128_si64(
		_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)m), _mm_set1_epi8((char)0xff), 0));
}
#else
static inline __attribute__((unused)) uint64_t SIMD(prefix_xor)(uint64_t m)
{
	for (int i = 1; i < 64; i <<= 1)
		m ^= m << i;
	return m;
}
#endif

#if SIMD_LEVEL == 3
static inline __attribute__((unused)) uint32_t *SIMD(index)(uint32_t *out, uint32_t base, uint64_t m)
{
	static const uint8_t at[64] __attribute__((aligned(64))) = {
		0,  1,	2,  3,	4,  5,	6,  7,	8,  9,	10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
		22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
		44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
	};
	__m512i v = _mm512_maskz_compress_epi8(m, _mm512_load_si512(at)), b = _mm512_set1_epi32((int)base);
	unsigned n = SIMD(count)(m);

	_mm512_storeu_si512(out, _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_castsi512_si128(v)), b));
	if (__builtin_expect(n > 16, 0)) {
		_mm512_storeu_si512(out + 16, _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(v, 1)), b));
		_mm512_storeu_si512(out + 32, _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(v, 2)), b));
		_mm512_storeu_si512(out + 48, _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(v, 3)), b));
	}
	return out + n;
}
#else
static inline __attribute__((unused)) uint32_t *SIMD(index)(uint32_t *out, uint32_t base, uint64_t m)
{
	while (m) {
		*out++ = base + SIMD(first)(m);
		m &= m - 1;
	}
	return out;
}
#endif

/* One level of base/short_nums.h. */

#if SIMD_LEVEL >= 2
#if SIMD_LEVEL == 2
#define NUMS_LANES 4
#define NUMS_ANY(v) (!_mm256_testz_si256((__m256i)(v), (__m256i)(v)))
#define NUMS_SUM_BYTES(v) ((SIMD(num_words))_mm256_sad_epu8((__m256i)(v), _mm256_setzero_si256()))
#define NUMS_TENS(v) ((SIMD(num_words))_mm256_maddubs_epi16((__m256i)(v), _mm256_set1_epi16(0x010a)))
#define NUMS_HUNDREDS(v) ((SIMD(num_words))_mm256_madd_epi16((__m256i)(v), _mm256_set1_epi32(0x00010064)))
#define NUMS_TEN_THOUSANDS(v) ((SIMD(num_words))_mm256_mul_epu32((__m256i)(v), _mm256_set1_epi32(10000)))
#else
#define NUMS_LANES 8
#define NUMS_ANY(v) (_mm512_test_epi64_mask((__m512i)(v), (__m512i)(v)) != 0)
#define NUMS_SUM_BYTES(v) ((SIMD(num_words))_mm512_sad_epu8((__m512i)(v), _mm512_setzero_si512()))
#define NUMS_TENS(v) ((SIMD(num_words))_mm512_maddubs_epi16((__m512i)(v), _mm512_set1_epi16(0x010a)))
#define NUMS_HUNDREDS(v) ((SIMD(num_words))_mm512_madd_epi16((__m512i)(v), _mm512_set1_epi32(0x00010064)))
#define NUMS_TEN_THOUSANDS(v) ((SIMD(num_words))_mm512_mul_epu32((__m512i)(v), _mm512_set1_epi32(10000)))
#endif
#define NUMS_ALL(k) ((k) - (SIMD(num_words)){ 0 })

typedef uint64_t SIMD(num_words) __attribute__((vector_size(NUMS_LANES * 8)));
typedef double SIMD(num_floats) __attribute__((vector_size(NUMS_LANES * 8)));

struct SIMD(nums) {
	SIMD(num_words) amount; /* all digits as one whole number */
	SIMD(num_words) behind; /* digits behind the dot, as 7 - that many; 8: no dot */
	SIMD(num_words) negative; /* all bits or none */
	SIMD(num_words) wrong; /* not 0: not of the form */
};

/* Eight digits as bytes 0..9, the first in the lowest byte: neighbours are joined, then pairs, then fours. */
static inline SIMD(num_words) SIMD(nums_join)(SIMD(num_words) digits)
{
	SIMD(num_words) fours = NUMS_HUNDREDS(NUMS_TENS(digits));

	return NUMS_TEN_THOUSANDS(fours) + (fours >> 32);
}

/* As num_scan_short, lane by lane. */
static inline struct SIMD(nums) SIMD(nums_read)(SIMD(num_words) word, SIMD(num_words) len)
{
	SIMD(num_words) first = word & 0xff, negative = (SIMD(num_words))(first == '-'),
			sign = negative | (SIMD(num_words))(first == '+'), x = (word ^ NUM_ZEROS) & ~(sign & 0xff), bad, lowest, foot, dot, below;
	struct SIMD(nums) out = { .negative = negative };

	x <<= (64 - 8 * len) & 63;
	bad = ((x + 0x7676767676767676) | x) & 0x8080808080808080;
	lowest = bad & -bad;
	foot = lowest >> 7; /* 1 at the foot of the byte of the dot */
	dot = (foot << 8) - foot;
	below = foot - 1;
	out.wrong = (SIMD(num_words))(len - 1 > 7) | (bad ^ lowest) | ((x & dot) ^ ((foot << 5) - (foot << 1)));
	/* `sign` takes 1 off */
	out.wrong |= (SIMD(num_words))(len + sign < 1 + ((SIMD(num_words))(foot != 0) & 1));
	out.behind = NUMS_SUM_BYTES(below & NUMS_ALL(0x0101010101010101ull));
	out.amount = SIMD(nums_join)((x & below) << ((SIMD(num_words))(foot != 0) & 8) | (x & ~below & ~dot));
	return out;
}

static inline SIMD(num_floats) SIMD(nums_divisors)(SIMD(num_words) behind)
{
	static const double divisor[] = { 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1e0 };
#if SIMD_LEVEL == 2
	return (SIMD(num_floats))_mm256_i64gather_pd(divisor, (__m256i)(behind & 7), 8);
#else
	return (SIMD(num_floats))_mm512_permutexvar_pd((__m512i)behind, _mm512_loadu_pd(divisor));
#endif
}

static inline uint32_t SIMD(floats_many)(const uint64_t *word, const uint64_t *len, uint32_t n, double *f)
{
	const SIMD(num_words) two_52 = NUMS_ALL(0x4330000000000000ull);
	uint32_t i = 0;

	for (; i + NUMS_LANES <= n; i += NUMS_LANES) {
		SIMD(num_words) w, l;
		SIMD(num_floats) v;
		struct SIMD(nums) x;

		memcpy(&w, word + i, sizeof w);
		memcpy(&l, len + i, sizeof l);
		x = SIMD(nums_read)(w, l);
		x.wrong |= x.behind & 8;
		if (NUMS_ANY(x.wrong))
			break;
		/* below 2^52 a whole number is the low bits of 2^52 and itself */
		v = ((SIMD(num_floats))(x.amount | two_52) - (SIMD(num_floats))two_52) / SIMD(nums_divisors)(x.behind);
		w = (SIMD(num_words))v | (x.negative & 0x8000000000000000ull);
		memcpy(f + i, &w, sizeof w);
	}
	return i;
}

static inline uint32_t SIMD(ints_many)(const uint64_t *word, const uint64_t *len, uint32_t n, int64_t *v)
{
	uint32_t i = 0;

	for (; i + NUMS_LANES <= n; i += NUMS_LANES) {
		SIMD(num_words) w, l;
		struct SIMD(nums) x;

		memcpy(&w, word + i, sizeof w);
		memcpy(&l, len + i, sizeof l);
		x = SIMD(nums_read)(w, l);
		x.wrong |= x.behind ^ 8;
		if (NUMS_ANY(x.wrong))
			break;
		w = (x.amount ^ x.negative) - x.negative;
		memcpy(v + i, &w, sizeof w);
	}
	return i;
}
#undef NUMS_LANES
#undef NUMS_ANY
#undef NUMS_SUM_BYTES
#undef NUMS_TENS
#undef NUMS_HUNDREDS
#undef NUMS_TEN_THOUSANDS
#undef NUMS_ALL
#else
static inline uint32_t SIMD(floats_many)(const uint64_t *word, const uint64_t *len, uint32_t n, double *f)
{
	(void)word;
	(void)len;
	(void)n;
	(void)f;
	return 0;
}

static inline uint32_t SIMD(ints_many)(const uint64_t *word, const uint64_t *len, uint32_t n, int64_t *v)
{
	(void)word;
	(void)len;
	(void)n;
	(void)v;
	return 0;
}
#endif

static uint32_t SIMD(short_floats)(const uint64_t *word, const uint64_t *len, uint32_t n, double *f)
{
	for (uint32_t i = SIMD(floats_many)(word, len, n, f); i < n; i++)
		if (!short_float(&word[i], len[i], &f[i]))
			return i;
	return n;
}

static uint32_t SIMD(short_ints)(const uint64_t *word, const uint64_t *len, uint32_t n, int64_t *v)
{
	for (uint32_t i = SIMD(ints_many)(word, len, n, v); i < n; i++)
		if (!short_int(&word[i], len[i], &v[i]))
			return i;
	return n;
}

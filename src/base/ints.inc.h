/* One level of base/ints.h. */

#if SIMD_LEVEL >= 2
/* 64-bit lanes of a register; is any of its bits set? */
#if SIMD_LEVEL == 2
#define INTS_LANES 4
#define INTS_ANY(v) (!_mm256_testz_si256((__m256i)(v), (__m256i)(v)))
#else
#define INTS_LANES 8
#define INTS_ANY(v) (_mm512_test_epi64_mask((__m512i)(v), (__m512i)(v)) != 0)
#endif

/* Of whole registers, how many values are looked at; *max is that of them. */
static inline uint32_t SIMD(ints_max_many)(const int64_t *v, uint32_t n, int64_t *max)
{
	typedef int64_t lanes __attribute__((vector_size(INTS_LANES * 8)));
	lanes most[2] = { *max - (lanes){ 0 }, *max - (lanes){ 0 } }, at, greater;
	uint32_t i = 0;

	for (; i + 2 * INTS_LANES <= n; i += 2 * INTS_LANES)
		for (int half = 0; half < 2; half++) {
			memcpy(&at, v + i + half * INTS_LANES, sizeof at);
			greater = at > most[half];
			most[half] = (at & greater) | (most[half] & ~greater);
		}
	for (int k = 0; k < 2 * INTS_LANES; k++)
		*max = most[k / INTS_LANES][k % INTS_LANES] > *max ? most[k / INTS_LANES][k % INTS_LANES] : *max;
	return i;
}

/* How many, all of them within, before a register that has others; both bounds as if signed. */
static inline uint32_t SIMD(ints_within_many)(const int64_t *v, uint32_t n, int64_t start, uint64_t width)
{
	typedef int64_t lanes __attribute__((vector_size(INTS_LANES * 8)));
	typedef uint64_t wraps __attribute__((vector_size(INTS_LANES * 8)));
	wraps first = ((uint64_t)start ^ (uint64_t)INT64_MIN) - (wraps){ 0 }, a, b;
	lanes last = (int64_t)((width - 1) ^ (uint64_t)INT64_MIN) - (lanes){ 0 }, outside;
	uint32_t i = 0;

	for (; i + 2 * INTS_LANES <= n; i += 2 * INTS_LANES) {
		memcpy(&a, v + i, sizeof a);
		memcpy(&b, v + i + INTS_LANES, sizeof b);
		outside = ((lanes)(a - first) > last) | ((lanes)(b - first) > last);
		if (INTS_ANY(outside))
			break;
	}
	return i;
}
#undef INTS_LANES
#undef INTS_ANY
#else
#define INTS_LANES 4 /* so that a comparison does not wait for the one before it */

static inline uint32_t SIMD(ints_max_many)(const int64_t *v, uint32_t n, int64_t *max)
{
	int64_t lane[INTS_LANES] = { *max, *max, *max, *max };
	uint32_t i = 0;

	for (; i + INTS_LANES <= n; i += INTS_LANES)
		for (int k = 0; k < INTS_LANES; k++)
			lane[k] = v[i + k] > lane[k] ? v[i + k] : lane[k];
	for (int k = 0; k < INTS_LANES; k++)
		*max = lane[k] > *max ? lane[k] : *max;
	return i;
}

static inline uint32_t SIMD(ints_within_many)(const int64_t *v, uint32_t n, int64_t start, uint64_t width)
{
	uint32_t i = 0;

	for (; i + INTS_LANES <= n; i += INTS_LANES) {
		bool outside = false;

		for (int k = 0; k < INTS_LANES; k++)
			outside |= (uint64_t)v[i + k] - (uint64_t)start >= width;
		if (outside)
			break;
	}
	return i;
}
#undef INTS_LANES
#endif

static int64_t SIMD(ints_max)(const int64_t *v, uint32_t n, int64_t least)
{
	int64_t max = least;

	for (uint32_t i = SIMD(ints_max_many)(v, n, &max); i < n; i++)
		max = v[i] > max ? v[i] : max;
	return max;
}

static uint32_t SIMD(ints_within)(const int64_t *v, uint32_t n, int64_t start, uint64_t width)
{
	uint32_t i = SIMD(ints_within_many)(v, n, start, width);

	while (i < n && (uint64_t)v[i] - (uint64_t)start < width)
		i++;
	return i;
}

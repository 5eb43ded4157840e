/* One level of the cell copy of codec/text_rows.h. The needles are looked for on the way, in what was loaded: loading what was
 * just stored, in other widths, would stall. */

/* At most 15 bytes, by two overlapping moves within their bounds. */
static inline __attribute__((unused)) void SIMD(copy_short)(char *d, const char *s, size_t n)
{
	if (n >= 8) {
		memcpy(d, s, 8);
		memcpy(d + n - 8, s + n - 8, 8);
	} else if (n >= 4) {
		memcpy(d, s, 4);
		memcpy(d + n - 4, s + n - 4, 4);
	} else {
		d[0] = s[0];
		d[n / 2] = s[n / 2];
		d[n - 1] = s[n - 1];
	}
}

static inline __attribute__((unused)) unsigned SIMD(look)(const char *s, size_t n, const struct text_needles *k)
{
	unsigned found = 0;

	for (size_t i = 0; i < n; i++)
		found |= k->special[(uint8_t)s[i]] & TEXT_SPECIAL;
	return found;
}

#if SIMD_LEVEL == 3

static inline uint64_t SIMD(copy_any)(char *d, const char *s, size_t n, const struct text_needles *k)
{
	uint64_t found = 0;

	for (size_t i = 0; i < n; i += 64) {
		uint64_t valid = n - i < 64 ? ((uint64_t)1 << (n - i)) - 1 : ~(uint64_t)0;
		__m512i v = _mm512_maskz_loadu_epi8(valid, s + i);

		_mm512_storeu_si512(d + i, v);
		for (int j = 0; j < TEXT_NEEDLES; j++)
			found |= _mm512_mask_cmpeq_epi8_mask(valid, v, _mm512_set1_epi8(k->needle[j]));
	}
	return found;
}

#elif SIMD_LEVEL >= 1

static inline __m128i SIMD(copy16)(char *d, const char *s, const struct text_needles *k)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)s), found = _mm_setzero_si128();

	_mm_storeu_si128((__m128i *)(void *)d, v);
	for (int j = 0; j < TEXT_NEEDLES; j++)
		found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8(k->needle[j])));
	return found;
}

static inline uint64_t SIMD(copy_any)(char *d, const char *s, size_t n, const struct text_needles *k)
{
	__m128i found = _mm_setzero_si128();

	if (n < 16) {
		SIMD(copy_short)(d, s, n);
		return SIMD(look)(s, n, k);
	}
	for (size_t i = 0; i + 16 <= n; i += 16)
		found = _mm_or_si128(found, SIMD(copy16)(d + i, s + i, k));
	found = _mm_or_si128(found, SIMD(copy16)(d + n - 16, s + n - 16, k));
	return (uint64_t)_mm_movemask_epi8(found);
}

#else

static inline uint64_t SIMD(copy_any)(char *d, const char *s, size_t n, const struct text_needles *k)
{
	if (n < 16)
		SIMD(copy_short)(d, s, n);
	else
		memcpy(d, s, n);
	return SIMD(look)(s, n, k);
}

#endif

static uint64_t SIMD(text_copy)(char *d, const char *s, size_t n, const struct text_needles *k)
{
	return SIMD(copy_any)(d, s, n, k) | ((k->special[(uint8_t)s[0]] | k->special[(uint8_t)s[n - 1]]) & TEXT_AT_ENDS);
}

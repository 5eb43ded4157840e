/* The body of pattern_quotes for one level of base/simd.h. */

/* Bytes of block i of s[0..n) equal to c, bits past the end clear; never reads outside. */
static inline uint64_t SIMD(block)(const char *s, size_t n, size_t i, char c)
{
	char tail[64];

	if (n - i >= 64)
		return SIMD(eq)(s + i, c);
	if (n >= 64)
		return SIMD(eq)(s + n - 64, c) >> (64 - (n - i));
	memset(tail, 0, sizeof tail);
	memcpy(tail, s, n);
	return SIMD(eq)(tail, c);
}

static void SIMD(quotes)(const char *s, size_t n, unsigned max, struct pattern_marks *out)
{
	uint32_t *at = out->quote;

	out->blanks = n ? SIMD(block)(s, n, 0, ' ') : 0;
	for (size_t i = 0; i < n && at < out->quote + max; i += 64) {
		uint64_t m = SIMD(block)(s, n, i, '"'), slash = SIMD(block)(s, n, i, '\\') << 1;

		slash |= i && s[i - 1] == '\\';
		if (unlikely(m & slash))
			m = drop_escaped(s + i, m, m & slash, s);
		at = SIMD(index)(at, (uint32_t)i, m);
	}
	out->n = (unsigned)(at - out->quote);
}

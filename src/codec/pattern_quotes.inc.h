/* The body of pattern_quotes for one level of base/simd.h. */

/* Quotes of block i of s[0..n), bits past the end clear; never reads outside. */
static inline uint64_t SIMD(quote_block)(const char *s, size_t n, size_t i)
{
	char tail[64];

	if (n - i >= 64)
		return SIMD(eq)(s + i, '"');
	if (n >= 64)
		return SIMD(eq)(s + n - 64, '"') >> (64 - (n - i));
	memset(tail, 0, sizeof tail);
	memcpy(tail, s, n);
	return SIMD(eq)(tail, '"');
}

static unsigned SIMD(quotes)(const char *s, size_t n, uint32_t *at, unsigned max)
{
	unsigned k = 0;

	for (size_t i = 0; i < n; i += 64) {
		for (uint64_t m = SIMD(quote_block)(s, n, i); m; m &= m - 1) {
			size_t q = i + SIMD(first)(m);

			if (unlikely(q && s[q - 1] == '\\') && quote_escaped(s, q))
				continue;
			at[k++] = (uint32_t)q;
			if (k == max)
				return k;
		}
	}
	return k;
}

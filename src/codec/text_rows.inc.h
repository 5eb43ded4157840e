/* One level of the cell copies of codec/text_rows.h. */

/* Short cells by two overlapping moves within their bounds. */
static inline void SIMD(copy_cell)(char *d, const char *s, size_t n)
{
	if (n > 32) {
		memcpy(d, s, n);
	} else if (n >= 16) {
		memcpy(d, s, 16);
		memcpy(d + n - 16, s + n - 16, 16);
	} else if (n >= 8) {
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

static inline uint64_t SIMD(valid)(size_t n)
{
	return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
}

static uint64_t SIMD(csv_copy)(char *d, const char *s, size_t n, char delim)
{
	uint64_t bad = 0;

	SIMD(copy_cell)(d, s, n);
	for (size_t i = 0; i < n; i += 64)
		bad |= (SIMD(eq)(d + i, delim) | SIMD(eq)(d + i, '"') | SIMD(eq)(d + i, '\n') | SIMD(eq)(d + i, '\r')) &
		       SIMD(valid)(n - i);
	return bad | (d[0] == ' ') | (d[0] == '\t') | (d[n - 1] == ' ') | (d[n - 1] == '\t');
}

static uint64_t SIMD(tsv_copy)(char *d, const char *s, size_t n, char delim)
{
	uint64_t bad = 0;

	(void)delim;
	SIMD(copy_cell)(d, s, n);
	for (size_t i = 0; i < n; i += 64)
		bad |= (SIMD(eq)(d + i, '\t') | SIMD(eq)(d + i, '\\') | SIMD(eq)(d + i, '\n') | SIMD(eq)(d + i, '\r')) &
		       SIMD(valid)(n - i);
	return bad;
}

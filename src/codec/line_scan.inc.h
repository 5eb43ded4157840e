/* One level of the newline index (codec/line_scan.h). */

static size_t SIMD(line_index)(const char *p, size_t n, uint32_t *out, uint32_t *n_out)
{
	uint32_t *o = out, *full = out + *n_out;
	size_t i = 0;

	for (; i + 64 <= n && o < full; i += 64)
		o = SIMD(index)(o, (uint32_t)i, SIMD(eq)(p + i, '\n'));
	if (i < n && o < full) {
		size_t left = n - i < 64 ? n - i : 64;
		uint64_t m = SIMD(eq)(p + i, '\n');

		o = SIMD(index)(o, (uint32_t)i, left < 64 ? m & (((uint64_t)1 << left) - 1) : m);
		i += left;
	}
	*n_out = (uint32_t)(o - out);
	return i;
}

static size_t SIMD(line_count)(const char *p, size_t n)
{
	size_t i = 0, count = 0;

	for (; i + 64 <= n; i += 64)
		count += SIMD(count)(SIMD(eq)(p + i, '\n'));
	if (i < n)
		count += SIMD(count)(SIMD(eq)(p + i, '\n') & (((uint64_t)1 << (n - i)) - 1));
	return count;
}

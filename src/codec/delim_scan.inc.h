/* One level of codec/delim_scan.h. */

struct SIMD(csv_step) {
	uint64_t sep, nl, odd;
};

/* The masks of 64 bytes, `valid` of which count. */
static inline struct SIMD(csv_step) SIMD(csv_step)(struct delim_scan *s, const char *p, uint64_t valid)
{
	uint64_t quote = SIMD(eq)(p, '"') & valid, nl = SIMD(eq)(p, '\n') & valid, cr = SIMD(eq)(p, '\r') & valid;
	uint64_t inside = SIMD(prefix_xor)(quote) ^ s->inside;
	uint64_t open = quote & inside, close = quote & ~inside;
	uint64_t out_nl = nl & ~inside, out_cr = cr & ~inside, sep = out_nl | (SIMD(eq)(p, s->delim) & valid & ~inside);
	uint64_t may_open = (sep | close) << 1 | s->before, after_close = close << 1 | s->closed, after_cr = out_cr << 1 | s->cr;
	uint64_t odd = (open & ~may_open) | (after_close & ~(sep | open | out_cr)) | (after_cr & ~out_nl);

	s->quotes |= quote;
	s->escapes |= after_close & open;
	s->inner += SIMD(count)(nl & inside);
	s->inside = (uint64_t)((int64_t)inside >> 63);
	s->before = (sep | close) >> 63;
	s->closed = close >> 63;
	s->cr = out_cr >> 63;
	return (struct SIMD(csv_step)){ sep, out_nl, odd & valid };
}

static void SIMD(csv_scan)(struct delim_scan *s, const char *p, size_t from, size_t to)
{
	struct delim_scan c = *s;
	uint32_t *sep = c.sep + c.n_sep, *nl = c.nl + c.n_nl;

	for (; from < to; from += 64) {
		uint64_t valid = to - from < 64 ? ((uint64_t)1 << (to - from)) - 1 : ~(uint64_t)0;
		struct SIMD(csv_step) m = SIMD(csv_step)(&c, p + from, valid);

		if (__builtin_expect(m.odd != 0, 0)) {
			uint64_t good = (m.odd & -m.odd) - 1;

			m.sep &= good;
			m.nl &= good;
			c.odd = true;
		}
		sep = SIMD(index)(sep, (uint32_t)from, m.sep);
		nl = SIMD(index)(nl, (uint32_t)from, m.nl);
		if (c.odd)
			break;
	}
	c.n_sep = (uint32_t)(sep - c.sep);
	c.n_nl = (uint32_t)(nl - c.nl);
	*s = c;
}

static void SIMD(tsv_scan)(struct delim_scan *s, const char *p, size_t from, size_t to)
{
	uint32_t *sep = s->sep + s->n_sep, *nl = s->nl + s->n_nl;
	uint64_t escapes = 0;
	char delim = s->delim;

	for (; from < to; from += 64) {
		uint64_t valid = to - from < 64 ? ((uint64_t)1 << (to - from)) - 1 : ~(uint64_t)0;
		uint64_t n = SIMD(eq)(p + from, '\n') & valid;

		sep = SIMD(index)(sep, (uint32_t)from, n | (SIMD(eq)(p + from, delim) & valid));
		nl = SIMD(index)(nl, (uint32_t)from, n);
		escapes |= SIMD(eq)(p + from, '\\') & valid;
	}
	s->escapes |= escapes;
	s->n_sep = (uint32_t)(sep - s->sep);
	s->n_nl = (uint32_t)(nl - s->nl);
}

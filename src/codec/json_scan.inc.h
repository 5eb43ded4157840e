/* One SIMD level of json_scan.c; included by base/simd_levels.h only. */

#if SIMD_LEVEL == 3

static inline void SIMD(json_classify)(const char *p, struct json_masks *m)
{
	const __m512i spaces = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)json_spaces));
	const __m512i marks = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)json_marks));
	__m512i v = _mm512_loadu_si512(p);

	m->quote = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"'));
	m->backslash = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));
	m->newline = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n'));
	m->control = _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20));
	m->high = _mm512_movepi8_mask(v);
	m->space = _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(spaces, v), v);
	m->mark = _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(marks, v), _mm512_or_si512(v, _mm512_set1_epi8(0x20)));
}

static inline bool SIMD(json_utf8_bad)(const char *p)
{
	const __m512i one = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)utf8_first_high));
	const __m512i two = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)utf8_first_low));
	const __m512i three = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)utf8_second_high));
	const __m512i low = _mm512_set1_epi8(15);
	__m512i v = _mm512_loadu_si512(p), v1 = _mm512_loadu_si512(p - 1);
	__m512i far = _mm512_or_si512(_mm512_subs_epu8(_mm512_loadu_si512(p - 2), _mm512_set1_epi8(0xe0 - 0x80)),
				      _mm512_subs_epu8(_mm512_loadu_si512(p - 3), _mm512_set1_epi8((char)(0xf0 - 0x80))));
	__m512i a = _mm512_shuffle_epi8(one, _mm512_and_si512(_mm512_srli_epi16(v1, 4), low));
	__m512i b = _mm512_shuffle_epi8(two, _mm512_and_si512(v1, low));
	__m512i c = _mm512_shuffle_epi8(three, _mm512_and_si512(_mm512_srli_epi16(v, 4), low));
	__m512i bad = _mm512_and_si512(_mm512_and_si512(a, b), c);

	bad = _mm512_xor_si512(bad, _mm512_and_si512(far, _mm512_set1_epi8((char)0x80)));
	return _mm512_test_epi8_mask(bad, bad) != 0;
}

#elif SIMD_LEVEL == 2

static inline uint64_t SIMD(json_pair)(__m256i a, __m256i b)
{
	return (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

static inline void SIMD(json_classify)(const char *p, struct json_masks *m)
{
	const __m256i spaces = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)json_spaces));
	const __m256i marks = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)json_marks));
	const __m256i bit = _mm256_set1_epi8(0x20), top = _mm256_set1_epi8(0x1f);
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i w = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));

	m->quote = SIMD(eq)(p, '"');
	m->backslash = SIMD(eq)(p, '\\');
	m->newline = SIMD(eq)(p, '\n');
	m->control =
		SIMD(json_pair)(_mm256_cmpeq_epi8(_mm256_min_epu8(v, top), v), _mm256_cmpeq_epi8(_mm256_min_epu8(w, top), w));
	m->high = SIMD(json_pair)(v, w);
	m->space = SIMD(json_pair)(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(spaces, v), v),
				   _mm256_cmpeq_epi8(_mm256_shuffle_epi8(spaces, w), w));
	m->mark = SIMD(json_pair)(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(marks, v), _mm256_or_si256(v, bit)),
				  _mm256_cmpeq_epi8(_mm256_shuffle_epi8(marks, w), _mm256_or_si256(w, bit)));
}

static inline __m256i SIMD(json_utf8_half)(const char *p)
{
	const __m256i one = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)utf8_first_high));
	const __m256i two = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)utf8_first_low));
	const __m256i three = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)utf8_second_high));
	const __m256i low = _mm256_set1_epi8(15);
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i v1 = _mm256_loadu_si256((const __m256i *)(const void *)(p - 1));
	__m256i v2 = _mm256_loadu_si256((const __m256i *)(const void *)(p - 2));
	__m256i v3 = _mm256_loadu_si256((const __m256i *)(const void *)(p - 3));
	__m256i far = _mm256_or_si256(_mm256_subs_epu8(v2, _mm256_set1_epi8(0xe0 - 0x80)),
				      _mm256_subs_epu8(v3, _mm256_set1_epi8((char)(0xf0 - 0x80))));
	__m256i a = _mm256_shuffle_epi8(one, _mm256_and_si256(_mm256_srli_epi16(v1, 4), low));
	__m256i b = _mm256_shuffle_epi8(two, _mm256_and_si256(v1, low));
	__m256i c = _mm256_shuffle_epi8(three, _mm256_and_si256(_mm256_srli_epi16(v, 4), low));

	return _mm256_xor_si256(_mm256_and_si256(_mm256_and_si256(a, b), c), _mm256_and_si256(far, _mm256_set1_epi8((char)0x80)));
}

static inline bool SIMD(json_utf8_bad)(const char *p)
{
	__m256i bad = _mm256_or_si256(SIMD(json_utf8_half)(p), SIMD(json_utf8_half)(p + 32));

	return !_mm256_testz_si256(bad, bad);
}

#else

static inline void SIMD(json_classify)(const char *p, struct json_masks *m)
{
	uint64_t brackets = SIMD(eq)(p, '{') | SIMD(eq)(p, '}') | SIMD(eq)(p, '[') | SIMD(eq)(p, ']');

	m->quote = SIMD(eq)(p, '"');
	m->backslash = SIMD(eq)(p, '\\');
	m->newline = SIMD(eq)(p, '\n');
	m->control = SIMD(below)(p, 0x20);
	m->high = SIMD(high)(p);
	m->space = SIMD(eq)(p, ' ') | m->newline | SIMD(eq)(p, '\t') | SIMD(eq)(p, '\r');
	m->mark = brackets | SIMD(eq)(p, ':') | SIMD(eq)(p, ',');
}

/* The bytes of p[0..64) that continue a character begun before them are checked with their first byte, at p[-3..0); the check
 * of a character begun here may look past the 64 bytes: what is there is the rest of the text or blanks. */
static inline bool SIMD(json_utf8_bad)(const char *p)
{
	const char *end = p + 64;
	const unsigned char *u = (const unsigned char *)p;

	if (u[-1] >= 0xc0)
		p -= 1;
	else if (u[-2] >= 0xe0)
		p -= 2;
	else if (u[-3] >= 0xf0)
		p -= 3;
	while (p < end) {
		unsigned len = json_utf8_length(p);

		if (!len)
			return true;
		p += len;
	}
	return false;
}

#endif

static inline uint32_t SIMD(json_tokens)(struct json_index *ix, uint32_t n, uint32_t base, uint64_t m, const char *p)
{
	uint32_t *end = SIMD(index)(ix->at + n, base, m);

#if SIMD_LEVEL == 3
	_mm512_storeu_si512(ix->kind + n, _mm512_maskz_compress_epi8(m, _mm512_loadu_si512(p)));
	return (uint32_t)(end - ix->at);
#else
	for (uint32_t to = (uint32_t)(end - ix->at); n < to; n++)
		ix->kind[n] = p[ix->at[n] - base];
	return n;
#endif
}

static uint32_t SIMD(json_scan)(struct json_index *ix, const char *text, uint32_t n)
{
	struct json_scan s = { .low_due = UINT32_MAX };
	uint32_t base = 0, tokens = 0, lines = 0;
	uint64_t in_string = 0, in_word = 0;
	char room[4 + 64 + 4];

	for (; base < n; base += 64) {
		const char *p = text + base, *with_past = p;
		uint64_t escaped, quotes, strings, word, starts;
		struct json_masks m;

		if (base + 64 > n || !base)
			with_past = json_edge(room, text, base, n);
		p = base + 64 > n ? with_past : p;
		SIMD(json_classify)(p, &m);
		ix->newline[base >> 6] = m.newline;
		ix->backslash[base >> 6] = m.backslash;
		ix->lines[base >> 6] = lines;
		escaped = s.carry;
		if (m.backslash | escaped)
			escaped = json_escapes(&s, text, base, m.backslash);
		if ((m.high | s.high >> 61) && SIMD(json_utf8_bad)(with_past))
			s.bad = true;
		s.high = m.high;
		quotes = m.quote & ~escaped;
		strings = SIMD(prefix_xor)(quotes) ^ in_string;
		if (unlikely(s.bad || (m.control & strings)))
			break;
		lines += SIMD(count)(m.newline);
		in_string = (uint64_t)((int64_t)strings >> 63);
		/* `word` is the bytes that are neither white space nor a mark; a token starts where a run of them starts */
		word = ~(m.mark | m.space);
		starts = m.mark | quotes | (word & ~((word & ~quotes) << 1 | in_word));
		in_word = (word & ~quotes) >> 63;
		tokens = SIMD(json_tokens)(ix, tokens, base, starts & ~(strings ^ quotes), p);
	}
	ix->stopped = base < n;
	ix->end = ix->stopped ? base : n;
	ix->escapes = s.any;
	ix->lines[base >> 6] = lines;
	ix->newline[base >> 6] = ix->backslash[base >> 6] = 0;
	/* the last token of an open string is its quote: nothing within it is one */
	ix->cut = in_string ? ix->at[tokens - 1] : ix->end;
	return in_string ? tokens - 1 : tokens;
}

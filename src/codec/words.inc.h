/* One level of the word scanner (codec/words.h). */

/* Edges of words in p[0..n): starts and ends alternate, as offsets. Also counts
 * newlines and empty lines. s->in_word and s->at_start carry over from block to block. Returns the number of edges. */
static uint32_t SIMD(words_edges)(struct word_scan *s, const char *p, uint32_t n, uint32_t *edges)
{
	uint32_t *out = edges;
	uint64_t in_word = s->in_word, at_start = s->at_start;

	for (uint32_t i = 0; i < n; i += 64) {
		uint32_t rest = n - i;
		uint64_t live = rest < 64 ? ((uint64_t)1 << rest) - 1 : ~(uint64_t)0;
		uint64_t space = SIMD(space)(p + i), nl = SIMD(eq)(p + i, '\n') & live;
		uint64_t word = ~space & live, blank = space & ~nl & live;
		uint64_t starts = nl << 1 | at_start, sum;
		bool over = __builtin_add_overflow(blank, starts, &sum);

		out = SIMD(index)(out, i, (word ^ (word << 1 | in_word)) & live);
		/* a line start runs through blanks by carry; where it stops at a newline the line is empty */
		s->empty += SIMD(count)(sum & ~blank & nl);
		s->lines += SIMD(count)(nl);
		at_start = rest < 64 ? sum >> rest & 1 : over || nl >> 63;
		in_word = word >> 63;
	}
	s->in_word = in_word;
	s->at_start = at_start;
	return (uint32_t)(out - edges);
}

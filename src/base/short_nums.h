/* Many short numbers at once: texts of at most 8 bytes, digits with at most one dot behind a sign (the form of base/num_short.h), as many to a
 * register as the level of base/simd.h has room for. */
#ifndef STRM_BASE_SHORT_NUMS_H
#define STRM_BASE_SHORT_NUMS_H
#include "base/num_short.h"
#include "base/simd.h"

#define SHORT_NUMS 256 /* a good number to do at a time */

/* word[i] has the first 8 bytes of text i as they lie in memory; what is behind its len[i] bytes may be anything. */
struct short_nums_ops {
	/* How many, from the first on, have the form and a dot; their values in f, each rounded as num_parse does. */
	uint32_t (*floats)(const uint64_t *word, const uint64_t *len, uint32_t n, double *f);
	/* How many, from the first on, have the form and no dot. */
	uint32_t (*ints)(const uint64_t *word, const uint64_t *len, uint32_t n, int64_t *v);
};

const struct short_nums_ops *short_nums_ops(enum simd_level level);

/* The word of a text of n bytes; n is not 0. */
static inline uint64_t short_nums_word(const char *p, size_t n)
{
	uint64_t w = 0;

	if (__builtin_expect(NUM_WHOLE_LOAD(p), 1))
		memcpy(&w, p, 8);
	else
		memcpy(&w, p, n < 8 ? n : 8);
	return w;
}

#endif

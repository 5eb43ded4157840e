/* The first stage of the JSON fast path: where the tokens of a stretch of text are, and that its strings are well formed.
 *
 * A token is one of `{ } [ ] : ,` outside strings, the opening quote of a string, or the first byte of anything else that is
 * not white space. After a scan all strings in the index are closed, hold no control characters and only known escapes (no lone
 * surrogate), and the text up to `end` is UTF-8. Everything else is the second stage's (json_walk.h): the grammar, numbers,
 * words.
 *
 * The split into two stages and the bit tricks for strings are those of G. Langdale and D. Lemire, "Parsing gigabytes of JSON per
 * second", VLDB Journal 28 (2019); the UTF-8 check is that of J. Keiser and D. Lemire, "Validating UTF-8 in less than one
 * instruction per byte", Software: Practice and Experience 51 (2021). */
#ifndef STRM_CODEC_JSON_SCAN_H
#define STRM_CODEC_JSON_SCAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_SCAN_MAX ((size_t)1 << 31) /* longest stretch */
#define JSON_CUT '\xff'			/* kind of the tokens behind the last: the text ends here (UTF-8 has no such byte) */

struct json_index {
	const char *p;	   /* the text; MEM_SLACK bytes behind it are readable */
	uint32_t *at;	   /* offset of each token */
	char *kind;	   /* its byte; JSON_CUT behind the last one */
	uint64_t *newline; /* a bit for each byte */
	uint64_t *backslash;
	uint32_t *lines; /* newlines before each 64 bytes */
	uint32_t n;	 /* tokens */
	uint32_t end;	 /* bytes looked at */
	uint32_t cut;	 /* `end`, or where the string begins that is not closed before it; the JSON_CUT tokens are here */
	bool stopped;	 /* `end` is short of the text: something ill-formed (or \u0000) lies in the 64 bytes from there */
	bool escapes;	 /* there is a backslash in the text */
	size_t cap;	 /* bytes that fit */
};

/* Index n bytes at p, which start outside a string, with the instructions of `level` (enum simd_level). A string that is not
 * closed within them is not in the index. Returns the number of tokens. */
uint32_t json_scan(struct json_index *ix, const char *p, size_t n, unsigned level);
void json_index_release(struct json_index *ix);

/* Newlines before offset i (at most `end`). */
static inline uint32_t json_lines_before(const struct json_index *ix, uint32_t i)
{
	return ix->lines[i >> 6] + (uint32_t)__builtin_popcountll(ix->newline[i >> 6] & (((uint64_t)1 << (i & 63)) - 1));
}

/* Is there a backslash in bytes [from, to)? */
static inline bool json_escaped(const struct json_index *ix, uint32_t from, uint32_t to)
{
	uint32_t w = from >> 6, last = to >> 6;
	uint64_t head = ~(uint64_t)0 << (from & 63), tail = ((uint64_t)1 << (to & 63)) - 1;

	if (!ix->escapes)
		return false;
	if (w == last)
		return ix->backslash[w] & head & tail;
	if (ix->backslash[w] & head)
		return true;
	while (++w < last)
		if (ix->backslash[w])
			return true;
	return ix->backslash[last] & tail;
}

#endif

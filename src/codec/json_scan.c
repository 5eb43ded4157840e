#include "codec/json_scan.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/simd.h"

#define BEHIND 8 /* JSON_CUT tokens behind the last */

struct json_masks {
	uint64_t quote, backslash, newline, control, high, space, mark;
};

/* What one 64-byte step hands to the next, beside the parities. */
struct json_scan {
	uint64_t carry;	  /* bit 0: the first byte is escaped */
	uint64_t high;	  /* the last bytes >= 0x80 */
	uint32_t low_due; /* offset of the backslash that must begin a low surrogate */
	bool bad, any;
};

/* For a shuffle by the low four bits: a byte is white space if it maps to itself, a mark if it maps to itself | 0x20. The two
 * control characters that look like marks that way are refused by the walker, which sees the byte. */
static const char json_spaces[16] = { ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0 };
static const char json_marks[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0 };

/* Faults of a pair of bytes, one bit each; a pair is at fault if all three tables agree on a bit. */
enum {
	TOO_SHORT = 1, /* a first byte not followed by a continuation */
	TOO_LONG = 2,  /* ASCII followed by a continuation */
	OVERLONG_3 = 4,
	TOO_LARGE = 8,
	SURROGATE = 16,
	OVERLONG_2 = 32,
	OVERLONG_4 = 64, /* and too large, from F5 on */
	TWO_CONTS = 128, /* two continuations: allowed where a longer character says so */
	ANY = TOO_SHORT | TOO_LONG | TWO_CONTS,
	LARGE = ANY | TOO_LARGE | OVERLONG_4,
	CONT = TOO_LONG | OVERLONG_2 | TWO_CONTS,
};

static const uint8_t utf8_first_high[16] = {
	TOO_LONG,
	TOO_LONG,
	TOO_LONG,
	TOO_LONG,
	TOO_LONG,
	TOO_LONG,
	TOO_LONG,
	TOO_LONG,
	TWO_CONTS,
	TWO_CONTS,
	TWO_CONTS,
	TWO_CONTS,
	TOO_SHORT | OVERLONG_2,
	TOO_SHORT,
	TOO_SHORT | OVERLONG_3 | SURROGATE,
	TOO_SHORT | TOO_LARGE | OVERLONG_4,
};
static const uint8_t utf8_first_low[16] = {
	ANY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
	ANY | OVERLONG_2,
	ANY,
	ANY,
	ANY | TOO_LARGE,
	LARGE,
	LARGE,
	LARGE,
	LARGE,
	LARGE,
	LARGE,
	LARGE,
	LARGE,
	LARGE | SURROGATE,
	LARGE,
	LARGE,
};
static const uint8_t utf8_second_high[16] = {
	TOO_SHORT,
	TOO_SHORT,
	TOO_SHORT,
	TOO_SHORT,
	TOO_SHORT,
	TOO_SHORT,
	TOO_SHORT,
	TOO_SHORT,
	CONT | OVERLONG_3 | OVERLONG_4,
	CONT | OVERLONG_3 | TOO_LARGE,
	CONT | SURROGATE | TOO_LARGE,
	CONT | SURROGATE | TOO_LARGE,
	TOO_SHORT,
	TOO_SHORT,
	TOO_SHORT,
	TOO_SHORT,
};

/* Length of the well-formed character at p, 0 when there is none. */
static inline unsigned json_utf8_length(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	unsigned low = 0x80, high = 0xbf, len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;

	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	if (u[0] == 0xe0)
		low = 0xa0;
	else if (u[0] == 0xed)
		high = 0x9f;
	else if (u[0] == 0xf0)
		low = 0x90;
	else if (u[0] == 0xf4)
		high = 0x8f;
	if (u[1] < low || u[1] > high)
		return 0;
	for (unsigned i = 2; i < len; i++)
		if (u[i] >> 6 != 2)
			return 0;
	return len;
}

/* A copy of the 64 bytes at `base` with the bytes before them, and blanks where the text has no bytes. */
static const char *json_edge(char *room, const char *text, uint32_t base, uint32_t n)
{
	size_t past = base < 4 ? base : 4, have = n - base < 64 ? n - base : 64 + (n - base - 64 < 4 ? n - base - 64 : 4);

	memset(room, ' ', 4 + 64 + 4);
	memcpy(room + 4 - past, text + base - past, past + have);
	return room + 4;
}

static int hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)p[i], d = c - '0' < 10 ? c - '0' : (c | 32) - 'a' < 6 ? (c | 32) - 'a' + 10 : 16;

		if (d == 16)
			return -1;
		v = v << 4 | d;
	}
	return (int)v;
}

static bool escape_ok(struct json_scan *s, const char *p, uint32_t at)
{
	int u;

	if (unlikely(s->low_due == at)) {
		u = p[at + 1] == 'u' ? hex4(p + at + 2) : -1;
		s->low_due = UINT32_MAX;
		return u >= 0xdc00 && u <= 0xdfff;
	}
	switch (p[at + 1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return true;
	case 'u':
		u = hex4(p + at + 2);
		if (u >= 0xd800 && u < 0xdc00) {
			s->low_due = at + 6;
			return p[at + 6] == '\\';
		}
		return u > 0 && (u < 0xd800 || u > 0xdfff);
	default:
		return false;
	}
}

/* The escaped bytes of the 64 at `base`. */
static uint64_t json_escapes(struct json_scan *s, const char *p, uint32_t base, uint64_t backslash)
{
	uint64_t escaped = s->carry, left = backslash & ~s->carry;

	s->any |= backslash != 0;
	s->carry = 0;
	while (left) {
		uint64_t bit = left & -left;

		if (!escape_ok(s, p, base + (uint32_t)__builtin_ctzll(left)))
			s->bad = true;
		escaped |= bit << 1;
		s->carry = bit >> 63;
		left &= ~(bit | bit << 1);
	}
	return escaped;
}

#define SIMD_BODY "codec/json_scan.inc.h"
#include "base/simd_levels.h"

typedef uint32_t json_scan_fn(struct json_index *ix, const char *p, uint32_t n);
static json_scan_fn *const scan[SIMD_LEVELS] = SIMD_TABLE(json_scan);

void json_index_release(struct json_index *ix)
{
	free(ix->at);
	free(ix->kind);
	free(ix->newline);
	free(ix->backslash);
	free(ix->lines);
	*ix = (struct json_index){ 0 };
}

static void index_grow(struct json_index *ix, size_t n)
{
	size_t tokens = n + 64 + BEHIND, words = n / 64 + 2;

	json_index_release(ix);
	ix->cap = n;
	ix->at = xmalloc(tokens * sizeof *ix->at);
	ix->kind = xmalloc(tokens);
	ix->newline = xmalloc(words * 8);
	ix->backslash = xmalloc(words * 8);
	ix->lines = xmalloc(words * 4);
}

uint32_t json_scan(struct json_index *ix, const char *p, size_t n, unsigned level)
{
	if (n > ix->cap)
		index_grow(ix, n);
	ix->p = p;
	ix->n = scan[level](ix, p, (uint32_t)n);
	for (uint32_t i = 0; i < BEHIND; i++) {
		ix->at[ix->n + i] = ix->cut;
		ix->kind[ix->n + i] = JSON_CUT;
	}
	return ix->n;
}

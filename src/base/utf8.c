#include "base/utf8.h"

#include "base/mem.h"

#define HIGH_BITS 0x8080808080808080ull

/* Bytes of ASCII at the front, in steps of 8: a lower bound, but exact enough to leave less than 8. */
static inline size_t ascii_run(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= 32; i += 32) {
		uint64_t w[4];

		memcpy(w, p + i, 32);
		if ((w[0] | w[1] | w[2] | w[3]) & HIGH_BITS)
			break;
	}
	for (; n - i >= 8; i += 8) {
		uint64_t w;

		memcpy(&w, p + i, 8);
		if (w & HIGH_BITS)
			break;
	}
	return i;
}

static inline unsigned byte(const char *p)
{
	return (unsigned char)*p;
}

static inline int follows(const char *p)
{
	return (byte(p) & 0xc0) == 0x80;
}

/* Length of the well-formed character at p, 0 if there is none (RFC 3629, the table of section 4). */
static inline unsigned char_length(const char *p, size_t n)
{
	unsigned c = byte(p), second;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4 || n < 2 || !follows(p + 1))
		return 0;
	if (c < 0xe0)
		return 2;
	second = byte(p + 1);
	if (n < 3 || !follows(p + 2))
		return 0;
	if (c < 0xf0)
		return (c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) ? 0 : 3;
	if (n < 4 || !follows(p + 3))
		return 0;
	return (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f) ? 0 : 4;
}

int utf8_valid(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		unsigned len;

		i += ascii_run(p + i, n - i);
		/* a word with some other byte in it, or the tail */
		for (int k = 0; k < 8 && i < n; k++, i += len) {
			len = char_length(p + i, n - i);
			if (len == 0)
				return 0;
		}
	}
	return 1;
}

unsigned utf8_decode(const char *p, size_t n, uint32_t *cp)
{
	unsigned c = byte(p), len = char_length(p, n);

	switch (len) {
	case 0:
		*cp = 0xdc00 + c;
		return 1;
	case 1:
		*cp = c;
		break;
	case 2:
		*cp = (c & 0x1f) << 6 | (byte(p + 1) & 0x3f);
		break;
	case 3:
		*cp = (c & 0x0f) << 12 | (byte(p + 1) & 0x3f) << 6 | (byte(p + 2) & 0x3f);
		break;
	default:
		*cp = (c & 0x07) << 18 | (byte(p + 1) & 0x3f) << 12 | (byte(p + 2) & 0x3f) << 6 | (byte(p + 3) & 0x3f);
	}
	return len;
}

unsigned utf8_put(uint32_t cp, char *out)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp >= 0xdc80 && cp <= 0xdcff) {
		out[0] = (char)(cp - 0xdc00);
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = 0xfffd;
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

static inline unsigned step(const char *p, size_t n)
{
	unsigned len = char_length(p, n);

	return len + (len == 0);
}

size_t utf8_length(const char *p, size_t n)
{
	size_t i = 0, chars = 0;

	while (i < n) {
		size_t run = ascii_run(p + i, n - i);

		i += run;
		chars += run;
		for (int k = 0; k < 8 && i < n; k++, chars++)
			i += step(p + i, n - i);
	}
	return chars;
}

size_t utf8_offset(const char *p, size_t n, size_t k)
{
	size_t i = 0;

	while (i < n && k > 0) {
		size_t room = n - i < k ? n - i : k, run = ascii_run(p + i, room);

		i += run;
		k -= run;
		for (int j = 0; j < 8 && i < n && k > 0; j++, k--)
			i += step(p + i, n - i);
	}
	return i;
}

size_t utf8_width(const char *p, size_t n)
{
	size_t i = 0, columns = 0;
	uint32_t cp;

	while (i < n) {
		i += utf8_decode(p + i, n - i, &cp);
		columns += likely(cp - 0x20 < 0x5f) ? 1 : utf8_char_width(cp);
	}
	return columns;
}

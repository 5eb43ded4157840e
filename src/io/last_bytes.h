/* The last bytes that were taken of a file, to know it again by. */
#ifndef STRM_IO_LAST_BYTES_H
#define STRM_IO_LAST_BYTES_H
#include <stdint.h>
#include <string.h>

#define LAST_BYTES 256

struct last_bytes {
	uint32_t n;
	char at[LAST_BYTES]; /* the newest at n - 1 */
};

/* The next n bytes were taken. */
static inline void last_bytes_took(struct last_bytes *l, const char *p, size_t n)
{
	size_t keep;

	if (n >= LAST_BYTES) {
		memcpy(l->at, p + n - LAST_BYTES, LAST_BYTES);
		l->n = LAST_BYTES;
		return;
	}
	keep = l->n < LAST_BYTES - n ? l->n : LAST_BYTES - n;
	memmove(l->at, l->at + l->n - keep, keep);
	memcpy(l->at + keep, p, n);
	l->n = (uint32_t)(keep + n);
}

#endif

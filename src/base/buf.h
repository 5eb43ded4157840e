/* A growable byte buffer. Zeroed memory is a valid empty buffer; the owner calls buf_release. */
#ifndef STRM_BASE_BUF_H
#define STRM_BASE_BUF_H
#include "base/mem.h"

struct buf {
	char *p;
	size_t n, cap;
};

void buf_grow(struct buf *b, size_t more);
void buf_release(struct buf *b);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* NUL behind the contents (not counted) and the contents as a C string. */
const char *buf_cstr(struct buf *b);

/* Room for n more bytes; the returned pointer is where they go, buf_took() says how many were used. */
static inline char *buf_room(struct buf *b, size_t n)
{
	if (unlikely(b->cap - b->n < n))
		buf_grow(b, n);
	return b->p + b->n;
}

static inline void buf_took(struct buf *b, size_t n)
{
	b->n += n;
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	char *d = buf_room(b, n);

	if (n)
		memcpy(d, p, n);
	b->n += n;
}

static inline void buf_char(struct buf *b, char c)
{
	*buf_room(b, 1) = c;
	b->n++;
}

static inline void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

#endif

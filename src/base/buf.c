#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_grow(struct buf *b, size_t more)
{
	b->p = xgrow(b->p, &b->cap, b->n + more, 1);
}

void buf_release(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, aq;
	int n;

	va_start(ap, fmt);
	va_copy(aq, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	vsnprintf(buf_room(b, (size_t)n + 1), (size_t)n + 1, fmt, aq);
	va_end(aq);
	b->n += (size_t)n;
}

const char *buf_cstr(struct buf *b)
{
	*buf_room(b, 1) = 0;
	return b->p;
}

#include "io/live.h"

#include <stdarg.h>
#include <stdio.h>

#define WAIT_FIRST_MS 100U
#define WAIT_MAX_MS 10000U

void live_note(const struct intake *to, const char *fmt, ...)
{
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	to->note(to->ctx, text);
}

void live_fail(const struct intake *to, const char *fmt, ...)
{
	struct err e = { .kind = ERR_IO };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.msg, sizeof e.msg, fmt, ap);
	va_end(ap);
	to->end(to->ctx, &e);
}

unsigned live_backoff(unsigned tries)
{
	unsigned ms = WAIT_FIRST_MS;

	while (tries-- > 1 && ms < WAIT_MAX_MS)
		ms *= 2;
	return ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS;
}

int live_put(const struct intake *to, void *const *stream, const char *p, size_t n)
{
	int verdict = 0;

	while (n && *stream) {
		size_t room;
		char *d = to->room(*stream, &room);
		int r;

		if (room > n)
			room = n;
		memcpy(d, p, room);
		r = to->filled(*stream, room);
		if (r < 0)
			return -1;
		verdict |= r;
		p += room;
		n -= room;
	}
	return verdict;
}

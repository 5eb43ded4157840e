/* Marks: lines that end a micro-batch, in the data. A form feed, alone or followed only by key=value words. */
#ifndef STRM_IO_MARKS_H
#define STRM_IO_MARKS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* `watermark=inf`: no record comes any more. */
#define MARK_INF INT64_MAX
/* Named watermarks of one mark. */
#define MARK_NAMES_MAX 32

struct mark_named {
	const char *name; /* a view of the line */
	size_t n;
	int64_t at;
};

struct mark {
	bool has_clock, clock_relative;
	int64_t clock_ns;
	bool has_watermark;
	int64_t watermark; /* ns, or MARK_INF */
	struct mark_named named[MARK_NAMES_MAX]; /* watermark.NAME= */
	unsigned n_named;
};

/* Is the line p[0..n) (without its line end) a mark? */
bool mark_is(const char *p, size_t n);
/* What it says; keys it does not know are passed over. 0, or -1 with *why (static) when a value is not a time. Names are views of p. */
int mark_parse(const char *p, size_t n, struct mark *out, const char **why);
/* The first whole line of p[0..n) that is a mark, p being at a line start: its offset and (behind its line end) the next line's. With `final` an
 * unterminated last line counts. Returns 1; 0 when there is none, *at is then how far records may be decoded (before a last line that may become
 * a mark). */
int mark_find(const char *p, size_t n, bool final, size_t *at, size_t *next);

#endif

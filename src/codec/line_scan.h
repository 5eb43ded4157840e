/* Framing of line formats: finds line ends 64 bytes at a time, cuts lines off a feed, skips what is over the record limit. */
#ifndef STRM_CODEC_LINE_SCAN_H
#define STRM_CODEC_LINE_SCAN_H
#include "base/simd.h"
#include "codec/rows.h"

struct line_ops {
	/* Offsets of the newlines of p[0..n) into out, at least *n_out of them if there are so many; out has room for *n_out +
	 * 128. Sets *n_out to the number found; returns how far it looked. Reads up to MEM_SLACK bytes past n; n < 4 GiB. */
	size_t (*index)(const char *p, size_t n, uint32_t *out, uint32_t *n_out);
	size_t (*count)(const char *p, size_t n);
};
const struct line_ops *line_ops(enum simd_level level);

struct line_reader {
	const struct line_ops *ops;
	uint32_t ends[BATCH_ROWS_MAX + 128]; /* newlines found ahead, relative to base */
	uint32_t n, i;
	const char *base;
	bool skip; /* inside a line that is over the limit and has been reported */
};

void line_reader_init(struct line_reader *l, enum simd_level level);
/* Begin a decode call. */
void line_reader_feed(struct line_reader *l, struct feed *f);
/* The next line of the feed, without its \n, and f->at behind it: 1. 0 when there is no whole line (or f->stop is set): lines
 * over max_record are reported to r and skipped here. Keeps r->d->line at the line after the one returned. */
int line_next(struct line_reader *l, struct rows *r, struct feed *f, struct value *line);
/* As line_next without an index: what it does when the lines found ahead are used up. */
int line_next_slow(struct line_reader *l, struct rows *r, struct feed *f, struct value *line);

#endif

/* Rows of cells with a delimiter between: what the csv and tsv encoders share. Cells are copied first and looked at behind the copy, 64
 * bytes at a time; only one that must be escaped is written again. */
#ifndef STRM_CODEC_TEXT_ROWS_H
#define STRM_CODEC_TEXT_ROWS_H
#include "base/simd.h"
#include "codec/text_encode.h"

/* Copy n > 0 bytes to d (room for n + 64) and return whether they need escaping. */
typedef uint64_t text_copy_fn(char *d, const char *s, size_t n, char delim);
text_copy_fn *csv_copy_fn(enum simd_level level);
text_copy_fn *tsv_copy_fn(enum simd_level level);

struct text_style {
	text_copy_fn *copy;
	void (*escape)(struct buf *out, const char *s, size_t n);
	const char *empty; /* how the empty string is written */
	char delim;
};

struct text_rows {
	struct text_encoder base;
	struct text_style style;
	bool plain_scalars; /* numbers, times and bools never hold the delimiter */
	struct text_rows_col *cols;
	size_t cols_cap;
};

struct encoder *text_rows_open(const struct codec_def *def, const struct encode_opts *o, struct text_style style);
int text_rows_encode(struct encoder *c, const struct batch *b, struct buf *out, struct err *e);
/* Columns that the options name make a header even without records. */
int text_rows_flush(struct encoder *c, struct buf *out, bool last, struct err *e);
void text_rows_close(struct encoder *c);

#endif

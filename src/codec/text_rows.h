/* Rows of cells with a delimiter between: what the csv and tsv encoders share. A cell is copied and looked at in one go, 64 bytes
 * at a time; only one that must be escaped is written again. */
#ifndef STRM_CODEC_TEXT_ROWS_H
#define STRM_CODEC_TEXT_ROWS_H
#include "base/simd.h"
#include "codec/text_encode.h"

#define TEXT_NEEDLES 4
enum { TEXT_SPECIAL = 1, TEXT_AT_ENDS = 2 };

/* The bytes that a cell cannot hold as they are: TEXT_SPECIAL anywhere (the needles), TEXT_AT_ENDS as its first or last. */
struct text_needles {
	char needle[TEXT_NEEDLES];
	uint8_t special[256];
};

/* Copy n > 0 bytes to d (room for n + 64) and say whether they need escaping. */
typedef uint64_t text_copy_fn(char *d, const char *s, size_t n, const struct text_needles *k);
text_copy_fn *text_copy_fn_at(enum simd_level level);

struct text_style {
	void (*escape)(struct buf *out, const char *s, size_t n);
	const char *empty; /* how the empty string is written */
	const char *ends;  /* bytes that need escaping at the ends of a cell */
	char delim, others[TEXT_NEEDLES - 1];
};

struct text_rows {
	struct text_encoder base;
	struct text_style style;
	struct text_needles needles;
	text_copy_fn *copy;
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

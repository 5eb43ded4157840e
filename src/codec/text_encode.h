/* What the encoders of text formats share: which column of a batch goes where, values with no column counted, cells as text. */
#ifndef STRM_CODEC_TEXT_ENCODE_H
#define STRM_CODEC_TEXT_ENCODE_H
#include "codec/codec.h"

/* Begins each such encoder. */
struct text_encoder {
	struct encoder base;
	const struct schema *header; /* the output columns; NULL: not known yet */
	bool header_done;	     /* written */
	const struct schema *seen;   /* the schema that map and extra were made for */
	int32_t *map;		     /* output column -> batch column, -1: none */
	uint32_t *extra;	     /* batch columns that have no output column */
	uint32_t n_extra;
	size_t map_cap, extra_cap;
	struct buf scratch; /* one cell that must be looked at before it is written */
};

/* An encoder of `size` bytes, zeroed but for its options. */
struct encoder *text_open(size_t size, const struct codec_def *def, const struct encode_opts *o);
void text_close(struct encoder *c);
/* Of codec.h: the columns. */
void text_save(const struct encoder *c, struct buf *out);
int text_load(struct encoder *c, const char *p, size_t n);
/* Map the columns of this batch; the first batch makes the header unless the options name it. Counts the values that have no
 * column. False: there are no columns yet (records without fields). */
bool text_map(struct text_encoder *t, const struct batch *b);
/* The output column as a column of this batch, or NULL. */
static inline const struct column *text_column(const struct text_encoder *t, const struct batch *b, uint32_t c)
{
	return t->map[c] < 0 ? NULL : &b->cols[t->map[c]];
}
/* The value as a cell: bytes of text values as they are, others printed into t->scratch. Null: NULL and 0. */
const char *text_cell(struct text_encoder *t, const struct value *v, size_t *n);
/* The selected ones of v (text, one for each row of b), a newline behind each, null as nothing. Neighbours in memory that have a
 * newline between them already go out in one copy. */
void text_lines(const struct value *v, const struct batch *b, struct buf *out);
/* The raw records and a newline each, for encode_opts.verbatim. */
void text_verbatim(const struct batch *b, struct buf *out);
/* Nothing to do at the end of a micro-batch. */
int text_flush_none(struct encoder *c, struct buf *out, bool last, struct err *e);

#endif

/* What the text decoders share: the input of one decode call, and rows on their way into a batch.
 *
 * A `struct feed` is one call of a codec's decode: the bytes, how far they are used, and where batches and bad records go.
 * A `struct rows` collects cells, column by column, into storage that it owns and uses again for every batch; a full one is
 * emitted by rows_flush, which also resets the decoder's arena. Rows go out before a bad record that follows them is reported, so
 * what is seen does not depend on the size of a batch. One thread. */
#ifndef STRM_CODEC_ROWS_H
#define STRM_CODEC_ROWS_H
#include "codec/codec.h"

/* Most fields of one record; more are a bad record. */
#define FIELDS_MAX (1u << 20)
/* Longest record whatever max_record says: offsets in it are 32 bits. */
#define RECORD_MAX ((size_t)1 << 30)

struct feed {
	const char *p; /* the block */
	size_t n;
	size_t at; /* bytes used */
	bool final;
	int stop; /* 0, or 1/-1: what emit or bad said; set once */
	const struct decode_to *to;
	struct err *err;
};

struct rows {
	struct decoder *d;
	const struct schema *schema; /* columns of the batches */
	uint32_t n, cap;	     /* rows held; most rows for this schema */
	struct value *vals;	     /* schema->n columns of `cap` values, then the raw records if wanted */
	size_t vals_cap;
	struct column *cols;
	size_t cols_cap;
	struct value *raw; /* NULL: not wanted */
	uint64_t line_base;
	uint32_t *line; /* offsets, filled only when rows are not on consecutive lines */
	bool lines_odd;
	char too_long[48];
};

/* Brings d->opts.max_record below RECORD_MAX (0: RECORD_MAX). */
void rows_init(struct rows *r, struct decoder *d);
void rows_release(struct rows *r);
/* The columns of the rows to come; the rows held must have been flushed. Every column is T_TEXT without nulls until told
 * otherwise. */
void rows_schema(struct rows *r, const struct schema *s);
/* Emit the rows held, if any. Returns feed->stop. */
int rows_flush(struct rows *r, struct feed *f);
/* Cells of column c. */
static inline struct value *rows_col(const struct rows *r, uint32_t c) { return r->vals + (size_t)c * r->cap; }
static inline void rows_set(struct rows *r, uint32_t c, struct value v)
{
	if (v.type == T_NULL)
		r->cols[c].has_null = true;
	else if (v.type != T_TEXT)
		r->cols[c].type = T_ANY;
	rows_col(r, c)[r->n] = v;
}
/* The line (1-based) of the row that is being added. */
void rows_line_odd(struct rows *r, uint64_t line);
static inline void rows_line(struct rows *r, uint64_t line)
{
	if (!r->n)
		r->line_base = line;
	if (unlikely(r->lines_odd || line != r->line_base + r->n))
		rows_line_odd(r, line);
}
/* The row is complete. Returns feed->stop: full rows are emitted. */
static inline int rows_next(struct rows *r, struct feed *f)
{
	r->d->n_records++;
	return ++r->n < r->cap ? 0 : rows_flush(r, f);
}
/* A bad record: what is held goes out first. Returns feed->stop. */
int rows_bad(struct rows *r, struct feed *f, const char *raw, size_t n, uint64_t line, const char *reason);
/* The reason of a record over max_record. */
const char *rows_too_long(struct rows *r);
/* Newlines in p[0..n). */
uint32_t rows_newlines(const char *p, size_t n);

/* Names in the C form of a projection -> schema. */
const struct schema *rows_names(const char *const *names, uint32_t n);
/* The names of a schema as bytes, and back: NULL when p[0..n) is not what rows_put_names wrote. */
void rows_put_names(struct buf *out, const struct schema *s);
const struct schema *rows_get_names(const char *p, size_t n);
/* Name k (from 0) of `names`, or its 1-based position as text. */
const char *rows_field_name(struct arena *a, const char *const *names, uint32_t n, uint32_t k);

#endif

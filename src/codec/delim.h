/* The decoder behind csv and tsv: header, projection, the fast path over the separator index; what differs is in `struct
 * delim_format`.
 *
 * The input is taken in windows. A window begins at the start of a record, is indexed (codec/delim_scan.h) until at least one
 * whole record is in it, and its plain records become rows, column by column. A record that is not plain (an oddity of the index,
 * the last one without a line end, one over the limit, and the header) is taken alone by format->one. */
#ifndef STRM_CODEC_DELIM_H
#define STRM_CODEC_DELIM_H
#include "codec/delim_scan.h"
#include "codec/rows.h"

/* One record by the slow way. */
enum record_kind {
	RECORD_MORE,  /* its end is not in sight */
	RECORD_BLANK, /* a blank line: no record */
	RECORD_OK,
	RECORD_LONG, /* over max_record: `used` bytes looked at, the rest is skipped from delim_decoder.skip on */
	RECORD_OPEN, /* a quote opens and does not close */
};

struct record {
	struct value *cells; /* T_TEXT, or T_NULL for an unquoted empty field; views, or bytes in the decoder's arena */
	size_t cells_cap;
	uint32_t n, max_cells; /* fields; those beyond max_cells are counted only */
	size_t len;	       /* bytes of the record without its line end */
	size_t used;	       /* with it */
	size_t open_at;	       /* RECORD_OPEN: offset of the quote */
};

struct delim_decoder;
struct csv_parser;

struct delim_format {
	const struct codec_def *def;
	char delim;
	delim_scan_fn *(*scan)(enum simd_level level);
	/* The record at p[0..n), n > 0, into d->record. `final`: p + n is the end of the input. */
	enum record_kind (*one)(struct delim_decoder *d, const char *p, size_t n, bool final);
	/* Continue over a long record, from d->skip: returns the bytes used; d->skip is 0 when the end was found. */
	size_t (*skip)(struct delim_decoder *d, const char *p, size_t n);
	/* The value of the field p[0..n). Fields of a window without escapes that do not begin with `quote` are not sent here. */
	struct value (*field)(struct arena *a, const char *p, size_t n, bool escapes);
	int quote;				  /* -1: no quotes, and in a window with escapes every field is sent */
	void (*release)(struct delim_decoder *d); /* may be NULL */
};

struct delim_decoder {
	struct decoder base;
	const struct delim_format *format;
	delim_scan_fn *scan_fn;
	struct rows rows;
	struct delim_scan scan;
	uint32_t *index; /* memory of scan.sep and scan.nl */
	size_t index_cap;
	struct record record;
	struct csv_parser *libcsv;   /* csv: made when first needed */
	const struct schema *header; /* names of the file's fields; NULL: not known yet */
	int32_t *from;		     /* batch column -> field of the file, -1: the file has none */
	size_t from_cap;
	bool begun;	 /* the byte order mark has been looked for */
	bool past_first; /* the first record has been seen */
	bool slow_only;	 /* tests: everything through format->one */
	bool one_line;	 /* for format->one: a record ends with its line, quotes or not */
	int skip;	 /* not 0: inside a record over the limit */
	uint64_t offset; /* of the block in the file, bytes */
	/* After a quote that does not close: up to this offset, OPEN_TRIES_MAX such records are tried with newlines in their
	 * quotes, the rest line by line, so that a file of stray quotes costs no more than that many passes. */
	uint64_t open_until;
	unsigned open_tries;
};

struct decoder *delim_open(const struct delim_format *f, const struct decode_opts *o, struct err *e);
int delim_decode(struct decoder *d, const char *p, size_t n, bool final, const struct decode_to *to, size_t *used, struct err *e);
void delim_restart(struct decoder *d, const char *source);
void delim_save(const struct decoder *d, struct buf *out);
int delim_load(struct decoder *d, const char *p, size_t n);
const struct schema *delim_columns(const struct decoder *d);
void delim_close(struct decoder *d);
/* For tests: another SIMD level, or the slow path only. */
void delim_force(struct decoder *d, enum simd_level level, bool slow_only);

/* Internal: the columns of the file from its first record (d->record), and of the batches. */
void delim_header(struct delim_decoder *d, const struct decode_to *to);
/* The same when the names are known. */
void delim_set_header(struct delim_decoder *d, const struct schema *names);
/* Add a cell to a record. */
static inline void record_add(struct record *r, struct value v)
{
	if (r->n < r->max_cells) {
		r->cells = xgrow(r->cells, &r->cells_cap, (size_t)r->n + 1, sizeof *r->cells);
		r->cells[r->n] = v;
	}
	r->n++;
}

#endif

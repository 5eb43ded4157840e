/* Formats: bytes -> batches (decoders) and batches -> bytes (encoders). One file each, its registry entry at the top.
 *
 * Decoding: the source hands over blocks: memory that starts at a record start, with MEM_SLACK readable bytes behind its end. The decoder
 * takes as many whole records as there are, makes batches whose values point into the block, and says how many bytes it used; the caller
 * brings the rest again at the front of the next block. At the end of input (`final`) an unterminated last record counts.
 * A record longer than max_record bytes is skipped in constant memory and counted as bad: see decode. */
#ifndef STRM_CODEC_CODEC_H
#define STRM_CODEC_CODEC_H
#include "base/doc.h"
#include "base/err.h"
#include "data/batch.h"

/* What a decoder calls. emit: a batch; returns 0 to go on, 1 to stop (no more input is wanted: decode returns 1), -1 on error.
 * bad: a record that does not parse: its bytes as read (without line end; cut to what is at hand), its 1-based line, the reason (lower case).
 * Returns 0 to go on, -1 to stop (--strict). note: something counted but not fatal ("duplicate header name"), static text or arena. */
struct decode_to {
	int (*emit)(void *ctx, struct batch *b, struct err *e);
	int (*bad)(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e);
	void *ctx;
	void (*note)(void *ctx, const char *text); /* may be NULL */
};

struct decode_opts {
	/* Projection: the fields that are needed, dotted names ("user.id": exact field first, then path where the format nests). The batches then have
	 * exactly these columns, in this order; a field that a record lacks is null. NULL: all fields (`*`): batches have the records' own fields
	 * in their own order, and a change of the field list begins a new batch. */
	const char *const *fields;
	uint32_t n_fields;
	bool all;               /* all fields (fields is ignored) */
	bool raw;               /* batch.raw is wanted */
	bool count_only;        /* no field is needed: n_fields == 0 and only the number of records matters */
	size_t max_record;      /* bytes */
	const char *source;     /* display name for origin */
	/* format options */
	bool no_header;         /* csv tsv: first record is data; names are 1, 2, 3 ... or `header` */
	const char *const *header; /* --header a,b,c: names, NULL: from the data */
	uint32_t n_header;
	char delimiter;         /* 0: the format's own */
};

struct codec_def;

struct decoder {
	const struct codec_def *def;
	struct decode_opts opts;
	struct arena arena;     /* batch memory, reset before each batch */
	struct arena keep;      /* lives as long as the decoder: headers, names */
	uint64_t line;          /* 1-based line of the next record */
	uint64_t n_records, n_bad;
};

struct encode_opts {
	const char *const *fields; /* columns of csv/tsv/columns/table, NULL: from the first record */
	uint32_t n_fields;
	bool no_header;
	char delimiter;
	struct value_format format;
	bool plain;             /* tsv: backslashes go out as they are, for awk and its like; not meant to be read back */
	bool color;             /* table: bold header */
	uint32_t width;         /* table: terminal columns, 0: no limit */
	bool verbatim;          /* batch.raw holds the record unchanged: write it */
};

struct encoder {
	const struct codec_def *def;
	struct encode_opts opts;
	struct arena keep;
	uint64_t n_records;
	uint64_t n_unseen;      /* values of fields that have no column (csv, tsv, table): dropped, counted */
	char unseen[64];        /* the first such field */
	uint64_t n_nan;         /* NaN and inf written as null */
};

struct codec_def {
	struct doc doc;
	const char *extensions; /* file name endings that mean this format: "csv", "json ndjson jsonl" */
	/* Decoding; NULL: output only. open allocates (the struct begins with struct decoder); opts are copied shallowly and must outlive it. */
	struct decoder *(*open)(const struct decode_opts *o, struct err *e);
	/* Decode whole records of p[0..n). *used: bytes consumed. Returns 0, 1 (emit said stop) or -1. When no whole record is there and n > max_record
	 * the decoder consumes what is there, reports one bad record and skips the rest of it in later calls. */
	int (*decode)(struct decoder *d, const char *p, size_t n, bool final, const struct decode_to *to, size_t *used, struct err *e);
	/* A new file begins (header again, line 1). The header of csv/tsv must not change the meaning of opts.fields. */
	void (*restart)(struct decoder *d, const char *source);
	/* The fields of the file being read, where a header names them; NULL when it is not read yet. May be NULL. */
	const struct schema *(*columns)(const struct decoder *d);
	void (*close)(struct decoder *d);
	/* Between two calls of decode: what it must know beside the bytes to come (the header, that a long record is being skipped), appended to
	 * out. NULL: nothing. load: behind restart, as if it had read all that; 0, or -1 when save did not write that. */
	void (*save)(const struct decoder *d, struct buf *out);
	int (*load)(struct decoder *d, const char *p, size_t n);
	/* Encoding; NULL: input only. */
	struct encoder *(*open_out)(const struct encode_opts *o, struct err *e);
	int (*encode)(struct encoder *c, const struct batch *b, struct buf *out, struct err *e);
	/* End of a micro-batch (table prints here) and of the output (`last`). */
	int (*flush)(struct encoder *c, struct buf *out, bool last, struct err *e);
	void (*close_out)(struct encoder *c);
	/* What an output that goes on later must keep to (its columns), appended to out; NULL: nothing. load: before the first record; 0, or -1
	 * when save did not write that. */
	void (*save_out)(const struct encoder *c, struct buf *out);
	int (*load_out)(struct encoder *c, const char *p, size_t n);
};

const struct codec_def *codec_find(const char *name);
const struct codec_def *codec_at(unsigned i);
/* By file name ending (a compression ending is looked through: a.csv.gz is csv); NULL when none fits. */
const struct codec_def *codec_by_file(const char *path);
struct nearest;
void codec_nearest(struct nearest *s);

#endif

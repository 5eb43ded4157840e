/* A table from a file beside the stream: each record with the rows of its key, at once and in order. The file is read when the operator is made,
 * and again before the first record of a micro-batch when it has changed. */
#ifndef STRM_OP_LOOKUP_H
#define STRM_OP_LOOKUP_H
#include "io/source_read.h"
#include "op/join_shape.h"
#include "op/op.h"

struct lookup_spec {
	const char *spec;          /* the source; it and what `read` points to outlive the operator */
	struct source_read read;
	uint32_t n_keys;           /* 0: every record gets all rows as one list, names.label[1] */
	struct expr **keys[2];     /* of the record and of the row, taken */
	const bool *null_keys;
	bool left;                 /* records without a row are kept */
	struct join_names names;
	/* Bad rows of the file; see op/op_parse.h. */
	int (*bad)(void *ctx, const char *raw, size_t n, const char *source, uint64_t line, const char *reason, struct err *e);
	void *ctx;
};

/* Reads the file. Takes the expressions, also on failure. NULL and err. */
struct op *op_lookup(struct run *run, int stage, const char *word, const struct lookup_spec *spec, struct err *e);

#endif

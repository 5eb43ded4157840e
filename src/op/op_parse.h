/* parse FORMAT [of FIELD]: fields out of text. The fields take the place of the text; rows that do not match are bad records. */
#ifndef STRM_OP_PARSE_H
#define STRM_OP_PARSE_H
#include "codec/pattern.h"
#include "op/op.h"

struct parse_spec {
	struct pattern *pattern; /* taken */
	struct expr *text;       /* taken */
	const char *field;       /* whose place the new fields take; NULL: the text is an expression, they come first */
	const char *const *need; /* fields wanted of the pattern, NULL: all of them */
	uint32_t n_need;
	bool rest;               /* the record's other fields are wanted too */
	/* Where bad rows go. 0 go on, -1 stop. */
	int (*bad)(void *ctx, const char *raw, size_t n, const char *source, uint64_t line, const char *reason, struct err *e);
	void *ctx;
};

struct op *op_parse(struct run *run, int stage, const char *word, const struct parse_spec *spec);

#endif

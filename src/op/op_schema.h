/* --schema 'key:int, at:time': fixes the types of input fields; a record with a value that does not convert is a bad record. */
#ifndef STRM_OP_SCHEMA_H
#define STRM_OP_SCHEMA_H
#include "op/op.h"

struct schema_spec {
	const char *text;
	int (*bad)(void *ctx, const char *raw, size_t n, const char *source, uint64_t line, const char *reason, struct err *e);
	void *ctx;
	bool raw;         /* those behind want the record as it was read */
};

/* `name:type, ...` with the types int float number bool string time duration. NULL and err (ERR_USAGE). */
struct op *op_schema(struct run *run, const struct schema_spec *spec, struct err *e);
/* The names in it, added to f: the source must decode them. */
int op_schema_fields(const char *text, struct field_set *f, struct err *e);

#endif

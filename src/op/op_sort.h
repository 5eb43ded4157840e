/* sort E [desc], ... and top N by E [asc] [per KEYS]: ordered output when the micro-batch closes. */
#ifndef STRM_OP_SORT_H
#define STRM_OP_SORT_H
#include "op/op.h"

struct sort_key {
	struct expr *expr;
	bool desc;
};

/* `per` of top, taken. */
struct top_per {
	struct expr **exprs;
	uint32_t n;
	enum op_scope scope; /* SCOPE_WINDOW: for each window apart */
};

/* Takes the bound keys (array in the pipeline's arena). Stable. SCOPE_WINDOW: window after window (end, start). */
struct op *op_sort(struct run *run, int stage, const char *word, struct sort_key *keys_take, uint32_t n_keys, enum op_scope scope);
/* Keeps the first n rows of that order (n >= 1), for each value of `per` (n_per may be 0): groups in order of first appearance. */
struct op *op_top(struct run *run, int stage, const char *word, uint64_t n, const struct sort_key *key_take, const struct top_per *per);

#endif

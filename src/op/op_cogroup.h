/* The records of several streams by key: one record for each key with a list for each side, every side's in order of arrival.
 *
 * Ports: 0 the chain's own, 1 ... the others. When a key's record comes out, by the scope of a join (op/op_join.h):
 *   JOIN_BATCH   at the end of the micro-batch
 *   JOIN_ALL     at the end of each micro-batch that brought records of the key, with all that came so far
 *   JOIN_WINDOW  when the watermark reaches the end of the window, whose start and end come first
 * In order of window end, window start, the key's first appearance (on a lower port first). */
#ifndef STRM_OP_COGROUP_H
#define STRM_OP_COGROUP_H
#include "op/op_join.h"

struct cogroup_spec {
	enum join_scope scope; /* not JOIN_WITHIN */
	uint32_t n_sides, n_keys;
	struct expr **keys;             /* n_keys for each side, taken */
	const char *const *key_names;   /* n_keys; these and the labels outlive the operator */
	const char *const *labels;      /* n_sides: names of the lists */
};

/* Takes the expressions. */
struct op *op_cogroup(struct run *run, int stage, const char *word, const struct cogroup_spec *spec);

#endif

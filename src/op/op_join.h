/* Two streams, matched by key: a symmetric hash join (Wilschut and Apers, "Dataflow Query Execution in a Parallel Main-Memory Environment").
 *
 * Ports: 0 left, 1 right. Rows are kept as they come, by side and key, and matched at the end of the micro-batch: first each new left row, in
 * order, with all that the right has, then each new right row with what the left had before. So the answer does not depend on how records
 * were cut into batches, nor on which side came first. How long rows are kept:
 *   JOIN_BATCH    to the end of the micro-batch. Rows without a match come out in the place where their pairs would
 *   JOIN_ALL      for ever; rows without a match come out at the end of time
 *   JOIN_WINDOW   rows carry their windows, which are part of the key; until the watermark reaches the window's end
 *   JOIN_WITHIN   right time - left time lies in [from, to]; until the watermark says that no match can come any more
 * With run->fetch and little memory, keys that rest leave it with their rows (join_away.h); but not those of an outer join with JOIN_ALL, whose end goes through
 * all rows, nor of JOIN_BATCH.
 * A row without a match comes out once, when it is forgotten, or at the end of its micro-batch when no row could ever match it: a condition on
 * its own side fails, or a key is null. Late by window: window end <= watermark; by time: time <= watermark; those are counted and kept out. */
#ifndef STRM_OP_JOIN_H
#define STRM_OP_JOIN_H
#include "op/join_shape.h"
#include "op/op.h"

enum join_kind { JOIN_INNER, JOIN_LEFT, JOIN_RIGHT, JOIN_FULL, JOIN_SEMI, JOIN_ANTI };
enum join_scope { JOIN_BATCH, JOIN_ALL, JOIN_WINDOW, JOIN_WITHIN };

struct join_spec {
	enum join_kind kind;
	enum join_scope scope;
	uint32_t n_keys;
	struct expr **keys[2];         /* by side, taken */
	const bool *null_keys;         /* by key: a null is a key like any other (`<=>`) */
	struct expr *own[2];           /* conditions on one side alone, taken; NULL: none */
	struct expr *where;            /* on pairs, taken; NULL: none */
	int64_t from, to;              /* JOIN_WITHIN, ns; INT64_MIN and INT64_MAX: no bound */
	struct join_names names;       /* outlives the operator */
	const struct schema *known[2]; /* fields of a side where the program fixes them, for rows without it before it came; NULL: not known */
};

/* Takes the expressions. */
struct op *op_join(struct run *run, int stage, const char *word, const struct join_spec *spec);

#endif

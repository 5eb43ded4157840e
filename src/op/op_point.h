/* Where ways of records meet and part. */
#ifndef STRM_OP_POINT_H
#define STRM_OP_POINT_H
#include "op/op.h"

/* Passes records on: where several inputs enter, a stream of a split. */
struct op *op_point(struct run *run, int stage, const char *word);
/* Within a micro-batch the records of port 0, then those of port 1, and so on: what comes at a port before its turn is kept until then.
 * The answer thus does not depend on how records were cut into batches. */
struct op *op_union(struct run *run, int stage, const char *word, uint32_t n_ports);
bool op_is_union(const struct op *op);
/* All that comes at the ports before this one is there before anything comes at it: nothing has to be kept. */
void op_union_in_turn(struct op *op, uint32_t port);
/* Each record goes to the first of the ends (in the order in which they are connected: one for each condition) whose condition is true; the
 * others are counted. Takes the conditions, n of them. */
struct op *op_split(struct run *run, int stage, const char *word, struct expr **conditions_take, uint32_t n);

#endif

/* limit N, skip N: on the whole run where no window or aggregate stands before them, else on the micro-batch, or each window in it. sample P: each record with
 * probability P, by a hash of seed and record number, so that a run repeats. */
#ifndef STRM_OP_LIMIT_H
#define STRM_OP_LIMIT_H
#include "op/op.h"

/* A limit over the whole run answers 1 ("no more wanted") once it is full. */
struct op *op_limit(struct run *run, int stage, const char *word, uint64_t n, enum op_scope scope);
struct op *op_skip(struct run *run, int stage, const char *word, uint64_t n, enum op_scope scope);
struct op *op_sample(struct run *run, int stage, const char *word, double p, uint64_t seed);

#endif

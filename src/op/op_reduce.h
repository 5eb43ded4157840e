/* reduce a = AGG, ... by KEYS: aggregates per key, emitted when the micro-batch closes, keys in order of first appearance. */
#ifndef STRM_OP_REDUCE_H
#define STRM_OP_REDUCE_H
#include "op/aggtable.h"

struct op *op_reduce(struct run *run, int stage, const char *word, const struct reduce_spec *spec);

#endif

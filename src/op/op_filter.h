/* filter E: keeps the rows for which E is true, by selection. */
#ifndef STRM_OP_FILTER_H
#define STRM_OP_FILTER_H
#include "op/op.h"

/* Takes the bound condition. */
struct op *op_filter(struct run *run, int stage, const char *word, struct expr *cond_take);

#endif

/* Rows wait until the watermark passes the end of their window, and come out window by window: what sort, top, limit and skip per window need before them.
 * With --mem and a checkpoint they wait in their entries, and come out of them some at a time. */
#ifndef STRM_OP_HOLD_H
#define STRM_OP_HOLD_H
#include "op/op.h"

/* Rows carry @window_start and @window_end; those that do not belong to the whole stream. Counters: held, late. */
struct op *op_hold(struct run *run, int stage, const char *word);

#endif

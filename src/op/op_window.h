/* Processing-time windows over micro-batches (DStream's window): at time t a window covers (t - length, t], and is emitted each `slide`.
 *
 * op_window_reduce keeps what came in one micro-batch together as a slice (op/sliding.h), so that the cost of a record does not depend on length / slide.
 * op_window_buffer keeps the records and hands all of a window on at each slide, for stages that are not aggregates.
 *
 * Times are run->now, the end of the micro-batch; slides are counted from run->start. */
#ifndef STRM_OP_WINDOW_H
#define STRM_OP_WINDOW_H
#include "op/reducer.h"

struct window_spec {
	int64_t length_ns;
	int64_t slide_ns; /* 0: each micro-batch */
};

struct op *op_window_reduce(struct run *run, int stage, const char *word, const struct reduce_spec *spec, const struct window_spec *w);
struct op *op_window_buffer(struct run *run, int stage, const char *word, const struct window_spec *w);

#endif

/* group N rows: records of a key as lists of N (Beam's GroupIntoBatches). A full group comes out at once; what is left when its
 * window ends (with allowed lateness), when the run ends, or DUR of processing time after its first record (Beam's
 * maxBufferingDuration).
 *
 * A key, with a window that is a key of its own, is forgotten while it has no record: memory goes with the records that wait. With --mem and a
 * checkpoint those of keys that rest are in the store (op/resting.h). */
#ifndef STRM_OP_GROUP_ROWS_H
#define STRM_OP_GROUP_ROWS_H
#include "op/reducer.h"

enum group_scope {
	GROUP_RUN,    /* the whole run */
	GROUP_BATCH,  /* windows of processing time: each ends with its micro-batch */
	GROUP_WINDOW, /* windows of event time: the first two keys of the reduce_spec are window_start and window_end */
};

struct group_rows_spec {
	uint64_t rows;	     /* > 0 */
	int64_t within_ns;   /* 0: for good */
	int64_t lateness_ns; /* GROUP_WINDOW: how long after its end a window takes records */
	enum group_scope scope;
};

/* `spec` has one call, which collects. Rows carry the event time of their window (its end - 1 ns), without a window that of the
 * group's earliest record, which holds the watermark back. Counters: grouped, late, no-time (a row without its window). */
struct op *op_group_rows(struct run *run, int stage, const char *word, const struct reduce_spec *spec,
			 const struct group_rows_spec *rows);

#endif

/* fill E: rows for the windows of known keys that brought none. It stands behind an aggregate by keys, whose rows come when their
 * windows end.
 *
 * A key is known from its first row to the end of the run: memory goes with the keys, but for those that rest in the store (--mem and a
 * checkpoint, op/resting.h), and come out of it as they are listed there. At the end of a micro-batch the windows that the watermark has passed
 * come out one after the other, each with a row for every known key, in the order in which the keys appeared. With the end of the input windows
 * are filled up to the last one that brought a row. Of windows of processing time, and of micro-batches without a window, each that ends is
 * filled. */
#ifndef STRM_OP_FILL_H
#define STRM_OP_FILL_H
#include "op/op.h"
#include "window/window.h"

/* Windows that one step of the watermark may fill: more come of a wrong time, not of silence. */
#define FILL_WINDOWS_MAX 1000000

struct fill_spec {
	const struct window *window; /* WINDOW_FIXED, WINDOW_CALENDAR; NULL: those of the clock */
	int64_t lateness_ns;	     /* how long after its end a window brings its rows */
	uint32_t n_keys, n_results;
	const struct schema *schema; /* of the rows: bounds of the window, or none; keys; results */
	struct expr *value_take;     /* sees bounds and keys */
};

/* Counter: passed. */
struct op *op_fill(struct run *run, int stage, const char *word, const struct fill_spec *spec);

#endif

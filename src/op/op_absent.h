/* absent DUR [by KEYS]: a record for each time that a key was silent for longer than DUR, with its last record's time.
 *
 * What a key said is kept as stretches of time in which no gap is longer than DUR, as sessions: usually one. A stretch is over
 * when the watermark (without event time: the clock) is more than DUR behind its end; then it comes out and is forgotten, and the
 * key with it when that was all. So memory goes with the keys heard of within DUR. How the stream is cut does not matter while
 * disorder stays within the watermark's delay: a silence in the midst of a micro-batch is told as any other. At the end of the
 * input the time is that of the latest record, for none comes after it. With --mem and a checkpoint keys rest in the store (op/resting.h) until
 * they speak or fall silent.
 *
 * Fields: the keys, last_seen, silent_since (last_seen + DUR), which is the event time too. Watermark held back for what may come
 * out. */
#ifndef STRM_OP_ABSENT_H
#define STRM_OP_ABSENT_H
#include "op/op.h"

struct absent_spec {
	uint32_t n_keys;
	struct expr **keys_take;
	const char **key_names;
	int64_t span_ns; /* > 0 */
	bool event;	 /* event time of the rows; else the clock */
};

/* Counters: heard, late (more than DUR behind the watermark: that silence has been told), no-time. */
struct op *op_absent(struct run *run, int stage, const char *word, const struct absent_spec *spec);

#endif

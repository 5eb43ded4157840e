/* Event time: each row's time goes along as @event; the watermark trails the largest time seen, or is set by marks. */
#ifndef STRM_OP_WATERMARK_H
#define STRM_OP_WATERMARK_H
#include "op/op.h"

struct watermark_spec {
	struct expr *time_take;
	int64_t delay_ns;
	int64_t idle_ns;   /* an input silent for so long in processing time holds nothing back; 0: never */
	bool by_marks;
	const char *point; /* by_marks: the name whose marks it listens to beside those without a name; NULL */
};

/* The watermark is the minimum over the inputs that reach the stage of (largest time seen - delay); none until each of them has spoken.
 * Rows without a usable time go on with a null @event. */
struct op *op_watermark(struct run *run, int stage, const char *word, const struct watermark_spec *spec);

#endif

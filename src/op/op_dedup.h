/* dedup [by KEYS]: the first record of each key. */
#ifndef STRM_OP_DEDUP_H
#define STRM_OP_DEDUP_H
#include "op/op.h"

/* How long a key is remembered. Past that its memory comes back; records that are late for it are dropped and counted. */
enum dedup_kind {
	DEDUP_RUN,    /* for the whole run */
	DEDUP_BATCH,  /* in its micro-batch */
	DEDUP_WINDOW, /* in its window: until the watermark passes the window's end */
	DEDUP_TIME,   /* event time is part of the key: until the watermark reaches it (Spark's dropDuplicates with a watermark) */
	DEDUP_WITHIN, /* until the watermark reaches its first record's time + within_ns (dropDuplicatesWithinWatermark) */
};

struct dedup_spec {
	struct expr **keys_take;
	uint32_t n_keys;      /* 0: the whole record is the key (field names and values) */
	enum dedup_kind kind;
	bool by_window;       /* the window is part of the key */
	int64_t within_ns;
};

/* Counters: first, repeated, late, no-time (where times matter). */
struct op *op_dedup(struct run *run, int stage, const char *word, const struct dedup_spec *spec);

#endif

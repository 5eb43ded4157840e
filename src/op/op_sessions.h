/* Rows wait in the sessions of their keys until the watermark passes the end of a session, and come out session by session: what stages that order, count and
 * remember need before them, for sessions merge as rows bridge them. */
#ifndef STRM_OP_SESSIONS_H
#define STRM_OP_SESSIONS_H
#include "op/op.h"

struct sessions_spec {
	struct expr **keys_take;
	uint32_t n_keys;    /* 0: all rows have one set of sessions */
	bool by_record;     /* instead: each has those of the records that are equal to it */
	bool closed;        /* sessions that touch merge */
};

/* Rows carry their own [t, t + gap) as @window_start and @window_end, and those of the whole session behind it. Within a session they keep the order in which they
 * came; sessions come by end, start, and their first row. Counters: held, late (the row's own window is over). */
struct op *op_sessions(struct run *run, int stage, const char *word, const struct sessions_spec *spec);

#endif

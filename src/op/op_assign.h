/* Windows of rows: each row goes on at once, one copy for each window it falls into, with @window_start and @window_end. */
#ifndef STRM_OP_ASSIGN_H
#define STRM_OP_ASSIGN_H
#include "op/op.h"
#include "window/window.h"

struct assign_spec {
	struct window window;  /* WINDOW_FIXED, WINDOW_CALENDAR; WINDOW_SESSION: each row's own [t, t + gap); WINDOW_ALL: none */
	struct expr *on_take;  /* NULL: @event */
	struct expr *gap_take; /* of sessions, where it is an expression */
};

/* Counters: assigned, no-time, dropped (in no window: a gap between windows, a session without a gap). */
struct op *op_assign(struct run *run, int stage, const char *word, const struct assign_spec *spec);

/* What both this and op_panes know of a row's time and windows. */
struct assigner {
	const struct assign_spec *spec;
	const struct batch *b;
	struct fails *fails;      /* gaps that are none */
	struct column times, gaps;
	struct interval *windows; /* of the row asked for last */
};

enum assigned { ASSIGN_OK, ASSIGN_NO_TIME, ASSIGN_NONE };

/* Evaluates what the assigner needs of the batch. */
void assigner_start(struct assigner *a, const struct assign_spec *spec, struct eval *ev, const struct batch *b);
/* The row's windows in a->windows, its time in *t (INT64_MIN where WINDOW_ALL asks for none). */
enum assigned assigner_row(struct assigner *a, uint32_t row, uint32_t *n, int64_t *t);
/* T_TIME of a row; false: it has none. */
bool row_time(const struct column *c, uint32_t row, int64_t *t);

#endif

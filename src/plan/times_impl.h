/* Time in the plan, shared by times.c, times_field.c (which field is the time), times_retract.c (panes that are taken back) and
 * times_keyed.c (stages that remember keys). */
#ifndef STRM_PLAN_TIMES_IMPL_H
#define STRM_PLAN_TIMES_IMPL_H
#include "plan/times.h"

/* What holds at a place of the plan. */
struct time_flow {
	const struct plan_node *watermark; /* the stage that gave @event its meaning; NULL: none */
	bool time_kept;			   /* its expression still gives that time */
	const char *time_name;		   /* the field that has it, NULL: none for sure */
	struct plan_node *window;	   /* the window that holds, NULL: the micro-batch */
	const struct plan_node *trigger;
	bool closes;			    /* something in front closes micro-batches */
	bool aggregated;		    /* an aggregate since the window: rows are its panes */
	bool joined;			    /* a join of records of the window since it: rows are of its end */
	bool held;			    /* rows come window by window */
	bool partial;			    /* panes of the aggregate may be early ones */
	const struct plan_node *other;	    /* with unlike: the window of those streams, NULL: none */
	const char *unlike;		    /* streams that came together have windows that are not alike, and how; NULL: they are alike */
	bool several;			    /* rows have windows of more than one stage */
	bool merged;			    /* of several streams: whose times may be of several fields */
	const struct plan_node *retracting; /* the aggregate whose panes rows are, and which takes them back; NULL: none */
	const struct plan_node *between;    /* the first stage behind it whose answer to a row cannot be taken back */
	bool has_op;			    /* rows have its field _op */
};

struct times {
	struct plan *p;
	enum output_mode mode;
	struct err *err;
	uint32_t aggregates;
};

static inline bool event_time(const struct plan_node *window)
{
	return window && window->assigner->kind != WINDOW_PROCESSING && window->assigner->kind != WINDOW_ROWS;
}

static inline bool bounded(const struct plan_node *window) { return event_time(window) && window->assigner->kind != WINDOW_ALL; }

static inline bool is_special(const struct node *n, const char *name) { return n->kind == N_SPECIAL && !strcmp(n->name, name); }

static inline bool retracting(const struct time_flow *f)
{
	return f->trigger && f->trigger->trigger->accumulation == PANES_RETRACTING;
}

/* ---- times_field.c ---- */
/* What the node does to the field of the watermark. */
void times_follow_field(struct times *t, struct time_flow *f, const struct plan_node *n);
/* Is the expression the event time? */
bool times_is_event(const struct time_flow *f, const struct node *n);
/* Is event time among the node's keys, so that a key cannot come again once the watermark is past it? */
bool times_keyed_by_event(const struct time_flow *f, const struct plan_node *n);

/* ---- times_retract.c ---- */
/* An error at `at`: what comes of the retracting panes cannot be taken back, and why. -1. */
int times_cannot_take_back(struct times *t, const struct time_flow *f, const struct plan_node *at, const char *why);
/* Rows that may take back earlier ones, into an aggregate. 0 or -1. */
int times_take_back(struct times *t, const struct time_flow *f, struct plan_node *n);
/* A stage behind a retracting aggregate: whether what it does can be taken back, and where `_op` goes. */
void times_pass_op(struct times *t, struct time_flow *f, struct plan_node *n);

/* ---- times_union.c ---- */
/* Records of another stream come in. */
void times_merge(struct time_flow *f, const struct time_flow *more);
/* Refuses a stage that goes by windows behind streams whose windows are not alike. 0 or -1. */
int times_unlike(struct times *t, const struct time_flow *f, const struct plan_node *n);

/* ---- times_keyed.c ---- */
int times_group_rows(struct times *t, struct time_flow *f, struct plan_node *n);
int times_absent(struct times *t, struct time_flow *f, struct plan_node *n);
/* `before`: the node in front of it, NULL: none. */
int times_fill(struct times *t, struct time_flow *f, struct plan_node *n, const struct plan_node *before);

#endif

/* Aggregates per key and window of event time, with triggers: Beam's GroupByKey and Combine (runners-core ReduceFnRunner, PaneInfoTracker,
 * MergingActiveWindowSet are the source of the rules), and Structured Streaming's output modes.
 *
 * A cell is one key in one window: a slot in the columns of aggregate states, the state of its trigger, and what its panes so far were. Cells are found through
 * their key (a sorted list of its windows); what is to be looked at in a micro-batch are the cells that got records and those whose timer is due (a heap for the
 * watermark, one for the clock), never all of them. */
#ifndef STRM_OP_PANES_H
#define STRM_OP_PANES_H
#include "op/op_assign.h"
#include "op/reducer.h"
#include "window/trigger.h"
#include "window/window.h"

enum pane_order {
	PANES_BY_WINDOW,  /* end, start, then the key's first appearance */
	PANES_AS_TOUCHED, /* as the groups were first touched in the micro-batch (--mode update) */
};

struct panes_spec {
	struct assign_spec assign;
	bool inherits;             /* rows carry their windows (behind another aggregate); assign.window is not looked at */
	bool merges;               /* sessions: cells of a key that bridge each other become one */
	struct trigger_spec trigger;
	enum pane_order order;
	bool complete;             /* the whole table at each micro-batch; nothing is late, nothing is forgotten */
	bool by_instant;           /* of the whole stream, with event time among the keys: each instant ends when the watermark reaches it */
};

/* A reduce over event-time windows, sessions or the whole stream. Counters: absorbed, late, no-time, dropped (a session without a gap, a window that
 * has finished). */
struct op *op_panes(struct run *run, int stage, const char *word, const struct reduce_spec *spec, const struct panes_spec *panes);

/* For those who look at a checkpoint: the results (keys, window) of the first entry that was restored into a fresh operator, in its arena. 0, or -1: it is
 * another operator. */
int op_panes_show(struct op *op, struct batch *out);

#endif

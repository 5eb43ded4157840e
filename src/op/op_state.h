/* state: rules over variables and timers of each key, which outlive micro-batches.
 *
 * Within a micro-batch: `on record` for each record as it comes; then timers of processing time that lie before the clock; keys
 * whose `ttl` has passed go; then, by the watermark as it stands at the end of the micro-batch, timers of event time and windows
 * that close, in the order of time; then `on batch` for each key that had a record (`all`: and for each that holds state). A
 * timer set while timers fire, and due, fires too. Timers of one time fire in the order of their keys' first appearance. At the
 * end of time `on close` runs for every key.
 *
 * Behind a window a key is KEYS and the window; its state goes when the window closes, after `on batch`. Late records are those
 * of a closed window, and, where a rule has timers of event time, those whose time the watermark had reached when the micro-batch
 * began. */
#ifndef STRM_OP_STATE_H
#define STRM_OP_STATE_H
#include "expr/stmt.h"
#include "op/op.h"
#include "op/project.h"

#define STATE_SLOTS_MAX 128 /* timers of one key */

struct state_block {
	struct state_stmt *at;
	uint32_t n;
};

/* Values of rules have places in a frame: the variables, the keys, columns made of each batch, the items of the emit at work. */
struct state_emit {
	uint32_t n;
	const char **names;
	struct expr **exprs; /* NULL: the place is copied */
	uint32_t *places;
	struct project *layout; /* where `*` is among the items, NULL: it is not */
	const struct schema *schema;
};

struct state_stmt {
	uint8_t kind, op; /* enum stmt_kind, enum assign_op */
	bool absolute;
	uint32_t target; /* variable or timer */
	struct expr *expr;
	struct state_emit *emit;
	struct state_block then, other;
};

/* A timer by name. It is set in processing time, in event time or in either, never in both at once. */
struct state_timer {
	const char *name; /* NULL: the one without */
	bool clock, event;
	struct state_block fires;
};

enum state_window { STATE_NO_WINDOW, STATE_EVENT_WINDOW, STATE_CLOCK_WINDOW };

/* A bound `state`; arrays and expressions in the pipeline's arena, released by the operator. */
struct state_rules {
	uint32_t n_keys, n_vars, n_columns, n_timers, n_items; /* n_items: most of one emit */
	const char **key_names, **var_names;
	struct expr **keys;
	struct expr **first;   /* by variable: its first value (`from`), NULL: null */
	struct expr **columns; /* of records alone: evaluated a batch at a time */
	struct state_timer *timers;
	struct state_block init, record, batch, close;
	enum state_window window;
	bool takes_late; /* no record is late, whatever its time */
	bool all;
	bool records;	/* `on batch` reads @records */
	int64_t ttl_ns; /* 0: none */
	int64_t lateness_ns;
	struct expr **exprs; /* all of them, to be released */
	uint32_t n_exprs;
};

struct op *op_state(struct run *run, int stage, const char *word, const struct state_rules *rules);
/* Records of a first state: fields named as keys and variables. Before the first micro-batch; what is restored takes its place. 0
 * or -1. */
int op_state_start(struct op *op, const struct batch *b, struct err *e);

#endif

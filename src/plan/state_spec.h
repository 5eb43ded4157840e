/* The stage `state` as written, checked: its rules as statements, with the names that are not fields in them. */
#ifndef STRM_PLAN_STATE_SPEC_H
#define STRM_PLAN_STATE_SPEC_H
#include "expr/stmt.h"
#include "op/op_state.h"

/* A timeout, by name, and what it fires. */
struct state_timeout {
	const char *name; /* NULL: the one without */
	struct pos pos;	  /* where it is set first */
	bool in, at;	  /* set by a duration, by a time */
	bool handled;	  /* there is an `on timeout` for it */
	struct stmts fires;
};

#define STATE_TIMEOUTS_MAX 60
static_assert(2 * STATE_TIMEOUTS_MAX < STATE_SLOTS_MAX, "each may have a slot in both times, beside the window's");

struct state_spec {
	bool shorthand; /* `record` are assignments, and keys and variables are emitted behind them */
	struct stmts init, record, batch, close;
	struct state_timeout *timeouts; /* STATE_TIMEOUTS_MAX of room */
	uint32_t n_timeouts;
	struct items first; /* from n = 0, ... */
	const char *file;   /* from "FILE", NULL: none */
	struct pos file_pos;
	int64_t ttl_ns;
	bool all;
	bool records;	    /* `on batch` reads @records */
	const char **names; /* variables, then keys: what is no field in its rules */
	uint32_t n_vars, n_names;
	/* by plan_times */
	bool event; /* event time has a meaning: `timeout at` goes by the watermark */
	enum state_window window;
	bool takes_late; /* the window is the whole stream, for which nothing is late */
	int64_t lateness_ns;
};

struct plan_node;

/* Called for an expression with the names that are no fields in it; stops and returns non-zero when it does. */
typedef int state_expr_fn(void *ctx, struct node *expr, const char *const *bound, uint32_t n_bound);
/* The expressions of statements. */
int state_exprs(const struct state_spec *s, struct arena *a, const struct stmts *block, state_expr_fn *fn, void *ctx);
/* Those that are evaluated on records: keys, first values, `init` and `on record`. */
int state_record_exprs(const struct plan_node *n, struct arena *a, state_expr_fn *fn, void *ctx);
/* The fields of what it emits, in order, into out; out->all: a record's own fields are among them, where `*` stands. */
void state_makes(const struct plan_node *n, struct field_set *out);
/* The fields it reads of its records, given those wanted of what it emits. */
void state_needs(const struct plan_node *n, const struct field_set *after, struct field_set *out);

#endif

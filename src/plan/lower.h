/* Lowering: plan nodes -> operators. Expressions are bound here, so their errors come from here, with their places. */
#ifndef STRM_PLAN_LOWER_H
#define STRM_PLAN_LOWER_H
#include "op/op_parse.h"
#include "op/reducer.h"
#include "op/op_sink.h"
#include "op/op_words.h"
#include "plan/plan.h"

struct lower_opts {
	struct run *run;
	struct encode_opts encode;  /* of sinks in the program: format, color and so on */
	size_t max_record;          /* of a table that is looked up */
	bool live;                  /* sinks write at the end of each batch of records */
	bool marks;                 /* sinks at the end of the chain write marks */
	const struct codec_def *to; /* format of sinks without ?format= */
	bool to_given;              /* -o says so: file names do not matter */
	/* bad rows of `parse`, see op/op_parse.h */
	int (*bad)(void *ctx, const char *raw, size_t n, const char *source, uint64_t line, const char *reason, struct err *e);
	void *ctx;
	/* A sink was opened: a checkpoint holds on to it. 0 or -1; NULL: nobody asks. */
	int (*opened)(void *ctx, struct sink *s, struct err *e);
	void *opened_ctx;
	/* Does what the stage of this number keeps go on from another run? NULL: it does not. */
	bool (*kept)(void *opened_ctx, int stage);
	const struct word_counts *scanner; /* not NULL: the first stage is `words` and reads from the word scanner */
};

/* Lowering of a whole plan, at work. */
struct lower_graph {
	const struct plan *plan;
	const struct lower_opts *opts;
	struct graph *graph;
	struct op **points; /* what makes the records of each point of the plan, NULL: not yet */
};

/* A chain into the graph, behind what its points have; *last is its end (NULL: a chain without operators at the inputs). 0 or -1. */
int plan_lower(struct lower_graph *l, const struct plan_chain *c, struct op **last, struct err *e);
/* An operator behind *last, which it becomes; the first one is where the input enters. */
void lower_append(struct graph *g, struct op **last, struct op *op_take);
/* A reduce node (plan/lower_reduce.c). */
struct op *lower_reduce(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e);
/* Event time and windows (plan/lower_time.c). */
struct op *lower_watermark(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e);
struct op *lower_window(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e);
/* In front of a stage that orders, counts or remembers the records of a window. */
struct op *lower_hold(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e);
/* The operator of a reduce over windows; the spec is its own afterwards, also on failure. */
struct op *lower_panes(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, const struct reduce_spec *spec, struct err *e);
/* Stages that remember keys (plan/lower_keyed.c): the node of `group N rows` with its window among the keys, NULL and err; and its operator, whose spec is its
 * own afterwards. */
const struct plan_node *lower_window_keys(const struct plan *p, const struct plan_node *n, struct err *e);
struct op *lower_group_rows(const struct plan_node *n, const struct lower_opts *o, const struct reduce_spec *spec);
struct op *lower_absent(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e);
struct op *lower_fill(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e);
/* A state node (plan/lower_state.c). */
struct op *lower_state(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e);
/* Binds into out[i]; on failure what was bound is released. 0 or -1. */
int lower_items(const struct plan *p, const struct items *items, const struct lower_opts *o, struct expr **out, struct err *e);
/* Bind with a hint where an aggregate stands outside reduce. */
struct expr *lower_expr(const struct plan *p, const struct node *n, const struct lower_opts *o, struct err *e);
/* The same where names are variables, see expr_bind_vars. */
struct expr *lower_expr_vars(const struct plan *p, const struct node *n, const struct lower_opts *o, const char *const *vars,
			     uint32_t n_vars, struct err *e);
/* Open `to` targets: the sink named by spec as an operator. */
struct op *lower_sink(const struct lower_opts *o, int stage, const char *word, const char *spec, struct err *e);

#endif

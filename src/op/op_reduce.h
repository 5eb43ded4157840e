/* reduce a = AGG, ... by KEYS: aggregates per key, emitted when the micro-batch closes, keys in order of first appearance. */
#ifndef STRM_OP_REDUCE_H
#define STRM_OP_REDUCE_H
#include "agg/agg.h"
#include "op/op.h"

/* An argument of aggregates, evaluated once a batch however many calls share it. */
struct reduce_arg {
	struct expr *expr;
	bool numbers; /* converted once: unusable text is null and counted */
	bool prefer;  /* converted once where it looks like a number, else left */
	int same_as;  /* an earlier argument with the same expression, -1: none */
};

#define REDUCE_ARGS_MAX 4
#define REDUCE_VARS_MAX 2

/* One aggregate call: the agg_call and where its arguments are. */
struct reduce_call {
	struct agg_call call;
	uint32_t n_args, arg[REDUCE_ARGS_MAX]; /* into args */
	struct expr *user[3];                  /* AGG_USER: value or start, combining, inverse */
	const char *vars[REDUCE_VARS_MAX];     /* names bound in user[1], user[2] */
	uint32_t n_vars;
	struct reduce *owner;
	char *states;
	size_t states_size; /* bytes */
};

struct reduce_result {
	const char *name;
	int call;          /* the result is this call's, or -1: */
	struct expr *expr; /* an expression over a record of the keys and "@agg0", "@agg1" ... */
};

/* Everything in it belongs to the operator afterwards (arrays in the pipeline's arena). */
struct reduce_spec {
	uint32_t n_keys, n_args, n_calls, n_results;
	const char **key_names;
	struct expr **keys;
	struct reduce_arg *args;
	struct reduce_call *calls;
	struct reduce_result *results;
	bool start_values; /* without keys: a row even when no record came */
};

struct op *op_reduce(struct run *run, int stage, const char *word, const struct reduce_spec *spec);

#endif

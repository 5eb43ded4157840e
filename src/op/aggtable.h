/* A table of aggregate states: what a reduce holds for one micro-batch, window or pane. Groups by key, one column of states for each aggregate call.
 * Tables of one spec merge into each other; retract takes one out again where every call has an inverse. */
#ifndef STRM_OP_AGGTABLE_H
#define STRM_OP_AGGTABLE_H
#include "agg/agg.h"
#include "op/groups.h"

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
	struct eval *eval;                     /* for them */
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
	uint32_t hits;     /* the call that counts a group's records, for windows with an inverse */
	bool windowed;     /* results begin with window_start and window_end */
	bool count_zero;   /* `count` without keys: 0 for an empty micro-batch or window */
};

/* The spec made ready for an operator: schemas of its results, evaluation bound to it. */
struct reducer {
	struct reduce_spec spec;
	struct op *op;
	const struct schema *agg_schema; /* keys and "@aggN", for results that are expressions */
	const struct schema *out_schema;
};

void reducer_init(struct reducer *r, const struct reduce_spec *spec, struct op *op);
void reducer_release(struct reducer *r);
void reducer_unseen(const struct reducer *r, void (*fn)(void *ctx, const char *name), void *ctx);
/* Has every call an inverse? */
bool reducer_retracts(const struct reducer *r);
/* Can states of every call be merged (no fold)? */
bool reducer_merges(const struct reducer *r);
/* Failures the aggregates counted go to the operator. */
void reducer_collect_failures(struct reducer *r);

struct agg_states {
	char *p;
	size_t size; /* bytes */
};

struct aggtable {
	struct groups groups;
	struct agg_states *states; /* one per call */
	bool any;                  /* a record came */
};

void aggtable_init(struct aggtable *t, const struct reducer *r);
void aggtable_release(struct aggtable *t, struct reducer *r);
/* Empty it, keep the memory. */
void aggtable_clear(struct aggtable *t, struct reducer *r);
/* Groups in it; without keys 1. */
uint32_t aggtable_n(const struct aggtable *t, const struct reducer *r);
/* The selected rows of b. *group (may be NULL): the group of each row, NULL without keys; in b's arena. */
void aggtable_update(struct aggtable *t, struct reducer *r, const struct batch *b, uint32_t **group);
/* src into dst, in the order of src's groups. src's states are used up; it must be cleared or released next. map (may be NULL; room for src's groups):
 * the group in dst of each of src's. */
void aggtable_merge(struct aggtable *dst, struct aggtable *src, struct reducer *r, uint32_t *map);
/* src out of dst (reducer_retracts); every key of src is in dst. map as above. */
void aggtable_retract(struct aggtable *dst, struct aggtable *src, struct reducer *r, uint32_t *map);
/* A deep copy into an empty table. */
void aggtable_copy(struct aggtable *dst, const struct aggtable *src, struct reducer *r);
/* The results of groups [from, from + n), pushed on as one batch. Memory: the operator's arena, which the caller resets. Verdict of the push. */
int aggtable_push(struct aggtable *t, struct reducer *r, uint32_t from, uint32_t n, struct err *e);
/* The same for the groups listed. */
int aggtable_push_list(struct aggtable *t, struct reducer *r, const uint32_t *groups, uint32_t n, struct err *e);
/* All of them, a batch at a time. */
int aggtable_push_all(struct aggtable *t, struct reducer *r, struct err *e);
size_t aggtable_memory(const struct aggtable *t, const struct reducer *r);

#endif

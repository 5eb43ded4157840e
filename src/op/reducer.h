/* A reduce made ready: keys and arguments evaluated a batch at a time, states of aggregates in columns, results as batches. Who numbers the groups and when they
 * come out is the business of those who use it (aggtable.h, op_panes.h). */
#ifndef STRM_OP_REDUCER_H
#define STRM_OP_REDUCER_H
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
	uint32_t hits;     /* the call that counts a group's records, where an inverse takes some away */
	bool windowed;     /* results begin with window_start and window_end */
	bool count_zero;   /* `count` without keys: 0 for an empty micro-batch or window */
	bool retracting;   /* results end with _op: "-" takes back an earlier one, "+" stands */
	bool takes_back;   /* rows may take back earlier ones (HIDDEN_TAKES_BACK): every call has an inverse, and there are hits */
};

/* The spec made ready for an operator: schemas of its results, evaluation bound to it. */
struct reducer {
	struct reduce_spec spec;
	struct op *op;
	const struct schema *agg_schema; /* keys and "@aggN", for results that are expressions */
	const struct schema *out_schema;
	const struct column *const *key_cols; /* of the batch that reducer_groups saw last */
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

/* Columns that every row of args belongs to: b's rows, an array of spec.n_args columns in b's arena. */
struct column *reducer_args(struct reducer *r, const struct batch *b);
/* The group of each selected row, in b's arena; NULL without keys. */
uint32_t *reducer_groups(struct reducer *r, struct groups *g, const struct batch *b);

/* States of one call, a column by group. */
struct agg_states {
	char *p;
	size_t size; /* bytes */
};

/* One for each call. */
struct agg_states *states_new(const struct reducer *r);
void states_reserve(struct agg_states *s, struct reducer *r, size_t n_groups);
/* Rows sel[k] into group gid[k] (gid NULL: all into group 0); rows may stand more than once in sel when it is not NULL. */
void states_update(struct agg_states *s, struct reducer *r, const uint32_t *gid, const struct column *args, const uint32_t *sel, uint32_t n_sel,
		   const struct batch *b);
/* Rows sel[k] out of group gid[k], by the inverse of each call. */
void states_take_back(struct agg_states *s, struct reducer *r, const uint32_t *gid, const struct column *args, const uint32_t *sel, uint32_t n_sel,
		      const struct batch *b);
/* Records in the group, by spec.hits. */
int64_t states_hits(const struct agg_states *s, const struct reducer *r, uint32_t group);
/* The group's start values again. */
void states_reset(struct agg_states *s, struct reducer *r, uint32_t group);
/* Group i goes to to[i], none behind the others, n of them stay; those of UINT32_MAX are in their start values. No more memory than these need. */
void states_pack(struct agg_states *s, struct reducer *r, const uint32_t *to, uint32_t n_groups, uint32_t n);
/* src's group into dst's; it is used up. */
void states_merge(struct agg_states *dst, uint32_t to, struct agg_states *src, uint32_t from, struct reducer *r);
/* Bytes of all calls' states of a group, appended; and back into a reset group: 0, or -1 when malformed. */
void states_save(const struct agg_states *s, struct reducer *r, uint32_t group, struct buf *out);
int states_load(struct agg_states *s, struct reducer *r, uint32_t group, const char **p, const char *end);
/* Frees all; n groups are in use. */
void states_free(struct agg_states *s, struct reducer *r, size_t n_groups);
size_t states_memory(const struct agg_states *s, const struct reducer *r);

/* Which groups to bring out. */
struct reduce_rows {
	const struct groups *groups;
	struct agg_states *states;
	const uint32_t *key_list;   /* group of the keys of each row; NULL: from, from + 1 ... */
	const uint32_t *state_list; /* group of the states of each row; NULL: likewise */
	uint32_t from, n;
	const struct column *start, *end; /* of the windows; NULL: the run's special values */
};
/* The results as a batch in the operator's arena. */
void reducer_batch(struct reducer *r, const struct reduce_rows *rows, struct batch *out);

#endif

/* Aggregates: init, update, merge, finish and a serialised form; threads, panes, checkpoints and scale-out rest on that.
 *
 * A call site (struct agg_call) keeps its accumulators in one column: `state_size` bytes for each group, at states + gid * state_size,
 * moved with memcpy when the column grows (so no pointers into itself). Parts that do not fit are malloc'd behind a pointer in the
 * state and freed by release(). Zeroed memory is the start value of every aggregate (init is memset).
 *
 * merge(a, b) gives the same state, bit for bit as seen by finish, as updating with a's rows and then b's: for any split. Order
 * matters only for AGG_ORDERED ones, which are merged in input order. sum, avg, var do not depend on order at all (exact
 * integers in 128 bits; Neal's superaccumulator for floats; rounded once in finish). */
#ifndef STRM_AGG_AGG_H
#define STRM_AGG_AGG_H
#include "base/doc.h"
#include "base/err.h"
#include "data/batch.h"

struct agg_def;

/* Evaluation of the user's own expressions, for fold and combine: given by op/, since agg/ does not know expressions.
 * which: 0 = the initial or mapped value expression, 1 = the combining one, 2 = the inverse; vars: values of the bound names, in order. */
struct agg_eval {
	void (*fn)(void *ctx, int which, const struct batch *b, uint32_t row, const struct value *vars, struct arena *a, struct value *out);
	void *ctx;
};

struct agg_call {
	const struct agg_def *def;
	uint32_t state_size;        /* bytes per group, multiple of 8 */
	bool distinct;              /* count(distinct E), sum(distinct E) */
	uint32_t n_params;
	const struct value *params; /* literal parameters behind the expression arguments: quantile(E, 0.5), concat(E, ",") */
	double param;               /* p of pNN */
	struct agg_eval eval;
	uint64_t failures;          /* values that were not usable (text in sum): skipped and counted */
	const char *fail_reason;    /* of the first one, static */
	uint32_t row, fail_row;     /* of the batch: the one that is looked at; that of the first failure, where its update is under way */
	size_t heap_bytes;          /* malloc'd behind states, for the memory report */
};

enum agg_flags {
	AGG_NUMERIC = 1, /* arguments are numbers: the operator converts T_TEXT/T_NUM columns once for all such calls. The update then sees
			    T_INT, T_FLOAT or T_ANY columns whose values are T_INT/T_FLOAT/T_NULL (unusable ones already counted and null) */
	AGG_ORDERED = 2, /* first, last, collect, concat, fold: merged in input order only */
	AGG_DISTINCT_OK = 4,
	AGG_USER = 8,    /* fold, combine: arguments are names and expressions, bound by op/ */
	AGG_NUM_FAST = 32, /* prefers converted numbers: the operator passes a column in which values that look like numbers are T_INT or
			      T_FLOAT and all else is untouched (T_ANY); nothing is counted as unusable */
	AGG_SEQUENTIAL = 64, /* no merge of two states that both have rows: all rows of a group go to one state, in order (fold) */
	AGG_NULLS = 16,  /* sees null values (count(E) does; sum and most skip nulls without being told) */
};

struct agg_def {
	struct doc doc; /* examples: an aggregate expression over the field x */
	uint8_t min_args, max_args; /* expression arguments */
	uint8_t max_params;         /* literal parameters behind them */
	uint8_t flags;
	uint32_t state_size;
	/* Check and take literal parameters; may change state_size, and def itself (count and sum of distinct values have another
	 * behind the same name): go through c->def afterwards. Called with state_size set to def's. NULL: no parameters. 0 or -1
	 * with the message, without the aggregate's name in front. */
	int (*prepare)(struct agg_call *c, struct err *e);
	/* Rows i of sel go to group gid[k], k being the position in sel: states + gid[k] * c->state_size. args: one column per
	 * argument (NULL without arguments). gid NULL: all rows go to group 0 (the ungrouped fast path). `batch` is for AGG_USER only. */
	void (*update)(struct agg_call *c, char *states, const uint32_t *gid, const struct column *args, const uint32_t *sel, uint32_t n_sel,
		       const struct batch *batch);
	/* src's content is added to dst; src is left empty or untouched, to be released by the caller. With retract and without AGG_USER it is untouched. */
	void (*merge)(struct agg_call *c, void *dst, void *src);
	/* Result; bytes in the arena. The state stays valid and may be updated further. */
	void (*finish)(struct agg_call *c, const void *state, struct arena *a, struct value *out);
	/* Serialised form: version-free here (the log has the version); little-endian; load of what save wrote gives a state that saves to
	 * the same bytes. load: 0, or -1 when malformed (state then zeroed). `*p` moves behind what was read. */
	void (*save)(struct agg_call *c, const void *state, struct buf *b);
	int (*load)(struct agg_call *c, void *state, const char **p, const char *end);
	/* Free what hangs off the state and zero it; NULL: nothing hangs off. */
	void (*release)(struct agg_call *c, void *state);
	/* Optional inverse of update for one value or state (sliding windows): dst minus src. NULL: none. */
	void (*retract)(struct agg_call *c, void *dst, const void *src);
};

/* By name ("p95" finds pNN with *param = 0.95; "approx_p99" likewise; param may be NULL). NULL when unknown. */
const struct agg_def *agg_find(const char *name, double *param);
const struct agg_def *agg_at(unsigned i);
struct nearest;
void agg_nearest(struct nearest *s);

#endif

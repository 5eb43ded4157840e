/* Bound expressions and their evaluation, a batch at a time.
 *
 * Binding turns the tree of ast.h into one whose names, functions and patterns are resolved as far as they can be before data;
 * field names are bound to columns once per schema (schemas are interned, so the cache is a pointer). Evaluation runs one kernel per
 * node over a whole batch; types are looked at once per batch, per row only in mixed columns. `&& || ?: ??` evaluate their right
 * sides only for the rows that need them, so a failure in a branch not taken is no failure.
 *
 * Null propagates. A conversion or domain failure gives null and is counted in eval->fails with the place of the first one.
 * An expr holds scratch and counters: one thread at a time. */
#ifndef STRM_EXPR_EVAL_H
#define STRM_EXPR_EVAL_H
#include <assert.h>

#include "expr/ast.h"
#include "expr/fn.h"

/* Special values `@name`, given by the run. */
enum special {
	SP_EVENT, SP_WINDOW_START, SP_WINDOW_END, SP_PANE, SP_PANE_ON_TIME, SP_TIMING, SP_FINAL, /* as enum hidden: a batch may carry them */
	SP_BATCH, SP_TIME, SP_WATERMARK, SP_SOURCE, SP_FILE, SP_RECORD, SP_RECORDS,
	SP_COUNT_,
};
static_assert((int)SP_EVENT == (int)HIDDEN_EVENT && (int)SP_FINAL == (int)HIDDEN_FINAL, "hidden columns are the first special values");
/* Index of a special's name (without '@'), or -1. */
int special_find(const char *name);

/* Failures of one stage. */
struct fails {
	uint64_t n;
	char first[192]; /* "not a number at access.log:17", "" when n is 0 */
};
/* Count a failure; remembers the first with its place. `origin` may be NULL. */
void fails_add(struct fails *f, const char *what, const char *reason, const struct origin *origin, uint32_t row);

/* What evaluation needs beside the batch; lives as long as the run. */
struct eval {
	const struct fn_env *env;
	const struct value *special; /* SP_COUNT_ values of this micro-batch; SP_RECORD .. are made from the batch */
	struct fails *fails;
};

struct expr;

/* Names of the fields an expression reads, for projection pushdown. */
struct field_set {
	struct arena *arena;
	const char **names; /* dotted, NUL-terminated, unique, in order of first use */
	uint32_t n;
	size_t cap;
	bool all;           /* @record or `*`: every field */
};
void field_set_add(struct field_set *f, const char *name, size_t n);
/* Is it each(x, LIST, E) or keep(x, LIST, E), whose first argument is the name of a variable? */
bool node_is_lambda(const struct node *n);
/* Fields that the tree reads; names in `bound` (n_bound of them) and the variables of each, keep, fold and combine are not fields. */
void node_fields(const struct node *n, const char *const *bound, uint32_t n_bound, struct field_set *out);

/* Bind a tree. Aggregate calls are an error here (op/ takes them out first) that says where they belong. The expr lives in the arena;
 * expr_release frees what functions and patterns hold. NULL and err. */
struct expr *expr_bind(const struct node *n, const struct fn_env *env, struct arena *a, struct err *e);
/* The same where n_vars names are variables, for expr_eval_row. */
struct expr *expr_bind_vars(const struct node *n, const struct fn_env *env, const char *const *vars, uint32_t n_vars, struct arena *a,
			    struct err *e);
void expr_release(struct expr *x);
/* The constant it was folded to, or NULL. */
const struct value *expr_constant(const struct expr *x);

/* Values for the selected rows of b; entries of other rows are undefined. Memory: b->arena. Columns of the batch may be returned as they are. */
struct column expr_eval(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel);
/* The rows for which it is true, into out (room for n_sel); returns how many. *nulls counts rows where it is null. */
uint32_t expr_filter(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel, uint32_t *out,
		     uint64_t *nulls);
/* One row: the value for row `row` of b (NULL: no record, its fields are null) with the values of the variables it was bound with, in that
 * order; they shadow fields. No batch is built and nothing is allocated but what the value needs, in the arena; parts of the result may be those of
 * the variables and of the batch. Means the same as expr_eval, row by row. */
struct value expr_eval_row(struct expr *x, struct eval *ev, const struct batch *b, uint32_t row, const struct value *vars, struct arena *a);
/* Fields that were null or missing in every row evaluated so far: calls fn for each such name (not for those under a variable). */
void expr_unseen(const struct expr *x, void (*fn)(void *ctx, const char *name), void *ctx);

struct not_numbers {
	uint64_t n;
	uint32_t first; /* row of the first one */
};

/* Numbers of a column: T_TEXT and T_NUM become T_INT / T_FLOAT, tightened to one storage where it can be. With `strict`, what is not
 * a number becomes null and is counted in *failures; otherwise it stays as it is. A column that needs no change is returned as is. */
struct column column_numbers(struct arena *a, const struct column *c, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows, bool strict,
			     struct not_numbers *failures);

#endif

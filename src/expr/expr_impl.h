/* The bound expression, shared by bind.c, eval.c and the kernels. */
#ifndef STRM_EXPR_IMPL_H
#define STRM_EXPR_IMPL_H
#include "expr/eval.h"
#include "expr/rowop.h"

enum x_kind {
	X_CONST, X_FIELD, X_SPECIAL, X_RECORD, X_MEMBER, X_INDEX, X_NEG, X_NOT, X_AND, X_OR, X_NULL_OR, X_COND, X_COMPARE,
	X_ARITH, X_MATCH, X_GLOB, X_IN, X_CONCAT, X_CALL, X_LIST, X_OBJECT, X_EACH, X_KEEP,
};

struct x_name {
	const char *p;
	uint32_t n;
};

struct expr {
	uint8_t kind, op;
	bool variable;            /* X_FIELD: a variable, its column is VAR_PREFIX and the name; X_RECORD: there are such columns to leave out */
	uint8_t unlike;           /* X_ARITH, X_COMPARE: so many batches more it takes columns of texts row by row */
	bool reads;               /* X_EACH, X_KEEP: the body reads more than the variable */
	bool asked, seen;         /* X_FIELD: some row was read; was not null in some row */
	uint32_t n_kids;
	struct expr **kids;
	struct value lit;         /* X_CONST */
	const char *name;         /* X_FIELD: dotted; X_SPECIAL: index in special; X_MEMBER; X_EACH/X_KEEP: the variable */
	uint32_t name_n;
	uint32_t slot;            /* X_FIELD of a variable: its number in scope, for expr_eval_row; X_EACH/X_KEEP: of the variable it makes */
	uint32_t n_path;          /* X_FIELD: components of the dotted name */
	struct x_name *path;
	const struct schema *schema; /* X_FIELD: what the two below were found in */
	int column;               /* -1: no such field */
	uint32_t path_from;       /* first component below the column */
	int special;
	const char **keys;        /* X_OBJECT */
	struct fn_call call;      /* X_CALL; its regex cache serves X_MATCH too */
	struct regex *re;         /* X_MATCH with a constant pattern */
	const char *what;         /* name for failure messages */
};

/* Variables of each, keep, fold and combine are columns beside the fields, under names of their own. */
#define VAR_PREFIX "@var."

/* Where in a schema the field lies: the longest exact name wins, "a.b.c", then "a.b" and .c below it, then "a". */
void expr_resolve(struct expr *x, const struct schema *s, struct arena *tmp);
/* X_NEG X_MEMBER X_INDEX X_CONCAT on values. */
struct value expr_operate(struct expr *x, const struct value *v, struct eval *ev, struct arena *a, const char **why);
/* X_MATCH X_GLOB X_IN on two values: 1, 0, -1 null. */
int expr_test(struct expr *x, const struct value *v, struct eval *ev, struct arena *a, const char **why);

/* kernels: columns a and b, constant or not */
struct column kernel_arith(struct expr *x, struct eval *ev, const struct batch *b, const struct column *l, const struct column *r,
			   const uint32_t *sel, uint32_t n_sel);
struct column kernel_compare(struct expr *x, struct eval *ev, const struct batch *b, const struct column *l, const struct column *r,
			     const uint32_t *sel, uint32_t n_sel);

/* A column of values as T_INT or T_FLOAT when all its numbers are of that one type, those that are spelled parsed; nulls stay null. False: it is
 * not so, or there are none. */
bool column_numbers_typed(struct arena *a, const struct column *c, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows, struct column *out);

/* A bool column and the way to set its rows. */
struct bools {
	struct column c;
	struct arena *arena;
	uint32_t n_rows;
};
struct bools bools_make(struct arena *a, uint32_t n_rows);
void bools_null(struct bools *b, uint32_t row);
static inline void bools_set(struct bools *b, uint32_t row, int truth)
{
	if (unlikely(truth < 0))
		bools_null(b, row);
	else
		b->c.b[row] = truth != 0;
}

#endif

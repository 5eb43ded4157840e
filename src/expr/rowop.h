/* The operators on single values: the meaning that every kernel must agree with, and the path of mixed columns. */
#ifndef STRM_EXPR_ROWOP_H
#define STRM_EXPR_ROWOP_H
#include "expr/ast.h"
#include "expr/fn.h"

/* a op b for + - * / // % **, on numbers, times and durations. Nulls give null. *fail is set (static text) when the answer is null for another reason. */
struct value rowop_arith(enum op_code op, const struct value *a, const struct value *b, const struct fn_env *env, const char **fail);
/* The number case of it. Both NUM_INT or NUM_FLOAT. */
struct value rowop_arith_num(enum op_code op, const struct num *a, const struct num *b, const char **fail);
/* a op b for == != < <= > >=: 1, 0, or -1 for null. Numeric if both sides look numeric, quoted literals and strings always as text,
 * a text against a time reads as one. */
int rowop_compare(enum op_code op, const struct value *a, const struct value *b, const struct fn_env *env, const char **fail);
/* -1, 0, 1 -> the answer of a comparison operator. */
static inline bool compare_holds(enum op_code op, int c)
{
	switch (op) {
	case OP_EQ: return c == 0;
	case OP_NE: return c != 0;
	case OP_LT: return c < 0;
	case OP_LE: return c <= 0;
	case OP_GT: return c > 0;
	default: return c >= 0;
	}
}
/* a in b: element of a list (by ==), key of an object. 1, 0, -1 null. */
int rowop_in(const struct value *a, const struct value *b, const struct fn_env *env, const char **fail);
/* a ++ b: texts (numbers by their output text) or lists. */
struct value rowop_concat(const struct value *a, const struct value *b, const struct fn_env *env, struct arena *arena, const char **fail);
struct value rowop_neg(const struct value *a, const char **fail);
/* Shell pattern: * ? [a-z] [!a-z] \c, bytes. */
bool glob_match(const char *pat, size_t pn, const char *s, size_t n);
/* v[i] */
struct value rowop_index(const struct value *v, const struct value *i, struct arena *arena, const char **fail);
/* Text of a value as output, in the arena or in the value itself; false for lists and objects. */
bool rowop_text(const struct value *v, const struct fn_env *env, struct arena *arena, const char **p, size_t *n);

#endif

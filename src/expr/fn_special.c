/* Forms of the evaluator that look like functions: their arguments are not simply values. Documented here, implemented there. */
#define FN_GROUP "choice"
#include "expr/fn_impl.h"

static const struct fn_def defs[] = {
	{ FN_DOC("if", "if(COND, A, B)", "A if the condition is true, else B (the operator ?:); the other one is not evaluated"),
	  FN_EX(EX("if(2 > 1, \"yes\", \"no\")", "\"yes\"")), FN_ARGS(3, 3), .flags = FN_SPECIAL | FN_NULLS },
	{ FN_DOC("each", "each(x, LIST, E)", "list of E for each item, which E calls x"),
	  FN_EX(EX("each(x, [1, 2, 3], x * x)", "[1,4,9]")), FN_ARGS(3, 3), .flags = FN_SPECIAL | FN_NULLS },
	{ FN_DOC("keep", "keep(x, LIST, E)", "list of the items for which E is true"),
	  FN_EX(EX("keep(x, [1, 2, 3, 4], x % 2 == 0)", "[2,4]")), FN_ARGS(3, 3), .flags = FN_SPECIAL | FN_NULLS },
};

FN_FAMILY(fn_family_special);

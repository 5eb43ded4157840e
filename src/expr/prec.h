/* Operators: spelling and binding, one table for the parser and the printer. Private to expr/. */
#ifndef STRM_EXPR_PREC_H
#define STRM_EXPR_PREC_H
#include "expr/ast.h"

/* How tight, loose to tight. */
enum prec {
	PREC_COND = 1,
	PREC_NULL_OR,
	PREC_OR,
	PREC_AND,
	PREC_NOT, /* the word `not` */
	PREC_CMP, /* does not associate */
	PREC_CONCAT,
	PREC_ADD,
	PREC_MUL,
	PREC_UNARY,
	PREC_POW, /* to the right */
	PREC_POSTFIX,
};

struct op_info {
	const char *name; /* canonical */
	const char *word; /* the other spelling, NULL: none */
	enum prec prec;
};

const struct op_info *op_info(enum op_code op);
/* The operator spelled as this word (n bytes), or -1. */
int op_of_word(const char *p, size_t n);
/* Is the text (n bytes) spelled `-9223372036854775808` without its minus: the one number that only exists with it? */
bool spelling_is_int_min(const char *s);

#endif

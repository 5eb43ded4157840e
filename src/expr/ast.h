/* Expressions as written: a tree. Made by the parser, immutable afterwards, in the program's arena. */
#ifndef STRM_EXPR_AST_H
#define STRM_EXPR_AST_H
#include "base/err.h"
#include "data/value.h"

enum node_kind {
	N_LIT,     /* lit: null true false, number, "text" (T_STR), duration, size (T_INT), /regex/ (T_REGEX), a -v variable */
	N_FIELD,   /* name: `status`, `["odd name"]` where an operand may start */
	N_SPECIAL, /* name without '@': `@batch`, `@record` */
	N_MEMBER,  /* kids[0] . name: `user.id` is N_MEMBER(N_FIELD user, id); exact field "user.id" first is the binder's business */
	N_INDEX,   /* kids[0] [ kids[1] ] */
	N_UNARY,   /* op: OP_NEG OP_NOT */
	N_BINARY,  /* op, two kids */
	N_COND,    /* kids[0] ? kids[1] : kids[2] */
	N_CALL,    /* name ( kids... ); distinct: count(distinct E) */
	N_LIST,    /* [ kids... ] */
	N_OBJECT,  /* { keys[i] : kids[i], ... }; `{a}` is `{a: a}` */
};

enum op_code {
	OP_NEG, OP_NOT,
	OP_OR, OP_AND,                              /* || or, && and */
	OP_NULL_OR,                                 /* ?? */
	OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE,
	OP_MATCH, OP_NOT_MATCH, OP_GLOB, OP_IN,     /* =~ !~ glob in */
	OP_CONCAT,                                  /* ++ */
	OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_IDIV, OP_MOD, OP_POW,
	OP_COUNT_,
};

struct node {
	uint8_t kind, op;
	bool distinct;
	bool quoted;         /* N_FIELD / N_MEMBER written as ["name"] (part of equality for N_MEMBER only) */
	uint16_t height;     /* 1 for a leaf, 1 + the tallest kid's: at most PARSE_HEIGHT_MAX, so recursion over a tree is safe */
	struct pos pos;      /* of the operator, name or literal; points into the program text */
	struct value lit;
	const char *name;    /* NUL-terminated */
	uint32_t name_n;
	uint32_t n_kids;
	struct node **kids;
	const char **keys;   /* N_OBJECT, NUL-terminated */
	const char *spelling; /* N_LIT: as written, for the canonical text; NULL: print the value */
};

/* The operator's spelling in canonical text ("and" is printed "&&", "or" "||"). */
const char *op_name(enum op_code op);
/* Canonical text: minimal parentheses, one space around binary operators, double-quoted strings; parses back to an equal tree. */
void node_print(struct buf *b, const struct node *n);
bool node_equal(const struct node *a, const struct node *b);
/* Is it a path of names only (`a`, `a.b`)? Then its dotted text is appended to b (b may be NULL). Last component in *last. */
bool node_path(const struct node *n, struct buf *b, const char **last);
/* Visit the tree, parents first; stops and returns non-zero when fn does. */
int node_walk(struct node *n, int (*fn)(struct node *n, void *ctx), void *ctx);
/* Print a target or field name: as it is when it is a plain name ([A-Za-z_][A-Za-z0-9_]*, letters beyond ASCII included) and not
 * one of true false null not; else as ["odd name"]. */
void name_print(struct buf *b, const char *name);

#endif

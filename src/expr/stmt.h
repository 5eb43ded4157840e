/* Statements: the blocks of the stage `state`. Made by the parser, immutable afterwards, in the program's arena.
 *
 *     block = "{" { stmt } "}"    a statement ends at `;`, a newline, or the `}`
 *     stmt  = NAME ( "=" | "+=" | "++=" | "??=" ) E | "if" E block [ "else" ( block | if ) ] | "emit" [ map items ] | "remove"
 *           | "timeout" [ NAME ] ( E | "at" E | "off" )
 *
 * No word is reserved: where a statement may start, a name before an assignment's operator is its target. A name directly behind
 * `timeout` is the timeout's where an operand or `at` or `off` follows it on its line; else it begins the duration. */
#ifndef STRM_EXPR_STMT_H
#define STRM_EXPR_STMT_H
#include "expr/parse.h"

enum stmt_kind {
	ST_ASSIGN, /* name op expr */
	ST_IF,	   /* expr, then, other */
	ST_EMIT,   /* items; none: keys and variables */
	ST_REMOVE,
	ST_TIMEOUT, /* name, NULL: the one without a name; expr: a duration, or with `at` a time; NULL: off */
};

enum assign_op { ASSIGN, ASSIGN_ADD, ASSIGN_CONCAT, ASSIGN_DEFAULT };

struct stmts {
	struct stmt *at;
	uint32_t n;
};

struct stmt {
	uint8_t kind, op;
	bool absolute;	/* ST_TIMEOUT: at */
	struct pos pos; /* of its first word */
	const char *name;
	struct node *expr;
	struct items items;
	struct stmts then, other;
};

/* Look only: does an assignment stand here? */
bool parser_peek_assignment(struct parser *p);
/* Assignments with commas between them, one at least. 0 or -1. */
int parser_assignments(struct parser *p, struct stmts *out, struct err *e);
/* A block with its braces. 0 or -1. */
int parser_block(struct parser *p, struct stmts *out, struct err *e);

/* Canonical text: a block on one line with its braces, assignments with commas. */
void stmts_print(struct buf *b, const struct stmts *s);
void assignments_print(struct buf *b, const struct stmts *s);
/* Visit the statements, those inside an `if` behind it; stops and returns non-zero when fn does. */
int stmts_walk(const struct stmts *s, int (*fn)(const struct stmt *s, void *ctx), void *ctx);
/* The nodes of one statement's expressions, those of blocks inside it left out; stops and returns non-zero when fn does. */
int stmt_nodes(const struct stmt *s, int (*fn)(struct node *n, void *ctx), void *ctx);

#endif

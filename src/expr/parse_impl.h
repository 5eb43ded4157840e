/* What the parser's files share. */
#ifndef STRM_EXPR_PARSE_IMPL_H
#define STRM_EXPR_PARSE_IMPL_H
#include "expr/lex.h"

#define TRIED_MAX 24

enum bracket_kind {
	BR_PLAIN, /* newlines are blanks */
	BR_BLOCK, /* newlines end statements */
	BR_CHAIN, /* a chain of stages in place */
};

struct bracket {
	const char *open; /* "(" "[" "{" */
	struct pos pos;
	uint8_t kind;
	bool has_stage; /* of a chain: one has been seen */
};

struct tried {
	const char *what;
	bool quoted; /* a token of the language, shown in backticks */
};

struct parser {
	struct lexer lx;
	const struct source_unit *units;
	int n_units;
	int n_stages;
	bool has_stage; /* in this unit */
	bool in_stage;
	int at;            /* of the next token, blanks before it included */
	struct token tok;  /* the token there, if tok_known */
	struct token prev; /* the one before; TK_EOF at the start of a stage */
	bool tok_known;
	enum lex_mode tok_mode;
	struct err tok_err; /* of a TK_ERR */
	bool lit_failed;    /* a malformed literal was looked at here: lit_err */
	struct err lit_err;
	struct bracket stack[PARSE_DEPTH_MAX];
	int n_stack;
	int depth; /* of recursion */
	int n_tokens;
	const char *limit; /* set when a limit is passed: everything fails with it */
	bool after_expr;   /* an expression has just ended here */
	struct tried tried[TRIED_MAX];
	int n_tried;
};

/* The next token; `|` and ends in brackets come out as TK_ERR. */
const struct token *parser_peek_token(struct parser *p, enum lex_mode mode);
/* Consume the token just peeked at. */
void parser_advance(struct parser *p);
/* The token behind the next one, which must be known; false if malformed. */
bool parser_second(struct parser *p, enum lex_mode mode, struct token *t);
struct pos parser_token_pos(struct parser *p, const struct token *t);
/* Add to what was tried here. */
void parser_tried(struct parser *p, const char *what, bool quoted);
/* Consume this punctuation or fail. */
int parser_expect(struct parser *p, const char *punct, struct err *e);
/* "expected X" where an operand must start. Returns -1. */
int parser_no_operand(struct parser *p, const char *what, struct err *e);
/* The token's text as a name, in the arena; NULL and err when it holds a NUL. */
const char *parser_token_name(struct parser *p, const struct token *t, struct err *e);
/* -1 when recursion or brackets are nested deeper than PARSE_DEPTH_MAX; else p->depth is one more. */
int parser_enter(struct parser *p, struct err *e);

#define GROW_MIN 8
/* Room for one more in an array of the arena: doubles when n is a power of two. */
#define arena_push(a, at, n, item) \
	do { \
		if ((n) == 0) \
			(at) = arena_alloc((a), GROW_MIN * sizeof *(at)); \
		else if ((n) >= GROW_MIN && ((n) & ((n)-1)) == 0) \
			(at) = memcpy(arena_alloc((a), 2 * (size_t)(n) * sizeof *(at)), (at), (n) * sizeof *(at)); \
		(at)[(n)++] = (item); \
	} while (0)

/* Index of the first of n names that repeats an earlier one, or -1; n log n. */
int names_repeated(const char *const *names, uint32_t n);
/* `["name"]` at a `[` that is the next token: *name is the string and *end the byte behind `]`. */
bool parser_bracket_name(struct parser *p, struct token *name, int *end);
/* Go on at byte `end`, as if the token t had just been consumed. */
void parser_skip_to(struct parser *p, int end, const struct token *t);

#endif

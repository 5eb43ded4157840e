/* The lexer: one token at a place, no state of its own, so that looking ahead is calling it again further on.
 * Private to the parser. The mode says what may stand here; it matters only for `/` (regex or division) and `.5` (number or
 * member). */
#ifndef STRM_EXPR_LEX_H
#define STRM_EXPR_LEX_H
#include "expr/eval.h"
#include "expr/parse.h"

enum token_kind {
	TK_EOF,	    /* end of the unit */
	TK_NEWLINE, /* where it ends a stage */
	TK_PIPE,    /* `|` */
	TK_ERR,	    /* malformed; the lexer's err says why */
	TK_NAME,    /* lit: the text */
	TK_NUM,	    /* lit: T_INT or T_FLOAT; sizes too */
	TK_DUR,	    /* lit: T_DUR; months */
	TK_STR,	    /* lit: T_STR, decoded, NUL-terminated */
	TK_REGEX,   /* lit: T_REGEX */
	TK_VAR,	    /* lit: T_TEXT */
	TK_COLUMN,  /* `$1`; lit: "1" */
	TK_SPECIAL, /* lit: the name without '@' */
	TK_PUNCT,   /* punct */
};

enum lex_mode { LEX_OPERATOR, LEX_OPERAND };

struct token {
	uint8_t kind;
	bool nl_before; /* a newline stands before it (in brackets) */
	bool blank_before;
	int at, n; /* bytes of the unit */
	int64_t months;
	const char *punct; /* its spelling, static */
	struct value lit;
};

struct lexer {
	struct arena *a;
	const char *p;	    /* the unit's text, NUL-terminated */
	int n, unit, stage; /* stage: for positions */
	bool newline_blank; /* in brackets */
	const struct program_var *vars;
	int n_vars;
};

/* The token at or after byte `at`. A TK_ERR has *e set. */
void lex(const struct lexer *lx, int at, enum lex_mode mode, struct token *t, struct err *e);
/* First byte at or after `at` that is no blank and in no comment (newlines are blanks where lx says so). */
int lex_skip(const struct lexer *lx, int at, bool *newline);
bool lex_is(const struct token *t, const char *punct);
bool lex_is_word(const struct token *t, const char *word);
struct pos lex_pos(const struct lexer *lx, int at, int n);

/* A malformed token of n bytes at `at`. */
void lex_fail(const struct lexer *lx, struct token *t, int at, int n, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* Literals with delimiters, t->at at the first of them (lex_text.c). */
void lex_string(const struct lexer *lx, struct token *t, struct err *e);
void lex_regex(const struct lexer *lx, struct token *t, struct err *e);

/* Characters of names. */
bool name_start(char c);
bool name_char(char c);
/* Is it a name that needs no quotes where a field may stand? */
bool name_is_plain(const char *p, size_t n);
/* Advice about a character that looks like another (typographic quotes, no-break spaces ...) and so cannot stand in a name; NULL:
 * it can. */
const char *name_odd_char(uint32_t cp);

/* Names of the special values, by enum special. */
extern const char *const special_names[SP_COUNT_];

#endif

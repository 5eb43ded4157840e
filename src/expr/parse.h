/* The lexer and parser of the language: program text -> stages, and within a stage expressions and clauses.
 * One lexer, driven by what may come next (operand or operator), so `/` and names mean what their place says.
 *
 * A program is a list of source units (arguments, or one unit for a whole -f file). A stage ends at the end of a unit (argv),
 * at `|` at bracket depth 0, or at a newline at depth 0. `\` newline joins lines, `#` begins a comment (where a token may
 * start) to the end of the line. In brackets or {} newlines do not end a stage; the end of a unit in brackets, or `|` in them, is an error.
 * Nesting is limited to PARSE_DEPTH_MAX, a stage to PARSE_TOKENS_MAX tokens.
 *
 * Use: parser_new, then parser_stage() for each stage; within a stage the parser_* calls below, closed by parser_end().
 * Every call that fails sets err (ERR_PROGRAM, with position) and returns -1 or NULL. The calls named `parser_accept_*` do not fail:
 * they return false and remember what was tried at this place, so that parser_end and parser_expected can say
 * "expected `,`, `by` or the end of the stage" and propose the nearest word; the words given to them must outlive the parser
 * (string constants).
 *
 * Choices the grammar leaves open, made here:
 * - A `(` makes a call and a `[` an index only directly after what they belong to, without a blank.
 * - `["x"]` where an operand may start is the field x; a list of one string is written `["x",]` (lists and objects take a
 *   trailing comma). `a["x"]` is a member, `a[E]` an element.
 * - `$1`, `$2` ... are the fields named "1", "2" (columns), unless a -v variable has that name.
 * - `not` binds looser than comparisons, `!` tighter; `count(distinct E)`: `distinct` is the modifier when an operand follows it.
 * - One `|` may stand beside the line break between two stages, at the end of the line or at the start of the next.
 * - In a `{` opened by parser_accept a newline ends an expression (parser_at_newline); in every other bracket it is a blank.
 * - A string ends on its line. In a regex `/` needs no `\` inside a character class. */
#ifndef STRM_EXPR_PARSE_H
#define STRM_EXPR_PARSE_H
#include "expr/ast.h"

#define PARSE_DEPTH_MAX 200
#define PARSE_TOKENS_MAX 100000
#define PARSE_HEIGHT_MAX 2000              /* height of an expression's tree: `a + b + c ...` is one level per operator */
#define PARSE_TEXT_MAX ((size_t)64 << 20) /* bytes of one source unit */

struct source_unit {
	const char *text; /* NUL-terminated */
	size_t n;
	const char *file; /* NULL: a command-line argument */
	int arg;          /* 1-based stage argument number for messages */
};

struct program_var {
	const char *name, *value; /* -v name=value: `$name` is its text (T_TEXT, so 5 counts as a number) */
};

struct parser;

struct parser *parser_new(struct arena *a, const struct source_unit *units, int n_units,
			  const struct program_var *vars, int n_vars);
/* Begin the next stage: 1 and its first word (a name; NUL-terminated in the arena) with its position, 0 at the end of the program, -1.
 * Empty stages (blank lines, comments only) are skipped; an empty argument or `| |` is an error. */
int parser_stage(struct parser *p, const char **word, struct pos *pos, struct err *e);
/* The arena of the program. */
struct arena *parser_arena(struct parser *p);
/* Position of the next token. */
struct pos parser_pos(struct parser *p);
/* At the end of this stage? */
bool parser_at_end(struct parser *p);
/* Is there a newline before the next token, inside a block? There a statement ends at `;`, a newline or `}`. */
bool parser_at_newline(struct parser *p);
/* A chain in place: consumes `(` if it is next. Then parser_stage gives the stages inside (separated by `|`), each used as ever, and
 * returns 0 at the `)`, which it consumes: the outer stage goes on there. Chains nest. Positions inside keep the outer stage's number. */
bool parser_accept_chain(struct parser *p);
/* Demand the end of the stage; else an error that lists what was tried here. 0 or -1. */
int parser_end(struct parser *p, struct err *e);
/* "expected X" at the next token, with what was tried; X may be NULL. Returns -1. */
int parser_expected(struct parser *p, const char *what, struct err *e);

/* A connective where an operator may stand: `by`, `as`, `per`, `desc` ... consumed if the next token is that bare name. */
bool parser_accept_word(struct parser *p, const char *word);
/* Look only: is the next token this bare name? */
bool parser_peek_word(struct parser *p, const char *word);
/* A punctuation token: "," "=" "*" "(" ")" "{" "}" ";" "+=" ... */
bool parser_accept(struct parser *p, const char *punct);
bool parser_peek(struct parser *p, const char *punct);
/* A bare field name or ["odd name"] or "odd name"; NUL-terminated, *n its length. NULL on error. */
const char *parser_name(struct parser *p, const char *what, uint32_t *n, struct err *e);
/* Is there `NAME =` (one `=`, not `==`) next? Nothing is consumed. */
bool parser_peek_assign(struct parser *p);
/* Look only: is a number (5, 1.5, 64M), or a duration literal (5m), next? */
bool parser_peek_number(struct parser *p);
bool parser_peek_duration(struct parser *p);
/* A non-negative whole number (sizes as 64M allowed) in [min, max]. 0 or -1. */
int parser_uint(struct parser *p, const char *what, uint64_t min, uint64_t max, uint64_t *out, struct err *e);
/* A duration literal; months as in dur_parse, NULL: calendar units refused with the reason. */
int parser_duration(struct parser *p, const char *what, int64_t *ns, int64_t *months, struct err *e);
/* The next token as it is written, in the arena: in the size of a window `1d` and `24h` are two things. */
const char *parser_peek_text(struct parser *p);
/* The same with a sign allowed (`within -1h to 2h`); *ns and *months carry it. */
int parser_duration_signed(struct parser *p, const char *what, int64_t *ns, int64_t *months, struct err *e);
/* A number literal, optionally signed. */
int parser_number(struct parser *p, const char *what, double *out, struct err *e);
/* A quoted string, or a regex literal (type in value). false if the next token is neither (nothing tried is lost). */
bool parser_accept_literal(struct parser *p, struct value *out);
/* A quoted string only; *n (may be NULL) its length, since it may hold NUL bytes. */
bool parser_accept_string(struct parser *p, const char **s, size_t *n);
/* Raw text to the next blank outside the word's own brackets, to a `|` or the end of the stage: URLs and file names, or a quoted string. NULL on error. */
const char *parser_raw_word(struct parser *p, const char *what, struct err *e);
/* Raw text to the end of the stage (for `exec`), quotes and all; quotes and a `\` protect `|` and newlines, `||` ends nothing.
 * Blanks at its end are cut. NULL on error. */
const char *parser_raw_rest(struct parser *p, const char *what, struct err *e);
/* An expression; stops before a name or punctuation that cannot continue it. NULL on error. */
struct node *parser_expr(struct parser *p, struct err *e);

/* One item of a key list or projection. */
struct item {
	const char *name;  /* output name, NUL-terminated; "*" for `*` */
	struct node *expr; /* NULL: `*` */
	struct pos pos;
};
struct items {
	struct item *at;
	uint32_t n;
};

/* KEYS = [name =] E {, [name =] E}: a path takes its last component as name, another unnamed expression is an error that asks for a
 * name; duplicate names are an error. 0 or -1. */
int parser_keys(struct parser *p, struct items *out, struct err *e);
/* Map items: as KEYS, and `*` at most once when `star` is allowed. `assign_only`: every item must be NAME = E. */
int parser_items(struct parser *p, bool star, bool assign_only, struct items *out, struct err *e);

/* Canonical text: an item whose name follows from its path is printed without it. */
void item_print(struct buf *b, const struct item *it);

/* One expression from a string, for --explain, tests and options; NULL on error. */
struct node *parse_expr_text(struct arena *a, const char *text, struct err *e);

/* Advice about a stage word that is no stage: another tool's word (`where`), or a word that the shell cut off its stage
 * (strm words count by word), with the command as it should be. `unit` is where the word stands. Returns -1 (and sets e->hint if it knows
 * something; the first hint stands). */
int parse_stage_hint(struct err *e, const char *word, const struct source_unit *units, int n_units, int unit);
/* Advice to quote, when a stage ended too soon and the next argument looks like its rest (strm filter status). */
int parse_quote_hint(struct err *e, const struct source_unit *units, int n_units, int unit);
/* Likewise for a word where an operator may stand (`like`, `is`); `word` of n bytes. */
int parse_operator_hint(struct err *e, const char *word, size_t n);

/* Render an error with its place: the message, the source line, a caret under the column, the hint. Text for stderr:
 *
 *     strm: stage 2, column 7: expected `by`, `as` or the end of the stage, found `bye`
 *       count bye word
 *             ^~~
 *     hint: did you mean `by`?
 *
 * "stage K, line L, column C" if the argument has several lines, "FILE:L:C" for a -f file; columns count characters from 1. An error
 * without a place is one line. A line is cut to 100 columns around the caret, `...` marks the cuts; control and malformed bytes are
 * shown as `.`. */
void err_render(struct buf *out, const struct err *e, const struct source_unit *units, int n_units);

#endif

/* Stages and the tokens, words and clauses within one. Expressions are in parse_expr.c, items and numbers in parse_item.c. */
#include "expr/parse_impl.h"

#include <assert.h>

#include "base/nearest.h"
#include "expr/prec.h"

#define SHOW_MAX 40 /* bytes of a token quoted in a message */

struct arena *parser_arena(struct parser *p) { return p->lx.a; }

static void token_forget(struct parser *p)
{
	p->tok_known = false;
	p->n_tried = 0;
	p->after_expr = false;
	p->lit_failed = false;
}

static void open_unit(struct parser *p, int unit)
{
	const struct source_unit *u = &p->units[unit];

	p->lx.unit = unit;
	p->lx.p = u->text;
	p->lx.n = u->n > PARSE_TEXT_MAX ? 0 : (int)u->n;
	p->at = 0;
	p->has_stage = false;
	token_forget(p);
}

struct parser *parser_new(struct arena *a, const struct source_unit *units, int n_units, const struct program_var *vars,
			  int n_vars)
{
	struct parser *p = arena_new(a, struct parser);

	p->lx = (struct lexer){ .a = a, .vars = vars, .n_vars = n_vars, .p = "" };
	p->units = units;
	p->n_units = n_units;
	p->lx.unit = -1;
	return p;
}

static struct bracket *top(struct parser *p) { return p->n_stack ? &p->stack[p->n_stack - 1] : NULL; }

static bool in_chain(struct parser *p) { return p->n_stack && top(p)->kind == BR_CHAIN; }

struct pos parser_token_pos(struct parser *p, const struct token *t)
{
	bool end = t->kind == TK_EOF || t->kind == TK_NEWLINE;

	if (end && p->prev.kind != TK_EOF)
		return lex_pos(&p->lx, p->prev.at + p->prev.n, 0);
	return lex_pos(&p->lx, t->at, end ? 0 : t->n);
}

/* `|` and the end of the unit have no place in brackets. */
static void check_open(struct parser *p)
{
	struct bracket *b = top(p);
	struct token *t = &p->tok;
	int at = t->at;

	if (!b || (t->kind == TK_PIPE && b->kind == BR_CHAIN))
		return;
	if (t->kind == TK_EOF) {
		lex_fail(&p->lx, t, b->pos.at, 1, &p->tok_err, "`%s` is not closed before the end of the %s", b->open,
			 p->units[p->lx.unit].file ? "file" : "argument");
	} else if (t->kind == TK_PIPE) {
		lex_fail(&p->lx, t, at, 1, &p->tok_err, "`|` inside `%s`", b->open);
		err_hint(&p->tok_err, "`|` ends a stage: close the `%s` first, or write `||` for or", b->open);
	}
	t->at = at;
}

const struct token *parser_peek_token(struct parser *p, enum lex_mode mode)
{
	if (p->tok_known && p->tok_mode == mode)
		return &p->tok;
	/* only these two read differently */
	if (p->tok_known && p->lx.p[p->tok.at] != '/' && p->lx.p[p->tok.at] != '.')
		return &p->tok;
	p->lx.newline_blank = p->n_stack > 0;
	lex(&p->lx, p->at, mode, &p->tok, &p->tok_err);
	p->tok_known = true;
	p->tok_mode = mode;
	check_open(p);
	if (p->limit)
		lex_fail(&p->lx, &p->tok, p->tok.at, p->tok.n, &p->tok_err, "%s", p->limit);
	return &p->tok;
}

static void bracket_push(struct parser *p, const struct token *t)
{
	if (p->n_stack == PARSE_DEPTH_MAX) {
		p->limit = "nested too deeply: more than 200 brackets";
		static_assert(PARSE_DEPTH_MAX == 200, "the message says 200");
		return;
	}
	p->stack[p->n_stack++] = (struct bracket){ .open = t->punct, .pos = lex_pos(&p->lx, t->at, 1) };
}

void parser_skip_to(struct parser *p, int end, const struct token *t)
{
	p->prev = *t;
	p->prev.n = end - t->at;
	p->at = end;
	token_forget(p);
	if (++p->n_tokens > PARSE_TOKENS_MAX)
		p->limit = "the stage is too long: more than 100000 tokens";
	static_assert(PARSE_TOKENS_MAX == 100000, "the message says 100000");
}

void parser_advance(struct parser *p)
{
	struct token t = p->tok;

	if (t.kind == TK_ERR || t.kind == TK_EOF)
		return;
	if (t.kind == TK_PUNCT && strchr("([{", *t.punct))
		bracket_push(p, &t);
	else if (t.kind == TK_PUNCT && strchr(")]}", *t.punct) && p->n_stack)
		p->n_stack--;
	parser_skip_to(p, t.at + t.n, &t);
}

bool parser_second(struct parser *p, enum lex_mode mode, struct token *t)
{
	struct err scratch;

	lex(&p->lx, p->tok.at + p->tok.n, mode, t, &scratch);
	return t->kind != TK_ERR;
}

bool parser_bracket_name(struct parser *p, struct token *name, int *end)
{
	struct token close;
	struct err scratch;
	struct lexer lx = p->lx;

	lx.newline_blank = true;
	lex(&lx, p->tok.at + p->tok.n, LEX_OPERAND, name, &scratch);
	if (name->kind != TK_STR)
		return false;
	lex(&lx, name->at + name->n, LEX_OPERATOR, &close, &scratch);
	*end = close.at + close.n;
	return lex_is(&close, "]");
}

/* What was tried, for messages. */

void parser_tried(struct parser *p, const char *what, bool quoted)
{
	for (int i = 0; i < p->n_tried; i++)
		if (!strcmp(p->tried[i].what, what))
			return;
	if (p->n_tried < TRIED_MAX)
		p->tried[p->n_tried++] = (struct tried){ what, quoted };
}

static bool is_end(struct parser *p, const struct token *t)
{
	return t->kind == TK_EOF || t->kind == TK_NEWLINE || t->kind == TK_PIPE || (in_chain(p) && lex_is(t, ")"));
}

/* The token as the user wrote it, cut at a character. */
static int show_length(struct parser *p, const struct token *t)
{
	int n = t->n > SHOW_MAX ? SHOW_MAX : t->n;

	while (n < t->n && n > 1 && ((unsigned char)p->lx.p[t->at + n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* "`a`, `b` or what": what was tried here, and what else could stand (NULL: nothing). */
static void list_tried(struct parser *p, struct buf *b, const char *what)
{
	int n = p->n_tried;
	const char *before = "";

	if (p->after_expr) {
		buf_str(b, "an operator");
		before = n + !!what > 1 ? ", " : " or ";
	}
	for (int i = 0; i < n; i++) {
		const char *q = p->tried[i].quoted ? "`" : "";

		buf_printf(b, "%s%s%s%s", before, q, p->tried[i].what, q);
		before = i + 2 < n + !!what ? ", " : " or ";
	}
	if (what)
		buf_printf(b, "%s%s", before, what);
}

static void nearest_hint(struct parser *p, const struct token *t, struct err *e)
{
	struct nearest s;

	nearest_init(&s, t->lit.s, t->lit.n);
	for (int i = 0; i < p->n_tried; i++)
		if (p->tried[i].quoted && name_start(*p->tried[i].what))
			nearest_offer(&s, p->tried[i].what);
	for (int i = 0; p->after_expr && i < OP_COUNT_; i++)
		if (op_info((enum op_code)i)->word)
			nearest_offer(&s, op_info((enum op_code)i)->word);
	if (s.best)
		err_hint(e, "did you mean `%s`?", s.best);
}

/* Advice on punctuation that came after an expression. */
static void punct_hint(struct parser *p, const struct token *t, struct err *e)
{
	if (lex_is(t, "="))
		err_hint(e, "`=` assigns; compare with `==`");
	else if (lex_is(t, "<=>"))
		err_hint(e, "compare with `<`, `==` or `>`; `<=>` stands in `join ... on a <=> b`, where null matches null");
	else if (lex_is(t, "(") && p->prev.kind == TK_NAME && t->blank_before)
		err_hint(e, "a call has no blank before its `(`: %.*s(...)", show_length(p, &p->prev), p->lx.p + p->prev.at);
	else if (lex_is(t, "(") && p->prev.kind == TK_NAME)
		err_hint(e, "a function takes its value as an argument: %.*s(...)", show_length(p, &p->prev),
			 p->lx.p + p->prev.at);
	else if (lex_is(t, "[") && t->blank_before)
		err_hint(e, "an index has no blank before its `[`");
	else if (strchr(")]}", *t->punct) && !p->n_stack)
		err_hint(e, "no `%s` is open here", *t->punct == ')' ? "(" : *t->punct == ']' ? "[" : "{");
}

static void token_hint(struct parser *p, const struct token *t, struct err *e)
{
	if (t->kind == TK_NAME) {
		if (p->after_expr)
			parse_operator_hint(e, t->lit.s, t->lit.n);
		if (p->after_expr && (lex_is_word(&p->prev, "if") || lex_is_word(&p->prev, "case")))
			parse_operator_hint(e, p->prev.lit.s, p->prev.lit.n);
		nearest_hint(p, t, e);
	} else if (lex_is(t, ";") && !p->n_stack) {
		err_hint(e, "stages are separated by `|`");
	} else if (t->kind == TK_PUNCT && p->after_expr) {
		punct_hint(p, t, e);
	} else if (lex_is(t, "=")) {
		err_hint(e, "`=` stands only after the name of a target; compare with `==`");
	} else if (t->kind == TK_EOF) {
		parse_quote_hint(e, p->units, p->n_units, p->lx.unit);
	}
}

static int take_error(struct err *e, const struct err *from)
{
	if (!e->kind)
		*e = *from;
	return -1;
}

int parser_expected(struct parser *p, const char *what, struct err *e)
{
	struct token t;
	struct buf b = { 0 };

	if (p->lit_failed)
		return take_error(e, &p->lit_err);
	t = *parser_peek_token(p, LEX_OPERATOR);
	if (t.kind == TK_ERR)
		return take_error(e, &p->tok_err);
	list_tried(p, &b, what);
	if (is_end(p, &t))
		err_at(e, parser_token_pos(p, &t), "expected %s, found the end of the %s", buf_cstr(&b),
		       p->n_stages ? "stage" : "expression");
	else
		err_at(e, parser_token_pos(p, &t), "expected %s, found `%.*s`", buf_cstr(&b), show_length(p, &t), p->lx.p + t.at);
	token_hint(p, &t, e);
	buf_release(&b);
	return -1;
}

/* A malformed literal is told as such even if an operator could stand here (`/` divides). */
int parser_no_operand(struct parser *p, const char *what, struct err *e)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);

	if (t->kind == TK_ERR)
		return take_error(e, &p->tok_err);
	return parser_expected(p, what, e);
}

int parser_expect(struct parser *p, const char *punct, struct err *e)
{
	return parser_accept(p, punct) ? 0 : parser_expected(p, NULL, e);
}

/* Stages. */

static int empty_stage(struct parser *p, int at, const char *where, struct err *e)
{
	err_at(e, lex_pos(&p->lx, at, 1), "empty stage %s `|`", where);
	if (!p->units[p->lx.unit].file && !p->has_stage)
		err_hint(e, "an argument is a stage already and needs no `|` before it");
	return -1;
}

static int next_unit(struct parser *p, struct err *e)
{
	const struct source_unit *u;

	if (p->lx.unit >= 0 && !p->has_stage) {
		u = &p->units[p->lx.unit];
		if (!u->file && !memchr(u->text, '#', u->n)) {
			err_at(e, lex_pos(&p->lx, 0, 0), "empty stage: argument %d of the program is blank", u->arg);
			return err_hint(e, "a shell variable without a value?");
		}
	}
	if (p->lx.unit + 1 >= p->n_units)
		return 0;
	open_unit(p, p->lx.unit + 1);
	u = &p->units[p->lx.unit];
	if (u->n > PARSE_TEXT_MAX)
		return err_at(e, lex_pos(&p->lx, 0, 0), "the program is too long: %zu bytes, at most %zu", u->n, PARSE_TEXT_MAX);
	return 1;
}

static int stage_word(struct parser *p, const char **word, struct pos *pos, struct err *e)
{
	const struct token *t = parser_peek_token(p, LEX_OPERATOR);
	char *text;

	if (t->kind == TK_ERR)
		return take_error(e, &p->tok_err);
	*pos = parser_token_pos(p, t);
	text = arena_str(p->lx.a, p->lx.p + t->at, (size_t)t->n);
	if (t->kind != TK_NAME) {
		err_at(e, *pos, "expected a stage, found `%.*s`", show_length(p, t), text);
		return parse_stage_hint(e, text, p->units, p->n_units, p->lx.unit);
	}
	*word = text;
	if (in_chain(p))
		top(p)->has_stage = true;
	else
		p->n_stages = p->lx.stage;
	p->has_stage = true;
	p->in_stage = true;
	parser_advance(p);
	return 1;
}

/* The `)` of a chain in place. */
static int chain_end(struct parser *p, int pipe, struct err *e)
{
	if (pipe >= 0)
		return empty_stage(p, pipe, "after", e);
	if (!top(p)->has_stage)
		return err_at(e, top(p)->pos, "the chain in `( )` has no stage");
	parser_advance(p);
	p->in_stage = true;
	return 0;
}

static void stage_reset(struct parser *p)
{
	if (!in_chain(p))
		p->lx.stage = p->n_stages + 1;
	p->n_tokens = 0;
	p->depth = 0;
	p->prev = (struct token){ .kind = TK_EOF };
	token_forget(p);
}

int parser_stage(struct parser *p, const char **word, struct pos *pos, struct err *e)
{
	int pipe = -1, rc;

	if (p->in_stage && parser_end(p, e))
		return -1;
	p->in_stage = false;
	stage_reset(p);
	for (;;) {
		const struct token *t = parser_peek_token(p, LEX_OPERATOR);

		if (t->kind == TK_PIPE) {
			if (pipe >= 0 || !(in_chain(p) ? top(p)->has_stage : p->has_stage))
				return empty_stage(p, t->at, "before", e);
			pipe = t->at;
			parser_advance(p);
		} else if (t->kind == TK_NEWLINE) {
			parser_advance(p);
		} else if (t->kind != TK_EOF) {
			return in_chain(p) && lex_is(t, ")") ? chain_end(p, pipe, e) : stage_word(p, word, pos, e);
		} else if (pipe >= 0) {
			return empty_stage(p, pipe, "after", e);
		} else {
			rc = next_unit(p, e);
			if (rc <= 0)
				return rc;
		}
	}
}

bool parser_accept_chain(struct parser *p)
{
	if (!parser_accept(p, "("))
		return false;
	if (p->n_stack)
		top(p)->kind = BR_CHAIN;
	p->in_stage = false;
	return true;
}

struct pos parser_pos(struct parser *p) { return parser_token_pos(p, parser_peek_token(p, LEX_OPERATOR)); }

bool parser_at_end(struct parser *p) { return is_end(p, parser_peek_token(p, LEX_OPERATOR)); }

bool parser_at_newline(struct parser *p)
{
	return p->n_stack && top(p)->kind == BR_BLOCK && parser_peek_token(p, LEX_OPERATOR)->nl_before;
}

int parser_end(struct parser *p, struct err *e)
{
	if (parser_at_end(p))
		return 0;
	return parser_expected(p, p->n_stages ? "the end of the stage" : "the end of the expression", e);
}

/* Words and punctuation. */

bool parser_peek_word(struct parser *p, const char *word)
{
	parser_tried(p, word, true);
	return lex_is_word(parser_peek_token(p, LEX_OPERATOR), word);
}

bool parser_accept_word(struct parser *p, const char *word)
{
	bool is = parser_peek_word(p, word);

	if (is)
		parser_advance(p);
	return is;
}

bool parser_peek(struct parser *p, const char *punct)
{
	parser_tried(p, punct, true);
	return lex_is(parser_peek_token(p, LEX_OPERATOR), punct);
}

bool parser_accept(struct parser *p, const char *punct)
{
	if (!parser_peek(p, punct))
		return false;
	parser_advance(p);
	if (*punct == '{' && p->n_stack)
		top(p)->kind = BR_BLOCK;
	return true;
}

/* Raw text. */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

/* Blanks inside the word's own brackets belong to it, if those are closed. */
static int raw_word_end(struct parser *p, int i)
{
	const char *s = p->lx.p;
	int open = 0, first_blank = -1;

	for (; i < p->lx.n && s[i] != '\n' && s[i] != '|'; i++) {
		if (is_blank(s[i])) {
			if (!open)
				break;
			if (first_blank < 0)
				first_blank = i;
		} else if (strchr("([{", s[i]) && s[i]) {
			open++;
		} else if (strchr(")]}", s[i]) && s[i]) {
			if (!open && p->n_stack && s[i] == ')')
				break;
			open -= open > 0;
			if (!open)
				first_blank = -1;
		}
	}
	return open && first_blank >= 0 ? first_blank : i;
}

/* Byte of the quote that closes the one at i, or -1. */
static int raw_quote_end(const struct lexer *lx, int i)
{
	char quote = lx->p[i];

	for (i++; i < lx->n; i++) {
		if (lx->p[i] == quote)
			return i;
		if (quote == '"' && lx->p[i] == '\\')
			i++;
	}
	return -1;
}

static int raw_rest_end(struct parser *p, int i, struct err *e)
{
	const char *s = p->lx.p;
	int open = 0, from;

	for (; i < p->lx.n && s[i] != '\n'; i++) {
		if (s[i] == '\'' || s[i] == '"') {
			from = i;
			i = raw_quote_end(&p->lx, i);
			if (i < 0)
				return err_at(e, lex_pos(&p->lx, from, 1), "the quote is not closed");
		} else if (s[i] == '\\') {
			i += s[i + 1] == '\r' && s[i + 2] == '\n' ? 2 : i + 1 < p->lx.n;
		} else if (s[i] == '|') {
			if (s[i + 1] != '|')
				break;
			i++;
		} else if (s[i] == '(') {
			open++;
		} else if (s[i] == ')') {
			if (!open && p->n_stack)
				break;
			open -= open > 0;
		}
	}
	return i;
}

static const char *raw_take(struct parser *p, int at, int end, struct err *e)
{
	struct token t = { .kind = TK_STR, .at = at, .n = end - at };

	if (memchr(p->lx.p + at, 0, (size_t)(end - at))) {
		err_at(e, lex_pos(&p->lx, at, end - at), "text with a NUL byte");
		return NULL;
	}
	parser_skip_to(p, end, &t);
	return arena_str(p->lx.a, p->lx.p + at, (size_t)(end - at));
}

const char *parser_raw_word(struct parser *p, const char *what, struct err *e)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);
	int at = t->at, end;
	const char *s;

	if (p->limit || is_end(p, t)) {
		parser_expected(p, what, e);
		return NULL;
	}
	if (p->lx.p[at] == '"' || p->lx.p[at] == '\'') {
		if (t->kind == TK_ERR) {
			take_error(e, &p->tok_err);
			return NULL;
		}
		s = parser_token_name(p, t, e);
		parser_advance(p);
		return s;
	}
	end = raw_word_end(p, at);
	if (end == at) {
		parser_expected(p, what, e);
		return NULL;
	}
	return raw_take(p, at, end, e);
}

const char *parser_raw_rest(struct parser *p, const char *what, struct err *e)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);
	int at = t->at, end;

	if (p->limit || is_end(p, t)) {
		parser_expected(p, what, e);
		return NULL;
	}
	end = raw_rest_end(p, at, e);
	if (end < 0)
		return NULL;
	while (end > at && is_blank(p->lx.p[end - 1]))
		end--;
	if (end == at) {
		parser_expected(p, what, e);
		return NULL;
	}
	return raw_take(p, at, end, e);
}

/* Literals, numbers and names in clauses; key lists and map items. */
#include "expr/parse_impl.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/num.h"

bool parser_accept_string(struct parser *p, const char **s, size_t *n)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);

	parser_tried(p, "a string", false);
	if (t->kind != TK_STR)
		return false;
	*s = t->lit.s;
	if (n)
		*n = t->lit.n;
	parser_advance(p);
	return true;
}

bool parser_accept_literal(struct parser *p, struct value *out)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);

	parser_tried(p, "a string", false);
	parser_tried(p, "a /regex/", false);
	if (t->kind == TK_ERR && !p->lit_failed) {
		p->lit_failed = true;
		p->lit_err = p->tok_err;
	}
	if (t->kind != TK_STR && t->kind != TK_REGEX)
		return false;
	*out = t->lit;
	parser_advance(p);
	return true;
}

const char *parser_token_name(struct parser *p, const struct token *t, struct err *e)
{
	if (t->lit.n && memchr(t->lit.s, 0, t->lit.n)) {
		err_at(e, lex_pos(&p->lx, t->at, t->n), "a name or path cannot hold a NUL byte");
		return NULL;
	}
	return t->kind == TK_STR ? t->lit.s : arena_str(p->lx.a, t->lit.s, t->lit.n);
}

const char *parser_name(struct parser *p, const char *what, uint32_t *n, struct err *e)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);
	struct token name = *t;
	int at = t->at, end = t->at + t->n;
	bool bracket = lex_is(t, "[") && parser_bracket_name(p, &name, &end);
	const char *s;

	if (!bracket && t->kind != TK_NAME && t->kind != TK_STR && t->kind != TK_COLUMN) {
		parser_no_operand(p, what, e);
		return NULL;
	}
	s = parser_token_name(p, &name, e);
	if (n)
		*n = name.lit.n;
	name.at = at;
	parser_skip_to(p, end, &name);
	return s;
}

bool parser_peek_assign(struct parser *p)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);
	struct token name, next;
	struct err scratch;
	int end = t->at + t->n;

	if (t->kind != TK_NAME && t->kind != TK_STR && t->kind != TK_COLUMN &&
	    !(lex_is(t, "[") && parser_bracket_name(p, &name, &end)))
		return false;
	lex(&p->lx, end, LEX_OPERATOR, &next, &scratch);
	return lex_is(&next, "=");
}

/* Numbers. */

bool parser_peek_number(struct parser *p)
{
	parser_tried(p, "a number", false);
	return parser_peek_token(p, LEX_OPERAND)->kind == TK_NUM;
}

bool parser_peek_duration(struct parser *p)
{
	parser_tried(p, "a duration", false);
	return parser_peek_token(p, LEX_OPERAND)->kind == TK_DUR;
}

static bool token_uint(const struct token *t, uint64_t *out)
{
	int64_t i = t->lit.i;

	if (t->kind != TK_NUM || (t->lit.type == T_FLOAT && !num_double_to_int(t->lit.f, &i)))
		return false;
	*out = (uint64_t)i;
	return true;
}

int parser_uint(struct parser *p, const char *what, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	struct token t = *parser_peek_token(p, LEX_OPERAND);
	struct pos pos = lex_pos(&p->lx, t.at, t.n);
	const char *text = p->lx.p + t.at;
	bool huge = t.kind == TK_NUM && t.lit.type == T_FLOAT && t.lit.f >= 9.2e18;

	if (!huge && !token_uint(&t, out))
		return parser_no_operand(p, what, e);
	if (huge || *out < min || *out > max) {
		if (max >= INT64_MAX)
			return err_at(e, pos, "expected %s of at least %" PRIu64 ", found `%.*s`", what, min, t.n, text);
		return err_at(e, pos, "expected %s from %" PRIu64 " to %" PRIu64 ", found `%.*s`", what, min, max, t.n, text);
	}
	parser_advance(p);
	return 0;
}

int parser_number(struct parser *p, const char *what, double *out, struct err *e)
{
	bool minus = lex_is(parser_peek_token(p, LEX_OPERAND), "-");
	const struct token *t;

	if (minus || lex_is(parser_peek_token(p, LEX_OPERAND), "+"))
		parser_advance(p);
	t = parser_peek_token(p, LEX_OPERAND);
	if (t->kind != TK_NUM)
		return parser_no_operand(p, what, e);
	*out = t->lit.type == T_INT ? (double)t->lit.i : t->lit.f;
	if (minus)
		*out = -*out;
	parser_advance(p);
	return 0;
}

int parser_duration(struct parser *p, const char *what, int64_t *ns, int64_t *months, struct err *e)
{
	struct token t = *parser_peek_token(p, LEX_OPERAND);
	const char *text = p->lx.p + t.at;

	if (t.kind != TK_DUR) {
		parser_no_operand(p, what, e);
		if (t.kind == TK_NUM)
			err_hint(e, "a duration has a unit: `%.*ss` is seconds", t.n > 20 ? 20 : t.n, text);
		return -1;
	}
	if (t.months && !months) {
		err_at(e, lex_pos(&p->lx, t.at, t.n), "`%.*s` has no fixed length", t.n, text);
		return err_hint(e, "months and years are window sizes only; a day is 24h here: `30d`");
	}
	*ns = t.lit.i;
	if (months)
		*months = t.months;
	parser_advance(p);
	return 0;
}

const char *parser_peek_text(struct parser *p)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);

	return arena_str(parser_arena(p), p->lx.p + t->at, (size_t)t->n);
}

int parser_duration_signed(struct parser *p, const char *what, int64_t *ns, int64_t *months, struct err *e)
{
	bool minus = parser_accept(p, "-");

	if (!minus)
		parser_accept(p, "+");
	p->n_tried = 0;
	if (parser_duration(p, what, ns, months, e))
		return -1;
	if (minus) {
		*ns = -*ns;
		if (months)
			*months = -*months;
	}
	return 0;
}

/* Items. */

struct named {
	const char *name;
	uint32_t at;
};

static int named_cmp(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

int names_repeated(const char *const *names, uint32_t n)
{
	struct named *s = xmalloc(n * sizeof *s);
	int first = -1;

	for (uint32_t i = 0; i < n; i++)
		s[i] = (struct named){ names[i], i };
	qsort(s, n, sizeof *s, named_cmp);
	for (uint32_t i = 1; i < n; i++)
		if (!strcmp(s[i - 1].name, s[i].name) && (first < 0 || (int)s[i].at < first))
			first = (int)s[i].at;
	free(s);
	return first;
}

/* The name that an expression gives itself: the last component of a path, the name of a special value. */
static const char *own_name(const struct node *n)
{
	const struct node *base = n;

	while (base->kind == N_MEMBER)
		base = base->kids[0];
	return base->kind == N_FIELD || base->kind == N_SPECIAL ? n->name : NULL;
}

static int no_name(struct parser *p, struct pos pos, const struct node *n, struct err *e)
{
	struct buf text = { 0 }, left = { 0 };

	pos.n = p->prev.at + p->prev.n - pos.at;
	node_print(&text, n);
	err_at(e, pos, "the expression needs a name");
	if (n->kind == N_BINARY && n->op == OP_EQ && own_name(n->kids[0])) {
		node_print(&left, n->kids[0]);
		err_hint(e, "`==` compares; `%.60s = ...` sets", buf_cstr(&left));
	} else {
		err_hint(e, "write `NAME = %.120s`", buf_cstr(&text));
	}
	buf_release(&text);
	buf_release(&left);
	return -1;
}

static int item_parse(struct parser *p, bool assign_only, struct item *it, struct err *e)
{
	it->pos = lex_pos(&p->lx, parser_peek_token(p, LEX_OPERAND)->at, p->tok.n);
	it->name = NULL;
	if (parser_peek_assign(p)) {
		it->name = parser_name(p, "a name", NULL, e);
		if (!it->name || parser_expect(p, "=", e))
			return -1;
	} else if (assign_only) {
		return parser_no_operand(p, "a target: `name = ...`", e);
	}
	it->expr = parser_expr(p, e);
	if (!it->expr)
		return -1;
	if (!it->name)
		it->name = own_name(it->expr);
	return it->name ? 0 : no_name(p, it->pos, it->expr, e);
}

static int items_unique(struct parser *p, const struct items *items, struct err *e)
{
	const char **names = arena_array(p->lx.a, const char *, items->n);
	int i;

	for (uint32_t k = 0; k < items->n; k++)
		names[k] = items->at[k].expr ? items->at[k].name : ""; /* `*` is no name; it is checked by itself */
	i = names_repeated(names, items->n);
	if (i < 0)
		return 0;
	if (!items->at[i].expr)
		return err_at(e, items->at[i].pos, "`*` stands once at most");
	err_at(e, items->at[i].pos, "the name `%.60s` is given twice", items->at[i].name);
	return err_hint(e, "give one of them another name: `NAME = ...`");
}

int parser_items(struct parser *p, bool star, bool assign_only, struct items *out, struct err *e)
{
	*out = (struct items){ 0 };
	do {
		struct item it = { .name = "*" };

		if (star && parser_peek(p, "*")) {
			it.pos = parser_pos(p);
			parser_advance(p);
		} else if (item_parse(p, assign_only, &it, e)) {
			return -1;
		}
		arena_push(p->lx.a, out->at, out->n, it);
	} while (parser_accept(p, ","));
	return items_unique(p, out, e);
}

int parser_keys(struct parser *p, struct items *out, struct err *e) { return parser_items(p, false, false, out, e); }

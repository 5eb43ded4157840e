/* Expressions, by precedence climbing. */
#include "expr/parse_impl.h"

#include "expr/prec.h"

static struct node *parse_binary(struct parser *p, enum prec least, struct err *e);
static struct node *parse_unary(struct parser *p, struct err *e);

int parser_enter(struct parser *p, struct err *e)
{
	if (p->depth >= PARSE_DEPTH_MAX)
		return err_at(e, parser_pos(p), "the expression is nested too deeply: more than %d levels", PARSE_DEPTH_MAX);
	p->depth++;
	return 0;
}

/* The next token where an operator may stand; NULL: a newline has ended the statement. */
static const struct token *peek_operator(struct parser *p)
{
	return parser_at_newline(p) ? NULL : parser_peek_token(p, LEX_OPERATOR);
}

static bool next_is(struct parser *p, const char *punct)
{
	const struct token *t = peek_operator(p);

	return t && lex_is(t, punct);
}

static struct node *node_new(struct parser *p, enum node_kind kind, struct pos pos)
{
	struct node *n = arena_new(p->lx.a, struct node);

	n->kind = (uint8_t)kind;
	n->pos = pos;
	n->height = 1;
	return n;
}

/* Give n its kids. NULL when the tree is too tall. */
static struct node *node_adopt(struct node *n, struct node **kids, uint32_t n_kids, struct err *e)
{
	n->kids = kids;
	n->n_kids = n_kids;
	for (uint32_t i = 0; i < n_kids; i++)
		if (n->height <= kids[i]->height)
			n->height = kids[i]->height + 1;
	if (n->height <= PARSE_HEIGHT_MAX)
		return n;
	err_at(e, n->pos, "the expression is too long: more than %d operators in a row", PARSE_HEIGHT_MAX);
	err_hint(e, "many values are compared at once with `in`: x in [1, 2, 3]");
	return NULL;
}

static struct node *node_adopt_two(struct parser *p, struct node *n, struct node *a, struct node *b, struct err *e)
{
	struct node **kids = arena_array(p->lx.a, struct node *, 2);

	kids[0] = a;
	kids[1] = b;
	return node_adopt(n, kids, b ? 2 : 1, e);
}

static void node_name(struct parser *p, struct node *n, const struct token *t)
{
	n->name = arena_str(p->lx.a, t->lit.s, t->lit.n);
	n->name_n = t->lit.n;
}

/* Operands. */

static struct node *parse_lit(struct parser *p, struct value v, bool spelled)
{
	const struct token *t = &p->tok;
	struct node *n = node_new(p, N_LIT, parser_token_pos(p, t));

	n->lit = v;
	if (spelled)
		n->spelling = arena_str(p->lx.a, p->lx.p + t->at, (size_t)t->n);
	parser_advance(p);
	return n;
}

static struct node *parse_named(struct parser *p, enum node_kind kind)
{
	struct node *n = node_new(p, kind, parser_token_pos(p, &p->tok));

	node_name(p, n, &p->tok);
	parser_advance(p);
	return n;
}

/* Behind `count(`: is `distinct` the modifier (an operand follows), not a field? */
static bool accept_distinct(struct parser *p)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);
	struct token next;

	if (!lex_is_word(t, "distinct") || !parser_second(p, LEX_OPERATOR, &next) || !next.blank_before)
		return false;
	if (next.kind == TK_NAME && op_of_word(next.lit.s, next.lit.n) >= 0)
		return false;
	if (next.kind == TK_PUNCT ? !strchr("([{!", *next.punct) || next.n > 1 : next.kind < TK_NAME)
		return false;
	parser_advance(p);
	return true;
}

/* Expressions up to `close`, a trailing comma allowed where `trailing`. */
static int parse_list_to(struct parser *p, const char *close, bool trailing, struct node *n, struct err *e)
{
	struct node **kids = NULL, *kid;
	uint32_t n_kids = 0;

	while (!((n_kids == 0 || trailing) && parser_accept(p, close))) {
		kid = parser_expr(p, e);
		if (!kid)
			return -1;
		arena_push(p->lx.a, kids, n_kids, kid);
		if (parser_accept(p, ","))
			continue;
		if (parser_expect(p, close, e))
			return -1;
		break;
	}
	return node_adopt(n, kids, n_kids, e) ? 0 : -1;
}

static struct node *parse_call(struct parser *p, struct err *e)
{
	struct node *n = parse_named(p, N_CALL);
	struct token next;

	parser_peek_token(p, LEX_OPERATOR);
	parser_advance(p); /* the parenthesis that made it a call */
	n->distinct = accept_distinct(p);
	if (lex_is(parser_peek_token(p, LEX_OPERAND), "*") && parser_second(p, LEX_OPERATOR, &next) && lex_is(&next, ")")) {
		err_at(e, parser_pos(p), "`*` is no argument");
		err_hint(e, "%.40s() without an argument is about records", n->name);
		return NULL;
	}
	return parse_list_to(p, ")", false, n, e) ? NULL : n;
}

static struct node *parse_not_here(struct parser *p, struct err *e)
{
	err_at(e, parser_pos(p), "`not` binds looser than what is before it");
	err_hint(e, "write `!`, or parentheses: (not a)");
	return NULL;
}

static struct node *parse_word(struct parser *p, struct err *e)
{
	const struct token *t = &p->tok;

	if (lex_is_word(t, "true"))
		return parse_lit(p, v_bool(true), false);
	if (lex_is_word(t, "false"))
		return parse_lit(p, v_bool(false), false);
	if (lex_is_word(t, "null"))
		return parse_lit(p, v_null(), false);
	if (lex_is_word(t, "not"))
		return parse_not_here(p, e);
	if (p->lx.p[t->at + t->n] == '(')
		return parse_call(p, e);
	return parse_named(p, N_FIELD);
}

static struct node *parse_parens(struct parser *p, struct err *e)
{
	struct node *n;

	parser_advance(p);
	n = parser_expr(p, e);
	if (!n || parser_accept(p, ")"))
		return n;
	parser_expected(p, NULL, e);
	if (next_is(p, ","))
		err_hint(e, "a list is written [a, b]");
	return NULL;
}

/* `["odd name"]` or a list. */
static struct node *parse_bracket(struct parser *p, struct err *e)
{
	struct token open = p->tok, name;
	struct node *n = node_new(p, N_LIST, parser_token_pos(p, &open));
	int end;

	if (!parser_bracket_name(p, &name, &end)) {
		parser_advance(p);
		return parse_list_to(p, "]", true, n, e) ? NULL : n;
	}
	n->kind = N_FIELD;
	n->quoted = true;
	n->pos.n = end - open.at;
	if (!parser_token_name(p, &name, e))
		return NULL;
	node_name(p, n, &name);
	parser_skip_to(p, end, &open);
	return n;
}

struct entry {
	const char *key;
	struct node *value;
	struct pos pos;
};

/* `name: E`, `"odd name": E`, or `name` for `name: name`. */
static int parse_entry(struct parser *p, struct entry *out, struct err *e)
{
	struct token t = *parser_peek_token(p, LEX_OPERAND);

	out->pos = parser_token_pos(p, &t);
	out->key = parser_name(p, "a field name", NULL, e);
	if (!out->key)
		return -1;
	if (t.kind != TK_STR && !parser_peek(p, ":") && (t.kind != TK_NAME || name_is_plain(t.lit.s, t.lit.n))) {
		out->value = node_new(p, N_FIELD, out->pos);
		out->value->name = out->key;
		out->value->name_n = (uint32_t)strlen(out->key);
		return 0;
	}
	if (parser_expect(p, ":", e))
		return -1;
	out->value = parser_expr(p, e);
	return out->value ? 0 : -1;
}

static struct node *object_make(struct parser *p, struct node *n, const struct entry *at, uint32_t count, struct err *e)
{
	struct node **kids = arena_array(p->lx.a, struct node *, count);
	int again;

	n->keys = arena_array(p->lx.a, const char *, count);
	for (uint32_t i = 0; i < count; i++) {
		n->keys[i] = at[i].key;
		kids[i] = at[i].value;
	}
	again = names_repeated(n->keys, count);
	if (again >= 0) {
		err_at(e, at[again].pos, "the field `%.60s` is given twice", at[again].key);
		return NULL;
	}
	return node_adopt(n, kids, count, e);
}

static struct node *parse_object(struct parser *p, struct err *e)
{
	struct node *n = node_new(p, N_OBJECT, parser_token_pos(p, &p->tok));
	struct entry *at = NULL, entry;
	uint32_t count = 0;

	parser_advance(p);
	while (!parser_accept(p, "}")) {
		if (parse_entry(p, &entry, e))
			return NULL;
		arena_push(p->lx.a, at, count, entry);
		if (parser_accept(p, ","))
			continue;
		if (parser_expect(p, "}", e))
			return NULL;
		break;
	}
	return object_make(p, n, at, count, e);
}

static struct node *parse_duration(struct parser *p, struct err *e)
{
	int64_t ns;
	struct value v = p->tok.lit;

	if (!p->tok.months)
		return parse_lit(p, v, true);
	parser_duration(p, "a duration", &ns, NULL, e);
	return NULL;
}

static struct node *parse_primary(struct parser *p, struct err *e)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);

	switch (t->kind) {
	case TK_NAME:
		return parse_word(p, e);
	case TK_NUM:
	case TK_REGEX:
	case TK_VAR:
		return parse_lit(p, t->lit, true);
	case TK_STR:
		return parse_lit(p, t->lit, false);
	case TK_DUR:
		return parse_duration(p, e);
	case TK_COLUMN:
		return parse_named(p, N_FIELD);
	case TK_SPECIAL:
		return parse_named(p, N_SPECIAL);
	default:
		break;
	}
	if (lex_is(t, "("))
		return parse_parens(p, e);
	if (lex_is(t, "["))
		return parse_bracket(p, e);
	if (lex_is(t, "{"))
		return parse_object(p, e);
	parser_no_operand(p, "an expression", e);
	return NULL;
}

/* Postfix. */

static struct node *parse_member(struct parser *p, struct node *base, struct err *e)
{
	const struct token *t;
	struct node *n;

	parser_advance(p);
	t = parser_peek_token(p, LEX_OPERATOR);
	if (t->kind != TK_NAME && t->kind != TK_STR) {
		parser_expected(p, "a name after `.`", e);
		if (t->kind == TK_NUM)
			err_hint(e, "an element of a list is written [%.*s]", t->n > 20 ? 20 : t->n, p->lx.p + t->at);
		return NULL;
	}
	if (!parser_token_name(p, t, e))
		return NULL;
	n = node_new(p, N_MEMBER, parser_token_pos(p, t));
	n->quoted = t->kind == TK_STR;
	node_name(p, n, t);
	parser_advance(p);
	return node_adopt_two(p, n, base, NULL, e);
}

/* `a["x"]` is a member by name. */
static struct node *index_make(struct parser *p, struct node *n, struct node *base, struct node *at, struct err *e)
{
	if (at->kind != N_LIT || at->lit.type != T_STR)
		return node_adopt_two(p, n, base, at, e);
	if (at->lit.n && memchr(at->lit.s, 0, at->lit.n)) {
		err_at(e, at->pos, "a name cannot hold a NUL byte");
		return NULL;
	}
	n->kind = N_MEMBER;
	n->quoted = true;
	n->pos = at->pos;
	n->name = at->lit.s;
	n->name_n = at->lit.n;
	return node_adopt_two(p, n, base, NULL, e);
}

static struct node *parse_index(struct parser *p, struct node *base, struct err *e)
{
	struct node *n = node_new(p, N_INDEX, parser_token_pos(p, &p->tok)), *at;

	parser_advance(p);
	at = parser_expr(p, e);
	if (!at || parser_expect(p, "]", e))
		return NULL;
	return index_make(p, n, base, at, e);
}

static struct node *parse_postfix(struct parser *p, struct err *e)
{
	struct node *n = parse_primary(p, e);

	while (n) {
		const struct token *t = peek_operator(p);

		if (t && lex_is(t, "."))
			n = parse_member(p, n, e);
		else if (t && lex_is(t, "[") && !t->blank_before)
			n = parse_index(p, n, e);
		else
			break;
	}
	return n;
}

/* Operators. */

static struct node *parse_power(struct parser *p, struct err *e)
{
	struct node *base = parse_postfix(p, e), *n, *right;

	if (!base || !next_is(p, "**"))
		return base;
	n = node_new(p, N_BINARY, parser_token_pos(p, &p->tok));
	n->op = OP_POW;
	if (parser_enter(p, e))
		return NULL;
	parser_advance(p);
	right = parse_unary(p, e);
	p->depth--;
	return right ? node_adopt_two(p, n, base, right, e) : NULL;
}

/* The least int64 has no spelling without its sign. */
static struct node *fold_int_min(struct node *minus, struct node *kid)
{
	if (minus->op != OP_NEG || kid->kind != N_LIT || !spelling_is_int_min(kid->spelling))
		return NULL;
	kid->lit = v_int(INT64_MIN);
	kid->spelling = "-9223372036854775808";
	kid->pos = minus->pos;
	return kid;
}

/* Operators in front of their operand: `-`, `!`, and `not`, which takes a whole comparison. */
static struct node *parse_prefix(struct parser *p, enum op_code op, struct node *(*operand)(struct parser *p, struct err *e),
				 struct err *e)
{
	struct node *n = node_new(p, N_UNARY, parser_token_pos(p, &p->tok)), *kid;

	n->op = (uint8_t)op;
	if (parser_enter(p, e))
		return NULL;
	parser_advance(p);
	kid = operand(p, e);
	p->depth--;
	if (!kid)
		return NULL;
	return fold_int_min(n, kid) ?: node_adopt_two(p, n, kid, NULL, e);
}

static struct node *parse_unary(struct parser *p, struct err *e)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);

	if (lex_is(t, "-"))
		return parse_prefix(p, OP_NEG, parse_unary, e);
	if (lex_is(t, "!"))
		return parse_prefix(p, OP_NOT, parse_unary, e);
	return parse_power(p, e);
}

static struct node *parse_comparison(struct parser *p, struct err *e) { return parse_binary(p, PREC_NOT, e); }

/* The binary operator that comes next, or -1. */
static int next_operator(struct parser *p)
{
	const struct token *t = peek_operator(p);

	if (t && t->kind == TK_NAME)
		return op_of_word(t->lit.s, t->lit.n);
	for (int op = OP_OR; t && t->kind == TK_PUNCT && op < OP_COUNT_; op++)
		if (!strcmp(t->punct, op_info((enum op_code)op)->name))
			return op;
	return -1;
}

static int no_chain(struct parser *p, struct err *e)
{
	int op = next_operator(p);

	if (op < 0 || op_info(op)->prec != PREC_CMP)
		return 0;
	err_at(e, parser_pos(p), "comparisons do not chain");
	return err_hint(e, "write `a < b and b < c`, or use parentheses");
}

static struct node *parse_right(struct parser *p, struct node *left, enum op_code op, struct err *e)
{
	struct node *n = node_new(p, N_BINARY, parser_token_pos(p, &p->tok)), *right;

	n->op = (uint8_t)op;
	parser_advance(p);
	right = parse_binary(p, op_info(op)->prec + 1, e);
	if (!right || (op_info(op)->prec == PREC_CMP && no_chain(p, e)))
		return NULL;
	return node_adopt_two(p, n, left, right, e);
}

static struct node *parse_binary(struct parser *p, enum prec least, struct err *e)
{
	bool is_not = lex_is_word(parser_peek_token(p, LEX_OPERAND), "not");
	struct node *n;
	int op;

	if (is_not)
		n = least <= PREC_NOT ? parse_prefix(p, OP_NOT, parse_comparison, e) : parse_not_here(p, e);
	else
		n = parse_unary(p, e);
	while (n && (op = next_operator(p)) >= 0 && op_info(op)->prec >= least)
		n = parse_right(p, n, (enum op_code)op, e);
	return n;
}

static struct node *parse_cond_rest(struct parser *p, struct node *test, struct err *e)
{
	struct node *n = node_new(p, N_COND, parser_token_pos(p, &p->tok));
	struct node **kids = arena_array(p->lx.a, struct node *, 3);

	parser_advance(p);
	kids[0] = test;
	kids[1] = parser_expr(p, e);
	if (!kids[1] || parser_expect(p, ":", e))
		return NULL;
	kids[2] = parser_expr(p, e);
	return kids[2] ? node_adopt(n, kids, 3, e) : NULL;
}

struct node *parser_expr(struct parser *p, struct err *e)
{
	struct node *n;

	if (parser_enter(p, e))
		return NULL;
	n = parse_binary(p, PREC_NULL_OR, e);
	if (n && next_is(p, "?"))
		n = parse_cond_rest(p, n, e);
	p->depth--;
	p->after_expr = n && !parser_at_newline(p);
	return n;
}

struct node *parse_expr_text(struct arena *a, const char *text, struct err *e)
{
	struct source_unit *unit = arena_new(a, struct source_unit);
	struct parser *p;
	struct node *n;

	*unit = (struct source_unit){ .text = text, .n = strlen(text) };
	if (unit->n > PARSE_TEXT_MAX) {
		err_set(e, ERR_PROGRAM, "the expression is too long: %zu bytes, at most %zu", unit->n, PARSE_TEXT_MAX);
		return NULL;
	}
	p = parser_new(a, unit, 1, NULL, 0);
	p->lx.unit = 0;
	p->lx.p = text;
	p->lx.n = (int)unit->n;
	n = parser_expr(p, e);
	return n && parser_end(p, e) == 0 ? n : NULL;
}

/* Statements and their canonical text. */
#include "expr/parse_impl.h"
#include "expr/prec.h"
#include "expr/stmt.h"

static const char *const assign_ops[] = { "=", "+=", "++=", "?\?=" };

static int parse_stmt(struct parser *p, struct stmt *s, struct err *e);

/* ---- assignments ---- */

static int assign_op(const struct token *t)
{
	for (unsigned i = 0; i < ARRAY_LEN(assign_ops); i++)
		if (lex_is(t, assign_ops[i]))
			return (int)i;
	return -1;
}

bool parser_peek_assignment(struct parser *p)
{
	const struct token *t = parser_peek_token(p, LEX_OPERAND);
	struct token name, next;
	struct err scratch;
	int end = t->at + t->n;

	if (t->kind != TK_NAME && t->kind != TK_STR && !(lex_is(t, "[") && parser_bracket_name(p, &name, &end)))
		return false;
	lex(&p->lx, end, LEX_OPERATOR, &next, &scratch);
	return assign_op(&next) >= 0;
}

static int parse_assign(struct parser *p, struct stmt *s, struct err *e)
{
	parser_peek_token(p, LEX_OPERAND);
	s->kind = ST_ASSIGN;
	if (!parser_peek_assignment(p))
		return parser_no_operand(p, "an assignment: `name = ...`", e);
	s->name = parser_name(p, "a variable", NULL, e);
	if (!s->name)
		return -1;
	s->op = (uint8_t)assign_op(parser_peek_token(p, LEX_OPERATOR));
	parser_advance(p);
	s->expr = parser_expr(p, e);
	return s->expr ? 0 : -1;
}

int parser_assignments(struct parser *p, struct stmts *out, struct err *e)
{
	*out = (struct stmts){ 0 };
	do {
		struct stmt s = { .pos = parser_pos(p) };

		if (parse_assign(p, &s, e))
			return -1;
		arena_push(p->lx.a, out->at, out->n, s);
	} while (parser_accept(p, ","));
	return 0;
}

/* ---- the other statements ---- */

static bool at_stmt_end(struct parser *p)
{
	const struct token *t = parser_peek_token(p, LEX_OPERATOR);

	return parser_at_newline(p) || lex_is(t, ";") || lex_is(t, "}");
}

static int parse_if(struct parser *p, struct stmt *s, struct err *e)
{
	struct stmt *again;
	int bad;

	s->kind = ST_IF;
	s->expr = parser_expr(p, e);
	if (!s->expr || parser_block(p, &s->then, e))
		return -1;
	if (parser_peek_assignment(p) || !parser_accept_word(p, "else"))
		return 0;
	if (!parser_peek_word(p, "if"))
		return parser_block(p, &s->other, e);
	if (parser_enter(p, e))
		return -1;
	again = arena_new(p->lx.a, struct stmt);
	s->other = (struct stmts){ again, 1 };
	bad = parse_stmt(p, again, e);
	p->depth--;
	return bad;
}

static int parse_emit(struct parser *p, struct stmt *s, struct err *e)
{
	s->kind = ST_EMIT;
	return at_stmt_end(p) ? 0 : parser_items(p, true, false, &s->items, e);
}

/* Does a name stand here that only a timeout can have: an operand or a clause behind it? */
static bool at_timeout_name(struct parser *p)
{
	const struct token *t = parser_peek_token(p, LEX_OPERATOR);
	struct token next;

	if (t->kind != TK_NAME || p->lx.p[t->at + t->n] == '(' || !name_is_plain(t->lit.s, t->lit.n))
		return false;
	if (!parser_second(p, LEX_OPERATOR, &next) || next.nl_before)
		return false;
	if (next.kind == TK_NAME)
		return op_of_word(next.lit.s, next.lit.n) < 0;
	if (next.kind == TK_PUNCT)
		return next.blank_before && (lex_is(&next, "(") || lex_is(&next, "["));
	return next.kind == TK_NUM || next.kind == TK_DUR || next.kind == TK_SPECIAL || next.kind == TK_VAR ||
	       next.kind == TK_STR;
}

static int parse_timeout(struct parser *p, struct stmt *s, struct err *e)
{
	static const char what[] = "a duration";
	struct token t = *parser_peek_token(p, LEX_OPERATOR);

	s->kind = ST_TIMEOUT;
	if (!lex_is_word(&t, "at") && !lex_is_word(&t, "off") && at_timeout_name(p)) {
		s->name = arena_str(p->lx.a, t.lit.s, t.lit.n);
		parser_advance(p);
	}
	if (parser_accept_word(p, "off"))
		return 0;
	s->absolute = parser_accept_word(p, "at");
	if (at_stmt_end(p))
		return parser_expected(p, s->absolute ? "a time" : what, e);
	t = *parser_peek_token(p, LEX_OPERAND);
	s->expr = parser_expr(p, e);
	if (!s->expr || s->absolute || s->expr->kind != N_LIT || s->expr->lit.type == T_DUR)
		return s->expr ? 0 : -1;
	err_at(e, s->expr->pos, "expected %s, found `%.*s`", what, t.n > 20 ? 20 : t.n, p->lx.p + t.at);
	return err_hint(e, "a duration has a unit: `timeout 30s`; a point in time stands behind `at`");
}

static int parse_stmt(struct parser *p, struct stmt *s, struct err *e)
{
	s->pos = parser_pos(p);
	if (parser_peek_assignment(p))
		return parse_assign(p, s, e);
	if (parser_accept_word(p, "if"))
		return parse_if(p, s, e);
	if (parser_accept_word(p, "emit"))
		return parse_emit(p, s, e);
	if (parser_accept_word(p, "timeout"))
		return parse_timeout(p, s, e);
	s->kind = ST_REMOVE;
	return parser_accept_word(p, "remove") ? 0 : parser_expected(p, "an assignment `name = ...`", e);
}

int parser_block(struct parser *p, struct stmts *out, struct err *e)
{
	*out = (struct stmts){ 0 };
	if (parser_expect(p, "{", e))
		return -1;
	for (;;) {
		struct stmt s = { 0 };

		while (parser_accept(p, ";"))
			;
		if (parser_accept(p, "}"))
			return 0;
		if (parse_stmt(p, &s, e))
			return -1;
		arena_push(p->lx.a, out->at, out->n, s);
		if (s.kind != ST_IF && !at_stmt_end(p)) {
			parser_peek(p, ";");
			return parser_expected(p, "the end of the statement", e);
		}
	}
}

/* ---- canonical text ---- */

/* Behind a name an operator would make the name its left side. */
static void print_operand(struct buf *b, const struct node *n, bool named)
{
	struct buf text = { 0 };

	node_print(&text, n);
	named = named && strchr("-!/[{(", *buf_cstr(&text));
	buf_str(b, named ? "(" : "");
	buf_add(b, text.p, text.n);
	buf_str(b, named ? ")" : "");
	buf_release(&text);
}

static void print_timeout(struct buf *b, const struct stmt *s)
{
	buf_str(b, "timeout ");
	if (s->name)
		buf_printf(b, "%s ", s->name);
	if (s->absolute)
		buf_str(b, "at ");
	if (s->expr)
		print_operand(b, s->expr, s->name && !s->absolute);
	else
		buf_str(b, "off");
}

static void print_if(struct buf *b, const struct stmt *s);

static void print_stmt(struct buf *b, const struct stmt *s)
{
	switch (s->kind) {
	case ST_ASSIGN:
		name_print(b, s->name);
		buf_printf(b, " %s ", assign_ops[s->op]);
		node_print(b, s->expr);
		break;
	case ST_IF:
		print_if(b, s);
		break;
	case ST_EMIT:
		buf_str(b, "emit");
		for (uint32_t i = 0; i < s->items.n; i++) {
			buf_str(b, i ? ", " : " ");
			item_print(b, &s->items.at[i]);
		}
		break;
	case ST_TIMEOUT:
		print_timeout(b, s);
		break;
	default:
		buf_str(b, "remove");
	}
}

static void print_if(struct buf *b, const struct stmt *s)
{
	buf_str(b, "if ");
	node_print(b, s->expr);
	buf_char(b, ' ');
	stmts_print(b, &s->then);
	if (!s->other.n)
		return;
	buf_str(b, " else ");
	if (s->other.n == 1 && s->other.at[0].kind == ST_IF)
		print_if(b, &s->other.at[0]);
	else
		stmts_print(b, &s->other);
}

void stmts_print(struct buf *b, const struct stmts *s)
{
	buf_char(b, '{');
	for (uint32_t i = 0; i < s->n; i++) {
		buf_str(b, i ? "; " : " ");
		print_stmt(b, &s->at[i]);
	}
	buf_str(b, s->n ? " }" : "}");
}

void assignments_print(struct buf *b, const struct stmts *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		buf_str(b, i ? ", " : "");
		print_stmt(b, &s->at[i]);
	}
}

/* ---- walks ---- */

int stmts_walk(const struct stmts *s, int (*fn)(const struct stmt *s, void *ctx), void *ctx)
{
	int stop = 0;

	for (uint32_t i = 0; i < s->n && !stop; i++) {
		stop = fn(&s->at[i], ctx);
		stop = stop ? stop : stmts_walk(&s->at[i].then, fn, ctx);
		stop = stop ? stop : stmts_walk(&s->at[i].other, fn, ctx);
	}
	return stop;
}

int stmt_nodes(const struct stmt *s, int (*fn)(struct node *n, void *ctx), void *ctx)
{
	int stop = s->expr ? node_walk(s->expr, fn, ctx) : 0;

	for (uint32_t i = 0; i < s->items.n && !stop; i++)
		stop = s->items.at[i].expr ? node_walk(s->items.at[i].expr, fn, ctx) : 0;
	return stop;
}

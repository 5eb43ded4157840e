/* The canonical text of a tree, its equality and its walks. */
#include "expr/prec.h"

#include "base/time.h"
#include "base/utf8.h"
#include "expr/lex.h"

static const struct op_info ops[OP_COUNT_] = {
	[OP_NEG] = { "-", NULL, PREC_UNARY },	     [OP_NOT] = { "!", NULL, PREC_UNARY },
	[OP_OR] = { "||", "or", PREC_OR },	     [OP_AND] = { "&&", "and", PREC_AND },
	[OP_NULL_OR] = { "??", NULL, PREC_NULL_OR }, [OP_EQ] = { "==", NULL, PREC_CMP },
	[OP_NE] = { "!=", NULL, PREC_CMP },	     [OP_LT] = { "<", NULL, PREC_CMP },
	[OP_LE] = { "<=", NULL, PREC_CMP },	     [OP_GT] = { ">", NULL, PREC_CMP },
	[OP_GE] = { ">=", NULL, PREC_CMP },	     [OP_MATCH] = { "=~", NULL, PREC_CMP },
	[OP_NOT_MATCH] = { "!~", NULL, PREC_CMP },   [OP_GLOB] = { "glob", "glob", PREC_CMP },
	[OP_IN] = { "in", "in", PREC_CMP },	     [OP_CONCAT] = { "++", NULL, PREC_CONCAT },
	[OP_ADD] = { "+", NULL, PREC_ADD },	     [OP_SUB] = { "-", NULL, PREC_ADD },
	[OP_MUL] = { "*", NULL, PREC_MUL },	     [OP_DIV] = { "/", NULL, PREC_MUL },
	[OP_IDIV] = { "//", NULL, PREC_MUL },	     [OP_MOD] = { "%", NULL, PREC_MUL },
	[OP_POW] = { "**", NULL, PREC_POW },
};

const struct op_info *op_info(enum op_code op) { return &ops[op]; }

int op_of_word(const char *p, size_t n)
{
	for (int i = 0; i < OP_COUNT_; i++)
		if (ops[i].word && strlen(ops[i].word) == n && !memcmp(ops[i].word, p, n))
			return i;
	return -1;
}

const char *op_name(enum op_code op) { return ops[op].name; }

bool spelling_is_int_min(const char *s) { return s && !strcmp(s, "9223372036854775808"); }

static void print_char(struct buf *b, const char *p, size_t n, uint32_t cp)
{
	static const char bytes[] = "\n\t\r\\\"", names[] = "ntr\\\"";
	const char *at = *p ? strchr(bytes, *p) : NULL;

	if (at) {
		buf_char(b, '\\');
		buf_char(b, names[at - bytes]);
	} else if (cp < 0x20 || cp == 0x7f || (cp >= 0xd800 && cp < 0xe000)) {
		buf_printf(b, "\\x%02x", (unsigned char)*p);
	} else if (cp >= 0x80 && name_odd_char(cp)) {
		buf_printf(b, "\\u{%x}", (unsigned)cp);
	} else {
		buf_add(b, p, n);
	}
}

static void print_quoted(struct buf *b, const char *p, size_t n)
{
	uint32_t cp;

	buf_char(b, '"');
	for (size_t i = 0; i < n;) {
		unsigned w = utf8_decode(p + i, n - i, &cp);

		print_char(b, p + i, w, cp);
		i += w;
	}
	buf_char(b, '"');
}

static void print_bracketed(struct buf *b, const char *name, size_t n)
{
	buf_char(b, '[');
	print_quoted(b, name, n);
	buf_char(b, ']');
}

void name_print(struct buf *b, const char *name)
{
	size_t n = strlen(name);

	if (name_is_plain(name, n))
		buf_add(b, name, n);
	else
		print_bracketed(b, name, n);
}

static void print_regex(struct buf *b, const char *p, size_t n)
{
	buf_char(b, '/');
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\\' && i + 1 < n)
			buf_char(b, p[i++]);
		else if (p[i] == '/')
			buf_char(b, '\\');
		if (p[i] == '\n')
			buf_str(b, i && p[i - 1] == '\\' ? "n" : "\\n");
		else
			buf_char(b, p[i]);
	}
	buf_char(b, '/');
}

/* A float that stays one: 6 prints 6.0. */
static void print_float(struct buf *b, double f)
{
	char *at = buf_room(b, NUM_MAX);
	size_t n;

	if (f - f != 0) {
		buf_str(b, f != f ? "number(\"nan\")" : f > 0 ? "1e999" : "-1e999");
		return;
	}
	n = num_format_double(f, at);
	buf_took(b, n);
	if (!memchr(at, '.', n) && !memchr(at, 'e', n))
		buf_str(b, ".0");
}

static void print_value(struct buf *b, const struct value *v);

static void print_items(struct buf *b, const struct value *v)
{
	buf_char(b, '[');
	for (uint32_t i = 0; i < v->n; i++) {
		buf_str(b, i ? ", " : "");
		print_value(b, &v->items[i]);
	}
	buf_str(b, v->n == 1 && type_is_bytes(v->items[0].type) ? ",]" : "]");
}

static void print_fields(struct buf *b, const struct value *v)
{
	buf_char(b, '{');
	for (uint32_t i = 0; i < v->n; i++) {
		buf_str(b, i ? ", " : "");
		print_quoted(b, v->fields[i].name, v->fields[i].name_n);
		buf_str(b, ": ");
		print_value(b, &v->fields[i].v);
	}
	buf_char(b, '}');
}

/* A constant that was not written (folded): its text is a literal or a call that gives the value. */
static void print_value(struct buf *b, const struct value *v)
{
	switch (v->type) {
	case T_NULL:
		buf_str(b, "null");
		break;
	case T_BOOL:
		buf_str(b, v->b ? "true" : "false");
		break;
	case T_INT:
		buf_took(b, num_format_int(v->i, buf_room(b, NUM_MAX)));
		break;
	case T_FLOAT:
		print_float(b, v->f);
		break;
	case T_DUR:
		buf_took(b, dur_format(v->i, buf_room(b, TIME_MAX)));
		break;
	case T_TIME:
		buf_str(b, "time(\"");
		buf_took(b, time_format(v->i, buf_room(b, TIME_MAX)));
		buf_str(b, "\")");
		break;
	case T_NUM:
		buf_add(b, v->s, v->n);
		break;
	case T_REGEX:
		print_regex(b, v->s, v->n);
		break;
	case T_LIST:
		print_items(b, v);
		break;
	case T_OBJECT:
		print_fields(b, v);
		break;
	default:
		print_quoted(b, v->s, v->n);
	}
}

static bool lit_is_number(const struct node *n)
{
	return n->kind == N_LIT &&
	       (n->lit.type == T_INT || n->lit.type == T_FLOAT || n->lit.type == T_DUR || n->lit.type == T_NUM);
}

static bool lit_is_negative(const struct node *n)
{
	if (!lit_is_number(n))
		return false;
	if (n->spelling)
		return *n->spelling == '-';
	return n->lit.type == T_FLOAT ? n->lit.f < 0 || (n->lit.f == 0 && 1 / n->lit.f < 0)
	       : n->lit.type == T_NUM ? n->lit.n && *n->lit.s == '-'
				      : n->lit.i < 0;
}

static enum prec node_prec(const struct node *n)
{
	if (n->kind == N_COND)
		return PREC_COND;
	if (n->kind == N_UNARY || n->kind == N_BINARY)
		return ops[n->op].prec;
	return lit_is_negative(n) ? PREC_UNARY : PREC_POSTFIX;
}

static void print_at(struct buf *b, const struct node *n, enum prec least)
{
	bool parens = node_prec(n) < least;

	if (parens)
		buf_char(b, '(');
	node_print(b, n);
	if (parens)
		buf_char(b, ')');
}

/* The left side of `.name` and `[i]`: `5.x` would not read back. */
static void print_base(struct buf *b, const struct node *n)
{
	bool parens = lit_is_number(n) && !lit_is_negative(n);

	if (parens)
		buf_char(b, '(');
	print_at(b, n, PREC_POSTFIX);
	if (parens)
		buf_char(b, ')');
}

static void print_unary(struct buf *b, const struct node *n)
{
	const struct node *kid = n->kids[0];

	buf_str(b, ops[n->op].name);
	if (n->op == OP_NEG && kid->kind == N_LIT && spelling_is_int_min(kid->spelling)) {
		buf_printf(b, "(%s)", kid->spelling);
		return;
	}
	print_at(b, kid, PREC_UNARY);
}

static void print_binary(struct buf *b, const struct node *n)
{
	enum prec prec = ops[n->op].prec, left = prec, right = prec + 1;

	if (prec == PREC_CMP)
		left = prec + 1;
	if (prec == PREC_POW) {
		left = PREC_POSTFIX;
		right = PREC_UNARY;
	}
	print_at(b, n->kids[0], left);
	buf_char(b, ' ');
	buf_str(b, ops[n->op].name);
	buf_char(b, ' ');
	print_at(b, n->kids[1], right);
}

static void print_cond(struct buf *b, const struct node *n)
{
	print_at(b, n->kids[0], PREC_NULL_OR);
	buf_str(b, " ? ");
	node_print(b, n->kids[1]);
	buf_str(b, " : ");
	node_print(b, n->kids[2]);
}

static void print_kids(struct buf *b, const struct node *n)
{
	for (uint32_t i = 0; i < n->n_kids; i++) {
		buf_str(b, i ? ", " : "");
		node_print(b, n->kids[i]);
	}
}

/* Behind `distinct`, does this text read as an operator rather than as an operand? */
static bool reads_as_operator(const char *p, size_t n)
{
	size_t w = 0;

	if (*p == '-' || *p == '/' || *p == '.')
		return true;
	while (w < n && name_char(p[w]))
		w++;
	return op_of_word(p, w) >= 0;
}

static void print_distinct(struct buf *b, const struct node *n)
{
	struct buf arg = { 0 };

	node_print(&arg, n->kids[0]);
	buf_str(b, "distinct ");
	buf_printf(b, reads_as_operator(arg.p, arg.n) ? "(%.*s)" : "%.*s", (int)arg.n, arg.p);
	buf_release(&arg);
	for (uint32_t i = 1; i < n->n_kids; i++) {
		buf_str(b, ", ");
		node_print(b, n->kids[i]);
	}
}

static void print_call(struct buf *b, const struct node *n)
{
	buf_str(b, n->name);
	buf_char(b, '(');
	if (n->distinct && n->n_kids)
		print_distinct(b, n);
	else
		print_kids(b, n);
	buf_char(b, ')');
}

static bool is_string(const struct node *n) { return n->kind == N_LIT && n->lit.type == T_STR; }

static void print_object(struct buf *b, const struct node *n)
{
	buf_char(b, '{');
	for (uint32_t i = 0; i < n->n_kids; i++) {
		size_t len = strlen(n->keys[i]);

		buf_str(b, i ? ", " : "");
		if (name_is_plain(n->keys[i], len))
			buf_add(b, n->keys[i], len);
		else
			print_quoted(b, n->keys[i], len);
		buf_str(b, ": ");
		node_print(b, n->kids[i]);
	}
	buf_char(b, '}');
}

static void print_member(struct buf *b, const struct node *n)
{
	print_base(b, n->kids[0]);
	if (n->quoted) {
		print_bracketed(b, n->name, n->name_n);
		return;
	}
	buf_char(b, '.');
	buf_add(b, n->name, n->name_n);
}

static void print_index(struct buf *b, const struct node *n)
{
	print_base(b, n->kids[0]);
	buf_char(b, '[');
	node_print(b, n->kids[1]);
	buf_char(b, ']');
}

static void print_list(struct buf *b, const struct node *n)
{
	buf_char(b, '[');
	print_kids(b, n);
	buf_str(b, n->n_kids == 1 && is_string(n->kids[0]) ? ",]" : "]");
}

static void print_lit(struct buf *b, const struct node *n)
{
	if (n->spelling)
		buf_str(b, n->spelling);
	else
		print_value(b, &n->lit);
}

static void print_field(struct buf *b, const struct node *n)
{
	if (name_is_plain(n->name, n->name_n))
		buf_add(b, n->name, n->name_n);
	else
		print_bracketed(b, n->name, n->name_n);
}

void node_print(struct buf *b, const struct node *n)
{
	switch ((enum node_kind)n->kind) {
	case N_LIT:
		print_lit(b, n);
		break;
	case N_FIELD:
		print_field(b, n);
		break;
	case N_SPECIAL:
		buf_printf(b, "@%s", n->name);
		break;
	case N_MEMBER:
		print_member(b, n);
		break;
	case N_INDEX:
		print_index(b, n);
		break;
	case N_UNARY:
		print_unary(b, n);
		break;
	case N_BINARY:
		print_binary(b, n);
		break;
	case N_COND:
		print_cond(b, n);
		break;
	case N_CALL:
		print_call(b, n);
		break;
	case N_LIST:
		print_list(b, n);
		break;
	case N_OBJECT:
		print_object(b, n);
		break;
	}
}

/* Literals as constants of the program: same type and same bits. */
static bool lit_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	if (type_is_bytes(a->type))
		return a->n == b->n && (!a->n || !memcmp(a->s, b->s, a->n));
	if (a->type == T_FLOAT)
		return !memcmp(&a->f, &b->f, sizeof a->f);
	if (a->type == T_LIST || a->type == T_OBJECT)
		return value_cmp(a, b) == 0;
	return a->type == T_NULL || (a->type == T_BOOL ? a->b == b->b : a->i == b->i);
}

static bool names_equal(const struct node *a, const struct node *b)
{
	if (!a->name || !b->name)
		return a->name == b->name;
	return a->name_n == b->name_n && !memcmp(a->name, b->name, a->name_n);
}

bool node_equal(const struct node *a, const struct node *b)
{
	if (a->kind != b->kind || a->op != b->op || a->distinct != b->distinct || a->n_kids != b->n_kids || !names_equal(a, b))
		return false;
	if (a->kind == N_LIT && !lit_equal(&a->lit, &b->lit))
		return false;
	if (a->kind == N_MEMBER && a->quoted != b->quoted)
		return false;
	for (uint32_t i = 0; i < a->n_kids; i++) {
		if (a->kind == N_OBJECT && strcmp(a->keys[i], b->keys[i]))
			return false;
		if (!node_equal(a->kids[i], b->kids[i]))
			return false;
	}
	return true;
}

bool node_path(const struct node *n, struct buf *b, const char **last)
{
	if (n->kind == N_MEMBER) {
		if (!node_path(n->kids[0], b, NULL))
			return false;
		if (b)
			buf_char(b, '.');
	} else if (n->kind != N_FIELD) {
		return false;
	}
	if (b)
		buf_add(b, n->name, n->name_n);
	if (last)
		*last = n->name;
	return true;
}

int node_walk(struct node *n, int (*fn)(struct node *n, void *ctx), void *ctx)
{
	int rc = fn(n, ctx);

	for (uint32_t i = 0; !rc && i < n->n_kids; i++)
		rc = node_walk(n->kids[i], fn, ctx);
	return rc;
}

void item_print(struct buf *b, const struct item *it)
{
	const char *last = NULL;

	if (!it->expr) {
		buf_char(b, '*');
		return;
	}
	if (!node_path(it->expr, NULL, &last) || strcmp(last, it->name)) {
		name_print(b, it->name);
		buf_str(b, " = ");
	}
	node_print(b, it->expr);
}

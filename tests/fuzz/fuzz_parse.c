/* The parser on any bytes: no crash, no leak, every error placed inside the text, every expression prints to text that reads back
 * as an equal tree. The first byte chooses: 'e' one expression, 'f' a program file, else arguments separated by NUL. */
#include <stdio.h>
#include <stdlib.h>

#include "expr/parse.h"

#define UNITS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct program_var vars[] = { { "v", "5" }, { "name", "a b" } };

static void fail(const char *what, const char *text)
{
	fprintf(stderr, "fuzz_parse: %s: %s\n", what, text);
	abort();
}

/* A larger limit may be passed by the canonical text alone: it has parentheses that the original had not. */
static bool is_limit(const struct err *e)
{
	return !strncmp(e->msg, "nested too deeply", 17) || !strncmp(e->msg, "the expression is nested", 24) ||
	       !strncmp(e->msg, "the stage is too long", 21);
}

static void check_tree(const struct node *n)
{
	struct buf text = { 0 };
	struct arena a = { 0 };
	struct err e = { 0 };
	struct source_unit u = { .arg = 1 };
	const char *word;
	struct pos pos;
	struct parser *p;
	struct node *again = NULL;

	buf_str(&text, "x ");
	node_print(&text, n);
	u.text = buf_cstr(&text);
	u.n = text.n;
	p = parser_new(&a, &u, 1, vars, 2);
	if (parser_stage(p, &word, &pos, &e) == 1)
		again = parser_expr(p, &e);
	if (!again || parser_end(p, &e)) {
		if (!is_limit(&e))
			fail(e.msg, u.text);
	} else if (!node_equal(n, again)) {
		fail("another tree", u.text);
	}
	arena_release(&a);
	buf_release(&text);
}

static int read_items(struct parser *p, char how, struct err *e)
{
	struct items items;

	if (how == 'k' ? parser_keys(p, &items, e) : parser_items(p, how == 'm', how == 's', &items, e))
		return -1;
	for (uint32_t i = 0; i < items.n; i++)
		if (items.at[i].expr)
			check_tree(items.at[i].expr);
	return 0;
}

static int read_expr(struct parser *p, struct err *e)
{
	struct node *n = parser_expr(p, e);

	if (!n)
		return -1;
	check_tree(n);
	return 0;
}

static int read_block(struct parser *p, struct err *e)
{
	if (!parser_accept(p, "{"))
		return parser_expected(p, "a block", e);
	while (!parser_accept(p, "}")) {
		if (!parser_name(p, "a statement", NULL, e) || (!parser_accept(p, "=") && parser_expected(p, NULL, e)) ||
		    read_expr(p, e))
			return -1;
		if (!parser_accept(p, ";") && !parser_at_newline(p) && !parser_peek(p, "}"))
			return parser_expected(p, "a newline", e);
	}
	return 0;
}

/* One clause of the kind that the first letter of its word asks for. */
static int read_clause(struct parser *p, char how, struct err *e)
{
	uint64_t u;
	int64_t ns, months;
	double d;
	struct value v;

	switch (how) {
	case 'k':
	case 'm':
	case 's':
	case 'i':
		return read_items(p, how, e);
	case 'b':
		return read_block(p, e);
	case 'n':
		return parser_name(p, "a name", NULL, e) ? 0 : -1;
	case 'u':
		return parser_uint(p, "a number", 1, 1000, &u, e);
	case 'd':
		return parser_duration(p, "a duration", &ns, &months, e);
	case 'D':
		return parser_duration_signed(p, "a duration", &ns, NULL, e);
	case 'f':
		return parser_number(p, "a number", &d, e);
	case 'w':
		return parser_raw_word(p, "a path", e) ? 0 : -1;
	case 'x':
		return parser_raw_rest(p, "a command", e) ? 0 : -1;
	case 'l':
		return parser_accept_word(p, "as") || parser_accept_literal(p, &v) ? 0 : parser_expected(p, "a literal", e);
	default:
		return read_expr(p, e);
	}
}

static int read_program(struct parser *p, const struct source_unit *units, int n_units, int depth, struct err *e)
{
	const char *word;
	struct pos pos;
	int rc;

	while ((rc = parser_stage(p, &word, &pos, e)) == 1) {
		if (*word == 'j') {
			if (!parser_accept_chain(p))
				return parser_expected(p, NULL, e);
			if (read_program(p, units, n_units, depth + 1, e))
				return -1;
		}
		if (*word == 'q') {
			err_at(e, pos, "unknown stage: `%.40s`", word);
			return parse_stage_hint(e, word + 1, units, n_units, pos.unit);
		}
		while (!parser_at_end(p))
			if (read_clause(p, *word, e))
				return -1;
		if (parser_end(p, e))
			return -1;
	}
	return rc;
}

static int split(const char *text, size_t n, struct source_unit *units)
{
	int count = 0;

	for (size_t at = 0; at <= n && count < UNITS_MAX; at += units[count - 1].n + 1) {
		units[count] = (struct source_unit){ text + at, strlen(text + at), NULL, count + 1 };
		count++;
	}
	return count;
}

static void check_error(const struct err *e, const struct source_unit *units, int n_units)
{
	struct buf out = { 0 };

	if (e->kind != ERR_PROGRAM || e->pos.unit < 0 || e->pos.unit >= n_units || e->pos.at < 0 || e->pos.n < 0 ||
	    (size_t)e->pos.at + (size_t)e->pos.n > units[e->pos.unit].n + 1)
		fail("error without a place", e->msg);
	err_render(&out, e, units, n_units);
	for (size_t i = 0; i < out.n; i++)
		if ((unsigned char)out.p[i] < ' ' && out.p[i] != '\n')
			fail("control byte in a message", e->msg);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct source_unit units[UNITS_MAX];
	struct arena a = { 0 };
	struct err e = { 0 };
	char kind = n ? (char)data[0] : 0, *text = xstrndup(n ? (const char *)data + 1 : "", n ? n - 1 : 0);
	int n_units = 1;
	struct node *x;

	units[0] = (struct source_unit){ text, n ? n - 1 : 0, kind == 'f' ? "fuzz.strm" : NULL, 1 };
	if (kind == 'e') {
		units[0].n = strlen(text);
		x = parse_expr_text(&a, text, &e);
		if (x)
			check_tree(x);
	} else {
		if (kind != 'f')
			n_units = split(text, n ? n - 1 : 0, units);
		read_program(parser_new(&a, units, n_units, vars, 2), units, n_units, 0, &e);
	}
	if (e.kind)
		check_error(&e, units, n_units);
	arena_release(&a);
	free(text);
	return 0;
}

/* Program text to trees and back, and every message with its place. */
#include "expr/parse.h"

#include "test.h"

static const struct program_var vars[] = { { "min", "5" }, { "host", "a b" } };

/* A tiny set of stages on top of the parser's calls, as stage/ will have them. */

static int read_count(struct parser *p, struct buf *out, struct err *e)
{
	struct items keys;

	if (parser_accept_word(p, "by")) {
		if (parser_keys(p, &keys, e))
			return -1;
		for (uint32_t i = 0; i < keys.n; i++) {
			buf_str(out, i ? ", " : " by ");
			name_print(out, keys.at[i].name);
			buf_str(out, " = ");
			node_print(out, keys.at[i].expr);
		}
	}
	if (parser_accept_word(p, "as")) {
		const char *name = parser_name(p, "a name", NULL, e);

		if (!name)
			return -1;
		buf_str(out, " as ");
		name_print(out, name);
	}
	return 0;
}

static int read_map(struct parser *p, struct buf *out, bool assign_only, struct err *e)
{
	struct items items;

	if (parser_items(p, !assign_only, assign_only, &items, e))
		return -1;
	for (uint32_t i = 0; i < items.n; i++) {
		buf_str(out, i ? ", " : " ");
		if (!items.at[i].expr) {
			buf_str(out, items.at[i].name);
			continue;
		}
		name_print(out, items.at[i].name);
		buf_str(out, " = ");
		node_print(out, items.at[i].expr);
	}
	return 0;
}

static int read_filter(struct parser *p, struct buf *out, struct err *e)
{
	struct node *n = parser_expr(p, e);

	if (!n)
		return -1;
	buf_char(out, ' ');
	node_print(out, n);
	return 0;
}

static int read_sort(struct parser *p, struct buf *out, struct err *e)
{
	for (;;) {
		if (read_filter(p, out, e))
			return -1;
		buf_str(out, parser_accept_word(p, "desc") ? " desc" : "");
		if (!parser_accept(p, ","))
			return 0;
		buf_char(out, ',');
	}
}

static int read_top(struct parser *p, struct buf *out, struct err *e)
{
	uint64_t n;

	if (parser_uint(p, "a number of records", 1, 1000, &n, e))
		return -1;
	if (!parser_accept_word(p, "by"))
		return parser_expected(p, NULL, e);
	buf_printf(out, " %" PRIu64 " by", n);
	return read_filter(p, out, e);
}

static int read_window(struct parser *p, struct buf *out, struct err *e)
{
	int64_t ns, months, every, low;

	if (parser_accept_word(p, "all"))
		return 0;
	if (parser_duration(p, "a duration", &ns, &months, e))
		return -1;
	buf_printf(out, " %" PRId64 "ns %" PRId64 "mo", ns, months);
	if (parser_accept_word(p, "every")) {
		if (parser_duration(p, "a duration", &every, NULL, e))
			return -1;
		buf_printf(out, " every %" PRId64, every);
	}
	if (parser_accept_word(p, "from")) {
		if (parser_duration_signed(p, "a duration", &low, NULL, e))
			return -1;
		buf_printf(out, " from %" PRId64, low);
	}
	return 0;
}

static int read_parse(struct parser *p, struct buf *out, struct err *e)
{
	struct value v;

	if (parser_accept_word(p, "combined")) {
		buf_str(out, " combined");
		return 0;
	}
	if (!parser_accept_literal(p, &v))
		return parser_expected(p, NULL, e);
	buf_printf(out, " %s <%.*s>", v.type == T_REGEX ? "regex" : "string", (int)v.n, v.s);
	return 0;
}

/* Statements `NAME = E`, as in the blocks of `state`. */
static int read_block(struct parser *p, struct buf *out, struct err *e)
{
	if (!parser_accept(p, "{"))
		return parser_expected(p, NULL, e);
	buf_str(out, " {");
	while (!parser_accept(p, "}")) {
		const char *name = parser_name(p, "a statement", NULL, e);
		bool plus;

		if (!name)
			return -1;
		plus = parser_accept(p, "+=");
		if (!plus && !parser_accept(p, "="))
			return parser_expected(p, NULL, e);
		buf_printf(out, " %s %s", name, plus ? "+=" : "=");
		if (read_filter(p, out, e))
			return -1;
		buf_char(out, ';');
		if (!parser_accept(p, ";") && !parser_at_newline(p) && !parser_peek(p, "}"))
			return parser_expected(p, "a newline", e);
	}
	buf_str(out, " }");
	return 0;
}

static int read_stages(struct parser *p, struct buf *out, const struct source_unit *units, int n_units, struct err *e);

static int read_join(struct parser *p, struct buf *out, const struct source_unit *units, int n_units, struct err *e)
{
	if (!parser_accept_chain(p))
		return parser_expected(p, NULL, e);
	buf_str(out, " (");
	if (read_stages(p, out, units, n_units, e))
		return -1;
	buf_str(out, ")");
	if (!parser_accept_word(p, "on"))
		return parser_expected(p, NULL, e);
	buf_str(out, " on");
	return read_filter(p, out, e);
}

static int read_raw(const char *s, struct buf *out)
{
	if (!s)
		return -1;
	buf_printf(out, " <%s>", s);
	return 0;
}

static int read_stage(struct parser *p, const char *word, struct buf *out, struct err *e)
{
	double x;

	if (!strcmp(word, "words"))
		return 0;
	if (!strcmp(word, "count"))
		return read_count(p, out, e);
	if (!strcmp(word, "map"))
		return read_map(p, out, false, e);
	if (!strcmp(word, "set"))
		return read_map(p, out, true, e);
	if (!strcmp(word, "filter"))
		return read_filter(p, out, e);
	if (!strcmp(word, "sort"))
		return read_sort(p, out, e);
	if (!strcmp(word, "top"))
		return read_top(p, out, e);
	if (!strcmp(word, "window"))
		return read_window(p, out, e);
	if (!strcmp(word, "parse"))
		return read_parse(p, out, e);
	if (!strcmp(word, "state"))
		return read_block(p, out, e);
	if (!strcmp(word, "to"))
		return read_raw(parser_raw_word(p, "a sink", e), out);
	if (!strcmp(word, "exec"))
		return read_raw(parser_raw_rest(p, "a command", e), out);
	if (parser_number(p, "a part from 0 to 1", &x, e)) /* sample */
		return -1;
	buf_printf(out, " %g", x);
	return 0;
}

static bool known(const char *word)
{
	static const char *const words[] = { "words", "count", "map", "set",  "filter", "sort",	  "top",  "window",
					     "parse", "state", "to",  "exec", "sample", "join" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

static int read_stages(struct parser *p, struct buf *out, const struct source_unit *units, int n_units, struct err *e)
{
	const char *word;
	struct pos pos;
	int rc, n = 0;

	while ((rc = parser_stage(p, &word, &pos, e)) == 1) {
		buf_str(out, n++ ? " | " : "");
		buf_str(out, word);
		if (!known(word)) {
			err_at(e, pos, "unknown stage: `%s`", word);
			return parse_stage_hint(e, word, units, n_units, pos.unit);
		}
		if (!strcmp(word, "join") ? read_join(p, out, units, n_units, e) : read_stage(p, word, out, e))
			return -1;
		if (parser_end(p, e))
			return -1;
	}
	return rc;
}

/* The program as canonical text, or the rendered error. argv: units, NULL ends; file: NULL or the name of one whole file. */
static void run(const char *const *argv, const char *file, struct buf *out)
{
	struct source_unit units[16];
	struct arena a = { 0 };
	struct err e = { 0 };
	int n = 0;

	for (; argv[n]; n++)
		units[n] = (struct source_unit){ argv[n], strlen(argv[n]), file, n + 1 };
	if (read_stages(parser_new(&a, units, n, vars, 2), out, units, n, &e) < 0) {
		out->n = 0;
		err_render(out, &e, units, n);
		if (!e.kind)
			buf_str(out, "NO ERROR SET");
	}
	arena_release(&a);
}

static void check_program(const char *const *argv, const char *file, const char *want)
{
	struct buf out = { 0 };

	run(argv, file, &out);
	CHECK_STR(buf_cstr(&out), want);
	buf_release(&out);
}

#define PROGRAM(want, ...) check_program((const char *const[]){ __VA_ARGS__, NULL }, NULL, want)
#define PROGRAM_FILE(want, text) check_program((const char *const[]){ text, NULL }, "wc.strm", want)

/* One expression: its canonical text, which must read back as an equal tree. */
static void check_expr(const char *text, const char *want)
{
	struct arena a = { 0 };
	struct err e = { 0 };
	struct buf out = { 0 }, again = { 0 };
	struct node *n = parse_expr_text(&a, text, &e), *m;

	if (!n) {
		printf("# %s: %s\n", text, e.msg);
		CHECK(n);
		arena_release(&a);
		return;
	}
	node_print(&out, n);
	CHECK_STR(buf_cstr(&out), want);
	m = parse_expr_text(&a, buf_cstr(&out), &e);
	CHECK(m && node_equal(n, m));
	if (m) {
		node_print(&again, m);
		CHECK_STR(buf_cstr(&again), want);
	}
	buf_release(&out);
	buf_release(&again);
	arena_release(&a);
}

/* The error of one expression: its message (and hint, after a newline). */
static void check_expr_error(const char *text, const char *want)
{
	struct arena a = { 0 };
	struct err e = { 0 };
	struct buf out = { 0 };
	struct node *n = parse_expr_text(&a, text, &e);

	CHECK(!n && e.kind == ERR_PROGRAM && e.pos.unit == 0 && e.pos.at >= 0 && (size_t)e.pos.at <= strlen(text));
	buf_printf(&out, "%d: %s%s%s", e.pos.at + 1, e.msg, e.hint[0] ? "\n" : "", e.hint);
	CHECK_STR(buf_cstr(&out), want);
	buf_release(&out);
	arena_release(&a);
}

/* `piece` n times between head and tail. */
static char *repeated(const char *head, const char *piece, const char *tail, size_t n)
{
	char *s = malloc(strlen(head) + n * strlen(piece) + strlen(tail) + 1), *d = s;

	d = stpcpy(d, head);
	while (n--)
		d = stpcpy(d, piece);
	strcpy(d, tail);
	return s;
}

struct pair {
	const char *text, *want;
};

static const struct pair expressions[] = {
	/* literals */
	{ "5", "5" },
	{ "007", "007" },
	{ "1.50", "1.50" },
	{ ".5", ".5" },
	{ "1e5", "1e5" },
	{ "1E+5", "1E+5" },
	{ "9223372036854775807", "9223372036854775807" },
	{ "9223372036854775808", "9223372036854775808" },
	{ "-9223372036854775808", "-9223372036854775808" },
	{ "-(9223372036854775808)", "-9223372036854775808" },
	{ "-9223372036854775808 ** 2", "-9223372036854775808 ** 2" },
	{ "(-9223372036854775808) ** 2", "(-9223372036854775808) ** 2" },
	{ "a - -9223372036854775808", "a - -9223372036854775808" },
	{ "64M", "64M" },
	{ "1h30m", "1h30m" },
	{ "1.5h", "1.5h" },
	{ "250ms", "250ms" },
	{ "true", "true" },
	{ "null ?? false", "null ?? false" },
	{ "'a \"b\" \\'c\\''", "\"a \\\"b\\\" 'c'\"" },
	{ "\"\\n\\t\\r\\\\\\0\\x41\\u00e4\\u{1F600}\\ud83d\\ude00\"", "\"\\n\\t\\r\\\\\\x00Aä😀😀\"" },
	{ "\"\\xff\\x00\\u{200b}\"", "\"\\xff\\x00\\u{200b}\"" },
	{ "/a\\/b/", "/a\\/b/" },
	{ "/[/]x[^]/]y[[:alpha:]/]/im", "/[/]x[^]/]y[[:alpha:]/]/im" },
	{ "/a b#c\"/", "/a b#c\"/" },
	{ "$1 + $12", "[\"1\"] + [\"12\"]" },
	/* names */
	{ "größe > 3", "größe > 3" },
	{ "[\"odd name\"]", "[\"odd name\"]" },
	{ "[\"plain\"]", "plain" },
	{ "[\"true\"]", "[\"true\"]" },
	{ "[\"not\"]", "[\"not\"]" },
	{ "[\"1\"]", "[\"1\"]" },
	{ "[\"\"]", "[\"\"]" },
	{ "[\"a\\u00a0b\"]", "[\"a\\u{a0}b\"]" },
	{ "[\n\"x\"\n]", "x" },
	{ "[\"x\",]", "[\"x\",]" },
	{ "[(\"x\")]", "[\"x\",]" },
	{ "[\"x\", \"y\",]", "[\"x\", \"y\"]" },
	{ "[a]", "[a]" },
	{ "[]", "[]" },
	{ "user.id", "user.id" },
	{ "user . id", "user.id" },
	{ "user.\"a b\".c", "user[\"a b\"].c" },
	{ "user[\"id\"]", "user[\"id\"]" },
	{ "user.true.in", "user.true.in" },
	{ "tags[0][-1].name", "tags[0][-1].name" },
	{ "@record.n ++ @window_start", "@record.n ++ @window_start" },
	{ "(1).x", "(1).x" },
	{ "(5m)[0]", "(5m)[0]" },
	{ "(-1).x", "(-1).x" },
	{ "(a + b).x", "(a + b).x" },
	{ "f(x).y[1]", "f(x).y[1]" },
	{ "{a: 1}.a", "{a: 1}.a" },
	/* words as fields: none is reserved where the place decides */
	{ "in in glob", "in in glob" },
	{ "and and or or in", "and && or || in" },
	{ "by + from + last", "by + from + last" },
	{ "glob glob \"x*\"", "glob glob \"x*\"" },
	{ "count > 5", "count > 5" },
	{ "if", "if" },
	{ "distinct", "distinct" },
	/* precedence */
	{ "a + b * c - d / e", "a + b * c - d / e" },
	{ "(a + b) * c", "(a + b) * c" },
	{ "a - (b - c)", "a - (b - c)" },
	{ "(a - b) - c", "a - b - c" },
	{ "a // b % c", "a // b % c" },
	{ "-2**2", "-2 ** 2" },
	{ "(-2)**2", "(-2) ** 2" },
	{ "2 ** -1", "2 ** -1" },
	{ "2 ** 3 ** 2", "2 ** 3 ** 2" },
	{ "(2 ** 3) ** 2", "(2 ** 3) ** 2" },
	{ "-a.b[0]", "-a.b[0]" },
	{ "--x", "--x" },
	{ "a - -b", "a - -b" },
	{ "!a == b", "!a == b" },
	{ "!(a == b)", "!(a == b)" },
	{ "not a == b", "!(a == b)" },
	{ "not a in [1] and not b", "!(a in [1]) && !b" },
	{ "not not a", "!!a" },
	{ "not (a or b)", "!(a || b)" },
	{ "not(a)", "!a" },
	{ "a and b or c and d", "a && b || c && d" },
	{ "a && (b || c)", "a && (b || c)" },
	{ "a || b ?? c", "a || b ?? c" },
	{ "a || (b ?? c)", "a || (b ?? c)" },
	{ "a ?? b ?? c", "a ?? b ?? c" },
	{ "a ?? (b ?? c)", "a ?? (b ?? c)" },
	{ "a ++ b == c ++ d", "a ++ b == c ++ d" },
	{ "a ++ (b + 1)", "a ++ b + 1" },
	{ "a + (b ++ c)", "a + (b ++ c)" },
	{ "(a < b) == (c < d)", "(a < b) == (c < d)" },
	{ "a =~ /x/ or b !~ /y/i", "a =~ /x/ || b !~ /y/i" },
	{ "a ? b : c ? d : e", "a ? b : c ? d : e" },
	{ "(a ? b : c) ? d : e", "(a ? b : c) ? d : e" },
	{ "a ? b ? c : d : e", "a ? b ? c : d : e" },
	{ "(a ? b : c) + 1", "(a ? b : c) + 1" },
	{ "a?.5:-1", "a ? .5 : -1" },
	{ "a / b / c", "a / b / c" },
	{ "a / /x/", "a / /x/" },
	{ "x<-1", "x < -1" },
	{ "x==-1&&!y", "x == -1 && !y" },
	/* calls, lists, objects */
	{ "f()", "f()" },
	{ "f(a, -b, [1, 2], {x: 1})", "f(a, -b, [1, 2], {x: 1})" },
	{ "each(x, tags, x ++ \"!\")", "each(x, tags, x ++ \"!\")" },
	{ "count(distinct user.id)", "count(distinct user.id)" },
	{ "count(distinct (a + b) * c)", "count(distinct (a + b) * c)" },
	{ "count(distinct)", "count(distinct)" },
	{ "count(distinct + 1)", "count(distinct + 1)" },
	{ "count(distinct - x)", "count(distinct - x)" },
	{ "count(distinct (-x))", "count(distinct (-x))" },
	{ "count(distinct (in))", "count(distinct (in))" },
	{ "count(distinct (.5))", "count(distinct (.5))" },
	{ "count(distinct in [1])", "count(distinct in [1])" },
	{ "count(distinct [\"a b\"])", "count(distinct [\"a b\"])" },
	{ "count(distinct[0])", "count(distinct[0])" },
	{ "count(distinct !a)", "count(distinct !a)" },
	{ "count(distinct != a)", "count(distinct != a)" },
	{ "count(distinct \"x\", b)", "count(distinct \"x\", b)" },
	{ "distinct(x)", "distinct(x)" },
	{ "{}", "{}" },
	{ "{a, \"b c\": 2, [\"d e\"]: 3, in: 4,}", "{a: a, \"b c\": 2, \"d e\": 3, in: 4}" },
	{ "{true: 1}", "{\"true\": 1}" },
	{ "{a: b ? c : d}", "{a: b ? c : d}" },
	/* blanks */
	{ "(a\n  + b # why\n)", "a + b" },
	{ "a \\\n + b", "a + b" },
	{ "a \\\r\n + b", "a + b" },
	{ "a+b#c", "a + b" },
};

static const struct pair expression_errors[] = {
	{ "", "1: expected an expression, found the end of the expression" },
	{ "a b", "3: expected an operator or the end of the expression, found `b`" },
	{ "a adn b", "3: expected an operator or the end of the expression, found `adn`\ndid you mean `and`?" },
	{ "a OR b", "3: expected an operator or the end of the expression, found `OR`\ndid you mean `or`?" },
	{ "a like \"x%\"",
	  "3: expected an operator or the end of the expression, found `like`\nshell patterns are matched with `glob`: name glob \"a*\"" },
	{ "a = 5", "3: expected an operator or the end of the expression, found `=`\n`=` assigns; compare with `==`" },
	{ "a === 5", "3: there is no operator `===`\ncompare with `==`" },
	{ "a <> 5", "3: there is no operator `<>`\nnot equal is written `!=`" },
	{ "a & b", "3: there is no operator `&`\nboth must hold: `&&` or `and`" },
	{ "(a | b)", "4: `|` inside `(`\n`|` ends a stage: close the `(` first, or write `||` for or" },
	{ "2 ^ 3", "3: there is no operator `^`\na power is written `**`" },
	{ "a < b <= c", "7: comparisons do not chain\nwrite `a < b and b < c`, or use parentheses" },
	{ "a == not b", "6: `not` binds looser than what is before it\nwrite `!`, or parentheses: (not a)" },
	{ "-not b", "2: `not` binds looser than what is before it\nwrite `!`, or parentheses: (not a)" },
	{ "a not in b",
	  "3: expected an operator or the end of the expression, found `not`\nwrite `not` before the comparison: not x in [1, 2]" },
	{ "a +", "4: expected an expression, found the end of the expression" },
	{ "a + )", "5: expected an expression, found `)`" },
	{ "a)", "2: expected an operator or the end of the expression, found `)`\nno `(` is open here" },
	{ "(a", "1: `(` is not closed before the end of the argument" },
	{ "(a]", "3: expected an operator or `)`, found `]`" },
	{ "(a, b)", "3: expected an operator or `)`, found `,`\na list is written [a, b]" },
	{ "f(a", "2: `(` is not closed before the end of the argument" },
	{ "f(a b)", "5: expected an operator, `,` or `)`, found `b`" },
	{ "f(,)", "3: expected `)` or an expression, found `,`" },
	{ "f(a,)", "5: expected an expression, found `)`" },
	{ "f (a)", "3: expected an operator or the end of the expression, found `(`\na call has no blank before its `(`: f(...)" },
	{ "a.f(x)",
	  "4: expected an operator or the end of the expression, found `(`\na function takes its value as an argument: f(...)" },
	{ "a [0]", "3: expected an operator or the end of the expression, found `[`\nan index has no blank before its `[`" },
	{ "a.0", "3: expected a name after `.`, found `0`\nan element of a list is written [0]" },
	{ "count(*)", "7: `*` is no argument\ncount() without an argument is about records" },
	{ "[1 2]", "4: expected an operator, `,` or `]`, found `2`" },
	{ "{a b}", "4: expected `:`, `,` or `}`, found `b`" },
	{ "{\"a\"}", "5: expected `:`, found `}`" },
	{ "{a: 1, a: 2}", "8: the field `a` is given twice" },
	{ "{true}", "6: expected `:`, found `}`" },
	{ "a // ", "5: expected an expression, found the end of the expression" },
	{ "//", "1: a value must stand here, `//` would be an empty regex\n"
		"`a // b` divides to a whole number; the regex that always matches is /(?:)/" },
	{ "/abc", "1: the regex is not closed\nwhere a value may start, `/` opens a regex; a regex ends on its line" },
	{ "/abc/ig", "7: unknown regex flag: `g`\nflags are i (ignore case), m (lines), s (dot takes newlines), x (extended)" },
	{ "\"abc", "1: the string is not closed" },
	{ "\"abc\n\"", "1: the string is not closed" },
	{ "\"a\\qb\"",
	  "3: unknown escape in a string: `\\q`\nescapes are \\n \\t \\r \\0 \\\\ \\\" \\' \\/ \\xHH \\uXXXX \\u{...}; a backslash is \\\\" },
	{ "5min", "1: `5min` is not a number, a duration or a size\n"
		  "durations are written in ns us ms s m h d w, like 1h30m; sizes in K M G, like 64M" },
	{ "0x1F", "1: `0x1F` is not a number, a duration or a size\nnumbers are decimal" },
	{ "10.0.0.1", "1: `10.0.0.1` is not a number, a duration or a size\ntext stands in quotes: \"10.0.0.1\"" },
	{ "2015-05-17", "1: `2015-05-17` would be a subtraction\na date is written time(\"2015-05-17\")" },
	{ "1mo", "1: `1mo` has no fixed length\nmonths and years are window sizes only; a day is 24h here: `30d`" },
	{ "$foo", "1: unknown variable: `$foo`\na variable is set with -v foo=VALUE; a field has no `$`" },
	{ "$0", "1: unknown variable: `$0`\nthe whole line is the field `line`, the whole record `@record`" },
	{ "$", "1: a variable's name must follow `$`" },
	{ "@batch_", "1: unknown special value: `@batch_`\ndid you mean `@batch`?" },
	{ "@qqqqqq", "1: unknown special value: `@qqqqqq`\na field whose name begins with `@` is written [\"@name\"]" },
	{ "“a”", "1: unexpected character U+201C\na typographic quote: write \" or '" },
	{ "a\xc2\xa0== 1", "2: unexpected character U+00A0\na no-break space: write a plain one" },
	{ "a ≤ 1", "3: unexpected character U+2264\nat most is written `<=`" },
	{ "a \x01", "3: unexpected byte 0x01" },
	{ "a \\ b", "3: unexpected `\\`" },
	{ "`a b`", "1: there is no operator ```\na field with an odd name is written [\"odd name\"]" },
	{ "[\"a\\0b\"]", "2: a name or path cannot hold a NUL byte" },
	{ "a[\"a\\0b\"]", "3: a name cannot hold a NUL byte" },
};

static void test_expressions(void)
{
	TEST("expressions print canonically and read back equal")
	{
		for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++)
			check_expr(expressions[i].text, expressions[i].want);
	}
	TEST("malformed expressions say what is wrong and where")
	{
		for (size_t i = 0; i < sizeof expression_errors / sizeof *expression_errors; i++)
			check_expr_error(expression_errors[i].text, expression_errors[i].want);
	}
}

static void test_programs(void)
{
	TEST("a stage ends at the end of an argument, at a pipe or at the end of a line")
	{
		const char *want = "words | count by word = word | top 10 by count";

		PROGRAM(want, "words", "count by word", "top 10 by count");
		PROGRAM(want, "words | count by word | top 10 by count");
		PROGRAM(want, "words\ncount by word\n\n# the largest\ntop 10 by count\n");
		PROGRAM_FILE(want, "#!/usr/bin/env -S strm -f\nwords # all\r\n  count by word\n\ntop 10 by \\\n  count");
		PROGRAM_FILE(want, "\xef\xbb\xbfwords |\n count by word\n| top 10 by count\n");
		PROGRAM_FILE("", "# nothing\n\n");
	}
	TEST("no word is reserved")
	{
		PROGRAM("count by by = by as as", "count by by as as");
		PROGRAM("filter count > 5 | sort last desc, from desc", "filter count > 5", "sort last desc, from desc");
		PROGRAM("count by in = in, glob = glob, as = as as by", "count by in, glob, as as by");
		PROGRAM("map by = by, [\"not\"] = 1, [\"x y\"] = [\"not\"]", "map by, not = 1, 'x y' = [\"not\"]");
	}
	TEST("items take names from paths and specials")
	{
		PROGRAM("map id = user.id, batch = @batch, [\"1\"] = [\"1\"], *, x = 1 + 2", "map user.id, @batch, $1, *, x = 1 + 2");
		PROGRAM("map [\"a b\"] = 1, [\"c d\"] = 2, [\"true\"] = 3, e = $min", "map [\"a b\"] = 1, 'c d' = 2, true = 3, e = $min");
		PROGRAM("set a = b == c, d = [1, \"x\"][0]", "set a=b==c, d = [1,'x'][0]");
	}
	TEST("numbers and durations in clauses")
	{
		PROGRAM("window 30000000000ns 0mo every 10000000000", "window 30s every 10s");
		PROGRAM("window 0ns 14mo from -3600000000000", "window 1y2mo from -1h");
		PROGRAM("sample -0.5 | sample 64", "sample -.5", "sample 64");
		PROGRAM("top 1000 by x", "top 1e3 by x");
	}
	TEST("literals of parse")
	{
		PROGRAM("parse combined | parse string <{ip} - {user}> | parse regex <(?i)a/b>", "parse combined", "parse '{ip} - {user}'",
			"parse /a\\/b/i");
	}
	TEST("raw text")
	{
		PROGRAM("exec <grep -v \"a|b\" || true> | to <file:o?x={a b}&y=(1> | words", "exec grep -v \"a|b\" || true  | to file:o?x={a b}&y=(1",
			"words");
		PROGRAM("to <tcp://h:1/#frag> | to <a b> | to <-> | to <o[c>", "to tcp://h:1/#frag # note", "to 'a b' | to - | to o[c");
		PROGRAM("exec <sh -c 'a\nb' x\\|y>", "exec sh -c 'a\nb' x\\|y");
	}
	TEST("in a block a newline ends a statement, in brackets it does not")
	{
		PROGRAM("state { n = n + 1; m += 2; }", "state { n = n + 1; m += 2 }");
		PROGRAM("state { n = n + 1; m += 2 + 3; o = [1, 2]; p = -q; }",
			"state {\n n = n + 1\n m += (2\n + 3); o =\n [1,\n2]\n p = -q }");
		PROGRAM("state { n = a; x y = 2; }", "state { n = a\n [\"x y\"] = 2 }");
		PROGRAM("state { n = {a: 1, b: 2}; }", "state { n = {a: 1,\n b: 2} }");
	}
	TEST("a chain in place")
	{
		PROGRAM("join (words | filter side == \"r\") on k | words", "join (words | filter side == 'r') on k | words");
		PROGRAM_FILE("join (words | join (words) on x | exec <a (b)>) on k", "join (\n  words\n  | join (words) on x\n  | exec a (b)) on k\n");
	}
}

static void test_program_errors(void)
{
	TEST("an error names stage and column and draws a caret")
	{
		PROGRAM("strm: stage 2, column 7: expected `by`, `as` or the end of the stage, found `bye`\n"
			"  count bye word\n"
			"        ^~~\n"
			"hint: did you mean `by`?\n",
			"words", "count bye word");
		PROGRAM("strm: stage 2, column 24: expected an operator or the end of the stage, found `=`\n"
			"  words | filter größe_é = 5\n"
			"                         ^\n"
			"hint: `=` assigns; compare with `==`\n",
			"words | filter größe_é = 5");
		PROGRAM("strm: stage 1, column 12: expected an operator, `,`, `as` or the end of the stage, found `ass`\n"
			"  count by a ass b\n"
			"             ^~~\n"
			"hint: did you mean `as`?\n",
			"count by a ass b");
		PROGRAM("strm: stage 2, line 2, column 8: expected an expression, found `>`\n"
			"  filter > 5\n"
			"         ^\n",
			"words\nfilter > 5\ncount");
		PROGRAM_FILE("strm: wc.strm:3:14: expected an expression, found `)`\n"
			     "   filter a ++ )\n"
			     "               ^\n",
			     "# count\nwords\n\tfilter a ++ )\r\n");
	}
	TEST("carets under wide, combining and malformed characters")
	{
		PROGRAM("strm: stage 1, column 19: expected an expression, found `)`\n"
			"  filter 漢字 == e\xcc\x81 + )\n"
			"                     ^\n",
			"filter 漢字 == e\xcc\x81 + )");
		PROGRAM("strm: stage 1, column 10: expected an operator or the end of the stage, found `漢字`\n"
			"  filter 字 漢字\n"
			"            ^~~~\n",
			"filter 字 漢字");
		PROGRAM("strm: stage 1, column 16: unexpected byte 0x01\n"
			"  filter \".漢\" == . 1\n"
			"                  ^\n",
			"filter \"\377漢\" ==\t\001 1");
	}
	TEST("long lines are cut around the caret")
	{
		char *text = repeated("filter ", "abcde + ", ") + 1 + xyz + xyz + xyz + xyz + xyz + xyz + xyz", 100);

		PROGRAM("strm: stage 1, column 808: expected an expression, found `)`\n"
			"  ...+ abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + ) + 1 + xyz + xyz + xyz + xyz + xy...\n"
			"                                                                       ^\n",
			text);
		free(text);
		text = repeated("filter ", "abcde + ", ")", 100);
		PROGRAM("strm: stage 1, column 808: expected an expression, found `)`\n"
			"  ... + abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + )\n"
			"                                                                                                        ^\n",
			text);
		free(text);
		text = repeated("filter ) ", "漢字 + ", ")", 100);
		PROGRAM("strm: stage 1, column 8: expected an expression, found `)`\n"
			"  filter ) 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + ...\n"
			"         ^\n",
			text);
		free(text);
	}
	TEST("stages that the shell took apart")
	{
		PROGRAM("strm: stage 3, column 1: unknown stage: `by`\n"
			"  by\n"
			"  ^~\n"
			"hint: an argument is a stage: quote it whole: strm words 'count by word'\n",
			"words", "count", "by", "word");
		PROGRAM("strm: stage 1, column 7: expected an expression, found the end of the stage\n"
			"  filter\n"
			"        ^\n"
			"hint: an argument is a stage: quote it whole: strm 'filter status == 500' count\n",
			"filter", "status", "==", "500", "count");
		PROGRAM("strm: stage 2, column 4: expected a number of records, found the end of the stage\n"
			"  top\n"
			"     ^\n"
			"hint: an argument is a stage: quote it whole: strm 'count by a' 'top 10 by count' words\n",
			"count by a", "top", "10", "by", "count", "words");
		PROGRAM("strm: stage 2, column 1: expected a stage, found `10`\n"
			"  10\n"
			"  ^~\n"
			"hint: an argument is a stage: quote it whole: strm 'words 10'\n",
			"words", "10");
	}
	TEST("other tools' words")
	{
		PROGRAM("strm: stage 1, column 1: unknown stage: `where`\n"
			"  where a > 1\n"
			"  ^~~~~\n"
			"hint: keep records with `filter`: filter status >= 500\n",
			"where a > 1");
		PROGRAM("strm: stage 2, column 1: unknown stage: `reduceByKey`\n"
			"  reduceByKey sum\n"
			"  ^~~~~~~~~~~\n"
			"hint: aggregate with `reduce`: reduce total = sum(amount) by key\n",
			"words", "reduceByKey sum");
		PROGRAM("strm: stage 1, column 1: unknown stage: `by`\n"
			"  by word\n"
			"  ^~\n"
			"hint: `by` belongs inside a stage, which stands in quotes: 'count by word'\n",
			"by word");
	}
	TEST("empty stages")
	{
		PROGRAM("strm: stage 1, column 1: empty stage: argument 1 of the program is blank\n"
			"hint: a shell variable without a value?\n",
			"");
		PROGRAM("strm: stage 2, column 9: empty stage before `|`\n"
			"  words | | count\n"
			"          ^\n",
			"words | | count");
		PROGRAM("strm: stage 2, column 7: empty stage after `|`\n"
			"  words |\n"
			"        ^\n",
			"words |", "count");
		PROGRAM("strm: stage 2, column 1: empty stage before `|`\n"
			"  | count\n"
			"  ^\n"
			"hint: an argument is a stage already and needs no `|` before it\n",
			"words", "| count");
		PROGRAM("strm: stage 1, column 6: the chain in `( )` has no stage\n"
			"  join () on k\n"
			"       ^\n",
			"join () on k");
	}
	TEST("clauses")
	{
		PROGRAM("strm: stage 1, column 5: expected a number of records from 1 to 1000, found `0`\n"
			"  top 0 by x\n"
			"      ^\n",
			"top 0 by x");
		PROGRAM("strm: stage 1, column 5: expected a number of records from 1 to 1000, found `99999999999999999999`\n"
			"  top 99999999999999999999 by x\n"
			"      ^~~~~~~~~~~~~~~~~~~~\n",
			"top 99999999999999999999 by x");
		PROGRAM("strm: stage 1, column 7: expected `by`, found the end of the stage\n"
			"  top 10\n"
			"        ^\n",
			"top 10");
		PROGRAM("strm: stage 1, column 8: expected `all` or a duration, found `10`\n"
			"  window 10\n"
			"         ^~\n"
			"hint: a duration has a unit: `10s` is seconds\n",
			"window 10");
		PROGRAM("strm: stage 1, column 17: `1mo` has no fixed length\n"
			"  window 1d every 1mo\n"
			"                  ^~~\n"
			"hint: months and years are window sizes only; a day is 24h here: `30d`\n",
			"window 1d every 1mo");
		PROGRAM("strm: stage 1, column 5: the expression needs a name\n"
			"  map a == 5\n"
			"      ^~~~~~\n"
			"hint: `==` compares; `a = ...` sets\n",
			"map a == 5");
		PROGRAM("strm: stage 1, column 12: the expression needs a name\n"
			"  map a = 1, b[0] + 2, *\n"
			"             ^~~~~~~~\n"
			"hint: write `NAME = b[0] + 2`\n",
			"map a = 1, b[0] + 2, *");
		PROGRAM("strm: stage 1, column 8: `*` stands once at most\n"
			"  map *, *\n"
			"         ^\n",
			"map *, *");
		PROGRAM("strm: stage 1, column 16: the name `id` is given twice\n"
			"  count by a.id, b.id\n"
			"                 ^\n"
			"hint: give one of them another name: `NAME = ...`\n",
			"count by a.id, b.id");
		PROGRAM("strm: stage 1, column 5: expected a target: `name = ...`, found `a`\n"
			"  set a, b\n"
			"      ^\n",
			"set a, b");
		PROGRAM("strm: stage 1, column 7: the regex is not closed\n"
			"  parse /abc\n"
			"        ^~~~\n"
			"hint: where a value may start, `/` opens a regex; a regex ends on its line\n",
			"parse /abc");
		PROGRAM("strm: stage 1, column 7: expected a command, found the end of the stage\n"
			"  exec  | words\n"
			"        ^\n",
			"exec  | words");
		PROGRAM("strm: stage 1, column 11: the quote is not closed\n"
			"  exec echo 'a | words\n"
			"            ^\n",
			"exec echo 'a | words");
		PROGRAM("strm: stage 1, column 7: `{` is not closed before the end of the argument\n"
			"  state { n = 1\n"
			"        ^\n",
			"state { n = 1");
		PROGRAM("strm: stage 1, column 15: expected an operator, `;`, `}` or a newline, found `m`\n"
			"  state { n = 1 m = 2 }\n"
			"                ^\n",
			"state { n = 1 m = 2 }");
	}
}

static struct node *parse(struct arena *a, const char *text, struct err *e)
{
	memset(e, 0, sizeof *e);
	return parse_expr_text(a, text, e);
}

static void check_limit(const char *head, const char *piece, const char *tail, size_t n, const char *want)
{
	char *s = repeated(head, piece, tail, n);
	struct arena a = { 0 };
	struct err e;
	struct node *x = parse(&a, s, &e);

	if (want) {
		CHECK(!x);
		CHECK_BYTES(e.msg, strnlen(e.msg, strlen(want)), want);
	} else {
		if (!x)
			printf("# %s\n", e.msg);
		CHECK(x);
	}
	arena_release(&a);
	free(s);
}

static void test_limits(void)
{
	TEST("nesting is limited")
	{
		const char *deep = "the expression is nested too deeply";

		check_limit("", "-", "x", 190, NULL);
		check_limit("", "-", "x", 100000, deep);
		check_limit("", "!(", "x", 100000, deep);
		check_limit("", "(", "x", 100000, deep);
		check_limit("", "[", "x", 100000, deep);
		check_limit("", "f(", "x", 100000, deep);
		check_limit("", "{a:", "x", 50000, deep);
		check_limit("", "a?", "x", 50000, deep);
		check_limit("", "a?b:", "x", 50000, deep);
		check_limit("", "2**", "x", 50000, deep);
		check_limit("", "not ", "x", 50000, deep);
		check_limit("", "a[", "x", 50000, deep);
	}
	TEST("the height of a tree is limited")
	{
		const char *tall = "the expression is too long: more than 2000 operators in a row";

		check_limit("x", " || a == 1", "", 1990, NULL);
		check_limit("x", " + 1", "", 40000, tall);
		check_limit("x", ".a", "", 40000, tall);
		check_limit("x", "[0]", "", 30000, tall);
		check_limit("[x", ",1", "]", 40000, NULL);
	}
	TEST("a stage has a limited number of tokens")
	{
		check_limit("[x", ",1", "]", 60000, "the stage is too long: more than 100000 tokens");
	}
	TEST("brackets of clauses are limited")
	{
		struct arena a = { 0 };
		struct source_unit u = { "s", 1, NULL, 1 };
		char *text = repeated("s ", "(", "", 5000);
		struct err e = { 0 };
		const char *word;
		struct pos pos;
		struct parser *p;
		int n = 0;

		u.text = text;
		u.n = strlen(text);
		p = parser_new(&a, &u, 1, NULL, 0);
		CHECK_INT(parser_stage(p, &word, &pos, &e), 1);
		while (parser_accept(p, "("))
			n++;
		CHECK(n <= PARSE_DEPTH_MAX + 1);
		CHECK_INT(parser_end(p, &e), -1);
		CHECK_STR(e.msg, "nested too deeply: more than 200 brackets");
		arena_release(&a);
		free(text);
	}
}

static int count_node(struct node *n, void *ctx)
{
	int *count = ctx;

	++*count;
	return n->kind == N_CALL;
}

static void test_trees(void)
{
	struct arena a = { 0 };
	struct err e;
	struct node *n, *m;
	struct buf b = { 0 };
	const char *last = NULL;
	int count = 0;

	TEST("literals have their values")
	{
		CHECK_INT(parse(&a, "64M", &e)->lit.i, 64 << 20);
		CHECK_INT(parse(&a, "1h30m", &e)->lit.i, (int64_t)5400 * 1000000000);
		CHECK(parse(&a, "1h30m", &e)->lit.type == T_DUR);
		CHECK_INT(parse(&a, "-9223372036854775808", &e)->lit.i, INT64_MIN);
		CHECK(parse(&a, "9223372036854775808", &e)->lit.type == T_FLOAT);
		n = parse(&a, "/a\\/b\\d/xi", &e);
		CHECK_BYTES(n->lit.s, n->lit.n, "(?ix)a/b\\d");
		n = parse(&a, "'a\\0b'", &e);
		CHECK_INT(n->lit.n, 3);
	}
	TEST("paths")
	{
		CHECK(node_path(parse(&a, "a.b[\"c\"]", &e), &b, &last));
		CHECK_STR(buf_cstr(&b), "a.b.c");
		CHECK_STR(last, "c");
		CHECK(!node_path(parse(&a, "a[0].b", &e), NULL, NULL));
		CHECK(!node_path(parse(&a, "f(a)", &e), NULL, NULL));
	}
	TEST("equality is of trees, not of spellings")
	{
		n = parse(&a, "a + 1.50", &e);
		m = parse(&a, "(a)+1.5", &e);
		CHECK(node_equal(n, m));
		CHECK(!node_equal(n, parse(&a, "a + 1", &e)));
		CHECK(!node_equal(parse(&a, "{a: 1}", &e), parse(&a, "{b: 1}", &e)));
		CHECK(!node_equal(parse(&a, "count(distinct a)", &e), parse(&a, "count(a)", &e)));
		CHECK(!node_equal(parse(&a, "a.b", &e), parse(&a, "a[\"b\"]", &e)));
		CHECK(node_equal(parse(&a, "[\"a\"]", &e), parse(&a, "a", &e)));
	}
	TEST("a walk sees parents first and stops when told")
	{
		CHECK(node_walk(parse(&a, "a + f(b) + c", &e), count_node, &count));
		CHECK_INT(count, 4);
	}
	TEST("names are quoted when they must be")
	{
		b.n = 0;
		name_print(&b, "a_1");
		name_print(&b, "a b");
		name_print(&b, "");
		name_print(&b, "1a");
		name_print(&b, "null");
		name_print(&b, "größe");
		CHECK_STR(buf_cstr(&b), "a_1[\"a b\"][\"\"][\"1a\"][\"null\"]größe");
	}
	buf_release(&b);
	arena_release(&a);
}

static void test_variables(void)
{
	TEST("variables are text and keep their spelling")
	{
		PROGRAM("filter x > $min && h == $host", "filter x > $min and h == $host");
		PROGRAM("strm: stage 1, column 12: unknown variable: `$mni`\n"
			"  filter x > $mni\n"
			"             ^~~~\n"
			"hint: did you mean `$min`?\n",
			"filter x > $mni");
	}
}

static void test_render(void)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	struct source_unit u = { "a\tb", 3, NULL, 1 };

	TEST("errors without a place are one line, and control bytes are dots")
	{
		err_set(&e, ERR_IO, "f\033[1m: no such file");
		err_render(&b, &e, NULL, 0);
		CHECK_STR(buf_cstr(&b), "strm: f.[1m: no such file\n");
	}
	TEST("a tab is one column")
	{
		memset(&e, 0, sizeof e);
		b.n = 0;
		err_at(&e, (struct pos){ .unit = 0, .at = 2, .n = 1 }, "odd");
		err_render(&b, &e, &u, 1);
		CHECK_STR(buf_cstr(&b), "strm: column 3: odd\n  a b\n    ^\n");
	}
	TEST("a position outside the text is brought inside")
	{
		memset(&e, 0, sizeof e);
		b.n = 0;
		err_at(&e, (struct pos){ .unit = 0, .at = 99, .n = 50 }, "odd");
		err_render(&b, &e, &u, 1);
		CHECK_STR(buf_cstr(&b), "strm: column 4: odd\n  a b\n     ^\n");
	}
	buf_release(&b);
}

int main(void)
{
	test_expressions();
	test_programs();
	test_program_errors();
	test_limits();
	test_trees();
	test_variables();
	test_render();
	return test_done();
}

/* Expressions: text to trees and back, malformed ones, limits, walks. */
#include "base/time.h"
#include "expr/parse.h"

#include "test.h"

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
	{ "a like \"x%\"", "3: expected an operator or the end of the expression, found `like`\nshell patterns are matched with "
			   "`glob`: name glob \"a*\"" },
	{ "a = 5", "3: expected an operator or the end of the expression, found `=`\n`=` assigns; compare with `==`" },
	{ "a === 5", "3: there is no operator `===`\ncompare with `==`" },
	{ "a <> 5", "3: there is no operator `<>`\nnot equal is written `!=`" },
	{ "a & b", "3: there is no operator `&`\nboth must hold: `&&` or `and`" },
	{ "(a | b)", "4: `|` inside `(`\n`|` ends a stage: close the `(` first, or write `||` for or" },
	{ "2 ^ 3", "3: there is no operator `^`\na power is written `**`" },
	{ "a < b <= c", "7: comparisons do not chain\nwrite `a < b and b < c`, or use parentheses" },
	{ "a == not b", "6: `not` binds looser than what is before it\nwrite `!`, or parentheses: (not a)" },
	{ "-not b", "2: `not` binds looser than what is before it\nwrite `!`, or parentheses: (not a)" },
	{ "a is null", "3: expected an operator or the end of the expression, found `is`\n"
		       "compare with `== null` or `!= null`" },
	{ "a not in b", "3: expected an operator or the end of the expression, found `not`\nwrite `not` before the comparison: "
			"not x in [1, 2]" },
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
	{ "f (a)",
	  "3: expected an operator or the end of the expression, found `(`\na call has no blank before its `(`: f(...)" },
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
	{ "\"a\\qb\"", "3: unknown escape in a string: `\\q`\nescapes are \\n \\t \\r \\0 \\\\ \\\" \\' \\/ \\xHH \\uXXXX "
		       "\\u{...}; a backslash is \\\\" },
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
	TEST("constants that were not written print as text that gives them")
	{
		struct value items[] = { v_str("x", 1), v_int(-3) };
		struct field fields[] = { { "a b", 3, v_bool(true) } };
		const struct {
			struct value v;
			const char *want;
		} folded[] = {
			{ v_int(-5), "-5" },
			{ v_float(6), "6.0" },
			{ v_float(1e300), "1e+300" },
			{ v_float(-0.0), "-0.0" },
			{ v_float(1 / 0.0), "1e999" },
			{ v_dur(-90 * TIME_NS), "-1m30s" },
			{ v_time(0), "time(\"1970-01-01T00:00:00Z\")" },
			{ v_bytes(T_NUM, "1.50", 4), "1.50" },
			{ v_bytes(T_TEXT, "a", 1), "\"a\"" },
			{ v_bytes(T_REGEX, "a/b\\/c\n", 7), "/a\\/b\\/c\\n/" },
			{ v_list(items, 2), "[\"x\", -3]" },
			{ v_list(items, 1), "[\"x\",]" },
			{ v_object(fields, 1), "{\"a b\": true}" },
		};

		for (size_t i = 0; i < ARRAY_LEN(folded); i++) {
			struct node lit = { .kind = N_LIT, .lit = folded[i].v };

			b.n = 0;
			node_print(&b, &lit);
			CHECK_STR(buf_cstr(&b), folded[i].want);
			CHECK(parse(&a, buf_cstr(&b), &e));
		}
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

int main(void)
{
	test_expressions();
	test_limits();
	test_trees();
	return test_done();
}

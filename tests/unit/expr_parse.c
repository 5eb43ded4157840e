/* Programs: stages, clauses, items; every message with its place. Expressions are in expr_tree.c. */
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
	static const char *const words[] = { "words",  "count", "map",	 "set", "filter", "sort",   "top",
					     "window", "parse", "state", "to",	"exec",	  "sample", "join" };

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
		PROGRAM("map id = user.id, batch = @batch, [\"1\"] = [\"1\"], *, x = 1 + 2",
			"map user.id, @batch, $1, *, x = 1 + 2");
		PROGRAM("map [\"a b\"] = 1, [\"c d\"] = 2, [\"true\"] = 3, e = $min",
			"map [\"a b\"] = 1, 'c d' = 2, true = 3, e = $min");
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
		PROGRAM("parse combined | parse string <{ip} - {user}> | parse regex <(?i)a/b>", "parse combined",
			"parse '{ip} - {user}'", "parse /a\\/b/i");
	}
	TEST("raw text")
	{
		PROGRAM("exec <grep -v \"a|b\" || true> | to <file:o?x={a b}&y=(1> | words",
			"exec grep -v \"a|b\" || true  | to file:o?x={a b}&y=(1", "words");
		PROGRAM("to <tcp://h:1/#frag> | to <a b> | to <-> | to <o[c>", "to tcp://h:1/#frag # note",
			"to 'a b' | to - | to o[c");
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
		PROGRAM_FILE("join (words | join (words) on x | exec <a (b)>) on k",
			     "join (\n  words\n  | join (words) on x\n  | exec a (b)) on k\n");
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
			"  ...+ abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + ) + 1 + xyz + xyz + xyz + xyz + "
			"xy...\n"
			"                                                                       ^\n",
			text);
		free(text);
		text = repeated("filter ", "abcde + ", ")", 100);
		PROGRAM("strm: stage 1, column 808: expected an expression, found `)`\n"
			"  ... + abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + abcde + "
			")\n"
			"                                                                                                        "
			"^\n",
			text);
		free(text);
		text = repeated("filter ) ", "漢字 + ", ")", 100);
		PROGRAM("strm: stage 1, column 8: expected an expression, found `)`\n"
			"  filter ) 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + 漢字 + "
			"...\n"
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
		PROGRAM("strm: stage 1, column 9: expected a number of records, found `漢漢漢漢漢漢漢漢漢漢漢漢漢`\n"
			"  top     漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢\n"
			"          ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n",
			"top     漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢");
		PROGRAM("strm: stage 1, column 6: expected the end of the stage, found `;`\n"
			"  words; count\n"
			"       ^\n"
			"hint: stages are separated by `|`\n",
			"words; count");
		PROGRAM("strm: stage 1, column 9: expected an operator or the end of the stage, found `;`\n"
			"  filter a; count\n"
			"          ^\n"
			"hint: stages are separated by `|`\n",
			"filter a; count");
		PROGRAM("strm: stage 1, column 13: empty stage after `|`\n"
			"  join (words | ) on k\n"
			"              ^\n",
			"join (words | ) on k");
		PROGRAM("strm: stage 1, column 15: expected an operator, `;`, `}` or a newline, found `m`\n"
			"  state { n = 1 m = 2 }\n"
			"                ^\n",
			"state { n = 1 m = 2 }");
	}
}

/* Calls that the little stages above do not make. */
static void test_calls(void)
{
	struct arena a = { 0 };
	struct err e = { 0 };
	const char *text = "s \"a\\0b\" 5 5m -1y x.y \"c d\" {", *word, *s;
	struct source_unit u = { text, strlen(text), NULL, 1 };
	struct parser *p = parser_new(&a, &u, 1, NULL, 0);
	struct pos pos;
	size_t n;
	uint32_t len;
	int64_t ns, months;
	double d;

	TEST("looking, strings and signs")
	{
		CHECK_INT(parser_stage(p, &word, &pos, &e), 1);
		CHECK_INT(pos.stage, 1);
		CHECK(parser_arena(p) == &a);
		CHECK(!parser_peek_number(p) && !parser_peek_duration(p));
		CHECK(parser_accept_string(p, &s, &n));
		CHECK_INT(n, 3);
		CHECK(!parser_accept_string(p, &s, NULL));
		CHECK(parser_peek_number(p) && !parser_peek_duration(p));
		CHECK_INT(parser_number(p, "a number", &d, &e), 0);
		CHECK(parser_peek_duration(p));
		CHECK_INT(parser_duration_signed(p, "a duration", &ns, &months, &e), 0);
		CHECK_INT(parser_duration_signed(p, "a duration", &ns, &months, &e), 0);
		CHECK_INT(months, -12);
		s = parser_raw_word(p, "a path", &e);
		CHECK_STR(s, "x.y");
		s = parser_name(p, "a name", &len, &e);
		CHECK_STR(s, "c d");
		CHECK_INT(len, 3);
		CHECK(parser_peek(p, "{") && !parser_at_end(p));
		CHECK_INT(e.kind, ERR_NONE);
		CHECK(!parser_name(p, "a name", &len, &e));
		CHECK_STR(e.msg, "expected `{` or a name, found `{`");
		CHECK_STR(op_name(OP_AND), "&&");
	}
	TEST("a NUL byte in the text is an error in its place")
	{
		static const struct {
			const char *text, *want;
		} units[] = {
			{ "f a\0b", "unexpected byte 0x00" },
			{ "f /a\0/", "a NUL byte in a regex" },
			{ "f \"a\0\" ++", "expected an expression, found the end of the stage" },
		};
		const size_t sizes[] = { 5, 6, 9 };

		for (size_t i = 0; i < ARRAY_LEN(units); i++) {
			u.text = units[i].text;
			u.n = sizes[i];
			memset(&e, 0, sizeof e);
			p = parser_new(&a, &u, 1, NULL, 0);
			CHECK_INT(parser_stage(p, &word, &pos, &e), 1);
			CHECK(!parser_expr(p, &e) || parser_end(p, &e));
			CHECK_STR(e.msg, units[i].want);
		}
		u.text = "f a\0b";
		u.n = 5;
		memset(&e, 0, sizeof e);
		p = parser_new(&a, &u, 1, NULL, 0);
		CHECK_INT(parser_stage(p, &word, &pos, &e), 1);
		CHECK(!parser_raw_rest(p, "a command", &e));
		CHECK_STR(e.msg, "text with a NUL byte");
	}
	TEST("a unit has a limited length")
	{
		u.n = PARSE_TEXT_MAX + 1;
		memset(&e, 0, sizeof e);
		CHECK_INT(parser_stage(parser_new(&a, &u, 1, NULL, 0), &word, &pos, &e), -1);
		CHECK_STR(e.msg, "the program is too long: 67108865 bytes, at most 67108864");
	}
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
	test_programs();
	test_program_errors();
	test_calls();
	test_variables();
	test_render();
	return test_done();
}

#include "tests/unit/test.h"

#include "base/nearest.h"
#include "expr/eval.h"
#include "expr/fn_impl.h"
#include "expr/parse.h"

static struct arena arena;
static struct buf shown;

/* 2020-02-29T12:00:00Z */
#define NOW ((int64_t)1582977600 * TIME_NS)

/* The value of an expression as JSON; "null: why" where it failed; "error: message" where it does not compile. */
static const char *eval(const char *text)
{
	struct fn_env env = { .time = { .now_ns = NOW } };
	struct source_unit unit = { .text = arena_printf(&arena, "map %s", text), .n = strlen(text) + 4 };
	struct fails fails = { 0 };
	struct eval ev = { .env = &env, .fails = &fails };
	struct batch one = { .schema = schema_intern(NULL, NULL, 0), .n_rows = 1, .n_sel = 1, .arena = &arena };
	struct err e = { 0 };
	struct parser *p = parser_new(&arena, &unit, 1, NULL, 0);
	struct node *n;
	struct expr *x = NULL;
	const char *word;
	struct pos pos;

	shown.n = 0;
	n = parser_stage(p, &word, &pos, &e) == 1 ? parser_expr(p, &e) : NULL;
	if (n && !parser_end(p, &e))
		x = expr_bind(n, &env, &arena, &e);
	if (!x) {
		buf_printf(&shown, "error: %s", e.msg);
		return buf_cstr(&shown);
	}
	struct column c = expr_eval(x, &ev, &one, NULL, 1);
	struct value v = column_get(&c, 0);

	value_print_json(&shown, &v, NULL);
	if (fails.n)
		buf_printf(&shown, ": %s", fails.first);
	expr_release(x);
	return buf_cstr(&shown);
}

static void test_examples(void)
{
	unsigned functions = 0;

	TEST("every example gives what its row says")
	{
		for (const struct fn_def *d; (d = fn_at(functions)); functions++)
			for (unsigned i = 0; i < DOC_EXAMPLES_MAX && d->doc.examples[i].args; i++) {
				const char *got = eval(d->doc.examples[i].args);

				if (strcmp(got, d->doc.examples[i].out)) {
					test_bad = 1;
					printf("# %s is %s, want %s\n", d->doc.examples[i].args, got, d->doc.examples[i].out);
				}
			}
		CHECK(functions > 200);
	}
	TEST("every row has a synopsis, a summary, an example and sane arity")
	{
		for (unsigned i = 0; fn_at(i); i++) {
			const struct fn_def *d = fn_at(i);
			bool special = d->flags & FN_SPECIAL;

			if (!d->doc.synopsis || !d->doc.summary || !d->doc.group || !d->doc.examples[0].args ||
			    d->min_args > d->max_args || special != !d->row ||
			    strncmp(d->doc.synopsis, d->doc.name, strlen(d->doc.name))) {
				test_bad = 1;
				printf("# row of %s\n", d->doc.name);
			}
		}
	}
}

static void test_registry(void)
{
	static const char *const reserved[] = {
		"count",     "sum",    "min",	   "max",	"avg",	   "first",	      "last",	 "var",
		"stddev",    "median", "quantile", "distinct",	"collect", "collect_set",     "argmin",	 "argmax",
		"any",	     "all",    "concat",   "histogram", "fold",	   "approx_distinct", "combine", "p50",
		"approx_p99"
	};
	struct nearest s;

	TEST("names and aliases find their row, each one only once")
	{
		for (unsigned i = 0; fn_at(i); i++) {
			const struct fn_def *d = fn_at(i);
			const char *alias = d->doc.aliases;

			CHECK(fn_find(d->doc.name) == d);
			while (alias && *alias) {
				size_t n = strcspn(alias, " ");

				if (fn_find(arena_str(&arena, alias, n)) != d) {
					test_bad = 1;
					printf("# alias %.*s of %s\n", (int)n, alias, d->doc.name);
				}
				alias += n + (alias[n] == ' ');
			}
		}
		CHECK(fn_find("no_such_function") == NULL);
		CHECK(fn_find("") == NULL);
	}
	TEST("no function takes the name of an aggregate")
	{
		for (unsigned i = 0; i < ARRAY_LEN(reserved); i++)
			CHECK(fn_find(reserved[i]) == NULL);
	}
	TEST("the nearest name")
	{
		nearest_init(&s, "uper", 4);
		fn_nearest(&s);
		CHECK_STR(s.best, "upper");
	}
}

#define SAME(expr, want) CHECK_STR(eval(expr), want)

static void test_text(void)
{
	TEST("cutting text at and beyond its ends")
	{
		SAME("substr(\"abc\", 5)", "\"\"");
		SAME("substr(\"abc\", -5, 2)", "\"ab\"");
		SAME("substr(\"abc\", 1, -1)", "\"\"");
		SAME("substr(\"abc\", 9223372036854775807, 9223372036854775807)", "\"\"");
		SAME("substr(\"abc\", -9223372036854775807 - 1)", "\"abc\"");
		SAME("slice(\"abc\", 2, 1)", "\"\"");
		SAME("left(\"abc\", 9)", "\"abc\"");
		SAME("left(\"abc\", -9)", "\"\"");
		SAME("right(\"abc\", -9)", "\"\"");
		SAME("right(\"abc\", 9)", "\"abc\"");
		SAME("at([1], -2)", "null");
	}
	TEST("empty texts and needles")
	{
		SAME("index_of(\"abc\", \"\")", "0");
		SAME("last_index_of(\"abc\", \"\")", "3");
		SAME("replace(\"abc\", \"\", \"x\")", "\"abc\"");
		SAME("occurrences(\"abc\", \"\")", "0");
		SAME("split(\"\", \",\")", "[\"\"]");
		SAME("split(\"\")", "[]");
		SAME("split(\"abc\", \"\")", "[\"a\",\"b\",\"c\"]");
		SAME("trim(\"\")", "\"\"");
		SAME("pad_left(\"a\", 3, \"\")", "\"a\"");
		SAME("ord(\"\")", "null: ord: empty text has no character");
		SAME("base64(\"\")", "\"\"");
		SAME("reverse(\"\")", "\"\"");
		SAME("soundex(\"\")", "\"\"");
	}
	TEST("results that would be too long are refused")
	{
		SAME("repeat(\"abc\", 1000000000000)", "null: repeat: result longer than 256 MiB");
		SAME("pad_left(\"a\", 1000000000000)", "null: pad_left: result longer than 256 MiB");
		SAME("range(1000000000000)", "null: range: result of more than 16 million items");
		SAME("list_repeat(0, 9223372036854775807)", "null: list_repeat: result of more than 16 million items");
	}
	TEST("formats")
	{
		SAME("format(\"{}{}\", 1)", "null: format: more {} than arguments");
		SAME("format(\"{{}} {}\", [1])", "\"{} [1]\"");
		SAME("printf(\"%d%%|%5d|%-5d|%05d\", 1.9, 42, 42, 42)", "\"1%|   42|42   |00042\"");
		SAME("printf(\"%s %10.2s|\", \"a\", \"caf\xC3\xA9\")", "\"a         ca|\"");
		SAME("printf(\"%n\", 1)", "null: printf: unknown conversion in the format");
		SAME("printf(\"%*d\", 1)", "null: printf: unknown conversion in the format");
		SAME("printf(\"%\")", "null: printf: unknown conversion in the format");
		SAME("len(printf(\"%99999.99999f\", 1e308))", "1310");
		SAME("printf(\"%d\", 1e300)", "null: printf: not a whole number of 64 bits");
		SAME("printf(\"%.3s\", 12345)", "\"123\"");
	}
	TEST("like")
	{
		SAME("like(\"a%b\", \"a\\\\%b\")", "true");
		SAME("like(\"axb\", \"a\\\\%b\")", "false");
		SAME("like(\"\", \"%\")", "true");
		SAME("like(\"abcabc\", \"%bc\")", "true");
		SAME("like(\"abc\", \"_b\")", "false");
	}
}

/* 100 texts over a small alphabet against a byte-by-byte search, at every offset: lengths around the block of 16. */
static void test_find(void)
{
	TEST("text is found wherever it is")
	{
		for (unsigned seed = 1; seed <= 300; seed++) {
			char s[80], p[12];
			unsigned x = seed * 2654435761u, n = x % 70, pn = 1 + (x >> 8) % 9;
			struct fn_text text = { s, n }, part = { p, pn };

			for (unsigned i = 0; i < n; i++)
				s[i] = (char)('a' + ((x = x * 1103515245 + 12345) >> 16) % 2);
			for (unsigned i = 0; i < pn; i++)
				p[i] = (char)('a' + ((x = x * 1103515245 + 12345) >> 16) % 2);
			for (size_t from = 0; from <= n + 1; from++) {
				size_t want = from;

				while (want + pn <= n && memcmp(s + want, p, pn))
					want++;
				CHECK_INT(fn_find_bytes(text, part, from), want + pn <= n ? want : (size_t)-1);
			}
		}
	}
	TEST("case of every byte, whatever its place")
	{
		SAME("upper(\"@az[`AZ{@az[`AZ{az\")", "\"@AZ[`AZ{@AZ[`AZ{AZ\"");
		SAME("lower(\"@az[`AZ{@az[`AZ{AZ\")", "\"@az[`az{@az[`az{az\"");
		SAME("upper(\"0123456789 abcdefgh\\u00e9xyz\")", "\"0123456789 ABCDEFGH\xC3\x89XYZ\"");
	}
}

/* A column of text with a null, by the kernel and by the rows. */
static void test_vec(void)
{
	static const char *const names[] = { "len", "contains", "starts_with", "ends_with" };
	struct value texts[4] = { v_text("abc", 3), v_null(), v_str("xab", 3), v_str("\xC3\xA9", 2) }, part = v_str("ab", 2);
	struct column args[2] = { { .v = texts, .type = T_STR, .has_null = true }, column_const(&arena, &part) };
	uint32_t sel[] = { 1, 2, 3 };

	TEST("kernels answer as the rows do")
	{
		for (unsigned k = 0; k < ARRAY_LEN(names); k++) {
			struct fn_call c = { .def = fn_find(names[k]), .arena = &arena };
			struct column out;

			CHECK(c.def->vec(&c, args, c.def->min_args, k % 2 ? sel : NULL, k % 2 ? 3 : 4, 4, &out));
			for (uint32_t i = k % 2; i < 4; i++) {
				struct value v[2] = { texts[i], part }, got = column_get(&out, i), want = v_null();

				if (texts[i].type != T_NULL)
					c.def->row(&c, v, c.def->min_args, &want);
				CHECK(value_cmp(&got, &want) == 0);
			}
		}
	}
}

static void test_regex(void)
{
	TEST("empty matches replace as in awk")
	{
		SAME("gsub(\"abc\", /x*/, \"-\")", "\"-a-b-c-\"");
		SAME("gsub(\"baaac\", /a*/, \"-\")", "\"-b-c-\"");
		SAME("gsub(\"\", /x*/, \"-\")", "\"-\"");
		SAME("gsub(\"h\xC3\xA9\", \"\", \".\")", "\".h.\xC3\xA9.\"");
		SAME("split(\"abc\", /x*/)", "[\"a\",\"b\",\"c\"]");
	}
	TEST("references in replacements")
	{
		SAME("sub(\"ab\", /(a)(b)/, \"$2\\\\1$0\")", "\"baab\"");
		SAME("sub(\"a\", /a/, \"$5 \\\\\\\\ \\\\$0 ${x}\")", "\"$5 \\\\ $0 ${x}\"");
		SAME("sub(\"a\", /a(x)?/, \"[$1]\")", "\"[]\"");
	}
	TEST("groups that are not there")
	{
		SAME("regexp_extract(\"abc\", /b/, 1)", "null: regexp_extract: the pattern has no such group");
		SAME("regexp_extract(\"abc\", /x/)", "null");
		SAME("regexp_extract_all(\"abc\", /x/)", "[]");
		SAME("regexp_extract_all(\"abb ax abbb\", /a(b*)/)", "[\"bb\",\"\",\"bbb\"]");
	}
	TEST("malformed patterns")
	{
		CHECK(strstr(eval("sub(\"a\", \"(\", \"\")"), "error: sub: regular expression \"(\": at offset 1"));
		SAME("sub(\"a\", left(\"((\", 1), \"\")",
		     "error: sub: regular expression \"(\": at offset 1: missing closing parenthesis");
		SAME("split(\"a(b\", \"(\")", "[\"a\",\"b\"]");
	}
}

static void test_numbers(void)
{
	TEST("whole numbers stay whole, and become floats where they overflow")
	{
		SAME("abs(-9223372036854775807 - 1)", "9223372036854776000");
		SAME("round(-2.5)", "-3");
		SAME("round(2.675, 2)", "2.67");
		SAME("round(-1250, -2)", "-1300");
		SAME("round(5, -30)", "0");
		SAME("round(1e300)", "1e+300");
		SAME("factorial(20)", "2432902008176640000");
		SAME("factorial(21)", "51090942171709440000");
		SAME("binomial(62, 31)", "465428353255261088");
		SAME("gcd(0, 0)", "0");
		SAME("lcm(-4, 6)", "12");
		SAME("list_sum([9223372036854775807, 1])", "9223372036854776000");
		SAME("list_sum([])", "0");
		SAME("list_sum([1e16, 1, -1e16])", "1");
	}
	TEST("outside the domain")
	{
		SAME("sqrt(-1)", "null: sqrt: outside the domain of the function");
		SAME("log(0)", "null: log: outside the domain of the function");
		SAME("ln(-1)", "null: ln: outside the domain of the function");
		SAME("asin(2)", "null: asin: outside the domain of the function");
		SAME("chr(-1)", "null: chr: not the code of a character");
		SAME("chr(55296)", "null: chr: not the code of a character");
		SAME("clamp(1, 3, 2)", "null: clamp: the lower bound is above the upper one");
		SAME("shift_left(1, -1)", "null: shift_left: shift by less than 0");
		SAME("shift_left(1, 64)", "0");
		SAME("shift_right(-1, 99)", "-1");
		SAME("from_base(\"8\", 8)", "null: from_base: not a number of 64 bits in that base");
		SAME("from_base(\"-8000000000000000\", 16)", "-9223372036854775808");
		SAME("from_base(\"\", 16)", "null: from_base: not a number of 64 bits in that base");
	}
	TEST("text is no number, and says what to do")
	{
		SAME("abs(\"5\")", "null: abs: text, not a number: use number()");
		SAME("abs([1])", "null: abs: a list, not a number");
		SAME("abs(now())", "null: abs: a time, not a number: use epoch()");
		SAME("number(\"5 apples\")", "null: number: not a number");
		SAME("number(\"-0x10\")", "-16");
		SAME("number(\"0x\")", "null: number: not a number");
		SAME("number(\"+\")", "null: number: not a number");
		SAME("int(\"9223372036854775808\")", "null: int: not a whole number of 64 bits");
		SAME("size(\"\")", "null: size: not a size");
		SAME("size(\"1KiB\") + size(\"1KB\")", "2024");
		SAME("bool(\"maybe\")", "null: bool: neither true nor false");
	}
	TEST("numbers in few letters")
	{
		SAME("human_bytes(0)", "\"0\"");
		SAME("human_bytes(1023)", "\"1023\"");
		SAME("human_bytes(1048575)", "\"1M\"");
		SAME("human_bytes(-2048)", "\"-2K\"");
	}
}

static void test_times(void)
{
	TEST("the clock and formats")
	{
		SAME("now()", "\"2020-02-29T12:00:00Z\"");
		SAME("epoch(-1)", "-1");
		SAME("epoch_ms(time(\"1969-12-31T23:59:59.9999Z\"))", "-1");
		SAME("time(\"nonsense\")", "null: time: not a time");
		SAME("time(\"5\", \"%d/\")", "null: time: not a time of this format");
		CHECK(!strncmp(eval("strftime(0, \"%Q\")"), "error: strftime: time format \"%Q\": unknown conversion", 50));
		SAME("strftime(0, \"%Y\", \"Nowhere/Land\")", "null: strftime: unknown time zone");
		SAME("time(\"2015-05-17 10:00\", \"%Y-%m-%d %H:%M\", \"+02:00\")", "\"2015-05-17T08:00:00Z\"");
	}
	TEST("durations")
	{
		SAME("duration(\"1 hour 30 minutes\")", "\"1h30m\"");
		SAME("duration(\"hour\")", "null: duration: not a duration");
		SAME("duration(\"9999999999 weeks\")", "null: duration: not a duration");
		SAME("duration(1.5)", "\"1s500ms\"");
		SAME("hms(-90)", "\"-00:01:30\"");
		SAME("hms(0)", "\"00:00:00\"");
		SAME("from_hms(\"-1:30\")", "\"-1m30s\"");
		SAME("from_hms(\"1:2:3:4\")", "null: from_hms: not a time of day or duration");
		SAME("from_hms(\"\")", "null: from_hms: not a time of day or duration");
		SAME("floor_time(now(), 0s)", "null: floor_time: the duration must be above 0");
		SAME("floor_time(time(-1), 1h)", "\"1969-12-31T23:00:00Z\"");
	}
	TEST("the calendar")
	{
		SAME("add_days(now(), 1)", "\"2020-03-01T12:00:00Z\"");
		SAME("add_months(now(), 12)", "\"2021-02-28T12:00:00Z\"");
		SAME("add_days(now(), 99999999)", "null: add_days: out of the range of times");
		SAME("make_time(2019, 2, 29)", "null: make_time: no such date or time");
		SAME("last_day(now())", "\"2020-02-29T00:00:00Z\"");
		SAME("months_between(\"2015-04-14\", \"2015-01-15\")", "-2");
		SAME("trunc_time(now(), \"aeon\")", "null: trunc_time: unknown unit of time, or out of range");
	}
}

static void test_nested(void)
{
	TEST("nulls in lists and choices")
	{
		SAME("sort([null, 2, 1])", "[1,2,null]");
		SAME("sort_desc([null, 2, 1])", "[2,1,null]");
		SAME("sort_by([{a: 1}, {}, {a: 2}], \"a\", \"desc\")", "[{\"a\":2},{\"a\":1},{}]");
		SAME("list_avg([])", "null");
		SAME("list_avg([null])", "null");
		SAME("greatest(null, null)", "null");
		SAME("coalesce(null)", "null");
		SAME("upper(null)", "null");
		SAME("case(null, 1)", "null");
		SAME("append(null, 1)", "[1]");
		SAME("merge(null, {a: 1})", "{\"a\":1}");
	}
	TEST("sorting is stable and large lists sort too")
	{
		SAME("is_sorted(sort(reverse(range(1000))))", "true");
		SAME("sort([3, 1, 2, 1.5])", "[1,1.5,2,3]");
		SAME("sort_by([{k: 1, v: 1}, {k: 0, v: 2}, {k: 1, v: 3}, {k: 0, v: 4}], \"k\").v", "[2,4,1,3]");
	}
	TEST("ranges")
	{
		SAME("range(3, 3)", "[]");
		SAME("range(0, 1, 0.25)", "[0,0.25,0.5,0.75]");
		SAME("range(0, 1, 0)", "null: range: step of 0");
		SAME("range(9223372036854775806, 9223372036854775807)", "[9223372036854775806]");
		SAME("range(1, 2, -1)", "[]");
	}
	TEST("sets go by key equality")
	{
		SAME("unique([1, \"1\", 1.0, \"a\", null, null])", "[1,\"a\",null]");
		SAME("len(unique(range(5000)))", "5000");
		SAME("list_counts([true, \"true\", 1])", "{\"true\":2,\"1\":1}");
	}
	TEST("objects and paths")
	{
		SAME("unflatten({\"a.b\": 1, a: 2, \"a.c\": 3})", "{\"a\":{\"c\":3}}");
		SAME("unflatten({\"a..b\": 1})", "{\"a\":{\"\":{\"b\":1}}}");
		SAME("flatten_object({a: [], b: {}})", "{\"a\":[],\"b\":{}}");
		SAME("object(\"a\")", "null: object: a key without a value");
		SAME("from_entries([1])", "null: from_entries: not a list of entries");
		SAME("json_path({a: [1, 2]}, \"a[\")", "null: json_path: malformed path");
		SAME("json_path({a: [1, 2]}, \"a[x]\")", "null: json_path: malformed path");
		SAME("json_path({a: [1, 2]}, \"\")", "{\"a\":[1,2]}");
		SAME("json_path({\"x y\": 1}, \"[\\\"x y\\\"]\")", "1");
		SAME("json_path(\"{\", \"a\")", "null: json_path: object: a quoted name expected");
	}
}

static void test_formats(void)
{
	TEST("CSV, key=value and logfmt")
	{
		SAME("csv_split(\"\")", "[null]");
		SAME("csv_split(\"a,\")", "[\"a\",null]");
		SAME("csv_split(\"\\\"a\\\"\\\"b\\\",\\\"\\\"\")", "[\"a\\\"b\",\"\"]");
		SAME("csv_split(\"\\\"open\")", "[\"open\"]");
		SAME("csv_split(\"\\\"\")", "[\"\"]");
		SAME("csv_split(\"a\", \"::\")", "null: csv_split: the separator is one byte");
		SAME("kv_parse(\"a=1,,b,a=2\")", "{\"a\":2,\"b\":null}");
		SAME("logfmt_parse(\"= a= b=\\\"x\")", "{\"a\":null,\"b\":\"x\"}");
	}
	TEST("URLs that are not whole")
	{
		SAME("url_host(\"/just/a/path\")", "null");
		SAME("url_host(\"//host/x\")", "\"host\"");
		SAME("url_host(\"http://[::1]:80/\")", "\"::1\"");
		SAME("url_port(\"http://[::1]:80/\")", "80");
		SAME("url_port(\"http://h:99999/\")", "null");
		SAME("url_path(\"mailto:a@b\")", "\"a@b\"");
		SAME("url_param(\"a=1&b=%41%zz\", \"b\")", "\"A%zz\"");
		SAME("url_param(\"http://h/?a\", \"a\")", "\"\"");
		SAME("url_decode(\"%\")", "\"%\"");
		SAME("url_decode(\"%4\")", "\"%4\"");
		SAME("url_decode(\"%41\")", "\"A\"");
		SAME("dirname(\"/\")", "\"/\"");
		SAME("dirname(\"/a\")", "\"/\"");
		SAME("basename(\"/\")", "\"/\"");
		SAME("extension(\".bashrc\")", "\"\"");
	}
	TEST("addresses")
	{
		SAME("ip_in(\"::ffff:10.0.0.1\", \"10.0.0.0/8\")", "true");
		SAME("ip_in(\"2001:db8::1\", \"2001:db8::/33\")", "true");
		SAME("ip_in(\"10.0.0.1\", \"10.0.0.0/33\")", "null: ip_in: not a network like 10.0.0.0/8");
		SAME("ip_in(\"10.0.0.1\", \"0.0.0.0/0\")", "true");
		SAME("ip_to_int(\"1.2.3\")", "null: ip_to_int: not an IP address");
		SAME("int_to_ip(-1)", "null: int_to_ip: not a number of 32 bits");
	}
	TEST("encodings")
	{
		SAME("unhex(\"4\")", "null: unhex: not pairs of hex digits");
		SAME("unhex(\"4g\")", "null: unhex: not pairs of hex digits");
		SAME("unbase64(\"a\")", "null: unbase64: not Base64");
		SAME("unbase64(\"a!\")", "null: unbase64: not Base64");
		SAME("unbase64(base64(\"any carnal pleas\"))", "\"any carnal pleas\"");
		SAME("hex(0)", "\"0\"");
		SAME("hex(-1)", "\"ffffffffffffffff\"");
		SAME("html_unescape(\"&amp;lt; &#0; &#x110000; &\")", "\"&lt; &#0; &#x110000; &\"");
	}
	TEST("digests at the edges of their blocks")
	{
		SAME("md5(\"\")", "\"d41d8cd98f00b204e9800998ecf8427e\"");
		SAME("md5(repeat(\"1234567890\", 8))", "\"57edf4a22be3c955ac49da2e2107b67a\"");
		SAME("sha1(\"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq\")",
		     "\"84983e441c3bd26ebaae4aa1f95129e5e54670f1\"");
		SAME("sha256(\"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq\")",
		     "\"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1\"");
		SAME("sha256(repeat(\"a\", 1000000))", "\"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0\"");
		SAME("sha256(repeat(\"a\", 64))", "\"ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb\"");
	}
}

int main(void)
{
	test_registry();
	test_examples();
	test_text();
	test_find();
	test_vec();
	test_regex();
	test_numbers();
	test_times();
	test_nested();
	test_formats();
	arena_release(&arena);
	buf_release(&shown);
	return test_done();
}

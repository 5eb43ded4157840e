/* The json format: the table of edge cases, the stream of records and its faults, wanted fields, the encoder. */
#include "test.h"

#include "base/json.h"
#include "base/num.h"
#include "data/json_value.h"
#include "json_oracle.h"

/* ---- the table ---- */

static int hex_digit(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

/* %XX and %(NxBYTES). */
static void case_bytes(struct buf *out, const char *p, const char *end)
{
	while (p < end) {
		if (*p != '%') {
			buf_char(out, *p++);
		} else if (p[1] != '(') {
			buf_char(out, (char)(hex_digit(p[1]) << 4 | hex_digit(p[2])));
			p += 3;
		} else {
			char *x;
			long times = strtol(p + 2, &x, 10);
			const char *close = memchr(x, ')', (size_t)(end - x));

			while (times-- > 0)
				case_bytes(out, x + 1, close);
			p = close + 1;
		}
	}
}

static void check_case(const char *verdict, const char *name, const char *p, size_t n)
{
	bool good = !strncmp(verdict, "accept", 6) || !strncmp(verdict, "either+", 7), stream = !strncmp(verdict, "stream", 6),
	     ok;
	struct arena a = { 0 };
	struct oracle_log log;
	struct value v;
	const char *why;
	char buf[160];
	size_t at;

	ok = json_check(p, n, buf, &at) == good;
	ok &= !value_from_json(p, n, &a, &v, &why) == good;
	arena_release(&a);
	for (unsigned level = 0; level <= (unsigned)simd_level(); level++) {
		struct oracle_way w = { .level = level };

		ok &= oracle_run(&w, p, n, &log) && (log.n_bad == 0) == (good || stream);
		oracle_free(&log);
	}
	if (!ok)
		printf("# case %s\n", name);
	CHECK(ok);
}

static void check_line(const char *p, const char *end)
{
	struct buf bytes = { 0 };
	const char *name, *text;
	char name_room[80];

	if (*p == '#')
		return;
	name = memchr(p, ' ', (size_t)(end - p));
	while (*name == ' ')
		name++;
	text = memchr(name, ' ', (size_t)(end - name));
	snprintf(name_room, sizeof name_room, "%.*s", (int)(text - name), name);
	case_bytes(&bytes, text + 1, end);
	check_case(p, name_room, bytes.p, bytes.n);
	buf_release(&bytes);
}

static void test_table(void)
{
	const char *top = getenv("SRCDIR");
	char path[4096], line[65536];
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/tests/data/json_cases.txt", top ? top : ".");
	f = fopen(path, "r");
	CHECK(f != NULL);
	while (f && fgets(line, sizeof line, f)) {
		check_line(line, line + strcspn(line, "\n"));
		n++;
	}
	CHECK(n > 500);
	if (f)
		fclose(f);
}

/* ---- decoding ---- */

/* Decode in every cut and level and compare with what should come. */
static void check_text(const struct oracle_way *base, const char *text, const char *rows, const char *bad)
{
	size_t n = strlen(text);

	for (size_t cut = 0; cut <= n; cut++) {
		struct oracle_way w = *base;
		struct oracle_log log;

		w.cut = cut;
		w.level = (unsigned)(cut % ((unsigned)simd_level() + 1));
		CHECK(oracle_run(&w, text, n, &log));
		CHECK_BYTES(log.rows.p ? log.rows.p : "", log.rows.n, rows);
		CHECK_BYTES(log.bad.p ? log.bad.p : "", log.bad.n, bad);
		oracle_free(&log);
	}
}

static void check_all(const char *text, const char *rows, const char *bad)
{
	struct oracle_way fast = { 0 }, slow = { .slow = true };

	check_text(&fast, text, rows, bad);
	check_text(&slow, text, rows, bad);
}

static void check_fields(const char *const *fields, uint32_t n, const char *text, const char *rows)
{
	struct oracle_way fast = { .fields = fields, .n_fields = n }, slow = { .slow = true, .fields = fields, .n_fields = n };

	check_text(&fast, text, rows, "");
	check_text(&slow, text, rows, "");
}

static void test_stream(void)
{
	TEST("one object a line, no newline at the end")
	check_all("{\"a\":1}\n{\"a\":\"x\"}", "1:7:{\"a\":1}\n2:9:{\"a\":\"x\"}\n", "");
	TEST("blank lines, CRLF and a byte order mark")
	check_all("\xEF\xBB\xBF{\"a\":1}\r\n\r\n \t{\"a\":2}\r\n", "1:7:{\"a\":1}\n3:7:{\"a\":2}\n", "");
	TEST("several on a line, and one over several lines")
	check_all("{\"a\":1} {\"a\":2}{\"a\":3}\n{\n \"a\": 4\n}\n{\"a\":5}",
		  "1:7:{\"a\":1}\n1:7:{\"a\":2}\n1:7:{\"a\":3}\n2:11:{\"a\":4}\n5:7:{\"a\":5}\n", "");
	TEST("an array of objects is its elements")
	check_all("[{\"a\":1},\n {\"a\":2} ,\n{\"a\":3}\n]\n{\"a\":4}",
		  "1:7:{\"a\":1}\n2:7:{\"a\":2}\n3:7:{\"a\":3}\n5:7:{\"a\":4}\n", "");
	TEST("an element that is not an object")
	check_all("[{\"a\":1},7,\"x\", null ]", "1:7:{\"a\":1}\n1:1:{\"value\":7}\n1:3:{\"value\":\"x\"}\n1:4:{\"value\":null}\n",
		  "");
	TEST("an empty array is no record, another one is a value")
	check_all("[] [ ]\n[1,{}]\n[[]]", "2:6:{\"value\":[1,{}]}\n3:4:{\"value\":[[]]}\n", "");
	TEST("values that are not objects")
	check_all("1 -2.50\n\"x\\n\"true\nnull 12",
		  "1:1:{\"value\":1}\n1:5:{\"value\":-2.50}\n2:5:{\"value\":\"x\\n\"}\n2:4:{\"value\":true}\n3:4:{\"value\":null}"
		  "\n3:2:{\"value\":12}\n",
		  "");
	TEST("an empty object has no fields")
	check_all("{}\n{ }\n{\"a\":{}}", "1:2:{}\n2:3:{}\n3:8:{\"a\":{}}\n", "");
	TEST("numbers keep their spelling")
	check_all("{\"a\":1.50,\"b\":1e400,\"c\":12345678901234567890,\"d\":-0}",
		  "1:52:{\"a\":1.50,\"b\":1e400,\"c\":12345678901234567890,\"d\":-0}\n", "");
	TEST("escapes, surrogate pairs, NUL")
	check_all("{\"a\":\"\\u00e9\\ud83d\\ude00\\/\\u0000\",\"\\u0062\":1}",
		  "1:45:{\"a\":\"\xC3\xA9\xF0\x9F\x98\x80/\\u0000\",\"b\":1}\n", "");
	TEST("of equal keys the last value at the first's place")
	check_all("{\"a\":1,\"b\":2,\"\\u0061\":3}\n{\"a\":1,\"b\":2}", "1:24:{\"a\":3,\"b\":2}\n2:13:{\"a\":1,\"b\":2}\n", "");
	TEST("shapes that change, strings with escapes in both")
	check_all("{\"a\":\"\\t\"}{\"b\":\"\\n\"}{\"a\":[\"\\t\"]}{\"a\":1,\"b\":{\"x\":\"\\t\"}}",
		  "1:10:{\"a\":\"\\t\"}\n1:10:{\"b\":\"\\n\"}\n1:12:{\"a\":[\"\\t\"]}\n1:22:{\"a\":1,\"b\":{\"x\":\"\\t\"}}\n",
		  "");
	TEST("nothing") check_all("", "", "");
	TEST("white space only") check_all(" \n\t\r\n ", "", "");
}

static void test_faults(void)
{
	TEST("a fault costs its line")
	check_all("{\"a\":1}\n{\"a\":tru}\n{\"a\":3}\n", "1:7:{\"a\":1}\n3:7:{\"a\":3}\n",
		  "2:9:{\"a\":tru}:invalid token near 'tru'\n");
	TEST("an object without its end costs its line")
	check_all("{\"a\":1\n{\"a\":2}\n{\"a\":\"x\n{\"a\":4}\n", "2:7:{\"a\":2}\n4:7:{\"a\":4}\n",
		  "1:6:{\"a\":1:'}' expected near end of file\n3:7:{\"a\":\"x:premature end of input near '\"x'\n");
	TEST("a bracket too many")
	check_all("{\"a\":1}}\n{\"a\":2}\n", "1:7:{\"a\":1}\n2:7:{\"a\":2}\n", "1:1:}:unexpected token near '}'\n");
	TEST("a fault in a record over several lines")
	check_all("{\n  \"a\": oops,\n  \"b\": {\n  }\n}\n{\"a\":2}\n", "6:7:{\"a\":2}\n",
		  "1:29:{\n  \"a\": oops,\n  \"b\": {\n  }\n}:invalid token near 'oops'\n");
	TEST("a good record behind a bad one on its line")
	check_all("{\"a\":x} {\"a\":2}{\"a\":y}{\"a\":3}", "1:7:{\"a\":2}\n1:7:{\"a\":3}\n",
		  "1:7:{\"a\":x}:invalid token near 'x'\n1:7:{\"a\":y}:invalid token near 'y'\n");
	TEST("a line that is no JSON costs the line")
	check_all("oops {\"a\":1}\n{\"a\":2}", "2:7:{\"a\":2}\n", "1:12:oops {\"a\":1}:invalid token near 'oops'\n");
	TEST("a bad element of an array")
	check_all("[{\"a\":1},{\"a\":x},{\"a\":3}]\n{\"a\":4}", "1:7:{\"a\":1}\n1:7:{\"a\":3}\n2:7:{\"a\":4}\n",
		  "1:7:{\"a\":x}:invalid token near 'x'\n");
	TEST("commas missing and too many in an array")
	check_all("[{\"a\":1} {\"a\":2} {\"a\":3},,{\"a\":4},]", "1:7:{\"a\":1}\n1:7:{\"a\":2}\n1:7:{\"a\":3}\n1:7:{\"a\":4}\n",
		  "1:0::'[' without ']': ',' or ']' expected\n1:1:,:a value expected before ','\n1:1:]:a value expected before "
		  "']'\n");
	TEST("an array without its end")
	check_all("[{\"a\":1},\n{\"a\":2}\n", "1:7:{\"a\":1}\n2:7:{\"a\":2}\n", "3:0::'[' without ']'\n");
	TEST("a stray bracket before JSON lines loses none of them")
	check_all("[{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", "1:7:{\"a\":1}\n2:7:{\"a\":2}\n3:7:{\"a\":3}\n",
		  "2:0::'[' without ']': ',' or ']' expected\n");
	TEST("NUL bytes and other rubbish between records")
	{
		struct oracle_log log;
		struct oracle_way w = { .level = (unsigned)simd_level() };

		CHECK(oracle_run(&w, "{\"a\":1}\n\0\n{\"a\":2}\n\x1a\n", 20, &log));
		CHECK_INT(log.n_rows, 2);
		CHECK_INT(log.n_bad, 2);
		oracle_free(&log);
	}
}

static void test_limits(void)
{
	TEST("a record longer than max_record is skipped, its neighbours are not")
	{
		struct oracle_way w = { .max_record = 20 };

		check_text(&w, "{\"a\":1}\n{\"a\":\"0123456789012345678901234567890\"}\n{\"a\":2}\n",
			   "1:7:{\"a\":1}\n3:7:{\"a\":2}\n", "2:20:{\"a\":\"01234567890123:longer than 20 bytes\n");
		w.slow = true;
		check_text(&w, "[{\"a\":1},{\"a\":\"01234567890123456789[,\"},{\"a\":2}]", "1:7:{\"a\":1}\n1:7:{\"a\":2}\n",
			   "1:20:{\"a\":\"01234567890123:longer than 20 bytes\n");
	}
	TEST("a record of many scans")
	{
		size_t n = 3 << 20;
		char *text = malloc(n);
		struct oracle_way w = { .level = (unsigned)simd_level(), .cut = 1 << 20 };
		struct oracle_log log;

		memset(text, 'x', n);
		memcpy(text, "{\"a\":\"", 6);
		memcpy(text + n - 30, "\"}\n{\"b\":1}\n                   ", 30);
		CHECK(oracle_run(&w, text, n, &log));
		CHECK_INT(log.n_rows, 2);
		CHECK_INT(log.n_bad, 0);
		oracle_free(&log);
		free(text);
	}
	TEST("objects of very many fields")
	{
		struct buf b = { 0 };
		struct oracle_way w = { .level = (unsigned)simd_level() };
		struct oracle_log log;

		for (int r = 0; r < 3; r++) {
			for (int i = 0; i < 20000; i++)
				buf_printf(&b, "%c\"k%d\":%d", i ? ',' : '{', i % 19000, i);
			buf_str(&b, "}\n");
		}
		CHECK(oracle_run(&w, b.p, b.n, &log));
		CHECK_INT(log.n_rows, 3);
		oracle_free(&log);
		buf_release(&b);
	}
}

static void test_fields(void)
{
	static const char *const user[] = { "user.id", "a" }, *const both[] = { "a.b", "a", "a.b.c" },
				 *const value[] = { "value", "x" };

	TEST("wanted fields, at the top and by path")
	check_fields(user, 2,
		     "{\"a\":1,\"user\":{\"name\":\"x\",\"id\":7}}\n{\"user\":{\"id\":{\"x\":[1]}}}\n{\"user\":3,\"b\":1}\n{}",
		     "1:34:{\"user.id\":7,\"a\":1}\n2:25:{\"user.id\":{\"x\":[1]},\"a\":null}\n3:16:{\"user.id\":null,\"a\":null}"
		     "\n4:2:{\"user.id\":null,\"a\":null}\n");
	TEST("the field of that very name comes first, wherever it stands")
	check_fields(user, 2,
		     "{\"user.id\":1,\"user\":{\"id\":2}}\n{\"user\":{\"id\":2},\"user.id\":1}\n{\"user.id\":null,\"user\":{"
		     "\"id\":2}}",
		     "1:29:{\"user.id\":1,\"a\":null}\n2:29:{\"user.id\":1,\"a\":null}\n3:32:{\"user.id\":null,\"a\":null}\n");
	TEST("an object and paths into it")
	check_fields(both, 3, "{\"a\":{\"b\":{\"c\":1}}}\n{\"a\":{\"b\":2}}\n{\"a\":[]}\n{\"a\":[{\"b\":{\"c\":1}},{\"b\":2},3]}",
		     "1:19:{\"a.b\":{\"c\":1},\"a\":{\"b\":{\"c\":1}},\"a.b.c\":1}\n2:13:{\"a.b\":2,\"a\":{\"b\":2},\"a.b.c\":"
		     "null}\n3:8:{\"a.b\":[],\"a\":[],\"a.b.c\":[]}\n4:31:{\"a.b\":[{\"c\":1},2,null],\"a\":[{\"b\":{\"c\":1}},{\"b\":2},3],\"a.b.c\":["
		     "1,null,null]}\n");
	TEST("a key that comes twice takes its paths with it")
	check_fields(both, 3, "{\"a\":{\"b\":{\"c\":1}},\"a\":{\"x\":1}}\n{\"a\":{\"b\":1},\"a\":5}",
		     "1:31:{\"a.b\":null,\"a\":{\"x\":1},\"a.b.c\":null}\n2:19:{\"a.b\":null,\"a\":5,\"a.b.c\":null}\n");
	TEST("the field `value` of what is no object, and escaped keys")
	check_fields(value, 2, "5\n{\"\\u0078\":1}\n{\"value\":\"\\\"\"}",
		     "1:1:{\"value\":5,\"x\":null}\n2:12:{\"value\":null,\"x\":1}\n3:14:{\"value\":\"\\\"\",\"x\":null}\n");
}

/* ---- stopping ---- */

struct stop {
	uint32_t rows;
	int verdict; /* of emit */
};

static int stop_emit(void *ctx, struct batch *b, struct err *e)
{
	struct stop *s = ctx;

	(void)e;
	s->rows += b->n_rows;
	return s->verdict;
}

static int stop_bad(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e)
{
	(void)ctx;
	(void)raw;
	(void)n;
	(void)reason;
	return err_set(e, ERR_DATA, "line %d", (int)line);
}

static void test_stop(void)
{
	static const char text[] = "{\"a\":1}\n{\"a\":2}\nx\n{\"a\":3}\n";
	struct decode_opts o = { .all = true };
	struct stop seen = { 0 };
	struct decode_to to = { .emit = stop_emit, .bad = stop_bad, .ctx = &seen };
	struct err e = { .kind = ERR_NONE };
	struct decoder *d = json_codec.open(&o, &e);
	char *block = oracle_block(text, sizeof text - 1);
	size_t used;

	TEST("the first bad record ends the run under --strict, the rows before it come out")
	{
		CHECK_INT(json_codec.decode(d, block, sizeof text - 1, true, &to, &used, &e), -1);
		CHECK_INT(seen.rows, 2);
		CHECK_STR(e.msg, "line 3");
	}
	TEST("a full stop of the consumer, and a new file")
	{
		seen.verdict = 1;
		json_codec.restart(d, "other");
		CHECK_INT(json_codec.decode(d, block, 16, true, &to, &used, &e), 1);
		CHECK_INT(seen.rows, batch_rows() == 1 ? 3 : 4);
		CHECK_INT(d->line, batch_rows() == 1 ? 2 : 3);
	}
	free(block);
	json_codec.close(d);
	json_codec.close(NULL);
}

/* ---- encoding ---- */

struct encode_run {
	struct encoder *c;
	struct buf out;
	const char *names[8];
	uint32_t lens[8];
	struct column cols[8];
	uint32_t n;
};

static void encode_open(struct encode_run *r, struct encode_opts o)
{
	struct err e = { .kind = ERR_NONE };

	*r = (struct encode_run){ .c = json_codec.open_out(&o, &e) };
}

static void encode_column(struct encode_run *r, const char *name, struct column c)
{
	r->names[r->n] = name;
	r->lens[r->n] = (uint32_t)strlen(name);
	r->cols[r->n++] = c;
}

static void encode_close(struct encode_run *r, uint32_t rows, const uint32_t *sel, uint32_t n_sel, const struct value *raw,
			 const char *want)
{
	struct err e = { .kind = ERR_NONE };
	struct batch b = { .schema = schema_intern(r->names, r->lens, r->n),
			   .cols = r->cols,
			   .n_rows = rows,
			   .n_sel = n_sel,
			   .sel = sel,
			   .raw = raw };

	CHECK_INT(json_codec.encode(r->c, &b, &r->out, &e), 0);
	CHECK_INT(json_codec.flush(r->c, &r->out, true, &e), 0);
	CHECK_BYTES(r->out.p, r->out.n, want);
	CHECK_INT(r->c->n_records, n_sel);
	json_codec.close_out(r->c);
	buf_release(&r->out);
}

static void test_encode(void)
{
	struct arena a = { 0 };
	struct encode_opts none = { 0 };
	struct encode_run r;

	TEST("columns of every storage, nulls, constants, a selection")
	{
		static int64_t ints[] = { 1, -2, INT64_MIN };
		static bool bools[] = { true, false, true };
		static double floats[] = { 1.5, 0.1, 3 };
		static uint64_t valid[] = { 5 };
		static struct value any[] = { { .type = T_NULL }, { .type = T_BOOL, .i = 1 }, { .type = T_INT, .i = 9 } };
		static const uint32_t sel[] = { 1, 2 };
		struct value text = v_text("007", 3);

		encode_open(&r, none);
		encode_column(&r, "i", (struct column){ .i = ints, .type = T_INT });
		encode_column(&r, "b", (struct column){ .b = bools, .type = T_BOOL });
		encode_column(&r, "f", (struct column){ .f = floats, .type = T_FLOAT });
		encode_column(&r, "n", (struct column){ .i = ints, .type = T_INT, .valid = valid, .has_null = true });
		encode_column(&r, "v", (struct column){ .v = any, .type = T_ANY, .has_null = true });
		encode_column(&r, "c", column_const(&a, &text));
		encode_column(&r, "z", (struct column){ .type = T_NULL, .has_null = true });
		encode_close(&r, 3, sel, 2, NULL,
			     "{\"i\":-2,\"b\":false,\"f\":0.1,\"n\":null,\"v\":true,\"c\":\"007\",\"z\":null}\n"
			     "{\"i\":-9223372036854775808,\"b\":true,\"f\":3,\"n\":-9223372036854775808,\"v\":9,\"c\":\"007\","
			     "\"z\":null}\n");
	}
	TEST("text that is a JSON number, strings that look like one, spellings kept")
	{
		struct value v[] = { v_text("1.50", 4), v_str("1.50", 4), v_bytes(T_NUM, "1e400", 5), v_text("+1", 2),
				     v_text("", 0) };

		encode_open(&r, none);
		encode_column(&r, "x", (struct column){ .v = v, .type = T_ANY });
		encode_close(&r, 5, NULL, 5, NULL,
			     "{\"x\":1.50}\n{\"x\":\"1.50\"}\n{\"x\":1e400}\n{\"x\":\"+1\"}\n{\"x\":\"\"}\n");
	}
	TEST("NaN and inf are null, counted")
	{
		static double f[] = { 1, 0, 0 };
		uint64_t n_nan;

		f[1] = __builtin_nan("");
		f[2] = -__builtin_inf();
		encode_open(&r, none);
		encode_column(&r, "x", (struct column){ .f = f, .type = T_FLOAT });
		{
			struct err e = { .kind = ERR_NONE };
			struct batch b = { .schema = schema_intern(r.names, r.lens, 1), .cols = r.cols, .n_rows = 3, .n_sel = 3 };

			CHECK_INT(json_codec.encode(r.c, &b, &r.out, &e), 0);
			n_nan = r.c->n_nan;
			CHECK_INT(n_nan, 2);
			CHECK_BYTES(r.out.p, r.out.n, "{\"x\":1}\n{\"x\":null}\n{\"x\":null}\n");
			json_codec.close_out(r.c);
			buf_release(&r.out);
		}
	}
	TEST("escapes, and bytes that are not UTF-8")
	{
		struct value v[] = { v_str("\"\\/\b\f\n\r\t\x01\x1f\x7f\0", 12), v_str("a\xC3\xA9\xFF\xE2\x82z\xED\xA0\x80", 10),
				     v_str("0123456\"89abcdef\xF0\x9F\x98\x80", 20) };

		encode_open(&r, none);
		encode_column(&r, "\"k\n", (struct column){ .v = v, .type = T_STR });
		encode_close(
			&r, 3, NULL, 3, NULL,
			"{\"\\\"k\\n\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\"}\n"
			"{\"\\\"k\\n\":\"a\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}\n"
			"{\"\\\"k\\n\":\"0123456\\\"89abcdef\xF0\x9F\x98\x80\"}\n");
	}
	TEST("a record without fields, and one that goes out as it came in")
	{
		static const char one[] = "{ \"a\": 1.50 }", more[] = "{\n \"a b\" : \"\\\" \\\\\" ,\r\n \"c\" : [ 1 ]\n}";
		struct value raw[] = { v_text(one, sizeof one - 1), v_text(more, sizeof more - 1) };

		encode_open(&r, none);
		encode_close(&r, 2, NULL, 2, raw, "{}\n{}\n");
		encode_open(&r, (struct encode_opts){ .verbatim = true });
		encode_close(&r, 2, NULL, 2, raw, "{ \"a\": 1.50 }\n{\"a b\":\"\\\" \\\\\",\"c\":[1]}\n");
	}
	arena_release(&a);
}

/* The encoder's strings are those of the generic printer, for all byte pairs and at every place in the eight bytes looked at. */
static void test_strings(void)
{
	struct encode_opts o = { 0 };
	struct err e = { .kind = ERR_NONE };
	struct encoder *c = json_codec.open_out(&o, &e);
	static const char *const names[] = { "x" };
	static const uint32_t lens[] = { 1 };
	const struct schema *s = schema_intern(names, lens, 1);
	struct buf got = { 0 }, want = { 0 };

	for (unsigned pair = 0; pair < 65536; pair++) {
		char text[] = "abcdefghijklmnopqrstuvwxyz";
		struct value v = v_str(text, 26);
		struct column col = { .v = &v, .type = T_STR };
		struct batch b = { .schema = s, .cols = &col, .n_rows = 1, .n_sel = 1 };

		text[pair % 25] = (char)(pair & 255);
		text[pair % 25 + 1] = (char)(pair >> 8);
		got.n = want.n = 0;
		json_codec.encode(c, &b, &got, &e);
		buf_str(&want, "{\"x\":");
		json_print_string(&want, text, 26);
		buf_str(&want, "}\n");
		if (!oracle_same(&got, &want))
			CHECK(!"strings differ");
	}
	json_codec.close_out(c);
	buf_release(&got);
	buf_release(&want);
}

static int checked(const char *text, char *why)
{
	size_t at;

	return json_check(text, strlen(text), why, &at);
}

static void test_check(void)
{
	char why[160];
	size_t at;

	CHECK_INT(checked("1e400", why), 1);
	CHECK_INT(checked("{\"a\":[1e400,-12345678901234567890123,\"1e400\",0]}", why), 1);
	CHECK_INT(checked("[1e400x]", why), 0);
	CHECK_INT(checked("[1e400,01]", why), 0);
	CHECK_INT(checked("[1e400,-1e-9E9]", why), 0);
	CHECK_INT(checked("[1e400,-1-99999]", why), 0);
	CHECK_INT(checked("[-1e400,-1.5e400]", why), 1);
	CHECK_INT(checked("[1,2", why), 0);
	CHECK_STR(why, "']' expected near end of file");
	CHECK_INT(json_check("", 0, why, &at), 0);
	CHECK_INT(at, 0);
	CHECK_INT(json_check("[1\0]", 4, why, &at), 0);
	CHECK_STR(why, "NUL byte outside a string");
	CHECK_INT(at, 2);
}

int main(void)
{
	TEST("the table of edge cases: jansson, the reader, the decoder at every level") test_table();
	TEST("json_check: overflow is no fault") test_check();
	test_stream();
	test_faults();
	test_limits();
	test_fields();
	test_stop();
	test_encode();
	TEST("strings as json_print_string writes them") test_strings();
	return test_done();
}

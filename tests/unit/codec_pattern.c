#include "codec/pattern.h"
#include "codec/codec.h"
#include "base/nearest.h"
#include "test.h"

/* One row through a pattern; text of the fields asked for, joined by '|', null as '~'; NULL when it does not match. */
struct probe {
	struct arena a;
	struct pattern *p;
	char out[4096];
	const char *why;
};

static const char *show(struct probe *t, const struct column *cols, uint32_t n)
{
	struct buf b = { 0 };

	for (uint32_t j = 0; j < n; j++) {
		struct value v = column_get(&cols[j], 0);

		if (j)
			buf_char(&b, '|');
		if (v.type == T_NULL)
			buf_char(&b, '~');
		else
			value_print(&b, &v, NULL);
	}
	snprintf(t->out, sizeof t->out, "%s", buf_cstr(&b));
	buf_release(&b);
	return t->out;
}

static const char *run(struct probe *t, const char *s, size_t n, const char *const *need, uint32_t n_need)
{
	uint32_t n_fields, n_default, ok[1], bad[1];
	/* an exact copy on the heap, so that a sanitizer sees every byte read outside */
	char *text = memcpy(xmalloc(n ? n : 1), s, n);
	struct value v = v_text(text, n);
	struct column col = { .v = &v, .type = T_TEXT }, cols[80];
	const char *why[1] = { NULL };
	struct pattern_in in = { .text = &col, .n_sel = 1, .n_rows = 1, .need = need, .n_need = n_need, .arena = &t->a };
	struct pattern_out out = { .cols = cols, .ok = ok, .bad = bad, .why = why };
	const char *got;

	pattern_fields(t->p, &n_fields, &n_default);
	pattern_parse(t->p, &in, &out);
	t->why = why[0];
	got = out.n_ok ? show(t, cols, need ? n_need : n_default ? n_default : 1) : NULL;
	free(text);
	return got;
}

static const char *parse(struct probe *t, const char *s, const char *field)
{
	return run(t, s, strlen(s), field ? &field : NULL, field != NULL);
}

static void probe_end(struct probe *t)
{
	pattern_free(t->p);
	arena_release(&t->a);
}

static struct probe named(const char *name)
{
	struct err e = { 0 };

	return (struct probe){ .p = pattern_named(name, strlen(name), &e) };
}

static struct probe brace(const char *p)
{
	struct err e = { 0 };

	return (struct probe){ .p = pattern_brace(p, strlen(p), &e) };
}

#define IS(t, s, field, want) \
	do { \
		const char *got_ = parse(t, s, field); \
		CHECK(got_ != NULL); \
		if (got_) \
			CHECK_STR(got_, want); \
	} while (0)

#define IS_ALL(t, s, need, want) \
	do { \
		const char *got_ = run(t, s, strlen(s), need, ARRAY_LEN(need)); \
		CHECK(got_ != NULL); \
		if (got_) \
			CHECK_STR(got_, want); \
	} while (0)

#define NOT(t, s, want) \
	do { \
		CHECK(parse(t, s, NULL) == NULL); \
		CHECK((t)->why != NULL); \
		if ((t)->why) \
			CHECK_STR((t)->why, want); \
	} while (0)

#define LINE \
	"192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] \"GET /a b.gif HTTP/1.0\" 200 2326 \"http://x/\" \"Mozilla \\\"4\\\"\""
#define HEAD "192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "

static void test_combined(void)
{
	struct probe t = named("combined");

	TEST("combined: every field of a line")
	{
		IS(&t, LINE, NULL,
		   "192.0.2.7|~|frank|10/Oct/2000:13:55:36 -0700|GET|/a b.gif|HTTP/1.0|200|2326|http://x/|Mozilla \\\"4\\\"");
		IS(&t, LINE, "request", "GET /a b.gif HTTP/1.0");
		IS(&t, LINE, "nothing", "~");
	}
	TEST("combined: what follows a blank after the agent is left alone")
	{
		IS(&t, LINE " \"-\" 0.003", "status", "200");
		IS(&t, LINE "\r", "agent", "Mozilla \\\"4\\\"");
		NOT(&t, LINE "x", "text after the closing quote of the agent");
	}
	TEST("combined: a dash is null")
	{
		IS(&t, HEAD "\"GET / HTTP/1.1\" 304 - \"-\" \"-\"", NULL,
		   "192.0.2.7|~|~|10/Oct/2000:13:55:36 -0700|GET|/|HTTP/1.1|304|~|~|~");
		IS(&t, HEAD "\"GET / HTTP/1.1\" - 0 \"\" \"\"", "status", "~");
		IS(&t, HEAD "\"GET / HTTP/1.1\" - 0 \"\" \"\"", "agent", "");
	}
	TEST("combined: a request that is none keeps the record")
	{
		const char *need[] = { "method", "path", "protocol", "request" };
		const char *bad[] = { "-",
				      "",
				      "\\x16\\x03\\x01",
				      "GET /",
				      "GET  HTTP/1.1",
				      "a b c",
				      "GET /x HTTP",
				      "GET /x HTTP/",
				      "GET /x 1/1",
				      "1 /x HTTP/1.1" };

		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			char line[200], want[200];
			const char *got;

			snprintf(line, sizeof line, HEAD "\"%s\" 400 0 \"-\" \"-\"", bad[i]);
			snprintf(want, sizeof want, "~|~|~|%s", bad[i]);
			got = run(&t, line, strlen(line), need, 4);
			CHECK(got != NULL);
			if (got)
				CHECK_STR(got, want);
		}
	}
	TEST("combined: escaped quotes and backslashes before quotes")
	{
		IS(&t, HEAD "\"GET /\\\"x HTTP/1.1\" 200 1 \"a\\\\\" \"b\"", "path", "/\\\"x");
		IS(&t, HEAD "\"GET /\\\"x HTTP/1.1\" 200 1 \"a\\\\\" \"b\"", "referer", "a\\\\");
		IS(&t, HEAD "\"GET / HTTP/1.1\" 200 1 \"r\" \"Moz \"bare\" x\"", "agent", "Moz \"bare\" x");
	}
	TEST("combined: users with blanks and brackets, other time formats")
	{
		IS(&t, "h - a [b] c [x] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"", "user", "a [b] c");
		IS(&t, "::1 - - [2015-05-17T10:05:03Z] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"", "time", "2015-05-17T10:05:03Z");
	}
	TEST("combined: lines that do not match say why")
	{
		NOT(&t, "", "not a request, referer and agent in quotes");
		NOT(&t, "garbage", "not a request, referer and agent in quotes");
		NOT(&t, HEAD "\"GET / HTTP/1.1\" 200 1", "not a request, referer and agent in quotes");
		NOT(&t, "\"\" 200 1 \"-\" \"-\"", "no [time] before the request");
		NOT(&t, "h - - [] \"-\" 200 1 \"-\" \"-\"", "no [time] before the request");
		NOT(&t, "h - [x] \"-\" 200 1 \"-\" \"-\"", "no 'ip identity user' before the time");
		NOT(&t, " - - [x] \"-\" 200 1 \"-\" \"-\"", "no 'ip identity user' before the time");
		NOT(&t, HEAD "\"-\" 20 1 \"-\" \"-\"", "no status after the request");
		NOT(&t, HEAD "\"-\" 2000 1 \"-\" \"-\"", "no status after the request");
		NOT(&t, HEAD "\"-\" 200 \"-\" \"-\"", "no size after the status");
		NOT(&t, HEAD "\"-\" 200 1x \"-\" \"-\"", "no size after the status");
		NOT(&t, HEAD "\"-\" 200 1 x \"-\" \"-\"", "no referer and agent in quotes after the size");
		NOT(&t, HEAD "\"-\" 200 1 \"-\"  \"-\"", "no referer and agent in quotes after the size");
	}
	TEST("combined: sizes of any length")
	{
		IS(&t, HEAD "\"-\" 200 12345678 \"-\" \"-\"", "size", "12345678");
		IS(&t, HEAD "\"-\" 200 123456789012 \"-\" \"-\"", "size", "123456789012");
		NOT(&t, HEAD "\"-\" 200 1234567x \"-\" \"-\"", "no size after the status");
		NOT(&t, HEAD "\"-\" 200 1:34567 \"-\" \"-\"", "no size after the status");
		NOT(&t, HEAD "\"-\" 200 /1 \"-\" \"-\"", "no size after the status");
		NOT(&t, HEAD "\"-\" 200 12345678x012 \"-\" \"-\"", "no size after the status");
	}
	TEST("combined: parts may stand anywhere in a block of 64 bytes")
	{
		for (int k = 1; k < 200; k++) {
			char line[600], want[600];
			const char *need[] = { "ip", "user", "path", "agent" };

			snprintf(line, sizeof line, "%0*d - %s [x] \"POST /\\\"\\\\\\\" HTTP/1.1\" 200 1 \"\\\\\" \"a\"", k, 1,
				 "u u");
			snprintf(want, sizeof want, "%0*d|u u|/\\\"\\\\\\\"|a", k, 1);
			IS_ALL(&t, line, need, want);
		}
	}
	TEST("combined: every prefix of a line is safe and only the whole matches")
	{
		for (size_t n = 0; n < strlen(LINE); n++)
			CHECK(run(&t, LINE, n, NULL, 0) == NULL);
	}
	probe_end(&t);
}

static void test_common(void)
{
	struct probe t = named("common");

	TEST("common: fields, and combined lines too")
	{
		IS(&t, "h - - [x] \"GET /p HTTP/1.1\" 200 17", NULL, "h|~|~|x|GET|/p|HTTP/1.1|200|17");
		IS(&t, LINE, "size", "2326");
		IS(&t, LINE, "request", "GET /a b.gif HTTP/1.0");
		IS(&t, LINE, "referer", "~");
		NOT(&t, "h - - [x] GET", "no quoted request");
	}
	probe_end(&t);
	t = named("clf");
	TEST("common: has an alias") CHECK(t.p != NULL);
	probe_end(&t);
}

static void test_syslog(void)
{
	struct probe t = named("syslog");
	const char *priority[] = { "priority", "facility", "severity" };

	TEST("syslog: lines of /var/log")
	{
		IS(&t, "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: check pass; user unknown", NULL,
		   "Jun 14 15:16:01|combo|sshd(pam_unix)|19939|check pass; user unknown");
		IS(&t, "Jul  3 04:08:03 combo kernel: Linux: agpgart", NULL, "Jul  3 04:08:03|combo|kernel|~|Linux: agpgart");
		IS(&t, "Jul 3 04:08:03 h a[1] b", NULL, "Jul 3 04:08:03|h|a|1|b");
		IS(&t, "2024-02-03T04:05:06.789+01:00 h systemd[1]: up", NULL, "2024-02-03T04:05:06.789+01:00|h|systemd|1|up");
	}
	TEST("syslog: without a tag all is message")
	{
		IS(&t, "Jul  3 04:08:03 combo syslogd 1.4.1: restart.", NULL,
		   "Jul  3 04:08:03|combo|~|~|syslogd 1.4.1: restart.");
		IS(&t, "Jul  7 08:06:15 combo  -- root[2421]: ROOT", "message", "-- root[2421]: ROOT");
		IS(&t, "Jul  7 08:06:15 combo a[]: b", NULL, "Jul  7 08:06:15|combo|~|~|a[]: b");
		IS(&t, "Jul  7 08:06:15 combo a[1 2]: b", "program", "~");
		IS(&t, "Jul  7 08:06:15 combo", NULL, "Jul  7 08:06:15|combo|~|~|");
	}
	TEST("syslog: priority")
	{
		const char *s = "<34>Oct 11 22:14:15 h su: failed";

		IS(&t, s, "program", "su");
		IS_ALL(&t, s, priority, "34|4|2");
		NOT(&t, "<192>Oct 11 22:14:15 h su: x", "malformed <priority>");
		NOT(&t, "<>Oct 11 22:14:15 h su: x", "malformed <priority>");
		NOT(&t, "<1234>Oct 11 22:14:15 h su: x", "malformed <priority>");
		NOT(&t, "<", "malformed <priority>");
	}
	TEST("syslog: RFC 5424")
	{
		const char *need[] = { "time", "host", "program", "pid", "msgid", "data", "message" };
		const char *s = "<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [a@1 k=\"v\\\"]\"][b] \xEF\xBB\xBFhello";

		IS_ALL(&t, s, need, "2003-10-11T22:14:15.003Z|h|evntslog|~|ID47|[a@1 k=\"v\\\"]\"][b]|hello");
		s = "<0>1 - - - - - -";
		IS_ALL(&t, s, need, "~|~|~|~|~|~|");
		NOT(&t, "<0>1 - - - - -", "an RFC 5424 header has too few fields");
		NOT(&t, "<0>1 - - - - - [x", "malformed structured data");
		NOT(&t, "<0>1 - - - - - [x \"\\", "malformed structured data");
		NOT(&t, "<0>1 - - - - - x", "malformed structured data");
	}
	TEST("syslog: other lines do not match")
	{
		NOT(&t, "", "does not begin with a syslog time");
		NOT(&t, "Jun 14 15:16 combo x: y", "does not begin with a syslog time");
		NOT(&t, "Jun 14 15:16:01  x: y", "no host after the time");
	}
	probe_end(&t);
}

static void test_json(void)
{
	struct probe t = named("json");
	const char *need[] = { "a", "b.c", "x.y", "s" };
	const char *s = "{\"a\": 1.50, \"b\": {\"c\": [1, 2]}, \"x.y\": null, \"s\": \"q\\n\"}";

	TEST("json: members, paths and whole objects")
	{
		IS_ALL(&t, s, need, "1.50|[1,2]|~|q\n");
		IS(&t, "{\"a\":1}", NULL, "{\"a\":1}");
		CHECK(parse(&t, "{\"a\":", NULL) == NULL);
		CHECK(t.why != NULL);
		NOT(&t, "[1]", "not a JSON object");
	}
	probe_end(&t);
}

static void test_records(void)
{
	struct probe t = named("csv");
	const char *need[] = { "2", "1", "9" };
	const char *s = "7,\"a \"\"b\"\"\",x";

	TEST("csv: fields by number, each row on its own")
	{
		IS_ALL(&t, s, need, "a \"b\"|7|~");
		IS(&t, "a,b", NULL, "{\"1\":\"a\",\"2\":\"b\"}");
		IS(&t, "a,b,c", "3", "c");
		IS(&t, "a,b", "3", "~");
		NOT(&t, "a\nb", "more than one record");
		NOT(&t, "", "no record in the text");
	}
	probe_end(&t);
	t = named("logfmt");
	TEST("logfmt: keys")
	{
		IS(&t, "level=warn msg=\"disk \\\"x\\\" full\" used=97", "msg", "disk \"x\" full");
		CHECK_STR(run(&t, "a\0b=1 a=2", 9, (const char *[]){ "a" }, 1), "2");
		IS(&t, "level=warn used=97", NULL, "{\"level\":\"warn\",\"used\":97}");
	}
	probe_end(&t);
}

/* What the format's decoder makes of a text alone: its fields as one object in JSON, or nothing unless it is exactly one good
 * record. */
struct oracle {
	struct buf json;
	unsigned records, bad;
};

static int oracle_emit(void *ctx, struct batch *b, struct err *e)
{
	struct oracle *o = ctx;
	struct value v = batch_record(b, batch_row(b, 0), b->arena);

	(void)e;
	o->json.n = 0;
	value_print_json(&o->json, &v, NULL);
	o->records += b->n_sel;
	return 0;
}

static int oracle_bad(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e)
{
	(void)raw, (void)n, (void)line, (void)reason, (void)e;
	((struct oracle *)ctx)->bad++;
	return 0;
}

static void ask(struct oracle *o, const struct codec_def *codec, const char *s, size_t n)
{
	struct decode_opts opts = { .all = true, .no_header = true, .max_record = 1000 };
	struct decode_to to = { .emit = oracle_emit, .bad = oracle_bad, .ctx = o };
	char block[16 + MEM_SLACK] = "";
	struct err e = { 0 };
	struct decoder *d = codec->open(&opts, &e);
	size_t used;

	memcpy(block, s, n);
	o->records = o->bad = 0;
	o->json.n = 0;
	codec->decode(d, block, n, true, &to, &used, &e);
	codec->close(d);
}

/* Blank lines around a record: the decoder skips them, a text that has them is more than one line. */
static bool blank_lines(const char *s, size_t n)
{
	bool last = n && (s[n - 1] == '\n' || s[n - 1] == '\r'), before = n > 1 && (s[n - 2] == '\n' || s[n - 2] == '\r');

	return *s == '\n' || *s == '\r' || (last && before && memcmp(s + n - 2, "\r\n", 2)) ||
	       (last && before && n > 2 && s[n - 3] < ' ');
}

/* Every text of up to `most` bytes of the alphabet. */
static unsigned compare_all(const char *format, const char *alphabet, unsigned most)
{
	const struct codec_def *codec = codec_find(format);
	struct probe t = named(format);
	struct oracle o = { 0 };
	unsigned wrong = 0, base = (unsigned)strlen(alphabet), total = 1;

	for (unsigned len = 1; len <= most; len++) {
		total *= base;
		for (unsigned k = 0; k < total; k++) {
			char s[16];
			const char *got;

			for (unsigned i = 0, x = k; i < len; i++, x /= base)
				s[i] = alphabet[x % base];
			if (blank_lines(s, len))
				continue;
			got = run(&t, s, len, NULL, 0);
			ask(&o, codec, s, len);
			if (o.records == 1 && !o.bad ? !got || strcmp(got, buf_cstr(&o.json)) : got != NULL)
				if (!wrong++)
					printf("# %s <%.*s>: \"%s\", the decoder has \"%s\"\n", format, (int)len, s,
					       got ? got : "(nothing)", buf_cstr(&o.json));
			arena_reset(&t.a);
		}
	}
	buf_release(&o.json);
	probe_end(&t);
	return wrong;
}

static void test_as_decoders(void)
{
	TEST("csv: the same records and fields as the decoder, for all short texts")
	CHECK_INT(compare_all("csv", "a,\"\n\r", 6), 0);
	TEST("logfmt: the same records and fields as the decoder, for all short texts")
	{
		CHECK_INT(compare_all("logfmt", "ab= \"\\", 5), 0);
	}
}

static void test_brace(void)
{
	struct probe t = brace("{ip} - {user} [{ts}] {} {{{n}}}");

	TEST("brace: shortest runs, the last literal at the end")
	{
		IS(&t, "h - u [t] skip {9}", NULL, "h|u|t|9");
		IS(&t, "h - u - v [t] [w] x {a}b}", NULL, "h|u - v|t|a}b");
		NOT(&t, "h - u [t] x {9} ", "does not match the pattern");
		NOT(&t, "h - u [t] {9}", "does not match the pattern");
		NOT(&t, "", "does not match the pattern");
	}
	probe_end(&t);
	t = brace("<{a}><{b}>");
	TEST("brace: empty captures, overlap of first and last literal")
	{
		IS(&t, "<><>", NULL, "|");
		NOT(&t, "<>", "does not match the pattern");
		NOT(&t, "<", "does not match the pattern");
	}
	probe_end(&t);
	t = brace("{all}");
	TEST("brace: one capture takes all")
	{
		IS(&t, "", NULL, "");
		IS(&t, "x y", NULL, "x y");
	}
	probe_end(&t);
}

static void brace_bad(const char *p, const char *msg, int at, int n)
{
	struct err e = { 0 };

	CHECK(pattern_brace(p, strlen(p), &e) == NULL);
	CHECK_STR(e.msg, msg);
	CHECK_INT(e.kind, ERR_PROGRAM);
	CHECK_INT(e.pos.at, at);
	CHECK_INT(e.pos.n, n);
	CHECK(e.hint[0] || strstr(msg, "twice") || strstr(msg, "name is"));
}

static void test_errors(void)
{
	struct err e = { 0 };
	struct nearest near;

	TEST("brace: errors with their place")
	{
		brace_bad("a {x}{y}", "two captures need some text between them", 5, 3);
		brace_bad("a {x", "a '{' without its '}'", 2, 1);
		brace_bad("a } {x}", "a '}' without its '{'", 2, 1);
		brace_bad("{a} {b} {a}", "this name is captured twice", 9, 1);
		brace_bad("{a:int}", "a capture's name is letters, digits, '_', '-' and '.'", 2, 1);
		brace_bad("{} x", "the pattern captures nothing", 0, 4);
		brace_bad("", "the pattern captures nothing", 0, 0);
	}
	TEST("named: unknown formats name the nearest")
	{
		CHECK(pattern_named("combinde", 8, &e) == NULL);
		CHECK_STR(e.msg, "unknown format 'combinde'");
		CHECK_STR(e.hint, "did you mean 'combined'?");
		nearest_init(&near, "sylog", 5);
		pattern_nearest(&near);
		CHECK(near.best && !strcmp(near.best, "syslog"));
	}
	TEST("regex: named groups")
	{
		struct probe t = { 0 };

		memset(&e, 0, sizeof e);
		t.p = pattern_regex("(?<k>[a-z]+)=(?<v>\\d+)?", 23, &e);
		CHECK(t.p != NULL);
		if (t.p) {
			IS(&t, "-- ab=12 --", NULL, "ab|12");
			IS(&t, "ab=x", NULL, "ab|~");
			NOT(&t, "12", "does not match the pattern");
		}
		probe_end(&t);
		CHECK(pattern_regex("(a)", 3, &e) == NULL);
		CHECK_STR(e.msg, "the pattern names nothing");
	}
}

static void test_batch(void)
{
	struct probe t = named("combined");
	struct value v[4] = { v_text("x", 1), v_null(), v_text(LINE, strlen(LINE)), v_int(7) };
	struct column col = { .v = v, .type = T_ANY, .has_null = true }, cols[1];
	uint32_t sel[] = { 1, 2, 3 }, ok[3], bad[3];
	const char *need[] = { "status" };
	struct pattern_in in = { &col, sel, 3, 4, need, 1, &t.a };
	struct pattern_out out = { .cols = cols, .ok = ok, .bad = bad };

	TEST("a batch: selection, nulls and values that are not text")
	{
		pattern_parse(t.p, &in, &out);
		CHECK_INT(out.n_ok, 1);
		CHECK_INT(out.n_bad, 2);
		CHECK_INT(ok[0], 2);
		CHECK_INT(bad[0], 1);
		CHECK_INT(bad[1], 3);
		CHECK_BYTES(cols[0].v[2].s, cols[0].v[2].n, "200");
	}
	TEST("the registry lists every named format with its documentation")
	{
		unsigned i = 0;

		for (; pattern_at(i); i++)
			CHECK(pattern_doc(pattern_at(i))->summary && pattern_doc(pattern_at(i))->examples[0].args);
		CHECK_INT(i, 6);
	}
	probe_end(&t);
}

int main(void)
{
	test_combined();
	test_common();
	test_syslog();
	test_json();
	test_records();
	test_as_decoders();
	test_brace();
	test_errors();
	test_batch();
	return test_done();
}

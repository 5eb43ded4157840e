/* The text formats: what each input means, whatever the block cut; what each output looks like. */
#include "codec/codec.h"

#include "codec_util.h"
#include "test.h"

static const size_t cuts[] = { 0, 1, 2, 3, 7, 64, 100 };

struct in_case {
	const char *name, *format, *in, *want;
	struct decode_opts opts;
	size_t n; /* of `in`, 0: strlen */
};

static const char *const abc[] = { "a", "b", "c" };
static const char *const ca[] = { "c", "a" };
static const char *const c_line[] = { "x", "line" };
static const char *const positions[] = { "2", "1", "9", "x" };

#define ALL \
	{ \
		.all = true, .max_record = 1 << 20 \
	}

static const struct in_case in_cases[] = {
	{ "lines keep their bytes", "lines", "a b\r\n\n\xff\nlast", "1:line=a b\r\n2:line=\n3:line=\xff\n4:line=last\n", ALL, 0 },
	{ "an empty input has no lines", "lines", "", "", ALL, 0 },
	{ "a NUL is a byte of a line", "lines", "a\0b\n", "1:line=a", ALL, 4 },
	{ "lines over the limit are bad, the others are kept",
	  "lines",
	  "123456\nabc\n1234567\n12345678901\nxyz\n1234567",
	  "1:line=123456\n2:line=abc\n3!longer than 6 bytes[123456]\n4!longer than 6 bytes[123456]\n5:line=xyz\n6!longer than 6 "
	  "bytes[123456]\n",
	  { .all = true, .max_record = 6 },
	  0 },
	{ "a projection puts line where it was asked for",
	  "lines",
	  "one\ntwo\n",
	  "1:~|one\n2:~|two\n",
	  { .fields = c_line, .n_fields = 2, .max_record = 100 },
	  0 },

	{ "the first csv record names the fields", "csv", "a,b\n1,x y\n 2 ,\"q\"\n", "2:a=1|b=x y\n3:a= 2 |b=q\n", ALL, 0 },
	{ "empty is null, quoted empty is not", "csv", "a,b,c\n,\"\",\n", "2:a=~|b=|c=~\n", ALL, 0 },
	{ "csv line ends: CR LF, LF, CR, none", "csv", "a,b\r\n1,2\r\n3,4\n5,6\r7,8",
	  "2:a=1|b=2\n3:a=3|b=4\n4:a=5|b=6\n4:a=7|b=8\n", ALL, 0 },
	{ "blank lines are no records", "csv", "\n\r\na,b\n\n1,2\r\n\r\n\n3,4\n\n", "5:a=1|b=2\n8:a=3|b=4\n", ALL, 0 },
	{ "blank lines of a file of one field", "csv", "a\n\n1\r\n\r\n\"\"\n2\n", "3:a=1\n5:a=\n6:a=2\n", ALL, 0 },
	{ "quotes hold delimiters, line ends and quotes", "csv", "a,b\n\"1,\"\"x\"\"\n\r\n\",2\n3,4\n",
	  "2:a=1,\"x\"\n\r\n|b=2\n5:a=3|b=4\n", ALL, 0 },
	{ "stray quotes as libcsv has them", "csv", "a,b\nx\"y,z\"\"\n\"p\"q,r\",s\n1,2\n",
	  "2:a=x\"y|b=z\"\"\n3:a=p\"q,r|b=s\n4:a=1|b=2\n", ALL, 0 },
	{ "a byte order mark is dropped", "csv", "\xEF\xBB\xBF\"a\",b\n1,2\n", "2:a=1|b=2\n", ALL, 0 },
	{ "half a byte order mark is data", "csv", "\xEF\xBB", "", ALL, 0 },
	{ "names that repeat or lack", "csv", "a,a,,a_2,a\n1,2,3,4,5\n", "2:a=1|a_2=2|3=3|a_2_2=4|a_3=5\n", ALL, 0 },
	{ "records of another length are bad", "csv", "a,b\n1\n1,2\n1,2,3\n\n3,4\n",
	  "2!1 field, the header has 2[1]\n3:a=1|b=2\n4!3 fields, the header has 2[1,2,3]\n6:a=3|b=4\n", ALL, 0 },
	{ "a quote that never closes costs one line", "csv", "a,b\n1,2\n\"x,3\n4,5\n6,7\n",
	  "2:a=1|b=2\n3!quote opened at line 3 never closes[\"x,3]\n4:a=4|b=5\n5:a=6|b=7\n", ALL, 0 },
	{ "the quote that never closes may be opened later", "csv", "a,b\n\"p\nq\",\"r\n4,5\n",
	  "2!quote opened at line 3 never closes[\"p]\n3!quote opened at line 3 never closes[q\",\"r]\n4:a=4|b=5\n", ALL, 0 },
	{ "a quote open for more than the limit costs one line",
	  "csv",
	  "a,b\n\"x,3\n4,5\n6,7\n8,9\n",
	  "2!quote opened at line 2 never closes[\"x,3]\n3:a=4|b=5\n4:a=6|b=7\n5:a=8|b=9\n",
	  { .all = true, .max_record = 9 },
	  0 },
	{ "csv records over the limit",
	  "csv",
	  "a,b\n12345,789\n12345,7890\n1,2\n12345,\"7\n8,\"\n1,\"345\"\n",
	  "2:a=12345|b=789\n3!longer than 9 bytes[12345,789]\n4:a=1|b=2\n5!quote opened at line 5 never closes[12345,\"7]\n"
	  "6!quote opened at line 6 never closes[8,\"]\n7:a=1|b=345\n",
	  { .all = true, .max_record = 9 },
	  0 },
	{ "csv projection",
	  "csv",
	  "a,b,c\n1,2,3\n4,5,\n",
	  "2:3|1\n3:~|4\n",
	  { .fields = ca, .n_fields = 2, .max_record = 100 },
	  0 },
	{ "a field the header lacks is null",
	  "csv",
	  "a,b\n1,2\n",
	  "2:~|1\n",
	  { .fields = ca, .n_fields = 2, .max_record = 100 },
	  0 },
	{ "raw records",
	  "csv",
	  "a,b\n1,\"2\"\r\n\"x\"y\",3\n",
	  "2:1 raw 1,\"2\"\n3:x\"y raw \"x\"y\",3\n",
	  { .fields = abc, .n_fields = 1, .raw = true, .max_record = 100 },
	  0 },
	{ "count only",
	  "csv",
	  "a,b\n1,2\n3\n4,5",
	  "2:\n3!1 field, the header has 2[3]\n4:\n",
	  { .count_only = true, .max_record = 100 },
	  0 },
	{ "no header: names by position",
	  "csv",
	  "1,2\n3,4\n5\n",
	  "1:1=1|2=2\n2:1=3|2=4\n3!1 field, the first record has 2[5]\n",
	  { .all = true, .no_header = true, .max_record = 100 },
	  0 },
	{ "no header: names given",
	  "csv",
	  "1;2;3\n4;5\n",
	  "1:a=1|b=2|c=3\n2!2 fields, the header has 3[4;5]\n",
	  { .all = true, .no_header = true, .header = abc, .n_header = 3, .delimiter = ';', .max_record = 100 },
	  0 },
	{ "names given take the place of the file's",
	  "csv",
	  "p,q,r\n1,2,3\n",
	  "2:a=1|b=2|c=3\n",
	  { .all = true, .header = abc, .n_header = 3, .max_record = 100 },
	  0 },
	{ "a delimiter that is a blank",
	  "csv",
	  "a b\n\"1 2\" 3\n",
	  "2:a=1 2|b=3\n",
	  { .all = true, .delimiter = ' ', .max_record = 100 },
	  0 },
	{ "a quote is no delimiter",
	  "csv",
	  "a",
	  "csv: a delimiter cannot be a quote or a line end",
	  { .all = true, .delimiter = '"', .max_record = 100 },
	  0 },

	{ "tsv escapes", "tsv", "a\tb\\n\nx\\ty\t\\\\n\\q\\\n\t \"\r\n", "2:a=x\ty|b\n=\\n\\q\\\n3:a=~|b\n= \"\n", ALL, 0 },
	{ "tsv bad records and blank lines", "tsv", "a\tb\n\n1\n2\t3\n4\t5\t6\n",
	  "3!1 field, the header has 2[1]\n4:a=2|b=3\n"
	  "5!3 fields, the header has 2[4\t5\t6]\n",
	  ALL, 0 },
	{ "tsv records over the limit",
	  "tsv",
	  "a\tb\n12345\t7\r\n12345\t78\r\n12345\t789\n1\t2",
	  "2:a=12345|b=7\n"
	  "3!longer than 8 bytes[12345\t78]\n4!longer than 8 bytes[12345\t78]\n5:a=1|b=2\n",
	  { .all = true, .max_record = 8 },
	  0 },
	{ "a tsv delimiter is a tab",
	  "tsv",
	  "a",
	  "tsv: the delimiter is always a tab",
	  { .all = true, .delimiter = ';', .max_record = 9 },
	  0 },

	{ "columns split at blanks", "columns", "  a \t b\r\nc\n\n d e f", "1:1=a|2=b\n2:1=c\n3:\n4:1=d|2=e|3=f\n", ALL, 0 },
	{ "columns by name and position",
	  "columns",
	  "p q r\ns\n",
	  "1:~|~|~|~\n2:~|~|~|~\n",
	  { .fields = positions, .n_fields = 4, .header = abc, .n_header = 3, .max_record = 100 },
	  0 },
	{ "columns by position",
	  "columns",
	  "p q r\ns\n",
	  "1:q|p|~|~\n2:~|s|~|~\n",
	  { .fields = positions, .n_fields = 4, .max_record = 100 },
	  0 },
	{ "fields beyond the names",
	  "columns",
	  "p q r s\n",
	  "1:a=p|b=q|c=r|4=s\n",
	  { .all = true, .header = abc, .n_header = 3, .max_record = 100 },
	  0 },

	{ "logfmt", "logfmt", "a=1 b=\"x \\\"y\\\"\\n\" c\n\n a=2  b= c=\"\"\r\nd\n",
	  "1:a=1|b=x \"y\"\n|c=!\n3:a=2|b=~|c=\n4:d=!\n", ALL, 0 },
	{ "logfmt escapes", "logfmt", "a=\"\\u00e9\\ud83d\\ude00\\ud800\\q\\/\" b=c\\n\n",
	  "1:a=\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD\\q/|b=c\\n\n", ALL, 0 },
	{ "the later of two logfmt pairs counts", "logfmt", "a=1 b=2 a=3\na=\"\\t\" b=2\na=\"\\\\\" c=\"\\\\\" a=\"\\\"\"\n",
	  "1:a=3|b=2\n2:a=\t|b=2\n3:a=\"|c=\\\n", ALL, 0 },
	{ "bad logfmt records", "logfmt", "a=1\n=2\nb=\"x\nc=\"x\"y\n\"d\"=1\ne\"=1\na=2\n",
	  "1:a=1\n2!a value without a key[=2]\n3!a quote opens and does not close[b=\"x]\n4!text directly after a closing "
	  "quote[c=\"x\"y]\n"
	  "5!a quote where a key should be[\"d\"=1]\n6!a quote in a key[e\"=1]\n7:a=2\n",
	  ALL, 0 },
	{ "logfmt projection",
	  "logfmt",
	  "a=1 b=2 c=3\nb=4\na\n",
	  "1:3|1\n2:~|~\n3:~|!\n",
	  { .fields = ca, .n_fields = 2, .max_record = 100 },
	  0 },
};

static void run_in(const struct in_case *t)
{
	size_t n = t->n ? t->n : strlen(t->in);

	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		char *got = decode_dump(codec_find(t->format), &t->opts, t->in, n, cuts[i]);

		CHECK_STR(got, t->want);
		free(got);
	}
}

static struct batch one_batch(const struct schema *s, const struct column *cols, uint32_t n)
{
	return (struct batch){ .schema = s, .cols = cols, .n_rows = n, .n_sel = n };
}

static const struct schema *schema_of(const char *const *names, uint32_t n)
{
	uint32_t len[8];

	for (uint32_t i = 0; i < n; i++)
		len[i] = (uint32_t)strlen(names[i]);
	return schema_intern(names, len, n);
}

/* Two batches with different fields: a text column with everything that needs care, numbers, a list; then another order and a new
 * field. */
static char *encode_all(const char *format, struct encode_opts o)
{
	static const char *const second[] = { "n", "t", "new" };
	static struct value text[4], mixed[4], items[2];
	static int64_t ints[4] = { 1, -20, 300, 4 };
	static uint64_t valid[2] = { 7, 0 };
	static const char *const first[] = { "t", "n", "x y" };
	struct column cols[3] = { { .v = text, .type = T_TEXT, .has_null = true },
				  { .i = ints, .type = T_INT, .valid = valid },
				  { .v = mixed, .type = T_ANY, .has_null = true } };
	struct column again[3] = { cols[1], cols[0], cols[2] };
	const struct codec_def *def = codec_find(format);
	struct buf out = { 0 };
	struct err e = { 0 };
	struct encoder *c;
	struct batch b;

	text[0] = v_text("plain", 5);
	text[1] = v_text("a,\"b\"\n", 6);
	text[2] = v_text("", 0);
	text[3] = v_null();
	items[0] = v_int(1);
	items[1] = v_str("\t", 1);
	mixed[0] = v_list(items, 2);
	mixed[1] = v_float(1.5);
	mixed[2] = v_bool(true);
	mixed[3] = v_text("\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC", 9);
	c = def->open_out(&o, &e);
	b = one_batch(schema_of(first, 3), cols, 4);
	def->encode(c, &b, &out, &e);
	if (strcmp(format, "lines")) {
		b = one_batch(schema_of(second, 3), again, 1);
		def->encode(c, &b, &out, &e);
	}
	def->flush(c, &out, true, &e);
	if (e.kind)
		buf_str(&out, e.msg);
	if (c->n_unseen)
		buf_printf(&out, "unseen %llu: %s\n", (unsigned long long)c->n_unseen, c->unseen);
	def->close_out(c);
	buf_cstr(&out);
	return out.p;
}

static void check_out(const char *format, struct encode_opts o, const char *want)
{
	char *got = encode_all(format, o);

	CHECK_STR(got, want);
	free(got);
}

static void test_out(void)
{
	static const char *const named[] = { "n", "t" };

	TEST("csv out: quotes only where needed, later fields by name")
	check_out("csv", (struct encode_opts){ 0 },
		  "t,n,x y\nplain,1,\"[1,\"\"\\t\"\"]\"\n\"a,\"\"b\"\"\n\",-20,1.5\n\"\",300,true\n,,\xC3\xA9 "
		  "\xE6\x97\xA5\xE6\x9C\xAC\n"
		  "plain,1,\nunseen 1: new\n");
	TEST("csv out: columns named, no header, a delimiter that numbers hold")
	check_out("csv", (struct encode_opts){ .fields = named, .n_fields = 2, .no_header = true, .delimiter = '0' },
		  "10plain\n\"-20\"0\"a,\"\"b\"\"\n\"\n\"300\"0\"\"\n0\n10plain\nunseen 5: x y\n");
	TEST("tsv out: escapes")
	check_out("tsv", (struct encode_opts){ 0 },
		  "t\tn\tx y\nplain\t1\t[1,\"\\\\t\"]\na,\"b\"\\n\t-20\t1.5\n\t300\ttrue\n\t\t\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC\n"
		  "plain\t1\t\nunseen 1: new\n");
	TEST("columns out: one blank between, null and empty are -")
	check_out("columns", (struct encode_opts){ 0 },
		  "plain 1 [1,\"\\t\"]\na,\"b\"\n -20 1.5\n- 300 true\n- - \xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC\n1 plain "
		  "[1,\"\\t\"]\n");
	TEST("logfmt out: quotes and keys")
	check_out("logfmt", (struct encode_opts){ 0 },
		  "t=plain n=1 x_y=\"[1,\\\"\\\\t\\\"]\"\nt=\"a,\\\"b\\\"\\n\" n=-20 x_y=1.5\nt=\"\" n=300 x_y=true\n"
		  "t= n= x_y=\"\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC\"\nn=1 t=plain new=\"[1,\\\"\\\\t\\\"]\"\n");
	TEST("lines out: which field is the line")
	check_out("lines", (struct encode_opts){ 0 }, "lines: the record has 3 fields and none is \"line\"");
}

static void test_table(void)
{
	TEST("table: alignment, width of characters, control characters")
	check_out(
		"table", (struct encode_opts){ 0 },
		"t          n  x y\n-------  ---  --------\nplain      1  [1,\"\\t\"]\na,\"b\"\\n  -20  1.5\n         300  true\n"
		"-          -  \xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC\nplain      1  -\nunseen 1: new\n");
	TEST("table: cells cut to the terminal")
	check_out("table", (struct encode_opts){ .width = 17, .color = true },
		  "\033[1mt        n  x y\033[0m\nplain    1  [1,\"\xE2\x80\xA6\na,\"b\xE2\x80\xA6  -20  1.5\n       300  true\n"
		  "-        -  \xC3\xA9 \xE6\x97\xA5\xE2\x80\xA6\nplain    1  -\nunseen 1: new\n");
}

/* Random text, null now and then; csv can tell the empty string from null. */
static void random_column(struct column *c, struct arena *a, uint32_t rows, bool empty)
{
	static const char bytes[] = "abc ,;\"\n\r\t\\=\xff";

	*c = column_make(a, T_TEXT, rows);
	c->has_null = true;
	for (uint32_t i = 0; i < rows; i++) {
		uint32_t n = (uint32_t)rand() % (rand() % 9 ? 5 : 100);
		char *p = arena_bytes(a, n + 1);

		for (uint32_t j = 0; j < n; j++)
			p[j] = bytes[(size_t)rand() % (sizeof bytes - 1)];
		c->v[i] = n || (empty && rand() % 2) ? v_text(p, n) : v_null();
	}
}

/* Random cells through an encoder and back. */
static void round_trip(const char *format)
{
	static const char *const names[] = { "a", "b \"x\"", "c" };
	const struct codec_def *def = codec_find(format);
	struct decode_opts in = { .all = true, .max_record = 1 << 20 };
	struct encode_opts o = { .delimiter = 0 };
	struct dump want = { .no_lines = true }, got = { .no_lines = true };
	struct arena a = { 0 };
	struct column cols[3];
	struct buf out = { 0 };
	struct err e = { 0 };
	struct encoder *c = def->open_out(&o, &e);
	struct decoder *d = def->open(&in, &e);
	struct batch b = one_batch(schema_of(names, 3), cols, 200);
	size_t total;

	for (int k = 0; k < 3; k++)
		random_column(&cols[k], &a, 200, !strcmp(format, "csv"));
	dump_emit(&want, &b, &e);
	def->encode(c, &b, &out, &e);
	feed_all(d, out.p, out.n, 0, &got, &total);
	CHECK_INT(got.bad, 0);
	CHECK(got.text.n == want.text.n && !memcmp(got.text.p, want.text.p, want.text.n));
	def->close(d);
	def->close_out(c);
	buf_release(&want.text);
	buf_release(&got.text);
	buf_release(&out);
	arena_release(&a);
}

static void count_note(void *ctx, const char *text)
{
	(void)text;
	++*(int *)ctx;
}

static int no_more(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e)
{
	(void)raw;
	(void)n;
	(void)reason;
	++*(int *)ctx;
	return err_set(e, ERR_DATA, "line %d", (int)line);
}

static int count_rows(void *ctx, struct batch *b, struct err *e)
{
	(void)e;
	*(int *)ctx += (int)b->n_sel * 100;
	return 0;
}

static void test_protocol(void)
{
	static const char two[] = "a,a\n1,2\n", bad[] = "a\n1\n2\n3,4\n5\n6,7\n";
	struct decode_opts o = { .all = true, .max_record = 100 };
	struct dump out = { .names = true };
	struct err e = { 0 };
	struct decoder *d = codec_find("csv")->open(&o, &e);
	int seen = 0;
	struct decode_to to = { .emit = dump_emit, .bad = dump_bad, .note = count_note, .ctx = &out };
	size_t used;

	TEST("a new file has its own header and lines")
	{
		feed_all(d, two, strlen(two), 0, &out, &used);
		d->def->restart(d, "second");
		feed_all(d, "b\n3\n", 4, 0, &out, &used);
		CHECK_BYTES(out.text.p, out.text.n, "2:a=1|a_2=2\n2:b=3\n");
	}
	TEST("a repeated name is noted")
	{
		to = (struct decode_to){ .emit = count_rows, .bad = no_more, .note = count_note, .ctx = &seen };
		d->def->restart(d, "third");
		CHECK_INT(d->def->decode(d, two, 4, true, &to, &used, &e), 0);
		CHECK_INT(seen, 1);
	}
	TEST("the rows before a bad record go out before it, and it can end the run")
	{
		seen = 0;
		d->def->restart(d, "fourth");
		CHECK_INT(d->def->decode(d, bad, strlen(bad), true, &to, &used, &e), -1);
		CHECK_INT(seen, 201);
		CHECK_STR(e.msg, "line 4");
	}
	TEST("a consumer that has enough ends the run")
	{
		out.text.n = 0;
		out.stop_at = 1;
		d->def->restart(d, "fifth");
		CHECK_INT(feed_all(d, bad, strlen(bad), 0, &out, &used), 1);
		CHECK_INT(out.bad, 0);
	}
	d->def->close(d);
	buf_release(&out.text);
}

static void test_registry(void)
{
	TEST("formats by name and by file")
	{
		CHECK_STR(codec_find("csv")->doc.name, "csv");
		CHECK(!codec_find("CSV") && !codec_find("") && !codec_find("nope"));
		CHECK_STR(codec_by_file("/a.b/x.CSV.gz")->doc.name, "csv");
		CHECK_STR(codec_by_file("x.tsv")->doc.name, "tsv");
		CHECK_STR(codec_by_file("access.log.zst")->doc.name, "lines");
		CHECK(!codec_by_file("csv") && !codec_by_file(".csv") && !codec_by_file("a.csv/b") && !codec_by_file("x.gz") &&
		      !codec_by_file(""));
		for (unsigned i = 0; codec_at(i); i++)
			CHECK(codec_find(codec_at(i)->doc.name) == codec_at(i));
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof in_cases / sizeof *in_cases; i++)
		TEST(in_cases[i].name)
	run_in(&in_cases[i]);
	test_out();
	test_table();
	TEST("what csv and tsv write they read back")
	for (unsigned i = 0; i < 50; i++) {
		srand(i);
		round_trip("csv");
		round_trip("tsv");
	}
	test_protocol();
	test_registry();
	return test_done();
}

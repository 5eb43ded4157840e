/* The csv decoder against libcsv alone, on generated, mutated and random input: every SIMD level, the slow path, and block cuts.
 * STRM_TEST_ROUNDS sets the number of inputs (a few records each), STRM_TEST_SEED where they begin. */
#include <csv.h>

#include "codec/codec_list.h"
#include "codec/csv_slow.h"
#include "codec/delim.h"

#include "codec_util.h"
#include "test.h"

/* Sanitizers make each input several times as dear. */
#if defined(__SANITIZE_ADDRESS__)
#define ROUNDS 3000
#else
#define ROUNDS 15000
#endif

/* What the decoder must say, from libcsv's callbacks alone, one byte at a time. */
struct oracle {
	struct buf text, cell[64], names[64];
	unsigned n, n_header;
	bool null[64], have_header;
	uint64_t line;	       /* where the record began */
	const char *at, *from; /* the byte that is fed, and where the record began */
};

static void oracle_field(void *s, size_t n, void *ctx)
{
	struct oracle *o = ctx;

	o->cell[o->n].n = 0;
	buf_add(&o->cell[o->n], s ? s : "", n);
	o->null[o->n++] = !s;
}

/* The header of the generated inputs: names are unique by construction or not told apart here, so positions stand for them. */
static void oracle_row(int c, void *ctx)
{
	struct oracle *o = ctx;

	(void)c;
	if (!o->have_header) {
		o->have_header = true;
		o->n_header = o->n;
	} else if (o->n != o->n_header) {
		buf_printf(&o->text, "%llu!%u field%s, the header has %u[", (unsigned long long)o->line, o->n,
			   o->n == 1 ? "" : "s", o->n_header);
		buf_add(&o->text, o->from, (size_t)(o->at - o->from));
		buf_str(&o->text, "]\n");
	} else {
		buf_printf(&o->text, "%llu:", (unsigned long long)o->line);
		for (unsigned i = 0; i < o->n; i++) {
			if (i)
				buf_char(&o->text, '|');
			if (o->null[i])
				buf_char(&o->text, '~');
			else
				buf_add(&o->text, o->cell[i].p, o->cell[i].n);
		}
		buf_str(&o->text, " raw ");
		buf_add(&o->text, o->from, (size_t)(o->at - o->from));
		buf_char(&o->text, '\n');
	}
	o->n = 0;
}

/* libcsv's states, which its header does not name. */
enum { ROW_NOT_BEGUN = 0, FIELD_BEGUN = 2 };

/* False: a quote never closes, which is not libcsv's to judge. */
static bool oracle_run(struct oracle *o, const char *p, size_t n)
{
	struct csv_parser c;
	uint64_t line = 1;
	bool open;

	o->text.n = 0;
	o->n = 0;
	o->have_header = false;
	csv_settings(&c, ',');
	for (size_t i = 0; i < n; i++) {
		if (c.pstate == ROW_NOT_BEGUN) {
			o->line = line;
			o->from = p + i;
		}
		o->at = p + i;
		csv_parse(&c, p + i, 1, oracle_field, oracle_row, o);
		line += p[i] == '\n';
	}
	open = c.pstate == FIELD_BEGUN && c.quoted;
	o->at = p + n;
	csv_fini(&c, oracle_field, oracle_row, o);
	csv_free(&c);
	return !open;
}

static uint64_t state;

static uint32_t rnd(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 20) % n);
}

static const char bytes[] = "ab,,\"\"\n\n\r x;\0\xff,\"\n\\\t";

static void gen_text(struct buf *b, bool quoted)
{
	uint32_t n = rnd(12) ? rnd(6) : rnd(150);

	while (n--) {
		char c = rnd(6) ? (char)('a' + rnd(26)) : bytes[rnd(sizeof bytes - 1)];

		if (!quoted && (c == '"' || c == ',' || c == '\n' || c == '\r'))
			c = '.';
		if (quoted && c == '"')
			buf_char(b, '"');
		buf_char(b, c);
	}
}

static void gen_field(struct buf *b)
{
	bool quoted = !rnd(4);

	if (quoted)
		buf_char(b, '"');
	gen_text(b, quoted);
	if (quoted)
		buf_char(b, '"');
}

static void gen_records(struct buf *b)
{
	static const char *const ends[] = { "\n", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n" };
	uint32_t k = 1 + rnd(5), rows = rnd(20) ? rnd(6) : rnd(200), style = rnd(6);

	for (uint32_t r = 0; r <= rows; r++) {
		uint32_t n = rnd(40) ? k : 1 + rnd(6);

		for (uint32_t i = 0; i < n; i++) {
			if (i)
				buf_char(b, ',');
			gen_field(b);
		}
		if (r < rows || rnd(2))
			buf_str(b, ends[rnd(10) ? style : rnd(6)]);
	}
}

static void mutate(struct buf *b)
{
	for (uint32_t n = 1 + rnd(4); n-- && b->n;) {
		uint32_t at = rnd((uint32_t)b->n);

		if (rnd(3)) {
			b->p[at] = bytes[rnd(sizeof bytes - 1)];
		} else {
			memmove(b->p + at, b->p + at + 1, b->n - at - 1);
			b->n--;
		}
	}
}

static void gen(struct buf *b)
{
	uint32_t kind = rnd(8);

	b->n = 0;
	if (kind == 0) {
		for (uint32_t n = rnd(200); n--;)
			buf_char(b, bytes[rnd(sizeof bytes - 1)]);
		return;
	}
	gen_records(b);
	if (kind > 4)
		mutate(b);
	if (b->n > 3 && !memcmp(b->p, "\xEF\xBB\xBF", 3))
		b->p[0] = 'x';
}

static bool decode(struct dump *out, const struct decode_opts *o, const struct buf *in, size_t cut, int level)
{
	struct err e = { 0 };
	struct decoder *d = csv_codec.open(o, &e);
	size_t total;
	int r;

	out->text.n = 0;
	out->raw = true;
	delim_force(d, level < 0 ? SIMD_PORTABLE : (enum simd_level)level, level < 0);
	r = feed_all(d, in->p, in->n, cut, out, &total);
	csv_codec.close(d);
	return r < 0 || total == in->n; /* a header that is bad ends it */
}

static bool same(const struct dump *d, const struct buf *want)
{
	return d->text.n == want->n && (!want->n || !memcmp(d->text.p, want->p, want->n));
}

static void show(const char *what, const struct buf *in, const struct buf *want, const struct buf *got)
{
	test_bad = 1;
	printf("# %s\n# input:", what);
	for (size_t i = 0; i < in->n; i++)
		printf(" %02x", (unsigned char)in->p[i]);
	printf("\n# want {%.*s}\n# got {%.*s}\n", (int)want->n, want->p, (int)got->n, got->p);
}

static size_t some_cut(void)
{
	static const size_t cuts[] = { 0, 1, 2, 3, 5, 7, 13, 63, 64, 65, 100, 128 };

	return cuts[rnd(sizeof cuts / sizeof *cuts)];
}

/* All ways of decoding agree with `want`, or with each other when it is NULL. */
static void check_all(const struct buf *in, const struct decode_opts *o, const struct buf *want)
{
	static struct dump first, got;

	if (!decode(&first, o, in, 0, -1))
		show("the slow path did not use all bytes", in, &first.text, &first.text);
	if (want && !same(&first, want))
		show("the slow path", in, want, &first.text);
	for (int level = -1; level <= (int)simd_level(); level++) {
		size_t cut = some_cut();
		char what[64];

		snprintf(what, sizeof what, "level %d, cut %zu", level, cut);
		if (!decode(&got, o, in, cut, level) || !same(&got, &first.text))
			show(what, in, &first.text, &got.text);
		if (level >= 0 && (!decode(&got, o, in, 0, level) || !same(&got, &first.text)))
			show(what, in, &first.text, &got.text);
	}
}

int main(void)
{
	static const char *const want_fields[] = { "b", "1", "2", "3", "zz" };
	static struct oracle o;
	struct buf in = { 0 };
	const char *rounds = getenv("STRM_TEST_ROUNDS"), *seed = getenv("STRM_TEST_SEED");
	uint32_t n = rounds ? (uint32_t)strtoul(rounds, NULL, 10) : ROUNDS;
	struct decode_opts all = { .all = true, .max_record = 1 << 20 },
			   few = { .fields = want_fields, .n_fields = 5, .max_record = 1 << 20 };
	uint64_t open = 0;

	state = seed ? strtoull(seed, NULL, 10) * 0x9e3779b97f4a7c15ull | 1 : 88172645463325252ull;
	all.raw = true;
	TEST("the csv fast path is libcsv, at every level and cut")
	for (uint32_t i = 0; i < n && !test_bad; i++) {
		bool closed;

		gen(&in);
		closed = oracle_run(&o, in.p, in.n);
		open += !closed;
		check_all(&in, &all, closed ? &o.text : NULL);
		few.max_record = all.max_record = 8 + rnd(60);
		few.raw = rnd(2);
		few.no_header = all.no_header = rnd(4) > 0;
		check_all(&in, &few, NULL);
		check_all(&in, &all, NULL);
		all.max_record = 1 << 20;
		all.no_header = false;
	}
	printf("# %u inputs, %llu with a quote that never closes\n", n, (unsigned long long)open);
	TEST("both kinds of input were made")
	CHECK(open > n / 100 && open < n / 2);
	return test_done();
}

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"
#include "io/blocks.h"
#include "io/decompress.h"
#include "test.h"

static char dir[] = "/tmp/strm-test-XXXXXX";

static const char *path_of(const char *name)
{
	static char p[4][200];
	static unsigned turn;
	char *d = p[turn++ % 4];

	snprintf(d, sizeof p[0], "%s/%s", dir, name);
	return d;
}

static const char *write_file(const char *name, const char *s, size_t n)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	if (!f || fwrite(s, 1, n, f) != n || fclose(f))
		abort();
	return path;
}

/* All that a source gives when read `step` bytes at a time. */
static int slurp(const char *spec, size_t step, struct buf *b, struct err *e)
{
	struct source *s = source_open(spec, e);
	ssize_t r;

	b->n = 0;
	if (!s)
		return -1;
	while ((r = source_read(s, buf_room(b, step), step, e)) > 0)
		buf_took(b, (size_t)r);
	source_close(s);
	return r ? -1 : 0;
}

static void gives(const char *spec, const char *want, size_t n)
{
	static const size_t steps[] = { 1, 3, 9, 10, 11, 65536 };
	struct buf b = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct err e = { 0 };

		CHECK_INT(slurp(spec, steps[i], &b, &e), 0);
		CHECK_STR(e.msg, "");
		CHECK_INT(b.n, n);
		CHECK(b.n == n && !memcmp(b.p, want, n));
	}
	buf_release(&b);
}

static void refused(const char *spec, int kind, const char *msg, const char *hint)
{
	struct err e = { 0 };
	struct buf b = { 0 };

	CHECK_INT(slurp(spec, 100, &b, &e), -1);
	CHECK_INT(e.kind, kind);
	CHECK_STR(e.msg, msg);
	CHECK_STR(e.hint, hint);
	buf_release(&b);
}

static void test_urls(void)
{
	char text[300];

	TEST("values: a line each")
	{
		gives("values:a,b,c", "a\nb\nc\n", 6);
		gives("values:", "", 0);
		gives("values:,", "\n\n", 2);
		gives("values:a%2Cb,%3f", "a,b\n?\n", 6);
	}
	TEST("kinds that are unknown or of later")
	{
		refused("tpc://h:1", ERR_USAGE, "tpc://h:1: unknown kind of source 'tpc'", "did you mean 'tcp:'?");
		refused("ssh://h:1", ERR_USAGE, "ssh://h:1: unknown kind of source 'ssh'",
			"a file of this name is written ./ssh://h:1");
		refused("valeus:a", ERR_USAGE, "valeus:a: unknown kind of source 'valeus'", "did you mean 'values:'?");
		refused("kafka://h:1", ERR_USAGE, "kafka://h:1: the source 'kafka' is not in this build",
			"use a pipe: kcat ... | strm ...");
		refused("", ERR_USAGE, "a source without a name", "");
		refused("stdin:x", ERR_USAGE, "stdin:x: stdin takes no name", "");
	}
	TEST("options and escapes that are malformed")
	{
		refused("file:x?what", ERR_USAGE, "file:x?what: unknown option 'what'",
			"a question mark in a name is written %3F");
		refused("file:x?a&a", ERR_USAGE, "file:x?a&a: option 'a' is given twice", "");
		refused("file:x?=1", ERR_USAGE, "file:x?=1: an option without a name", "");
		refused("file:a%zz", ERR_USAGE, "file:a%zz: bad escape '%zz'", "a percent sign is written %25");
		refused("file:a%4", ERR_USAGE, "file:a%4: bad escape '%4'", "a percent sign is written %25");
		refused("file:a%00", ERR_USAGE, "file:a%00: bad escape '%00'", "a percent sign is written %25");
	}
	TEST("files that cannot be read")
	{
		refused("/nowhere/x", ERR_IO, "/nowhere/x: No such file or directory", "");
		snprintf(text, sizeof text, "%s: is a directory", dir);
		refused(dir, ERR_IO, text, (snprintf(text + 100, 200, "name the files in it: %s/*", dir), text + 100));
	}
}

static void test_files(void)
{
	char spec[300];

	TEST("files: plain, by URL, with odd names")
	{
		gives(write_file("plain", "one\ntwo", 7), "one\ntwo", 7);
		gives(write_file("empty", "", 0), "", 0);
		snprintf(spec, sizeof spec, "file:%s", path_of("plain"));
		gives(spec, "one\ntwo", 7);
		snprintf(spec, sizeof spec, "file://%s", path_of("plain"));
		gives(spec, "one\ntwo", 7);
		gives(write_file("what?follow", "x", 1), "x", 1);
		snprintf(spec, sizeof spec, "file:%s", path_of("what%3ffollow"));
		gives(spec, "x", 1);
		if (chdir(dir))
			abort();
		gives(write_file("odd:name", "y", 1), "y", 1);
		gives("odd:name", "y", 1);
	}
	TEST("files: size and position")
	{
		struct err e = { 0 };
		struct source *s = source_open(path_of("plain"), &e);
		char p[4];

		CHECK(s != NULL);
		CHECK_INT(s->size, 7);
		CHECK_STR(source_name(s), path_of("plain"));
		CHECK_INT(source_read(s, p, 4, &e), 4);
		source_close(s);
	}
	TEST("files: a named pipe is read as it comes")
	{
		struct err e = { 0 };
		struct source *s;
		char p[8];
		int w;

		CHECK_INT(mkfifo(path_of("fifo"), 0600), 0);
		w = open(path_of("fifo"), O_RDWR);
		CHECK(w >= 0 && write(w, "BZ", 2) == 2 && write(w, "!\n", 2) == 2);
		s = source_open(path_of("fifo"), &e);
		CHECK(s && source_ready(s, 0));
		CHECK_INT(source_read(s, p, 8, &e), 4);
		CHECK_INT(s->size, -1);
		CHECK(!source_ready(s, 0));
		source_close(s);
		close(w);
	}
	TEST("the registry has documentation for each source")
	{
		struct nearest near;

		for (unsigned i = 0; source_at(i); i++)
			CHECK(source_at(i)->doc.summary && (source_at(i)->doc.examples[0].args || source_at(i)->live));
		nearest_init(&near, "vlaues", 6);
		source_nearest(&near);
		CHECK(near.best && !strcmp(near.best, "values"));
		CHECK(source_find("-") == source_find("stdin"));
	}
}

/* "hello\nworld\n", packed. */
static const char gz[] =
	"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\xe7\x2a\xcf\x2f\xca\x49\xe1\x02\x00\xff\x5d\xc5\xc4"
	"\x0c\x00\x00\x00";
static const char gz_empty[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00";
static const char bz2[] =
	"\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x6b\x5f\xb1\xdd\x00\x00\x02\x41\x80\x00\x10\x06\x44\x90\x80\x20\x00\x31"
	"\x0c\x08\x21\xa3\x69\x08\x07\x23\xae\x87\x8b\xb9\x22\x9c\x28\x48\x35\xaf\xd8\xee\x80";
static const char xz[] =
	"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x0b\x68"
	"\x65\x6c\x6c\x6f\x0a\x77\x6f\x72\x6c\x64\x0a\x00\x87\xc6\xce\x77\xce\x46\x2b\xae\x00\x01\x24\x0c\xa6\x18\xd8\xd8"
	"\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a";
static const char zst[] = "\x28\xb5\x2f\xfd\x20\x0c\x61\x00\x00\x68\x65\x6c\x6c\x6f\x0a\x77\x6f\x72\x6c\x64\x0a";
static const char lz4[] =
	"\x04\x22\x4d\x18\x60\x40\x82\x0c\x00\x00\x80\x68\x65\x6c\x6c\x6f\x0a\x77\x6f\x72\x6c\x64\x0a\x00\x00\x00\x00";

static void cut_off(const char *p, size_t n)
{
	struct err e = { 0 };
	struct buf b = { 0 };

	CHECK_INT(slurp(write_file("cut", p, n), 100, &b, &e), -1);
	CHECK_INT(e.kind, ERR_IO);
	CHECK(strstr(e.msg, "/cut: damaged or cut off ") != NULL);
	if (!e.kind)
		printf("# %02x.. cut to %zu gives %zu bytes\n", (unsigned char)*p, n, b.n);
	buf_release(&b);
}

static void test_packed(void)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
	} all[] = {
		{ "a.gz", gz, sizeof gz - 1 },	  { "a.bz2", bz2, sizeof bz2 - 1 }, { "a.xz", xz, sizeof xz - 1 },
		{ "a.zst", zst, sizeof zst - 1 }, { "a.lz4", lz4, sizeof lz4 - 1 },
	};
	struct buf twice = { 0 };

	TEST("compressed files are told by content")
	{
		for (size_t i = 0; i < ARRAY_LEN(all); i++)
			gives(write_file(all[i].name, all[i].bytes, all[i].n), "hello\nworld\n", 12);
	}
	TEST("compressed members one after the other")
	{
		buf_add(&twice, gz, sizeof gz - 1);
		buf_add(&twice, gz, sizeof gz - 1);
		gives(write_file("twice", twice.p, twice.n), "hello\nworld\nhello\nworld\n", 24);
		gives(write_file("empty.gz", gz_empty, sizeof gz_empty - 1), "", 0);
	}
	TEST("what only begins like compressed data is plain")
	{
		gives(write_file("p1", "BZh", 3), "BZh", 3);
		gives(write_file("p2", "BZh9 is a name", 14), "BZh9 is a name", 14);
		gives(write_file("p3", "\x1f\x8b", 2), "\x1f\x8b", 2);
		gives(write_file("p4", "\xfd\x37\x7a\x58\x5b and more", 14), "\xfd\x37\x7a\x58\x5b and more", 14);
	}
	TEST("compressed data that is cut off or damaged is an error")
	{
		for (size_t i = 0; i < ARRAY_LEN(all); i++)
			for (size_t n = UNPACK_SNIFF + 4; n < all[i].n; n++)
				cut_off(all[i].bytes, n);
	}
	buf_release(&twice);
}

/* A decoder of lines that writes down what it is asked. */
struct log_decoder {
	struct decoder d;
	struct buf *log;
	unsigned calls;
	bool skip;
};

static void log_line(struct log_decoder *l, const char *p, size_t n)
{
	if (!l->skip) {
		buf_char(l->log, '<');
		buf_add(l->log, p, n);
		buf_char(l->log, '>');
	}
	l->skip = false;
}

static int log_decode(struct decoder *d, const char *p, size_t n, bool final, const struct decode_to *to, size_t *used,
		      struct err *e)
{
	struct log_decoder *l = (struct log_decoder *)d;
	const char *at = p, *end = p + n, *nl;

	(void)to, (void)e;
	l->calls++;
	while ((nl = memchr(at, '\n', (size_t)(end - at)))) {
		if (nl - at == 4 && !memcmp(at, "stop", 4))
			return 1;
		log_line(l, at, (size_t)(nl - at));
		at = nl + 1;
	}
	if (at < end && final)
		log_line(l, at, (size_t)(end - at));
	if ((size_t)(end - at) > d->opts.max_record)
		l->skip = true;
	*used = final || l->skip ? n : (size_t)(at - p);
	return 0;
}

static void log_restart(struct decoder *d, const char *source)
{
	buf_printf(((struct log_decoder *)d)->log, "[%s]", strrchr(source, '/') ? strrchr(source, '/') + 1 : source);
}

static const struct codec_def log_codec = { .doc = { .name = "log" }, .decode = log_decode, .restart = log_restart };

static int run_blocks(struct log_decoder *l, const char *const *specs, unsigned n, struct err *e)
{
	struct decode_to to = { 0 };
	struct blocks *b = blocks_new(specs, n, &l->d);
	int r;

	while ((r = blocks_step(b, &to, e)) == 1)
		;
	if (!r)
		CHECK(blocks_source(b) == NULL);
	CHECK(blocks_held(b) < 4 * BLOCK_SIZE);
	blocks_free(b);
	return r;
}

static void test_blocks(void)
{
	struct buf log = { 0 };
	struct log_decoder l = { .d = { .def = &log_codec, .opts.max_record = 300000 }, .log = &log };
	const char *specs[] = { "values:a,b", path_of("plain"), "values:c" };
	const char *stops[] = { "values:a,stop,b" };
	const char *missing[] = { "values:a", "/nowhere/x" };
	struct err e = { 0 };

	TEST("blocks: sources in order, the last line of each without its end")
	{
		CHECK_INT(run_blocks(&l, specs, 3, &e), 0);
		CHECK_STR(buf_cstr(&log), "[values]<a><b>[plain]<one><two>[values]<c>");
	}
	TEST("blocks: the same with reads of one byte")
	{
		log.n = 0;
		setenv("STRM_TEST_READ", "1", 1);
		CHECK_INT(run_blocks(&l, specs, 3, &e), 0);
		unsetenv("STRM_TEST_READ");
		CHECK_STR(buf_cstr(&log), "[values]<a><b>[plain]<one><two>[values]<c>");
	}
	TEST("blocks: a stop, a source that is missing")
	{
		log.n = 0;
		CHECK_INT(run_blocks(&l, stops, 1, &e), 2);
		CHECK_STR(buf_cstr(&log), "[values]<a>");
		CHECK_INT(run_blocks(&l, missing, 2, &e), -1);
		CHECK_STR(e.msg, "/nowhere/x: No such file or directory");
	}
	buf_release(&log);
}

static void test_long_records(void)
{
	struct buf log = { 0 }, text = { 0 };
	struct log_decoder l = { .d = { .def = &log_codec, .opts.max_record = 600000 }, .log = &log };
	const char *specs[1];
	struct err e = { 0 };

	TEST("blocks: a record longer than a block is looked at few times")
	{
		memset(buf_room(&text, 500000), 'x', 500000);
		buf_took(&text, 500000);
		buf_str(&text, "\nend\n");
		specs[0] = write_file("long", text.p, text.n);
		setenv("STRM_TEST_READ", "1000", 1);
		CHECK_INT(run_blocks(&l, specs, 1, &e), 0);
		CHECK_INT(log.n, strlen("[long]<><end>") + 500000);
		CHECK(l.calls < 150 + 10);
	}
	TEST("blocks: a record over the limit is skipped in bounded memory")
	{
		log.n = 0;
		l.d.opts.max_record = 100000;
		CHECK_INT(run_blocks(&l, specs, 1, &e), 0);
		unsetenv("STRM_TEST_READ");
		CHECK_STR(buf_cstr(&log), "[long]<end>");
	}
	buf_release(&log);
	buf_release(&text);
}

static void clean_up(void)
{
	static const char *const names[] = { "plain", "empty", "what?follow", "odd:name", "fifo",  "a.gz",
					     "a.bz2", "a.xz",  "a.zst",	      "a.lz4",	  "twice", "empty.gz",
					     "p1",    "p2",    "p3",	      "p4",	  "cut",   "long" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(path_of(names[i]));
	if (chdir("/") || rmdir(dir))
		perror(dir);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	test_files();
	test_urls();
	test_packed();
	test_blocks();
	test_long_records();
	clean_up();
	return test_done();
}

/* Watched directories and files that are followed. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/time.h"
#include "io_live.h"

static char dir[] = "/tmp/strm-test-XXXXXX";

static const char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static const char *text(const char *fmt, ...)
{
	static char s[8][300];
	static unsigned turn;
	char *p = s[turn++ % 8];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p, sizeof s[0], fmt, ap);
	va_end(ap);
	return p;
}

static const char *in(const char *name) { return text("%s/%s", dir, name); }

static void put(int flags, const char *name, const char *s)
{
	int fd = open(in(name), O_WRONLY | O_CREAT | flags, 0600);

	if (fd < 0 || write(fd, s, strlen(s)) != (ssize_t)strlen(s) || close(fd))
		abort();
}

static void make(const char *name, const char *s) { put(O_TRUNC, name, s); }

static void append(const char *name, const char *s) { put(O_APPEND, name, s); }

static void move(const char *a, const char *b)
{
	if (rename(in(a), in(b)))
		abort();
}

static void age(const char *name, int64_t mtime_s)
{
	struct timespec t[2] = { { .tv_sec = mtime_s }, { .tv_sec = mtime_s } };

	if (utimensat(AT_FDCWD, in(name), t, 0))
		abort();
}

static void empty_dir(void)
{
	if (system(text("rm -rf %s/* %s/.[a-z]*", dir, dir)))
		abort();
}

static void turns(struct world *w, int n)
{
	while (n--)
		uv_run(&w->loop, UV_RUN_NOWAIT);
}

static const char *last_part(const char *path) { return strrchr(path, '/') + 1; }

static void names_are(const struct world *w, const char *want)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < w->n_streams; i++)
		buf_printf(&b, "%s%s", i ? " " : "", last_part(w->streams[i]->name));
	CHECK_STR(buf_cstr(&b), want);
	buf_release(&b);
}

static const char *all_bytes(const struct world *w)
{
	static struct buf b;

	b.n = 0;
	for (size_t i = 0; i < w->n_streams; i++)
		if (w->streams[i]->bytes.n)
			buf_add(&b, w->streams[i]->bytes.p, w->streams[i]->bytes.n);
	return buf_cstr(&b);
}

/* ---- dir ---- */

static struct world *watch_dir(const char *options) { return world_begin(text("dir:%s%s", dir, options)); }

static void test_dir_found(void)
{
	struct world *w;

	TEST("dir: what is there, oldest first, then by name; hidden files and *.tmp not")
	{
		make("c.csv", "c\n");
		make("b.csv", "b\n");
		make("a.csv", "a");
		make(".hidden.csv", "x");
		make("half.csv.tmp", "x");
		make("note.txt", "n\n");
		mkdir(in("sub"), 0700);
		make("sub/d.csv", "d\n");
		age("c.csv", 1000);
		age("b.csv", 2000);
		age("a.csv", 1000);
		w = world_new(text("dir:%s?glob=*.csv", dir));
		w->source->once = true;
		world_start(w);
		RUN_UNTIL(w, w->ended);
		names_are(w, "a.csv c.csv b.csv");
		stream_is(w, 0, "a");
		CHECK_INT(w->source->position, 5);
		CHECK(w->n_closed == 3 && !w->err.kind);
		world_free(w);
	}
	TEST("dir: those in it, too")
	{
		w = world_new(text("dir:%s/?recursive", dir));
		w->source->once = true;
		world_start(w);
		RUN_UNTIL(w, w->ended);
		CHECK_INT(w->n_streams, 5);
		CHECK(strstr(all_bytes(w), "d\n") && strstr(w->streams[4]->name, "/sub/d.csv"));
		world_free(w);
	}
	empty_dir();
}

static void test_dir_new(void)
{
	struct world *w;
	int fd;

	TEST("dir: new files, moved here or closed, only complete ones")
	{
		make("old", "old\n");
		w = watch_dir("?new-only");
		fd = open(in("slow"), O_WRONLY | O_CREAT, 0600);
		CHECK_INT(write(fd, "slow", 4), 4);
		make("x.tmp", "moved\n");
		turns(w, 5);
		CHECK_INT(w->n_streams, 0);
		move("x.tmp", "x");
		RUN_UNTIL(w, w->n_closed == 1);
		CHECK_INT(write(fd, "er\n", 3), 3);
		turns(w, 5);
		CHECK_INT(w->n_closed, 1);
		close(fd);
		RUN_UNTIL(w, w->n_closed == 2);
		names_are(w, "x slow");
		stream_is(w, 1, "slower\n");
		world_free(w);
	}
	TEST("dir: a file that is being written at the start waits for its end")
	{
		empty_dir();
		fd = open(in("slow"), O_WRONLY | O_CREAT, 0600);
		w = watch_dir("");
		turns(w, 5);
		CHECK_INT(w->n_streams, 0);
		CHECK_INT(write(fd, "x\n", 2), 2);
		close(fd);
		RUN_UNTIL(w, w->n_closed == 1);
		stream_is(w, 0, "x\n");
		world_free(w);
	}
	TEST("dir: each file once, whatever its name; a new one of the same name is another")
	{
		empty_dir();
		w = watch_dir("");
		make("a", "1\n");
		RUN_UNTIL(w, w->n_closed == 1);
		move("a", "b");
		make("c", "2\n");
		RUN_UNTIL(w, w->n_closed == 2);
		names_are(w, "a c");
		fd = open(in("c"), O_RDONLY); /* while it is open, its inode is not another's */
		unlink(in("c"));
		make("c", "3\n");
		RUN_UNTIL(w, w->n_closed == 3);
		close(fd);
		make("d.tmp", "4\n");
		move("d.tmp", "c");
		RUN_UNTIL(w, w->n_closed == 4);
		names_are(w, "a c c c");
		CHECK_STR(all_bytes(w), "1\n2\n3\n4\n");
		append("c", "more\n");
		RUN_UNTIL(w, noted(w, "changed after it was read"));
		CHECK_INT(w->n_streams, 4);
		world_free(w);
	}
	TEST("dir: one renamed before its turn is read once; one that is gone is reported")
	{
		empty_dir();
		make("a", "a\n");
		make("b", "b\n");
		make("c", "c\n");
		age("a", 1);
		age("b", 2);
		age("c", 3);
		w = world_new(text("dir:%s", dir));
		w->stop_at = 1;
		world_start(w);
		RUN_UNTIL(w, w->full);
		unlink(in("b"));
		move("c", "d");
		turns(w, 5);
		w->stop_at = 0;
		source_live(w->source)->resume(w->source);
		RUN_UNTIL(w, w->n_closed == 2);
		names_are(w, "a d");
		CHECK_STR(buf_cstr(&w->notes), text("%s/b: gone before it was read\n", dir));
		world_free(w);
	}
	empty_dir();
}

static void test_dir_more(void)
{
	struct world *w;

	TEST("dir: what no event tells is found by looking")
	{
		mkdir(in("in"), 0700);
		make("x", "x\n");
		w = world_begin(text("dir:%s/in?rescan=100ms", dir));
		CHECK_INT(link(in("x"), in("in/x")), 0);
		RUN_UNTIL(w, w->n_closed == 1);
		stream_is(w, 0, "x\n");
		world_free(w);
	}
	TEST("dir: directories that come, with what is in them")
	{
		w = watch_dir("?recursive&new-only");
		mkdir(in("away"), 0700);
		CHECK_INT(system(text("mkdir -p %s/p/q && echo 1 >%s/p/q/one", dir, dir)), 0);
		RUN_UNTIL(w, w->n_closed == 1);
		append("p/q/two", "2\n");
		RUN_UNTIL(w, w->n_closed == 2);
		move("p", "r");
		append("r/q/three", "3\n");
		RUN_UNTIL(w, w->n_closed == 3);
		names_are(w, "one two three");
		CHECK(strstr(w->streams[2]->name, "/r/q/three") != NULL);
		world_free(w);
	}
	TEST("dir: compressed files, and one that is damaged")
	{
		empty_dir();
		w = watch_dir("");
		CHECK_INT(system(text("echo packed | gzip >%s/a.gz", dir)), 0);
		RUN_UNTIL(w, w->n_closed == 1);
		stream_is(w, 0, "packed\n");
		CHECK_INT(system(text("echo packed | gzip | head -c 20 >%s/b.gz", dir)), 0);
		RUN_UNTIL(w, w->ended);
		CHECK_STR(w->err.msg, text("%s/b.gz: damaged or cut off gzip data", dir));
		world_free(w);
	}
	TEST("dir: a file must have been left alone")
	{
		uint64_t began;

		empty_dir();
		w = watch_dir("?settle=30ms");
		began = uv_hrtime();
		make("a", "a\n");
		RUN_UNTIL(w, w->n_closed == 1);
		CHECK(uv_hrtime() - began >= 29000000); /* the loop counts whole milliseconds */
		world_free(w);
	}
	TEST("dir: the directory goes; it is none; it is not there")
	{
		empty_dir();
		mkdir(in("d"), 0700);
		w = world_begin(text("dir:%s/d", dir));
		rmdir(in("d"));
		RUN_UNTIL(w, w->ended);
		CHECK_STR(w->err.msg, text("%s/d: the directory is gone", dir));
		world_free(w);
		w = world_new(text("dir:%s/d", dir));
		CHECK_STR(w->err.msg, text("%s/d: No such file or directory", dir));
		world_free(w);
		make("f", "");
		w = world_new(text("dir:%s/f", dir));
		CHECK_STR(w->err.msg, text("%s/f: Not a directory", dir));
		world_free(w);
	}
	empty_dir();
}

/* So many files, by another process, in every way they may come. */
static void drop_files(int n)
{
	for (int i = 0; i < n; i++) {
		char name[2][40], line[40];

		snprintf(name[0], sizeof name[0], "f%d%s", i, i % 2 ? ".tmp" : "");
		snprintf(name[1], sizeof name[1], "f%d", i);
		snprintf(line, sizeof line, "line %d\n", i);
		make(name[0], line);
		if (i % 2)
			move(name[0], name[1]);
		if (i % 100 == 99)
			move(name[1], strcat(name[0], "-again"));
	}
}

static void test_dir_many(void)
{
	const int n = 10000;
	struct world *w;
	char *seen = xcalloc(1, (size_t)n);
	int bad = 0, status, k;

	TEST("dir: 10,000 files while it runs, each once")
	{
		w = watch_dir("?rescan=100ms");
		if (!fork()) {
			drop_files(n);
			_exit(0);
		}
		RUN_UNTIL(w, w->n_closed == (uint64_t)n);
		wait(&status);
		turns(w, 20);
		CHECK_INT(w->n_streams, n);
		for (size_t i = 0; i < w->n_streams; i++) {
			if (sscanf(buf_cstr(&w->streams[i]->bytes), "line %d", &k) != 1 || k < 0 || k >= n || seen[k]++)
				bad++;
		}
		CHECK_INT(bad, 0);
		world_free(w);
	}
	free(seen);
	empty_dir();
}

static void test_stopped_within(void)
{
	struct world *w;
	char spec[100];

	TEST("a directory, a file that is followed: stopped while they hand over")
	{
		make("a", "some lines\n");
		make("b", "some lines\n");
		for (int i = 0; i < 2; i++) {
			snprintf(spec, sizeof spec, i ? "file:%s/a?follow" : "dir:%s", dir);
			w = world_new(spec);
			w->stop_within = true;
			w->room = 5;
			CHECK_INT(world_start(w), 0);
			RUN_UNTIL(w, w->n_closed == 1);
			turns(w, 5);
			CHECK_INT(w->bytes, 5);
			world_free(w);
		}
	}
	empty_dir();
}

/* ---- follow ---- */

static struct world *follow(const char *options) { return world_begin(text("file:%s/log?follow%s", dir, options)); }

static void test_follow(void)
{
	struct world *w;
	int fd;

	TEST("follow: from the start, and as it grows")
	{
		make("log", "one\n");
		w = follow("");
		RUN_UNTIL(w, w->bytes == 4);
		append("log", "tw");
		RUN_UNTIL(w, w->bytes == 6);
		append("log", "o\n");
		RUN_UNTIL(w, w->bytes == 8);
		CHECK_INT(w->n_closed, 0);
		stream_is(w, 0, "one\ntwo\n");
		world_free(w);
	}
	TEST("follow: from the end")
	{
		w = follow("&new-only");
		append("log", "three\n");
		RUN_UNTIL(w, w->bytes == 6);
		stream_is(w, 0, "three\n");
		world_free(w);
	}
	TEST("follow: a file that comes later, and what may not be")
	{
		unlink(in("log"));
		w = follow("");
		CHECK(noted(w, "log: not there yet, waiting for it"));
		make("log", "x\n");
		RUN_UNTIL(w, w->bytes == 2);
		world_free(w);
		w = world_new(text("file:%s/log?new-only", dir));
		CHECK_STR(w->err.msg, text("file:%s/log?new-only: option 'new-only' goes with follow", dir));
		world_free(w);
	}
	TEST("follow: once is what is there")
	{
		w = world_new(text("file:%s/log?follow", dir));
		w->source->once = true;
		world_start(w);
		RUN_UNTIL(w, w->ended);
		CHECK(w->bytes == 2 && !w->err.kind);
		world_free(w);
		unlink(in("log"));
		w = world_new(text("file:%s/log?follow", dir));
		w->source->once = true;
		CHECK_INT(world_start(w), -1);
		CHECK_STR(w->err.msg, text("%s/log: No such file or directory", dir));
		world_free(w);
	}
	TEST("follow: renamed, and another takes the name; who still writes to the old one is read")
	{
		make("log", "1\n");
		w = follow("");
		RUN_UNTIL(w, w->bytes == 2);
		fd = open(in("log"), O_WRONLY | O_APPEND);
		move("log", "log.1");
		RUN_UNTIL(w, noted(w, "log: no longer there, waiting for it"));
		append("log", "3\n");
		RUN_UNTIL(w, w->bytes == 4);
		CHECK_INT(w->n_closed, 0);
		CHECK_INT(write(fd, "2\n", 2), 2);
		RUN_UNTIL(w, w->bytes == 6);
		close(fd);
		RUN_UNTIL(w, w->n_closed == 1);
		stream_is(w, 0, "1\n2\n");
		stream_is(w, 1, "3\n");
		world_free(w);
	}
	TEST("follow: several rotations between two looks")
	{
		w = follow("");
		RUN_UNTIL(w, w->bytes == 2);
		for (int i = 0; i < 5; i++) {
			append("log", text("%d\n", i));
			CHECK_INT(system(text("cd %s && rm -f log.5 && for i in 4 3 2 1; do test ! -e log.$i || mv log.$i "
					      "log.$((i+1)); done; mv log log.1",
					      dir)),
				  0);
			append("log", text("then %d\n", i));
		}
		RUN_UNTIL(w, w->bytes == 47);
		turns(w, 5);
		CHECK_STR(all_bytes(w), "3\n0\nthen 0\n1\nthen 1\n2\nthen 2\n3\nthen 3\n4\nthen 4\n");
		world_free(w);
	}
	empty_dir();
}

static void test_cut(void)
{
	struct world *w;

	TEST("follow: cut short, from its start")
	{
		make("log", "one\ntwo\n");
		w = follow("");
		RUN_UNTIL(w, w->bytes == 8);
		make("log", "");
		RUN_UNTIL(w, noted(w, "log: was cut short; from its start"));
		append("log", "three\n");
		RUN_UNTIL(w, w->bytes == 14);
		CHECK_INT(w->n_streams, 2);
		stream_is(w, 1, "three\n");
		world_free(w);
	}
	TEST("follow: written anew, longer than before")
	{
		make("log", "one\ntwo\n");
		w = follow("");
		RUN_UNTIL(w, w->bytes == 8);
		make("log", "three\nfour\nfive\n");
		RUN_UNTIL(w, w->n_streams == 2 && w->bytes == 24);
		stream_is(w, 1, "three\nfour\nfive\n");
		world_free(w);
	}
	TEST("follow: cut short after a copy was made: first the rest of the copy")
	{
		make("log", "one\ntwo\n");
		w = world_new(text("file:%s/log?follow", dir));
		w->stop_at = 1;
		w->room = 4;
		world_start(w);
		RUN_UNTIL(w, w->full);
		make("log.0", "two\none\nno copy of it, but long enough\n");
		make("log.1", "one\ntwo\nthree\n");
		make("log", "");
		append("log", "four\n");
		RUN_UNTIL(w, noted(w, "log: was cut short; first the rest of its copy, then from its start"));
		w->stop_at = 0;
		source_live(w->source)->resume(w->source);
		RUN_UNTIL(w, w->bytes == 19);
		stream_is(w, 0, "one\ntwo\nthree\n");
		stream_is(w, 1, "four\n");
		world_free(w);
	}
	empty_dir();
}

static int write_lines(int fd, int at, int n)
{
	char line[32];

	for (; n; n--, at++) {
		int len = snprintf(line, sizeof line, "line %d\n", at);

		if (write(fd, line, (size_t)len) != len)
			abort();
	}
	return at;
}

/* A writer under load that is rotated by renaming, as logrotate does it: it goes on with the old file until it is told. */
static void write_rotating(int n_lines)
{
	int fd = open(in("log"), O_WRONLY | O_APPEND | O_CREAT, 0600);

	for (int i = 0; i < n_lines;) {
		i = write_lines(fd, i, 500);
		move("log", text("log.%d", i));
		make("log", "");
		i = write_lines(fd, i, 500);
		close(fd);
		fd = open(in("log"), O_WRONLY | O_APPEND | O_CREAT, 0600);
	}
	_exit(0);
}

static void each_line_once(const struct world *w, int n)
{
	char *seen = xcalloc(1, (size_t)n);
	int bad = 0, k;

	for (size_t i = 0; i < w->n_streams; i++) {
		const char *p = w->streams[i]->bytes.p, *end = p + w->streams[i]->bytes.n;

		for (; p < end; p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1)
			if (sscanf(p, "line %d\n", &k) != 1 || k < 0 || k >= n || seen[k]++)
				bad++;
	}
	CHECK_INT(bad, 0);
	CHECK_INT(w->lines, n);
	free(seen);
}

static void test_rotated_under_load(void)
{
	const int n = 50000;
	struct world *w;
	int status;

	TEST("follow: rotated under load, nothing lost, nothing doubled")
	{
		make("log", "");
		w = follow("");
		w->room = 5000;
		if (!fork())
			write_rotating(n);
		RUN_UNTIL(w, w->lines >= (uint64_t)n);
		CHECK(wait(&status) > 0 && !status);
		turns(w, 20);
		each_line_once(w, n);
		world_free(w);
	}
	empty_dir();
}

/* The reader is anywhere in the file when it is copied and cut: it stalls after so many lines of it. */
static void test_cut_under_load(void)
{
	const int n = 30000;
	struct world *w;
	int fd, i;

	TEST("follow: copied and cut under load, nothing lost, nothing doubled")
	{
		make("log", "");
		w = follow("");
		w->room = 777;
		fd = open(in("log"), O_WRONLY | O_APPEND);
		for (i = 0; i < n;) {
			w->stop_at = w->bytes + 1 + (uint64_t)i % 5000;
			i = write_lines(fd, i, 1000);
			RUN_UNTIL(w, w->full);
			CHECK_INT(
				system(text("cd %s && if test -e log.1; then mv log.1 log.2; fi && cp log log.1 && : >log", dir)),
				0);
			i = write_lines(fd, i, 10);
			w->notes.n = 0;
			RUN_UNTIL(w, noted(w, "cut short; first the rest of its copy"));
			w->stop_at = 0;
			w->full = false;
			source_live(w->source)->resume(w->source);
			RUN_UNTIL(w, w->lines == (uint64_t)i);
		}
		close(fd);
		turns(w, 20);
		each_line_once(w, i);
		world_free(w);
	}
	empty_dir();
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!mkdtemp(dir))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	test_dir_found();
	test_dir_new();
	test_dir_more();
	test_dir_many();
	test_stopped_within();
	test_follow();
	test_cut();
	test_rotated_under_load();
	test_cut_under_load();
	TEST("nothing is left behind") CHECK_INT(rmdir(dir), 0);
	return test_done();
}

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/nearest.h"
#include "io/sink.h"
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

static void holds(const char *path, const char *want)
{
	char s[200] = "";
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(s, 1, sizeof s - 1, f) : 0;

	CHECK(f != NULL);
	CHECK_BYTES(s, n, want);
	if (f)
		fclose(f);
}

static int put(const char *spec, const char *s, struct err *e)
{
	struct sink *k = sink_open(spec, e);
	int r;

	if (!k)
		return -1;
	r = sink_write(k, s, strlen(s), e);
	if (r) {
		sink_abandon(k);
		return r;
	}
	return sink_close(k, e);
}

static void refused(const char *spec, int kind, const char *msg, const char *hint)
{
	struct err e = { 0 };

	CHECK_INT(put(spec, "x", &e), -1);
	CHECK_INT(e.kind, kind);
	CHECK_STR(e.msg, msg);
	CHECK_STR(e.hint, hint);
}

static const char *with(const char *before, const char *path, const char *after)
{
	static char s[300];

	snprintf(s, sizeof s, "%s%s%s", before, path, after);
	return s;
}

static void test_append(void)
{
	struct err e = { 0 };
	struct sink *k;

	TEST("file: appends, by path and by URL")
	{
		CHECK_INT(put(path_of("a"), "one\n", &e), 0);
		CHECK_INT(put(with("file:", path_of("a"), ""), "two\n", &e), 0);
		holds(path_of("a"), "one\ntwo\n");
	}
	TEST("file: says whether it was empty, and its options")
	{
		k = sink_open(with("file:", path_of("a"), "?format=json"), &e);
		CHECK(k && !sink_empty(k));
		CHECK_STR(sink_option(k, "format"), "json");
		CHECK(sink_option(k, "replace") == NULL);
		CHECK_STR(sink_name(k), path_of("a"));
		CHECK_INT(sink_close(k, &e), 0);
		k = sink_open(path_of("b"), &e);
		CHECK(k && sink_empty(k));
		CHECK_INT(sink_close(k, &e), 0);
	}
	TEST("file: a full disk is an error that names it")
	{
		refused("/dev/full", ERR_IO, "/dev/full: No space left on device", "");
	}
}

static void test_replace(void)
{
	struct err e = { 0 };
	struct stat st;
	struct sink *k;

	TEST("file: ?replace takes the place of the old file at the end, with its mode")
	{
		chmod(path_of("a"), 0640);
		k = sink_open(with("", path_of("a"), "?replace"), &e);
		CHECK(k && sink_empty(k));
		CHECK_INT(sink_write(k, "new\n", 4, &e), 0);
		holds(path_of("a"), "one\ntwo\n");
		CHECK_INT(sink_close(k, &e), 0);
		holds(path_of("a"), "new\n");
		CHECK(!stat(path_of("a"), &st) && (st.st_mode & 0777) == 0640);
	}
	TEST("file: ?replace given up leaves the old file and nothing beside it")
	{
		k = sink_open(with("", path_of("a"), "?replace"), &e);
		CHECK_INT(sink_write(k, "bad\n", 4, &e), 0);
		sink_abandon(k);
		holds(path_of("a"), "new\n");
	}
	TEST("file: ?replace follows a link and makes a file that is not there")
	{
		CHECK_INT(symlink("a", path_of("link")), 0);
		CHECK_INT(put(with("", path_of("link"), "?replace"), "linked\n", &e), 0);
		holds(path_of("a"), "linked\n");
		CHECK(!lstat(path_of("link"), &st) && S_ISLNK(st.st_mode));
		CHECK_INT(put(with("file:", path_of("c"), "?replace"), "c\n", &e), 0);
		holds(path_of("c"), "c\n");
		CHECK_INT(put("file:/dev/null?replace", "x", &e), 0);
		CHECK(!stat("/dev/null", &st) && S_ISCHR(st.st_mode));
	}
}

static void test_errors(void)
{
	char msg[300], hint[300];

	TEST("sinks that cannot be opened")
	{
		refused("/nowhere/x", ERR_IO, "/nowhere/x: No such file or directory", "");
		refused("file:/nowhere/x?replace", ERR_IO, "/nowhere/x: No such file or directory", "");
		snprintf(msg, sizeof msg, "%s: Is a directory", dir);
		snprintf(hint, sizeof hint, "name a file in it: %s/out", dir);
		refused(dir, ERR_IO, msg, hint);
		refused(with("", dir, "?replace"), ERR_IO, msg, hint);
	}
	TEST("sinks that are malformed, unknown or of later")
	{
		refused("", ERR_USAGE, "a sink without a name", "");
		refused("fiel:x", ERR_USAGE, "fiel:x: unknown kind of sink 'fiel'", "did you mean 'file:'?");
		refused("values:x", ERR_USAGE, "values:x: 'values' is a source, not a sink", "");
		refused("kafka:x", ERR_USAGE, "kafka:x: the sink 'kafka' is not in this build",
			"use a pipe: kcat ... | strm ...");
		refused("out?repalce", ERR_USAGE, "out?repalce: unknown option 'repalce'", "did you mean 'replace'?");
		refused("out?replace=1", ERR_USAGE, "out?replace=1: option 'replace' takes no value, not '1'", "");
		refused("out?format", ERR_USAGE, "out?format: option 'format' needs a value", "");
		refused("out?mode=update", ERR_USAGE, "out?mode=update: option 'mode' is not in this build",
			"only what a run prints at its end is there yet");
		CHECK(access("out", F_OK) && access("out?replace", F_OK));
	}
	TEST("the registry has documentation for each sink")
	{
		struct nearest near;

		for (unsigned i = 0; sink_at(i); i++)
			CHECK(sink_at(i)->doc.summary && sink_at(i)->doc.text && sink_at(i)->doc.synopsis);
		nearest_init(&near, "stduot", 6);
		sink_nearest(&near);
		CHECK(near.best && !strcmp(near.best, "stdout"));
		CHECK(sink_find("-") == sink_find("stdout"));
	}
}

/* stdout put aside while it is something else. */
static int swap_stdout(int fd)
{
	int old;

	fflush(stdout);
	old = dup(1);
	dup2(fd, 1);
	close(fd);
	return old;
}

static void test_stdout(void)
{
	struct err e = { 0 };
	int ends[2], old, r;
	char s[8];

	TEST("stdout: a reader that went away is a quiet end")
	{
		CHECK_INT(pipe(ends), 0);
		close(ends[0]);
		old = swap_stdout(ends[1]);
		r = put("-", "x", &e);
		close(swap_stdout(old));
		CHECK_INT(r, SINK_CLOSED);
		CHECK_INT(e.kind, 0);
	}
	TEST("stdout: a pipe that does not block is waited for and stays so")
	{
		static char big[200000];

		CHECK_INT(pipe2(ends, O_NONBLOCK), 0);
		memset(big, 'x', sizeof big - 1);
		if (!fork()) {
			size_t n = 0;
			ssize_t got;

			close(ends[1]);
			fcntl(ends[0], F_SETFL, 0);
			while ((got = read(ends[0], s, sizeof s)) > 0)
				n += (size_t)got;
			_exit(n != sizeof big - 1);
		}
		close(ends[0]);
		old = swap_stdout(ends[1]);
		r = put("-", big, &e);
		if (!(fcntl(1, F_GETFL) & O_NONBLOCK))
			r = 99;
		close(swap_stdout(old));
		CHECK_INT(r, 0);
		CHECK(wait(&r) > 0 && r == 0);
	}
	TEST("stdout: a full disk")
	{
		old = swap_stdout(open("/dev/full", O_WRONLY));
		r = put("-", "x", &e);
		close(swap_stdout(old));
		CHECK_INT(r, -1);
		CHECK_STR(e.msg, "stdout: No space left on device");
	}
}

static void test_stdout_append(void)
{
	struct err e = { 0 };
	struct sink *k;
	bool empty[2];

	TEST("stdout: appending to a file that holds something is no fresh start")
	{
		for (int i = 0; i < 2; i++) {
			int old = swap_stdout(open(path_of("d"), O_WRONLY | O_CREAT | O_APPEND, 0600));

			k = sink_open("-", &e);
			empty[i] = sink_empty(k);
			sink_write(k, "x", 1, &e);
			sink_close(k, &e);
			close(swap_stdout(old));
		}
		CHECK(empty[0] && !empty[1]);
		holds(path_of("d"), "xx");
	}
}

static void clean_up(void)
{
	static const char *const names[] = { "a", "b", "c", "d", "link" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(path_of(names[i]));
	TEST("nothing is left beside the files") CHECK_INT(rmdir(dir), 0);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	test_append();
	test_replace();
	test_errors();
	test_stdout();
	test_stdout_append();
	clean_up();
	return test_done();
}

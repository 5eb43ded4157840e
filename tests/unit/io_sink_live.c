/* Sinks that are a directory, a socket or a child process. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "io/sink.h"
#include "test.h"

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

static void holds(const char *name, const char *want)
{
	char s[200] = "";
	FILE *f = fopen(text("%s/%s", dir, name), "r");
	size_t n = f ? fread(s, 1, sizeof s - 1, f) : 0;

	CHECK(f != NULL);
	CHECK_BYTES(s, n, want);
	if (f)
		fclose(f);
}

/* Entries of a directory below dir. */
static int entries(const char *name)
{
	DIR *d = opendir(text("%s/%s", dir, name));
	int n = -2;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static struct sink *must_open(const char *spec)
{
	struct err e = { 0 };
	struct sink *s = sink_open(spec, &e);

	if (!s) {
		printf("# %s\n", e.msg);
		exit(1);
	}
	s->format = "csv";
	return s;
}

static void say(struct sink *s, uint64_t batch, const char *p)
{
	struct err e = { 0 };

	s->batch = batch;
	CHECK_INT(sink_write(s, p, strlen(p), &e), 0);
}

static void refused(const char *spec, int kind, const char *msg)
{
	struct err e = { 0 };

	CHECK(!sink_open(spec, &e));
	CHECK_INT(e.kind, kind);
	CHECK_STR(e.msg, msg);
}

static void test_dir(void)
{
	struct err e = { 0 };
	struct sink *s;
	char out[100];

	snprintf(out, sizeof out, "dir:%s/out", dir);

	TEST("dir: a file for each micro-batch, seen when it is whole")
	{
		s = must_open(out);
		CHECK(sink_in_parts(s) && sink_empty(s));
		say(s, 0, "a\n");
		say(s, 0, "b\n");
		CHECK_INT(access(text("%s/out/part-000000.csv", dir), F_OK), -1);
		holds("out/.part-000000.csv.tmp", "a\nb\n");
		CHECK_INT(sink_batch_end(s, 0, &e), 0);
		holds("out/part-000000.csv", "a\nb\n");
		CHECK_INT(sink_batch_end(s, 1, &e), 0);
		say(s, 2, "c\n");
		CHECK_INT(sink_batch_end(s, 2, &e), 0);
		CHECK_INT(entries("out"), 2);
		holds("out/part-000002.csv", "c\n");
		say(s, 3, "d\n");
		CHECK_INT(sink_close(s, &e), 0);
		holds("out/part-000003.csv", "d\n");
	}
	TEST("dir: a part that is there already; a run that was given up")
	{
		s = must_open(out);
		s->batch = 2;
		CHECK_INT(sink_write(s, "x", 1, &e), -1);
		CHECK_STR(e.msg, text("%s/out/part-000002.csv: there is such a file already", dir));
		s->batch = 7;
		CHECK_INT(sink_write(s, "x", 1, &(struct err){ 0 }), 0);
		sink_abandon(s);
		CHECK_INT(entries("out"), 3);
		holds("out/part-000002.csv", "c\n");
		s = must_open(text("%s?overwrite", out));
		say(s, 2, "new\n");
		CHECK_INT(sink_batch_end(s, 2, &e), 0);
		CHECK_INT(sink_close(s, &e), 0);
		holds("out/part-000002.csv", "new\n");
	}
	TEST("dir: a part that another wrote meanwhile")
	{
		s = must_open(text("%s?ext=txt", out));
		say(s, 5, "mine\n");
		CHECK_INT(link(text("%s/out/part-000003.csv", dir), text("%s/out/part-000005.txt", dir)), 0);
		e = (struct err){ 0 };
		CHECK_INT(sink_batch_end(s, 5, &e), -1);
		CHECK_STR(e.msg, text("%s/out/part-000005.txt: there is such a file already", dir));
		sink_abandon(s);
		holds("out/part-000005.txt", "d\n");
		CHECK_INT(entries("out"), 4);
	}
	TEST("dir: what cannot be")
	{
		refused("dir:", ERR_USAGE, "dir:: no directory");
		refused("dir:/nowhere/x", ERR_IO, "/nowhere/x: No such file or directory");
		refused(text("dir:%s/out/part-000000.csv", dir), ERR_IO, text("%s/out/part-000000.csv: Not a directory", dir));
		refused("dir:x?ext=a%2fb", ERR_USAGE, "dir:x?ext=a%2fb: 'a/b' cannot end the name of a file");
		CHECK_INT(access("x", F_OK), -1);
	}
}

/* With port 0 one of the system's choice, which stays this program's: the socket that holds it is never closed. */
static int listen_on(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)*port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) || getsockname(fd, (struct sockaddr *)&a, &n))
		abort();
	if (!*port) {
		*port = ntohs(a.sin_port);
		return listen_on(port);
	}
	if (listen(fd, 8))
		abort();
	return fd;
}

static void receives(int fd, const char *want)
{
	char s[200];
	size_t n = 0;
	ssize_t r;

	while ((r = read(fd, s + n, sizeof s - n)) > 0)
		n += (size_t)r;
	CHECK_INT(r, 0);
	CHECK_BYTES(s, n, want);
	close(fd);
}

static void test_tcp(void)
{
	struct err e = { 0 };
	struct sink *s;
	int port = 0, server = listen_on(&port), peer;
	char spec[100];
	uint64_t began;

	snprintf(spec, sizeof spec, "tcp://localhost:%d", port);
	TEST("tcp: all arrives, also when the other side talks or has said all it has to")
	{
		s = must_open(spec);
		peer = accept(server, NULL, NULL);
		CHECK_INT(write(peer, "hello", 5), 5);
		shutdown(peer, SHUT_WR);
		say(s, 0, "a\n");
		CHECK_INT(sink_batch_end(s, 0, &e), 0);
		say(s, 1, "b\n");
		CHECK_INT(sink_close(s, &e), 0);
		receives(peer, "a\nb\n");
	}
	TEST("tcp: a connection that broke is told in the first micro-batch that is known not to arrive")
	{
		s = must_open(spec);
		close(accept(server, NULL, NULL));
		for (s->batch = 0; !sink_write(s, "a\n", 2, &e) && !sink_batch_end(s, s->batch, &e); s->batch++)
			;
		CHECK_STR(e.msg, text("%s: the connection was closed by the other side", spec));
		sink_abandon(s);
	}
	close(server);
	TEST("tcp: nobody answers, also after some tries")
	{
		refused(spec, ERR_IO, text("%s: connection refused", spec));
		refused("tcp://:80", ERR_USAGE, "tcp://:80: no host to connect to");
		refused("tcp-listen://:80", ERR_USAGE, "tcp-listen://:80: 'tcp-listen' is a source, not a sink");
		began = uv_hrtime();
		refused(text("%s?retry=2", spec), ERR_IO, text("%s: connection refused", spec));
		CHECK(uv_hrtime() - began >= 300000000);
	}
}

static void test_unix(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct err e = { 0 };
	struct sink *s;
	int server = socket(AF_UNIX, SOCK_STREAM, 0), peer;

	TEST("unix: a socket")
	{
		snprintf(a.sun_path, sizeof a.sun_path, "%s/sock", dir);
		refused(text("unix:%s", a.sun_path), ERR_IO, text("unix:%s: no such file or directory", a.sun_path));
		CHECK(!bind(server, (struct sockaddr *)&a, sizeof a) && !listen(server, 1));
		s = must_open(text("unix:%s?format=csv", a.sun_path));
		CHECK_STR(sink_option(s, "format"), "csv");
		peer = accept(server, NULL, NULL);
		say(s, 0, "a\n");
		CHECK_INT(sink_close(s, &e), 0);
		receives(peer, "a\n");
		close(server);
		unlink(a.sun_path);
	}
}

static void test_exec(void)
{
	struct err e = { 0 };
	struct sink *s;
	int r = 0;

	TEST("exec: a command, waited for at the end")
	{
		s = must_open(text("exec:cat >%s/got; echo 100%% >>%s/got", dir, dir));
		say(s, 0, "a\n");
		say(s, 1, "b\n");
		CHECK_INT(sink_close(s, &e), 0);
		holds("got", "a\nb\n100%\n");
	}
	TEST("exec: a command that failed")
	{
		s = must_open("exec:cat >/dev/null; exit 3?format=json");
		CHECK_STR(sink_option(s, "format"), "json");
		say(s, 0, "a\n");
		CHECK_INT(sink_close(s, &e), -1);
		CHECK_STR(e.msg, "exec:cat >/dev/null; exit 3: exit status 3");
		e = (struct err){ 0 };
		s = must_open("exec:cat >/dev/null; kill -9 $$");
		CHECK_INT(sink_close(s, &e), -1);
		CHECK_STR(e.msg, "exec:cat >/dev/null; kill -9 $$: ended by signal 9 (Killed)");
		refused("exec:", ERR_USAGE, "exec:: no command");
	}
	TEST("exec: a command that has enough")
	{
		s = must_open(text("exec:head -n 1 >%s/got", dir));
		while (!r)
			r = sink_write(s, "line\n", 5, &e);
		CHECK_INT(r, SINK_CLOSED);
		CHECK_INT(sink_close(s, &(struct err){ 0 }), 0);
		holds("got", "line\n");
	}
	TEST("exec: given up, the command goes")
	{
		s = must_open("exec:trap '' TERM; sleep 1000");
		sink_abandon(s);
		s = must_open("exec:sleep 1000");
		sink_abandon(s);
		CHECK_INT(waitpid(-1, &r, WNOHANG), -1);
	}
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!mkdtemp(dir))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	test_dir();
	test_tcp();
	test_unix();
	test_exec();
	TEST("nothing is left behind")
	CHECK_INT(system(text("rm %s/out/part-* %s/got && rmdir %s/out %s", dir, dir, dir, dir)), 0);
	return test_done();
}

/* Sources over sockets, pipes and child processes, and the one that makes records. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

/* ---- sockets of the test ---- */

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int dial(int port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof a))
		abort();
	return fd;
}

/* With port 0 one of the system's choice, which stays this program's: the socket that holds it is never closed. */
static int listen_on(int *port)
{
	struct sockaddr_in a = loopback(*port);
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

static void say(int fd, const char *s)
{
	if (write(fd, s, strlen(s)) != (ssize_t)strlen(s))
		abort();
}

static void reset(int fd)
{
	struct linger l = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	close(fd);
}

/* The port a listener says it got. */
static int port_of(struct world *w)
{
	const char *p = strstr(buf_cstr(&w->notes), "listening on 127.0.0.1:");

	CHECK(p != NULL);
	return p ? atoi(p + 23) : 0;
}

/* ---- tcp-listen ---- */

static void test_clients(void)
{
	struct world *w;
	int a, b, port;

	TEST("tcp-listen: the records of clients are not mixed")
	{
		w = world_begin("tcp-listen://:0");
		port = port_of(w);
		a = dial(port);
		b = dial(port);
		say(a, "a1\nhalf");
		say(b, "b1\n");
		RUN_UNTIL(w, w->bytes == 10);
		say(a, " done\na2");
		close(a);
		say(b, "b2\n");
		close(b);
		RUN_UNTIL(w, w->n_closed == 2);
		CHECK_INT(w->n_streams, 2);
		stream_is(w, 0, "a1\nhalf done\na2");
		stream_is(w, 1, "b1\nb2\n");
		CHECK(!w->streams[0]->dropped && !w->streams[1]->dropped);
		CHECK(!strncmp(w->streams[0]->name, "127.0.0.1:", 10));
		CHECK_INT(w->source->position, 21);
		world_free(w);
	}
	TEST("tcp-listen: what a broken connection left unfinished is dropped, and said")
	{
		w = world_begin("tcp-listen://127.0.0.1:0");
		a = dial(port_of(w));
		say(a, "whole\nha");
		RUN_UNTIL(w, w->bytes == 8);
		reset(a);
		RUN_UNTIL(w, w->n_closed == 1);
		CHECK(w->streams[0]->dropped);
		CHECK(noted(w, "connection reset by peer"));
		world_free(w);
	}
	TEST("tcp-listen: stop ends the streams of all clients")
	{
		w = world_begin("tcp-listen://localhost:0");
		a = dial(port_of(w));
		say(a, "x");
		RUN_UNTIL(w, w->bytes == 1);
		source_live(w->source)->stop(w->source);
		CHECK(w->streams[0]->closed && !w->streams[0]->dropped);
		world_free(w);
		close(a);
	}
}

static void test_listener_limits(void)
{
	struct world *w;
	char status[200];
	int a, b, port;

	TEST("tcp-listen: with max-clients there, others wait")
	{
		w = world_begin("tcp-listen://:0?max-clients=1");
		port = port_of(w);
		a = dial(port);
		b = dial(port);
		say(b, "b\n");
		say(a, "a\n");
		RUN_UNTIL(w, w->bytes == 2 && noted(w, "1 clients, more have to wait"));
		stream_is(w, 0, "a\n");
		source_live(w->source)->status(w->source, status, sizeof status);
		CHECK_STR(status, text("tcp-listen://:0: listening on 127.0.0.1:%d, 1 client", port));
		close(a);
		RUN_UNTIL(w, w->bytes == 4);
		stream_is(w, 1, "b\n");
		close(b);
		world_free(w);
	}
	TEST("tcp-listen: a silent client is hung up on")
	{
		w = world_begin("tcp-listen://:0?idle=20ms");
		a = dial(port_of(w));
		say(a, "x\nha");
		RUN_UNTIL(w, w->n_closed == 1);
		stream_is(w, 0, "x\nha");
		CHECK(w->streams[0]->dropped && noted(w, "silent for too long, hung up"));
		CHECK_INT(read(a, status, 1), 0);
		close(a);
		world_free(w);
	}
	TEST("tcp-listen: told to stop, it reads no more until it may")
	{
		static char big[4 << 20];
		ssize_t n, sent = 0;

		w = world_new("tcp-listen://:0");
		w->stop_at = 1;
		world_start(w);
		a = dial(port_of(w));
		fcntl(a, F_SETFL, O_NONBLOCK);
		while ((n = write(a, big, sizeof big)) > 0)
			sent += n;
		RUN_UNTIL(w, w->full);
		for (int i = 0; i < 20; i++)
			uv_run(&w->loop, UV_RUN_NOWAIT);
		CHECK(w->bytes <= w->room);
		w->stop_at = 0;
		source_live(w->source)->resume(w->source);
		RUN_UNTIL(w, w->bytes == (uint64_t)sent);
		close(a);
		RUN_UNTIL(w, w->n_closed == 1);
		world_free(w);
	}
}

/* 1,000, or as many as may be open at both ends. */
static int many(void)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	getrlimit(RLIMIT_NOFILE, &r);
	return r.rlim_cur >= 2100 ? 1000 : (int)(r.rlim_cur - 100) / 2;
}

static void test_many_clients(void)
{
	int fds[1000], n = many(), port;
	struct world *w;

	TEST("tcp-listen: 1,000 clients at a time")
	{
		if (n < 1000)
			printf("# %d: no more files may be open\n", n);
		w = world_begin("tcp-listen://:0");
		port = port_of(w);
		for (int i = 0; i < n; i++) {
			fds[i] = dial(port);
			say(fds[i], "one\nt");
			uv_run(&w->loop, UV_RUN_NOWAIT);
		}
		RUN_UNTIL(w, w->bytes == (uint64_t)n * 5);
		for (int i = 0; i < n; i++) {
			say(fds[i], "wo\n");
			close(fds[i]);
		}
		RUN_UNTIL(w, w->n_closed == (uint64_t)n);
		for (int i = 0; i < n; i++)
			CHECK_STR(buf_cstr(&w->streams[i]->bytes), "one\ntwo\n");
		world_free(w);
	}
}

/* ---- tcp ---- */

static void test_tcp(void)
{
	struct world *w;
	int port = 0, server = listen_on(&port), a;

	TEST("tcp: connects, reads, and connects again to a server that came back")
	{
		w = world_begin(text("tcp://127.0.0.1:%d", port));
		RUN_UNTIL(w, w->n_streams == 1);
		a = accept(server, NULL, NULL);
		say(a, "one\ntw");
		RUN_UNTIL(w, w->bytes == 6);
		close(a);
		close(server);
		RUN_UNTIL(w, noted(w, "the connection was closed, again in 0.1s"));
		stream_is(w, 0, "one\ntw");
		CHECK(!w->streams[0]->dropped);
		RUN_UNTIL(w, noted(w, "connection refused, again in 0.2s"));
		server = listen_on(&port);
		RUN_UNTIL(w, w->n_streams == 2);
		a = accept(server, NULL, NULL);
		say(a, "three\n");
		RUN_UNTIL(w, w->bytes == 12);
		CHECK(noted(w, ": connected\n"));
		reset(a);
		RUN_UNTIL(w, w->n_closed == 2);
		CHECK(w->streams[1]->dropped);
		RUN_UNTIL(w, noted(w, "connection reset by peer, again in 0.1s"));
		world_free(w);
	}
	TEST("tcp: a name is looked up, retry=0 ends with the connection")
	{
		w = world_begin(text("tcp://localhost:%d?retry=0", port));
		RUN_UNTIL(w, w->n_streams == 1);
		a = accept(server, NULL, NULL);
		say(a, "x\n");
		close(a);
		RUN_UNTIL(w, w->ended);
		stream_is(w, 0, "x\n");
		CHECK_INT(w->err.kind, 0);
		world_free(w);
	}
	TEST("tcp: who does not answer is an error after so many tries")
	{
		close(server);
		w = world_begin(text("tcp://127.0.0.1:%d?retry=0", port));
		RUN_UNTIL(w, w->ended);
		CHECK_STR(w->err.msg, text("tcp://127.0.0.1:%d: connection refused", port));
		world_free(w);
		w = world_begin(text("tcp://127.0.0.1:%d?retry=1", port));
		RUN_UNTIL(w, w->ended);
		CHECK_STR(w->err.msg, text("tcp://127.0.0.1:%d: connection refused, given up after 1 tries", port));
		world_free(w);
	}
	TEST("tcp: stopped while it looks up, connects or waits")
	{
		w = world_begin(text("tcp://localhost:%d", port));
		world_free(w);
		w = world_begin(text("tcp://localhost:%d", port));
		uv_run(&w->loop, UV_RUN_NOWAIT);
		world_free(w);
		w = world_begin(text("tcp://127.0.0.1:%d", port));
		RUN_UNTIL(w, noted(w, "refused"));
		world_free(w);
	}
}

/* ---- unix ---- */

static int unix_dial(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&a, sizeof a))
		abort();
	return fd;
}

static int unix_listen_on(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 8))
		abort();
	return fd;
}

static void test_unix(void)
{
	const char *path = text("%s/sock", dir);
	struct world *w, *v;
	int a, b;

	TEST("unix-listen: replaces what an earlier run left, removes its file")
	{
		close(unix_listen_on(path));
		w = world_begin(text("unix-listen:%s", path));
		a = unix_dial(path);
		say(a, "x\n");
		RUN_UNTIL(w, w->bytes == 2);
		v = world_new(text("unix-listen:%s", path));
		CHECK_INT(world_start(v), -1);
		CHECK_STR(v->err.msg, text("unix-listen:%s: address already in use", path));
		world_free(v);
		close(a);
		world_free(w);
		CHECK_INT(access(path, F_OK), -1);
	}
	TEST("unix: reads from a socket")
	{
		a = unix_listen_on(path);
		w = world_begin(text("unix:%s?retry=0", path));
		RUN_UNTIL(w, w->n_streams == 1);
		b = accept(a, NULL, NULL);
		say(b, "x\ny");
		close(b);
		RUN_UNTIL(w, w->ended);
		stream_is(w, 0, "x\ny");
		CHECK_INT(w->err.kind, 0);
		world_free(w);
		close(a);
		unlink(path);
		w = world_begin(text("unix:%s?retry=0", path));
		RUN_UNTIL(w, w->ended);
		CHECK_STR(w->err.msg, text("unix:%s: no such file or directory", path));
		world_free(w);
	}
}

/* ---- udp ---- */

static void test_udp(void)
{
	struct sockaddr_in to;
	struct world *w;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), sent = 0;

	TEST("udp: each datagram is whole lines, in rooms of any size")
	{
		w = world_new("udp://:0?size=64K");
		w->room = 3;
		world_start(w);
		to = loopback(port_of(w));
		connect(fd, (struct sockaddr *)&to, sizeof to);
		say(fd, "one");
		CHECK_INT(send(fd, "", 0, 0), 0);
		say(fd, "two\nthree\n");
		RUN_UNTIL(w, w->lines == 3);
		stream_is(w, 0, "one\ntwo\nthree\n");
		world_free(w);
	}
	TEST("udp: what the kernel had no room for is counted")
	{
		w = world_begin("udp://127.0.0.1:0?size=4096");
		to = loopback(port_of(w));
		connect(fd, (struct sockaddr *)&to, sizeof to);
		for (; sent < 1000; sent++)
			say(fd, "some line of a log");
		RUN_UNTIL(w, w->lines > 0);
		while (!w->timed_out && !noted(w, "datagrams were lost because they came faster")) {
			say(fd, "one more");
			uv_run(&w->loop, UV_RUN_NOWAIT);
		}
		CHECK(!w->timed_out);
		world_free(w);
	}
	close(fd);
}

/* ---- exec ---- */

static void test_exec(void)
{
	struct world *w;

	TEST("exec: a command as it stands, its output, its end")
	{
		w = world_begin("exec:printf '%s\\n' a?b x=1");
		RUN_UNTIL(w, w->ended);
		stream_is(w, 0, "a?b\nx=1\n");
		CHECK_INT(w->err.kind, 0);
		world_free(w);
	}
	TEST("exec: the status of a command that failed")
	{
		w = world_begin("exec:echo some; exit 3");
		RUN_UNTIL(w, w->ended);
		stream_is(w, 0, "some\n");
		CHECK_STR(w->err.msg, "exec:echo some; exit 3: exit status 3");
		world_free(w);
		w = world_begin("exec:kill -9 $$");
		RUN_UNTIL(w, w->ended);
		CHECK_STR(w->err.msg, "exec:kill -9 $$: ended by signal 9 (Killed)");
		world_free(w);
	}
	TEST("exec: run again when it failed, each run a stream")
	{
		w = world_begin(text("exec:echo x; test -e %s/twice || { >%s/twice; exit 1; }?restart=on-failure", dir, dir));
		RUN_UNTIL(w, w->ended);
		CHECK_INT(w->n_streams, 2);
		CHECK_INT(w->err.kind, 0);
		CHECK(noted(w, "exit status 1, again in 0.1s"));
		world_free(w);
	}
	TEST("exec: run again always, until stopped")
	{
		w = world_begin("exec:echo x?restart=always");
		RUN_UNTIL(w, w->n_closed == 2);
		CHECK(source_live(w->source) && w->source->endless && !w->ended);
		world_free(w);
	}
	TEST("exec: stop takes all that it started with it")
	{
		w = world_begin("exec:trap '' TERM; cat /dev/zero | cat");
		RUN_UNTIL(w, w->bytes > 100000);
		world_free(w);
		w = world_begin("exec:echo x; (trap '' TERM; echo y; exec sleep 1000) & wait");
		RUN_UNTIL(w, w->bytes == 4);
		world_free(w);
	}
}

/* ---- gen ---- */

static int64_t fixed_clock(void *ctx) { return *(int64_t *)ctx; }

static void test_gen(void)
{
	int64_t at = 1704067200 * TIME_NS;
	uint64_t began;
	struct world *w;

	TEST("gen: rows in their times by the clock it is given")
	{
		w = world_new("gen:rate=1000&rows=3");
		w->source->clock = fixed_clock;
		w->source->clock_ctx = &at;
		CHECK_STR(w->source->def->default_format, "json");
		world_start(w);
		RUN_UNTIL(w, w->ended);
		stream_is(w, 0,
			  "{\"timestamp\":\"2024-01-01T00:00:00Z\",\"value\":0}\n{\"timestamp\":\"2024-01-01T00:00:00.001Z\","
			  "\"value\":1}\n"
			  "{\"timestamp\":\"2024-01-01T00:00:00.002Z\",\"value\":2}\n");
		world_free(w);
	}
	TEST("gen: no rows; never faster than the rate; all of them")
	{
		w = world_begin("gen:rows=0");
		RUN_UNTIL(w, w->ended);
		CHECK_INT(w->bytes, 0);
		world_free(w);
		began = uv_hrtime();
		w = world_new("gen:rate=100000&rows=5001&start=0");
		w->room = 100;
		world_start(w);
		RUN_UNTIL(w, w->ended);
		CHECK(uv_hrtime() - began >= 49000000); /* the loop counts whole milliseconds */
		CHECK_INT(w->lines, 5001);
		world_free(w);
	}
	TEST("gen: told to stop it stops, and makes up for it")
	{
		w = world_new("gen:rate=1000000&rows=20000&start=0");
		w->stop_at = 1;
		world_start(w);
		RUN_UNTIL(w, w->full);
		began = w->lines;
		for (int i = 0; i < 10; i++)
			uv_run(&w->loop, UV_RUN_NOWAIT);
		CHECK_INT(w->lines, began);
		w->stop_at = 0;
		source_live(w->source)->resume(w->source);
		RUN_UNTIL(w, w->ended);
		CHECK_INT(w->lines, 20000);
		world_free(w);
	}
}

/* ---- pipes ---- */

static void test_pipe(void)
{
	static char big[300000];
	struct world *w;
	int ends[2], old = dup(0);

	TEST("stdin: a pipe is live, a file is not, and neither changes its mode")
	{
		CHECK_INT(pipe(ends), 0);
		dup2(ends[0], 0);
		w = world_begin("-");
		CHECK(source_is_live(w->source) && !w->source->endless);
		CHECK(!(fcntl(0, F_GETFL) & O_NONBLOCK));
		say(ends[1], "B");
		uv_run(&w->loop, UV_RUN_ONCE);
		CHECK_INT(w->bytes, 0);
		say(ends[1], "y\n");
		RUN_UNTIL(w, w->bytes == 3);
		close(ends[1]);
		RUN_UNTIL(w, w->ended);
		stream_is(w, 0, "By\n");
		CHECK_INT(w->source->position, 3);
		world_free(w);
		dup2(open("/dev/null", O_RDONLY), 0);
		w = world_new("-");
		CHECK(w->source && !source_is_live(w->source));
		world_free(w);
	}
	TEST("a pipe that ends within its first bytes; one that stalls; one that is stopped")
	{
		w = world_new(text("file:/dev/fd/%d", (pipe(ends), ends[0])));
		say(ends[1], "\x1f");
		close(ends[1]);
		world_start(w);
		RUN_UNTIL(w, w->ended);
		stream_is(w, 0, "\x1f");
		world_free(w);
		close(ends[0]);
		w = world_new(text("file:/dev/fd/%d", (pipe(ends), ends[0])));
		w->stop_at = 1;
		world_start(w);
		say(ends[1], "abc");
		RUN_UNTIL(w, w->full);
		say(ends[1], "def");
		uv_run(&w->loop, UV_RUN_NOWAIT);
		CHECK_INT(w->bytes, 3);
		w->stop_at = 0;
		source_live(w->source)->resume(w->source);
		RUN_UNTIL(w, w->bytes == 6);
		world_free(w);
		close(ends[0]);
		close(ends[1]);
	}
	TEST("a pipe of compressed data is unpacked; damaged data is an error")
	{
		FILE *f = fopen(text("%s/big", dir), "w");

		for (size_t i = 0; i < sizeof big; i++)
			big[i] = "0123456789abcde\n"[rand() & 15];
		CHECK_INT(fwrite(big, 1, sizeof big, f), sizeof big);
		fclose(f);
		dup2(fileno(f = popen(text("gzip -c %s/big", dir), "r")), 0);
		w = world_begin("-");
		RUN_UNTIL(w, w->ended);
		CHECK_INT(w->err.kind, 0);
		CHECK(w->streams[0]->bytes.n == sizeof big && !memcmp(w->streams[0]->bytes.p, big, sizeof big));
		CHECK(w->source->position > 100000 && w->source->position < (int64_t)sizeof big);
		world_free(w);
		pclose(f);
		dup2(fileno(f = popen(text("gzip -c %s/big | head -c 100000", dir), "r")), 0);
		w = world_begin("-");
		RUN_UNTIL(w, w->ended);
		CHECK_STR(w->err.msg, "stdin: damaged or cut off gzip data");
		CHECK(w->streams[0]->dropped);
		world_free(w);
		pclose(f);
	}
	TEST("an unpacker that waits for more is stopped")
	{
		CHECK_INT(pipe(ends), 0);
		dup2(ends[0], 0);
		if (write(ends[1], "\x1f\x8b\x08\0\0\0\0\0\0\3", 10) != 10)
			abort();
		w = world_begin("-");
		uv_run(&w->loop, UV_RUN_ONCE);
		uv_run(&w->loop, UV_RUN_NOWAIT);
		world_free(w);
		close(ends[0]);
		close(ends[1]);
	}
	dup2(old, 0);
	close(old);
}

/* ---- stopped from within ---- */

static struct world *stopping(const char *spec)
{
	struct world *w = world_new(spec);

	w->stop_within = true;
	w->room = 5;
	CHECK_INT(world_start(w), 0);
	return w;
}

static void test_stopped_within(void)
{
	struct sockaddr_in to;
	struct world *w;
	int fd, ends[2];

	TEST("a source that is stopped while it hands over is silent from then on")
	{
		w = stopping("tcp-listen://:0");
		say(fd = dial(port_of(w)), "some lines\n");
		RUN_UNTIL(w, w->n_closed == 1);
		close(fd);
		world_free(w);
		w = stopping("udp://:0");
		to = loopback(port_of(w));
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		connect(fd, (struct sockaddr *)&to, sizeof to);
		say(fd, "some lines\n");
		RUN_UNTIL(w, w->n_closed == 1);
		CHECK_INT(w->bytes, 5);
		close(fd);
		world_free(w);
		w = stopping("gen:rate=1000");
		RUN_UNTIL(w, w->n_closed == 1);
		CHECK_INT(w->bytes, 5);
		world_free(w);
		w = stopping("exec:echo some lines; sleep 1000");
		RUN_UNTIL(w, w->n_closed == 1);
		world_free(w);
		w = stopping(text("file:/dev/fd/%d", (pipe(ends), ends[0])));
		say(ends[1], "some lines\n");
		RUN_UNTIL(w, w->n_closed == 1);
		CHECK_INT(w->bytes, 5);
		close(ends[0]);
		close(ends[1]);
		world_free(w);
	}
}

/* ---- what cannot be ---- */

static void refused(const char *spec, const char *msg)
{
	struct world *w = world_new(spec);

	CHECK(w->source == NULL);
	CHECK_INT(w->err.kind, ERR_USAGE);
	CHECK_STR(w->err.msg, msg);
	world_free(w);
}

static void test_refused(void)
{
	TEST("sources that are malformed")
	{
		refused("tcp://localhost", "tcp://localhost: '//localhost' is not HOST:PORT");
		refused("tcp://:80", "tcp://:80: no host to connect to");
		refused("tcp://x:0", "tcp://x:0: no such port '0'");
		refused("tcp://x:70000", "tcp://x:70000: no such port '70000'");
		refused("tcp://::1:80", "tcp://::1:80: '::1' is not a host's name");
		refused("tcp://x:80/y", "tcp://x:80/y: '//x:80/y' is not HOST:PORT");
		refused("tcp://x:80?retry=often",
			"tcp://x:80?retry=often: option 'retry' is a number of 0 to 1000000, not 'often'");
		refused("tcp-listen://:1?idle=5", "tcp-listen://:1?idle=5: option 'idle' is a duration of 1ms to 1000d, not '5'");
		refused("tcp-listen://:1?max-clients=0",
			"tcp-listen://:1?max-clients=0: option 'max-clients' is a number of 1 to 65536, not '0'");
		refused("udp://:1?size=1", "udp://:1?size=1: option 'size' is a size of 4096 to 1073741824, not '1'");
		refused("unix:", "unix:: no path of a socket");
		refused("exec:", "exec:: no command");
		refused("exec:true?restart=maybe",
			"exec:true?restart=maybe: option 'restart' is never, on-failure or always, not 'maybe'");
		refused("gen:rate=0", "gen:rate=0: option 'rate' is a number of 1 to 10000000, not '0'");
		refused("gen:speed=1", "gen:speed=1: unknown option 'speed'");
		refused("gen:start=soon", "gen:start=soon: option 'start' is a time, not 'soon'");
	}
	TEST("a port that is taken")
	{
		int port = 0, fd = listen_on(&port);
		struct world *w = world_new(text("tcp-listen://:%d", port));

		CHECK_INT(world_start(w), -1);
		CHECK_STR(w->err.msg, text("tcp-listen://:%d: address already in use", port));
		world_free(w);
		close(fd);
	}
}

static void clean_up(void)
{
	unlink(text("%s/big", dir));
	unlink(text("%s/twice", dir));
	TEST("nothing is left behind") CHECK_INT(rmdir(dir), 0);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!mkdtemp(dir))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	test_clients();
	test_listener_limits();
	test_many_clients();
	test_tcp();
	test_unix();
	test_udp();
	test_exec();
	test_gen();
	test_pipe();
	test_stopped_within();
	test_refused();
	clean_up();
	return test_done();
}

/* Both sides of io/ack.h, each against a script. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "io/ack.h"
#include "io/ack_sender.h"
#include "io_live.h"
#include "state/bytes.h"

#define ID_A "0123456789abcdef0123456789abcdef"
#define ID_B "fedcba9876543210fedcba9876543210"
#define LIMIT_MS 120000

static char dir[] = "/tmp/strm-test-XXXXXX", path[64];

static struct sockaddr_un address(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	memcpy(a.sun_path, path, strlen(path) + 1);
	return a;
}

static void say(int fd, const char *p, size_t n)
{
	CHECK_INT(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void say_text(int fd, const char *s) { say(fd, s, strlen(s)); }

static bool readable(int fd)
{
	struct pollfd f = { .fd = fd, .events = POLLIN };

	return poll(&f, 1, LIMIT_MS) == 1;
}

/* ---- the sender: the test is the receiver ---- */

static int listen_on(void)
{
	struct sockaddr_un a = address();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(path);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 8))
		abort();
	return fd;
}

static int make_file(const char *bytes)
{
	char name[80];
	int fd;

	snprintf(name, sizeof name, "%s/file", dir);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, bytes, strlen(bytes)) != (ssize_t)strlen(bytes))
		abort();
	return fd;
}

static struct url url_of_socket(void) { return (struct url){ .spec = "unix:sock?ack", .scheme = "unix", .raw = path, .rest = path }; }

/* The next connection, with the sender's first line read: it acknowledges up to `from`. */
static int welcome(int listener, int64_t from, const char *answer)
{
	char want[ACK_LINE_MAX], line[ACK_LINE_MAX] = "";
	size_t n = (size_t)snprintf(want, sizeof want, "strm-ack 1 %s %lld\n", ID_A, (long long)from);
	int fd = readable(listener) ? accept(listener, NULL, NULL) : -1;

	CHECK(fd >= 0);
	CHECK(recv(fd, line, n, MSG_WAITALL) == (ssize_t)n);
	CHECK_STR(line, want);
	say_text(fd, answer);
	return fd;
}

/* The next piece of data, beginning at byte `at`, is `want`. */
static void gives(int fd, uint64_t at, const char *want)
{
	char head[ACK_DATA_HEAD], body[100];
	size_t n;

	CHECK(readable(fd) && recv(fd, head, sizeof head, MSG_WAITALL) == sizeof head);
	n = load_le(head, 4);
	CHECK_INT(load_le(head + 4, 8), at);
	CHECK(n <= sizeof body && recv(fd, body, n, MSG_WAITALL) == (ssize_t)n);
	CHECK_BYTES(body, n, want);
}

static void acknowledge(int fd, uint64_t at)
{
	char p[8];

	store_le(p, at, 8);
	say(fd, p, 8);
}

static void until_acked(struct ack_sender *s, int64_t at)
{
	char why[160];

	CHECK_INT(ack_sender_wait(s, at, LIMIT_MS, why), 0);
	CHECK_INT(ack_sender_acked(s), at);
}

static void test_sender(void)
{
	struct url u = url_of_socket();
	int listener = listen_on(), file = make_file("0123456789"), fd;
	struct ack_sender_opts o = { .url = &u, .id = ID_A, .fd = file, .upto = 6 };
	struct ack_sender *s;
	struct err e = { 0 };

	TEST("a sender gives what it may, and hears what is acknowledged, in pieces too")
	{
		s = ack_sender_start(&o, &e);
		fd = welcome(listener, 0, "strm-ack 1 0\n");
		gives(fd, 0, "012345");
		CHECK_INT(ack_sender_acked(s), 0);
		acknowledge(fd, 4);
		until_acked(s, 4);
		ack_sender_more(s, 9);
		gives(fd, 6, "678");
		say(fd, "\t", 1);
		say(fd, "\0\0\0\0\0\0\0", 7);
		until_acked(s, 9);
	}
	TEST("it connects again, and goes on where the receiver stands")
	{
		close(fd);
		fd = welcome(listener, 9, "strm-ack 1 9\n");
		ack_sender_more(s, 10);
		gives(fd, 9, "9");
		close(fd);
		fd = welcome(listener, 9, "strm-ack 1 9\n");
		gives(fd, 9, "9");
		acknowledge(fd, 10);
		until_acked(s, 10);
		ack_sender_stop(s);
		close(fd);
	}
	TEST("what was acknowledged before, and what was never sent, cannot be acknowledged")
	{
		o.from = 3;
		s = ack_sender_start(&o, &e);
		fd = welcome(listener, 3, "strm-ack 1 5\n");
		gives(fd, 5, "5");
		acknowledge(fd, 2);
		acknowledge(fd, 7);
		acknowledge(fd, UINT64_MAX);
		acknowledge(fd, 5);
		until_acked(s, 5);
		ack_sender_stop(s);
		close(fd);
	}
	close(listener);
	close(file);
}

/* What answers so is given up. */
static void is_refused(const char *answer, const char *want)
{
	struct url u = url_of_socket();
	int listener = listen_on(), file = make_file("0123456789");
	struct ack_sender_opts o = { .url = &u, .id = ID_A, .fd = file, .from = 3, .upto = 6 };
	struct err e = { 0 };
	struct ack_sender *s = ack_sender_start(&o, &e);
	int fd = welcome(listener, 3, answer);
	char why[160];

	CHECK_INT(ack_sender_wait(s, 6, LIMIT_MS, why), -1);
	CHECK_STR(why, want);
	CHECK_INT(ack_sender_failed(s, "out", &e), -1);
	CHECK(!strncmp(e.msg, "out: ", 5));
	CHECK_STR(e.msg + 5, want);
	ack_sender_stop(s);
	close(fd);
	close(listener);
	close(file);
}

static void test_refused(void)
{
	TEST("a sender gives up where it cannot go on, and says why")
	{
		is_refused("strm-ack no room\n", "room");
		is_refused("HTTP/1.1 400 Bad Request\n", "what answers there is no strm that acknowledges: is ?ack missing at its end");
		is_refused("strm-ack 1 x\n", "what answers there is no strm that acknowledges: is ?ack missing at its end");
		is_refused("strm-ack 1 2\n", "the receiver stands at byte 2, and what follows it was acknowledged once and is gone: its checkpoint "
					     "is an older one");
		is_refused("strm-ack 1 7\n", "the receiver stands at byte 7, and so much was never sent");
	}
}

static void test_waiting(void)
{
	struct url u = url_of_socket();
	int listener = listen_on(), file = make_file("01"), fd;
	struct ack_sender_opts o = { .url = &u, .id = ID_A, .fd = file, .upto = 2 };
	struct ack_sender *s;
	struct err e = { 0 };
	char why[160];

	TEST("who waits is told when nothing comes, and what is wrong")
	{
		s = ack_sender_start(&o, &e);
		fd = welcome(listener, 0, "strm-ack 1 0\n");
		gives(fd, 0, "01");
		CHECK_INT(ack_sender_wait(s, 2, 1, why), 1);
		CHECK_STR(why, "");
		ack_sender_stop(s);
		close(fd);
		close(listener);
		unlink(path);
		s = ack_sender_start(&o, &e);
		CHECK_INT(ack_sender_wait(s, 2, 1, why), 1);
		CHECK_STR(why, "no such file or directory");
		CHECK_INT(ack_sender_failed(s, "out", &e), 0);
		ack_sender_stop(s);
	}
	TEST("a sender can be stopped while it waits for the first line, and with data on the way")
	{
		listener = listen_on();
		s = ack_sender_start(&o, &e);
		fd = welcome(listener, 0, "strm");
		ack_sender_stop(s);
		close(fd);
		s = ack_sender_start(&o, &e);
		fd = welcome(listener, 0, "strm-ack 1 0\n");
		ack_sender_stop(s);
		close(fd);
		close(listener);
	}
	TEST("a file that is shorter than it was is an error")
	{
		listener = listen_on();
		o.upto = 3;
		s = ack_sender_start(&o, &e);
		fd = welcome(listener, 0, "strm-ack 1 0\n");
		gives(fd, 0, "01");
		CHECK_INT(ack_sender_wait(s, 3, LIMIT_MS, why), -1);
		CHECK_STR(why, "what is to be sent cannot be read from the checkpoint");
		ack_sender_stop(s);
		close(fd);
		close(listener);
	}
	close(file);
}

/* ---- the receiver: the test is the sender ---- */

static uint64_t committed; /* bytes of each stream */

static void *find(void *ctx, const char *begins, const char **name)
{
	struct world *w = ctx;

	for (size_t i = 0; i < w->n_streams; i++)
		if (!strncmp(w->streams[i]->name, begins, strlen(begins))) {
			*name = w->streams[i]->name;
			return w->streams[i];
		}
	return NULL;
}

static uint64_t have(void *stream) { return ((struct got *)stream)->bytes.n; }

static uint64_t is_committed(void *stream)
{
	(void)stream;
	return committed;
}

static struct world *receiver(void)
{
	char spec[80];
	struct world *w;

	snprintf(spec, sizeof spec, "unix-listen:%s?ack", path);
	committed = 0;
	unlink(path);
	w = world_new(spec);
	w->to.find = find;
	w->to.have = have;
	w->to.committed = is_committed;
	CHECK_INT(world_start(w), 0);
	return w;
}

/* Its streams are closed by the runtime. */
static void receiver_free(struct world *w)
{
	for (size_t i = 0; i < w->n_streams; i++)
		world_close(w->streams[i], false);
	world_free(w);
}

static int dial(void)
{
	struct sockaddr_un a = address();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof a))
		abort();
	return fd;
}

static bool has_come(int fd)
{
	struct pollfd f = { .fd = fd, .events = POLLIN };

	return poll(&f, 1, 0) == 1;
}

static void commit(struct world *w, uint64_t n)
{
	committed = n;
	source_live(w->source)->committed(w->source);
}

/* The next bytes that the receiver says are these. */
static void hears(struct world *w, int fd, const char *want, size_t n)
{
	char p[ACK_LINE_MAX] = "";

	RUN_UNTIL(w, has_come(fd));
	CHECK(recv(fd, p, n, MSG_WAITALL) == (ssize_t)n);
	CHECK(!memcmp(p, want, n));
}

static void hears_line(struct world *w, int fd, const char *want) { hears(w, fd, want, strlen(want)); }

static void hears_ack(struct world *w, int fd, uint64_t at)
{
	char p[8];

	store_le(p, at, 8);
	hears(w, fd, p, 8);
}

static size_t data(char *p, uint64_t at, const char *bytes)
{
	size_t n = strlen(bytes);

	store_le(p, n, 4);
	store_le(p + 4, at, 8);
	memcpy(p + ACK_DATA_HEAD, bytes, n);
	return ACK_DATA_HEAD + n;
}

static void sends(int fd, uint64_t at, const char *bytes)
{
	char p[100];

	say(fd, p, data(p, at, bytes));
}

static int greeted(struct world *w, const char *hello, const char *want)
{
	int fd = dial();

	say_text(fd, hello);
	hears_line(w, fd, want);
	return fd;
}

static void test_receiver(void)
{
	struct world *w = receiver();
	char p[100];
	size_t n;
	int fd, other;

	TEST("a receiver takes data, and acknowledges what is committed")
	{
		fd = greeted(w, "strm-ack 1 " ID_A " 0\n", "strm-ack 1 0\n");
		sends(fd, 0, "abc");
		sends(fd, 3, "de");
		RUN_UNTIL(w, w->bytes == 5);
		CHECK(!has_come(fd));
		commit(w, 3);
		hears_ack(w, fd, 3);
		commit(w, 3);
		commit(w, 5);
		hears_ack(w, fd, 5);
	}
	TEST("what it has already is passed over, whole or in part")
	{
		sends(fd, 0, "abc");
		sends(fd, 2, "cdef");
		sends(fd, 6, "g");
		RUN_UNTIL(w, w->bytes == 7);
		stream_is(w, 0, "abcdefg");
	}
	TEST("a new connection takes the place of the older one, and its stream")
	{
		other = greeted(w, "strm-ack 1 " ID_A " 5\n", "strm-ack 1 7\n");
		hears_ack(w, other, 5);
		CHECK(readable(fd) && recv(fd, p, 1, 0) == 0);
		close(fd);
		n = data(p, 7, "hi");
		for (size_t i = 0; i < n; i++) {
			say(other, p + i, 1);
			uv_run(&w->loop, UV_RUN_NOWAIT);
		}
		RUN_UNTIL(w, w->bytes == 9);
		stream_is(w, 0, "abcdefghi");
		close(other);
	}
	TEST("a sender that has acknowledged bytes elsewhere begins behind them")
	{
		fd = greeted(w, "strm-ack 1 " ID_B " 1000\n", "strm-ack 1 1000\n");
		hears_ack(w, fd, 1005);
		sends(fd, 1000, "xy");
		RUN_UNTIL(w, w->bytes == 11);
		CHECK_STR(w->streams[1]->name, ID_B "@1000");
		commit(w, 6);
		hears_ack(w, fd, 1006);
		close(fd);
	}
	receiver_free(w);
}

/* Says this (and data, unless NULL), and is refused. */
static void is_sent_away(const char *hello, const char *bytes, size_t n, const char *why)
{
	struct world *w = receiver();
	char want[ACK_LINE_MAX];
	int fd = dial();

	say_text(fd, hello);
	if (bytes) {
		hears_line(w, fd, "strm-ack 1 5\n");
		say(fd, bytes, n);
	}
	snprintf(want, sizeof want, "strm-ack no %s\n", why);
	hears_line(w, fd, want);
	RUN_UNTIL(w, noted(w, why) && has_come(fd));
	CHECK_INT(recv(fd, want, 1, 0), 0);
	CHECK_INT(w->bytes, 0);
	close(fd);
	receiver_free(w);
}

static void test_sent_away(void)
{
	static const char gap[] = "the first line is not understood", none[] = "what came is no data, or data is missing before it",
			  stranger[] = "who connects is no strm that is acknowledged: is ?ack missing at its end", hello[] = "strm-ack 1 " ID_A " 5\n";
	char p[100], line[2 * ACK_LINE_MAX + 1];
	size_t n;

	TEST("who does not speak as a sender does is refused")
	{
		memset(line, 'x', sizeof line - 1);
		line[sizeof line - 1] = 0;
		is_sent_away("GET / HTTP/1.1\r\n", NULL, 0, stranger);
		is_sent_away(line, NULL, 0, stranger);
		is_sent_away("strm-ack 2 " ID_A " 0\n", NULL, 0, "the sender speaks another version of the protocol, this is version 1");
		is_sent_away("strm-ack 1 " ID_A "\n", NULL, 0, gap);
		is_sent_away("strm-ack 1 " ID_A " \n", NULL, 0, gap);
		is_sent_away("strm-ack 1 " ID_A "0 5\n", NULL, 0, gap);
		is_sent_away("strm-ack 1 0123456789ABCDEF0123456789abcdef 0\n", NULL, 0, gap);
		is_sent_away("strm-ack 1 " ID_A " -1\n", NULL, 0, gap);
		is_sent_away("strm-ack 1 " ID_A " 9223372036854775807\n", NULL, 0, gap);
		is_sent_away("strm-ack 1 " ID_A " 99999999999999999999\n", NULL, 0, gap);
	}
	TEST("what is no data, or lies behind a gap, is not taken")
	{
		n = data(p, 6, "f");
		is_sent_away(hello, p, n, none);
		n = data(p, UINT64_MAX, "f");
		is_sent_away(hello, p, n, none);
		n = data(p, 5, "");
		is_sent_away(hello, p, n, none);
		store_le(p, ACK_DATA_MAX + 1, 4);
		is_sent_away(hello, p, n, none);
	}
}

static void test_older_receiver(void)
{
	struct world *w = receiver();
	int fd;

	TEST("a receiver that lacks what its sender has no more says so")
	{
		fd = greeted(w, "strm-ack 1 " ID_A " 0\n", "strm-ack 1 0\n");
		close(fd);
		fd = greeted(w, "strm-ack 1 " ID_A " 1\n", "strm-ack no bytes are missing here that the sender has no more: the receiver's checkpoint is an "
							  "older one\n");
		close(fd);
	}
	receiver_free(w);
}

int main(void)
{
	char name[80];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/sock", dir);
	test_sender();
	test_refused();
	test_waiting();
	test_receiver();
	test_sent_away();
	test_older_receiver();
	unlink(path);
	snprintf(name, sizeof name, "%s/file", dir);
	unlink(name);
	rmdir(dir);
	return test_done();
}

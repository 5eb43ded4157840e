#include "io/ack_sender.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "io/ack.h"
#include "io/live.h"
#include "io/sink_socket.h"
#include "state/bytes.h"

#define PIECE ((size_t)64 << 10)
#define CONNECT_S 5	   /* how long one try to connect takes at most */
#define PAUSE_MAX_MS 1000U /* between two of them: not long beside what it waits at the end */

struct ack_sender {
	struct ack_sender_opts opts;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t heard;
	int wake; /* an eventfd: there is more to send, or it is to stop */
	/* under the lock */
	int64_t upto, acked;
	bool stop, failed;
	bool tried;    /* to connect, once at least */
	char why[160]; /* "" all is well */
};

/* One connection. */
struct session {
	struct ack_sender *s;
	int fd;
	int64_t sent;
	char out[ACK_DATA_HEAD + PIECE], in[8];
	size_t out_n, out_at, in_n;
};

static void say(struct ack_sender *s, bool failed, const char *why)
{
	pthread_mutex_lock(&s->lock);
	s->failed |= failed;
	s->tried = true;
	snprintf(s->why, sizeof s->why, "%s", why);
	pthread_cond_broadcast(&s->heard);
	pthread_mutex_unlock(&s->lock);
}

static bool is_over(struct ack_sender *s)
{
	bool yes;

	pthread_mutex_lock(&s->lock);
	yes = s->stop || s->failed;
	pthread_mutex_unlock(&s->lock);
	return yes;
}

static int64_t may_send(struct ack_sender *s)
{
	int64_t upto;

	pthread_mutex_lock(&s->lock);
	upto = s->upto;
	pthread_mutex_unlock(&s->lock);
	return upto;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void drain_wake(const struct ack_sender *s)
{
	uint64_t n;

	while (read(s->wake, &n, sizeof n) > 0)
		;
}

/* Waits for the socket (fd -1: only for the time, or to be woken). What has happened to it. */
static short wait_for(const struct ack_sender *s, int fd, short events, int ms)
{
	struct pollfd f[2] = { { .fd = s->wake, .events = POLLIN }, { .fd = fd, .events = events } };

	poll(f, 2, ms);
	if (f[0].revents)
		drain_wake(s);
	return f[1].revents;
}

/* ---- the first lines ---- */

static bool send_hello(const struct session *c)
{
	char line[ACK_LINE_MAX];
	struct ack_sender *s = c->s;
	int n;

	pthread_mutex_lock(&s->lock);
	n = snprintf(line, sizeof line, "strm-ack %d %s %" PRId64 "\n", ACK_VERSION, s->opts.id, s->acked);
	pthread_mutex_unlock(&s->lock);
	return send(c->fd, line, (size_t)n, MSG_NOSIGNAL) == n;
}

/* A line, without its end. False: none came. */
static bool read_line(const struct session *c, char line[ACK_LINE_MAX])
{
	size_t n = 0;

	while (n + 1 < ACK_LINE_MAX && !is_over(c->s)) {
		ssize_t r;

		if (!wait_for(c->s, c->fd, POLLIN, -1))
			continue;
		r = recv(c->fd, line + n, 1, 0);
		if (r < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (r <= 0)
			return false;
		if (line[n] == '\n') {
			line[n] = 0;
			return true;
		}
		n++;
	}
	return false;
}

/* Where the receiver stands; -1: it cannot go on. */
static int64_t take_welcome(struct session *c, const char *line)
{
	struct ack_sender *s = c->s;
	int64_t acked = ack_sender_acked(s), at;
	char why[160];
	char *end;

	if (!strncmp(line, "strm-ack no ", 12)) {
		say(s, true, line + 12);
		return -1;
	}
	if (strncmp(line, "strm-ack 1 ", 11) != 0 || (at = strtoll(line + 11, &end, 10), end == line + 11 || *end)) {
		say(s, true, "what answers there is no strm that acknowledges: is ?ack missing at its end");
		return -1;
	}
	if (at >= acked && at <= may_send(s))
		return at;
	snprintf(why, sizeof why, "the receiver stands at byte %" PRId64 ", and %s", at,
		 at < acked ? "what follows it was acknowledged once and is gone: its checkpoint is an older one"
			    : "so much was never sent");
	say(s, true, why);
	return -1;
}

/* ---- data ---- */

/* The next piece into `out`. False: the file cannot be read. */
static bool fill(struct session *c, int64_t upto)
{
	size_t want = upto - c->sent < (int64_t)PIECE ? (size_t)(upto - c->sent) : PIECE;
	ssize_t n;

	do
		n = pread(c->s->opts.fd, c->out + ACK_DATA_HEAD, want, c->sent);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	store_le(c->out, (uint64_t)n, 4);
	store_le(c->out + 4, (uint64_t)c->sent, 8);
	c->out_n = ACK_DATA_HEAD + (size_t)n;
	c->out_at = 0;
	c->sent += n;
	return true;
}

static bool send_some(struct session *c)
{
	int64_t upto = may_send(c->s);
	ssize_t n;

	if (c->out_at == c->out_n && c->sent < upto && !fill(c, upto)) {
		say(c->s, true, "what is to be sent cannot be read from the checkpoint");
		return false;
	}
	if (c->out_at == c->out_n)
		return true;
	n = send(c->fd, c->out + c->out_at, c->out_n - c->out_at, MSG_NOSIGNAL);
	if (n > 0)
		c->out_at += (size_t)n;
	return n > 0 || errno == EAGAIN || errno == EINTR;
}

static void take_ack(struct session *c)
{
	struct ack_sender *s = c->s;
	int64_t at = (int64_t)load_le(c->in, 8);

	c->in_n = 0;
	pthread_mutex_lock(&s->lock);
	if (at > s->acked && at <= s->upto) {
		s->acked = at;
		pthread_cond_broadcast(&s->heard);
	}
	pthread_mutex_unlock(&s->lock);
}

static bool hear_some(struct session *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_n, sizeof c->in - c->in_n, 0);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	c->in_n += (size_t)n;
	if (c->in_n == sizeof c->in)
		take_ack(c);
	return true;
}

static void converse(struct session *c)
{
	for (bool well = true; well && !is_over(c->s);) {
		bool more = c->out_at < c->out_n || c->sent < may_send(c->s);
		short got = wait_for(c->s, c->fd, POLLIN | (more ? POLLOUT : 0), -1);

		if (got & (POLLIN | POLLHUP | POLLERR))
			well = hear_some(c);
		if (well && got & POLLOUT)
			well = send_some(c);
	}
}

/* A connection, as long as it holds. Was it taken? */
static bool hold_session(struct ack_sender *s, int fd)
{
	struct session *c = xcalloc(1, sizeof *c);
	char line[ACK_LINE_MAX];
	bool taken = false;

	c->s = s;
	c->fd = fd;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (send_hello(c) && read_line(c, line)) {
		c->sent = take_welcome(c, line);
		taken = c->sent >= 0;
	}
	if (taken) {
		say(s, false, "");
		converse(c);
	}
	if (!is_over(s))
		say(s, false, "the connection was closed by the other side");
	free(c);
	close(fd);
	return taken;
}

/* Whatever is to be sent meanwhile: the next attempt is not sooner for it. */
static void pause_for(struct ack_sender *s, unsigned ms)
{
	int64_t until = now_ms() + ms, left;

	while (!is_over(s) && (left = until - now_ms()) > 0)
		wait_for(s, -1, 0, (int)left);
}

static void *run(void *ctx)
{
	struct ack_sender *s = ctx;

	for (unsigned tries = 0; !is_over(s);) {
		const char *why = "";
		int fd = sink_socket_connect(s->opts.url, s->opts.addr, CONNECT_S, &why);

		if (fd < 0)
			say(s, false, why);
		else if (hold_session(s, fd))
			tries = 0;
		++tries;
		pause_for(s, live_backoff(tries) < PAUSE_MAX_MS ? live_backoff(tries) : PAUSE_MAX_MS);
	}
	return NULL;
}

/* ---- the owner ---- */

static void wake(const struct ack_sender *s)
{
	uint64_t one = 1;

	while (write(s->wake, &one, sizeof one) < 0 && errno == EINTR)
		;
}

/* Signals are for the thread that waits for them. */
static int start_thread(struct ack_sender *s)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

struct ack_sender *ack_sender_start(const struct ack_sender_opts *o, struct err *e)
{
	struct ack_sender *s = xcalloc(1, sizeof *s);
	pthread_condattr_t a;
	int r;

	s->opts = *o;
	s->acked = o->from;
	s->upto = o->upto;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&s->heard, &a);
	pthread_condattr_destroy(&a);
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = s->wake < 0 ? errno : start_thread(s);
	if (!r)
		return s;
	err_set(e, ERR_IO, "%s: %s", o->url->spec, strerror(r));
	if (s->wake >= 0)
		close(s->wake);
	free(s);
	return NULL;
}

void ack_sender_more(struct ack_sender *s, int64_t upto)
{
	pthread_mutex_lock(&s->lock);
	s->upto = upto;
	pthread_mutex_unlock(&s->lock);
	wake(s);
}

int64_t ack_sender_acked(struct ack_sender *s)
{
	int64_t acked;

	pthread_mutex_lock(&s->lock);
	acked = s->acked;
	pthread_mutex_unlock(&s->lock);
	return acked;
}

int ack_sender_failed(struct ack_sender *s, const char *name, struct err *e)
{
	int r = 0;

	pthread_mutex_lock(&s->lock);
	if (s->failed)
		r = err_set(e, ERR_IO, "%s: %s", name, s->why);
	pthread_mutex_unlock(&s->lock);
	return r;
}

static struct timespec in_ms(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

int ack_sender_wait(struct ack_sender *s, int64_t upto, int64_t linger_ms, char why[160])
{
	struct timespec until = in_ms(linger_ms);
	int64_t acked;
	int r = 0;

	pthread_mutex_lock(&s->lock);
	acked = s->acked;
	while (s->acked < upto && !s->failed && !r) {
		r = s->tried ? pthread_cond_timedwait(&s->heard, &s->lock, &until) : pthread_cond_wait(&s->heard, &s->lock);
		if (s->acked > acked)
			until = in_ms(linger_ms);
		acked = s->acked;
	}
	memcpy(why, s->why, sizeof s->why);
	r = s->failed ? -1 : s->acked < upto;
	pthread_mutex_unlock(&s->lock);
	return r;
}

void ack_sender_stop(struct ack_sender *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_mutex_unlock(&s->lock);
	wake(s);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->heard);
	pthread_mutex_destroy(&s->lock);
	close(s->wake);
	free(s);
}

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fd.h"
#include "io/live.h"
#include "io/unpack_thread.h"

/* A pipe, a terminal or a socket on the loop, read with plain read() when there is something. uv_poll would make it non-blocking,
 * also for the other processes that share it; so uv_poll watches an epoll that watches it. */
struct fd_live {
	struct fd_source *source;
	const struct intake *to;
	void *stream; /* NULL: over */
	uv_loop_t *loop;
	int epoll;	 /* of the descriptor, or of the unpacker's result */
	uv_poll_t *poll; /* of the epoll; freed by its close callback */
	struct unpack_thread *unpacker;
	bool paused;
};

static void on_ready(uv_poll_t *h, int status, int events);

static void on_closed(uv_handle_t *h) { free(h); }

static void unwatch(struct fd_live *l)
{
	if (!l->poll)
		return;
	uv_close((uv_handle_t *)l->poll, on_closed);
	close(l->epoll);
	l->poll = NULL;
}

static int watch(struct fd_live *l, int fd, struct err *e)
{
	struct epoll_event want = { .events = EPOLLIN };

	unwatch(l);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		return err_set(e, ERR_IO, "%s: %s", l->source->base.name, strerror(errno));
	l->poll = xcalloc(1, sizeof *l->poll);
	if (!epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &want) && !uv_poll_init(l->loop, l->poll, l->epoll)) {
		l->poll->data = l;
		return uv_poll_start(l->poll, UV_READABLE, on_ready);
	}
	err_set(e, ERR_IO, "%s: %s", l->source->base.name, strerror(errno));
	close(l->epoll);
	free(l->poll);
	l->poll = NULL;
	return -1;
}

static void finish(struct fd_live *l, const struct err *e)
{
	void *stream = l->stream;

	l->stream = NULL;
	unwatch(l);
	l->to->close(stream, e != NULL);
	l->to->end(l->to->ctx, e);
}

static void fail(struct fd_live *l, int error)
{
	struct err e = { 0 };

	err_set(&e, ERR_IO, "%s: %s", l->source->base.name, strerror(error));
	finish(l, &e);
}

/* The end of what the current descriptor gives. */
static void at_end(struct fd_live *l)
{
	struct unpack_thread *t = l->unpacker;
	struct err e = { 0 };

	l->unpacker = NULL;
	if (t)
		unwatch(l);
	finish(l, unpack_thread_finish(t, &e) ? &e : NULL);
}

static void took(struct fd_live *l, int verdict)
{
	if (!verdict || !l->stream)
		return;
	l->paused = true;
	uv_poll_stop(l->poll);
}

/* The first bytes are held back until they tell what they are. */
static void read_head(struct fd_live *l)
{
	struct fd_source *s = l->source;
	const struct unpack_kind *kind;
	struct err e = { 0 };
	bool more;
	ssize_t n = read(s->fd, s->head + s->head_n, sizeof s->head - s->head_n);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		fail(l, errno);
		return;
	}
	s->head_n += (unsigned)n;
	s->base.position += n;
	kind = unpack_sniff(s->head, s->head_n, &more);
	if (more && n)
		return;
	s->sniffed = true;
	if (kind) {
		l->unpacker = unpack_thread_start(kind, s->fd, s->base.name, s->head, s->head_n, &e);
		if (!l->unpacker || watch(l, unpack_thread_fd(l->unpacker), &e))
			finish(l, &e);
	} else if (s->head_n) {
		took(l, live_put(l->to, &l->stream, s->head, s->head_n));
	}
	if (!n && l->stream && !kind)
		at_end(l);
}

static void read_more(struct fd_live *l)
{
	struct fd_source *s = l->source;
	size_t room;
	char *p = l->to->room(l->stream, &room);
	ssize_t n = read(l->unpacker ? unpack_thread_fd(l->unpacker) : s->fd, p, room);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (l->unpacker)
		s->base.position = (int64_t)(s->head_n + unpack_thread_position(l->unpacker));
	else if (n > 0)
		s->base.position += n;
	if (n > 0)
		took(l, l->to->filled(l->stream, (size_t)n));
	else if (n)
		fail(l, errno);
	else
		at_end(l);
}

static void on_ready(uv_poll_t *h, int status, int events)
{
	struct fd_live *l = h->data;

	(void)events;
	/* an error of the descriptor is read()'s to tell */
	(void)status;
	if (!l->stream || l->paused || h != l->poll)
		return;
	if (l->source->sniffed)
		read_more(l);
	else
		read_head(l);
}

static int fd_live_start(struct source *base, uv_loop_t *loop, const struct intake *to, struct err *e)
{
	struct fd_source *s = (struct fd_source *)base;
	struct fd_live *l = xcalloc(1, sizeof *l);

	s->on_loop = l;
	l->source = s;
	l->to = to;
	l->loop = loop;
	if (watch(l, s->fd, e))
		return -1;
	l->stream = to->open(to->ctx, base->name, e);
	if (l->stream)
		return 0;
	unwatch(l);
	return -1;
}

static void fd_live_resume(struct source *base)
{
	struct fd_live *l = ((struct fd_source *)base)->on_loop;

	if (!l || !l->stream || !l->paused)
		return;
	l->paused = false;
	uv_poll_start(l->poll, UV_READABLE, on_ready);
}

static void fd_live_stop(struct source *base)
{
	struct fd_live *l = ((struct fd_source *)base)->on_loop;
	struct err e = { 0 };
	void *stream;

	if (!l || !l->stream)
		return;
	stream = l->stream;
	l->stream = NULL;
	unwatch(l);
	unpack_thread_finish(l->unpacker, &e);
	l->unpacker = NULL;
	l->to->close(stream, false);
}

static const struct live_def fd_live = { fd_live_start, fd_live_resume, fd_live_stop, NULL, NULL };

const struct live_def *fd_live_def(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd) ? &fd_live : NULL;
}

void fd_live_free(struct fd_live *l) { free(l); }

#include "io/conn.h"

#include <sys/socket.h>

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct conn *c = h->data;
	size_t n = 0;

	(void)suggested;
	buf->base = c->stream ? c->to->room(c->stream, &n) : NULL;
	buf->len = n;
}

/* libuv calls it the end when bytes and the break of a connection come in one wake-up; the socket knows better. */
static int end_of(uv_stream_t *h)
{
	int fd, bad = 0;
	socklen_t n = sizeof bad;

	if (uv_fileno((uv_handle_t *)h, &fd) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &n))
		return 0;
	return bad ? uv_translate_sys_error(bad) : 0;
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = h->data;

	(void)buf;
	if (!c->stream || !n)
		return;
	if (n < 0) {
		uv_read_stop(h);
		c->ended(c, n == UV_EOF ? end_of(h) : (int)n);
		return;
	}
	c->bytes += (uint64_t)n;
	c->last_ms = uv_now(h->loop);
	c->source->position += n;
	if (!c->to->filled(c->stream, (size_t)n) || !c->stream)
		return;
	c->paused = true;
	uv_read_stop(h);
}

int conn_open(struct conn *c, uv_stream_t *h, const char *name, struct err *e)
{
	c->h = h;
	h->data = c;
	c->bytes = 0;
	c->last_ms = uv_now(h->loop);
	c->paused = false;
	c->stream = c->to->open(c->to->ctx, name, e);
	if (!c->stream)
		return -1;
	uv_read_start(h, on_room, on_read);
	return 0;
}

void conn_resume(struct conn *c)
{
	if (!c->stream || !c->paused)
		return;
	c->paused = false;
	c->last_ms = uv_now(c->h->loop);
	uv_read_start(c->h, on_room, on_read);
}

void conn_close(struct conn *c, bool drop)
{
	void *stream = c->stream;

	if (!stream)
		return;
	c->stream = NULL;
	uv_read_stop(c->h);
	c->to->close(stream, drop);
}

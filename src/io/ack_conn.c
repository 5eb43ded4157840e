#include "io/ack_conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "state/bytes.h"

#define ROOM 65536

/* ---- what is said ---- */

struct message {
	uv_write_t req;
	char p[];
};

static void on_written(uv_write_t *req, int status)
{
	(void)status;
	free((struct message *)req);
}

static void tell(struct ack_conn *c, const char *p, size_t n)
{
	struct message *m = xmalloc(sizeof *m + n);
	uv_buf_t b = uv_buf_init(m->p, (unsigned)n);

	memcpy(m->p, p, n);
	if (uv_write(&m->req, c->h, &b, 1, on_written))
		free(m);
}

static void refuse(struct ack_conn *c, const char *why)
{
	char line[ACK_LINE_MAX];
	int n = snprintf(line, sizeof line, "strm-ack no %s\n", why);

	tell(c, line, (size_t)n);
	c->ended(c, why);
}

void ack_conn_committed(struct ack_conn *c)
{
	char p[8];
	int64_t now;

	if (!c->h || !c->stream)
		return;
	now = c->from + (int64_t)c->to->committed(c->stream);
	if (now <= c->told)
		return;
	c->told = now;
	store_le(p, (uint64_t)now, 8);
	tell(c, p, sizeof p);
}

/* ---- the first line ---- */

static bool is_id(const char *p)
{
	for (int i = 0; i < ACK_ID; i++)
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
	return true;
}

/* Its stream as it was left, or a new one. False: it cannot be taken. */
static bool find_stream(struct ack_conn *c, const char *id, int64_t from)
{
	char name[ACK_LINE_MAX];
	struct err e = { 0 };
	const char *known;

	c->from = from;
	snprintf(name, sizeof name, "%s@", id);
	c->stream = c->to->find(c->to->ctx, name, &known);
	if (c->stream) {
		c->from = strtoll(known + strlen(name), NULL, 10);
	} else {
		snprintf(name, sizeof name, "%s@%" PRId64, id, from);
		c->stream = c->to->open(c->to->ctx, name, &e);
	}
	if (!c->stream)
		refuse(c, e.msg);
	return c->stream != NULL;
}

/* False: it goes no further. */
static bool greet(struct ack_conn *c, char *line)
{
	char id[ACK_ID + 1], *end;
	int64_t from;
	int n;

	if (strncmp(line, "strm-ack ", 9) != 0)
		return refuse(c, "who connects is no strm that is acknowledged: is ?ack missing at its end"), false;
	if (strncmp(line + 9, "1 ", 2) != 0)
		return refuse(c, "the sender speaks another version of the protocol, this is version 1"), false;
	line += 11;
	if (strlen(line) < ACK_ID + 2 || !is_id(line) || line[ACK_ID] != ' ' ||
	    (from = strtoll(line + ACK_ID + 1, &end, 10), *end) || from < 0 || from > ACK_FROM_MAX)
		return refuse(c, "the first line is not understood"), false;
	snprintf(id, sizeof id, "%.*s", ACK_ID, line);
	if (!find_stream(c, id, from))
		return false;
	c->have = c->from + (int64_t)c->to->have(c->stream);
	if (c->have < from)
		return refuse(c, "bytes are missing here that the sender has no more: the receiver's checkpoint is an older one"),
		       false;
	c->greeted(c);
	n = snprintf(id, sizeof id, "strm-ack 1 %" PRId64 "\n", c->have);
	tell(c, id, (size_t)n);
	c->told = c->from;
	ack_conn_committed(c);
	return true;
}

/* Bytes of the first line: 0, more are needed; -1: it goes no further. */
static int take_line(struct ack_conn *c)
{
	char *nl = memchr(c->in.p, '\n', c->in.n), line[ACK_LINE_MAX];
	size_t n = nl ? (size_t)(nl - c->in.p) : c->in.n;

	if (n >= sizeof line)
		return refuse(c, "who connects is no strm that is acknowledged: is ?ack missing at its end"), -1;
	if (!nl)
		return 0;
	memcpy(line, c->in.p, n);
	line[n] = 0;
	return greet(c, line) ? (int)n + 1 : -1;
}

/* ---- data ---- */

/* Bytes of what is whole at the front of p: 0, more are needed; -1: it goes no further. */
static int take_data(struct ack_conn *c, const char *p, size_t n)
{
	uint32_t len;
	int64_t at, skip;
	int verdict;

	if (n < ACK_DATA_HEAD)
		return 0;
	len = (uint32_t)load_le(p, 4);
	at = (int64_t)load_le(p + 4, 8);
	if (!len || len > ACK_DATA_MAX || at < 0 || at > c->have)
		return refuse(c, "what came is no data, or data is missing before it"), -1;
	if (n < ACK_DATA_HEAD + len)
		return 0;
	skip = c->have - at < len ? c->have - at : len;
	c->have += len - skip;
	if (skip < len) {
		verdict = live_put(c->to, &c->stream, p + ACK_DATA_HEAD + skip, (size_t)(len - skip));
		if (verdict < 0 || !c->stream)
			return -1;
		c->paused |= verdict > 0;
	}
	return (int)(ACK_DATA_HEAD + len);
}

static void take(struct ack_conn *c)
{
	size_t at = 0;
	int n = 1;

	while (c->h && n > 0 && !c->paused) {
		n = c->stream ? take_data(c, c->in.p + at, c->in.n - at) : take_line(c);
		at += n > 0 ? (size_t)n : 0;
	}
	if (!c->h)
		return;
	c->in.n -= at;
	if (c->in.n)
		memmove(c->in.p, c->in.p + at, c->in.n);
}

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct ack_conn *c = h->data;

	(void)suggested;
	*buf = uv_buf_init(c->room, ROOM);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct ack_conn *c = h->data;

	if (!c->h || !n)
		return;
	if (n < 0) {
		uv_read_stop(h);
		c->ended(c, n == UV_EOF ? NULL : uv_strerror((int)n));
		return;
	}
	c->source->position += n;
	buf_add(&c->in, buf->base, (size_t)n);
	take(c);
	if (c->h && c->paused)
		uv_read_stop(h);
}

void ack_conn_open(struct ack_conn *c, uv_stream_t *h)
{
	c->room = xmalloc(ROOM);
	c->h = h;
	h->data = c;
	uv_read_start(h, on_room, on_read);
}

void ack_conn_resume(struct ack_conn *c)
{
	if (!c->h || !c->paused)
		return;
	c->paused = false;
	take(c);
	if (c->h && !c->paused)
		uv_read_start(c->h, on_room, on_read);
}

void ack_conn_close(struct ack_conn *c)
{
	if (!c->h)
		return;
	uv_read_stop(c->h);
	c->h = NULL;
	c->stream = NULL;
}

void ack_conn_release(struct ack_conn *c)
{
	buf_release(&c->in);
	free(c->room);
}

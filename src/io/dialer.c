#include "io/dialer.h"

#include <stdio.h>
#include <stdlib.h>

static void try_connect(struct dialer *d);

static void free_found(struct dialer *d)
{
	if (d->found)
		uv_freeaddrinfo(d->found);
	d->found = d->next = NULL;
}

static void close_handle(struct dialer *d, uv_close_cb then)
{
	if (!d->h_open)
		return;
	d->h_open = false;
	uv_close(&d->h.handle, then);
}

static void close_timer(struct dialer *d)
{
	if (d->timer_open)
		uv_close((uv_handle_t *)&d->timer, NULL);
	d->timer_open = false;
}

/* ---- the next try ---- */

/* A handle is always tried from a turn of the loop later than the one that closed it for the last try: its memory is free again
 * then. */
static void on_timer(uv_timer_t *t) { try_connect(t->data); }

/* No more tries: a plain end after an orderly one, else an error. */
static void give_up(struct dialer *d, int status)
{
	d->state = DIALER_OVER;
	close_timer(d);
	close_handle(d, NULL);
	free_found(d);
	if (!status)
		d->to->end(d->to->ctx, NULL);
	else if (d->tries)
		live_fail(d->to, "%s: %s, given up after %u tries", d->label, uv_strerror(status), d->tries);
	else
		live_fail(d->to, "%s: %s", d->label, uv_strerror(status));
}

static void note_wait(struct dialer *d, int status, unsigned ms)
{
	const char *what = status ? uv_strerror(status) : "the connection was closed";

	d->noted = true;
	if (ms < live_backoff(d->tries + 1))
		live_note(d->to, "%s: %s, again in %u.%us", d->label, what, ms / 1000, ms / 100 % 10);
	else if (ms > live_backoff(d->tries - 1))
		live_note(d->to, "%s: %s, again every %us", d->label, what, ms / 1000);
}

/* What has come by now is all: an orderly end is the end, and the next run tries again. */
static bool may_retry(const struct dialer *d, int status)
{
	if (d->base.once && (!status || d->retry == DIALER_UNSAID))
		return false;
	return d->retry < 0 || d->tries < (unsigned)d->retry;
}

static void wait_and_retry(struct dialer *d, int status)
{
	unsigned ms;

	if (!may_retry(d, status)) {
		give_up(d, status);
		return;
	}
	d->tries++;
	ms = live_backoff(d->tries);
	d->state = DIALER_WAIT;
	note_wait(d, status, ms);
	if (d->state == DIALER_WAIT)
		uv_timer_start(&d->timer, on_timer, ms, 0);
}

/* The handle is closed: on with the next address, or with the wait that was set. */
static void on_closed_next(uv_handle_t *h)
{
	struct dialer *d = h->data;

	if (d->state == DIALER_CONNECT)
		try_connect(d);
}

static void failed(struct dialer *d, int status)
{
	if (d->next && d->next->ai_next) {
		d->next = d->next->ai_next;
		d->h.handle.data = d;
		close_handle(d, on_closed_next);
		return;
	}
	close_handle(d, NULL);
	free_found(d);
	wait_and_retry(d, status);
}

/* ---- a connection ---- */

static void on_ended(struct conn *c, int status)
{
	struct dialer *d = (struct dialer *)((char *)c - offsetof(struct dialer, conn));

	d->state = DIALER_WAIT;
	if (c->bytes)
		d->tries = 0;
	conn_close(c, status != 0);
	if (d->state == DIALER_WAIT)
		failed(d, status);
}

static void on_connect(uv_connect_t *r, int status)
{
	struct dialer *d = r->data;
	struct err e = { 0 };

	if (d->state != DIALER_CONNECT)
		return;
	if (status) {
		failed(d, status);
		return;
	}
	free_found(d);
	d->state = DIALER_OPEN;
	if (!d->path)
		uv_tcp_keepalive(&d->h.tcp, 1, 60);
	if (d->noted)
		live_note(d->to, "%s: connected", d->label);
	d->noted = false;
	d->conn = (struct conn){ .source = &d->base, .to = d->to, .ended = on_ended };
	if (d->state == DIALER_OPEN && conn_open(&d->conn, &d->h.stream, d->label, &e)) {
		close_timer(d);
		close_handle(d, NULL);
		d->state = DIALER_OVER;
		d->to->end(d->to->ctx, &e);
	}
}

static void connect_tcp(struct dialer *d)
{
	int r;

	uv_tcp_init(d->loop, &d->h.tcp);
	d->h_open = true;
	d->state = DIALER_CONNECT;
	r = uv_tcp_connect(&d->connect, &d->h.tcp, d->next->ai_addr, on_connect);
	if (r)
		failed(d, r);
}

static void connect_unix(struct dialer *d)
{
	uv_pipe_init(d->loop, &d->h.pipe, 0);
	d->h_open = true;
	d->state = DIALER_CONNECT;
	uv_pipe_connect(&d->connect, &d->h.pipe, d->path, on_connect);
}

static void on_found(uv_getaddrinfo_t *r, int status, struct addrinfo *found)
{
	struct dialer *d = r->data;

	if (d->state != DIALER_LOOKUP) {
		if (found)
			uv_freeaddrinfo(found);
		return;
	}
	d->found = d->next = found;
	if (status)
		failed(d, status);
	else
		connect_tcp(d);
}

static void look_up(struct dialer *d)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM };
	char port[8];
	int r;

	snprintf(port, sizeof port, "%u", d->addr.port);
	d->state = DIALER_LOOKUP;
	r = uv_getaddrinfo(d->loop, &d->lookup, on_found, addr_lookup_name(&d->addr), port, &want);
	if (r)
		failed(d, r);
}

static void try_connect(struct dialer *d)
{
	if (d->path)
		connect_unix(d);
	else if (d->next)
		connect_tcp(d);
	else
		look_up(d);
}

/* ---- the source ---- */

static int dialer_start(struct source *s, uv_loop_t *loop, const struct intake *to, struct err *e)
{
	struct dialer *d = (struct dialer *)s;

	(void)e;
	d->loop = loop;
	d->to = to;
	d->connect.data = d->lookup.data = d;
	uv_timer_init(loop, &d->timer);
	d->timer.data = d;
	d->timer_open = true;
	uv_timer_start(&d->timer, on_timer, 0, 0);
	return 0;
}

static void dialer_resume(struct source *s) { conn_resume(&((struct dialer *)s)->conn); }

static void dialer_stop(struct source *s)
{
	struct dialer *d = (struct dialer *)s;
	enum dialer_state was = d->state;

	if (was == DIALER_OVER)
		return;
	d->state = DIALER_OVER;
	if (was == DIALER_LOOKUP)
		uv_cancel((uv_req_t *)&d->lookup);
	close_timer(d);
	conn_close(&d->conn, false);
	close_handle(d, NULL);
	free_found(d);
}

static void dialer_status(const struct source *s, char *p, size_t n)
{
	const struct dialer *d = (const struct dialer *)s;

	if (d->state == DIALER_OPEN)
		snprintf(p, n, "%s: connected", d->label);
	else if (d->tries)
		snprintf(p, n, "%s: connecting, try %u", d->label, d->tries + 1);
	else
		snprintf(p, n, "%s: connecting", d->label);
}

const struct live_def dialer_live = { dialer_start, dialer_resume, dialer_stop, dialer_status, NULL };

struct dialer *dialer_new(const struct url *u, struct err *e)
{
	static const int64_t range[2] = { 0, 1000000 };
	const char *retry = url_option(u, "retry");
	int64_t n = retry ? DIALER_FOREVER : DIALER_UNSAID;
	struct dialer *d;

	if (retry && strcmp(retry, "forever") != 0 && url_option_int(u, "retry", range, &n, e))
		return NULL;
	d = xcalloc(1, sizeof *d);
	d->retry = n;
	d->label = url_label(u);
	d->base.name = d->label;
	d->base.size = -1;
	d->base.endless = true;
	return d;
}

void dialer_close(struct source *s) { free(((struct dialer *)s)->label); }

#include "io/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_DEFAULT 1024
#define OTHER_FILES 64 /* descriptors that are not clients */

struct client {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} h;
	uv_timer_t idle;
	struct conn conn;
	struct ack_conn ack; /* instead, of a source that acknowledges */
	struct listener *listener;
	struct client *next, **link;
	char name[ADDR_TEXT_MAX + 32];
	unsigned n_handles; /* not closed yet */
};

static void accept_client(struct listener *l);

/* ---- one client ---- */

static struct client *client_of(struct conn *c) { return (struct client *)((char *)c - offsetof(struct client, conn)); }

static void release(struct client *c)
{
	if (--c->n_handles)
		return;
	ack_conn_release(&c->ack);
	free(c);
}

static void on_idle_closed(uv_handle_t *h) { release(h->data); }

static void on_closed(uv_handle_t *h) { release((struct client *)h); }

static void drop_client(struct client *c, bool drop)
{
	struct listener *l = c->listener;

	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	l->n_clients--;
	conn_close(&c->conn, drop);
	ack_conn_close(&c->ack);
	uv_close((uv_handle_t *)&c->idle, on_idle_closed);
	uv_close(&c->h.handle, on_closed);
}

static void end_client(struct client *c, bool drop)
{
	struct listener *l = c->listener;

	drop_client(c, drop);
	if (l->open && l->waiting)
		accept_client(l);
}

static void on_ended(struct conn *conn, int status)
{
	struct client *c = client_of(conn);

	if (status)
		live_note(conn->to, "%s: %s: %s", c->listener->label, c->name, uv_strerror(status));
	if (conn->stream)
		end_client(c, status != 0);
}

/* ---- one that is acknowledged ---- */

static struct client *client_of_ack(struct ack_conn *a) { return (struct client *)((char *)a - offsetof(struct client, ack)); }

static void on_ack_ended(struct ack_conn *a, const char *why)
{
	struct client *c = client_of_ack(a);

	if (why)
		live_note(a->to, "%s: %s: %s", c->listener->label, c->name, why);
	if (a->h)
		end_client(c, false);
}

/* Its older connections are dead, whatever the system says. */
static void on_greeted(struct ack_conn *a)
{
	struct client *own = client_of_ack(a);

	for (struct client *c = own->listener->clients, *next; c; c = next) {
		next = c->next;
		if (c != own && c->ack.stream == a->stream)
			drop_client(c, false);
	}
}

static void listener_committed(struct source *s)
{
	for (struct client *c = ((struct listener *)s)->clients; c; c = c->next)
		ack_conn_committed(&c->ack);
}

/* It has said something that is not read yet: it is strm that is late. */
static bool has_said(const struct client *c)
{
	int fd, n = 0;

	return !uv_fileno(&c->h.handle, &fd) && !ioctl(fd, FIONREAD, &n) && n > 0;
}

static void on_idle(uv_timer_t *t)
{
	struct client *c = t->data;
	struct listener *l = c->listener;
	uint64_t now = uv_now(l->loop), due = (c->conn.paused || has_said(c) ? now : c->conn.last_ms) + (uint64_t)l->idle_ms;

	if (now < due) {
		uv_timer_start(t, on_idle, due - now, 0);
		return;
	}
	live_note(l->to, "%s: %s: silent for too long, hung up", l->label, c->name);
	if (c->conn.stream)
		end_client(c, true);
}

static struct client *client_new(struct listener *l)
{
	struct client *c = xcalloc(1, sizeof *c);

	c->listener = l;
	c->n_handles = 2;
	c->conn = (struct conn){ .source = &l->base, .to = l->to, .ended = on_ended };
	c->ack.source = &l->base;
	c->ack.to = l->to;
	c->ack.ended = on_ack_ended;
	c->ack.greeted = on_greeted;
	if (l->path)
		uv_pipe_init(l->loop, &c->h.pipe, 0);
	else
		uv_tcp_init(l->loop, &c->h.tcp);
	uv_timer_init(l->loop, &c->idle);
	c->idle.data = c;
	c->next = l->clients;
	c->link = &l->clients;
	if (c->next)
		c->next->link = &c->next;
	l->clients = c;
	l->n_clients++;
	return c;
}

static void name_client(struct client *c)
{
	struct listener *l = c->listener;
	struct sockaddr_storage peer;
	int n = sizeof peer;

	l->n_ever++;
	if (!l->path && !uv_tcp_getpeername(&c->h.tcp, (struct sockaddr *)&peer, &n))
		addr_text((struct sockaddr *)&peer, c->name);
	else
		snprintf(c->name, sizeof c->name, "client %llu", (unsigned long long)l->n_ever);
}

static void fail(struct listener *l, const struct err *e)
{
	listener_live.stop(&l->base);
	l->to->end(l->to->ctx, e);
}

static void accept_client(struct listener *l)
{
	struct client *c = client_new(l);
	struct err e = { 0 };

	l->waiting = false;
	if (uv_accept(&l->h.stream, &c->h.stream)) {
		drop_client(c, false);
		return;
	}
	name_client(c);
	if (!l->path)
		uv_tcp_keepalive(&c->h.tcp, 1, 60);
	if (l->base.acks) {
		ack_conn_open(&c->ack, &c->h.stream);
		return;
	}
	if (conn_open(&c->conn, &c->h.stream, c->name, &e)) {
		fail(l, &e);
		return;
	}
	if (l->open && l->idle_ms)
		uv_timer_start(&c->idle, on_idle, (uint64_t)l->idle_ms, 0);
}

static void on_connection(uv_stream_t *h, int status)
{
	struct listener *l = h->data;

	if (!l->open)
		return;
	if (status) {
		live_note(l->to, "%s: a client could not be accepted: %s", l->label, uv_strerror(status));
		return;
	}
	if (l->n_clients < l->max_clients) {
		accept_client(l);
		return;
	}
	/* libuv accepts no more until this one is taken */
	l->waiting = true;
	if (!l->noted_full)
		live_note(l->to, "%s: %lld clients, more have to wait (max-clients)", l->label, (long long)l->n_clients);
	l->noted_full = true;
}

/* ---- the source ---- */

/* As many descriptors as clients, as far as the system allows. */
static void allow_files(const struct listener *l)
{
	rlim_t want = (rlim_t)l->max_clients + OTHER_FILES;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= want)
		return;
	r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static int bind_tcp(struct listener *l, struct err *e)
{
	struct sockaddr_storage at;
	int r;

	if (addr_local(&l->addr, l->label, &at, e))
		return -1;
	r = uv_tcp_bind(&l->h.tcp, (struct sockaddr *)&at, 0);
	if (!r)
		return 0;
	return err_set(e, ERR_IO, "%s: %s", l->label, uv_strerror(r));
}

/* Is it a socket that nobody listens on any more? */
static bool is_left_over(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat st;
	bool dead;
	int fd;

	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	memcpy(at.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	dead = connect(fd, (struct sockaddr *)&at, sizeof at) && errno == ECONNREFUSED;
	close(fd);
	return dead;
}

static int bind_unix(struct listener *l, struct err *e)
{
	int r;

	if (is_left_over(l->path))
		unlink(l->path);
	r = uv_pipe_bind(&l->h.pipe, l->path);
	if (!r)
		return 0;
	return err_set(e, ERR_IO, "%s: %s", l->label, uv_strerror(r));
}

/* Where it listens, for the status; said aloud when the system chose the port. */
static void name_bound(struct listener *l)
{
	struct sockaddr_storage at;
	int n = sizeof at;

	if (l->path || uv_tcp_getsockname(&l->h.tcp, (struct sockaddr *)&at, &n))
		return;
	addr_text((struct sockaddr *)&at, l->bound);
	if (!l->addr.port)
		live_note(l->to, "%s: listening on %s", l->label, l->bound);
}

static int listener_start(struct source *s, uv_loop_t *loop, const struct intake *to, struct err *e)
{
	struct listener *l = (struct listener *)s;
	int r;

	l->loop = loop;
	l->to = to;
	allow_files(l);
	if (l->path)
		uv_pipe_init(loop, &l->h.pipe, 0);
	else
		uv_tcp_init(loop, &l->h.tcp);
	l->h.handle.data = l;
	l->open = true;
	if (l->path ? bind_unix(l, e) : bind_tcp(l, e))
		goto fail;
	r = uv_listen(&l->h.stream, SOMAXCONN, on_connection);
	if (r) {
		err_set(e, ERR_IO, "%s: %s", l->label, uv_strerror(r));
		goto fail;
	}
	name_bound(l);
	return 0;
fail:
	listener_live.stop(s);
	return -1;
}

static void listener_resume(struct source *s)
{
	for (struct client *c = ((struct listener *)s)->clients, *next; c; c = next) {
		next = c->next;
		conn_resume(&c->conn);
		ack_conn_resume(&c->ack);
	}
}

/* libuv takes the file of a Unix socket away with its handle. */
static void listener_stop(struct source *s)
{
	struct listener *l = (struct listener *)s;

	if (!l->open)
		return;
	l->open = false;
	uv_close(&l->h.handle, NULL);
	while (l->clients)
		drop_client(l->clients, false);
}

static void listener_status(const struct source *s, char *p, size_t n)
{
	const struct listener *l = (const struct listener *)s;

	snprintf(p, n, "%s: listening%s%s, %lld client%s", l->label, *l->bound ? " on " : "", l->bound, (long long)l->n_clients,
		 l->n_clients == 1 ? "" : "s");
}

const struct live_def listener_live = { listener_start, listener_resume, listener_stop, listener_status, listener_committed };

struct listener *listener_new(const struct url *u, struct err *e)
{
	static const int64_t clients[2] = { 1, 65536 }, idle[2] = { 1, INT64_C(86400000000) };
	int64_t max_clients = CLIENTS_DEFAULT, idle_ms = 0;
	struct listener *l;

	if (url_option_int(u, "max-clients", clients, &max_clients, e) || url_option_ms(u, "idle", idle, &idle_ms, e))
		return NULL;
	l = xcalloc(1, sizeof *l);
	l->max_clients = max_clients;
	l->idle_ms = idle_ms;
	l->label = url_label(u);
	l->base.name = l->label;
	l->base.size = -1;
	l->base.endless = true;
	l->base.acks = l->base.keeps = url_option(u, "ack");
	return l;
}

void listener_close(struct source *s) { free(((struct listener *)s)->label); }

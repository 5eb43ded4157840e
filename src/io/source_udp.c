#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/addr.h"
#include "io/live.h"
#include "io/source_list.h"

#define DATAGRAM_MAX ((size_t)64 << 10)
#define DATAGRAMS_A_TURN 256 /* then the others on the loop have theirs */
#define BUFFER_DEFAULT ((int64_t)4 << 20)

struct udp_source {
	struct source base;
	char *label;
	struct addr addr;
	int64_t buffer; /* bytes in the kernel */
	const struct intake *to;
	void *stream; /* NULL: over */
	int fd;
	uv_poll_t poll;
	bool paused;
	char bound[ADDR_TEXT_MAX];
	uint64_t n_datagrams;
	uint32_t n_dropped, n_noted; /* by the kernel, whose counter it is */
	char *datagram;		     /* DATAGRAM_MAX and one for a line end */
};

static struct source *udp_open(const struct url *u, struct err *e)
{
	static const int64_t range[2] = { 4096, INT64_C(1) << 30 };
	int64_t buffer = BUFFER_DEFAULT;
	struct udp_source *s;
	struct addr addr;

	if (addr_parse(&addr, u, true, e) || url_option_size(u, "size", range, &buffer, e))
		return NULL;
	s = xcalloc(1, sizeof *s);
	s->addr = addr;
	s->buffer = buffer;
	s->fd = -1;
	s->label = url_label(u);
	s->base.name = s->label;
	s->base.size = -1;
	s->base.endless = true;
	return &s->base;
}

static void udp_close(struct source *base)
{
	struct udp_source *s = (struct udp_source *)base;

	free(s->label);
	free(s->datagram);
}

/* ---- reading ---- */

static void udp_stop(struct source *base);

static void fail(struct udp_source *s, int error)
{
	udp_stop(&s->base);
	live_fail(s->to, "%s: %s", s->label, strerror(error));
}

/* What the kernel had no room for, as often as the number doubles. */
static void count_dropped(struct udp_source *s, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&s->n_dropped, CMSG_DATA(c), sizeof s->n_dropped);
	if (s->n_dropped <= 2 * (uint64_t)s->n_noted)
		return;
	s->n_noted = s->n_dropped;
	live_note(s->to, "%s: %u datagrams were lost because they came faster than they were read", s->label, s->n_dropped);
}

/* One datagram, as whole lines. 1: taken, 0: none there, -1: failed. */
static int read_one(struct udp_source *s)
{
	char control[CMSG_SPACE(sizeof(uint32_t))];
	struct iovec at = { s->datagram, DATAGRAM_MAX };
	struct msghdr m = { .msg_iov = &at, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	ssize_t n = recvmsg(s->fd, &m, MSG_DONTWAIT);
	int verdict;

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail(s, errno);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	s->n_datagrams++;
	s->base.position += n;
	count_dropped(s, &m);
	if (!n)
		return 1;
	if (s->datagram[n - 1] != '\n')
		s->datagram[n++] = '\n';
	verdict = live_put(s->to, &s->stream, s->datagram, (size_t)n);
	if (verdict && s->stream) {
		s->paused = true;
		uv_poll_stop(&s->poll);
	}
	return 1;
}

static void on_ready(uv_poll_t *h, int status, int events)
{
	struct udp_source *s = h->data;

	(void)status;
	(void)events;
	for (int i = 0; i < DATAGRAMS_A_TURN && s->stream && !s->paused; i++)
		if (read_one(s) <= 0)
			return;
}

/* ---- beginning and end ---- */

static void name_bound(struct udp_source *s)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof at;

	if (getsockname(s->fd, (struct sockaddr *)&at, &n))
		return;
	addr_text((struct sockaddr *)&at, s->bound);
	if (!s->addr.port)
		live_note(s->to, "%s: listening on %s", s->label, s->bound);
}

static int open_socket(struct udp_source *s, struct err *e)
{
	struct sockaddr_storage at;
	int on = 1, size = (int)s->buffer;

	if (addr_local(&s->addr, s->label, &at, e))
		return -1;
	s->fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return err_set(e, ERR_IO, "%s: %s", s->label, strerror(errno));
	setsockopt(s->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
	/* beyond the system's limit only with the right to */
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (bind(s->fd, (struct sockaddr *)&at, sizeof at))
		return err_set(e, ERR_IO, "%s: %s", s->label, strerror(errno));
	return 0;
}

static int udp_start(struct source *base, uv_loop_t *loop, const struct intake *to, struct err *e)
{
	struct udp_source *s = (struct udp_source *)base;

	s->to = to;
	s->datagram = xmalloc(DATAGRAM_MAX + 1);
	if (open_socket(s, e))
		goto fail;
	s->stream = to->open(to->ctx, s->label, e);
	if (!s->stream)
		goto fail;
	uv_poll_init(loop, &s->poll, s->fd);
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_ready);
	name_bound(s);
	return 0;
fail:
	if (s->fd >= 0)
		close(s->fd);
	return -1;
}

static void udp_resume(struct source *base)
{
	struct udp_source *s = (struct udp_source *)base;

	if (!s->stream || !s->paused)
		return;
	s->paused = false;
	uv_poll_start(&s->poll, UV_READABLE, on_ready);
}

static void udp_stop(struct source *base)
{
	struct udp_source *s = (struct udp_source *)base;
	void *stream = s->stream;

	if (!stream)
		return;
	if (s->n_dropped != s->n_noted)
		live_note(s->to, "%s: %u datagrams were lost in all because they came faster than they were read", s->label,
			  s->n_dropped);
	s->stream = NULL;
	uv_close((uv_handle_t *)&s->poll, NULL);
	close(s->fd);
	s->to->close(stream, false);
}

static void udp_status(const struct source *base, char *p, size_t n)
{
	const struct udp_source *s = (const struct udp_source *)base;

	snprintf(p, n, "%s: listening on %s, %llu datagrams, %u lost", s->label, s->bound, (unsigned long long)s->n_datagrams,
		 s->n_dropped);
}

static const struct live_def udp_live = { udp_start, udp_resume, udp_stop, udp_status, NULL };

const struct source_def source_udp = {
	.doc = {
		.name = "udp",
		.synopsis = "udp://[HOST]:PORT[?size=SIZE]",
		.summary = "receives datagrams",
		.group = "sources",
		.text = "Each datagram is one or more whole lines; the last needs no line end. Without a HOST it listens on 127.0.0.1, so that only this machine can "
			"send; an address listens there, * on all interfaces. Port 0 lets the system choose and says which. What comes faster than it is read is "
			"lost, and counted where the kernel tells.",
		.params = {
			SOURCE_READ_DOC,
			{ "size", "size", "4M", "4096..1G", "the kernel's buffer for datagrams that wait; the system may allow less" },
		},
	},
	.open = udp_open,
	.close = udp_close,
	.live = &udp_live,
};

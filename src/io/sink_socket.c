#include "io/sink_socket.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/fd.h"
#include "io/live.h"
#include "io/sink_ack.h"

#define LINGER_S 10 /* for what is still on its way when the sink is closed */

/* A connect that a signal interrupts goes on by itself. */
static int finish_connect(int fd)
{
	struct pollfd f = { .fd = fd, .events = POLLOUT };
	socklen_t n = sizeof errno;
	int error = 0;

	while (poll(&f, 1, -1) < 0 && errno == EINTR)
		;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
	errno = error;
	return error ? -1 : 0;
}

/* The descriptor, or -1 and errno. seconds 0: as long as the system tries. */
static int connect_to(const struct sockaddr *sa, socklen_t n, int seconds)
{
	struct timeval most = { .tv_sec = seconds };
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	if (fd >= 0 && seconds)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
	if (fd < 0 || !connect(fd, sa, n) || (errno == EINTR && !finish_connect(fd)))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int connect_unix(const char *path, int seconds)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	memcpy(at.sun_path, path, strlen(path));
	return connect_to((struct sockaddr *)&at, sizeof at, seconds);
}

/* The host's addresses one after the other. *why: what went wrong. */
static int connect_tcp(const struct addr *a, int seconds, const char **why)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM }, *found;
	char port[8];
	int fd = -1, r;

	snprintf(port, sizeof port, "%u", a->port);
	r = getaddrinfo(addr_lookup_name(a), port, &want, &found);
	if (r) {
		*why = gai_strerror(r);
		return -1;
	}
	for (struct addrinfo *i = found; i && fd < 0; i = i->ai_next)
		fd = connect_to(i->ai_addr, i->ai_addrlen, seconds);
	if (fd < 0)
		*why = uv_strerror(-errno);
	freeaddrinfo(found);
	return fd;
}

int sink_socket_connect(const struct url *u, const struct addr *addr, int seconds, const char **why)
{
	int fd;

	if (addr)
		return connect_tcp(addr, seconds, why);
	fd = connect_unix(url_path(u), seconds);
	if (fd < 0)
		*why = uv_strerror(-errno);
	return fd;
}

/* -1 and err after so many tries, or when a signal comes during a wait. */
static int connect_retry(const struct url *u, const struct addr *addr, int64_t retry, const char *name, struct err *e)
{
	const char *why;
	int fd;

	for (unsigned tries = 0; (fd = sink_socket_connect(u, addr, 0, &why)) < 0; tries++) {
		if (tries >= (unsigned)retry || poll(NULL, 0, (int)live_backoff(tries + 1)) < 0) {
			err_set(e, ERR_IO, "%s: %s", name, why);
			return retry ? -1 : err_hint(e, "retry=N tries again: %s?retry=10", name);
		}
	}
	return fd;
}

struct sink *sink_socket_open(const struct url *u, const struct addr *addr, struct err *e)
{
	static const int64_t range[2] = { 0, 1000000 };
	int64_t retry = 0;
	struct sink *s;
	char *name;
	int fd;

	if (url_option(u, "ack"))
		return sink_ack_open(u, addr, e);
	if (url_option_int(u, "retry", range, &retry, e))
		return NULL;
	name = url_label(u);
	fd = connect_retry(u, addr, retry, name, e);
	if (fd < 0) {
		free(name);
		return NULL;
	}
	s = xcalloc(1, sizeof *s);
	s->name = name;
	s->fd = fd;
	s->empty = true;
	return s;
}

static int broken(const struct sink *s, int error, struct err *e)
{
	if (error == EPIPE || error == ECONNRESET)
		return err_set(e, ERR_IO, "%s: the connection was closed by the other side", s->name);
	return err_set(e, ERR_IO, "%s: %s", s->name, uv_strerror(-error));
}

int sink_socket_write(struct sink *s, const char *p, size_t n, struct err *e)
{
	return fd_write(s->fd, p, n) ? broken(s, errno, e) : 0;
}

/* Is it known by now that what was written cannot arrive? The next write would be the first to say so, in a later micro-batch. */
int sink_socket_batch_end(struct sink *s, uint64_t batch, struct err *e)
{
	struct pollfd f = { .fd = s->fd };
	socklen_t n = sizeof errno;
	int error = 0;

	(void)batch;
	if (poll(&f, 1, 0) <= 0 || !(f.revents & (POLLERR | POLLHUP)))
		return 0;
	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n);
	return broken(s, error ? error : EPIPE, e);
}

/* What the other side said is taken off first: unread bytes would make the system break the connection, and with it what is on
 * its way. */
static void close_gently(int fd)
{
	struct linger l = { 1, LINGER_S };
	char p[4096];

	while (recv(fd, p, sizeof p, MSG_DONTWAIT) > 0)
		;
	shutdown(fd, SHUT_WR);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	close(fd);
}

int sink_socket_close(struct sink *s, bool keep, struct err *e)
{
	int r = keep ? sink_socket_batch_end(s, s->batch, e) : 0;

	close_gently(s->fd);
	free((char *)s->name);
	s->name = NULL;
	return r;
}

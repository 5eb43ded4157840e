#include "io/unpack_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fd.h"

#define PIECE ((size_t)64 << 10)

struct unpack_thread {
	pthread_t thread;
	struct unpack *unpack;
	int in, out, result; /* fd to read, ends of the pipe for what comes out: to write, to read */
	int stop;	     /* an eventfd */
	const char *name;
	_Atomic uint64_t position;
	struct err err;
};

/* Waits for bytes or for the order to stop, which is an end of the input. */
static ssize_t read_some(void *ctx, char *p, size_t n, struct err *e)
{
	struct unpack_thread *t = ctx;
	struct pollfd f[2] = { { .fd = t->in, .events = POLLIN }, { .fd = t->stop, .events = POLLIN } };
	ssize_t r;

	do {
		poll(f, 2, -1);
		if (f[1].revents)
			return 0;
		r = read(t->in, p, n);
	} while (r < 0 && (errno == EINTR || errno == EAGAIN));
	if (r < 0)
		return err_set(e, ERR_IO, "%s: %s", t->name, strerror(errno));
	atomic_fetch_add(&t->position, (uint64_t)r);
	return r;
}

static void *run(void *arg)
{
	struct unpack_thread *t = arg;
	char *p = xmalloc(PIECE);
	ssize_t n;

	while ((n = unpack_read(t->unpack, p, PIECE, &t->err)) > 0)
		if (fd_write(t->out, p, (size_t)n))
			break;
	free(p);
	close(t->out);
	return NULL;
}

/* Signals are the main thread's; here a closed pipe is only an error. */
static int create(struct unpack_thread *t)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

struct unpack_thread *unpack_thread_start(const struct unpack_kind *k, int fd, const char *name, const char *head, size_t n,
					  struct err *e)
{
	struct unpack_thread *t = xcalloc(1, sizeof *t);
	struct unpack_from from = { read_some, t, name };
	int ends[2] = { -1, -1 };

	t->in = fd;
	t->name = name;
	t->stop = eventfd(0, EFD_CLOEXEC);
	if (t->stop < 0 || pipe2(ends, O_CLOEXEC)) {
		err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
		goto fail;
	}
	t->result = ends[0];
	t->out = ends[1];
	t->unpack = unpack_open(k, &from, head, n, e);
	if (!t->unpack)
		goto fail;
	errno = create(t);
	if (!errno)
		return t;
	err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
fail:
	unpack_close(t->unpack);
	if (ends[0] >= 0) {
		close(ends[0]);
		close(ends[1]);
	}
	if (t->stop >= 0)
		close(t->stop);
	free(t);
	return NULL;
}

int unpack_thread_fd(const struct unpack_thread *t) { return t->result; }

uint64_t unpack_thread_position(const struct unpack_thread *t) { return atomic_load(&t->position); }

int unpack_thread_finish(struct unpack_thread *t, struct err *e)
{
	int r;

	if (!t)
		return 0;
	eventfd_write(t->stop, 1);
	close(t->result);
	pthread_join(t->thread, NULL);
	r = t->err.kind ? -1 : 0;
	if (r)
		*e = t->err;
	unpack_close(t->unpack);
	close(t->stop);
	free(t);
	return r;
}

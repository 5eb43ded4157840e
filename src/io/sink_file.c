#include "io/sink_list.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fd.h"

#define LOOK_MS 50     /* for a reader of a named pipe, which no event tells */
#define GRACE_MS 1000 /* for a reader that has not taken what is in the pipe, when a signal asks for the end */

struct file_sink {
	struct sink base;
	bool pipe;    /* a named pipe: opened once somebody reads it, so that signals are heard until then */
	char *path;   /* ?replace: where the file goes at last; NULL: written in place */
	char *beside; /* ?replace: where it is written */
};

static void failed(const char *name, struct err *e)
{
	err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
	if (errno == EISDIR)
		err_hint(e, "name a file in it: %s/out", name);
}

static int open_again(const char *path, int flags)
{
	int fd;

	do
		fd = open(path, flags | O_WRONLY | O_CLOEXEC | O_NOCTTY, 0666);
	while (fd < 0 && errno == EINTR);
	return fd;
}

/* ---- named pipes ---- */

static bool is_pipe(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISFIFO(st.st_mode);
}

static bool is_stopped(const struct file_sink *f) { return f->base.stop && *f->base.stop; }

static int not_read(const struct file_sink *f, size_t n, struct err *e)
{
	return err_set(e, ERR_IO, "%s: nobody reads it: %zu bytes were not delivered", f->base.name, n);
}

/* 1: somebody reads it; 0: nobody does, -1 and errno. */
static int open_pipe(struct file_sink *f, const char *path)
{
	if (f->base.fd < 0)
		f->base.fd = open_again(path, O_NONBLOCK);
	return f->base.fd >= 0 ? 1 : errno == ENXIO ? 0 : -1;
}

/* Until somebody reads it, or a signal asks for the end. As open_pipe. */
static int wait_reader(struct file_sink *f)
{
	int r;

	while (!(r = open_pipe(f, f->base.name)) && !is_stopped(f))
		poll(NULL, 0, LOOK_MS);
	return r;
}

/* Until there is room. False: a signal asks for the end, and for a while nobody has made any. */
static bool wait_room(const struct file_sink *f)
{
	struct pollfd p = { .fd = f->base.fd, .events = POLLOUT };
	int ms = 0;

	while (poll(&p, 1, LOOK_MS) <= 0) {
		ms = is_stopped(f) ? ms + LOOK_MS : 0;
		if (ms >= GRACE_MS)
			return false;
	}
	return true;
}

static int write_pipe(struct file_sink *f, const char *p, size_t n, struct err *e)
{
	int r = n ? wait_reader(f) : 1;

	if (!r)
		return not_read(f, n, e);
	while (r > 0 && n) {
		ssize_t k = write(f->base.fd, p, n);

		if (k >= 0) {
			p += k;
			n -= (size_t)k;
		} else if (errno == EAGAIN) {
			if (!wait_room(f))
				return not_read(f, n, e);
		} else if (errno != EINTR) {
			r = -1;
		}
	}
	if (r > 0)
		return 0;
	return errno == EPIPE ? SINK_CLOSED : err_set(e, ERR_IO, "%s: %s", f->base.name, strerror(errno));
}

/* ---- files ---- */

static int open_append(struct file_sink *f, const char *path, struct err *e)
{
	struct stat st;

	f->pipe = is_pipe(path);
	if (f->pipe) {
		f->base.fd = -1;
		f->base.empty = true;
		if (open_pipe(f, path) >= 0)
			return 0;
		failed(path, e);
		return -1;
	}
	f->base.fd = open_again(path, O_CREAT | O_APPEND);
	if (f->base.fd < 0) {
		failed(path, e);
		return -1;
	}
	f->base.empty = fstat(f->base.fd, &st) || !S_ISREG(st.st_mode) || !st.st_size;
	return 0;
}

/* The file beside the one to be replaced, with its permissions. A link is followed, so that what it points to is replaced. */
static int open_beside(struct file_sink *f, const char *path, struct err *e)
{
	struct stat st;
	bool old = !stat(path, &st);
	size_t n;

	errno = EISDIR;
	if (old && S_ISDIR(st.st_mode))
		goto fail;
	f->path = old ? realpath(path, NULL) : xstrdup(path);
	if (!f->path)
		goto fail;
	n = strlen(f->path) + 32;
	f->beside = xmalloc(n);
	snprintf(f->beside, n, "%s.strm-%ld", f->path, (long)getpid());
	f->base.fd = open_again(f->beside, O_CREAT | O_EXCL);
	if (f->base.fd < 0)
		goto fail;
	if (old && fchmod(f->base.fd, st.st_mode & 07777))
		goto fail_open;
	f->base.empty = true;
	return 0;
fail_open:
	failed(path, e);
	unlink(f->beside);
	close(f->base.fd);
	return -1;
fail:
	failed(path, e);
	return -1;
}

/* Devices and pipes cannot be replaced: they are written to. */
static bool replaceable(const char *path)
{
	struct stat st;

	return stat(path, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
}

static void file_free(struct file_sink *f)
{
	free(f->path);
	free(f->beside);
}

static struct sink *file_open(const struct url *u, struct err *e)
{
	const char *path = url_path(u);
	struct file_sink *f = xcalloc(1, sizeof *f);
	int r;

	f->base.name = path;
	if (url_option(u, "replace") && replaceable(path))
		r = open_beside(f, path, e);
	else
		r = open_append(f, path, e);
	if (!r)
		return &f->base;
	file_free(f);
	free(f);
	return NULL;
}

static int file_write(struct sink *s, const char *p, size_t n, struct err *e)
{
	if (((struct file_sink *)s)->pipe)
		return write_pipe((struct file_sink *)s, p, n, e);
	if (!fd_write(s->fd, p, n))
		return 0;
	if (errno == EPIPE)
		return SINK_CLOSED;
	return err_set(e, ERR_IO, "%s: %s", s->name, strerror(errno));
}

/* A rename is on disk when its directory is. Errors are of no use here: not every file system can. */
static void sync_directory(const char *path)
{
	char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

static int put_in_place(struct file_sink *f, struct err *e)
{
	if (rename(f->beside, f->path)) {
		err_set(e, ERR_IO, "%s: cannot be replaced: %s", f->base.name, strerror(errno));
		unlink(f->beside);
		return -1;
	}
	sync_directory(f->path);
	return 0;
}

static int file_close(struct sink *s, bool keep, struct err *e)
{
	struct file_sink *f = (struct file_sink *)s;
	int r = 0;

	if (f->pipe && keep)
		wait_reader(f); /* who comes to read sees the end */
	if (f->beside && keep && fsync(s->fd))
		r = err_set(e, ERR_IO, "%s: %s", s->name, strerror(errno));
	if (s->fd >= 0 && close(s->fd) && keep && !r)
		r = err_set(e, ERR_IO, "%s: %s", s->name, strerror(errno));
	if (f->beside && (r || !keep))
		unlink(f->beside);
	else if (f->beside)
		r = put_in_place(f, e);
	file_free(f);
	return r;
}

const struct sink_def sink_file = {
	.doc = {
		.name = "file",
		.synopsis = "PATH, file:PATH[?replace]",
		.summary = "a file: appended to, or replaced when the run ends",
		.group = "sinks",
		.text = "With ?replace the output is written beside the file (PATH.strm-PID) and takes its place by rename when all of it is there; a run "
			"that fails leaves the old file. In file:PATH the characters ? and % of a name are written %3F and %25.",
		.params = {
			{ "replace", "flag", "append", NULL, "write beside and rename at the end" },
			{ "format", "name", "-o", NULL, "output format of this sink" },
		},
		.examples = {
			{ "words 'count by word' --to file:/dev/stdout", "a b a\n", "a\t2\nb\t1\n", "a device as a file" },
		},
	},
	.open = file_open,
	.write = file_write,
	.close = file_close,
};

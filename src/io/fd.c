#include "io/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int fd_sync_folder(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r, code;

	if (fd < 0)
		return errno == EACCES || errno == EPERM ? 0 : -1;
	r = fsync(fd) && errno != EINVAL && errno != ENOSYS && errno != EROFS ? -1 : 0;
	code = errno;
	close(fd);
	errno = code;
	return r;
}

static void fd_wait(int fd, short events)
{
	struct pollfd f = { .fd = fd, .events = events };

	while (poll(&f, 1, -1) < 0 && errno == EINTR)
		;
}

ssize_t fd_read(int fd, char *p, size_t n)
{
	for (;;) {
		ssize_t r = read(fd, p, n);

		if (r >= 0 || (errno != EINTR && errno != EAGAIN))
			return r;
		if (errno == EAGAIN)
			fd_wait(fd, POLLIN);
	}
}

int fd_write(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t r = write(fd, p, n);

		if (r >= 0) {
			p += r;
			n -= (size_t)r;
		} else if (errno == EAGAIN) {
			fd_wait(fd, POLLOUT);
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

static int refuse_directory(int fd, const char *name, struct err *e)
{
	size_t n = strlen(name);

	err_set(e, ERR_IO, "%s: is a directory", name);
	if (!fd)
		return err_hint(e, "name the files in it as operands: strm ... -- DIR/*");
	return err_hint(e, "name the files in it: %s%s*", name, n && name[n - 1] == '/' ? "" : "/");
}

struct fd_source *fd_source_new(int fd, const char *name, struct err *e)
{
	struct fd_source *s;
	struct stat st;
	off_t at;

	if (fstat(fd, &st)) {
		err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
		return NULL;
	}
	if (S_ISDIR(st.st_mode)) {
		refuse_directory(fd, name, e);
		return NULL;
	}
	s = xcalloc(1, sizeof *s);
	s->fd = fd;
	s->base.size = -1;
	s->base.live = fd_live_def(fd);
	if (!S_ISREG(st.st_mode))
		return s;
	at = lseek(fd, 0, SEEK_CUR);
	/* files of /proc say 0 */
	if (st.st_size > 0)
		s->base.size = at > 0 && at < st.st_size ? st.st_size - at : st.st_size;
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return s;
}

/* Bytes as they come from outside. */
static ssize_t read_raw(void *ctx, char *p, size_t n, struct err *e)
{
	struct fd_source *s = ctx;
	struct source *base = &s->base;
	ssize_t r;

	/* files are always ready */
	if (base->live && base->wait && (base->cut_off || base->wait(base->wait_ctx, s->fd))) {
		base->cut_off = true;
		return 0;
	}
	if (base->live && !base->wait)
		fd_wait(s->fd, POLLIN); /* a named pipe that nobody writes to yet is not at its end */
	r = fd_read(s->fd, p, n);
	if (r < 0)
		return err_set(e, ERR_IO, "%s: %s", source_name(&s->base), strerror(errno));
	s->base.position += r;
	return r;
}

/* The first bytes, into p or, when the caller has less room than they need, into s->head; then the unpacker if they ask for one.
 * Bytes that begin like compressed data and are not go on as they are. Returns how many are in p or head. */
static ssize_t read_first(struct fd_source *s, char *p, size_t n, struct err *e)
{
	struct unpack_from from = { read_raw, s, source_name(&s->base) };
	const struct unpack_kind *kind;
	ssize_t r, got = 0;
	bool more;

	do {
		r = read_raw(s, p + got, n - (size_t)got, e);
		if (r < 0)
			return -1;
		got += r;
		kind = unpack_sniff(p, (size_t)got, &more);
	} while (more && r > 0);
	s->sniffed = true;
	if (!kind)
		return got;
	s->unpack = unpack_open(kind, &from, p, (size_t)got, e);
	return s->unpack ? got : -1;
}

static ssize_t read_head(struct fd_source *s, char *p, size_t n)
{
	size_t left = s->head_n - s->head_at;

	if (n > left)
		n = left;
	memcpy(p, s->head + s->head_at, n);
	s->head_at += (unsigned)n;
	return (ssize_t)n;
}

/* Compressed data that is cut off by request is no error. */
static ssize_t read_unpacked(struct fd_source *s, char *p, size_t n, struct err *e)
{
	struct err own = { 0 };
	ssize_t r = unpack_read(s->unpack, p, n, &own);

	if (r >= 0)
		return r;
	if (s->base.cut_off)
		return 0;
	*e = own;
	return -1;
}

ssize_t fd_source_read(struct source *base, char *p, size_t n, struct err *e)
{
	struct fd_source *s = (struct fd_source *)base;
	ssize_t r = 0;

	if (!s->sniffed) {
		bool small = n < UNPACK_SNIFF;

		r = read_first(s, small ? s->head : p, small ? UNPACK_SNIFF : n, e);
		if (r <= 0 || (!small && !s->unpack))
			return r;
		if (!s->unpack)
			s->head_n = (unsigned)r;
	}
	if (s->unpack)
		return read_unpacked(s, p, n, e);
	return s->head_at < s->head_n ? read_head(s, p, n) : read_raw(s, p, n, e);
}

bool fd_source_ready(struct source *base, int within_ms)
{
	struct fd_source *s = (struct fd_source *)base;
	struct pollfd f = { .fd = s->fd, .events = POLLIN };

	return s->unpack || s->head_at < s->head_n || poll(&f, 1, within_ms) > 0;
}

void fd_source_release(struct source *base)
{
	struct fd_source *s = (struct fd_source *)base;

	unpack_close(s->unpack);
	fd_live_free(s->on_loop);
}

int fd_source_file(const struct source *base)
{
	const struct fd_source *s = (const struct fd_source *)base;
	struct stat st;

	if (base->live || base->def->read != fd_source_read)
		return -1;
	return !fstat(s->fd, &st) && S_ISREG(st.st_mode) ? s->fd : -1;
}

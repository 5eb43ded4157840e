#include "io/held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/fd.h"

#define PIECE ((size_t)256 << 10)

void held_init(struct held *h, const char *dir) { *h = (struct held){ .dir = dir, .fd = -1 }; }

void held_release(struct held *h)
{
	if (h->fd >= 0)
		close(h->fd);
	buf_release(&h->buf);
	h->fd = -1;
}

static int failed(const struct held *h, struct err *e)
{
	return err_set(e, ERR_IO, "%s: output of a micro-batch cannot be kept: %s", h->dir, strerror(errno));
}

/* A file that nobody sees; where the file system has none of that kind, one that loses its name at once. */
static int open_file(struct held *h)
{
	char *path;
	size_t n;

	h->fd = open(h->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (h->fd >= 0)
		return 0;
	n = strlen(h->dir) + 16;
	path = xmalloc(n);
	snprintf(path, n, "%s/.held-XXXXXX", h->dir);
	h->fd = mkostemp(path, O_CLOEXEC);
	if (h->fd >= 0)
		unlink(path);
	free(path);
	return h->fd < 0 ? -1 : 0;
}

static int spill(struct held *h, struct err *e)
{
	if (h->fd < 0 && open_file(h))
		return failed(h, e);
	if (fd_write(h->fd, h->buf.p, h->buf.n))
		return failed(h, e);
	h->in_file += h->buf.n;
	h->buf.n = 0;
	return 0;
}

int held_add(struct held *h, const char *p, size_t n, struct err *e)
{
	buf_add(&h->buf, p, n);
	return h->buf.n >= HELD_MEMORY ? spill(h, e) : 0;
}

uint64_t held_bytes(const struct held *h) { return h->in_file + h->buf.n; }

static ssize_t read_back(const struct held *h, char *p, uint64_t at)
{
	uint64_t left = h->in_file - at;
	ssize_t r;

	do
		r = pread(h->fd, p, left < PIECE ? (size_t)left : PIECE, (off_t)at);
	while (r < 0 && errno == EINTR);
	if (!r)
		errno = EIO;
	return r > 0 ? r : -1;
}

int held_each(struct held *h, uint64_t from, int (*fn)(void *ctx, const char *p, size_t n), void *ctx, struct err *e)
{
	char *p = from < h->in_file ? xmalloc(PIECE) : NULL;
	int r = 0;

	while (!r && from < h->in_file) {
		ssize_t n = read_back(h, p, from);

		r = n < 0 ? failed(h, e) : fn(ctx, p, (size_t)n);
		from += n > 0 ? (uint64_t)n : 0;
	}
	free(p);
	from -= h->in_file < from ? h->in_file : from;
	return r || from >= h->buf.n ? r : fn(ctx, h->buf.p + from, h->buf.n - from);
}

void held_clear(struct held *h)
{
	h->buf.n = 0;
	if (h->in_file && (ftruncate(h->fd, 0) || lseek(h->fd, 0, SEEK_SET))) {
		close(h->fd);
		h->fd = -1;
	}
	h->in_file = 0;
}

#include "state/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char log_magic[8] = { 's', 't', 'r', 'm', 'l', 'o', 'g', '\n' };
static const char frame_magic[4] = { 'F', 'R', 'A', 'M' };
#define MAGIC_AT 8
#define LOOSE_AT 12
#define UNSYNCED_PIECE ((size_t)1 << 20)

uint64_t log_seed(const struct log_head *h) { return (uint64_t)h->kind << 40 ^ h->number; }

size_t frame_open(struct buf *b, uint32_t loose)
{
	size_t at = b->n;
	char *p = buf_room(b, FRAME_HEAD);

	memset(p, 0, FRAME_HEAD);
	store_le(p + LOOSE_AT, loose, 4);
	buf_took(b, FRAME_HEAD);
	return at;
}

void frame_close(struct buf *b, size_t at, uint64_t seq, uint64_t seed)
{
	size_t n = b->n - at - FRAME_HEAD;
	size_t pad = -n & 7;
	char *p;

	memset(buf_room(b, pad), 0, pad);
	buf_took(b, pad);
	p = b->p + at;
	memcpy(p + MAGIC_AT, frame_magic, sizeof frame_magic);
	store_le(p + 16, seq, 8);
	store_le(p + 24, n, 8);
	store_le(p, sum64(p + MAGIC_AT, FRAME_HEAD - MAGIC_AT + n + pad, seed), 8);
}

enum frame_found frame_read(struct store_bytes file, size_t at, uint64_t seed, struct frame *f)
{
	const char *p = file.p + at;
	uint64_t room = at < file.n ? file.n - at : 0, n;

	if (!room)
		return FRAME_END;
	if (room < FRAME_HEAD || memcmp(p + MAGIC_AT, frame_magic, sizeof frame_magic))
		return FRAME_BAD;
	n = load_le(p + 24, 8);
	if (n > room - FRAME_HEAD || ((n + 7) & ~(uint64_t)7) > room - FRAME_HEAD)
		return FRAME_BAD;
	f->loose = (uint32_t)load_le(p + LOOSE_AT, 4);
	f->seq = load_le(p + 16, 8);
	f->body = (struct store_bytes){ p + FRAME_HEAD, (size_t)n };
	n = FRAME_HEAD + ((n + 7) & ~(uint64_t)7);
	f->next = at + (size_t)n;
	return sum64(p + MAGIC_AT, (size_t)n - MAGIC_AT, seed) == load_le(p, 8) ? FRAME_OK : FRAME_BAD;
}

bool frame_behind(struct store_bytes file, size_t at, uint64_t seed)
{
	struct frame f;

	for (size_t next = at + 8; next < file.n && file.n - next >= FRAME_HEAD; next += 8)
		if (frame_read(file, next, seed, &f) == FRAME_OK && f.loose < next - at)
			return true;
	return false;
}

void log_head_put(struct buf *b, const struct log_head *h)
{
	size_t at = b->n;

	buf_add(b, log_magic, sizeof log_magic);
	put_le(b, STORE_FORMAT, 4);
	put_le(b, h->kind, 4);
	put_le(b, h->number, 8);
	put_le(b, h->first, 8);
	put_le(b, sum64(b->p + at, LOG_HEAD - 8, 0), 8);
}

int log_head_read(struct store_bytes file, struct log_head *h, const char *where, struct err *e)
{
	uint64_t format;

	if (file.n < LOG_HEAD || memcmp(file.p, log_magic, sizeof log_magic) ||
	    sum64(file.p, LOG_HEAD - 8, 0) != load_le(file.p + LOG_HEAD - 8, 8))
		return err_set(e, ERR_IO, "%s: the head of the file is damaged (offset 0)", where);
	format = load_le(file.p + 8, 4);
	if (format != STORE_FORMAT)
		return err_set(e, ERR_IO, "%s: format %u, this strm reads %d", where, (unsigned)format, STORE_FORMAT);
	h->kind = (uint32_t)load_le(file.p + 12, 4);
	h->number = load_le(file.p + 16, 8);
	h->first = load_le(file.p + 24, 8);
	return 0;
}

struct log_name log_file_name(const struct log_head *h)
{
	struct log_name name;

	if (h->kind == LOG_COMMITS)
		snprintf(name.s, sizeof name.s, "log.%08llu", (unsigned long long)h->number);
	else
		snprintf(name.s, sizeof name.s, "wal.%u.%08llu", h->kind - 1, (unsigned long long)h->number);
	return name;
}

static int write_all(int fd, struct store_bytes b)
{
	while (b.n) {
		ssize_t n = write(fd, b.p, b.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (!n)
				errno = ENOSPC;
			return -1;
		}
		b.p += n;
		b.n -= (size_t)n;
	}
	return 0;
}

void log_advise(int code, struct err *e)
{
	if (code == ENOSPC || code == EDQUOT || code == EFBIG)
		err_hint(e, "what was committed is whole: the next run goes on from there, with room again");
	else if (code == EROFS)
		err_hint(e, "what was committed is whole: the next run goes on from there, where it may write again");
}

static int io_error(const struct log_dir *d, const char *name, const char *what, struct err *e)
{
	int code = errno;

	err_set(e, ERR_IO, "%s/%s: %s: %s", d->path, name, what, strerror(code));
	log_advise(code, e);
	return -1;
}

/* Without a name it would be gone with the run. */
static int removed(const struct log_dir *d, const char *name, struct err *e)
{
	err_set(e, ERR_IO, "%s/%s: was removed while the job was running", d->path, name);
	return err_hint(e, "what was committed is lost with it: remove a checkpoint only when no job runs on it");
}

int log_sync(const struct log_dir *d, int fd, const struct log_name *name, struct err *e)
{
	struct stat st;

	if (!fstat(fd, &st) && !st.st_nlink)
		return removed(d, name->s, e);
	if (d->no_sync || fdatasync(fd) == 0)
		return 0;
	return io_error(d, name->s, "cannot sync", e);
}

void log_unsynced(int fd, size_t from)
{
	char *p = xmalloc(UNSYNCED_PIECE);
	off_t at = (off_t)from;
	ssize_t n;

	/* to no end if that fails, too */
	while ((n = pread(fd, p, UNSYNCED_PIECE, at)) > 0 && pwrite(fd, p, (size_t)n, at) == n)
		at += n;
	free(p);
}

int dir_sync(const struct log_dir *d, struct err *e)
{
	if (d->no_sync || fsync(d->fd) == 0 || errno == EINVAL)
		return 0;
	return err_set(e, ERR_IO, "%s: cannot sync: %s", d->path, strerror(errno));
}

int log_append(const struct log_dir *d, int fd, const struct log_name *name, struct store_bytes bytes, struct err *e)
{
	off_t at = lseek(fd, 0, SEEK_END);

	if (at < 0 || write_all(fd, bytes) < 0) {
		io_error(d, name->s, "cannot write", e);
		if (at < 0 || ftruncate(fd, at) < 0)
			err_hint(e, "its end is torn; the next start cuts it off");
		return -1;
	}
	return 0;
}

int log_create(const struct log_dir *d, const struct log_head *h, struct err *e)
{
	struct log_name name = log_file_name(h), tmp;
	struct buf b = { 0 };
	int fd, status;

	snprintf(tmp.s, sizeof tmp.s, "%.40s.tmp", name.s);
	fd = openat(d->fd, tmp.s, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return io_error(d, name.s, "cannot make it", e);
	log_head_put(&b, h);
	status = log_append(d, fd, &tmp, (struct store_bytes){ b.p, b.n }, e);
	if (!status)
		status = log_sync(d, fd, &tmp, e);
	if (!status && renameat(d->fd, tmp.s, d->fd, name.s) < 0)
		status = io_error(d, name.s, "cannot rename to it", e);
	if (!status)
		status = dir_sync(d, e);
	buf_release(&b);
	if (!status)
		return fd;
	close(fd);
	unlinkat(d->fd, tmp.s, 0);
	return -1;
}

static int read_all(int fd, struct buf *b)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	buf_room(b, (size_t)st.st_size + 1);
	for (;;) {
		ssize_t n = read(fd, buf_room(b, 1), b->cap - b->n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		buf_took(b, (size_t)n);
	}
}

int file_read(const struct log_dir *d, const char *name, struct buf *b, struct err *e)
{
	int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC), status;

	if (fd < 0)
		return errno == ENOENT ? 1 : io_error(d, name, "cannot open", e);
	status = read_all(fd, b);
	if (status < 0)
		io_error(d, name, "cannot read", e);
	close(fd);
	return status;
}

int file_replace(const struct log_dir *d, const char *name, struct store_bytes bytes, struct err *e)
{
	struct log_name tmp;
	int fd, status;

	snprintf(tmp.s, sizeof tmp.s, "%.40s.tmp", name);
	fd = openat(d->fd, tmp.s, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return io_error(d, tmp.s, "cannot make it", e);
	status = log_append(d, fd, &tmp, bytes, e);
	if (!status)
		status = log_sync(d, fd, &tmp, e);
	close(fd);
	if (!status && renameat(d->fd, tmp.s, d->fd, name) < 0)
		status = io_error(d, name, "cannot rename to it", e);
	if (status)
		unlinkat(d->fd, tmp.s, 0);
	return status ? status : dir_sync(d, e);
}

/* The number in a file's name, 0: it is not one of this kind. */
static uint64_t number_of(const char *name, uint32_t kind)
{
	struct log_head h = { .kind = kind, .number = 0 };
	const char *dot = strrchr(name, '.');

	for (const char *p = dot ? dot + 1 : ""; *p >= '0' && *p <= '9' && p - dot <= 18; p++)
		h.number = h.number * 10 + (uint64_t)(*p - '0');
	return h.number && !strcmp(log_file_name(&h).s, name) ? h.number : 0;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static DIR *open_list(const struct log_dir *d, struct err *e)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		return dir;
	err_set(e, ERR_IO, "%s: cannot list: %s", d->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return NULL;
}

int log_list(const struct log_dir *d, uint32_t kind, uint64_t **numbers, size_t *n, struct err *e)
{
	DIR *dir = open_list(d, e);
	size_t cap = 0;

	*numbers = NULL;
	*n = 0;
	if (!dir)
		return -1;
	for (struct dirent *entry; (entry = readdir(dir));) {
		uint64_t number = number_of(entry->d_name, kind);

		if (!number)
			continue;
		*numbers = xgrow(*numbers, &cap, *n + 1, sizeof **numbers);
		(*numbers)[(*n)++] = number;
	}
	closedir(dir);
	if (*n)
		qsort(*numbers, *n, sizeof **numbers, by_number);
	return 0;
}

/* The kind in the name of an input's file, 0: it is none. */
static uint32_t kind_of(const char *name)
{
	unsigned long input;
	char *end;

	if (strncmp(name, "wal.", 4) || name[4] < '0' || name[4] > '9')
		return 0;
	input = strtoul(name + 4, &end, 10);
	return input < UINT32_MAX && number_of(name, (uint32_t)input + 1) ? (uint32_t)input + 1 : 0;
}

static int by_kind(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int log_kinds(const struct log_dir *d, uint32_t **kinds, size_t *n, struct err *e)
{
	DIR *dir = open_list(d, e);
	size_t cap = 0, all = 0;

	*kinds = NULL;
	*n = 0;
	if (!dir)
		return -1;
	for (struct dirent *entry; (entry = readdir(dir));) {
		uint32_t kind = kind_of(entry->d_name);

		if (!kind)
			continue;
		*kinds = xgrow(*kinds, &cap, all + 1, sizeof **kinds);
		(*kinds)[all++] = kind;
	}
	closedir(dir);
	if (all)
		qsort(*kinds, all, sizeof **kinds, by_kind);
	for (size_t i = 0; i < all; i++)
		if (!*n || (*kinds)[*n - 1] != (*kinds)[i])
			(*kinds)[(*n)++] = (*kinds)[i];
	return 0;
}

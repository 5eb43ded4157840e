#include "io/tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* The bytes before the position. */
static void load_last(struct tail *t)
{
	size_t n = t->position < LAST_BYTES ? (size_t)t->position : LAST_BYTES;
	ssize_t r = pread(t->fd, t->last.at, n, t->position - (int64_t)n);

	t->last.n = r == (ssize_t)n ? (uint32_t)n : 0;
}

struct tail *tail_new(int fd, bool at_its_end)
{
	struct tail *t = xcalloc(1, sizeof *t);

	t->fd = fd;
	t->copy_fd = t->wd = -1;
	if (file_id_of_fd(fd, &t->id)) {
		free(t);
		return NULL;
	}
	if (at_its_end)
		t->position = t->id.size;
	load_last(t);
	return t;
}

void tail_go(struct tail *t, int64_t position)
{
	t->position = position;
	load_last(t);
}

void tail_free(struct tail *t)
{
	if (t->copy_fd >= 0)
		close(t->copy_fd);
	close(t->fd);
	free(t);
}

bool tail_has_more(const struct tail *t)
{
	struct stat st;

	return t->copy_fd >= 0 || (!fstat(t->fd, &st) && st.st_size > t->position);
}

static ssize_t read_at(int fd, char *p, size_t n, int64_t at)
{
	ssize_t r;

	do
		r = pread(fd, p, n, at);
	while (r < 0 && errno == EINTR);
	return r;
}

static void leave_copy(struct tail *t)
{
	close(t->copy_fd);
	t->copy_fd = -1;
	t->position = 0;
	t->last.n = 0;
}

/* Do the bytes before the position stand in this file? */
static bool knows_last(const struct tail *t, int fd)
{
	char now[LAST_BYTES];

	return read_at(fd, now, t->last.n, t->position - (int64_t)t->last.n) == (ssize_t)t->last.n &&
	       !memcmp(now, t->last.at, t->last.n);
}

/* Cut and written anew while it was read, the file would give bytes from its midst: the ones before are looked at afterwards. */
ssize_t tail_read(struct tail *t, char *p, size_t n)
{
	bool copy = t->copy_fd >= 0;
	ssize_t r = read_at(copy ? t->copy_fd : t->fd, p, n, t->position);

	if (!r && copy)
		leave_copy(t);
	if (r > 0 && !copy && !knows_last(t, t->fd))
		return TAIL_CUT;
	if (r > 0) {
		t->position += r;
		last_bytes_took(&t->last, p, (size_t)r);
	}
	return r;
}

bool tail_was_cut(const struct tail *t)
{
	struct stat st;

	if (t->copy_fd >= 0 || !t->position || fstat(t->fd, &st))
		return false;
	return st.st_size < t->position || !knows_last(t, t->fd);
}

/* The file as an open descriptor when it holds what was read and was made of this one; -1. */
static int open_copy(const struct tail *t, int folder, const char *name, int64_t *mtime_ns)
{
	struct file_id id;
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -1;
	if (!file_id_of_fd(fd, &id) && id.is_file && id.size >= t->position && !file_id_stays(&id, &t->id) && knows_last(t, fd)) {
		*mtime_ns = id.mtime_ns;
		return fd;
	}
	close(fd);
	return -1;
}

/* The newest of the copies. */
static int find_copy(const struct tail *t, const char *folder, const char *name)
{
	int64_t best_ns = INT64_MIN, ns;
	int best = -1, fd;
	struct dirent *d;
	DIR *dir = opendir(folder);

	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, name, strlen(name)) != 0 || !d->d_name[strlen(name)])
			continue;
		fd = open_copy(t, dirfd(dir), d->d_name, &ns);
		if (fd < 0)
			continue;
		if (best >= 0)
			close(ns > best_ns ? best : fd);
		if (best < 0 || ns > best_ns) {
			best = fd;
			best_ns = ns;
		}
	}
	if (dir)
		closedir(dir);
	return best;
}

bool tail_restart(struct tail *t, const char *folder, const char *name)
{
	t->copy_fd = t->last.n ? find_copy(t, folder, name) : -1;
	if (t->copy_fd >= 0)
		return true;
	t->position = 0;
	t->last.n = 0;
	return false;
}

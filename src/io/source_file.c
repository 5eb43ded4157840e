#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fd.h"
#include "io/follow.h"
#include "io/source_list.h"

/* Only regular files grow and are rotated; what is not there yet may become one. */
static bool can_follow(const char *path)
{
	struct stat st;

	return stat(path, &st) || S_ISREG(st.st_mode);
}

static int check_options(const struct url *u, struct err *e)
{
	static const char *const keys[] = { "new-only", "poll" };

	for (size_t i = 0; i < ARRAY_LEN(keys) && !url_option(u, "follow"); i++)
		if (url_option(u, keys[i]))
			return err_set(e, ERR_USAGE, "%s: option '%s' goes with follow", u->spec, keys[i]);
	return 0;
}

/* A named pipe that nobody writes to would keep open() waiting, deaf to signals; so it is the first read that waits. */
static int open_path(const char *path)
{
	struct stat st;
	bool pipe = !stat(path, &st) && S_ISFIFO(st.st_mode);
	int fd;

	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (pipe ? O_NONBLOCK : 0));
	while (fd < 0 && errno == EINTR);
	if (fd >= 0 && pipe)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

static struct source *file_open(const struct url *u, struct err *e)
{
	const char *path = url_path(u);
	struct fd_source *s;
	int fd;

	if (check_options(u, e))
		return NULL;
	if (url_option(u, "follow") && can_follow(path))
		return follow_open(u, path, e);
	fd = open_path(path);
	if (fd < 0) {
		err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
		return NULL;
	}
	s = fd_source_new(fd, path, e);
	if (!s) {
		close(fd);
		return NULL;
	}
	s->base.name = path;
	return &s->base;
}

static void file_close(struct source *s)
{
	if (follow_is(s)) {
		follow_close(s);
		return;
	}
	fd_source_release(s);
	close(((struct fd_source *)s)->fd);
}

const struct source_def source_file = {
	.doc = {
		.name = "file",
		.synopsis = "PATH, file:PATH[?follow]",
		.summary = "a file, a named pipe or a device, read to its end or followed",
		.group = "sources",
		.text = "gzip, bzip2, xz, zstd and lz4 data is told by its first bytes and unpacked.\n\n"
			"With ?follow (-F PATH) the file is read from its start and then as it grows, also through rotation. When it is renamed and another takes its "
			"name, what is still written to the old one is read, and the new one from its start. When it is cut short (copytruncate), what the copy "
			"beside it holds and was not read yet comes first, then the file from its start. A file that is not there yet is waited for. A line "
			"without a line end is not a record yet. A packed file is not followed.\n\n"
			"In file:PATH the characters ? and % of a name are written %3F and %25; a plain path is taken as it is.",
		.params = {
			SOURCE_READ_DOC,
			{ "follow", "flag", "off", NULL, "go on when the end is reached" },
			{ "new-only", "flag", "off", NULL, "follow: begin at the end of the file" },
			{ "poll", "duration", "1s", "10ms..1h", "follow: how often to look where no event tells" },
		},
		.examples = {
			{ "--from file:/dev/stdin 'count'", "a\nb\n", "2\n", "a device as a file" },
		},
	},
	.open = file_open,
	.read = fd_source_read,
	.ready = fd_source_ready,
	.close = file_close,
};

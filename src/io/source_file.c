#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/fd.h"
#include "io/source_list.h"

static struct source *file_open(const struct url *u, struct err *e)
{
	const char *path = url_path(u);
	struct fd_source *s;
	int fd;

	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
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
	fd_source_release(s);
	close(((struct fd_source *)s)->fd);
}

const struct source_def source_file = {
	.doc = {
		.name = "file",
		.synopsis = "PATH, file:PATH",
		.summary = "a file, a named pipe or a device, read to its end",
		.group = "sources",
		.text = "gzip, bzip2, xz, zstd and lz4 data is told by its first bytes and unpacked.\n\n"
			"In file:PATH the characters ? and % of a name are written %3F and %25; a plain path is taken as it is.",
		.examples = {
			{ "--from file:/dev/stdin 'count'", "a\nb\n", "2\n", "a device as a file" },
		},
	},
	.open = file_open,
	.read = fd_source_read,
	.ready = fd_source_ready,
	.close = file_close,
};

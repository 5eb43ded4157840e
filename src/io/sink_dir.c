#include "io/sink_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fd.h"

#define PART_MAX 300 /* bytes of a part's name, with the NUL */
#define EXT_MAX 64

struct dir_sink {
	struct sink base; /* fd: the part being written, -1: none */
	const char *ext;  /* NULL: the format's name */
	bool overwrite;
	int folder;
	char part[PART_MAX], beside[PART_MAX];
};

static int open_folder(struct dir_sink *d, const char *path, struct err *e)
{
	if (mkdir(path, 0777) && errno != EEXIST)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	d->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->folder >= 0)
		return 0;
	return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
}

static bool good_ext(const char *ext) { return !ext || (*ext && strlen(ext) <= EXT_MAX && !strchr(ext, '/')); }

static struct sink *dir_open(const struct url *u, struct err *e)
{
	const char *path = url_path(u), *ext = url_option(u, "ext");
	struct dir_sink *d;

	if (!*path || !good_ext(ext)) {
		err_set(e, ERR_USAGE, *path ? "%s: '%s' cannot end the name of a file" : "%s: no directory", u->spec, ext);
		return NULL;
	}
	d = xcalloc(1, sizeof *d);
	d->base.name = path;
	d->base.fd = -1;
	d->base.empty = true;
	d->ext = ext;
	d->overwrite = url_option(u, "overwrite");
	if (!open_folder(d, path, e))
		return &d->base;
	free(d);
	return NULL;
}

static int failed(const struct dir_sink *d, struct err *e)
{
	return err_set(e, ERR_IO, "%s/%s: %s", d->base.name, d->part, strerror(errno));
}

static int refuse_old(const struct dir_sink *d, struct err *e)
{
	err_set(e, ERR_IO, "%s/%s: there is such a file already", d->base.name, d->part);
	return err_hint(e, "name an empty directory, or replace what is there: dir:%s?overwrite", d->base.name);
}

static int open_part(struct dir_sink *d, struct err *e)
{
	const char *ext = d->ext ? d->ext : d->base.format ? d->base.format : "out";

	snprintf(d->part, sizeof d->part, "part-%06llu.%s", (unsigned long long)d->base.batch, ext);
	snprintf(d->beside, sizeof d->beside, ".part-%06llu.%s.tmp", (unsigned long long)d->base.batch, ext);
	if (!d->overwrite && !faccessat(d->folder, d->part, F_OK, AT_SYMLINK_NOFOLLOW))
		return refuse_old(d, e);
	do
		d->base.fd = openat(d->folder, d->beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	while (d->base.fd < 0 && errno == EINTR);
	return d->base.fd < 0 ? failed(d, e) : 0;
}

static int dir_write(struct sink *s, const char *p, size_t n, struct err *e)
{
	struct dir_sink *d = (struct dir_sink *)s;

	if (s->fd < 0 && open_part(d, e))
		return -1;
	return fd_write(s->fd, p, n) ? failed(d, e) : 0;
}

/* Without overwrite the name must be free still; a file system that cannot say so in the same step is asked before. */
static int put_in_place(const struct dir_sink *d)
{
	if (d->overwrite)
		return renameat(d->folder, d->beside, d->folder, d->part);
	if (!renameat2(d->folder, d->beside, d->folder, d->part, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (!faccessat(d->folder, d->part, F_OK, AT_SYMLINK_NOFOLLOW)) {
		errno = EEXIST;
		return -1;
	}
	return renameat(d->folder, d->beside, d->folder, d->part);
}

static int dir_batch_end(struct sink *s, uint64_t batch, struct err *e)
{
	struct dir_sink *d = (struct dir_sink *)s;
	int fd = s->fd;

	(void)batch;
	if (fd < 0)
		return 0;
	s->fd = -1;
	if (!close(fd) && !put_in_place(d))
		return 0;
	if (errno == EEXIST)
		refuse_old(d, e);
	else
		failed(d, e);
	unlinkat(d->folder, d->beside, 0);
	return -1;
}

static int dir_close(struct sink *s, bool keep, struct err *e)
{
	struct dir_sink *d = (struct dir_sink *)s;
	int r = 0;

	if (keep)
		r = dir_batch_end(s, s->batch, e);
	if (s->fd >= 0) {
		close(s->fd);
		unlinkat(d->folder, d->beside, 0);
	}
	close(d->folder);
	return r;
}

const struct sink_def sink_dir = {
	.doc = {
		.name = "dir",
		.synopsis = "dir:PATH[?OPTIONS]",
		.summary = "a directory: one file for each micro-batch",
		.group = "sinks",
		.text = "The file of micro-batch 12 is part-000012.FORMAT; it is written under a hidden name and gets its own when the micro-batch is over, so that "
			"readers see whole files only. A micro-batch without records makes no file. The directory is made if it is not there. A file that is there "
			"already is an error unless overwrite is given.",
		.params = {
			{ "overwrite", "flag", "off", NULL, "replace files of the same name" },
			{ "ext", "text", "the format's name", "1..64 bytes", "the ending of the files' names" },
			{ "format", "name", "-o", NULL, "output format of this sink" },
		},
		.examples = {
			{ "words 'count by word' --to dir:out && cat out/part-000000.tsv", "a b a\n", "a\t2\nb\t1\n", "a file for the one micro-batch" },
		},
	},
	.open = dir_open,
	.write = dir_write,
	.batch_end = dir_batch_end,
	.close = dir_close,
	.parts = true,
};

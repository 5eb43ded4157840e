#include "io/sink_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/fd.h"

#define EXT_MAX 64
/* Files of a micro-batch that are open at a time; the others are opened again when there is more for them. */
#define OPEN_MAX 64

/* A file of the micro-batch at hand. */
struct part {
	char *sub; /* its sub-directory with a slash behind it, "" for the directory itself */
	int fd;    /* -1: not open */
	bool there; /* something of it is on the disk, under its hidden name */
};

struct dir_sink {
	struct sink base;
	const char *ext; /* NULL: the format's name */
	bool overwrite;
	bool prepared;   /* a commit that may have been written names the parts */
	int folder;
	struct part *parts;
	uint32_t n_parts;
	size_t parts_cap;
	uint32_t open[OPEN_MAX]; /* which are open, the oldest at open[first] */
	uint32_t first, n_open;
	struct buf name, beside; /* of the part looked at last, below the directory */
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

/* ---- one file ---- */

static void name_part(struct dir_sink *d, const struct part *p)
{
	const char *ext = d->ext ? d->ext : d->base.format ? d->base.format : "out";
	unsigned long long batch = d->base.batch;

	d->name.n = d->beside.n = 0;
	buf_printf(&d->name, "%spart-%06llu.%s", p->sub, batch, ext);
	buf_printf(&d->beside, "%s.part-%06llu.%s.tmp", p->sub, batch, ext);
	buf_cstr(&d->name);
	buf_cstr(&d->beside);
}

static int failed(const struct dir_sink *d, struct err *e)
{
	return err_set(e, ERR_IO, "%s/%s: %s", d->base.name, d->name.p, strerror(errno));
}

static int refuse_old(const struct dir_sink *d, struct err *e)
{
	err_set(e, ERR_IO, "%s/%s: there is such a file already", d->base.name, d->name.p);
	return err_hint(e, "name an empty directory, or replace what is there: dir:%s?overwrite", d->base.name);
}

/* The directories on the way to the part. */
static int make_folders(struct dir_sink *d, const struct part *p, struct err *e)
{
	for (char *slash = strchr(p->sub, '/'); slash; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = 0;
		r = mkdirat(d->folder, p->sub, 0777);
		*slash = '/';
		if (r && errno != EEXIST)
			return failed(d, e);
	}
	return 0;
}

/* The part that has been open for the longest time. Some file systems tell of a full disk only now. */
static int close_oldest(struct dir_sink *d, struct err *e)
{
	struct part *p = &d->parts[d->open[d->first]];
	int fd = p->fd;

	d->first = (d->first + 1) % OPEN_MAX;
	d->n_open--;
	p->fd = -1;
	if (!close(fd))
		return 0;
	name_part(d, p);
	return failed(d, e);
}

/* -1 with errno. */
static int open_beside(const struct dir_sink *d, const struct part *p)
{
	int fd, how = p->there ? O_APPEND : O_CREAT | O_TRUNC;

	do
		fd = openat(d->folder, d->beside.p, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | how, 0666);
	while (fd < 0 && errno == EINTR);
	return fd;
}

/* With fewer descriptors to be had than usual, the oldest file makes room. */
static int open_part(struct dir_sink *d, struct part *p, struct err *e)
{
	if (d->n_open == OPEN_MAX && close_oldest(d, e))
		return -1;
	name_part(d, p);
	if (!p->there && make_folders(d, p, e))
		return -1;
	if (!p->there && !d->overwrite && !faccessat(d->folder, d->name.p, F_OK, AT_SYMLINK_NOFOLLOW))
		return refuse_old(d, e);
	while ((p->fd = open_beside(d, p)) < 0) {
		if ((errno != EMFILE && errno != ENFILE) || !d->n_open)
			return failed(d, e);
		if (close_oldest(d, e))
			return -1;
		name_part(d, p);
	}
	p->there = true;
	d->open[(d->first + d->n_open++) % OPEN_MAX] = (uint32_t)(p - d->parts);
	return 0;
}

/* Without overwrite the name must be free still; a file system that cannot say so in the same step is asked before. */
static int put_in_place(const struct dir_sink *d)
{
	if (d->overwrite)
		return renameat(d->folder, d->beside.p, d->folder, d->name.p);
	if (!renameat2(d->folder, d->beside.p, d->folder, d->name.p, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (!faccessat(d->folder, d->name.p, F_OK, AT_SYMLINK_NOFOLLOW)) {
		errno = EEXIST;
		return -1;
	}
	return renameat(d->folder, d->beside.p, d->folder, d->name.p);
}

/* The names in the directory of the file `name`, and unless only_last in those above it, up to the sink's own. */
static int sync_folders(const struct dir_sink *d, const char *name, bool only_last)
{
	char *path = xstrdup(name), *slash;
	int r;

	do {
		slash = strrchr(path, '/');
		if (slash)
			*slash = 0;
		r = fd_sync_folder(d->folder, slash ? path : ".");
	} while (!r && slash && !only_last);
	free(path);
	return r;
}

/* On the disk, with its hidden name. */
static int sync_part(struct dir_sink *d, struct part *p, struct err *e)
{
	int fd = p->fd, r;

	name_part(d, p);
	p->fd = -1;
	if (fd < 0)
		fd = openat(d->folder, d->beside.p, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 || fsync(fd) ? failed(d, e) : 0;
	if (fd >= 0)
		close(fd);
	return !r && sync_folders(d, d->beside.p, false) ? failed(d, e) : r;
}

static int finish_part(struct dir_sink *d, struct part *p, struct err *e)
{
	if (!p->there)
		return 0;
	name_part(d, p);
	if (put_in_place(d))
		return errno == EEXIST ? refuse_old(d, e) : failed(d, e);
	p->there = false;
	return d->base.durable && sync_folders(d, d->name.p, true) ? failed(d, e) : 0;
}

/* ---- the sink ---- */

static uint32_t dir_part(struct sink *s, const char *sub)
{
	struct dir_sink *d = (struct dir_sink *)s;
	size_t n = strlen(sub);
	char *own = xmalloc(n + 2);

	memcpy(own, sub, n + 1);
	if (n)
		memcpy(own + n, "/", 2);
	d->parts = xgrow(d->parts, &d->parts_cap, d->n_parts + 1, sizeof *d->parts);
	d->parts[d->n_parts] = (struct part){ .sub = own, .fd = -1 };
	return d->n_parts++;
}

static int dir_write(struct sink *s, const char *p, size_t n, struct err *e)
{
	struct dir_sink *d = (struct dir_sink *)s;
	struct part *to;

	if (!d->n_parts)
		s->part = dir_part(s, "");
	to = &d->parts[s->part];
	if (to->fd < 0 && open_part(d, to, e))
		return -1;
	if (!fd_write(to->fd, p, n))
		return 0;
	name_part(d, to);
	return failed(d, e);
}

/* What is still there has no name of its own: it is of a micro-batch that failed. Once a commit may name it, it waits for the next start. */
static void forget_parts(struct dir_sink *d)
{
	for (uint32_t i = 0; i < d->n_parts; i++) {
		struct part *p = &d->parts[i];

		if (p->fd >= 0)
			close(p->fd);
		if (p->there && !d->prepared) {
			name_part(d, p);
			unlinkat(d->folder, d->beside.p, 0);
		}
		free(p->sub);
	}
	d->n_parts = d->n_open = d->first = 0;
	d->base.part = 0;
}

/* All of them are complete before the first gets its name. */
static int dir_batch_end(struct sink *s, uint64_t batch, struct err *e)
{
	struct dir_sink *d = (struct dir_sink *)s;
	int r = 0;

	(void)batch;
	while (!r && d->n_open)
		r = close_oldest(d, e);
	for (uint32_t i = 0; !r && i < d->n_parts; i++)
		r = finish_part(d, &d->parts[i], e);
	d->prepared &= r != 0;
	forget_parts(d);
	return r;
}

/* The names go along: what has only its hidden name when the process ends behind the commit gets its own at the next start. */
static int dir_prepare(struct sink *s, struct buf *rest, struct err *e)
{
	struct dir_sink *d = (struct dir_sink *)s;

	for (uint32_t i = 0; i < d->n_parts; i++) {
		if (!d->parts[i].there)
			continue;
		if (sync_part(d, &d->parts[i], e))
			return -1;
		buf_add(rest, d->beside.p, d->beside.n + 1);
		buf_add(rest, d->name.p, d->name.n + 1);
		d->prepared = true;
	}
	d->n_open = d->first = 0;
	return 0;
}

/* What was renamed without its directory being synced is found so, too. */
static int dir_recover(struct sink *s, const char *p, size_t n, struct err *e)
{
	struct dir_sink *d = (struct dir_sink *)s;
	const char *end = p + n;

	while (p < end) {
		const char *beside = p, *name = p + strlen(p) + 1;

		p = name < end ? name + strlen(name) + 1 : end;
		if (name >= end)
			break;
		if ((!renameat(d->folder, beside, d->folder, name) || errno == ENOENT) && !sync_folders(d, name, true))
			continue;
		return err_set(e, ERR_IO, "%s/%s: %s", s->name, name, strerror(errno));
	}
	return 0;
}

/* The directory may have been made just now. */
static int dir_keep(struct sink *s, const char *dir, unsigned twin, struct err *e)
{
	const struct dir_sink *d = (const struct dir_sink *)s;

	(void)dir, (void)twin;
	return fd_sync_folder(d->folder, "..") ? err_set(e, ERR_IO, "%s: cannot sync: %s", s->name, strerror(errno)) : 0;
}

static int dir_close(struct sink *s, bool keep, struct err *e)
{
	struct dir_sink *d = (struct dir_sink *)s;
	int r = keep ? dir_batch_end(s, s->batch, e) : 0;

	forget_parts(d);
	close(d->folder);
	free(d->parts);
	buf_release(&d->name);
	buf_release(&d->beside);
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
			"already is an error unless overwrite is given.\n\n"
			"With partition=a,b a record goes to the file of its micro-batch in the sub-directory a=VALUE/b=VALUE, as Hive and Spark name them, and the "
			"fields a and b are left out of the files. In names the characters \" # % ' * / : = ? \\ { [ ] ^ and control characters are written %XX; null "
			"and the empty string are __HIVE_DEFAULT_PARTITION__. A micro-batch may have 10000 partitions.",
		.params = {
			{ "partition", "fields", "none", NULL, "a sub-directory for each value of these fields, separated by commas" },
			{ "overwrite", "flag", "off", NULL, "replace files of the same name" },
			{ "ext", "text", "the format's name", "1..64 bytes", "the ending of the files' names" },
			{ "format", "name", "-o", NULL, "output format of this sink" },
		},
		.examples = {
			{ "words 'count by word' --to dir:out && cat out/part-000000.tsv", "a b a\n", "a\t2\nb\t1\n", "a file for the one micro-batch" },
			{ "-i csv --to 'dir:by?partition=day' && cat by/day=mon/part-000000.csv", "day,n\nmon,1\ntue,2\nmon,3\n", "n\n1\n3\n",
			  "a sub-directory for each day" },
		},
	},
	.open = dir_open,
	.write = dir_write,
	.part = dir_part,
	.batch_end = dir_batch_end,
	.keep = dir_keep,
	.prepare = dir_prepare,
	.recover = dir_recover,
	.close = dir_close,
	.parts = true,
};

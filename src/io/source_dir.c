#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/dir_files.h"
#include "io/fd.h"
#include "io/live.h"
#include "io/position.h"
#include "io/source_list.h"
#include "io/watch.h"

#define READ_A_TURN ((size_t)256 << 10) /* then the others on the loop have theirs */
#define RESCAN_MS 10000
#define UNKNOWN_SETTLE_MS 1000 /* how long a file must be left alone when nothing else tells that it is complete */
#define EVENTS \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | \
	 IN_EXCL_UNLINK)

struct dir_source {
	struct source base;
	const char *root, *glob;
	bool new_only, recursive;
	int64_t settle_ms, rescan_ms;
	const struct intake *to;
	uv_loop_t *loop;
	uv_timer_t rescan, check;
	uv_idle_t turn; /* reads while there is something to read */
	bool open;	/* the handles are */
	struct watch watch;
	char **folders; /* by number of the watch, within the root; "" is the root */
	size_t n_folders, cap_folders;
	bool noted_watch;
	struct dir_files files;
	uint64_t n_scans;
	bool first_scan;
	bool unsure; /* of the last scan: something was there and could not be looked at */
	struct err *starting;	/* where an error goes during start */
	struct fd_source *file; /* being read; NULL: none */
	char *file_path;
	void *stream;
	bool paused;
	uint64_t n_read;
	struct source_past *past; /* to be read first */
};

static void dir_stop(struct source *base);
static void scan_folder(struct dir_source *s, const char *folder);

/* a/b, or b when a is empty; the caller frees it. */
static char *join(const char *a, const char *b)
{
	size_t n = strlen(a) + strlen(b) + 2;
	char *p = xmalloc(n);

	snprintf(p, n, "%s%s%s", a, *a && a[strlen(a) - 1] != '/' ? "/" : "", b);
	return p;
}

static char *full_path(const struct dir_source *s, const char *path) { return *path ? join(s->root, path) : xstrdup(s->root); }

static void fail(struct dir_source *s, const struct err *e)
{
	if (!s->open)
		return;
	dir_stop(&s->base);
	if (s->starting)
		*s->starting = *e;
	else
		s->to->end(s->to->ctx, e);
}

static void fail_at(struct dir_source *s, const char *path, const char *what)
{
	struct err e = { 0 };

	err_set(&e, ERR_IO, "%s: %s", path, what);
	fail(s, &e);
}

/* ---- reading, one file after the other ---- */

static void on_turn(uv_idle_t *h);

static void wake(struct dir_source *s)
{
	if (s->open && !s->paused)
		uv_idle_start(&s->turn, on_turn);
}

static void close_file(struct dir_source *s, bool drop)
{
	void *stream = s->stream;

	if (!s->file)
		return;
	fd_source_release(&s->file->base);
	close(s->file->fd);
	free(s->file);
	s->file = NULL;
	s->stream = NULL;
	if (stream)
		s->to->close(stream, drop);
	free(s->file_path);
	s->file_path = NULL;
}

/* It is not there: reported, unless it is about to turn up under another name. */
static void lost_file(struct dir_source *s, struct dir_file *f)
{
	struct file_id id = f->id;

	f->state = DIR_LOST;
	f->gone = true;
	watch_drain(&s->watch);
	if (s->open && !dir_files_same(&s->files, &id))
		live_note(s->to, "%s: gone before it was read", s->file_path);
	free(s->file_path);
	s->file_path = NULL;
}

static void open_stream(struct dir_source *s, int64_t offset, struct err *e)
{
	if (s->to->open_file)
		s->stream = s->to->open_file(s->to->ctx, s->file_path, s->file->fd, offset, e);
	else
		s->stream = s->to->open(s->to->ctx, s->file_path, e);
}

/* A file that was read in part, in another run. */
static void open_past(struct dir_source *s, struct source_past *p)
{
	struct trace *t = xmalloc(sizeof *t);
	struct err e = { 0 };

	s->file_path = xstrdup(p->path);
	s->file = fd_source_new(p->fd, s->file_path, &e);
	if (!s->file)
		close(p->fd);
	p->fd = -1;
	s->stream = p->stream;
	if (!s->file || position_seek(s->file, p->offset, t, &e) < 0) {
		fail(s, &e);
	} else {
		s->file->base.name = s->file_path;
		if (!s->stream)
			open_stream(s, p->offset, &e);
		if (!s->stream)
			fail(s, &e);
	}
	free(t);
}

/* The next file of the queue. */
static void open_file(struct dir_source *s, struct dir_file *f)
{
	struct err e = { 0 };
	struct file_id id;
	int fd;

	s->file_path = full_path(s, f->path);
	fd = open(s->file_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		lost_file(s, f);
		return;
	}
	if (fd < 0)
		err_set(&e, ERR_IO, "%s: %s", s->file_path, strerror(errno));
	else
		s->file = fd_source_new(fd, s->file_path, &e);
	if (s->file) {
		if (!file_id_of_fd(fd, &id) && file_id_stays(&id, &f->id))
			f->id = id;
		s->file->base.name = s->file_path;
		open_stream(s, 0, &e);
	} else {
		free(s->file_path);
		s->file_path = NULL;
		if (fd >= 0)
			close(fd);
	}
	if (!s->stream)
		fail(s, &e);
}

/* Some of the file. */
static void read_file(struct dir_source *s)
{
	struct err e = { 0 };

	for (size_t done = 0; s->file && !s->paused && done < READ_A_TURN;) {
		int64_t at = s->file->base.position;
		size_t room;
		char *p = s->to->room(s->stream, &room);
		ssize_t n = fd_source_read(&s->file->base, p, room, &e);

		s->base.position += s->file->base.position - at;
		if (n < 0) {
			close_file(s, true);
			fail(s, &e);
		} else if (!n) {
			s->n_read++;
			close_file(s, false);
		} else {
			done += (size_t)n;
			if (s->to->filled(s->stream, (size_t)n))
				s->paused = true;
		}
	}
}

static void on_turn(uv_idle_t *h)
{
	struct dir_source *s = h->data;
	struct dir_file *next;

	if (s->file) {
		read_file(s);
	} else if (s->past) {
		struct source_past *p = s->past;

		s->past = p->next;
		open_past(s, p);
	} else if ((next = dir_files_next(&s->files))) {
		open_file(s, next);
	} else {
		uv_idle_stop(h);
		if (s->base.once) {
			dir_stop(&s->base);
			s->to->end(s->to->ctx, NULL);
		}
	}
	if (s->open && s->paused)
		uv_idle_stop(h);
}

/* ---- which files ---- */

static bool wanted(const struct dir_source *s, const char *name)
{
	size_t n = strlen(name);

	if (*name == '.' || (n >= 4 && !strcmp(name + n - 4, ".tmp")))
		return false;
	return !s->glob || !fnmatch(s->glob, name, 0);
}

static void on_check(uv_timer_t *t);

static void check_later(struct dir_source *s)
{
	if (!uv_is_active((uv_handle_t *)&s->check))
		uv_timer_start(&s->check, on_check, (uint64_t)(s->settle_ms ? s->settle_ms : UNKNOWN_SETTLE_MS), 0);
}

static enum file_writers writers(const struct dir_source *s, const struct dir_file *f)
{
	char *path = full_path(s, f->path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	enum file_writers w = fd < 0 ? FILE_WRITERS_UNKNOWN : file_writers(fd);

	if (fd >= 0)
		close(fd);
	free(path);
	return w;
}

/* Is it complete? `told`: somebody said so, by closing it or moving it here. Otherwise it is when nobody writes to it; where that
 * cannot be found out, when it was left alone for a while. */
static bool is_complete(const struct dir_source *s, const struct dir_file *f, bool told)
{
	uint64_t alone_ms = uv_now(s->loop) - f->since_ms;
	enum file_writers w;

	if (s->settle_ms && alone_ms < (uint64_t)s->settle_ms)
		return false;
	if (told)
		return true;
	w = writers(s, f);
	return w == FILE_NO_WRITERS || (w == FILE_WRITERS_UNKNOWN && (s->base.once || alone_ms >= UNKNOWN_SETTLE_MS));
}

static void queue_or_wait(struct dir_source *s, struct dir_file *f, bool told)
{
	if (!is_complete(s, f, told)) {
		check_later(s);
		return;
	}
	dir_files_queue(&s->files, f);
	wake(s);
}

static struct dir_file *add_file(struct dir_source *s, const char *path, const struct file_id *id)
{
	struct dir_file *same = dir_files_same(&s->files, id), *f;

	f = dir_files_add(&s->files, path, id);
	f->since_ms = uv_now(s->loop);
	if (same && same->state == DIR_DONE)
		f->state = DIR_DONE;
	else if (same)
		same->gone = true; /* read under its new name */
	return f;
}

static void note_changed(struct dir_source *s, struct dir_file *f, const struct file_id *id)
{
	if (f->noted || (f->id.size == id->size && f->id.mtime_ns == id->mtime_ns))
		return;
	f->noted = true;
	live_note(s->to, "%s%s%s: changed after it was read; each file is read once", s->root,
		  s->root[strlen(s->root) - 1] == '/' ? "" : "/", f->path);
}

/* There is such a file, perhaps not for the first time. */
static void found(struct dir_source *s, const char *path, bool told)
{
	struct dir_file *f = dir_files_find(&s->files, path);
	char *full = full_path(s, path);
	struct file_id id;
	int failed = file_id_of(full, &id);

	s->unsure |= failed && errno != ENOENT;
	free(full);
	if (failed || !id.is_file)
		return;
	if (f && !file_id_stays(&f->id, &id)) {
		f->gone = true;
		f = NULL;
	}
	if (!f) {
		f = add_file(s, path, &id);
		if ((s->base.known && s->base.known(s->base.known_ctx, &id)) || (s->first_scan && s->new_only))
			f->state = DIR_DONE;
		if (f->state == DIR_WAITING)
			queue_or_wait(s, f, told);
	} else if (f->state == DIR_WAITING && told) {
		f->id = id;
		queue_or_wait(s, f, true);
	} else if (f->state == DIR_DONE && told) {
		note_changed(s, f, &id);
	}
	f->scan = s->n_scans;
}

/* Has a waiting file been left alone? */
static void check_file(struct dir_source *s, struct dir_file *f)
{
	char *full = full_path(s, f->path);
	struct file_id id;
	bool there = !file_id_of(full, &id) && id.is_file && file_id_stays(&f->id, &id);

	free(full);
	if (!there) {
		f->gone = true;
		f->state = DIR_DONE;
		return;
	}
	if (id.size != f->id.size || id.mtime_ns != f->id.mtime_ns)
		f->since_ms = uv_now(s->loop);
	f->id = id;
	queue_or_wait(s, f, false);
}

static void on_check(uv_timer_t *t)
{
	struct dir_source *s = t->data;

	for (size_t i = 0; i < s->files.cap; i++)
		for (struct dir_file *f = s->files.names[i]; f; f = f->next_name)
			if (f->state == DIR_WAITING && !f->gone)
				check_file(s, f);
}

/* ---- scans ---- */

static void set_folder(struct dir_source *s, int wd, const char *folder)
{
	size_t need = (size_t)wd + 1;

	if (need > s->n_folders) {
		s->folders = xgrow(s->folders, &s->cap_folders, need, sizeof *s->folders);
		memset(s->folders + s->n_folders, 0, (need - s->n_folders) * sizeof *s->folders);
		s->n_folders = need;
	}
	free(s->folders[wd]);
	s->folders[wd] = xstrdup(folder);
}

static void watch_folder(struct dir_source *s, const char *folder)
{
	char *path = full_path(s, folder);
	int wd = watch_add(&s->watch, path, EVENTS);

	if (wd >= 0) {
		set_folder(s, wd, folder);
	} else if (errno != ENOENT && !s->noted_watch) {
		s->noted_watch = true;
		live_note(s->to, "%s: cannot be watched (%s); it is looked at every %lld.%llds", path, strerror(errno),
			  (long long)s->rescan_ms / 1000, (long long)s->rescan_ms / 100 % 10);
	}
	free(path);
}

static bool is_folder(const struct dir_source *s, const char *path, unsigned char type)
{
	struct stat st;
	char *full;
	bool yes;

	if (type != DT_UNKNOWN)
		return type == DT_DIR;
	full = full_path(s, path);
	yes = !lstat(full, &st) && S_ISDIR(st.st_mode);
	free(full);
	return yes;
}

static void scan_entry(struct dir_source *s, const char *folder, const struct dirent *d)
{
	char *path = join(folder, d->d_name);

	if (*d->d_name != '.' && is_folder(s, path, d->d_type)) {
		if (s->recursive)
			scan_folder(s, path);
	} else if (wanted(s, d->d_name)) {
		found(s, path, false);
	}
	free(path);
}

/* Watched before it is looked at, so that nothing comes in between. */
static void scan_folder(struct dir_source *s, const char *folder)
{
	char *path = full_path(s, folder);
	struct dirent *d;
	DIR *dir;

	watch_folder(s, folder);
	dir = opendir(path);
	if (!dir && (!*folder || errno != ENOENT))
		fail_at(s, path, strerror(errno));
	while (dir && s->open && (errno = 0, d = readdir(dir))) {
		scan_entry(s, folder, d);
		errno = 0;
	}
	s->unsure |= dir && errno;
	if (dir)
		closedir(dir);
	free(path);
}

static void scan_all(struct dir_source *s)
{
	s->n_scans++;
	s->unsure = false;
	scan_folder(s, "");
}

/* What was renamed meanwhile may not have been seen: events tell, or without any a second look. */
static void make_sure(struct dir_source *s)
{
	if (!s->open)
		return;
	if (watch_is_open(&s->watch))
		watch_drain(&s->watch);
	else
		scan_folder(s, "");
}

static void on_rescan(uv_timer_t *t);

static void rescan_in(struct dir_source *s, uint64_t ms) { uv_timer_start(&s->rescan, on_rescan, ms, 0); }

/* Looking takes a fifth of the time at most, however many files there are: the rest is for reading them. */
static void on_rescan(uv_timer_t *t)
{
	struct dir_source *s = t->data;
	uint64_t began = uv_now(s->loop), pause;

	scan_all(s);
	make_sure(s);
	if (s->open && !s->unsure)
		dir_files_sweep(&s->files, s->n_scans, s->base.gone, s->base.known_ctx);
	if (!s->open)
		return;
	uv_update_time(s->loop);
	pause = 4 * (uv_now(s->loop) - began);
	rescan_in(s, pause > (uint64_t)s->rescan_ms ? pause : (uint64_t)s->rescan_ms);
}

/* ---- events ---- */

static void on_folder_event(struct dir_source *s, const struct inotify_event *ev, const char *path)
{
	if (s->recursive && ev->mask & (IN_CREATE | IN_MOVED_TO))
		scan_folder(s, path);
}

static void on_file_event(struct dir_source *s, const struct inotify_event *ev, const char *path)
{
	struct dir_file *f;

	if (ev->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) {
		found(s, path, true);
	} else if (ev->mask & (IN_DELETE | IN_MOVED_FROM)) {
		f = dir_files_find(&s->files, path);
		if (f && f->state != DIR_QUEUED)
			f->gone = true;
	}
}

static void on_self_event(struct dir_source *s, int wd)
{
	char *folder = s->folders[wd];

	s->folders[wd] = NULL;
	if (folder && !*folder)
		fail_at(s, s->root, "the directory is gone");
	free(folder);
}

static void on_event(struct watch *w, const struct inotify_event *ev, const char *name)
{
	struct dir_source *s = w->data;
	char *path;

	if (ev->mask & IN_Q_OVERFLOW)
		scan_all(s);
	if (ev->wd < 0 || (size_t)ev->wd >= s->n_folders || !s->folders[ev->wd])
		return;
	if (ev->mask & (IN_DELETE_SELF | IN_IGNORED) || (ev->mask & IN_MOVE_SELF && !*s->folders[ev->wd])) {
		on_self_event(s, ev->wd);
		return;
	}
	path = join(s->folders[ev->wd], name);
	if (*name && *name != '.' && ev->mask & IN_ISDIR)
		on_folder_event(s, ev, path);
	else if (*name && wanted(s, name))
		on_file_event(s, ev, path);
	free(path);
}

static void on_drained(struct watch *w) { (void)w; }

/* ---- the source ---- */

static void open_handles(struct dir_source *s)
{
	uv_timer_init(s->loop, &s->rescan);
	uv_timer_init(s->loop, &s->check);
	uv_idle_init(s->loop, &s->turn);
	s->rescan.data = s->check.data = s->turn.data = s;
	s->open = true;
	s->watch = (struct watch){ .on_event = on_event, .on_drained = on_drained, .data = s };
	watch_open(&s->watch, s->loop);
}

static int dir_start(struct source *base, uv_loop_t *loop, const struct intake *to, struct err *e)
{
	struct dir_source *s = (struct dir_source *)base;

	s->loop = loop;
	s->to = to;
	s->past = base->past;
	open_handles(s);
	s->starting = e;
	s->first_scan = true;
	scan_all(s);
	s->first_scan = false;
	if (base->gone)
		make_sure(s);
	s->starting = NULL;
	if (!s->open)
		return -1;
	if (base->gone && !s->unsure)
		base->gone(base->known_ctx, NULL);
	rescan_in(s, (uint64_t)s->rescan_ms);
	wake(s);
	return 0;
}

static void dir_resume(struct source *base)
{
	struct dir_source *s = (struct dir_source *)base;

	s->paused = false;
	wake(s);
}

static void dir_stop(struct source *base)
{
	struct dir_source *s = (struct dir_source *)base;

	if (!s->open)
		return;
	s->open = false;
	uv_close((uv_handle_t *)&s->rescan, NULL);
	uv_close((uv_handle_t *)&s->check, NULL);
	uv_close((uv_handle_t *)&s->turn, NULL);
	watch_close(&s->watch);
	base->leaves = true;
	close_file(s, false);
}

static void dir_status(const struct source *base, char *p, size_t n)
{
	const struct dir_source *s = (const struct dir_source *)base;

	if (s->file)
		snprintf(p, n, "dir:%s: reading %s, %zu files wait", s->root, s->file_path, s->files.n_queue);
	else
		snprintf(p, n, "dir:%s: waiting for files, %llu read", s->root, (unsigned long long)s->n_read);
}

static const struct live_def dir_live = { dir_start, dir_resume, dir_stop, dir_status, NULL };

static void dir_close(struct source *base)
{
	struct dir_source *s = (struct dir_source *)base;

	for (size_t i = 0; i < s->n_folders; i++)
		free(s->folders[i]);
	free(s->folders);
	dir_files_release(&s->files);
}

static int check_root(const char *root, struct err *e)
{
	DIR *d = opendir(root);

	if (!d)
		return err_set(e, ERR_IO, "%s: %s", root, strerror(errno));
	closedir(d);
	return 0;
}

static struct source *dir_open(const struct url *u, struct err *e)
{
	static const int64_t settle[2] = { 0, 86400000 }, rescan[2] = { 100, 86400000 };
	int64_t settle_ms = 0, rescan_ms = RESCAN_MS;
	struct dir_source *s;

	if (!*url_path(u)) {
		err_set(e, ERR_USAGE, "%s: no directory", u->spec);
		return NULL;
	}
	if (url_option_ms(u, "settle", settle, &settle_ms, e) || url_option_ms(u, "rescan", rescan, &rescan_ms, e) ||
	    check_root(url_path(u), e))
		return NULL;
	s = xcalloc(1, sizeof *s);
	s->root = url_path(u);
	s->glob = url_option(u, "glob");
	s->new_only = url_option(u, "new-only");
	s->recursive = url_option(u, "recursive");
	s->settle_ms = settle_ms;
	s->rescan_ms = rescan_ms;
	s->base.name = s->root;
	s->base.size = -1;
	s->base.endless = true;
	return &s->base;
}

const struct source_def source_dir = {
	.doc = {
		.name = "dir",
		.synopsis = "dir:PATH[?OPTIONS]",
		.summary = "the files of a directory, and those that come into it",
		.group = "sources",
		.text = "Each file is read once, whatever name it gets later, one after the other, the oldest first (last change, then name). A file is read when it is "
			"complete: closed by who wrote it, or moved here. Hidden files and *.tmp are passed over, so a file can be written under such a name and renamed. "
			"gzip, bzip2, xz, zstd and lz4 files are unpacked.\n\n"
			"New files are told by inotify; every now and then the directory is looked through all the same. A file found that way is read when nobody writes to "
			"it; where that cannot be told, when it was left alone for a second. A file that is gone before it was read is reported.",
		.params = {
			SOURCE_READ_DOC,
			{ "glob", "text", "all", NULL, "only files whose names match, as in the shell: *.csv" },
			{ "new-only", "flag", "off", NULL, "leave out the files that are there at the start" },
			{ "recursive", "flag", "off", NULL, "the directories in it, too" },
			{ "settle", "duration", "0s", "0s..1d", "a file must have been left alone for so long" },
			{ "rescan", "duration", "10s", "100ms..1d", "how often it is looked through" },
		},
	},
	.open = dir_open,
	.close = dir_close,
	.live = &dir_live,
};

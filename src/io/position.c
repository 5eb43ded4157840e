#include "io/position.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- what was taken ---- */

static void keep_last(struct trace *t, const char *p, size_t n)
{
	size_t keep;

	if (n >= POSITION_LAST) {
		memcpy(t->last, p + n - POSITION_LAST, POSITION_LAST);
		t->n_last = POSITION_LAST;
		return;
	}
	keep = t->n_last < POSITION_LAST - n ? t->n_last : POSITION_LAST - n;
	memmove(t->last, t->last + t->n_last - keep, keep);
	memcpy(t->last + keep, p, n);
	t->n_last = (uint32_t)(keep + n);
}

void trace_took(struct trace *t, const char *p, size_t n)
{
	size_t head = POSITION_HEAD - t->n_head < n ? POSITION_HEAD - t->n_head : n;

	memcpy(t->head + t->n_head, p, head);
	t->n_head += (uint32_t)head;
	keep_last(t, p, n);
	t->offset += (int64_t)n;
}

void trace_note(const struct trace *t, struct position *p)
{
	p->offset = t->offset;
	p->head = sum64(t->head, t->n_head, 0);
	p->last = sum64(t->last, t->n_last, 0);
}

/* ---- positions ---- */

void position_release(struct position *p)
{
	free(p->path);
	*p = (struct position){ 0 };
}

void position_copy(struct position *to, const struct position *from)
{
	char *path = from->path ? xstrdup(from->path) : NULL;

	free(to->path);
	*to = *from;
	to->path = path;
}

/* What the name stands for, absolute, whether it is there or not. */
static char *absolute(const char *name)
{
	const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
	char *folder = slash ? xstrndup(name, slash == name ? 1 : (size_t)(slash - name)) : xstrdup(".");
	char *real = realpath(name, NULL), *in = real ? NULL : realpath(folder, NULL);
	struct buf b = { 0 };

	if (in)
		buf_printf(&b, "%s%s%s", in, in[1] ? "/" : "", last);
	else
		buf_str(&b, real ? real : name);
	free(folder);
	free(real);
	free(in);
	return (char *)buf_cstr(&b);
}

/* The path behind a descriptor; NULL: it has none. */
static char *path_of_fd(int fd)
{
	char self[32], path[4096];
	ssize_t n;

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof path);
	return n > 0 && n < (ssize_t)sizeof path ? xstrndup(path, (size_t)n) : NULL;
}

void position_name(struct position *p, int fd, const char *name)
{
	char *own = name ? NULL : path_of_fd(fd);

	free(p->path);
	p->path = own ? own : absolute(name ? name : "stdin");
}

void position_of_fd(struct position *p, int fd)
{
	struct file_id id = { 0 };

	file_id_of_fd(fd, &id);
	p->dev = id.dev;
	p->ino = id.ino;
	p->born_ns = id.born_ns;
}

void position_put(struct buf *b, const struct position *p)
{
	put_bytes(b, (struct store_bytes){ p->path, p->path ? strlen(p->path) : 0 });
	put_varint(b, p->dev);
	put_varint(b, p->ino);
	put_le(b, (uint64_t)p->born_ns, 8);
	put_varint(b, (uint64_t)p->offset);
	put_le(b, p->head, 8);
	put_le(b, p->last, 8);
}

void position_get(struct bytes_in *in, struct position *p)
{
	struct store_bytes path = get_bytes(in);

	p->path = xstrndup(path.p, path.n);
	p->dev = get_varint(in);
	p->ino = get_varint(in);
	p->born_ns = (int64_t)get_le(in, 8);
	p->offset = (int64_t)get_varint(in);
	p->head = get_le(in, 8);
	p->last = get_le(in, 8);
}

/* ---- going there ---- */

static ssize_t read_at(int fd, char *p, size_t n, int64_t at)
{
	ssize_t r;

	do
		r = pread(fd, p, n, at);
	while (r < 0 && errno == EINTR);
	return r;
}

static bool is_packed(int fd)
{
	char head[UNPACK_SNIFF];
	ssize_t n = read_at(fd, head, sizeof head, 0);
	bool more;

	return n > 0 && unpack_sniff(head, (size_t)n, &more);
}

static int seek_plain(struct fd_source *s, int64_t offset, struct trace *t)
{
	size_t head = offset < POSITION_HEAD ? (size_t)offset : POSITION_HEAD, last = offset < POSITION_LAST ? (size_t)offset : POSITION_LAST;

	if (read_at(s->fd, t->head, head, 0) != (ssize_t)head || read_at(s->fd, t->last, last, offset - (int64_t)last) != (ssize_t)last)
		return 1;
	if (lseek(s->fd, offset, SEEK_SET) != offset)
		return 1;
	t->offset = offset;
	t->n_head = (uint32_t)head;
	t->n_last = (uint32_t)last;
	s->sniffed = true;
	return 0;
}

int position_seek(struct fd_source *s, int64_t offset, struct trace *t, struct err *e)
{
	char *p;
	int r = 0;

	*t = (struct trace){ 0 };
	if (!is_packed(s->fd))
		return seek_plain(s, offset, t);
	p = xmalloc(65536);
	while (!r && t->offset < offset) {
		size_t want = offset - t->offset < 65536 ? (size_t)(offset - t->offset) : 65536;
		ssize_t n = fd_source_read(&s->base, p, want, e);

		if (n > 0)
			trace_took(t, p, (size_t)n);
		else
			r = n < 0 ? -1 : 1;
	}
	free(p);
	return r;
}

int position_resume(struct fd_source *s, const struct position *p, struct trace *t, struct err *e)
{
	struct position now = { 0 };
	int r = position_seek(s, p->offset, t, e);

	if (r)
		return r;
	trace_note(t, &now);
	return now.head != p->head || now.last != p->last;
}

/* ---- finding it again ---- */

struct candidate {
	char *path;
	struct file_id id;
	bool dated; /* its name is NAME and something that counts or dates: .1, -20261122 */
};

struct candidates {
	struct candidate *at;
	size_t n, cap;
};

static bool holds(const char *path, const struct position *p)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct err ignored = { 0 };
	struct fd_source *s;
	struct trace *t;
	bool yes = false;

	if (fd < 0)
		return false;
	s = fd_source_new(fd, path, &ignored);
	if (s) {
		s->base.name = path;
		t = xmalloc(sizeof *t);
		yes = !position_resume(s, p, t, &ignored);
		free(t);
		fd_source_release(&s->base);
		free(s);
	}
	close(fd);
	return yes;
}

static bool same_file(const struct file_id *id, const struct position *p)
{
	return id->is_file && id->dev == p->dev && id->ino == p->ino && id->born_ns == p->born_ns;
}

static void add_leg(struct resume_list *l, const char *path, int64_t offset, bool same)
{
	l->legs = xgrow(l->legs, &l->cap, l->n + 1, sizeof *l->legs);
	l->legs[l->n++] = (struct resume_leg){ .path = xstrdup(path), .offset = offset, .same = same };
}

static bool is_dated(const char *rest) { return (*rest == '.' || *rest == '-' || *rest == '_') && rest[1] >= '0' && rest[1] <= '9'; }

/* base_n: the length of the name that it begins with, 0: it does not. */
static void add_candidate(struct candidates *c, const char *folder, const char *name, size_t base_n)
{
	size_t n = strlen(folder) + strlen(name) + 2;
	char *path = xmalloc(n);
	struct file_id id;

	snprintf(path, n, "%s/%s", folder, name);
	if (file_id_of(path, &id) || !id.is_file) {
		free(path);
		return;
	}
	c->at = xgrow(c->at, &c->cap, c->n + 1, sizeof *c->at);
	c->at[c->n++] = (struct candidate){ path, id, base_n && is_dated(name + base_n) };
}

static int by_time(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->id.mtime_ns != y->id.mtime_ns)
		return x->id.mtime_ns < y->id.mtime_ns ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* NAME* beside it, without NAME, and whatever name the file has there; oldest first. */
static void list_candidates(struct candidates *c, const struct position *p)
{
	const char *slash = strrchr(p->path, '/'), *name = slash ? slash + 1 : p->path;
	char *folder = slash ? xstrndup(p->path, slash == p->path ? 1 : (size_t)(slash - p->path)) : xstrdup(".");
	size_t n = strlen(name);
	DIR *dir = opendir(folder);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		bool begins = !strncmp(d->d_name, name, n) && d->d_name[n];

		if (begins || (d->d_ino == p->ino && strcmp(d->d_name, name) != 0))
			add_candidate(c, folder, d->d_name, begins ? n : 0);
	}
	if (dir)
		closedir(dir);
	free(folder);
	if (c->n)
		qsort(c->at, c->n, sizeof *c->at, by_time);
}

/* The one that it has become: the same inode, else a copy, the newest first. */
static const struct candidate *find_moved(const struct candidates *c, const struct position *p)
{
	for (size_t i = c->n; i-- > 0;)
		if (same_file(&c->at[i].id, p) && holds(c->at[i].path, p))
			return &c->at[i];
	for (size_t i = c->n; i-- > 0 && p->offset;)
		if (!same_file(&c->at[i].id, p) && holds(c->at[i].path, p))
			return &c->at[i];
	return NULL;
}

/* Is it a compressed copy of one that is there as well? */
static bool is_copy(const struct candidates *c, const char *path)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t n = strlen(c->at[i].path);

		if (!strncmp(c->at[i].path, path, n) && path[n] == '.')
			return true;
	}
	return false;
}

static void add_moved(struct resume_list *out, const struct candidates *c, const struct candidate *moved, const struct position *p)
{
	bool named = !access(p->path, F_OK);

	add_leg(out, moved->path, p->offset, same_file(&moved->id, p));
	for (const struct candidate *next = moved + 1; next < c->at + c->n; next++)
		if (next->dated && !is_copy(c, next->path) && next->id.mtime_ns > moved->id.mtime_ns)
			add_leg(out, next->path, 0, false);
	for (size_t i = 0; i < out->n; i++)
		out->legs[i].finished = true;
	if (named)
		add_leg(out, p->path, 0, false);
}

void resume_find(struct resume_list *out, const struct position *p)
{
	struct candidates c = { 0 };
	const struct candidate *moved;
	struct file_id id = { 0 };

	if (!file_id_of(p->path, &id) && same_file(&id, p) && holds(p->path, p)) {
		add_leg(out, p->path, p->offset, true);
		return;
	}
	list_candidates(&c, p);
	moved = find_moved(&c, p);
	if (moved)
		add_moved(out, &c, moved, p);
	else if (holds(p->path, p))
		add_leg(out, p->path, p->offset, false);
	for (size_t i = 0; i < c.n; i++)
		free(c.at[i].path);
	free(c.at);
}

void resume_release(struct resume_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->legs[i].path);
	free(l->legs);
	*l = (struct resume_list){ 0 };
}

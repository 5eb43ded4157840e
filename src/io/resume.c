#include "io/resume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOKS_MAX 8  /* at a folder that changes meanwhile */
#define HELD_MAX 128 /* files that are held open */
#define SECOND_NS INT64_C(1000000000)

/* ---- what is beside it ---- */

struct candidate {
	char *path;
	struct file_id id;
	bool here;  /* it has the name */
	bool dated; /* its name is NAME and something that counts or dates: .1, -20261122 */
};

/* Oldest first, the one that has the name last. */
struct candidates {
	struct candidate *at;
	size_t n, cap;
};

static void clear(struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->at[i].path);
	free(c->at);
	*c = (struct candidates){ 0 };
}

static bool is_dated(const char *rest)
{
	return (*rest == '.' || *rest == '-' || *rest == '_') && rest[1] >= '0' && rest[1] <= '9';
}

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
	c->at[c->n++] = (struct candidate){ path, id, base_n && !name[base_n], base_n && is_dated(name + base_n) };
}

/* Of two that were rotated in the same moment: .2 before .1, 20261122 before 20261123. */
static int by_name(const struct candidate *x, const struct candidate *y)
{
	size_t same = 0, m, n;

	while (x->path[same] && x->path[same] == y->path[same])
		same++;
	while (same && x->path[same - 1] >= '0' && x->path[same - 1] <= '9')
		same--;
	m = strspn(x->path + same, "0123456789");
	n = strspn(y->path + same, "0123456789");
	if (m < 5 && n < 5 && m != n)
		return m > n ? -1 : 1;
	return m < 5 && n < 5 ? strcmp(y->path, x->path) : strcmp(x->path, y->path);
}

static int by_time(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->here != y->here)
		return x->here ? 1 : -1;
	if (x->id.mtime_ns != y->id.mtime_ns)
		return x->id.mtime_ns < y->id.mtime_ns ? -1 : 1;
	return by_name(x, y);
}

/* NAME*, and whatever name the file has beside it. */
static void list_once(struct candidates *c, const struct position *p)
{
	const char *slash = strrchr(p->path, '/'), *name = slash ? slash + 1 : p->path;
	char *folder = slash ? xstrndup(p->path, slash == p->path ? 1 : (size_t)(slash - p->path)) : xstrdup(".");
	size_t n = strlen(name);
	DIR *dir = opendir(folder);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		bool begins = !strncmp(d->d_name, name, n);

		if (begins || d->d_ino == p->ino)
			add_candidate(c, folder, d->d_name, begins ? n : 0);
	}
	if (dir)
		closedir(dir);
	free(folder);
	if (c->n)
		qsort(c->at, c->n, sizeof *c->at, by_time);
}

static bool equal(const struct candidates *a, const struct candidates *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->at[i].path, b->at[i].path) != 0 || !file_id_stays(&a->at[i].id, &b->at[i].id))
			return false;
	return true;
}

/* While it is read, files may get other names: it is looked at until nothing does. */
static void list_candidates(struct candidates *c, const struct position *p)
{
	struct candidates before = { 0 };

	list_once(c, p);
	for (int i = 0; i < LOOKS_MAX; i++) {
		clear(&before);
		before = *c;
		*c = (struct candidates){ 0 };
		list_once(c, p);
		if (equal(c, &before))
			break;
	}
	clear(&before);
}

void resume_begins(struct position *p)
{
	struct candidates c = { 0 };

	p->rotates = true;
	p->beside_mtime_ns = p->beside_born_ns = INT64_MIN;
	list_once(&c, p);
	for (size_t i = 0; i < c.n; i++) {
		const struct file_id *id = &c.at[i].id;

		if (!c.at[i].dated || position_is_of(p, id))
			continue;
		p->beside_mtime_ns = id->mtime_ns > p->beside_mtime_ns ? id->mtime_ns : p->beside_mtime_ns;
		p->beside_born_ns = id->born_ns > p->beside_born_ns ? id->born_ns : p->beside_born_ns;
	}
	clear(&c);
}

/* ---- is it the file? ---- */

enum match {
	OTHER,
	TAKEN, /* it holds what was taken */
	SEEN,  /* and what was seen besides */
};

static struct fd_source *open_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct fd_source *s = fd >= 0 ? fd_source_new(fd, path, e) : NULL;

	if (fd < 0)
		err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	else if (!s)
		close(fd);
	if (!s)
		return NULL;
	s->base.def = source_find("file");
	s->base.name = path;
	return s;
}

static void close_file(struct fd_source *s)
{
	if (s)
		source_close(&s->base);
}

static bool holds_taken(const char *path, const struct position *p)
{
	struct err ignored = { 0 };
	struct fd_source *s = open_file(path, &ignored);
	struct trace *t = xmalloc(sizeof *t);
	bool yes = s && !position_resume(s, p, t, &ignored);

	free(t);
	close_file(s);
	return yes;
}

/* A file only grows; what it is when it is packed says nothing. */
static bool holds_seen(const char *path, const struct position *p)
{
	struct err ignored = { 0 };
	struct fd_source *s = open_file(path, &ignored);
	struct file_id id;
	bool yes = s && position_was_seen(p, s);

	if (yes && !s->unpack)
		yes = !file_id_of_fd(s->fd, &id) && id.size >= p->size;
	close_file(s);
	return yes;
}

static enum match match(const char *path, const struct position *p)
{
	if (!holds_taken(path, p))
		return OTHER;
	return holds_seen(path, p) ? SEEN : TAKEN;
}

/* Nothing of its bytes is known. */
static bool was_empty(const struct position *p) { return !p->offset && !p->n_seen && !p->size; }

/* Was it rotated since the file was looked at last? Some packers keep times in whole seconds. */
static bool is_fresh(const struct candidate *c, const struct position *p)
{
	int64_t since = c->id.mtime_ns % SECOND_NS ? p->mtime_ns : p->mtime_ns - p->mtime_ns % SECOND_NS;

	return p->rotates && c->dated && c->id.mtime_ns >= since && c->id.mtime_ns > p->beside_mtime_ns &&
	       (!c->id.born_ns || c->id.born_ns > p->beside_born_ns);
}

/* All of it, as a position at its end; but no more than so many bytes. False: it holds more, or cannot be read. */
static bool read_whole(const char *path, int64_t most, struct position *out)
{
	struct err ignored = { 0 };
	struct fd_source *s = open_file(path, &ignored);
	struct trace *t = xcalloc(1, sizeof *t);
	char *p = xmalloc(65536);
	ssize_t r = 1;

	while (s && r > 0 && t->offset <= most) {
		r = fd_source_read(&s->base, p, 65536, &ignored);
		if (r > 0)
			trace_took(t, p, (size_t)r);
	}
	trace_note(t, out);
	free(p);
	free(t);
	close_file(s);
	return s && !r;
}

/* A copy of what the file held, that was not cut then; one that holds nothing is nobody's loss. */
static bool is_mere_copy(const struct candidate *c, const struct candidate *of)
{
	struct position end = { 0 };

	return read_whole(c->path, of->id.size, &end) && holds_taken(of->path, &end);
}

/* Is it being packed just now, or was kept? Then what it was made of is there as well, and whole. */
static bool is_packed_copy(const struct candidates *c, const struct candidate *packed)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t n = strlen(c->at[i].path);

		if (c->at[i].dated && !strncmp(c->at[i].path, packed->path, n) && packed->path[n] == '.')
			return true;
	}
	return false;
}

/* ---- which files ---- */

static void add_leg(struct resume_list *l, const struct candidate *c, int64_t offset)
{
	int fd = l->n < HELD_MAX ? open(c->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;

	l->legs = xgrow(l->legs, &l->cap, l->n + 1, sizeof *l->legs);
	l->legs[l->n++] =
		(struct resume_leg){ .path = xstrdup(c->path), .fd = fd, .id = c->id, .offset = offset, .finished = !c->here };
}

/* The file that it has become, those that were rotated since, and the one that has the name. */
static void add_from(struct resume_list *out, const struct candidates *c, const struct candidate *moved, const struct position *p)
{
	add_leg(out, moved, p->offset);
	for (const struct candidate *next = moved + 1; next < c->at + c->n && p->rotates; next++)
		if (next->here || (next->dated && next->id.mtime_ns > moved->id.mtime_ns && !is_packed_copy(c, next)))
			add_leg(out, next, 0);
}

static const struct candidate *find_here(const struct candidates *c)
{
	return c->n && c->at[c->n - 1].here ? &c->at[c->n - 1] : NULL;
}

/* The same inode, under another name. */
static const struct candidate *find_inode(const struct candidates *c, const struct position *p, enum match least)
{
	for (size_t i = c->n; i-- > 0;)
		if (!c->at[i].here && position_is_of(p, &c->at[i].id) && match(c->at[i].path, p) >= least)
			return &c->at[i];
	return NULL;
}

/* One that was rotated since and holds what it held: the oldest, since each begins as it likes. `here`, if not NULL, has the name
 * and holds that too: then no mere copy of it is meant. */
static const struct candidate *find_fresh(const struct candidates *c, const struct position *p, const struct candidate *here)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct candidate *own = &c->at[i];

		if (is_fresh(own, p) && !is_packed_copy(c, own) && match(own->path, p) == SEEN &&
		    !(here && is_mere_copy(own, here)))
			return own;
	}
	return NULL;
}

/* Any file that holds it, the newest: a copy. */
static const struct candidate *find_copy(const struct candidates *c, const struct position *p, enum match least)
{
	for (size_t i = c->n; i-- > 0;)
		if (!c->at[i].here && !is_packed_copy(c, &c->at[i]) && match(c->at[i].path, p) >= least)
			return &c->at[i];
	return NULL;
}

/* The file has its name still, and holds what it held; but so may what was written behind a copy that was cut. */
static const struct candidate *find_cut(const struct candidates *c, const struct position *p)
{
	const struct candidate *here = find_here(c), *cut = p->offset < POSITION_HEAD ? find_fresh(c, p, here) : NULL;

	return cut ? cut : here;
}

/* One that holds what was taken, and not what was seen behind it. */
static const struct candidate *find_changed(const struct candidates *c, const struct position *p)
{
	const struct candidate *here = find_here(c), *found;

	if (!p->offset)
		return NULL;
	if (here && match(here->path, p) == TAKEN)
		return here;
	found = find_inode(c, p, TAKEN);
	return found ? found : find_copy(c, p, TAKEN);
}

static const struct candidate *find(const struct candidates *c, const struct position *p, bool *changed)
{
	const struct candidate *here = find_here(c), *found;
	bool holds = here && match(here->path, p) == SEEN;

	*changed = false;
	if (holds && position_is_of(p, &here->id))
		return find_cut(c, p);
	if ((found = find_inode(c, p, SEEN)) || (found = find_fresh(c, p, NULL)) || was_empty(p))
		return found;
	if ((found = find_copy(c, p, SEEN)))
		return found;
	if (holds)
		return here;
	*changed = true;
	return find_changed(c, p);
}

/* Is what is held open still what was found? */
static bool are_held(const struct resume_list *l)
{
	struct file_id id;

	for (size_t i = 0; i < l->n; i++)
		if (l->legs[i].fd >= 0 && (file_id_of_fd(l->legs[i].fd, &id) || !file_id_stays(&id, &l->legs[i].id)))
			return false;
	return true;
}

void resume_find(struct resume_list *out, const struct position *p)
{
	for (int i = 0; i < LOOKS_MAX; i++) {
		struct candidates c = { 0 };
		const struct candidate *found;

		resume_release(out);
		list_candidates(&c, p);
		found = find(&c, p, &out->changed);
		if (found)
			add_from(out, &c, found, p);
		clear(&c);
		if (are_held(out))
			return;
	}
}

void resume_release(struct resume_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->legs[i].path);
		if (l->legs[i].fd >= 0)
			close(l->legs[i].fd);
	}
	free(l->legs);
	*l = (struct resume_list){ 0 };
}

struct fd_source *resume_open(const struct resume_leg *leg, struct err *e)
{
	char door[32];
	struct fd_source *s;
	struct file_id id;

	snprintf(door, sizeof door, "/proc/self/fd/%d", leg->fd);
	s = open_file(leg->fd >= 0 ? door : leg->path, e);
	if (!s)
		return NULL;
	s->base.name = leg->path;
	if (!file_id_of_fd(s->fd, &id) && file_id_stays(&id, &leg->id))
		return s;
	source_close(&s->base);
	err_set(e, ERR_IO, "%s: was rotated just now", leg->path);
	err_hint(e, "the next run finds it");
	return NULL;
}

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/decompress.h"
#include "io/follow.h"
#include "io/live.h"
#include "io/tail.h"
#include "io/watch.h"

#define READ_A_TURN ((size_t)256 << 10) /* then the others on the loop have theirs */
#define POLL_MS 1000
#define GRACE_MS 5000 /* how long a rotated file is kept where nobody can tell whether it is still written to */
#define ONCE_GRACE_NS INT64_C(60000000000) /* the same for one that was left alone so long */
#define TAILS_MAX 32  /* rotated files that were read to their end and are still written to */
#define MOVES_MAX 256 /* rotations between two looks */
#define LOOKS_MAX 100 /* at names that change meanwhile */
#define FOLDER_EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)
#define FILE_EVENTS (IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE)

/* A name that the file was given when it was moved away, and the mark of a move half told. */
struct move {
	char *name;
	uint32_t cookie; /* 0: nothing half told */
};

/* The tails: rotated files first, in their order, the one that has the name now last. */
struct follow_source {
	struct source base;
	const char *path, *name; /* name: its last part */
	char *folder;
	bool new_only;
	int64_t poll_ms;
	const struct intake *to;
	uv_loop_t *loop;
	uv_timer_t poll;
	uv_idle_t turn; /* reads while there is something to read */
	bool open;	/* the handles are */
	struct watch watch;
	int folder_wd;
	struct tail *tails;
	struct move moves[MOVES_MAX];
	unsigned n_moves, n_changes; /* n_changes: of names that count, ever */
	struct file_id *over;	     /* files that were let go of since the last look: their moves may not be told yet */
	size_t n_over, cap_over;
	bool noted_missing, paused;
	struct err *starting; /* where an error goes during start */
};

static void follow_stop(struct source *base);

static void fail(struct follow_source *s, int error)
{
	struct err e = { 0 };

	if (!s->open)
		return;
	follow_stop(&s->base);
	err_set(&e, ERR_IO, "%s: %s", s->path, strerror(error));
	if (s->starting)
		*s->starting = e;
	else
		s->to->end(s->to->ctx, &e);
}

/* ---- tails ---- */

static struct tail *current(const struct follow_source *s)
{
	struct tail *t = s->tails;

	while (t && t->next)
		t = t->next;
	return t;
}

/* Is it a tail, or was it one just now? */
static bool is_tail(const struct follow_source *s, const struct file_id *id)
{
	for (const struct tail *t = s->tails; t; t = t->next)
		if (file_id_stays(&t->id, id))
			return true;
	for (size_t i = 0; i < s->n_over; i++)
		if (file_id_stays(&s->over[i], id))
			return true;
	return false;
}

static void close_stream(struct follow_source *s, struct tail *t)
{
	void *stream = t->stream;

	t->stream = NULL;
	if (stream)
		s->to->close(stream, false);
}

/* Takes t out of the list and lets go of it. */
static void drop_tail(struct follow_source *s, struct tail *t)
{
	struct tail **p = &s->tails;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	s->over = xgrow(s->over, &s->cap_over, s->n_over + 1, sizeof *s->over);
	s->over[s->n_over++] = t->id;
	watch_remove(&s->watch, t->wd);
	close_stream(s, t);
	tail_free(t);
}

/* Takes fd as the newest tail. NULL: it cannot be read. */
static struct tail *add_tail(struct follow_source *s, int fd, bool at_its_end)
{
	struct tail *t = tail_new(fd, at_its_end), *last = current(s);
	char self[32];

	if (!t) {
		fail(s, errno);
		close(fd);
		return NULL;
	}
	/* by its descriptor: the name may be another file's by now */
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	t->wd = watch_add(&s->watch, self, FILE_EVENTS);
	if (last)
		last->next = t;
	else
		s->tails = t;
	return t;
}

/* False: it failed, and so has the source. */
static bool begin_stream(struct follow_source *s, struct tail *t)
{
	struct err e = { 0 };

	if (s->to->open_file)
		t->stream = s->to->open_file(s->to->ctx, s->path, t->copy_fd >= 0 ? t->copy_fd : t->fd, t->position, &e);
	else
		t->stream = s->to->open(s->to->ctx, s->path, &e);
	if (t->stream)
		return true;
	follow_stop(&s->base);
	if (s->starting)
		*s->starting = e;
	else
		s->to->end(s->to->ctx, &e);
	return false;
}

/* Files that were read in part, in another run. */
static void add_past(struct follow_source *s)
{
	for (struct source_past *p = s->base.past; p && s->open; p = p->next) {
		struct file_id id;
		struct tail *t;

		if (!p->stream && !file_id_of_fd(p->fd, &id) && is_tail(s, &id))
			continue; /* a stream of its own */
		t = add_tail(s, p->fd, false);
		p->fd = -1;
		if (!t)
			continue;
		tail_go(t, p->offset);
		t->stream = p->stream;
		if (!t->stream)
			begin_stream(s, t);
	}
}

static int open_name(const char *path) { return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); }

/* Takes fd, -1: of nothing, as a new tail, unless it is one already. */
static void try_add(struct follow_source *s, int fd, bool at_its_end)
{
	struct file_id id;
	struct tail *t;

	if (fd < 0)
		return;
	if (!s->open || file_id_of_fd(fd, &id) || !id.is_file || is_tail(s, &id)) {
		close(fd);
		return;
	}
	t = add_tail(s, fd, at_its_end);
	if (t && s->to->open_file)
		begin_stream(s, t);
}

/* ---- reading ---- */

static void on_turn(uv_idle_t *h);

static void wake(struct follow_source *s)
{
	if (s->open && !s->paused)
		uv_idle_start(&s->turn, on_turn);
}

static void restart_cut(struct follow_source *s, struct tail *t)
{
	if (tail_restart(t, s->folder, s->name)) {
		live_note(s->to, "%s: was cut short; first the rest of its copy, then from its start", s->path);
		return;
	}
	live_note(s->to, "%s: was cut short; from its start", s->path);
	close_stream(s, t);
}

/* Some more of it. False: it is at its end, or reading stopped. */
static bool read_tail(struct follow_source *s, struct tail *t)
{
	bool copy = t->copy_fd >= 0;
	size_t room;
	char *p;
	ssize_t n;

	if (!tail_has_more(t))
		return false;
	if (!t->stream && !begin_stream(s, t))
		return false;
	p = s->to->room(t->stream, &room);
	n = tail_read(t, p, room);
	if (n == TAIL_CUT) {
		restart_cut(s, t);
		return true;
	}
	if (n < 0)
		fail(s, errno);
	if (!n && copy)
		close_stream(s, t);
	if (n <= 0)
		return s->open && !n && copy;
	s->base.position += n;
	s->paused = s->to->filled(t->stream, (size_t)n) != 0;
	return s->open && !s->paused;
}

static bool left_alone(const struct follow_source *s, const struct tail *t)
{
	struct file_id id;

	return !file_id_of_fd(t->fd, &id) && source_now(&s->base) - id.mtime_ns >= ONCE_GRACE_NS;
}

/* At its end: is it over? A rotated file is when nobody writes to it any more. */
static bool is_over(const struct follow_source *s, const struct tail *t)
{
	enum file_writers w;

	if (!t->next)
		return false;
	w = file_writers(t->fd);
	if (w == FILE_WRITERS_UNKNOWN && s->base.once)
		return left_alone(s, t);
	return w == FILE_NO_WRITERS || (w == FILE_WRITERS_UNKNOWN && uv_now(s->loop) - t->end_ms >= GRACE_MS);
}

static void reached_end(struct follow_source *s, struct tail *t)
{
	if (!t->at_end)
		t->end_ms = uv_now(s->loop);
	t->at_end = true;
	/* who wrote last may have done so after the last read */
	if (is_over(s, t) && !tail_has_more(t))
		drop_tail(s, t);
}

/* Reads the tails in their order; each to its end before the next. */
static void read_some(struct follow_source *s)
{
	size_t turns = 0;
	struct tail *next;

	for (struct tail *t = s->tails; t && s->open; t = next) {
		while (read_tail(s, t))
			if (++turns == 16)
				return;
		if (!s->open || s->paused)
			return;
		next = t->next;
		reached_end(s, t);
	}
	if (!s->open)
		return;
	uv_idle_stop(&s->turn);
	if (s->base.once) {
		follow_stop(&s->base);
		s->to->end(s->to->ctx, NULL);
	}
}

static void on_turn(uv_idle_t *h)
{
	struct follow_source *s = h->data;

	read_some(s);
	if (s->open && s->paused)
		uv_idle_stop(h);
}

/* ---- what has become of the file ---- */

static void note_missing(struct follow_source *s, int error)
{
	if (!s->noted_missing)
		live_note(s->to, "%s: %s, waiting for it", s->path, error == ENOENT ? "no longer there" : strerror(error));
	s->noted_missing = true;
}

/* Files that had the name and lost it again, in their order, and the one that has it now; -1 for what cannot be opened. How many. */
static unsigned open_all(const struct follow_source *s, int *fds)
{
	struct buf path = { 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < s->n_moves; i++) {
		path.n = 0;
		buf_printf(&path, "%s/%s", s->folder, s->moves[i].name);
		if (strcmp(s->moves[i].name, s->name) != 0)
			fds[n++] = open_name(buf_cstr(&path));
	}
	buf_release(&path);
	fds[n++] = open_name(s->path);
	return n;
}

static void drop_move(struct follow_source *s, unsigned i)
{
	free(s->moves[i].name);
	s->n_moves--;
	memmove(&s->moves[i], &s->moves[i + 1], (s->n_moves - i) * sizeof s->moves[0]);
}

/* As open_all, after all that was told; names change at any time: none may between the first one opened and the last. */
static unsigned open_settled(struct follow_source *s, int *fds)
{
	unsigned n, seen;

	for (unsigned looks = 0;; looks++) {
		seen = s->n_changes;
		n = open_all(s, fds);
		if (fds[n - 1] < 0)
			note_missing(s, errno);
		watch_tell(&s->watch);
		if (seen == s->n_changes || looks == LOOKS_MAX)
			return n;
		while (n--)
			if (fds[n] >= 0)
				close(fds[n]);
	}
}

/* Nothing has happened to the name since the last look. */
static bool is_as_before(const struct follow_source *s)
{
	const struct tail *t = current(s);
	struct file_id id;

	return t && !s->n_moves && !file_id_of(s->path, &id) && file_id_stays(&t->id, &id);
}

/* Takes up what was not followed already. */
static void look_at_names(struct follow_source *s)
{
	int fds[MOVES_MAX + 1];
	unsigned n = 0;

	watch_tell(&s->watch);
	if (!is_as_before(s))
		n = open_settled(s, fds);
	if (!n || fds[n - 1] >= 0)
		s->noted_missing = false;
	for (unsigned i = 0; i < n; i++)
		try_add(s, fds[i], false);
	while (s->n_moves)
		drop_move(s, 0);
	s->n_over = 0;
}

/* The oldest of too many that nothing may come of any more. */
static void limit_tails(struct follow_source *s)
{
	struct tail *t = s->tails, *next;
	unsigned n = 0;

	for (; t; t = t->next)
		n += t->at_end && t->next && !tail_has_more(t);
	for (t = s->tails; t && n > TAILS_MAX; t = next) {
		next = t->next;
		if (!t->at_end || !next || tail_has_more(t))
			continue;
		drop_tail(s, t);
		n--;
	}
}

static void look(struct follow_source *s)
{
	look_at_names(s);
	limit_tails(s);
	for (struct tail *t = s->tails; t && s->open; t = t->next)
		if (tail_was_cut(t))
			restart_cut(s, t);
	wake(s);
}

static void on_poll(uv_timer_t *t) { look(t->data); }

/* ---- events ---- */

static int find_move(const struct follow_source *s, const char *name)
{
	for (unsigned i = 0; i < s->n_moves; i++)
		if (!strcmp(s->moves[i].name, name))
			return (int)i;
	return -1;
}

static int find_cookie(const struct follow_source *s, uint32_t cookie)
{
	for (unsigned i = 0; i < s->n_moves; i++)
		if (s->moves[i].cookie == cookie)
			return (int)i;
	return -1;
}

/* The file, or one that was it, is moved away from this name. */
static void move_begins(struct follow_source *s, const char *name, uint32_t cookie)
{
	int i = find_move(s, name);

	if (strcmp(name, s->name) != 0) {
		if (i >= 0)
			s->moves[i].cookie = cookie;
		return;
	}
	if (s->n_moves == MOVES_MAX)
		drop_move(s, 0);
	s->moves[s->n_moves++] = (struct move){ xstrdup(name), cookie };
}

static void move_ends(struct follow_source *s, const char *name, uint32_t cookie)
{
	int over = find_move(s, name), i;

	if (over >= 0 && s->moves[over].cookie != cookie)
		drop_move(s, (unsigned)over);
	i = find_cookie(s, cookie);
	if (i < 0)
		return;
	free(s->moves[i].name);
	s->moves[i] = (struct move){ xstrdup(name), 0 };
}

static void on_folder_event(struct follow_source *s, const struct inotify_event *ev, const char *name)
{
	int i;

	s->n_changes += !strcmp(name, s->name) || find_move(s, name) >= 0 || (ev->cookie && find_cookie(s, ev->cookie) >= 0);
	if (ev->mask & IN_MOVED_FROM)
		move_begins(s, name, ev->cookie);
	if (ev->mask & IN_MOVED_TO)
		move_ends(s, name, ev->cookie);
	if (ev->mask & IN_DELETE && (i = find_move(s, name)) >= 0)
		drop_move(s, (unsigned)i);
}

static void on_event(struct watch *w, const struct inotify_event *ev, const char *name)
{
	struct follow_source *s = w->data;

	if (ev->wd == s->folder_wd && *name)
		on_folder_event(s, ev, name);
}

static void on_drained(struct watch *w) { look(w->data); }

/* ---- the source ---- */

static void open_handles(struct follow_source *s)
{
	uv_timer_init(s->loop, &s->poll);
	uv_idle_init(s->loop, &s->turn);
	s->poll.data = s->turn.data = s;
	s->open = true;
	s->watch = (struct watch){ .on_event = on_event, .on_drained = on_drained, .data = s };
	s->folder_wd = watch_open(&s->watch, s->loop) ? -1 : watch_add(&s->watch, s->folder, FOLDER_EVENTS);
	uv_timer_start(&s->poll, on_poll, (uint64_t)s->poll_ms, (uint64_t)s->poll_ms);
}

static int follow_start(struct source *base, uv_loop_t *loop, const struct intake *to, struct err *e)
{
	struct follow_source *s = (struct follow_source *)base;

	s->loop = loop;
	s->to = to;
	open_handles(s);
	s->starting = e;
	add_past(s);
	if (s->open)
		try_add(s, open_name(s->path), s->new_only && !base->past);
	s->starting = NULL;
	if (!s->open)
		return -1;
	if (!s->tails && base->once) {
		follow_stop(base);
		return err_set(e, ERR_IO, "%s: %s", s->path, strerror(ENOENT));
	}
	if (!s->tails) {
		s->noted_missing = true;
		live_note(to, "%s: not there yet, waiting for it", s->path);
	}
	wake(s);
	return 0;
}

static void follow_resume(struct source *base)
{
	struct follow_source *s = (struct follow_source *)base;

	s->paused = false;
	wake(s);
}

static void follow_stop(struct source *base)
{
	struct follow_source *s = (struct follow_source *)base;

	if (!s->open)
		return;
	s->open = false;
	uv_close((uv_handle_t *)&s->poll, NULL);
	uv_close((uv_handle_t *)&s->turn, NULL);
	watch_close(&s->watch);
	base->leaves = true;
	for (struct tail *t = s->tails; t; t = t->next)
		close_stream(s, t);
}

static void follow_status(const struct source *base, char *p, size_t n)
{
	const struct follow_source *s = (const struct follow_source *)base;

	if (s->tails)
		snprintf(p, n, "%s: followed, %lld bytes read", s->path, (long long)base->position);
	else
		snprintf(p, n, "%s: waiting for it", s->path);
}

static const struct live_def follow_live = { follow_start, follow_resume, follow_stop, follow_status, NULL };

bool follow_is(const struct source *s) { return s->live == &follow_live; }

void follow_close(struct source *base)
{
	struct follow_source *s = (struct follow_source *)base;

	while (s->n_moves)
		drop_move(s, 0);
	while (s->tails)
		drop_tail(s, s->tails);
	free(s->over);
	free(s->folder);
}

/* May it be read, if it is there? What is packed can be unpacked only from its start. */
static int check_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char head[UNPACK_SNIFF];
	ssize_t n = fd < 0 ? 0 : pread(fd, head, sizeof head, 0);
	bool more;

	if (fd < 0 && errno != ENOENT)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (n <= 0 || !unpack_sniff(head, (size_t)n, &more))
		return 0;
	err_set(e, ERR_IO, "%s: is packed, and a packed file cannot be followed", path);
	return err_hint(e, "read it to its end: without -F, or ?follow");
}

struct source *follow_open(const struct url *u, const char *path, struct err *e)
{
	static const int64_t range[2] = { 10, 3600000 };
	const char *slash = strrchr(path, '/');
	struct follow_source *s;
	int64_t poll_ms = POLL_MS;

	if (url_option_ms(u, "poll", range, &poll_ms, e) || check_file(path, e))
		return NULL;
	s = xcalloc(1, sizeof *s);
	s->path = path;
	s->name = slash ? slash + 1 : path;
	s->folder = !slash ? xstrdup(".") : slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
	s->new_only = url_option(u, "new-only");
	s->poll_ms = poll_ms;
	s->base.name = path;
	s->base.size = -1;
	s->base.endless = true;
	s->base.live = &follow_live;
	return &s->base;
}

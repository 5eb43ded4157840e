/* Sinks of a job with a checkpoint: what is written waits for the cut, and a micro-batch that was begun before is gone on with. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fd.h"
#include "io/sink_list.h"

static bool is_file(const struct sink *s, struct stat *st) { return s->fd >= 0 && !fstat(s->fd, st) && S_ISREG(st->st_mode); }

/* A file that was just made, by the shell maybe, is on the disk once its name is. */
static int sync_name(const struct sink *s, struct err *e)
{
	char self[64], path[PATH_MAX];
	ssize_t n;

	snprintf(self, sizeof self, "/proc/self/fd/%d", s->fd);
	n = readlink(self, path, sizeof path - 1);
	if (n <= 0)
		return 0;
	path[n] = 0;
	if (!fd_sync_folder(AT_FDCWD, dirname(path)) || errno == ENOENT)
		return 0;
	return err_set(e, ERR_IO, "%s: cannot sync: %s", s->name, strerror(errno));
}

int sink_alone(const struct sink *s, struct err *e)
{
	if (!s->acks)
		return 0;
	err_set(e, ERR_USAGE, "%s: what is not acknowledged yet is kept in a checkpoint, and there is none", s->url.spec);
	return err_hint(e, "say where: --checkpoint DIR; or leave out ?ack at both ends");
}

int sink_keep(struct sink *s, const char *dir, unsigned twin, struct err *e)
{
	struct stat st;

	if (sink_option(s, "replace")) {
		err_set(e, ERR_USAGE, "%s: is replaced as a whole, and with a checkpoint a run writes only what is new", s->name);
		return err_hint(e, "append to it, or write a file for each micro-batch: dir:DIR");
	}
	s->durable = true;
	if (s->def->keep && s->def->keep(s, dir, twin, e))
		return -1;
	if (s->empty && is_file(s, &st) && sync_name(s, e))
		return -1;
	if (s->def->parts)
		return 0;
	s->held = xmalloc(sizeof *s->held);
	held_init(s->held, dir);
	return 0;
}

static int failed(const struct sink *s, struct err *e) { return err_set(e, ERR_IO, "%s: %s", s->name, strerror(errno)); }

static bool appends(const struct sink *s)
{
	int flags = fcntl(s->fd, F_GETFL);

	return flags >= 0 && flags & O_APPEND;
}

int sink_place(const struct sink *s, struct sink_place *out, struct err *e)
{
	struct stat st;

	*out = (struct sink_place){ 0 };
	if (!is_file(s, &st))
		return 0;
	*out = (struct sink_place){ true, st.st_dev, st.st_ino, st.st_size };
	if (!appends(s))
		out->offset = lseek(s->fd, 0, SEEK_CUR);
	return out->offset < 0 ? failed(s, e) : 0;
}

/* ---- what is there already ---- */

struct check {
	int fd;
	int64_t at, end; /* of the file */
	int64_t differs; /* the first byte that is another one, -1: none so far */
};

static int check_piece(void *ctx, const char *p, size_t n)
{
	struct check *c = ctx;
	char own[4096];

	while (n && c->at < c->end) {
		size_t want = n < sizeof own ? n : sizeof own;
		ssize_t r = pread(c->fd, own, want, (off_t)c->at);

		if (r <= 0)
			return 2;
		for (ssize_t i = 0; i < r; i++)
			if (own[i] != p[i]) {
				c->differs = c->at + i;
				return 1;
			}
		p += r;
		n -= (size_t)r;
		c->at += r;
	}
	return c->at >= c->end;
}

static int not_ours(const struct sink *s, int64_t from, int64_t end, struct err *e)
{
	err_set(e, ERR_IO, "%s: bytes %lld to %lld were not written by strm: they are not what micro-batch %llu writes there", s->name,
		(long long)from, (long long)end, (unsigned long long)s->batch);
	return err_hint(e, "nothing was written; cut the file at byte %lld, or give the job another output", (long long)from);
}

static int too_short(const struct sink *s, int64_t size, int64_t offset, struct err *e)
{
	err_set(e, ERR_IO, "%s: has %lld bytes, and micro-batch %llu begins at byte %lld", s->name, (long long)size, (unsigned long long)s->batch,
		(long long)offset);
	return err_hint(e, "what was written before is gone; append to the file with >>");
}

/* A descriptor to read the file with: its own may be for writing only. */
static int open_to_read(const struct sink *s)
{
	char self[32];

	snprintf(self, sizeof self, "/proc/self/fd/%d", s->fd);
	return open(self, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

/* How many of the bytes held are there: *ahead. */
static int compare(struct sink *s, const struct sink_place *from, int64_t size, uint64_t *ahead, struct err *e)
{
	struct check c = { .fd = open_to_read(s), .at = from->offset, .end = size, .differs = -1 };
	int r;

	if (c.fd < 0)
		return failed(s, e);
	r = held_each(s->held, 0, check_piece, &c, e);
	close(c.fd);
	if (r < 0)
		return -1;
	if (r == 2)
		return failed(s, e);
	if (c.differs >= 0 || c.at < c.end)
		return not_ours(s, c.differs >= 0 ? c.differs : c.at, size, e);
	*ahead = (uint64_t)(c.at - from->offset);
	return 0;
}

static int find_ahead(struct sink *s, const struct sink_place *from, uint64_t *ahead, struct err *e)
{
	struct stat st;

	if (!from || !from->file || !is_file(s, &st) || st.st_dev != from->dev || st.st_ino != from->ino)
		return 0;
	if (st.st_size < from->offset)
		return too_short(s, st.st_size, from->offset, e);
	if (st.st_size > from->offset && compare(s, from, st.st_size, ahead, e))
		return -1;
	if (!appends(s) && lseek(s->fd, (off_t)(from->offset + (int64_t)*ahead), SEEK_SET) < 0)
		return failed(s, e);
	return 0;
}

/* ---- delivery ---- */

struct delivery {
	struct sink *s;
	struct err *err;
	int r; /* what a write said */
};

static int write_piece(void *ctx, const char *p, size_t n)
{
	struct delivery *d = ctx;

	d->r = d->s->def->write(d->s, p, n, d->err);
	return d->r != 0;
}

static void note_begin(struct sink *s, const struct sink_place *from)
{
	struct stat st;

	if (!is_file(s, &st))
		return;
	s->begins = from && from->file && from->dev == st.st_dev && from->ino == st.st_ino ? from->offset : st.st_size;
}

/* A sync failed: what the kernel could not write it may hold for written from now on. The micro-batch comes again as a whole. */
static void take_back(const struct sink *s, const struct held *held)
{
	struct stat st;

	if (!fstat(s->fd, &st) && st.st_size == s->begins + (int64_t)held_bytes(held) && !ftruncate(s->fd, (off_t)s->begins) && !appends(s))
		lseek(s->fd, (off_t)s->begins, SEEK_SET);
}

/* All that is held but for the first bytes, and synced. */
static int send_held(struct sink *s, struct held *held, uint64_t ahead, struct err *e)
{
	struct delivery d = { .s = s, .err = e };
	struct stat st;

	if (held_bytes(held) > ahead && held_each(held, ahead, write_piece, &d, e))
		return d.r ? d.r : -1;
	if (held_bytes(held) && is_file(s, &st) && fdatasync(s->fd)) {
		failed(s, e);
		take_back(s, held);
		return -1;
	}
	held_clear(held);
	return 0;
}

int sink_deliver(struct sink *s, const struct sink_place *from, struct err *e)
{
	uint64_t ahead = 0;

	if (!s->held)
		return 0;
	note_begin(s, from);
	if (find_ahead(s, from, &ahead, e))
		return -1;
	return send_held(s, s->held, ahead, e);
}

/* ---- while the next micro-batch is at it ---- */

struct sending {
	pthread_t thread;
	bool on;
	struct sink *sink;
	struct held *held; /* what is written; the sink's own takes what comes next */
	struct err err;
	int r;
};

bool sink_may_overlap(const struct sink *s)
{
	struct stat st;

	return s->held && is_file(s, &st) && !s->def->prepare && !s->def->batch_end && !s->def->settle && !s->acks;
}

static void *sending_thread(void *ctx)
{
	struct sending *own = ctx;

	own->r = send_held(own->sink, own->held, 0, &own->err);
	return NULL;
}

/* Signals are the main thread's. */
static int start_sending(struct sending *own)
{
	sigset_t all, old;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	code = pthread_create(&own->thread, NULL, sending_thread, own);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return code;
}

static struct sending *sending_of(struct sink *s)
{
	struct sending *own = s->sending;

	if (own)
		return own;
	own = xcalloc(1, sizeof *own);
	own->sink = s;
	own->held = xmalloc(sizeof *own->held);
	held_init(own->held, s->held->dir);
	return s->sending = own;
}

static void swap_held(struct sink *s)
{
	struct held *held = s->held;

	s->held = s->sending->held;
	s->sending->held = held;
}

int sink_deliver_begin(struct sink *s, struct err *e)
{
	struct sending *own = sending_of(s);
	int code;

	note_begin(s, NULL);
	swap_held(s);
	own->err = (struct err){ 0 };
	own->r = 0;
	code = start_sending(own);
	own->on = !code;
	if (!code)
		return 0;
	swap_held(s);
	return err_set(e, ERR_IO, "%s: cannot start a thread: %s", s->name, strerror(code));
}

int sink_deliver_end(struct sink *s, struct err *e)
{
	struct sending *own = s->sending;

	if (!own || !own->on)
		return 0;
	pthread_join(own->thread, NULL);
	own->on = false;
	if (own->r)
		*e = own->err;
	return own->r;
}

void sink_forget_sending(struct sink *s)
{
	if (!s->sending)
		return;
	held_release(s->sending->held);
	free(s->sending->held);
	free(s->sending);
	s->sending = NULL;
}

int sink_prepare(struct sink *s, struct buf *rest, struct err *e) { return s->def->prepare ? s->def->prepare(s, rest, e) : 0; }

int sink_recover(struct sink *s, const char *p, size_t n, struct err *e) { return s->def->recover && n ? s->def->recover(s, p, n, e) : 0; }

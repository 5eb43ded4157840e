/* Live input, with a checkpoint: streams as they come. */
#include "runtime/ckpt_live.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char log_key[] = "\nlog";

static struct checkpoint *of_stream(const struct stream *s) { return s->in.job->opts.checkpoint; }

/* ---- feeds ---- */

static struct buf *begin_feed(struct checkpoint *c, char what, const struct place *p)
{
	c->last_feed = c->feeds.n;
	c->fed = NULL;
	buf_char(&c->feeds, what);
	if (p != c->log)
		put_bytes(&c->feeds, place_key(p));
	return &c->feeds;
}

void feed_read(struct checkpoint *c, const struct place *p, uint64_t upto)
{
	if (c->fed == p)
		c->feeds.n = c->last_feed;
	put_varint(begin_feed(c, p == c->log ? 'L' : 'R', p), upto);
	c->fed = p;
}

static struct place *log_place(struct checkpoint *c)
{
	struct place *p = c->log ? c->log : place_get(c, log_key);

	p->now.kind = PLACE_LOG;
	p->now.wal = CKPT_LIVE_WAL;
	return c->log = p;
}

int ckpt_find_log(struct checkpoint *c, uint64_t *end, struct err *e)
{
	if (store_wal_end(c->store, CKPT_LIVE_WAL, end, e))
		return -1;
	c->log = *end || place_find(c, log_key) ? log_place(c) : NULL;
	return 0;
}

static int append(struct checkpoint *c, char what, const struct place *p, struct store_bytes data, struct err *e)
{
	struct place *log = log_place(c);
	struct buf b = { 0 };
	int r;

	buf_char(&b, what);
	put_bytes(&b, place_key(p));
	buf_add(&b, data.p, data.n);
	r = store_wal_append(c->store, log->now.wal, (struct store_bytes){ b.p, b.n }, true, e);
	log->now.wal_at += b.n;
	log->dirty = true;
	feed_read(c, log, log->now.wal_at);
	buf_release(&b);
	return r;
}

/* ---- streams ---- */

void stream_attach(struct stream *s, struct place *p)
{
	s->in.place = p;
	s->in.left = &s->p;
	s->in.left_n = &s->n;
	p->reader = &s->in;
	p->dirty = true;
}

static char *new_key(struct checkpoint *c, const struct stream *s)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s\n%llu", place_of_source(c, s->in.number)->key, (unsigned long long)c->next_stream++);
	return (char *)buf_cstr(&b);
}

/* Of those that have no time of birth also how they are now. */
char *file_done_key(const struct file_id *id)
{
	struct buf b = { 0 };

	buf_printf(&b, "=%llx.%llx.", (unsigned long long)id->dev, (unsigned long long)id->ino);
	if (id->born_ns)
		buf_printf(&b, "%llx", (unsigned long long)id->born_ns);
	else
		buf_printf(&b, ".%llx.%llx", (unsigned long long)id->mtime_ns, (unsigned long long)id->size);
	return (char *)buf_cstr(&b);
}

void place_note_file(struct place *p, int fd)
{
	struct file_id id = { 0 };

	position_of_fd(&p->now.pos, fd);
	file_id_of_fd(fd, &id);
	free(p->done_key);
	p->done_key = file_done_key(&id);
}

/* What lies before the offset. The descriptor is the source's: another one is moved. */
static int trace_to(struct place *p, int own, int64_t offset, struct err *e)
{
	char self[32];
	int fd, n = snprintf(self, sizeof self, "/proc/self/fd/%d", own);
	struct fd_source *f;
	int r;

	fd = n > 0 ? open(self, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	f = fd >= 0 ? fd_source_new(fd, p->now.pos.path, e) : NULL;
	r = f ? position_seek(f, offset, &p->trace, e) : 0;
	if (f)
		fd_source_release(&f->base);
	free(f);
	if (fd >= 0)
		close(fd);
	return r < 0 ? -1 : 0;
}

static int begin_file(struct stream *s, int fd, int64_t offset, struct err *e)
{
	struct checkpoint *c = of_stream(s);
	struct place *p = s->in.place;
	struct buf value = { 0 };

	p->now.kind = PLACE_FILE;
	position_name(&p->now.pos, fd, fd ? s->in.decoder->opts.source : NULL);
	place_note_file(p, fd);
	if (!source_live(s->of->src) || follow_is(s->of->src))
		resume_begins(&p->now.pos);
	if (offset && trace_to(p, fd, offset, e))
		return -1;
	p->trace.offset = p->read_at = offset;
	trace_note(&p->trace, &p->now.pos);
	place_value_put(&value, &p->now);
	put_bytes(begin_feed(c, 'F', p), (struct store_bytes){ value.p, value.n });
	buf_release(&value);
	return 0;
}

int ckpt_stream_begins(struct stream *s, const char *name, int fd, int64_t offset, struct err *e)
{
	struct checkpoint *c = of_stream(s);
	char *key = new_key(c, s);
	struct place *p = place_get(c, key);

	free(key);
	place_begin(p);
	p->now.open = true;
	buf_str(&p->now.name, name);
	stream_attach(s, p);
	if (place_decodes(c, p, s->in.decoder, false, e))
		return -1;
	if (fd >= 0)
		return begin_file(s, fd, offset, e);
	p->now.kind = PLACE_LOG;
	return append(c, 'O', p, (struct store_bytes){ name, strlen(name) }, e);
}

int ckpt_stream_came(struct stream *s, size_t n, struct err *e)
{
	struct checkpoint *c = of_stream(s);
	struct place *p = s->in.place;

	p->read_at += (int64_t)n;
	p->dirty = true;
	if (s->of->live->playing)
		return 0;
	if (p->now.kind == PLACE_LOG)
		return append(c, 'D', p, (struct store_bytes){ s->p + s->n - n, n }, e);
	feed_read(c, p, (uint64_t)p->read_at);
	return 0;
}

/* Does it end because the run does, and goes on in the next one? */
static bool leaves(const struct stream *s)
{
	const struct live *l = s->of->live;

	if (l->playing)
		return false;
	if (s->in.place->now.kind == PLACE_LOG)
		return s->of->src->keeps;
	return l->stopping || s->of->src->leaves || s == s->of->pulled;
}

int ckpt_stream_ends(struct stream *s, struct err *e)
{
	struct checkpoint *c = of_stream(s);
	const struct live *l = s->of->live;
	struct place *p = s->in.place;
	char drop;

	s->leaves = leaves(s);
	if (s->leaves) {
		s->drop = l->stopping || !c->opts.drain;
		if (!s->drop)
			begin_feed(c, 'Z', p);
		return 0;
	}
	s->drop |= l->stopping && !l->playing;
	drop = (char)s->drop;
	p->now.open = false;
	p->now.over = !s->drop;
	p->dirty = true;
	if (l->playing)
		return 0;
	if (p->now.kind == PLACE_LOG)
		return append(c, 'E', p, (struct store_bytes){ &drop, 1 }, e);
	buf_char(begin_feed(c, 'X', p), drop);
	return 0;
}

/* Written to since it was opened, it may be known otherwise. */
static void note_again(struct place *p)
{
	struct file_id id;

	if (p->now.pos.born_ns || file_id_of(p->now.pos.path, &id) || id.dev != p->now.pos.dev || id.ino != p->now.pos.ino)
		return;
	free(p->done_key);
	p->done_key = file_done_key(&id);
}

/* A file of a directory is read once, whatever becomes of it. */
static void note_done(struct checkpoint *c, const struct stream *s)
{
	struct place *p = s->in.place;
	struct buf key = { 0 };

	if (!p->done_key || follow_is(s->of->src))
		return;
	note_again(p);
	buf_printf(&key, "%s\n%s", place_of_source(c, s->in.number)->key, p->done_key);
	place_note_done(c, (struct store_bytes){ key.p, key.n }, p->now.pos.path);
	buf_release(&key);
}

uint64_t ckpt_stream_has(const struct stream *s, bool committed)
{
	return (uint64_t)(committed ? s->in.place->kept_at : s->in.place->read_at);
}

void ckpt_stream_over(struct stream *s)
{
	struct place *p = s->in.place;

	if (p->now.kind == PLACE_FILE || s->leaves)
		place_settle(p);
	p->left = s->leaves;
	p->reader = NULL;
	if (!s->leaves && !s->of->live->failed) {
		p->gone = p->dirty = true;
		if (p->now.kind == PLACE_FILE)
			note_done(of_stream(s), s);
	}
	s->in.place = NULL;
}

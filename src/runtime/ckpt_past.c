/* Live input, with a checkpoint: files that a source goes on with, before all others. */
#include "runtime/ckpt_live.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/hash.h"

/* The key of a file that was read to its end. Released by the caller. */
static struct buf done_key(struct lsource *of, const struct file_id *id)
{
	struct checkpoint *c = ckpt_of_live(of->live);
	char *done = file_done_key(id);
	struct buf key = { 0 };

	buf_printf(&key, "%s\n%s", place_of_source(c, (unsigned)(of - of->live->sources))->key, done);
	free(done);
	return key;
}

static bool is_known(void *ctx, const struct file_id *id)
{
	struct lsource *of = ctx;
	struct checkpoint *c = ckpt_of_live(of->live);
	struct store_found found = { 0 };
	struct err ignored = { 0 };
	struct buf key;
	bool yes;

	for (const struct stream *s = of->streams; s; s = s->next)
		if (s->in.place && s->in.place->now.pos.dev == id->dev && s->in.place->now.pos.ino == id->ino &&
		    s->in.place->now.pos.born_ns == id->born_ns)
			return true;
	key = done_key(of, id);
	yes = store_get(c->store, c->inputs_stage, (struct store_bytes){ key.p, key.n }, &found, &ignored) > 0;
	if (!of->asked_all && !follow_is(of->src)) {
		of->asked = xgrow(of->asked, &of->asked_cap, of->n_asked + 1, sizeof *of->asked);
		of->asked[of->n_asked++] = hash_bytes(key.p, key.n);
	}
	buf_release(&found.value);
	buf_release(&key);
	return yes;
}

/* ---- files of a directory that are gone ---- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Is it of a file of this directory that was not asked for? */
static int find_gone(void *ctx, const struct store_entry *entry)
{
	struct lsource *of = ctx;
	struct checkpoint *c = ckpt_of_live(of->live);
	const char *own = place_of_source(c, (unsigned)(of - of->live->sources))->key;
	size_t n = strlen(own);
	uint64_t hash = hash_bytes(entry->key.p, entry->key.n);

	if (place_is_done(entry->key) && entry->key.n > n && !memcmp(entry->key.p, own, n) && entry->key.p[n] == '\n' &&
	    memrchr(entry->key.p, '\n', entry->key.n) == entry->key.p + n &&
	    !(of->n_asked && bsearch(&hash, of->asked, of->n_asked, sizeof hash, by_value)))
		place_forget_done(c, entry->key);
	return 0;
}

/* What is known of files that are not there is forgotten with the next commit. Where it cannot be read, that tells. */
static void is_gone(void *ctx, const struct file_id *id)
{
	struct lsource *of = ctx;
	struct checkpoint *c = ckpt_of_live(of->live);
	struct err ignored = { 0 };
	struct buf key;

	if (id) {
		key = done_key(of, id);
		place_forget_done(c, (struct store_bytes){ key.p, key.n });
		buf_release(&key);
		return;
	}
	if (of->n_asked)
		qsort(of->asked, of->n_asked, sizeof *of->asked, by_value);
	store_load(c->store, c->inputs_stage, find_gone, of, &ignored);
	free(of->asked);
	of->asked = NULL;
	of->asked_all = true;
	of->n_asked = of->asked_cap = 0;
}

static struct source_past *add_past(struct lsource *of, int fd, const struct resume_leg *leg)
{
	struct arena *a = &of->live->job->arena;
	struct source_past *p = arena_zero(a, sizeof *p), **at = &of->src->past;

	p->fd = fd;
	p->path = arena_str(a, leg->path, strlen(leg->path));
	while (*at)
		at = &(*at)->next;
	return *at = p;
}

/* Its place in the file is the descriptor's own. */
static int open_leg(const struct resume_leg *leg, struct err *e)
{
	struct fd_source *f = resume_open(leg, e);
	int fd = f ? dup(f->fd) : -1;

	if (f)
		source_close(&f->base);
	return fd;
}

static bool is_packed(const struct resume_leg *leg)
{
	struct err ignored = { 0 };
	char head[UNPACK_SNIFF];
	int fd = open_leg(leg, &ignored);
	ssize_t n = fd >= 0 ? fd_read(fd, head, sizeof head) : -1;
	bool more;

	if (fd >= 0)
		close(fd);
	return n > 0 && unpack_sniff(head, (size_t)n, &more);
}

/* Can all of them be followed, as they are? */
static bool can_follow(const struct resumed *r)
{
	for (size_t i = 0; i < r->legs.n; i++)
		if (is_packed(&r->legs.legs[i]))
			return false;
	return true;
}

static bool has_leg(const struct resumed *r, size_t from, const struct resume_leg *leg)
{
	for (size_t i = from; i < r->legs.n; i++)
		if (file_id_stays(&r->legs.legs[i].id, &leg->id))
			return true;
	return false;
}

/* A file that was rotated behind one that is gone on with: does another stream that is gone on with lead to it, or is it read? */
static bool is_anothers(struct lsource *of, size_t at, const struct resume_leg *leg)
{
	const struct live *l = of->live;

	for (size_t i = 0; i < l->n_resumed; i++) {
		const struct resumed *r = &l->resumed[i];

		if (i != at && r->of == of && has_leg(r, 0, leg) && (i > at || file_id_stays(&r->legs.legs[0].id, &leg->id)))
			return true;
	}
	return is_known(of, &leg->id);
}

/* The file has a new name, and is whole: it is read to its end, and the stream ends. */
static int finish_file(struct live *l, struct resumed *r, struct err *e)
{
	struct stream *s = r->stream;

	if (resumed_read(l, s, -1, e))
		return -1;
	resumed_close(r);
	r->stream = NULL;
	stream_closed(s, false);
	return l->failed ? -1 : 0;
}

/* A file that was rotated in between, from its start to its end. */
static int read_between(struct lsource *of, const struct resume_leg *leg, struct err *e)
{
	struct live *l = of->live;
	struct resumed *r = resumed_add(l, stream_new(of, of->src->name, e));

	r->file = r->stream ? resume_open(leg, e) : NULL;
	if (!r->file || ckpt_stream_begins(r->stream, of->src->name, r->file->fd, 0, e))
		return -1;
	return finish_file(l, r, e);
}

/* Packed copies cannot be followed: all but the one that has the name are read here. */
static int read_packed(struct lsource *of, size_t at, struct err *e)
{
	struct live *l = of->live;
	const struct resume_list legs = l->resumed[at].legs;
	const struct resume_leg *last = &legs.legs[legs.n - 1];
	int fd;

	if (finish_file(l, &l->resumed[at], e))
		return -1;
	for (size_t i = 1; i < legs.n && legs.legs[i].finished; i++)
		if (!is_anothers(of, at, &legs.legs[i]) && read_between(of, &legs.legs[i], e))
			return -1;
	if (last->finished || is_packed(last) || is_anothers(of, at, last))
		return 0;
	fd = open_leg(last, e);
	if (fd >= 0)
		add_past(of, fd, last);
	return fd < 0 ? -1 : 0;
}

/* The files of a stream that is gone on with, for a source that the loop drives. */
static int give_past(struct lsource *of, size_t at, struct err *e)
{
	struct resumed *r = &of->live->resumed[at];
	struct source_past *p;

	if (follow_is(of->src) && !can_follow(r))
		return read_packed(of, at, e);
	p = add_past(of, r->file->fd, &r->legs.legs[0]);
	p->stream = r->stream;
	p->offset = r->stream->in.place->read_at;
	r->file->fd = -1;
	for (size_t i = 1; i < r->legs.n && follow_is(of->src); i++) {
		const struct resume_leg *leg = &r->legs.legs[i];
		int fd = is_anothers(of, at, leg) ? -2 : open_leg(leg, e);

		if (fd == -1)
			return -1;
		if (fd >= 0)
			add_past(of, fd, leg);
	}
	source_close(&r->file->base);
	r->file = NULL;
	return 0;
}

/* A file that is read once: the source goes on where it stood. */
static int seek_pulled(struct lsource *of, size_t at, struct err *e)
{
	struct resumed *r = &of->live->resumed[at];
	struct trace *t = xmalloc(sizeof *t);
	int failed = 0;

	if (r->legs.n == 1 && !r->legs.legs[0].finished) {
		failed = position_seek((struct fd_source *)of->src, r->stream->in.place->read_at, t, e);
		of->pulled = r->stream;
	} else {
		failed = read_packed(of, at, e);
	}
	free(t);
	resumed_close(r);
	return failed < 0 ? -1 : 0;
}

int ckpt_live_source(struct lsource *of, struct err *e)
{
	struct live *l = of->live;

	of->src->known = is_known;
	of->src->gone = is_gone;
	of->src->known_ctx = of;
	for (size_t i = 0; i < l->n_resumed; i++) {
		if (!l->resumed[i].file || !l->resumed[i].stream || l->resumed[i].stream->of != of)
			continue;
		if (source_live(of->src) ? give_past(of, i, e) : seek_pulled(of, i, e))
			return -1;
	}
	return 0;
}

void ckpt_live_end(struct live *l)
{
	for (size_t i = 0; i < l->n_resumed; i++) {
		resumed_close(&l->resumed[i]);
		resume_release(&l->resumed[i].legs);
	}
	for (unsigned i = 0; i < l->n; i++) {
		for (struct source_past *p = l->sources[i].src->past; p; p = p->next)
			if (p->fd >= 0)
				close(p->fd);
		free(l->sources[i].asked);
	}
	free(l->resumed);
}

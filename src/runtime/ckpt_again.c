/* Live input, with a checkpoint: streams that were open when the last run ended, and what it had read and not committed. */
#include "runtime/ckpt_live.h"

#include <stdlib.h>

#define TAKE_MAX ((size_t)4 << 20) /* bytes of the log that are in memory at a time */
#define READ_AGAIN ((size_t)64 << 10)

/* ---- streams of the run before ---- */

static int load_decoder(struct stream *s, struct err *e)
{
	const struct place_value *v = &s->in.place->now;

	s->in.skip_rows = v->rows;
	s->in.skip_bads = v->bads;
	return place_decodes(s->in.job->opts.checkpoint, s->in.place, s->in.decoder, true, e);
}

static void stream_add(struct stream *s, const char *p, size_t n)
{
	char *to = stream_room(s, n);

	if (n)
		memcpy(to, p, n);
	s->n += n;
}

static struct stream *restore_stream(struct lsource *of, struct place *p, struct err *e)
{
	struct stream *s = stream_new(of, buf_cstr(&p->now.name), e);

	if (!s)
		return NULL;
	stream_attach(s, p);
	p->dirty = false;
	p->read_at = p->now.pos.offset;
	if (load_decoder(s, e))
		return NULL;
	if (p->now.kind == PLACE_LOG) {
		stream_add(s, p->now.rest.p, p->now.rest.n);
		of->held += s->n;
		p->read_at += (int64_t)s->n;
		p->kept_at = p->read_at;
	}
	return s;
}

void resumed_close(struct resumed *r)
{
	if (r->file)
		source_close(&r->file->base);
	r->file = NULL;
}

/* What had been read and not consumed is in the block again. */
static int read_ahead(struct resumed *r, uint64_t ahead, struct err *e)
{
	struct stream *s = r->stream;

	while (s->n < ahead) {
		ssize_t n = fd_source_read(&r->file->base, stream_room(s, ahead - s->n), ahead - s->n, e);

		if (n <= 0)
			return n < 0 ? -1 : place_no_file(s->in.place, e);
		s->n += (size_t)n;
		s->of->held += (size_t)n;
		s->in.place->read_at += n;
	}
	return 0;
}

/* Where its bytes are now. 0; 1: nowhere, and that is accepted; -1. */
static int find_file(struct checkpoint *c, struct resumed *r, struct err *e)
{
	struct place *p = r->stream->in.place;

	place_resume(c, p, &r->legs);
	if (!r->legs.n)
		return place_lost(c, p, e) ? -1 : 1;
	r->file = place_open(p, &r->legs.legs[0], e);
	if (!r->file)
		return -1;
	place_note_file(p, r->file->fd);
	return read_ahead(r, p->now.ahead, e);
}

struct resumed *resumed_add(struct live *l, struct stream *s)
{
	l->resumed = xgrow(l->resumed, &l->resumed_cap, l->n_resumed + 1, sizeof *l->resumed);
	l->resumed[l->n_resumed] = (struct resumed){ .stream = s, .of = s ? s->of : NULL };
	return &l->resumed[l->n_resumed++];
}

static struct lsource *source_of_key(struct live *l, struct store_bytes key)
{
	for (unsigned i = 0; i < l->n; i++) {
		const char *own = place_of_source(ckpt_of_live(l), i)->key;
		size_t n = strlen(own);

		if (key.n > n && !memcmp(own, key.p, n) && key.p[n] == '\n')
			return &l->sources[i];
	}
	return NULL;
}

static int restore_place(struct live *l, struct place *p, struct err *e)
{
	struct checkpoint *c = ckpt_of_live(l);
	const char *nl = strrchr(p->key, '\n');
	struct lsource *of = nl && p->now.kind != PLACE_NONE && !p->reader && !p->gone ? source_of_key(l, place_key(p)) : NULL;
	struct stream *s;
	int r;

	if (!of)
		return 0;
	s = restore_stream(of, p, e);
	if (!s)
		return -1;
	if (p->now.kind != PLACE_FILE)
		return 0;
	r = find_file(c, resumed_add(l, s), e);
	if (r <= 0)
		return r;
	l->n_resumed--;
	stream_drop(s);
	return 0;
}

static uint64_t number_of(struct store_bytes key)
{
	const char *nl = memrchr(key.p, '\n', key.n);
	uint64_t n = 0;

	for (const char *p = nl ? nl + 1 : key.p + key.n; p < key.p + key.n && *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	return n;
}

/* Numbers are given once. */
static void pass_number(struct checkpoint *c, struct store_bytes key)
{
	uint64_t n = number_of(key);

	if (n >= c->next_stream)
		c->next_stream = n + 1;
}

static int by_number(const void *a, const void *b)
{
	uint64_t m = number_of(place_key(*(struct place *const *)a)), n = number_of(place_key(*(struct place *const *)b));

	return m < n ? -1 : m > n;
}

static int restore_streams(struct live *l, struct err *e)
{
	struct checkpoint *c = ckpt_of_live(l);
	struct place **sorted;
	size_t n;
	int r = 0;

	for (unsigned i = 0; i < l->n; i++)
		place_of_source(c, i); /* none is made during the walk */
	n = c->n_places;
	for (size_t i = 0; i < n; i++)
		pass_number(c, place_key(c->places[i]));
	sorted = xmalloc((n + 1) * sizeof *sorted);
	memcpy(sorted, c->places, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_number);
	for (size_t i = 0; i < n && !r; i++)
		r = restore_place(l, sorted[i], e);
	free(sorted);
	return r;
}

/* A decode call in which a micro-batch ended goes on, before all else. 0 or -1. */
static int go_on(struct live *l, struct err *e)
{
	for (unsigned i = 0; i < l->n && !l->enough; i++)
		for (struct stream *s = l->sources[i].streams, *next; s && !l->enough; s = next) {
			const struct place_value *v = &s->in.place->now;
			int r = 0;

			next = s->next;
			s->closed = !v->open;
			s->drop = s->closed && !v->over;
			if (l->hold || l->marks)
				continue;
			if (s->closed)
				r = stream_end(s, e);
			else if (v->rows | v->bads)
				r = stream_decode(s, s->n, false, e);
			live_verdict(l, r);
		}
	return l->failed ? -1 : 0;
}

/* ---- again ---- */

/* The stream's place. One that begins in this run gets another. */
static struct place *place_at(struct checkpoint *c, struct store_bytes key)
{
	char *own = xstrndup(key.p, key.n);
	struct place *p = place_get(c, own);

	pass_number(c, key);
	free(own);
	return p;
}

static struct stream *find_stream(struct live *l, struct store_bytes key)
{
	for (unsigned i = 0; i < l->n; i++)
		for (struct stream *s = l->sources[i].streams; s; s = s->next)
			if (s->in.place && strlen(s->in.place->key) == key.n && !memcmp(s->in.place->key, key.p, key.n))
				return s;
	return NULL;
}

static int strange(const struct checkpoint *c, struct err *e)
{
	return err_set(e, ERR_IO, "%s: what came in is told in a way that this strm does not know", c->opts.dir);
}

static int give(struct stream *s, const char *p, size_t n)
{
	memcpy(stream_room(s, n + 1), p, n);
	return stream_filled(s, n) < 0 ? -1 : 0;
}

/* A stream of the log begins. Its source may be gone from the program: then nobody reads it. */
static int play_open(struct live *l, struct store_bytes key, struct store_bytes name, struct err *e)
{
	struct lsource *of = source_of_key(l, key);
	struct place *p = of ? place_at(ckpt_of_live(l), key) : NULL;
	char *own = xstrndup(name.p, name.n);
	struct stream *s = of ? stream_new(of, own, e) : NULL;

	free(own);
	if (!of)
		return 0;
	if (!s)
		return -1;
	place_begin(p);
	p->now.open = true;
	p->now.kind = PLACE_LOG;
	p->now.name.n = 0;
	buf_add(&p->now.name, name.p, name.n);
	stream_attach(s, p);
	return place_decodes(ckpt_of_live(l), p, s->in.decoder, false, e);
}

static int play_piece(struct live *l, struct store_bytes piece, struct err *e)
{
	struct bytes_in in = { piece.p + 1, piece.p + piece.n, false };
	struct store_bytes key = get_bytes(&in), rest = { in.p, (size_t)(in.end - in.p) };
	struct stream *s = find_stream(l, key);

	if (piece.p[0] == 'O')
		return play_open(l, key, rest, e);
	if (!s)
		return 0;
	if (piece.p[0] == 'D')
		return give(s, rest.p, rest.n);
	stream_closed(s, rest.n && rest.p[0]);
	return l->failed ? -1 : 0;
}

struct pieces {
	struct buf b;
	uint64_t upto;
};

static int take_piece(void *ctx, uint64_t at, struct store_bytes piece)
{
	struct pieces *p = ctx;

	if (at >= p->upto)
		return 1;
	put_bytes(&p->b, piece);
	return p->b.n >= TAKE_MAX;
}

static int play_pieces(struct live *l, const struct buf *b, struct err *e)
{
	struct checkpoint *c = ckpt_of_live(l);
	struct bytes_in in = { b->p, b->p + b->n, false };
	int r = 0;

	while (!r && in.p < in.end && !l->enough) {
		struct store_bytes piece = get_bytes(&in);

		c->log->now.wal_at += piece.n;
		c->log->dirty = true;
		if (!c->rerun.is)
			feed_read(c, c->log, c->log->now.wal_at);
		r = play_piece(l, piece, e);
	}
	return r;
}

/* What is in the log, up to an offset. */
static int play_log(struct live *l, uint64_t upto, struct err *e)
{
	struct checkpoint *c = ckpt_of_live(l);
	struct pieces p = { .upto = upto };
	int r = 0;

	while (!r && c->log && c->log->now.wal_at < upto && !l->enough) {
		struct store_reader reader = { c->log->now.wal_at, take_piece, &p };

		p.b.n = 0;
		r = store_wal_read(c->store, c->log->now.wal, &reader, e) < 0 || play_pieces(l, &p.b, e) ? -1 : 0;
	}
	buf_release(&p.b);
	return r;
}

static struct resumed *resumed_of(struct live *l, const struct stream *s)
{
	for (size_t i = 0; i < l->n_resumed; i++)
		if (l->resumed[i].stream == s)
			return &l->resumed[i];
	return NULL;
}

/* A decode call begins where the one began in which the micro-batch was cut. */
static size_t room_to_aim(const struct place *p)
{
	const struct place_value *aim = place_aim(p);

	if (!aim || !(aim->rows | aim->bads) || p->read_at >= aim->pos.offset)
		return READ_AGAIN;
	return aim->pos.offset - p->read_at < (int64_t)READ_AGAIN ? (size_t)(aim->pos.offset - p->read_at) : READ_AGAIN;
}

/* Reads the file on, up to an offset, -1: to its end. */
int resumed_read(struct live *l, struct stream *s, int64_t upto, struct err *e)
{
	struct resumed *r = resumed_of(l, s);
	struct place *p = s->in.place;

	while (r && !l->enough && (upto < 0 || p->read_at < upto)) {
		size_t room = room_to_aim(p);
		ssize_t n;

		if (upto >= 0 && (int64_t)room > upto - p->read_at)
			room = (size_t)(upto - p->read_at);
		n = fd_source_read(&r->file->base, stream_room(s, room), room, e);
		if (n < 0 || (!n && upto >= 0))
			return n < 0 ? -1 : place_no_file(p, e);
		if (!n)
			return 0;
		if (stream_filled(s, (size_t)n) < 0)
			return -1;
	}
	return 0;
}

static int play_file(struct live *l, struct store_bytes key, struct store_bytes value, struct err *e)
{
	struct checkpoint *c = ckpt_of_live(l);
	struct lsource *of = source_of_key(l, key);
	struct place *p = place_at(c, key);
	struct place_value v;
	struct stream *s;
	int r;

	if (!of)
		return 0;
	if (place_value_get(value, &v))
		return strange(c, e);
	place_value_release(&p->now);
	p->now = v;
	s = restore_stream(of, p, e);
	if (!s)
		return -1;
	p->dirty = true;
	r = find_file(c, resumed_add(l, s), e);
	return r > 0 ? place_no_file(p, e) : r;
}

static int play_end(struct live *l, struct stream *s, bool drop)
{
	struct resumed *r = resumed_of(l, s);

	if (r) {
		resumed_close(r);
		resume_release(&r->legs);
		r->stream = NULL;
	}
	stream_closed(s, drop);
	return l->failed ? -1 : 0;
}

/* It went on in the next run, and its last line counted without a line end. */
static int play_leave(struct live *l, struct stream *s)
{
	s->leaves = true;
	return play_end(l, s, false);
}

static int play_feed(struct live *l, struct bytes_in *in, struct err *e)
{
	char what = *in->p++;
	struct store_bytes key = { 0 };
	struct stream *s;

	if (what == 'L')
		return play_log(l, get_varint(in), e);
	key = get_bytes(in);
	s = find_stream(l, key);
	if (what == 'F') {
		struct store_bytes value = get_bytes(in);

		return in->bad ? strange(ckpt_of_live(l), e) : play_file(l, key, value, e);
	}
	if (what == 'R') {
		uint64_t upto = get_varint(in);

		return s ? resumed_read(l, s, (int64_t)upto, e) : 0;
	}
	if (what == 'X' || what == 'Z') {
		bool drop = get_le(in, 1);

		return !s ? 0 : what == 'Z' ? play_leave(l, s) : play_end(l, s, drop);
	}
	return strange(ckpt_of_live(l), e);
}

/* The micro-batch that was cut. */
static int run_again(struct live *l, struct err *e)
{
	struct checkpoint *c = ckpt_of_live(l);
	struct bytes_in in = { c->cut.feeds.p, c->cut.feeds.p + c->cut.feeds.n, false };

	while (in.p < in.end && !in.bad && !l->enough)
		if (play_feed(l, &in, e))
			return -1;
	if (in.bad)
		return strange(c, e);
	if ((l->hold || l->marks) && c->rerun.is && live_decode_held(l, e) < 0)
		return -1;
	return c->rerun.is ? ckpt_end_rerun(l->job, e) : 0;
}

/* Connections and pipes of another run are no more. */
static int end_logged(struct live *l)
{
	for (unsigned i = 0; i < l->n && !l->failed; i++)
		for (struct stream *s = l->sources[i].streams, *next; s; s = next) {
			next = s->next;
			if (s->in.place && s->in.place->now.kind == PLACE_LOG && !s->closed && !s->of->src->keeps)
				stream_closed(s, true);
		}
	return l->failed ? -1 : 0;
}

/* Records that come behind the micro-batch that was run again are of now. */
static void go_to_now(struct live *l)
{
	if (l->job->opts.cut.kind == CUT_TIME)
		job_stamp(l->job, clock_now(&l->job->clock));
}

int ckpt_live_again(struct live *l, struct err *e)
{
	struct checkpoint *c = ckpt_of_live(l);
	uint64_t end = 0;
	int r;

	if (ckpt_find_log(c, &end, e) || restore_streams(l, e))
		return -1;
	l->playing = true;
	for (unsigned i = 0; i < l->n && i < 64; i++)
		l->sources[i].ended = c->rerun.is && c->cut.ended >> i & 1;
	if (l->marks)
		live_marks_ended(l);
	r = go_on(l, e) || (c->rerun.is && run_again(l, e)) ? -1 : 0;
	for (unsigned i = 0; i < l->n; i++)
		l->sources[i].ended = l->sources[i].paused = false;
	go_to_now(l);
	/* files that were left in that micro-batch are there again, too */
	if (r || restore_streams(l, e) || play_log(l, end, e))
		return -1;
	l->playing = false;
	return l->stopping ? 0 : end_logged(l);
}

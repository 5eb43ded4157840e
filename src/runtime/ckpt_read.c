/* Inputs that are read in turn, with a checkpoint. A file is gone on with where it stood, perhaps under another name. Bytes of an input that cannot be read
 * again (a pipe) go through a log first; what is in the log and was not taken at the last commit is read from there, as a source of its own. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/ckpt_impl.h"

/* Pieces of the log of an input: the first byte says what it is. */
#define LOG_OPEN 'O' /* a stream begins: the source, its name */
#define LOG_DATA 'D'
#define LOG_END 'E'  /* it ended, and was not cut off */

#define TAKE_MAX ((size_t)4 << 20) /* bytes of the log that are in memory at a time */

/* One --from. */
struct pulled {
	struct place *place;
	bool begun;               /* its place was looked at */
	bool opened;              /* the source itself was opened */
	struct resume_list files; /* to be read before it, or instead */
	size_t file;
	bool finished;            /* the file at hand has lost its name: it is whole */
	bool resumes;             /* what is opened goes on where the place stands */
	bool from_log;            /* it is read from the log */
	bool at_end;              /* what is read from the log has ended in due form */
	struct buf pieces;        /* taken off the log */
	size_t at;                /* those before are handed over */
	uint64_t log_at, log_end; /* how far the log was taken off; all of it */
};

static struct checkpoint *of(const struct input *in) { return in->job->opts.checkpoint; }
static struct pulled *at_hand(const struct input *in) { return &of(in)->pulled[in->number + blocks_spec(in->blocks)]; }

void ckpt_read_free(struct checkpoint *c)
{
	for (unsigned i = 0; i < c->n_pulled; i++) {
		resume_release(&c->pulled[i].files);
		buf_release(&c->pulled[i].pieces);
	}
	free(c->pulled);
}

static void place_moved(struct place *p) { p->dirty = p->moved = true; }

/* ---- the log ---- */

static int take_piece(void *ctx, uint64_t at, struct store_bytes piece)
{
	struct pulled *p = ctx;

	put_bytes(&p->pieces, piece);
	p->log_at = at + piece.n;
	return p->pieces.n >= TAKE_MAX;
}

/* The piece that a stream begins with: its name. */
static struct store_bytes name_in(struct store_bytes piece, struct store_bytes *key)
{
	struct bytes_in in = { piece.p + 1, piece.p + piece.n, false };

	*key = get_bytes(&in);
	return (struct store_bytes){ in.p, (size_t)(in.end - in.p) };
}

/* The piece that comes next, without taking it. 1, 0: there is none, -1. */
static int look_at_piece(struct checkpoint *c, struct pulled *p, struct store_bytes *piece, struct err *e)
{
	struct store_reader r = { p->log_at, take_piece, p };
	struct bytes_in in;

	if (p->at == p->pieces.n) {
		p->pieces.n = p->at = 0;
		if (p->log_at < p->log_end && store_wal_read(c->store, p->place->now.wal, &r, e) < 0)
			return -1;
	}
	if (p->at == p->pieces.n)
		return 0;
	in = (struct bytes_in){ p->pieces.p + p->at, p->pieces.p + p->pieces.n, false };
	*piece = get_bytes(&in);
	return 1;
}

static void pass_piece(struct pulled *p, struct store_bytes piece)
{
	p->at = (size_t)(piece.p + piece.n - p->pieces.p);
	p->place->now.wal_at += piece.n;
	p->place->dirty = true;
}

static ssize_t give_ahead(struct place *p, char *b, size_t n)
{
	size_t k = p->ahead_n < n ? p->ahead_n : n;

	memcpy(b, p->ahead, k);
	p->ahead += k;
	p->ahead_n -= k;
	return (ssize_t)k;
}

/* Bytes of the stream in the log: of what was left, then of its pieces. 0: it ends here. */
static ssize_t read_log(struct input *in, struct pulled *p, char *b, size_t n, struct err *e)
{
	struct store_bytes piece;
	int r = p->place->ahead_n ? 0 : look_at_piece(of(in), p, &piece, e);

	if (r < 0)
		return -1;
	if (p->place->ahead_n)
		return give_ahead(p->place, b, n);
	if (!r || piece.p[0] == LOG_OPEN)
		return 0;
	p->at_end = p->place->now.over = piece.p[0] == LOG_END;
	pass_piece(p, piece);
	if (p->at_end)
		return 0;
	p->place->ahead = piece.p + 1;
	p->place->ahead_n = piece.n - 1;
	return give_ahead(p->place, b, n);
}

static ssize_t no_read(struct source *s, char *p, size_t n, struct err *e)
{
	(void)s, (void)p, (void)n, (void)e;
	return 0;
}

static void no_close(struct source *s) { (void)s; }

static const struct source_def log_def = { .doc = { .name = "log" }, .read = no_read, .close = no_close };

/* What is in the log and was not taken: the rest of a stream, or a stream. 1, 0, -1. */
static int open_log(struct checkpoint *c, struct pulled *p, struct source **out, struct err *e)
{
	struct place_value *v = &p->place->now;
	struct store_bytes piece, name, key;
	int r;

	if (v->kind != PLACE_LOG)
		return 0;
	r = look_at_piece(c, p, &piece, e);
	if (r < 0 || (!r && !v->open))
		return r;
	p->resumes = v->open;
	if (!v->open) {
		place_begin(p->place);
		v->name.n = 0;
		name = name_in(piece, &key);
		buf_add(&v->name, name.p, name.n);
		v->open = true;
		pass_piece(p, piece);
	}
	p->from_log = true;
	p->at_end = v->over;
	*out = xcalloc(1, sizeof **out);
	(*out)->def = &log_def;
	(*out)->name = arena_str(&c->job->arena, v->name.p, v->name.n);
	(*out)->size = -1;
	return 1;
}

static int append(struct checkpoint *c, struct place *p, char what, struct store_bytes data, struct err *e)
{
	struct buf b = { 0 };
	int r;

	buf_char(&b, what);
	buf_add(&b, data.p, data.n);
	r = store_wal_append(c->store, p->now.wal, (struct store_bytes){ b.p, b.n }, true, e);
	p->now.wal_at += b.n;
	p->dirty = true;
	buf_release(&b);
	return r;
}

/* ---- opening ---- */

/* The next of the files that are to be read before the source, or instead. */
static int open_file(struct checkpoint *c, struct pulled *p, struct source **out, struct err *e)
{
	const struct resume_leg *leg = &p->files.legs[p->file++];
	struct position *pos = &p->place->now.pos;
	struct fd_source *f;

	p->resumes = p->file == 1;
	p->at_end = false;
	p->finished = leg->finished;
	if (!p->resumes)
		place_begin(p->place);
	f = p->resumes ? place_open(p->place, leg, e) : resume_open(leg, e);
	if (!f)
		return -1;
	p->place->read_at = pos->offset;
	position_of_fd(pos, f->fd);
	if (!p->resumes) {
		resume_begins(pos);
		p->place->dirty = true;
	}
	f->base.name = arena_str(&c->job->arena, p->place->now.name.p, p->place->now.name.n); /* records still come from what the user named */
	*out = &f->base;
	return 1;
}

static void set_name(struct place_value *v, const char *name)
{
	v->name.n = 0;
	buf_str(&v->name, name);
}

static int begin_file(struct pulled *p, struct source *s, int fd, struct err *e)
{
	off_t at = lseek(fd, 0, SEEK_CUR);

	place_begin(p->place);
	p->place->dirty = true;
	p->place->now.kind = PLACE_FILE;
	set_name(&p->place->now, source_name(s));
	position_name(&p->place->now.pos, fd, fd ? source_name(s) : NULL);
	position_of_fd(&p->place->now.pos, fd);
	resume_begins(&p->place->now.pos);
	if (at > 0 && position_seek((struct fd_source *)s, at, &p->place->trace, e) < 0)
		return -1;
	p->place->read_at = p->place->now.pos.offset = at > 0 ? at : 0;
	return 0;
}

static int begin_logged(struct checkpoint *c, struct pulled *p, const struct source *s, struct err *e)
{
	struct place_value *v = &p->place->now;
	struct buf b = { 0 };
	int r;

	place_begin(p->place);
	if (v->kind != PLACE_LOG) {
		v->wal = c->next_wal++;
		v->wal_at = 0;
	}
	v->kind = PLACE_LOG;
	v->open = true;
	set_name(v, source_name(s));
	put_bytes(&b, (struct store_bytes){ p->place->key, strlen(p->place->key) });
	buf_str(&b, source_name(s));
	r = append(c, p->place, LOG_OPEN, (struct store_bytes){ b.p, b.n }, e);
	buf_release(&b);
	return r;
}

/* The source as the user named it, from its start. */
static int open_source(struct checkpoint *c, struct pulled *p, const char *spec, struct source **out, struct err *e)
{
	struct source *s = source_open(spec, e);
	int fd = s ? fd_source_file(s) : -1;

	if (!s)
		return -1;
	p->opened = true;
	p->from_log = p->resumes = p->finished = p->at_end = false;
	if (fd >= 0 ? begin_file(p, s, fd, e) : begin_logged(c, p, s, e)) {
		source_close(s);
		return -1;
	}
	*out = s;
	return 1;
}

static int take_key(void *ctx, uint64_t at, struct store_bytes piece)
{
	struct buf *b = ctx;
	struct store_bytes key;

	(void)at;
	name_in(piece, &key);
	buf_add(b, key.p, key.n);
	return 1;
}

/* A log that nobody knows of: the run that began it did not come to its first commit. Is it of this source? */
static int adopt_log(struct checkpoint *c, struct place *p, struct err *e)
{
	struct buf key = { 0 };
	struct store_reader first = { 0, take_key, &key };
	uint64_t end;
	int r = 0;

	for (uint32_t wal = c->next_wal; !r; wal++) {
		key.n = 0;
		r = store_wal_end(c->store, wal, &end, e);
		if (r || !end)
			break;
		r = store_wal_read(c->store, wal, &first, e) < 0 ? -1 : 0;
		c->next_wal = wal + 1;
		if (!r && !strcmp(buf_cstr(&key), p->key)) {
			p->now.kind = PLACE_LOG;
			p->now.wal = wal;
			break;
		}
	}
	buf_release(&key);
	return r;
}

/* Where it stood: files to go on with, or what is in the log. 0 or -1. */
static int begin_source(struct checkpoint *c, struct pulled *p, struct err *e)
{
	struct place_value *v = &p->place->now;

	p->begun = true;
	if (v->kind == PLACE_NONE && adopt_log(c, p->place, e))
		return -1;
	if (v->kind == PLACE_LOG) {
		p->log_at = v->wal_at;
		p->place->ahead = v->rest.p;
		p->place->ahead_n = v->rest.n;
		return store_wal_end(c->store, v->wal, &p->log_end, e);
	}
	if (v->kind != PLACE_FILE)
		return 0;
	place_resume(c, p->place, &p->files);
	return p->files.n ? 0 : place_lost(c, p->place, e);
}

/* Is the source read behind this one, as one input? */
static bool follows(const struct job *j, unsigned number, unsigned next)
{
	return j->opts.cut.kind != CUT_MARK && next < j->opts.n_sources && j->reads[next].group == j->reads[number].group;
}

/* Does the micro-batch that is run again go on in a source behind this one? */
static bool goes_on(const struct checkpoint *c, unsigned number)
{
	for (unsigned i = number + 1; follows(c->job, number, i); i++)
		if (place_aim(c->pulled[i].place))
			return true;
	return false;
}

/* A job that is started without an input keeps the place it had. */
static bool is_nothing(const struct source *s)
{
	struct stat own, null;

	if (s->def->read != fd_source_read)
		return true;
	return !fstat(((const struct fd_source *)s)->fd, &own) && !stat("/dev/null", &null) && S_ISCHR(own.st_mode) &&
	       own.st_rdev == null.st_rdev;
}

/* A place is in a file or in a log, and a run that is killed as it goes from one to the other would not know. */
static int no_file_now(const struct source *s, const struct position *was, struct err *e)
{
	err_set(e, ERR_IO, "%s: was a file so far, read up to byte %lld, and is none now", source_name(s), (long long)was->offset);
	return err_hint(e, "read that file, or begin anew with another --checkpoint");
}

/* Does the name stand for another file than the one that was read (a link that was turned)? 1, 0, -1. */
static int is_another(const struct pulled *p, const char *spec, struct err *e)
{
	const struct position *was = &p->place->now.pos;
	struct err ignored = { 0 };
	struct source *s = source_open(spec, &ignored);
	int fd = s ? fd_source_file(s) : -1, r = 0;
	struct file_id id;

	if (fd >= 0)
		r = !file_id_of_fd(fd, &id) && (id.dev != was->dev || id.ino != was->ino);
	else if (s && !is_nothing(s))
		r = no_file_now(s, was, e);
	if (s)
		source_close(s);
	return r;
}

static int read_open(void *ctx, unsigned spec, struct source **out, struct err *e)
{
	struct input *in = ctx;
	struct checkpoint *c = of(in);
	struct pulled *p = &c->pulled[in->number + spec];
	int r;

	if (c->rerun.is && !place_aim(p->place))
		return goes_on(c, in->number + spec) ? 0 : BLOCKS_PAUSE;
	if (!p->begun && begin_source(c, p, e))
		return -1;
	if (p->opened)
		return 0;
	if (p->file < p->files.n)
		return open_file(c, p, out, e);
	r = !p->files.n ? 1 : c->rerun.is ? 0 : is_another(p, c->job->opts.sources[in->number + spec], e);
	if (r <= 0)
		return r;
	r = open_log(c, p, out, e);
	return r ? r : open_source(c, p, c->job->opts.sources[in->number + spec], out, e);
}

/* ---- reading ---- */

static int read_begun(void *ctx, struct err *e)
{
	struct input *in = ctx;
	struct pulled *p = at_hand(in);
	struct place_value *v = &p->place->now;

	p->place->reader = in;
	in->place = p->place;
	in->call_rows = in->call_bads = 0;
	in->past_rows = in->past_bads = 0;
	in->skip_rows = in->skip_bads = 0;
	if (p->resumes) {
		in->skip_rows = v->rows;
		in->skip_bads = v->bads;
	}
	return place_decodes(of(in), p->place, in->decoder, p->resumes, e);
}

/* A stream in the log that ended in the micro-batch is read to that end. */
static bool runs_out(const struct input *in, const struct place_value *aim) { return at_hand(in)->from_log && !aim->open; }

/* In a micro-batch that is run again: bytes up to the end of its leg. SIZE_MAX: no limit; 0: it is reached. */
static size_t room_to_aim(const struct input *in, const struct place *p)
{
	const struct place_value *aim = of(in)->rerun.is ? place_aim(p) : NULL;

	if (!aim || runs_out(in, aim) || ((aim->rows | aim->bads) && p->now.pos.offset >= aim->pos.offset))
		return SIZE_MAX;
	return aim->pos.offset > p->read_at ? (size_t)(aim->pos.offset - p->read_at) : 0;
}

/* At the end of a leg: the source ends here too; BLOCKS_PAUSE: it does not. */
static ssize_t end_of_leg(const struct input *in, struct pulled *p)
{
	const struct place_value *aim = place_aim(p->place);

	if (!aim->over && p->place->leg + 1 == p->place->n_legs && !goes_on(of(in), in->number + blocks_spec(in->blocks)))
		return BLOCKS_PAUSE;
	p->at_end = aim->over;
	p->place->leg++;
	return 0;
}

static ssize_t read_more(void *ctx, struct source *s, char *b, size_t n, struct err *e)
{
	struct input *in = ctx;
	struct checkpoint *c = of(in);
	struct pulled *p = at_hand(in);
	size_t room = room_to_aim(in, p->place);
	ssize_t r;

	if (!room)
		return end_of_leg(in, p);
	n = room < n ? room : n;
	r = p->from_log ? read_log(in, p, b, n, e) : source_read(s, b, n, e);
	if (r < 0)
		return -1;
	p->place->read_at += r;
	if (p->from_log || p->place->now.kind != PLACE_LOG)
		return r;
	p->place->now.over = !r;
	return append(c, p->place, r ? LOG_DATA : LOG_END, (struct store_bytes){ b, (size_t)r }, e) ? -1 : r;
}

static bool read_final(void *ctx)
{
	const struct input *in = ctx;
	const struct pulled *p = at_hand(in);

	if (p->from_log)
		return p->at_end;
	return p->place->now.kind == PLACE_LOG || p->finished || of(in)->opts.drain || p->at_end;
}

void ckpt_decoding(struct input *in, const char *p, size_t n)
{
	in->call_p = p;
	in->call_n = n;
	in->call_rows = in->call_bads = 0;
}

static void read_decoding(void *ctx, const char *p, size_t n) { ckpt_decoding(ctx, p, n); }

/* What is counted from the start of a decode call may reach into the next ones: those that are made again need not be as long. */
static void count_past(struct input *in)
{
	const struct place_value *aim = of(in)->rerun.is ? place_aim(in->place) : NULL;

	if (!aim || in->place->now.pos.offset < aim->pos.offset)
		return;
	in->past_rows += in->call_rows;
	in->past_bads += in->call_bads;
}

void ckpt_decoded(struct input *in, const char *p, size_t used)
{
	struct place_value *v = &in->place->now;
	const struct decoder *d = in->decoder;

	count_past(in);
	in->call_p = NULL;
	in->call_rows = in->call_bads = 0;
	v->line = d->line;
	v->decoder.n = 0;
	if (d->def->save)
		d->def->save(d, &v->decoder);
	v->pos.offset += (int64_t)used;
	if (!used)
		return;
	if (v->kind == PLACE_FILE)
		trace_took(&in->place->trace, p, used);
	place_moved(in->place);
}

static void read_decoded(void *ctx, const char *p, size_t used) { ckpt_decoded(ctx, p, used); }

static int read_ended(void *ctx, const char *b, size_t n, struct err *e)
{
	struct input *in = ctx;
	struct pulled *p = at_hand(in);
	struct place *place = p->place;

	place->now.over = read_final(in);
	if (place->now.kind == PLACE_LOG) {
		place->now.open = false;
		place->dirty = true;
		place->moved |= n > 0; /* it is said once */
		if (n && job_bad_row(in->job, b, n, in->decoder->opts.source, in->decoder->line, "cut off: the run before ended in it", e))
			return -1;
	}
	if (p->file < p->files.n || p->from_log)
		place_turn(of(in), place);
	else
		place_settle(place);
	place->reader = NULL;
	if (of(in)->rerun.is && place_aim(place) && runs_out(in, place_aim(place)))
		place->leg++;
	return 0;
}

void ckpt_read(struct job *j, struct input *in)
{
	struct checkpoint *c = j->opts.checkpoint;

	if (!c->pulled) {
		c->pulled = xcalloc(j->opts.n_sources, sizeof *c->pulled);
		c->n_pulled = j->opts.n_sources;
		for (unsigned i = 0; i < j->opts.n_sources; i++)
			c->pulled[i].place = place_of_source(c, i);
	}
	in->through = (struct blocks_reader){ read_open, read_begun, read_more, read_final, read_decoding, read_decoded, read_ended, in };
	blocks_through(in->blocks, &in->through);
}

/* ---- rows ---- */

void ckpt_takes(struct input *in, uint32_t n)
{
	place_moved(in->place);
	in->call_rows += n;
}

void ckpt_skip(struct input *in, struct batch *b)
{
	uint32_t n = in->skip_rows < b->n_sel ? (uint32_t)in->skip_rows : b->n_sel;

	if (!n)
		return;
	in->skip_rows -= n;
	ckpt_takes(in, n);
	*b = batch_slice(b, n, b->n_sel - n);
}

bool ckpt_skip_bad(struct input *in)
{
	place_moved(in->place);
	in->call_bads++;
	if (!in->skip_bads)
		return false;
	in->skip_bads--;
	return true;
}

uint64_t ckpt_limit(const struct input *in)
{
	const struct place_value *aim = of(in)->rerun.is ? place_aim(in->place) : NULL;
	uint64_t taken = in->past_rows + in->call_rows;

	if (!aim || !(aim->rows | aim->bads) || in->place->now.pos.offset < aim->pos.offset)
		return UINT64_MAX;
	return aim->rows > taken ? aim->rows - taken : 0;
}

bool ckpt_at_limit(const struct input *in, bool more)
{
	const struct place_value *aim = ckpt_limit(in) ? NULL : place_aim(in->place);

	return aim && (more || in->past_bads + in->call_bads >= aim->bads);
}

/* ---- a micro-batch that is run again ---- */

bool ckpt_reaches(const struct input *in)
{
	const struct checkpoint *c = of(in);

	return place_aim(c->pulled[in->number].place) || goes_on(c, in->number);
}

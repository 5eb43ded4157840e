/* Inputs over restarts with another command line: a file that is read in another way, or is named otherwise, goes on where it
 * stood; what was logged of an input that is gone is not left silently. */
#include <stdlib.h>

#include "runtime/ckpt_impl.h"

/* ---- whose is it ---- */

/* Of an input that is read in turn the key is the source's; of the streams of live input so is what stands before the line end.
 */
static bool is_of(const char *own, struct store_bytes key, bool live)
{
	size_t n = strlen(own);

	return key.n >= n && !memcmp(own, key.p, n) && (live ? key.n > n && key.p[n] == '\n' : key.n == n);
}

static bool is_read(struct checkpoint *c, struct store_bytes key, bool live)
{
	for (unsigned i = 0; i < c->job->opts.n_sources; i++)
		if (is_of(place_key_of(c, i), key, live))
			return true;
	return false;
}

static struct store_bytes key_of(const struct place *p) { return (struct store_bytes){ p->key, strlen(p->key) }; }

/* ---- what was logged ---- */

struct left {
	struct checkpoint *c;
	bool live;
	uint64_t n;
	struct buf whose; /* the first of them */
};

static void leave(struct left *l, struct store_bytes key, uint64_t n)
{
	const char *nl = memchr(key.p, '\n', key.n);

	if (n && !l->n)
		buf_add(&l->whose, key.p, nl ? (size_t)(nl - key.p) : key.n);
	l->n += n;
}

/* 'D' key, bytes: of the log of live input. */
static int live_piece(void *ctx, uint64_t at, struct store_bytes piece)
{
	struct left *l = ctx;
	struct bytes_in in = { piece.p + 1, piece.p + piece.n, false };
	struct store_bytes key = get_bytes(&in);

	(void)at;
	if (piece.p[0] == 'D' && !(l->live && is_read(l->c, key, true)))
		leave(l, key, (uint64_t)(in.end - in.p));
	return 0;
}

static int live_left(struct left *l, struct err *e)
{
	const struct place *log = place_find(l->c, "\nlog");
	struct store_reader r = { log ? log->now.wal_at : 0, live_piece, l };
	uint64_t end;

	if (store_wal_end(l->c->store, CKPT_LIVE_WAL, &end, e))
		return -1;
	return end > r.from && store_wal_read(l->c->store, CKPT_LIVE_WAL, &r, e) < 0 ? -1 : 0;
}

/* The log of an input that is read in turn: pieces of data are 'D', bytes; it begins with 'O', key. */
struct turn_log {
	struct left *left;
	struct store_bytes key;
	struct buf own;
};

static int turn_piece(void *ctx, uint64_t at, struct store_bytes piece)
{
	struct turn_log *t = ctx;
	struct bytes_in in = { piece.p + 1, piece.p + piece.n, false };
	struct store_bytes key;

	(void)at;
	if (piece.p[0] == 'D')
		leave(t->left, t->key, piece.n - 1);
	if (piece.p[0] != 'O')
		return 0;
	key = get_bytes(&in);
	t->own.n = 0;
	buf_add(&t->own, key.p, key.n);
	t->key = (struct store_bytes){ t->own.p, t->own.n };
	return !t->left->live && is_read(t->left->c, t->key, false);
}

static int turn_left(struct left *l, const struct place *p, uint32_t wal, struct err *e)
{
	struct turn_log t = { .left = l, .key = p ? key_of(p) : (struct store_bytes){ "", 0 } };
	struct store_reader r = { p ? p->now.wal_at : 0, turn_piece, &t };
	uint64_t end;
	int failed = store_wal_end(l->c->store, wal, &end, e);

	if (!failed && end > r.from)
		failed = store_wal_read(l->c->store, wal, &r, e) < 0 ? -1 : 0;
	buf_release(&t.own);
	return failed;
}

/* It is accepted: the next commit says so. */
static int drop_log(struct checkpoint *c, struct place *p, uint32_t wal, struct err *e)
{
	if (!c->opts.accept_loss)
		return 0;
	p->dirty = true;
	p->now.rest.n = 0;
	if (strchr(p->key, '\n')) {
		p->gone = true;
		return 0;
	}
	p->now.kind = PLACE_LOG;
	p->now.open = false;
	p->now.wal = wal;
	return store_wal_end(c->store, wal, &p->now.wal_at, e);
}

/* One that a run began which did not come to its first commit. */
static int unknown_left(struct left *l, uint32_t wal, struct err *e)
{
	uint64_t before = l->n;
	struct place *p;

	if (turn_left(l, NULL, wal, e))
		return -1;
	if (l->n == before)
		return 0;
	l->c->next_wal = wal + 1;
	p = place_get(l->c, buf_cstr(&l->whose));
	return drop_log(l->c, p, wal, e);
}

static int places_left(struct left *l, struct err *e)
{
	struct checkpoint *c = l->c;

	for (size_t i = 0; i < c->n_places; i++) {
		struct place *p = c->places[i];
		bool streams = strchr(p->key, '\n');

		if (p->now.kind != PLACE_LOG || p->key[0] == '\n' || (streams == l->live && is_read(c, key_of(p), l->live)))
			continue;
		leave(l, key_of(p), p->now.rest.n);
		if ((!streams && turn_left(l, p, p->now.wal, e)) || drop_log(c, p, p->now.wal, e))
			return -1;
	}
	for (uint32_t wal = c->next_wal;; wal++) {
		uint64_t end;

		if (store_wal_end(c->store, wal, &end, e))
			return -1;
		if (!end)
			return 0;
		if (unknown_left(l, wal, e))
			return -1;
	}
}

static int say_left(const struct left *l, struct err *e)
{
	const struct checkpoint *c = l->c;
	const char *whose = buf_cstr((struct buf *)&l->whose);
	char *text;

	if (!l->n)
		return 0;
	text = arena_printf(&c->job->arena,
			    "%s: %llu bytes that came in were not processed, and it is no input of the job any more", whose,
			    (unsigned long long)l->n);
	if (!c->opts.accept_loss) {
		err_set(e, ERR_IO, "%s", text);
		return err_hint(e, "run the job with that input until they are, or drop them: --accept-loss");
	}
	if (c->opts.note)
		c->opts.note(c->opts.ctx, arena_printf(&c->job->arena, "%s: they are dropped", text));
	return 0;
}

/* ---- files ---- */

static bool has_place(struct checkpoint *c, unsigned source, bool live)
{
	for (size_t i = 0; i < c->n_places; i++)
		if (c->places[i]->known && c->places[i]->now.kind != PLACE_NONE &&
		    is_of(place_key_of(c, source), key_of(c->places[i]), live))
			return true;
	return false;
}

/* Is it the file that the source names? */
static bool is_named(const struct checkpoint *c, const struct place *p, unsigned source)
{
	char *path = source_spec_path(c->job->opts.sources[source]);
	struct position own = { 0 };
	bool yes;

	if (!path)
		return false;
	position_name(&own, -1, path);
	yes = !strcmp(own.path, p->now.pos.path);
	position_release(&own);
	free(path);
	return yes;
}

/* The only file that a source stands in which it names, and which is read by nobody else. NULL; *many: there are several. */
static struct place *find_left(struct checkpoint *c, unsigned source, bool live, bool *many)
{
	struct place *found = NULL;

	*many = false;
	for (size_t i = 0; i < c->n_places; i++) {
		struct place *p = c->places[i];

		if (!p->known || p->gone || p->now.kind != PLACE_FILE || is_read(c, key_of(p), live) || !is_named(c, p, source))
			continue;
		*many |= found != NULL;
		found = p;
	}
	return found;
}

static void move_place(struct checkpoint *c, struct place *from, unsigned source, bool live)
{
	const char *own = place_key_of(c, source);
	struct place *to = place_get(c, live ? arena_printf(&c->job->arena, "%s\n0", own) : own);

	to->now = from->now;
	to->now.open = live;
	to->now.over = false;
	to->known = to->dirty = true;
	to->read_at = to->now.pos.offset;
	from->now = (struct place_value){ 0 };
	from->gone = from->dirty = true;
}

static int take_over(struct checkpoint *c, unsigned source, bool live, struct err *e)
{
	bool many;
	struct place *p = has_place(c, source, live) ? NULL : find_left(c, source, live, &many);

	if (!p)
		return 0;
	if (!many && !c->rerun.is) {
		move_place(c, p, source, live);
		return 0;
	}
	err_set(e, ERR_IO, "%s: was read in another way so far, and cannot be gone on with in this one just now",
		p->now.pos.path);
	return err_hint(e, "name the inputs as they were for one run, so that it finishes what it has begun");
}

int ckpt_inputs(struct job *j, bool live, struct err *e)
{
	struct checkpoint *c = j->opts.checkpoint;
	struct left l = { .c = c, .live = live };
	int r = live_left(&l, e) || places_left(&l, e) || say_left(&l, e) ? -1 : 0;

	buf_release(&l.whose);
	for (unsigned i = 0; i < j->opts.n_sources && !r; i++)
		r = take_over(c, i, live, e);
	return r;
}

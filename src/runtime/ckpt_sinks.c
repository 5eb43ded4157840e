/* Outputs over restarts: those that the last run had and the program has no more, those whose file is another one now, and what
 * was acknowledged since the last commit. */
#include <stdio.h>
#include <stdlib.h>

#include "io/sink_ack.h"
#include "runtime/ckpt_impl.h"

static void note(const struct checkpoint *c, const char *text)
{
	if (c->opts.note)
		c->opts.note(c->opts.ctx, text);
}

const char *sink_key(const struct sink *s) { return s->acks ? s->name : s->url.spec; }

static bool is_name(struct store_bytes own, const char *name) { return own.n == strlen(name) && !memcmp(own.p, name, own.n); }

const struct point_sink *sink_of_point(const struct point *p, const char *name, size_t k)
{
	for (size_t i = 0; i < p->n_sinks; i++)
		if (is_name(p->sinks[i].name, name) && !k--)
			return &p->sinks[i];
	return NULL;
}

/* ---- where a micro-batch began ---- */

static bool is_file_of(const struct point_sink *cut, const struct sink_place *now)
{
	return cut->place.file && now->file && cut->place.dev == now->dev && cut->place.ino == now->ino;
}

/* The same file under another name, or with other options. */
static const struct point_sink *same_file(const struct point *p, const struct sink_place *now)
{
	for (size_t i = 0; i < p->n_sinks; i++)
		if (is_file_of(&p->sinks[i], now))
			return &p->sinks[i];
	return NULL;
}

const struct point_sink *sink_of_cut(const struct checkpoint *c, const struct sink *s, size_t k, const struct sink_place *now)
{
	const struct point_sink *named = sink_of_point(&c->cut, sink_key(s), k), *same = same_file(&c->cut, now);
	char text[512];

	if (named && (!named->place.file || is_file_of(named, now)))
		return named;
	if (same || !named)
		return same;
	snprintf(text, sizeof text,
		 "%s: is not the file that micro-batch %llu was begun in; what that one has of it comes here again", sink_name(s),
		 (unsigned long long)c->rerun.batch);
	note(c, text);
	return NULL;
}

int sink_is_alone(const struct checkpoint *c, const struct sink *s, struct err *e)
{
	struct sink_place now, other;

	if (sink_place(s, &now, e))
		return -1;
	for (size_t i = 0; i < c->n_sinks; i++) {
		if (sink_place(c->sinks[i].sink, &other, e))
			return -1;
		if (!now.file || !other.file || now.dev != other.dev || now.ino != other.ino)
			continue;
		err_set(e, ERR_USAGE, "%s: two outputs go into this file, and with a checkpoint each needs to find its own again", sink_name(s));
		return err_hint(e, "give each a file of its own, or bring their records together first: union");
	}
	return 0;
}

/* ---- sinks that are gone ---- */

/* The i-th of a point: does the program have it? */
static bool in_program(const struct checkpoint *c, const struct point *p, size_t i)
{
	size_t before = 0, now = 0;

	for (size_t k = 0; k < i; k++)
		before += p->sinks[k].name.n == p->sinks[i].name.n &&
			  !memcmp(p->sinks[k].name.p, p->sinks[i].name.p, p->sinks[i].name.n);
	for (size_t k = 0; k < c->n_sinks; k++)
		now += is_name(p->sinks[i].name, sink_key(c->sinks[k].sink));
	return before < now;
}

static int unacknowledged(const struct checkpoint *c, const char *name, long long n, struct err *e)
{
	char text[512];

	if (n < 0)
		return err_set(e, ERR_IO, "%s: what the checkpoint says of it is of a kind that this strm does not know", name);
	if (!c->opts.accept_loss) {
		err_set(e, ERR_IO, "%s: %lld bytes were not acknowledged, and it is no output of the program any more", name, n);
		return err_hint(e, "run it with that output until they are, or drop them: --accept-loss");
	}
	snprintf(text, sizeof text, "%s: is no output of the program any more: %lld bytes that were not acknowledged are dropped",
		 name, n);
	note(c, text);
	return 0;
}

/* What was to be done behind the last commit. */
static int leave_commit(struct checkpoint *c, const struct point_sink *s, struct err *e)
{
	char *name = xstrndup(s->name.p, s->name.n);
	int r = 0;

	if (s->acks) {
		int64_t n = sink_ack_waiting(s->rest.p, s->rest.n);

		r = n ? unacknowledged(c, name, n, e) : 0;
	} else if (s->rest.n) {
		r = sink_recover_gone(name, s->rest.p, s->rest.n, e);
	}
	free(name);
	return r;
}

/* Some of the micro-batch that is run again is in the file. */
static int leave_cut(const struct checkpoint *c, const struct point_sink *s, struct err *e)
{
	char *name = xstrndup(s->name.p, s->name.n);
	struct stat st;
	int r = 0;

	if (sink_spec_stat(name, &st) && st.st_dev == s->place.dev && st.st_ino == s->place.ino && st.st_size > s->place.offset) {
		err_set(e, ERR_IO,
			"%s: has %lld bytes of micro-batch %llu, which was not committed, and is no output of the program any "
			"more",
			name, (long long)(st.st_size - s->place.offset), (unsigned long long)c->rerun.batch);
		r = err_hint(e, "run the program as it was, once, or cut the file at byte %lld", (long long)s->place.offset);
	}
	free(name);
	return r;
}

/* Under another name it is an output still. */
static bool has_file(const struct checkpoint *c, const struct point_sink *s)
{
	for (size_t i = 0; i < c->n_sinks; i++)
		if (c->sinks[i].has_from && c->sinks[i].from.file && c->sinks[i].from.dev == s->place.dev &&
		    c->sinks[i].from.ino == s->place.ino)
			return true;
	return false;
}

int sinks_gone(struct checkpoint *c, struct err *e)
{
	for (size_t i = 0; i < c->commit.n_sinks; i++)
		if (!in_program(c, &c->commit, i) && leave_commit(c, &c->commit.sinks[i], e))
			return -1;
	for (size_t i = 0; i < c->cut.n_sinks && c->rerun.is; i++)
		if (c->cut.sinks[i].place.file && !in_program(c, &c->cut, i) && !has_file(c, &c->cut.sinks[i]) &&
		    leave_cut(c, &c->cut.sinks[i], e))
			return -1;
	return 0;
}

/* ---- what is acknowledged ---- */

void sinks_sweep(struct checkpoint *c)
{
	struct sink **all;

	if (c->swept)
		return;
	all = xcalloc(c->n_sinks + 1, sizeof *all);
	for (size_t i = 0; i < c->n_sinks; i++)
		all[i] = c->sinks[i].sink;
	sink_ack_sweep(c->opts.dir, all, c->n_sinks);
	free(all);
	c->swept = true;
}

/* Does the last commit know of a sink that is acknowledged and is gone? */
static bool knows_gone(const struct checkpoint *c)
{
	for (size_t i = 0; i < c->commit.n_sinks; i++)
		if (c->commit.sinks[i].acks && !in_program(c, &c->commit, i))
			return true;
	return false;
}

int sinks_settle(struct checkpoint *c, struct err *e)
{
	bool changed = knows_gone(c);

	for (size_t i = 0; i < c->n_sinks; i++)
		changed |= sink_settle(c->sinks[i].sink);
	return changed ? ckpt_note(c, e) : 0;
}

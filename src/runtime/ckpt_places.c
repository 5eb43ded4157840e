/* Where inputs stand: entries of a stage of their own, one for each source. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/ckpt_impl.h"

const char checkpoint_inputs_stage[] = "(inputs)";

struct place *place_find(struct checkpoint *c, const char *key)
{
	for (size_t i = 0; i < c->n_places; i++)
		if (!strcmp(c->places[i]->key, key))
			return c->places[i];
	return NULL;
}

static struct place *add_place(struct checkpoint *c, char *key_take)
{
	struct place *p = xcalloc(1, sizeof *p);

	p->key = key_take;
	c->places = xgrow(c->places, &c->places_cap, c->n_places + 1, sizeof *c->places);
	return c->places[c->n_places++] = p;
}

struct place *place_get(struct checkpoint *c, const char *key)
{
	struct place *p = place_find(c, key);

	return p ? p : add_place(c, xstrdup(key));
}

const char *place_key_of(struct checkpoint *c, unsigned number)
{
	const char *spec = c->job->opts.sources[number];
	unsigned same = 1;

	if (!c->keys)
		c->keys = arena_zero(&c->job->arena, c->job->opts.n_sources * sizeof *c->keys);
	for (unsigned i = 0; i < number && !c->keys[number]; i++)
		same += !strcmp(c->job->opts.sources[i], spec);
	if (!c->keys[number])
		c->keys[number] = same > 1 ? arena_printf(&c->job->arena, "%s#%u", spec, same) : spec;
	return c->keys[number];
}

/* A source that is named twice stands in two places. */
struct place *place_of_source(struct checkpoint *c, unsigned number) { return place_get(c, place_key_of(c, number)); }

void place_begin(struct place *p)
{
	p->now.pos.offset = p->read_at = 0;
	p->now.rows = p->now.bads = 0;
	p->now.line = 1;
	p->now.decoder.n = 0;
	p->now.over = false;
	p->trace = (struct trace){ 0 };
}

/* ---- from the store ---- */

bool place_is_done(struct store_bytes key)
{
	const char *nl = memrchr(key.p, '\n', key.n);

	return nl && nl + 1 < key.p + key.n && nl[1] == '=';
}

static int load_one(void *ctx, const struct store_entry *entry)
{
	struct checkpoint *c = ctx;
	struct place *p;

	alike_note(c, entry->key);
	if (place_is_done(entry->key))
		return 0;
	p = add_place(c, xstrndup(entry->key.p, entry->key.n));

	p->mark = entry->mark;
	p->known = true;
	if (place_value_get(entry->value, &p->now))
		return 1;
	p->read_at = p->now.pos.offset;
	if (p->now.wal >= c->next_wal)
		c->next_wal = p->now.wal + 1;
	return 0;
}

static int damaged(const struct checkpoint *c, struct err *e)
{
	return err_set(e, ERR_IO, "%s: says where an input stands in a way that this strm does not know", c->opts.dir);
}

int places_load(struct checkpoint *c, struct err *e)
{
	int r = store_load(c->store, c->inputs_stage, load_one, c, e);

	if (r)
		return r > 0 ? damaged(c, e) : -1;
	return alike_keys(c, e);
}

int places_aim(struct checkpoint *c, struct err *e)
{
	for (size_t i = 0; i < c->cut.n_legs; i++) {
		char *key = xstrndup(c->cut.legs[i].key.p, c->cut.legs[i].key.n);
		struct place *p = place_get(c, key);

		free(key);
		p->legs = xgrow(p->legs, &p->legs_cap, p->n_legs + 1, sizeof *p->legs);
		if (place_value_get(c->cut.legs[i].value, &p->legs[p->n_legs]))
			return damaged(c, e);
		p->n_legs++;
	}
	return 0;
}

static int log_reaches(struct checkpoint *c, const struct place_value *v, struct err *e)
{
	uint64_t end;

	if (v->kind != PLACE_LOG || !v->wal)
		return 0;
	if (store_wal_end(c->store, v->wal, &end, e))
		return -1;
	if (end >= v->wal_at)
		return 0;
	return err_set(e, ERR_IO, "%s: the log of input %u ends at byte %llu, and %llu were taken off it: its end is missing", c->opts.dir, v->wal,
		       (unsigned long long)end, (unsigned long long)v->wal_at);
}

int places_check_logs(struct checkpoint *c, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < c->n_places && !r; i++) {
		const struct place *p = c->places[i];

		r = log_reaches(c, &p->now, e);
		for (size_t k = 0; k < p->n_legs && !r; k++)
			r = log_reaches(c, &p->legs[k], e);
	}
	return r;
}

const struct place_value *place_aim(const struct place *p) { return p->leg < p->n_legs ? &p->legs[p->leg] : NULL; }

/* ---- decoders ---- */

/* Does such input begin with the names of its columns? */
static bool has_head(const char *format)
{
	const struct codec_def *d = codec_find(format);

	return d && d->columns;
}

/* In mid-input a decoder finds records where records begin; names of columns it would not find there. */
static int check_format(const struct place *p, const char *now, struct err *e)
{
	const char *was = buf_cstr((struct buf *)&p->now.format);

	if (!*was || !strcmp(was, now) || !(p->now.pos.offset || p->now.rows) || !(has_head(was) || has_head(now)))
		return 0;
	err_set(e, ERR_IO, "%s: was read as %s so far, and cannot be gone on with as %s", buf_cstr((struct buf *)&p->now.name), was, now);
	return err_hint(e, "read it as it was, or begin it anew with another --checkpoint");
}

int place_decodes(const struct checkpoint *c, struct place *p, struct decoder *d, bool goes_on, struct err *e)
{
	struct place_value *v = &p->now;

	if (goes_on && check_format(p, d->def->doc.name, e))
		return -1;
	v->format.n = 0;
	buf_str(&v->format, d->def->doc.name);
	if (goes_on)
		d->line = v->line;
	if (goes_on && v->decoder.n && d->def->load && d->def->load(d, v->decoder.p, v->decoder.n))
		return err_set(e, ERR_IO, "%s: the decoder cannot go on where it was: it is another one", c->opts.dir);
	return 0;
}

/* ---- files that are gone on with ---- */

static void note(const struct checkpoint *c, const char *text)
{
	if (c->opts.note)
		c->opts.note(c->opts.ctx, text);
}

void place_resume(const struct checkpoint *c, const struct place *p, struct resume_list *out)
{
	char text[512];

	resume_find(out, &p->now.pos);
	if (!out->n || !out->changed)
		return;
	if (p->now.rows || p->now.bads || p->now.ahead) {
		resume_release(out); /* of what was seen some was taken */
		return;
	}
	snprintf(text, sizeof text, "%s: what it held behind byte %lld is not there any more; it is read on from there", p->now.pos.path,
		 (long long)p->now.pos.offset);
	note(c, text);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int place_no_file(const struct place *p, struct err *e)
{
	err_set(e, ERR_IO, "%s: is not the file that was read up to byte %lld, and no other beside it is", p->now.pos.path,
		(long long)p->now.pos.offset);
	return err_hint(e, "bring it back beside it, as %s.1, or go on without the rest of it: --accept-loss", base_name(p->now.pos.path));
}

int place_lost(const struct checkpoint *c, const struct place *p, struct err *e)
{
	if (!c->opts.accept_loss)
		return place_no_file(p, e);
	note(c, "input that was read before is gone; what is there is read from its start");
	return 0;
}

struct fd_source *place_open(struct place *p, const struct resume_leg *leg, struct err *e)
{
	struct fd_source *f = resume_open(leg, e);
	int r = f ? position_resume(f, &p->now.pos, &p->trace, e) : -1;

	if (r > 0)
		place_no_file(p, e);
	if (!r)
		return f;
	if (f)
		source_close(&f->base);
	return NULL;
}

/* ---- to the store ---- */

/* What of the log was taken off and not consumed. (`ahead` may be the end of the rest as it was.) */
static void settle_rest(struct place *p)
{
	const struct input *in = p->reader;
	const char *left = in->call_p;
	size_t n = in->call_n;
	struct buf rest = { 0 };

	if (in->left) {
		left = *in->left;
		n = *in->left_n;
	} else if (!left && in->blocks) {
		left = blocks_rest(in->blocks, &n);
	}
	if (left)
		buf_add(&rest, left, n);
	buf_add(&rest, p->ahead, p->ahead_n);
	if (p->ahead_n && p->ahead >= p->now.rest.p && p->ahead < p->now.rest.p + p->now.rest.n)
		p->ahead = rest.p + n;
	buf_release(&p->now.rest);
	p->now.rest = rest;
}

void place_settle(struct place *p)
{
	if (p->now.kind == PLACE_FILE)
		trace_note(&p->trace, &p->now.pos);
	if (p->now.kind == PLACE_LOG && !p->reader && !p->left)
		p->now.rest.n = 0;
	if (!p->reader)
		return;
	p->now.ahead = p->now.kind == PLACE_FILE && p->reader->left ? (uint64_t)(p->read_at - p->now.pos.offset) : 0;
	p->now.rows = p->reader->call_rows;
	p->now.bads = p->reader->call_bads;
	if (p->now.kind == PLACE_LOG)
		settle_rest(p);
}

static void add_leg(struct checkpoint *c, const struct place *p)
{
	struct buf value = { 0 };

	place_value_put(&value, &p->now);
	put_bytes(&c->legs, (struct store_bytes){ p->key, strlen(p->key) });
	put_bytes(&c->legs, (struct store_bytes){ value.p, value.n });
	buf_release(&value);
	c->n_legs++;
}

void place_turn(struct checkpoint *c, struct place *p)
{
	place_settle(p);
	add_leg(c, p);
}

/* As it is at the end of a micro-batch. */
static void settle_last(struct place *p)
{
	place_settle(p);
	if (p->now.kind == PLACE_FILE && !p->gone)
		position_look(&p->now.pos, p->now.ahead);
}

void places_legs(struct checkpoint *c, struct point *cut)
{
	struct bytes_in in;

	for (size_t i = 0; i < c->n_places; i++) {
		if (!c->places[i]->dirty || c->places[i]->now.kind == PLACE_NONE)
			continue;
		settle_last(c->places[i]);
		add_leg(c, c->places[i]);
	}
	cut->feeds = (struct store_bytes){ c->feeds.p, c->feeds.n };
	cut->legs = xcalloc(c->n_legs + 1, sizeof *cut->legs);
	in = (struct bytes_in){ c->legs.p, c->legs.p + c->legs.n, false };
	while (cut->n_legs < c->n_legs) {
		struct point_leg *leg = &cut->legs[cut->n_legs++];

		leg->key = get_bytes(&in);
		leg->value = get_bytes(&in);
	}
}

void places_settle(struct checkpoint *c)
{
	for (size_t i = 0; i < c->n_places; i++)
		if (c->places[i]->dirty)
			settle_last(c->places[i]);
}

static void free_place(struct place *p)
{
	place_value_release(&p->now);
	for (size_t i = 0; i < p->n_legs; i++)
		place_value_release(&p->legs[i]);
	free(p->legs);
	free(p->done_key);
	free(p->key);
	free(p);
}

void place_note_done(struct checkpoint *c, struct store_bytes key, const char *path)
{
	put_bytes(&c->done, key);
	put_bytes(&c->done, (struct store_bytes){ path, strlen(path) });
}

void place_forget_done(struct checkpoint *c, struct store_bytes key)
{
	put_bytes(&c->done, key);
	put_bytes(&c->done, (struct store_bytes){ 0 });
}

static int commit_done(struct checkpoint *c, struct err *e)
{
	struct bytes_in in = { c->done.p, c->done.p + c->done.n, false };
	int r = 0;

	while (!r && in.p < in.end) {
		struct store_bytes kv[2];

		kv[0] = get_bytes(&in);
		kv[1] = get_bytes(&in);
		r = kv[1].n ? store_put(c->store, c->inputs_stage, kv, NULL, e) : store_delete(c->store, c->inputs_stage, kv[0], NULL, e);
	}
	c->done.n = 0;
	return r;
}

/* Streams that have ended. */
static void forget_gone(struct checkpoint *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_places; i++)
		if (c->places[i]->gone)
			free_place(c->places[i]);
		else
			c->places[n++] = c->places[i];
	c->n_places = n;
}

int places_commit(struct checkpoint *c, struct err *e)
{
	struct buf value = { 0 };
	int r = commit_done(c, e);

	for (size_t i = 0; i < c->n_places && !r; i++) {
		struct place *p = c->places[i];
		struct store_bytes kv[2] = { { p->key, strlen(p->key) } };

		if (!p->dirty)
			continue;
		value.n = 0;
		place_value_put(&value, &p->now);
		kv[1] = (struct store_bytes){ value.p, value.n };
		r = p->gone ? (p->mark ? store_delete(c->store, c->inputs_stage, kv[0], &p->mark, e) : 0) : store_put(c->store, c->inputs_stage, kv, &p->mark, e);
		p->dirty = p->moved = false;
		p->trim_at = p->now.wal_at;
		p->kept_at = p->read_at;
	}
	buf_release(&value);
	forget_gone(c);
	c->legs.n = c->feeds.n = 0;
	c->n_legs = 0;
	c->fed = NULL;
	return r;
}

int places_sync(struct checkpoint *c, struct err *e)
{
	for (size_t i = 0; i < c->n_places; i++) {
		const struct place *p = c->places[i];

		if (p->dirty && p->now.kind == PLACE_LOG && p->now.wal && store_wal_sync(c->store, p->now.wal, e))
			return -1;
	}
	return 0;
}

int places_trim(struct checkpoint *c, struct err *e)
{
	for (size_t i = 0; i < c->n_places; i++) {
		struct place *p = c->places[i];

		if (p->now.kind == PLACE_LOG && p->now.wal && p->trim_at && store_wal_trim(c->store, p->now.wal, p->trim_at, e))
			return -1;
		p->trim_at = 0;
	}
	return 0;
}

void places_free(struct checkpoint *c)
{
	for (size_t i = 0; i < c->n_places; i++)
		free_place(c->places[i]);
	free(c->places);
	free(c->noted);
	buf_release(&c->legs);
	buf_release(&c->feeds);
	buf_release(&c->done);
}

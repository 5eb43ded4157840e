/* What cuts, commits and places remember, as bytes: integers little-endian or LEB128, bytes with their length (state/bytes.h). */
#include <stdlib.h>

#include "runtime/ckpt_impl.h"

#define COMMIT_VERSION 4
#define CUT_VERSION 1
#define PLACE_VERSION 3

static void put_int(struct buf *b, int64_t v) { put_le(b, (uint64_t)v, 8); }
static int64_t get_int(struct bytes_in *in) { return (int64_t)get_le(in, 8); }
static void put_buf(struct buf *b, const struct buf *v) { put_bytes(b, (struct store_bytes){ v->p, v->n }); }

static void get_buf(struct bytes_in *in, struct buf *v)
{
	struct store_bytes s = get_bytes(in);

	v->n = 0;
	buf_add(v, s.p, s.n);
}

/* An array of as many items as the bytes say; each takes at least one of them. */
static void *get_array(struct bytes_in *in, size_t *n, size_t size)
{
	uint64_t k = get_varint(in);

	if (k > (uint64_t)(in->end - in->p)) {
		in->bad = true;
		k = 0;
	}
	*n = (size_t)k;
	return k ? xcalloc(k, size) : NULL;
}

static int got(const struct bytes_in *in, struct point *p)
{
	if (!in->bad && in->p == in->end)
		return 0;
	point_release(p);
	return -1;
}

void point_release(struct point *p)
{
	free(p->sinks);
	free(p->marks);
	free(p->spoken);
	free(p->legs);
	*p = (struct point){ 0 };
}

/* ---- commits ---- */

static void put_marks(struct buf *b, const struct point_mark *m, size_t n)
{
	put_varint(b, n);
	for (size_t i = 0; i < n; i++) {
		put_varint(b, m[i].named);
		put_bytes(b, m[i].name);
		put_int(b, m[i].at);
	}
}

static struct point_mark *get_marks(struct bytes_in *in, size_t *n)
{
	struct point_mark *m = get_array(in, n, sizeof *m);

	for (size_t i = 0; i < *n; i++) {
		m[i].named = get_varint(in);
		m[i].name = get_bytes(in);
		m[i].at = get_int(in);
	}
	return m;
}

void commit_put(struct buf *b, const struct point *p)
{
	put_varint(b, COMMIT_VERSION);
	put_int(b, p->clock);
	put_int(b, p->start);
	put_int(b, p->cut_end);
	put_int(b, p->wakes);
	put_varint(b, (uint64_t)p->timed | (uint64_t)p->over << 1 | (uint64_t)p->drained << 2 | (uint64_t)p->finished << 3);
	put_varint(b, p->n_sinks);
	for (size_t i = 0; i < p->n_sinks; i++) {
		put_bytes(b, p->sinks[i].name);
		put_bytes(b, p->sinks[i].columns);
		put_bytes(b, p->sinks[i].rest);
		put_varint(b, p->sinks[i].acks);
	}
	put_marks(b, p->marks, p->n_marks);
	put_marks(b, p->spoken, p->n_spoken);
}

int commit_get(struct store_bytes bytes, struct point *p)
{
	struct bytes_in in = { bytes.p, bytes.p + bytes.n, false };
	uint64_t flags;

	*p = (struct point){ 0 };
	if (get_varint(&in) != COMMIT_VERSION)
		return -1;
	p->clock = get_int(&in);
	p->start = get_int(&in);
	p->cut_end = get_int(&in);
	p->wakes = get_int(&in);
	flags = get_varint(&in);
	p->timed = flags & 1;
	p->over = flags & 2;
	p->drained = flags & 4;
	p->finished = flags & 8;
	p->sinks = get_array(&in, &p->n_sinks, sizeof *p->sinks);
	for (size_t i = 0; i < p->n_sinks; i++) {
		p->sinks[i].name = get_bytes(&in);
		p->sinks[i].columns = get_bytes(&in);
		p->sinks[i].rest = get_bytes(&in);
		p->sinks[i].acks = get_varint(&in);
	}
	p->marks = get_marks(&in, &p->n_marks);
	p->spoken = get_marks(&in, &p->n_spoken);
	return got(&in, p);
}

/* ---- cuts ---- */

void cut_put(struct buf *b, const struct point *p)
{
	put_varint(b, CUT_VERSION);
	put_int(b, p->env_now);
	put_int(b, p->seen);
	put_int(b, p->start);
	put_varint(b, p->ended);
	put_int(b, p->clock);
	put_int(b, p->cut_end);
	put_varint(b, (uint64_t)p->timed | (uint64_t)p->over << 1 | (uint64_t)p->last << 2);
	put_varint(b, p->n_sinks);
	for (size_t i = 0; i < p->n_sinks; i++) {
		put_bytes(b, p->sinks[i].name);
		put_varint(b, p->sinks[i].place.file);
		put_varint(b, p->sinks[i].place.dev);
		put_varint(b, p->sinks[i].place.ino);
		put_varint(b, (uint64_t)p->sinks[i].place.offset);
	}
	put_varint(b, p->n_legs);
	for (size_t i = 0; i < p->n_legs; i++) {
		put_bytes(b, p->legs[i].key);
		put_bytes(b, p->legs[i].value);
	}
	put_bytes(b, p->feeds);
}

int cut_get(struct store_bytes bytes, struct point *p)
{
	struct bytes_in in = { bytes.p, bytes.p + bytes.n, false };
	uint64_t flags;

	*p = (struct point){ 0 };
	if (get_varint(&in) != CUT_VERSION)
		return -1;
	p->env_now = get_int(&in);
	p->seen = get_int(&in);
	p->start = get_int(&in);
	p->ended = get_varint(&in);
	p->clock = get_int(&in);
	p->cut_end = get_int(&in);
	flags = get_varint(&in);
	p->timed = flags & 1;
	p->over = flags & 2;
	p->last = flags & 4;
	p->sinks = get_array(&in, &p->n_sinks, sizeof *p->sinks);
	for (size_t i = 0; i < p->n_sinks; i++) {
		p->sinks[i].name = get_bytes(&in);
		p->sinks[i].place.file = get_varint(&in);
		p->sinks[i].place.dev = get_varint(&in);
		p->sinks[i].place.ino = get_varint(&in);
		p->sinks[i].place.offset = (int64_t)get_varint(&in);
	}
	p->legs = get_array(&in, &p->n_legs, sizeof *p->legs);
	for (size_t i = 0; i < p->n_legs; i++) {
		p->legs[i].key = get_bytes(&in);
		p->legs[i].value = get_bytes(&in);
	}
	p->feeds = get_bytes(&in);
	return got(&in, p);
}

/* ---- places ---- */

void place_value_release(struct place_value *v)
{
	position_release(&v->pos);
	buf_release(&v->rest);
	buf_release(&v->decoder);
	buf_release(&v->name);
	buf_release(&v->format);
	*v = (struct place_value){ 0 };
}

void place_value_put(struct buf *b, const struct place_value *v)
{
	put_varint(b, PLACE_VERSION);
	put_varint(b, v->kind);
	position_put(b, &v->pos);
	put_varint(b, v->wal);
	put_varint(b, v->wal_at);
	put_buf(b, &v->rest);
	put_varint(b, v->ahead);
	put_varint(b, (uint64_t)v->open | (uint64_t)v->over << 1);
	put_varint(b, v->rows);
	put_varint(b, v->bads);
	put_varint(b, v->line);
	put_buf(b, &v->decoder);
	put_buf(b, &v->name);
	put_buf(b, &v->format);
}

int place_value_get(struct store_bytes bytes, struct place_value *v)
{
	struct bytes_in in = { bytes.p, bytes.p + bytes.n, false };
	uint64_t flags;

	*v = (struct place_value){ 0 };
	if (get_varint(&in) != PLACE_VERSION)
		return -1;
	v->kind = (enum place_kind)get_varint(&in);
	position_get(&in, &v->pos);
	v->wal = (uint32_t)get_varint(&in);
	v->wal_at = get_varint(&in);
	get_buf(&in, &v->rest);
	v->ahead = get_varint(&in);
	flags = get_varint(&in);
	v->open = flags & 1;
	v->over = flags & 2;
	v->rows = get_varint(&in);
	v->bads = get_varint(&in);
	v->line = get_varint(&in);
	get_buf(&in, &v->decoder);
	get_buf(&in, &v->name);
	get_buf(&in, &v->format);
	if (!in.bad && in.p == in.end && (v->kind == PLACE_FILE || v->kind == PLACE_LOG))
		return 0;
	place_value_release(v);
	return -1;
}

int checkpoint_read_input(const struct store_entry *entry, struct checkpoint_input *out)
{
	const char *nl = memrchr(entry->key.p, '\n', entry->key.n);
	struct store_bytes name = { entry->key.p, nl ? (size_t)(nl - entry->key.p) : entry->key.n };
	struct place_value v;

	*out = (struct checkpoint_input){ .name = name, .done = place_is_done(entry->key) };
	if (out->done) {
		out->path = entry->value;
		return 0;
	}
	if (place_value_get(entry->value, &v))
		return -1;
	*out = (struct checkpoint_input){ .name = name, .file = v.kind == PLACE_FILE, .offset = v.pos.offset, .line = v.line, .rows = v.rows + v.bads };
	if (out->file) {
		struct bytes_in in = { entry->value.p, entry->value.p + entry->value.n, false };

		get_varint(&in);
		get_varint(&in);
		out->path = get_bytes(&in);
	}
	place_value_release(&v);
	return 0;
}

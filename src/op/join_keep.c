/* Rows of a side as entries of a checkpoint.
 *
 * key    'r' | number of the side | id of the row
 * value  version | matched u8 | time, start, end i64 | order of the group varint | kind of the key u8, its bytes |
 *        the row (kept_row_save) */
#include <stdlib.h>

#include "data/rowstore.h"
#include "op/join_side.h"

#define TAG_ROW 'r'
#define ROW_VERSION 1

static bool is_durable(const struct join_side *s) { return s->kept.durable && *s->kept.durable; }

void join_side_note(struct join_side *s, uint32_t row)
{
	struct join_kept *k = &s->kept;

	if (!is_durable(s) || !s->rows[row].mark)
		return;
	k->changed = xgrow(k->changed, &k->changed_cap, k->n_changed + 1, sizeof *k->changed);
	k->changed[k->n_changed++] = s->rows[row].id;
}

static void put_key(const struct join_side *s, const struct join_row *r, struct buf *key)
{
	keep_number(key, s->number);
	keep_number(key, r->id);
}

void join_side_forget(struct join_side *s, uint32_t row)
{
	struct join_row *r = &s->rows[row];
	struct buf key = { 0 };

	if (!r->mark)
		return;
	buf_char(&key, TAG_ROW);
	put_key(s, r, &key);
	keep_gone_add(&s->kept.gone, key.p, key.n, r->mark);
	r->mark = 0;
	buf_release(&key);
}

/* ---- out ---- */

struct writing {
	const struct join_side *s;
	const struct keytab *keys;
	const uint64_t *order;
	struct keep k;
};

static void put_row(struct writing *w, struct join_row *r)
{
	struct kept_row row = { .schema = r->schema, .v = r->v, .raw = r->raw, .n = r->n };
	struct buf *out = &w->k.value;
	struct key_bytes key;

	if (r->dead || r->group == JOIN_NONE)
		return;
	keep_start(&w->k, TAG_ROW, ROW_VERSION);
	put_key(w->s, r, &w->k.key);
	buf_char(out, (char)(r->matched | r->lone << 1));
	keep_int(out, r->at);
	keep_int(out, r->start);
	keep_int(out, r->end);
	put_varint(out, w->order ? w->order[r->group] : 0);
	keytab_key(w->keys, r->group, &key);
	buf_char(out, (char)key.kind);
	put_bytes(out, (struct store_bytes){ key.p, key.n });
	kept_row_save(&row, out);
	keep_put(&w->k, &r->mark);
}

/* The row with this id, NULL: it is gone. */
static struct join_row *find(const struct join_side *s, uint64_t id)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->rows[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && s->rows[lo].id == id ? &s->rows[lo] : NULL;
}

void join_side_commit(struct join_side *s, const struct keytab *keys, const uint64_t *order, struct keeper *to)
{
	struct writing w = { s, keys, order, { .to = to } };

	keep_gone_commit(&s->kept.gone, to);
	for (size_t i = 0; i < s->kept.n_changed; i++) {
		struct join_row *r = find(s, s->kept.changed[i]);

		if (r)
			put_row(&w, r);
	}
	for (uint32_t i = s->kept.n; i < s->n; i++)
		put_row(&w, &s->rows[i]);
	s->kept.n_changed = 0;
	s->kept.n = s->n;
	keep_release(&w.k);
}

/* ---- in ---- */

/* The key's group, JOIN_NONE: malformed. */
static uint32_t load_key(struct keytab *keys, struct bytes_in *in)
{
	uint32_t kind = (uint32_t)get_le(in, 1), group;
	struct store_bytes bytes = get_bytes(in);
	struct key_bytes key = { .p = bytes.p, .n = (uint32_t)bytes.n, .kind = kind };

	if (in->bad || kind > KEY_ROW || bytes.n > UINT32_MAX)
		return JOIN_NONE;
	keytab_put(keys, &key, 1, &group);
	return group;
}

static int load_row(struct join_side *s, struct bytes_in *in, uint32_t n_extra, struct join_row *r)
{
	struct kept_row row;

	if (kept_row_load(&in->p, in->end, &s->arena, &row) || row.hidden || row.n != row.schema->n + n_extra || !keep_over(in))
		return -1;
	r->schema = row.schema;
	r->v = row.v;
	r->n = row.n;
	r->raw = row.raw;
	*join_side_room(s) = *r;
	s->n++;
	if (r->id > s->kept.ids)
		s->kept.ids = r->id;
	return 0;
}

int join_side_load(struct join_loading *l, const struct kept_entry *entry)
{
	struct bytes_in key = keep_open(entry->key, entry->key_n, TAG_ROW), in = keep_open(entry->value, entry->n, ROW_VERSION);
	uint64_t side = keep_get_number(&key), id = keep_get_number(&key);
	struct join_row r = { .id = id, .mark = entry->mark };
	uint64_t flags;

	flags = get_le(&in, 1);
	r.matched = flags & 1;
	r.lone = flags >> 1;
	r.at = keep_get_int(&in);
	r.start = keep_get_int(&in);
	r.end = keep_get_int(&in);
	l->order = get_varint(&in);
	if (!keep_over(&key) || side >= l->n || !id || !l->sides[side].kept.durable)
		return -1;
	l->group = r.group = load_key(l->keys, &in);
	return r.group == JOIN_NONE ? -1 : load_row(&l->sides[side], &in, l->n_extra, &r);
}

int join_side_order(const struct kept_entry *entry, uint64_t *order)
{
	struct bytes_in in = keep_open(entry->value, entry->n, ROW_VERSION);

	get_le(&in, 1);
	for (int i = 0; i < 3; i++)
		keep_get_int(&in);
	*order = get_varint(&in);
	return in.bad ? -1 : 0;
}

static int by_id(const void *x, const void *y)
{
	uint64_t a = ((const struct join_row *)x)->id, b = ((const struct join_row *)y)->id;

	return a < b ? -1 : a > b;
}

int join_side_loaded(struct join_side *s)
{
	if (s->n)
		qsort(s->rows, s->n, sizeof *s->rows, by_id);
	for (uint32_t i = 0; i < s->n; i++) {
		if (i && s->rows[i].id == s->rows[i - 1].id)
			return -1;
		join_side_link(s, i);
	}
	s->kept.n = s->fresh = s->n;
	return 0;
}

/* key    'h' | kind of the key u8, its bytes
 * value  version | when the first of its rows is over i64 | for each side: rows varint, their ids, each less the one before it
 * varint */
#include "op/join_away.h"

#include <stdlib.h>

/* Before the tag of rows: at the start it is known which of them are away. */
#define TAG_HEAD 'h'
#define TAG_ROW 'r'
#define HEAD_VERSION 1
/* A row with a greater id has no bit at the start. */
#define ID_MAX ((uint64_t)1 << 40)
/* Longer ones stay: their entries would not come before those of rows. */
#define KEY_MAX 400

void join_away_init(struct join_away *a)
{
	a->times.most = (size_t)a->op->run->mem_max / 16;
	a->rows = xcalloc((size_t)a->n_sides, sizeof *a->rows);
	a->skip = xcalloc((size_t)a->n_sides, sizeof *a->skip);
	a->skip_cap = xcalloc((size_t)a->n_sides, sizeof *a->skip_cap);
}

void join_away_release(struct join_away *a)
{
	away_release(&a->away);
	away_times_release(&a->times);
	keep_gone_release(&a->gone);
	join_away_loaded(a);
	free(a->rows);
	free(a->skip);
	free(a->skip_cap);
}

size_t join_away_memory(const struct join_away *a)
{
	size_t n = away_memory(&a->away) + away_times_memory(&a->times) + a->gone.b.cap;

	for (int side = 0; side < a->n_sides; side++)
		n += a->skip_cap[side] * sizeof(uint64_t);
	return n;
}

static void head_key(const struct key_bytes *key, struct buf *out)
{
	buf_char(out, TAG_HEAD);
	buf_char(out, (char)key->kind);
	buf_add(out, key->p, key->n);
}

static bool read_key(const char *p, size_t n, struct key_bytes *key)
{
	if (n < 2 || *p != TAG_HEAD || (unsigned char)p[1] > KEY_ROW || n - 2 > KEY_MAX)
		return false;
	*key = (struct key_bytes){ .p = p + 2, .n = (uint32_t)(n - 2), .kind = (unsigned char)p[1] };
	return true;
}

static int fetch(struct join_away *a, const struct buf *key, struct kept_entry *found, struct err *e)
{
	struct kept_entry ask = { .key = key->p, .key_n = key->n };

	return a->op->run->fetch(a->op->run->fetch_ctx, a->op, &ask, found, e);
}

/* ---- leaving ---- */

/* Of each group, by number. */
struct leaving {
	uint64_t *last; /* id of its last row; 0: it has none */
	int64_t *due;
	uint64_t until; /* those whose last row is not behind this leave */
};

static void note_due(struct leaving *l, const struct join_row *r, int64_t at)
{
	at = at < INT64_MAX ? at : INT64_MAX - 1;
	if (!r->dead && r->group != JOIN_NONE && at < l->due[r->group])
		l->due[r->group] = at;
}

static void look_at_side(const struct join_away *a, int side, struct leaving *l)
{
	const struct join_side *s = &a->side[side];
	const struct expiries *x = a->expiries ? &a->expiries[side] : NULL;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct join_row *r = &s->rows[i];

		if (!r->dead && r->group != JOIN_NONE && r->id > l->last[r->group])
			l->last[r->group] = r->id;
		if (!x && a->due(a->op, r) < INT64_MAX)
			note_due(l, r, a->due(a->op, r));
	}
	for (uint32_t i = 0; x && i < x->n; i++)
		note_due(l, &s->rows[x->at[i].id], x->at[i].time);
}

static void look(const struct join_away *a, struct leaving *l)
{
	uint32_t n = a->keys->n;

	l->last = xcalloc((size_t)n + 1, sizeof *l->last);
	l->due = xmalloc(((size_t)n + 1) * sizeof *l->due);
	for (uint32_t g = 0; g < n; g++)
		l->due[g] = INT64_MAX;
	for (int side = 0; side < a->n_sides; side++)
		look_at_side(a, side, l);
}

static int by_number(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

/* The half of the groups that had no row for the longest time. */
static void choose(const struct join_away *a, struct leaving *l)
{
	uint64_t *sorted = xmalloc(((size_t)a->keys->n + 1) * sizeof *sorted);
	size_t n = 0;

	for (uint32_t g = 0; g < a->keys->n; g++)
		if (l->last[g])
			sorted[n++] = l->last[g];
	if (n)
		qsort(sorted, n, sizeof *sorted, by_number);
	l->until = n ? sorted[n / 2] : 0;
	free(sorted);
}

/* The rows of a group are listed, and dead to the side; their entries stay. */
static void leave_side(struct join_away *a, int side, uint32_t group, struct buf *out)
{
	struct join_side *s = &a->side[side];
	struct buf ids = { 0 };
	uint64_t n = 0, before = 0;

	for (uint32_t i = join_side_first(s, group); i != JOIN_NONE; i = join_side_next(s, i), n++) {
		put_varint(&ids, s->rows[i].id - before);
		before = s->rows[i].id;
	}
	put_varint(out, n);
	buf_add(out, ids.p, ids.n);
	buf_release(&ids);
	a->rows[side] += n;
}

static void bury(struct join_side *s, uint32_t group)
{
	uint32_t i;

	while ((i = join_side_first(s, group)) != JOIN_NONE) {
		s->rows[i].mark = 0;
		join_side_kill(s, i);
	}
}

static void leave_one(struct join_away *a, struct keep *k, uint32_t group, int64_t due)
{
	struct key_bytes key;
	uint32_t mark = 0;

	keytab_key(a->keys, group, &key);
	keep_start(k, TAG_HEAD, HEAD_VERSION);
	k->key.n = 0;
	head_key(&key, &k->key);
	keep_int(&k->value, due);
	for (int side = 0; side < a->n_sides; side++) {
		leave_side(a, side, group, &k->value);
		bury(&a->side[side], group);
	}
	keep_put(k, &mark);
	away_add(&a->away, &key);
	away_times_add(&a->times, due, (struct store_bytes){ k->key.p, k->key.n });
}

static size_t memory(const struct join_away *a) { return op_memory(a->op) - join_away_memory(a) + keytab_leap(a->keys); }

/* Of --mem, in bytes of keys and rows: from 3/8 on half of the keys leaves. Tables may double once in a micro-batch. */
static size_t leave_from(const struct join_away *a)
{
	size_t all = (size_t)a->op->run->mem_max, other = join_away_memory(a);

	return (other < all / 2 ? all - other : all / 2) / 8 * 3;
}

bool join_away_leave(struct join_away *a, struct keeper *to)
{
	struct keep k = { .to = to };
	struct leaving l;
	size_t held = memory(a);
	struct key_bytes key;

	a->whole = false;
	if (held < leave_from(a) || held < a->leave_at)
		return false;
	look(a, &l);
	choose(a, &l);
	for (uint32_t g = 0; g < a->keys->n; g++) {
		keytab_key(a->keys, g, &key);
		if (l.last[g] && l.last[g] <= l.until && key.n <= KEY_MAX)
			leave_one(a, &k, g, l.due[g]);
	}
	keep_release(&k);
	free(l.last);
	free(l.due);
	return true;
}

/* ---- coming back ---- */

static int take_rows(struct join_away *a, int side, struct bytes_in *in, struct err *e)
{
	uint64_t n = get_varint(in), id = 0;
	struct join_loading to = { .sides = a->side, .n = (uint32_t)a->n_sides, .n_extra = a->n_extra, .keys = a->keys };
	struct buf key = { 0 };
	int r = 0;

	a->rows[side] -= n;
	for (; n && !r; n--) {
		struct kept_entry found;

		id += get_varint(in);
		key.n = 0;
		buf_char(&key, TAG_ROW);
		keep_number(&key, (uint64_t)side);
		keep_number(&key, id);
		r = in->bad ? 0 : fetch(a, &key, &found, e);
		r = r < 0 ? -1 : !r || join_side_load(&to, &found) ? keep_refuse(a->op, e) : 0;
		if (!r && a->came)
			a->came(a->op, &a->side[side].rows[a->side[side].n - 1], to.order);
	}
	buf_release(&key);
	return r;
}

/* The rows of a key, behind the others of each side. */
static int take_key(struct join_away *a, const struct buf *key, const struct kept_entry *head, struct err *e)
{
	struct buf copy = { 0 };
	struct bytes_in in;
	int r = 0;

	buf_add(&copy, head->value, head->n);
	keep_gone_add(&a->gone, key->p, key->n, head->mark);
	a->away.n--;
	in = keep_open(copy.p, copy.n, HEAD_VERSION);
	keep_get_int(&in);
	for (int side = 0; side < a->n_sides && !r; side++)
		r = take_rows(a, side, &in, e);
	if (!r && !keep_over(&in))
		r = keep_refuse(a->op, e);
	buf_release(&copy);
	return r;
}

/* Keys that are new to the table. */
static int take_new(struct join_away *a, struct err *e)
{
	struct buf b = { 0 };
	uint32_t n = a->keys->n;
	int r = 0;

	for (uint32_t g = a->known; g < n && r >= 0; g++) {
		struct kept_entry head;
		struct key_bytes key;

		keytab_key(a->keys, g, &key);
		if (key.n > KEY_MAX || !away_may_have(&a->away, &key))
			continue;
		b.n = 0;
		head_key(&key, &b);
		r = fetch(a, &b, &head, e);
		if (r > 0)
			r = take_key(a, &b, &head, e);
	}
	buf_release(&b);
	return r < 0 ? -1 : 0;
}

static int take_one_due(struct join_away *a, int64_t until, const struct buf *b, struct err *e)
{
	struct kept_entry head;
	struct key_bytes key;
	struct bytes_in in;
	int64_t due;
	int r;

	if (!read_key(b->p, b->n, &key) || keytab_find(a->keys, &key) != KEYTAB_NONE)
		return 0;
	r = fetch(a, b, &head, e);
	if (r <= 0)
		return r;
	in = keep_open(head.value, head.n, HEAD_VERSION);
	due = keep_get_int(&in);
	if (due < until || until == INT64_MAX)
		return take_key(a, b, &head, e);
	away_times_add(&a->times, due, (struct store_bytes){ b->p, b->n });
	return 0;
}

static int renew_one(void *ctx, const struct kept_entry *entry)
{
	struct join_away *a = ctx;
	struct bytes_in in = keep_open(entry->value, entry->n, HEAD_VERSION);
	int64_t due = keep_get_int(&in);
	struct key_bytes key;

	if (!read_key(entry->key, entry->key_n, &key))
		return 1; /* behind them */
	if (away_times_wants(&a->times, due) && keytab_find(a->keys, &key) == KEYTAB_NONE)
		away_times_add(&a->times, due, (struct store_bytes){ entry->key, entry->key_n });
	return 0;
}

static int renew(struct join_away *a, struct err *e)
{
	const char tag = TAG_HEAD;
	struct kept_walk w = { .from = &tag, .from_n = 1, .fn = renew_one, .ctx = a };

	away_times_renew(&a->times);
	return a->op->run->walk(a->op->run->fetch_ctx, a->op, &w, e) < 0 ? -1 : 0;
}

/* Keys of which a row is over. */
static int take_due(struct join_away *a, struct err *e)
{
	int64_t w = a->op->watermark, until = w == WATERMARK_END ? w : w + 1;
	struct buf b = { 0 };
	int r = 0;

	while (!r && w != WATERMARK_NONE) {
		while (!r && away_times_take(&a->times, until, &b))
			r = take_one_due(a, until, &b, e);
		if (r || !away_times_short(&a->times, until))
			break;
		r = op_check_memory(a->op, a->keys->n + a->away.n, e) || renew(a, e) ? -1 : 0;
	}
	buf_release(&b);
	return r;
}

static int by_id(const void *x, const void *y)
{
	uint64_t a = ((const struct join_row *)x)->id, b = ((const struct join_row *)y)->id;

	return a < b ? -1 : a > b;
}

/* Rows from n on have come back: they are older than those of this micro-batch. names[old] is the new number of a row. */
static void merge_rows(struct join_side *s, uint32_t n, uint32_t *names)
{
	struct join_row *was = s->rows, *came = was + n, *rows = xmalloc(s->cap * sizeof *rows);
	uint32_t back = s->n - n, old = 0, k = 0;

	for (uint32_t at = 0; at < s->n; at++) {
		bool is_old = k == back || (old < s->fresh && was[old].id < came[k].id);

		names[is_old ? old : n + k] = at;
		rows[at] = is_old ? was[old++] : came[k++];
	}
	free(was);
	s->rows = rows;
	s->fresh += back;
	s->kept.n += back;
	join_side_relink(s);
}

static void merge(struct join_away *a, int side, uint32_t n)
{
	struct join_side *s = &a->side[side];
	uint32_t *names = xmalloc(((size_t)s->n + 1) * sizeof *names);

	qsort(s->rows + n, s->n - n, sizeof *s->rows, by_id);
	merge_rows(s, n, names);
	if (a->expiries)
		expiries_rename(&a->expiries[side], names);
	for (uint32_t i = n; a->expiries && i < s->n; i++)
		a->wait(a->op, side, names[i]);
	free(names);
}

static int list_one(void *ctx, const struct kept_entry *entry)
{
	struct key_bytes key;

	if (!read_key(entry->key, entry->key_n, &key))
		return 1; /* behind them */
	put_bytes(ctx, (struct store_bytes){ entry->key, entry->key_n });
	return 0;
}

static int take_all(struct join_away *a, struct err *e)
{
	const char tag = TAG_HEAD;
	struct buf list = { 0 }, b = { 0 };
	struct kept_walk w = { .from = &tag, .from_n = 1, .fn = list_one, .ctx = &list };
	int r = a->op->run->walk(a->op->run->fetch_ctx, a->op, &w, e) < 0 ? -1 : 0;
	struct bytes_in in = { .p = list.p, .end = list.p + list.n };

	while (!r && in.p < in.end) {
		struct store_bytes key = get_bytes(&in);

		b.n = 0;
		buf_add(&b, key.p, key.n);
		r = take_one_due(a, INT64_MAX, &b, e) || op_check_memory(a->op, a->keys->n + a->away.n, e) ? -1 : 0;
	}
	buf_release(&list);
	buf_release(&b);
	return r;
}

static int take(struct join_away *a, bool all, struct err *e)
{
	uint32_t *n;
	int failed;

	if (!a->away.n)
		return 0;
	n = xmalloc((size_t)a->n_sides * sizeof *n);
	for (int side = 0; side < a->n_sides; side++)
		n[side] = a->side[side].n;
	failed = take_new(a, e) || (all ? take_all(a, e) : take_due(a, e)) ? -1 : 0;
	for (int side = 0; side < a->n_sides && !failed; side++)
		if (a->side[side].n > n[side])
			merge(a, side, n[side]);
	free(n);
	return failed;
}

int join_away_return(struct join_away *a, struct err *e) { return take(a, false, e); }

int join_away_return_all(struct join_away *a, struct err *e) { return take(a, true, e); }

/* ---- commit and start ---- */

void join_away_commit(struct join_away *a, struct keeper *to) { keep_gone_commit(&a->gone, to); }

static void skip_later(struct join_away *a, int side, uint64_t id)
{
	size_t had = a->skip_cap[side];

	a->skip[side] = xgrow(a->skip[side], &a->skip_cap[side], (size_t)(id / 64) + 1, sizeof *a->skip[side]);
	memset(a->skip[side] + had, 0, (a->skip_cap[side] - had) * sizeof *a->skip[side]);
	a->skip[side][id / 64] |= (uint64_t)1 << (id & 63);
}

static int load_head(struct join_away *a, const struct kept_entry *entry)
{
	struct bytes_in in = keep_open(entry->value, entry->n, HEAD_VERSION);
	int64_t due = keep_get_int(&in);
	struct key_bytes key;

	if (!read_key(entry->key, entry->key_n, &key))
		return -1;
	for (int side = 0; side < a->n_sides; side++) {
		uint64_t n = get_varint(&in), id = 0;

		a->rows[side] += n;
		for (; n && !in.bad; n--) {
			id += get_varint(&in);
			in.bad |= id > ID_MAX;
			if (!in.bad)
				skip_later(a, side, id);
		}
	}
	away_add(&a->away, &key);
	away_times_add(&a->times, due, (struct store_bytes){ entry->key, entry->key_n });
	return keep_over(&in) ? 1 : -1;
}

int join_away_load(struct join_away *a, const struct kept_entry *entry)
{
	struct bytes_in in = keep_open(entry->key, entry->key_n, TAG_ROW);
	uint64_t side, id;

	if (entry->key_n && *entry->key == TAG_HEAD)
		return load_head(a, entry);
	side = keep_get_number(&in);
	id = keep_get_number(&in);
	if (!keep_over(&in) || side >= (uint64_t)a->n_sides || id / 64 >= a->skip_cap[side] || !(a->skip[side][id / 64] >> (id & 63) & 1))
		return 0;
	if (id > a->side[side].kept.ids)
		a->side[side].kept.ids = id;
	return 1;
}

void join_away_loaded(struct join_away *a)
{
	for (int side = 0; side < a->n_sides; side++) {
		free(a->skip[side]);
		a->skip[side] = NULL;
		a->skip_cap[side] = 0;
	}
	a->whole = true;
}

/* Keys whose sessions leave memory for the checkpoint. A key that is going to gets a head with the next commit; once that is there, and if no row came since, it
 * leaves. Heads stand before the bunches of their keys, so that at the start it is known which of them stay where they are.
 *
 * key    's' | values of the key
 * value  version | when the first of its sessions ends i64 | rows that have come by then varint | bunches varint, their ids, each less the one before it
 * varint
 *
 * A key is away or in memory with all its sessions. A head that is there tells all of its key. */
#include <stdlib.h>

#include "op/sessions_impl.h"

/* Of --mem: times that are waited for. */
#define DUE_SHARE 16
/* Longer ones stay: their entries have no order. */
#define KEY_MAX 400

static uint32_t *head_mark(const struct sessions *s, uint32_t key) { return &s->groups.table.entries[key].user; }

void sessions_forget_head(struct sessions *s, uint32_t key)
{
	struct buf b = { 0 };

	if (!s->groups.n_keys || !*head_mark(s, key))
		return;
	sessions_key(s, key, &b);
	keep_gone_add(&s->gone, b.p, b.n, *head_mark(s, key));
	*head_mark(s, key) = 0;
	buf_release(&b);
}

void sessions_away_release(struct sessions *s)
{
	away_release(&s->away);
	away_times_release(&s->due);
	keep_dirty_release(&s->heads);
	buf_release(&s->resting);
}

size_t sessions_away_memory(const struct sessions *s) { return away_memory(&s->away) + away_times_memory(&s->due) + keep_dirty_memory(&s->heads); }

/* ---- heads ---- */

static int64_t first_end(const struct sessions *s, uint32_t key)
{
	const struct numbers *l = &s->of[key].list;
	int64_t end = INT64_MAX;

	for (uint32_t i = 0; i < l->n; i++)
		end = s->at[l->at[i]].window.end < end ? s->at[l->at[i]].window.end : end;
	return end;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of all bunches of the key, ascending. The caller frees. */
static uint64_t *ids_of(const struct sessions *s, uint32_t key, size_t *n)
{
	const struct numbers *l = &s->of[key].list;
	uint64_t *ids = NULL;
	size_t cap = 0;

	*n = 0;
	for (uint32_t i = 0; i < l->n; i++) {
		const struct numbers *bunches = &s->at[l->at[i]].bunches;

		for (uint32_t k = 0; k < bunches->n; k++) {
			ids = xgrow(ids, &cap, *n + 1, sizeof *ids);
			ids[(*n)++] = s->bunches[bunches->at[k]].id;
		}
	}
	if (*n)
		qsort(ids, *n, sizeof *ids, by_id);
	return ids;
}

static void put_head(struct sessions *s, uint32_t key, struct keep *k)
{
	uint64_t *ids, last = 0;
	size_t n;

	keep_start(k, SESSIONS_TAG, SESSIONS_HEAD_VERSION);
	k->key.n = 0;
	sessions_key(s, key, &k->key);
	if (k->key.n > KEY_MAX)
		return;
	ids = ids_of(s, key, &n);
	keep_int(&k->value, first_end(s, key));
	put_varint(&k->value, s->arrived);
	put_varint(&k->value, n);
	for (size_t i = 0; i < n; last = ids[i++])
		put_varint(&k->value, ids[i] - last);
	keep_put(k, head_mark(s, key));
	free(ids);
}

void sessions_put_heads(struct sessions *s, struct keep *k)
{
	uint32_t key;

	while ((key = keep_dirty_take(&s->heads)) != UINT32_MAX)
		if (s->of[key].list.n && !*head_mark(s, key))
			put_head(s, key, k);
}

struct head {
	int64_t due;
	uint64_t arrived, n;
	struct bytes_in ids;
};

static struct head open_head(const struct kept_entry *entry)
{
	struct bytes_in in = keep_open(entry->value, entry->n, SESSIONS_HEAD_VERSION);
	struct head h = { .due = keep_get_int(&in) };

	h.arrived = get_varint(&in);
	h.n = get_varint(&in);
	in.bad |= !h.n || !h.arrived;
	h.ids = in;
	return h;
}

/* ---- leaving ---- */

/* Of --mem, in bytes of the operator: from 3/8 on keys leave, down to half of that. Tables may double once in a micro-batch. */
static size_t leave_from(const struct sessions *s)
{
	size_t all = (size_t)s->op.run->mem_max, beside = away_memory(&s->away) + away_times_memory(&s->due);

	return beside + (beside < all / 2 ? all - beside : all / 2) / 8 * 3;
}

static bool is_live(struct timer *t, void *ctx)
{
	const struct sessions *s = ctx;

	return s->at[t->what].live && s->at[t->what].gen == t->gen;
}

static void leave_one(struct sessions *s, uint32_t key)
{
	struct numbers *l = &s->of[key].list;
	int64_t due = first_end(s, key);
	struct buf b = { 0 };

	if (!away_add_group(&s->away, &s->groups, key))
		return;
	sessions_key(s, key, &b);
	away_times_add(&s->due, due, (struct store_bytes){ b.p, b.n });
	buf_release(&b);
	for (uint32_t i = 0; i < l->n; i++) {
		const struct numbers *bunches = &s->at[l->at[i]].bunches;

		for (uint32_t k = 0; k < bunches->n; k++) {
			s->bunches[bunches->at[k]].mark = 0; /* the entry stays */
			sessions_drop_bunch(s, bunches->at[k]);
		}
		sessions_free_slot(s, l->at[i]);
	}
	s->n_dead += l->n > 0;
	l->n = 0;
	*head_mark(s, key) = 0; /* likewise */
}

/* Those without a row for the longest time; of the others as many stay as may. */
static void leave_some(struct sessions *s, uint32_t stay)
{
	for (uint32_t key = 0; key < s->n_of; key++) {
		bool recent = s->of[key].recent;

		s->of[key].recent = false;
		if (!s->of[key].list.n)
			continue;
		if (recent && stay)
			stay--;
		else if (*head_mark(s, key))
			leave_one(s, key);
		else
			keep_dirty_add(&s->heads, key);
	}
}

void sessions_leave(struct sessions *s)
{
	const struct run *run = s->op.run;
	size_t held;

	if (!s->leaves || !run->fetch || s->gone.b.n || s->dirty.n || s->heads.n)
		return;
	held = s->op.cls->memory(&s->op);
	if (held < leave_from(s) || held < s->leave_at)
		return;
	s->due.most = (size_t)(run->mem_max / DUE_SHARE);
	leave_some(s, (uint32_t)((double)leave_from(s) / 2 / ((double)held / (s->n_of - s->n_dead + 1.0))));
	timers_keep(&s->ends, is_live, s);
	sessions_compact(s);
	s->leave_at = s->heads.n ? 0 : s->op.cls->memory(&s->op) / 8 * 9;
}

/* ---- coming back ---- */

static int fetch(struct sessions *s, const struct buf *key, struct kept_entry *found, struct err *e)
{
	struct kept_entry ask = { .key = key->p, .key_n = key->n };

	return s->op.run->fetch(s->op.run->fetch_ctx, &s->op, &ask, found, e);
}

/* The bunches of a head come back to its group. `key`: the head's. */
static int load_bunches(struct sessions *s, struct head *h, const struct buf *key, struct err *e)
{
	struct buf ids = { 0 }, b = { 0 };
	uint64_t id = 0;
	int r = 1;

	buf_add(&ids, h->ids.p, (size_t)(h->ids.end - h->ids.p)); /* the next fetch takes it away */
	h->ids = (struct bytes_in){ .p = ids.p, .end = ids.p + ids.n };
	for (uint64_t i = 0; i < h->n && r > 0; i++) {
		struct kept_entry found;

		id += get_varint(&h->ids);
		b.n = 0;
		buf_add(&b, key->p, key->n);
		keep_number(&b, id);
		r = h->ids.bad ? 0 : fetch(s, &b, &found, e);
		if (r > 0 && sessions_load(s, &found))
			r = 0;
	}
	if (!r || (r > 0 && !keep_over(&h->ids)))
		r = keep_refuse(&s->op, e);
	buf_release(&ids);
	buf_release(&b);
	return r < 0 ? -1 : 0;
}

int sessions_return(struct sessions *s, uint32_t first, struct err *e)
{
	struct away_owner o = { &s->op, &s->groups, &(char){ SESSIONS_TAG }, 1 };
	struct kept_entry found;
	struct buf b = { 0 };
	int r = 0;

	for (uint32_t key = first; s->leaves && key < s->groups.table.n && r >= 0; key++) {
		struct head h;
		uint32_t mark;

		r = away_return(&s->away, &o, key, &found, e);
		if (r <= 0)
			continue;
		h = open_head(&found);
		mark = found.mark;
		b.n = 0;
		sessions_key(s, key, &b);
		r = load_bunches(s, &h, &b, e);
		*head_mark(s, key) = mark;
	}
	buf_release(&b);
	return r < 0 ? -1 : 0;
}

struct bringing {
	struct sessions *s;
	struct groups keys; /* for looking */
	int64_t floor, until, last;
	bool any;
	struct err *e;
};

/* 1: its key is in memory; 0, or -1: it is none. */
static int is_here(struct bringing *b, const struct buf *entry_key)
{
	struct bytes_in key = keep_open(entry_key->p, entry_key->n, SESSIONS_TAG);
	struct key_bytes bytes;
	uint32_t group, own;

	groups_clear(&b->keys);
	if (key.bad || groups_load(&b->keys, &key.p, key.end, &group) || !keep_over(&key))
		return keep_refuse(&b->s->op, b->e);
	keytab_key(&b->keys.table, group, &bytes);
	own = keytab_find(&b->s->groups.table, &bytes);
	return own < b->s->n_of && b->s->of[own].list.n;
}

static int load_key(struct bringing *b, const struct buf *key, const struct kept_entry *entry)
{
	struct sessions *s = b->s;
	struct head h = open_head(entry);
	uint32_t mark = entry->mark, group;
	const char *at = key->p + 1;

	if (h.ids.bad || groups_load(&s->groups, &at, key->p + key->n, &group))
		return keep_refuse(&s->op, b->e);
	if (load_bunches(s, &h, key, b->e))
		return -1;
	s->away.n--;
	*head_mark(s, group) = mark;
	b->any = true;
	return op_check_memory(&s->op, s->n_live + s->away.n, b->e);
}

/* What was noted of a key may be over by now: another time is noted elsewhere, or has been. */
static int bring_one(struct bringing *b, const struct buf *key, int64_t at)
{
	struct kept_entry found;
	int64_t due;
	int got = is_here(b, key);

	if (got)
		return got < 0 ? -1 : 0;
	got = fetch(b->s, key, &found, b->e);
	if (got <= 0)
		return got;
	due = open_head(&found).due;
	if (due == at && due >= b->floor)
		return load_key(b, key, &found);
	if (due > at)
		away_times_add(&b->s->due, due, (struct store_bytes){ key->p, key->n });
	return 0;
}

static bool is_crowded(const struct sessions *s)
{
	return s->op.cls->memory(&s->op) + keytab_leap(&s->groups.table) > s->op.run->mem_max / 2;
}

/* Those that are known to be due, until memory gets short: then b->until is the time of the next. */
static int bring_known(struct bringing *b)
{
	struct away_times *t = &b->s->due;
	struct buf key = { 0 };
	int failed = 0;

	while (!failed && t->n && t->heap[0].at < b->until) {
		if (b->any && t->heap[0].at > b->last && is_crowded(b->s)) {
			b->until = t->heap[0].at;
			break;
		}
		b->last = t->heap[0].at;
		away_times_take(t, b->until, &key);
		failed = bring_one(b, &key, b->last);
	}
	buf_release(&key);
	return failed;
}

static int renew_one(void *ctx, const struct kept_entry *entry)
{
	struct bringing *b = ctx;
	struct buf key = { .p = (char *)(uintptr_t)entry->key, .n = entry->key_n };
	struct head h;
	int here;

	if (!entry->key_n || *entry->key != SESSIONS_TAG || !entry->n || *entry->value != SESSIONS_HEAD_VERSION)
		return 0;
	h = open_head(entry);
	if (h.ids.bad)
		return keep_refuse(&b->s->op, b->e);
	if (h.due < b->floor || !away_times_wants(&b->s->due, h.due))
		return 0;
	here = is_here(b, &key);
	if (!here)
		away_times_add(&b->s->due, h.due, (struct store_bytes){ entry->key, entry->key_n });
	return here < 0 ? -1 : 0;
}

int sessions_bring(struct sessions *s, int64_t floor, int64_t until, int64_t *upto, struct err *e)
{
	const struct run *run = s->op.run;
	struct bringing b = { .s = s, .floor = floor, .until = until, .last = INT64_MIN, .e = e };
	struct away_times *t = &s->due;
	int failed = 0;

	groups_init(&b.keys, s->groups.n_keys);
	if ((!t->n || t->heap[0].at >= until) && away_times_short(t, until)) {
		away_times_renew(t);
		failed = run->walk(run->fetch_ctx, &s->op, &(struct kept_walk){ &(char){ SESSIONS_TAG }, 1, renew_one, &b }, e);
	}
	if (!failed)
		failed = bring_known(&b);
	*upto = away_times_short(t, b.until) && t->horizon < b.until ? t->horizon : b.until;
	groups_release(&b.keys);
	return failed < 0 ? -1 : 0;
}

/* ---- at the start ---- */

static void rest(struct sessions *s, const struct kept_entry *entry, int64_t due)
{
	s->resting.n = 0;
	buf_add(&s->resting, entry->key, entry->key_n);
	s->due.most = (size_t)(s->op.run->mem_max / DUE_SHARE);
	away_times_add(&s->due, due, (struct store_bytes){ entry->key, entry->key_n });
}

int sessions_load_head(struct sessions *s, const struct kept_entry *entry)
{
	struct head h = open_head(entry);
	const char *at = entry->key + 1, *end = entry->key + entry->key_n;
	struct bringing b = { .s = s };
	struct buf key = { .p = (char *)(uintptr_t)entry->key, .n = entry->key_n };
	struct err none = { 0 };
	uint32_t group = 0;
	int here;

	s->resting.n = 0;
	if (!s->groups.n_keys || h.ids.bad || *entry->key != SESSIONS_TAG)
		return -1;
	if (h.arrived > s->arrived)
		s->arrived = h.arrived;
	groups_init(&b.keys, s->groups.n_keys);
	b.e = &none;
	here = is_here(&b, &key);
	if (!here && s->leaves && away_add_group(&s->away, &b.keys, 0))
		rest(s, entry, h.due);
	else if (here >= 0 && groups_load(&s->groups, &at, end, &group))
		here = -1;
	else if (here >= 0)
		*head_mark(s, group) = entry->mark;
	groups_release(&b.keys);
	return here < 0 ? -1 : 0;
}

bool sessions_is_resting(struct sessions *s, const struct kept_entry *entry)
{
	struct bytes_in key = { .p = entry->key + s->resting.n, .end = entry->key + entry->key_n };
	uint64_t id;

	if (!s->resting.n || entry->key_n <= s->resting.n || memcmp(entry->key, s->resting.p, s->resting.n))
		return false;
	id = keep_get_number(&key);
	if (id > s->ids)
		s->ids = id;
	return keep_over(&key);
}

#include "op/op_rows.h"

#include <stdlib.h>

#include "op/away.h"
#include "op/away_times.h"
#include "op/keep.h"

#define SLOT_NONE UINT32_MAX

/* The open windows of a key, oldest first. */
struct rows_key {
	uint64_t seen;
	uint32_t first, last;
	uint32_t number; /* in the order of first appearance */
	uint32_t ends;   /* when it was committed last */
	bool recent;     /* committed since keys last left memory */
};

struct rows_slot {
	uint64_t n;
	uint32_t key, next;
};

struct rows {
	struct op op;
	struct reducer reducer;
	uint64_t size, slide;
	struct groups groups;
	struct rows_key *keys;
	size_t keys_cap;
	uint32_t n_keys;
	struct rows_slot *slots;
	size_t slots_cap;
	uint32_t n_slots, n_open;
	struct agg_states *states;
	uint32_t *unused, *full; /* slots free again; slots filled by the rows at hand, in order */
	size_t unused_cap, full_cap;
	uint32_t n_unused, n_full;
	/* (row, slot) of the rows at hand */
	uint32_t *row, *slot;
	size_t row_cap, slot_cap;
	uint32_t n_pairs;
	struct keep_dirty dirty; /* with run->durable: keys; their marks are the groups' */
	uint32_t mark;           /* without keys */
	uint32_t next;           /* number of the next key */
	bool mixed;              /* keys may not stand in the order of their numbers */
	/* with --mem */
	struct away away;
	struct groups look;      /* a key at a time */
	size_t leave_at;         /* bytes from which on it is worth looking which keys do */
	uint32_t ends;           /* how often all windows have ended while keys were away: what these had open before is void */
	uint32_t ends_kept, ends_mark;
};

static struct rows_key *add_key(struct rows *r)
{
	r->keys = xgrow(r->keys, &r->keys_cap, (size_t)r->n_keys + 1, sizeof *r->keys);
	r->keys[r->n_keys] = (struct rows_key){ .first = SLOT_NONE, .last = SLOT_NONE };
	return &r->keys[r->n_keys++];
}

static void open_window(struct rows *r, uint32_t key)
{
	struct rows_key *k = &r->keys[key];
	uint32_t slot = r->n_unused ? r->unused[--r->n_unused] : r->n_slots++;

	r->slots = xgrow(r->slots, &r->slots_cap, r->n_slots, sizeof *r->slots);
	states_reserve(r->states, &r->reducer, r->n_slots);
	r->slots[slot] = (struct rows_slot){ .key = key, .next = SLOT_NONE };
	if (k->first == SLOT_NONE)
		k->first = slot;
	else
		r->slots[k->last].next = slot;
	k->last = slot;
	r->n_open++;
}

static void free_slot(struct rows *r, uint32_t slot)
{
	states_reset(r->states, &r->reducer, slot);
	r->unused = xgrow(r->unused, &r->unused_cap, r->n_unused + 1, sizeof *r->unused);
	r->unused[r->n_unused++] = slot;
}

/* The oldest window of the key is full: it leaves the list and waits for its way out. */
static void close_first(struct rows *r, struct rows_key *k)
{
	r->full = xgrow(r->full, &r->full_cap, r->n_full + 1, sizeof *r->full);
	r->full[r->n_full++] = k->first;
	k->first = r->slots[k->first].next;
	if (k->first == SLOT_NONE)
		k->last = SLOT_NONE;
	r->n_open--;
}

static void put_row(struct rows *r, uint32_t row, uint32_t key)
{
	struct rows_key *k = &r->keys[key];
	bool in_one = false;

	if (k->seen++ % r->slide == 0)
		open_window(r, key);
	for (uint32_t s = k->first; s != SLOT_NONE; s = r->slots[s].next) {
		r->row = xgrow(r->row, &r->row_cap, r->n_pairs + 1, sizeof *r->row);
		r->slot = xgrow(r->slot, &r->slot_cap, r->n_pairs + 1, sizeof *r->slot);
		r->row[r->n_pairs] = row;
		r->slot[r->n_pairs++] = s;
		r->slots[s].n++;
		in_one = true;
	}
	if (in_one && r->slots[k->first].n == r->size)
		close_first(r, k);
	if (r->op.run->durable)
		keep_dirty_add(&r->dirty, key);
	r->op.count[in_one ? 0 : 1]++;
}

/* The windows listed come out, in that order. */
static int push_slots(struct rows *r, const uint32_t *slots, uint32_t n, struct err *e)
{
	uint32_t *keys = xmalloc((n + 1) * sizeof *keys), step = batch_rows();
	int verdict = 0;

	for (uint32_t k = 0; k < n; k++)
		keys[k] = r->slots[slots[k]].key;
	for (uint32_t from = 0; from < n && !verdict; from += step) {
		struct reduce_rows rows = { .groups = &r->groups, .states = r->states, .key_list = keys + from, .state_list = slots + from,
					    .n = n - from < step ? n - from : step };
		struct batch b;

		reducer_batch(&r->reducer, &rows, &b);
		verdict = op_push(&r->op, &b, e);
		arena_reset(&r->op.arena);
	}
	free(keys);
	return verdict;
}

static int push_full(struct rows *r, struct err *e)
{
	int verdict = r->n_full ? push_slots(r, r->full, r->n_full, e) : 0;

	for (uint32_t i = 0; i < r->n_full; i++)
		free_slot(r, r->full[i]);
	r->n_full = 0;
	return verdict;
}

static bool rows_holds(const struct op *op)
{
	return ((const struct rows *)op)->n_open;
}

static size_t rows_memory(const struct op *op)
{
	const struct rows *r = (const struct rows *)op;

	return r->keys_cap * sizeof *r->keys + r->slots_cap * sizeof *r->slots + states_memory(r->states, &r->reducer) +
	       (r->reducer.spec.n_keys ? groups_memory(&r->groups) : 0) +
	       (r->unused_cap + r->full_cap + r->row_cap + r->slot_cap) * sizeof(uint32_t) + keep_dirty_memory(&r->dirty) + away_memory(&r->away);
}

static void rows_free(struct op *op)
{
	struct rows *r = (struct rows *)op;

	states_free(r->states, &r->reducer, r->n_slots);
	if (r->reducer.spec.n_keys)
		groups_release(&r->groups);
	free(r->keys);
	free(r->slots);
	free(r->unused);
	free(r->full);
	free(r->row);
	free(r->slot);
	away_release(&r->away);
	groups_release(&r->look);
	keep_dirty_release(&r->dirty);
	reducer_release(&r->reducer);
}

/* ---- what survives a restart: 'k' and the values of the key -> its number u32, rows it had u64, { with version 2, when it was written varint }, open windows
 * varint, { rows, states } of each; 'e' -> how often all windows have ended while keys were away u32 ---- */

#define TAG_KEY 'k'
#define TAG_ENDS 'e'
#define ROWS_VERSION 1
#define ROWS_VERSION_ENDS 2

static uint32_t *mark_of(struct rows *r, uint32_t key)
{
	return r->reducer.spec.n_keys ? &r->groups.table.entries[key].user : &r->mark;
}

static void put_key(struct rows *r, uint32_t key, struct keep *k)
{
	uint32_t n = 0;

	keep_start(k, TAG_KEY, r->ends ? ROWS_VERSION_ENDS : ROWS_VERSION);
	if (r->reducer.spec.n_keys)
		groups_save(&r->groups, key, &k->key);
	put_le(&k->value, r->keys[key].number, 4);
	put_le(&k->value, r->keys[key].seen, 8);
	if (r->ends)
		put_varint(&k->value, r->ends);
	for (uint32_t s = r->keys[key].first; s != SLOT_NONE; s = r->slots[s].next)
		n++;
	put_varint(&k->value, n);
	for (uint32_t s = r->keys[key].first; s != SLOT_NONE; s = r->slots[s].next) {
		put_varint(&k->value, r->slots[s].n);
		states_save(r->states, &r->reducer, s, &k->value);
	}
	keep_put(k, mark_of(r, key));
}

static void put_ends(struct rows *r, struct keep *k)
{
	if (r->ends == r->ends_kept)
		return;
	r->ends_kept = r->ends;
	keep_start(k, TAG_ENDS, ROWS_VERSION);
	put_le(&k->value, r->ends, 4);
	keep_put(k, &r->ends_mark);
}

/* An entry behind its version: up to the windows. */
static void load_head(struct rows_key *k, struct bytes_in *in, bool ends)
{
	k->number = (uint32_t)get_le(in, 4);
	k->seen = get_le(in, 8);
	k->ends = ends ? (uint32_t)get_varint(in) : 0;
}

static struct bytes_in open_value(const char *value, size_t n, bool *ends)
{
	*ends = n && *value == ROWS_VERSION_ENDS;
	return keep_open(value, n, *ends ? ROWS_VERSION_ENDS : ROWS_VERSION);
}

static int load_windows(struct rows *r, uint32_t key, struct bytes_in *in)
{
	for (uint64_t n = get_varint(in); n && !in->bad; n--) {
		uint32_t slot;

		open_window(r, key);
		slot = r->keys[key].last;
		r->slots[slot].n = get_varint(in);
		in->bad |= r->slots[slot].n >= r->size;
		if (in->bad || states_load(r->states, &r->reducer, slot, &in->p, in->end))
			return -1;
	}
	return keep_over(in) ? 0 : -1;
}

static void drop_windows(struct rows *r, uint32_t key)
{
	struct rows_key *k = &r->keys[key];

	for (uint32_t s = k->first; s != SLOT_NONE; s = r->slots[s].next) {
		free_slot(r, s);
		r->n_open--;
	}
	k->first = k->last = SLOT_NONE;
}

/* What the entry says of a key that is new. */
static int load_key(struct rows *r, uint32_t key, const struct kept_entry *entry)
{
	bool ends;
	struct bytes_in in = open_value(entry->value, entry->n, &ends);

	load_head(&r->keys[key], &in, ends);
	if (in.bad || load_windows(r, key, &in))
		return -1;
	*mark_of(r, key) = entry->mark;
	r->next = r->keys[key].number >= r->next ? r->keys[key].number + 1 : r->next;
	return 0;
}

/* ---- keys that leave memory, and come back ---- */

/* Of --mem, in bytes: from 3/8 on keys leave, down to half of that. Columns may double once in a micro-batch. What is known of those that are away takes of
 * it too. */
static size_t leave_from(const struct rows *r)
{
	size_t all = (size_t)r->op.run->mem_max, aside = away_memory(&r->away);

	return (aside < all / 2 ? all - aside : all / 2) / 8 * 3;
}

static size_t memory(const struct rows *r)
{
	return op_memory(&r->op) - away_memory(&r->away) + keytab_leap(&r->groups.table);
}

static void pack_slots(struct rows *r)
{
	uint32_t *to = xmalloc(((size_t)r->n_slots + 1) * sizeof *to), n = 0;
	struct rows_slot *fresh = xcalloc((size_t)r->n_open + 1, sizeof *fresh);

	memset(to, 0xff, r->n_slots * sizeof *to);
	for (uint32_t k = 0; k < r->n_keys; k++)
		for (uint32_t s = r->keys[k].first; s != SLOT_NONE; s = r->slots[s].next)
			to[s] = n++;
	for (uint32_t k = 0; k < r->n_keys; k++) {
		for (uint32_t s = r->keys[k].first; s != SLOT_NONE; s = r->slots[s].next) {
			uint32_t next = r->slots[s].next;

			fresh[to[s]] = (struct rows_slot){ r->slots[s].n, k, next == SLOT_NONE ? SLOT_NONE : to[next] };
		}
		r->keys[k].first = r->keys[k].first == SLOT_NONE ? SLOT_NONE : to[r->keys[k].first];
		r->keys[k].last = r->keys[k].last == SLOT_NONE ? SLOT_NONE : to[r->keys[k].last];
	}
	states_pack(r->states, &r->reducer, to, r->n_slots, n);
	free(r->slots);
	r->slots = fresh;
	r->slots_cap = (size_t)r->n_open + 1;
	r->n_slots = n;
	r->n_unused = 0;
	free(to);
}

/* The keys listed stay, the others have no windows. */
static void keep_keys(struct rows *r, const uint32_t *list, uint32_t n)
{
	uint32_t *map = xmalloc(((size_t)n + 1) * sizeof *map);
	struct rows_key *keys = xcalloc((size_t)n + 1, sizeof *keys);
	struct groups fresh;

	groups_init(&fresh, r->groups.n_keys);
	groups_copy(&fresh, &r->groups, list, n, map);
	for (uint32_t i = 0; i < n; i++) {
		keys[map[i]] = r->keys[list[i]];
		fresh.table.entries[map[i]].user = r->groups.table.entries[list[i]].user;
	}
	groups_release(&r->groups);
	free(r->keys);
	r->groups = fresh;
	r->keys = keys;
	r->keys_cap = (size_t)n + 1;
	r->n_keys = n;
	pack_slots(r);
	free(map);
}

/* Those without a row for the longest time leave; of the others as many stay as may. */
static void leave_some(struct rows *r, uint32_t stay)
{
	uint32_t *list = xmalloc(((size_t)r->n_keys + 1) * sizeof *list), n = 0;

	for (uint32_t key = 0; key < r->n_keys; key++) {
		bool recent = r->keys[key].recent && stay;

		r->keys[key].recent = false;
		stay -= recent;
		if (recent || !*mark_of(r, key) || !away_add_group(&r->away, &r->groups, key))
			list[n++] = key;
		else
			drop_windows(r, key);
	}
	keep_keys(r, list, n);
	r->mixed = true;
	free(list);
}

/* Nothing has changed since the last commit. */
static void rows_leave(struct rows *r)
{
	const struct run *run = r->op.run;
	size_t held;

	if (!run->mem_max || !run->fetch || !r->reducer.spec.n_keys)
		return;
	held = memory(r);
	if (held < leave_from(r) || held < r->leave_at)
		return;
	leave_some(r, (uint32_t)((double)leave_from(r) / 2 / ((double)held / (r->n_keys + 1.0))));
	r->leave_at = memory(r) / 8 * 9;
}

/* What a key had open when all windows ended is void. */
static void forget_ended(struct rows *r, uint32_t key)
{
	if (r->keys[key].ends < r->ends)
		drop_windows(r, key);
}

static int return_key(struct rows *r, uint32_t key, struct err *e)
{
	struct away_owner o = { &r->op, &r->groups, &(char){ TAG_KEY }, 1 };
	struct kept_entry found;
	int got = away_return(&r->away, &o, key, &found, e);

	if (got < 0)
		return -1;
	if (!got) {
		r->keys[key].number = r->next++;
		return 0;
	}
	if (load_key(r, key, &found))
		return keep_refuse(&r->op, e);
	forget_ended(r, key);
	r->mixed = true;
	return 0;
}

/* The keys that groups numbered last. */
static int know_keys(struct rows *r, struct err *e)
{
	uint32_t n = r->reducer.spec.n_keys ? r->groups.table.n : 1;

	while (r->n_keys < n) {
		struct rows_key *k = add_key(r);

		if (!r->away.n)
			k->number = r->next++;
		else if (return_key(r, r->n_keys - 1, e))
			return -1;
	}
	return 0;
}

/* ---- the end of all windows ---- */

/* Of --mem: keys that are away come some at a time, in the order of their numbers. */
#define ENDING_SHARE 16

struct ending {
	struct rows *r;
	uint32_t *list, n, at; /* keys in memory */
	struct away_times next;
	int64_t from;	       /* numbers before this one have had their turn */
	struct err *e;
};

static void close_key(struct rows *r, uint32_t key)
{
	while (r->keys[key].first != SLOT_NONE)
		close_first(r, &r->keys[key]);
}

/* Of those in memory that came before. */
static void close_here(struct ending *n, int64_t before)
{
	struct rows *r = n->r;

	for (; n->at < n->n && r->keys[n->list[n->at]].number < before; n->at++) {
		if (r->keys[n->list[n->at]].first == SLOT_NONE)
			continue;
		close_key(r, n->list[n->at]);
		if (r->op.run->durable)
			keep_dirty_add(&r->dirty, n->list[n->at]);
	}
}

/* 1: the key is in memory, 0, or -1: it is none. */
static int is_here(struct rows *r, const char *p, const char *end)
{
	struct key_bytes key;
	uint32_t own;

	groups_clear(&r->look);
	if (groups_load(&r->look, &p, end, &own) || p != end)
		return -1;
	keytab_key(&r->look.table, own, &key);
	return keytab_find(&r->groups.table, &key) != KEYTAB_NONE;
}

static int find_one(void *ctx, const struct kept_entry *entry)
{
	struct ending *n = ctx;
	struct rows_key k = { 0 };
	bool ends;
	struct bytes_in in = open_value(entry->value, entry->n, &ends);
	int here;

	if (*entry->key != TAG_KEY || entry->key_n == 1)
		return 0;
	load_head(&k, &in, ends);
	if (k.number < n->from || k.ends < n->r->ends || !get_varint(&in))
		return 0;
	here = is_here(n->r, entry->key + 1, entry->key + entry->key_n);
	if (here < 0 || in.bad)
		return keep_refuse(&n->r->op, n->e);
	if (!here)
		away_times_add(&n->next, k.number, (struct store_bytes){ entry->key, entry->key_n });
	return 0;
}

/* A key that is away: its windows, for a while. */
static int close_away(struct ending *n, const struct buf *name)
{
	struct rows *r = n->r;
	const struct run *run = r->op.run;
	struct kept_entry ask = { .key = name->p, .key_n = name->n }, found;
	const char *p = name->p + 1;
	uint32_t key;
	int got = run->fetch(run->fetch_ctx, &r->op, &ask, &found, n->e);

	if (got < 0)
		return -1;
	if (!got || groups_load(&r->groups, &p, name->p + name->n, &key))
		return keep_refuse(&r->op, n->e);
	add_key(r);
	if (load_key(r, key, &found))
		return keep_refuse(&r->op, n->e);
	close_key(r, key);
	return r->n_full >= BATCH_ROWS_MAX ? push_full(r, n->e) : 0;
}

/* The next of those that are away, and what is in memory between them. Verdict of the push. */
static int close_some(struct ending *n)
{
	struct rows *r = n->r;
	struct kept_walk w = { &(char){ TAG_KEY }, 1, find_one, n };
	struct buf key = { 0 };
	int verdict;

	away_times_renew(&n->next);
	verdict = r->op.run->walk(r->op.run->fetch_ctx, &r->op, &w, n->e);
	while (verdict >= 0 && n->next.n) {
		close_here(n, n->next.heap[0].at);
		away_times_take(&n->next, INT64_MAX, &key);
		verdict = close_away(n, &key);
	}
	if (verdict >= 0)
		verdict = push_full(r, n->e);
	n->from = n->next.horizon;
	buf_release(&key);
	return verdict;
}

static int by_number(const void *x, const void *y, void *ctx)
{
	const struct rows *r = ctx;
	uint32_t a = r->keys[*(const uint32_t *)x].number, b = r->keys[*(const uint32_t *)y].number;

	return a < b ? -1 : a > b;
}

static int close_with_away(struct ending *n)
{
	struct rows *r = n->r;
	uint32_t *all = xmalloc(((size_t)n->n + 1) * sizeof *all);
	int verdict;

	for (uint32_t i = 0; i < n->n; i++)
		all[i] = i;
	n->next.most = (size_t)(r->op.run->mem_max / ENDING_SHARE);
	do {
		verdict = close_some(n);
		if (verdict >= 0)
			keep_keys(r, all, n->n); /* the others have gone again */
	} while (verdict >= 0 && n->next.cut);
	r->ends++;
	away_times_release(&n->next);
	free(all);
	return verdict;
}

static int close_all(struct rows *r, struct err *e)
{
	struct ending n = { .r = r, .n = r->n_keys, .e = e };
	int verdict = 0;

	n.list = xmalloc(((size_t)n.n + 1) * sizeof *n.list);
	for (uint32_t i = 0; i < n.n; i++)
		n.list[i] = i;
	if (r->mixed)
		qsort_r(n.list, n.n, sizeof *n.list, by_number, r);
	if (r->away.n)
		verdict = close_with_away(&n);
	if (verdict >= 0) {
		close_here(&n, INT64_MAX);
		verdict = push_full(r, e);
	}
	free(n.list);
	return verdict;
}

/* ---- the operator ---- */

static int rows_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct rows *r = (struct rows *)op;
	uint32_t *group = reducer_groups(&r->reducer, &r->groups, b);
	struct column *args = reducer_args(&r->reducer, b);
	int verdict;

	(void)port;
	if (know_keys(r, e))
		return -1;
	for (uint32_t k = 0; k < b->n_sel; k++)
		put_row(r, batch_row(b, k), group ? group[k] : 0);
	/* in steps, since a row stands once for each of its windows */
	for (uint32_t from = 0; from < r->n_pairs; from += BATCH_ROWS_MAX)
		states_update(r->states, &r->reducer, r->slot + from, args, r->row + from,
			      r->n_pairs - from < BATCH_ROWS_MAX ? r->n_pairs - from : BATCH_ROWS_MAX, b);
	r->n_pairs = 0;
	verdict = push_full(r, e);
	return verdict ? verdict : op_check_memory(op, r->n_keys + r->away.n, e);
}

static int rows_batch_end(struct op *op, struct err *e)
{
	struct rows *r = (struct rows *)op;

	reducer_collect_failures(&r->reducer);
	if (op->watermark != WATERMARK_END)
		return 0;
	return close_all(r, e) < 0 ? -1 : 0;
}

static void rows_commit(struct op *op, struct keeper *to)
{
	struct rows *r = (struct rows *)op;
	struct keep k = { .to = to };
	uint32_t key;

	while ((key = keep_dirty_take(&r->dirty)) != UINT32_MAX) {
		r->keys[key].recent = true;
		r->keys[key].ends = r->ends;
		put_key(r, key, &k);
	}
	put_ends(r, &k);
	keep_release(&k);
	rows_leave(r);
}

static int restore_key(struct rows *r, const struct kept_entry *entry)
{
	const char *p = entry->key + 1, *end = entry->key + entry->key_n;
	uint32_t key = 0;

	if (entry->key[0] != TAG_KEY || (r->reducer.spec.n_keys && groups_load(&r->groups, &p, end, &key)) || p != end || key < r->n_keys)
		return -1;
	add_key(r);
	if (load_key(r, key, entry))
		return -1;
	r->mixed = true;
	rows_leave(r);
	return 0;
}

static int restore_ends(struct rows *r, const struct kept_entry *entry)
{
	struct bytes_in in = keep_open(entry->value, entry->n, ROWS_VERSION);

	r->ends = r->ends_kept = (uint32_t)get_le(&in, 4);
	r->ends_mark = entry->mark;
	return keep_over(&in) ? 0 : -1;
}

static int rows_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct rows *r = (struct rows *)op;
	struct kept_entry entry = { key, value, key_n, n, mark };
	bool ends = key && key_n == 1 && *key == TAG_ENDS;

	if (key)
		return (ends ? restore_ends(r, &entry) : restore_key(r, &entry)) ? keep_refuse(op, e) : 0;
	for (uint32_t i = 0; i < r->n_keys; i++)
		forget_ended(r, i);
	return 0;
}

static void rows_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	reducer_unseen(&((const struct rows *)op)->reducer, fn, ctx);
}

static const struct op_class rows_class = {
	.name = "rows",
	.leaves = true,
	.makes_fields = true,
	.counters = { "absorbed", "between windows" },
	.process = rows_process,
	.on_batch_end = rows_batch_end,
	.free = rows_free,
	.memory = rows_memory,
	.holds = rows_holds,
	.unseen = rows_unseen,
	.commit = rows_commit,
	.restore = rows_restore,
};

struct op *op_rows(struct run *run, int stage, const char *word, const struct reduce_spec *spec, uint64_t rows, uint64_t slide)
{
	struct rows *r = op_make(&rows_class, sizeof *r, run, stage, word);

	r->size = rows;
	r->slide = slide ? slide : rows;
	reducer_init(&r->reducer, spec, &r->op);
	r->op.stays = !spec->n_keys;
	if (spec->n_keys)
		groups_init(&r->groups, spec->n_keys);
	if (spec->n_keys && run->durable)
		groups_init(&r->look, spec->n_keys);
	r->states = states_new(&r->reducer);
	return &r->op;
}

#include "op/op_rows.h"

#include <stdlib.h>

#include "op/keep.h"

#define SLOT_NONE UINT32_MAX

/* The open windows of a key, oldest first. */
struct rows_key {
	uint64_t seen;
	uint32_t first, last;
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
	uint32_t *numbers;       /* being restored: of each key in the order of first appearance */
	size_t numbers_cap;
};

static struct rows_key *key_of(struct rows *r, uint32_t key)
{
	if (key >= r->n_keys) {
		r->keys = xgrow(r->keys, &r->keys_cap, (size_t)key + 1, sizeof *r->keys);
		for (; r->n_keys <= key; r->n_keys++)
			r->keys[r->n_keys] = (struct rows_key){ .first = SLOT_NONE, .last = SLOT_NONE };
	}
	return &r->keys[key];
}

static void open_window(struct rows *r, uint32_t key)
{
	struct rows_key *k = key_of(r, key);
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
	struct rows_key *k = key_of(r, key);
	bool in_one = false;

	if (k->seen++ % r->slide == 0)
		open_window(r, key);
	k = key_of(r, key);
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

	for (uint32_t i = 0; i < r->n_full; i++) {
		states_reset(r->states, &r->reducer, r->full[i]);
		r->unused = xgrow(r->unused, &r->unused_cap, r->n_unused + 1, sizeof *r->unused);
		r->unused[r->n_unused++] = r->full[i];
	}
	r->n_full = 0;
	return verdict;
}

static int rows_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct rows *r = (struct rows *)op;
	uint32_t *group = reducer_groups(&r->reducer, &r->groups, b);
	struct column *args = reducer_args(&r->reducer, b);
	int verdict;

	(void)port;
	for (uint32_t k = 0; k < b->n_sel; k++)
		put_row(r, batch_row(b, k), group ? group[k] : 0);
	/* in steps, since a row stands once for each of its windows */
	for (uint32_t from = 0; from < r->n_pairs; from += BATCH_ROWS_MAX)
		states_update(r->states, &r->reducer, r->slot + from, args, r->row + from,
			      r->n_pairs - from < BATCH_ROWS_MAX ? r->n_pairs - from : BATCH_ROWS_MAX, b);
	r->n_pairs = 0;
	verdict = push_full(r, e);
	return verdict ? verdict : op_check_memory(op, r->n_keys, e);
}

static int rows_batch_end(struct op *op, struct err *e)
{
	struct rows *r = (struct rows *)op;

	reducer_collect_failures(&r->reducer);
	if (op->watermark != WATERMARK_END)
		return 0;
	for (uint32_t k = 0; k < r->n_keys; k++)
		while (r->keys[k].first != SLOT_NONE) {
			close_first(r, &r->keys[k]);
			if (op->run->durable)
				keep_dirty_add(&r->dirty, k);
		}
	return push_full(r, e) < 0 ? -1 : 0;
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
	       (r->unused_cap + r->full_cap + r->row_cap + r->slot_cap) * sizeof(uint32_t) + keep_dirty_memory(&r->dirty);
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
	free(r->numbers);
	keep_dirty_release(&r->dirty);
	reducer_release(&r->reducer);
}

/* ---- what survives a restart: 'k' and the values of the key -> its number, rows it had, open windows varint, { rows, states } of each ---- */

#define TAG_KEY 'k'
#define ROWS_VERSION 1

static uint32_t *mark_of(struct rows *r, uint32_t key)
{
	return r->reducer.spec.n_keys ? &r->groups.table.entries[key].user : &r->mark;
}

static void put_key(struct rows *r, uint32_t key, struct keep *k)
{
	uint32_t n = 0;

	keep_start(k, TAG_KEY, ROWS_VERSION);
	if (r->reducer.spec.n_keys)
		groups_save(&r->groups, key, &k->key);
	put_le(&k->value, key, 4);
	put_le(&k->value, r->keys[key].seen, 8);
	for (uint32_t s = r->keys[key].first; s != SLOT_NONE; s = r->slots[s].next)
		n++;
	put_varint(&k->value, n);
	for (uint32_t s = r->keys[key].first; s != SLOT_NONE; s = r->slots[s].next) {
		put_varint(&k->value, r->slots[s].n);
		states_save(r->states, &r->reducer, s, &k->value);
	}
	keep_put(k, mark_of(r, key));
}

static void rows_commit(struct op *op, struct keeper *to)
{
	struct rows *r = (struct rows *)op;
	struct keep k = { .to = to };
	uint32_t key;

	while ((key = keep_dirty_take(&r->dirty)) != UINT32_MAX)
		put_key(r, key, &k);
	keep_release(&k);
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

static int restore_key(struct rows *r, struct bytes_in k, struct bytes_in in, uint32_t mark)
{
	uint32_t key = 0, number = (uint32_t)get_le(&in, 4), known = r->n_keys;
	uint64_t seen = get_le(&in, 8);

	if (k.bad || in.bad || (r->reducer.spec.n_keys && groups_load(&r->groups, &k.p, k.end, &key)) || !keep_over(&k) || key < known)
		return -1;
	key_of(r, key)->seen = seen;
	*mark_of(r, key) = mark;
	r->numbers = xgrow(r->numbers, &r->numbers_cap, (size_t)key + 1, sizeof *r->numbers);
	r->numbers[key] = number;
	return load_windows(r, key, &in);
}

static int by_number(const void *x, const void *y, void *ctx)
{
	const uint32_t *numbers = ctx, a = numbers[*(const uint32_t *)x], b = numbers[*(const uint32_t *)y];

	return a < b ? -1 : a > b;
}

/* Keys get the numbers again that they had. */
static void renumber(struct rows *r)
{
	uint32_t *list = xmalloc(((size_t)r->n_keys + 1) * sizeof *list), *map = xmalloc(((size_t)r->n_keys + 1) * sizeof *map);
	struct rows_key *keys = xcalloc((size_t)r->n_keys + 1, sizeof *keys);
	struct groups fresh;

	for (uint32_t i = 0; i < r->n_keys; i++)
		list[i] = i;
	qsort_r(list, r->n_keys, sizeof *list, by_number, r->numbers);
	groups_init(&fresh, r->groups.n_keys);
	groups_copy(&fresh, &r->groups, list, r->n_keys, map);
	for (uint32_t i = 0; i < r->n_keys; i++) {
		keys[map[i]] = r->keys[list[i]];
		fresh.table.entries[map[i]].user = r->groups.table.entries[list[i]].user;
		for (uint32_t s = keys[map[i]].first; s != SLOT_NONE; s = r->slots[s].next)
			r->slots[s].key = map[i];
	}
	groups_release(&r->groups);
	free(r->keys);
	r->groups = fresh;
	r->keys = keys;
	r->keys_cap = (size_t)r->n_keys + 1;
	free(list);
	free(map);
}

static int rows_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct rows *r = (struct rows *)op;

	if (key)
		return restore_key(r, keep_open(key, key_n, TAG_KEY), keep_open(value, n, ROWS_VERSION), mark) ? keep_refuse(op, e) : 0;
	if (r->reducer.spec.n_keys)
		renumber(r);
	free(r->numbers);
	r->numbers = NULL;
	r->numbers_cap = 0;
	return 0;
}

static void rows_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	reducer_unseen(&((const struct rows *)op)->reducer, fn, ctx);
}

static const struct op_class rows_class = {
	.name = "rows",
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
	if (spec->n_keys)
		groups_init(&r->groups, spec->n_keys);
	r->states = states_new(&r->reducer);
	return &r->op;
}

#include "op/op_rows.h"

#include <stdlib.h>

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
		while (r->keys[k].first != SLOT_NONE)
			close_first(r, &r->keys[k]);
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
	       (r->unused_cap + r->full_cap + r->row_cap + r->slot_cap) * sizeof(uint32_t);
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
	reducer_release(&r->reducer);
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

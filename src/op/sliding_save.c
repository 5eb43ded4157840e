/* Cells as bytes, for checkpoints. Numbers of slices are i64, big-endian and with their sign turned so that entries lie in order.
 *
 * cell    number of its slice | values of the key (value_save)
 *         order of the key's first appearance u64 | states of each aggregate
 * With --mem, of a key that has left memory; it stays until the key has no cell, and entries of cells stand above it:
 * roll    INT64_MAX | order of its first appearance
 *         version | mark of its name u32 | values of the key with their length | number of cells varint, { slice i64 | states with their length }
 * name    INT64_MIN | values of the key
 *         version | order of its first appearance u64
 * and so that of the cells in these it is known which have left:
 * left    INT64_MIN
 *         version | number of the slice i64
 * Integers are little-endian where nothing is said. */
#include <stdlib.h>

#include "op/sliding_impl.h"

#define SIGN ((uint64_t)1 << 63)
#define LEFT_VERSION 1
#define GONE_KEPT_MAX (1u << 16) /* bytes of memory that is kept for the next ones */

void sliding_put_number(struct buf *b, int64_t number) { put_le(b, __builtin_bswap64((uint64_t)number ^ SIGN), SLIDING_NUMBER_BYTES); }

int64_t sliding_get_number(struct bytes_in *in) { return (int64_t)(__builtin_bswap64(get_le(in, SLIDING_NUMBER_BYTES)) ^ SIGN); }

void sliding_cell_key(const struct sliding *s, uint32_t slot, struct buf *out)
{
	const struct sliding_cell *c = &s->cells[slot];

	sliding_put_number(out, s->slices[c->slice].number);
	if (s->reducer->spec.n_keys)
		groups_save(&s->groups, c->key, out);
}

void sliding_note_gone(struct sliding *s, struct store_bytes key, uint32_t mark)
{
	put_le(&s->gone, key.n, 4);
	buf_add(&s->gone, key.p, key.n);
	put_le(&s->gone, mark, 4);
}

void sliding_note_cell_gone(struct sliding *s, uint32_t slot)
{
	size_t at = s->gone.n;

	put_le(&s->gone, 0, 4);
	sliding_cell_key(s, slot, &s->gone);
	store_le(s->gone.p + at, s->gone.n - at - 4, 4);
	put_le(&s->gone, s->cells[slot].mark, 4);
}

static void drop_gone(struct sliding *s, struct keeper *k)
{
	const char *p = s->gone.p, *end = p + s->gone.n;

	while (p < end) {
		size_t n = load_le(p, 4);
		uint32_t mark = (uint32_t)load_le(p + 4 + n, 4);

		k->drop(k, p + 4, n, &mark);
		p += 4 + n + 4;
	}
	s->gone.n = 0;
	if (s->gone.cap > GONE_KEPT_MAX)
		buf_release(&s->gone);
}

static void put_left(struct sliding *s, struct keeper *to)
{
	struct keep k = { .to = to };

	if (!s->rolls || s->left == s->left_kept)
		return;
	s->left_kept = s->left;
	buf_char(&k.value, LEFT_VERSION);
	sliding_put_number(&k.key, SLIDING_NAME);
	keep_int(&k.value, s->left);
	keep_put(&k, &s->left_mark);
	keep_release(&k);
}

static void put_cell(struct sliding *s, uint32_t slot, struct keep *k)
{
	k->key.n = k->value.n = 0;
	sliding_cell_key(s, slot, &k->key);
	put_le(&k->value, s->keys[s->cells[slot].key].born, 8);
	states_save(s->states, s->reducer, slot, &k->value);
	keep_put(k, &s->cells[slot].mark);
}

/* What changed is recent. */
static void note_recent(struct sliding *s)
{
	for (size_t i = 0; i < s->changed.n; i++)
		if (s->cells[s->changed.at[i]].changed)
			s->keys[s->cells[s->changed.at[i]].key].recent = true;
}

void sliding_commit(struct sliding *s, struct keeper *to)
{
	struct keep k = { .to = to };
	bool leaves;

	drop_gone(s, to);
	if (s->reducer->op->run->mem_max)
		note_recent(s);
	leaves = sliding_choose(s);
	for (size_t i = 0; i < s->changed.n; i++) {
		uint32_t slot = s->changed.at[i];
		struct sliding_cell *c = &s->cells[slot];

		if (!c->changed)
			continue; /* it has left */
		c->changed = false;
		if (!s->keys[c->key].leaves)
			put_cell(s, slot, &k);
	}
	s->changed.n = 0;
	if (leaves)
		sliding_leave_memory(s, to);
	put_left(s, to);
	s->settling = false;
	arena_reset(&s->reducer->op->arena);
	keep_release(&k);
}

/* The number of the key whose values these are. */
static int load_key(struct sliding *s, const char *p, const char *end, uint32_t *key)
{
	uint32_t n = s->reducer->spec.n_keys;
	struct arena *a = &s->reducer->op->arena;
	struct column *cols = arena_array(a, struct column, n + 1);
	const struct column **at = arena_array(a, const struct column *, n + 1);

	*key = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct value v;

		if (value_load(&p, end, a, &v) || v.type == T_ANY || v.type == T_REGEX)
			return -1;
		cols[i] = column_const(a, &v);
		at[i] = &cols[i];
	}
	if (p != end)
		return -1;
	if (n)
		groups_put(&s->groups, a, at, NULL, 1, key);
	sliding_know_keys(s);
	return 0;
}

static int load_cell(struct sliding *s, uint32_t slot, const struct store_bytes *value)
{
	struct bytes_in in = { value->p, value->p + value->n, false };
	uint64_t born = get_le(&in, 8);
	struct sliding_key *k = &s->keys[s->cells[slot].key];

	if (in.bad || !born || born >> 56)
		return -1;
	k->born = born;
	if (born > s->births)
		s->births = born;
	return states_load(s->states, s->reducer, slot, &in.p, in.end) || in.p != in.end ? -1 : 0;
}

/* A cell that came with the roll, which is older. */
static bool stands_above(const struct sliding *s, uint32_t slot, uint32_t key)
{
	return s->reducer->spec.n_keys && s->groups.table.entries[key].user && !s->cells[slot].mark;
}

static int load_entry(struct sliding *s, const struct store_bytes kv[2], uint32_t mark)
{
	struct bytes_in in = { .p = kv[0].p, .end = kv[0].p + kv[0].n };
	int64_t number = sliding_get_number(&in);
	uint32_t key, slice, slot;

	if (in.bad || load_key(s, in.p, in.end, &key))
		return -1;
	slice = sliding_slice(s, number);
	slot = sliding_find_cell(s, slice, key);
	if (slot == SLIDING_NONE)
		slot = sliding_add_cell(s, slice, key);
	else if (stands_above(s, slot, key))
		states_reset(s->states, s->reducer, slot);
	else
		return -1;
	s->cells[slot].mark = mark;
	return load_cell(s, slot, &kv[1]);
}

static int load_left(struct sliding *s, struct store_bytes value, uint32_t mark)
{
	struct bytes_in in = keep_open(value.p, value.n, LEFT_VERSION);

	s->left = s->left_kept = keep_get_int(&in);
	s->left_mark = mark;
	return keep_over(&in) ? 0 : -1;
}

/* Of keys that were away. */
static int load_aside(struct sliding *s, const struct kept_entry *entry, bool roll)
{
	s->rolls = true;
	if (roll)
		return sliding_restore_roll(s, entry);
	if (entry->key_n == SLIDING_NUMBER_BYTES)
		return load_left(s, (struct store_bytes){ entry->value, entry->n }, entry->mark);
	return 0; /* its mark is in the roll */
}

int sliding_restore(struct sliding *s, const struct store_bytes kv[2], uint32_t mark)
{
	struct kept_entry entry = { kv[0].p, kv[1].p, kv[0].n, kv[1].n, mark };
	struct bytes_in in = { .p = kv[0].p, .end = kv[0].p + kv[0].n };
	int64_t number = sliding_get_number(&in);
	bool aside = s->reducer->spec.n_keys && (number == SLIDING_NAME || number == SLIDING_ROLL);
	int r = in.bad ? -1 : aside ? load_aside(s, &entry, number == SLIDING_ROLL) : load_entry(s, kv, mark);

	arena_reset(&s->reducer->op->arena);
	return r;
}

void sliding_restored(struct sliding *s)
{
	sliding_leave(s, s->left);
	s->settling = s->stale = true;
}

/* Cells as bytes, for checkpoints.
 *
 * key    number of the slice i64, big-endian and with its sign turned so that entries lie in order | values of the key (value_save)
 * value  order of the key's first appearance u64 | states of each aggregate
 * Integers are little-endian where nothing is said. */
#include <stdlib.h>

#include "op/sliding_impl.h"
#include "state/bytes.h"

#define NUMBER_BYTES 8
#define SIGN ((uint64_t)1 << 63)
#define SCRATCH_MAX (1u << 20) /* of the arena, before it starts anew */

static void save_key(struct sliding *s, uint32_t slot, struct buf *b)
{
	const struct sliding_cell *c = &s->cells[slot];
	uint32_t n = s->reducer->spec.n_keys;
	struct arena *a = &s->reducer->op->arena;
	struct column *cols = arena_array(a, struct column, n + 1);
	uint64_t number = __builtin_bswap64((uint64_t)s->slices[c->slice].number ^ SIGN);

	put_le(b, number, NUMBER_BYTES);
	if (n)
		groups_keys(&s->groups, &c->key, 0, 1, a, cols);
	for (uint32_t i = 0; i < n; i++) {
		struct value v = column_get(&cols[i], 0);

		value_save(b, &v);
	}
	if (a->total > SCRATCH_MAX)
		arena_reset(a);
}

void sliding_note_gone(struct sliding *s, uint32_t slot)
{
	size_t at = s->gone.n;

	put_le(&s->gone, 0, 4);
	save_key(s, slot, &s->gone);
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
}

void sliding_commit(struct sliding *s, struct keeper *k)
{
	struct buf key = { 0 }, value = { 0 };

	drop_gone(s, k);
	for (size_t i = 0; i < s->changed.n; i++) {
		uint32_t slot = s->changed.at[i];

		if (!s->cells[slot].changed)
			continue; /* it has left */
		s->cells[slot].changed = false;
		key.n = value.n = 0;
		save_key(s, slot, &key);
		put_le(&value, s->keys[s->cells[slot].key].born, 8);
		states_save(s->states, s->reducer, slot, &value);
		k->put(k, key.p, key.n, value.p, value.n, &s->cells[slot].mark);
	}
	s->changed.n = 0;
	arena_reset(&s->reducer->op->arena);
	buf_release(&key);
	buf_release(&value);
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

static int load_entry(struct sliding *s, const struct store_bytes kv[2], uint32_t mark)
{
	uint32_t key, slice, slot;
	int64_t number;

	if (kv[0].n < NUMBER_BYTES || load_key(s, kv[0].p + NUMBER_BYTES, kv[0].p + kv[0].n, &key))
		return -1;
	number = (int64_t)(__builtin_bswap64(load_le(kv[0].p, NUMBER_BYTES)) ^ SIGN);
	slice = sliding_slice(s, number);
	if (sliding_find_cell(s, slice, key) != SLIDING_NONE)
		return -1;
	slot = sliding_add_cell(s, slice, key);
	s->cells[slot].mark = mark;
	return load_cell(s, slot, &kv[1]);
}

int sliding_restore(struct sliding *s, const struct store_bytes key_value[2], uint32_t mark)
{
	int r = load_entry(s, key_value, mark);

	arena_reset(&s->reducer->op->arena);
	return r;
}

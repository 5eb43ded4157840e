#include "state/memtab.h"

#include <stdlib.h>

#define OFFSET_MASK (((uint64_t)1 << 48) - 1)
#define INDEX_MIN 1024

void change_put(struct buf *b, const struct change *c)
{
	put_le(b, c->mark, 4);
	put_varint(b, c->stage);
	put_bytes(b, c->key);
	if (c->mark)
		put_bytes(b, c->value);
}

struct change change_get(struct bytes_in *in)
{
	struct change c = { .mark = (uint32_t)get_le(in, 4) };
	uint64_t stage = get_varint(in);

	c.key = get_bytes(in);
	if (c.mark)
		c.value = get_bytes(in);
	c.stage = in->bad || stage > UINT32_MAX ? 0 : (uint32_t)stage;
	return c;
}

uint32_t entry_mark(uint32_t stage, struct store_bytes key, struct store_bytes value)
{
	uint32_t sum = (uint32_t)sum64(value.p, value.n, sum64(key.p, key.n, stage) + key.n);

	return sum ? sum : 1;
}

void memtab_release(struct memtab *m)
{
	buf_release(&m->b);
	free(m->regions);
	free(m->ix.slots);
	*m = (struct memtab){ 0 };
}

void memtab_clear(struct memtab *m)
{
	m->b.n = m->n_regions = m->indexed = m->indexed_to = 0;
	if (m->ix.n)
		memset(m->ix.slots, 0, (m->ix.mask + 1) * sizeof *m->ix.slots);
	m->ix.n = 0;
}

void memtab_reserve(struct memtab *m, size_t more)
{
	if (m->b.cap - m->b.n >= more)
		return;
	buf_grow(&m->b, more);
	big_advise(m->b.p, m->b.cap);
}

void memtab_region(struct memtab *m, size_t at, size_t end)
{
	m->regions = xgrow(m->regions, &m->cap, m->n_regions + 1, sizeof *m->regions);
	m->regions[m->n_regions++] = (struct region){ at, end };
}

struct change memtab_change(const struct memtab *m, size_t at)
{
	struct bytes_in in = { m->b.p + at, m->b.p + m->b.n, false };

	return change_get(&in);
}

static uint64_t key_hash(uint32_t stage, struct store_bytes key) { return sum64(key.p, key.n, stage); }

static bool same_key(const struct change *c, uint32_t stage, struct store_bytes key)
{
	return c->stage == stage && c->key.n == key.n && !memcmp(c->key.p, key.p, key.n);
}

/* The slot of a key: its own or the free one where it belongs. */
static uint64_t *index_slot(const struct memtab *m, uint64_t hash, uint32_t stage, struct store_bytes key)
{
	for (size_t i = hash & m->ix.mask;; i = (i + 1) & m->ix.mask) {
		uint64_t *slot = &m->ix.slots[i];
		struct change c;

		if (!*slot)
			return slot;
		if (*slot >> 48 != hash >> 48)
			continue;
		c = memtab_change(m, (size_t)(*slot & OFFSET_MASK) - 1);
		if (same_key(&c, stage, key))
			return slot;
	}
}

static void index_grow(struct memtab *m)
{
	struct index old = m->ix;

	m->ix.mask = old.slots ? old.mask * 2 + 1 : INDEX_MIN - 1;
	m->ix.slots = xcalloc(m->ix.mask + 1, sizeof *m->ix.slots);
	for (size_t i = 0; old.slots && i <= old.mask; i++) {
		struct change c;

		if (!old.slots[i])
			continue;
		c = memtab_change(m, (size_t)(old.slots[i] & OFFSET_MASK) - 1);
		*index_slot(m, key_hash(c.stage, c.key), c.stage, c.key) = old.slots[i];
	}
	free(old.slots);
}

static void index_region(struct memtab *m, size_t at, size_t end)
{
	struct bytes_in in = { m->b.p + at, m->b.p + end, false };

	while (in.p < in.end) {
		size_t here = (size_t)(in.p - m->b.p);
		struct change c = change_get(&in);
		uint64_t hash = key_hash(c.stage, c.key), *slot;

		if (m->ix.n * 4 >= m->ix.mask * 3)
			index_grow(m);
		slot = index_slot(m, hash, c.stage, c.key);
		m->ix.n += !*slot;
		*slot = (hash >> 48) << 48 | (here + 1);
	}
}

static void index_catch_up(struct memtab *m)
{
	for (; m->indexed < m->n_regions; m->indexed++) {
		const struct region *r = &m->regions[m->indexed];

		index_region(m, m->indexed_to > r->at ? m->indexed_to : r->at, r->end);
		m->indexed_to = r->end;
	}
	m->indexed -= m->indexed > 0; /* the last one may grow */
}

bool memtab_find(struct memtab *m, uint32_t stage, struct store_bytes key, struct change *out)
{
	uint64_t slot;

	index_catch_up(m);
	if (!m->ix.n)
		return false;
	slot = *index_slot(m, key_hash(stage, key), stage, key);
	if (!slot)
		return false;
	*out = memtab_change(m, (size_t)(slot & OFFSET_MASK) - 1);
	return true;
}

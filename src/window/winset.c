#include "window/winset.h"

#include <stdlib.h>

void winset_release(struct winset *s)
{
	free(s->at);
	free(s->unused);
	free(s->table);
	free(s->heap);
	*s = (struct winset){ 0 };
}

static uint32_t hash_of(const struct interval *w)
{
	uint64_t h = (uint64_t)w->start * 0x9E3779B97F4A7C15u ^ (uint64_t)w->end * 0xC2B2AE3D27D4EB4Fu;

	h ^= h >> 32;
	return (uint32_t)(h * 0xD6E8FEB86659FD93u >> 32);
}

static bool same(const struct interval *a, const struct interval *b)
{
	return a->start == b->start && a->end == b->end;
}

/* Where in the table the window is, or would be. */
static uint32_t place(const struct winset *s, const struct interval *w)
{
	uint32_t i = hash_of(w) & s->mask;

	while (s->table[i] && !same(&s->at[s->table[i] - 1], w))
		i = (i + 1) & s->mask;
	return i;
}

static void grow_table(struct winset *s)
{
	uint32_t *old = s->table, size = s->table ? s->mask + 1 : 0;

	if (s->table && (s->n + 1) * 2 <= s->mask)
		return;
	s->mask = size ? size * 2 - 1 : 15;
	s->table = xcalloc((size_t)s->mask + 1, sizeof *s->table);
	for (uint32_t i = 0; i < size; i++)
		if (old[i])
			s->table[place(s, &s->at[old[i] - 1])] = old[i];
	free(old);
}

/* Is slot a due before slot b? */
static bool before(const struct winset *s, uint32_t a, uint32_t b)
{
	const struct interval *x = &s->at[a], *y = &s->at[b];

	return x->end != y->end ? x->end < y->end : x->start < y->start;
}

static void heap_push(struct winset *s, uint32_t slot)
{
	uint32_t k = s->n;

	s->heap = xgrow(s->heap, &s->heap_cap, s->n + 1, sizeof *s->heap);
	for (; k && before(s, slot, s->heap[(k - 1) / 2]); k = (k - 1) / 2)
		s->heap[k] = s->heap[(k - 1) / 2];
	s->heap[k] = slot;
}

/* The last of the n entries goes where the first was. */
static void heap_pop(struct winset *s)
{
	uint32_t n = s->n - 1, slot = s->heap[n], k = 0;

	for (;;) {
		uint32_t c = 2 * k + 1;

		if (c >= n)
			break;
		if (c + 1 < n && before(s, s->heap[c + 1], s->heap[c]))
			c++;
		if (!before(s, s->heap[c], slot))
			break;
		s->heap[k] = s->heap[c];
		k = c;
	}
	s->heap[k] = slot;
}

uint32_t winset_find(const struct winset *s, const struct interval *w)
{
	return s->table && s->table[place(s, w)] ? s->table[place(s, w)] - 1 : WINSET_NONE;
}

uint32_t winset_put(struct winset *s, const struct interval *w, bool *fresh)
{
	uint32_t at, slot;

	grow_table(s);
	at = place(s, w);
	*fresh = !s->table[at];
	if (!*fresh)
		return s->table[at] - 1;
	slot = s->n_unused ? s->unused[--s->n_unused] : s->n_slots++;
	s->at = xgrow(s->at, &s->at_cap, s->n_slots, sizeof *s->at);
	s->at[slot] = *w;
	s->table[at] = slot + 1;
	heap_push(s, slot);
	s->n++;
	return slot;
}

uint32_t winset_first(const struct winset *s)
{
	return s->n ? s->heap[0] : WINSET_NONE;
}

/* Linear probing without tombstones: entries behind the hole that may move up do. */
static void table_remove(struct winset *s, uint32_t hole)
{
	for (uint32_t i = hole;;) {
		uint32_t home;

		s->table[hole] = 0;
		do {
			i = (i + 1) & s->mask;
			if (!s->table[i])
				return;
			home = hash_of(&s->at[s->table[i] - 1]) & s->mask;
		} while (hole <= i ? hole < home && home <= i : hole < home || home <= i);
		s->table[hole] = s->table[i];
		hole = i;
	}
}

void winset_pop(struct winset *s)
{
	uint32_t slot = s->heap[0];

	table_remove(s, place(s, &s->at[slot]));
	heap_pop(s);
	s->n--;
	s->unused = xgrow(s->unused, &s->unused_cap, s->n_unused + 1, sizeof *s->unused);
	s->unused[s->n_unused++] = slot;
}

size_t winset_memory(const struct winset *s)
{
	return s->at_cap * sizeof *s->at + (s->unused_cap + s->heap_cap) * sizeof *s->heap + (s->table ? (size_t)s->mask + 1 : 0) * sizeof *s->table;
}

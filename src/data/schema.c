#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "data/batch.h"
#include "data/hash.h"

/* The process's schemas: interned for good, under a lock (interning is once per shape, never per row). */
static struct {
	pthread_mutex_t lock;
	struct arena arena;
	const struct schema **slots;
	uint32_t n, mask;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint32_t hash_names(const char *const *names, const uint32_t *name_n, uint32_t n)
{
	uint64_t h = n;

	for (uint32_t i = 0; i < n; i++)
		h = hash_bytes(names[i], name_n[i]) ^ (h * 0x9e3779b97f4a7c15ull);
	return (uint32_t)(h ^ h >> 32);
}

static bool same_names(const struct schema *s, const char *const *names, const uint32_t *name_n, uint32_t n)
{
	if (s->n != n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (s->name_n[i] != name_n[i] || memcmp(s->names[i], names[i], name_n[i]))
			return false;
	return true;
}

static void build_index(struct schema *s)
{
	uint32_t size = 4;

	while (size < s->n * 2)
		size *= 2;
	s->index_mask = size - 1;
	s->index = memset(arena_array(&table.arena, uint32_t, size), 0, size * sizeof(uint32_t));
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t at = (uint32_t)hash_bytes(s->names[i], s->name_n[i]) & s->index_mask;

		while (s->index[at])
			at = (at + 1) & s->index_mask;
		s->index[at] = i + 1;
	}
}

static const struct schema *schema_make(const char *const *names, const uint32_t *name_n, uint32_t n, uint32_t hash)
{
	struct schema *s = arena_new(&table.arena, struct schema);
	const char **copy = arena_array(&table.arena, const char *, n + 1);
	uint32_t *lens = arena_array(&table.arena, uint32_t, n + 1);

	for (uint32_t i = 0; i < n; i++) {
		copy[i] = arena_str(&table.arena, names[i], name_n[i]);
		lens[i] = name_n[i];
	}
	s->n = n;
	s->hash = hash;
	s->names = copy;
	s->name_n = lens;
	build_index(s);
	return s;
}

static void table_grow(void)
{
	uint32_t size = table.mask ? (table.mask + 1) * 2 : 64;
	const struct schema **slots = xcalloc(size, sizeof *slots);

	for (uint32_t i = 0; table.slots && i <= table.mask; i++) {
		uint32_t at;

		if (!table.slots[i])
			continue;
		for (at = table.slots[i]->hash & (size - 1); slots[at];)
			at = (at + 1) & (size - 1);
		slots[at] = table.slots[i];
	}
	free(table.slots);
	table.slots = slots;
	table.mask = size - 1;
}

static const struct schema *intern(const char *const *names, const uint32_t *name_n, uint32_t n, size_t bytes_max)
{
	uint32_t hash = hash_names(names, name_n, n), at;
	const struct schema *s;

	pthread_mutex_lock(&table.lock);
	if ((table.n + 1) * 2 > table.mask)
		table_grow();
	for (at = hash & table.mask; (s = table.slots[at]); at = (at + 1) & table.mask)
		if (s->hash == hash && same_names(s, names, name_n, n))
			break;
	if (!s && table.arena.total < bytes_max) {
		s = schema_make(names, name_n, n, hash);
		table.slots[at] = s;
		table.n++;
	}
	pthread_mutex_unlock(&table.lock);
	return s;
}

const struct schema *schema_intern(const char *const *names, const uint32_t *name_n, uint32_t n)
{
	return intern(names, name_n, n, SIZE_MAX);
}

const struct schema *schema_of_record(const char *const *names, const uint32_t *name_n, uint32_t n)
{
	return intern(names, name_n, n, SCHEMA_BYTES_MAX);
}

int schema_find(const struct schema *s, const char *name, size_t n)
{
	uint32_t at = (uint32_t)hash_bytes(name, n) & s->index_mask;

	for (; s->index[at]; at = (at + 1) & s->index_mask) {
		uint32_t i = s->index[at] - 1;

		if (s->name_n[i] == n && !memcmp(s->names[i], name, n))
			return (int)i;
	}
	return -1;
}

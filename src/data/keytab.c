#include "data/keytab.h"

#include "base/err.h"
#include "data/hash.h"

/* Keys looked up together: enough to hide memory latency, few enough to stay in the first-level cache. */
#define WAVE 64
#define SLOTS_MIN 64

struct probe {
	struct key16 k;
	uint32_t tag;
	uint32_t guess; /* group of the first slot with the tag, + 1 */
};

void keytab_init(struct keytab *t)
{
	*t = (struct keytab){ .mask = SLOTS_MIN - 1 };
	t->slots = big_alloc(SLOTS_MIN * sizeof *t->slots);
}

void keytab_release(struct keytab *t)
{
	if (t->slots)
		big_free(t->slots, ((size_t)t->mask + 1) * sizeof *t->slots);
	big_free(t->entries, t->cap * sizeof *t->entries);
	arena_release(&t->long_keys);
	*t = (struct keytab){ 0 };
}

void keytab_clear(struct keytab *t)
{
	memset(t->slots, 0, ((size_t)t->mask + 1) * sizeof *t->slots);
	arena_reset(&t->long_keys);
	t->n = 0;
}

/* Slots that are made four times as many, not twice. */
#define SMALL ((size_t)1 << 20)

/* The tag in a slot is the whole position, so growing reads no key. */
static void grow_slots(struct keytab *t)
{
	size_t old = (size_t)t->mask + 1, size = old * (old < SMALL ? 4 : 2);
	uint64_t *slots = big_alloc(size * sizeof *slots);
	uint32_t mask = (uint32_t)(size - 1);

	for (size_t i = 0; i < old; i++) {
		uint32_t at = (uint32_t)(t->slots[i] >> 32) & mask;

		if (!t->slots[i])
			continue;
		while (slots[at])
			at = (at + 1) & mask;
		slots[at] = t->slots[i];
	}
	big_free(t->slots, old * sizeof *t->slots);
	t->slots = slots;
	t->mask = mask;
}

/* Small tables are sparse, so that the first slot is nearly always the right one; large ones save memory. */
static unsigned slots_per_key(const struct keytab *t)
{
	return t->mask < 1 << 16 ? 8 : 2;
}

static void reserve(struct keytab *t, uint32_t more)
{
	size_t cap = t->cap ? t->cap : 64;

	if (t->n > UINT32_MAX - 2 - more)
		BUG("more than 2^32 keys in one table");
	while (((size_t)t->n + more) * slots_per_key(t) > (size_t)t->mask + 1)
		grow_slots(t);
	while (cap < (size_t)t->n + more)
		cap *= 2;
	if (cap != t->cap) {
		t->entries = big_grow(t->entries, t->cap * sizeof *t->entries, cap * sizeof *t->entries);
		t->cap = cap;
	}
}

static inline bool entry_is(const struct keytab_entry *e, const struct key_bytes *key, const struct probe *q)
{
	if (e->a != q->k.a || e->n != key->n || e->kind != key->kind)
		return false;
	if (likely(key->n <= 16))
		return e->b == q->k.b;
	return e->tag == q->tag && !memcmp((const char *)(uintptr_t)e->b, key->p, key->n);
}

static uint32_t insert(struct keytab *t, uint32_t at, const struct key_bytes *key, const struct probe *q)
{
	struct keytab_entry *e = &t->entries[t->n];

	*e = (struct keytab_entry){ .a = q->k.a, .b = q->k.b, .n = key->n, .kind = key->kind, .tag = q->tag };
	if (key->n > 16)
		e->b = (uint64_t)(uintptr_t)arena_copy(&t->long_keys, key->p, key->n);
	t->slots[at] = (uint64_t)q->tag << 32 | (t->n + 1);
	return t->n++;
}

static uint32_t probe_slots(const struct keytab *t, const struct key_bytes *key, const struct probe *q, uint32_t *empty)
{
	for (uint32_t at = q->tag & t->mask;; at = (at + 1) & t->mask) {
		uint64_t s = t->slots[at];

		if (!s) {
			*empty = at;
			return KEYTAB_NONE;
		}
		if ((uint32_t)(s >> 32) == q->tag && entry_is(&t->entries[(uint32_t)s - 1], key, q))
			return (uint32_t)s - 1;
	}
}

static inline void probe_start(const struct key_bytes *key, struct probe *q)
{
	uint64_t h;

	q->k = key16_load(key->p, key->n);
	h = likely(key->n <= 16) ? hash_key16(q->k, key->n) : hash_long(key->p, key->n);
	q->tag = (uint32_t)(h >> 32) ^ key->kind;
}

static void put_wave(struct keytab *t, const struct key_bytes *keys, uint32_t n, uint32_t *group)
{
	struct probe q[WAVE];

	for (uint32_t i = 0; i < n; i++) {
		probe_start(&keys[i], &q[i]);
		__builtin_prefetch(&t->slots[q[i].tag & t->mask]);
	}
	for (uint32_t i = 0; i < n; i++) {
		uint64_t s = t->slots[q[i].tag & t->mask];

		q[i].guess = (uint32_t)(s >> 32) == q[i].tag ? (uint32_t)s : 0;
		__builtin_prefetch(&t->entries[q[i].guess ? q[i].guess - 1 : 0]);
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at, g;

		if (likely(q[i].guess && entry_is(&t->entries[q[i].guess - 1], &keys[i], &q[i]))) {
			group[i] = q[i].guess - 1;
			continue;
		}
		g = probe_slots(t, &keys[i], &q[i], &at);
		group[i] = g == KEYTAB_NONE ? insert(t, at, &keys[i], &q[i]) : g;
	}
}

void keytab_put(struct keytab *t, const struct key_bytes *keys, uint32_t n, uint32_t *group)
{
	for (uint32_t i = 0; i < n; i += WAVE) {
		uint32_t m = n - i < WAVE ? n - i : WAVE;

		reserve(t, m);
		put_wave(t, keys + i, m, group + i);
	}
}

uint32_t keytab_find(const struct keytab *t, const struct key_bytes *key)
{
	struct probe q;
	uint32_t at;

	probe_start(key, &q);
	return probe_slots(t, key, &q, &at);
}

void keytab_key(const struct keytab *t, uint32_t group, struct key_bytes *out)
{
	const struct keytab_entry *e = &t->entries[group];

	*out = (struct key_bytes){ .n = e->n, .kind = e->kind };
	out->p = e->n > 16 ? (const char *)(uintptr_t)e->b : (const char *)&e->a;
}

size_t keytab_memory(const struct keytab *t)
{
	return ((size_t)t->mask + 1) * sizeof *t->slots + t->cap * sizeof *t->entries + t->long_keys.total;
}

size_t keytab_leap(const struct keytab *t) { return (size_t)t->mask < SMALL - 1 ? ((size_t)t->mask + 1) * sizeof *t->slots : 0; }

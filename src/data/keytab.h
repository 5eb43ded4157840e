/* A table of keys: key bytes -> group number 0, 1, 2 ... in order of first appearance. Open addressing; a slot is a hash tag and a
 * group number (8 bytes), entries are dense in group order with keys of up to 16 bytes inline and longer ones in an arena.
 * Lookups go through in groups with the next groups' cache lines prefetched. Limit: 2^32 - 2 keys. One owner, no locks. */
#ifndef STRM_DATA_KEYTAB_H
#define STRM_DATA_KEYTAB_H
#include "data/rowkey.h"

struct keytab_entry {
	uint64_t a, b; /* n <= 16: the key; else its first 8 bytes and a pointer to all of it */
	uint32_t n;
	uint32_t kind; /* enum key_kind */
	uint32_t tag;  /* of the hash */
	uint32_t user; /* the owner's, 0 at first */
};

struct keytab {
	uint64_t *slots; /* tag << 32 | group + 1; 0: empty */
	uint32_t mask;
	uint32_t n; /* groups */
	struct keytab_entry *entries;
	size_t cap; /* of entries */
	struct arena long_keys;
};

#define KEYTAB_NONE UINT32_MAX

void keytab_init(struct keytab *t);
void keytab_release(struct keytab *t);
/* Forget all keys, keep the memory. */
void keytab_clear(struct keytab *t);
/* Group of each key, made where it is new: keys [old t->n, new t->n) are new, numbered in the order of `keys`. */
void keytab_put(struct keytab *t, const struct key_bytes *keys, uint32_t n, uint32_t *group);
/* Group of one key, or KEYTAB_NONE. */
uint32_t keytab_find(const struct keytab *t, const struct key_bytes *key);
/* The key of a group; p stays valid until the table is cleared, except inline ones: until the next put. */
void keytab_key(const struct keytab *t, uint32_t group, struct key_bytes *out);
/* Bytes held. */
size_t keytab_memory(const struct keytab *t);
/* Half the bytes by which it will be more than twice as large when it has grown: small tables grow faster. */
size_t keytab_leap(const struct keytab *t);

#endif

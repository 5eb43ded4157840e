/* Changes in memory: those of a commit that is being made, and a segment of the log with those of its commits. A segment is kept as the bytes of
 * its file. The index over the changes is made when somebody looks: who never asks never pays. One owner; a full segment is not
 * changed any more (its index aside), so that the fold thread can read it meanwhile. */
#ifndef STRM_STATE_MEMTAB_H
#define STRM_STATE_MEMTAB_H
#include "state/log.h"

struct change {
	uint32_t stage, mark; /* mark 0: the entry is deleted */
	struct store_bytes key, value;
};

/* change: mark u32 | stage varint | key | value (not if it is deleted) */
void change_put(struct buf *b, const struct change *c);
/* A bad change has stage 0. */
struct change change_get(struct bytes_in *in);
/* 64 bits of an entry's hash; never 0 in the lower 32, which are its mark. */
uint64_t entry_sum(uint32_t stage, struct store_bytes key, struct store_bytes value);

/* Where the latest change of each key begins. */
struct index {
	uint64_t *slots; /* 16 bits of the hash << 48 | offset + 1; 0: empty */
	size_t mask, n;
};

struct region {
	size_t at, end; /* changes of one commit */
};

struct memtab {
	struct buf b;         /* the file's bytes; of the commit being made: only changes */
	struct region *regions;
	size_t n_regions, cap;
	struct index ix;
	size_t indexed;       /* regions before this one are in the index */
	size_t indexed_to;    /* and what lies before this offset */
};

void memtab_release(struct memtab *m);
/* Forgets all changes, keeps the memory. */
void memtab_clear(struct memtab *m);
void memtab_region(struct memtab *m, size_t at, size_t end);
/* The latest change of a key; false: none. */
bool memtab_find(struct memtab *m, uint32_t stage, struct store_bytes key, struct change *out);

/* A change in the order of LMDB's keys (mdbfile.h). */
struct change_ref {
	uint32_t stage;
	uint32_t is_long;
	uint64_t hi, lo; /* first 16 bytes of the key, big-endian; of a long key its hash */
	uint32_t from;   /* number of the table: a later one wins */
	uint64_t at;     /* offset in it */
};

struct change_list {
	struct change_ref *refs;
	size_t n, cap;
	const struct memtab *const *tables; /* what `from` counts */
	unsigned weak_hash;
	struct store_bytes begin; /* a short key: changes of keys before it are left out */
};

/* Adds all changes of a table; stage 0: of all stages. */
void change_list_add(struct change_list *l, uint32_t from, uint32_t stage);
/* Sorts; of the changes of a key only the latest stays. */
void change_list_sort(struct change_list *l);
struct change change_at(const struct change_list *l, size_t i);
/* Where a key stands in that order beside the i-th change: < 0 before it, 0 it is its key. */
int change_list_compare(const struct change_list *l, const struct change_ref *r, struct store_bytes key, size_t i);
/* The order: by stage, short keys by bytes, then long ones by hash and bytes. */
struct change_ref key_ref(uint32_t stage, struct store_bytes key, unsigned weak_hash);

#define SHORT_KEY_MAX 506 /* with 5 bytes before it LMDB's 511 */

#endif

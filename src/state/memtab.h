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

#define CHANGE_HEAD_MAX 48 /* bytes of one beside key and value */
/* change: mark u32 | stage varint | key | value (not if it is deleted) */
void change_put(struct buf *b, const struct change *c);
/* A bad change has stage 0. */
struct change change_get(struct bytes_in *in);
/* 32 bits of an entry's hash; never 0. */
uint32_t entry_mark(uint32_t stage, struct store_bytes key, struct store_bytes value);

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
/* Room for so many bytes more. */
void memtab_reserve(struct memtab *m, size_t more);
void memtab_region(struct memtab *m, size_t at, size_t end);
/* The change that begins at an offset. */
struct change memtab_change(const struct memtab *m, size_t at);
/* The latest change of a key; false: none. */
bool memtab_find(struct memtab *m, uint32_t stage, struct store_bytes key, struct change *out);

#endif

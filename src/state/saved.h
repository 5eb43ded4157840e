/* What is saved beside the entries: the program with its stages, their counts and sums, the last commit and the cut after it. And the items of
 * the log's frames, which say how it changes.
 *
 * item     type varint | n varint | n bytes; a frame's body is a row of items
 * program  text | next id | number of stages, { id, fingerprint u64, name } of each
 * cut      batch | time u64 | data
 * commit   batch | time u64 | data | number of stages, { id, keys, sum u64 } of each | changes (memtab.h) up to its end
 * seal     nothing: the log goes on in the next file
 * Integers are varints where nothing is said; texts, names and data are a length and bytes. */
#ifndef STRM_STATE_SAVED_H
#define STRM_STATE_SAVED_H
#include "state/bytes.h"

enum item_type { ITEM_PROGRAM = 1, ITEM_CUT, ITEM_COMMIT, ITEM_SEAL };

struct saved_stage {
	uint32_t id;
	uint64_t fingerprint;
	char *name;
	uint64_t keys, sum;           /* entries and the sum of their marks, as of the last commit */
	uint64_t live_keys, live_sum; /* and with the changes since; the store's */
};

/* A point whose data is owned. */
struct saved_point {
	struct store_point at;
	struct buf data;
	bool is;
};

struct saved {
	struct buf text;
	bool has_program;
	struct saved_stage *stages;
	size_t n_stages, cap;
	uint32_t next_id; /* 0 before the first program */
	struct saved_point commit, cut; /* a commit ends the cut */
};

void saved_release(struct saved *s);
/* Forgets the stages and the program, not next_id. */
void saved_clear_program(struct saved *s);
struct saved_stage *saved_find(const struct saved *s, uint32_t id);
struct saved_stage *saved_add(struct saved *s, uint32_t id, struct store_bytes name, uint64_t fingerprint);
void saved_set_point(struct saved_point *p, const struct store_point *from);

/* Whole items. */
void item_put_program(struct buf *b, const struct saved *s);
void item_put_cut(struct buf *b, const struct store_point *cut);
void item_put_commit(struct buf *b, const struct saved *s, const struct store_point *commit, struct store_bytes changes);
void item_put_seal(struct buf *b);

struct item {
	uint32_t type;
	struct store_bytes body;
};

/* The next item of a frame: 1, 0 at its end, -1 not an item. */
int item_next(struct bytes_in *in, struct item *item);
/* What the item changes; of a commit the changes, of others none. 0, or -1: it is none that a store writes. */
int saved_apply(struct saved *s, const struct item *item, struct store_bytes *changes);

#endif

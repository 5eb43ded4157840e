/* Aggregates per key over windows that slide: what op_window (processing time) and op_slices (event time) share.
 *
 * Time is cut into slices, known by a number that grows with time; a window is a range of slices that have entered and not left. A cell is one key in one
 * slice: a slot in the columns of states. What a window says of a key is in no slice but beside them, so that neither a record nor a window costs more because
 * windows overlap:
 * - Where every aggregate has an inverse, a running total for each key, which cells enter and leave.
 * - Else the queue of two stacks of "Low-Latency Sliding-Window Aggregation in Worst-Case Constant Time" (Tangwongsan, Hirzel, Schneider 2017), section 2, for
 *   each key: on the older side every cell holds the merge (suffix) of itself and the key's newer ones there, the newer side has one total. When the older side
 *   has run out, the newer one becomes it. So suffixes take as much room as cells, not keys times slices.
 * Records may come out of order: one for a slice that has entered is added to the total or the suffixes as well, in time that grows with the cells of its key
 * before it on the older side.
 *
 * Keys are numbered once, in groups; those of a window come in the order in which they first appeared since they had no cell.
 * Merging is in the order of the slices: what depends on the order of records (AGG_ORDERED) needs records that come in it. */
#ifndef STRM_OP_SLIDING_H
#define STRM_OP_SLIDING_H
#include "op/reducer.h"
#include "op/timers.h"
#include "state/store.h"

#define SLIDING_NONE UINT32_MAX

struct sliding_key {
	uint64_t born;         /* order of first appearance; 0: no cell */
	uint32_t n_cells;
	uint32_t n_in;         /* of them in the window */
	uint32_t total;        /* slot: of all in the window, without inverse of the newer side; SLIDING_NONE */
	uint32_t front;        /* the key's first cell on the older side; SLIDING_NONE */
	bool listed;
};

/* By slot; slots of totals have none. */
struct sliding_cell {
	uint32_t key, slice;
	uint32_t suffix;       /* slot, its own unless the run is durable; SLIDING_NONE: not on the older side */
	uint32_t next;         /* the key's next newer cell on the older side */
	uint32_t mark;         /* of its entry */
	bool changed;          /* since the last commit */
};

enum slice_side { SLICE_WAITS, SLICE_IN, SLICE_OLDER };

struct slice {
	int64_t number;
	uint32_t next;         /* in its bucket, or the next free one */
	enum slice_side side;
	uint32_t *cells;
	size_t n, cap;
	uint64_t *map;         /* key << 32 | slot + 1; 0: empty */
	uint32_t mask;
};

struct slot_list {
	uint32_t *at;
	size_t n, cap;
};

struct sliding {
	struct reducer *reducer;
	bool inverse, durable;
	struct groups groups;
	struct sliding_key *keys;
	size_t keys_cap;
	uint32_t n_keys, n_dead; /* of them without a cell */
	uint32_t n_live;         /* keys in the window */
	uint64_t births;
	struct agg_states *states;
	struct sliding_cell *cells;
	size_t cells_cap;
	uint32_t n_slots, spare; /* spare: with start values, for what a merge takes */
	struct slot_list unused, scratch;
	struct slice *slices;
	size_t slices_cap;
	uint32_t n_slices, used_slices, free_slice;
	uint32_t *buckets, bucket_mask;
	size_t slice_bytes;      /* behind slices */
	struct timers waiting, leaving; /* slices by number */
	struct slot_list newer;  /* slices of the newer side */
	int64_t newer_min;
	int64_t older_max;       /* slices up to here are of the older side */
	int64_t entered;         /* slices before this have entered */
	struct slot_list list;   /* keys in the window, and some that were */
	size_t sorted;           /* so many of list are in order */
	struct slot_list changed;
	struct buf gone;         /* entries to be dropped: n u32 | key | mark u32 */
	struct buf tmp;
};

/* Rows of one batch on their way to their cells. */
struct sliding_intake {
	const struct batch *b;
	const struct column *args;
	const uint32_t *group;
	uint32_t *row, *slot, n, cap;
};

/* The reducer is the caller's, stays where it is, and its op has a run. */
void sliding_init(struct sliding *s, struct reducer *r);
void sliding_release(struct sliding *s);
size_t sliding_memory(const struct sliding *s);

/* Keys and arguments of the selected rows. */
void sliding_begin(struct sliding *s, struct sliding_intake *in, const struct batch *b);
/* The slice of this number, made if it is new and then to be given a row; good until slices leave. */
uint32_t sliding_slice(struct sliding *s, int64_t number);
/* Row k of the selection into a slice. */
void sliding_row(struct sliding *s, struct sliding_intake *in, uint32_t k, uint32_t slice);
void sliding_end(struct sliding *s, struct sliding_intake *in);

/* The window becomes [from, to): slices before `from` leave for good, be it that they never entered; those before `to` enter. Both never
 * go back. */
void sliding_move(struct sliding *s, int64_t from, int64_t to);
/* Slices before `from` leave. */
void sliding_leave(struct sliding *s, int64_t from);
/* The first slice that has not entered. */
bool sliding_waiting(const struct sliding *s, int64_t *number);
/* Keys in the window, in order; good until the next call. */
const uint32_t *sliding_keys(struct sliding *s, uint32_t *n);
/* The slots of states of keys in the window: slots[i] of keys[i]; they are of the window as it is now until sliding_done. */
void sliding_states(struct sliding *s, const uint32_t *keys, uint32_t n, uint32_t *slots);
/* The same as copies, which stay as they are. */
void sliding_copies(struct sliding *s, const uint32_t *keys, uint32_t n, uint32_t *slots);
void sliding_done(struct sliding *s);
/* Keys without cells make room when they are the most. Not while keys, rows or slots of above are in use. */
void sliding_compact(struct sliding *s);

/* Checkpoints (op/op.h): an entry for each cell. Slices that come back wait to enter. */
void sliding_commit(struct sliding *s, struct keeper *k);
/* key_value: both. 0, or -1: it is no entry that sliding_commit made. */
int sliding_restore(struct sliding *s, const struct store_bytes key_value[2], uint32_t mark);

#endif

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
 * Merging is in the order of the slices: what depends on the order of records (AGG_ORDERED) needs records that come in it.
 *
 * With --mem and a checkpoint keys that had no record for a time leave memory with all their cells, and come back when a record has them (sliding_away.c). What
 * a window says of those that are away is made of their entries, some keys at a time (sliding_view.c): the window moves without them. */
#ifndef STRM_OP_SLIDING_H
#define STRM_OP_SLIDING_H
#include "op/away.h"
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
	uint32_t name_mark;    /* of the entry that tells its birth; that of the roll's is the group's (struct keytab_entry) */
	bool listed;
	bool recent;           /* changed since keys last left memory */
	bool leaves;
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
	uint64_t away;         /* cells of keys that are not in memory */
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
	int64_t left;            /* slices before this have left */
	/* with --mem, or behind a run with it */
	struct away away;
	uint64_t away_cells, away_in; /* of slices that are there; of them in the window */
	struct groups look;      /* a key at a time */
	bool rolls;              /* there are entries of the roll */
	bool settling;           /* restored, and nothing has left memory since */
	bool stale, stale_again; /* some that are away may have no cell any more; since the sweep at hand began */
	uint64_t sweep_at;       /* births before this one were looked at by it */
	uint64_t left_memory;    /* keys, for its pace */
	int64_t left_kept;       /* as committed */
	uint32_t left_mark;
	size_t leave_at;         /* bytes from which on it is worth looking which keys do */
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

/* Within --mem? 0 or -1. */
int sliding_check_memory(const struct sliding *s, struct err *e);

/* Keys and arguments of the selected rows; keys that were away come back. 0 or -1. */
int sliding_begin(struct sliding *s, struct sliding_intake *in, const struct batch *b, struct err *e);
/* The slice of this number, made if it is new and then to be given a row; good until slices leave. */
uint32_t sliding_slice(struct sliding *s, int64_t number);
/* The first slice from this number on, INT64_MAX: there is none. */
int64_t sliding_first(const struct sliding *s, int64_t from);
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
/* Is a key in the window? */
static inline bool sliding_any(const struct sliding *s) { return s->n_live || s->away_in; }
/* Keys in the window that are in memory, in order; good until the next call. */
const uint32_t *sliding_keys(struct sliding *s, uint32_t *n);
/* The slots of states of keys in the window: slots[i] of keys[i]; they are of the window as it is now until sliding_done. */
void sliding_states(struct sliding *s, const uint32_t *keys, uint32_t n, uint32_t *slots);
/* The same as copies, which stay as they are. */
void sliding_copies(struct sliding *s, const uint32_t *keys, uint32_t n, uint32_t *slots);
void sliding_done(struct sliding *s);

/* Keys of the window with those that are away, in order, as many rows at a time as there is memory for. */
struct sliding_view {
	struct sliding *s;
	int64_t from, to;      /* slices of the window */
	uint32_t max;          /* rows at a time */
	struct groups groups;  /* of the rows at hand: keys[i] is the group, slots[i] the states of row i */
	uint32_t *keys, *slots, n;
	const uint32_t *here;  /* keys in memory */
	uint32_t n_here, at;
	uint64_t next;         /* births before this one have been looked at */
};

void sliding_view_begin(struct sliding *s, struct sliding_view *v, int64_t from, int64_t to);
/* The next rows; good until the next call. 1; 0: there are no more; -1. */
int sliding_view_next(struct sliding_view *v, struct err *e);
void sliding_view_end(struct sliding_view *v);
/* Before the windows: entries of keys that died while they were away go, some at each micro-batch. 0 or -1. */
int sliding_sweep(struct sliding *s, struct err *e);
/* Keys without cells make room when they are the most. Not while keys, rows or slots of above are in use. */
void sliding_compact(struct sliding *s);

/* Checkpoints (op/op.h): an entry for each cell, and of keys that were away one with all cells. Slices that come back wait to enter. */
void sliding_commit(struct sliding *s, struct keeper *k);
/* key_value: both. 0, or -1: it is no entry that sliding_commit made. */
int sliding_restore(struct sliding *s, const struct store_bytes key_value[2], uint32_t mark);
/* Behind the last entry. */
void sliding_restored(struct sliding *s);
/* Is it the entry of a key that was away? Then *values is its key (value_save). */
bool sliding_is_roll(struct store_bytes key, struct store_bytes value, struct store_bytes *values);

#endif

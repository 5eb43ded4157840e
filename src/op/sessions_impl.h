/* op_sessions, shared by op_sessions.c and sessions_away.c (keys that leave memory for the checkpoint). */
#ifndef STRM_OP_SESSIONS_IMPL_H
#define STRM_OP_SESSIONS_IMPL_H
#include "data/rowstore.h"
#include "op/away.h"
#include "op/away_times.h"
#include "op/keep.h"
#include "op/op_sessions.h"
#include "op/timers.h"
#include "window/window.h"

/* Rows of one session that came one after the other. With run->durable: in one micro-batch, for they are an entry that is written once. */
struct bunch {
	struct rowstore rows; /* with the number of the row's arrival behind its fields */
	uint64_t id;
	uint32_t session, mark;
	bool open;            /* takes more rows */
};

struct numbers {
	uint32_t *at, n;
	size_t cap;
};

struct session {
	struct interval window;
	uint32_t key, gen;
	bool live;
	uint64_t first;         /* its first row, by arrival */
	struct numbers bunches; /* the last one takes rows */
};

struct key_sessions {
	struct numbers list; /* by start */
	bool recent;         /* it had a row since keys last left memory */
};

struct sessions {
	struct op op;
	struct sessions_spec spec;
	struct groups groups;
	struct key_sessions *of;
	size_t of_cap;
	uint32_t n_of, n_dead;  /* keys; of them without a session */
	struct session *at;
	size_t cap;
	uint32_t n, n_live;
	struct bunch *bunches;
	size_t bunches_cap;
	uint32_t n_bunches;
	struct numbers unused, unused_bunches;
	struct timers ends;     /* of sessions, or earlier */
	uint64_t arrived, ids;
	size_t bytes;
	struct keep_dirty dirty; /* with run->durable: bunches */
	struct keep_gone gone;
	/* with --mem */
	bool leaves;             /* keys may leave memory */
	struct away away;
	struct away_times due;   /* when those that are away come back */
	struct keep_dirty heads; /* keys: they want to leave */
	size_t leave_at;         /* bytes from which on it is worth looking which do */
	struct buf resting;      /* at the start: the entry's key of the head that came last, of a key that is away */
};

/* ---- op_sessions.c ---- */
#define SESSIONS_TAG 's'
#define SESSIONS_BUNCH_VERSION 1
/* 's' and the key: where its entries begin. */
void sessions_key(const struct sessions *s, uint32_t key, struct buf *out);
/* A bunch comes back. 0, or -1: it is none. */
int sessions_load(struct sessions *s, const struct kept_entry *entry);
/* It is not needed any more; an entry that it has goes. */
void sessions_drop_bunch(struct sessions *s, uint32_t bunch);
/* The slot is free; the key's list is the caller's. */
void sessions_free_slot(struct sessions *s, uint32_t slot);
/* Keys without sessions leave the table. */
void sessions_compact(struct sessions *s);

/* ---- sessions_away.c ---- */
#define SESSIONS_HEAD_VERSION 2
/* The key's head, if it has one, does not tell all any more. */
void sessions_forget_head(struct sessions *s, uint32_t key);
/* Between micro-batches: keys leave when memory gets short. */
void sessions_leave(struct sessions *s);
/* Heads of those that are going to. */
void sessions_put_heads(struct sessions *s, struct keep *k);
/* Keys from `first` on are new: those that are away come back. 0 or -1. */
int sessions_return(struct sessions *s, uint32_t first, struct err *e);
/* Keys come back that have a session which ends before `until`, but not those that had one before `floor`, which have been here: as many as there is memory for.
 * Those of sessions that end before *upto are all in memory then. 0 or -1. */
int sessions_bring(struct sessions *s, int64_t floor, int64_t until, int64_t *upto, struct err *e);
/* A head at the start. 0, or -1: it is none. */
int sessions_load_head(struct sessions *s, const struct kept_entry *entry);
/* At the start: is it a bunch of a key that is away? Its number is not given again. */
bool sessions_is_resting(struct sessions *s, const struct kept_entry *entry);
void sessions_away_release(struct sessions *s);
size_t sessions_away_memory(const struct sessions *s);

#endif

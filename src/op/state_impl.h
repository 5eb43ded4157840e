/* What the files of op_state share. */
#ifndef STRM_OP_STATE_IMPL_H
#define STRM_OP_STATE_IMPL_H
#include "data/rowstore.h"
#include "op/away.h"
#include "op/away_times.h"
#include "op/keep.h"
#include "op/op_state.h"
#include "op/state_table.h"

/* Bytes of scratch and of replaced values after which what was emitted goes out. */
#define STATE_SCRATCH_MAX ((size_t)16 << 20)
/* Timers that set one another, all due, in one micro-batch: more is a loop that never ends. */
#define STATE_CHAIN_MAX 100000

static_assert(STATE_CHAIN_MAX <= TIMER_CHAIN_MAX, "a chain is counted in the timer's entry");

enum { HIDDEN_OWN = HIDDEN_WINDOW_END + 1 }; /* event time and window: what a row made without a record has */

struct emitted {
	struct value *v;
	struct value *hidden; /* HIDDEN_OWN of them, NULL: made of a record */
	uint32_t row;	      /* of the record's batch */
};

/* Rows of one schema that wait to be pushed; values in the operator's arena, the batch at hand or the pool. */
struct emits {
	const struct schema *schema;
	struct emitted *at;
	uint32_t n;
	size_t cap;
};

/* Records kept for `on batch`: of each key a ring, from the last to the first. */
struct kept_records {
	struct rowstore rows;
	uint32_t *next; /* by row */
	size_t next_cap;
	uint32_t *last; /* by key, row + 1; 0: none */
	size_t last_cap, n_last;
};

enum { STATE_CLOCK, STATE_EVENT, STATE_CLOSE };

/* What a key waits for. */
struct state_waits {
	int64_t at[2];	   /* its earliest timer, that of its window too: processing time, event time; TIMER_NONE: none */
	int64_t over;	   /* `ttl`: behind this it is gone; TIMER_NONE: never */
	uint32_t n_set[3]; /* timers: in processing time, in event time, of its window */
};

struct state_op {
	struct op op;
	struct state_rules rules;
	struct state_table table;
	uint32_t slots[STATE_SLOTS_MAX][2]; /* by timer: its slot in processing time, in event time; or STATE_NO_SLOT */
	uint32_t timer_of[STATE_SLOTS_MAX];
	struct value special[SP_COUNT_];
	struct value *frame;
	struct emits out;
	uint32_t *touched; /* keys that had a record in this micro-batch, in the order they first did */
	size_t n_touched, touched_cap;
	uint32_t *closed; /* keys whose window has closed */
	size_t n_closed, closed_cap;
	struct kept_records kept;
	int64_t watermark; /* as it stood when the micro-batch began */
	int64_t entered;   /* largest event time of this micro-batch, WATERMARK_NONE: none */
	bool judges;	   /* late records are dropped */
	bool restored;
	bool starts; /* with a first state, and nothing has come yet */
	size_t leave_at;     /* bytes of the table from which on it is worth looking which do */
	struct away away;
	struct away_times times[2]; /* of those that are away: processing time (`ttl` too), event time */
	uint64_t away_set[3];	    /* their timers, as in state_waits */
	struct keep_gone gone; /* entries of keys that came back with another spelling */
	/* the rule at work */
	uint32_t key;
	bool visits;	       /* the key is away, and looked at in a table of its own */
	const struct batch *b; /* NULL: no record */
	uint32_t row;
	struct value hidden[HIDDEN_OWN]; /* without a record */
	int64_t until[2];		 /* timers before these are due: processing time, event time */
	uint32_t chain;
	const struct timer_entry *firing; /* NULL: none does */
	int verdict; /* of the last push */
	struct err *e;
};

/* Places in the frame. */
static inline uint32_t frame_key(const struct state_op *s) { return s->rules.n_vars; }
static inline uint32_t frame_column(const struct state_op *s) { return s->rules.n_vars + s->rules.n_keys; }
static inline uint32_t frame_item(const struct state_op *s) { return frame_column(s) + s->rules.n_columns; }

/* The first values of a key that has none, and its variables into the frame. 1 when it had none. */
bool state_enter(struct state_op *s);
/* Runs a block for s->key. 0 or -1. */
int state_run(struct state_op *s, const struct state_block *b);
/* Push what was emitted. 0 or -1. */
int state_push(struct state_op *s);
/* The same between rules, where scratch and replaced values may go. */
int state_flush(struct state_op *s);
/* It is time for it. */
bool state_is_full(const struct state_op *s);
/* A key is born, and spelled as in this row of the key columns (state_save.c). */
void state_respell(struct state_op *s, uint32_t key, const struct column *const *cols, uint32_t row);
/* Keys that are not needed now leave memory when it gets short; between micro-batches, with no change noted (state_away.c). */
void state_leave(struct state_op *s);
/* Keys from `first` on are new to the table: those that are away come back. 0 or -1. */
int state_return(struct state_op *s, uint32_t first, struct err *e);
/* Keys that are away and wait for a time before this, or (processing time) are over by now, come back, and are gone. 0 or -1. */
int state_return_due(struct state_op *s, bool event, int64_t until, struct err *e);
/* Runs a rule for all keys, by birth; those that are away stay there unless it changes them (state_all.c). 0 or -1. */
int state_each_key(struct state_op *s, int (*rule)(struct state_op *s, uint32_t key), struct err *e);
/* A key that was away is in memory, or is no more: what its entry said that it waits for. */
void state_forget_away(struct state_op *s, const struct state_waits *w);
/* The error of an entry that was not written here. -1. */
int state_refuse(const struct state_op *s, struct err *e);
/* What is kept of a key as bytes, appended (state_save.c). */
void state_save_value(const struct state_table *t, uint32_t key, struct buf *b);
/* What an entry's value says that its key waits for. 0, or -1: none that was written here (state_save.c). */
int state_waits_saved(const struct state_op *s, const char *value, size_t n, struct state_waits *w);
void state_waits_add(const struct state_op *s, uint32_t slot, int64_t at, struct state_waits *w);
int64_t state_over(const struct state_op *s, int64_t last);
/* The number of an entry's key, which is made when it is new (*is_new). 0, or -1: malformed. */
int state_load_key(struct state_op *s, const char *key, size_t n, uint32_t *at, bool *is_new);
/* Is an entry's key in memory? 1, 0, or -1: malformed. */
int state_knows_key(struct state_op *s, const char *key, size_t n);
/* An entry's value into a key that is new. 0, or -1: none that was written here (state_save.c). */
int state_load_value(struct state_op *s, uint32_t key, const char *value, size_t n, uint32_t mark);
/* As in op_class (state_save.c). */
void state_commit(struct op *op, struct keeper *k);
int state_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e);

#endif

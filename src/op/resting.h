/* Keys of a stage that rest: with --mem and a checkpoint they leave memory, their entries stay in the store, and they come back when a record has
 * them or when a time has come that they wait for. For operators that number their keys with op/living.h and keep an entry for each: `tag` and the
 * values of the key.
 *
 * A key that is away is not in the table: the owner numbers the living anew when some have left (resting_left). One owner, no locks. */
#ifndef STRM_OP_RESTING_H
#define STRM_OP_RESTING_H
#include "op/away.h"
#include "op/away_times.h"
#include "op/living.h"

/* Keys may wait for times of this many kinds. */
#define RESTING_TIMES 2

/* What the owner does. */
struct resting_calls {
	/* A key comes back: it is alive from now on, and known by living_load. 0, or -1: not an entry of its own. */
	int (*load)(struct op *op, const struct kept_entry *entry);
	/* When it waits for what, INT64_MAX: for nothing; at has that at first. 0 or -1; NULL: no key waits for a time. */
	int (*due)(const struct op *op, const struct kept_entry *entry, int64_t at[RESTING_TIMES]);
	char tag;
};

struct resting {
	struct op *op;
	struct living *keys;
	const struct resting_calls *calls;
	struct away away;
	struct away_times times[RESTING_TIMES];
	size_t leave_at; /* bytes held from which on it is worth trying again */
};

void resting_init(struct resting *r, struct op *op, struct living *keys, const struct resting_calls *calls);
void resting_release(struct resting *r);
size_t resting_memory(const struct resting *r);

/* Between micro-batches: does the operator hold so much (op_memory) that keys should leave? Then `stay` is how many may stay of those that had a record
 * lately. Behind the last one that left, and when the owner has its memory back: resting_left. */
bool resting_should_leave(const struct resting *r, uint32_t *stay);
/* The key, whose entry says all of it, leaves and waits for times as in `due` (NULL: for none). False when it has to stay. */
bool resting_leave(struct resting *r, uint32_t key, const int64_t due[RESTING_TIMES]);
void resting_left(struct resting *r);

/* Keys from `first` on are new to the table and dead: those that are away come back. 0 or -1. */
int resting_return(struct resting *r, uint32_t first, struct err *e);
/* Brings back keys that wait for a time before `until` (of one kind), the earliest first, as many as there is memory for: of those that wait for one before
 * *upto, which is at most `until`, all are in memory then. 0 or -1. */
int resting_bring(struct resting *r, int kind, int64_t until, int64_t *upto, struct err *e);
/* The earliest time of that kind that a key waits for that is away, INT64_MAX: none. 0 or -1. */
int resting_first(struct resting *r, int kind, int64_t *at, struct err *e);
/* Nothing that is away is due before, of that kind. */
static inline int64_t resting_wakes(const struct resting *r, int kind) { return away_times_first(&r->times[kind]); }
/* Times of that kind are others from now on. */
void resting_forget(struct resting *r, int kind);

#endif

/* Keys of a join or cogroup whose rows have left memory for the checkpoint: all rows of a key, on all sides, leave and come back together.
 *
 * Rows keep their entries (join_keep.c). Beside them a key that is away has one that lists them: written in the commit by which
 * it leaves, dropped in the one behind its return. A key comes back at the end of a micro-batch in which it has new rows, and
 * when the first of its rows is over; rows are then in order of arrival again, as if they had never been away. */
#ifndef STRM_OP_JOIN_AWAY_H
#define STRM_OP_JOIN_AWAY_H
#include "op/away.h"
#include "op/away_times.h"
#include "op/expiries.h"
#include "op/join_side.h"

struct join_away {
	struct op *op;
	struct keytab *keys;
	struct join_side *side;
	int n_sides;
	uint32_t n_extra; /* values that rows have behind their own */
	/* When rows are over, by side; NULL: due says it, INT64_MAX is never. */
	struct expiries *expiries;
	int64_t (*due)(const struct op *op, const struct join_row *row);
	/* A row that has come back is waited for: put it into expiries. */
	void (*wait)(struct op *op, int side, uint32_t row);
	/* A row has come back, of a key with that order (join_side_commit). NULL: orders mean nothing. */
	void (*came)(struct op *op, const struct join_row *row, uint64_t order);
	struct away away;
	struct away_times times;
	uint64_t *rows;	  /* that are away, by side */
	uint32_t known;	  /* keys before this one have their rows in memory */
	struct keep_gone gone;
	size_t leave_at;
	bool whole;	 /* all was read at the start, whatever its size: it is looked at behind the first commit */
	uint64_t **skip; /* at the start: a bit for each row that is away, by side */
	size_t *skip_cap;
};

/* Of zeroed memory with its pointers set. */
void join_away_init(struct join_away *a);
/* At the end of a micro-batch, before its rows are matched. 0 or -1. */
int join_away_return(struct join_away *a, struct err *e);
/* The same with all keys. */
int join_away_return_all(struct join_away *a, struct err *e);
/* No key from here on is new. */
static inline void join_away_settle(struct join_away *a) { a->known = a->keys->n; }
/* What is dropped, before anything else of the commit. */
void join_away_commit(struct join_away *a, struct keeper *to);
/* Behind the rows' own commit, when memory gets short: rows of keys that had none for the longest time are dead to the sides from
 * now on. True: there are some, and the sides are to be rebuilt. */
bool join_away_leave(struct join_away *a, struct keeper *to);
/* An entry at the start: 1 when it is one of these, or a row that stays away; 0, or -1: malformed. */
int join_away_load(struct join_away *a, const struct kept_entry *entry);
/* After the last one. */
void join_away_loaded(struct join_away *a);
void join_away_release(struct join_away *a);
size_t join_away_memory(const struct join_away *a);

#endif

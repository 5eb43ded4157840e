/* When what has left memory is waited for: the nearest times with the keys of their entries, in a bounded heap. Those that lie
 * further off are known by the entries alone: everything that is away and due before the horizon is in the heap, and a walk over
 * the entries finds the rest when that is reached.
 *
 * An entry of the heap may be out of date, and there may be several of a key: the owner looks at what the key stands at. Zeroed
 * memory is an empty one. One owner, no locks. */
#ifndef STRM_OP_AWAY_TIMES_H
#define STRM_OP_AWAY_TIMES_H
#include "state/bytes.h"

struct away_time {
	int64_t at;	  /* INT64_MAX is never */
	uint32_t from, n; /* its key */
};

struct away_times {
	struct away_time *heap;
	size_t n, cap;
	struct buf keys;
	size_t lost; /* bytes of keys that are nobody's */
	size_t most; /* bytes from which on the further half goes; set by the owner */
	bool cut;    /* there may be more from the horizon on */
	int64_t horizon;
};

/* Would one of that time be kept? */
static inline bool away_times_wants(const struct away_times *t, int64_t at)
{
	return at < INT64_MAX && (!t->cut || at < t->horizon);
}
void away_times_add(struct away_times *t, int64_t at, struct store_bytes key);
/* The earliest that is before `until`, taken out: its key is put into an empty buffer. */
bool away_times_take(struct away_times *t, int64_t until, struct buf *key);
/* May there be some before `until` that are not in the heap? Then away_times_renew, and all of the entries are added. */
static inline bool away_times_short(const struct away_times *t, int64_t until) { return t->cut && t->horizon < until; }
/* Nothing that is away is due before. */
static inline int64_t away_times_first(const struct away_times *t) { return t->n ? t->heap[0].at : t->cut ? t->horizon : INT64_MAX; }
void away_times_renew(struct away_times *t);
void away_times_release(struct away_times *t);
size_t away_times_memory(const struct away_times *t);

#endif

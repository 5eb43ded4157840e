/* The table of keyed state: key -> variables, timers, when it was last met. Memory is columns by key number: 8 bytes, 16 for each
 * variable, 16 for each timer that the rules may set and 24 while it is set, 16 with `ttl`, and what the key itself takes
 * (data/keytab.h); text, lists and objects lie in a pool. Measured, with 2.2 million short keys and all that tables leave unused: 100
 * bytes for a key with one number, 137 with a timeout, 131 with one number and one short text.
 *
 * A key is born when a record or timer first needs it, and gone when it holds neither a variable nor a timer at the end of a
 * micro-batch; its number is used again when it comes back, as a new birth. Births order keys by their first appearance, whatever
 * the table did in between. */
#ifndef STRM_OP_STATE_TABLE_H
#define STRM_OP_STATE_TABLE_H
#include "data/valuepool.h"
#include "op/groups.h"
#include "op/state_timers.h"

#define STATE_NO_SLOT UINT32_MAX

enum state_flags {
	STATE_READY = 1,   /* its variables have their first values */
	STATE_HOLDS = 2,   /* a variable was assigned */
	STATE_TOUCHED = 4, /* a record in this micro-batch */
	STATE_CHANGED = 8, /* on the list of changes */
	STATE_AGED = 16,   /* in the order of ages */
	STATE_RECENT = 64, /* a record since keys last left memory */
	STATE_CLOSED = 32, /* its window closed in this micro-batch */
};

struct state_meta {
	uint64_t birth : 56; /* 0: not there */
	uint64_t flags : 8;
};

/* One timer of a key. */
struct state_cell {
	int64_t at;	/* TIMER_NONE: not set */
	int64_t queued; /* time of its entry in the heap that counts, <= at; TIMER_NONE: it has none */
};

struct state_age {
	int64_t last;	     /* the clock when its last record came */
	uint32_t prev, next; /* in that order; KEYTAB_NONE ends */
};

struct state_shape {
	uint32_t n_keys; /* at least 1 */
	uint32_t n_vars;
	uint32_t n_slots;
	uint32_t close; /* the slot that closes the key's window, STATE_NO_SLOT: none */
	bool *event;	/* by slot: in event time */
	bool ages;	/* `ttl` */
};

struct state_table {
	struct state_shape shape;
	struct groups groups;
	struct state_meta *meta;
	struct value *vars;	  /* n_vars for each key */
	struct state_cell *cells; /* n_slots for each key */
	struct state_age *ages;
	size_t meta_cap, vars_cap, cells_cap, ages_cap;
	uint32_t n; /* keys that have their rows in the columns */
	uint32_t n_live;
	uint64_t births;
	uint32_t newest;	   /* the key born last */
	bool reborn;		   /* births are not in the order of numbers */
	uint32_t oldest, youngest; /* by age */
	bool ages_mixed;	   /* the order of ages is that of coming back: see state_table_sort_ages */
	struct timer_heap clock, event;
	size_t n_queued;    /* cells with an entry */
	uint64_t n_set[2];  /* timers that are set: clock, event (closing windows left out) */
	uint64_t n_windows; /* keys that wait for their window to close */
	struct valuepool pool;
	uint32_t *changed; /* keys changed since the last state_table_forget_changes */
	size_t n_changed, changed_cap;
	bool crowded; /* worth compacting at the next good moment */
};

void state_table_init(struct state_table *t, const struct state_shape *shape);
void state_table_release(struct state_table *t);
/* Numbers of the keys of the selected rows; see groups_put. */
void state_table_put(struct state_table *t, struct arena *a, const struct column *const *cols, const uint32_t *sel,
		     uint32_t n_sel, uint32_t *key);
static inline bool state_table_has(const struct state_table *t, uint32_t key) { return t->meta[key].birth; }
static inline struct value *state_table_vars(const struct state_table *t, uint32_t key)
{
	return t->vars + (size_t)key * t->shape.n_vars;
}
static inline struct state_cell *state_table_cells(const struct state_table *t, uint32_t key)
{
	return t->cells + (size_t)key * t->shape.n_slots;
}
static inline void state_table_prefetch(const struct state_table *t, uint32_t key)
{
	__builtin_prefetch(&t->meta[key]);
	__builtin_prefetch(state_table_vars(t, key));
}
/* The key is there from now on. */
void state_table_wake(struct state_table *t, uint32_t key);
/* The same with the birth it had in another table. */
void state_table_revive(struct state_table *t, uint32_t key, uint64_t birth);
void state_table_note_change(struct state_table *t, uint32_t key);
/* A variable's new value, copied; what its old one points to may still be read until valuepool_settle. */
void state_table_set(struct state_table *t, uint32_t key, uint32_t var, const struct value *v);
/* Variables null, timers off. The key is still there. */
void state_table_clear(struct state_table *t, uint32_t key);
/* Does it hold a variable or a timer? */
bool state_table_holds(const struct state_table *t, uint32_t key);
/* The key is gone. */
void state_table_drop(struct state_table *t, uint32_t key);
void state_table_forget_changes(struct state_table *t);
/* `at` TIMER_NONE: off. */
void state_table_timer(struct state_table *t, uint32_t key, uint32_t slot, int64_t at, uint32_t chain);
/* The earliest timer that is before `until`, which is off then. */
bool state_table_due(struct state_table *t, bool event, int64_t until, struct timer_entry *out);
/* The earliest time of a timer, TIMER_NONE: none. */
int64_t state_table_next(struct state_table *t, bool event);
/* The key's last record came at `now`. */
void state_table_touch(struct state_table *t, uint32_t key, int64_t now);
/* The order of ages after keys came back in any order. */
void state_table_sort_ages(struct state_table *t);
/* All keys that are there, by birth, into out (room for t->n). Returns how many. */
uint32_t state_table_order(const struct state_table *t, uint32_t *out);
/* Numbers are given anew, without those that are gone; only with no change noted. */
void state_table_compact(struct state_table *t);
/* May the key leave memory? It may when no record of this micro-batch has it. */
bool state_table_may_leave(const struct state_table *t, uint32_t key);
/* What was given back of the memory of values, after keys have left. */
void state_table_repack(struct state_table *t);
size_t state_table_memory(const struct state_table *t);

#endif

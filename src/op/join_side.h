/* The rows that one side of a join keeps: deep copies, in lists by key in order of arrival, with times.
 *
 * A row has a number, 0, 1, 2 ... in order of arrival, until join_side_rebuild numbers the living anew. A row that is dead stays in its list
 * until a walk or a rebuild takes it out. */
#ifndef STRM_OP_JOIN_SIDE_H
#define STRM_OP_JOIN_SIDE_H
#include "data/batch.h"
#include "data/keytab.h"
#include "op/keep.h"

#define JOIN_NONE UINT32_MAX

struct join_row {
	const struct schema *schema;
	struct value *v;          /* schema->n of them, and what the stamp brought */
	uint32_t n;
	uint32_t group;           /* JOIN_NONE: it has no key */
	bool matched, dead;
	bool lone;                /* its key has a null that matches nothing: it waits for its time alone */
	int64_t at;               /* event time; INT64_MIN: none */
	int64_t latest;           /* of it and of those before it in the list */
	int64_t start, end;       /* its window, where the join is by window */
	struct value raw;         /* T_NULL: none */
	uint64_t id;              /* given once, growing */
	uint32_t mark;            /* of its entry in a checkpoint */
};

/* What a side keeps over a restart (join_keep.c). */
struct join_kept {
	const bool *durable;      /* NULL: nothing */
	uint64_t ids;
	uint32_t n;               /* rows before this one are in the checkpoint */
	uint64_t *changed;        /* ids of those that have been matched since */
	size_t n_changed, changed_cap;
	struct keep_gone gone;
};

struct join_list {
	uint32_t head, tail;
	int64_t latest;           /* of the last row */
	int64_t back;             /* no row is further behind the latest one before it, ns */
	/* Rows before `from` are earlier than `low`: those who look for later and later times need not begin at the head. JOIN_NONE: not known */
	uint32_t from;
	int64_t low;
};

struct join_side {
	struct join_row *rows;
	uint32_t *next;           /* by row: the one behind it in its group, JOIN_NONE: it is the last */
	uint32_t n, n_dead;
	uint32_t fresh;           /* the first row of the micro-batch at hand */
	size_t cap, next_cap;
	struct join_list *lists;  /* by group */
	uint32_t n_lists;
	size_t lists_cap;
	struct arena arena;
	const struct schema *seen; /* of the last row that came, NULL: none came */
	uint32_t number;           /* of the side */
	struct join_kept kept;
};

/* What a row brings along. */
struct join_stamp {
	int64_t at, start, end;
	uint32_t group;
	const struct value *extra; /* n_extra values kept behind its own */
	uint32_t n_extra;
	bool lone;
};

/* Room for a row more behind the others, not linked yet; the caller counts it. */
struct join_row *join_side_room(struct join_side *s);
/* The row behind the others of its group. */
void join_side_link(struct join_side *s, uint32_t at);
/* All lists anew, of the living rows in order. */
void join_side_relink(struct join_side *s);
/* Copies row `row` of b, behind the others of its group. Returns its number. */
uint32_t join_side_add(struct join_side *s, const struct batch *b, uint32_t row, const struct join_stamp *stamp);
/* The first living row of a group, and the one behind row `at`; JOIN_NONE: there is none. Dead ones on the way leave the list. */
uint32_t join_side_first(struct join_side *s, uint32_t group);
uint32_t join_side_next(struct join_side *s, uint32_t at);
/* The first living row of a group from which on rows may have a time of at least `low`. */
uint32_t join_side_first_from(struct join_side *s, uint32_t group, int64_t low);
/* Are row `at` and all behind it later than `high`? */
bool join_side_beyond(const struct join_side *s, uint32_t at, int64_t high);
void join_side_kill(struct join_side *s, uint32_t row);
/* Worth a rebuild: more rows are dead than alive? */
bool join_side_worn(const struct join_side *s);
/* The living rows alone, groups renamed by map (JOIN_NONE for those that are gone); rows[old] becomes the new number where rows is not NULL. */
void join_side_rebuild(struct join_side *s, const uint32_t *map, uint32_t *rows);
void join_side_clear(struct join_side *s);
void join_side_release(struct join_side *s);
size_t join_side_memory(const struct join_side *s);

/* ---- join_keep.c ---- */
/* The row is another one than when it was committed. */
void join_side_note(struct join_side *s, uint32_t row);
/* The row is dead. */
void join_side_forget(struct join_side *s, uint32_t row);
/* What changed goes to the keeper. `keys` has the rows' keys; `order` is a number of each group that comes back with it, or NULL. */
void join_side_commit(struct join_side *s, const struct keytab *keys, const uint64_t *order, struct keeper *to);
/* Where rows come back to. */
struct join_loading {
	struct join_side *sides;
	uint32_t n;        /* of them */
	uint32_t n_extra;  /* values that rows have behind their own */
	struct keytab *keys;
	/* of the row that came last */
	uint32_t group;
	uint64_t order;
};
/* An entry of one of the sides, in any order. 0, or -1: malformed. */
int join_side_load(struct join_loading *l, const struct kept_entry *entry);
/* The order of the group of an entry's row. 0, or -1: malformed. */
int join_side_order(const struct kept_entry *entry, uint64_t *order);
/* After the last one: rows are in order and in their lists. 0, or -1: two are one. */
int join_side_loaded(struct join_side *s);

#endif

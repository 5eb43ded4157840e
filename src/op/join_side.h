/* The rows that one side of a join keeps: deep copies, in lists by key in order of arrival, with times.
 *
 * A row has a number, 0, 1, 2 ... in order of arrival, until join_side_rebuild numbers the living anew. A row that is dead stays in its list
 * until a walk or a rebuild takes it out. */
#ifndef STRM_OP_JOIN_SIDE_H
#define STRM_OP_JOIN_SIDE_H
#include "data/batch.h"

#define JOIN_NONE UINT32_MAX

struct join_row {
	const struct schema *schema;
	struct value *v;          /* schema->n of them, and what the stamp brought */
	uint32_t n;
	struct value raw;         /* T_NULL: none */
	int64_t at;               /* event time; INT64_MIN: none */
	int64_t start, end;       /* its window, where the join is by window */
	uint32_t group;           /* JOIN_NONE: it has no key */
	uint32_t next;            /* of its group, JOIN_NONE: the last */
	bool matched, dead;
};

struct join_list {
	uint32_t head, tail;
};

struct join_side {
	struct join_row *rows;
	uint32_t n, n_dead;
	uint32_t fresh;           /* the first row of the micro-batch at hand */
	size_t cap;
	struct join_list *lists;  /* by group */
	uint32_t n_lists;
	size_t lists_cap;
	struct arena arena;
	const struct schema *seen; /* of the last row that came, NULL: none came */
};

/* What a row brings along. */
struct join_stamp {
	int64_t at, start, end;
	uint32_t group;
	const struct value *extra; /* n_extra values kept behind its own */
	uint32_t n_extra;
};

/* Copies row `row` of b, behind the others of its group. Returns its number. */
uint32_t join_side_add(struct join_side *s, const struct batch *b, uint32_t row, const struct join_stamp *stamp);
/* The first living row of a group, and the one behind row `at`; JOIN_NONE: there is none. Dead ones on the way leave the list. */
uint32_t join_side_first(struct join_side *s, uint32_t group);
uint32_t join_side_next(struct join_side *s, uint32_t at);
void join_side_kill(struct join_side *s, uint32_t row);
/* Worth a rebuild: more rows are dead than alive? */
bool join_side_worn(const struct join_side *s);
/* The living rows alone, groups renamed by map (JOIN_NONE for those that are gone); rows[old] becomes the new number where rows is not NULL. */
void join_side_rebuild(struct join_side *s, const uint32_t *map, uint32_t *rows);
void join_side_clear(struct join_side *s);
void join_side_release(struct join_side *s);
size_t join_side_memory(const struct join_side *s);

#endif

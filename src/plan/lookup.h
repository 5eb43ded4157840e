/* lookup in the plan: a join whose right side is a file. */
#ifndef STRM_PLAN_LOOKUP_H
#define STRM_PLAN_LOOKUP_H
#include "plan/join.h"

struct plan_lookup {
	const char *spec;      /* the source */
	struct pos pos;
	const char *name;      /* of the table */
	struct join_key *keys; /* none: all rows as a list */
	uint32_t n_keys;
	bool left;
	bool open;             /* by lookup_known: fields may come from anywhere */
};

int lookup_known(struct known *k, const struct plan_node *n, struct err *e);
void lookup_needs(struct plan_node *n, const struct field_set *after);
struct op *lower_lookup(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e);

#endif

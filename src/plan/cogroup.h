/* cogroup in the plan. */
#ifndef STRM_PLAN_COGROUP_H
#define STRM_PLAN_COGROUP_H
#include "op/op_join.h"
#include "plan/known.h"
#include "plan/lower.h"

struct plan_cogroup {
	struct node **keys;     /* paths: fields of every side */
	uint32_t n_keys;
	const char **labels;    /* of the sides, left first; by plan_link, NULL: none */
	enum join_scope scope;  /* by plan_times */
};

int cogroup_known(struct known *k, const struct plan_node *n, struct err *e);
/* All fields of all sides. */
void cogroup_needs(struct plan_node *n);
struct op *lower_cogroup(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e);

#endif

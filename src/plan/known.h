/* The fields a record is known to have at each point of the plan. */
#ifndef STRM_PLAN_KNOWN_H
#define STRM_PLAN_KNOWN_H
#include "plan/plan.h"

struct known {
	struct field_set set;
	struct field_set hidden; /* there when named, no part of the record: optional fields of a pattern */
	bool open; /* there may be others: the data decides */
};

/* What is known of an input's records, and behind a node, whose fields are checked. */
void known_start(const struct plan *p, const struct plan_input *in, struct known *k);
int known_node(struct known *k, const struct plan_node *n, struct err *e);
/* The fields that an expression reads, checked. 0 or -1. */
int known_expr(const struct known *k, struct node *expr, struct err *e);
/* May the field be there; is it, by this very name? */
bool known_has(const struct known *k, const char *name);
bool known_has_field(const struct known *k, const char *name);
/* Records of either kind. */
void known_merge(struct known *k, const struct known *more);
/* Of a copy of `like` without fields. */
struct known known_empty(const struct known *like);
/* Check every field the nodes read (rules may have moved them), and leave what the output of a plan that is a line is known to have. 0 or -1. */
int known_check(const struct plan *p, const struct plan_input *in, struct known *out, struct err *e);

#endif

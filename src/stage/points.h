/* Points and chains in place, as stages name them. */
#ifndef STRM_STAGE_POINTS_H
#define STRM_STAGE_POINTS_H
#include "plan/plan.h"

/* NAME, ... into n->others; with `chains` a chain in parentheses may stand for a name. 0 or -1. */
int parse_points(struct parser *p, struct plan_node *n, bool chains, struct err *e);
/* One of them, appended. */
int parse_point(struct parser *p, struct plan_node *n, bool chains, struct err *e);
/* "a, b, (from c | words)" */
void canon_points(struct buf *b, const struct plan_node *n);

#endif

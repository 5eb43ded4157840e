/* Joins in the plan: what is known behind one, what it wants of its sides, how it is lowered. */
#ifndef STRM_PLAN_JOIN_H
#define STRM_PLAN_JOIN_H
#include "op/op_join.h"
#include "plan/known.h"
#include "plan/lower.h"

struct join_key {
	struct node *side[2];
	bool null_is_key;       /* `<=>` */
};

struct plan_join {
	enum join_kind kind;
	bool within;
	int64_t from, to;
	struct join_key *keys;
	uint32_t n_keys;
	struct node *where;     /* NULL: none */
	/* by plan_link */
	const char *label[2];   /* names of the sides; left may be NULL, right is "right" where it has none */
	/* by plan_times */
	enum join_scope scope;
	/* by join_known */
	struct known known[2];
	struct node *own[2];    /* what of `where` speaks of one side alone, names of sides taken off */
	struct node *pairs;     /* the rest */
};

/* Is the key a field of one name in both sides, so that it is one field of the result too? */
bool join_key_is_one(const struct join_key *k);
int join_known(struct known *k, const struct plan_node *n, struct err *e);
/* The node at `at` of the chain is a join whose sides are known: SIDE.x in the nodes behind it becomes x where that is what the field is
 * called. */
void join_name_sides(const struct plan *p, const struct plan_chain *c, uint32_t at);
/* What the node wants of its left, into n->needs, and of its right, added to what that point's readers want. */
void join_needs(struct plan_node *n, const struct field_set *after);
/* `RIGHT.x` in later stages is that side's x, also while no left record has shown whether the left has an x too: those fields into names. */
void join_asked(const struct plan *p, const struct field_set *after, struct join_names *names);
struct op *lower_join(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e);

#endif

/* A table of aggregate states: what a reduce holds for one micro-batch. Groups by key, one column of states for each aggregate call. */
#ifndef STRM_OP_AGGTABLE_H
#define STRM_OP_AGGTABLE_H
#include "op/reducer.h"

struct aggtable {
	struct groups groups;
	struct agg_states *states;
	bool any;                  /* a record came */
};

void aggtable_init(struct aggtable *t, const struct reducer *r);
void aggtable_release(struct aggtable *t, struct reducer *r);
/* Empty it, keep the memory. */
void aggtable_clear(struct aggtable *t, struct reducer *r);
/* Groups in it; without keys 1. */
uint32_t aggtable_n(const struct aggtable *t, const struct reducer *r);
/* The selected rows of b. */
void aggtable_update(struct aggtable *t, struct reducer *r, const struct batch *b);
/* The results of all groups, pushed on a batch at a time. Verdict of the push. */
int aggtable_push_all(struct aggtable *t, struct reducer *r, struct err *e);
size_t aggtable_memory(const struct aggtable *t, const struct reducer *r);

#endif

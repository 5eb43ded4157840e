/* A table of aggregate states: what a reduce holds for one micro-batch, window or pane. Groups by key, one column of states for each aggregate call.
 * Tables of one spec merge into each other; retract takes one out again where every call has an inverse. */
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
/* The selected rows of b. *group (may be NULL): the group of each row, NULL without keys; in b's arena. */
void aggtable_update(struct aggtable *t, struct reducer *r, const struct batch *b, uint32_t **group);
/* src into dst, in the order of src's groups. src's states are used up; it must be cleared or released next. map (may be NULL; room for src's groups):
 * the group in dst of each of src's. */
void aggtable_merge(struct aggtable *dst, struct aggtable *src, struct reducer *r, uint32_t *map);
/* src out of dst (reducer_retracts); every key of src is in dst. map as above. */
void aggtable_retract(struct aggtable *dst, struct aggtable *src, struct reducer *r, uint32_t *map);
/* A deep copy into an empty table. */
void aggtable_copy(struct aggtable *dst, const struct aggtable *src, struct reducer *r);
/* The results of groups [from, from + n), pushed on as one batch. Memory: the operator's arena, which the caller resets. Verdict of the push. */
int aggtable_push(struct aggtable *t, struct reducer *r, uint32_t from, uint32_t n, struct err *e);
/* The same for the groups listed. */
int aggtable_push_list(struct aggtable *t, struct reducer *r, const uint32_t *groups, uint32_t n, struct err *e);
/* All of them, a batch at a time. */
int aggtable_push_all(struct aggtable *t, struct reducer *r, struct err *e);
size_t aggtable_memory(const struct aggtable *t, const struct reducer *r);

#endif

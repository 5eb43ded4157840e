/* Batches that outlive the call that received them. */
#ifndef STRM_DATA_BATCH_COPY_H
#define STRM_DATA_BATCH_COPY_H
#include "data/batch.h"

/* The selected rows of b as a batch of their own, all that it points to copied into the arena, which it also carries. */
void batch_copy(struct arena *a, const struct batch *b, struct batch *out);

/* Batches in the order they came, in memory of their own. Zeroed memory is an empty one. */
struct batch_list {
	struct arena arena;
	struct batch *at;
	size_t n, cap;
	uint64_t rows;
};

void batch_list_add(struct batch_list *l, const struct batch *b);
void batch_list_clear(struct batch_list *l);
void batch_list_release(struct batch_list *l);
size_t batch_list_memory(const struct batch_list *l);

#endif

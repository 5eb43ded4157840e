/* When things are over: a heap, the earliest first; with equal times the smaller `then`, then the smaller id. Zeroed memory is an empty one. */
#ifndef STRM_OP_EXPIRIES_H
#define STRM_OP_EXPIRIES_H
#include <stdint.h>

#include "base/mem.h"

struct expiry {
	int64_t time, then;
	uint32_t id;
};

struct expiries {
	struct expiry *at; /* at[0] is the next one */
	uint32_t n;
	size_t cap;
};

void expiries_add(struct expiries *x, struct expiry e);
/* Takes out at[0]. */
void expiries_pop(struct expiries *x);
/* Ids have new names; what is called UINT32_MAX is gone. */
void expiries_rename(struct expiries *x, const uint32_t *names);
void expiries_release(struct expiries *x);
size_t expiries_memory(const struct expiries *x);

#endif

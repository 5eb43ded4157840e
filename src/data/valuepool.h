/* Values kept one by one: deep copies, one block of memory each. A block that is given back serves the next value of its size
 * class (at most a quarter larger than asked), so memory is bounded by the most that was held at a time, whatever is replaced how
 * often. Numbers, times and booleans take no block. One owner, no locks. */
#ifndef STRM_DATA_VALUEPOOL_H
#define STRM_DATA_VALUEPOOL_H
#include "data/value.h"

#define VALUEPOOL_CLASSES 48

struct valuepool {
	struct arena arena;
	void *free[VALUEPOOL_CLASSES]; /* blocks given back, by class, linked through their first bytes */
	size_t large;		       /* bytes in blocks beyond the classes, which are malloc's */
	struct value *retired;	       /* given back at the next valuepool_settle */
	size_t n_retired, retired_cap;
	size_t retired_bytes;
};

/* Frees the pool; large values must have been dropped before. */
void valuepool_release(struct valuepool *p);
/* A deep copy of v. */
struct value valuepool_keep(struct valuepool *p, const struct value *v);
/* Give back a value of valuepool_keep. */
void valuepool_drop(struct valuepool *p, const struct value *v);
/* The same, but its bytes may still be read until the next valuepool_settle. */
void valuepool_retire(struct valuepool *p, const struct value *v);
void valuepool_settle(struct valuepool *p);
/* Bytes held. */
size_t valuepool_memory(const struct valuepool *p);

#endif

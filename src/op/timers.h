/* A heap of times at which something is to be looked at. Entries are never removed in the middle: the owner recognises one that is void by its generation. */
#ifndef STRM_OP_TIMERS_H
#define STRM_OP_TIMERS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t at;
	uint32_t what, gen;
};

struct timers {
	struct timer *heap;
	size_t n, cap;
};

void timers_add(struct timers *t, int64_t at, uint32_t what, uint32_t gen);
/* The earliest, if it is at or before `until`. Of equal times, the lesser `what`. */
bool timers_take(struct timers *t, int64_t until, struct timer *out);
const struct timer *timers_first(const struct timers *t);
/* Those for which fn is true stay, with what it made of their `what`; memory for no more than these. */
void timers_keep(struct timers *t, bool (*fn)(struct timer *timer, void *ctx), void *ctx);
void timers_release(struct timers *t);
size_t timers_memory(const struct timers *t);

#endif

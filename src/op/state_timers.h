/* Timers of keyed state, ordered by time: a heap of those that may be due. An entry may be out of date: what a key's timer really
 * stands at is in the table (op/state_table.h); so a timer that is put off again and again costs no work and has one entry. */
#ifndef STRM_OP_STATE_TIMERS_H
#define STRM_OP_STATE_TIMERS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_NONE INT64_MAX
#define TIMER_CHAIN_MAX ((1u << 24) - 1)

struct timer_entry {
	int64_t at;
	uint64_t order; /* among those of one time: the birth of the key; closing windows last */
	uint32_t key;
	uint32_t slot : 8;
	uint32_t chain : 24; /* it was set by a timer that was set by a timer ..., all due in one micro-batch */
};

struct timer_heap {
	struct timer_entry *at;
	size_t n, cap;
};

void timer_heap_push(struct timer_heap *h, const struct timer_entry *t);
/* The earliest, taken out; there is one. */
struct timer_entry timer_heap_pop(struct timer_heap *h);
/* Keep only those for which fn is true; fn may change them. */
void timer_heap_keep(struct timer_heap *h, bool (*fn)(struct timer_entry *t, void *ctx), void *ctx);
void timer_heap_release(struct timer_heap *h);

#endif

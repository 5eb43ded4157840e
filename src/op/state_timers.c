#include "op/state_timers.h"

#include <stdlib.h>

#include "base/mem.h"

static bool before(const struct timer_entry *a, const struct timer_entry *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	return a->order != b->order ? a->order < b->order : a->slot < b->slot;
}

static void sift_up(struct timer_heap *h, size_t i)
{
	struct timer_entry t = h->at[i];

	for (; i && before(&t, &h->at[(i - 1) / 2]); i = (i - 1) / 2)
		h->at[i] = h->at[(i - 1) / 2];
	h->at[i] = t;
}

static void sift_down(struct timer_heap *h, size_t i)
{
	struct timer_entry t = h->at[i];

	for (size_t kid; (kid = 2 * i + 1) < h->n; i = kid) {
		if (kid + 1 < h->n && before(&h->at[kid + 1], &h->at[kid]))
			kid++;
		if (!before(&h->at[kid], &t))
			break;
		h->at[i] = h->at[kid];
	}
	h->at[i] = t;
}

void timer_heap_push(struct timer_heap *h, const struct timer_entry *t)
{
	h->at = xgrow(h->at, &h->cap, h->n + 1, sizeof *h->at);
	h->at[h->n] = *t;
	sift_up(h, h->n++);
}

struct timer_entry timer_heap_pop(struct timer_heap *h)
{
	struct timer_entry t = h->at[0];

	h->at[0] = h->at[--h->n];
	if (h->n)
		sift_down(h, 0);
	return t;
}

void timer_heap_keep(struct timer_heap *h, bool (*fn)(struct timer_entry *t, void *ctx), void *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		struct timer_entry t = h->at[i];

		if (fn(&t, ctx))
			h->at[n++] = t;
	}
	h->n = n;
	for (size_t i = n / 2; i-- > 0;)
		sift_down(h, i);
}

void timer_heap_release(struct timer_heap *h)
{
	free(h->at);
	*h = (struct timer_heap){ 0 };
}

#include "op/timers.h"

#include <stdlib.h>

#include "base/mem.h"

static bool before(const struct timer *a, const struct timer *b)
{
	return a->at != b->at ? a->at < b->at : a->what < b->what;
}

void timers_add(struct timers *t, int64_t at, uint32_t what, uint32_t gen)
{
	struct timer x = { at, what, gen };
	size_t k = t->n++;

	t->heap = xgrow(t->heap, &t->cap, t->n, sizeof *t->heap);
	for (; k && before(&x, &t->heap[(k - 1) / 2]); k = (k - 1) / 2)
		t->heap[k] = t->heap[(k - 1) / 2];
	t->heap[k] = x;
}

const struct timer *timers_first(const struct timers *t)
{
	return t->n ? &t->heap[0] : NULL;
}

bool timers_take(struct timers *t, int64_t until, struct timer *out)
{
	struct timer x;
	size_t k = 0;

	if (!t->n || t->heap[0].at > until)
		return false;
	*out = t->heap[0];
	x = t->heap[--t->n];
	for (;;) {
		size_t c = 2 * k + 1;

		if (c >= t->n)
			break;
		if (c + 1 < t->n && before(&t->heap[c + 1], &t->heap[c]))
			c++;
		if (!before(&t->heap[c], &x))
			break;
		t->heap[k] = t->heap[c];
		k = c;
	}
	t->heap[k] = x;
	return true;
}

void timers_keep(struct timers *t, bool (*fn)(struct timer *timer, void *ctx), void *ctx)
{
	struct timers kept = { 0 };

	for (size_t i = 0; i < t->n; i++)
		if (fn(&t->heap[i], ctx))
			timers_add(&kept, t->heap[i].at, t->heap[i].what, t->heap[i].gen);
	timers_release(t);
	*t = kept;
}

void timers_release(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){ 0 };
}

size_t timers_memory(const struct timers *t)
{
	return t->cap * sizeof *t->heap;
}

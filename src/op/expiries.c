#include "op/expiries.h"

#include <stdbool.h>
#include <stdlib.h>

static bool before(const struct expiry *a, const struct expiry *b)
{
	if (a->time != b->time)
		return a->time < b->time;
	return a->then != b->then ? a->then < b->then : a->id < b->id;
}

static void sift_down(struct expiries *x, uint32_t at)
{
	for (;;) {
		uint32_t kid = 2 * at + 1;
		struct expiry tmp;

		if (kid + 1 < x->n && before(&x->at[kid + 1], &x->at[kid]))
			kid++;
		if (kid >= x->n || !before(&x->at[kid], &x->at[at]))
			return;
		tmp = x->at[at];
		x->at[at] = x->at[kid];
		x->at[kid] = tmp;
		at = kid;
	}
}

void expiries_add(struct expiries *x, struct expiry e)
{
	uint32_t at = x->n;

	x->at = xgrow(x->at, &x->cap, (size_t)x->n + 1, sizeof *x->at);
	for (x->n++; at && before(&e, &x->at[(at - 1) / 2]); at = (at - 1) / 2)
		x->at[at] = x->at[(at - 1) / 2];
	x->at[at] = e;
}

void expiries_pop(struct expiries *x)
{
	x->at[0] = x->at[--x->n];
	sift_down(x, 0);
}

void expiries_rename(struct expiries *x, const uint32_t *names)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < x->n; i++) {
		x->at[n] = x->at[i];
		x->at[n].id = names[x->at[i].id];
		n += x->at[n].id != UINT32_MAX;
	}
	x->n = n;
	for (uint32_t i = n / 2; i-- > 0;)
		sift_down(x, i);
}

void expiries_release(struct expiries *x)
{
	free(x->at);
	*x = (struct expiries){ 0 };
}

size_t expiries_memory(const struct expiries *x)
{
	return x->cap * sizeof *x->at;
}

/* The quick way for rows that fall into one window each: neighbours in a stream fall into the same one or two windows, whose cells are found in an array by the
 * number of the key. Windows that have no array at the moment go the ordinary way, as their cells do the first time. */
#include <stdlib.h>

#include "op/panes_impl.h"

void panes_near_forget(struct panes *p)
{
	for (unsigned i = 0; i < NEAR_WINDOWS; i++)
		p->near[i].window = (struct interval){ INT64_MAX, INT64_MIN };
}

void panes_near_free(struct panes *p)
{
	for (unsigned i = 0; i < NEAR_WINDOWS; i++) {
		free(p->near[i].cells);
		p->near[i] = (struct near){ .window = { INT64_MAX, INT64_MIN } };
	}
}

size_t panes_near_memory(const struct panes *p)
{
	size_t n = 0;

	for (unsigned i = 0; i < NEAR_WINDOWS; i++)
		n += p->near[i].cap * sizeof *p->near[i].cells;
	return n;
}

/* The array for this window; the one that was not asked for last makes room. */
struct near *panes_near(struct panes *p, const struct interval *w)
{
	struct near *n;

	for (unsigned i = 0; i < NEAR_WINDOWS; i++)
		if (p->near[i].window.start == w->start && p->near[i].window.end == w->end) {
			p->near_last = i;
			return &p->near[i];
		}
	p->near_last = (p->near_last + 1) % NEAR_WINDOWS;
	n = &p->near[p->near_last];
	n->window = *w;
	n->epoch = ++p->near_epoch;
	return n;
}

void panes_near_reach(struct near *near, uint32_t n)
{
	size_t old = near->n;

	if (n <= old)
		return;
	near->cells = xgrow(near->cells, &near->cap, n, sizeof *near->cells);
	near->n = near->cap;
	memset(near->cells + old, 0, (near->n - old) * sizeof *near->cells);
}

void panes_near_set(struct near *n, uint32_t key, uint32_t cell)
{
	panes_near_reach(n, key + 1);
	n->cells[key] = (uint64_t)n->epoch << 32 | cell;
}

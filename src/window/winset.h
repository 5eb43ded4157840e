/* The open windows of a stage: found by their bounds, closed in order of (end, start) as the watermark passes. A hash table of intervals to dense slots (reused
 * when a window closes) and a binary heap; nothing looks at all windows. One owner. */
#ifndef STRM_WINDOW_WINSET_H
#define STRM_WINDOW_WINSET_H
#include <stdbool.h>

#include "base/mem.h"
#include "window/window.h"

#define WINSET_NONE UINT32_MAX

struct winset {
	struct interval *at; /* by slot */
	size_t at_cap;
	uint32_t n;          /* open windows */
	uint32_t n_slots;    /* slots ever used */
	uint32_t *unused;    /* a stack of free slots */
	size_t unused_cap;
	uint32_t n_unused;
	uint32_t *table;     /* open addressing: slot + 1 */
	uint32_t mask;
	uint32_t *heap;
	size_t heap_cap;
};

void winset_release(struct winset *s);
/* The slot of a window, opened if it is new (*fresh). */
uint32_t winset_put(struct winset *s, const struct interval *w, bool *fresh);
uint32_t winset_find(const struct winset *s, const struct interval *w);
/* The open window with the least (end, start); WINSET_NONE: there is none. */
uint32_t winset_first(const struct winset *s);
/* Close the first one: its slot may be used anew. */
void winset_pop(struct winset *s);
size_t winset_memory(const struct winset *s);

#endif

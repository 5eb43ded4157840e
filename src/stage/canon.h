/* Canonical text of stages. */
#ifndef STRM_STAGE_CANON_H
#define STRM_STAGE_CANON_H
#include "plan/plan.h"

/* `a = E, b, *`: an item whose name follows from its path is printed without it. */
void canon_items(struct buf *b, const struct items *items);
/* " by a, b", nothing for no keys. */
void canon_by(struct buf *b, const char *word, const struct items *keys);
/* The buffer's text as a string in the arena; releases the buffer. */
const char *canon_done(struct arena *a, struct buf *b);

#endif

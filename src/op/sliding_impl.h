/* Between sliding.c and sliding_save.c. */
#ifndef STRM_OP_SLIDING_IMPL_H
#define STRM_OP_SLIDING_IMPL_H
#include "op/sliding.h"

/* A slot with start values. Cells and states may move. */
uint32_t sliding_take_slot(struct sliding *s);
/* The keys that groups numbered last. */
void sliding_know_keys(struct sliding *s);
uint32_t sliding_find_cell(const struct sliding *s, uint32_t slice, uint32_t key);
/* A new cell; a key's first one gives it the next order of appearance. */
uint32_t sliding_add_cell(struct sliding *s, uint32_t slice, uint32_t key);
void sliding_rebuild_maps(struct sliding *s);
/* The cell's entry is to go with the next commit. */
void sliding_note_gone(struct sliding *s, uint32_t slot);

#endif

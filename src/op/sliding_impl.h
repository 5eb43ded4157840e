/* Between sliding.c, sliding_save.c, sliding_away.c and sliding_view.c. */
#ifndef STRM_OP_SLIDING_IMPL_H
#define STRM_OP_SLIDING_IMPL_H
#include "op/keep.h"
#include "op/sliding.h"

/* ---- sliding.c ---- */
/* A slot with start values. Cells and states may move. */
uint32_t sliding_take_slot(struct sliding *s);
void sliding_free_slot(struct sliding *s, uint32_t slot);
/* A slot with start values, until sliding_done. */
uint32_t sliding_scratch(struct sliding *s);
/* The keys that groups numbered last. */
void sliding_know_keys(struct sliding *s);
uint32_t sliding_find_cell(const struct sliding *s, uint32_t slice, uint32_t key);
/* A new cell; a key's first one gives it the next order of appearance. */
uint32_t sliding_add_cell(struct sliding *s, uint32_t slice, uint32_t key);
/* Cells of a key that has no others, ascending by their slices: into the window where their slices are in it. */
void sliding_place_cells(struct sliding *s, const uint32_t *slots, uint32_t n);
void sliding_forget_total(struct sliding *s, uint32_t key);
void sliding_make_map(struct sliding *s, struct slice *sl, uint32_t size);
void sliding_rebuild_maps(struct sliding *s);
/* Keys are numbered anew, without those that have no cell. */
void sliding_forget_dead(struct sliding *s);

/* ---- sliding_save.c: entries. Each key begins with a number of eight bytes, that of a slice or one of these ---- */
#define SLIDING_NUMBER_BYTES 8
#define SLIDING_NAME INT64_MIN /* values of a key -> its birth; without values: the slice up to which all have left */
#define SLIDING_ROLL INT64_MAX /* a birth -> the key with all its cells */
#define SLIDING_ROLL_BYTES (2 * SLIDING_NUMBER_BYTES)

/* So that entries lie in the order of the numbers. */
void sliding_put_number(struct buf *b, int64_t number);
int64_t sliding_get_number(struct bytes_in *in);
/* The key of a cell's entry. */
void sliding_cell_key(const struct sliding *s, uint32_t slot, struct buf *out);
/* The entry is to go with the next commit. */
void sliding_note_gone(struct sliding *s, struct store_bytes key, uint32_t mark);
void sliding_note_cell_gone(struct sliding *s, uint32_t slot);

/* An entry of the roll. Cells ascend: number of the slice i64 | states with their length. */
struct sliding_rolled {
	uint64_t born, n_cells;
	uint32_t name_mark, mark;
	struct store_bytes key; /* values */
	struct bytes_in cells;
};

/* 0, or -1: it is none that was written here. */
int sliding_open_roll(const struct kept_entry *entry, struct sliding_rolled *out);
/* The next cell that has not left. `states` goes to sliding_load_states. */
bool sliding_next_rolled(const struct sliding *s, struct sliding_rolled *r, int64_t *number, struct store_bytes *states);
/* Into a slot with start values. 0 or -1. */
int sliding_load_states(struct sliding *s, uint32_t slot, struct store_bytes states);

/* ---- sliding_away.c ---- */
/* Keys that are to leave memory for lack of it. */
bool sliding_choose(struct sliding *s);
/* They do; their entries are put. */
void sliding_leave_memory(struct sliding *s, struct keeper *k);
/* Keys from `first` on are new: those that were away come back. 0 or -1. */
int sliding_return(struct sliding *s, uint32_t first, struct err *e);
/* An entry of the roll at a restart. 0 or -1. */
int sliding_restore_roll(struct sliding *s, const struct kept_entry *entry);
/* The key has no cell any more: its entry of the roll goes, if there is one. */
void sliding_strike_off(struct sliding *s, uint32_t key);
/* The group in memory whose key the values are, UINT32_MAX: none. 0, or -1: malformed. */
int sliding_look(struct sliding *s, struct store_bytes values, uint32_t *group);
/* An entry of a key that died while it was away goes. */
void sliding_bury(struct sliding *s, const struct sliding_rolled *r);

#endif

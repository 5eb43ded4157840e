/* Keys that live for a while: numbered as they appear, in the order they came to life, forgotten when they are dead and many.
 * Without keys there is one, number 0. The owner has an array of its own by key number. */
#ifndef STRM_OP_LIVING_H
#define STRM_OP_LIVING_H
#include "op/groups.h"
#include "state/bytes.h"

struct living {
	struct groups groups;
	uint32_t n_keys;
	uint64_t *born; /* by key: order of coming to life, 0: dead */
	size_t cap;
	uint32_t n, n_live;
	uint64_t births;
	const struct column *const *cols; /* of the batch at hand */
};

void living_init(struct living *l, uint32_t n_keys);
void living_release(struct living *l);
/* The key of each selected row, in the order of the selection, in b's arena; n_keys columns, which live as long as b. New keys
 * are dead. */
uint32_t *living_put(struct living *l, const struct batch *b, const struct column *cols, const uint32_t *sel, uint32_t n_sel);
static inline bool living_has(const struct living *l, uint32_t key) { return l->born[key]; }
/* It is there from now on, spelled as in this row of the batch at hand; it was dead. */
void living_wake(struct living *l, uint32_t key, uint32_t row);
void living_die(struct living *l, uint32_t key);
/* Are the dead many? */
bool living_worn(const struct living *l);
/* The dead leave the table: names[old] is the new number of a key, UINT32_MAX where it was dead; the caller frees them. With keys only. */
uint32_t *living_compact(struct living *l);
/* The columns of keys list[0 .. n), n_keys of them, in the arena. */
struct column *living_columns(const struct living *l, const uint32_t *list, uint32_t n, struct arena *a);
/* The key as bytes, appended; and back, alive with that birth: 0, or -1 when malformed or there already. */
void living_save(const struct living *l, uint32_t key, struct buf *out);
int living_load(struct living *l, struct bytes_in *in, uint64_t born, uint32_t *key);
size_t living_memory(const struct living *l);

#endif

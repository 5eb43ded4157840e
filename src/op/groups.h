/* Groups of rows by key: numbers them in order of first appearance and gives the key values back. */
#ifndef STRM_OP_GROUPS_H
#define STRM_OP_GROUPS_H
#include "data/keytab.h"
#include "op/op.h"

struct groups {
	struct keytab table;
	uint32_t n_keys;
	uint8_t *types;       /* n_keys per group: the type of the first value seen */
	size_t types_cap;
	/* values whose key bytes do not give them back (lists, objects), by group * n_keys + key, ascending */
	struct odd_value *odd;
	size_t n_odd, odd_cap;
	struct arena odd_arena;
};

void groups_init(struct groups *g, uint32_t n_keys);
void groups_release(struct groups *g);
void groups_clear(struct groups *g);
/* Group of each selected row of the key columns (n_keys of them) into group[k]. Scratch comes from the arena. */
void groups_put(struct groups *g, struct arena *a, const struct column *const *cols, const uint32_t *sel, uint32_t n_sel, uint32_t *group);
/* The groups of src put into dst: map[i] is dst's group of src's group i. */
void groups_merge(struct groups *dst, const struct groups *src, uint32_t *map);
/* The same for the groups listed (NULL: 0 .. n - 1); map[i] belongs to list[i]. */
void groups_copy(struct groups *dst, const struct groups *src, const uint32_t *list, uint32_t n, uint32_t *map);
/* Key columns of groups [from, from + n), or of list[0..n) when list is not NULL; views live until the next put. */
void groups_keys(const struct groups *g, const uint32_t *list, uint32_t from, uint32_t n, struct arena *a, struct column *cols);
/* Soon groups_save() is called for the group. */
static inline void groups_prefetch(const struct groups *g, uint32_t group)
{
	__builtin_prefetch(&g->table.entries[group]);
	__builtin_prefetch(&g->types[(size_t)group * g->n_keys]);
}
/* A key's values as bytes (value_save), appended; and back: the group with that key, made if it is new. 0, or -1 when malformed. */
void groups_save(const struct groups *g, uint32_t group, struct buf *out);
int groups_load(struct groups *g, const char **p, const char *end, uint32_t *group);
/* As groups_save, with values of these types (n_keys of them) instead: false, and nothing is added, where none of such types have this key. */
bool groups_save_as(const struct groups *g, uint32_t group, const uint8_t *types, struct buf *out);
/* The group's key is spelled by values of these types from now on; after groups_save_as. */
void groups_retype(struct groups *g, uint32_t group, const uint8_t *types);
/* The group's key is spelled as in this row of the key columns from now on: it has the same key. */
void groups_respell(struct groups *g, uint32_t group, const struct column *const *cols, uint32_t row);
size_t groups_memory(const struct groups *g);

#endif

/* Changes of several segments in the order of LMDB's keys (mdbfile.h): by stage, short keys by their bytes, then long ones by hash and bytes. */
#ifndef STRM_STATE_CHANGES_H
#define STRM_STATE_CHANGES_H
#include "state/memtab.h"

#define SHORT_KEY_MAX 506 /* with 5 bytes before it LMDB's 511 */

struct change_ref {
	uint64_t group;  /* stage << 1 | the key is a long one */
	uint64_t hi, lo; /* first 16 bytes of the key, big-endian; of a long key its hash */
	uint64_t at;     /* number of the table << CHANGE_TABLE_SHIFT | offset in it: of one key the largest counts */
};

#define CHANGE_TABLE_SHIFT 40 /* a table has less than 2^40 bytes */

struct change_list {
	struct change_ref *refs;
	size_t n, bytes; /* bytes: of memory */
	const struct memtab *const *tables;
	unsigned weak_hash;
	struct store_bytes begin; /* a short key: changes of keys before it are left out */
};

void change_list_release(struct change_list *l);
/* Adds all changes of a table; stage 0: of all stages. */
void change_list_add(struct change_list *l, uint32_t table, uint32_t stage);
/* Sorts; of the changes of a key only the latest stays. */
void change_list_sort(struct change_list *l);
struct change change_at(const struct change_list *l, size_t i);
/* Soon the i-th change is looked at; any i. Who goes through the list asks for the one CHANGES_AHEAD: else each waits for memory. */
#define CHANGES_AHEAD 16
void change_prefetch(const struct change_list *l, size_t i);
/* Where a key stands in that order beside the i-th change: < 0 before it, 0 it is its key. */
int change_list_compare(const struct change_list *l, const struct change_ref *r, struct store_bytes key, size_t i);
/* The place of a key, without `at`. */
struct change_ref key_ref(uint32_t stage, struct store_bytes key, unsigned weak_hash);

#endif

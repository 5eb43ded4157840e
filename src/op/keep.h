/* Entries of operators as bytes, for commit and restore of op_class.
 *
 * A key is a tag of one byte, the operator's own, and then values (value_save) or bytes that mean something to it alone. A value begins
 * with the version of its form; integers are little-endian or LEB128 (state/bytes.h). KEEP_BASE is the tag of what op.c keeps of every
 * operator: no value begins with it. */
#ifndef STRM_OP_KEEP_H
#define STRM_OP_KEEP_H
#include "op/op.h"
#include "state/bytes.h"

#define KEEP_BASE '\xff'

/* An entry at a time on its way out; zeroed memory but for `to`. */
struct keep {
	struct keeper *to;
	struct buf key, value;
};

/* Empties both: the key is the tag, the value its version. */
void keep_start(struct keep *k, char tag, uint8_t version);
static inline void keep_value(struct buf *b, const struct value *v) { value_save(b, v); }
static inline void keep_int(struct buf *b, int64_t i) { put_le(b, (uint64_t)i, 8); }
/* The same as a value, for keys. */
void keep_number(struct buf *b, uint64_t n);
void keep_put(struct keep *k, uint32_t *mark);
/* If there is such an entry: *mark is 0 afterwards. */
void keep_drop(struct keep *k, uint32_t *mark);
void keep_release(struct keep *k);

/* Entries that went during the micro-batch, to be dropped at its commit. Zeroed memory is none. */
struct keep_gone {
	struct buf b;
};

/* The entry with this key, if there is one (mark is not 0). */
void keep_gone_add(struct keep_gone *g, const char *key, size_t n, uint32_t mark);
/* Drops them; before anything is put. */
void keep_gone_commit(struct keep_gone *g, struct keeper *to);
void keep_gone_release(struct keep_gone *g);

/* Numbers that are noted once until they are taken: what changed. Zeroed memory is none. */
struct keep_dirty {
	uint32_t *at;
	size_t n, cap;
	uint64_t *is; /* a bit for each number */
	size_t is_cap;
};

void keep_dirty_add(struct keep_dirty *d, uint32_t i);
/* The number is nobody's any more. */
static inline void keep_dirty_remove(struct keep_dirty *d, uint32_t i)
{
	if (i / 64 < d->is_cap)
		d->is[i / 64] &= ~((uint64_t)1 << (i & 63));
}
/* The next one, UINT32_MAX after the last: then none is noted. */
uint32_t keep_dirty_take(struct keep_dirty *d);
/* Numbers have new names; what is called UINT32_MAX is gone. */
void keep_dirty_rename(struct keep_dirty *d, const uint32_t *names);
void keep_dirty_clear(struct keep_dirty *d);
void keep_dirty_release(struct keep_dirty *d);
size_t keep_dirty_memory(const struct keep_dirty *d);

/* An entry that is read: what comes behind the version, or bad when it is another one. */
struct bytes_in keep_open(const char *value, size_t n, uint8_t version);
static inline int64_t keep_get_int(struct bytes_in *in) { return (int64_t)get_le(in, 8); }
struct value keep_get_value(struct bytes_in *in, struct arena *a);
/* A time that was saved as a value. */
int64_t keep_get_time(struct bytes_in *in);
/* Of keep_number. */
uint64_t keep_get_number(struct bytes_in *in);
/* Everything was read, and nothing amiss. */
static inline bool keep_over(const struct bytes_in *in) { return !in->bad && in->p == in->end; }
/* The error of an entry that the operator did not write. -1. */
int keep_refuse(const struct op *op, struct err *e);

#endif

/* Keys of a stage that have left memory for the checkpoint's store: which keys they may be, and how their entries may be spelled.
 *
 * The keys are known by Bloom filters of cache lines (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007), each twice
 * as large as the one before: 10 to 20 bits for each key that ever left, at most about two wrong answers in a hundred. An answer "no" is
 * certain, so that new keys ask the store seldom.
 *
 * A key's entry is spelled by the types of its values ("5" and 5 are one key, two spellings): the few lists of types that occur are
 * remembered. One owner, no locks. */
#ifndef STRM_OP_AWAY_H
#define STRM_OP_AWAY_H
#include "op/groups.h"

#define AWAY_FILTERS_MAX 26
#define AWAY_SPELLINGS_MAX 64

struct away_filter {
	uint64_t *lines; /* of 8 words each */
	uint64_t n_lines, room;
};

struct away {
	uint64_t n; /* keys that are away */
	uint64_t noted; /* in the last filter */
	struct away_filter filters[AWAY_FILTERS_MAX];
	uint32_t n_filters;
	uint8_t *spellings; /* n_keys types each */
	uint32_t n_spellings;
};

void away_release(struct away *a);
/* The key leaves memory. */
void away_add(struct away *a, const struct key_bytes *key);
/* May it be away? */
bool away_may_have(const struct away *a, const struct key_bytes *key);
/* The group leaves memory. False when it has to stay: its key is spelled by lists or objects, or in one way too many. */
bool away_add_group(struct away *a, const struct groups *g, uint32_t group);
/* Of an operator whose entries are spelled: `tag` and the values of the key. */
struct away_owner {
	const struct op *op;
	struct groups *groups;
	const char *tag;
	size_t tag_n;
};

/* A group that is new in memory: 1 when its key was away, which is no more, with its entry (it lives until the next fetch); the group is spelled as it was. 0,
 * or -1. */
int away_return(struct away *a, const struct away_owner *o, uint32_t group, struct kept_entry *found, struct err *e);
size_t away_memory(const struct away *a);

#endif

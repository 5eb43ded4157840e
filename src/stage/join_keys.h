/* What `on` says: k [= k2], k <=> k2. */
#ifndef STRM_STAGE_JOIN_KEYS_H
#define STRM_STAGE_JOIN_KEYS_H
#include "plan/join.h"

/* Behind the word `on`. 0 or -1. */
int parse_join_keys(struct parser *p, struct join_key **keys, uint32_t *n, struct err *e);
/* " on a, b = c" */
void canon_join_keys(struct buf *b, const struct join_key *keys, uint32_t n);

#endif

/* Rows that are kept over a restart in pieces: each is an entry with the rows that were added between two commits, and is never written again. */
#ifndef STRM_OP_PIECES_H
#define STRM_OP_PIECES_H
#include "data/rowstore.h"
#include "op/keep.h"

struct piece {
	uint32_t first, n; /* rows */
	uint32_t loaded;   /* where the first one is while pieces come back in any order */
	uint32_t mark;
};

/* Zeroed memory is none. Rows are added to `rows`. */
struct pieces {
	struct rowstore rows;
	struct piece *at;
	uint32_t n, committed; /* rows that are in pieces */
	size_t cap;
};

void pieces_release(struct pieces *p);
/* Rows added since the last call. The key of a piece is the prefix (a tag and values) and the number of its first row. */
void pieces_commit(struct pieces *p, struct keep *k, const struct buf *prefix);
/* All of them are to be dropped. */
void pieces_gone(const struct pieces *p, const struct buf *prefix, struct keep_gone *gone);
/* A piece, given what stands behind the prefix in its key, and its value. 0, or -1: malformed. */
int pieces_load(struct pieces *p, struct bytes_in *key, struct bytes_in *value, uint32_t mark);
/* After the last one: rows are in order. 0, or -1: they are not the pieces that were written. */
int pieces_loaded(struct pieces *p);
/* The version that values of pieces begin with. */
#define PIECES_VERSION 1

#endif

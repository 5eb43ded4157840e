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
	uint32_t away;	       /* the first of these, which are in their entries alone: rows begins behind them */
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

/* ---- with --mem ---- */
/* The rows leave memory; all of them are committed. */
void pieces_leave(struct pieces *p);
/* As pieces_load and pieces_loaded, with rows that stay away. */
int pieces_note(struct pieces *p, struct bytes_in *key, struct bytes_in *value, uint32_t mark);
int pieces_noted(struct pieces *p);
/* The rows of a piece that is away (one with first < p->away) into an empty store, out of the operator's entry. 0 or -1. */
int pieces_fetch(const struct piece *one, const struct buf *prefix, const struct op *op, struct rowstore *rows, struct err *e);
/* The version that values of pieces begin with. */
#define PIECES_VERSION 1

#endif

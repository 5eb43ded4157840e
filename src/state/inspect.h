/* A checkpoint for people: what `strm checkpoint` shows, as rows. On a store that is open, best read only. Strings and bytes live until the store
 * changes, rows until inspect_release(). */
#ifndef STRM_STATE_INSPECT_H
#define STRM_STATE_INSPECT_H
#include "state/store.h"

struct inspect_stage {
	const char *name;
	uint32_t id;
	uint64_t fingerprint;
	uint64_t keys;                   /* entries */
	uint64_t key_bytes, value_bytes; /* of all of them */
};

struct inspect_wal {
	uint32_t input;
	uint64_t begin, end; /* offsets of the bytes that are kept */
};

struct inspect {
	struct inspect_stage *stages;
	size_t n_stages;
	struct inspect_wal *wals;
	size_t n_wals;
	const struct store_point *commit, *cut; /* the last commit, the cut after it; NULL: none */
	uint64_t log_bytes, data_bytes;         /* files of the log; LMDB's file */
	uint64_t frames;                        /* cuts, commits and programs ever written */
	uint64_t torn;                          /* bytes behind the last whole frame: a crash left them, or they are just being written; read only */
};

/* Sizes by stage; reads all entries. 0, -1. */
int inspect_open(struct inspect *in, struct store *s, struct err *e);
void inspect_release(struct inspect *in);

/* An entry with its stage; the bytes are the row's. */
struct inspect_entry {
	uint32_t stage;
	struct buf key, value;
};

/* The entries whose key and value are longest, longest first, ties by stage and key. Up to `n` into rows[]; *n how many. Stage 0: of all. */
int inspect_top(struct store *s, uint32_t stage, struct inspect_entry *rows, size_t *n, struct err *e);
void inspect_entries_release(struct inspect_entry *rows, size_t n);

/* All entries of all stages, in the order of the program and the keys (export). fn returns 0 to go on. */
struct inspect_sink {
	int (*fn)(void *ctx, const struct inspect_stage *stage, const struct store_entry *entry);
	void *ctx;
};
int inspect_export(struct store *s, const struct inspect_sink *out, struct err *e);

/* What became of a stage under another program. */
enum inspect_change { INSPECT_KEPT, INSPECT_ANEW, INSPECT_DROPPED };

struct inspect_diff {
	const char *name;
	enum inspect_change change;
	bool changed;  /* ANEW: there was a stage of this name with another meaning */
	uint64_t keys; /* entries that are kept or dropped */
};

/* Rows for the stages of p and then for those that are dropped; the caller frees *rows. Sets ids and fates in p. */
void inspect_diff(const struct store *s, struct store_program *p, struct inspect_diff **rows, size_t *n);

#endif

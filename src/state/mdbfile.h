/* The entries in LMDB, DIR/data.mdb, opened when it is first needed.
 *
 * key    stage u32 big-endian | 0 | the key, up to SHORT_KEY_MAX bytes         value  mark u32 | the value
 * key    stage u32 big-endian | 1 | XXH3-128 of a longer key, big-endian       value  { mark u32 | key length u32 | value length u32 | key | value } of
 *                                                                                     each key with this hash, keys ascending
 * key    0 u32 | "saved"                                                       value  sum u64 | folded seq u64 | has commit u8 | program | commit (items)
 *
 * A mark is entry_mark(). One transaction for each fold; it carries the seq of the last frame that it folds. One thread folds, another one
 * reads; a lock keeps them apart while the map grows. */
#ifndef STRM_STATE_MDBFILE_H
#define STRM_STATE_MDBFILE_H
#include "state/changes.h"
#include "state/saved.h"

struct mdbfile;

struct mdbfile *mdbfile_new(const struct log_dir *d, const struct store_opts *opts);
void mdbfile_free(struct mdbfile *f);
/* What a check found: counts and sums by stage, and what was saved. */
struct mdb_found {
	struct saved saved;   /* with keys and sums as counted */
	uint64_t folded;      /* seq of the last frame that is in it */
};
/* Looks whether the file is there and whole, and opens it: 1, 0: there is none, -1. */
int mdbfile_check(struct mdbfile *f, struct mdb_found *found, struct err *e);

/* Drops what is there: the log has it all. When read only it is just not opened. */
int mdbfile_restart(struct mdbfile *f, struct err *e);

struct fold_work {
	struct change_list list; /* sorted */
	struct store_bytes meta; /* mdb_meta() */
	const uint32_t *live;    /* ids of the stages that stay; the entries of all others go */
	size_t n_live;
};

/* The bytes of "saved" without the sum. */
void mdb_meta(struct buf *b, const struct saved *s, uint64_t folded);
/* Makes the file if it is not there. */
int mdbfile_fold(struct mdbfile *f, const struct fold_work *w, struct err *e);
/* 1 and the value appended, 0, -1. *mark is set. Without a file: 0. */
int mdbfile_get(struct mdbfile *f, uint32_t stage, struct store_bytes key, struct store_found *out, struct err *e);
/* The marks that the keys of a sorted list have there, 0: none, told one after the other to fn, with the key's place in the list. mdbfile_check has found the
 * file whole: entries are not checked again. 0, -1. */
struct mdb_marks {
	const struct change_list *list;
	void (*fn)(void *ctx, size_t i, uint32_t mark);
	void *ctx;
};
int mdbfile_marks(struct mdbfile *f, const struct mdb_marks *m, struct err *e);
/* The entries of a stage in order, from `from` on (of at most SHORT_KEY_MAX bytes). */
struct mdb_visit {
	int (*fn)(void *ctx, const struct store_entry *entry, struct err *e); /* 0, or anything else to end with */
	void *ctx;
	struct store_bytes from;
};
int mdbfile_walk(struct mdbfile *f, uint32_t stage, const struct mdb_visit *v, struct err *e);
/* Reads the file again, page by page, as of the last fold. 0, -1. */
int mdbfile_verify(struct mdbfile *f, struct err *e);
/* Bytes of the file, and those of pages in use. */
void mdbfile_size(struct mdbfile *f, uint64_t *file_bytes, uint64_t *used_bytes);

#endif

/* Is an LMDB file whole? LMDB has no page checksums and trusts what it maps, so the file is read page by page before LMDB sees it:
 * every page that is reachable lies in the file, is of its kind, is reached once and is not free at the same time; nodes lie inside
 * their page; keys ascend and lie between the separators above them. What passes cannot lead LMDB astray, and a lookup finds every
 * key that is there. Layout: LMDB 0.9, data version 1, 64 bit (struct MDB_meta, MDB_page and MDB_node of its mdb.c). */
#ifndef STRM_STATE_MDBCHECK_H
#define STRM_STATE_MDBCHECK_H
#include "state/bytes.h"

struct mdbcheck {
	int fd;            /* of the data file */
	const char *where; /* its name */
	uint64_t txn;      /* the transaction whose tree is looked at, 0: the last one */
	/* Gets each entry of the main tree in order; 0 or -1 with err. NULL: only the two heads are checked. */
	int (*entry)(void *ctx, struct store_bytes key, struct store_bytes value, struct err *e);
	void *ctx;
	uint64_t pages, free_pages; /* out */
	uint32_t page_bytes;        /* out */
};

/* 0; 1: the heads have no such transaction (any more); -1: damaged. */
int mdbcheck_run(struct mdbcheck *c, struct err *e);

#endif

/* Bytes of a micro-batch that wait to be written until its cut is on the disk: in memory, and over HELD_MEMORY of them in a file without a name in a
 * directory of the caller's. */
#ifndef STRM_IO_HELD_H
#define STRM_IO_HELD_H
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

#define HELD_MEMORY ((size_t)8 << 20)

struct held {
	const char *dir;  /* for the file */
	struct buf buf;   /* what came last */
	int fd;           /* the file, what came before; -1: none yet */
	uint64_t in_file; /* bytes of it */
};

void held_init(struct held *h, const char *dir);
void held_release(struct held *h);
int held_add(struct held *h, const char *p, size_t n, struct err *e);
uint64_t held_bytes(const struct held *h);
/* All of them from offset `from` on, piece by piece, until fn returns non-zero, which is returned; -1 with err when they cannot be read back. */
int held_each(struct held *h, uint64_t from, int (*fn)(void *ctx, const char *p, size_t n), void *ctx, struct err *e);
void held_clear(struct held *h);

#endif

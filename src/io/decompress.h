/* Compressed input, told by its first bytes and unpacked by libarchive, which is opened on first use. Concatenated members are
 * one stream; one layer is unpacked. */
#ifndef STRM_IO_DECOMPRESS_H
#define STRM_IO_DECOMPRESS_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define UNPACK_SNIFF 10 /* first bytes that decide */

struct unpack_kind;
struct unpack;

/* The kind of compressed data that begins with p[0..n); NULL when it is none. *more: n is too short to tell, try again with more
 * bytes. */
const struct unpack_kind *unpack_sniff(const char *p, size_t n, bool *more);

struct unpack_from {
	/* Up to n more bytes of compressed input: how many, 0 at the end, -1 and err. */
	ssize_t (*read)(void *ctx, char *p, size_t n, struct err *e);
	void *ctx;
	const char *name; /* for messages; outlives the unpacker */
};

/* Unpack input that begins with the bytes head[0..n) (copied) and goes on with from->read. NULL and err (ERR_IO) without
 * libarchive. */
struct unpack *unpack_open(const struct unpack_kind *k, const struct unpack_from *from, const char *head, size_t n,
			   struct err *e);
/* Up to n > 0 bytes: how many, 0 at the end, -1 and err (ERR_IO: damaged or cut off input, or what from->read said). */
ssize_t unpack_read(struct unpack *z, char *p, size_t n, struct err *e);
void unpack_close(struct unpack *z);

#endif

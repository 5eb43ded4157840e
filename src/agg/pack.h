/* Integers in saved states: little-endian and bounds-checked. Readers move *p behind what they took and return 0, or -1 when
 * the bytes end early or are not what the writer would have written. */
#ifndef STRM_AGG_PACK_H
#define STRM_AGG_PACK_H
#include "base/buf.h"

/* LEB128: seven bits a byte, lowest first; the shortest form only. */
void pack_uint(struct buf *b, uint64_t v);
int unpack_uint(const char **p, const char *end, uint64_t *v);
/* n bytes (1..8), lowest first. */
void pack_fixed(struct buf *b, uint64_t v, int n);
int unpack_fixed(const char **p, const char *end, uint64_t *v, int n);
/* Doubles by their bits. */
void pack_double(struct buf *b, double v);
int unpack_double(const char **p, const char *end, double *v);
/* A signed 128-bit integer: a length byte and that many bytes, the shortest two's complement. */
void pack_int128(struct buf *b, __int128 v);
int unpack_int128(const char **p, const char *end, __int128 *v);
/* Length and bytes; the bytes stay where they are. */
void pack_bytes(struct buf *b, const char *p, size_t n);
int unpack_bytes(const char **p, const char *end, const char **s, size_t *n);

#endif

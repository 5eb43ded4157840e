/* Compressed bytes that come through a pipe or a socket, unpacked for a loop that must not wait: a thread reads and unpacks and
 * writes what comes out into a pipe of its own, which the loop watches. */
#ifndef STRM_IO_UNPACK_THREAD_H
#define STRM_IO_UNPACK_THREAD_H
#include <stdint.h>

#include "io/decompress.h"

struct unpack_thread;

/* Begin with the bytes head[0..n) (copied) and go on with those of fd, which stays the caller's, as does name; both outlive the
 * thread. NULL and err. */
struct unpack_thread *unpack_thread_start(const struct unpack_kind *k, int fd, const char *name, const char *head, size_t n,
					  struct err *e);
/* Where the unpacked bytes come out; ends when all is unpacked or something is wrong. */
int unpack_thread_fd(const struct unpack_thread *t);
/* Bytes read from fd so far. */
uint64_t unpack_thread_position(const struct unpack_thread *t);
/* Stop it wherever it is, and free it. 0, or -1 and what went wrong before. Takes NULL. */
int unpack_thread_finish(struct unpack_thread *t, struct err *e);

#endif

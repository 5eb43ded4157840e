/* Reading and writing file descriptors, and the part that sources over one have in common. */
#ifndef STRM_IO_FD_H
#define STRM_IO_FD_H
#include "io/decompress.h"
#include "io/source.h"

/* One read(): again when a signal came between, after a wait when the descriptor does not block. -1 with errno otherwise. */
ssize_t fd_read(int fd, char *p, size_t n);
/* All n bytes, likewise. 0, or -1 with errno. */
int fd_write(int fd, const char *p, size_t n);
/* What was made, renamed or removed in the directory `path` (below the directory `at`, unless it begins with a slash) is on the disk. Not every file
 * system can do that, and not every directory may be read: that is no error. 0, or -1 with errno. */
int fd_sync_folder(int at, const char *path);

struct fd_live;

struct fd_source {
	struct source base;
	int fd;
	bool sniffed;
	struct unpack *unpack;	 /* NULL: plain bytes */
	char head[UNPACK_SNIFF]; /* read for the sniffing and not yet passed on: head[head_at..head_n) */
	unsigned head_n, head_at;
	struct fd_live *on_loop; /* NULL until it is driven by a loop */
};

/* Allocate over a descriptor: refuses directories, takes the size of regular files, tells the kernel to read ahead. NULL and err;
 * the descriptor stays the caller's then. */
struct fd_source *fd_source_new(int fd, const char *name, struct err *e);
/* The read, ready and close (without closing fd) of struct source_def. */
ssize_t fd_source_read(struct source *s, char *p, size_t n, struct err *e);
bool fd_source_ready(struct source *s, int within_ms);
void fd_source_release(struct source *s);

/* The descriptor of a source over a regular file that is read with source_read; -1: it is none. */
int fd_source_file(const struct source *s);

/* How a loop drives such a source: pipes, terminals and sockets are live, NULL for files and other devices. fd_source_new sets
 * it. */
const struct live_def *fd_live_def(int fd);
void fd_live_free(struct fd_live *l); /* takes NULL */

#endif

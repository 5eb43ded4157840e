/* Files of frames: the commit log and the write-ahead logs.
 *
 * file   "strmlog\n" | format u32 | kind u32 | number u64 | first u64 | sum u64                                (LOG_HEAD bytes)
 * frame  sum u64 | "FRAM" | loose u32 | seq u64 | n u64 | n bytes | zeros up to a multiple of 8                     (FRAME_HEAD bytes before the n)
 *
 * All little-endian; a sum is XXH3 (64 bits) over all that follows it in its frame, resp. that stands before it in the head; a frame's is seeded with the
 * file's kind and number, so that a frame of another file is none of this one. `seq` is the caller's; it grows from frame to frame. `loose`
 * bytes before a frame were not synced yet when it was written: a power loss may take them and leave the frame. */
#ifndef STRM_STATE_LOG_H
#define STRM_STATE_LOG_H
#include "state/bytes.h"

#define LOG_HEAD 40
#define FRAME_HEAD 32
#define LOG_COMMITS 0 /* kind of the commit log; that of an input's is 1 + the input */

struct log_head {
	uint32_t kind;
	uint64_t number; /* of the file, from 1 */
	uint64_t first;  /* seq of its first frame */
};

struct frame {
	uint64_t seq;
	struct store_bytes body;
	size_t next; /* offset behind it */
	uint32_t loose;
};

enum frame_found { FRAME_OK, FRAME_END, FRAME_BAD };

uint64_t log_seed(const struct log_head *h);
/* Room for a frame's head; the body is appended by the caller until frame_close(). Returns where the frame begins. */
size_t frame_open(struct buf *b, uint32_t loose);
void frame_close(struct buf *b, size_t at, uint64_t seq, uint64_t seed);
/* The frame at offset `at` of a file's bytes. */
enum frame_found frame_read(struct store_bytes file, size_t at, uint64_t seed, struct frame *f);
/* Is there any whole frame behind `at` that was written when what stands at `at` was synced? Then that was there once. */
bool frame_behind(struct store_bytes file, size_t at, uint64_t seed);

void log_head_put(struct buf *b, const struct log_head *h);
/* 0, or -1 with err; `where` is the file's name. */
int log_head_read(struct store_bytes file, struct log_head *h, const char *where, struct err *e);

/* A directory of such files and what else is in it. Names in messages are DIR/NAME. */
struct log_dir {
	int fd;
	const char *path;
	bool no_sync;
};

struct log_name {
	char s[48];
};

struct log_name log_file_name(const struct log_head *h);
/* Makes the file with its head, syncs it and the directory; it appears under its name whole or not at all. Returns its fd, or -1. */
int log_create(const struct log_dir *d, const struct log_head *h, struct err *e);
/* Advice for an error of the system's in writing. */
void log_advise(int code, struct err *e);
/* Writes at the file's end. What could not be written whole is cut off again. */
int log_append(const struct log_dir *d, int fd, const struct log_name *name, struct store_bytes bytes, struct err *e);
int log_sync(const struct log_dir *d, int fd, const struct log_name *name, struct err *e);
/* A sync of the file failed. What the kernel could not write it may hold for written from then on: the bytes from `from` to the end are written
 * again, so that the next sync, which may be another process's, is as good as its word. */
void log_unsynced(int fd, size_t from);
/* Numbers of the files of a kind, ascending; *numbers is the caller's. */
int log_list(const struct log_dir *d, uint32_t kind, uint64_t **numbers, size_t *n, struct err *e);

/* Kinds of the write-ahead logs that have files, ascending; *kinds is the caller's. */
int log_kinds(const struct log_dir *d, uint32_t **kinds, size_t *n, struct err *e);

/* The whole file appended to *b. 0; 1: there is no such file; -1. */
int file_read(const struct log_dir *d, const char *name, struct buf *b, struct err *e);
/* Written beside it, synced and renamed into place. */
int file_replace(const struct log_dir *d, const char *name, struct store_bytes bytes, struct err *e);
int dir_sync(const struct log_dir *d, struct err *e);

#endif

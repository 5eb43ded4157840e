/* Where reading of a file stands, and how the file is known again: by device and inode, and by what it holds: a hash of its first
 * min(POSITION_HEAD, offset) bytes and of the last POSITION_LAST before the offset. Offsets count bytes as they are read, unpacked where the file
 * is compressed. A file that was rotated meanwhile is looked for among NAME* beside it, compressed copies included. */
#ifndef STRM_IO_POSITION_H
#define STRM_IO_POSITION_H
#include "io/fd.h"
#include "io/file_id.h"
#include "state/bytes.h"

#define POSITION_HEAD 4096
#define POSITION_LAST 256

struct position {
	char *path; /* owned; made absolute */
	uint64_t dev, ino;
	int64_t born_ns;
	int64_t offset;
	uint64_t head, last; /* hashes */
};

/* What was taken of a file: its first bytes and those before the offset. */
struct trace {
	int64_t offset;
	uint32_t n_head, n_last;
	char head[POSITION_HEAD], last[POSITION_LAST];
};

/* The next n bytes were taken. */
void trace_took(struct trace *t, const char *p, size_t n);
/* Into p, whose file is known. */
void trace_note(const struct trace *t, struct position *p);

void position_release(struct position *p);
void position_copy(struct position *to, const struct position *from);
/* The name that the file goes by, made absolute; NULL: that of the descriptor. Files that are rotated are looked for beside it, whatever they are called by now. */
void position_name(struct position *p, int fd, const char *name);
/* The file behind an open descriptor: device, inode, birth. */
void position_of_fd(struct position *p, int fd);
void position_put(struct buf *b, const struct position *p);
/* Owned strings in *p. Sets in->bad where it is none. */
void position_get(struct bytes_in *in, struct position *p);

/* Moves a source over a file to the offset; t is filled as if all before it had been taken. 0; 1: the file does not reach so far; -1. */
int position_seek(struct fd_source *s, int64_t offset, struct trace *t, struct err *e);
/* The same, and is it the file? 0, 1: it is not, -1. */
int position_resume(struct fd_source *s, const struct position *p, struct trace *t, struct err *e);

/* A file to read on, from the offset. */
struct resume_leg {
	char *path;
	int64_t offset;
	bool finished; /* it has lost its name: nothing is written to it any more, unless it is the same inode */
	bool same;     /* the same inode as then */
};

/* All that is to be read from the position on: the file itself; or the one it has become, those that were rotated since, and the one that has the
 * name now. Empty: nobody has the bytes before the offset. */
struct resume_list {
	struct resume_leg *legs;
	size_t n, cap;
};

void resume_find(struct resume_list *out, const struct position *p);
void resume_release(struct resume_list *l);

#endif

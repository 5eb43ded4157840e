/* Where reading of a file stands, and how the file is known again: by device and inode, and by what it holds: a hash of its first
 * min(POSITION_HEAD, offset) bytes and of the last LAST_BYTES before the offset. Offsets count bytes as they are read,
 * unpacked where the file is compressed. Of a file that was hardly read, or not at all, that says little: so what it held
 * besides, when it was looked at last, is kept too. How it is found again: io/resume.h. */
#ifndef STRM_IO_POSITION_H
#define STRM_IO_POSITION_H
#include "io/fd.h"
#include "io/file_id.h"
#include "io/last_bytes.h"
#include "state/bytes.h"

#define POSITION_HEAD 4096

struct position {
	char *path; /* owned; made absolute */
	uint64_t dev, ino;
	int64_t born_ns;
	int64_t offset;
	uint64_t head, last; /* hashes */
	/* As it was when it was looked at last, taken or not; all 0: it was not, or it is compressed. */
	int64_t size, mtime_ns;
	uint32_t n_seen; /* its first bytes: how many */
	uint64_t seen;	 /* and their hash */
	/* It may be rotated: and NAME.1 and the like, the newest of each, that were beside it when it was begun. */
	bool rotates;
	int64_t beside_mtime_ns, beside_born_ns;
};

/* What was taken of a file: its first bytes and those before the offset. */
struct trace {
	int64_t offset;
	uint32_t n_head;
	char head[POSITION_HEAD];
	struct last_bytes last;
};

/* The next n bytes were taken. */
void trace_took(struct trace *t, const char *p, size_t n);
/* Into p, whose file is known. */
void trace_note(const struct trace *t, struct position *p);

void position_release(struct position *p);
void position_copy(struct position *to, const struct position *from);
/* The name that the file goes by, made absolute; NULL: that of the descriptor. Files that are rotated are looked for beside it,
 * whatever they are called by now. */
void position_name(struct position *p, int fd, const char *name);
/* The file behind an open descriptor: device, inode, birth. It was not looked at. */
void position_of_fd(struct position *p, int fd);
/* Looks at the file, if it goes by its name still. Nothing of it beyond `ahead` bytes behind the offset need be there. */
void position_look(struct position *p, uint64_t ahead);
/* Is this the same inode? */
bool position_is_of(const struct position *p, const struct file_id *id);
/* Does the file begin with what was seen of it? Reads an open file from its start. */
bool position_was_seen(const struct position *p, struct fd_source *s);
void position_put(struct buf *b, const struct position *p);
/* Owned strings in *p. Sets in->bad where it is none. */
void position_get(struct bytes_in *in, struct position *p);

/* Moves a source over a file to the offset; t is filled as if all before it had been taken. 0; 1: the file does not reach so far;
 * -1. */
int position_seek(struct fd_source *s, int64_t offset, struct trace *t, struct err *e);
/* The same, and is it the file? 0, 1: it is not, -1. */
int position_resume(struct fd_source *s, const struct position *p, struct trace *t, struct err *e);

#endif

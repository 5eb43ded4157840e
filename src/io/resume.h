/* Finding a file again whose position is known (io/position.h), after it was rotated perhaps: renamed, copied and cut, packed.
 *
 * It is the file of its name, if that holds what was taken and seen. Else it is looked for among NAME* beside it, by its inode,
 * then by what it holds, compressed copies included; those that were rotated after it follow, and then the file that has the name
 * now. A file that held nothing when it was looked at last is told by nothing but its inode: if that is gone, or the file may
 * have been copied and cut, all that was rotated since then was never read. What was rotated since: files NAME.1 and the like
 * that are newer than all that were beside it when it was begun, and not older than its last change. */
#ifndef STRM_IO_RESUME_H
#define STRM_IO_RESUME_H
#include "io/position.h"

/* A file to read on, from the offset. */
struct resume_leg {
	char *path;
	int fd; /* it is held, whatever name it gets; -1: it could not be */
	struct file_id id;
	int64_t offset;
	bool finished; /* it has lost its name: nothing is written to it any more, unless it is the same inode */
};

/* All that is to be read from the position on: the file itself; or the one it has become, those that were rotated since, and the
 * one that has the name now. Empty: nobody has the bytes before the offset. */
struct resume_list {
	struct resume_leg *legs;
	size_t n, cap;
	bool changed; /* what was taken is there, and what was seen behind it is not */
};

void resume_find(struct resume_list *out, const struct position *p);
void resume_release(struct resume_list *l);
/* The file of a leg, at its start; closed with source_close. NULL and err: it cannot be read, or was rotated meanwhile. */
struct fd_source *resume_open(const struct resume_leg *leg, struct err *e);
/* Reading of the file that has the name begins: what is beside it. */
void resume_begins(struct position *p);

#endif

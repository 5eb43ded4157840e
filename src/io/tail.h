/* One file that is followed: where it was read to, and whether that is still what it holds. */
#ifndef STRM_IO_TAIL_H
#define STRM_IO_TAIL_H
#include <sys/types.h>

#include "io/file_id.h"
#include "io/last_bytes.h"

#define TAIL_CUT (-2)

struct tail {
	struct tail *next;
	int fd;
	struct file_id id;
	int64_t position;
	struct last_bytes last; /* before the position */
	int copy_fd;	 /* the rest of what was in the file before it was cut short; -1: none */
	void *stream;	 /* NULL: nothing came of it yet */
	int wd;		 /* its watch, -1: none */
	bool at_end;	 /* when last looked at */
	uint64_t end_ms; /* the loop's time when it came to the end */
};

/* Takes fd, open for reading, at its start, or at its end. NULL and errno (fd stays the caller's). */
struct tail *tail_new(int fd, bool at_its_end);
/* Goes on at this position. */
void tail_go(struct tail *t, int64_t position);
void tail_free(struct tail *t);
/* Is there something to read? */
bool tail_has_more(const struct tail *t);
/* Up to n bytes, of the copy first. How many, 0 at the end, -1 and errno; TAIL_CUT: as tail_was_cut, nothing was read. */
ssize_t tail_read(struct tail *t, char *p, size_t n);
/* Has the file been cut short, or written anew, since it was read? */
bool tail_was_cut(const struct tail *t);
/* Start anew, after the rest of what it held before, when a copy of it, a file of the folder whose name begins with `name`, holds
 * that. False: there is no such copy (and nothing is known of a rest). */
bool tail_restart(struct tail *t, const char *folder, const char *name);

#endif

/* Live input, with a checkpoint: ckpt_live.c (streams as they come), ckpt_again.c (those of the run before, and what it had
 * read), ckpt_past.c (files that a source goes on with).
 *
 * Each stream is a place of its own, "SOURCE\nNUMBER". A stream that is a file is read again from where it stood; bytes of all
 * others go through one log. What came in which order is told by feeds, with the cut:
 *
 *   'F' key, value    a file begins; the value of its place there
 *   'R' key, offset   it was read up to there
 *   'X' key, drop     it ended
 *   'Z' key           it goes on in the next run, and what is left is its last record
 *   'L' offset        the log was taken off up to there
 *
 * and by the pieces of the log: 'O' key, name; 'D' key, bytes; 'E' key, drop. */
#ifndef STRM_RUNTIME_CKPT_LIVE_H
#define STRM_RUNTIME_CKPT_LIVE_H
#include "io/follow.h"
#include "runtime/ckpt_impl.h"
#include "runtime/live_impl.h"

/* A file that is gone on with. */
struct resumed {
	struct stream *stream; /* NULL: it has ended */
	struct lsource *of;
	struct resume_list legs;
	struct fd_source *file; /* the first of them, where the stream is; NULL: given to the source, or read to its end */
};

static inline struct checkpoint *ckpt_of_live(const struct live *l) { return l->job->opts.checkpoint; }
static inline struct store_bytes place_key(const struct place *p) { return (struct store_bytes){ p->key, strlen(p->key) }; }

/* ---- ckpt_live.c ---- */

/* One feed for a row of reads of one place. */
void feed_read(struct checkpoint *c, const struct place *p, uint64_t upto);
void stream_attach(struct stream *s, struct place *p);
/* How a file is known once it was read to its end. Owned by the caller. */
char *file_done_key(const struct file_id *id);
/* The place's file is this one. */
void place_note_file(struct place *p, int fd);
/* The place of the log is there, and *end is behind all that is in it. 0 or -1. */
int ckpt_find_log(struct checkpoint *c, uint64_t *end, struct err *e);

/* ---- ckpt_again.c ---- */

struct resumed *resumed_add(struct live *l, struct stream *s);
void resumed_close(struct resumed *r);
/* Reads the file on, up to an offset, -1: to its end. 0 or -1. */
int resumed_read(struct live *l, struct stream *s, int64_t upto, struct err *e);

#endif

/* --progress: one line of figures while a job runs. Makes text; drawing is the cli's. */
#ifndef STRM_OBS_PROGRESS_H
#define STRM_OBS_PROGRESS_H
#include "runtime/job.h"

/* How often it is drawn anew, at most and while it waits. */
#define PROGRESS_MS 200

struct progress_figures {
	uint64_t records, bytes;
	int64_t size;       /* of all input, -1 unknown */
	int64_t elapsed_ns;
	double per_s;       /* records; below 0: not known yet */
};

struct progress {
	int64_t drawn_ns;                /* when it was drawn last */
	int64_t from_ns, until_ns;       /* the rate is that of a stretch of a second or more: */
	uint64_t from_records, until_records;
};

/* Is it time to draw? Fills the figures then. */
bool progress_due(struct progress *p, const struct job *j, struct progress_figures *f);
/* "12.3M records, 1.20M/s, 340 MB, 45%, 0:12 left". Percent and the time left only where the size is known. */
void progress_text(struct buf *b, const struct progress_figures *f);

#endif

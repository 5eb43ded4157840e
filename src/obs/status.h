/* What a running job is at, as text: the answer to SIGUSR1, and what a silent one waits for. */
#ifndef STRM_OBS_STATUS_H
#define STRM_OBS_STATUS_H
#include "runtime/job.h"

/* Lines, each with a line end: the run; each source, stage and sink. */
void status_report(struct buf *b, const struct job *j);
/* What it waits for, in one line without a line end. */
void status_waits(struct buf *b, const struct job *j);

#endif

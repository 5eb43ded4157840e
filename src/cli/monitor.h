/* What a run tells while it lasts: progress, answers to signals, statistics. ctx of the job's callbacks is the struct report. */
#ifndef STRM_CLI_MONITOR_H
#define STRM_CLI_MONITOR_H
#include "cli/report.h"

/* Opens --stats and sets the callbacks that are wanted. 0 or -1. */
int monitor_open(struct report *r, struct job_opts *jo, struct err *e);
/* Wipes the line of --progress. */
void monitor_wipe(struct report *r);
/* The end of the run: completes the statistics. 0 or -1. */
int monitor_close(struct report *r, struct err *e);

#endif

/* --stats: a JSON line for each micro-batch. What is told of a stage, a source or a sink is what this micro-batch did; position, held, memory and the
 * watermark are how things stand at its end. */
#ifndef STRM_OBS_STATS_H
#define STRM_OBS_STATS_H
#include "runtime/job.h"

struct stats;

/* Lines go to a sink (a file, unix: ...), named as for --to. NULL and err. */
struct stats *stats_open(const char *sink, const volatile int *stop, struct err *e);
/* A micro-batch has ended. 0 or -1. */
int stats_batch(struct stats *s, const struct job *j, const struct batch_report *r, struct err *e);
/* Complete it, and free. Takes NULL. 0 or -1. */
int stats_close(struct stats *s, struct err *e);
/* The members that need no more than the report, without braces: batch to ms. */
void stats_put_report(struct buf *b, const struct batch_report *r);
/* "event_time":{...} with a comma in front; nothing when there is no watermark and no event time. */
void stats_put_events(struct buf *b, const struct event_times *t, int64_t watermark);

#endif

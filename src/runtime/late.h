/* Late records, kept (--late): TSV with the stage, the end of the last window the record would have fallen into (or its own time, where the stage has
 * none), by how much it was late, and the record as it reached the stage, as JSON. */
#ifndef STRM_RUNTIME_LATE_H
#define STRM_RUNTIME_LATE_H
#include "op/op.h"

/* The sink for `file` (io/sink.h), the caller's; run->late writes to it. A header is written iff it is empty. With a checkpoint (or NULL) it is one of its sinks. NULL and err. */
struct checkpoint;
struct op *late_open(struct run *run, const char *file, struct checkpoint *c, struct err *e);

#endif

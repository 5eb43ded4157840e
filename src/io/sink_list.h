/* The sinks there are; included by their files and by sink_registry.c only. */
#ifndef STRM_IO_SINK_LIST_H
#define STRM_IO_SINK_LIST_H
#include "io/sink.h"

extern const struct sink_def sink_stdout, sink_file, sink_dir, sink_tcp, sink_unix, sink_exec;

/* sink_keep.c: what sink_deliver_begin has made goes; behind sink_deliver_end. */
void sink_forget_sending(struct sink *s);

#endif

/* The sinks there are; included by their files and by sink_registry.c only. */
#ifndef STRM_IO_SINK_LIST_H
#define STRM_IO_SINK_LIST_H
#include "io/sink.h"

extern const struct sink_def sink_stdout, sink_file, sink_dir, sink_tcp, sink_unix, sink_exec;

#endif

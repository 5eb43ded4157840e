/* The sources there are; included by their files and by source_registry.c only. */
#ifndef STRM_IO_SOURCE_LIST_H
#define STRM_IO_SOURCE_LIST_H
#include "io/source.h"

extern const struct source_def source_stdin, source_file, source_values, source_dir, source_tcp, source_tcp_listen, source_unix,
	source_unix_listen, source_udp, source_exec, source_gen;

#endif

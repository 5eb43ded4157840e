/* One csv record by libcsv (see csv.c for the grammar): the slow path of codec/delim.h. */
#ifndef STRM_CODEC_CSV_SLOW_H
#define STRM_CODEC_CSV_SLOW_H
#include <csv.h>

#include "codec/delim.h"

/* delim_format.one, .skip and .release. */
enum record_kind csv_one(struct delim_decoder *d, const char *p, size_t n, bool final);
size_t csv_skip(struct delim_decoder *d, const char *p, size_t n);
void csv_release(struct delim_decoder *d);
/* A parser with strm's settings, to be freed with csv_free. */
void csv_settings(struct csv_parser *c, char delim);

#endif

/* How the records of a source are read: what its URL says (SOURCE_READ_DOC in io/source.h) and what its name tells. */
#ifndef STRM_IO_SOURCE_READ_H
#define STRM_IO_SOURCE_READ_H
#include "codec/codec.h"
#include "io/source.h"

struct source_read {
	const struct codec_def *codec;
	struct decode_opts decode;
	const char *schema; /* NULL: none */
	bool own;           /* the URL says something */
};

/* The format that the kind of source or the end of the file's name tells; NULL: no telling. */
const struct codec_def *source_spec_codec(const char *spec, struct arena *a);
/* Puts what the URL says over what is there. 0, or -1 and err (ERR_USAGE). */
int source_spec_read(const char *spec, struct source_read *r, struct arena *a, struct err *e);
/* A number that changes when the regular file it names does (or becomes another one); 0: it names none. */
uint64_t source_spec_stamp(const char *spec);

#endif

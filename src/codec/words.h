/* The word scanner: lines in, one record for each word out, straight from the block. It is what `words` on line input runs as: no
 * line is ever made a record. Words are runs of bytes that are not ASCII white space. */
#ifndef STRM_CODEC_WORDS_H
#define STRM_CODEC_WORDS_H
#include "codec/codec.h"

/* Not in the registry: chosen by the plan. opts.fields is the one field name of the words. */
extern const struct codec_def words_codec;

/* Lines read so far, and those of them without a word. n_records of the decoder are the words. */
uint64_t words_lines(const struct decoder *d);
uint64_t words_empty(const struct decoder *d);

#endif

/* The registry entries of the formats, one file each. */
#ifndef STRM_CODEC_CODEC_LIST_H
#define STRM_CODEC_CODEC_LIST_H
#include "codec/codec.h"

extern const struct codec_def lines_codec, csv_codec, tsv_codec, json_codec, logfmt_codec, columns_codec, table_codec;

#endif

/* The halves of the json format that its registry entry (json.c) puts together: codec.h says what each does. */
#ifndef STRM_CODEC_JSON_H
#define STRM_CODEC_JSON_H
#include "codec/codec.h"

struct decoder *json_open(const struct decode_opts *o, struct err *e);
int json_decode(struct decoder *base, const char *p, size_t n, bool final, const struct decode_to *to, size_t *used,
		struct err *e);
void json_restart(struct decoder *base, const char *source);
void json_close(struct decoder *base);
void json_save(const struct decoder *base, struct buf *out);
int json_load(struct decoder *base, const char *p, size_t n);

struct encoder *json_open_out(const struct encode_opts *o, struct err *e);
int json_encode(struct encoder *base, const struct batch *b, struct buf *out, struct err *e);
int json_flush(struct encoder *base, struct buf *out, bool last, struct err *e);
void json_close_out(struct encoder *base);

#endif

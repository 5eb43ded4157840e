/* The end of a chain, and `to SINK` in the middle of one: records encoded and written. */
#ifndef STRM_OP_SINK_H
#define STRM_OP_SINK_H
#include "codec/codec.h"
#include "io/sink.h"
#include "op/op.h"

struct sink_spec {
	const struct codec_def *codec;
	struct encode_opts opts; /* fields and the rest must outlive the operator */
	struct sink *sink_take;
	bool marks;              /* a mark (io/marks.h) behind each micro-batch */
	bool aside;              /* no output of the program (--bad, --late): no micro-batch is named when it fails */
	bool live;               /* write at the end of each batch rather than when the buffer is full */
};

/* Bytes gathered before a write. */
#define SINK_BUFFER ((size_t)256 << 10)

/* NULL and err when the encoder does not open; the sink is taken in any case. Reader gone (a closed pipe): verdict 1, op_sink_closed says so. */
struct op *op_sink(struct run *run, int stage, const char *word, const struct sink_spec *spec, struct err *e);
bool op_is_sink(const struct op *op);
/* With a checkpoint (io/sink.h: sink_keep): what the micro-batch has written goes out; `from` as there. 0, 1: the reader is gone, -1. And behind the commit. */
int op_sink_deliver(struct op *op, const struct sink_place *from, struct err *e);
/* The same, but for the end of it: see sink_deliver_begin. */
int op_sink_deliver_begin(struct op *op, struct err *e);
int op_sink_deliver_end(struct op *op, struct err *e);
int op_sink_committed(struct op *op, struct err *e);
struct sink *op_sink_sink(const struct op *op);
/* What its output must keep to when a later run goes on with it (codec.h: save_out). load: 0, or -1 when save did not write that. */
void op_sink_save(const struct op *op, struct buf *out);
int op_sink_load(struct op *op, const char *p, size_t n);
/* Did the reader of a pipe go away? */
bool op_sink_closed(const struct op *op);
/* The sink's name for people; lives as long as the sink is open. */
const char *op_sink_name(const struct op *op);
/* The encoder, for its counters. */
const struct encoder *op_sink_encoder(const struct op *op);

#endif

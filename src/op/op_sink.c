#include "op/op_sink.h"

#include "base/time.h"
#include "op/keep.h"
#include "op/partition.h"

struct sink_op {
	struct op op;
	struct sink_spec spec;
	struct encoder *enc;
	struct sink *sink;
	struct partitions *parts; /* NULL: its records go to one place */
	struct buf buf;
	bool closed; /* the reader went away: what comes is no longer wanted */
	bool failed; /* what is left of the micro-batch is not delivered any more */
	bool finishing;
	bool had_watermark; /* a mark has told one */
	bool ended;	    /* in a run before this one: its watermark is the end of time, which no mark has told */
	uint32_t told_mark; /* of the entry that says so */
	uint64_t closed_at; /* the micro-batch in which the reader went away */
	bool sending;       /* one is on its way: */
	uint64_t sent;      /* this one */
	uint64_t at_end; /* records written when the last micro-batch ended */
};

/* A micro-batch that did not arrive is named, where there are others. */
static int not_delivered(struct sink_op *s, struct err *e)
{
	uint64_t batch = s->closed ? s->closed_at : s->sending ? s->sent : s->op.run->batch;
	bool others = s->spec.live || (s->finishing ? s->op.run->batch > 1 : batch > 0);

	s->failed = true;
	if (others && !s->spec.aside && !*e->hint)
		err_hint(e, "micro-batch %llu was not delivered", (unsigned long long)batch);
	return -1;
}

static int deliver(struct sink_op *s, struct err *e)
{
	const struct run *run = s->op.run;
	int r;

	if (run->delivering)
		run->delivering(run->delivering_ctx, true);
	r = sink_write(s->sink, s->buf.p, s->buf.n, e);
	if (run->delivering)
		run->delivering(run->delivering_ctx, false);
	return r;
}

static int write_out(struct sink_op *s, struct err *e)
{
	int r = 0;

	s->sink->batch = s->op.run->batch;
	if (s->buf.n && !s->closed)
		r = deliver(s, e);
	s->buf.n = 0;
	if (r == SINK_CLOSED) {
		s->closed = true;
		s->closed_at = s->op.run->batch;
		return 1;
	}
	return r ? not_delivered(s, e) : 0;
}

/* An encoder that begins anew, with what the old one has counted. */
static int renew_encoder(struct sink_op *s, struct err *e)
{
	struct encoder *old = s->enc, *enc = s->spec.codec->open_out(&s->spec.opts, e);

	if (!enc)
		return -1;
	enc->def = s->spec.codec;
	enc->n_records = old->n_records;
	enc->n_nan = old->n_nan;
	enc->n_unseen = old->n_unseen;
	memcpy(enc->unseen, old->unseen, sizeof enc->unseen);
	old->def->close_out(old);
	s->enc = enc;
	return 0;
}

/* In a job with a checkpoint the end of a micro-batch comes behind its commit. */
static int sink_ends_batch(struct sink_op *s, struct err *e)
{
	return s->sink->durable ? 0 : sink_batch_end(s->sink, s->op.run->batch, e);
}

static int end_partitions(struct sink_op *s, struct err *e)
{
	s->sink->batch = s->op.run->batch;
	if (partitions_end(s->parts, s->enc, e) || sink_ends_batch(s, e))
		return not_delivered(s, e);
	return 0;
}

int op_sink_deliver(struct op *op, const struct sink_place *from, struct err *e)
{
	struct sink_op *s = (struct sink_op *)op;
	const struct run *run = op->run;
	bool asks = run->delivering && s->sink->held && held_bytes(s->sink->held);
	int r;

	if (s->closed)
		return 1;
	s->sink->batch = run->batch;
	if (asks)
		run->delivering(run->delivering_ctx, true);
	r = sink_deliver(s->sink, from, e);
	if (asks)
		run->delivering(run->delivering_ctx, false);
	if (r != SINK_CLOSED)
		return r ? not_delivered(s, e) : 0;
	s->closed = true;
	s->closed_at = run->batch;
	return 1;
}

int op_sink_deliver_begin(struct op *op, struct err *e)
{
	struct sink_op *s = (struct sink_op *)op;

	s->sink->batch = s->sent = op->run->batch;
	if (sink_deliver_begin(s->sink, e))
		return not_delivered(s, e);
	s->sending = true;
	return 0;
}

int op_sink_deliver_end(struct op *op, struct err *e)
{
	struct sink_op *s = (struct sink_op *)op;
	int r = s->sending && sink_deliver_end(s->sink, e) ? not_delivered(s, e) : 0;

	s->sending = false;
	return r;
}

int op_sink_committed(struct op *op, struct err *e)
{
	struct sink_op *s = (struct sink_op *)op;

	return sink_batch_end(s->sink, op->run->batch, e) ? not_delivered(s, e) : 0;
}

struct sink *op_sink_sink(const struct op *op) { return ((const struct sink_op *)op)->sink; }

void op_sink_save(const struct op *op, struct buf *out)
{
	const struct sink_op *s = (const struct sink_op *)op;

	if (s->enc->def->save_out && !sink_in_parts(s->sink))
		s->enc->def->save_out(s->enc, out);
}

int op_sink_load(struct op *op, const char *p, size_t n)
{
	struct sink_op *s = (struct sink_op *)op;

	if (!n || !s->enc->def->load_out || sink_in_parts(s->sink))
		return 0;
	return s->enc->def->load_out(s->enc, p, n);
}

/* The end of an output that is one of several: one with records is completed, others are not there at all. */
static int end_part(struct sink_op *s, struct err *e)
{
	int verdict;

	if (s->op.count[0] == s->at_end)
		return 0;
	s->at_end = s->op.count[0];
	if (s->parts)
		return end_partitions(s, e);
	if (s->enc->def->flush && s->enc->def->flush(s->enc, &s->buf, true, e))
		return -1;
	verdict = write_out(s, e);
	if (verdict < 0)
		return -1;
	if (sink_ends_batch(s, e))
		return not_delivered(s, e);
	return renew_encoder(s, e) ? -1 : verdict;
}

static int encode(struct sink_op *s, const struct batch *b, struct err *e)
{
	if (!s->parts)
		return s->enc->def->encode(s->enc, b, &s->buf, e);
	s->sink->batch = s->op.run->batch;
	return partitions_encode(s->parts, b, e) ? not_delivered(s, e) : 0;
}

static int sink_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct sink_op *s = (struct sink_op *)op;
	int verdict = 0, next;

	(void)port;
	if (s->closed) {
		op->unwanted += b->n_sel;
		return op->n_outs ? op_push(op, b, e) : 1;
	}
	if (encode(s, b, e))
		return -1;
	op->count[0] += b->n_sel;
	if (s->buf.n >= SINK_BUFFER || s->spec.live)
		verdict = write_out(s, e);
	if (verdict < 0 || !op->n_outs)
		return verdict;
	next = op_push(op, b, e);
	return next < 0 ? -1 : verdict && next; /* what follows may have had enough; this sink has not */
}

/* That of a program without event time is never defined: only the end of the input moves it. */
static void put_watermark(struct sink_op *s)
{
	int64_t w = s->op.watermark;

	if (w == WATERMARK_NONE || (w == WATERMARK_END && (s->op.run->last || s->ended) && !s->had_watermark))
		return;
	s->had_watermark = true;
	buf_str(&s->buf, " watermark=");
	if (w == WATERMARK_END)
		buf_str(&s->buf, "inf");
	else
		buf_took(&s->buf, time_format(w, buf_room(&s->buf, TIME_MAX)));
}

/* What `--every mark` of a reader understands. */
static void put_mark(struct sink_op *s)
{
	buf_printf(&s->buf, "\f batch=%llu clock=", (unsigned long long)s->op.run->batch);
	buf_took(&s->buf, time_format(s->op.run->now, buf_room(&s->buf, TIME_MAX)));
	put_watermark(s);
	buf_char(&s->buf, '\n');
}

static int end_batch(struct op *op, struct err *e)
{
	struct sink_op *s = (struct sink_op *)op;
	int verdict;

	if (s->failed)
		return 0;
	if (sink_in_parts(s->sink))
		return end_part(s, e);
	if (s->enc->def->flush && s->enc->def->flush(s->enc, &s->buf, false, e))
		return -1;
	if (s->spec.marks)
		put_mark(s);
	verdict = write_out(s, e);
	if (verdict < 0)
		return -1;
	return sink_ends_batch(s, e) ? not_delivered(s, e) : verdict;
}

static int sink_finish(struct op *op, struct err *e)
{
	struct sink_op *s = (struct sink_op *)op;
	struct sink *sink = s->sink;

	s->finishing = true;
	if (sink_in_parts(sink)) {
		if (end_part(s, e) < 0)
			return -1;
	} else {
		if (s->enc->def->flush && s->enc->def->flush(s->enc, &s->buf, true, e))
			return -1;
		if (write_out(s, e) < 0)
			return -1;
	}
	s->sink = NULL;
	if (!sink_close(sink, e))
		return 0;
	return s->closed ? not_delivered(s, e) : -1; /* else it is about all of them */
}

static void sink_free(struct op *op)
{
	struct sink_op *s = (struct sink_op *)op;

	if (s->enc)
		s->enc->def->close_out(s->enc);
	partitions_free(s->parts);
	if (s->sink)
		sink_abandon(s->sink);
	buf_release(&s->buf);
}

static size_t sink_memory(const struct op *op)
{
	const struct sink_op *s = (const struct sink_op *)op;

	return s->buf.cap + s->enc->keep.total + (s->parts ? partitions_memory(s->parts) : 0);
}

static void sink_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct sink_op *s = (const struct sink_op *)op;

	if (s->parts)
		partitions_unseen(s->parts, fn, ctx);
}

/* In a checkpoint: an entry of one byte, there as soon as a mark has told a watermark. */
#define TOLD_TAG 'w'
#define TOLD_VERSION 1

static void sink_commit(struct op *op, struct keeper *to)
{
	struct sink_op *s = (struct sink_op *)op;
	struct keep k = { .to = to };

	if (!s->had_watermark || s->told_mark)
		return;
	keep_start(&k, TOLD_TAG, TOLD_VERSION);
	keep_put(&k, &s->told_mark);
	keep_release(&k);
}

static int sink_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct sink_op *s = (struct sink_op *)op;
	struct bytes_in in;

	if (!key) {
		s->ended = op->watermark == WATERMARK_END && !s->had_watermark;
		return 0;
	}
	in = keep_open(value, n, TOLD_VERSION);
	if (key_n != 1 || *key != TOLD_TAG || !keep_over(&in))
		return keep_refuse(op, e);
	s->had_watermark = true;
	s->told_mark = mark;
	return 0;
}

static const struct op_class sink_class = {
	.name = "sink",
	.delivers = true,
	.counters = { "wrote" },
	.process = sink_process,
	.on_batch_end = end_batch,
	.finish = sink_finish,
	.free = sink_free,
	.memory = sink_memory,
	.commit = sink_commit,
	.restore = sink_restore,
	.unseen = sink_unseen,
};

/* ?partition= of the sink. */
static int split_up(struct sink_op *s, struct err *e)
{
	const char *fields = sink_option(s->sink, "partition");

	if (fields)
		s->parts = partitions_new(&s->spec, s->sink, fields, e);
	return fields && !s->parts ? -1 : 0;
}

struct op *op_sink(struct run *run, int stage, const char *word, const struct sink_spec *spec, struct err *e)
{
	struct sink_op *s = op_make(&sink_class, sizeof *s, run, stage, word);

	s->spec = *spec;
	s->sink = spec->sink_take;
	s->sink->stop = run->stop;
	s->sink->format = spec->codec->doc.name;
	s->enc = spec->codec->open_out(&spec->opts, e);
	if (s->enc)
		s->enc->def = spec->codec;
	if (s->enc && !split_up(s, e))
		return &s->op;
	op_free(&s->op);
	return NULL;
}

bool op_is_sink(const struct op *op)
{
	return op->cls == &sink_class;
}

bool op_sink_closed(const struct op *op)
{
	return ((const struct sink_op *)op)->closed;
}

const char *op_sink_name(const struct op *op)
{
	const struct sink *s = ((const struct sink_op *)op)->sink;

	return s ? sink_name(s) : op->word;
}

const struct encoder *op_sink_encoder(const struct op *op)
{
	return ((const struct sink_op *)op)->enc;
}

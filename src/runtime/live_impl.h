/* Live input, shared by live.c (the loop, its sources and clocks) and live_marks.c (micro-batches that marks cut). */
#ifndef STRM_RUNTIME_LIVE_IMPL_H
#define STRM_RUNTIME_LIVE_IMPL_H
#include <uv.h>

#include "io/live.h"
#include "runtime/job_impl.h"

/* Bytes that a source may have waiting for the end of the micro-batch. */
#define HELD_MAX ((size_t)64 << 20)

struct lsource;

struct stream {
	struct input in;       /* decoder and job */
	struct lsource *of;
	struct stream *next;
	char *p;
	size_t n, cap;
	bool closed, drop;
	size_t scanned;        /* by marks: bytes in which there is no mark */
	size_t mark_n;         /* the mark behind them is here, so long; 0: none */
	uint64_t id;           /* with a checkpoint: its number over all runs */
	bool leaves;           /* it is closed because the run ends: it goes on in the next one */
};

struct lsource {
	struct live *live;
	struct source *src;
	struct intake intake;
	struct stream *streams; /* oldest first */
	size_t held;
	bool started, ended, paused;
	struct stream *marked;  /* by marks: the stream whose mark ends the stretch at hand, NULL: none has come */
	struct mark mark;
	uv_idle_t pull;         /* a finite source: read when nothing else is to do */
	struct stream *pulled;
	uint64_t *asked;        /* with a checkpoint, of a directory: hashes of what was asked for, until all was */
	size_t n_asked, asked_cap;
	bool asked_all;
};

struct live {
	struct job *job;
	uv_loop_t loop;
	uv_timer_t tick, look;
	uv_prepare_t settle; /* with a checkpoint */
	uv_poll_t wake;
	struct lsource *sources;
	unsigned n, started, running;
	bool hold;    /* decode only at the end of the micro-batch */
	bool marks;   /* which marks cut */
	bool stopping, enough;
	struct resumed *resumed; /* files of another run (ckpt_live.h) */
	size_t n_resumed, resumed_cap;
	bool playing; /* what was read by another run comes in again */
	int failed;
	struct err *err;
};

/* A stream of this source, its decoder at its start. NULL and err. */
struct stream *stream_new(struct lsource *of, const char *name, struct err *e);
/* It is taken off its source and freed. */
void stream_drop(struct stream *s);
/* Room for at least n bytes more. */
char *stream_room(struct stream *s, size_t n);
/* n bytes were put there, or it ends: as intake.filled and close. */
int stream_filled(struct stream *s, size_t n);
void stream_closed(struct stream *s, bool drop);
/* The bytes held are decoded, source by source. As stream_decode. */
int live_decode_held(struct live *l, struct err *e);
/* The first n bytes of the block go to the decoder, what it leaves stays. `final`: it ends there. 0 go on, 1 stop wanted, -1. */
int stream_decode(struct stream *s, size_t n, bool final, struct err *e);
/* The rest is decoded, or dropped, and the stream is no more. As stream_decode. */
int stream_end(struct stream *s, struct err *e);
void source_resume(struct lsource *of);
/* Acts on a verdict: stops everything when it is not 0, or nobody reads any more. */
void live_verdict(struct live *l, int r);

/* New bytes are in the stream, or its end: looks for a mark and runs the micro-batches that are whole. 1: the source is to wait. */
int live_marks_came(struct stream *s);
/* The source has ended, or everything is to end (of NULL): what that makes whole. */
void live_marks_ended(struct live *l);

/* With a checkpoint (ckpt_again.c, ckpt_past.c, ckpt_live.c), all 0 or -1. Before the sources start: streams that were open when the last run ended are there
 * again, what it had read and not committed comes in, and streams of those who cannot go on end. */
int ckpt_live_again(struct live *l, struct err *e);
/* Sets past and known of a source that is about to start. */
int ckpt_live_source(struct lsource *of, struct err *e);
void ckpt_live_end(struct live *l);
/* A stream begins; fd -1: it cannot be read again. */
int ckpt_stream_begins(struct stream *s, const char *name, int fd, int64_t offset, struct err *e);
/* The last n bytes of its block have come. */
int ckpt_stream_came(struct stream *s, size_t n, struct err *e);
/* Bytes of it that are here, or those in the last commit. */
uint64_t ckpt_stream_has(const struct stream *s, bool committed);
/* It is closed; sets `leaves`, and `drop` anew. */
int ckpt_stream_ends(struct stream *s, struct err *e);
/* It is about to be freed: all of it is decoded, or it leaves. */
void ckpt_stream_over(struct stream *s);

#endif

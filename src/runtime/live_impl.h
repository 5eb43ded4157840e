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
};

struct live {
	struct job *job;
	uv_loop_t loop;
	uv_timer_t tick, look;
	uv_poll_t wake;
	struct lsource *sources;
	unsigned n, running;
	bool hold;    /* decode only at the end of the micro-batch */
	bool marks;   /* which marks cut */
	bool stopping, enough;
	int failed;
	struct err *err;
};

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

#endif

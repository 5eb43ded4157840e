/* Live input: a loop that waits for bytes and for the clock.
 *
 * Each stream of a source (a connection, a file) has a decoder and a block of its own, so that records are never mixed. Where only one source can
 * feed the micro-batch, or no stage waits for its end, bytes are decoded as they come; else they are held, in order of the command line, until
 * the micro-batch ends (HELD_MAX of them: then that source is not read on). */
#include <signal.h>
#include <stdlib.h>
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
};

struct lsource {
	struct live *live;
	struct source *src;
	struct intake intake;
	struct stream *streams; /* oldest first */
	size_t held;
	bool started, ended, paused;
	uv_idle_t pull;        /* a finite source: read when nothing else is to do */
	struct stream *pulled;
};

struct live {
	struct job *job;
	uv_loop_t loop;
	uv_timer_t tick;
	uv_signal_t signals[2];
	struct lsource *sources;
	unsigned n, running;
	bool hold;    /* decode only at the end of the micro-batch */
	bool stopping;
	int failed;
	struct err *err;
};

static void stop_source(struct lsource *of)
{
	const struct live_def *live = source_live(of->src);

	if (!of->started || of->ended)
		return;
	if (live)
		live->stop(of->src);
	else
		uv_close((uv_handle_t *)&of->pull, NULL);
	of->ended = !live;
}

static void stop_all(struct live *l)
{
	if (l->stopping)
		return;
	l->stopping = true;
	for (unsigned i = 0; i < l->n; i++)
		stop_source(&l->sources[i]);
	uv_timer_stop(&l->tick);
	uv_close((uv_handle_t *)&l->tick, NULL);
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&l->signals[i], NULL);
}

static void give_up(struct live *l)
{
	l->failed = 1;
	stop_all(l);
}

/* ---- streams ---- */

/* What the decoder can take of the stream's block. 0 go on, 1 stop wanted, -1. */
static int decode(struct stream *s, bool final, struct err *e)
{
	struct job *j = s->in.job;
	struct decode_to to = inputs_decode_to(&s->in);
	size_t used = 0;
	int r = s->n || final ? s->in.decoder->def->decode(s->in.decoder, s->p, s->n, final, &to, &used, e) : 0;

	inputs_count_words(j);
	s->of->held -= s->n;
	s->n = final ? 0 : s->n - used;
	s->of->held += s->n;
	memmove(s->p, s->p + used, s->n);
	return r;
}

static void stream_free(struct stream *s)
{
	struct job *j = s->in.job;

	inputs_retire_words(j, s->in.decoder);
	s->in.decoder->def->close(s->in.decoder);
	free(s->p);
	free(s);
}

static void unlink_stream(struct stream *s)
{
	struct stream **at = &s->of->streams;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
}

/* A client that hung up in the middle of a record: the rest is no record. */
static int drop_rest(struct stream *s, struct err *e)
{
	if (!s->n)
		return 0;
	s->in.job->n_bad_input++;
	return job_bad_row(s->in.job, s->p, s->n, s->in.decoder->opts.source, s->in.decoder->line, "cut off: the connection broke in it", e);
}

static int end_stream(struct stream *s, struct err *e)
{
	int r = s->drop ? (decode(s, false, e) < 0 ? -1 : drop_rest(s, e)) : decode(s, true, e);

	s->of->held -= s->n;
	unlink_stream(s);
	stream_free(s);
	return r;
}

static void verdict_of(struct live *l, int r)
{
	if (r < 0)
		give_up(l);
	else if (r || job_all_closed(l->job))
		stop_all(l);
}

static void *on_open(void *ctx, const char *name, struct err *e)
{
	struct lsource *of = ctx;
	struct job *j = of->live->job;
	struct stream *s = xcalloc(1, sizeof *s), **at = &of->streams;

	s->in.job = j;
	s->of = of;
	s->in.number = (unsigned)(of - of->live->sources);
	s->in.decoder = j->reads[s->in.number].codec->open(j->reads[s->in.number].decode, e);
	if (!s->in.decoder) {
		free(s);
		return NULL;
	}
	s->in.decoder->def = j->reads[s->in.number].codec;
	s->in.decoder->def->restart(s->in.decoder, arena_str(&j->arena, name, strlen(name)));
	while (*at)
		at = &(*at)->next;
	*at = s;
	if (s->in.decoder->def == &words_codec) {
		j->scanning = xgrow(j->scanning, &j->scanning_cap, j->n_scanning + 1, sizeof *j->scanning);
		j->scanning[j->n_scanning++] = s->in.decoder;
	}
	return s;
}

static char *on_room(void *stream, size_t *n)
{
	struct stream *s = stream;

	if (s->n == s->cap || !s->cap) {
		s->cap = s->cap ? s->cap * 2 : 65536;
		s->p = xrealloc(s->p, s->cap + MEM_SLACK);
	}
	*n = s->cap - s->n;
	return s->p + s->n;
}

static int on_filled(void *stream, size_t n)
{
	struct stream *s = stream;
	struct live *l = s->of->live;
	int r;

	s->n += n;
	s->of->held += n;
	l->job->live_bytes += n;
	if (l->stopping)
		return 1;
	if (l->hold) {
		s->of->paused |= s->of->held >= HELD_MAX;
		return s->of->paused;
	}
	r = decode(s, false, l->err);
	verdict_of(l, r);
	return r < 0 ? -1 : r || l->stopping;
}

static void on_close(void *stream, bool drop)
{
	struct stream *s = stream;
	struct live *l = s->of->live;

	s->closed = true;
	s->drop = drop;
	if (l->hold && !l->stopping)
		return; /* its turn comes at the end of the micro-batch */
	if (l->failed || (l->stopping && job_all_closed(l->job))) {
		s->of->held -= s->n;
		unlink_stream(s);
		stream_free(s);
		return;
	}
	verdict_of(l, end_stream(s, l->err));
}

static void on_end(void *ctx, const struct err *e)
{
	struct lsource *of = ctx;
	struct live *l = of->live;

	of->ended = true;
	if (e) {
		*l->err = *e;
		give_up(l);
		return;
	}
	if (!--l->running)
		stop_all(l);
}

static void on_note(void *ctx, const char *text)
{
	const struct lsource *of = ctx;
	const struct job *j = of->live->job;

	if (j->opts.on_note)
		j->opts.on_note(j->opts.ctx, text);
}

/* ---- the clock ---- */

/* Held bytes, source by source. */
static int decode_held(struct live *l, struct err *e)
{
	for (unsigned i = 0; i < l->n; i++) {
		for (struct stream *s = l->sources[i].streams, *next; s; s = next) {
			int r;

			next = s->next;
			r = s->closed ? end_stream(s, e) : decode(s, false, e);
			if (r)
				return r;
		}
	}
	return 0;
}

static void resume_paused(struct live *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		struct lsource *of = &l->sources[i];

		if (!of->paused || of->ended || l->stopping)
			continue;
		of->paused = false;
		if (source_live(of->src))
			source_live(of->src)->resume(of->src);
	}
}

static void arm(struct live *l);

static void on_tick(uv_timer_t *t)
{
	struct live *l = t->data;
	struct job *j = l->job;
	int64_t now = clock_now(&j->clock);
	int r = 0;

	if (now >= j->cut_end) {
		r = l->hold ? decode_held(l, l->err) : 0;
		if (!r && (j->batch_records || job_holds(j)))
			r = job_end_batch(j, j->cut_end, false, l->err);
		j->cut_end = clock_interval_end(now, j->opts.cut.every_ns);
		job_set_now(j, j->cut_end);
	}
	verdict_of(l, r);
	resume_paused(l);
	if (!l->stopping)
		arm(l);
}

static void arm(struct live *l)
{
	int64_t wait = l->job->cut_end - clock_now(&l->job->clock);

	uv_update_time(&l->loop);
	uv_timer_start(&l->tick, on_tick, wait > 0 ? (uint64_t)((wait + 999999) / 1000000) : 0, 0);
}

static void on_signal(uv_signal_t *h, int sig)
{
	struct live *l = h->data;

	l->job->opts.on_signal(sig);
	stop_all(l);
}

/* ---- the run ---- */

/* A finite source, a piece at a time. */
static void on_pull(uv_idle_t *h)
{
	struct lsource *of = h->data;
	struct stream *s = of->pulled;
	struct live *l = of->live;
	size_t room;
	char *p;
	ssize_t r;

	if (of->paused)
		return;
	p = on_room(s, &room);
	r = source_read(of->src, p, room, l->err);
	if (r > 0) {
		of->paused = on_filled(s, (size_t)r) == 1;
		return;
	}
	uv_close((uv_handle_t *)h, NULL);
	of->ended = true;
	if (r < 0) {
		give_up(l);
		return;
	}
	on_close(s, false);
	if (!--l->running)
		stop_all(l);
}

static int start_pull(struct lsource *of, struct err *e)
{
	of->pulled = on_open(of, source_name(of->src), e);
	if (!of->pulled)
		return -1;
	uv_idle_init(&of->live->loop, &of->pull);
	of->pull.data = of;
	uv_idle_start(&of->pull, on_pull);
	return 0;
}

static int64_t clock_of(void *job)
{
	return clock_now(&((struct job *)job)->clock);
}

static int start_source(struct lsource *of, struct err *e)
{
	const struct live_def *live = source_live(of->src);

	of->started = true;
	of->src->clock = clock_of;
	of->src->clock_ctx = of->live->job;
	return live ? live->start(of->src, &of->live->loop, &of->intake, e) : start_pull(of, e);
}

static int start_all(struct live *l, struct err *e)
{
	for (unsigned i = 0; i < l->n; i++) {
		l->running++;
		if (start_source(&l->sources[i], e))
			return -1;
	}
	return 0;
}

static void open_loop(struct live *l)
{
	static const int sigs[2] = { SIGINT, SIGTERM };

	uv_loop_init(&l->loop);
	uv_timer_init(&l->loop, &l->tick);
	l->tick.data = l;
	for (int i = 0; i < 2; i++) {
		uv_signal_init(&l->loop, &l->signals[i]);
		l->signals[i].data = l;
		uv_signal_start(&l->signals[i], on_signal, sigs[i]);
		uv_unref((uv_handle_t *)&l->signals[i]);
	}
}

/* Streams that no source closed. */
static int close_left(struct live *l, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < l->n; i++)
		while (l->sources[i].streams) {
			struct stream *s = l->sources[i].streams;

			if (!r && !l->failed && !job_all_closed(l->job)) {
				r = end_stream(s, e);
				continue;
			}
			unlink_stream(s);
			stream_free(s);
		}
	return r < 0 ? -1 : 0;
}

int live_run(struct job *j, struct err *e)
{
	struct live l = { .job = j, .err = e, .n = j->n_live };
	int64_t now = clock_now(&j->clock);
	int r;

	l.sources = xcalloc(l.n, sizeof *l.sources);
	l.hold = l.n > 1 && j->opts.cut.kind == CUT_TIME && j->opts.closes;
	for (unsigned i = 0; i < l.n; i++) {
		l.sources[i] = (struct lsource){ .live = &l, .src = j->live_sources[i] };
		l.sources[i].intake = (struct intake){ on_open, on_room, on_filled, on_close, on_end, on_note, &l.sources[i] };
	}
	open_loop(&l);
	if (j->opts.cut.kind == CUT_TIME) {
		j->timed = true;
		j->cut_end = clock_interval_end(now, j->opts.cut.every_ns);
		j->run->start = j->cut_end - j->opts.cut.every_ns;
		job_set_now(j, j->cut_end);
		arm(&l);
	} else {
		uv_unref((uv_handle_t *)&l.tick);
	}
	if (start_all(&l, e))
		give_up(&l);
	uv_run(&l.loop, UV_RUN_DEFAULT);
	stop_all(&l);
	uv_run(&l.loop, UV_RUN_DEFAULT);
	r = close_left(&l, e);
	uv_loop_close(&l.loop);
	free(l.sources);
	return l.failed || r ? -1 : 0;
}

int live_open(struct job *j, bool *live, struct err *e)
{
	*live = j->opts.endless;
	if (!j->opts.endless && (j->opts.cut.kind != CUT_TIME || j->replay))
		return 0;
	j->live_sources = xcalloc(j->opts.n_sources, sizeof *j->live_sources);
	for (; j->n_live < j->opts.n_sources; j->n_live++) {
		struct source *s = source_open(j->opts.sources[j->n_live], e);

		if (!s)
			return -1;
		j->live_sources[j->n_live] = s;
		*live |= source_is_live(s);
	}
	if (!*live)
		live_close(j);
	return 0;
}

void live_close(struct job *j)
{
	for (unsigned i = 0; i < j->n_live; i++)
		source_close(j->live_sources[i]);
	free(j->live_sources);
	free(j->scanning);
	j->live_sources = NULL;
	j->scanning = NULL;
	j->n_live = 0;
}

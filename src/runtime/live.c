/* Live input: a loop that waits for bytes and for the clock.
 *
 * Each stream of a source (a connection, a file) has a decoder and a block of its own, so that records are never mixed. Where only one source can
 * feed the micro-batch, or no stage waits for its end, bytes are decoded as they come; else they are held, in order of the command line, until
 * the micro-batch ends (HELD_MAX of them: then that source is not read on). */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/ckpt_impl.h"
#include "runtime/live_impl.h"

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
	uv_close((uv_handle_t *)&l->tick, NULL);
	uv_close((uv_handle_t *)&l->look, NULL);
	uv_close((uv_handle_t *)&l->settle, NULL);
	if (l->job->opts.wake_fd)
		uv_close((uv_handle_t *)&l->wake, NULL);
}

static void give_up(struct live *l)
{
	l->failed = 1;
	stop_all(l);
}

/* ---- streams ---- */

int stream_decode(struct stream *s, size_t n, bool final, struct err *e)
{
	struct job *j = s->in.job;
	struct decode_to to = inputs_decode_to(&s->in);
	enum phase phase = job_phase(j, PHASE_READ);
	size_t used = 0;
	int r;

	if (s->in.place)
		ckpt_decoding(&s->in, s->p, n);
	r = n || final ? s->in.decoder->def->decode(s->in.decoder, s->p, n, final, &to, &used, e) : 0;
	inputs_count_words(j);
	meter_share(j, s->in.number, 0);
	used = final ? n : used;
	if (s->in.place && !r)
		ckpt_decoded(&s->in, s->p, used);
	s->n -= used;
	s->of->held -= used;
	s->scanned = s->scanned > used ? s->scanned - used : 0;
	if (used)
		memmove(s->p, s->p + used, s->n);
	job_phase(j, phase);
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
	if (s->in.place)
		s->in.place->dirty = s->in.place->moved = true;
	return job_bad_row(s->in.job, s->p, s->n, s->in.decoder->opts.source, s->in.decoder->line, "cut off: the connection broke in it", e);
}

int stream_end(struct stream *s, struct err *e)
{
	int r = stream_decode(s, s->n, !s->drop, e);

	if (s->drop && !s->leaves && r >= 0)
		r = drop_rest(s, e);
	stream_drop(s);
	return r;
}

void stream_drop(struct stream *s)
{
	if (s->in.place)
		ckpt_stream_over(s);
	s->of->held -= s->n;
	unlink_stream(s);
	stream_free(s);
}

void live_verdict(struct live *l, int r)
{
	l->enough |= r > 0 || job_all_closed(l->job);
	if (r < 0)
		give_up(l);
	else if (l->enough)
		stop_all(l);
}

struct stream *stream_new(struct lsource *of, const char *name, struct err *e)
{
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

static void *open_stream(struct lsource *of, const char *name, int fd, int64_t offset, struct err *e)
{
	struct stream *s = stream_new(of, name, e);

	if (!s || !s->in.job->opts.checkpoint || !ckpt_stream_begins(s, name, fd, offset, e))
		return s;
	stream_drop(s);
	return NULL;
}

static void *on_open(void *ctx, const char *name, struct err *e) { return open_stream(ctx, name, -1, 0, e); }

static void *on_open_file(void *ctx, const char *name, int fd, int64_t offset, struct err *e) { return open_stream(ctx, name, fd, offset, e); }

/* CUT_BLOCKS, of live input that is read once. */
static int cut_by_size(struct live *l)
{
	struct job *j = l->job;

	if (j->opts.cut.kind != CUT_BLOCKS || !j->batch_records || l->playing || inputs_bytes(j) - j->cut_bytes < MICRO_BATCH_BYTES)
		return 0;
	return job_end_batch(j, clock_now(&j->clock), false, l->err);
}

char *stream_room(struct stream *s, size_t n)
{
	while (s->cap - s->n < n) {
		s->cap = s->cap ? s->cap * 2 : 65536;
		s->p = xrealloc(s->p, s->cap + MEM_SLACK);
	}
	return s->p + s->n;
}

static char *on_room(void *stream, size_t *n)
{
	struct stream *s = stream;
	char *p = stream_room(s, 1);

	*n = s->cap - s->n;
	return p;
}

int stream_filled(struct stream *s, size_t n)
{
	struct live *l = s->of->live;
	int r;

	s->n += n;
	s->of->held += n;
	l->job->live_bytes += n;
	meter_share(l->job, s->in.number, n);
	if (s->in.place && ckpt_stream_came(s, n, l->err)) {
		live_verdict(l, -1);
		return -1;
	}
	if (l->stopping)
		return 1;
	if (l->marks)
		return live_marks_came(s);
	if (l->hold) {
		s->of->paused |= s->of->held >= HELD_MAX;
		return s->of->paused;
	}
	r = stream_decode(s, s->n, false, l->err);
	if (!r)
		r = cut_by_size(l);
	live_verdict(l, r);
	return r < 0 ? -1 : r || l->stopping;
}

static int on_filled(void *stream, size_t n) { return stream_filled(stream, n); }

/* Is what is left to be decoded? A checkpoint keeps what nobody wants for the next run. */
static bool wants_more(const struct live *l)
{
	return !l->failed && !job_all_closed(l->job) && !(l->enough && l->job->opts.checkpoint);
}

void stream_closed(struct stream *s, bool drop)
{
	struct live *l = s->of->live;

	s->closed = true;
	s->drop = drop;
	if (s->in.place && ckpt_stream_ends(s, l->err)) {
		live_verdict(l, -1);
		return;
	}
	if (l->marks && !l->stopping)
		live_marks_came(s);
	if (l->marks || (l->hold && (!l->stopping || s->in.place)))
		return; /* its turn comes at the end of the micro-batch */
	if (l->stopping && !wants_more(l)) {
		stream_drop(s);
		return;
	}
	live_verdict(l, stream_end(s, l->err));
}

static void on_close(void *stream, bool drop) { stream_closed(stream, drop); }

static void source_over(struct lsource *of);

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
	source_over(of);
}

static void *on_find(void *ctx, const char *begins, const char **name)
{
	struct lsource *of = ctx;

	for (struct stream *s = of->streams; s; s = s->next)
		if (s->in.place && !s->closed && !strncmp(s->in.decoder->opts.source, begins, strlen(begins))) {
			*name = s->in.decoder->opts.source;
			return s;
		}
	return NULL;
}

static uint64_t on_have(void *stream) { return ckpt_stream_has(stream, false); }

static uint64_t on_committed(void *stream) { return ckpt_stream_has(stream, true); }

static void on_note(void *ctx, const char *text)
{
	const struct lsource *of = ctx;
	const struct job *j = of->live->job;

	if (j->opts.on_note)
		j->opts.on_note(j->opts.ctx, text);
}

/* ---- the clock ---- */

/* Held bytes, source by source. */
int live_decode_held(struct live *l, struct err *e)
{
	for (unsigned i = 0; i < l->n; i++) {
		for (struct stream *s = l->sources[i].streams, *next; s; s = next) {
			int r;

			next = s->next;
			r = s->closed ? stream_end(s, e) : stream_decode(s, s->n, false, e);
			if (r)
				return r;
		}
	}
	return 0;
}

/* A finite source, a piece at a time. */
static void on_pull(uv_idle_t *h);

void source_resume(struct lsource *of)
{
	if (!of->paused || !of->started || of->ended || of->live->stopping)
		return;
	of->paused = false;
	if (source_live(of->src))
		source_live(of->src)->resume(of->src);
	else
		uv_idle_start(&of->pull, on_pull);
}

static void arm(struct live *l);

/* The interval at hand is over. What came while others were running is of it too, so that no more than one micro-batch ever waits. */
static int end_intervals(struct live *l, int64_t now, struct err *e)
{
	int r = l->hold ? live_decode_held(l, e) : 0;

	return r ? r : job_end_intervals(l->job, now, e);
}

static void on_tick(uv_timer_t *t)
{
	struct live *l = t->data;
	int64_t now = clock_now(&l->job->clock);

	if (now >= l->job->cut_end)
		live_verdict(l, end_intervals(l, now, l->err));
	for (unsigned i = 0; i < l->n; i++)
		source_resume(&l->sources[i]);
	if (!l->stopping)
		arm(l);
}

static void arm(struct live *l)
{
	int64_t wait = l->job->cut_end - clock_now(&l->job->clock);

	uv_update_time(&l->loop);
	uv_timer_start(&l->tick, on_tick, wait > 0 ? (uint64_t)((wait + 999999) / 1000000) : 0, 0);
}

/* A signal has come. */
static void on_wake(uv_poll_t *h, int status, int events)
{
	struct live *l = h->data;

	(void)status, (void)events;
	job_woken(l->job);
	if (job_stopped(l->job))
		stop_all(l);
	else
		job_look(l->job);
}

static void on_look(uv_timer_t *t)
{
	struct live *l = t->data;
	int wait;

	job_look(l->job);
	wait = job_waits(l->job);
	if (wait >= 0)
		uv_timer_start(t, on_look, (uint64_t)wait, 0);
}

/* ---- the run ---- */

static void on_pull(uv_idle_t *h)
{
	struct lsource *of = h->data;
	struct stream *s = of->pulled;
	struct live *l = of->live;
	size_t room;
	char *p;
	ssize_t r;

	p = on_room(s, &room);
	r = source_read(of->src, p, room, l->err);
	if (r > 0) {
		of->paused = on_filled(s, (size_t)r) == 1;
		if (of->paused && !l->stopping)
			uv_idle_stop(h);
		return;
	}
	uv_close((uv_handle_t *)h, NULL);
	of->ended = true;
	if (r < 0) {
		give_up(l);
		return;
	}
	on_close(s, false);
	source_over(of);
}

/* A file may be given in mid-file, as standard input. */
static int64_t pulled_offset(const struct source *s)
{
	int fd = fd_source_file(s);
	off_t at = fd >= 0 ? lseek(fd, 0, SEEK_CUR) : 0;

	return at > 0 ? at : 0;
}

static int start_pull(struct lsource *of, struct err *e)
{
	if (!of->pulled)
		of->pulled = open_stream(of, source_name(of->src), fd_source_file(of->src), pulled_offset(of->src), e);
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
	of->src->once = of->live->job->opts.once;
	if (of->live->job->opts.checkpoint && ckpt_live_source(of, e))
		return -1;
	return live ? live->start(of->src, &of->live->loop, &of->intake, e) : start_pull(of, e);
}

static int start_next(struct live *l, struct err *e)
{
	unsigned i = l->started;

	if (i == l->n)
		return 0;
	l->started++;
	l->running++;
	return start_source(&l->sources[i], e);
}

/* What has come is taken source by source. */
static int start_all(struct live *l, struct err *e)
{
	do {
		if (start_next(l, e))
			return -1;
	} while (l->started < l->n && (!l->job->opts.once || l->marks));
	return 0;
}

static void source_over(struct lsource *of)
{
	struct live *l = of->live;

	if (l->marks && !l->stopping)
		live_marks_ended(l);
	else if (!l->marks && l->running > 1)
		job_input_ended(l->job, (unsigned)(of - l->sources));
	if (l->job->opts.once && !l->marks && !l->stopping && start_next(l, l->err)) {
		give_up(l);
		return;
	}
	if (!--l->running)
		stop_all(l);
}

/* The loop is about to wait: the last commit goes to the disk, unless more is there already and brings the next cut. */
static void on_settle(uv_prepare_t *h)
{
	struct live *l = h->data;
	struct pollfd f = { .fd = uv_backend_fd(&l->loop), .events = POLLIN };

	if (!l->job->opts.checkpoint->unsynced || !uv_backend_timeout(&l->loop) || poll(&f, 1, 0) > 0)
		return;
	if (ckpt_finish(l->job->opts.checkpoint, l->err))
		give_up(l);
}

static int open_loop(struct live *l, struct err *e)
{
	const struct job_opts *o = &l->job->opts;
	int failed = uv_loop_init(&l->loop);

	if (failed)
		return err_set(e, ERR_IO, "cannot wait for input: %s", strerror(-failed));
	uv_timer_init(&l->loop, &l->tick);
	uv_timer_init(&l->loop, &l->look);
	uv_prepare_init(&l->loop, &l->settle);
	l->tick.data = l->look.data = l->wake.data = l->settle.data = l;
	if (o->checkpoint)
		uv_prepare_start(&l->settle, on_settle);
	uv_unref((uv_handle_t *)&l->settle);
	uv_unref((uv_handle_t *)&l->look);
	if (o->on_look || o->silence_ms)
		uv_timer_start(&l->look, on_look, 0, 0);
	if (!o->wake_fd)
		return 0;
	uv_poll_init(&l->loop, &l->wake, o->wake_fd);
	uv_poll_start(&l->wake, UV_READABLE, on_wake);
	uv_unref((uv_handle_t *)&l->wake);
	return 0;
}

/* Streams that no source closed. */
static int close_left(struct live *l, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < l->n; i++)
		while (l->sources[i].streams) {
			struct stream *s = l->sources[i].streams;

			if (s->in.place && !s->closed && !r)
				r = ckpt_stream_ends(s, e);

			if (!r && wants_more(l)) {
				r = stream_end(s, e);
				continue;
			}
			stream_drop(s);
		}
	return r < 0 ? -1 : 0;
}

/* By request everything ends at once: micro-batches whose marks have come are whole now. */
static void end_marks(struct live *l)
{
	for (unsigned i = 0; i < l->n; i++)
		l->sources[i].ended = true;
	if (l->marks)
		live_marks_ended(l);
}

int live_run(struct job *j, struct err *e)
{
	struct live l = { .job = j, .err = e, .n = j->n_live, .marks = j->opts.cut.kind == CUT_MARK };
	int64_t now = clock_now(&j->clock);
	int r;

	l.sources = xcalloc(l.n, sizeof *l.sources);
	l.hold = l.n > 1 && j->opts.cut.kind == CUT_TIME && (j->opts.closes || j->opts.checkpoint);
	for (unsigned i = 0; i < l.n; i++) {
		l.sources[i] = (struct lsource){ .live = &l, .src = j->live_sources[i] };
		l.sources[i].intake = (struct intake){ on_open, on_room, on_filled, on_close, on_end, on_note, &l.sources[i],
							on_open_file, on_find, on_have, on_committed };
	}
	j->loop = &l;
	if (open_loop(&l, e)) {
		j->loop = NULL;
		free(l.sources);
		return -1;
	}
	if (j->opts.cut.kind == CUT_TIME) {
		j->timed = true;
		j->cut_end = clock_interval_end(now, j->opts.cut.every_ns);
		if (!j->goes_on)
			j->run->start = j->cut_end - j->opts.cut.every_ns;
		if (!ckpt_reruns(j))
			job_stamp(j, now);
		arm(&l);
	} else {
		uv_unref((uv_handle_t *)&l.tick);
	}
	if ((j->opts.checkpoint && ckpt_live_again(&l, e)) || (!l.stopping && start_all(&l, e)))
		give_up(&l);
	uv_run(&l.loop, UV_RUN_DEFAULT);
	stop_all(&l);
	uv_run(&l.loop, UV_RUN_DEFAULT);
	end_marks(&l);
	r = close_left(&l, e);
	if (j->opts.checkpoint)
		ckpt_live_end(&l);
	uv_loop_close(&l.loop);
	j->loop = NULL;
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
		if (s->acks && !j->opts.checkpoint) {
			j->n_live++;
			err_set(e, ERR_USAGE, "%s: tells who sends what a checkpoint keeps, and there is none", j->opts.sources[j->n_live - 1]);
			return err_hint(e, "say where: --checkpoint DIR; or leave out ?ack at both ends");
		}
		*live |= source_is_live(s);
	}
	if (!*live)
		live_close(j);
	return 0;
}

bool live_acks(const struct job *j)
{
	for (unsigned i = 0; j->loop && i < j->loop->n; i++)
		if (j->loop->sources[i].src->acks)
			return true;
	return false;
}

void live_committed(const struct job *j)
{
	for (unsigned i = 0; j->loop && i < j->loop->n; i++) {
		const struct lsource *of = &j->loop->sources[i];

		if (of->src->acks && of->started && !of->ended && !j->loop->stopping)
			source_live(of->src)->committed(of->src);
	}
}

size_t live_memory(const struct job *j)
{
	size_t all = 0;

	for (unsigned i = 0; j->loop && i < j->loop->n; i++)
		for (const struct stream *s = j->loop->sources[i].streams; s; s = s->next)
			all += s->cap;
	return all;
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

/* What is measured of a run and told of it while it lasts: phases, micro-batches, signs of life. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/live.h"
#include "runtime/ckpt_impl.h"

#define NS_MS 1000000

/* ---- phases ---- */

enum phase job_phase(struct job *j, enum phase p)
{
	struct meter *m = &j->meter;
	enum phase before = m->phase;
	int64_t now;

	if (!m->measures || before == p)
		return before;
	now = clock_watch(&j->clock);
	m->ns[before] += now - m->at;
	m->at = now;
	m->phase = p;
	return before;
}

static void delivering(void *ctx, bool begins)
{
	struct job *j = ctx;

	if (!begins) {
		job_phase(j, j->meter.outer);
		job_sign(j);
		return;
	}
	if (j->opts.on_deliver)
		j->opts.on_deliver(j->opts.ctx);
	j->meter.outer = job_phase(j, PHASE_DELIVER);
}

void meter_open(struct job *j)
{
	struct meter *m = &j->meter;

	m->sources = xcalloc(j->opts.n_sources + 1, sizeof *m->sources);
	m->measures = j->opts.on_batch != NULL;
	m->at = m->began = m->last_sign = clock_watch(&j->clock);
	m->told.time = j->run->now;
	if (j->opts.on_batch)
		j->run->events = &m->events;
	if (j->opts.on_batch || j->opts.on_deliver || j->opts.on_silence) {
		j->run->delivering = delivering;
		j->run->delivering_ctx = j;
	}
}

void meter_free(struct job *j)
{
	free(j->meter.sources);
}

/* ---- micro-batches ---- */

static void fill_delay(const struct job *j, struct batch_report *r)
{
	int64_t now;

	r->timed = j->opts.cut.kind == CUT_TIME && !j->clock.manual && !r->last;
	if (!r->timed)
		return;
	now = clock_now(&j->clock);
	r->delay_ns = now > r->time ? now - r->time : 0;
	r->queued = r->delay_ns >= j->opts.cut.every_ns;
}

/* Records that have come to their micro-batch. */
static uint64_t records_in(const struct job *j)
{
	return job_records(j) - j->ahead;
}

int meter_batch_end(struct job *j, bool last, struct err *e)
{
	struct meter *m = &j->meter;
	struct told now = { records_in(j), job_bytes(j), j->n_bad, j->run->now };
	struct batch_report r = { .batch = j->run->batch, .time = now.time, .since = now.time - m->told.time, .last = last,
				  .records = now.records - m->told.records, .bytes = now.bytes - m->told.bytes, .bad = now.bad - m->told.bad,
				  .events = m->events };
	enum phase phase;

	if (!j->opts.on_batch)
		return 0;
	meter_share(j, m->current, 0);
	phase = job_phase(j, PHASE_WAIT);
	r.read_ns = m->ns[PHASE_READ];
	r.run_ns = m->ns[PHASE_RUN];
	r.deliver_ns = m->ns[PHASE_DELIVER];
	fill_delay(j, &r);
	memset(m->ns, 0, sizeof m->ns);
	m->events = (struct event_times){ 0 };
	m->told = now;
	if (j->opts.on_batch(j->opts.ctx, j, &r, e))
		return -1;
	job_phase(j, phase);
	return 0;
}

void meter_share(struct job *j, unsigned source, uint64_t bytes)
{
	uint64_t records = records_in(j);

	j->meter.sources[source].records += records - j->meter.shared;
	j->meter.sources[source].bytes += bytes;
	j->meter.shared = records;
}

/* ---- signs of life ---- */

void job_sign(struct job *j)
{
	if (j->opts.silence_ms)
		j->meter.last_sign = clock_watch(&j->clock);
}

void job_look(struct job *j)
{
	if (j->opts.ask && *j->opts.ask) {
		*j->opts.ask = 0;
		j->opts.on_ask(j->opts.ctx, j);
	}
	if (j->opts.on_look)
		j->opts.on_look(j->opts.ctx, j);
}

int job_waits(struct job *j)
{
	struct meter *m = &j->meter;
	int wait = j->opts.on_look ? (int)j->opts.look_ms : -1;
	int64_t left;

	if (!j->opts.silence_ms || m->silence_told)
		return wait;
	left = j->opts.silence_ms - (clock_watch(&j->clock) - m->last_sign) / NS_MS;
	if (left <= 0) {
		m->silence_told = true;
		j->opts.on_silence(j->opts.ctx, j);
		return wait;
	}
	return wait < 0 || left < wait ? (int)left : wait;
}

void job_woken(const struct job *j)
{
	char drain[8];

	while (j->opts.wake_fd && read(j->opts.wake_fd, drain, sizeof drain) > 0)
		;
}

int job_wait_fd(void *job, int fd)
{
	struct job *j = job;
	struct pollfd f[2] = { { .fd = fd, .events = POLLIN }, { .fd = j->opts.wake_fd, .events = POLLIN } };
	enum phase phase = job_phase(j, PHASE_WAIT);
	struct err failed = { 0 };
	int r, wait = 0;

	do {
		r = poll(f, j->opts.wake_fd ? 2 : 1, wait);
		/* what has failed there fails again at the end, and is told then */
		if (!r && j->opts.checkpoint && ckpt_finish(j->opts.checkpoint, &failed))
			return 1;
		if (r > 0 && f[1].revents)
			job_woken(j);
		if (job_stopped(j))
			return 1;
		if (wait || r < 0 || f[1].revents)
			job_look(j);
		wait = r && f[0].revents ? 0 : job_waits(j);
	} while (r < 0 ? errno == EINTR || errno == EAGAIN : !f[0].revents);
	job_sign(j);
	job_phase(j, phase);
	return 0;
}

/* ---- for those who look ---- */

unsigned job_n_sources(const struct job *j) { return j->opts.no_input ? 0 : j->opts.n_sources; }

void job_source(const struct job *j, unsigned i, struct source_report *out)
{
	const struct source *s = j->live_sources ? j->live_sources[i] : NULL;
	const struct live_def *live = s ? source_live(s) : NULL;
	const char *spec = j->opts.sources[i];

	*out = (struct source_report){ .name = strcmp(spec, "-") ? spec : "stdin", .records = j->meter.sources[i].records,
				       .bytes = j->meter.sources[i].bytes };
	if (live && live->status)
		live->status(s, out->status, sizeof out->status);
}

int64_t job_size(const struct job *j)
{
	int64_t all = 0;

	if (j->live_sources || !j->n_inputs)
		return -1;
	for (unsigned i = 0; i < j->n_inputs; i++) {
		int64_t size = blocks_size(j->inputs[i].blocks);

		if (size < 0)
			return -1;
		all += size;
	}
	return all;
}

size_t job_memory(const struct job *j)
{
	size_t all = live_memory(j);

	for (unsigned i = 0; i < j->n_inputs; i++)
		all += j->inputs[i].blocks ? blocks_held(j->inputs[i].blocks) : 0;
	for (uint32_t i = 0; i < j->graph.n; i++)
		all += op_memory(j->graph.ops[i]);
	return all;
}

int64_t job_watermark(const struct job *j)
{
	int64_t largest = WATERMARK_NONE;

	for (uint32_t i = 0; i < j->graph.n; i++)
		if (j->graph.ops[i]->passes > largest)
			largest = j->graph.ops[i]->passes;
	return largest;
}

int64_t job_delay(const struct job *j)
{
	int64_t late = j->timed && !j->clock.manual ? clock_now(&j->clock) - j->cut_end : 0;

	return late > 0 ? late : 0;
}

uint64_t job_batch(const struct job *j) { return j->run->batch; }
int64_t job_now(const struct job *j) { return clock_now(&j->clock); }
int64_t job_elapsed(const struct job *j) { return clock_watch(&j->clock) - j->meter.began; }
bool job_until_end(const struct job *j) { return (j->opts.cut.kind == CUT_EOF || j->run->to_end) && j->opts.closes; }

/* Where a job's records come from: sources that are read to their end. */
#include <stdlib.h>

#include "runtime/ckpt_impl.h"

/* ---- decoders ---- */

static void add_words(struct job *j, const struct decoder *d)
{
	j->words.lines += words_lines(d);
	j->words.empty += words_empty(d);
}

/* The scanner's counts are sums over decoders. */
void inputs_count_words(struct job *j)
{
	if (j->reads[0].codec != &words_codec)
		return;
	j->words = j->retired;
	for (unsigned i = 0; i < j->n_inputs; i++)
		add_words(j, j->inputs[i].decoder);
	for (size_t i = 0; i < j->n_scanning; i++)
		add_words(j, j->scanning[i]);
}

void inputs_retire_words(struct job *j, struct decoder *d)
{
	for (size_t i = 0; i < j->n_scanning; i++) {
		if (j->scanning[i] != d)
			continue;
		j->retired.lines += words_lines(d);
		j->retired.empty += words_empty(d);
		j->scanning[i] = j->scanning[--j->n_scanning];
		return;
	}
}

static int on_batch(void *ctx, struct batch *b, struct err *e)
{
	struct input *in = ctx;

	in->job->meter.current = in->number + (in->blocks ? blocks_spec(in->blocks) : 0);
	inputs_count_words(in->job);
	b->input = in->job->meter.current;
	return job_take(in->job, in, b, e);
}

static int on_bad(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e)
{
	struct input *in = ctx;

	if (in->job->opts.checkpoint && ckpt_skip_bad(in))
		return 0;
	in->job->n_bad_input++;
	return job_bad_row(in->job, raw, n, in->decoder->opts.source, line, reason, e);
}

static void on_note(void *ctx, const char *text)
{
	const struct job *j = ((const struct input *)ctx)->job;

	if (j->opts.on_note)
		j->opts.on_note(j->opts.ctx, text);
}

struct decode_to inputs_decode_to(struct input *in)
{
	return (struct decode_to){ .emit = on_batch, .bad = on_bad, .note = on_note, .ctx = in };
}

/* ---- opening ---- */

static int open_input(struct job *j, struct input *in, const char *const *specs, unsigned n, struct err *e)
{
	in->job = j;
	in->number = (unsigned)(specs - j->opts.sources);
	in->decoder = j->reads[in->number].codec->open(j->reads[in->number].decode, e);
	if (!in->decoder)
		return -1;
	in->decoder->def = j->reads[in->number].codec;
	in->blocks = blocks_new(specs, n, in->decoder);
	blocks_on_wait(in->blocks, job_wait_fd, j);
	if (j->opts.checkpoint)
		ckpt_read(j, in);
	return 0;
}

/* Sources from the first one on that are read as one input. With marks each is an input of its own, since their stretches go in step. */
static unsigned group_size(const struct job *j, unsigned first)
{
	unsigned n = 1;

	while (j->opts.cut.kind != CUT_MARK && first + n < j->opts.n_sources && j->reads[first + n].group == j->reads[first].group)
		n++;
	return n;
}

int inputs_open(struct job *j, struct err *e)
{
	j->inputs = xcalloc(j->opts.n_sources, sizeof *j->inputs);
	for (unsigned i = 0, n; i < j->opts.n_sources; i += n) {
		struct input *in = &j->inputs[j->n_inputs++];

		n = group_size(j, i);
		if (open_input(j, in, j->opts.sources + i, n, e))
			return -1;
	}
	for (unsigned i = 1; i < j->opts.n_sources && j->opts.cut.kind != CUT_MARK; i++)
		j->run->inputs[i] = INPUT_UNOPENED;
	return 0;
}

void inputs_free(struct job *j)
{
	for (unsigned i = 0; i < j->n_inputs; i++) {
		blocks_free(j->inputs[i].blocks);
		if (j->inputs[i].decoder)
			j->inputs[i].decoder->def->close(j->inputs[i].decoder);
	}
	free(j->inputs);
}

uint64_t inputs_bytes(const struct job *j)
{
	uint64_t n = j->live_bytes;

	for (unsigned i = 0; i < j->n_inputs; i++)
		n += j->inputs[i].blocks ? blocks_bytes(j->inputs[i].blocks) : 0;
	return n;
}

const struct schema *inputs_header(const struct job *j)
{
	const struct decoder *d = j->n_inputs ? j->inputs[0].decoder : NULL;

	return d && d->def->columns ? d->def->columns(d) : NULL;
}

/* ---- reading ---- */

/* Silence of a pipe that ends a micro-batch which some stage waits for; else it ends as soon as there is nothing more to read. */
#define SILENCE_MS 1000

/* Does a micro-batch end after this block? */
static bool cut_now(const struct job *j, const struct input *in)
{
	if (j->opts.cut.kind != CUT_BLOCKS || !j->batch_records)
		return false;
	return inputs_bytes(j) - j->cut_bytes >= MICRO_BATCH_BYTES || !blocks_ready(in->blocks, j->opts.closes ? SILENCE_MS : 0);
}

/* CUT_TIME by the clock: the intervals that have passed. A micro-batch that is run again ends where it ended. */
static int cut_by_clock(struct job *j, struct err *e)
{
	int64_t now;

	if (!job_cuts_by_clock(j) || ckpt_reruns(j))
		return 0;
	now = clock_now(&j->clock);
	if (!j->timed)
		job_begin_interval(j, now);
	return now < j->cut_end ? 0 : job_end_intervals(j, now, e);
}

static int step(struct input *in, struct err *e)
{
	struct job *j = in->job;
	struct decode_to to = inputs_decode_to(in);
	enum phase phase = job_phase(j, PHASE_READ);
	uint64_t before = blocks_bytes(in->blocks);
	int r = blocks_step(in->blocks, &to, e);

	inputs_count_words(j);
	meter_share(j, in->number + blocks_spec(in->blocks), blocks_bytes(in->blocks) - before);
	job_phase(j, phase);
	job_look(j);
	return r;
}

/* One input to its end. 1 to go on with the next one, 0 when no more is wanted. */
static int run_input(struct job *j, struct input *in, struct err *e)
{
	int r;

	do {
		if (cut_by_clock(j, e))
			return -1;
		r = step(in, e);
		if (r == 1 && cut_now(j, in) && job_end_batch(j, clock_now(&j->clock), false, e))
			return -1;
	} while ((r == 1 || r == BLOCKS_PAUSED) && !job_all_closed(j) && !job_stopped(j));
	if (r < 0)
		return -1;
	in->ended = true;
	return !job_all_closed(j) && !job_stopped(j);
}

static int run_in_order(struct job *j, struct err *e)
{
	int r = 1;

	for (unsigned i = 0; i < j->n_inputs && r == 1; i++)
		if (!j->inputs[i].ended)
			r = run_input(j, &j->inputs[i], e);
	return r < 0 ? -1 : 0;
}

/* A stream that the run before left read to its end is passed over: the stretch is of the one behind it. */
static int seek_mark(struct input *in, struct mark *m, struct err *e)
{
	struct decode_to to = inputs_decode_to(in);
	int r = blocks_seek_mark(in->blocks, m, e);

	while (r == BLOCKS_END && blocks_at_end(in->blocks)) {
		r = blocks_take(in->blocks, &to, e);
		if (r == 1)
			r = blocks_seek_mark(in->blocks, m, e);
	}
	return r;
}

/* Marks are found first, so that the clock is right for the records. *marked: some stretch ends in one; *paused: no input goes on just now. */
static int seek_stretches(struct job *j, bool *marked, bool *paused, struct err *e)
{
	for (unsigned i = 0; i < j->n_inputs; i++) {
		struct mark m = { 0 };
		uint64_t before = blocks_bytes(j->inputs[i].blocks);
		int r = j->inputs[i].ended ? 0 : seek_mark(&j->inputs[i], &m, e);

		if (r < 0)
			return -1;
		*paused &= r == BLOCKS_PAUSED || j->inputs[i].ended;
		meter_share(j, i, blocks_bytes(j->inputs[i].blocks) - before);
		if (r == BLOCKS_MARK)
			job_mark(j, i, &m);
		*marked |= r == BLOCKS_MARK;
	}
	return 0;
}

/* The next stretch of every input, decoded in order. *more: some input had one. */
static int take_stretches(struct job *j, bool *more, bool *marked, bool *paused, struct err *e)
{
	*more = *marked = false;
	*paused = true;
	if (seek_stretches(j, marked, paused, e))
		return -1;
	for (unsigned i = 0; i < j->n_inputs; i++) {
		struct input *in = &j->inputs[i];
		struct decode_to to = inputs_decode_to(in);
		int r;

		if (in->ended)
			continue;
		*more = true;
		r = blocks_take(in->blocks, &to, e);
		inputs_count_words(j);
		if (r < 0)
			return -1;
		meter_share(j, i, 0);
		in->ended = r == 0 || r == 2;
		if (in->ended)
			job_input_ended(j, i);
	}
	return 0;
}

static int run_by_marks(struct job *j, struct err *e)
{
	bool more, marked, paused;

	do {
		enum phase phase = job_phase(j, PHASE_READ);
		int failed = take_stretches(j, &more, &marked, &paused, e);

		job_phase(j, phase);
		job_look(j);
		if (failed || ((marked || (paused && ckpt_reruns(j))) && job_end_marked(j, e)))
			return -1;
	} while (more && !job_all_closed(j) && !job_stopped(j));
	return 0;
}

/* A micro-batch that was cut before is read again, up to where it ended. */
static int run_again(struct job *j, struct err *e)
{
	for (unsigned i = 0; i < j->n_inputs && ckpt_reruns(j); i++) {
		struct input *in = &j->inputs[i];
		int r = ckpt_reaches(in) ? 1 : BLOCKS_PAUSED;

		while (r == 1 && ckpt_reruns(j))
			r = step(in, e);
		if (r < 0)
			return -1;
		in->ended = r == 0 || r == 2;
	}
	return ckpt_reruns(j) ? ckpt_end_rerun(j, e) : 0;
}

int inputs_run(struct job *j, struct err *e)
{
	if (ckpt_reruns(j) && j->opts.cut.kind != CUT_MARK && run_again(j, e))
		return -1;
	return j->opts.cut.kind == CUT_MARK ? run_by_marks(j, e) : run_in_order(j, e);
}

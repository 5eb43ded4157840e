#include "op/event_time.h"
#include "runtime/ckpt_impl.h"
#include "runtime/late.h"

#include <stdlib.h>

/* ---- bad records ---- */

static int keep_bad(struct job *j, const char *source, uint64_t line, const char *reason, const char *raw, size_t n, struct err *e)
{
	static const char *const names[4] = { "source", "line", "reason", "raw" };
	static const uint32_t lens[4] = { 6, 4, 6, 3 };
	struct arena a = { 0 };
	struct value v[4] = { v_str(source ? source : "", source ? strlen(source) : 0), line ? v_int((int64_t)line) : v_null(),
			      v_str(reason, strlen(reason)), v_str(raw, n) };
	struct column cols[4];
	struct batch b = { .schema = schema_intern(names, lens, 4), .cols = cols, .n_rows = 1, .n_sel = 1, .arena = &a };
	int r;

	for (int i = 0; i < 4; i++)
		cols[i] = column_const(&a, &v[i]);
	r = op_process(j->bad_sink, 0, &b, e);
	arena_release(&a);
	return r < 0 ? -1 : 0;
}

int job_bad_row(void *job, const char *raw, size_t n, const char *source, uint64_t line, const char *reason, struct err *e)
{
	struct job *j = job;

	j->n_bad++;
	if (j->opts.on_bad && !j->opts.strict)
		j->opts.on_bad(j->opts.ctx, source, line, reason, raw, n);
	if (j->bad_sink && keep_bad(j, source, line, reason, raw, n, e))
		return -1;
	if (!j->opts.strict)
		return 0;
	err_set(e, ERR_DATA, "%s:%llu: bad record: %s", source ? source : "-", (unsigned long long)line, reason);
	return err_hint(e, "without --strict it would be left out and counted");
}

static int open_bad_sink(struct job *j, struct err *e)
{
	struct sink_spec s = { .codec = codec_find("tsv"), .aside = true };

	if (!j->opts.bad_file)
		return 0;
	s.sink_take = sink_open(j->opts.bad_file, e);
	if (!s.sink_take)
		return -1;
	if (j->opts.checkpoint ? checkpoint_sink(j->opts.checkpoint, s.sink_take, e) : sink_alone(s.sink_take, e)) {
		sink_abandon(s.sink_take);
		return -1;
	}
	s.opts.no_header = !sink_empty(s.sink_take);
	j->bad_sink = op_sink(j->run, 0, "--bad", &s, e);
	return j->bad_sink ? 0 : -1;
}

static int open_late_sink(struct job *j, struct err *e)
{
	if (j->opts.late_file)
		j->late_sink = late_open(j->run, j->opts.late_file, j->opts.checkpoint, e);
	return j->opts.late_file && !j->late_sink ? -1 : 0;
}

/* What was set aside in this micro-batch can be read. */
static int write_aside(struct job *j, struct err *e)
{
	if (j->bad_sink && op_batch_end(j->bad_sink, e) < 0)
		return -1;
	return j->late_sink && op_batch_end(j->late_sink, e) < 0 ? -1 : 0;
}

static int finish_aside(struct job *j, struct err *e)
{
	if (write_aside(j, e) || (j->bad_sink && j->bad_sink->cls->finish(j->bad_sink, e)))
		return -1;
	return j->late_sink ? j->late_sink->cls->finish(j->late_sink, e) : 0;
}

/* ---- micro-batches ---- */

bool job_all_closed(const struct job *j)
{
	bool closed = false;

	for (uint32_t i = 0; i < j->graph.n; i++) {
		const struct op *op = j->graph.ops[i];

		if (!op_is_sink(op))
			continue;
		if (!op_sink_closed(op))
			return false;
		closed = true;
	}
	return closed;
}

bool job_stopped(const struct job *j)
{
	return j->opts.stop && *j->opts.stop;
}

bool job_is_open(const struct job *j)
{
	for (uint32_t i = 0; i < j->graph.n; i++) {
		const struct op *op = j->graph.ops[i];

		if ((op->whole && j->run->to_end) || (op->cls->holds && op->cls->holds(op)))
			return true;
	}
	return false;
}

bool job_holds(const struct job *j)
{
	for (uint32_t i = 0; i < j->graph.n; i++)
		if (j->graph.ops[i]->cls->answers_empty && j->graph.ops[i]->cls->answers_empty(j->graph.ops[i]))
			return true;
	return job_is_open(j);
}

void job_set_now(struct job *j, int64_t now)
{
	j->run->now = now;
	j->run->special[SP_TIME] = v_time(now);
	j->run->special[SP_BATCH] = v_int((int64_t)j->run->batch);
}

/* With a checkpoint: cut, delivery, commit. */
static int keep_batch(struct job *j, struct err *e)
{
	return write_aside(j, e) || ckpt_end_batch(j, e) < 0 ? -1 : 0;
}

int job_end_batch(struct job *j, int64_t now, bool last, struct err *e)
{
	enum phase phase;

	if (job_ready(j, e))
		return -1;
	phase = job_phase(j, PHASE_RUN);
	j->seen_now = j->run->now;
	job_set_now(j, now);
	j->run->last = last && (j->run->ends || !j->opts.checkpoint);
	j->run->over &= !j->batch_records;
	if (graph_batch_end(&j->graph, e) || (j->opts.checkpoint && keep_batch(j, e)) || meter_batch_end(j, last, e) || write_aside(j, e))
		return -1;
	job_phase(j, phase);
	j->run->over |= j->run->last && j->run->ends;
	j->batch_records = 0;
	j->cut_bytes = inputs_bytes(j);
	j->n_batches++;
	j->run->batch++;
	job_set_now(j, now);
	return 0;
}

bool job_cuts_by_clock(const struct job *j) { return j->opts.cut.kind == CUT_TIME && !j->replay; }

void job_stamp(struct job *j, int64_t now)
{
	bool may_end_early = j->opts.once && j->opts.checkpoint && job_cuts_by_clock(j);

	if (may_end_early) /* in the interval: its end is not, its beginning is another one's */
		job_set_now(j, now > j->cut_end - j->opts.cut.every_ns ? now : j->cut_end - j->opts.cut.every_ns + 1);
	else
		job_set_now(j, j->cut_end);
}

void job_begin_interval(struct job *j, int64_t now)
{
	j->timed = true;
	j->cut_end = clock_interval_end(now, j->opts.cut.every_ns);
	if (!j->goes_on)
		j->run->start = j->cut_end - j->opts.cut.every_ns;
	job_stamp(j, now);
}

int job_catch_up(struct job *j, struct err *e)
{
	int64_t now = clock_now(&j->clock), seen = j->run->now, at, end = INT64_MIN;

	if (!j->goes_on || !job_cuts_by_clock(j))
		return 0;
	while ((at = graph_wakes(&j->graph, true)) <= now) {
		int64_t next = clock_interval_end(at - 1, j->opts.cut.every_ns);

		if (next > now || next <= end)
			break;
		end = next;
		if (job_end_batch(j, end, false, e))
			return -1;
	}
	job_set_now(j, seen);
	return 0;
}

int job_ready(struct job *j, struct err *e)
{
	if (j->ready || !j->opts.checkpoint)
		return 0;
	if (ckpt_restore(j->opts.checkpoint, e))
		return -1;
	j->ready = true;
	return ckpt_reruns(j) ? 0 : job_catch_up(j, e);
}

int job_end_intervals(struct job *j, int64_t now, struct err *e)
{
	int r = job_ready(j, e);

	while (!r && now >= j->cut_end) {
		if (j->batch_records || job_holds(j))
			r = job_end_batch(j, j->cut_end, false, e);
		j->cut_end = job_is_open(j) ? j->cut_end + j->opts.cut.every_ns : clock_interval_end(now, j->opts.cut.every_ns);
		job_stamp(j, now);
	}
	return r;
}

/* Where several sources are read side by side, one that nobody wants more of stops no other. */
static bool had_enough(struct job *j, const struct op *entry)
{
	unsigned n = 0;

	for (unsigned i = 0; i < j->opts.n_sources; i++) {
		j->enough[i] |= j->graph.entries[i] == entry;
		n += j->enough[i];
	}
	return n == j->opts.n_sources;
}

/* With a replay field, where it does not cut: while records come it is the time of the micro-batch's first one, however many are taken at once; its end is
 * at that of the last. */
static void move_clock(struct job *j, const struct batch *b)
{
	struct column c = expr_eval(j->replay, &j->replay_eval, b, b->sel, b->n_sel);
	bool begins = !j->batch_records && !ckpt_reruns(j);

	BATCH_EACH(b->sel, b->n_sel, i)
	{
		struct value v = column_get(&c, i);
		int64_t t;

		if (value_is_time(&v, j->run->env, &t))
			clock_set(&j->clock, t);
		else
			j->n_no_time++;
		if (begins)
			job_set_now(j, clock_now(&j->clock));
		begins = false;
	}
}

/* Inputs that are read in turn: its record says that it is open, and that those before it have ended. So where the watermark stands depends on the
 * records of a micro-batch alone. What may grow until the run that goes on from a checkpoint has not ended. */
static void note_turn(struct job *j, uint32_t input)
{
	enum input_state *s = j->run->inputs;

	if (j->opts.no_input || s[input] != INPUT_UNOPENED)
		return;
	for (uint32_t i = 0; i < input; i++)
		s[i] = j->opts.checkpoint && !j->run->ends ? INPUT_OPEN : INPUT_ENDED;
	s[input] = INPUT_OPEN;
}

static int process(struct job *j, const struct batch *b, struct err *e)
{
	struct op *entry = j->graph.entries[b->input < j->graph.n_entries ? b->input : 0];
	enum phase phase = job_phase(j, PHASE_RUN);
	int verdict;

	note_turn(j, b->input);
	if (j->replay && j->opts.cut.kind != CUT_TIME)
		move_clock(j, b);
	else if (!j->batch_records && j->opts.cut.kind != CUT_TIME && !ckpt_reruns(j))
		job_set_now(j, clock_now(&j->clock)); /* rules of records ask for it before the micro-batch ends */
	j->batch_records += b->n_sel;
	j->ahead -= b->n_sel < j->ahead ? b->n_sel : j->ahead;
	if (j->taking)
		ckpt_takes(j->taking, b->n_sel);
	verdict = op_process(entry, 0, b, e);
	job_phase(j, phase);
	return verdict > 0 && j->live_sources ? had_enough(j, entry) : verdict;
}

/* CUT_RECORDS: the rows go in stretches. */
static int take_by_count(struct job *j, const struct batch *b, struct err *e)
{
	for (uint32_t at = 0; at < b->n_sel;) {
		uint64_t room = j->opts.cut.records - j->batch_records;
		uint32_t n = b->n_sel - at < room ? b->n_sel - at : (uint32_t)room;
		struct batch part = batch_slice(b, at, n);
		int verdict = process(j, &part, e);

		if (!verdict && j->batch_records == j->opts.cut.records)
			verdict = job_end_batch(j, clock_now(&j->clock), false, e);
		if (verdict)
			return verdict;
		at += n;
	}
	return 0;
}

/* It is over before the next one begins: a run that goes on from here does not end it again. */
static int end_interval(struct job *j, struct err *e)
{
	j->cut_over = true;
	return job_end_batch(j, j->cut_end, false, e);
}

/* The interval that `t` lies in becomes the one at hand; the ones before it end. Empty ones only where they do something. */
static int advance_to(struct job *j, int64_t t, struct err *e)
{
	if (!j->timed) {
		j->timed = true;
		j->cut_end = clock_interval_end(t, j->opts.cut.every_ns);
		if (!j->goes_on)
			j->run->start = clock_later(j->cut_end, -j->opts.cut.every_ns);
		job_set_now(j, j->cut_end);
		return 0;
	}
	while (t >= j->cut_end && j->cut_end < INT64_MAX) {
		if (!j->cut_over && (j->batch_records || job_holds(j)) && end_interval(j, e))
			return -1;
		j->cut_over = false;
		if (job_holds(j))
			j->cut_end = clock_later(j->cut_end, j->opts.cut.every_ns);
		else
			j->cut_end = clock_interval_end(t, j->opts.cut.every_ns);
		job_set_now(j, j->cut_end);
	}
	return 0;
}

/* CUT_TIME with a replay field: rows of one interval go together. A time behind the clock, or none, stays in the micro-batch at hand. */
static int take_by_replay(struct job *j, const struct batch *b, struct err *e)
{
	struct column c = expr_eval(j->replay, &j->replay_eval, b, b->sel, b->n_sel);
	uint32_t from = 0;
	int verdict = 0;

	for (uint32_t k = 0; k < b->n_sel && !verdict; k++) {
		struct value v = column_get(&c, batch_row(b, k));
		int64_t t;

		if (!value_is_time(&v, j->run->env, &t)) {
			j->n_no_time++;
			continue;
		}
		clock_set(&j->clock, t);
		if (j->timed && t < j->cut_end)
			continue;
		if (k > from) {
			struct batch part = batch_slice(b, from, k - from);

			verdict = process(j, &part, e);
			from = k;
		}
		if (!verdict)
			verdict = advance_to(j, t, e);
	}
	if (!verdict && from < b->n_sel) {
		struct batch part = batch_slice(b, from, b->n_sel - from);

		verdict = process(j, &part, e);
	}
	return verdict;
}

static int take(struct job *j, const struct batch *b, struct err *e)
{
	if (j->opts.cut.kind == CUT_RECORDS)
		return take_by_count(j, b, e);
	if (j->opts.cut.kind == CUT_TIME && j->replay)
		return take_by_replay(j, b, e);
	return process(j, b, e);
}

/* A micro-batch that is run again takes what it took: it may end in the middle of the batch. */
static int take_again(struct job *j, const struct batch *b, struct input *in, struct err *e)
{
	uint64_t room = ckpt_limit(in);
	uint32_t n = b->n_sel < room ? b->n_sel : (uint32_t)room;
	struct batch part = batch_slice(b, 0, n);
	int verdict = n ? process(j, &part, e) : 0;

	if (verdict || !ckpt_at_limit(in, n < b->n_sel))
		return verdict;
	if (ckpt_end_rerun(j, e))
		return -1;
	part = batch_slice(b, n, b->n_sel - n);
	return part.n_sel ? take(j, &part, e) : 0;
}

int job_take(struct job *j, struct input *in, struct batch *b, struct err *e)
{
	int verdict;

	if (job_ready(j, e))
		return -1;
	if (j->opts.checkpoint) {
		ckpt_skip(in, b);
		j->taking = in;
	}
	j->n_records += b->n_sel;
	j->ahead = b->n_sel;
	verdict = ckpt_reruns(j) ? take_again(j, b, in, e) : take(j, b, e);
	j->ahead = 0;
	return verdict;
}

/* ---- the run ---- */

static int one_empty_record(struct job *j, struct err *e)
{
	struct batch b = { .schema = schema_intern(NULL, NULL, 0), .n_rows = 1, .n_sel = 1, .arena = &j->arena };

	return take(j, &b, e) < 0 ? -1 : 0;
}

/* Is something due at the end of a run that had no records for it? At the end of time, once, what is open; of a job that has read nothing yet its only
 * micro-batch. 1, 0, -1. */
static int is_due(struct job *j, int64_t now, struct err *e)
{
	bool closes = j->run->ends && !j->run->over;

	if (closes && !j->run->batch)
		return 1;
	if (!closes && ckpt_wakes(j->opts.checkpoint) > now)
		return 0;
	if (job_ready(j, e))
		return -1;
	return graph_wakes(&j->graph, false) <= now || (closes && job_is_open(j));
}

/* With a checkpoint: what was read is committed, and what is due by the clock comes out; windows stay open unless the end is the end of time. */
static int end_kept(struct job *j, int64_t now, struct err *e)
{
	int due;

	if (ckpt_reruns(j) && ckpt_end_rerun(j, e))
		return -1;
	due = is_due(j, now, e);
	if (due < 0)
		return -1;
	if (due || j->batch_records || ckpt_moved(j->opts.checkpoint))
		return job_end_batch(j, now, true, e);
	return ckpt_note_places(j->opts.checkpoint, e);
}

/* When the last micro-batch ends: with its interval, unless a run that goes on from a checkpoint may have more of that. */
static int64_t last_end(const struct job *j)
{
	int64_t now = clock_now(&j->clock);

	if (j->opts.cut.kind != CUT_TIME || !j->timed)
		return now;
	if (!j->opts.checkpoint || j->run->ends || !job_cuts_by_clock(j) || now >= j->cut_end)
		return j->cut_end;
	return now > j->run->now || !j->opts.once ? now : j->run->now;
}

/* The last micro-batch: what is open, or the only one there is. */
static int end_last(struct job *j, struct err *e)
{
	int64_t now = last_end(j);

	if (j->opts.checkpoint)
		return end_kept(j, now, e);
	if (j->batch_records || !j->n_batches || job_is_open(j))
		return job_end_batch(j, now, true, e);
	return 0;
}

/* A sink behind which there are only sinks. */
static bool is_end(const struct op *op)
{
	for (uint32_t i = 0; i < op->n_outs; i++)
		if (!op_is_sink(op->outs[i].op))
			return false;
	return op_is_sink(op);
}

/* A filter of a file with a header gives one with a header, records or none. */
static int end_without_records(struct job *j, struct err *e)
{
	const struct schema *head = j->opts.no_input ? NULL : inputs_header(j);
	struct batch b = { .schema = head && j->opts.columns_left ? j->opts.columns_left(j->opts.ctx, head) : NULL, .arena = &j->arena };

	if (b.schema)
		b.cols = arena_zero(&j->arena, (b.schema->n + 1) * sizeof *b.cols);
	for (uint32_t i = 0; b.schema && i < j->graph.n; i++) {
		struct op *op = j->graph.ops[i];

		if (is_end(op) && !op_sink_encoder(op)->n_records && op_process(op, 0, &b, e) < 0)
			return -1;
	}
	return 0;
}

/* The run failed: what reached the sinks is written, so that the records before a bad one or a missing file are not lost.
 * Aggregates stay silent, and when a sink has failed to deliver a micro-batch, so do the others. The error that ended the run is the one to report. */
static void write_reached(struct job *j)
{
	struct err ignored = { 0 };

	for (uint32_t i = 0; i < j->graph.n && !j->graph.delivering; i++)
		if (op_is_sink(j->graph.ops[i]))
			op_batch_end(j->graph.ops[i], &ignored);
	write_aside(j, &ignored);
}

static int read_all(struct job *j, struct err *e)
{
	if (j->opts.no_input)
		return one_empty_record(j, e);
	return j->live_sources ? live_run(j, e) : inputs_run(j, e);
}

/* A run that waits for records is ready for them; one that only takes what has come may find nothing. */
static bool waits(const struct job *j) { return j->live_sources && !j->opts.once; }

int job_run(struct job *j, struct err *e)
{
	if (waits(j) && job_ready(j, e))
		return -1;
	if (read_all(j, e) || end_last(j, e)) {
		if (!j->opts.checkpoint)
			write_reached(j);
		return -1;
	}
	if (j->opts.checkpoint)
		return ckpt_finish(j->opts.checkpoint, e) || finish_aside(j, e) ? -1 : graph_finish(&j->graph, e);
	if (finish_aside(j, e))
		return -1;
	return end_without_records(j, e) ? -1 : graph_finish(&j->graph, e);
}

struct job *job_new(const struct job_opts *o, struct run *run)
{
	struct job *j = xcalloc(1, sizeof *j);

	j->opts = *o;
	j->run = run;
	clock_init(&j->clock);
	j->clock.manual |= o->cut.kind == CUT_MARK;
	return j;
}

int job_start(struct job *j, const struct job_input *inputs, struct graph *graph_take, struct expr *replay_take, struct err *e)
{
	bool live;

	j->reads = inputs;
	j->enough = arena_zero(&j->arena, (j->opts.n_sources + 1) * sizeof *j->enough);
	j->graph = *graph_take;
	j->replay = replay_take;
	j->replay_eval = (struct eval){ .env = j->run->env, .special = j->run->special };
	if (j->replay)
		j->clock.manual = true;
	job_set_now(j, clock_now(&j->clock));
	j->run->start = j->run->now;
	j->run->interval_ns = j->opts.cut.kind == CUT_TIME ? j->opts.cut.every_ns : 0;
	meter_open(j);
	marks_open(j);
	if (open_bad_sink(j, e) || open_late_sink(j, e) || (j->opts.checkpoint && ckpt_begin(j, e)))
		return -1;
	j->run->n_inputs = j->opts.no_input ? 1 : j->opts.n_sources;
	j->run->inputs = arena_zero(&j->arena, (j->run->n_inputs + 1) * sizeof *j->run->inputs);
	if (j->opts.no_input)
		return 0;
	if (live_open(j, &live, e) || (j->opts.checkpoint && ckpt_inputs(j, live, e)))
		return -1;
	return live ? 0 : inputs_open(j, e);
}

void job_free(struct job *j)
{
	if (!j)
		return;
	graph_free(&j->graph);
	op_free(j->bad_sink);
	op_free(j->late_sink);
	expr_release(j->replay);
	inputs_free(j);
	live_close(j);
	marks_free(j);
	meter_free(j);
	arena_release(&j->arena);
	free(j);
}

void job_clock_unseen(const struct job *j, void (*fn)(void *ctx, const char *name), void *ctx)
{
	if (j->replay && j->n_records)
		expr_unseen(j->replay, fn, ctx);
}

const struct word_counts *job_word_counts(const struct job *j) { return &j->words; }
const struct graph *job_graph(const struct job *j) { return &j->graph; }
uint64_t job_records(const struct job *j) { return j->words.lines ? j->words.lines : j->n_records; }
uint64_t job_bad(const struct job *j) { return j->n_bad; }
uint64_t job_bad_input(const struct job *j) { return j->n_bad_input; }
uint64_t job_no_time(const struct job *j) { return j->n_no_time; }
uint64_t job_bytes(const struct job *j) { return inputs_bytes(j); }
const struct schema *job_header(const struct job *j) { return j->n_inputs == 1 ? inputs_header(j) : NULL; }

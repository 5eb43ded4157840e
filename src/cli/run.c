#include "config.h"

#include "cli/run.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/inputs.h"
#include "cli/durable.h"
#include "cli/monitor.h"
#include "cli/signals.h"
#include "base/time.h"
#include "plan/pipeline.h"
#include "plan/times.h"
#include "stage/stage.h"

static const char *const stdin_only[] = { "-" };
static const char *const stdout_only[] = { "-" };

static bool is(const struct codec_def *c, const char *name)
{
	return c && !strcmp(c->doc.name, name);
}

/* Is `line` all that is left of lines? */
static bool only_line(const struct options *o, const struct plan *p)
{
	if (!is(o->in, "lines") || o->no_input)
		return false;
	return !p->changes || (p->n_fields == 1 && !strcmp(p->fields[0], "line"));
}

static void choose_output(struct options *o, const struct plan *p)
{
	o->out_given = o->out != NULL;
	if (o->out)
		return;
	if (only_line(o, p)) {
		o->out = codec_find("lines");
	} else if (is(o->in, "csv") || is(o->in, "json") || is(o->in, "tsv") || is(o->in, "logfmt")) {
		o->out = o->in;
	} else if (isatty(1) && !o->n_sinks) {
		o->out = codec_find("table");
	} else {
		o->out = codec_find("tsv");
		o->bare = true;
	}
}

/* May the sink have a format of its own: named, or by the end of its name where -o does not say? */
static bool other_format(const struct options *o, const char *sink)
{
	return strstr(sink, "format=") || strstr(sink, "partition=") || (!o->out_given && codec_by_file(sink) && codec_by_file(sink) != o->out);
}

static int is_other_sink(struct plan_node *n, void *ctx)
{
	return n->kind == PLAN_SINK && other_format(ctx, n->text);
}

static bool other_formats(struct options *o, const struct plan *p)
{
	bool some = false;

	for (unsigned i = 0; i < o->n_sinks; i++)
		some |= other_format(o, o->sinks[i]);
	return some || plan_each(p, is_other_sink, o);
}

/* The same format in and out, so that an unchanged record may be copied. Options that change how values or columns look forbid it. */
static bool can_copy(struct options *o, const struct plan *p)
{
	if (o->in != o->out || o->header || other_formats(o, p))
		return false;
	return is(o->in, "lines") || is(o->in, "json") || is(o->in, "csv") || is(o->in, "tsv") || is(o->in, "logfmt");
}

static int parse_program(struct options *o, struct plan *plan, struct err *e)
{
	struct parser *p = parser_new(&o->arena, o->units, o->n_units, o->vars, o->n_vars);

	plan->arena = &o->arena;
	return program_parse(p, o->units, o->n_units, plan, e);
}

static uint32_t terminal_width(void)
{
	struct winsize w;

	return ioctl(1, TIOCGWINSZ, &w) || !w.ws_col ? 0 : w.ws_col;
}

static void fill_formats(const struct options *o, const struct plan *p, struct pipeline_opts *j)
{
	bool tty = isatty(1);
	struct encode_opts *out = &j->lower.encode;

	j->lower.max_record = o->max_record;
	j->lower.to = o->out;
	*out = (struct encode_opts){ .fields = p->fields, .n_fields = p->n_fields, .no_header = o->no_header || o->bare, .plain = o->bare,
				     .delimiter = is(o->out, "csv") ? o->out_delimiter : 0,
				     .color = o->color == WHEN_ALWAYS || (o->color == WHEN_AUTO && tty),
				     .width = tty ? terminal_width() : 0 };
	out->format = (struct value_format){ .ofmt = o->ofmt, .times = o->times, .zone = o->zone };
}

/* When micro-batches end, if --every does not say. */
static int choose_cut(struct options *o, const struct plan *p, bool endless, bool *to_end, struct err *e)
{
	const struct plan_node *w = p->windowed;
	int64_t every;

	if (!o->cut_given && (o->replay || endless))
		o->cut = (struct cut){ .kind = CUT_TIME, .every_ns = TIME_NS };
	*to_end = !o->cut_given && o->cut.kind != CUT_TIME && p->whole && p->forgets && !o->checkpoint;
	if (!o->cut_given && o->cut.kind != CUT_TIME)
		o->cut.kind = p->whole && !*to_end ? CUT_EOF : CUT_BLOCKS;
	if (endless && o->replay)
		return err_set(e, ERR_USAGE, "--replay: goes with files and pipes, which end");
	if (o->replay && o->cut.kind == CUT_MARK) {
		err_set(e, ERR_USAGE, "--replay: the clock of --every mark is set by its marks");
		return err_hint(e, "leave one of them out, or cut by --every 1s");
	}
	if (w && (o->cut.kind == CUT_EOF || o->cut.kind == CUT_BLOCKS)) {
		err_at(e, w->pos, "a window over processing time, and input that has none");
		return err_hint(e, "say --every 1s for the clock, --replay FIELD for times in the data, or --every mark");
	}
	every = o->cut.kind == CUT_TIME ? o->cut.every_ns : 0;
	if (w && every && (w->assigner->length_ns % every || w->assigner->slide_ns % every)) {
		char d[TIME_MAX + 1];

		d[dur_format(every, d)] = 0;
		err_at(e, w->pos, "a window is made of whole micro-batches, here of %s", d);
		return err_hint(e, "choose its length and slide as multiples of that, or another --every");
	}
	return 0;
}

static int finish(struct options *o, struct report *r, struct job *j, int failed, struct err *e)
{
	int status = exit_status(failed ? e->kind : ERR_NONE);
	struct err ignored = { 0 };

	if (monitor_close(r, failed ? &ignored : e) && !failed) {
		failed = -1;
		status = exit_status(e->kind);
	}
	if (!failed || e->kind == ERR_DATA)
		report_end(r, j);
	if (failed)
		report_error(o, e);
	else if (job_bad(j))
		status = exit_status(ERR_DATA);
	if (!failed && *signals_stop() && !status)
		status = 128 + *signals_stop();
	job_free(j);
	return status;
}

struct program {
	struct options *opts;
	struct plan plan;
	struct inputs inputs;
	bool verbatim, endless;
	bool to_end; /* several micro-batches, and aggregates that wait for the last */
	struct report report;
};

/* An option of a format that is not there would do nothing: a slip that is better said. */
static int check_formats(const struct options *o, struct err *e)
{
	const char *in = o->in->doc.name;
	bool named = is(o->in, "csv") || is(o->in, "tsv") || is(o->in, "columns");

	if (o->header && !named && !o->no_input)
		err_set(e, ERR_USAGE, "--header: names fields of csv, tsv or columns, and the input is %s", in);
	else if (o->delimiter && !is(o->in, "csv") && !is(o->in, "tsv") && !is(o->out, "csv"))
		err_set(e, ERR_USAGE, "--delimiter: is for csv, and the input is %s", in);
	else
		return 0;
	return err_hint(e, "say -i csv");
}

/* The file that a plain path or file: URL names; what may be an option is not part of it. */
static bool stat_spec(const char *spec, struct stat *st)
{
	size_t n;
	char path[4096];

	if (!strcmp(spec, "-"))
		return false;
	if (!strncmp(spec, "file:", 5))
		spec += 5;
	if (!stat(spec, st))
		return S_ISREG(st->st_mode);
	n = strcspn(spec, "?");
	if (n >= sizeof path)
		return false;
	memcpy(path, spec, n);
	path[n] = 0;
	return !stat(path, st) && S_ISREG(st->st_mode);
}

/* Reading what it writes, a run would not end. (?replace writes to another file.) */
static int check_loop(const struct options *o, const char *sink, struct err *e)
{
	struct stat in, out;
	bool std = !strcmp(sink, "-");

	if (std ? fstat(1, &out) || !S_ISREG(out.st_mode) : !stat_spec(sink, &out) || strstr(sink, "replace"))
		return 0;
	for (unsigned i = 0; i < (o->n_sources ? o->n_sources : 1); i++) {
		const char *source = o->n_sources ? o->sources[i] : "-";

		if (!strcmp(source, "-") ? fstat(0, &in) || !S_ISREG(in.st_mode) : !stat_spec(source, &in))
			continue;
		if (in.st_dev != out.st_dev || in.st_ino != out.st_ino)
			continue;
		err_set(e, ERR_USAGE, "%s: is both input and output", strcmp(source, "-") ? source : std ? "standard input" : sink);
		return err_hint(e, "to change a file, write it anew: --to 'file:NAME?replace'");
	}
	return 0;
}

static int check_loops(const struct program *p, struct err *e)
{
	const struct options *o = p->opts;
	bool ends = false;

	for (uint32_t i = 0; i < p->plan.n; i++) {
		const struct plan_chain *c = p->plan.chains[i];

		ends |= c->ends;
		for (uint32_t k = 0; k < c->n; k++)
			if (c->nodes[k]->kind == PLAN_SINK && check_loop(o, c->nodes[k]->text, e))
				return -1;
	}
	for (unsigned i = 0; i < o->n_sinks && ends; i++)
		if (check_loop(o, o->sinks[i], e))
			return -1;
	return o->n_sinks || !ends ? 0 : check_loop(o, "-", e);
}

static bool has_event_time(const struct plan *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t k = 0; k < p->chains[i]->n; k++) {
			const struct plan_node *n = p->chains[i]->nodes[k];

			if (n->kind == PLAN_WATERMARK || (n->kind == PLAN_WINDOW && n->on))
				return true;
		}
	return false;
}

/* Late is what comes behind a watermark. */
static int check_late(const struct options *o, const struct plan *p, struct err *e)
{
	if (!o->late_file || has_event_time(p))
		return 0;
	err_set(e, ERR_USAGE, "--late: no stage goes by event time: no record is late");
	return err_hint(e, "say which field is the time: 'watermark FIELD'; records that are malformed are kept with --bad FILE");
}

static int compile(struct program *p, struct err *e)
{
	struct options *o = p->opts;

	if (parse_program(o, &p->plan, e))
		return -1;
	if (inputs_make(o, &p->inputs, e))
		return -1;
	if (plan_link(&p->plan, p->inputs.in, p->inputs.n, e) || plan_times(&p->plan, o->mode, e) || plan_known(&p->plan, p->inputs.in, p->inputs.n, e))
		return -1;
	choose_output(o, &p->plan);
	if (check_late(o, &p->plan, e) || check_formats(o, e))
		return -1;
	p->verbatim = !p->inputs.mixed && can_copy(o, &p->plan);
	p->plan.keeps_late = o->late_file != NULL;
	plan_rules(&p->plan, p->verbatim && (is(o->in, "json") || is(o->in, "lines")));
	for (unsigned i = 0; i < o->n_sources; i++)
		p->endless |= source_spec_endless(o->sources[i]);
	if (durable_check(o, e))
		return -1;
	return choose_cut(o, &p->plan, p->endless && !o->once, &p->to_end, e);
}

/* The columns that the fields of an input's header have become. */
static const struct schema *columns_left(void *ctx, const struct schema *header)
{
	struct program *p = (struct program *)((char *)ctx - offsetof(struct program, report));
	struct plan_input in = { .codec = p->inputs.in[0].codec, .names = header->names, .n_names = header->n, .all = true };

	return plan_columns(&p->plan, &in);
}

static int start(struct program *p, struct job *j, struct run *run, struct pipeline_opts *po, struct err *e)
{
	const struct options *o = p->opts;
	struct expr *replay = NULL;
	struct pipeline pl;
	struct node *field;

	po->plan = &p->plan;
	po->in = p->inputs.in;
	po->n_in = p->inputs.n;
	po->decode = p->inputs.decode;
	po->no_input = o->no_input;
	po->schema = p->inputs.schema;
	po->clock_field = o->replay;
	po->by_records = o->cut.kind == CUT_RECORDS;
	po->verbatim = p->verbatim;
	po->sinks = o->n_sinks ? o->sinks : stdout_only;
	po->n_sinks = o->n_sinks ? o->n_sinks : 1;
	po->lower.run = run;
	po->lower.bad = job_bad_row;
	po->lower.ctx = j;
	po->lower.scanner = job_word_counts(j);
	po->lower.to_given = o->out_given;
	po->lower.marks = o->marks;
	po->lower.live = p->endless || o->cut.kind == CUT_TIME;
	if (o->replay) {
		field = parse_expr_text(p->plan.arena, o->replay, e);
		replay = field ? expr_bind(field, run->env, p->plan.arena, e) : NULL;
		if (!replay)
			return -1;
	}
	if (pipeline_build(po, &pl, e)) {
		expr_release(replay);
		return -1;
	}
	inputs_read_by(&p->inputs, pl.codecs);
	return job_start(j, p->inputs.reads, &pl.graph, replay, e);
}

static int explain(const struct program *p)
{
	struct buf b = { 0 };

	if (p->opts->explain_dot)
		plan_dot(&p->plan, &b);
	else
		plan_explain(&p->plan, p->inputs.in, p->inputs.n, &b);
	fwrite(b.p, 1, b.n, stdout);
	buf_release(&b);
	return 0;
}

static int run(struct program *p)
{
	struct options *o = p->opts;
	struct clock clock = { 0 };
	struct pipeline_opts po = { 0 };
	struct job_opts jo = { .sources = o->n_sources ? o->sources : stdin_only, .n_sources = o->n_sources ? o->n_sources : 1,
			       .no_input = o->no_input, .cut = o->cut, .strict = o->strict, .bad_file = o->bad_file, .late_file = o->late_file,
			       .on_bad = report_bad, .on_note = report_note, .columns_left = columns_left, .ctx = &p->report,
			       .stop = signals_stop(), .ask = signals_ask(), .closes = p->plan.closes, .endless = p->endless };
	struct fn_env env = { .time = { .zone = o->zone, .now_ns = clock_now(&clock) }, .format = &po.lower.encode.format };
	struct run shared = { .env = &env, .mem_max = o->mem_max, .ends = true, .whole = o->cut.kind == CUT_EOF || p->to_end,
			      .to_end = p->to_end, .input_names = jo.sources, .stop = signals_stop() };
	struct durable durable = { .opts = o, .plan = &p->plan, .env = &env };
	struct err e = { 0 };
	struct job *j;
	int status;

	if (!o->no_input && check_loops(p, &e)) {
		report_error(o, &e);
		return exit_status(e.kind);
	}
	fill_formats(o, &p->plan, &po);
	signals_catch();
	jo.wake_fd = signals_wake_fd();
	if (monitor_open(&p->report, &jo, &e)) {
		report_error(o, &e);
		return exit_status(e.kind);
	}
	if (durable_open(&durable, &jo, &shared, &po.lower, &e)) {
		report_error(o, &e);
		return exit_status(e.kind);
	}
	j = job_new(&jo, &shared);
	status = finish(o, &p->report, j, start(p, j, &shared, &po, &e) || job_run(j, &e), &e);
	checkpoint_close(jo.checkpoint);
	return status;
}

int run_compile(struct options *o, struct plan *out, struct err *e)
{
	struct program p = { .opts = o, .report = { .opts = o } };
	int r = compile(&p, e);

	*out = p.plan;
	return r;
}

int run_program(struct options *o)
{
	struct program p = { .opts = o, .report = { .opts = o } };
	struct err e = { 0 };
	int status;

	if (compile(&p, &e)) {
		report_error(o, &e);
		status = exit_status(e.kind);
	} else {
		status = o->explain ? explain(&p) : run(&p);
	}
	plan_release(&p.plan);
	return status;
}

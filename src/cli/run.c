#include "config.h"

#include "cli/run.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/report.h"
#include "stage/stage.h"

/* Set by SIGINT and SIGTERM: the end of the input. The second one ends the process. */
static volatile sig_atomic_t stop_signal;

static void on_signal(int sig)
{
	if (stop_signal)
		_exit(128 + sig);
	stop_signal = sig;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static const char *const stdin_only[] = { "-" };
static const char *const stdout_only[] = { "-" };

static int choose_input(struct options *o)
{
	const struct codec_def *c = NULL;

	if (!o->in && o->n_sources)
		c = codec_by_file(o->sources[0]);
	if (!o->in)
		o->in = c && c->open ? c : codec_find("lines");
	return 0;
}

static bool is(const struct codec_def *c, const char *name)
{
	return c && !strcmp(c->doc.name, name);
}

/* Is `line` all that is left of lines? */
static bool only_line(const struct options *o, const struct plan *p)
{
	if (!is(o->in, "lines"))
		return false;
	return !p->changes || (p->n_fields == 1 && !strcmp(p->fields[0], "line"));
}

static void choose_output(struct options *o, const struct plan *p)
{
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

/* The same format in and out, so that an unchanged record may be copied. Options that change how values or columns look forbid it. */
static bool can_copy(const struct options *o)
{
	if (o->in != o->out || o->header)
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

static void fill_formats(const struct options *o, const struct plan *p, struct job_opts *j)
{
	bool tty = isatty(1);

	j->in = o->in;
	j->decode = (struct decode_opts){ .max_record = o->max_record, .no_header = o->no_header, .header = o->header,
					  .n_header = o->n_header, .delimiter = o->delimiter };
	j->out = o->out;
	j->encode = (struct encode_opts){ .fields = p->fields, .n_fields = p->n_fields, .no_header = o->no_header || o->bare,
					  .delimiter = is(o->in, o->out->doc.name) ? o->out_delimiter : 0,
					  .color = o->color == WHEN_ALWAYS || (o->color == WHEN_AUTO && tty),
					  .width = tty ? terminal_width() : 0 };
	j->encode.format = (struct value_format){ .ofmt = o->ofmt, .times = o->times, .zone = o->zone };
}

static int64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * TIME_NS + t.tv_nsec;
}

static int finish(struct options *o, const struct report *r, struct job *j, int failed, struct err *e)
{
	int status = exit_status(failed ? e->kind : ERR_NONE);

	if (!failed || e->kind == ERR_DATA)
		report_end(r, j);
	if (failed)
		report_error(o, e);
	else if (job_bad(j))
		status = exit_status(ERR_DATA);
	if (!failed && stop_signal && !status)
		status = 128 + stop_signal;
	job_free(j);
	return status;
}

static int explain(const struct plan *p, const struct plan_input *in)
{
	struct buf b = { 0 };

	plan_explain(p, in, &b);
	fwrite(b.p, 1, b.n, stdout);
	buf_release(&b);
	return 0;
}

static int compile(struct options *o, struct plan *plan, struct job_opts *jo, struct plan_input *in, struct err *e)
{
	if (parse_program(o, plan, e))
		return -1;
	choose_input(o);
	*in = (struct plan_input){ .codec = o->in, .names = o->header, .n_names = o->n_header, .no_header = o->no_header };
	if (plan_known(plan, in, e))
		return -1;
	choose_output(o, plan);
	jo->verbatim = can_copy(o);
	plan_rules(plan, jo->verbatim && (is(o->in, "json") || is(o->in, "lines")));
	return 0;
}

int run_program(struct options *o)
{
	struct err e = { 0 };
	struct plan plan = { 0 };
	struct plan_input in;
	struct report report = { .opts = o };
	struct job_opts jo = { .plan = &plan, .sources = o->sources, .n_sources = o->n_sources, .sinks = o->sinks, .n_sinks = o->n_sinks };
	struct job *j;
	int status;

	if (compile(o, &plan, &jo, &in, &e)) {
		report_error(o, &e);
		status = exit_status(e.kind);
	} else if (o->explain) {
		status = explain(&plan, &in);
	} else {
		fill_formats(o, &plan, &jo);
		const struct fn_env env = { .time = { .zone = o->zone, .now_ns = clock_now() }, .format = &jo.encode.format };
		struct run run = { .env = &env, .mem_max = o->mem_max };

		run.special[SP_TIME] = v_time(env.time.now_ns);
		if (!jo.n_sources) {
			jo.sources = stdin_only;
			jo.n_sources = 1;
		}
		if (!jo.n_sinks) {
			jo.sinks = stdout_only;
			jo.n_sinks = 1;
		}
		jo.no_input = o->no_input;
		jo.schema = o->schema;
		jo.strict = o->strict;
		jo.bad_file = o->bad_file;
		jo.on_bad = report_bad;
		jo.on_note = report_note;
		jo.ctx = &report;
		jo.stop = &stop_signal;
		catch_signals();
		j = job_open(&jo, &run, &e);
		status = finish(o, &report, j, !j || job_run(j, &e), &e);
	}
	plan_release(&plan);
	return status;
}

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/conn.h"
#include "io/source_list.h"

#define RUN_GOOD_MS 10000U /* a run of this length is no failed start */
#define KILL_AFTER_MS 1000U
#define GONE_POLL_MS 5U

enum exec_restart { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };

/* A child's life: its output ends and it exits, in either order; then it is over. */
struct exec_source {
	struct source base;
	char *label;
	const char *command;
	enum exec_restart restart;
	const struct intake *to;
	uv_loop_t *loop;
	uv_process_t process;
	uv_pipe_t out;
	uv_timer_t timer;
	struct conn conn;
	bool started, over; /* over: stopped or at its end */
	bool running, exited, timer_open, out_open;
	int64_t status;
	int signal;
	unsigned starts; /* in a row that were short */
	uint64_t n_runs, began_ms, stopped_ms;
	int pid;
};

static void start_again(uv_timer_t *t);

static struct exec_source *exec_of(struct conn *c)
{
	return (struct exec_source *)((char *)c - offsetof(struct exec_source, conn));
}

static void close_timer(struct exec_source *s)
{
	if (s->timer_open)
		uv_close((uv_handle_t *)&s->timer, NULL);
	s->timer_open = false;
}

static void finish(struct exec_source *s, const struct err *e)
{
	s->over = true;
	close_timer(s);
	s->to->end(s->to->ctx, e);
}

static void describe_end(const struct exec_source *s, char *p, size_t n)
{
	if (s->signal)
		snprintf(p, n, "%s: ended by signal %d (%s)", s->label, s->signal, strsignal(s->signal));
	else
		snprintf(p, n, "%s: exit status %lld", s->label, (long long)s->status);
}

static void run_over(struct exec_source *s)
{
	bool bad = s->status || s->signal;
	struct err e = { .kind = ERR_IO };
	unsigned ms;

	describe_end(s, e.msg, sizeof e.msg);
	if (s->restart == RESTART_NEVER || (s->restart == RESTART_ON_FAILURE && !bad)) {
		finish(s, bad ? &e : NULL);
		return;
	}
	s->starts = uv_now(s->loop) - s->began_ms >= RUN_GOOD_MS ? 1 : s->starts + 1;
	ms = live_backoff(s->starts);
	if (bad)
		live_note(s->to, "%s, again in %u.%us", e.msg, ms / 1000, ms / 100 % 10);
	if (!s->over)
		uv_timer_start(&s->timer, start_again, ms, 0);
}

static void part_over(struct exec_source *s)
{
	if (!s->over && !s->running && !s->out_open)
		run_over(s);
}

static void on_process_closed(uv_handle_t *h)
{
	struct exec_source *s = h->data;

	s->running = false;
	part_over(s);
}

static void on_child_exit(uv_process_t *p, int64_t status, int sig)
{
	struct exec_source *s = p->data;

	s->exited = true;
	s->status = status;
	s->signal = sig;
	uv_close((uv_handle_t *)p, on_process_closed);
}

static void on_out_closed(uv_handle_t *h)
{
	struct exec_source *s = (struct exec_source *)((char *)h - offsetof(struct exec_source, out));

	s->out_open = false;
	part_over(s);
}

static void on_ended(struct conn *c, int status)
{
	struct exec_source *s = exec_of(c);

	if (status)
		live_note(s->to, "%s: %s", s->label, uv_strerror(status));
	conn_close(c, false);
	if (!uv_is_closing((uv_handle_t *)&s->out))
		uv_close((uv_handle_t *)&s->out, on_out_closed);
}

/* A session of its own: stop reaches all that the shell has started, and a signal from the keyboard is strm's to answer. */
static int spawn(struct exec_source *s)
{
	char *args[] = { (char *)"/bin/sh", (char *)"-c", (char *)s->command, NULL };
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&s->out },
		{ .flags = UV_INHERIT_FD, .data.fd = 2 },
	};
	uv_process_options_t o = { .file = args[0],
				   .args = args,
				   .stdio = stdio,
				   .stdio_count = 3,
				   .exit_cb = on_child_exit,
				   .flags = UV_PROCESS_DETACHED };

	return uv_spawn(s->loop, &s->process, &o);
}

static int start_child(struct exec_source *s, struct err *e)
{
	int r;

	uv_pipe_init(s->loop, &s->out, 0);
	s->out_open = true;
	s->exited = false;
	s->status = s->signal = 0;
	s->began_ms = uv_now(s->loop);
	s->n_runs++;
	r = spawn(s);
	s->process.data = s;
	if (r) {
		s->out_open = false;
		uv_close((uv_handle_t *)&s->process, NULL);
		uv_close((uv_handle_t *)&s->out, NULL);
		return err_set(e, ERR_IO, "%s: %s", s->label, uv_strerror(r));
	}
	s->running = true;
	s->pid = s->process.pid;
	s->conn = (struct conn){ .source = &s->base, .to = s->to, .ended = on_ended };
	return conn_open(&s->conn, (uv_stream_t *)&s->out, s->label, e);
}

static void start_again(uv_timer_t *t)
{
	struct exec_source *s = t->data;
	struct err e = { 0 };

	if (!start_child(s, &e))
		return;
	source_live(&s->base)->stop(&s->base);
	s->to->end(s->to->ctx, &e);
}

/* ---- the source ---- */

static int exec_start(struct source *base, uv_loop_t *loop, const struct intake *to, struct err *e)
{
	struct exec_source *s = (struct exec_source *)base;

	s->loop = loop;
	s->to = to;
	uv_timer_init(loop, &s->timer);
	s->timer.data = s;
	s->timer_open = s->started = true;
	if (!start_child(s, e))
		return 0;
	base->live->stop(base);
	return -1;
}

static void exec_resume(struct source *base) { conn_resume(&((struct exec_source *)base)->conn); }

/* Has all that the command started gone? Asked again and again after the order to go; made to after a while. */
static void wait_gone(uv_timer_t *t)
{
	struct exec_source *s = t->data;

	if (s->exited && kill(-s->pid, 0) && errno == ESRCH) {
		close_timer(s);
	} else if (uv_now(s->loop) - s->stopped_ms >= KILL_AFTER_MS) {
		kill(-s->pid, SIGKILL);
		close_timer(s);
	}
}

/* The handle of the child stays until it has gone, so that nobody is left behind. */
static void exec_stop(struct source *base)
{
	struct exec_source *s = (struct exec_source *)base;
	bool open = s->out_open && !uv_is_closing((uv_handle_t *)&s->out);

	if (!s->started || s->over)
		return;
	s->over = true;
	conn_close(&s->conn, false);
	if (open)
		uv_close((uv_handle_t *)&s->out, on_out_closed);
	/* while its output is open somebody of its session is there, also when the shell has gone */
	if (!open && (!s->running || s->exited)) {
		close_timer(s);
		return;
	}
	kill(-s->pid, SIGTERM);
	s->stopped_ms = uv_now(s->loop);
	uv_timer_start(&s->timer, wait_gone, GONE_POLL_MS, GONE_POLL_MS);
}

static void exec_status(const struct source *base, char *p, size_t n)
{
	const struct exec_source *s = (const struct exec_source *)base;

	if (s->running && !s->exited)
		snprintf(p, n, "%s: running, process %d, run %llu", s->label, s->pid, (unsigned long long)s->n_runs);
	else
		snprintf(p, n, "%s: waiting to start again", s->label);
}

static const struct live_def exec_live = { exec_start, exec_resume, exec_stop, exec_status, NULL };

static int parse_restart(struct exec_source *s, const struct url *u, struct err *e)
{
	static const char *const names[] = { "never", "on-failure", "always" };
	const char *v = url_option(u, "restart");

	for (size_t i = 0; v && i < ARRAY_LEN(names); i++) {
		if (!strcmp(v, names[i])) {
			s->restart = (enum exec_restart)i;
			return 0;
		}
	}
	return v ? err_set(e, ERR_USAGE, "%s: option 'restart' is never, on-failure or always, not '%s'", u->spec, v) : 0;
}

static void exec_close(struct source *s) { free(((struct exec_source *)s)->label); }

static struct source *exec_open(const struct url *u, struct err *e)
{
	struct exec_source *s = xcalloc(1, sizeof *s);

	if (!*u->rest)
		err_set(e, ERR_USAGE, "%s: no command", u->spec);
	if (!*u->rest || parse_restart(s, u, e)) {
		free(s);
		return NULL;
	}
	s->command = u->rest;
	s->label = url_label(u);
	s->base.name = s->label;
	s->base.size = -1;
	s->base.endless = s->restart == RESTART_ALWAYS;
	return &s->base;
}

const struct source_def source_exec = {
	.doc = {
		.name = "exec",
		.synopsis = "exec:COMMAND[?restart=WHEN]",
		.summary = "runs a command and reads what it prints",
		.group = "sources",
		.text = "The command is run by /bin/sh -c, with nothing on its stdin; what it writes to stderr is passed on. It is taken as it stands: only a "
			"?restart=WHEN at its very end is an option, and % is no escape.\n\n"
			"A status other than 0 is an error when the command is not to be run again. Before the next run it waits 0.1s, 0.2s, 0.4s and so on up to "
			"10s; a run of 10s or longer starts the waits anew. When strm ends, the command and all that it started get SIGTERM, a second later SIGKILL.",
		.params = {
			SOURCE_READ_DOC,
			{ "restart", "name", "never", "never, on-failure, always", "run it again when it has ended with another status than 0, or always" },
		},
		.examples = {
			{ "--from 'exec:printf \"to be\\nor\\n\"' words 'count by word'", NULL, "to\t1\nbe\t1\nor\t1\n", "a command as input" },
		},
	},
	.open = exec_open,
	.close = exec_close,
	.live = &exec_live,
	.form = URL_VERBATIM,
};

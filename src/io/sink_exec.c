#include "io/sink_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/process.h"
#include "io/fd.h"

struct exec_sink {
	struct sink base;
	struct process child;
	bool written; /* it was given something */
};

static struct sink *exec_open(const struct url *u, struct err *e)
{
	struct exec_sink *x;
	int r;

	if (!*u->rest) {
		err_set(e, ERR_USAGE, "%s: no command", u->spec);
		return NULL;
	}
	x = xcalloc(1, sizeof *x);
	r = process_start(&x->child, u->rest, PROCESS_IN);
	if (r) {
		err_set(e, ERR_IO, "%s: %s", u->spec, strerror(r));
		free(x);
		return NULL;
	}
	x->base.name = url_label(u);
	x->base.fd = x->child.in;
	x->base.empty = true;
	return &x->base;
}

/* A command may read as much as it likes: head does. */
static int exec_write(struct sink *s, const char *p, size_t n, struct err *e)
{
	((struct exec_sink *)s)->written = true;
	if (!fd_write(s->fd, p, n))
		return 0;
	if (errno == EPIPE)
		return SINK_CLOSED;
	return err_set(e, ERR_IO, "%s: %s", s->name, strerror(errno));
}

static int judge(const struct exec_sink *x, struct err *e)
{
	char why[80];

	return process_complaint(&x->child, why, sizeof why) ? err_set(e, ERR_IO, "%s: %s", x->base.name, why) : 0;
}

/* A command that has failed by now is found out here, not when the next micro-batch finds nobody to read it. */
static int exec_batch_end(struct sink *s, uint64_t batch, struct err *e)
{
	struct exec_sink *x = (struct exec_sink *)s;

	(void)batch;
	return process_over(&x->child) ? judge(x, e) : 0;
}

static int exec_close(struct sink *s, bool keep, struct err *e)
{
	struct exec_sink *x = (struct exec_sink *)s;
	int r = 0;

	if (!keep && s->durable && x->written) {
		/* what is in the pipe may be committed, and does not come again */
		process_close(&x->child);
		process_wait(&x->child);
	} else if (!keep) {
		process_end(&x->child);
	} else {
		if (process_close(&x->child))
			r = err_set(e, ERR_IO, "%s: %s", s->name, strerror(errno));
		process_wait(&x->child);
		r = r ? r : judge(x, e);
	}
	process_close(&x->child);
	free((char *)s->name);
	s->name = NULL;
	return r;
}

const struct sink_def sink_exec = {
	.doc = {
		.name = "exec",
		.synopsis = "exec:COMMAND[?format=FMT]",
		.summary = "runs a command and writes to its stdin",
		.group = "sinks",
		.text = "The command is run by /bin/sh -c; its stdout and stderr are those of strm. At the end strm waits for it; a status other than 0 is an error. It is taken "
			"as it stands: only a ?format=FMT at its very end is an option, and % is no escape.",
		.params = {
			{ "format", "name", "-o", NULL, "output format of this sink" },
		},
		.examples = {
			{ "words 'count by word' --to 'exec:sort -rk2'", "a b b\n", "b\t2\na\t1\n", "sorted by another program" },
		},
	},
	.open = exec_open,
	.write = exec_write,
	.batch_end = exec_batch_end,
	.close = exec_close,
	.form = URL_VERBATIM,
};

#include "io/sink_list.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/fd.h"

#define KILL_AFTER_MS 1000
#define GONE_POLL_MS 5

struct exec_sink {
	struct sink base;
	pid_t pid;
};

/* In a process group of its own: a signal from the keyboard is strm's to answer. Signals as they are by default; strm ignores
 * SIGPIPE. */
static int spawn(struct exec_sink *x, const char *command, int in)
{
	char *args[] = { (char *)"/bin/sh", (char *)"-c", (char *)command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, pipes;
	int r;

	sigemptyset(&none);
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, 0);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigdefault(&attr, &pipes);
	posix_spawnattr_setsigmask(&attr, &none);
	r = posix_spawn(&x->pid, args[0], &files, &attr, args, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return r;
}

static struct sink *exec_open(const struct url *u, struct err *e)
{
	struct exec_sink *x;
	int ends[2], r;

	if (!*u->rest) {
		err_set(e, ERR_USAGE, "%s: no command", u->spec);
		return NULL;
	}
	if (pipe2(ends, O_CLOEXEC)) {
		err_set(e, ERR_IO, "%s: %s", u->spec, strerror(errno));
		return NULL;
	}
	x = xcalloc(1, sizeof *x);
	r = spawn(x, u->rest, ends[0]);
	close(ends[0]);
	if (r) {
		err_set(e, ERR_IO, "%s: %s", u->spec, strerror(r));
		close(ends[1]);
		free(x);
		return NULL;
	}
	x->base.name = url_label(u);
	x->base.fd = ends[1];
	x->base.empty = true;
	return &x->base;
}

/* A command may read as much as it likes: head does. */
static int exec_write(struct sink *s, const char *p, size_t n, struct err *e)
{
	if (!fd_write(s->fd, p, n))
		return 0;
	if (errno == EPIPE)
		return SINK_CLOSED;
	return err_set(e, ERR_IO, "%s: %s", s->name, strerror(errno));
}

static int wait_for(pid_t pid, int flags, int *status)
{
	pid_t r;

	do
		r = waitpid(pid, status, flags);
	while (r < 0 && errno == EINTR);
	return r == pid;
}

static void make_go(pid_t pid)
{
	int status;

	kill(-pid, SIGTERM);
	for (int ms = 0; ms < KILL_AFTER_MS; ms += GONE_POLL_MS) {
		if (wait_for(pid, WNOHANG, &status))
			return;
		poll(NULL, 0, GONE_POLL_MS);
	}
	kill(-pid, SIGKILL);
	wait_for(pid, 0, &status);
}

static int judge(const struct sink *s, int status, struct err *e)
{
	if (WIFSIGNALED(status))
		return err_set(e, ERR_IO, "%s: ended by signal %d (%s)", s->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return err_set(e, ERR_IO, "%s: exit status %d", s->name, WEXITSTATUS(status));
	return 0;
}

static int exec_close(struct sink *s, bool keep, struct err *e)
{
	struct exec_sink *x = (struct exec_sink *)s;
	int status = 0, r = 0;

	if (close(s->fd) && keep)
		r = err_set(e, ERR_IO, "%s: %s", s->name, strerror(errno));
	if (!keep)
		make_go(x->pid);
	else if (wait_for(x->pid, 0, &status) && !r)
		r = judge(s, status, e);
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
	.close = exec_close,
	.form = URL_VERBATIM,
};

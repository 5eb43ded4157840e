#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_AFTER_MS 1000
#define GONE_POLL_MS 5

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void plan_files(posix_spawn_file_actions_t *files, int in, int out)
{
	posix_spawn_file_actions_init(files);
	if (in >= 0)
		posix_spawn_file_actions_adddup2(files, in, 0);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(files, out, 1);
}

static int spawn(pid_t *pid, const char *command, int in, int out)
{
	char *args[] = { (char *)"/bin/sh", (char *)"-c", (char *)command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, usual;
	int r;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGXFSZ);
	plan_files(&files, in, out);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigdefault(&attr, &usual);
	posix_spawnattr_setsigmask(&attr, &none);
	r = posix_spawn(pid, args[0], &files, &attr, args, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return r;
}

/* A pipe of which `ours` (0: we read, 1: we write) is kept; the other end is the child's. Neither is one of 0, 1, 2: the child gets its end by
 * dup2, which would leave an end that already has the number marked to be closed. */
static int make_pipe(int ours, int *mine, int *childs)
{
	int ends[2], high[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	for (int i = 0; i < 2; i++)
		high[i] = ends[i] > 2 ? ends[i] : fcntl(ends[i], F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 2; i++)
		if (high[i] != ends[i])
			close(ends[i]);
	*mine = high[ours];
	*childs = high[!ours];
	return *mine < 0 || *childs < 0 ? -1 : 0;
}

static void never_wait(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

int process_start(struct process *p, const char *command, enum process_pipes pipes)
{
	int in = -1, out = -1, r = 0;

	*p = (struct process){ .in = -1, .out = -1 };
	if ((pipes & PROCESS_IN && make_pipe(1, &p->in, &in)) || (pipes & PROCESS_OUT && make_pipe(0, &p->out, &out)))
		r = errno;
	if (!r)
		r = spawn(&p->pid, command, in, out);
	close_end(&in);
	close_end(&out);
	if (r) {
		p->pid = 0;
		process_close(p);
	} else if (pipes == (PROCESS_IN | PROCESS_OUT)) {
		never_wait(p->in);
		never_wait(p->out);
	}
	return r;
}

static bool wait_for(struct process *p, int flags)
{
	pid_t r;

	if (!p->pid)
		return true;
	do
		r = waitpid(p->pid, &p->status, flags);
	while (r < 0 && errno == EINTR);
	if (r)
		p->pid = 0;
	return r;
}

bool process_over(struct process *p) { return wait_for(p, WNOHANG); }

void process_wait(struct process *p) { wait_for(p, 0); }

int process_close(struct process *p)
{
	int in = p->in;

	close_end(&p->out);
	p->in = -1;
	return in < 0 ? 0 : close(in);
}

void process_end(struct process *p)
{
	if (!p->pid)
		return;
	process_close(p);
	kill(-p->pid, SIGTERM);
	for (int ms = 0; ms < KILL_AFTER_MS; ms += GONE_POLL_MS) {
		if (process_over(p))
			return;
		poll(NULL, 0, GONE_POLL_MS);
	}
	kill(-p->pid, SIGKILL);
	process_wait(p);
}

const char *process_complaint(const struct process *proc, char *p, size_t n)
{
	int status = proc->status;

	if (WIFSIGNALED(status))
		snprintf(p, n, "ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		snprintf(p, n, "exit status %d", WEXITSTATUS(status));
	return WIFSIGNALED(status) || WEXITSTATUS(status) ? p : NULL;
}

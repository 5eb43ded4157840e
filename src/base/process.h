/* Child processes run by /bin/sh -c, each in a process group of its own: a signal from the keyboard is ours to answer, and an order to go reaches
 * all that the shell has started. Signals are as by default in the child, whatever we ignore; stderr is shared, and so is what is not piped.
 * Not thread-safe against other waits for the same child; one owner. Writing to a child that has gone needs SIGPIPE ignored. */
#ifndef STRM_BASE_PROCESS_H
#define STRM_BASE_PROCESS_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Zeroed memory is no process: process_over() says yes, process_end() does nothing. */
struct process {
	pid_t pid;    /* 0: none, or it is over and was waited for */
	int in, out;  /* our ends of its stdin and stdout, non-blocking where both are piped; -1: not piped, or closed */
	int status;   /* as of waitpid(), once it is over */
};

enum process_pipes { PROCESS_IN = 1, PROCESS_OUT = 2 };

/* Start it. `pipes`: which of its stdin and stdout we hold the other end of. 0 or an errno. */
int process_start(struct process *p, const char *command, enum process_pipes pipes);
/* Is it over by now? Does not wait. */
bool process_over(struct process *p);
/* Wait for its end. */
void process_wait(struct process *p);
/* Close our ends, of one that was started. The answer of close() for its stdin. */
int process_close(struct process *p);
/* Close our ends and make it go: SIGTERM, after a second SIGKILL. Nothing to do for one that is over. */
void process_end(struct process *p);
/* "exit status 3", "ended by signal 9 (Killed)"; NULL: it ended well. Text in p[0..n). */
const char *process_complaint(const struct process *proc, char *p, size_t n);

#endif

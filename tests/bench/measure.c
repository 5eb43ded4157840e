/* measure OUT COMMAND [ARG...]: runs COMMAND with its stdout in the file OUT; prints "SECONDS PEAK_KB STATUS".
 * Seconds are wall clock, the peak is the largest resident set of COMMAND and of the children it waited for. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t files;
	struct rusage use;
	double began;
	pid_t pid;
	int status, bad;

	if (argc < 3) {
		fprintf(stderr, "usage: measure OUT COMMAND [ARG...]\n");
		return 2;
	}
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0666);
	began = now_s();
	bad = posix_spawnp(&pid, argv[2], &files, NULL, argv + 2, environ);
	if (bad) {
		fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(bad));
		return 1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	began = now_s() - began;
	getrusage(RUSAGE_CHILDREN, &use);
	printf("%.6f %ld %d\n", began, use.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

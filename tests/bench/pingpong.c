/* pingpong N COMMAND [ARG...]: starts COMMAND with its stdin and stdout on pipes, N times writes a line and waits for the line
 * that comes back; prints "P50 P99 MAX", the microseconds from before the write to after the read. The first tenth is not
 * counted. pingpong loop: what COMMAND is measured against, a program that reads and writes and does nothing else. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void die(const char *what)
{
	fprintf(stderr, "pingpong: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0)
			die("write");
		p += done;
		n -= (size_t)done;
	}
}

static int loop(void)
{
	static char space[65536];
	ssize_t n;

	while ((n = read(0, space, sizeof space)) > 0)
		write_all(1, space, (size_t)n);
	return n < 0;
}

static pid_t start(char **command, int *to, int *from)
{
	posix_spawn_file_actions_t files;
	int in[2], out[2];
	pid_t pid;

	if (pipe(in) || pipe(out))
		die("pipe");
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in[0], 0);
	posix_spawn_file_actions_adddup2(&files, out[1], 1);
	for (int i = 0; i < 2; i++) {
		posix_spawn_file_actions_addclose(&files, in[i]);
		posix_spawn_file_actions_addclose(&files, out[i]);
	}
	errno = posix_spawnp(&pid, command[0], &files, NULL, command, environ);
	if (errno)
		die(command[0]);
	close(in[0]);
	close(out[1]);
	*to = in[1];
	*from = out[0];
	return pid;
}

static double turn(int to, int from, long i)
{
	char line[64], back[4096];
	double began;
	size_t n = 0;

	snprintf(line, sizeof line, "%ld GET /some/path 200\n", i);
	began = now_us();
	write_all(to, line, strlen(line));
	do {
		ssize_t got = read(from, back + n, sizeof back - n);

		if (got <= 0)
			die("no line came back");
		n += (size_t)got;
	} while (back[n - 1] != '\n');
	return now_us() - began;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? atol(argv[1]) : 0, first = n / 10, counted = n - first;
	double *us;
	int to, from, status;
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "loop"))
		return loop();
	if (n < 10) {
		fprintf(stderr, "usage: pingpong N COMMAND [ARG...] | pingpong loop\n");
		return 2;
	}
	us = calloc((size_t)n, sizeof *us);
	if (!us)
		die("calloc");
	pid = start(argv + 2, &to, &from);
	for (long i = 0; i < n; i++)
		us[i] = turn(to, from, i);
	close(to);
	waitpid(pid, &status, 0);
	qsort(us + first, (size_t)counted, sizeof *us, by_size);
	printf("%.1f %.1f %.1f\n", us[first + counted / 2], us[first + counted * 99 / 100], us[n - 1]);
	free(us);
	return 0;
}

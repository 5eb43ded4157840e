/* feed: load for the soak tests, from the other end of strm's sources.
 *
 *   feed lines PORT N RATE [PID]    one client sends N lines "I K", RATE a second (0: as fast as it is read); with a PID it prints, in
 *                                   kB, the resident memory of that process after a tenth of the lines and its largest since: "FIRST
 *                                   MOST", and then the seconds it took
 *   feed many PORT CLIENTS N        so many clients at once, N lines each, cut anywhere and mixed
 *   feed half PORT fin|rst TEXT     a client that sends TEXT, without a line end, and hangs up or breaks the connection
 *   feed files DIR FILES N          so many files of N lines, written in DIR under a hidden name and renamed, or under their own
 *   feed serve PORT|PATH            a server, as nc -l: prints its port (PORT may be 0) or its path, which has a slash, and sends its stdin
 *                                   to the client that comes
 *   feed hold                       keeps a port for servers that come and go: prints it, until its stdin ends
 *   feed log FILE N                 N lines appended to FILE, which is opened anew on SIGUSR1
 *
 * Lines are "I K": I counts from 0 over all clients and files, K is I mod 1000. Ports are on 127.0.0.1. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES_MAX 32
#define LINES_PER_WRITE 500
#define MAX_CLIENTS 4096

static volatile sig_atomic_t reopen;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "feed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t number(const char *s)
{
	char *end;
	uint64_t n = strtoull(s, &end, 10);

	if (!*s || *end) {
		fprintf(stderr, "feed: not a number: '%s'\n", s);
		exit(2);
	}
	return n;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t add_line(char *out, uint64_t i)
{
	return (size_t)snprintf(out, LINE_BYTES_MAX, "%" PRIu64 " %" PRIu64 "\n", i, i % 1000);
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			die("write");
		p += done;
		n -= (size_t)done;
	}
}

static int dial(uint64_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		die("connect");
	return fd;
}

static void resident(const char *pid, long *kb)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%s/status", pid);
	f = fopen(path, "r");
	if (!f)
		return;
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "VmRSS: %ld", kb) == 1)
			break;
	fclose(f);
}

static void wait_until(double at)
{
	double left = at - now_s();
	struct timespec t = { (time_t)left, (long)((left - (double)(time_t)left) * 1e9) };

	if (left > 0)
		nanosleep(&t, NULL);
}

static void feed_lines(char **a)
{
	uint64_t n = number(a[1]), rate = number(a[2]);
	int fd = dial(number(a[0]));
	double began = now_s();
	long first_kb = 0, most_kb = 0, kb = 0;
	char out[LINES_PER_WRITE * LINE_BYTES_MAX];

	for (uint64_t i = 0; i < n;) {
		size_t len = 0;

		for (int k = 0; k < LINES_PER_WRITE && i < n; k++)
			len += add_line(out + len, i++);
		write_all(fd, out, len);
		if (rate)
			wait_until(began + (double)i / (double)rate);
		if (!a[3] || i < n / 10 || i % (100 * LINES_PER_WRITE))
			continue;
		resident(a[3], &kb);
		first_kb = first_kb ? first_kb : kb;
		most_kb = kb > most_kb ? kb : most_kb;
	}
	close(fd);
	if (a[3])
		printf("%ld %ld %.1f\n", first_kb, most_kb, now_s() - began);
}

/* Each client sends its share piece by piece, the pieces 1 to 40 bytes, so that lines are cut everywhere. */
static void feed_many(char **a)
{
	uint64_t port = number(a[0]), n_clients = number(a[1]), n = number(a[2]), seed = 1;
	static int fds[MAX_CLIENTS];
	static char *text[MAX_CLIENTS];
	static size_t size[MAX_CLIENTS], sent[MAX_CLIENTS];
	size_t open_ones = n_clients;

	if (n_clients > MAX_CLIENTS)
		exit(2);
	for (size_t c = 0; c < n_clients; c++) {
		fds[c] = dial(port);
		text[c] = malloc(n * LINE_BYTES_MAX + 1);
		if (!text[c])
			die("malloc");
		for (uint64_t i = 0; i < n; i++)
			size[c] += add_line(text[c] + size[c], c * n + i);
	}
	while (open_ones > 0) {
		open_ones = 0;
		for (size_t c = 0; c < n_clients; c++) {
			size_t piece = 1 + (seed = seed * 6364136223846793005u + 1442695040888963407u) % 41 % 40;

			piece = piece < size[c] - sent[c] ? piece : size[c] - sent[c];
			write_all(fds[c], text[c] + sent[c], piece);
			sent[c] += piece;
			open_ones += sent[c] < size[c];
		}
	}
	for (size_t c = 0; c < n_clients; c++) {
		close(fds[c]);
		free(text[c]);
	}
}

static void feed_half(char **a)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	int fd = dial(number(a[0]));
	char gone;

	write_all(fd, a[2], strlen(a[2]));
	if (!strcmp(a[1], "rst")) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	} else {
		shutdown(fd, SHUT_WR);
		if (read(fd, &gone, 1) < 0)
			die("read");
	}
	close(fd);
}

static void write_file(const char *path, uint64_t from, uint64_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
	char line[LINE_BYTES_MAX];

	if (fd < 0)
		die(path);
	for (uint64_t i = 0; i < n; i++)
		write_all(fd, line, add_line(line, from + i));
	close(fd);
}

static void feed_files(char **a)
{
	uint64_t files = number(a[1]), n = number(a[2]);
	char path[4096], hidden[4096];

	for (uint64_t f = 0; f < files; f++) {
		snprintf(path, sizeof path, "%s/f%" PRIu64, a[0], f);
		snprintf(hidden, sizeof hidden, "%s/.f%" PRIu64, a[0], f);
		write_file(f % 2 ? hidden : path, f * n, n);
		if (f % 2 && rename(hidden, path) < 0)
			die(hidden);
	}
}

/* A socket of this port, which others may share that do not listen either; prints the port. */
static int take_port(uint64_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
	socklen_t size = sizeof at;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		die("bind");
	printf("%u\n", (unsigned)ntohs(at.sin_port));
	return fd;
}

static int take_path(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
		die(path);
	printf("%s\n", path);
	return fd;
}

static void feed_serve(char **a)
{
	int listening = strchr(a[0], '/') ? take_path(a[0]) : take_port(number(a[0])), fd;
	char text[4096];
	ssize_t n;

	if (listen(listening, 1) < 0)
		die("listen");
	fflush(stdout);
	fd = accept(listening, NULL, NULL);
	if (fd < 0)
		die("accept");
	close(listening);
	while ((n = read(0, text, sizeof text)) > 0)
		write_all(fd, text, (size_t)n);
	close(fd);
}

static void feed_hold(char **a)
{
	char text[64];

	(void)a;
	take_port(0);
	fflush(stdout);
	while (read(0, text, sizeof text) > 0)
		;
}

static void on_usr1(int sig)
{
	(void)sig;
	reopen = 1;
}

static void feed_log(char **a)
{
	uint64_t n = number(a[1]);
	char line[LINE_BYTES_MAX];
	int fd = -1;

	signal(SIGUSR1, on_usr1);
	for (uint64_t i = 0; i < n; i++) {
		if (fd < 0 || reopen) {
			reopen = 0;
			if (fd >= 0)
				close(fd);
			fd = open(a[0], O_WRONLY | O_CREAT | O_APPEND, 0666);
			if (fd < 0)
				die(a[0]);
		}
		write_all(fd, line, add_line(line, i));
	}
	close(fd);
}

static const struct {
	const char *name;
	int n_args, n_optional;
	void (*run)(char **args);
} jobs[] = {
	{ "lines", 3, 1, feed_lines }, { "many", 3, 0, feed_many }, { "half", 3, 0, feed_half },
	{ "files", 3, 0, feed_files }, { "log", 2, 0, feed_log },   { "serve", 1, 0, feed_serve },
	{ "hold", 0, 0, feed_hold },
};

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; argc > 1 && i < sizeof jobs / sizeof *jobs; i++)
		if (!strcmp(argv[1], jobs[i].name) && argc - 2 >= jobs[i].n_args &&
		    argc - 2 <= jobs[i].n_args + jobs[i].n_optional) {
			jobs[i].run(argv + 2);
			return 0;
		}
	fprintf(stderr, "usage: feed lines|many|half|files|log|serve ...\n");
	return 2;
}

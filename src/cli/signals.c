#include "config.h"

#include "cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile int stop, ask, line, wake;

static void wake_up(void)
{
	uint64_t one = 1;
	int keep = errno;

	if (wake && write(wake, &one, sizeof one) < 0)
		errno = keep; /* it is readable already */
	errno = keep;
}

static void on_stop(int sig)
{
	if (stop) {
		if (line && write(2, "\r\033[K", 4) < 0)
			_exit(128 + sig);
		_exit(128 + sig);
	}
	stop = sig;
	wake_up();
}

static void on_ask(int sig)
{
	(void)sig;
	ask = 1;
	wake_up();
}

/* Not among the first three: a closed standard input must not become it. */
static int open_wake(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), high;

	if (fd < 0 || fd > 2)
		return fd > 0 ? fd : 0;
	high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return high > 0 ? high : 0;
}

void signals_catch(void)
{
	struct sigaction stops = { .sa_handler = on_stop }, asks = { .sa_handler = on_ask };

	wake = open_wake();
	sigaction(SIGINT, &stops, NULL);
	sigaction(SIGTERM, &stops, NULL);
	sigaction(SIGUSR1, &asks, NULL);
#ifdef SIGINFO
	sigaction(SIGINFO, &asks, NULL);
#endif
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error of its sink */
}

const volatile int *signals_stop(void) { return &stop; }
volatile int *signals_ask(void) { return &ask; }
int signals_wake_fd(void) { return wake; }
void signals_line(bool drawn) { line = drawn; }

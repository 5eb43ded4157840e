#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/inspect.h"
#include "cli/report.h"
#include "cli/run.h"

/* Output of help and --version may be cut off by a full disk or a closed pipe. */
static int close_stdout(int status)
{
	bool failed = ferror(stdout);

	if ((fflush(stdout) || failed) && !status) {
		fprintf(stderr, "strm: stdout: %s\n", failed ? "cannot be written" : strerror(errno));
		return 1;
	}
	return status;
}

/* A closed standard descriptor would be the number of the next file that is opened, and that file would get the output or the
 * messages. One that refuses every use takes its place. */
static void hold_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

static int usage_error(const struct options *o, const struct err *e)
{
	report_error(o, e);
	return exit_status(e->kind);
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct err e = { 0 };
	int status;

	hold_standard_fds();
	if (argc > 1 && !strcmp(argv[1], "help"))
		return close_stdout(help_command(argc - 2, argv + 2, stdout));
	if (argc > 1 && !strcmp(argv[1], "checkpoint"))
		return close_stdout(inspect_command(argc - 2, argv + 2));
	if (options_parse(&o, argc, argv, &e)) {
		status = usage_error(&o, &e);
	} else if (o.version) {
		printf("strm %s\n", PACKAGE_VERSION);
		status = close_stdout(0);
	} else if (o.help) {
		help_usage(stdout);
		status = close_stdout(0);
	} else if (!o.n_units && !o.n_sources && !o.explain && argc == 1) {
		help_usage(stderr);
		status = 2;
	} else {
		status = run_program(&o);
	}
	options_release(&o);
	return status;
}

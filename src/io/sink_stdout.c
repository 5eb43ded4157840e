#include "io/sink_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fd.h"

/* Appending to a file that has something in it? */
static bool appends(void)
{
	int flags = fcntl(1, F_GETFL);
	struct stat st;

	return flags >= 0 && (flags & O_APPEND) && !fstat(1, &st) && S_ISREG(st.st_mode) && st.st_size > 0;
}

static struct sink *stdout_open(const struct url *u, struct err *e)
{
	struct sink *s;

	if (*u->rest) {
		err_set(e, ERR_USAGE, "%s: stdout takes no name", u->spec);
		return NULL;
	}
	s = xcalloc(1, sizeof *s);
	s->name = "stdout";
	s->fd = 1;
	s->empty = !appends();
	return s;
}

static int stdout_write(struct sink *s, const char *p, size_t n, struct err *e)
{
	if (!fd_write(1, p, n))
		return 0;
	if (errno == EPIPE)
		return SINK_CLOSED;
	return err_set(e, ERR_IO, "%s: %s", s->name, strerror(errno));
}

/* Some file systems tell of a full disk only when a descriptor is closed: a copy is closed, stdout stays open for the process. */
static int stdout_close(struct sink *s, bool keep, struct err *e)
{
	int fd = keep ? fcntl(1, F_DUPFD_CLOEXEC, 3) : -1;

	if (fd >= 0 && close(fd))
		return err_set(e, ERR_IO, "%s: %s", s->name, strerror(errno));
	return 0;
}

const struct sink_def sink_stdout = {
	.doc = {
		.name = "stdout",
		.aliases = "-",
		.synopsis = "-",
		.summary = "standard output",
		.group = "sinks",
		.text = "The sink without --to. When its reader goes away the run ends quietly.",
		.params = {
			{ "format", "name", "-o", NULL, "output format of this sink" },
		},
		.examples = {
			{ "words 'count by word' --to -", "a b a\n", "a\t2\nb\t1\n", "the default, said aloud" },
		},
	},
	.open = stdout_open,
	.write = stdout_write,
	.close = stdout_close,
};

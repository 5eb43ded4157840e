#include "io/fd.h"
#include "io/source_list.h"

static struct source *stdin_open(const struct url *u, struct err *e)
{
	struct fd_source *s;

	if (*u->rest) {
		err_set(e, ERR_USAGE, "%s: stdin takes no name", u->spec);
		return NULL;
	}
	s = fd_source_new(0, "stdin", e);
	if (!s)
		return NULL;
	s->base.name = "stdin";
	return &s->base;
}

const struct source_def source_stdin = {
	.doc = {
		.name = "stdin",
		.aliases = "-",
		.synopsis = "-",
		.summary = "standard input",
		.group = "sources",
		.text = "Read when no file and no --from is given. gzip, bzip2, xz, zstd and lz4 data is unpacked.",
		.examples = {
			{ "--from - 'count'", "a\nb\n", "2\n", "lines of stdin" },
		},
	},
	.open = stdin_open,
	.read = fd_source_read,
	.ready = fd_source_ready,
	.close = fd_source_release,
};

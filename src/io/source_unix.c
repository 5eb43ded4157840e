#include "io/dialer.h"
#include "io/source_list.h"

static struct source *unix_open(const struct url *u, struct err *e)
{
	const char *path = url_path(u);
	struct dialer *d;

	if (addr_check_path(u, path, e))
		return NULL;
	d = dialer_new(u, e);
	if (!d)
		return NULL;
	d->path = path;
	return &d->base;
}

const struct source_def source_unix = {
	.doc = {
		.name = "unix",
		.synopsis = "unix:PATH[?retry=N]",
		.summary = "connects to a Unix socket and reads what comes from it",
		.group = "sources",
		.text = "As tcp://, with the file of a stream socket in place of host and port.",
		.params = { SOURCE_READ_DOC, DIALER_RETRY_DOC },
	},
	.open = unix_open,
	.close = dialer_close,
	.live = &dialer_live,
};

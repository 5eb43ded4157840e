#include "io/listener.h"
#include "io/source_list.h"

static struct source *unix_listen_open(const struct url *u, struct err *e)
{
	const char *path = url_path(u);
	struct listener *l;

	if (addr_check_path(u, path, e))
		return NULL;
	l = listener_new(u, e);
	if (!l)
		return NULL;
	l->path = path;
	return &l->base;
}

const struct source_def source_unix_listen = {
	.doc = {
		.name = "unix-listen",
		.synopsis = "unix-listen:PATH[?OPTIONS]",
		.summary = "makes a Unix socket, waits for clients and reads what they send",
		.group = "sources",
		.text = "As tcp-listen://, with the file of a stream socket. A socket that an earlier run left behind is replaced; the file is removed at the end.",
		.params = { SOURCE_READ_DOC, LISTENER_PARAMS_DOC },
	},
	.open = unix_listen_open,
	.close = listener_close,
	.live = &listener_live,
};

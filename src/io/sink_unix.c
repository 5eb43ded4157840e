#include "io/sink_list.h"
#include "io/sink_socket.h"

static struct sink *unix_open(const struct url *u, struct err *e)
{
	return addr_check_path(u, url_path(u), e) ? NULL : sink_socket_open(u, NULL, e);
}

const struct sink_def sink_unix = {
	.doc = {
		.name = "unix",
		.synopsis = "unix:PATH[?OPTIONS]",
		.summary = "connects to a Unix socket and writes to it",
		.group = "sinks",
		.text = "As tcp://, with the file of a stream socket in place of host and port.",
		.params = { SOCKET_PARAMS_DOC },
	},
	.open = unix_open,
	.write = sink_socket_write,
	.batch_end = sink_socket_batch_end,
	.close = sink_socket_close,
};

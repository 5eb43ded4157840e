#include "io/sink_list.h"
#include "io/sink_socket.h"

static struct sink *tcp_open(const struct url *u, struct err *e)
{
	struct addr addr;

	if (addr_parse(&addr, u, false, e))
		return NULL;
	if (*addr.host)
		return sink_socket_open(u, &addr, e);
	err_set(e, ERR_USAGE, "%s: no host to connect to", u->spec);
	return NULL;
}

const struct sink_def sink_tcp = {
	.doc = {
		.name = "tcp",
		.synopsis = "tcp://HOST:PORT[?retry=N]",
		.summary = "connects to a server and writes to it",
		.group = "sinks",
		.text = "When the connection breaks the run ends with an error. What was written before may not have arrived.",
		.params = { SOCKET_PARAMS_DOC },
	},
	.open = tcp_open,
	.write = sink_socket_write,
	.batch_end = sink_socket_batch_end,
	.close = sink_socket_close,
};

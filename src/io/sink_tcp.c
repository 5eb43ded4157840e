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
		.synopsis = "tcp://HOST:PORT[?OPTIONS]",
		.summary = "connects to a server and writes to it",
		.group = "sinks",
		.text = "When the connection breaks the run ends with an error. What was written before may not have arrived.\n\n"
			"With `?ack` the other side is strm too, --from 'tcp-listen://HOST:PORT?ack', and each record arrives there once, over kills and restarts of both. "
			"What was not acknowledged is in the checkpoint and is sent again, also by the next run; the receiver acknowledges what it has committed and drops "
			"what it has already. Neither side may be without --checkpoint. The sender connects by itself, as often as it takes; while more than 256 MiB wait it "
			"waits too. At the end of the input it waits until all is acknowledged, as long as something is in `linger`; else it ends with status 1, and the "
			"next run sends the rest. A checkpoint belongs to one sender: a copy of it would send what the other one sends.\n\n"
			"The protocol: the sender begins with a line `strm-ack 1 ID FROM`, the receiver answers `strm-ack 1 AT`. Then data goes there, from byte AT of all "
			"that was ever sent on (4 bytes: how many; 8: the number of the first; the bytes), and acknowledgements come back (8: all before this number is "
			"committed). Integers are little-endian. `strm-ack no REASON` is a refusal.",
		.params = { SOCKET_PARAMS_DOC },
	},
	.open = tcp_open,
	.write = sink_socket_write,
	.batch_end = sink_socket_batch_end,
	.close = sink_socket_close,
};

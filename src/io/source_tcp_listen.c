#include <stdlib.h>

#include "io/listener.h"
#include "io/source_list.h"

static struct source *tcp_listen_open(const struct url *u, struct err *e)
{
	struct listener *l = listener_new(u, e);

	if (l && !addr_parse(&l->addr, u, true, e))
		return &l->base;
	if (l)
		listener_close(&l->base);
	free(l);
	return NULL;
}

const struct source_def source_tcp_listen = {
	.doc = {
		.name = "tcp-listen",
		.synopsis = "tcp-listen://[HOST]:PORT[?OPTIONS]",
		.summary = "waits for clients and reads what they send",
		.group = "sources",
		.text = "Without a HOST it listens on 127.0.0.1, so that only this machine can connect; a host or address listens there, * on all interfaces (write "
			"'tcp-listen://*:9999'). Port 0 lets the system choose and says which.\n\n"
			"The records of different clients are never mixed. What a client sends before it closes counts, its last line without a line end too; when "
			"the connection breaks, an unfinished line is reported as a bad record.\n\n"
			"With `?ack` the clients are strm, --to 'tcp://HOST:PORT?ack', and each of their records comes once, over kills and restarts of both sides "
			"(`strm help tcp`). What a sender gives is one stream, over all its connections; @file is its identity.",
		.params = { SOURCE_READ_DOC, LISTENER_PARAMS_DOC },
	},
	.open = tcp_listen_open,
	.close = listener_close,
	.live = &listener_live,
};

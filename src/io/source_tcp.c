#include <stdlib.h>

#include "io/dialer.h"
#include "io/source_list.h"

static struct source *tcp_open(const struct url *u, struct err *e)
{
	struct dialer *d = dialer_new(u, e);

	if (!d || addr_parse(&d->addr, u, false, e))
		goto fail;
	if (*d->addr.host)
		return &d->base;
	err_set(e, ERR_USAGE, "%s: no host to connect to", u->spec);
	err_hint(e, "tcp://localhost:%u, or tcp-listen://:%u to be connected to", d->addr.port, d->addr.port);
fail:
	if (d)
		dialer_close(&d->base);
	free(d);
	return NULL;
}

const struct source_def source_tcp = {
	.doc = {
		.name = "tcp",
		.synopsis = "tcp://HOST:PORT[?retry=N]",
		.summary = "connects to a server and reads what it sends",
		.group = "sources",
		.text = "The addresses of the host are tried in turn. Without retry it connects again whenever nobody answers or the connection ends, after 0.1s, "
			"0.2s, 0.4s and so on up to 10s; a connection that gave something starts the waits anew. What a server sends before it closes counts, "
			"its last line without a line end too; when the connection breaks, an unfinished line is reported as a bad record.",
		.params = { SOURCE_READ_DOC, DIALER_RETRY_DOC },
	},
	.open = tcp_open,
	.close = dialer_close,
	.live = &dialer_live,
};

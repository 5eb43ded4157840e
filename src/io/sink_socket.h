/* Sinks that connect: tcp and unix have all but the address in common. */
#ifndef STRM_IO_SINK_SOCKET_H
#define STRM_IO_SINK_SOCKET_H
#include "io/addr.h"
#include "io/sink.h"

#define SOCKET_PARAMS_DOC \
	{ "ack", "flag", "off", NULL, "to a strm that acknowledges: each record arrives once, over restarts of both; needs --checkpoint" }, \
	{ "linger", "duration", "10s", "0s..1d", "with ack: how long to wait at the end while nothing is acknowledged" }, \
	{ "retry", "int", "0", "0..1000000", \
	  "how often in a row to try again, with waits of 0.1s to 10s, when nobody answers at the start" }, \
	{ \
		"format", "name", "-o", NULL, "output format of this sink" \
	}

/* Connects to the host and port, or with addr NULL to the path of a Unix socket, as often as the retry option allows. NULL and
 * err. */
struct sink *sink_socket_open(const struct url *u, const struct addr *addr, struct err *e);
/* One try, for so many seconds at most. A descriptor, or -1 and *why. */
int sink_socket_connect(const struct url *u, const struct addr *addr, int seconds, const char **why);
int sink_socket_write(struct sink *s, const char *p, size_t n, struct err *e);
int sink_socket_batch_end(struct sink *s, uint64_t batch, struct err *e);
int sink_socket_close(struct sink *s, bool keep, struct err *e);

#endif

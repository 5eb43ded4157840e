/* HOST:PORT of a URL, as in //localhost:9999, //[::1]:9999, //:9999 (no host) or :9999. */
#ifndef STRM_IO_ADDR_H
#define STRM_IO_ADDR_H
#include <stdbool.h>
#include <sys/socket.h>

#include "io/url.h"

#define ADDR_HOST_MAX 256 /* bytes of a host's name, with the NUL */
#define ADDR_TEXT_MAX 80  /* "[address]:port", with the NUL */

struct addr {
	char host[ADDR_HOST_MAX]; /* "" when none is given */
	unsigned port;
};

/* The address in u's rest; port 0 only with `any_port` (the system picks one). 0, or -1 and err (ERR_USAGE). */
int addr_parse(struct addr *a, const struct url *u, bool any_port, struct err *e);
/* Where to listen: without a host the loopback interface (127.0.0.1), with "*" all interfaces. Looks names up, waiting for the
 * answer. 0, or -1 and err. */
int addr_local(const struct addr *a, const char *name, struct sockaddr_storage *out, struct err *e);
/* What getaddrinfo is to look up to connect to it: for "localhost" NULL, which gives the loopback addresses, also where there is no hosts file. */
const char *addr_lookup_name(const struct addr *a);
/* "127.0.0.1:80", "[::1]:80"; into p[0..ADDR_TEXT_MAX). */
void addr_text(const struct sockaddr *sa, char *p);
/* Can it be the path of a Unix socket (not empty, not too long)? 0, or -1 and err (ERR_USAGE). */
int addr_check_path(const struct url *u, const char *path, struct err *e);

#endif

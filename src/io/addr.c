#include "io/addr.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <uv.h>

#include "base/num.h"

static int malformed(const struct url *u, struct err *e)
{
	err_set(e, ERR_USAGE, "%s: '%s' is not HOST:PORT", u->spec, u->rest);
	return err_hint(e, "for example %s://localhost:9999", u->scheme);
}

static int parse_port(struct addr *a, const struct url *u, const char *p, bool any_port, struct err *e)
{
	struct num num;

	if (!*p || strspn(p, "0123456789") != strlen(p))
		return malformed(u, e);
	if (num_parse(p, strlen(p), &num) != NUM_INT || num.i > 65535 || (!num.i && !any_port))
		return err_set(e, ERR_USAGE, "%s: no such port '%s'", u->spec, p);
	a->port = (unsigned)num.i;
	return 0;
}

int addr_parse(struct addr *a, const struct url *u, bool any_port, struct err *e)
{
	const char *p = u->rest + (strncmp(u->rest, "//", 2) ? 0 : 2), *colon = strrchr(p, ':');
	size_t n = colon ? (size_t)(colon - p) : 0;

	if (!colon || n >= sizeof a->host)
		return malformed(u, e);
	if (*p == '[' && n > 1 && p[n - 1] == ']') {
		p++;
		n -= 2;
	} else if (memchr(p, ':', n)) {
		err_set(e, ERR_USAGE, "%s: '%.*s' is not a host's name", u->spec, (int)n, p);
		return err_hint(e, "an IPv6 address stands in brackets: [::1]:%s", colon + 1);
	}
	if (memchr(p, '/', n))
		return malformed(u, e);
	memcpy(a->host, p, n);
	a->host[n] = 0;
	return parse_port(a, u, colon + 1, any_port, e);
}

const char *addr_lookup_name(const struct addr *a) { return strcmp(a->host, "localhost") ? a->host : NULL; }

static int lookup(const struct addr *a, const char *name, struct sockaddr_storage *out, struct err *e)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
	int r;

	if (!strcmp(a->host, "localhost")) /* also where there is no hosts file */
		return uv_ip4_addr("127.0.0.1", (int)a->port, (struct sockaddr_in *)out);
	r = getaddrinfo(a->host, NULL, &want, &found);
	if (r)
		return err_set(e, ERR_IO, "%s: %s: %s", name, a->host, gai_strerror(r));
	memcpy(out, found->ai_addr, found->ai_addrlen);
	((struct sockaddr_in *)out)->sin_port = htons((uint16_t)a->port); /* in the same place in both families */
	freeaddrinfo(found);
	return 0;
}

static bool has_ipv6(void)
{
	uv_interface_address_t *list;
	bool found = false;
	int n;

	if (uv_interface_addresses(&list, &n))
		return false;
	for (int i = 0; i < n; i++)
		found |= list[i].address.address4.sin_family == AF_INET6;
	uv_free_interface_addresses(list, n);
	return found;
}

int addr_local(const struct addr *a, const char *name, struct sockaddr_storage *out, struct err *e)
{
	const char *host = a->host;

	memset(out, 0, sizeof *out);
	if (!*host || !strcmp(host, "localhost")) /* whatever the hosts file says, or where there is none */
		host = "127.0.0.1";
	else if (!strcmp(host, "*"))
		host = has_ipv6() ? "::" : "0.0.0.0";
	if (!uv_ip4_addr(host, (int)a->port, (struct sockaddr_in *)out) ||
	    !uv_ip6_addr(host, (int)a->port, (struct sockaddr_in6 *)out))
		return 0;
	return lookup(a, name, out, e);
}

void addr_text(const struct sockaddr *sa, char *p)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)sa;

		uv_ip6_name(in, host, sizeof host);
		snprintf(p, ADDR_TEXT_MAX, "[%s]:%u", host, ntohs(in->sin6_port));
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

		uv_ip4_name(in, host, sizeof host);
		snprintf(p, ADDR_TEXT_MAX, "%s:%u", host, ntohs(in->sin_port));
	}
}

int addr_check_path(const struct url *u, const char *path, struct err *e)
{
	const size_t max = sizeof((struct sockaddr_un *)0)->sun_path - 1;

	if (!*path)
		return err_set(e, ERR_USAGE, "%s: no path of a socket", u->spec);
	if (strlen(path) > max)
		return err_set(e, ERR_USAGE, "%s: the path of a socket has at most %zu bytes", u->spec, max);
	return 0;
}

/* Internet addresses: IPv4 in four decimal numbers, IPv6 by RFC 4291, networks as ADDRESS/BITS. */
#define FN_GROUP "internet addresses"
#include <arpa/inet.h>

#include "expr/fn_impl.h"

struct ip {
	unsigned char b[16];
	unsigned bits; /* 32 or 128, 0: not an address */
};

static struct ip ip_parse(const char *p, size_t n)
{
	struct ip ip = { .bits = 0 };
	char text[INET6_ADDRSTRLEN];

	if (n >= sizeof text || memchr(p, 0, n))
		return ip;
	memcpy(text, p, n);
	text[n] = 0;
	if (inet_pton(AF_INET, text, ip.b) == 1)
		ip.bits = 32;
	else if (inet_pton(AF_INET6, text, ip.b) == 1)
		ip.bits = 128;
	return ip;
}

static void ip_out(struct fn_call *c, const struct ip *ip, struct value *out)
{
	char *d = arena_bytes(c->arena, INET6_ADDRSTRLEN);

	inet_ntop(ip->bits == 32 ? AF_INET : AF_INET6, ip->b, d, INET6_ADDRSTRLEN);
	*out = v_str(d, strlen(d));
}

static bool ip_arg(struct fn_call *c, const struct value *v, struct ip *ip)
{
	struct fn_text t;

	if (!fn_text(c, v, &t))
		return false;
	*ip = ip_parse(t.p, t.n);
	return ip->bits || fn_fail(c, "not an IP address");
}

/* Version of an address in a text: 4, 6 or 0. */
static unsigned version_of(struct fn_call *c, const struct value *v)
{
	struct fn_text t;
	struct ip ip;

	if (!type_is_bytes(v->type) || !fn_text(c, v, &t))
		return 0;
	ip = ip_parse(t.p, t.n);
	return ip.bits == 32 ? 4 : ip.bits ? 6 : 0;
}

static void row_is_ip(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	*out = v_bool(version_of(c, v) != 0);
}

static void row_is_ipv4(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	*out = v_bool(version_of(c, v) == 4);
}

static void row_is_ipv6(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	*out = v_bool(version_of(c, v) == 6);
}

/* ---- networks ---- */

static bool same_bits(const struct ip *a, const struct ip *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a->b, b->b, whole))
		return false;
	return !rest || (a->b[whole] ^ b->b[whole]) >> (8 - rest) == 0;
}

/* ADDRESS/BITS; without bits all of them. */
static bool net_parse(struct fn_text t, struct ip *ip, unsigned *bits)
{
	const char *slash = t.n ? memchr(t.p, '/', t.n) : NULL;
	struct num n;

	*ip = ip_parse(t.p, slash ? (size_t)(slash - t.p) : t.n);
	*bits = ip->bits;
	if (slash) {
		if (num_parse(slash + 1, (size_t)(t.p + t.n - slash) - 1, &n) != NUM_INT || n.i < 0 || n.i > ip->bits)
			return false;
		*bits = (unsigned)n.i;
	}
	return ip->bits > 0;
}

/* An IPv4 address written as IPv6 (::ffff:1.2.3.4) is that IPv4 address. */
static void unmap(struct ip *ip)
{
	static const unsigned char prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };

	if (ip->bits != 128 || memcmp(ip->b, prefix, 12))
		return;
	memmove(ip->b, ip->b + 12, 4);
	ip->bits = 32;
}

/* 1, 0, or -1 when the network is malformed. */
static int ip_in_net(const struct ip *ip, struct fn_text net)
{
	struct ip base;
	unsigned bits;

	if (!net_parse(net, &base, &bits))
		return -1;
	return base.bits == ip->bits && same_bits(ip, &base, bits);
}

static void row_ip_in(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const struct value *nets = v[1].type == T_LIST ? v[1].items : &v[1];
	uint32_t count = v[1].type == T_LIST ? v[1].n : 1;
	struct fn_text net;
	struct ip ip;
	int in = 0;

	(void)n;
	if (!ip_arg(c, &v[0], &ip))
		return;
	unmap(&ip);
	for (uint32_t i = 0; i < count && in == 0; i++) {
		if (!fn_text(c, &nets[i], &net))
			return;
		in = ip_in_net(&ip, net);
	}
	if (in < 0)
		fn_fail(c, "not a network like 10.0.0.0/8");
	else
		*out = v_bool(in);
}

static void row_is_private_ip(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	/* RFC 1918, 3927, 4193, 4291; loopback too */
	static const char *const nets[] = { "10.0.0.0/8",  "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
					    "127.0.0.0/8", "fc00::/7",	    "fe80::/10",      "::1/128" };
	struct ip ip;
	bool in = false;

	(void)n;
	if (!ip_arg(c, v, &ip))
		return;
	unmap(&ip);
	for (unsigned i = 0; i < ARRAY_LEN(nets); i++)
		in |= ip_in_net(&ip, (struct fn_text){ nets[i], strlen(nets[i]) }) == 1;
	*out = v_bool(in);
}

static void mask(struct ip *ip, unsigned bits)
{
	for (unsigned i = bits; i < ip->bits; i++)
		ip->b[i / 8] &= (unsigned char)~(0x80 >> i % 8);
}

static void row_ip_prefix(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value text;
	int64_t bits;
	struct ip ip;
	char *d;

	(void)n;
	if (!ip_arg(c, &v[0], &ip) || !fn_arg_int(c, &v[1], &bits))
		return;
	if (bits < 0 || bits > ip.bits) {
		fn_fail(c, "more bits than the address has");
		return;
	}
	mask(&ip, (unsigned)bits);
	ip_out(c, &ip, &text);
	d = arena_printf(c->arena, "%.*s/%d", (int)text.n, text.s, (int)bits);
	*out = v_str(d, strlen(d));
}

/* ---- numbers ---- */

static void row_ip_to_int(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct ip ip;

	(void)n;
	if (!ip_arg(c, v, &ip))
		return;
	unmap(&ip);
	if (ip.bits == 32)
		*out = v_int((int64_t)ip.b[0] << 24 | ip.b[1] << 16 | ip.b[2] << 8 | ip.b[3]);
	else
		fn_fail(c, "an IPv6 address is more than 64 bits");
}

static void row_int_to_ip(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct ip ip = { .bits = 32 };
	int64_t x;

	(void)n;
	if (!fn_arg_int(c, v, &x))
		return;
	if (x < 0 || x > UINT32_MAX) {
		fn_fail(c, "not a number of 32 bits");
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		ip.b[i] = (unsigned char)(x >> (24 - 8 * i));
	ip_out(c, &ip, out);
}

static void row_ip_text(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct ip ip;

	(void)n;
	if (!ip_arg(c, v, &ip))
		return;
	unmap(&ip);
	ip_out(c, &ip, out);
}

#define IP(name, sum, expr, result) \
	{ \
		FN_DOC(#name, #name "(S)", sum), FN_EX(EX(expr, result)), FN_ARGS(1, 1), .row = row_##name \
	}

static const struct fn_def defs[] = {
	IP(is_ip, "is it an IPv4 or IPv6 address", "is_ip(\"::1\")", "true"),
	IP(is_ipv4, "is it an IPv4 address", "is_ipv4(\"10.0.0.256\")", "false"),
	IP(is_ipv6, "is it an IPv6 address", "is_ipv6(\"2001:db8::1\")", "true"),
	IP(is_private_ip, "is it of a private, link-local or loopback network", "is_private_ip(\"192.168.1.7\")", "true"),
	{ FN_DOC("ip_in", "ip_in(IP, NET)", "is the address in the network ADDRESS/BITS, or in one of a list of them"),
	  .doc.aliases = "cidr_match ip_in_range",
	  FN_EX(EX("ip_in(\"10.1.2.3\", \"10.0.0.0/8\")", "true"),
		EX("ip_in(\"8.8.8.8\", [\"10.0.0.0/8\", \"fc00::/7\"])", "false")),
	  FN_ARGS(2, 2), .row = row_ip_in },
	{ FN_DOC("ip_prefix", "ip_prefix(IP, BITS)", "the network of the first BITS bits of an address"),
	  .doc.aliases = "ip_trunc", FN_EX(EX("ip_prefix(\"10.1.2.3\", 16)", "\"10.1.0.0/16\"")), FN_ARGS(2, 2),
	  .row = row_ip_prefix },
	IP(ip_to_int, "an IPv4 address as a number", "ip_to_int(\"10.0.0.1\")", "167772161"),
	{ FN_DOC("int_to_ip", "int_to_ip(N)", "the IPv4 address of this number"),
	  FN_EX(EX("int_to_ip(167772161)", "\"10.0.0.1\"")), FN_ARGS(1, 1), .row = row_int_to_ip },
	IP(ip_text, "an address in its shortest usual spelling", "ip_text(\"2001:0db8:0:0::1\")", "\"2001:db8::1\""),
};

FN_FAMILY(fn_family_ip);

/* URLs (RFC 3986) and file names. */
#define FN_GROUP "urls and paths"
#include "data/json_value.h"
#include "expr/fn_impl.h"

/* Parts of a URL as views; p NULL where it has none. */
struct url {
	struct fn_text scheme, user, host, port, path, query, fragment;
};

static struct fn_text span(const char *from, const char *to) { return (struct fn_text){ from, (size_t)(to - from) }; }

static const char *scan(const char *p, const char *end, const char *stops)
{
	while (p < end && (!*p || !strchr(stops, *p)))
		p++;
	return p;
}

static bool is_scheme(struct fn_text t)
{
	for (size_t i = 0; i < t.n; i++) {
		bool letter = ((unsigned char)t.p[i] | 32u) - 'a' < 26;

		if (!letter && (i == 0 || !((unsigned)(t.p[i] - '0') < 10 || strchr("+-.", t.p[i]) || !t.p[i])))
			return false;
	}
	return t.n > 0;
}

/* user@host:port, with [IPv6] as host. */
static void split_authority(const char *p, const char *end, struct url *u)
{
	const char *at = memrchr(p, '@', (size_t)(end - p)), *close, *colon;

	if (at) {
		u->user = span(p, at);
		p = at + 1;
	}
	close = p < end && *p == '[' ? memchr(p, ']', (size_t)(end - p)) : NULL;
	colon = memrchr(close ? close : p, ':', (size_t)(end - (close ? close : p)));
	if (colon)
		u->port = span(colon + 1, end);
	u->host = close ? span(p + 1, close) : span(p, colon ? colon : end);
}

static void url_split(struct fn_text t, struct url *u)
{
	const char *p = t.p, *end = t.p + t.n, *stop;

	*u = (struct url){ .scheme = { NULL, 0 } };
	stop = scan(p, end, ":/?#");
	if (stop < end && *stop == ':' && is_scheme(span(p, stop))) {
		u->scheme = span(p, stop);
		p = stop + 1;
	}
	if (end - p >= 2 && p[0] == '/' && p[1] == '/') {
		stop = scan(p + 2, end, "/?#");
		split_authority(p + 2, stop, u);
		p = stop;
	}
	stop = scan(p, end, "?#");
	u->path = span(p, stop);
	p = stop;
	if (p < end && *p == '?') {
		stop = scan(p + 1, end, "#");
		u->query = span(p + 1, stop);
		p = stop;
	}
	if (p < end)
		u->fragment = span(p + 1, end);
}

static bool url_of(struct fn_call *c, const struct value *v, struct url *u)
{
	struct fn_text t;

	if (!fn_text(c, v, &t))
		return false;
	url_split(t, u);
	return true;
}

static struct value text_or_null(struct fn_text t) { return t.p ? v_str(t.p, t.n) : v_null(); }

#define URL_PART(part) \
	static void row_##part(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) \
	{ \
		struct url u; \
\
		(void)n; \
		if (url_of(c, v, &u)) \
			*out = text_or_null(u.part); \
	}
URL_PART(scheme)
URL_PART(user)
URL_PART(host)
URL_PART(path)
URL_PART(query)
URL_PART(fragment)

static struct value port_value(const struct url *u)
{
	struct num n;

	if (u->port.n && (unsigned)(*u->port.p - '0') < 10 && num_parse(u->port.p, u->port.n, &n) == NUM_INT && n.i >= 0 &&
	    n.i < 65536)
		return v_int(n.i);
	return v_null();
}

static void row_port(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct url u;

	(void)n;
	if (url_of(c, v, &u))
		*out = port_value(&u);
}

/* ---- percent encoding ---- */

static int hex_value(char ch)
{
	unsigned letter = ((unsigned char)ch | 32u) - 'a';

	return (unsigned)(ch - '0') < 10 ? ch - '0' : letter < 6 ? (int)letter + 10 : -1;
}

/* A view where there is nothing to decode. A % without two hex digits stays. */
static struct value decoded(struct fn_call *c, struct fn_text t, bool plus)
{
	size_t at = 0;
	char *d;

	if (!t.n || (!memchr(t.p, '%', t.n) && !(plus && memchr(t.p, '+', t.n))))
		return v_str(t.p ? t.p : "", t.n);
	d = arena_bytes(c->arena, t.n);
	for (size_t i = 0; i < t.n; i++) {
		int high = t.p[i] == '%' && i + 2 < t.n ? hex_value(t.p[i + 1]) : -1,
		    low = high >= 0 ? hex_value(t.p[i + 2]) : -1;

		if (low >= 0) {
			d[at++] = (char)(high << 4 | low);
			i += 2;
		} else {
			d[at++] = plus && t.p[i] == '+' ? ' ' : t.p[i];
		}
	}
	return v_str(d, at);
}

static void row_url_decode(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;

	(void)n;
	if (fn_text(c, v, &t))
		*out = decoded(c, t, true);
}

static void encode(struct fn_sb *b, struct fn_text t)
{
	static const char digit[] = "0123456789ABCDEF";

	for (size_t i = 0; i < t.n; i++) {
		unsigned char ch = (unsigned char)t.p[i];
		bool plain = (ch | 32u) - 'a' < 26 || ch - 48u < 10 || ch == '-' || ch == '.' || ch == '_' || ch == '~';
		char code[3] = { '%', digit[ch >> 4], digit[ch & 15] };

		if (plain)
			fn_sb_char(b, t.p[i]);
		else
			fn_sb_add(b, code, 3);
	}
}

static void row_url_encode(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	encode(&b, t);
	fn_sb_out(&b, out);
}

/* ---- queries ---- */

/* The query of a URL; a text without '?' that has a '=' is a query itself. */
static bool query_of(struct fn_call *c, const struct value *v, struct fn_text *q)
{
	struct fn_text t;
	struct url u;

	if (!fn_text(c, v, &t))
		return false;
	url_split(t, &u);
	*q = u.query;
	if (!q->p && !u.host.p && !u.scheme.p && memchr(t.p, '=', t.n))
		*q = t;
	return true;
}

/* Takes the next name=value off *q; false at the end. value.p NULL: no '='. */
static bool next_param(struct fn_text *q, struct fn_text *name, struct fn_text *value)
{
	const char *end, *eq;

	while (q->n && *q->p == '&') {
		q->p++;
		q->n--;
	}
	if (!q->n)
		return false;
	end = scan(q->p, q->p + q->n, "&");
	eq = memchr(q->p, '=', (size_t)(end - q->p));
	*name = span(q->p, eq ? eq : end);
	*value = eq ? span(eq + 1, end) : (struct fn_text){ NULL, 0 };
	q->n -= (size_t)(end - q->p);
	q->p = end;
	return true;
}

static void row_url_param(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text q, want, name, value;

	(void)n;
	if (!query_of(c, &v[0], &q) || !fn_text(c, &v[1], &want))
		return;
	while (next_param(&q, &name, &value)) {
		struct value plain = decoded(c, name, true);

		if (plain.n == want.n && !memcmp(plain.s, want.p, want.n)) {
			*out = decoded(c, value, true);
			return;
		}
	}
}

static size_t count_params(struct fn_text q)
{
	size_t count = 1;

	for (size_t i = 0; i < q.n; i++)
		count += q.p[i] == '&';
	return count;
}

static struct value params_object(struct fn_call *c, struct fn_text q)
{
	struct field *f = fn_fields(c, count_params(q));
	struct fn_text name, value;
	size_t used = 0;

	if (!f)
		return v_null();
	while (next_param(&q, &name, &value)) {
		struct value plain = decoded(c, name, true), text = decoded(c, value, true);

		f[used++] = fn_field(plain.s, plain.n, v_text(text.s, text.n));
	}
	return v_object(f, fields_unique(f, used));
}

static void row_url_params(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text q;

	(void)n;
	if (query_of(c, v, &q))
		*out = params_object(c, q);
}

static void row_url_query_text(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct fn_text t;

	(void)n;
	if (v->type != T_OBJECT) {
		fn_fail(c, "not an object");
		return;
	}
	for (uint32_t i = 0; i < v->n; i++) {
		if (i)
			fn_sb_char(&b, '&');
		encode(&b, (struct fn_text){ v->fields[i].name, v->fields[i].name_n });
		if (v->fields[i].v.type == T_NULL)
			continue;
		if (!fn_text(c, &v->fields[i].v, &t))
			return;
		fn_sb_char(&b, '=');
		encode(&b, t);
	}
	fn_sb_out(&b, out);
}

static void row_url_parse(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct field *f;
	struct url u;

	(void)n;
	if (!url_of(c, v, &u) || !(f = fn_fields(c, 7)))
		return;
	f[0] = fn_field("scheme", 6, text_or_null(u.scheme));
	f[1] = fn_field("user", 4, text_or_null(u.user));
	f[2] = fn_field("host", 4, text_or_null(u.host));
	f[3] = fn_field("port", 4, port_value(&u));
	f[4] = fn_field("path", 4, v_str(u.path.p, u.path.n));
	f[5] = fn_field("query", 5, u.query.p ? params_object(c, u.query) : v_null());
	f[6] = fn_field("fragment", 8, text_or_null(u.fragment));
	*out = v_object(f, 7);
}

/* ---- file names ---- */

static struct fn_text without_slashes(struct fn_text t)
{
	while (t.n > 1 && t.p[t.n - 1] == '/')
		t.n--;
	return t;
}

static struct fn_text base_of(struct fn_text t)
{
	const char *slash;

	t = without_slashes(t);
	slash = t.n > 1 ? memrchr(t.p, '/', t.n) : NULL;
	return slash ? span(slash + 1, t.p + t.n) : t;
}

static void row_basename(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t, suffix = { "", 0 };

	if (!fn_text(c, &v[0], &t) || (n > 1 && !fn_text(c, &v[1], &suffix)))
		return;
	t = base_of(t);
	if (suffix.n && t.n > suffix.n && !memcmp(t.p + t.n - suffix.n, suffix.p, suffix.n))
		t.n -= suffix.n;
	*out = v_str(t.p, t.n);
}

static void row_dirname(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const char *slash;
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	t = without_slashes(t);
	slash = t.n ? memrchr(t.p, '/', t.n) : NULL;
	if (!slash) {
		*out = v_str(".", 1);
		return;
	}
	t = without_slashes(span(t.p, slash + 1));
	*out = v_str(t.p, t.n);
}

/* The dot before the extension; NULL without one. A name that starts with its only dot has none. */
static const char *dot_of(struct fn_text base)
{
	const char *dot = base.n ? memrchr(base.p, '.', base.n) : NULL;

	return dot > base.p ? dot : NULL;
}

static void row_extension(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const char *dot;
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	t = base_of(t);
	dot = dot_of(t);
	*out = dot ? v_str(dot + 1, (size_t)(t.p + t.n - dot) - 1) : v_str("", 0);
}

static void row_stem(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const char *dot;
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	t = base_of(t);
	dot = dot_of(t);
	*out = v_str(t.p, dot ? (size_t)(dot - t.p) : t.n);
}

static void row_path_join(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct fn_text t;

	for (uint32_t i = 0; i < n; i++) {
		if (!fn_text(c, &v[i], &t))
			return;
		if (t.n && *t.p == '/')
			b.n = 0;
		else if (b.n && t.n && b.p[b.n - 1] != '/')
			fn_sb_char(&b, '/');
		fn_sb_text(&b, t);
	}
	fn_sb_out(&b, out);
}

#define U0 "\"https://me@example.org:8080/a/b.html?q=x+y&n=5#top\""
#define URL(name, row_, alias, sum, result) \
	{ \
		FN_DOC(name, name "(URL)", sum), .doc.aliases = alias, FN_EX(EX(name "(" U0 ")", result)), FN_ARGS(1, 1), \
						 .row = row_ \
	}
#define PATH(name, syn, row_, least, most, sum, ...) \
	{ \
		FN_DOC(name, syn, sum), FN_EX(__VA_ARGS__), FN_ARGS(least, most), .row = row_ \
	}

static const struct fn_def defs[] = {
	URL("url_scheme", row_scheme, "url_protocol", "scheme of a URL, null without one", "\"https\""),
	URL("url_user", row_user, NULL, "user part, null without one", "\"me\""),
	URL("url_host", row_host, NULL, "host, null without one", "\"example.org\""),
	URL("url_port", row_port, NULL, "port, null without one", "8080"),
	URL("url_path", row_path, NULL, "path", "\"/a/b.html\""),
	URL("url_query", row_query, NULL, "query, still encoded, null without one", "\"q=x+y&n=5\""),
	URL("url_fragment", row_fragment, NULL, "fragment, null without one", "\"top\""),
	{ FN_DOC("url_param", "url_param(URL, NAME)",
		 "decoded value of a query parameter, of a URL or a bare query; null without it"),
	  FN_EX(EX("url_param(" U0 ", \"q\")", "\"x y\"")), FN_ARGS(2, 2), .row = row_url_param },
	URL("url_params", row_url_params, NULL, "object of the query's parameters, decoded", "{\"q\":\"x y\",\"n\":5}"),
	URL("url_parse", row_url_parse, "parse_url", "object of all parts",
	    "{\"scheme\":\"https\",\"user\":\"me\",\"host\":\"example.org\",\"port\":8080,\"path\":\"/a/"
	    "b.html\",\"query\":{\"q\":\"x y\",\"n\":5},\"fragment\":\"top\"}"),
	PATH("url_query_text", "url_query_text(OBJECT)", row_url_query_text, 1, 1, "query of an object's fields, encoded",
	     EX("url_query_text({q: \"x y\", n: 5})", "\"q=x%20y&n=5\"")),
	PATH("url_encode", "url_encode(S)", row_url_encode, 1, 1, "all but letters, digits and -._~ as %XX",
	     EX("url_encode(\"a b/\xC3\xA9\")", "\"a%20b%2F%C3%A9\"")),
	PATH("url_decode", "url_decode(S)", row_url_decode, 1, 1, "%XX as bytes and + as a blank",
	     EX("url_decode(\"a%20b+%C3%A9\")", "\"a b \xC3\xA9\"")),
	PATH("basename", "basename(PATH [, SUFFIX])", row_basename, 1, 2, "last component of a file name",
	     EX("basename(\"/var/log/app.log\")", "\"app.log\""), EX("basename(\"a/b.gz\", \".gz\")", "\"b\"")),
	PATH("dirname", "dirname(PATH)", row_dirname, 1, 1, "all but the last component",
	     EX("dirname(\"/var/log/app.log\")", "\"/var/log\""), EX("dirname(\"a\")", "\".\"")),
	PATH("extension", "extension(PATH)", row_extension, 1, 1, "what stands behind the last dot of the last component",
	     EX("extension(\"a.tar.gz\")", "\"gz\"")),
	PATH("stem", "stem(PATH)", row_stem, 1, 1, "last component without its extension", EX("stem(\"/tmp/a.txt\")", "\"a\"")),
	PATH("path_join", "path_join(PATH ...)", row_path_join, 1, FN_ANY,
	     "components with a slash between them; an absolute one starts anew",
	     EX("path_join(\"/var\", \"log\", \"a.log\")", "\"/var/log/a.log\"")),
};

FN_FAMILY(fn_family_url);

/* Access logs: the common and combined formats of Apache, nginx and their kin. */
#include "codec/pattern_impl.h"

#include <assert.h>

enum log_field {
	F_IP,
	F_IDENTITY,
	F_USER,
	F_TIME,
	F_METHOD,
	F_PATH,
	F_PROTOCOL,
	F_STATUS,
	F_SIZE,
	F_REFERER,
	F_AGENT,
	F_REQUEST,
	F_LAST
};

static const char *const combined_fields[] = {
	"ip", "identity", "user", "time", "method", "path", "protocol", "status", "size", "referer", "agent", "request",
};

/* `common` has the same slots but for the two it lacks; its request takes the place of the referer. */
static const char *const common_fields[] = {
	"ip", "identity", "user", "time", "method", "path", "protocol", "status", "size", "request",
};

#define F_COMMON_REQUEST F_REFERER
#define REQUEST_PARTS ((uint64_t)1 << F_METHOD | (uint64_t)1 << F_PATH | (uint64_t)1 << F_PROTOCOL)

struct log_pattern {
	struct pattern base;
	pattern_quotes_fn *quotes;
};

static struct pattern *log_open(void)
{
	struct log_pattern *l = xcalloc(1, sizeof *l);

	l->quotes = pattern_quotes();
	return &l->base;
}

static struct value text_or_dash(const char *s, size_t n) { return n == 1 && *s == '-' ? v_null() : v_text(s, n); }

static bool digit(char c) { return (unsigned char)(c - '0') < 10; }

/* Where the time's bracket opens in a head that ends in "] ": 27 bytes before in every usual log, else the last one. 0: nowhere.
 */
static size_t head_bracket(const char *s, size_t n)
{
	const char *at;

	if (likely(n > 29 && s[n - 29] == '['))
		return n - 29;
	at = memrchr(s, '[', n - 2);
	return at ? (size_t)(at - s) : 0;
}

/* The next blank at or after `from`, n when there is none; `blanks` knows the first 64 bytes. */
static size_t next_blank(const char *s, size_t n, size_t from, uint64_t blanks)
{
	const char *at;

	if (likely(from < 64 && blanks >> from))
		return from + (size_t)__builtin_ctzll(blanks >> from);
	at = from < n ? memchr(s + from, ' ', n - from) : NULL;
	return at ? (size_t)(at - s) : n;
}

/* "IP IDENTITY USER [TIME] ", all of s[0..n). A user may have blanks in it. */
static const char *log_head(const char *s, size_t n, uint64_t blanks, struct value *v)
{
	size_t open, a, b;

	if (n < 2 || s[n - 1] != ' ' || s[n - 2] != ']')
		return "no [time] before the request";
	open = head_bracket(s, n);
	if (!open || s[open - 1] != ' ' || open + 3 >= n)
		return "no [time] before the request";
	a = next_blank(s, n, 0, blanks);
	b = next_blank(s, n, a + 1, blanks);
	if (!a || b == a + 1 || b + 2 >= open)
		return "no 'ip identity user' before the time";
	v[F_IP] = v_text(s, a);
	v[F_IDENTITY] = text_or_dash(s + a + 1, b - a - 1);
	v[F_USER] = text_or_dash(s + b + 1, open - b - 2);
	v[F_TIME] = v_text(s + open + 1, n - open - 3);
	return NULL;
}

/* Is each of the 8 bytes a digit? The high nibbles must be 3, and stay so when 6 is added. */
static bool eight_digits(uint64_t x)
{
	uint64_t high = 0xF0F0F0F0F0F0F0F0, three = 0x3030303030303030;

	return (x & high) == three && ((x + 0x0606060606060606) & high) == three;
}

/* Digits at s[0..n), at least one, with 7 readable bytes before them? */
static bool all_digits(const char *s, size_t n)
{
	uint64_t x;

	if (unlikely(n - 1 > 7)) {
		for (size_t i = 0; i < n; i++)
			if (!digit(s[i]))
				return false;
		return n > 0;
	}
	memcpy(&x, s + n - 8, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	/* the n digits are the high bytes; zeros take the place of what stands before them */
	if (n < 8)
		x = x >> (64 - 8 * n) << (64 - 8 * n) | 0x3030303030303030 >> 8 * n;
	return eight_digits(x);
}

static bool is_dash(const char *s, size_t n) { return n == 1 && *s == '-'; }

/* " STATUS SIZE" at s + at, before the end n of the line. Each is digits or "-". *end: where the size ends. */
static const char *log_status(const char *s, size_t at, size_t n, size_t *end, struct value *v)
{
	const char *p = s + at + 1, *blank;
	size_t len;

	if (n - at < 4 || s[at] != ' ')
		return "no status after the request";
	len = *p == '-' ? 1 : 3;
	if (n - at < len + 3 || p[len] != ' ' || (len == 3 && !all_digits(p, 3)))
		return "no status after the request";
	v[F_STATUS] = text_or_dash(p, len);
	p += len + 1;
	blank = memchr(p, ' ', (size_t)(s + n - p));
	len = (size_t)((blank ? blank : s + n) - p);
	if (!is_dash(p, len) && !all_digits(p, len))
		return "no size after the status";
	v[F_SIZE] = text_or_dash(p, len);
	*end = (size_t)(p + len - s);
	return NULL;
}

/* NAME/DIGITS[.DIGITS], as HTTP/1.1 */
static bool is_protocol(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (unsigned char)((s[i] | 32) - 'a') < 26)
		i++;
	if (!i || i + 1 >= n || s[i] != '/')
		return false;
	for (i++; i < n; i++)
		if (!digit(s[i]) && s[i] != '.')
			return false;
	return true;
}

static bool is_method(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)((s[i] | 32) - 'a') >= 26 && s[i] != '-' && s[i] != '_')
			return false;
	return n > 0;
}

/* Where METHOD, PATH and PROTOCOL part: the usual request first, at no more than a few compares. */
static bool request_parts(const char *s, size_t n, size_t *a, size_t *b)
{
	const char *first, *last;

	if (likely(n > 14 && !memcmp(s, "GET ", 4) && !memcmp(s + n - 9, " HTTP/", 6) && digit(s[n - 3]) && s[n - 2] == '.' &&
		   digit(s[n - 1]))) {
		*a = 3;
		*b = n - 9;
		return true;
	}
	first = memchr(s, ' ', n);
	last = first ? memrchr(s, ' ', n) : NULL;
	if (!first || last - first < 2)
		return false;
	*a = (size_t)(first - s);
	*b = (size_t)(last - s);
	return is_method(s, *a) && is_protocol(last + 1, n - *b - 1);
}

/* METHOD PATH PROTOCOL; a path may have blanks in it. */
static void log_request(const char *s, size_t n, struct value *v)
{
	size_t a, b;

	if (!request_parts(s, n, &a, &b)) {
		v[F_METHOD] = v[F_PATH] = v[F_PROTOCOL] = v_null();
		return;
	}
	v[F_METHOD] = v_text(s, a);
	v[F_PATH] = v_text(s + a + 1, b - a - 1);
	v[F_PROTOCOL] = v_text(s + b + 1, n - b - 1);
}

static size_t trim_end(const char *s, size_t n)
{
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\r' || s[n - 1] == '\t'))
		n--;
	return n;
}

/* What both formats begin with, up to the size; *end: where the size ends. */
static const char *log_front(struct pattern *p, const char *s, size_t n, const struct pattern_marks *m, size_t *end,
			     struct value *v)
{
	const uint32_t *q = m->quote;
	const char *why = log_head(s, q[0], m->blanks, v);

	if (!why)
		why = log_status(s, q[1] + 1, n, end, v);
	if (!why && (p->want & REQUEST_PARTS))
		log_request(s + q[0] + 1, q[1] - q[0] - 1, v);
	return why;
}

static const char *common_row(struct pattern *p, const char *s, size_t n, struct value *v)
{
	struct log_pattern *l = (struct log_pattern *)p;
	struct pattern_marks m;
	const uint32_t *q = m.quote;
	const char *why;
	size_t end;

	n = trim_end(s, n);
	l->quotes(s, n, 2, &m);
	if (m.n < 2)
		return "no quoted request";
	why = log_front(p, s, n, &m, &end, v);
	if (!why)
		v[F_COMMON_REQUEST] = v_text(s + q[0] + 1, q[1] - q[0] - 1);
	return why;
}

static const char *combined_row(struct pattern *p, const char *s, size_t n, struct value *v)
{
	struct log_pattern *l = (struct log_pattern *)p;
	struct pattern_marks m;
	uint32_t *q = m.quote;
	const char *why;
	size_t end;

	n = trim_end(s, n);
	l->quotes(s, n, 6, &m);
	if (m.n < 6)
		return "not a request, referer and agent in quotes";
	why = log_front(p, s, n, &m, &end, v);
	if (why)
		return why;
	if (q[2] != end + 1 || q[4] != q[3] + 2 || s[q[3] + 1] != ' ')
		return "no referer and agent in quotes after the size";
	if (q[5] + 1 < n && s[q[5] + 1] != ' ') {
		/* an agent with bare quotes in it ends at the last one */
		if (s[n - 1] != '"')
			return "text after the closing quote of the agent";
		q[5] = (uint32_t)n - 1;
	}
	v[F_REFERER] = text_or_dash(s + q[2] + 1, q[3] - q[2] - 1);
	v[F_AGENT] = text_or_dash(s + q[4] + 1, q[5] - q[4] - 1);
	v[F_REQUEST] = v_text(s + q[0] + 1, q[1] - q[0] - 1);
	return NULL;
}

const struct pattern_def pattern_combined = {
	.doc = {
		.name = "combined",
		.synopsis = "parse combined [of FIELD]",
		.summary = "access log lines in the combined format of Apache and nginx",
		.group = "patterns",
		.text = "Fields: ip, identity, user, time, method, path, protocol, status, size, referer, agent; when named also request, the "
			"whole request line.\n\n"
			"A '-' is null. A quote behind a backslash does not end its part. A request that is not METHOD PATH PROTOCOL "
			"(a '-', or what a port scanner sent) gives null for the three and stands in request. What follows the agent behind a "
			"blank (fields of an extended format) is left alone.",
		.examples = {
			{ "'parse combined' 'select ip, path, status'",
			  "192.0.2.7 - - [17/May/2015:10:05:03 +0000] \"GET /a.html HTTP/1.1\" 200 512 \"-\" \"curl/7.88.1\"\n",
			  "192.0.2.7\t/a.html\t200\n", "three fields of the line" },
			{ "'parse combined' 'filter status >= 500' 'count by path'",
			  "192.0.2.7 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 512 \"-\" \"-\"\n"
			  "192.0.2.8 - - [17/May/2015:10:05:04 +0000] \"GET /b HTTP/1.1\" 503 0 \"-\" \"-\"\n",
			  "/b\t1\n", "which pages fail" },
		},
	},
	.fields = combined_fields,
	.n_fields = ARRAY_LEN(combined_fields),
	.n_default = F_REQUEST,
	.open = log_open,
	.row = combined_row,
};

const struct pattern_def pattern_common = {
	.doc = {
		.name = "common",
		.aliases = "clf",
		.synopsis = "parse common [of FIELD]",
		.summary = "access log lines in the common log format",
		.group = "patterns",
		.text = "Fields: ip, identity, user, time, method, path, protocol, status, size; when named also request. The rules are those of "
			"combined; what follows the size is left alone, so that combined lines are read too.",
		.examples = {
			{ "'parse common' 'select user, status, size'",
			  "192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] \"GET /logo.gif HTTP/1.0\" 200 2326\n",
			  "frank\t200\t2326\n", "who fetched how much" },
		},
	},
	.fields = common_fields,
	.n_fields = ARRAY_LEN(common_fields),
	.n_default = F_COMMON_REQUEST,
	.open = log_open,
	.row = common_row,
};

static_assert(ARRAY_LEN(combined_fields) == F_LAST, "a name for each field");
static_assert(ARRAY_LEN(common_fields) == F_COMMON_REQUEST + 1, "a name for each field");

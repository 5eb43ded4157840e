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

/* "IP IDENTITY USER [TIME] ", all of s[0..n). A user may have blanks in it. */
static const char *log_head(const char *s, size_t n, struct value *v)
{
	size_t open, a = 0, b;

	if (n < 2 || s[n - 1] != ' ' || s[n - 2] != ']')
		return "no [time] before the request";
	open = head_bracket(s, n);
	if (!open || s[open - 1] != ' ' || open + 3 >= n)
		return "no [time] before the request";
	while (a < open && s[a] != ' ')
		a++;
	for (b = a + 1; b < open && s[b] != ' ';)
		b++;
	if (!a || b == a + 1 || b + 2 >= open)
		return "no 'ip identity user' before the time";
	v[F_IP] = v_text(s, a);
	v[F_IDENTITY] = text_or_dash(s + a + 1, b - a - 1);
	v[F_USER] = text_or_dash(s + b + 1, open - b - 2);
	v[F_TIME] = v_text(s + open + 1, n - open - 3);
	return NULL;
}

/* " STATUS SIZE" at s[0..n); *used: its length. Each is digits or "-". */
static const char *log_status(const char *s, size_t n, struct value *v, size_t *used)
{
	size_t i = 1, start;

	if (n < 4 || s[0] != ' ')
		return "no status after the request";
	while (i < n && digit(s[i]))
		i++;
	if (i == 1 && s[1] == '-')
		i = 2;
	else if (i != 4)
		return "no status after the request";
	v[F_STATUS] = text_or_dash(s + 1, i - 1);
	start = i + 1;
	if (start >= n || s[i] != ' ')
		return "no size after the status";
	for (i = start; i < n && digit(s[i]);)
		i++;
	if (i == start && s[i] == '-')
		i++;
	if (i == start || (i < n && s[i] != ' '))
		return "no size after the status";
	v[F_SIZE] = text_or_dash(s + start, i - start);
	*used = i;
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

/* METHOD PATH PROTOCOL; a path may have blanks in it. */
static void log_request(const char *s, size_t n, struct value *v)
{
	const char *a = memchr(s, ' ', n), *b = n ? memrchr(s, ' ', n) : NULL;

	v[F_METHOD] = v[F_PATH] = v[F_PROTOCOL] = v_null();
	if (!a || b - a < 2 || !is_method(s, (size_t)(a - s)) || !is_protocol(b + 1, (size_t)(s + n - b - 1)))
		return;
	v[F_METHOD] = v_text(s, (size_t)(a - s));
	v[F_PATH] = v_text(a + 1, (size_t)(b - a - 1));
	v[F_PROTOCOL] = v_text(b + 1, (size_t)(s + n - b - 1));
}

static size_t trim_end(const char *s, size_t n)
{
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\r' || s[n - 1] == '\t'))
		n--;
	return n;
}

/* What both formats begin with, up to the size; q: the quotes of the request; *end: where the size ends. */
static const char *log_front(struct pattern *p, const char *s, size_t n, const uint32_t *q, struct value *v, size_t *end)
{
	size_t used;
	const char *why = log_head(s, q[0], v);

	if (!why)
		why = log_status(s + q[1] + 1, n - q[1] - 1, v, &used);
	if (why)
		return why;
	if (p->want & REQUEST_PARTS)
		log_request(s + q[0] + 1, q[1] - q[0] - 1, v);
	*end = q[1] + 1 + used;
	return NULL;
}

static const char *common_row(struct pattern *p, const char *s, size_t n, struct value *v)
{
	struct log_pattern *l = (struct log_pattern *)p;
	const char *why;
	uint32_t q[2];
	size_t end;

	n = trim_end(s, n);
	if (l->quotes(s, n, q, 2) < 2)
		return "no quoted request";
	why = log_front(p, s, n, q, v, &end);
	if (!why)
		v[F_COMMON_REQUEST] = v_text(s + q[0] + 1, q[1] - q[0] - 1);
	return why;
}

static const char *combined_row(struct pattern *p, const char *s, size_t n, struct value *v)
{
	struct log_pattern *l = (struct log_pattern *)p;
	const char *why;
	uint32_t q[6];
	size_t end;

	n = trim_end(s, n);
	if (l->quotes(s, n, q, 6) < 6)
		return "not a request, referer and agent in quotes";
	why = log_front(p, s, n, q, v, &end);
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

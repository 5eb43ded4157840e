/* Syslog lines as they stand in files (RFC 3164 and what rsyslog and journalctl write), and RFC 5424. */
#include "codec/pattern_impl.h"

#include <assert.h>

enum syslog_field { F_TIME, F_HOST, F_PROGRAM, F_PID, F_MESSAGE, F_PRIORITY, F_FACILITY, F_SEVERITY, F_MSGID, F_DATA, F_LAST };

static const char *const syslog_fields[] = {
	"time", "host", "program", "pid", "message", "priority", "facility", "severity", "msgid", "data",
};

#define FACILITY_MAX 23
#define STAMP_LEN 15 /* "Jun 14 15:16:01" */

/* What is left of the line. */
struct rest {
	const char *p, *end;
};

static bool digit(char c) { return (unsigned char)(c - '0') < 10; }

/* Bytes up to the next blank or the end; steps over them. */
static struct value rest_word(struct rest *r)
{
	const char *start = r->p;

	while (r->p < r->end && *r->p != ' ')
		r->p++;
	return v_text(start, (size_t)(r->p - start));
}

static bool rest_skip(struct rest *r, char c)
{
	if (r->p >= r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static void rest_blanks(struct rest *r)
{
	while (r->p < r->end && *r->p == ' ')
		r->p++;
}

static struct value number_text(struct pattern *p, unsigned v)
{
	char s[NUM_MAX];
	size_t n = num_format_uint(v, s);

	return v_text(arena_copy(p->arena, s, n), n);
}

/* "<PRI>" if the line has one; false when it is malformed. */
static bool syslog_pri(struct pattern *p, struct rest *r, struct value *v)
{
	const char *start = r->p + 1;
	unsigned pri = 0;

	if (r->p >= r->end || *r->p != '<')
		return true;
	for (r->p++; r->p < r->end && digit(*r->p) && r->p < start + 3; r->p++)
		pri = pri * 10 + (unsigned)(*r->p - '0');
	if (r->p == start || pri / 8 > FACILITY_MAX || !rest_skip(r, '>'))
		return false;
	v[F_PRIORITY] = v_text(start, (size_t)(r->p - 1 - start));
	if (p->want & ((uint64_t)1 << F_FACILITY | (uint64_t)1 << F_SEVERITY)) {
		v[F_FACILITY] = number_text(p, pri / 8);
		v[F_SEVERITY] = number_text(p, pri % 8);
	}
	return true;
}

/* Fits s the shape, where A is an upper-case letter, a a lower-case one, 9 a digit, _ a digit or blank, and others themselves? */
static bool has_shape(const char *s, const char *shape)
{
	for (; *shape; s++, shape++) {
		bool fits = *shape == 'A'   ? *s >= 'A' && *s <= 'Z'
			    : *shape == 'a' ? *s >= 'a' && *s <= 'z'
			    : *shape == '9' ? digit(*s)
			    : *shape == '_' ? digit(*s) || *s == ' '
					    : *s == *shape;

		if (!fits)
			return false;
	}
	return true;
}

/* "Jun 14 15:16:01", "Jun  4 15:16:01", "Jun 4 15:16:01", or an RFC 3339 time: 2015-06-14T15:16:01.5+02:00. */
static bool syslog_time(struct rest *r, struct value *v)
{
	size_t n = (size_t)(r->end - r->p), len = STAMP_LEN;

	if (n >= STAMP_LEN && has_shape(r->p, "Aaa _9 99:99:99")) {
		v[F_TIME] = v_text(r->p, STAMP_LEN);
	} else if (n >= STAMP_LEN - 1 && has_shape(r->p, "Aaa 9 99:99:99")) {
		len = STAMP_LEN - 1;
		v[F_TIME] = v_text(r->p, len);
	} else if (n >= 19 && has_shape(r->p, "9999-99-99T99:99:99")) {
		struct rest word = *r;

		v[F_TIME] = rest_word(&word);
		len = v[F_TIME].n;
	} else {
		return false;
	}
	r->p += len;
	return rest_skip(r, ' ');
}

/* "PROGRAM[PID]: " or "PROGRAM: "; without such a tag everything is the message. */
static void syslog_tag(struct rest *r, struct value *v)
{
	const char *start = r->p, *q = r->p, *pid, *pid_end;

	while (q < r->end && *q != ' ' && *q != ':' && *q != '[')
		q++;
	if (q == start || q == r->end || *q == ' ')
		return;
	pid = pid_end = q + 1;
	v[F_PROGRAM] = v_text(start, (size_t)(q - start));
	if (*q == '[') {
		while (pid_end < r->end && *pid_end != ']' && *pid_end != ' ')
			pid_end++;
		if (pid_end == pid || pid_end == r->end || *pid_end != ']') {
			v[F_PROGRAM] = v_null();
			return;
		}
		v[F_PID] = v_text(pid, (size_t)(pid_end - pid));
		q = pid_end + 1;
	}
	r->p = q;
	rest_skip(r, ':');
}

static const char *syslog_old(struct rest *r, struct value *v)
{
	if (!syslog_time(r, v))
		return "does not begin with a syslog time";
	v[F_HOST] = rest_word(r);
	if (!v[F_HOST].n || (!rest_skip(r, ' ') && r->p < r->end))
		return "no host after the time";
	rest_blanks(r);
	syslog_tag(r, v);
	rest_blanks(r);
	v[F_MESSAGE] = v_text(r->p, (size_t)(r->end - r->p));
	return NULL;
}

/* One header field of RFC 5424 and the blank behind it. */
static bool new_word(struct rest *r, struct value *v)
{
	*v = rest_word(r);
	if (!v->n)
		return false;
	if (v->n == 1 && *v->s == '-')
		*v = v_null();
	return rest_skip(r, ' ');
}

/* [id name="value" ...] with \" \\ \] inside the quotes; r stands on the '['. */
static bool new_element(struct rest *r)
{
	bool quoted = false;

	for (; r->p < r->end; r->p++) {
		if (quoted && *r->p == '\\')
			r->p++;
		else if (*r->p == '"')
			quoted = !quoted;
		else if (*r->p == ']' && !quoted)
			return rest_skip(r, ']');
	}
	r->p = r->end;
	return false;
}

static bool new_data(struct rest *r, struct value *v)
{
	const char *start = r->p;

	*v = v_null();
	if (rest_skip(r, '-'))
		return true;
	while (r->p < r->end && *r->p == '[')
		if (!new_element(r))
			return false;
	*v = v_text(start, (size_t)(r->p - start));
	return r->p > start;
}

static const char *syslog_new(struct rest *r, struct value *v)
{
	static const char bom[] = "\xEF\xBB\xBF";

	if (!new_word(r, &v[F_TIME]) || !new_word(r, &v[F_HOST]) || !new_word(r, &v[F_PROGRAM]) || !new_word(r, &v[F_PID]) ||
	    !new_word(r, &v[F_MSGID]))
		return "an RFC 5424 header has too few fields";
	if (!new_data(r, &v[F_DATA]) || (r->p < r->end && !rest_skip(r, ' ')))
		return "malformed structured data";
	if (r->end - r->p >= 3 && !memcmp(r->p, bom, 3))
		r->p += 3;
	v[F_MESSAGE] = v_text(r->p, (size_t)(r->end - r->p));
	return NULL;
}

static const char *syslog_row(struct pattern *p, const char *s, size_t n, struct value *v)
{
	struct rest r = { s, s + n };

	for (int f = 0; f < F_LAST; f++)
		v[f] = v_null();
	if (n && s[n - 1] == '\r')
		r.end--;
	if (!syslog_pri(p, &r, v))
		return "malformed <priority>";
	if (v[F_PRIORITY].type != T_NULL && r.end - r.p > 2 && r.p[0] == '1' && r.p[1] == ' ') {
		r.p += 2;
		return syslog_new(&r, v);
	}
	return syslog_old(&r, v);
}

static struct pattern *syslog_open(void) { return xcalloc(1, sizeof(struct pattern)); }

const struct pattern_def pattern_syslog = {
	.doc = {
		.name = "syslog",
		.synopsis = "parse syslog [of FIELD]",
		.summary = "system log lines: as in /var/log files (RFC 3164) and RFC 5424",
		.group = "patterns",
		.text = "Fields: time, host, program, pid, message; when named also priority, facility and severity (numbers, from <priority>), and "
			"msgid and data of RFC 5424.\n\n"
			"The time is 'Jun 14 15:16:01' or RFC 3339. A line without 'program:' or 'program[pid]:' is all message, program and pid are "
			"null.",
		.examples = {
			{ "'parse syslog' 'select host, program, pid'",
			  "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: check pass; user unknown\n", "combo\tsshd(pam_unix)\t19939\n",
			  "who wrote it" },
			{ "'parse syslog' 'select severity, message'",
			  "<34>1 2003-10-11T22:14:15.003Z host su - ID47 - 'su root' failed\n", "2\t'su root' failed\n", "RFC 5424" },
		},
	},
	.fields = syslog_fields,
	.n_fields = F_LAST,
	.n_default = F_PRIORITY,
	.open = syslog_open,
	.row = syslog_row,
};

static_assert(ARRAY_LEN(syslog_fields) == F_LAST, "a name for each field");

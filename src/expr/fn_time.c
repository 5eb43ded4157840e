/* Times, their texts and numbers, and durations. */
#define FN_GROUP "time"
#include "expr/fn_impl.h"

static int64_t floor_div(int64_t a, int64_t d)
{
	int64_t q = a / d;

	return q - (a % d < 0);
}

static void row_now(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)v, (void)n;
	*out = v_time(c->env ? c->env->time.now_ns : 0);
}

/* Has the format a conversion that is not known? A format in the program is refused when it is bound. */
static int check_format(const struct value *const *lits, uint32_t n, int parsing, struct err *e)
{
	char bad;

	if (n < 2 || !lits[1] || !type_is_bytes(lits[1]->type))
		return 0;
	bad = time_fmt_bad(lits[1]->s, lits[1]->n, parsing);
	if (!bad)
		return 0;
	return err_set(e, ERR_PROGRAM, "time format \"%.*s\": unknown conversion %%%c",
		       (int)(lits[1]->n > 200 ? 200 : lits[1]->n), lits[1]->s, bad);
}

static int prepare_time(struct fn_call *c, const struct value *const *lits, uint32_t n, struct err *e)
{
	(void)c;
	return check_format(lits, n, 1, e);
}

static int prepare_strftime(struct fn_call *c, const struct value *const *lits, uint32_t n, struct err *e)
{
	(void)c;
	return check_format(lits, n, 0, e);
}

static void row_time(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct time_opts o = { 0 };
	struct fn_text t, f;
	int64_t ns;
	char bad;

	if (n == 1) {
		if (fn_arg_time(c, v, &ns))
			*out = v_time(ns);
		return;
	}
	if (!fn_text(c, &v[0], &t) || !fn_text(c, &v[1], &f) || !fn_arg_zone(c, v, n, 2, &o.zone))
		return;
	o.now_ns = c->env ? c->env->time.now_ns : 0;
	if (time_strptime(t.p, t.n, f.p, f.n, &o, &ns, &bad))
		*out = v_time(ns);
	else
		fn_fail(c, bad ? "unknown conversion in the time format" : "not a time of this format");
}

#define STRFTIME_MAX 1024

static void row_strftime(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const struct zone *z;
	char room[STRFTIME_MAX];
	struct fn_text f;
	int64_t ns;
	size_t len;

	if (!fn_arg_time(c, &v[0], &ns) || !fn_text(c, &v[1], &f) || !fn_arg_zone(c, v, n, 2, &z))
		return;
	len = time_strftime(ns, f.p, f.n, z, room, sizeof room);
	if (len == (size_t)-1)
		fn_fail(c, "unusable time format");
	else
		*out = v_str(arena_copy(c->arena, room, len), len);
}

/* ---- numbers ---- */

static void epoch_in(struct fn_call *c, const struct value *v, int64_t unit, struct value *out)
{
	int64_t ns;

	if (fn_arg_time(c, v, &ns))
		*out = v_int(floor_div(ns, unit));
}

static void row_epoch(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	epoch_in(c, v, TIME_NS, out);
}

static void row_epoch_ms(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	epoch_in(c, v, 1000000, out);
}

static void row_epoch_us(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	epoch_in(c, v, 1000, out);
}

static void row_epoch_ns(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	epoch_in(c, v, 1, out);
}

/* n units of `unit` ns, whole or not. */
static bool scaled(struct fn_call *c, const struct value *v, int64_t unit, int64_t *ns)
{
	struct num x;
	double f;

	if (!fn_arg_num(c, v, &x))
		return false;
	if (x.kind == NUM_INT)
		return !__builtin_mul_overflow(x.i, unit, ns) || fn_fail(c, "out of the range of times");
	f = x.f * (double)unit;
	if (!(f > -0x1p63 && f < 0x1p63))
		return fn_fail(c, "out of the range of times");
	*ns = (int64_t)(f < 0 ? f - 0.5 : f + 0.5);
	return true;
}

static void from_unit(struct fn_call *c, const struct value *v, int64_t unit, struct value *out)
{
	int64_t ns;

	if (scaled(c, v, unit, &ns))
		*out = v_time(ns);
}

static void row_from_epoch(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	from_unit(c, v, TIME_NS, out);
}

static void row_from_epoch_ms(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	from_unit(c, v, 1000000, out);
}

static void row_from_epoch_us(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	from_unit(c, v, 1000, out);
}

static void row_from_epoch_ns(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	from_unit(c, v, 1, out);
}

/* ---- durations ---- */

static void row_duration(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x;
	int64_t ns;

	(void)n;
	if (value_num(v, &x) != NUM_NOT) {
		if (scaled(c, v, TIME_NS, &ns))
			*out = v_dur(ns);
	} else if (fn_arg_dur(c, v, &ns)) {
		*out = v_dur(ns);
	}
}

/* A duration in a unit: whole if it is, else a float. */
static void dur_in(struct fn_call *c, const struct value *v, int64_t unit, struct value *out)
{
	int64_t ns;

	if (!fn_arg_dur(c, v, &ns))
		return;
	*out = ns % unit ? v_float((double)ns / (double)unit) : v_int(ns / unit);
}

static void row_milliseconds(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	dur_in(c, v, 1000000, out);
}

static void row_seconds(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	dur_in(c, v, TIME_NS, out);
}

static void row_minutes(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	dur_in(c, v, 60 * TIME_NS, out);
}

static void row_hours(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	dur_in(c, v, 3600 * TIME_NS, out);
}

static void row_days(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	dur_in(c, v, 86400 * TIME_NS, out);
}

/* hh:mm:ss with as much fraction as there is; a number is seconds. */
static void row_hms(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value d;
	uint64_t ns, s, rest;
	char *p;
	int len;

	row_duration(c, v, n, &d);
	if (c->fail)
		return;
	ns = d.i < 0 ? 0 - (uint64_t)d.i : (uint64_t)d.i;
	s = ns / TIME_NS;
	rest = ns % TIME_NS;
	p = arena_printf(c->arena, "%s%02llu:%02u:%02u.%09u", d.i < 0 ? "-" : "", (unsigned long long)(s / 3600),
			 (unsigned)(s / 60 % 60), (unsigned)(s % 60), (unsigned)rest);
	len = (int)strlen(p);
	while (p[len - 1] == '0' && rest)
		len--;
	*out = v_str(p, (size_t)(rest ? len : len - 10));
}

/* "1:02:03.5", "02:03" or "7": back from hms. */
static void row_from_hms(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t total = 0, part, ns;
	struct fn_text t;
	unsigned parts = 0;
	bool minus;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	minus = t.n && *t.p == '-';
	t.p += minus;
	t.n -= minus;
	for (bool more = true; more; parts++) {
		const char *colon = t.n ? memchr(t.p, ':', t.n) : NULL;
		size_t len = colon ? (size_t)(colon - t.p) : t.n;
		struct num x;

		more = colon != NULL;
		if (!len || parts == 3 || (unsigned)(*t.p - '0') >= 10 || num_parse(t.p, len, &x) == NUM_NOT ||
		    (colon && x.kind != NUM_INT))
			goto bad;
		part = x.kind == NUM_INT ? x.i : (int64_t)x.f;
		ns = x.kind == NUM_INT ? 0 : (int64_t)((x.f - (double)part) * 1e9 + 0.5);
		if (part < 0 || part > 1000000000 || ns < 0 || ns > TIME_NS)
			goto bad;
		total = total * 60 + part * TIME_NS + ns;
		if (total > INT64_MAX / 120)
			goto bad;
		t.p += len + more;
		t.n -= len + more;
	}
	*out = v_dur(minus ? -total : total);
	return;
bad:
	fn_fail(c, "not a time of day or duration");
}

/* Largest multiple of the duration, counted from the epoch, that is not after the time. */
static bool time_bin(struct fn_call *c, const struct value *v, int64_t *t, int64_t *floor, int64_t *step)
{
	if (!fn_arg_time(c, &v[0], t) || !fn_arg_dur(c, &v[1], step))
		return false;
	if (*step <= 0)
		return fn_fail(c, "the duration must be above 0");
	return !__builtin_mul_overflow(floor_div(*t, *step), *step, floor) || fn_fail(c, "out of the range of times");
}

static void row_floor_time(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t t, floor, step;

	(void)n;
	if (time_bin(c, v, &t, &floor, &step))
		*out = v_time(floor);
}

static void row_ceil_time(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t t, floor, step;

	(void)n;
	if (!time_bin(c, v, &t, &floor, &step))
		return;
	if (floor < t && __builtin_add_overflow(floor, step, &floor))
		fn_fail(c, "out of the range of times");
	else
		*out = v_time(floor);
}

#define T0 "\"2015-05-17T10:05:03.25Z\""
#define NUMBER(name, alias, syn, sum, expr, result) \
	{ \
		FN_DOC(#name, syn, sum), .doc.aliases = alias, FN_EX(EX(expr, result)), FN_ARGS(1, 1), .row = row_##name \
	}

static const struct fn_def defs[] = {
	{ FN_DOC("now", "now()", "the time at which the micro-batch is processed"), FN_EX(EX("type(now())", "\"time\"")),
	  FN_ARGS(0, 0), .flags = FN_VOLATILE, .row = row_now },
	{ FN_DOC("time", "time(X [, FMT [, ZONE]])",
		 "a time: from RFC 3339 and other usual texts, from an epoch number (seconds to nanoseconds by its size), or "
		 "from a text by a strptime format"),
	  .doc.aliases = "to_timestamp strptime parse_time",
	  FN_EX(EX("time(\"2015-05-17 10:05:03.25\")", T0), EX("time(1431857103)", "\"2015-05-17T10:05:03Z\""),
		EX("time(\"17/May/2015\", \"%d/%b/%Y\")", "\"2015-05-17T00:00:00Z\"")),
	  FN_ARGS(1, 3), .row = row_time, .prepare = prepare_time },
	{ FN_DOC("strftime", "strftime(T, FMT [, ZONE])",
		 "text of a time by a strftime format; %3f to %9f are fractions of a second"),
	  .doc.aliases = "format_time",
	  FN_EX(EX("strftime(" T0 ", \"%d.%m.%Y %H:%M\")", "\"17.05.2015 10:05\""),
		EX("strftime(" T0 ", \"%H:%M %z\", \"+02:00\")", "\"12:05 +0200\"")),
	  FN_ARGS(2, 3), .row = row_strftime, .prepare = prepare_strftime },
	NUMBER(epoch, "unix_timestamp to_epoch", "epoch(T)", "whole seconds since 1970, rounded down", "epoch(" T0 ")",
	       "1431857103"),
	NUMBER(epoch_ms, NULL, "epoch_ms(T)", "whole milliseconds since 1970", "epoch_ms(" T0 ")", "1431857103250"),
	NUMBER(epoch_us, NULL, "epoch_us(T)", "whole microseconds since 1970", "epoch_us(" T0 ")", "1431857103250000"),
	NUMBER(epoch_ns, NULL, "epoch_ns(T)", "nanoseconds since 1970", "epoch_ns(" T0 ")", "1431857103250000000"),
	NUMBER(from_epoch, "from_unixtime sec2gmt", "from_epoch(N)",
	       "the time so many seconds after 1970, whatever the size of N", "from_epoch(0)", "\"1970-01-01T00:00:00Z\""),
	NUMBER(from_epoch_ms, "timestamp_millis", "from_epoch_ms(N)", "likewise, milliseconds", "from_epoch_ms(1500)",
	       "\"1970-01-01T00:00:01.5Z\""),
	NUMBER(from_epoch_us, "timestamp_micros", "from_epoch_us(N)", "likewise, microseconds", "from_epoch_us(1500000)",
	       "\"1970-01-01T00:00:01.5Z\""),
	NUMBER(from_epoch_ns, NULL, "from_epoch_ns(N)", "likewise, nanoseconds", "from_epoch_ns(1500000000)",
	       "\"1970-01-01T00:00:01.5Z\""),
	{ FN_DOC("floor_time", "floor_time(T, DUR)",
		 "start of the interval of this length that holds the time, counted from 1970"),
	  .doc.aliases = "time_bucket bin_time", FN_EX(EX("floor_time(" T0 ", 15m)", "\"2015-05-17T10:00:00Z\"")), FN_ARGS(2, 2),
	  .row = row_floor_time },
	{ FN_DOC("ceil_time", "ceil_time(T, DUR)", "first end of such an interval that is not before the time"),
	  FN_EX(EX("ceil_time(" T0 ", 1h)", "\"2015-05-17T11:00:00Z\"")), FN_ARGS(2, 2), .row = row_ceil_time },
	{ FN_DOC("duration", "duration(X)", "a duration: from a text like 1h30m or 10 seconds, or a number of seconds"),
	  .doc.aliases = "to_duration",
	  FN_EX(EX("duration(\"10 seconds\")", "\"10s\""), EX("duration(\"1h30m\") + 5m", "\"1h35m\""),
		EX("duration(90)", "\"1m30s\"")),
	  FN_ARGS(1, 1), .row = row_duration },
	NUMBER(milliseconds, "millis", "milliseconds(DUR)", "a duration as a number of milliseconds", "milliseconds(1.5s)",
	       "1500"),
	NUMBER(seconds, NULL, "seconds(DUR)", "a duration as a number of seconds", "seconds(1m30s)", "90"),
	NUMBER(minutes, NULL, "minutes(DUR)", "a duration as a number of minutes", "minutes(90s)", "1.5"),
	NUMBER(hours, NULL, "hours(DUR)", "a duration as a number of hours", "hours(90m)", "1.5"),
	NUMBER(days, NULL, "days(DUR)", "a duration as a number of days of 24 hours", "days(36h)", "1.5"),
	NUMBER(hms, "sec2time fsec2hms sec2hms", "hms(DUR)", "a duration, or a number of seconds, as hours:minutes:seconds",
	       "hms(3723.5)", "\"01:02:03.5\""),
	NUMBER(from_hms, NULL, "from_hms(S)", "the duration that hours:minutes:seconds says", "from_hms(\"1:02:03\")",
	       "\"1h2m3s\""),
};

FN_FAMILY(fn_family_time);

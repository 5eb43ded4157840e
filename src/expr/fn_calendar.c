/* The calendar and the clock on the wall, in a zone: the last argument, else --tz, else UTC. */
#define FN_GROUP "calendar"
#include "expr/fn_impl.h"

static bool civil_of(struct fn_call *c, const struct value *v, uint32_t n, struct civil *k)
{
	const struct zone *z;
	int64_t t;

	if (!fn_arg_time(c, &v[0], &t) || !fn_arg_zone(c, v, n, 1, &z))
		return false;
	time_civil(t, z, k);
	return true;
}

#define PART(name, expression) \
	static void row_##name(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) \
	{ \
		struct civil k; \
\
		if (civil_of(c, v, n, &k)) \
			*out = expression; \
	}
PART(year, v_int(k.year))
PART(quarter, v_int((k.month + 2) / 3))
PART(month, v_int(k.month))
PART(week, v_int(k.week))
PART(week_year, v_int(k.week_year))
PART(day, v_int(k.day))
PART(yearday, v_int(k.yearday))
PART(weekday, v_int(k.weekday))
PART(hour, v_int(k.hour))
PART(minute, v_int(k.minute))
PART(second, v_int(k.second))
PART(millisecond, v_int(k.ns / 1000000))
PART(is_weekend, v_bool(k.weekday > 5))
PART(time_of_day, v_dur(((int64_t)k.hour * 3600 + k.minute * 60 + k.second) * TIME_NS + k.ns))
PART(zone_offset, v_dur((int64_t)k.offset *TIME_NS))

static void print_time(struct fn_call *c, const struct value *v, uint32_t n, const char *fmt, struct value *out)
{
	const struct zone *z;
	char room[128];
	int64_t t;
	size_t len;

	if (!fn_arg_time(c, &v[0], &t) || !fn_arg_zone(c, v, n, 1, &z))
		return;
	len = time_strftime(t, fmt, strlen(fmt), z, room, sizeof room);
	if (len != (size_t)-1)
		*out = v_str(arena_copy(c->arena, room, len), len);
}

static void row_date(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	print_time(c, v, n, "%Y-%m-%d", out);
}

static void row_clock(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	print_time(c, v, n, "%H:%M:%S", out);
}

static void row_local_time(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	print_time(c, v, n, "%Y-%m-%dT%H:%M:%S%:z", out);
}

static void row_weekday_name(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	print_time(c, v, n, "%A", out);
}

static void row_month_name(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	print_time(c, v, n, "%B", out);
}

static void row_iso_week(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	print_time(c, v, n, "%G-W%V", out);
}

static void row_http_date(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	char room[64];
	size_t len;
	int64_t t;

	(void)n;
	if (!fn_arg_time(c, v, &t))
		return;
	len = time_strftime(t, "%a, %d %b %Y %H:%M:%S GMT", 25, NULL, room, sizeof room);
	if (len != (size_t)-1)
		*out = v_str(arena_copy(c->arena, room, len), len);
}

/* ---- reckoning ---- */

static void row_trunc_time(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const struct value *time = &v[0], *unit = &v[1];
	const struct zone *z;
	struct fn_text u;
	int64_t t;
	int ok;

	if (!fn_arg_time(c, time, &t) || !fn_text(c, unit, &u) || !fn_arg_zone(c, v, n, 2, &z))
		return;
	t = time_trunc(t, u.p, u.n, z, &ok);
	if (ok)
		*out = v_time(t);
	else
		fn_fail(c, "unknown unit of time, or out of range");
}

static void add_calendar(struct fn_call *c, const struct value *v, uint32_t n, int64_t months_each, struct value *out)
{
	const struct zone *z;
	int64_t t, count;

	if (!fn_arg_time(c, &v[0], &t) || !fn_arg_int(c, &v[1], &count) || !fn_arg_zone(c, v, n, 2, &z))
		return;
	if (__builtin_mul_overflow(count, months_each, &count) || !time_add_months(t, count, z, &t))
		fn_fail(c, "out of the range of times");
	else
		*out = v_time(t);
}

static void row_add_months(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	add_calendar(c, v, n, 1, out);
}

static void row_add_years(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	add_calendar(c, v, n, 12, out);
}

/* Instant of a local date and clock time; false when out of the range of times. */
static bool instant(int64_t days, int64_t seconds, int64_t ns, const struct zone *z, int64_t *t)
{
	int64_t base;

	if (days < -106751 || days > 106750)
		return false;
	base = zone_to_utc(z, days * 86400 + seconds);
	return !__builtin_add_overflow(base, ns, t);
}

static int64_t civil_days(const struct civil *k) { return days_from_civil(k->year, (unsigned)k->month, (unsigned)k->day); }

/* The same time on the clock so many days later: not always 24 hours each. */
static void row_add_days(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const struct zone *z;
	struct civil k;
	int64_t t, days;

	if (!fn_arg_time(c, &v[0], &t) || !fn_arg_int(c, &v[1], &days) || !fn_arg_zone(c, v, n, 2, &z))
		return;
	time_civil(t, z, &k);
	if (days < -300000 || days > 300000 ||
	    !instant(civil_days(&k) + days, (int64_t)k.hour * 3600 + k.minute * 60 + k.second, k.ns, z, &t))
		fn_fail(c, "out of the range of times");
	else
		*out = v_time(t);
}

static bool two_civil(struct fn_call *c, const struct value *v, uint32_t n, struct civil *a, struct civil *b)
{
	const struct zone *z;
	int64_t t, u;

	if (!fn_arg_time(c, &v[0], &t) || !fn_arg_time(c, &v[1], &u) || !fn_arg_zone(c, v, n, 2, &z))
		return false;
	time_civil(t, z, a);
	time_civil(u, z, b);
	return true;
}

static void row_days_between(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct civil a, b;

	if (two_civil(c, v, n, &a, &b))
		*out = v_int(civil_days(&b) - civil_days(&a));
}

static void row_months_between(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct civil a, b;
	int64_t months, da, db;

	if (!two_civil(c, v, n, &a, &b))
		return;
	months = ((int64_t)b.year - a.year) * 12 + b.month - a.month;
	da = ((((int64_t)a.day * 24 + a.hour) * 60 + a.minute) * 60 + a.second) * TIME_NS + a.ns;
	db = ((((int64_t)b.day * 24 + b.hour) * 60 + b.minute) * 60 + b.second) * TIME_NS + b.ns;
	months -= months > 0 && db < da;
	months += months < 0 && db > da;
	*out = v_int(months);
}

static bool is_leap(int64_t y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }

static int month_days(int64_t y, int m)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return m == 2 && is_leap(y) ? 29 : days[m - 1];
}

static void row_days_in_month(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct civil k;

	if (civil_of(c, v, n, &k))
		*out = v_int(month_days(k.year, k.month));
}

static void row_is_leap_year(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct civil k;
	struct num y;

	if (value_num(v, &y) == NUM_INT && y.i > -100000 && y.i < 100000)
		*out = v_bool(is_leap(y.i));
	else if (civil_of(c, v, n, &k))
		*out = v_bool(is_leap(k.year));
}

static void row_last_day(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const struct zone *z;
	struct civil k;
	int64_t t;

	if (!civil_of(c, v, n, &k) || !fn_arg_zone(c, v, n, 1, &z))
		return;
	if (instant(days_from_civil(k.year, (unsigned)k.month, (unsigned)month_days(k.year, k.month)), 0, 0, z, &t))
		*out = v_time(t);
	else
		fn_fail(c, "out of the range of times");
}

/* make_time(Y, M, D [, H, MI, S [, ZONE]]) */
static void row_make_time(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t p[5] = { 0, 1, 1, 0, 0 }, t, ns;
	const struct zone *z;
	double s = 0;

	for (uint32_t i = 0; i < n && i < 5; i++)
		if (!fn_arg_int(c, &v[i], &p[i]))
			return;
	if ((n > 5 && !fn_arg_double(c, &v[5], &s)) || !fn_arg_zone(c, v, n, 6, &z))
		return;
	if (p[0] < 1600 || p[0] > 2300 || p[1] < 1 || p[1] > 12 || p[2] < 1 || p[2] > month_days(p[0], (int)p[1]) || p[3] < 0 ||
	    p[3] > 23 || p[4] < 0 || p[4] > 59 || !(s >= 0 && s < 60)) {
		fn_fail(c, "no such date or time");
		return;
	}
	ns = (int64_t)(s * 1e9 + 0.5);
	if (instant(days_from_civil(p[0], (unsigned)p[1], (unsigned)p[2]), p[3] * 3600 + p[4] * 60 + ns / TIME_NS, ns % TIME_NS,
		    z, &t))
		*out = v_time(t);
	else
		fn_fail(c, "out of the range of times");
}

#define T0 "\"2015-05-17T10:05:03.25Z\""
#define OF(name, alias, sum, result) \
	{ \
		FN_DOC(#name, #name "(T [, ZONE])", sum), .doc.aliases = alias, FN_EX(EX(#name "(" T0 ")", result)), \
							  FN_ARGS(1, 2), .row = row_##name \
	}

static const struct fn_def defs[] = {
	OF(year, NULL, "year", "2015"),
	OF(quarter, NULL, "quarter of the year, 1 to 4", "2"),
	OF(month, NULL, "month, 1 to 12", "5"),
	OF(week, "weekofyear", "week of the year by ISO 8601, 1 to 53", "20"),
	OF(week_year, "yearofweek", "year that the ISO week belongs to", "2015"),
	OF(iso_week, NULL, "year and week by ISO 8601", "\"2015-W20\""),
	OF(day, "dayofmonth", "day of the month, 1 to 31", "17"),
	OF(yearday, "dayofyear", "day of the year, 1 to 366", "137"),
	OF(weekday, "dayofweek_iso", "day of the week, 1 Monday to 7 Sunday", "7"),
	OF(weekday_name, "dayname", "day of the week in English", "\"Sunday\""),
	OF(month_name, "monthname", "month in English", "\"May\""),
	OF(is_weekend, NULL, "Saturday or Sunday", "true"),
	OF(hour, NULL, "hour, 0 to 23", "10"),
	OF(minute, NULL, "minute, 0 to 59", "5"),
	OF(second, NULL, "second, 0 to 59", "3"),
	OF(millisecond, NULL, "milliseconds of the second, 0 to 999", "250"),
	OF(time_of_day, NULL, "duration since midnight", "\"10h5m3s250ms\""),
	OF(date, "to_date sec2gmtdate sec2date", "the date as text", "\"2015-05-17\""),
	OF(clock, NULL, "the time of day as text", "\"10:05:03\""),
	{ FN_DOC("local_time", "local_time(T [, ZONE])", "RFC 3339 text with the zone's offset"), .doc.aliases = "in_zone",
	  FN_EX(EX("local_time(" T0 ", \"+05:30\")", "\"2015-05-17T15:35:03+05:30\"")), FN_ARGS(1, 2), .row = row_local_time },
	{ FN_DOC("zone_offset", "zone_offset(T [, ZONE])", "how far the zone is ahead of UTC at that time"),
	  FN_EX(EX("zone_offset(" T0 ", \"+05:30\")", "\"5h30m\"")), FN_ARGS(1, 2), .row = row_zone_offset },
	{ FN_DOC("http_date", "http_date(T)", "the time as HTTP and mail headers write it"),
	  FN_EX(EX("http_date(" T0 ")", "\"Sun, 17 May 2015 10:05:03 GMT\"")), FN_ARGS(1, 1), .row = row_http_date },
	{ FN_DOC("trunc_time", "trunc_time(T, UNIT [, ZONE])",
		 "start of the year, quarter, month, week, day, hour, minute or second"),
	  .doc.aliases = "date_trunc",
	  FN_EX(EX("trunc_time(" T0 ", \"month\")", "\"2015-05-01T00:00:00Z\""),
		EX("trunc_time(" T0 ", \"week\")", "\"2015-05-11T00:00:00Z\"")),
	  FN_ARGS(2, 3), .row = row_trunc_time },
	{ FN_DOC("add_days", "add_days(T, N [, ZONE])", "the same time on the clock N days later"), .doc.aliases = "date_add",
	  FN_EX(EX("add_days(\"2015-02-27\", 2)", "\"2015-03-01T00:00:00Z\"")), FN_ARGS(2, 3), .row = row_add_days },
	{ FN_DOC("add_months", "add_months(T, N [, ZONE])",
		 "the same day and time N months later, or the last day of that month"),
	  FN_EX(EX("add_months(\"2015-01-31\", 1)", "\"2015-02-28T00:00:00Z\"")), FN_ARGS(2, 3), .row = row_add_months },
	{ FN_DOC("add_years", "add_years(T, N [, ZONE])", "the same day and time N years later"),
	  FN_EX(EX("add_years(\"2016-02-29\", 1)", "\"2017-02-28T00:00:00Z\"")), FN_ARGS(2, 3), .row = row_add_years },
	{ FN_DOC("days_between", "days_between(A, B [, ZONE])", "midnights from A to B"),
	  FN_EX(EX("days_between(\"2015-12-31T23:00Z\", \"2016-01-02\")", "2")), FN_ARGS(2, 3), .row = row_days_between },
	{ FN_DOC("months_between", "months_between(A, B [, ZONE])", "whole months from A to B"),
	  FN_EX(EX("months_between(\"2015-01-15\", \"2015-04-14\")", "2")), FN_ARGS(2, 3), .row = row_months_between },
	OF(days_in_month, NULL, "days of its month", "31"),
	OF(last_day, NULL, "start of the last day of its month", "\"2015-05-31T00:00:00Z\""),
	{ FN_DOC("is_leap_year", "is_leap_year(X [, ZONE])", "of a year, or the year of a time"),
	  FN_EX(EX("is_leap_year(2000)", "true"), EX("is_leap_year(" T0 ")", "false")), FN_ARGS(1, 2), .row = row_is_leap_year },
	{ FN_DOC("make_time", "make_time(Y, M, D [, H, MIN, S [, ZONE]])", "the time of a date and clock"),
	  .doc.aliases = "make_timestamp",
	  FN_EX(EX("make_time(2015, 5, 17)", "\"2015-05-17T00:00:00Z\""), EX("make_time(2015, 5, 17, 10, 5, 3.25)", T0)),
	  FN_ARGS(3, 7), .row = row_make_time },
};

FN_FAMILY(fn_family_calendar);

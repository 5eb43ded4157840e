#include "base/time.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/time_parts.h"

const char time_months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
const char time_days[7][4] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
const char *const time_month_names[12] = { "January", "February", "March",     "April",	  "May",      "June",
					   "July",    "August",	  "September", "October", "November", "December" };
const char *const time_day_names[7] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

/* Years begin in March here, so that the leap day is the last; an era is 400 years of 146097 days;
 * 719468 days lie between 0000-03-01 and 1970-01-01. (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".) */
int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era, year_of_era, day_of_year;

	y -= m <= 2;
	era = floor_div(y, 400);
	year_of_era = y - era * 400;
	day_of_year = (153 * ((int64_t)m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t era = floor_div(days + 719468, 146097);
	unsigned day = (unsigned)(days + 719468 - era * 146097);
	unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	unsigned day_of_year = day - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * day_of_year + 2) / 153;

	*d = day_of_year - (153 * month + 2) / 5 + 1;
	*m = month < 10 ? month + 3 : month - 9;
	*y = (int64_t)year + era * 400 + (*m <= 2);
}

int time_month_days(int64_t year, int month)
{
	if (month == 2)
		return 28 + (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
	return 30 + ((month + (month > 7)) & 1);
}

int time_from_seconds(int64_t s, int64_t ns, int64_t *t_ns)
{
	int64_t t;

	/* one second up, so that the first instants, whose whole second is out of range, are reached */
	if (s < 0) {
		s++;
		ns -= TIME_NS;
	}
	if (__builtin_mul_overflow(s, TIME_NS, &t) || __builtin_add_overflow(t, ns, &t))
		return 0;
	*t_ns = t;
	return 1;
}

static int parts_valid(const struct time_parts *t)
{
	return t->month >= 1 && t->month <= 12 && t->day >= 1 && t->day <= time_month_days(t->year, t->month) && t->hour >= 0 &&
	       t->hour <= 23 && t->minute >= 0 && t->minute <= 59 && t->second >= 0 && t->second <= 60;
}

static int dated_parts(const struct time_parts *t, const struct zone *z, int64_t *t_ns)
{
	int64_t days, s;

	if (!parts_valid(t))
		return 0;
	days = days_from_civil(t->year, (unsigned)t->month, (unsigned)t->day);
	if (days < -TIME_DAYS_MAX || days > TIME_DAYS_MAX)
		return 0;
	s = days * DAY_S + t->hour * 3600 + t->minute * 60 + t->second;
	if (t->has_offset || !z)
		return time_from_seconds(s - t->offset, t->ns, t_ns);
	s = zone_to_utc(z, s);
	return s != INT64_MIN && s != INT64_MAX && !__builtin_add_overflow(s, (int64_t)t->ns, t_ns);
}

/* No year said: the latest that is at most a day ahead of the clock. Eight years hold a February 29. */
static int undated_parts(const struct time_parts *t, const struct time_opts *o, int64_t *t_ns)
{
	int64_t limit = o->now_ns > INT64_MAX - DAY_NS ? INT64_MAX : o->now_ns + DAY_NS;
	const struct zone *z = t->has_offset ? NULL : o->zone;
	struct time_parts dated = *t;
	int64_t latest;
	unsigned m, d;

	civil_from_days(floor_div(limit / TIME_NS + zone_offset(z, limit, NULL), DAY_S), &latest, &m, &d);
	/* an offset east of UTC may be a year ahead of it */
	for (int back = t->has_offset ? -1 : 0; back <= 8; back++) {
		dated.year = (int32_t)latest - back;
		if (dated_parts(&dated, o->zone, t_ns) && *t_ns <= limit)
			return 1;
	}
	return 0;
}

int time_from_parts(const struct time_parts *t, const struct time_opts *o, int64_t *t_ns)
{
	if (unlikely(t->year == TIME_NO_YEAR))
		return undated_parts(t, o, t_ns);
	return dated_parts(t, o->zone, t_ns);
}

int time_from_int(int64_t v, int64_t *t_ns)
{
	uint64_t size = v < 0 ? -(uint64_t)v : (uint64_t)v;
	int64_t unit = size < 100000000000 ? TIME_NS : size < 100000000000000 ? 1000000 : size < 100000000000000000 ? 1000 : 1;

	return !__builtin_mul_overflow(v, unit, t_ns);
}

int time_from_double(double v, int64_t *t_ns)
{
	char text[NUM_MAX];
	size_t n;

	if (v > -1e-7 && v < 1e-7) {
		*t_ns = (int64_t)(v * 1e9);
		return 1;
	}
	n = num_format_double(v, text);
	return time_read_epoch(text, text + n, t_ns);
}

/* The local second, and the nanosecond of it. */
static int64_t local_seconds(int64_t t_ns, const struct zone *z, int32_t *offset, int *ns)
{
	int64_t s = floor_div(t_ns, TIME_NS);

	*ns = (int)floor_mod(t_ns, TIME_NS);
	*offset = z ? zone_offset(z, t_ns, NULL) : 0;
	return s + *offset;
}

void time_iso_week(struct civil *c)
{
	int64_t days = days_from_civil(c->year, (unsigned)c->month, (unsigned)c->day), thursday = days - c->weekday + 4, year;
	unsigned m, d;

	civil_from_days(thursday, &year, &m, &d);
	c->week_year = (int)year;
	c->week = (int)(thursday - days_from_civil(year, 1, 1)) / 7 + 1;
}

void time_civil_fields(int64_t t_ns, const struct zone *z, struct civil *out)
{
	int64_t s = local_seconds(t_ns, z, &out->offset, &out->ns);
	int64_t days = floor_div(s, DAY_S), year;
	int second = (int)(s - days * DAY_S);
	unsigned m, d;

	civil_from_days(days, &year, &m, &d);
	out->year = (int)year;
	out->month = (int)m;
	out->day = (int)d;
	out->hour = second / 3600;
	out->minute = second / 60 % 60;
	out->second = second % 60;
	out->weekday = (int)floor_mod(days + 3, 7) + 1; /* day 0 was a Thursday */
	out->yearday = (int)(days - days_from_civil(year, 1, 1)) + 1;
}

void time_civil(int64_t t_ns, const struct zone *z, struct civil *out)
{
	time_civil_fields(t_ns, z, out);
	time_iso_week(out);
}

enum trunc_unit { UNIT_YEAR, UNIT_QUARTER, UNIT_MONTH, UNIT_WEEK, UNIT_DAY, UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND, UNIT_NONE };

static enum trunc_unit unit_of(const char *p, size_t n)
{
	static const char *const names[] = { "year", "quarter", "month", "week", "day", "hour", "minute", "second" };
	unsigned i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i]) == n && !memcmp(names[i], p, n))
			break;
	return (enum trunc_unit)i;
}

/* The first day of the unit that holds it. */
static int64_t trunc_days(int64_t days, enum trunc_unit unit)
{
	int64_t year;
	unsigned m, d;

	if (unit == UNIT_DAY)
		return days;
	if (unit == UNIT_WEEK)
		return days - floor_mod(days + 3, 7);
	civil_from_days(days, &year, &m, &d);
	if (unit == UNIT_YEAR)
		m = 1;
	else if (unit == UNIT_QUARTER)
		m -= (m - 1) % 3;
	return days_from_civil(year, m, 1);
}

int64_t time_trunc(int64_t t_ns, const char *unit, size_t n, const struct zone *z, int *ok)
{
	enum trunc_unit u = unit_of(unit, n);
	int64_t size = u == UNIT_HOUR ? 3600 : u == UNIT_MINUTE ? 60 : 1, s, into, r;
	int32_t offset;
	int ns;

	s = local_seconds(t_ns, z, &offset, &ns);
	*ok = u != UNIT_NONE;
	if (u == UNIT_NONE)
		return 0;
	if (u <= UNIT_DAY) {
		r = zone_to_utc(z, trunc_days(floor_div(s, DAY_S), u) * DAY_S);
		*ok = r != INT64_MIN;
		return r;
	}
	into = floor_mod(s, size);
	*ok = !__builtin_sub_overflow(t_ns, into * TIME_NS + ns, &r);
	/* the clock was set within the hour: ask what it showed */
	if (*ok && z && zone_offset(z, r, NULL) != offset)
		r = zone_to_utc(z, s - into);
	return r;
}

int time_add_months(int64_t t_ns, int64_t months, const struct zone *z, int64_t *out)
{
	int64_t s, days, month, year;
	unsigned m, d, last;
	int32_t offset;
	int ns;

	if (months < -12 * 1000 || months > 12 * 1000)
		return 0;
	s = local_seconds(t_ns, z, &offset, &ns);
	days = floor_div(s, DAY_S);
	s -= days * DAY_S;
	civil_from_days(days, &year, &m, &d);
	month = year * 12 + m - 1 + months;
	year = floor_div(month, 12);
	m = (unsigned)floor_mod(month, 12) + 1;
	last = (unsigned)time_month_days(year, (int)m);
	s += days_from_civil(year, m, d < last ? d : last) * DAY_S;
	if (!z)
		return time_from_seconds(s, ns, out);
	s = zone_to_utc(z, s);
	return s != INT64_MIN && s != INT64_MAX && !__builtin_add_overflow(s, (int64_t)ns, out);
}

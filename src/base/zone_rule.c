#include "base/zone_rule.h"

#include "base/time_parts.h"

/* Every reader takes a cursor that may be NULL after an earlier failure, and returns NULL when it fails. */
static const char *read_name(const char *p, const char *end, const char **name, size_t *n)
{
	int quoted = p < end && *p == '<';

	p += quoted;
	*name = p;
	while (p < end && (time_is_alpha(*p) || (quoted && (time_digit(*p) < 10 || *p == '+' || *p == '-'))))
		p++;
	*n = (size_t)(p - *name);
	if (*n == 0)
		return NULL;
	if (!quoted)
		return p;
	return p < end && *p == '>' ? p + 1 : NULL;
}

static const char *read_number(const char *p, const char *end, int max, int *v)
{
	const char *first = p;

	*v = 0;
	for (; p && p < end && time_digit(*p) < 10; p++) {
		*v = *v * 10 + (int)time_digit(*p);
		if (*v > max)
			return NULL;
	}
	return p == first ? NULL : p;
}

static int next_is(const char *p, const char *end, char c)
{
	return p && p < end && *p == c;
}

/* [+-]hh[:mm[:ss]] */
static const char *read_clock(const char *p, const char *end, int32_t *seconds)
{
	int neg = next_is(p, end, '-'), h, m = 0, s = 0;

	if (neg || next_is(p, end, '+'))
		p++;
	p = read_number(p, end, 167, &h);
	if (next_is(p, end, ':'))
		p = read_number(p + 1, end, 59, &m);
	if (next_is(p, end, ':'))
		p = read_number(p + 1, end, 59, &s);
	*seconds = (h * 3600 + m * 60 + s) * (neg ? -1 : 1);
	return p;
}

static const char *read_month_date(const char *p, const char *end, struct zone_date *d)
{
	d->kind = 'M';
	p = read_number(p, end, 12, &d->month);
	p = next_is(p, end, '.') ? read_number(p + 1, end, 5, &d->week) : NULL;
	p = next_is(p, end, '.') ? read_number(p + 1, end, 6, &d->day) : NULL;
	return p && d->month > 0 && d->week > 0 ? p : NULL;
}

static const char *read_date(const char *p, const char *end, struct zone_date *d)
{
	*d = (struct zone_date){ .at = 7200 };
	if (!next_is(p, end, ','))
		return NULL;
	p++;
	if (next_is(p, end, 'M')) {
		p = read_month_date(p + 1, end, d);
	} else {
		d->kind = next_is(p, end, 'J') ? 'J' : 'D';
		p = read_number(p + (d->kind == 'J'), end, 365, &d->day);
		if (p && d->kind == 'J' && d->day == 0)
			return NULL;
	}
	if (next_is(p, end, '/'))
		p = read_clock(p + 1, end, &d->at);
	return p;
}

int zone_rule_parse(const char *p, const char *end, struct zone_rule *r)
{
	*r = (struct zone_rule){ 0 };
	p = read_name(p, end, &r->std, &r->std_n);
	p = read_clock(p, end, &r->std_offset);
	if (!p)
		return 0;
	r->std_offset = -r->std_offset; /* POSIX counts west */
	if (p == end)
		return 1;
	r->has_dst = 1;
	r->dst_offset = r->std_offset + 3600;
	p = read_name(p, end, &r->dst, &r->dst_n);
	if (p && p < end && *p != ',') {
		p = read_clock(p, end, &r->dst_offset);
		r->dst_offset = -r->dst_offset;
	}
	p = read_date(p, end, &r->to_dst);
	p = read_date(p, end, &r->to_std);
	return p == end;
}

static int64_t month_date(const struct zone_date *d, int64_t year)
{
	int64_t first = days_from_civil(year, (unsigned)d->month, 1);
	int64_t day = floor_mod(d->day - (first + 4), 7) + 7 * (d->week - 1); /* 1970-01-01, day 0, was a Thursday */

	if (day >= time_month_days(year, d->month))
		day -= 7;
	return first + day;
}

int64_t zone_rule_at(const struct zone_date *d, int64_t year)
{
	int64_t days = d->kind == 'M' ? month_date(d, year) : days_from_civil(year, 1, 1) + d->day;

	if (d->kind == 'J')
		days -= !(time_month_days(year, 2) == 29 && d->day >= 60);
	return days * DAY_S + d->at;
}

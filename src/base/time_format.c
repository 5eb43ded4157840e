#include "base/time.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/time_parts.h"

#define FMT_DEPTH 1 /* no expansion holds another */

const char *time_fmt_expand(char c)
{
	switch (c) {
	case 'T':
	case 'X':
		return "%H:%M:%S";
	case 'D':
	case 'x':
		return "%m/%d/%y";
	case 'F':
		return "%Y-%m-%d";
	case 'R':
		return "%H:%M";
	case 'r':
		return "%I:%M:%S %p";
	case 'c':
		return "%a %b %e %H:%M:%S %Y";
	}
	return NULL;
}

/* The fraction without trailing zeros, and its point; nothing if it is 0. */
static char *put_fraction(char *p, unsigned ns)
{
	unsigned n = 9;

	if (ns == 0)
		return p;
	if (ns % 1000000 == 0) {
		ns /= 1000000;
		n = 3;
	} else if (ns % 1000 == 0) {
		ns /= 1000;
		n = 6;
	}
	*p++ = '.';
	for (unsigned i = n; i-- > 0; ns /= 10)
		p[i] = (char)('0' + ns % 10);
	while (p[n - 1] == '0')
		n--;
	return p + n;
}

size_t time_format(int64_t t_ns, char *out)
{
	int64_t s = floor_div(t_ns, TIME_NS), days = floor_div(s, DAY_S), year;
	unsigned m, d, second = (unsigned)(s - days * DAY_S);
	char *p;

	civil_from_days(days, &year, &m, &d);
	memcpy(out, "0000-00-00T00:00:00", 19);
	time_put2(out, (int)year / 100);
	time_put2(out + 2, (int)year % 100);
	time_put2(out + 5, (int)m);
	time_put2(out + 8, (int)d);
	time_put2(out + 11, (int)(second / 3600));
	time_put2(out + 14, (int)(second / 60 % 60));
	time_put2(out + 17, (int)(second % 60));
	p = put_fraction(out + 19, (unsigned)floor_mod(t_ns, TIME_NS));
	*p++ = 'Z';
	return (size_t)(p - out);
}

/* Where strftime writes; `full` once something did not fit. */
struct strf {
	char *p, *end;
	int full;
	int64_t t_ns;
	const struct zone *zone;
	struct civil c;
	char flag; /* '-', '_', '0' of the conversion at hand, or 0 */
};

static void put(struct strf *s, const char *p, size_t n)
{
	if ((size_t)(s->end - s->p) < n) {
		s->full = 1;
		return;
	}
	if (n)
		memcpy(s->p, p, n);
	s->p += n;
}

static int put_text(struct strf *s, const char *text)
{
	put(s, text, strlen(text));
	return 1;
}

/* Padded on the left to a width, as the flag or else `pad` says. */
static int put_number(struct strf *s, int64_t v, size_t width, char pad)
{
	char text[NUM_MAX];
	size_t n;

	if (width == 2 && v > 9) {
		time_put2(text, (int)v);
		put(s, text, 2);
		return 1;
	}
	n = num_format_int(v, text);
	if (s->flag)
		pad = s->flag == '_' ? ' ' : s->flag;
	for (; pad != '-' && width > n; width--)
		put(s, &pad, 1);
	put(s, text, n);
	return 1;
}

/* The first digits of the nanoseconds. */
static int put_ns(struct strf *s, size_t digits)
{
	char text[9];
	int ns = s->c.ns;

	for (size_t i = 9; i-- > 0; ns /= 10)
		text[i] = (char)('0' + ns % 10);
	put(s, text, digits);
	return 1;
}

static int put_offset(struct strf *s, int colon)
{
	int32_t minutes = (s->c.offset < 0 ? -s->c.offset : s->c.offset) / 60;
	char text[6] = { s->c.offset < 0 ? '-' : '+' };

	time_put2(text + 1, minutes / 60);
	text[3] = ':';
	time_put2(text + 3 + colon, minutes % 60);
	put(s, text, 5 + (size_t)colon);
	return 1;
}

static int put_abbrev(struct strf *s)
{
	const char *abbrev;

	zone_offset(s->zone, s->t_ns, &abbrev);
	return put_text(s, abbrev);
}

static int put_iso_week(struct strf *s, char c)
{
	struct civil t = s->c;

	time_iso_week(&t);
	if (c == 'V')
		return put_number(s, t.week, 2, '0');
	return c == 'G' ? put_number(s, t.week_year, 4, '0') : put_number(s, t.week_year % 100, 2, '0');
}

static int put_days(struct strf *s, char c)
{
	const struct civil *t = &s->c;

	switch (c) {
	case 'j':
		return put_number(s, t->yearday, 3, '0');
	case 'U':
		return put_number(s, (t->yearday + 6 - t->weekday % 7) / 7, 2, '0');
	case 'W':
		return put_number(s, (t->yearday + 6 - (t->weekday - 1)) / 7, 2, '0');
	case 'V':
	case 'G':
	case 'g':
		return put_iso_week(s, c);
	case 'u':
		return put_number(s, t->weekday, 1, '0');
	case 'w':
		return put_number(s, t->weekday % 7, 1, '0');
	case 'a':
		return put_text(s, time_days[t->weekday - 1]);
	case 'A':
		return put_text(s, time_day_names[t->weekday - 1]);
	}
	return 0;
}

static int put_date(struct strf *s, char c)
{
	const struct civil *t = &s->c;

	switch (c) {
	case 'Y':
		return put_number(s, t->year, 4, '0');
	case 'C':
		return put_number(s, t->year / 100, 2, '0');
	case 'y':
		return put_number(s, t->year % 100, 2, '0');
	case 'm':
		return put_number(s, t->month, 2, '0');
	case 'd':
		return put_number(s, t->day, 2, '0');
	case 'e':
		return put_number(s, t->day, 2, ' ');
	case 'b':
	case 'h':
		return put_text(s, time_months[t->month - 1]);
	case 'B':
		return put_text(s, time_month_names[t->month - 1]);
	}
	return put_days(s, c);
}

static int put_clock(struct strf *s, char c)
{
	const struct civil *t = &s->c;
	int hour12 = (t->hour + 11) % 12 + 1;

	switch (c) {
	case 'H':
		return put_number(s, t->hour, 2, '0');
	case 'k':
		return put_number(s, t->hour, 2, ' ');
	case 'I':
		return put_number(s, hour12, 2, '0');
	case 'l':
		return put_number(s, hour12, 2, ' ');
	case 'M':
		return put_number(s, t->minute, 2, '0');
	case 'S':
		return put_number(s, t->second, 2, '0');
	case 'p':
		return put_text(s, t->hour < 12 ? "AM" : "PM");
	case 'P':
		return put_text(s, t->hour < 12 ? "am" : "pm");
	case 's':
		return put_number(s, floor_div(s->t_ns, TIME_NS), 1, '0');
	}
	return 0;
}

static int put_format(struct strf *s, const char *f, const char *f_end, int depth, char *bad);

static int put_expanded(struct strf *s, const char *f, int depth)
{
	char bad;

	s->flag = 0;
	return put_format(s, f, f + strlen(f), depth - 1, &bad);
}

/* 0: no such conversion. */
static int put_conversion(struct strf *s, char c, int depth)
{
	const char *expanded = depth ? time_fmt_expand(c) : NULL;

	if (expanded)
		return put_expanded(s, expanded, depth);
	switch (c) {
	case 'z':
		return put_offset(s, 0);
	case 'Z':
		return put_abbrev(s);
	case 'f':
		return put_ns(s, 6);
	case 'L':
		return put_ns(s, 3);
	case 'N':
		return put_ns(s, 9);
	case 'n':
		return put_text(s, "\n");
	case 't':
		return put_text(s, "\t");
	case '%':
		return put_text(s, "%");
	}
	return put_clock(s, c) || put_date(s, c);
}

/* The conversion at f, behind its %; returns the end of it, or NULL with *bad. */
static const char *put_percent(struct strf *s, const char *f, const char *f_end, int depth, char *bad)
{
	s->flag = 0;
	if (f_end - f >= 2 && *f >= '3' && *f <= '9' && (f[1] == 'f' || f[1] == 'N')) {
		put_ns(s, (size_t)(*f - '0'));
		return f + 2;
	}
	if (f_end - f >= 2 && *f == ':' && f[1] == 'z') {
		put_offset(s, 1);
		return f + 2;
	}
	if (f_end - f >= 2 && (*f == '-' || *f == '_' || *f == '0'))
		s->flag = *f++;
	*bad = f < f_end ? *f : '%';
	if (f == f_end || !put_conversion(s, *f, depth))
		return NULL;
	*bad = 0;
	return f + 1;
}

/* 0: an unknown conversion, whose letter is in *bad. */
static int put_format(struct strf *s, const char *f, const char *f_end, int depth, char *bad)
{
	while (f < f_end) {
		const char *first = f;

		while (f < f_end && *f != '%')
			f++;
		put(s, first, (size_t)(f - first));
		if (f == f_end)
			break;
		f = put_percent(s, f + 1, f_end, depth, bad);
		if (!f)
			return 0;
	}
	return 1;
}

size_t time_strftime(int64_t t_ns, const char *fmt, size_t fmt_n, const struct zone *z, char *out, size_t cap)
{
	struct strf s = { .p = out, .end = out + cap, .t_ns = t_ns, .zone = z };
	char bad;

	time_civil_fields(t_ns, z, &s.c);
	if (!put_format(&s, fmt, fmt + fmt_n, FMT_DEPTH, &bad) || s.full)
		return (size_t)-1;
	return (size_t)(s.p - out);
}

/* Steps over one conversion of time_strptime; NULL and *bad when it is unknown. */
static const char *check_parsing(const char *f, const char *f_end, char *bad)
{
	if (f_end - f >= 2 && ((*f >= '3' && *f <= '9' && (f[1] == 'f' || f[1] == 'N')) || (*f == ':' && f[1] == 'z')))
		return f + 2;
	*bad = f < f_end ? *f : '%';
	return f < f_end && time_strptime_knows(*f) ? f + 1 : NULL;
}

char time_fmt_bad(const char *fmt, size_t n, int parsing)
{
	struct strf s = { .c = { .month = 1, .weekday = 1 } };
	const char *f = fmt, *f_end = fmt + n;
	char bad = 0;

	while (f && f < f_end) {
		if (*f++ != '%')
			continue;
		f = parsing ? check_parsing(f, f_end, &bad) : put_percent(&s, f, f_end, FMT_DEPTH, &bad);
	}
	return f ? 0 : bad;
}

#include "base/time.h"

#include "base/mem.h"
#include "base/time_parts.h"

#define UNSET INT32_MIN
#define FMT_DEPTH 1 /* no expansion holds another */

/* Where a parse stands: the text left, and what it has said. */
struct strp {
	const char *p, *end;
	const struct time_opts *opts;
	int32_t year, century, short_year, month, day, yearday, hour, hour12, minute, second, ns, pm, weekday;
	int has_epoch, has_offset;
	int32_t offset;
	int64_t epoch_s;
};

struct number_field {
	uint8_t digits; /* at most; 0: the letter is not a number's */
	int16_t min, max;
	uint16_t at; /* in struct strp */
};

#define FIELD(digits, min, max, member) { digits, min, max, offsetof(struct strp, member) }

static const struct number_field number_fields[128] = {
	['Y'] = FIELD(4, 0, 9999, year),    ['C'] = FIELD(2, 0, 99, century), ['y'] = FIELD(2, 0, 99, short_year),
	['m'] = FIELD(2, 1, 12, month),     ['d'] = FIELD(2, 1, 31, day),     ['e'] = FIELD(2, 1, 31, day),
	['j'] = FIELD(3, 1, 366, yearday),  ['H'] = FIELD(2, 0, 23, hour),    ['k'] = FIELD(2, 0, 23, hour),
	['I'] = FIELD(2, 1, 12, hour12),    ['l'] = FIELD(2, 1, 12, hour12),  ['M'] = FIELD(2, 0, 59, minute),
	['S'] = FIELD(2, 0, 60, second),    ['u'] = FIELD(1, 1, 7, weekday),  ['w'] = FIELD(1, 0, 6, weekday),
};

static int is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct strp *s)
{
	while (s->p < s->end && is_space(*s->p))
		s->p++;
}

static int read_number(struct strp *s, const struct number_field *f)
{
	unsigned digits = 0;
	int32_t v = 0;

	skip_space(s);
	for (; digits < f->digits && s->p < s->end && time_digit(*s->p) < 10; digits++)
		v = v * 10 + (int32_t)time_digit(*s->p++);
	if (digits == 0 || v < f->min || v > f->max)
		return 0;
	memcpy((char *)s + f->at, &v, sizeof v);
	return 1;
}

/* A name in full or its first three letters: the one of n that fits. */
static int read_name(struct strp *s, const char *const *names, int n, int32_t *v)
{
	for (int i = 0; i < n; i++) {
		size_t len = 0;

		while (names[i][len] && len < (size_t)(s->end - s->p) && (names[i][len] | 32) == (s->p[len] | 32))
			len++;
		if (len < 3)
			continue;
		s->p += names[i][len] ? 3 : len;
		*v = i + 1;
		return 1;
	}
	return 0;
}

static int read_half(struct strp *s)
{
	int pm;

	if (s->end - s->p < 2 || (s->p[1] | 32) != 'm')
		return 0;
	pm = (s->p[0] | 32) == 'p';
	if (!pm && (s->p[0] | 32) != 'a')
		return 0;
	s->pm = pm;
	s->p += 2;
	return 1;
}

static int read_epoch(struct strp *s)
{
	int neg = s->p < s->end && *s->p == '-';
	const char *first;
	int64_t v = 0;

	s->p += neg;
	for (first = s->p; s->p < s->end && time_digit(*s->p) < 10; s->p++) {
		if (v > INT64_MAX / 100)
			return 0;
		v = v * 10 + (int64_t)time_digit(*s->p);
	}
	s->epoch_s = neg ? -v : v;
	s->has_epoch = 1;
	return s->p > first;
}

static int read_offset(struct strp *s)
{
	const char *p = time_read_offset(s->p, s->end, &s->offset);

	if (!p)
		return 0;
	s->p = p;
	s->has_offset = 1;
	return 1;
}

static int read_zone_name(struct strp *s)
{
	const char *p = s->p;

	while (p < s->end && (time_is_alpha(*p) || time_digit(*p) < 10 || *p == '+' || *p == '-'))
		p++;
	if (zone_abbrev_offset(s->opts->zone, s->p, (size_t)(p - s->p), &s->offset)) {
		s->p = p;
		s->has_offset = 1;
		return 1;
	}
	return read_offset(s);
}

static int read_fraction(struct strp *s, size_t digits)
{
	const char *end = digits && (size_t)(s->end - s->p) > digits ? s->p + digits : s->end;
	const char *p = time_read_fraction(s->p, end, &s->ns);

	if (!p || (digits && (size_t)(p - s->p) != digits))
		return 0;
	s->p = p;
	return 1;
}

static int read_byte(struct strp *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return 0;
	s->p++;
	return 1;
}

static int read_format(struct strp *s, const char *f, const char *f_end, int depth, char *bad);

/* 1, 0: the text does not match, -1: no such conversion. */
static int read_conversion(struct strp *s, char c, int depth)
{
	const char *expanded;
	char bad;

	if ((unsigned char)c < 128 && number_fields[(unsigned char)c].digits)
		return read_number(s, &number_fields[(unsigned char)c]);
	expanded = depth ? time_fmt_expand(c) : NULL;
	if (expanded)
		return read_format(s, expanded, expanded + strlen(expanded), depth - 1, &bad);
	switch (c) {
	case 'b':
	case 'B':
	case 'h':
		return read_name(s, time_month_names, 12, &s->month);
	case 'a':
	case 'A':
		return read_name(s, time_day_names, 7, &s->weekday);
	case 'p':
	case 'P':
		return read_half(s);
	case 'f':
	case 'N':
	case 'L':
		return read_fraction(s, 0);
	case 'z':
		return read_offset(s);
	case 'Z':
		return read_zone_name(s);
	case 's':
		return read_epoch(s);
	case 'n':
	case 't':
		skip_space(s);
		return 1;
	case '%':
		return read_byte(s, '%');
	}
	return -1;
}

int time_strptime_knows(char c)
{
	static const struct time_opts opts;
	static const char nothing[1];
	struct strp s = { .p = nothing, .end = nothing, .opts = &opts };

	return read_conversion(&s, c, FMT_DEPTH) >= 0;
}

/* The conversion at f, behind its %; returns the end of it, or NULL. */
static const char *read_percent(struct strp *s, const char *f, const char *f_end, int depth, char *bad)
{
	int r;

	if (f_end - f >= 2 && *f >= '3' && *f <= '9' && (f[1] == 'f' || f[1] == 'N'))
		return read_fraction(s, (size_t)(*f - '0')) ? f + 2 : NULL;
	if (f_end - f >= 2 && *f == ':' && f[1] == 'z')
		f++;
	r = f < f_end ? read_conversion(s, *f, depth) : -1;
	if (r < 0)
		*bad = f < f_end ? *f : '%';
	return r > 0 ? f + 1 : NULL;
}

static int read_format(struct strp *s, const char *f, const char *f_end, int depth, char *bad)
{
	while (f < f_end) {
		char c = *f++;

		if (c == '%') {
			f = read_percent(s, f, f_end, depth, bad);
			if (!f)
				return 0;
		} else if (is_space(c)) {
			skip_space(s);
		} else if (!read_byte(s, c)) {
			return 0;
		}
	}
	return 1;
}

static int32_t year_said(const struct strp *s)
{
	if (s->year != UNSET)
		return s->year;
	if (s->short_year != UNSET && s->century != UNSET)
		return s->century * 100 + s->short_year;
	if (s->short_year != UNSET)
		return s->short_year + (s->short_year < 69 ? 2000 : 1900); /* as POSIX has it */
	if (s->century != UNSET)
		return s->century * 100;
	return s->month != UNSET ? TIME_NO_YEAR : 1970;
}

static int32_t or_first(int32_t v, int32_t first)
{
	return v == UNSET ? first : v;
}

static int strp_time(const struct strp *s, int64_t *t_ns)
{
	struct time_parts t = {
		.year = year_said(s),
		.month = or_first(s->month, 1),
		.day = or_first(s->day, 1),
		.hour = or_first(s->hour, 0),
		.minute = or_first(s->minute, 0),
		.second = or_first(s->second, 0),
		.ns = s->ns,
		.has_offset = s->has_offset,
		.offset = s->offset,
	};

	if (s->has_epoch)
		return time_from_seconds(s->epoch_s, s->epoch_s < 0 ? -s->ns : s->ns, t_ns);
	if (s->hour12 != UNSET)
		t.hour = s->hour12 % 12 + (s->pm == 1 ? 12 : 0);
	if (s->yearday != UNSET && s->month == UNSET && s->day == UNSET) {
		if (s->yearday == 366 && time_month_days(t.year, 2) != 29)
			return 0;
		for (t.day = s->yearday; t.day > time_month_days(t.year, t.month); t.month++)
			t.day -= time_month_days(t.year, t.month);
	}
	return time_from_parts(&t, s->opts, t_ns);
}

int time_strptime(const char *p, size_t n, const char *fmt, size_t fmt_n, const struct time_opts *o, int64_t *t_ns, char *bad)
{
	struct strp s = {
		.p = p,
		.end = p + n,
		.opts = o,
		.year = UNSET,
		.century = UNSET,
		.short_year = UNSET,
		.month = UNSET,
		.day = UNSET,
		.yearday = UNSET,
		.hour = UNSET,
		.hour12 = UNSET,
		.minute = UNSET,
		.second = UNSET,
		.pm = UNSET,
	};

	*bad = 0;
	return read_format(&s, fmt, fmt + fmt_n, FMT_DEPTH, bad) && s.p == s.end && strp_time(&s, t_ns);
}

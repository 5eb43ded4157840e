#include "base/time.h"

#include "base/mem.h"
#include "base/num_short.h"
#include "base/time_parts.h"

/* The sum of the second and third letter tells the months apart. */
int time_month_of(const char *p)
{
	static const uint8_t by_sum[] = {
		['e' + 'b' - 199] = 2,	['e' + 'c' - 199] = 12, ['a' + 'n' - 199] = 1,	['a' + 'r' - 199] = 3,
		['e' + 'p' - 199] = 9,	['c' + 't' - 199] = 10, ['a' + 'y' - 199] = 5,	['u' + 'g' - 199] = 8,
		['u' + 'l' - 199] = 7,	['p' + 'r' - 199] = 4,	['u' + 'n' - 199] = 6,	['o' + 'v' - 199] = 11,
	};
	unsigned sum = (unsigned)((p[1] | 32) + (p[2] | 32)) - 199;
	const char *name;

	if (sum >= ARRAY_LEN(by_sum) || by_sum[sum] == 0)
		return 0;
	name = time_months[by_sum[sum] - 1];
	return ((name[0] ^ p[0]) | (name[1] ^ p[1]) | (name[2] ^ p[2])) & ~32 ? 0 : by_sum[sum];
}

int time_weekday_of(const char *p)
{
	for (int i = 0; i < 7; i++)
		if ((((time_days[i][0] ^ p[0]) | (time_days[i][1] ^ p[1]) | (time_days[i][2] ^ p[2])) & ~32) == 0)
			return i + 1;
	return 0;
}

const char *time_read_fraction(const char *p, const char *end, int *ns)
{
	static const int scale[] = { 1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1 };
	int v = 0, digits = 0;
	const char *first = p;

	for (; p < end && time_digit(*p) < 10; p++) {
		if (digits < 9) {
			v = v * 10 + (int)time_digit(*p);
			digits++;
		}
	}
	*ns = v * scale[digits];
	return p > first ? p : NULL;
}

/* North American abbreviations of RFC 822 and the names of UTC. */
static const char *read_abbrev(const char *p, const char *end, int32_t *offset_s)
{
	static const struct {
		char name[4];
		int hours;
	} known[] = {
		{ "UTC", 0 },  { "GMT", 0 },  { "Z", 0 },    { "UT", 0 },   { "EST", -5 }, { "EDT", -4 },
		{ "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
	};
	const char *first = p;
	size_t n;

	while (p < end && time_is_alpha(*p))
		p++;
	n = (size_t)(p - first);
	if (n == 1 && (*first | 32) == 'z') {
		*offset_s = 0;
		return p;
	}
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) == n && !memcmp(known[i].name, first, n)) {
			*offset_s = known[i].hours * 3600;
			return p;
		}
	}
	return NULL;
}

const char *time_read_offset(const char *p, const char *end, int32_t *offset_s)
{
	int neg, hours, minutes = 0;

	if (p == end)
		return NULL;
	if (*p == 'Z' && p + 1 == end) {
		*offset_s = 0;
		return end;
	}
	if (time_is_alpha(*p))
		return read_abbrev(p, end, offset_s);
	neg = *p == '-';
	if ((!neg && *p != '+') || end - p < 3)
		return NULL;
	hours = time_two(p + 1);
	p += 3;
	if (end - p >= 3 && *p == ':') {
		minutes = time_two(p + 1);
		p += 3;
	} else if (end - p >= 2 && time_digit(*p) < 10) {
		minutes = time_two(p);
		p += 2;
	}
	if ((hours | minutes) < 0 || hours > 23 || minutes > 59)
		return NULL;
	*offset_s = (hours * 3600 + minutes * 60) * (neg ? -1 : 1);
	return p;
}

/* hh:mm[:ss[.fraction]] */
static inline const char *read_clock(const char *p, const char *end, struct time_parts *t)
{
	if (end - p < 5 || p[2] != ':')
		return NULL;
	t->hour = time_two(p);
	t->minute = time_two(p + 3);
	p += 5;
	if (p == end || *p != ':')
		return p;
	if (end - p < 3)
		return NULL;
	t->second = time_two(p + 1);
	p += 3;
	if (p < end && (*p == '.' || *p == ','))
		return time_read_fraction(p + 1, end, &t->ns);
	return p;
}

/* Nothing, or an offset, perhaps after blanks: must end the text. */
static inline int read_rest(const char *p, const char *end, struct time_parts *t)
{
	while (p < end && *p == ' ')
		p++;
	if (p == end)
		return 1;
	t->has_offset = 1;
	return time_read_offset(p, end, &t->offset) == end;
}

/* yyyy-mm-dd[ T]clock[ offset] */
static int parse_iso(const char *p, const char *end, const struct time_opts *o, int64_t *t_ns)
{
	struct time_parts t = { .year = time_four(p), .month = time_two(p + 5), .day = time_two(p + 8) };

	if (t.year < 0 || p[7] != p[4])
		return 0;
	p += 10;
	if (p < end) {
		if (*p != 'T' && *p != ' ' && *p != 't')
			return 0;
		p = read_clock(p + 1, end, &t);
		if (!p || !read_rest(p, end, &t))
			return 0;
	}
	return time_from_parts(&t, o, t_ns);
}

/* 17/May/2015:10:05:03 +0000 */
static int parse_apache(const char *p, const char *end, const struct time_opts *o, int64_t *t_ns)
{
	struct time_parts t = { .day = time_two(p), .month = time_month_of(p + 3), .year = time_four(p + 7) };

	if (t.year < 0 || p[6] != '/' || p[11] != ':')
		return 0;
	p = read_clock(p + 12, end, &t);
	return p && read_rest(p, end, &t) && time_from_parts(&t, o, t_ns);
}

int time_read_epoch(const char *p, const char *end, int64_t *t_ns)
{
	int neg = p < end && *p == '-', ns = 0;
	const char *first;
	int64_t v = 0, t, unit;

	p += p < end && (*p == '-' || *p == '+');
	first = p;
	if (end - p >= 8) {
		uint64_t eight = num_load64(p) ^ NUM_ZEROS;

		if (!num_not_digits(eight)) {
			v = (int64_t)num_join_digits(eight);
			p += 8;
		}
	}
	for (; p < end && time_digit(*p) < 10; p++)
		if (__builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_add_overflow(v, (int64_t)time_digit(*p), &v))
			return 0;
	if (p == first)
		return 0;
	if (p < end && *p == '.')
		p = time_read_fraction(p + 1, end, &ns);
	if (p != end || !time_from_int(v, &t))
		return 0;
	unit = v < 100000000000 ? TIME_NS : v < 100000000000000 ? 1000000 : v < 100000000000000000 ? 1000 : 1;
	if (__builtin_add_overflow(t, ns * unit / TIME_NS, &t))
		return 0;
	*t_ns = neg ? -t : t;
	return 1;
}

enum { HAS_WEEKDAY = 1, HAS_MONTH = 2, HAS_DAY = 4, HAS_CLOCK = 8, HAS_YEAR = 16, HAS_OFFSET = 32 };

/* Is the word the beginning of the name ("Sept"), in any case? */
static int names_it(const char *p, size_t n, const char *full)
{
	for (size_t i = 0; i < n; i++)
		if (!full[i] || (full[i] | 32) != (p[i] | 32))
			return 0;
	return 1;
}

/* Each word may say one thing, and none twice: returns the bit of what it said, or 0. */
static int read_name(const char *p, size_t n, struct time_parts *t)
{
	int k;

	if (n >= 3 && (k = time_month_of(p)) && names_it(p, n, time_month_names[k - 1])) {
		t->month = k;
		return HAS_MONTH;
	}
	if (n >= 3 && (k = time_weekday_of(p)) && names_it(p, n, time_day_names[k - 1]))
		return HAS_WEEKDAY;
	t->has_offset = 1;
	return read_abbrev(p, p + n, &t->offset) ? HAS_OFFSET : 0;
}

static int read_day_or_year(const char *p, size_t n, int said, struct time_parts *t)
{
	if (n == 4) {
		t->year = time_four(p);
		return t->year < 0 ? 0 : HAS_YEAR;
	}
	if (n > 2)
		return 0;
	if (!(said & HAS_DAY)) {
		t->day = n == 2 ? time_two(p) : (int)time_digit(*p);
		return HAS_DAY;
	}
	t->year = n == 2 ? time_two(p) : -1;
	if (t->year < 0)
		return 0;
	t->year += t->year < 50 ? 2000 : 1900; /* RFC 2822, 4.3 */
	return HAS_YEAR;
}

static int read_word(const char *p, const char *end, int said, struct time_parts *t)
{
	size_t n = (size_t)(end - p);

	if (time_is_alpha(*p))
		return read_name(p, n, t);
	if (*p == '+' || *p == '-') {
		t->has_offset = 1;
		return time_read_offset(p, end, &t->offset) == end ? HAS_OFFSET : 0;
	}
	if (time_digit(*p) > 9)
		return 0;
	if (n > 2 && p[2] == ':')
		return read_clock(p, end, t) == end ? HAS_CLOCK : 0;
	return read_day_or_year(p, n, said, t);
}

/* Syslog, RFC 2822, asctime, date(1), Twitter: the same words in several orders. */
static int parse_words(const char *p, const char *end, const struct time_opts *o, int64_t *t_ns)
{
	struct time_parts t = { .year = TIME_NO_YEAR };
	int said = 0, bit;

	while (p < end) {
		const char *first = p;

		while (p < end && *p != ' ' && !(*p == ',' && (p + 1 == end || p[1] == ' ')))
			p++;
		if (p == first)
			return 0;
		bit = read_word(first, p, said, &t);
		if (bit == 0 || (said & bit))
			return 0;
		said |= bit;
		p += p < end && *p == ',';
		while (p < end && *p == ' ')
			p++;
		if (p < end && *p == '(' && end[-1] == ')')
			break; /* RFC 2822: a comment, the name of the zone */
	}
	if ((said & (HAS_MONTH | HAS_DAY)) != (HAS_MONTH | HAS_DAY) || !(said & (HAS_CLOCK | HAS_YEAR)))
		return 0;
	return time_from_parts(&t, o, t_ns);
}

int time_parse(const char *p, size_t n, const struct time_opts *o, int64_t *t_ns)
{
	const char *end = p + n;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (p < end && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (p == end)
		return 0;
	if (end - p >= 10 && time_digit(*p) < 10) {
		if (p[4] == '-' || p[4] == '/')
			return parse_iso(p, end, o, t_ns);
		if (p[2] == '/')
			return end - p >= 17 && parse_apache(p, end, o, t_ns);
	}
	if (time_read_epoch(p, end, t_ns))
		return 1;
	return parse_words(p, end, o, t_ns);
}

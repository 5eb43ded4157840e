/* What the files of time text share: fields on their way to an instant, and the small readers. Internal to base/time*.c and zone.c. */
#ifndef STRM_BASE_TIME_PARTS_H
#define STRM_BASE_TIME_PARTS_H
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

#define DAY_S 86400
#define DAY_NS (DAY_S * TIME_NS)
#define TIME_NO_YEAR INT32_MIN
/* Days whose every second is an instant (1677-09-22 to 2262-04-10) lie well within this many of 1970. */
#define TIME_DAYS_MAX 107000

struct time_parts {
	int32_t year; /* TIME_NO_YEAR: none said */
	int month, day, hour, minute, second, ns;
	int has_offset; /* else the zone of the options */
	int32_t offset;
};

extern const char time_months[12][4]; /* "Jan" .. */
extern const char time_days[7][4];    /* "Mon" .. */
extern const char *const time_month_names[12], *const time_day_names[7];

/* The instant, if the fields are valid and it is in range: 1, else 0. */
int time_from_parts(const struct time_parts *t, const struct time_opts *o, int64_t *t_ns);
/* The second since 1970 in ns, plus ns: 1, or 0 when out of range. */
int time_from_seconds(int64_t s, int64_t ns, int64_t *t_ns);
int time_month_days(int64_t year, int month);
/* time_civil in two parts: all but the ISO week, and the week of fields so filled. */
void time_civil_fields(int64_t t_ns, const struct zone *z, struct civil *out);
void time_iso_week(struct civil *c);

/* Readers take a cursor and its end, and return the new cursor, or NULL when the text is not of that form. */
/* Three letters of a month, in any case: 1..12, or 0. Reads 3 bytes. */
int time_month_of(const char *p);
/* Three letters of a day of the week: 1 Monday .. 7, or 0. */
int time_weekday_of(const char *p);
/* Digits of a fraction (at least one) to ns; those past the ninth are dropped. */
const char *time_read_fraction(const char *p, const char *end, int *ns);
/* Z, UTC, GMT, an abbreviation of RFC 822, +hh, +hhmm or +hh:mm. */
const char *time_read_offset(const char *p, const char *end, int32_t *offset_s);
/* Epoch text: [+-] digits [. digits], the unit told by magnitude. The whole of p..end: 1, or 0. */
int time_read_epoch(const char *p, const char *end, int64_t *t_ns);

/* What a conversion of strftime and strptime stands for in other conversions (%T is %H:%M:%S), or NULL. */
const char *time_fmt_expand(char c);
/* The offset that an abbreviation of this zone means: the latest type of that name. 1, or 0. */
int zone_abbrev_offset(const struct zone *z, const char *p, size_t n, int32_t *offset_s);
/* Does time_strptime know the conversion? */
int time_strptime_knows(char c);

static inline unsigned time_digit(char c)
{
	return (unsigned)(unsigned char)c - '0';
}

/* Two digits: 0..99, or -1. */
static inline int time_two(const char *p)
{
	unsigned a = time_digit(p[0]), b = time_digit(p[1]);

	return a > 9 || b > 9 ? -1 : (int)(a * 10 + b);
}

/* Four digits: 0..9999, or -1. */
static inline int time_four(const char *p)
{
	int a = time_two(p), b = time_two(p + 2);

	return a < 0 || b < 0 ? -1 : a * 100 + b;
}

static inline int time_is_alpha(char c)
{
	return (unsigned)((c | 32) - 'a') < 26;
}

static inline void time_put2(char *p, int v)
{
	p[0] = (char)('0' + v / 10);
	p[1] = (char)('0' + v % 10);
}

/* Round down; d > 0. */
static inline int64_t floor_div(int64_t a, int64_t d)
{
	return a / d - (a % d < 0);
}

static inline int64_t floor_mod(int64_t a, int64_t d)
{
	return a % d + (a % d < 0 ? d : 0);
}

#endif

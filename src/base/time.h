/* Instants and durations as text. An instant is int64 nanoseconds since 1970-01-01T00:00:00Z (years 1678 to 2261);
 * a duration is int64 nanoseconds. No libc time functions, no TZ, no locale: zones come from tzdata.
 * No function here reads the clock. All are thread-safe. */
#ifndef STRM_BASE_TIME_H
#define STRM_BASE_TIME_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TIME_NS ((int64_t)1000000000)
#define TIME_MAX 64 /* longest output of time_format and dur_format, bytes */

struct zone; /* NULL is UTC */

/* A zone by name: "UTC", "Z", "GMT", a fixed offset "+02:00" ("+0200", "+02"; up to 24 h), or a name of tzdata ("Europe/Berlin"), read
 * from the TZif files (RFC 8536) below $TZDIR, else /usr/share/zoneinfo. Kept by the process for good, so the result needs no release
 * and may be compared by address; any thread may call (a lock guards the list), zones themselves never change. NULL and err
 * (ERR_USAGE; the nearest name as hint) when unknown. */
const struct zone *zone_get(const char *name, size_t n, struct err *e);
/* The name it was asked for by; "UTC" for NULL. */
const char *zone_name(const struct zone *z);
/* Seconds east of UTC at an instant; *abbrev (may be NULL) gets the abbreviation, which lives as long as the zone. */
int32_t zone_offset(const struct zone *z, int64_t t_ns, const char **abbrev);
/* Local civil time, in seconds as if it were UTC, -> instant in ns (saturated outside the range of instants).
 * A time skipped by a DST jump moves forward by the gap; one that occurs twice is the earlier. */
int64_t zone_to_utc(const struct zone *z, int64_t local_s);

/* Civil calendar (proleptic Gregorian), Howard Hinnant's days_from_civil. */
int64_t days_from_civil(int64_t y, unsigned m, unsigned d);
void civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d);

struct time_opts {
	const struct zone *zone; /* of a text without offset */
	int64_t now_ns;          /* for times without a year: the year that puts it at most a day after this */
};

/* An instant as a calendar says it. */
struct civil {
	int year, month, day;     /* month 1..12 */
	int hour, minute, second; /* second 0..59 */
	int ns;
	int weekday;              /* 1 Monday .. 7 Sunday */
	int yearday;              /* 1..366 */
	int week, week_year;      /* ISO 8601 */
	int32_t offset;           /* seconds east of UTC */
};

void time_civil(int64_t t_ns, const struct zone *z, struct civil *out);
/* The start of the year, quarter, month, week (Monday), day, hour, minute or second (units in singular) that holds t, as the zone's clock
 * has it. *ok is 0 when the unit is unknown or the start is out of range, else 1. */
int64_t time_trunc(int64_t t_ns, const char *unit, size_t n, const struct zone *z, int *ok);
/* The same clock time so many calendar months later (or earlier); a day past the end of that month becomes its last.
 * 1, or 0 when out of range. */
int time_add_months(int64_t t_ns, int64_t months, const struct zone *z, int64_t *out);

/* Any text strm takes for a time: RFC 3339 with fraction and offset (T or blank between, date alone, no offset = opts->zone,
 * minutes without seconds, '/' for '-'), epoch s/ms/us/ns told by magnitude (decimal fraction allowed, never through a double),
 * Apache 17/May/2015:10:05:03 +0000, syslog "Jun 14 15:16:01", RFC 2822/asctime/Twitter "Sun Aug 31 00:29:15 +0000 2014",
 * "Sun Dec 04 04:47:44 2005", "2015-10-18 18:01:47,978". Blanks around it are skipped, digits past the ninth of a fraction are
 * dropped, second 60 is 59 and a second more, the day of the week is not checked against the date. An offset may be Z, UTC, GMT,
 * +hh, +hhmm, +hh:mm or a North American abbreviation of RFC 822. Returns 1 and *t_ns, or 0. */
int time_parse(const char *p, size_t n, const struct time_opts *o, int64_t *t_ns);
/* A number as a time: magnitude tells the unit: |v| < 1e11 seconds, < 1e14 ms, < 1e17 us, else ns. 1, or 0 when out of range.
 * A double stands for the decimal it prints as (1431857103.123 is .123 exactly). */
int time_from_int(int64_t v, int64_t *t_ns);
int time_from_double(double v, int64_t *t_ns);
/* By format, as strptime: %Y %m %d %H %M %S %f(fraction digits) %y %b %B %a %A %e %j %p %I %z %Z %s %T %D %F %R %n %t %% and literal text;
 * also %h %k %l %N %L %C %c %x %X %r %u %w (%u %w are checked for form only) and %3f..%9f. White space in the format matches any
 * run of it, also none; names match in any case; the whole text must match. No year: as syslog in time_parse when there is a month,
 * else 1970; missing month, day and clock parts are the first. 1 or 0; an unknown conversion, once the
 * text matched up to it, is 0 with *bad set to its letter (*bad is 0 otherwise); time_fmt_bad finds it without a text. */
int time_strptime(const char *p, size_t n, const char *fmt, size_t fmt_n, const struct time_opts *o, int64_t *t_ns, char *bad);
/* RFC 3339 in UTC with as much fraction as it has: 2015-05-17T10:05:03Z, ...03.25Z. Returns the length. */
size_t time_format(int64_t t_ns, char *out);
/* As strftime, in a zone and in English: the conversions of time_strptime and %U %V %W %G %g %u %w %k %l %C %h %c %x %X %r %P %D %N
 * (nanoseconds) %L (ms) %f (us) %3f..%9f %:z (+hh:mm); %-d drops the padding of a number, %_d pads with blanks, %0e with zeros.
 * Writes at most cap bytes; returns the length, or (size_t)-1 when it does not fit or a conversion is unknown. */
size_t time_strftime(int64_t t_ns, const char *fmt, size_t fmt_n, const struct zone *z, char *out, size_t cap);
/* The letter of the first conversion time_strptime (parsing) or time_strftime does not know ('%' if the format ends in a lone one);
 * 0: the format is good. For checking a format once, when the program is bound. */
char time_fmt_bad(const char *fmt, size_t n, int parsing);

/* Durations: ([0-9]+(.[0-9]+)?(ns|us|ms|s|m|h|d|w|mo|y))+ ; d = 24 h, w = 7 d. "mo" and "y" have no fixed length: they set
 * *months (a count; y = 12) and are for window sizes only. An optional leading '-'. A fraction is exact down to ns
 * (mo and y take none). months may be NULL: then mo and y are refused.
 * Returns 1, or 0 (not a duration, or overflow). */
int dur_parse(const char *p, size_t n, int64_t *ns, int64_t *months);
/* Of what looks like a duration and is none, the reason as a sentence of advice; NULL: it does not look like one. */
const char *dur_advice(const char *p, size_t n);
/* Canonical text, largest units first, no zero parts: "1h30m", "10d", "250ms", "0s", "-5m"; the largest
 * unit is d. Returns the length. */
size_t dur_format(int64_t ns, char *out);

#endif

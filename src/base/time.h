/* Instants and durations as text. An instant is int64 nanoseconds since 1970-01-01T00:00:00Z (years 1678 to 2261);
 * a duration is int64 nanoseconds. No libc time functions, no TZ, no locale: zones come from tzdata (base/zone.h).
 * No function here reads the clock. All are thread-safe. */
#ifndef STRM_BASE_TIME_H
#define STRM_BASE_TIME_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TIME_NS ((int64_t)1000000000)
#define TIME_MAX 64 /* longest output of time_format and dur_format, bytes */

struct zone; /* NULL is UTC */

/* A zone of tzdata by name ("Europe/Berlin", "UTC", "+02:00"); loaded once and kept by the process. NULL and err when unknown
 * (with the nearest name as hint). */
const struct zone *zone_get(const char *name, size_t n, struct err *e);
/* Seconds east of UTC at an instant; *abbrev (may be NULL) gets the abbreviation. */
int32_t zone_offset(const struct zone *z, int64_t t_ns, const char **abbrev);
/* Local civil time -> instant. A time skipped by a DST jump moves forward by the gap; one that occurs twice is the earlier. */
int64_t zone_to_utc(const struct zone *z, int64_t local_s);

/* Civil calendar (proleptic Gregorian), Howard Hinnant's days_from_civil. */
int64_t days_from_civil(int64_t y, unsigned m, unsigned d);
void civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d);

struct time_opts {
	const struct zone *zone; /* of a text without offset */
	int64_t now_ns;          /* for syslog times without a year: the year that puts it at most a day after this */
};

/* Any text strm takes for a time: RFC 3339 with fraction and offset (T or blank between, date alone, no offset = opts->zone,
 * minutes without seconds), epoch s/ms/us/ns told by magnitude (decimal fraction allowed, never through a double),
 * Apache 17/May/2015:10:05:03 +0000, syslog "Jun 14 15:16:01", RFC 2822/asctime/Twitter "Sun Aug 31 00:29:15 +0000 2014",
 * "Sun Dec 04 04:47:44 2005", "2015-10-18 18:01:47,978". Returns 1 and *t_ns, or 0. */
int time_parse(const char *p, size_t n, const struct time_opts *o, int64_t *t_ns);
/* A number as a time: magnitude tells the unit: |v| < 1e11 seconds, < 1e14 ms, < 1e17 us, else ns. 1, or 0 when out of range. */
int time_from_int(int64_t v, int64_t *t_ns);
int time_from_double(double v, int64_t *t_ns);
/* By format, as strptime: %Y %m %d %H %M %S %f(fraction digits) %y %b %B %a %A %e %j %p %I %z %Z %s %T %D %F %R %n %t %% and literal text;
 * the whole text must match. 1 or 0; an unknown conversion is 0 with *bad set to its letter. */
int time_strptime(const char *p, size_t n, const char *fmt, size_t fmt_n, const struct time_opts *o, int64_t *t_ns, char *bad);
/* RFC 3339 in UTC with as much fraction as it has: 2015-05-17T10:05:03Z, ...03.25Z. Returns the length. */
size_t time_format(int64_t t_ns, char *out);
/* As strftime, in a zone: the conversions of time_strptime and %U %V %G %u %w %k %l %C %h %c %x %X %N (nanoseconds) %L (ms) %3f..%9f.
 * Writes at most cap bytes; returns the length, or (size_t)-1 when it does not fit or a conversion is unknown. */
size_t time_strftime(int64_t t_ns, const char *fmt, size_t fmt_n, const struct zone *z, char *out, size_t cap);

/* Durations: ([0-9]+(.[0-9]+)?(ns|us|ms|s|m|h|d|w|mo|y))+ ; d = 24 h, w = 7 d. "mo" and "y" have no fixed length: they set
 * *months (a count; y = 12) and are for window sizes only. An optional leading '-'. Returns 1, or 0 (not a duration, or overflow). */
int dur_parse(const char *p, size_t n, int64_t *ns, int64_t *months);
/* Canonical text, largest units first, no zero parts: "1h30m", "1d", "250ms", "0s", "-5m". Returns the length. */
size_t dur_format(int64_t ns, char *out);

#endif

/* The rule a zone follows after its last listed transition: the TZ string of POSIX, with the wider hours of RFC 8536
 * ("CET-1CEST,M3.5.0,M10.5.0/3"). Internal to base/zone.c. */
#ifndef STRM_BASE_ZONE_RULE_H
#define STRM_BASE_ZONE_RULE_H
#include <stddef.h>
#include <stdint.h>

struct zone_date {
	char kind;             /* 'M' month.week.day, 'J' day 1..365 without February 29, 'D' day 0..365 */
	int month, week, day;  /* 'M': 1..12, 1..5 (5: the last), 0..6 from Sunday; else only day */
	int32_t at;            /* second of that day on the clock before the change; may be negative or beyond the day */
};

struct zone_rule {
	const char *std, *dst; /* abbreviations, in the text parsed */
	size_t std_n, dst_n;
	int32_t std_offset, dst_offset; /* seconds east */
	int has_dst;
	struct zone_date to_dst, to_std;
};

/* 1, or 0 when it is not such a string. */
int zone_rule_parse(const char *p, const char *end, struct zone_rule *r);
/* The local second of a change in a year, as if it were UTC. */
int64_t zone_rule_at(const struct zone_date *d, int64_t year);

#endif

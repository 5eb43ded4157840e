#include "base/time.h"

#include "tests/unit/test.h"

#define NOW (1718370000 * TIME_NS) /* 2024-06-14T13:00:00Z */

static const struct zone *zone_of(const char *name)
{
	struct err e = { 0 };
	const struct zone *z = zone_get(name, strlen(name), &e);

	CHECK(z != NULL);
	return z;
}

static void check_parse_in(const char *text, const char *zone, const char *want)
{
	struct time_opts o = { .zone = zone ? zone_of(zone) : NULL, .now_ns = NOW };
	char out[TIME_MAX];
	int64_t t;

	if (!time_parse(text, strlen(text), &o, &t)) {
		if (want)
			printf("# \"%s\" is not taken\n", text);
		CHECK(!want);
		return;
	}
	if (!want)
		printf("# \"%s\" is taken\n", text);
	CHECK_BYTES(out, time_format(t, out), want ? want : "");
}

static void check_parse(const char *text, const char *want)
{
	check_parse_in(text, NULL, want);
}

static void test_rfc3339(void)
{
	check_parse("2015-05-17T10:05:03Z", "2015-05-17T10:05:03Z");
	check_parse("2015-05-17t10:05:03z", "2015-05-17T10:05:03Z");
	check_parse("2015-05-17 10:05:03", "2015-05-17T10:05:03Z");
	check_parse("2015-05-17T10:05", "2015-05-17T10:05:00Z");
	check_parse("2015-05-17", "2015-05-17T00:00:00Z");
	check_parse("2015/05/17 10:05:03", "2015-05-17T10:05:03Z");
	check_parse(" 2015-05-17T10:05:03.25Z\t", "2015-05-17T10:05:03.25Z");
	check_parse("2015-05-17T10:05:03.123456789999Z", "2015-05-17T10:05:03.123456789Z");
	check_parse("2015-10-18 18:01:47,978", "2015-10-18T18:01:47.978Z");
	check_parse("2015-05-17T10:05:03+02:00", "2015-05-17T08:05:03Z");
	check_parse("2015-05-17T10:05:03-0530", "2015-05-17T15:35:03Z");
	check_parse("2015-05-17 10:05:03 +02", "2015-05-17T08:05:03Z");
	check_parse("2015-05-17 10:05:03 UTC", "2015-05-17T10:05:03Z");
	check_parse("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z");
	check_parse("2000-02-29", "2000-02-29T00:00:00Z");
	check_parse("1677-09-21T00:12:43.145224192Z", "1677-09-21T00:12:43.145224192Z");
	check_parse("2262-04-11T23:47:16.854775807Z", "2262-04-11T23:47:16.854775807Z");
}

static void test_refused(void)
{
	static const char *const texts[] = {
		"",
		" ",
		"x",
		"-",
		"2015-13-01",
		"2015-00-10",
		"2015-02-29",
		"1900-02-29",
		"2015-04-31",
		"2015-05-00",
		"2015-05-17T24:00:00Z",
		"2015-05-17T10:60:00Z",
		"2015-05-17T10:05:61Z",
		"2015-05-17T10",
		"2015-05-17T10:5:03",
		"2015-05-17T10:05:03.Z",
		"2015-05-17T10:05:03+2",
		"2015-05-17T10:05:03+24:00",
		"2015-05-17T10:05:03Zx",
		"2015-05-17x",
		"2015-05/17",
		"2015-5-17",
		"2262-04-12",
		"2262-04-11T23:47:16.854775808Z",
		"1677-09-21",
		"9999-12-31T23:59:59Z",
		"17/Foo/2015:10:05:03 +0000",
		"17/May/2015",
		"32/May/2015:10:05:03 +0000",
		"Jun",
		"Jun 14",
		"Jun 31 10:00:00",
		"Jun Jun 14 10:00:00",
		"Foo Jun 14 10:00:00",
		"Sun Aug 31 00:29:15 +0000 2014 2015",
		"10:05:03",
		"1e9",
		"1431857103.1.2",
		"99999999999",
		"12abc",
		"1431857103 ms",
		"Jun 14,, 10:00:00",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		check_parse(texts[i], NULL);
}

static void test_log_forms(void)
{
	check_parse("17/May/2015:10:05:03 +0000", "2015-05-17T10:05:03Z");
	check_parse("17/may/2015:10:05:03 -0700", "2015-05-17T17:05:03Z");
	check_parse("17/May/2015:10:05:03", "2015-05-17T10:05:03Z");
	check_parse("Sun Aug 31 00:29:15 +0000 2014", "2014-08-31T00:29:15Z");
	check_parse("Sun Dec 04 04:47:44 2005", "2005-12-04T04:47:44Z");
	check_parse("Sun Dec  4 04:47:44 2005", "2005-12-04T04:47:44Z");
	check_parse("Fri Sep 09 10:42:29.902022 2011", "2011-09-09T10:42:29.902022Z");
	check_parse("Sun, 31 Aug 2014 00:29:15 +0200", "2014-08-30T22:29:15Z");
	check_parse("31 Aug 2014 00:29 EST", "2014-08-31T05:29:00Z");
	check_parse("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z");
	check_parse("Sunday, 6 November 94 08:49:37 GMT", "1994-11-06T08:49:37Z");
	check_parse("Sun, 31 Aug 2014 00:29:15 -0700 (PDT)", "2014-08-31T07:29:15Z");
	check_parse("Sun Aug 31 00:29:15 UTC 2014", "2014-08-31T00:29:15Z");
}

static void test_without_year(void)
{
	check_parse("Jun 14 15:16:01", "2024-06-14T15:16:01Z");
	check_parse("Jun 15 12:59:59", "2024-06-15T12:59:59Z");
	check_parse("Jun 15 13:00:01", "2023-06-15T13:00:01Z");
	check_parse("Dec 31 23:59:59", "2023-12-31T23:59:59Z");
	check_parse("Jan  1 00:00:00.5", "2024-01-01T00:00:00.5Z");
	check_parse("Feb 29 10:00:00", "2024-02-29T10:00:00Z");
	check_parse_in("Jun 14 15:16:01", "Europe/Berlin", "2024-06-14T13:16:01Z");
}

static void test_epoch(void)
{
	int64_t t;

	check_parse("0", "1970-01-01T00:00:00Z");
	check_parse("1431857103", "2015-05-17T10:05:03Z");
	check_parse("1431857103.123456789", "2015-05-17T10:05:03.123456789Z");
	check_parse("1431857103250", "2015-05-17T10:05:03.25Z");
	check_parse("1431857103250.5", "2015-05-17T10:05:03.2505Z");
	check_parse("1431857103250001", "2015-05-17T10:05:03.250001Z");
	check_parse("1431857103250001002", "2015-05-17T10:05:03.250001002Z");
	check_parse("-1.5", "1969-12-31T23:59:58.5Z");
	check_parse("-1431857103250", "1924-08-17T13:54:56.75Z");
	CHECK(time_from_int(1431857103, &t) && t == 1431857103 * TIME_NS);
	CHECK(!time_from_int(99999999999, &t));
	CHECK(time_from_int(INT64_MIN, &t) && t == INT64_MIN);
	CHECK(time_from_double(1431857103.123, &t) && t == 1431857103123000000);
	CHECK(time_from_double(0.5e-8, &t) && t == 5);
	CHECK(time_from_double(-0.25, &t) && t == -250000000);
	CHECK(!time_from_double(1e300, &t) && !time_from_double(0.0 / 0.0, &t) && !time_from_double(1.0 / 0.0, &t));
}

static void check_strptime(const char *text, const char *fmt, const char *want)
{
	struct time_opts o = { .zone = zone_of("Europe/Berlin"), .now_ns = NOW };
	char out[TIME_MAX], bad;
	int64_t t;

	if (!time_strptime(text, strlen(text), fmt, strlen(fmt), &o, &t, &bad)) {
		if (want)
			printf("# \"%s\" does not match %s\n", text, fmt);
		CHECK(!want);
		CHECK_INT(bad, 0);
		return;
	}
	CHECK_BYTES(out, time_format(t, out), want ? want : "nothing");
}

static void test_strptime(void)
{
	struct time_opts o = { 0 };
	int64_t t;
	char bad;

	check_strptime("17/May/2015:10:05:03 +0000", "%d/%b/%Y:%H:%M:%S %z", "2015-05-17T10:05:03Z");
	check_strptime("2015-05-17 10:05:03", "%F %T", "2015-05-17T08:05:03Z");
	check_strptime("20150517100503", "%Y%m%d%H%M%S", "2015-05-17T08:05:03Z");
	check_strptime("2015-05-17 10:05:03.250", "%Y-%m-%d %H:%M:%S.%f", "2015-05-17T08:05:03.25Z");
	check_strptime("05/17/15 01:05 pm", "%D %I:%M %p", "2015-05-17T11:05:00Z");
	check_strptime("12:00 AM 1/2/1999", "%I:%M %p %m/%d/%Y", "1999-01-01T23:00:00Z");
	check_strptime("Sunday 17 August 2014 UTC", "%A %e %B %Y %Z", "2014-08-17T00:00:00Z");
	check_strptime("2014-08-17 12:00 CEST", "%F %R %Z", "2014-08-17T10:00:00Z");
	check_strptime("2014-08-17 12:00 XYZ", "%F %R %Z", NULL);
	check_strptime("2016-366Z", "%Y-%j%z", "2016-12-31T00:00:00Z");
	check_strptime("2015-366", "%Y-%j", NULL);
	check_strptime("1431857103.25", "%s.%f", "2015-05-17T10:05:03.25Z");
	check_strptime("-1.25", "%s.%f", "1969-12-31T23:59:58.75Z");
	check_strptime("70", "%y", "1969-12-31T23:00:00Z");
	check_strptime("Jun 14 15:16:01", "%b %e %T", "2024-06-14T13:16:01Z");
	check_strptime("100%", "1%M%%", "1969-12-31T23:00:00Z");
	check_strptime("2015-05-17 ", "%F", NULL);
	check_strptime("2015-02-30", "%F", NULL);
	check_strptime("2015-05-17", "%F %T", NULL);
	check_strptime("", "%Y", NULL);
	CHECK(!time_strptime("x", 1, "%Q", 2, &o, &t, &bad) && bad == 'Q');
	CHECK(!time_strptime("x", 1, "x%", 2, &o, &t, &bad) && bad == '%');
	CHECK_INT(time_fmt_bad("%Y-%m-%dT%H:%M:%S.%3f%z", 24, 1), 0);
	CHECK_INT(time_fmt_bad("%F %T %G", 8, 1), 'G');
	CHECK_INT(time_fmt_bad("%F %T %G %:z %-d", 16, 0), 0);
	CHECK_INT(time_fmt_bad("%F %J", 5, 0), 'J');
	CHECK_INT(time_fmt_bad("100%", 4, 0), '%');
}

static void check_strftime(const char *fmt, const char *zone, const char *want)
{
	char out[256];
	size_t n = time_strftime(1431857103 * TIME_NS + 25000001, fmt, strlen(fmt), zone ? zone_of(zone) : NULL, out, sizeof out);

	CHECK(n <= sizeof out);
	if (n <= sizeof out)
		CHECK_BYTES(out, n, want);
}

static void test_strftime(void)
{
	char out[8];

	check_strftime("%Y-%m-%dT%H:%M:%S.%f%z", NULL, "2015-05-17T10:05:03.025000+0000");
	check_strftime("%d/%b/%Y:%T %z", "Asia/Kolkata", "17/May/2015:15:35:03 +0530");
	check_strftime("%A %B %e %l %P %Z %:z", "America/New_York", "Sunday May 17  6 am EDT -04:00");
	check_strftime("%N %L %3f %9f %s", NULL, "025000001 025 025 025000001 1431857103");
	check_strftime("%j %U %W %V %G %g %u %w %y %C", NULL, "137 20 19 20 2015 15 7 0 15 20");
	check_strftime("%-d %-m %_m %0e %-I|%c|%x|%X|%r|%D|%R|%%|%n|%t|%h|%a|%k", NULL,
	               "17 5  5 17 10|Sun May 17 10:05:03 2015|05/17/15|10:05:03|10:05:03 AM|05/17/15|10:05|%|\n|\t|May|Sun|10");
	CHECK(time_strftime(0, "%F", 2, NULL, out, 8) == (size_t)-1);
	CHECK(time_strftime(0, "%H:%M:%S", 8, NULL, out, 8) == 8);
	CHECK(time_strftime(0, "%Q", 2, NULL, out, 8) == (size_t)-1);
	CHECK(time_strftime(0, "%", 1, NULL, out, 8) == (size_t)-1);
	CHECK(time_strftime(0, "", 0, NULL, out, 0) == 0);
}

static void check_offset(const char *zone, const char *at, int32_t want, const char *want_abbrev)
{
	struct time_opts o = { 0 };
	const char *abbrev;
	int64_t t = 0;

	CHECK(time_parse(at, strlen(at), &o, &t));
	CHECK_INT(zone_offset(zone_of(zone), t, &abbrev), want);
	CHECK_STR(abbrev, want_abbrev);
}

static void test_zones(void)
{
	struct err e = { 0 };

	check_offset("Europe/Berlin", "2015-03-29T00:59:59Z", 3600, "CET");
	check_offset("Europe/Berlin", "2015-03-29T01:00:00Z", 7200, "CEST");
	check_offset("Europe/Berlin", "2199-07-01T00:00:00Z", 7200, "CEST");
	check_offset("America/New_York", "2015-11-01T05:59:59Z", -14400, "EDT");
	check_offset("America/New_York", "2015-11-01T06:00:00Z", -18000, "EST");
	check_offset("Australia/Sydney", "2250-01-01T00:00:00Z", 39600, "AEDT");
	check_offset("Asia/Kolkata", "2015-11-01T06:00:00Z", 19800, "IST");
	check_offset("+02:00", "2015-11-01T06:00:00Z", 7200, "+02:00");
	check_offset("-0530", "2015-11-01T06:00:00Z", -19800, "-05:30");
	check_offset("UTC", "2015-11-01T06:00:00Z", 0, "UTC");
	CHECK(zone_of("Europe/Berlin") == zone_of("Europe/Berlin"));
	CHECK_STR(zone_name(zone_of("Europe/Berlin")), "Europe/Berlin");
	CHECK_STR(zone_name(NULL), "UTC");
	CHECK(!zone_get("Europe/Berlim", 13, &e));
	CHECK_STR(e.msg, "time zone: unknown zone \"Europe/Berlim\"");
	CHECK(strstr(e.hint, "Europe/Berlin"));
}

static void test_bad_zone_names(void)
{
	static const char *const names[] = { "",
		                             "/etc/passwd",
		                             "../zoneinfo/Europe/Berlin",
		                             "Europe/../Europe/Berlin",
		                             "Europe",
		                             "Europe/",
		                             "zone.tab",
		                             "+24:00",
		                             "+2",
		                             "+02:0",
		                             "+02:00x",
		                             "No/Where",
		                             "Europe/Berlin\n" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct err e = { 0 };

		CHECK(!zone_get(names[i], strlen(names[i]), &e));
		CHECK_INT(e.kind, ERR_USAGE);
	}
}

static void test_local_times(void)
{
	check_parse_in("2015-03-29 02:30:00", "Europe/Berlin", "2015-03-29T01:30:00Z"); /* skipped: an hour on */
	check_parse_in("2015-10-25 02:30:00", "Europe/Berlin", "2015-10-25T00:30:00Z"); /* twice: the earlier */
	check_parse_in("2015-10-25 03:00:00", "Europe/Berlin", "2015-10-25T02:00:00Z");
	check_parse_in("2011-12-30 12:00:00", "Pacific/Apia", "2011-12-30T22:00:00Z"); /* a day that was not */
	CHECK_INT(zone_to_utc(NULL, 86400), 86400 * TIME_NS);
	CHECK_INT(zone_to_utc(NULL, INT64_MAX), INT64_MAX);
	CHECK_INT(zone_to_utc(zone_of("Asia/Kolkata"), INT64_MIN), INT64_MIN);
}

static void check_trunc(const char *text, const char *unit, const char *zone, const char *want)
{
	struct time_opts o = { 0 };
	char out[TIME_MAX];
	int64_t t = 0;
	int ok;

	CHECK(time_parse(text, strlen(text), &o, &t));
	t = time_trunc(t, unit, strlen(unit), zone ? zone_of(zone) : NULL, &ok);
	CHECK(ok);
	CHECK_BYTES(out, time_format(t, out), want);
}

static void test_trunc(void)
{
	int ok;

	check_trunc("2015-05-17T10:05:03.5Z", "second", NULL, "2015-05-17T10:05:03Z");
	check_trunc("2015-05-17T10:05:03.5Z", "minute", NULL, "2015-05-17T10:05:00Z");
	check_trunc("2015-05-17T10:05:03.5Z", "hour", "Asia/Kolkata", "2015-05-17T09:30:00Z");
	check_trunc("2015-05-17T22:05:03Z", "day", "Europe/Berlin", "2015-05-17T22:00:00Z");
	check_trunc("2015-05-17T10:05:03Z", "week", NULL, "2015-05-11T00:00:00Z");
	check_trunc("2015-05-18T00:00:00Z", "week", NULL, "2015-05-18T00:00:00Z");
	check_trunc("2015-05-17T10:05:03Z", "month", NULL, "2015-05-01T00:00:00Z");
	check_trunc("2015-05-17T10:05:03Z", "quarter", NULL, "2015-04-01T00:00:00Z");
	check_trunc("2015-05-17T10:05:03Z", "year", "America/New_York", "2015-01-01T05:00:00Z");
	check_trunc("1969-12-31T23:59:59.5Z", "second", NULL, "1969-12-31T23:59:59Z");
	check_trunc("2015-10-25T01:30:00Z", "hour", "Europe/Berlin", "2015-10-25T01:00:00Z");    /* the second 02:30 */
	check_trunc("2018-11-04T03:30:00Z", "day", "America/Sao_Paulo", "2018-11-04T03:00:00Z"); /* the day began at 01:00 */
	time_trunc(0, "days", 4, NULL, &ok);
	CHECK(!ok);
	time_trunc(INT64_MIN, "year", 4, NULL, &ok);
	CHECK(!ok);
	time_trunc(INT64_MIN, "hour", 4, NULL, &ok);
	CHECK(!ok);
}

static void check_months(const char *text, int64_t months, const char *zone, const char *want)
{
	struct time_opts o = { 0 };
	char out[TIME_MAX];
	int64_t t = 0;

	CHECK(time_parse(text, strlen(text), &o, &t));
	CHECK(time_add_months(t, months, zone ? zone_of(zone) : NULL, &t));
	CHECK_BYTES(out, time_format(t, out), want);
}

static void test_months(void)
{
	int64_t t;

	check_months("2015-01-31T10:00:00.5Z", 1, NULL, "2015-02-28T10:00:00.5Z");
	check_months("2016-02-29T10:00:00Z", 12, NULL, "2017-02-28T10:00:00Z");
	check_months("2016-02-29T10:00:00Z", -2, NULL, "2015-12-29T10:00:00Z");
	check_months("2015-02-28T23:00:00Z", 1, "Europe/Berlin", "2015-03-31T22:00:00Z");
	check_months("1969-12-31T00:00:00Z", -1, NULL, "1969-11-30T00:00:00Z");
	CHECK(!time_add_months(0, 12 * 300, NULL, &t));
	CHECK(!time_add_months(0, INT64_MAX, NULL, &t));
}

static void test_civil(void)
{
	struct civil c;
	int64_t y;
	unsigned m, d;

	time_civil(1431857103 * TIME_NS + 7, zone_of("Asia/Kolkata"), &c);
	CHECK(c.year == 2015 && c.month == 5 && c.day == 17 && c.hour == 15 && c.minute == 35 && c.second == 3 && c.ns == 7);
	CHECK(c.weekday == 7 && c.yearday == 137 && c.week == 20 && c.week_year == 2015 && c.offset == 19800);
	time_civil(1230768000 * TIME_NS - 1, NULL, &c); /* the end of 2008 */
	CHECK(c.year == 2008 && c.yearday == 366 && c.week == 1 && c.week_year == 2009 && c.ns == 999999999);
	time_civil(INT64_MIN, NULL, &c);
	CHECK(c.year == 1677 && c.month == 9 && c.day == 21);
	for (int64_t days = -800000; days < 800000; days++) {
		civil_from_days(days, &y, &m, &d);
		if (days_from_civil(y, m, d) != days || m < 1 || m > 12 || d < 1 || d > 31)
			CHECK(!"a day does not come back");
	}
	CHECK_INT(days_from_civil(1970, 1, 1), 0);
	CHECK_INT(days_from_civil(2000, 3, 1), 11017);
	CHECK_INT(days_from_civil(-1, 12, 31), -719529);
}

static void check_dur(const char *text, int64_t want_ns, int64_t want_months)
{
	int64_t ns, months;

	CHECK(dur_parse(text, strlen(text), &ns, &months));
	CHECK_INT(ns, want_ns);
	CHECK_INT(months, want_months);
}

static void check_dur_text(int64_t ns, const char *want)
{
	char out[TIME_MAX];
	int64_t back = 0;
	size_t n = dur_format(ns, out);

	CHECK_BYTES(out, n, want);
	if (ns != INT64_MIN)
		CHECK(dur_parse(out, n, &back, NULL) && back == ns);
}

static void test_durations(void)
{
	static const char *const no[] = { "",        "-",
		                          "5",       "s",
		                          "5x",      "1.s",
		                          ".5s",     "1h 30m",
		                          "--5s",    "+5s",
		                          "5S",      "1.5mo",
		                          "1.5y",    "5s-",
		                          "1e3s",    "9999999999999999999s",
		                          "106752d", "9223372036854775807y",
		                          "5minutes" };
	int64_t ns, months;

	check_dur("90m", 5400 * TIME_NS, 0);
	check_dur("1h30m", 5400 * TIME_NS, 0);
	check_dur("1.5h", 5400 * TIME_NS, 0);
	check_dur("-5m", -300 * TIME_NS, 0);
	check_dur("1w1d", 8 * 86400 * TIME_NS, 0);
	check_dur("250ms3us7ns", 250003007, 0);
	check_dur("0.000000001s", 1, 0);
	check_dur("1.123456789012345678901s", 1123456789, 0);
	check_dur("1y2mo", 0, 14);
	check_dur("-1y1d", -86400 * TIME_NS, -12);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		CHECK(!dur_parse(no[i], strlen(no[i]), &ns, &months));
	CHECK(!dur_parse("1mo", 3, &ns, NULL));
	check_dur_text(0, "0s");
	check_dur_text(5400 * TIME_NS, "1h30m");
	check_dur_text(86400 * TIME_NS, "1d");
	check_dur_text(10 * 86400 * TIME_NS, "10d");
	check_dur_text(250000000, "250ms");
	check_dur_text(-300 * TIME_NS, "-5m");
	check_dur_text(INT64_MAX, "106751d23h47m16s854ms775us807ns");
	check_dur_text(INT64_MIN, "-106751d23h47m16s854ms775us808ns");
}

int main(void)
{
	TEST("RFC 3339 and its relatives")
		test_rfc3339();
	TEST("texts that are no time are refused")
		test_refused();
	TEST("the forms of logs and mail")
		test_log_forms();
	TEST("a time without a year is at most a day ahead of the clock")
		test_without_year();
	TEST("epoch times tell their unit by magnitude and are exact")
		test_epoch();
	TEST("parsing by a format")
		test_strptime();
	TEST("printing by a format")
		test_strftime();
	TEST("zones of tzdata, and fixed offsets")
		test_zones();
	TEST("zone names stay below the zone directory")
		test_bad_zone_names();
	TEST("local times that do not exist or occur twice")
		test_local_times();
	TEST("the start of the unit that holds an instant")
		test_trunc();
	TEST("months are added by the calendar")
		test_months();
	TEST("civil fields, days and ISO weeks")
		test_civil();
	TEST("durations")
		test_durations();
	return test_done();
}

#include "window/window.h"

#include "base/mem.h"
#include "tests/unit/test.h"

#define MS ((int64_t)1000000)
#define MINUTE (60 * TIME_NS)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define OUT_MAX 4000

static struct interval out[OUT_MAX];
static uint64_t seed = 5;

static uint64_t rnd(uint64_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 20) % below;
}

static const struct zone *zone_of(const char *name)
{
	struct err e = { 0 };
	const struct zone *z = name ? zone_get(name, strlen(name), &e) : NULL;

	CHECK(!name || z);
	return z;
}

static int64_t at(const char *text)
{
	struct time_opts o = { 0 };
	int64_t t = 0;

	CHECK(time_parse(text, strlen(text), &o, &t));
	return t;
}

static struct window made(struct window w)
{
	window_to_event_time(&w);
	return w;
}

static struct window fixed(int64_t length, int64_t slide, int64_t offset)
{
	return made((struct window){ .length_ns = length, .slide_ns = slide, .offset_ns = offset });
}

/* ---- as written: "1mo every 1d offset 6h tz Europe/Berlin from 2024-01-31" ---- */

static void set_length(const char *s, int64_t *ns, enum calendar_unit *unit, uint32_t *units)
{
	int64_t months;

	CHECK(dur_parse(s, strlen(s), ns, &months));
	*unit = months ? UNIT_MONTH : strpbrk(s, "dw") ? UNIT_DAY : UNIT_CLOCK;
	*units = (uint32_t)(months ? months : *unit == UNIT_DAY ? *ns / DAY : 0);
}

static struct window window(const char *text)
{
	char copy[200], *word, *arg, *rest;
	struct window w = { 0 };
	const char *date = NULL;

	snprintf(copy, sizeof copy, "%s", text);
	set_length(strtok_r(copy, " ", &rest), &w.length_ns, &w.unit, &w.length_units);
	while ((word = strtok_r(NULL, " ", &rest)) && (arg = strtok_r(NULL, " ", &rest))) {
		if (!strcmp(word, "every"))
			set_length(arg, &w.slide_ns, &w.slide_unit, &w.slide_units);
		else if (!strcmp(word, "offset"))
			CHECK(dur_parse(arg, strlen(arg), &w.offset_ns, NULL));
		else if (!strcmp(word, "tz"))
			w.zone = zone_of(arg);
		else
			date = arg;
	}
	if (date) {
		w.has_from = true;
		w.from_ns = zone_to_utc(w.zone, at(date) / TIME_NS);
	}
	return made(w);
}

/* "START END, START END": the windows that cover t. */
static const char *covering(const char *text, const char *t)
{
	static char line[OUT_MAX];
	struct window w = window(text);
	char time[TIME_MAX + 1];
	size_t used = 0;

	line[0] = 0;
	for (uint32_t i = 0, n = window_assign(&w, at(t), out); i < n; i++) {
		time[time_format(out[i].start, time)] = 0;
		used += (size_t)snprintf(line + used, sizeof line - used, "%s%s ", i ? ", " : "", time);
		time[time_format(out[i].end, time)] = 0;
		used += (size_t)snprintf(line + used, sizeof line - used, "%s", time);
	}
	return line;
}

/* ---- what Beam and Spark say ---- */

static void check_windows(const struct window *w, int64_t t, int64_t unit, const int64_t (*want)[2], uint32_t n_want)
{
	uint32_t n = window_assign(w, t * unit, out);

	CHECK_INT(n, n_want);
	for (uint32_t i = 0; i < n && i < n_want; i++) {
		CHECK_INT(out[i].start, want[i][0] * unit);
		CHECK_INT(out[i].end, want[i][1] * unit);
	}
}

static void check_window(const struct window *w, int64_t t, int64_t unit, int64_t start, int64_t end)
{
	const int64_t want[1][2] = { { start, end } };

	check_windows(w, t, unit, want, 1);
}

static void beam_fixed(void)
{
	struct window five = fixed(5 * TIME_NS, 0, 0), shifted = fixed(10 * MS, 0, 5 * MS),
		      late = fixed(10 * TIME_NS, 0, 5 * TIME_NS);

	check_window(&five, 5, TIME_NS, 5, 10);
	check_window(&five, 9, TIME_NS, 5, 10);
	check_window(&five, 10, TIME_NS, 10, 15);
	check_window(&shifted, 1, MS, -5, 5);
	check_window(&shifted, 5, MS, 5, 15);
	check_window(&shifted, 11, MS, 5, 15);
	check_window(&shifted, 100, MS, 95, 105);
	check_window(&late, 1000, MS, -5000, 5000);
	check_window(&late, 5000, MS, 5000, 15000);
	check_window(&late, 10000, MS, 5000, 15000);
}

static void beam_sliding(void)
{
	static const int64_t offset2[3][2] = { { -3, 12 }, { 2, 17 }, { 7, 22 } }, two[2][2] = { { -5, 2 }, { 0, 7 } };
	static const int64_t overlap[2][2] = { { 5, 12 }, { 10, 17 } };
	struct window w = fixed(15 * TIME_NS, 5 * TIME_NS, 2 * TIME_NS), seven = fixed(7 * MS, 5 * MS, 0),
		      holes = fixed(3 * MS, 10 * MS, 0);

	CHECK_INT(window_assign_max(&w), 3);
	check_windows(&w, 7, TIME_NS, offset2, 3);
	check_windows(&w, 8, TIME_NS, offset2, 3);
	check_windows(&w, 11, TIME_NS, offset2, 3);
	check_windows(&seven, 1, MS, two, 2);
	check_window(&seven, 2, MS, 0, 7);
	check_window(&seven, 9, MS, 5, 12);
	check_windows(&seven, 11, MS, overlap, 2);
	CHECK_INT(window_assign_max(&holes), 1);
	check_window(&holes, 2, MS, 0, 3);
	for (int64_t t = 3; t < 10; t++)
		check_windows(&holes, t, MS, NULL, 0);
	check_window(&holes, 100, MS, 100, 103);
}

static void spark_facts(void)
{
	struct window plus = fixed(10 * TIME_NS, 0, 5 * TIME_NS), minus = fixed(10 * TIME_NS, 0, -5 * TIME_NS);
	struct window w = fixed(200 * MS, 40 * MS, 0);
	static const uint32_t counts[12] = { 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1 };
	static const int64_t times[3] = { 410, 620, 715 };
	int64_t base = at("2016-03-27T09:00:00Z");
	uint32_t got[12] = { 0 };

	check_window(&plus, 2, TIME_NS, -5, 5);
	check_window(&plus, 12, TIME_NS, 5, 15);
	CHECK_INT(plus.offset_ns, minus.offset_ns);
	CHECK_STR(covering("10s offset -5s", "2016-03-27 19:39:34"), "2016-03-27T19:39:25Z 2016-03-27T19:39:35Z");
	CHECK_STR(covering("10s offset 5s", "2016-03-27 19:39:27"), "2016-03-27T19:39:25Z 2016-03-27T19:39:35Z");
	for (int i = 0; i < 3; i++)
		for (uint32_t k = window_assign(&w, base + times[i] * MS, out); k-- > 0;)
			got[(out[k].start - base - 240 * MS) / (40 * MS)]++;
	for (int i = 0; i < 12; i++)
		CHECK_INT(got[i], counts[i]);
}

static void beam_calendars(void)
{
	struct window days = window("1d"), weeks = window("1w from 2014-01-01"), months = window("1mo");

	CHECK_INT(days.kind, WINDOW_FIXED);
	CHECK_INT(weeks.kind, WINDOW_FIXED);
	CHECK_INT(months.kind, WINDOW_CALENDAR);
	check_window(&days, 1388620740000, MS, 1388534400000, 1388620800000);
	check_window(&days, 1388620800000, MS, 1388620800000, 1388707200000);
	check_window(&days, 1420088700000, MS, 1420070400000, 1420156800000);
	check_window(&weeks, 1388898300000, MS, 1388534400000, 1389139200000);
	check_window(&weeks, 1389139200000, MS, 1389139200000, 1389744000000);
	check_window(&weeks, 1420070400000, MS, 1419984000000, 1420588800000);
	check_window(&months, 1391144700000, MS, 1388534400000, 1391212800000);
	check_window(&months, 1391212800000, MS, 1391212800000, 1393632000000);
	check_window(&months, 1422680700000, MS, 1420070400000, 1422748800000);
}

/* ---- calendars of zones ---- */

static void zones_have_long_and_short_days(void)
{
	CHECK_STR(covering("1d tz Europe/Berlin", "2024-03-31T12:00:00Z"), "2024-03-30T23:00:00Z 2024-03-31T22:00:00Z");
	CHECK_STR(covering("1d tz Europe/Berlin", "2024-10-27T12:00:00Z"), "2024-10-26T22:00:00Z 2024-10-27T23:00:00Z");
	CHECK_STR(covering("1d offset 6h tz Europe/Berlin", "2024-03-31T03:59:59Z"), "2024-03-30T05:00:00Z 2024-03-31T04:00:00Z");
	CHECK_STR(covering("1w tz Europe/Berlin", "2024-03-31T12:00:00Z"), "2024-03-24T23:00:00Z 2024-03-31T22:00:00Z");
	CHECK_STR(covering("1mo tz America/New_York", "2024-03-31T23:00:00-04:00"), "2024-03-01T05:00:00Z 2024-04-01T04:00:00Z");
	/* midnight left out, and midnight twice */
	CHECK_STR(covering("1d tz America/Sao_Paulo", "2018-11-04T12:00:00Z"), "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z");
	CHECK_STR(covering("1d tz America/Havana", "2023-11-05T04:30:00Z"), "2023-11-05T04:00:00Z 2023-11-06T05:00:00Z");
	CHECK_STR(covering("1d tz America/Havana", "2023-11-05T05:30:00Z"), "2023-11-05T04:00:00Z 2023-11-06T05:00:00Z");
	/* a start that the jump leaves out is the jump; a day that a zone left out is no window */
	CHECK_STR(covering("1d offset 2h30m tz Europe/Berlin", "2024-03-31T01:10:00Z"),
		  "2024-03-31T01:00:00Z 2024-04-01T00:30:00Z");
	CHECK_STR(covering("1d tz Pacific/Apia", "2011-12-30T10:00:00Z"), "2011-12-30T10:00:00Z 2011-12-31T10:00:00Z");
	CHECK_STR(covering("1d tz Pacific/Apia", "2011-12-30T09:59:59Z"), "2011-12-29T10:00:00Z 2011-12-30T10:00:00Z");
}

static void calendars_count_from_somewhere(void)
{
	CHECK_STR(covering("1w", "1970-01-01"), "1969-12-29T00:00:00Z 1970-01-05T00:00:00Z");
	CHECK_STR(covering("2w", "1970-01-01"), "1969-12-29T00:00:00Z 1970-01-12T00:00:00Z");
	CHECK_STR(covering("3d", "1969-12-31T23:59:59Z"), "1969-12-29T00:00:00Z 1970-01-01T00:00:00Z");
	CHECK_STR(covering("1w offset 2d", "2014-01-01"), "2014-01-01T00:00:00Z 2014-01-08T00:00:00Z");
	CHECK_STR(covering("3mo", "2024-05-17"), "2024-04-01T00:00:00Z 2024-07-01T00:00:00Z");
	CHECK_STR(covering("1y", "1969-12-31T23:59:59.999999999Z"), "1969-01-01T00:00:00Z 1970-01-01T00:00:00Z");
	CHECK_STR(covering("1y from 2023-04-06", "2024-04-05"), "2023-04-06T00:00:00Z 2024-04-06T00:00:00Z");
	CHECK_STR(covering("1mo from 2024-01-31", "2024-02-29"), "2024-02-29T00:00:00Z 2024-03-31T00:00:00Z");
	CHECK_STR(covering("1mo from 2024-01-31", "2024-02-28"), "2024-01-31T00:00:00Z 2024-02-29T00:00:00Z");
	CHECK_STR(covering("1mo offset 5d", "2024-03-05"), "2024-02-06T00:00:00Z 2024-03-06T00:00:00Z");
	CHECK_STR(covering("90m from 2024-01-01", "2024-01-02T01:00:00Z"), "2024-01-02T00:00:00Z 2024-01-02T01:30:00Z");
	CHECK_STR(covering("1d from 2024-01-01 tz Pacific/Apia", "2024-01-01"), "2023-12-31T11:00:00Z 2024-01-01T11:00:00Z");
}

static void calendars_slide(void)
{
	CHECK_STR(covering("2d every 1d tz Europe/Berlin", "2024-03-31T12:00:00Z"),
		  "2024-03-29T23:00:00Z 2024-03-31T22:00:00Z, 2024-03-30T23:00:00Z 2024-04-01T22:00:00Z");
	CHECK_STR(covering("3mo every 1mo", "2024-03-31"),
		  "2024-01-01T00:00:00Z 2024-04-01T00:00:00Z, 2024-02-01T00:00:00Z 2024-05-01T00:00:00Z, "
		  "2024-03-01T00:00:00Z 2024-06-01T00:00:00Z");
	CHECK_STR(covering("1d every 1mo", "2024-03-01T12:00:00Z"), "2024-03-01T00:00:00Z 2024-03-02T00:00:00Z");
	CHECK_STR(covering("1d every 1mo", "2024-03-02"), "");
	CHECK_STR(covering("1d every 12h tz Europe/Berlin", "2024-03-31T12:00:00Z"),
		  "2024-03-30T23:00:00Z 2024-03-31T22:00:00Z, 2024-03-31T10:00:00Z 2024-04-01T10:00:00Z");
	/* a month from a day that the next one lacks ends with it */
	CHECK_STR(covering("1mo every 30d from 2024-01-30", "2024-02-28T23:00:00Z"), "2024-01-30T00:00:00Z 2024-03-01T00:00:00Z");
}

static void hours_in_a_zone(void)
{
	/* the clock's changes do not matter to 10m and 1h, but to 2h, and to 1h where it is set by half an hour */
	CHECK_INT(window("10m tz Europe/Berlin").kind, WINDOW_FIXED);
	CHECK_INT(window("1h tz Europe/Berlin").kind, WINDOW_FIXED);
	CHECK_INT(window("2h tz Europe/Berlin").kind, WINDOW_CALENDAR);
	CHECK_INT(window("1h tz Australia/Lord_Howe").kind, WINDOW_CALENDAR);
	CHECK_INT(window("24h tz +02:00").kind, WINDOW_FIXED);
	CHECK_INT(window("1d every 1h tz +02:00").kind, WINDOW_FIXED);
	CHECK_INT(window("1d every 1h").kind, WINDOW_FIXED);
	CHECK_INT(window("1d every 1h tz Europe/Berlin").kind, WINDOW_CALENDAR);
	CHECK_STR(covering("1h tz Asia/Kolkata", "2024-01-01T00:00:00Z"), "2023-12-31T23:30:00Z 2024-01-01T00:30:00Z");
	CHECK_STR(covering("12h tz Europe/Berlin", "2024-07-01T00:00:00Z"), "2024-06-30T22:00:00Z 2024-07-01T10:00:00Z");
	CHECK_STR(covering("12h tz Europe/Berlin", "2024-03-31T00:00:00Z"), "2024-03-30T23:00:00Z 2024-03-31T10:00:00Z");
	CHECK_STR(covering("1d tz +02:00", "2024-07-01T22:00:00Z"), "2024-07-01T22:00:00Z 2024-07-02T22:00:00Z");
}

/* ---- the ends of time ---- */

static void range_ends(void)
{
	static const char *const texts[] = { "10s",
					     "10s every 1s",
					     "1d",
					     "1mo",
					     "1d tz Europe/Berlin",
					     "1mo every 1d tz Asia/Kolkata",
					     "2h tz Europe/Berlin",
					     "200y every 1y" };

	CHECK_INT(window_floor(-1, 10, 0), -10);
	CHECK_INT(window_floor(-10, 10, 0), -10);
	CHECK_INT(window_floor(4, 10, 5), -5);
	CHECK_INT(window_floor(4, 10, -5), -5);
	CHECK_INT(window_floor(4, 10, 25), -5);
	CHECK_INT(window_floor(INT64_MIN, INT64_MAX, 0), INT64_MIN);
	CHECK_INT(window_floor(INT64_MIN + 1, INT64_MAX, INT64_MIN), INT64_MIN);
	CHECK_INT(window_floor(INT64_MAX, INT64_MAX, 0), INT64_MAX);
	CHECK_INT(window_floor(INT64_MAX, 1, INT64_MAX), INT64_MAX);
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		struct window w = window(texts[i]);
		uint32_t n = window_assign(&w, INT64_MIN, out);

		CHECK(n < window_assign_max(&w));
		CHECK_INT(window_assign(&w, INT64_MAX, out), 0);
		n = window_assign(&w, INT64_MAX - DAY, out);
		for (uint32_t k = 0; k < n; k++)
			CHECK(out[k].start <= INT64_MAX - DAY && out[k].end > INT64_MAX - DAY);
	}
	CHECK_INT(window_assign_max(&(struct window){ .kind = WINDOW_FIXED, .length_ns = INT64_MAX, .slide_ns = 1 }), UINT32_MAX);
}

/* ---- what holds for all windows ---- */

static const char *const zones[] = { NULL,
				     "Europe/Berlin",
				     "America/Sao_Paulo",
				     "America/Havana",
				     "Australia/Lord_Howe",
				     "Asia/Kathmandu",
				     "Africa/Casablanca",
				     "Pacific/Apia",
				     "Africa/Cairo",
				     "America/St_Johns" };
static int64_t changes[4000];
static uint32_t n_changes;

/* Where the clocks of the zones are set. */
static void find_changes(void)
{
	for (unsigned i = 1; i < ARRAY_LEN(zones); i++) {
		const struct zone *z = zone_of(zones[i]);

		for (int64_t t = at("1960-01-01"); t < at("2040-01-01") && n_changes < ARRAY_LEN(changes); t += DAY)
			if (zone_offset(z, t, NULL) != zone_offset(z, t + DAY, NULL))
				changes[n_changes++] = t;
	}
}

static int64_t any_time(void)
{
	if (rnd(2))
		return changes[rnd(n_changes)] - DAY + (int64_t)rnd(4 * DAY / MINUTE) * MINUTE;
	return at("1900-01-01") + (int64_t)rnd(200 * 365) * DAY + (int64_t)rnd((uint64_t)DAY);
}

static void any_length(int64_t *ns, enum calendar_unit *unit, uint32_t *units)
{
	static const int64_t clocks[] = { 7 * MINUTE, 10 * MINUTE, 45 * MINUTE, HOUR,	   90 * MINUTE,
					  2 * HOUR,   5 * HOUR,	   DAY,		36 * HOUR, 1234567891011 };

	*unit = (enum calendar_unit)rnd(3);
	*units = *unit == UNIT_CLOCK ? 0 : 1 + (uint32_t)rnd(*unit == UNIT_DAY ? 30 : 14);
	*ns = *unit == UNIT_CLOCK ? clocks[rnd(ARRAY_LEN(clocks))] : *unit == UNIT_DAY ? *units * DAY : 0;
}

static struct window any_window(bool tumbling)
{
	struct window w = { .zone = zone_of(zones[rnd(ARRAY_LEN(zones))]) };

	do {
		any_length(&w.length_ns, &w.unit, &w.length_units);
		if (!tumbling)
			any_length(&w.slide_ns, &w.slide_unit, &w.slide_units);
		if (rnd(2))
			w.offset_ns = ((int64_t)rnd(4000) - 2000) * MINUTE;
		if (rnd(2)) {
			w.has_from = true;
			w.from_ns = zone_to_utc(w.zone, any_time() / DAY * (DAY / TIME_NS));
		}
	} while (window_assign_max(&(struct window[]){ made(w) }[0]) > OUT_MAX / 4);
	return made(w);
}

static bool is_among(struct interval i, const struct interval *p, uint32_t n)
{
	while (n-- > 0)
		if (p[n].start == i.start && p[n].end == i.end)
			return true;
	return false;
}

/* All that come cover t, in order; what other times bring and covers t is among them. */
static void check_cover(const struct window *w, int64_t t)
{
	static struct interval near[OUT_MAX];
	uint32_t n = window_assign(w, t, out);

	CHECK(n <= window_assign_max(w));
	for (uint32_t i = 0; i < n; i++) {
		CHECK(out[i].start <= t && t < out[i].end);
		CHECK(!i || (out[i - 1].start <= out[i].start && out[i - 1].end <= out[i].end));
	}
	for (int k = 0; k < 8; k++) {
		int64_t far = k < 4 ? HOUR : w->length_units && w->unit == UNIT_MONTH ? 31 * DAY * w->length_units : w->length_ns;
		uint32_t m = window_assign(w, t + (int64_t)rnd((uint64_t)far) * (k & 1 ? 1 : -1), near);

		for (uint32_t i = 0; i < m; i++)
			CHECK(near[i].start > t || near[i].end <= t || is_among(near[i], out, n));
	}
}

static void check_tumbling(const struct window *w, int64_t t)
{
	struct interval one, next, before, sliding;
	struct window same = *w;

	CHECK_INT(window_assign_max(w), 1);
	CHECK_INT(window_assign(w, t, &one), 1);
	CHECK_INT(window_assign(w, one.end, &next), 1);
	CHECK_INT(next.start, one.end);
	CHECK_INT(window_assign(w, one.start - 1, &before), 1);
	CHECK_INT(before.end, one.start);
	same.slide_ns = same.length_ns;
	CHECK_INT(window_assign(&same, t, &sliding), 1);
	CHECK(sliding.start == one.start && sliding.end == one.end);
}

/* Starts are where the clock shows a multiple; what else begins a window is a jump. */
static void check_start(const struct window *w, int64_t t)
{
	struct interval i;
	int64_t shown;

	if (w->kind != WINDOW_CALENDAR || !window_assign(w, t, &i))
		return;
	shown = i.start + zone_offset(w->zone, i.start, NULL) * TIME_NS;
	if (zone_offset(w->zone, i.start - 1, NULL) != zone_offset(w->zone, i.start, NULL))
		return;
	if (w->slide_unit == UNIT_CLOCK)
		CHECK_INT(window_floor(shown, w->slide_ns, (int64_t)(((__int128)w->anchor * DAY + w->offset_ns) % w->slide_ns)),
			  shown);
	else
		CHECK_INT(window_floor(shown, DAY, w->offset_ns), shown);
}

static void check_each(const struct window *w)
{
	struct interval got[300], one;
	int64_t times[300];

	for (unsigned i = 0; i < ARRAY_LEN(times); i++)
		times[i] = i && rnd(4) ? times[i - 1] + (int64_t)rnd(HOUR) - HOUR / 4 : any_time();
	times[7] = INT64_MIN;
	times[9] = INT64_MAX;
	window_assign_each(w, times, ARRAY_LEN(times), got);
	for (unsigned i = 0; i < ARRAY_LEN(times); i++) {
		if (!window_assign(w, times[i], &one))
			one = WINDOW_NONE;
		CHECK(got[i].start == one.start && got[i].end == one.end);
	}
}

/* The windows that cover a time follow each other, and the last of them one that begins later. */
static void check_next(const struct window *w, int64_t t)
{
	uint32_t n = window_assign_max(w) <= OUT_MAX ? window_assign(w, t, out) : 0;
	struct interval next, after;

	for (uint32_t i = 0; i < n; i++) {
		if (!window_next(w, &out[i], &next)) {
			CHECK(i + 1 == n); /* the end of time */
			return;
		}
		if (i + 1 < n) {
			CHECK_INT(next.start, out[i + 1].start);
			CHECK_INT(next.end, out[i + 1].end);
		}
	}
	if (!n)
		return;
	CHECK(next.start > t && next.end > next.start);
	after = next;
	n = window_assign(w, next.start, out);
	for (uint32_t i = 0; i < n; i++)
		if (out[i].start == after.start && out[i].end == after.end)
			return;
	CHECK(!"the next one is a window");
}

int main(void)
{
	TEST("fixed windows as in beam")
	beam_fixed();
	TEST("sliding windows as in beam")
	beam_sliding();
	TEST("windows as in spark")
	spark_facts();
	TEST("calendar windows as in beam")
	beam_calendars();
	TEST("a day of a zone may have 23 or 25 hours")
	zones_have_long_and_short_days();
	TEST("weeks begin on Monday, and from DATE elsewhere")
	calendars_count_from_somewhere();
	TEST("calendar windows slide by calendar units")
	calendars_slide();
	TEST("hours follow the clock of a zone where it matters")
	hours_in_a_zone();
	TEST("no window beyond the ends of time")
	range_ends();
	find_changes();
	TEST("windows cover their times and leave none out")
	for (int i = 0; i < 4000; i++) {
		struct window w = any_window(false);

		for (int k = 0; k < 4; k++)
			check_cover(&w, any_time());
	}
	TEST("tumbling windows have no gaps and never overlap")
	for (int i = 0; i < 4000; i++) {
		struct window w = any_window(true);

		for (int k = 0; k < 6; k++) {
			int64_t t = any_time();

			check_tumbling(&w, t);
			check_start(&w, t);
		}
	}
	TEST("a window is followed by the next one")
	for (int i = 0; i < 4000; i++) {
		struct window w = any_window(i % 2);

		check_next(&w, any_time());
	}
	TEST("a whole column falls as its times do")
	for (int i = 0; i < 300; i++) {
		struct window w = any_window(true);

		check_each(&w);
	}
	return test_done();
}

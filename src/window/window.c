#include "window/window.h"

#include "base/mem.h"

#define DAY_S 86400
#define DAY_NS (DAY_S * TIME_NS)
#define MONDAY (-3)	   /* the Monday before day 0, a Thursday */
#define YEAR_0 (1970 * 12) /* months are counted from year 0 */
#define MONTH_DAYS_MAX 31
#define MONTH_DAYS_MIN 28
#define CLOCK_BACK_MAX (2 * DAY_NS) /* no zone sets its clock back by more */
#define ZONE_PROBE_NS (14 * DAY_NS) /* shorter than any season of DST */

/* ---- floor division ---- */

static int64_t div_floor(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static int64_t mod_floor(int64_t a, int64_t b)
{
	int64_t r = a % b;

	return r < 0 ? r + b : r;
}

static __int128 wide_floor(__int128 a, int64_t b) { return a / b - (a % b < 0); }

/* How far t is into its step. */
static int64_t into_step(int64_t t, int64_t step, int64_t offset)
{
	int64_t r = mod_floor(t, step);

	if (unlikely(offset < 0 || offset >= step))
		offset = mod_floor(offset, step);
	r -= offset;
	return r < 0 ? r + step : r;
}

int64_t window_floor(int64_t t, int64_t step, int64_t offset)
{
	int64_t start;

	return __builtin_sub_overflow(t, into_step(t, step, offset), &start) ? INT64_MIN : start;
}

/* ---- fixed ---- */

/* How many windows cover a time that is `into` the slide. */
static int64_t fixed_covering(const struct window *w, int64_t into)
{
	return into < w->length_ns ? (w->length_ns - 1 - into) / w->slide_ns + 1 : 0;
}

/* The window that begins so far before t; false beyond the range of time. */
static bool fixed_before(const struct window *w, int64_t t, int64_t back, struct interval *out)
{
	return !__builtin_sub_overflow(t, back, &out->start) && !__builtin_add_overflow(out->start, w->length_ns, &out->end);
}

static uint32_t fixed_assign(const struct window *w, int64_t t, struct interval *out)
{
	int64_t into = into_step(t, w->slide_ns, w->offset_ns);
	uint32_t n = 0;

	if (w->length_ns <= w->slide_ns)
		return into < w->length_ns && fixed_before(w, t, into, out);
	for (int64_t k = fixed_covering(w, into); k-- > 0;)
		n += fixed_before(w, t, into + k * w->slide_ns, &out[n]);
	return n;
}

/* ---- calendars: times of a zone's clock are ns as if it were UTC, less the offset of the windows ---- */

static __int128 clock_at(const struct window *w, int64_t t)
{
	return (__int128)t + (__int128)zone_offset(w->zone, t, NULL) * TIME_NS - w->offset_ns;
}

/* The clock jumped over a time, which zone_to_utc moved on to t: the instant of the jump. */
static int64_t jump_before(const struct zone *z, int64_t t, int64_t gap_s)
{
	int64_t before = div_floor(t, TIME_NS) - gap_s, after = div_floor(t, TIME_NS);
	int32_t old = zone_offset(z, before * TIME_NS, NULL);

	while (after - before > 1) {
		int64_t mid = before + (after - before) / 2;

		if (zone_offset(z, mid * TIME_NS, NULL) == old)
			before = mid;
		else
			after = mid;
	}
	return after * TIME_NS;
}

/* The first instant at which the clock shows this time or a later one; false beyond the range of time, with *out at that end. */
static bool clock_to_instant(const struct window *w, __int128 clock, int64_t *out)
{
	__int128 seconds = wide_floor(clock + w->offset_ns, TIME_NS);
	int64_t ns = (int64_t)(clock + w->offset_ns - seconds * TIME_NS), s = (int64_t)seconds, shown;

	*out = zone_to_utc(w->zone, s);
	if (*out == INT64_MIN || *out == INT64_MAX)
		return false;
	shown = div_floor(*out, TIME_NS) + zone_offset(w->zone, *out, NULL);
	if (unlikely(shown != s)) {
		*out = jump_before(w->zone, *out, shown - s);
		return true;
	}
	if (!__builtin_add_overflow(*out, ns, out))
		return true;
	*out = INT64_MAX;
	return false;
}

/* The day of a month that begins a window; the last one where the month has no such day. */
static int64_t day_in_month(int64_t month, uint32_t day)
{
	int64_t first = days_from_civil(div_floor(month, 12), (unsigned)mod_floor(month, 12) + 1, 1);
	int64_t next = days_from_civil(div_floor(month + 1, 12), (unsigned)mod_floor(month + 1, 12) + 1, 1);

	return first + day <= next ? first + day - 1 : next - 1;
}

static int64_t month_of(int64_t day, unsigned *day_of_month)
{
	int64_t year;
	unsigned month;

	civil_from_days(day, &year, &month, day_of_month);
	return year * 12 + month - 1;
}

/* So many months later; from a day that the month lacks it is the end of that month, so that later times stay later. */
static __int128 clock_add_months(__int128 clock, uint32_t months)
{
	int64_t day = (int64_t)wide_floor(clock, DAY_NS), month, later;
	unsigned of_month;

	month = month_of(day, &of_month) + months;
	later = day_in_month(month, of_month);
	if (later < day_in_month(month, 1) + of_month - 1)
		return (__int128)(later + 1) * DAY_NS;
	return (__int128)later * DAY_NS + (clock - (__int128)day * DAY_NS);
}

static __int128 window_begins(const struct window *w, int64_t k)
{
	if (w->slide_unit == UNIT_MONTH)
		return (__int128)day_in_month(w->anchor + k * w->slide_units, w->anchor_day) * DAY_NS;
	if (w->slide_unit == UNIT_DAY)
		return (__int128)(w->anchor + k * w->slide_units) * DAY_NS;
	return (__int128)w->anchor * DAY_NS + (__int128)k * w->slide_ns;
}

static __int128 window_ends(const struct window *w, int64_t k)
{
	if (w->unit == UNIT_MONTH && w->slide_unit == UNIT_MONTH)
		return (__int128)day_in_month(w->anchor + k * w->slide_units + w->length_units, w->anchor_day) * DAY_NS;
	if (w->unit == UNIT_MONTH)
		return clock_add_months(window_begins(w, k), w->length_units);
	return window_begins(w, k) + w->length_ns;
}

/* Number of the last window that begins by this time of the clock. */
static int64_t last_begun(const struct window *w, __int128 clock)
{
	int64_t day = (int64_t)wide_floor(clock, DAY_NS), k;
	unsigned of_month;

	if (w->slide_unit == UNIT_CLOCK)
		return (int64_t)wide_floor(clock - (__int128)w->anchor * DAY_NS, w->slide_ns);
	if (w->slide_unit == UNIT_DAY)
		return div_floor(day - w->anchor, w->slide_units);
	k = div_floor(month_of(day, &of_month) - w->anchor, w->slide_units);
	return k - (window_begins(w, k) > clock);
}

static bool begins_by(const struct window *w, int64_t k, int64_t t)
{
	int64_t start;

	clock_to_instant(w, window_begins(w, k), &start);
	return start <= t;
}

/* Number of the last window that begins by t. The clock may have been set back, then later ones have begun too. */
static int64_t last_begun_at(const struct window *w, int64_t t)
{
	__int128 clock = clock_at(w, t);
	int64_t k = last_begun(w, clock), beyond;

	if (!w->zone || !begins_by(w, k + 1, t))
		return k;
	beyond = last_begun(w, clock + CLOCK_BACK_MAX) + 1;
	while (beyond - k > 1) {
		int64_t mid = k + (beyond - k) / 2;

		if (begins_by(w, mid, t))
			k = mid;
		else
			beyond = mid;
	}
	return k;
}

static void turn_round(struct interval *p, uint32_t n)
{
	for (uint32_t i = 0; i < n / 2; i++) {
		struct interval tmp = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = tmp;
	}
}

static bool calendar_window(const struct window *w, int64_t k, struct interval *out)
{
	bool begins = clock_to_instant(w, window_begins(w, k), &out->start);

	return clock_to_instant(w, window_ends(w, k), &out->end) && begins;
}

/* Where the clock jumps, windows may begin at one instant, and one may be empty. */
static bool calendar_next(const struct window *w, const struct interval *at, struct interval *out)
{
	int64_t k = last_begun_at(w, at->start);

	while (calendar_window(w, k, out) && out->start == at->start && out->end > at->end)
		k--;
	do {
		if (!calendar_window(w, ++k, out))
			return false;
	} while (out->end <= out->start || (out->start == at->start && out->end <= at->end));
	return true;
}

/* Backwards from the last that has begun; the ends follow the starts in order. */
static uint32_t calendar_assign(const struct window *w, int64_t t, struct interval *out)
{
	uint32_t n = 0;

	for (int64_t k = last_begun_at(w, t);; k--) {
		struct interval i;
		bool begins = clock_to_instant(w, window_begins(w, k), &i.start);
		bool ends = clock_to_instant(w, window_ends(w, k), &i.end);

		if (i.end <= t || i.start == INT64_MIN)
			break;
		if (begins && ends)
			out[n++] = i;
	}
	turn_round(out, n);
	return n;
}

/* ---- any ---- */

/* Of all windows that are as long as the longest and slide by the shortest. */
static uint64_t calendar_max(const struct window *w)
{
	__int128 length = w->unit == UNIT_MONTH ? (__int128)w->length_units * MONTH_DAYS_MAX * DAY_NS : w->length_ns;
	__int128 slide = w->slide_unit == UNIT_MONTH ? (__int128)w->slide_units * MONTH_DAYS_MIN * DAY_NS : w->slide_ns;

	if (w->unit == UNIT_MONTH && w->slide_unit == UNIT_MONTH) {
		length = w->length_units;
		slide = w->slide_units;
	}
	return (uint64_t)((length + slide - 1) / slide);
}

uint32_t window_assign_max(const struct window *w)
{
	uint64_t n = 1;

	if (w->kind == WINDOW_CALENDAR)
		n = calendar_max(w);
	else if (w->kind == WINDOW_FIXED)
		n = (uint64_t)((w->length_ns - 1) / w->slide_ns + 1);
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

uint32_t window_assign(const struct window *w, int64_t t, struct interval *out)
{
	return w->kind == WINDOW_FIXED ? fixed_assign(w, t, out) : calendar_assign(w, t, out);
}

bool window_next(const struct window *w, const struct interval *at, struct interval *out)
{
	struct interval from = *at; /* out may be the same */

	if (w->kind == WINDOW_CALENDAR)
		return calendar_next(w, &from, out);
	return !__builtin_add_overflow(from.start, w->slide_ns, &out->start) && !__builtin_add_overflow(out->start, w->length_ns, &out->end);
}

void window_assign_each(const struct window *w, const int64_t *t, uint32_t n, struct interval *out)
{
	struct interval last = WINDOW_NONE;

	for (uint32_t i = 0; i < n; i++) {
		if ((t[i] < last.start || t[i] >= last.end) && !window_assign(w, t[i], &last))
			last = WINDOW_NONE;
		out[i] = last;
	}
}

/* ---- from what was written ---- */

/* Are the offsets of the zone from `first_ns` on the same modulo step? Then *offset_ns is one of them. */
static bool zone_is_even(const struct zone *z, int64_t first_ns, int64_t step, int64_t *offset_ns)
{
	*offset_ns = zone_offset(z, 0, NULL) * TIME_NS;
	for (int64_t t = first_ns; z && t < INT64_MAX - ZONE_PROBE_NS; t += ZONE_PROBE_NS)
		if ((zone_offset(z, t, NULL) * TIME_NS - *offset_ns) % step)
			return false;
	return true;
}

/* Do the windows all have one length and lie at one distance? *offset_ns is then that of the zone. */
static bool is_fixed(const struct window *w, int64_t *offset_ns)
{
	if (w->unit == UNIT_MONTH || w->slide_unit == UNIT_MONTH)
		return false;
	if (w->unit == UNIT_CLOCK && w->slide_unit == UNIT_CLOCK)
		return zone_is_even(w->zone, 0, w->slide_ns, offset_ns);
	return zone_is_even(w->zone, INT64_MIN, INT64_MAX, offset_ns);
}

/* The day, or month, that the windows are counted from. */
static void set_anchor(struct window *w)
{
	w->anchor_day = 1;
	if (w->has_from)
		w->anchor = div_floor(div_floor(w->from_ns, TIME_NS) + zone_offset(w->zone, w->from_ns, NULL), DAY_S);
	else if (w->slide_unit == UNIT_DAY && w->slide_units % 7 == 0)
		w->anchor = MONDAY;
	else
		w->anchor = w->slide_unit == UNIT_MONTH ? YEAR_0 : 0;
	if (w->has_from && w->slide_unit == UNIT_MONTH)
		w->anchor = month_of(w->anchor, &w->anchor_day);
}

void window_to_event_time(struct window *w)
{
	int64_t zone_ns;

	if (w->kind != WINDOW_PROCESSING)
		return;
	if (!w->slide_ns && !w->slide_units) {
		w->slide_ns = w->length_ns;
		w->slide_unit = w->unit;
		w->slide_units = w->length_units;
	}
	set_anchor(w);
	w->kind = WINDOW_CALENDAR;
	if (!is_fixed(w, &zone_ns))
		return;
	w->kind = WINDOW_FIXED;
	w->offset_ns = (int64_t)(((__int128)w->anchor * DAY_NS + w->offset_ns - zone_ns) % w->slide_ns);
	if (w->offset_ns < 0)
		w->offset_ns += w->slide_ns;
	w->zone = NULL;
	w->has_from = false;
}

/* Window assigners: which windows of event time a record falls into. A window is [start, end) in nanoseconds since the epoch.
 *
 * Fixed and sliding windows are aligned to the epoch plus offset, with floor division, so times before 1970 are right too. Calendar windows
 * (days, weeks, months, years of a zone) are as long as the calendar says: a day of a DST change has 23 or 25 hours; weeks begin on Monday.
 *
 * The stage fills in what was written, with kind WINDOW_PROCESSING for a length in time; window_to_event_time makes of that a window of
 * event time, and only what it made (or a WINDOW_FIXED with length_ns, slide_ns > 0) may be given to window_assign. A struct window is plain
 * memory, immutable once made, so any thread may use it.
 *
 * The calendar's boundaries are those of the zone's clock: a window begins at the first instant at which the clock has come to the time it
 * begins at. So a start that a jump of the clock leaves out is the instant of the jump, one that the clock shows twice is the earlier, and
 * tumbling windows leave no gap and never overlap. */
#ifndef STRM_WINDOW_WINDOW_H
#define STRM_WINDOW_WINDOW_H
#include <stdbool.h>

#include "base/time.h"

enum window_kind {
	WINDOW_PROCESSING, /* length_ns, slide_ns (0: each micro-batch): processing time, made of micro-batches (op/op_window.h) */
	WINDOW_FIXED,      /* length_ns, slide_ns (= length_ns: tumbling), offset_ns: event time, fixed or sliding */
	WINDOW_CALENDAR,   /* length and slide in calendar units, zone */
	WINDOW_SESSION,    /* gap_ns, or an expression of the stage; closed */
	WINDOW_ROWS,       /* rows, slide_rows: count windows of each key */
	WINDOW_ALL,        /* the whole stream */
};

/* A week is 7 days, a year 12 months. Of UNIT_CLOCK are lengths in hours and less: the zone's clock counts them, as the offset. */
enum calendar_unit { UNIT_CLOCK, UNIT_DAY, UNIT_MONTH };

struct interval {
	int64_t start, end; /* [start, end), ns */
};

struct window {
	enum window_kind kind;
	int64_t length_ns, slide_ns, offset_ns; /* slide_ns 0: none written; ns are 0 where it is months */
	enum calendar_unit unit, slide_unit;    /* as written: 1d and 1w are days, 24h is not */
	uint32_t length_units, slide_units;     /* how many days or months, 0 with UNIT_CLOCK */
	bool has_from;
	int64_t from_ns;                    /* an instant whose local day begins a window (`from DATE`) */
	const struct zone *zone;            /* NULL: UTC */
	int64_t gap_ns;                     /* WINDOW_SESSION: the gap where it is a literal, else 0 */
	bool closed;                        /* WINDOW_SESSION: sessions that touch merge */
	uint64_t rows, slide_rows;          /* WINDOW_ROWS */
	/* WINDOW_CALENDAR, by window_to_event_time: */
	int64_t anchor;      /* a day, or for slides of months a month (counted from year 0), that begins a window */
	uint32_t anchor_day; /* and the day of that month, from 1 */
};

/* A record in more windows than this is a mistake in the program. */
#define WINDOW_COPIES_MAX 1000000

/* WINDOW_PROCESSING, as a stage fills it in, into WINDOW_CALENDAR, or into WINDOW_FIXED where all its windows are equally long (UTC and fixed
 * offsets; hours in a zone whose offsets since 1970 do not matter to them); slides not written are set to the length. Other kinds stay as
 * they are. A WINDOW_FIXED is arithmetic alone: zone, `from` and the start of the week have gone into offset_ns. Reads a zone's whole
 * history where there is one (some 0.03 ms): for the making of a plan, not per record. */
void window_to_event_time(struct window *w);

/* Most windows that one time can fall into, or a little more. 1 for tumbling ones and those with gaps between them; UINT32_MAX: that many
 * at least. */
uint32_t window_assign_max(const struct window *w);
/* WINDOW_FIXED, WINDOW_CALENDAR: the windows that cover t, by ascending start, into out (room for window_assign_max). Windows that would reach beyond the range of
 * time are left out. Returns how many. */
uint32_t window_assign(const struct window *w, int64_t t, struct interval *out);
/* The same for n times, with out[i] the window of t[i], for a window with window_assign_max 1; fast where neighbours fall into one window.
 * A time in no window gets WINDOW_NONE. */
void window_assign_each(const struct window *w, const int64_t *t, uint32_t n, struct interval *out);
#define WINDOW_NONE ((struct interval){ INT64_MAX, INT64_MIN })
/* The window behind this one, which is one of them, by start and then end; false beyond the range of time. */
bool window_next(const struct window *w, const struct interval *at, struct interval *out);
/* The last multiple of step (> 0), plus offset, that is not after t: floor division, for times before the epoch too. INT64_MIN where it
 * would be less. */
int64_t window_floor(int64_t t, int64_t step, int64_t offset);

#endif

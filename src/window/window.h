/* Window assigners: which windows of event time a record falls into. A window is [start, end) in nanoseconds since the epoch.
 *
 * Fixed and sliding windows are aligned to the epoch plus offset, with floor division, so times before 1970 are right too. Calendar windows
 * (days, weeks, months, years of a zone) are as long as the calendar says: a day of a DST change has 23 or 25 hours; weeks begin on Monday. */
#ifndef STRM_WINDOW_WINDOW_H
#define STRM_WINDOW_WINDOW_H
#include "base/time.h"

enum window_kind {
	WINDOW_PROCESSING, /* length_ns, slide_ns (0: each micro-batch): processing time, made of micro-batches (op/op_window.h) */
	WINDOW_FIXED,      /* length_ns, slide_ns (= length_ns: tumbling), offset_ns: event time, fixed or sliding */
	WINDOW_CALENDAR,   /* length and slide in calendar units, zone */
	WINDOW_SESSION,    /* gap_ns, or an expression of the stage; closed */
	WINDOW_ROWS,       /* rows, slide_rows: count windows of each key */
	WINDOW_ALL,        /* the whole stream */
};

enum calendar_unit { UNIT_DAY, UNIT_MONTH }; /* a week is 7 days, a year 12 months */

struct interval {
	int64_t start, end; /* [start, end), ns */
};

struct window {
	enum window_kind kind;
	int64_t length_ns, slide_ns, offset_ns;
	enum calendar_unit unit;
	uint32_t length_units, slide_units; /* WINDOW_CALENDAR */
	bool has_from;
	int64_t from_ns;                    /* WINDOW_CALENDAR: an instant whose local day begins a window (`from DATE`) */
	const struct zone *zone;            /* NULL: UTC */
	int64_t gap_ns;                     /* WINDOW_SESSION: the gap where it is a literal, else 0 */
	bool closed;                        /* WINDOW_SESSION: sessions that touch merge */
	uint64_t rows, slide_rows;          /* WINDOW_ROWS */
};

/* Most windows that one time can fall into. 1 for tumbling ones. */
uint32_t window_assign_max(const struct window *w);
/* WINDOW_FIXED, WINDOW_CALENDAR: the windows that cover t, by ascending start, into out (room for window_assign_max). Windows that would reach beyond the range of
 * time are left out. Returns how many. */
uint32_t window_assign(const struct window *w, int64_t t, struct interval *out);
/* Floor division and the rest of it, for times before the epoch. */
int64_t window_floor(int64_t t, int64_t step, int64_t offset);

#endif

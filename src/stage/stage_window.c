#include "base/time.h"
#include "stage/canon.h"
#include "stage/stage_list.h"

#define DAY_S 86400
#define DAY_NS (DAY_S * TIME_NS)
#define MONTHS_MAX (600 * 12) /* more than there is time */
#define ROWS_MAX ((uint64_t)1 << 32)

/* The stage as it is read: its clauses in any order, each once. */
struct reading {
	struct parser *p;
	struct plan_node *n;
	struct window *w;
	bool slides, has_offset;
	const char *zone, *date;
	struct pos length_pos, offset_pos, date_pos;
};

/* ---- lengths ---- */

static bool only_days(const char *text)
{
	for (; *text; text++)
		if ((*text < '0' || *text > '9') && *text != '.' && *text != 'd' && *text != 'w')
			return false;
	return true;
}

/* A length of time as written: 1d and 1w are days of the calendar, 24h is not, 1mo and 1y are months. */
struct length {
	int64_t ns; /* 0 with months */
	enum calendar_unit unit;
	uint32_t units;
	struct pos pos;
};

static int read_months(struct length *l, int64_t months, const char *text, struct err *e)
{
	if (l->ns) {
		err_at(e, l->pos, "`%s` is neither months nor days", text);
		return err_hint(e, "months differ in length; say one unit: 1mo, or 30d");
	}
	if (months > MONTHS_MAX)
		return err_at(e, l->pos, "`%s` is longer than the time that there is", text);
	l->unit = UNIT_MONTH;
	l->units = (uint32_t)months;
	return 0;
}

static int read_length(struct parser *p, const char *what, const char *if_zero, struct length *l, struct err *e)
{
	const char *text = parser_peek_text(p);
	int64_t months;

	*l = (struct length){ .pos = parser_pos(p) };
	if (parser_duration(p, what, &l->ns, &months, e))
		return -1;
	if (months)
		return read_months(l, months, text, e);
	if (l->ns <= 0)
		return err_at(e, l->pos, "%s", if_zero);
	if (l->ns % DAY_NS || !only_days(text))
		return 0;
	l->unit = UNIT_DAY;
	l->units = (uint32_t)(l->ns / DAY_NS);
	return 0;
}

/* As it is read again: hours that make whole days stay hours. */
static void canon_length(struct buf *b, int64_t ns, enum calendar_unit unit, uint32_t units)
{
	if (unit == UNIT_MONTH)
		buf_printf(b, units % 12 ? "%umo" : "%uy", units % 12 ? units : units / 12);
	else if (unit == UNIT_DAY)
		buf_printf(b, units % 7 ? "%ud" : "%uw", units % 7 ? units : units / 7);
	else if (ns % DAY_NS == 0)
		buf_printf(b, "%dh", (int)(ns / DAY_NS) * 24);
	else
		buf_took(b, dur_format(ns, buf_room(b, TIME_MAX)));
}

static void canon_duration(struct buf *b, const char *word, int64_t ns)
{
	buf_str(b, word);
	buf_took(b, dur_format(ns, buf_room(b, TIME_MAX)));
}

/* ---- clauses ---- */

static int read_slide(struct reading *r, struct err *e)
{
	struct length l;

	if (read_length(r->p, "how often a window begins, as 10s", "windows slide by more than 0", &l, e))
		return -1;
	r->slides = true;
	r->w->slide_ns = l.ns;
	r->w->slide_unit = l.unit;
	r->w->slide_units = l.units;
	return 0;
}

static int read_offset(struct reading *r, struct err *e)
{
	r->has_offset = true;
	r->offset_pos = parser_pos(r->p);
	return parser_duration_signed(r->p, "how much later windows begin, as 15m", &r->w->offset_ns, NULL, e);
}

static int read_zone(struct reading *r, struct err *e)
{
	struct pos pos = parser_pos(r->p);
	struct err own = { 0 };

	r->zone = parser_raw_word(r->p, "a time zone, as Europe/Berlin", e);
	if (!r->zone)
		return -1;
	pos.n = (int)strlen(r->zone);
	r->w->zone = zone_get(r->zone, strlen(r->zone), &own);
	if (r->w->zone)
		return 0;
	err_at(e, pos, "%s", own.msg);
	return err_hint(e, "%s", own.hint);
}

static int read_date(struct reading *r, struct err *e)
{
	r->date_pos = parser_pos(r->p);
	r->date = parser_raw_word(r->p, "the date that begins a window, as 2024-01-31", e);
	if (!r->date)
		return -1;
	r->date_pos.n = (int)strlen(r->date);
	r->w->has_from = true;
	return 0;
}

static int read_on(struct reading *r, struct err *e)
{
	r->n->on = parser_expr(r->p, e);
	return r->n->on ? 0 : -1;
}

/* 1: a clause was read, 0: none is next, -1. */
static int read_clause(struct reading *r, struct err *e)
{
	if (!r->slides && parser_accept_word(r->p, "every"))
		return read_slide(r, e) ? -1 : 1;
	if (!r->has_offset && parser_accept_word(r->p, "offset"))
		return read_offset(r, e) ? -1 : 1;
	if (!r->zone && parser_accept_word(r->p, "tz"))
		return read_zone(r, e) ? -1 : 1;
	if (!r->date && parser_accept_word(r->p, "from"))
		return read_date(r, e) ? -1 : 1;
	if (!r->n->on && parser_accept_word(r->p, "on"))
		return read_on(r, e) ? -1 : 1;
	return 0;
}

/* ---- window LENGTH ... ---- */

static bool is_date(const char *s)
{
	static const char form[] = "dddd-dd-dd";

	for (unsigned i = 0; i < sizeof form - 1; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	return !s[sizeof form - 1];
}

static int set_from(struct reading *r, struct err *e)
{
	struct time_opts utc = { 0 };
	int64_t t;

	if (!r->date)
		return 0;
	r->w->from_ns = INT64_MIN;
	if (is_date(r->date) && time_parse(r->date, strlen(r->date), &utc, &t))
		r->w->from_ns = zone_to_utc(r->w->zone, t / TIME_NS);
	if (r->w->from_ns != INT64_MIN && r->w->from_ns != INT64_MAX)
		return 0;
	err_at(e, r->date_pos, "\"%s\" is not a date", r->date);
	return err_hint(e, "write it as 2024-01-31");
}

/* A window of time that nothing but event time can mean? */
static bool is_of_events(const struct reading *r)
{
	return r->n->on || r->has_offset || r->zone || r->date || r->w->unit == UNIT_MONTH || r->w->slide_unit == UNIT_MONTH;
}

static void canon_time(const struct reading *r, struct buf *b)
{
	const struct window *w = r->w;
	bool events = is_of_events(r);

	buf_str(b, "window ");
	canon_length(b, w->length_ns, w->unit, w->length_units);
	if (r->slides || events)
		buf_str(b, " every ");
	if (r->slides)
		canon_length(b, w->slide_ns, w->slide_unit, w->slide_units);
	else if (events)
		canon_length(b, w->length_ns, w->unit, w->length_units);
	if (!events)
		return;
	canon_duration(b, " offset ", w->offset_ns);
	buf_printf(b, " tz %s", zone_name(w->zone));
	if (r->date)
		buf_printf(b, " from %s", r->date);
}

static int check_copies(const struct reading *r, struct err *e)
{
	struct window w = *r->w;

	window_to_event_time(&w);
	if (window_assign_max(&w) <= WINDOW_COPIES_MAX)
		return 0;
	err_at(e, r->length_pos, "a time falls into more than %d of these windows", WINDOW_COPIES_MAX);
	return err_hint(e, "a longer `every` makes them fewer");
}

static int check_offset(const struct reading *r, struct err *e)
{
	const struct window *w = r->w;
	int64_t slide_ns = r->slides ? w->slide_ns : w->length_ns;

	if ((r->slides ? w->slide_unit : w->unit) == UNIT_MONTH || (w->offset_ns < slide_ns && w->offset_ns > -slide_ns))
		return 0;
	err_at(e, r->offset_pos, "the offset of windows is less than the distance between them");
	return err_hint(e, "windows begin at the multiples of SLIDE, later by the offset: `window 1h offset 15m`");
}

static int parse_time(struct reading *r, struct buf *b, struct err *e)
{
	struct length l;
	int more;

	if (read_length(r->p, "the length of the window, as 30s", "a window is longer than 0", &l, e))
		return -1;
	r->length_pos = l.pos;
	r->w->length_ns = l.ns;
	r->w->unit = l.unit;
	r->w->length_units = l.units;
	while ((more = read_clause(r, e)) > 0)
		;
	if (more < 0 || set_from(r, e) || check_offset(r, e) || check_copies(r, e))
		return -1;
	canon_time(r, b);
	if (is_of_events(r))
		window_to_event_time(r->w);
	else
		r->n->keeps = "what its windows cover, a pane for each micro-batch";
	return 0;
}

/* ---- the other forms ---- */

static int check_gap(struct reading *r, struct err *e)
{
	const struct node *gap = r->n->gap;

	if (gap->kind != N_LIT)
		return 0;
	if (gap->lit.type != T_DUR) {
		err_at(e, gap->pos, "the gap of sessions is a duration");
		return err_hint(e, "write it as 10m, or as an expression that gives one: window session gap * 1s");
	}
	if (gap->lit.i <= 0)
		return err_at(e, gap->pos, "the gap of sessions is longer than 0");
	r->w->gap_ns = gap->lit.i;
	r->n->gap = NULL;
	return 0;
}

static int parse_session(struct reading *r, struct buf *b, struct err *e)
{
	r->w->kind = WINDOW_SESSION;
	if (parser_at_end(r->p))
		return parser_expected(r->p, "the gap that ends a session, as 10m", e);
	r->n->gap = parser_expr(r->p, e);
	if (!r->n->gap || check_gap(r, e))
		return -1;
	r->w->closed = parser_accept_word(r->p, "closed");
	if (parser_accept_word(r->p, "on") && read_on(r, e))
		return -1;
	buf_str(b, "window session ");
	if (r->n->gap)
		node_print(b, r->n->gap);
	else
		canon_duration(b, "", r->w->gap_ns);
	if (r->w->closed)
		buf_str(b, " closed");
	return 0;
}

static int parse_rows(struct reading *r, struct buf *b, struct err *e)
{
	r->w->kind = WINDOW_ROWS;
	if (parser_uint(r->p, "a number of rows", 1, ROWS_MAX, &r->w->rows, e))
		return -1;
	if (!parser_accept_word(r->p, "rows")) {
		parser_expected(r->p, NULL, e);
		return err_hint(e, "`window 100 rows` counts; a length of time has a unit: `window 30s`");
	}
	r->w->slide_rows = r->w->rows;
	if (parser_accept_word(r->p, "every") && parser_uint(r->p, "a number of rows", 1, ROWS_MAX, &r->w->slide_rows, e))
		return -1;
	buf_printf(b, "window %llu rows every %llu", (unsigned long long)r->w->rows, (unsigned long long)r->w->slide_rows);
	return 0;
}

static int parse_form(struct reading *r, struct buf *b, struct err *e)
{
	if (parser_accept_word(r->p, "session"))
		return parse_session(r, b, e);
	if (parser_accept_word(r->p, "all")) {
		r->w->kind = WINDOW_ALL;
		buf_str(b, "window all");
		return 0;
	}
	return parser_peek_number(r->p) ? parse_rows(r, b, e) : parse_time(r, b, e);
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct window *w = arena_zero(parser_arena(p), sizeof *w);
	struct reading r = { .p = p, .n = n, .w = w };
	struct buf b = { 0 };

	n->kind = PLAN_WINDOW;
	n->assigner = w;
	if (parse_form(&r, &b, e)) {
		buf_release(&b);
		return -1;
	}
	if (n->on) {
		buf_str(&b, " on ");
		node_print(&b, n->on);
	}
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_window = {
	.doc = {
		.name = "window",
		.synopsis = "window LENGTH [every SLIDE] [offset D] [tz ZONE] [from DATE] [on TIME] | session GAP [closed] [on TIME] | N rows [every M] | all",
		.summary = "which windows each record falls into",
		.text = "What the stages behind it see at once; a window holds until the next `window`. Results carry window_start and "
			"window_end.\n\n"
			"`window LENGTH`, with no watermark before it and nothing but `every` behind it, is over processing time and made of whole "
			"micro-batches: at time t the window covers (t - LENGTH, t]. The first one comes out after one SLIDE, and what comes behind "
			"the last one is counted as unfinished. Where all aggregates have an inverse (count, sum, avg ..., combine with its fifth "
			"argument) old records are taken out again, so that the cost of a record does not depend on LENGTH / SLIDE. Other stages see "
			"all records of the window at each slide. LENGTH and SLIDE are multiples of the micro-batch. Finite input needs --every, "
			"--replay or marks, for it has no processing time of its own.\n\n"
			"Behind `watermark`, or with `on TIME`, it is over event time: a record falls into each window [start, end) that covers its "
			"time, and windows begin at the multiples of SLIDE since 1970, later by `offset`. With a SLIDE longer than LENGTH some "
			"records fall into none. A LENGTH or SLIDE in days, weeks, months or years (1d 1w 1mo 1y, and multiples) goes by the calendar "
			"of ZONE, where a day may have 23 or 25 hours and weeks begin on Monday, unless `from DATE` says that a window begins on that "
			"day; `offset` is then a time of the clock. 24h is no calendar day. Hours and minutes follow the clock of ZONE too, where its "
			"changes matter to them: 2h does, 10m does not in a zone of whole hours.\n\n"
			"`window session GAP`: a record at t opens [t, t + GAP) for its key, and what overlaps becomes one session; those that only "
			"touch do so with `closed`. GAP may be an expression over the record; where it is null, 0 or negative the record is "
			"dropped. Behind an aggregate's `by`, the keys of `dedup` and the `per` of `top` each key has its own sessions; for sort, limit, skip, "
			"and where there are no keys, all records have one set of them. Such stages wait for the end of a session.\n\n"
			"`window N rows` is full with N rows of a key and comes out then; the next one begins after M rows. What is partial comes out "
			"at the end of the input.\n\n"
			"`window all` is the whole stream.",
		.group = "time",
		.params = { { "LENGTH", "duration", NULL, "> 0", "how long a window is; 1d 1w 1mo 1y by the calendar in event time" },
			    { "every SLIDE", "duration", "LENGTH; in processing time each micro-batch", "> 0", "how often one begins, or comes out" },
			    { "offset D", "duration", "0s", "less than SLIDE", "how much later than the multiples of SLIDE windows begin" },
			    { "tz ZONE", "zone", "UTC", NULL, "whose clock and calendar" },
			    { "from DATE", "date", "1970-01-01; weeks: Monday", NULL, "a day that begins a window, as 2024-01-31" },
			    { "on TIME", "expr", "the watermark's", NULL, "the event time" },
			    { "session GAP", "expr", NULL, "> 0", "the silence that ends a session" },
			    { "closed", "word", NULL, NULL, "sessions that touch are one" },
			    { "N rows", "int", NULL, "1..2^32", "how many rows a window has" },
			    { "every M", "int", "N", "1..2^32", "after how many rows one begins" },
			    { "all", "word", NULL, NULL, "the whole stream" } },
		.examples = {
			{ "-o json --every mark 'window 2s every 1s' 'count by line' 'drop window_start'",
			  "a\n\f clock=+1s\nb\n\f clock=+1s\n\f clock=+1s\n",
			  "{\"window_end\":\"1970-01-01T00:00:01Z\",\"line\":\"a\",\"count\":1}\n"
			  "{\"window_end\":\"1970-01-01T00:00:02Z\",\"line\":\"a\",\"count\":1}\n"
			  "{\"window_end\":\"1970-01-01T00:00:02Z\",\"line\":\"b\",\"count\":1}\n"
			  "{\"window_end\":\"1970-01-01T00:00:03Z\",\"line\":\"b\",\"count\":1}\n", "marks move the clock" },
			{ "-i csv --replay t --every 1s 'window 2s every 2s' 'reduce n = sum(n)' 'select n'", "t,n\n1,1\n2,2\n4,4\n", "n\n3\n4\n",
			  "a recording keeps its own time" },
			{ "-i csv 'window 10s on t' 'reduce n = sum(n)'", "t,n\n1,1\n12,2\n5,3\n",
			  "window_start,window_end,n\n1970-01-01T00:00:00Z,1970-01-01T00:00:10Z,4\n1970-01-01T00:00:10Z,1970-01-01T00:00:20Z,2\n",
			  "event time: the order of arrival does not matter" },
			{ "-i csv 'window 1d tz Europe/Berlin on t' count", "t\n2024-03-30T23:00:00Z\n2024-03-31T21:59:59Z\n",
			  "window_start,window_end,count\n2024-03-30T23:00:00Z,2024-03-31T22:00:00Z,2\n", "a day of 23 hours" },
			{ "-i csv 'window session 10s on t' 'count by k'", "t,k\n1,a\n5,a\n30,a\n3,b\n",
			  "window_start,window_end,k,count\n1970-01-01T00:00:03Z,1970-01-01T00:00:13Z,b,1\n"
			  "1970-01-01T00:00:01Z,1970-01-01T00:00:15Z,a,2\n1970-01-01T00:00:30Z,1970-01-01T00:00:40Z,a,1\n", "sessions of each key" },
			{ "-i csv 'window 2 rows' 'reduce s = sum(n) by k' 'select k, s'", "k,n\na,1\nb,2\na,3\nb,5\n", "k,s\na,4\nb,7\n", NULL },
		},
	},
	.words = "every offset tz from on session closed rows all",
	.parse = parse,
};

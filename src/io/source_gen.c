#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/time.h"
#include "io/live.h"
#include "io/source_list.h"

#define NS_A_MS 1000000
#define ROWS_A_TURN 4096 /* then the others on the loop have theirs */
#define RATE_MAX 10000000

#define ROW_BYTES 26 /* but for its time and number */

/* Row n is due n / rate seconds after the start and carries that time; the rows that are due come in one go. With a checkpoint
 * there is one stream over all runs; it is named by its start, and how many bytes of it there are tells how many rows. */
struct gen_source {
	struct source base;
	int64_t rate, rows; /* a second; in all, -1: no end */
	bool has_start;
	int64_t start_ns;
	const struct intake *to;
	void *stream; /* NULL: over */
	uv_timer_t timer;
	bool paused;
	uint64_t began_ns; /* of the loop's machine clock, which only paces */
	int64_t n;	   /* rows made */
	size_t had;	   /* bytes of row n that another run has made */
	struct buf text;
};

/* n / rate seconds in ns, without overflow for any n. */
static int64_t row_ns(const struct gen_source *g, int64_t n) { return n / g->rate * TIME_NS + n % g->rate * TIME_NS / g->rate; }

static void add_row(struct gen_source *g)
{
	char time[TIME_MAX], number[NUM_MAX];

	buf_str(&g->text, "{\"timestamp\":\"");
	buf_add(&g->text, time, time_format(g->start_ns + row_ns(g, g->n), time));
	buf_str(&g->text, "\",\"value\":");
	buf_add(&g->text, number, num_format_int(g->n, number));
	buf_str(&g->text, "}\n");
	g->n++;
}

static void gen_stop(struct source *base)
{
	struct gen_source *g = (struct gen_source *)base;
	void *stream = g->stream;

	if (!stream)
		return;
	g->stream = NULL;
	uv_close((uv_handle_t *)&g->timer, NULL);
	if (!base->known)
		g->to->close(stream, false);
}

/* ---- going on ---- */

static size_t time_bytes(const struct gen_source *g, int64_t n)
{
	char time[TIME_MAX];

	return time_format(g->start_ns + row_ns(g, n), time);
}

static size_t row_bytes(const struct gen_source *g, int64_t n)
{
	char number[NUM_MAX];

	return ROW_BYTES + time_bytes(g, n) + num_format_int(n, number);
}

/* Digits of all numbers below n. */
static int64_t digits_below(int64_t n)
{
	int64_t sum = n > 0; /* of 0 */

	for (int64_t from = 1, digits = 1; from < n; from *= 10, digits++) {
		int64_t to = from > INT64_MAX / 10 || from * 10 > n ? n : from * 10;

		sum += (to - from) * digits;
		if (to == n)
			break;
	}
	return sum;
}

/* The row in which so many bytes end. A second's rows are like those of any other, but for their numbers. */
static void find_row(struct gen_source *g, int64_t bytes)
{
	int64_t second = 0, low = 0, high = bytes / ROW_BYTES / g->rate + 1;

	for (int64_t n = 0; n < g->rate && n * ROW_BYTES <= bytes; n++)
		second += ROW_BYTES + (int64_t)time_bytes(g, n);
	while (high - low > 1) {
		int64_t mid = low + (high - low) / 2;

		if (mid * second + digits_below(mid * g->rate) <= bytes)
			low = mid;
		else
			high = mid;
	}
	g->n = low * g->rate;
	bytes -= low * second + digits_below(g->n);
	while (bytes >= (int64_t)row_bytes(g, g->n))
		bytes -= (int64_t)row_bytes(g, g->n++);
	g->had = (size_t)bytes;
}

#define KEPT_NAME "gen from "

static int open_kept(struct gen_source *g, struct err *e)
{
	const struct time_opts o = { 0 };
	char name[sizeof KEPT_NAME + TIME_MAX] = KEPT_NAME;
	const char *old;

	g->stream = g->to->find(g->to->ctx, KEPT_NAME, &old);
	if (g->stream) {
		old += strlen(KEPT_NAME);
		if (time_parse(old, strlen(old), &o, &g->start_ns))
			find_row(g, (int64_t)g->to->have(g->stream));
		return 0;
	}
	name[strlen(name) + time_format(g->start_ns, name + strlen(name))] = 0;
	g->stream = g->to->open(g->to->ctx, name, e);
	return g->stream ? 0 : -1;
}

/* ---- the loop ---- */

static void wait_for_next(struct gen_source *g, uv_timer_cb then)
{
	int64_t due = row_ns(g, g->n), now = (int64_t)(uv_hrtime() - g->began_ns);

	/* the loop's own time may be behind; it counts whole ms */
	uv_update_time(g->timer.loop);
	uv_timer_start(&g->timer, then, due > now ? (uint64_t)((due - now + NS_A_MS - 1) / NS_A_MS) : 0, 0);
}

static void on_timer(uv_timer_t *t)
{
	struct gen_source *g = t->data;
	int64_t now = (int64_t)(uv_hrtime() - g->began_ns);
	int verdict;

	g->text.n = 0;
	for (int i = 0; i < ROWS_A_TURN && g->n != g->rows && row_ns(g, g->n) <= now; i++)
		add_row(g);
	g->base.position += (int64_t)g->text.n;
	verdict = live_put(g->to, &g->stream, g->text.p + (g->text.n ? g->had : 0), g->text.n - (g->text.n ? g->had : 0));
	if (g->text.n)
		g->had = 0;
	if (!g->stream)
		return;
	if (g->n == g->rows) {
		gen_stop(&g->base);
		g->to->end(g->to->ctx, NULL);
	} else if (verdict) {
		g->paused = true;
	} else {
		wait_for_next(g, on_timer);
	}
}

static int gen_start(struct source *base, uv_loop_t *loop, const struct intake *to, struct err *e)
{
	struct gen_source *g = (struct gen_source *)base;

	g->to = to;
	if (!g->has_start)
		g->start_ns = source_now(base);
	if (base->known ? open_kept(g, e) : !(g->stream = to->open(to->ctx, base->name, e)))
		return -1;
	uv_timer_init(loop, &g->timer);
	g->timer.data = g;
	g->began_ns = uv_hrtime() - (uint64_t)row_ns(g, g->n);
	uv_timer_start(&g->timer, on_timer, 0, 0);
	return 0;
}

static void gen_resume(struct source *base)
{
	struct gen_source *g = (struct gen_source *)base;

	if (!g->stream || !g->paused)
		return;
	g->paused = false;
	wait_for_next(g, on_timer);
}

static void gen_status(const struct source *base, char *p, size_t n)
{
	const struct gen_source *g = (const struct gen_source *)base;

	snprintf(p, n, "gen: %lld rows", (long long)g->n);
}

static const struct live_def gen_live = { gen_start, gen_resume, gen_stop, gen_status, NULL };

static int parse_start(struct gen_source *g, const struct url *u, struct err *e)
{
	const struct time_opts o = { 0 };
	const char *v = url_option(u, "start");

	g->has_start = v != NULL;
	if (!v || time_parse(v, strlen(v), &o, &g->start_ns))
		return 0;
	return err_set(e, ERR_USAGE, "%s: option 'start' is a time, not '%s'", u->spec, v);
}

static void gen_close(struct source *base) { buf_release(&((struct gen_source *)base)->text); }

static struct source *gen_open(const struct url *u, struct err *e)
{
	static const int64_t rate[2] = { 1, RATE_MAX }, rows[2] = { 0, INT64_MAX };
	struct gen_source *g = xcalloc(1, sizeof *g);

	g->rate = 1;
	g->rows = -1;
	g->base.name = "gen";
	g->base.size = -1;
	g->base.endless = true;
	g->base.keeps = true;
	if (!url_option_int(u, "rate", rate, &g->rate, e) && !url_option_int(u, "rows", rows, &g->rows, e) &&
	    !parse_start(g, u, e))
		return &g->base;
	free(g);
	return NULL;
}

const struct source_def source_gen = {
	.doc = {
		.name = "gen",
		.synopsis = "gen:[rate=N][&rows=M][&start=TIME]",
		.summary = "makes records by itself, so many a second",
		.group = "sources",
		.text = "Records of two fields, timestamp and value, in JSON; value counts from 0. Record n comes n / rate seconds after the first and has that time. The "
			"rate holds on average: what was held up is made up for. With a checkpoint the next run goes on behind the last record.",
		.params = {
			SOURCE_READ_DOC,
			{ "rate", "int", "1", "1..10000000", "records a second" },
			{ "rows", "int", "no end", "0..2^63-1", "records in all" },
			{ "start", "time", "now", NULL, "the timestamp of the first record" },
		},
		.examples = {
			{ "--from 'gen:rate=100&rows=3&start=2024-01-01' -o csv", NULL,
			  "timestamp,value\n2024-01-01T00:00:00Z,0\n2024-01-01T00:00:00.01Z,1\n2024-01-01T00:00:00.02Z,2\n", "three records, 10 ms apart" },
		},
	},
	.open = gen_open,
	.close = gen_close,
	.live = &gen_live,
	.default_format = "json",
	.form = URL_OPTIONS,
};

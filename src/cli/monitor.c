#include "config.h"

#include "cli/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/signals.h"
#include "obs/status.h"

/* Nothing came and nothing went: what is it waiting for? */
#define SILENCE_MS 3000U

static void put(const char *p, size_t n)
{
	fwrite(p, 1, n, stderr);
}

void monitor_wipe(struct report *r)
{
	if (!r->drawn)
		return;
	put("\r\033[K", 4);
	r->drawn = false;
	signals_line(false);
}

static void on_look(void *ctx, const struct job *j)
{
	struct report *r = ctx;
	struct progress_figures f;
	struct buf b = { 0 };

	if (!progress_due(&r->progress, j, &f))
		return;
	buf_str(&b, "\r\033[Kstrm: ");
	progress_text(&b, &f);
	put(b.p, b.n);
	buf_release(&b);
	r->drawn = true;
	signals_line(true);
}

static void on_deliver(void *ctx)
{
	monitor_wipe(ctx);
}

/* Each line of the text with the name in front. */
static void put_lines(const char *p, size_t n)
{
	while (n) {
		const char *nl = memchr(p, '\n', n);
		size_t len = nl ? (size_t)(nl - p) : n;

		fprintf(stderr, "strm: %.*s\n", (int)len, p);
		len += nl != NULL;
		p += len;
		n -= len;
	}
}

static void on_ask(void *ctx, const struct job *j)
{
	struct buf b = { 0 };

	monitor_wipe(ctx);
	status_report(&b, j);
	put_lines(b.p, b.n);
	buf_release(&b);
}

static void on_silence(void *ctx, const struct job *j)
{
	struct buf b = { 0 };

	monitor_wipe(ctx);
	status_waits(&b, j);
	put_lines(b.p, b.n);
	buf_release(&b);
}

static int on_batch(void *ctx, const struct job *j, const struct batch_report *br, struct err *e)
{
	return stats_batch(((struct report *)ctx)->stats, j, br, e);
}

static unsigned silence_ms(void)
{
	const char *s = getenv("STRM_TEST_SILENCE");
	unsigned n = s ? (unsigned)strtoul(s, NULL, 10) : 0;

	return n ? n : SILENCE_MS;
}

int monitor_open(struct report *r, struct job_opts *jo, struct err *e)
{
	const struct options *o = r->opts;
	bool tty = isatty(2) && !o->quiet;

	jo->on_ask = on_ask;
	if (o->progress && tty) {
		jo->on_look = on_look;
		jo->look_ms = PROGRESS_MS;
		if (isatty(1))
			jo->on_deliver = on_deliver;
	}
	if (tty) {
		jo->on_silence = on_silence;
		jo->silence_ms = silence_ms();
	}
	if (!o->stats)
		return 0;
	r->stats = stats_open(o->stats, signals_stop(), e);
	jo->on_batch = on_batch;
	return r->stats ? 0 : -1;
}

int monitor_close(struct report *r, struct err *e)
{
	struct stats *s = r->stats;

	monitor_wipe(r);
	r->stats = NULL;
	return stats_close(s, e);
}

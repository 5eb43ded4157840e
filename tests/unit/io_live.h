/* A tiny intake: keeps the bytes of each stream, the notes and the end, and runs a loop until something is so. */
#ifndef STRM_IO_LIVE_TEST_H
#define STRM_IO_LIVE_TEST_H
#include <stdbool.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/live.h"
#include "test.h"

#define WORLD_LIMIT_MS 600000 /* says what was waited for, before the runner gives the whole program up */

struct world;

struct got {
	struct world *world;
	char name[600];
	struct buf bytes;
	bool closed, dropped;
};

struct world {
	uv_loop_t loop;
	uv_timer_t limit;
	struct intake to;
	struct source *source;
	struct got **streams;
	size_t n_streams, cap_streams;
	uint64_t bytes, lines, n_closed;
	size_t room;	  /* bytes a stream offers at a time */
	uint64_t stop_at; /* bytes in all after which it says stop; 0: never */
	bool full;	  /* it said so */
	bool keep_none;	  /* only count */
	bool stop_within; /* stop the source with its first bytes, from within */
	struct buf notes;
	bool ended, timed_out;
	struct err err;
	char space[65536];
};

static void *world_open(void *ctx, const char *name, struct err *e)
{
	struct world *w = ctx;
	struct got *g = xcalloc(1, sizeof *g);

	(void)e;
	g->world = w;
	snprintf(g->name, sizeof g->name, "%s", name);
	w->streams = xgrow(w->streams, &w->cap_streams, w->n_streams + 1, sizeof *w->streams);
	w->streams[w->n_streams++] = g;
	return g;
}

static char *world_room(void *stream, size_t *n)
{
	struct world *w = ((struct got *)stream)->world;

	*n = w->room;
	return w->space;
}

static int world_filled(void *stream, size_t n)
{
	struct got *g = stream;
	struct world *w = g->world;

	CHECK(!g->closed && n > 0 && n <= w->room);
	w->bytes += n;
	for (size_t i = 0; i < n; i++)
		w->lines += w->space[i] == '\n';
	if (!w->keep_none)
		buf_add(&g->bytes, w->space, n);
	if (w->stop_within)
		source_live(w->source)->stop(w->source);
	w->full = w->stop_at && w->bytes >= w->stop_at;
	return w->full;
}

static void world_close(void *stream, bool drop)
{
	struct got *g = stream;

	CHECK(!g->closed);
	g->closed = true;
	g->dropped = drop;
	g->world->n_closed++;
}

static void world_end(void *ctx, const struct err *e)
{
	struct world *w = ctx;

	CHECK(!w->ended);
	w->ended = true;
	if (e)
		w->err = *e;
}

static void world_note(void *ctx, const char *text)
{
	struct world *w = ctx;

	buf_str(&w->notes, text);
	buf_char(&w->notes, '\n');
}

static void world_too_late(uv_timer_t *t) { ((struct world *)t->data)->timed_out = true; }

/* Open the source; the caller may set fields of it, then world_start. NULL with w->err set when it does not open. */
static struct world *world_new(const char *spec)
{
	struct world *w = xcalloc(1, sizeof *w);

	uv_loop_init(&w->loop);
	w->to = (struct intake){ .open = world_open, .room = world_room, .filled = world_filled, .close = world_close, .end = world_end, .note = world_note,
				 .ctx = w };
	w->room = sizeof w->space;
	uv_timer_init(&w->loop, &w->limit);
	w->limit.data = w;
	uv_timer_start(&w->limit, world_too_late, WORLD_LIMIT_MS, 0);
	uv_unref((uv_handle_t *)&w->limit);
	w->source = source_open(spec, &w->err);
	return w;
}

static int world_start(struct world *w)
{
	if (!w->source)
		printf("# %s\n", w->err.msg);
	return w->source ? source_live(w->source)->start(w->source, &w->loop, &w->to, &w->err) : -1;
}

__attribute__((unused)) static struct world *world_begin(const char *spec)
{
	struct world *w = world_new(spec);

	CHECK_INT(world_start(w), 0);
	return w;
}

/* Turn the loop until it is so. */
#define RUN_UNTIL(w, cond) \
	do { \
		while (!(cond) && !(w)->timed_out) \
			uv_run(&(w)->loop, UV_RUN_ONCE); \
		if (!(cond)) { \
			test_bad = 1; \
			printf("# %s:%d: waited in vain for %s; notes: %s\n", __FILE__, __LINE__, #cond, buf_cstr(&(w)->notes)); \
		} \
	} while (0)

/* Stop, run the loop out, check that nothing is left on it; frees. */
static void world_free(struct world *w)
{
	if (w->source && source_is_live(w->source)) {
		source_live(w->source)->stop(w->source);
		source_live(w->source)->stop(w->source);
	}
	uv_close((uv_handle_t *)&w->limit, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&w->loop), 0);
	CHECK(w->n_closed == w->n_streams);
	source_close(w->source);
	for (size_t i = 0; i < w->n_streams; i++) {
		buf_release(&w->streams[i]->bytes);
		free(w->streams[i]);
	}
	free(w->streams);
	buf_release(&w->notes);
	free(w);
}

static void stream_is(const struct world *w, size_t i, const char *want)
{
	CHECK(i < w->n_streams);
	if (i < w->n_streams)
		CHECK_BYTES(w->streams[i]->bytes.p ? w->streams[i]->bytes.p : "", w->streams[i]->bytes.n, want);
}

__attribute__((unused)) static bool noted(struct world *w, const char *what) { return strstr(buf_cstr(&w->notes), what) != NULL; }

#endif

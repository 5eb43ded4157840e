#include "obs/stats.h"

#include <stdlib.h>

#include "base/time.h"

/* Counts of an operator as they were told last. */
struct op_seen {
	uint64_t in, out, count[OP_COUNTERS_MAX];
};

struct source_seen {
	uint64_t records, bytes;
};

struct stats {
	struct sink *sink;
	struct buf buf;
	struct op_seen *ops;
	struct source_seen *sources;
	bool had_watermark;
};

struct stats *stats_open(const char *spec, const volatile int *stop, struct err *e)
{
	struct sink *sink = sink_open(spec, e);
	struct stats *s;

	if (!sink)
		return NULL;
	sink->format = "json";
	sink->stop = stop;
	s = xcalloc(1, sizeof *s);
	s->sink = sink;
	return s;
}

static void put_u64(struct buf *b, const char *key, uint64_t n)
{
	buf_printf(b, ",\"%s\":%llu", key, (unsigned long long)n);
}

static void put_text(struct buf *b, const char *key, const char *s)
{
	buf_printf(b, "\"%s\":", key);
	json_print_string(b, s, strlen(s));
}

static void put_time(struct buf *b, const char *key, int64_t t)
{
	buf_printf(b, "\"%s\":\"", key);
	if (t == WATERMARK_END)
		buf_str(b, "inf");
	else
		buf_took(b, time_format(t, buf_room(b, TIME_MAX)));
	buf_char(b, '"');
}

/* n in so many ns; null when no time has passed. */
static void put_rate(struct buf *b, const char *key, uint64_t n, int64_t ns)
{
	if (ns > 0)
		buf_printf(b, ",\"%s\":%.1f", key, (double)n * 1e9 / (double)ns);
	else
		buf_printf(b, ",\"%s\":null", key);
}

static void put_ms(struct buf *b, const char *key, int64_t ns)
{
	buf_printf(b, "\"%s\":%.3f", key, (double)ns / 1e6);
}

void stats_put_report(struct buf *b, const struct batch_report *r)
{
	int64_t total = r->read_ns + r->run_ns + r->deliver_ns;

	buf_printf(b, "\"batch\":%llu,", (unsigned long long)r->batch);
	put_time(b, "time", r->time);
	put_u64(b, "records", r->records);
	put_u64(b, "bytes", r->bytes);
	put_u64(b, "bad", r->bad);
	put_rate(b, "records_per_s", r->records, r->since);
	put_rate(b, "processed_per_s", r->records, total);
	buf_str(b, ",\"ms\":{");
	put_ms(b, "read", r->read_ns);
	buf_char(b, ',');
	put_ms(b, "run", r->run_ns);
	buf_char(b, ',');
	put_ms(b, "deliver", r->deliver_ns);
	buf_char(b, ',');
	put_ms(b, "total", total);
	buf_char(b, '}');
	if (!r->timed)
		return;
	buf_char(b, ',');
	put_ms(b, "delay_ms", r->delay_ns);
	put_u64(b, "queued", r->queued);
}

void stats_put_events(struct buf *b, const struct event_times *t, int64_t watermark)
{
	if (watermark == WATERMARK_NONE && !t->n)
		return;
	buf_str(b, ",\"event_time\":{");
	if (watermark == WATERMARK_NONE)
		buf_str(b, "\"watermark\":null");
	else
		put_time(b, "watermark", watermark);
	if (t->n) {
		buf_char(b, ',');
		put_time(b, "min", t->min);
		buf_char(b, ',');
		put_time(b, "max", t->max);
		buf_char(b, ',');
		put_time(b, "avg", (int64_t)(t->sum / (__int128)t->n));
	}
	buf_char(b, '}');
}

static void put_sources(struct stats *s, const struct job *j)
{
	struct buf *b = &s->buf;
	unsigned n = job_n_sources(j);

	if (!s->sources)
		s->sources = xcalloc((size_t)n + 1, sizeof *s->sources);
	buf_str(b, ",\"sources\":[");
	for (unsigned i = 0; i < n; i++) {
		struct source_seen *seen = &s->sources[i];
		struct source_report r;

		job_source(j, i, &r);
		buf_str(b, i ? ",{" : "{");
		put_text(b, "name", r.name);
		put_u64(b, "records", r.records - seen->records);
		put_u64(b, "bytes", r.bytes - seen->bytes);
		put_u64(b, "position", r.bytes);
		buf_char(b, '}');
		*seen = (struct source_seen){ r.records, r.bytes };
	}
	buf_char(b, ']');
}

static void put_held(struct buf *b, const struct op *op)
{
	const char *what = NULL;
	uint64_t n;

	if (op->cls->held && (n = op->cls->held(op, &what), what))
		buf_printf(b, ",\"held\":{\"%s\":%llu}", what, (unsigned long long)n);
	if (op->cls->memory)
		put_u64(b, "memory", op_memory(op));
}

static void put_stage(struct buf *b, const struct op *op, const struct op_seen *seen)
{
	buf_printf(b, "{\"stage\":%d,", op->stage);
	put_text(b, "word", op->word);
	put_u64(b, "in", op->in - seen->in);
	put_u64(b, "out", op->out - seen->out);
	for (int k = 0; op->cls->counters[k]; k++)
		put_u64(b, op->cls->counters[k], op->count[k] - seen->count[k]);
	put_held(b, op);
	buf_char(b, '}');
}

static void put_sink(struct buf *b, const struct op *op, const struct op_seen *seen)
{
	buf_char(b, '{');
	put_text(b, "name", op_sink_name(op));
	put_u64(b, "records", op->count[0] - seen->count[0]);
	buf_char(b, '}');
}

static void note(struct op_seen *seen, const struct op *op)
{
	seen->in = op->in;
	seen->out = op->out;
	memcpy(seen->count, op->count, sizeof seen->count);
}

/* Operators that are sinks, or those that are not. */
static void put_ops(struct stats *s, const struct graph *g, bool sinks)
{
	bool first = true;

	buf_str(&s->buf, sinks ? ",\"sinks\":[" : ",\"stages\":[");
	for (uint32_t i = 0; i < g->n; i++) {
		const struct op *op = g->ops[i];

		if (op_is_sink(op) != sinks)
			continue;
		if (!first)
			buf_char(&s->buf, ',');
		first = false;
		if (sinks)
			put_sink(&s->buf, op, &s->ops[i]);
		else
			put_stage(&s->buf, op, &s->ops[i]);
		note(&s->ops[i], op);
	}
	buf_char(&s->buf, ']');
}

/* Without event time in the program only the end of the input moves it. */
static int64_t watermark(struct stats *s, const struct job *j, const struct batch_report *r)
{
	int64_t w = job_watermark(j);

	if (w == WATERMARK_END && r->last && !s->had_watermark && !r->events.n)
		return WATERMARK_NONE;
	s->had_watermark |= w != WATERMARK_NONE;
	return w;
}

int stats_batch(struct stats *s, const struct job *j, const struct batch_report *r, struct err *e)
{
	const struct graph *g = job_graph(j);
	int status;

	if (!s->ops)
		s->ops = xcalloc((size_t)g->n + 1, sizeof *s->ops);
	s->buf.n = 0;
	buf_char(&s->buf, '{');
	stats_put_report(&s->buf, r);
	stats_put_events(&s->buf, &r->events, watermark(s, j, r));
	put_sources(s, j);
	put_ops(s, g, false);
	put_ops(s, g, true);
	put_u64(&s->buf, "memory", job_memory(j));
	buf_str(&s->buf, "}\n");
	s->sink->batch = r->batch;
	status = sink_write(s->sink, s->buf.p, s->buf.n, e);
	if (!status)
		status = sink_batch_end(s->sink, r->batch, e);
	return status == SINK_CLOSED ? 0 : status;
}

int stats_close(struct stats *s, struct err *e)
{
	int r;

	if (!s)
		return 0;
	r = sink_close(s->sink, e);
	buf_release(&s->buf);
	free(s->ops);
	free(s->sources);
	free(s);
	return r;
}

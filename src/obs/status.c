#include "obs/status.h"

#include <unistd.h>

#include "base/time.h"
#include "obs/figures.h"

static void put_number(struct buf *b, uint64_t n, const char *one, const char *many)
{
	buf_printf(b, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}

static void put_watermark(struct buf *b, const struct job *j)
{
	int64_t w = job_watermark(j);

	if (w == WATERMARK_NONE || w == WATERMARK_END)
		return;
	buf_str(b, "; watermark ");
	buf_took(b, time_format(w, buf_room(b, TIME_MAX)));
	if (job_now(j) <= w)
		return;
	buf_str(b, ", ");
	put_span(b, job_now(j) - w);
	buf_str(b, " behind the clock");
}

static void put_run(struct buf *b, const struct job *j)
{
	int64_t ns = job_elapsed(j);

	buf_str(b, "read ");
	put_number(b, job_records(j), "record", "records");
	if (job_bad_input(j))
		buf_printf(b, " and %llu bad", (unsigned long long)job_bad_input(j));
	buf_str(b, ", ");
	put_bytes(b, (double)job_bytes(j));
	if (ns > 0) {
		buf_str(b, " in ");
		put_span(b, ns);
		buf_str(b, ", ");
		put_count(b, (double)job_records(j) * 1e9 / (double)ns);
		buf_str(b, "/s");
	}
	buf_printf(b, "; micro-batch %llu", (unsigned long long)job_batch(j));
	if (job_delay(j)) {
		buf_str(b, ", ");
		put_span(b, job_delay(j));
		buf_str(b, " behind");
	}
	put_watermark(b, j);
	buf_char(b, '\n');
}

static void put_held(struct buf *b, const struct op *op)
{
	const char *what = NULL;
	uint64_t n = op->cls->held ? op->cls->held(op, &what) : 0;

	if (!what && !op_memory(op))
		return;
	buf_str(b, "; holds ");
	if (what)
		buf_printf(b, "%llu %s%s", (unsigned long long)n, what, op->cls->memory ? ", " : "");
	if (op->cls->memory)
		put_bytes(b, (double)op_memory(op));
}

static void put_stage(struct buf *b, const struct op *op)
{
	buf_printf(b, "stage %d, %s: in %llu, out %llu", op->stage, op->word, (unsigned long long)op->in, (unsigned long long)op->out);
	for (int k = 1; op->cls->counters[k]; k++)
		if (op->count[k])
			buf_printf(b, ", %s %llu", op->cls->counters[k], (unsigned long long)op->count[k]);
	put_held(b, op);
	if (op->cls->waits) {
		struct buf why = { 0 };

		op->cls->waits(op, &why);
		if (why.n) {
			buf_str(b, "; ");
			buf_add(b, why.p, why.n);
		}
		buf_release(&why);
	}
	buf_char(b, '\n');
}

/* What it does, without its name, which stands in front already. */
static const char *doing(const struct source_report *r)
{
	size_t n = strlen(r->name);

	return !strncmp(r->status, r->name, n) && !strncmp(r->status + n, ": ", 2) ? r->status + n + 2 : r->status;
}

static void put_source(struct buf *b, const struct job *j, unsigned i)
{
	struct source_report r;

	job_source(j, i, &r);
	buf_printf(b, "source %s: ", r.name);
	put_number(b, r.records, "record", "records");
	buf_str(b, ", ");
	put_bytes(b, (double)r.bytes);
	if (*r.status)
		buf_printf(b, ", %s", doing(&r));
	buf_char(b, '\n');
}

void status_report(struct buf *b, const struct job *j)
{
	const struct graph *g = job_graph(j);

	put_run(b, j);
	for (unsigned i = 0; i < job_n_sources(j); i++)
		put_source(b, j, i);
	for (uint32_t i = 0; i < g->n; i++)
		if (!op_is_sink(g->ops[i]) && g->ops[i]->stage)
			put_stage(b, g->ops[i]);
	for (uint32_t i = 0; i < g->n; i++)
		if (op_is_sink(g->ops[i]))
			buf_printf(b, "sink %s: wrote %llu\n", op_sink_name(g->ops[i]), (unsigned long long)g->ops[i]->count[0]);
}

/* The first stage that says why. */
static bool put_reason(struct buf *b, const struct graph *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		const struct op *op = g->ops[i];
		size_t n = b->n, at;

		if (!op->cls->waits)
			continue;
		buf_printf(b, "stage %d, %s: ", op->stage, op->word);
		at = b->n;
		op->cls->waits(op, b);
		if (b->n > at)
			return true;
		b->n = n;
	}
	return false;
}

static void put_sources(struct buf *b, const struct job *j)
{
	buf_str(b, job_records(j) ? "waiting for more input from " : "waiting for input from ");
	for (unsigned i = 0; i < job_n_sources(j); i++) {
		struct source_report r;

		job_source(j, i, &r);
		buf_printf(b, "%s%s", i ? ", " : "", r.name);
		if (*r.status)
			buf_printf(b, " (%s)", doing(&r));
		else if (!strcmp(r.name, "stdin") && isatty(0))
			buf_str(b, " (the terminal: Ctrl-D ends it)");
	}
}

void status_waits(struct buf *b, const struct job *j)
{
	if (job_records(j)) {
		buf_str(b, "read ");
		put_number(b, job_records(j), "record", "records");
		buf_str(b, "; ");
		if (put_reason(b, job_graph(j)))
			return;
	}
	put_sources(b, j);
	if (job_until_end(j))
		buf_str(b, "; results come at its end");
}

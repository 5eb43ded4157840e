#include "config.h"

#include "cli/report.h"

#include <stdio.h>

#include "base/nearest.h"
#include "base/utf8.h"
#include "cli/monitor.h"

static void put_err(const struct buf *b)
{
	if (b->n)
		fwrite(b->p, 1, b->n, stderr);
}

void report_error(const struct options *o, const struct err *e)
{
	struct buf b = { 0 };

	err_render(&b, e, o->units, o->n_units);
	put_err(&b);
	buf_release(&b);
}

/* Bytes shown of a bad record. */
#define RAW_SHOWN 60

void report_bad(void *ctx, const char *source, uint64_t line, const char *reason, const char *raw, size_t n)
{
	struct report *r = ctx;
	struct buf b = { 0 };
	size_t shown = n < RAW_SHOWN ? n : RAW_SHOWN;

	if (r->n_bad++ >= BAD_SHOWN || r->opts->quiet)
		return;
	monitor_wipe(r);
	while (shown < n && shown && ((unsigned char)raw[shown] & 0xC0) == 0x80)
		shown--; /* not in the middle of a character */
	if (line)
		buf_printf(&b, "strm: %s:%llu: bad record: %s: ", source ? source : "-", (unsigned long long)line, reason);
	else
		buf_printf(&b, "strm: %s: bad record: %s: ", source ? source : "-", reason);
	json_print_string(&b, raw, shown);
	buf_str(&b, shown < n ? "...\n" : "\n");
	put_err(&b);
	buf_release(&b);
}

void report_note(void *ctx, const char *text)
{
	struct report *r = ctx;

	if (r->opts->quiet)
		return;
	monitor_wipe(r);
	fprintf(stderr, "strm: %s\n", text);
}

static void put_failures(struct buf *b, const struct op *op)
{
	if (op->fails.n)
		buf_printf(b, "strm: stage %d, %s: %llu value%s became null: %s%s\n", op->stage, op->word, (unsigned long long)op->fails.n,
			   op->fails.n == 1 ? "" : "s", op->fails.n == 1 ? "" : "first ", op->fails.first);
	if (op->unused.n)
		buf_printf(b, "strm: stage %d, %s: %llu value%s left out of an aggregate: %s%s\n", op->stage, op->word,
			   (unsigned long long)op->unused.n, op->unused.n == 1 ? " was" : "s were", op->unused.n == 1 ? "" : "first ", op->unused.first);
}

struct unseen {
	struct buf *b;
	const struct op *op;         /* NULL: it is of --replay */
	const struct schema *header; /* the input's, NULL: not known */
	bool first;                  /* the stage sees the input's own fields */
};

static void put_unseen(void *ctx, const char *name)
{
	struct unseen *u = ctx;
	const struct schema *s = u->first ? u->header : NULL;
	struct nearest near;
	size_t start = u->b->n;

	if (s && schema_find(s, name, strlen(name)) >= 0)
		return; /* there, though null in every record */
	if (u->op && u->op->stage)
		buf_printf(u->b, "strm: stage %d, %s: ", u->op->stage, u->op->word);
	else
		buf_printf(u->b, "strm: %s: ", u->op ? u->op->word : "--replay");
	buf_printf(u->b, "field \"%s\" was null or missing in every record", name);
	if (memmem(u->b->p, start, u->b->p + start, u->b->n - start)) { /* a stage may be two operators */
		u->b->n = start;
		return;
	}
	nearest_init(&near, name, strlen(name));
	for (uint32_t i = 0; s && i < s->n; i++)
		nearest_offer(&near, s->names[i]);
	if (near.best)
		buf_printf(u->b, "; did you mean \"%s\"?", near.best);
	buf_char(u->b, '\n');
}

static void put_sink(struct buf *b, const struct op *op)
{
	const struct encoder *c = op_sink_encoder(op);

	if (c->n_unseen)
		buf_printf(b, "strm: %llu value%s of fields without a column left out, first \"%s\": name the columns with select\n",
			   (unsigned long long)c->n_unseen, c->n_unseen == 1 ? "" : "s", c->unseen);
	if (c->n_nan)
		buf_printf(b, "strm: %llu not-a-number or infinite value%s written as null\n", (unsigned long long)c->n_nan,
			   c->n_nan == 1 ? "" : "s");
}

/* "; stage 2 filtered 300 (12 because null)" */
static void put_stage(struct buf *b, const struct op *op)
{
	for (int k = 1; op->cls->counters[k]; k++) {
		if (!op->count[k])
			continue;
		if (op->stage)
			buf_printf(b, "; stage %d %s %llu", op->stage, op->cls->counters[k], (unsigned long long)op->count[k]);
		else
			buf_printf(b, "; %s %s %llu", op->word, op->cls->counters[k], (unsigned long long)op->count[k]);
		if (op->nulls)
			buf_printf(b, " (%llu because null)", (unsigned long long)op->nulls);
	}
	if (!op_balanced(op))
		buf_printf(b, "; stage %d does not balance (%llu in): a bug, please report it", op->stage, (unsigned long long)op->in);
}

/* Records that windows left out. */
static bool any_left_out(const struct op *op)
{
	static const char *const names[] = { "late", "no-time", "dropped", "unfinished" };

	for (int k = 0; op->cls->counters[k]; k++)
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (op->count[k] && !strcmp(op->cls->counters[k], names[i]))
				return true;
	return false;
}

static bool ledger_wanted(const struct job *j)
{
	if (job_bad(j) || job_no_time(j))
		return true;
	for (uint32_t i = 0; i < job_graph(j)->n; i++)
		if (job_graph(j)->ops[i]->nulls || any_left_out(job_graph(j)->ops[i]) || !op_balanced(job_graph(j)->ops[i]))
			return true;
	return false;
}

static void put_ledger(struct buf *b, const struct job *j)
{
	uint64_t good = job_records(j), bad = job_bad_input(j), wrote = 0;

	buf_printf(b, "strm: read %llu", (unsigned long long)(good + bad));
	if (bad)
		buf_printf(b, " = %llu parsed + %llu bad", (unsigned long long)good, (unsigned long long)bad);
	for (uint32_t i = 0; i < job_graph(j)->n; i++) {
		const struct op *op = job_graph(j)->ops[i];

		if (op_is_sink(op))
			wrote += op->count[0];
		else
			put_stage(b, op);
	}
	if (job_no_time(j))
		buf_printf(b, "; no-time %llu", (unsigned long long)job_no_time(j));
	buf_printf(b, "; wrote %llu\n", (unsigned long long)wrote);
}

void report_end(const struct report *r, const struct job *j)
{
	struct buf b = { 0 };
	struct unseen clock = { .b = &b, .header = job_header(j), .first = true };

	if (r->opts->quiet)
		return;
	job_clock_unseen(j, put_unseen, &clock);
	for (uint32_t i = 0; i < job_graph(j)->n; i++) {
		const struct op *op = job_graph(j)->ops[i];
		struct unseen u = { &b, op, job_header(j), op->reads_input };

		put_failures(&b, op);
		if (op->cls->unseen && op->in)
			op->cls->unseen(op, put_unseen, &u);
		if (op_is_sink(op))
			put_sink(&b, op);
	}
	if (r->opts->progress || ledger_wanted(j))
		put_ledger(&b, j);
	put_err(&b);
	buf_release(&b);
}

int exit_status(enum err_kind k)
{
	static const int status[] = { [ERR_NONE] = 0,	 [ERR_IO] = 1,	 [ERR_USAGE] = 2,
				      [ERR_PROGRAM] = 3, [ERR_DATA] = 4, [ERR_LOCKED] = 5 };

	return status[k];
}

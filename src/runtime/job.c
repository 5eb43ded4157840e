#include "runtime/job.h"

#include <stdlib.h>

#include "codec/words.h"
#include "op/op_schema.h"
#include "plan/known.h"

struct job {
	struct job_opts opts;
	struct run *run;
	struct arena arena;
	struct decoder *decoder;
	const struct decoder *scanner; /* the decoder once it is open, for the words operator */
	struct blocks *blocks;
	struct op *first;              /* the chain, NULL once it is freed */
	struct op *bad_sink;
	uint64_t n_bad, n_bad_input, n_records;
	uint64_t cut_bytes;            /* input at the last end of a micro-batch */
	bool open_batch;               /* records came since */
};

/* ---- bad records ---- */

static int keep_bad(struct job *j, const char *source, uint64_t line, const char *reason, const char *raw, size_t n, struct err *e)
{
	static const char *const names[4] = { "source", "line", "reason", "raw" };
	static const uint32_t lens[4] = { 6, 4, 6, 3 };
	struct arena a = { 0 };
	struct value v[4] = { v_str(source ? source : "", source ? strlen(source) : 0), line ? v_int((int64_t)line) : v_null(),
			      v_str(reason, strlen(reason)), v_str(raw, n) };
	struct column cols[4];
	struct batch b = { .schema = schema_intern(names, lens, 4), .cols = cols, .n_rows = 1, .n_sel = 1, .arena = &a };
	int r;

	for (int i = 0; i < 4; i++)
		cols[i] = column_const(&a, &v[i]);
	r = op_process(j->bad_sink, 0, &b, e);
	arena_release(&a);
	return r < 0 ? -1 : 0;
}

static int refuse(struct job *j, const char *source, uint64_t line, const char *reason, const char *raw, size_t n, struct err *e)
{
	j->n_bad++;
	if (j->opts.on_bad && !j->opts.strict)
		j->opts.on_bad(j->opts.ctx, source, line, reason, raw, n);
	if (j->bad_sink && keep_bad(j, source, line, reason, raw, n, e))
		return -1;
	if (!j->opts.strict)
		return 0;
	err_set(e, ERR_DATA, "%s:%llu: bad record: %s", source ? source : "-", (unsigned long long)line, reason);
	return err_hint(e, "without --strict it would be left out and counted");
}

static int on_bad(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e)
{
	struct job *j = ctx;

	j->n_bad_input++;
	return refuse(j, j->decoder->opts.source, line, reason, raw, n, e);
}

static int on_bad_row(void *ctx, const char *raw, size_t n, const char *source, uint64_t line, const char *reason, struct err *e)
{
	return refuse(ctx, source, line, reason, raw, n, e);
}

static void on_note(void *ctx, const char *text)
{
	struct job *j = ctx;

	if (j->opts.on_note)
		j->opts.on_note(j->opts.ctx, text);
}

/* ---- micro-batches ---- */

static int on_batch(void *ctx, struct batch *b, struct err *e)
{
	struct job *j = ctx;

	j->open_batch = true;
	j->n_records += b->n_sel;
	return op_process(j->first, 0, b, e);
}

static bool all_closed(const struct job *j)
{
	bool closed = false;

	for (const struct op *op = j->first; op; op = op->next) {
		if (!op_is_sink(op))
			continue;
		if (!op_sink_closed(op))
			return false;
		closed = true;
	}
	return closed;
}

bool job_closed(const struct job *j)
{
	return all_closed(j);
}

static int end_batch(struct job *j, bool last, struct err *e)
{
	j->run->last = last;
	if (op_batch_end(j->first, e))
		return -1;
	j->open_batch = false;
	j->cut_bytes = j->blocks ? blocks_bytes(j->blocks) : 0;
	j->run->batch++;
	j->run->special[SP_BATCH] = v_int((int64_t)j->run->batch);
	return 0;
}

/* A micro-batch ends after so much input, and when a pipe has nothing more to give; with a stage that waits for the end, only there. */
static bool cut_now(const struct job *j)
{
	if (j->opts.plan->closes || !j->open_batch)
		return false;
	return blocks_bytes(j->blocks) - j->cut_bytes >= MICRO_BATCH_BYTES || !blocks_ready(j->blocks);
}

static int read_all(struct job *j, struct err *e)
{
	struct decode_to to = { .emit = on_batch, .bad = on_bad, .note = on_note, .ctx = j };
	int r;

	while ((r = blocks_step(j->blocks, &to, e)) == 1) {
		if (cut_now(j) && end_batch(j, false, e))
			return -1;
		if (j->opts.on_step)
			j->opts.on_step(j->opts.ctx, blocks_bytes(j->blocks));
		if (all_closed(j) || (j->opts.stop && *j->opts.stop))
			return 0;
	}
	return r < 0 ? -1 : 0;
}

static int one_empty_record(struct job *j, struct err *e)
{
	struct batch b = { .schema = schema_intern(NULL, NULL, 0), .n_rows = 1, .n_sel = 1, .arena = &j->arena };

	return on_batch(j, &b, e) < 0 ? -1 : 0;
}

/* The columns that the input's header names have become, where no record came out to show them. */
static const struct schema *columns_left(struct job *j)
{
	const struct decoder *d = j->decoder;
	const struct schema *head = d->def->columns ? d->def->columns(d) : NULL;
	struct plan_input in = { .codec = d->def, .all = true };
	struct known out;
	struct err ignored = { 0 };
	uint32_t *len;

	if (!head)
		return NULL;
	in.names = head->names;
	in.n_names = head->n;
	if (known_check(j->opts.plan, &in, &out, &ignored))
		return NULL;
	len = arena_array(&j->arena, uint32_t, out.set.n + 1);
	for (uint32_t i = 0; i < out.set.n; i++)
		len[i] = (uint32_t)strlen(out.set.names[i]);
	return schema_intern(out.set.names, len, out.set.n);
}

/* A filter of a file with a header gives one with a header, records or none. */
static int end_without_records(struct job *j, struct err *e)
{
	struct batch b = { .schema = j->opts.no_input ? NULL : columns_left(j), .arena = &j->arena };
	struct op *ends = NULL; /* the sinks behind the last stage */
	struct column *cols;

	if (!b.schema)
		return 0;
	cols = arena_array(&j->arena, struct column, b.schema->n + 1);
	for (uint32_t c = 0; c < b.schema->n; c++)
		cols[c] = (struct column){ .type = T_NULL, .has_null = true };
	b.cols = cols;
	for (struct op *op = j->first; op; op = op->next)
		ends = !op_is_sink(op) ? NULL : ends ? ends : op;
	for (; ends; ends = ends->next)
		if (!op_sink_encoder(ends)->n_records && op_process(ends, 0, &b, e) < 0)
			return -1;
	return 0;
}

/* The run failed: what reached the sinks is written, so that the records before a bad one or a missing file are not lost.
 * Aggregates stay silent. The error that ended the run is the one to report. */
static void write_reached(struct op *op)
{
	struct err ignored = { 0 };

	for (; op; op = op->next)
		if (op_is_sink(op))
			op->cls->on_batch_end(op, &ignored);
}

int job_run(struct job *j, struct err *e)
{
	if ((j->opts.no_input ? one_empty_record(j, e) : read_all(j, e)) || end_batch(j, true, e)) {
		write_reached(j->first);
		write_reached(j->bad_sink);
		return -1;
	}
	if (j->bad_sink && (op_batch_end(j->bad_sink, e) || op_finish(j->bad_sink, e)))
		return -1;
	return end_without_records(j, e) ? -1 : op_finish(j->first, e);
}

/* ---- making it ---- */

static bool scans_words(const struct job_opts *o)
{
	const struct plan *p = o->plan;

	if (o->no_input || o->schema || !p->n || p->nodes[0]->kind != PLAN_WORDS || strcmp(o->in->doc.name, "lines"))
		return false;
	return p->nodes[0]->expr->kind == N_FIELD && !strcmp(p->nodes[0]->expr->name, "line");
}

static int open_decoder(struct job *j, bool words, struct err *e)
{
	static const char *const word[] = { "word" };
	const struct plan *p = j->opts.plan;
	struct decode_opts o = j->opts.decode;
	struct field_set want = p->source;
	const struct codec_def *def;

	if (j->opts.schema && op_schema_fields(j->opts.schema, &want, e))
		return -1;
	o.raw = j->opts.verbatim && !p->changes;
	o.all = want.all;
	o.fields = words ? word : want.names;
	o.n_fields = words ? 1 : want.n;
	if (!o.all && !o.fields)
		o.fields = word; /* none: an empty list, which is not NULL */
	o.count_only = !o.all && !o.n_fields && !o.raw;
	if (o.raw && strcmp(j->opts.in->doc.name, "json") && strcmp(j->opts.in->doc.name, "lines"))
		o.all = true; /* the header to write is the header read */
	def = words ? &words_codec : j->opts.in;
	j->decoder = def->open(&o, e);
	j->scanner = j->decoder;
	if (!j->decoder)
		return -1;
	j->decoder->def = def;
	return 0;
}

static int open_bad_sink(struct job *j, struct err *e)
{
	struct sink_spec s = { .codec = codec_find("tsv") };

	if (!j->opts.bad_file)
		return 0;
	s.sink_take = sink_open(j->opts.bad_file, e);
	if (!s.sink_take)
		return -1;
	s.opts.no_header = !sink_empty(s.sink_take);
	j->bad_sink = op_sink(j->run, 0, "--bad", &s, e);
	return j->bad_sink ? 0 : -1;
}

/* The chain's end: the sinks of --to, one behind the other. */
static int open_sinks(struct job *j, const struct lower_opts *lo, struct op *last, struct err *e)
{
	struct op **tail = last ? &last->next : &j->first;

	if (last && op_is_sink(last))
		return 0;
	for (unsigned i = 0; i < j->opts.n_sinks; i++) {
		*tail = lower_sink(lo, 0, "--to", j->opts.sinks[i], e);
		if (!*tail)
			return -1;
		tail = &(*tail)->next;
	}
	return 0;
}

/* --schema stands before all stages. */
static int open_schema(struct job *j, struct err *e)
{
	struct schema_spec s = { .text = j->opts.schema, .bad = on_bad_row, .ctx = j };
	struct op *op = op_schema(j->run, &s, e);

	if (!op)
		return -1;
	op->next = j->first;
	j->first = op;
	return 0;
}

static int open_ops(struct job *j, bool words, struct err *e)
{
	struct lower_opts lo = { .run = j->run, .encode = j->opts.encode, .to = j->opts.out, .bad = on_bad_row, .ctx = j,
				 .scanner = words ? &j->scanner : NULL };
	struct op *last;

	lo.encode.verbatim = j->opts.verbatim && !j->opts.plan->changes;
	if (plan_lower(j->opts.plan, &lo, &j->first, &last, e) || open_sinks(j, &lo, last, e))
		return -1;
	return j->opts.schema ? open_schema(j, e) : 0;
}

struct job *job_open(const struct job_opts *o, struct run *run, struct err *e)
{
	struct job *j = xcalloc(1, sizeof *j);
	bool words = scans_words(o);

	j->opts = *o;
	j->run = run;
	run->special[SP_BATCH] = v_int(0);
	if (open_ops(j, words, e) || open_decoder(j, words, e) || open_bad_sink(j, e)) {
		job_free(j);
		return NULL;
	}
	if (!o->no_input)
		j->blocks = blocks_new(o->sources, o->n_sources, j->decoder);
	return j;
}

void job_free(struct job *j)
{
	if (!j)
		return;
	op_free_chain(j->first);
	op_free_chain(j->bad_sink);
	if (j->blocks)
		blocks_free(j->blocks);
	if (j->decoder)
		j->decoder->def->close(j->decoder);
	arena_release(&j->arena);
	free(j);
}

const struct op *job_ops(const struct job *j) { return j->first; }
uint64_t job_records(const struct job *j)
{
	return j->decoder && j->decoder->def == &words_codec ? words_lines(j->decoder) : j->n_records;
}
uint64_t job_bad(const struct job *j) { return j->n_bad; }
uint64_t job_bad_input(const struct job *j) { return j->n_bad_input; }
uint64_t job_bytes(const struct job *j) { return j->blocks ? blocks_bytes(j->blocks) : 0; }

#include "runtime/late.h"

#include "op/op_sink.h"
#include "runtime/checkpoint.h"

/* At the end of time there is no telling by how much. */
static struct value late_by_value(const struct op *op, int64_t late_by)
{
	return op->watermark == WATERMARK_END || late_by < 0 ? v_null() : v_dur(late_by);
}

static int keep_late(void *ctx, const struct op *op, const struct batch *b, uint32_t row, int64_t window_end, int64_t late_by, struct err *e)
{
	static const char *const names[] = { "stage", "window_end", "late_by", "record" };
	static const uint32_t lens[] = { 5, 10, 7, 6 };
	struct arena a = { 0 };
	struct value v[] = { v_int(op->stage), v_time(window_end), late_by_value(op, late_by), batch_record(b, row, &a) };
	struct column cols[ARRAY_LEN(v)];
	struct batch out = { .schema = schema_intern(names, lens, ARRAY_LEN(v)), .cols = cols, .n_rows = 1, .n_sel = 1, .arena = &a };
	int verdict;

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		cols[i] = column_const(&a, &v[i]);
	verdict = op_process(ctx, 0, &out, e);
	arena_release(&a);
	return verdict < 0 ? -1 : 0;
}

/* TSV, unless the sink's URL says otherwise. */
static int choose_format(struct sink_spec *s, const char *file, struct err *e)
{
	const char *name = sink_option(s->sink_take, "format");

	s->codec = codec_find(name ? name : "tsv");
	if (s->codec && s->codec->encode)
		return 0;
	return err_set(e, ERR_USAGE, "%s: unknown format \"%s\"", file, name);
}

struct op *late_open(struct run *run, const char *file, struct checkpoint *c, struct err *e)
{
	struct sink_spec s = { .aside = true };
	struct op *sink;

	s.sink_take = sink_open(file, e);
	if (!s.sink_take)
		return NULL;
	if (choose_format(&s, file, e) || (c ? checkpoint_sink(c, s.sink_take, e) : sink_alone(s.sink_take, e))) {
		sink_abandon(s.sink_take);
		return NULL;
	}
	if (run->env->format)
		s.opts.format = *run->env->format;
	s.opts.no_header = !sink_empty(s.sink_take);
	sink = op_sink(run, 0, "--late", &s, e);
	run->late = sink ? keep_late : NULL;
	run->late_ctx = sink;
	return sink;
}

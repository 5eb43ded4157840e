#include "plan/pipeline.h"

#include "codec/words.h"
#include "op/op_schema.h"

/* `words` of the line, first: the word scanner does it. */
static bool scans_words(const struct pipeline_opts *o)
{
	const struct plan *p = o->plan;

	if (o->no_input || o->schema || o->clock_field || !p->n || p->nodes[0]->kind != PLAN_WORDS || strcmp(o->in->doc.name, "lines"))
		return false;
	return p->nodes[0]->expr->kind == N_FIELD && !strcmp(p->nodes[0]->expr->name, "line");
}

static bool keeps_raw_alone(const struct codec_def *c)
{
	return !strcmp(c->doc.name, "json") || !strcmp(c->doc.name, "lines");
}

static int set_projection(const struct pipeline_opts *o, bool words, struct pipeline *out, struct err *e)
{
	static const char *const word[] = { "word" };
	struct field_set want = o->plan->source;

	if (o->schema && op_schema_fields(o->schema, &want, e))
		return -1;
	if (o->clock_field)
		field_set_add(&want, o->clock_field, strlen(o->clock_field));
	out->codec = words ? &words_codec : o->in;
	out->decode = o->decode;
	out->decode.raw = o->verbatim && !o->plan->changes;
	out->decode.all = want.all;
	out->decode.fields = words || !want.n ? word : want.names; /* an empty list is not NULL */
	out->decode.n_fields = words ? 1 : want.n;
	out->decode.count_only = !want.all && !out->decode.n_fields && !out->decode.raw;
	if (out->decode.raw && !keeps_raw_alone(o->in))
		out->decode.all = true; /* the header to write is the header read */
	return 0;
}

/* The chain's end: the sinks, one behind the other. */
static int add_sinks(const struct pipeline_opts *o, const struct lower_opts *lo, struct graph *g, struct op *last, struct err *e)
{
	if (last && op_is_sink(last))
		return 0;
	for (unsigned i = 0; i < o->n_sinks; i++) {
		struct op *op = lower_sink(lo, 0, "--to", o->sinks[i], e);

		if (!op)
			return -1;
		lower_append(g, &last, op);
	}
	return 0;
}

/* --schema stands before all stages. */
static int add_schema(const struct pipeline_opts *o, struct graph *g, struct op **last, struct err *e)
{
	struct schema_spec s = { .text = o->schema, .bad = o->lower.bad, .ctx = o->lower.ctx };
	struct op *op = o->schema ? op_schema(o->lower.run, &s, e) : NULL;

	if (op)
		lower_append(g, last, op);
	return o->schema && !op ? -1 : 0;
}

int pipeline_build(const struct pipeline_opts *o, struct pipeline *out, struct err *e)
{
	struct lower_opts lo = o->lower;
	bool words = scans_words(o);
	struct op *last = NULL;

	*out = (struct pipeline){ 0 };
	if (set_projection(o, words, out, e))
		return -1;
	if (!words)
		lo.scanner = NULL;
	lo.encode.verbatim = o->verbatim && !o->plan->changes;
	if (!add_schema(o, &out->graph, &last, e) && !plan_lower(o->plan, &lo, &out->graph, &last, e) && !add_sinks(o, &lo, &out->graph, last, e))
		return 0;
	graph_free(&out->graph);
	return -1;
}

#include "plan/pipeline.h"

#include <stdlib.h>

#include "codec/words.h"
#include "op/op_point.h"
#include "op/op_schema.h"

/* `words` of the line, first, and nobody else reads: the word scanner does it. */
static bool scans_words(const struct pipeline_opts *o)
{
	const struct plan_chain *c = o->plan->chains[0];
	const struct node *text = c->n && c->nodes[0]->kind == PLAN_WORDS ? c->nodes[0]->expr : NULL;

	if (!text || !plan_is_line(o->plan) || o->no_input || o->clock_field || o->by_records)
		return false;
	for (uint32_t i = 0; i < o->n_in; i++)
		if (o->schema[i] || strcmp(o->in[i].codec->doc.name, "lines"))
			return false;
	return text->kind == N_FIELD && !strcmp(text->name, "line");
}

static bool keeps_raw_alone(const struct codec_def *c)
{
	return !strcmp(c->doc.name, "json") || !strcmp(c->doc.name, "lines");
}

static int set_projection(const struct pipeline_opts *o, uint32_t i, bool words, struct err *e)
{
	static const char *const word[] = { "word" };
	bool copies = o->verbatim && !o->plan->changes;
	struct field_set want = { .arena = o->plan->arena, .all = o->in[i].point->needs.all };
	struct decode_opts *d = &o->decode[i];

	for (uint32_t k = 0; k < o->in[i].point->needs.n; k++)
		field_set_add(&want, o->in[i].point->needs.names[k], strlen(o->in[i].point->needs.names[k]));
	if (o->schema[i] && op_schema_fields(o->schema[i], &want, e))
		return -1;
	if (o->clock_field)
		field_set_add(&want, o->clock_field, strlen(o->clock_field));
	d->raw = copies || o->schema[i]; /* a record with a value of another type is reported as it was read */
	d->all = want.all;
	d->fields = words || !want.n ? word : want.names; /* an empty list is not NULL */
	d->n_fields = words ? 1 : want.n;
	d->count_only = !want.all && !d->n_fields && !d->raw;
	if (copies && !keeps_raw_alone(o->in[i].codec))
		d->all = true; /* the header to write is the header read */
	return 0;
}

static int set_decoders(const struct pipeline_opts *o, bool words, struct pipeline *out, struct err *e)
{
	out->codecs = arena_array(o->plan->arena, const struct codec_def *, o->n_in);
	for (uint32_t i = 0; i < o->n_in; i++) {
		out->codecs[i] = words ? &words_codec : o->in[i].codec;
		if (set_projection(o, i, words, e))
			return -1;
	}
	return 0;
}

/* The sinks, one behind the other. */
static int add_sinks(const struct pipeline_opts *o, const struct lower_opts *lo, struct graph *g, struct op *last, struct err *e)
{
	for (unsigned i = 0; i < o->n_sinks; i++) {
		struct op *op = lower_sink(lo, 0, "--to", o->sinks[i], e);

		if (!op)
			return -1;
		lower_append(g, &last, op);
	}
	return 0;
}

/* The schema of an input stands before all stages. */
static struct op *add_schema(const struct pipeline_opts *o, uint32_t i, struct graph *g, struct err *e)
{
	struct schema_spec s = { .text = o->schema[i], .bad = o->lower.bad, .ctx = o->lower.ctx, .raw = o->verbatim && !o->plan->changes };
	struct op *op = op_schema(o->lower.run, &s, e);

	return op ? graph_add(g, op) : NULL;
}

static bool same_schema(const struct pipeline_opts *o)
{
	for (uint32_t i = 1; i < o->n_in; i++)
		if (o->schema[i] != o->schema[0])
			return false;
	return true;
}

/* In a line the first operator is where the inputs enter. */
static int enter_line(const struct pipeline_opts *o, struct lower_graph *l, struct err *e)
{
	if (!o->schema[0])
		return 0;
	l->points[0] = add_schema(o, 0, l->graph, e);
	return l->points[0] ? 0 : -1;
}

/* In a graph each point of inputs has an operator, and each input with a schema another in front of it. */
static int enter_graph(const struct pipeline_opts *o, struct lower_graph *l, struct err *e)
{
	const struct plan *p = o->plan;
	struct op **in = arena_zero(p->arena, (o->n_in + 1) * sizeof *in);

	for (uint32_t i = 0; i < o->n_in; i++)
		if (o->schema[i] && !(in[i] = add_schema(o, i, l->graph, e)))
			return -1;
	for (uint32_t i = 0; i < p->n_points; i++)
		if (!p->points[i]->maker)
			l->points[i] = graph_add(l->graph, op_point(o->lower.run, 0, "--from"));
	for (uint32_t i = 0; i < o->n_in; i++) {
		struct op *at = l->points[o->in[i].point->id];

		if (in[i])
			op_connect(in[i], at, 0);
		graph_enter(l->graph, in[i] ? in[i] : at);
	}
	return 0;
}

/* Chains that end in the sinks of the job: one by one, in order. */
static struct op *add_union(const struct pipeline_opts *o, struct graph *g, struct op **ends, uint32_t n)
{
	struct op *all;

	if (n < 2)
		return n ? ends[0] : NULL;
	all = graph_add(g, op_union(o->lower.run, 0, "--to", n));
	for (uint32_t i = 0; i < n; i++)
		op_connect(ends[i], all, (int)i);
	return all;
}

/* ---- unions that keep nothing ---- */

/* Which inputs reach an operator, by number, and whether nothing on the way waits for the end of the micro-batch. */
struct reach {
	uint32_t first, last;
	bool at_once;
};

static void widen(struct reach *r, const struct reach *more)
{
	r->first = more->first < r->first ? more->first : r->first;
	r->last = more->last > r->last ? more->last : r->last;
	r->at_once &= more->at_once;
}

static uint32_t op_number(const struct graph *g, const struct op *op)
{
	uint32_t i = 0;

	while (g->ops[i] != op)
		i++;
	return i;
}

static struct reach reach_of_port(const struct graph *g, const struct reach *all, const struct op *op, int port)
{
	struct reach r = { UINT32_MAX, 0, true };

	for (uint32_t i = 0; i < op->n_ins; i++)
		if (port < 0 || op->ins[i].port == port)
			widen(&r, &all[op_number(g, op->ins[i].op)]);
	return r;
}

static struct reach reach_of(const struct graph *g, const struct reach *all, const struct op *op)
{
	struct reach r = reach_of_port(g, all, op, -1);

	for (uint32_t i = 0; i < g->n_entries; i++)
		if (g->entries[i] == op)
			widen(&r, &(struct reach){ i, i, true });
	r.at_once &= !op->cls->on_batch_end || op->cls->delivers;
	return r;
}

static void settle_union(const struct graph *g, const struct reach *all, struct op *op)
{
	struct reach before = reach_of_port(g, all, op, 0);

	for (uint32_t port = 1; port < op->n_ports; port++) {
		struct reach own = reach_of_port(g, all, op, (int)port);

		if (before.at_once && before.last < own.first)
			op_union_in_turn(op, port);
		widen(&before, &own);
	}
}

/* Inputs are read one after the other, unless a loop drives them. */
static void settle_unions(const struct pipeline_opts *o, const struct graph *g)
{
	struct reach *all = arena_array(o->plan->arena, struct reach, g->n + 1);

	for (uint32_t i = 0; i < g->n; i++) {
		if (op_is_union(g->ops[i]) && !o->lower.live)
			settle_union(g, all, g->ops[i]);
		all[i] = reach_of(g, all, g->ops[i]);
	}
}

static int build(const struct pipeline_opts *o, struct lower_graph *l, struct err *e)
{
	const struct plan *p = o->plan;
	struct op **ends = arena_zero(p->arena, (p->n + 1) * sizeof *ends);
	bool line = plan_is_line(p) && same_schema(o);
	uint32_t n = 0;

	if (line ? enter_line(o, l, e) : enter_graph(o, l, e))
		return -1;
	for (uint32_t i = 0; i < p->n; i++) {
		if (plan_lower(l, p->chains[i], &ends[n], e))
			return -1;
		n += p->chains[i]->ends;
	}
	if (n && add_sinks(o, l->opts, l->graph, add_union(o, l->graph, ends, n), e))
		return -1;
	for (uint32_t i = l->graph->n_entries; i < o->n_in; i++)
		graph_enter(l->graph, l->graph->ops[0]);
	settle_unions(o, l->graph);
	return 0;
}

int pipeline_build(const struct pipeline_opts *o, struct pipeline *out, struct err *e)
{
	struct lower_opts lo = o->lower;
	struct lower_graph l = { .plan = o->plan, .opts = &lo, .graph = &out->graph };
	bool words = scans_words(o);

	*out = (struct pipeline){ 0 };
	if (set_decoders(o, words, out, e))
		return -1;
	if (!words)
		lo.scanner = NULL;
	lo.encode.verbatim = o->verbatim && !o->plan->changes;
	l.points = arena_zero(o->plan->arena, (o->plan->n_points + 1) * sizeof(struct op *));
	if (!build(o, &l, e))
		return 0;
	graph_free(&out->graph);
	return -1;
}

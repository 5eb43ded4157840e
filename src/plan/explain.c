#include "plan/plan.h"

static void put_fields(struct buf *b, const struct field_set *f)
{
	if (f->all) {
		buf_str(b, "all fields");
		return;
	}
	if (!f->n)
		buf_str(b, "no field, only the number of records");
	for (uint32_t i = 0; i < f->n; i++)
		buf_printf(b, "%s%s", i ? ", " : "", f->names[i]);
}

static bool scanned(const struct plan *p, const struct plan_input *in)
{
	const struct plan_chain *c = p->chains[0];

	return plan_is_line(p) && c->n && c->nodes[0]->kind == PLAN_WORDS && !strcmp(in->codec->doc.name, "lines") &&
	       c->nodes[0]->expr->kind == N_FIELD;
}

static void put_name(struct buf *b, const struct plan_point *at)
{
	if (at->name)
		buf_str(b, at->name);
	else if (at->maker)
		buf_printf(b, "(chain of stage %d)", at->pos.stage);
	else
		buf_str(b, "(input)");
}

static void put_node(const struct plan_node *n, struct buf *out)
{
	buf_printf(out, "  %-7s stage %d, %s", plan_kind_name(n->kind), n->stage, n->word);
	for (uint32_t i = 0; i < n->n_others; i++) {
		buf_str(out, i ? ", " : " with ");
		put_name(out, n->others[i].point);
	}
	if (n->moved)
		buf_str(out, ", earlier than written");
	if (n->kind == PLAN_PARSE) {
		buf_str(out, ": makes ");
		put_fields(out, &n->after);
	}
	buf_char(out, '\n');
}

static void put_inputs(const struct plan *p, const struct plan_input *in, uint32_t n_in, struct buf *out)
{
	for (uint32_t i = 0; i < n_in; i++) {
		bool same = i && in[i].point == in[i - 1].point && in[i].codec == in[i - 1].codec;

		if (same)
			continue;
		buf_printf(out, "  read    %s", in[i].codec->doc.name);
		if (in[i].name)
			buf_printf(out, " as %s", in[i].name);
		buf_str(out, ": ");
		if (scanned(p, &in[i]))
			buf_str(out, "words, straight from the block");
		else
			put_fields(out, &in[i].point->needs);
		buf_char(out, '\n');
	}
}

static void put_chain(const struct plan *p, const struct plan_chain *c, struct buf *out)
{
	if (!plan_is_line(p)) {
		buf_str(out, "  from    ");
		put_name(out, c->from);
		buf_char(out, '\n');
	}
	for (uint32_t k = 0; k < c->n; k++)
		put_node(c->nodes[k], out);
	if (c->to) {
		buf_str(out, "  as      ");
		put_name(out, c->to);
		buf_char(out, '\n');
	} else if (c->ends && !plan_is_line(p)) {
		buf_str(out, "  to      the output\n");
	}
}

static void put_plan(const struct plan *p, const struct plan_input *in, uint32_t n_in, struct buf *out)
{
	buf_str(out, "\nplan\n");
	put_inputs(p, in, n_in, out);
	for (uint32_t i = 0; i < p->n; i++)
		put_chain(p, p->chains[i], out);
	buf_printf(out, "  write   at the end of %s\n", p->closes ? "the input" : "each block of input");
}

struct memory {
	struct buf *out;
	bool any;
};

static int put_keeps(struct plan_node *n, void *ctx)
{
	struct memory *m = ctx;

	if (!n->keeps)
		return 0;
	buf_printf(m->out, "\n  stage %d, %s: %s", n->stage, n->word, n->keeps);
	m->any = true;
	return 0;
}

static void put_memory(const struct plan *p, struct buf *out)
{
	struct memory m = { .out = out };

	buf_str(out, "\nmemory\n  the blocks in flight, whatever the size of the input");
	plan_each(p, put_keeps, &m);
	buf_str(out, m.any ? "\n" : "; no stage keeps anything\n");
}

void plan_explain(const struct plan *p, const struct plan_input *in, uint32_t n_in, struct buf *out)
{
	buf_str(out, p->canonical[0] ? p->canonical : "# no stage: records pass\n");
	put_plan(p, in, n_in, out);
	put_memory(p, out);
}

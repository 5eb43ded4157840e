/* The graph in the language of Graphviz: an ellipse for a point, a box for a stage. */
#include <stdio.h>

#include "plan/plan.h"

struct drawing {
	const struct plan *p;
	struct buf *out;
	uint32_t n_nodes;
};

static void put_text(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_char(b, '\\');
		buf_char(b, *s == '\n' ? ' ' : *s);
	}
}

static void put_point(struct drawing *d, const struct plan_point *at)
{
	buf_printf(d->out, "  p%u [label=\"", at->id);
	if (at->name)
		put_text(d->out, at->name);
	else
		buf_str(d->out, at->maker ? "" : "input");
	buf_printf(d->out, "\"%s];\n", at->name || !at->maker ? "" : " shape=point");
}

/* The chain's boxes; `last` is the name of what leads on. */
static void put_stages(struct drawing *d, const struct plan_chain *c, char *last, size_t n)
{
	snprintf(last, n, "p%u", c->from->id);
	for (uint32_t k = 0; k < c->n; k++) {
		const struct plan_node *node = c->nodes[k];

		buf_printf(d->out, "  s%u [shape=box label=\"", d->n_nodes);
		put_text(d->out, node->canonical);
		buf_printf(d->out, "\"];\n  %s -> s%u;\n", last, d->n_nodes);
		for (uint32_t o = 0; o < node->n_others; o++)
			buf_printf(d->out, "  p%u -> s%u [style=dashed];\n", node->others[o].point->id, d->n_nodes);
		snprintf(last, n, "s%u", d->n_nodes++);
	}
}

static void put_chain(struct drawing *d, const struct plan_chain *c)
{
	char last[32];

	put_stages(d, c, last, sizeof last);
	for (uint32_t i = 0; i < d->p->n_points; i++)
		if (d->p->points[i]->maker == c)
			buf_printf(d->out, "  %s -> p%u;\n", last, i);
	if (c->ends)
		buf_printf(d->out, "  %s -> output;\n", last);
}

void plan_dot(const struct plan *p, struct buf *out)
{
	struct drawing d = { .p = p, .out = out };
	bool ends = false;

	buf_str(out, "digraph strm {\n  rankdir=LR;\n");
	for (uint32_t i = 0; i < p->n_points; i++)
		put_point(&d, p->points[i]);
	for (uint32_t i = 0; i < p->n; i++) {
		put_chain(&d, p->chains[i]);
		ends |= p->chains[i]->ends;
	}
	buf_str(out, ends ? "  output;\n}\n" : "}\n");
}

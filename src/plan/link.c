/* From stages to the graph: chains and the points between them, in an order in which each chain stands behind those it reads. */
#include <stdlib.h>

#include "base/nearest.h"
#include "plan/cogroup.h"
#include "plan/join.h"

/* ---- while parsing ---- */

static struct plan_point *add_point(struct plan *p, const char *name, struct pos pos, struct plan_chain *maker)
{
	struct plan_point *at = arena_new(p->arena, struct plan_point);

	*at = (struct plan_point){ .name = name, .pos = pos, .maker = maker, .id = p->n_points };
	p->points = xgrow(p->points, &p->points_cap, p->n_points + 1, sizeof *p->points);
	p->points[p->n_points++] = at;
	return at;
}

static struct plan_point *find_point(const struct plan *p, const char *name)
{
	for (uint32_t i = 0; i < p->n_points; i++)
		if (p->points[i]->name && !strcmp(p->points[i]->name, name))
			return p->points[i];
	return NULL;
}

static struct plan_point *new_name(struct plan *p, const char *name, struct pos pos, struct plan_chain *maker, struct err *e)
{
	if (!find_point(p, name))
		return add_point(p, name, pos, maker);
	err_at(e, pos, "the name `%s` is taken", name);
	err_hint(e, "another stage of the program gives it; choose another one");
	return NULL;
}

struct plan_chain *plan_add_chain(struct plan *p, const struct plan_ref *start)
{
	struct plan_chain *c = arena_new(p->arena, struct plan_chain);

	if (start)
		c->start = *start;
	p->chains = xgrow(p->chains, &p->cap, p->n + 1, sizeof *p->chains);
	p->chains[p->n++] = c;
	return c;
}

static int add_split(struct plan *p, struct plan_chain *c, struct plan_node *n, struct err *e)
{
	for (uint32_t i = 0; i < n->items.n; i++) {
		struct plan_point *at = new_name(p, n->items.at[i].name, n->items.at[i].pos, c, e);

		if (!at)
			return -1;
		at->branch = i;
	}
	return 0;
}

/* `as NAME`: the chain ends, and another one begins there. */
static struct plan_chain *add_name(struct plan *p, struct plan_chain *c, struct plan_node *n, struct err *e)
{
	struct plan_chain *next;

	c->to = new_name(p, n->text, n->pos, c, e);
	if (!c->to)
		return NULL;
	next = plan_add_chain(p, &(struct plan_ref){ .point = c->to, .pos = n->pos });
	next->goes_on = true;
	return next;
}

/* `from A, B`: a chain from A, with a union. */
static struct plan_chain *add_from(struct plan *p, struct plan_chain *c, struct plan_node *n, struct err *e)
{
	bool nothing_yet = c && p->n == 1 && !c->n && !c->goes_on && !c->start.name;

	if (nothing_yet)
		c->start = n->others[0];
	else
		c = plan_add_chain(p, &n->others[0]);
	if (n->n_others == 1)
		return c;
	n->others++;
	n->n_others--;
	n->kind = PLAN_UNION;
	return plan_add(p, c, n, e);
}

/* A chain in place ends in a point without a name, which the node reads. */
static int add_inner(struct plan *p, struct plan_ref *r, struct err *e)
{
	bool from = r->n_inner && r->inner[0]->kind == PLAN_FROM;
	struct plan_chain *c = from ? NULL : plan_add_chain(p, NULL);

	for (uint32_t i = 0; i < r->n_inner; i++) {
		struct plan_node *n = r->inner[i];

		if (i && n->kind == PLAN_FROM) {
			err_at(e, n->pos, "`from` begins a chain in place, it does not stand within one");
			return err_hint(e, "make two chains of it, each with its name: from a | ... | as b");
		}
		c = plan_add(p, c, n, e);
		if (!c)
			return -1;
	}
	if (c->n && c->nodes[c->n - 1]->kind == PLAN_SPLIT) {
		err_at(e, c->nodes[c->n - 1]->pos, "`split` ends its chain, and a chain in place has one end");
		return err_hint(e, "take `filter`, or split in a chain of its own and name one of its streams here");
	}
	c->to = r->point = add_point(p, NULL, r->pos, c);
	return 0;
}

struct plan_chain *plan_add(struct plan *p, struct plan_chain *c, struct plan_node *n, struct err *e)
{
	if (n->kind == PLAN_FROM)
		return add_from(p, c, n, e);
	if (c->n && c->nodes[c->n - 1]->kind == PLAN_SPLIT) {
		err_at(e, n->pos, "`split` ends its chain");
		err_hint(e, "go on with one of its streams: from %s", c->nodes[c->n - 1]->items.at[0].name);
		return NULL;
	}
	if (n->kind == PLAN_AS)
		return add_name(p, c, n, e);
	c->nodes = xgrow(c->nodes, &c->cap, c->n + 1, sizeof *c->nodes);
	c->nodes[c->n++] = n;
	for (uint32_t i = 0; i < n->n_others; i++)
		if (!n->others[i].name && add_inner(p, &n->others[i], e))
			return NULL;
	return n->kind == PLAN_SPLIT && add_split(p, c, n, e) ? NULL : c;
}

/* ---- the whole ---- */

/* An `as` at the end of a chain: nothing goes on. */
static void drop_empty(struct plan *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n; i++) {
		struct plan_chain *c = p->chains[i];

		if (c->goes_on && !c->n && !c->to)
			free(c->nodes);
		else
			p->chains[n++] = c;
	}
	p->n = n;
}

static int make_inputs(struct plan *p, struct plan_input *in, uint32_t n, struct err *e)
{
	struct pos nowhere = { .unit = -1 };
	struct plan_point *unnamed = NULL;

	for (uint32_t i = 0; i < n; i++) {
		struct plan_point *at = in[i].name ? find_point(p, in[i].name) : unnamed;

		if (at && at->maker) {
			err_at(e, at->pos, "the name `%s` is taken", at->name);
			return err_hint(e, "--from gives it to an input; choose another one");
		}
		in[i].point = at ? at : add_point(p, in[i].name, nowhere, NULL);
		if (!in[i].name)
			unnamed = in[i].point;
	}
	return 0;
}

static int unknown_name(const struct plan *p, const struct plan_ref *r, struct err *e)
{
	struct nearest s;
	const char *some = NULL;

	err_at(e, r->pos, "nothing is named `%s`", r->name);
	nearest_init(&s, r->name, strlen(r->name));
	for (uint32_t i = 0; i < p->n_points; i++) {
		if (!p->points[i]->name)
			continue;
		some = p->points[i]->name;
		nearest_offer(&s, some);
	}
	if (s.best)
		return err_hint(e, "did you mean `%s`?", s.best);
	if (some)
		return err_hint(e, "there is `%s`; `as %s` names a point of a chain, --from %s=SRC an input", some, r->name, r->name);
	return err_hint(e, "`as %s` names a point of a chain, --from %s=SRC an input", r->name, r->name);
}

static int resolve(const struct plan *p, struct plan_ref *r, struct err *e)
{
	if (r->point)
		return 0;
	r->point = find_point(p, r->name);
	if (!r->point)
		return unknown_name(p, r, e);
	r->point->used = true;
	return 0;
}

/* A chain without `from`. */
static int start_at_inputs(const struct plan *p, struct plan_chain *c, struct err *e)
{
	const char *name = NULL;

	for (uint32_t i = 0; i < p->n_points; i++) {
		if (p->points[i]->maker)
			continue;
		if (!p->points[i]->name) {
			c->start.point = p->points[i];
			c->start.point->used = true;
			return 0;
		}
		name = name ? name : p->points[i]->name;
	}
	if (c->n)
		err_at(e, c->nodes[0]->pos, "this chain begins with the inputs that have no name, and all of them have one");
	else
		err_set(e, ERR_USAGE, "--from %s=...: nothing reads it", name);
	return err_hint(e, "begin it with `from %s`", name);
}

/* The nearest name at or in front of a point. */
static struct plan_point *named(struct plan_point *at)
{
	while (at && !at->name)
		at = at->maker ? at->maker->from : NULL;
	return at;
}

static const char *label_of(struct plan_point *at)
{
	at = named(at);
	if (at)
		at->used = true;
	return at ? at->name : NULL;
}

static void set_cogroup_labels(const struct plan *p, const struct plan_chain *c, struct plan_node *n)
{
	n->cogroup->labels = arena_array(p->arena, const char *, n->n_others + 1);
	n->cogroup->labels[0] = label_of(c->from);
	for (uint32_t i = 0; i < n->n_others; i++)
		n->cogroup->labels[i + 1] = label_of(n->others[i].point);
}

/* Sides go by the nearest name. */
static void set_labels(const struct plan *p, const struct plan_chain *c)
{
	for (uint32_t k = 0; k < c->n; k++) {
		struct plan_join *j = c->nodes[k]->join;

		if (c->nodes[k]->cogroup)
			set_cogroup_labels(p, c, c->nodes[k]);
		if (!j)
			continue;
		j->label[0] = label_of(c->from);
		j->label[1] = label_of(c->nodes[k]->others[0].point);
		if (!j->label[1] || (j->label[0] && !strcmp(j->label[0], j->label[1])))
			j->label[1] = "right";
	}
}

static int resolve_all(struct plan *p, struct err *e)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct plan_chain *c = p->chains[i];

		if (c->start.name || c->start.point ? resolve(p, &c->start, e) : start_at_inputs(p, c, e))
			return -1;
		c->from = c->start.point;
		for (uint32_t k = 0; k < c->n; k++)
			for (uint32_t o = 0; o < c->nodes[k]->n_others; o++)
				if (resolve(p, &c->nodes[k]->others[o], e))
					return -1;
	}
	return 0;
}

static int check_used(const struct plan *p, const struct plan_input *in, uint32_t n_in, struct err *e)
{
	for (uint32_t i = 0; i < n_in; i++) {
		if (in[i].point->used)
			continue;
		if (in[i].name) {
			err_set(e, ERR_USAGE, "--from %s=...: nothing reads it", in[i].name);
			return err_hint(e, "a chain that begins with `from %s` does", in[i].name);
		}
		err_set(e, ERR_USAGE, "nothing reads the input that has no name");
		return err_hint(e, "give it one with --from NAME=SRC, or begin a chain without `from`");
	}
	for (uint32_t i = 0; i < p->n_points; i++) {
		if (!p->points[i]->name || p->points[i]->used)
			continue;
		err_at(e, p->points[i]->pos, "nothing reads `%s`", p->points[i]->name);
		return err_hint(e, "`from %s` begins a chain with it", p->points[i]->name);
	}
	return 0;
}

struct sorting {
	struct plan *p;
	struct plan_chain **out;
	uint32_t n;
	struct err *err;
};

static int visit(struct sorting *s, struct plan_chain *c);

static int visit_maker(struct sorting *s, const struct plan_ref *r, const struct plan_point *at)
{
	if (!at->maker)
		return 0;
	if (at->maker->mark != 1)
		return visit(s, at->maker);
	err_at(s->err, r->pos, "`%s` is made of its own records", at->name ? at->name : "this chain");
	return err_hint(s->err, "a chain reads only what does not come from itself");
}

static int visit(struct sorting *s, struct plan_chain *c)
{
	if (c->mark)
		return 0;
	c->mark = 1;
	if (visit_maker(s, &c->start, c->from))
		return -1;
	for (uint32_t k = 0; k < c->n; k++)
		for (uint32_t o = 0; o < c->nodes[k]->n_others; o++)
			if (visit_maker(s, &c->nodes[k]->others[o], c->nodes[k]->others[o].point))
				return -1;
	c->mark = 2;
	s->out[s->n++] = c;
	return 0;
}

/* A depth-first search, in the order written. */
static int sort_chains(struct plan *p, struct err *e)
{
	struct sorting s = { .p = p, .out = xcalloc(p->n + 1, sizeof *s.out), .err = e };
	int r = 0;

	for (uint32_t i = 0; i < p->n && !r; i++)
		r = visit(&s, p->chains[i]);
	if (r) {
		free(s.out);
		return -1;
	}
	free(p->chains);
	p->chains = s.out;
	p->cap = p->n + 1;
	return 0;
}

int plan_link(struct plan *p, struct plan_input *in, uint32_t n_in, struct err *e)
{
	drop_empty(p);
	if (make_inputs(p, in, n_in, e) || resolve_all(p, e) || sort_chains(p, e))
		return -1;
	for (uint32_t i = 0; i < p->n; i++) {
		p->chains[i]->ends = !p->chains[i]->to && !plan_chain_closed(p->chains[i]);
		set_labels(p, p->chains[i]);
	}
	return check_used(p, in, n_in, e);
}

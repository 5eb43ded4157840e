#include "plan/state_spec.h"

#include "plan/plan.h"

struct walk {
	const struct state_spec *s;
	struct arena *arena;
	state_expr_fn *fn;
	void *ctx;
};

/* Later items see earlier ones. */
static int item_exprs(const struct walk *w, const struct items *items)
{
	uint32_t n = w->s->n_names;
	const char **bound = arena_array(w->arena, const char *, n + items->n + 1);
	int stop = 0;

	memcpy(bound, w->s->names, n * sizeof *bound);
	for (uint32_t i = 0; i < items->n && !stop; i++) {
		if (!items->at[i].expr)
			continue;
		stop = w->fn(w->ctx, items->at[i].expr, bound, n);
		bound[n++] = items->at[i].name;
	}
	return stop;
}

static int stmt_visit(const struct stmt *st, void *ctx)
{
	const struct walk *w = ctx;
	int stop = st->expr ? w->fn(w->ctx, st->expr, w->s->names, w->s->n_names) : 0;

	return stop ? stop : item_exprs(w, &st->items);
}

int state_exprs(const struct state_spec *s, struct arena *a, const struct stmts *block, state_expr_fn *fn, void *ctx)
{
	struct walk w = { s, a, fn, ctx };

	return stmts_walk(block, stmt_visit, &w);
}

int state_record_exprs(const struct plan_node *n, struct arena *a, state_expr_fn *fn, void *ctx)
{
	const struct state_spec *s = n->state;
	int stop = 0;

	for (uint32_t i = 0; i < n->keys.n && !stop; i++)
		stop = fn(ctx, n->keys.at[i].expr, NULL, 0);
	for (uint32_t i = 0; i < s->first.n && !stop; i++)
		stop = fn(ctx, s->first.at[i].expr, s->names, s->n_names);
	stop = stop ? stop : state_exprs(s, a, &s->init, fn, ctx);
	return stop ? stop : state_exprs(s, a, &s->record, fn, ctx);
}

/* ---- what it makes ---- */

struct makes {
	const struct state_spec *s;
	struct field_set *out;
};

static void make_name(struct field_set *out, const char *name) { field_set_add(out, name, strlen(name)); }

/* Keys, then variables. */
static void make_all(const struct state_spec *s, struct field_set *out)
{
	for (uint32_t i = s->n_vars; i < s->n_names; i++)
		make_name(out, s->names[i]);
	for (uint32_t i = 0; i < s->n_vars; i++)
		make_name(out, s->names[i]);
}

static int stmt_makes(const struct stmt *st, void *ctx)
{
	const struct makes *m = ctx;

	if (st->kind != ST_EMIT)
		return 0;
	if (!st->items.n)
		make_all(m->s, m->out);
	for (uint32_t i = 0; i < st->items.n; i++) {
		if (st->items.at[i].expr)
			make_name(m->out, st->items.at[i].name);
		else
			m->out->all = true;
	}
	return 0;
}

void state_makes(const struct plan_node *n, struct field_set *out)
{
	const struct state_spec *s = n->state;
	struct makes m = { s, out };

	if (s->shorthand)
		make_all(s, out);
	stmts_walk(&s->init, stmt_makes, &m);
	stmts_walk(&s->record, stmt_makes, &m);
	for (uint32_t i = 0; i < s->n_timeouts; i++)
		stmts_walk(&s->timeouts[i].fires, stmt_makes, &m);
	stmts_walk(&s->close, stmt_makes, &m);
	stmts_walk(&s->batch, stmt_makes, &m);
}

/* ---- what it needs ---- */

static int need(void *ctx, struct node *expr, const char *const *bound, uint32_t n_bound)
{
	node_fields(expr, bound, n_bound, ctx);
	return 0;
}

void state_needs(const struct plan_node *n, const struct field_set *after, struct field_set *out)
{
	struct field_set made = { .arena = out->arena };

	state_record_exprs(n, out->arena, need, out);
	out->all |= n->state->records;
	state_makes(n, &made);
	if (!made.all)
		return;
	out->all |= after->all;
	for (uint32_t i = 0; i < after->n; i++)
		make_name(out, after->names[i]);
}

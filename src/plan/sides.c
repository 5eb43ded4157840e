/* The fields of a join by the name of their side, in the stages behind it. */
#include "plan/join.h"
#include "plan/lookup.h"
#include "plan/state_spec.h"

struct taking {
	const struct plan_join *j;
	bool of[2]; /* sides whose name has not become that of a field */
	struct arena *arena;
};

/* Is `SIDE.field` the result's `field`? The left's always is; the right's is where the left is known not to have it. */
static bool is_plain(const struct plan_join *j, int side, const char *field)
{
	if (!side)
		return true;
	return !j->known[0].open && !known_has_field(&j->known[0], field) && known_has_field(&j->known[1], field);
}

static bool is_label(const struct taking *t, const struct node *n, int side)
{
	return t->of[side] && n->kind == N_FIELD && !strcmp(n->name, t->j->label[side]);
}

/* Does the call give the name to a variable, as each(a, LIST, a.x) does? */
static bool is_variable(const struct taking *t, const struct node *n)
{
	for (uint32_t i = 0; n->kind == N_CALL && i < n->n_kids; i++)
		if (is_label(t, n->kids[i], 0) || is_label(t, n->kids[i], 1))
			return true;
	return false;
}

static void take_expr(const struct taking *t, struct node *n)
{
	if (!n || is_variable(t, n))
		return;
	for (int side = 0; n->kind == N_MEMBER && side < 2; side++)
		if (is_label(t, n->kids[0], side) && is_plain(t->j, side, n->name)) {
			n->kind = N_FIELD;
			n->n_kids = 0;
			n->height = 1;
		}
	for (uint32_t i = 0; i < n->n_kids; i++)
		take_expr(t, n->kids[i]);
}

/* Behind an item that is called as the side, the name is that field's. */
static void take_items(struct taking *t, const struct items *items)
{
	for (uint32_t i = 0; i < items->n; i++) {
		take_expr(t, items->at[i].expr);
		for (int side = 0; side < 2; side++)
			t->of[side] &= !t->of[side] || !items->at[i].name || strcmp(items->at[i].name, t->j->label[side]);
	}
}

static int take_state(void *ctx, struct node *expr, const char *const *bound, uint32_t n_bound)
{
	struct taking own = *(struct taking *)ctx;

	for (uint32_t i = 0; i < n_bound; i++)
		for (int side = 0; side < 2; side++)
			own.of[side] &= !own.of[side] || strcmp(bound[i], own.j->label[side]);
	take_expr(&own, expr);
	return 0;
}

static void take_node(struct taking *t, const struct plan_node *n)
{
	take_expr(t, n->expr);
	take_expr(t, n->on);
	take_expr(t, n->gap);
	for (uint32_t i = 0; i < n->n_orders; i++)
		take_expr(t, n->orders[i].expr);
	for (uint32_t i = 0; n->join && i < n->join->n_keys; i++)
		take_expr(t, n->join->keys[i].side[0]);
	for (uint32_t i = 0; n->lookup && i < n->lookup->n_keys; i++)
		take_expr(t, n->lookup->keys[i].side[0]);
	if (n->state)
		state_record_exprs(n, t->arena, take_state, t);
	else
		take_items(t, &n->keys);
	take_items(t, &n->items);
}

/* Do the fields of a record outlive the node? */
static bool keeps_fields(const struct plan_node *n)
{
	bool star = false;

	for (uint32_t i = 0; i < n->items.n; i++)
		star |= !n->items.at[i].expr;
	switch (n->kind) {
	case PLAN_MAP:
	case PLAN_FLATMAP:
		return star;
	case PLAN_JOIN:
	case PLAN_LOOKUP:
		return true;
	default:
		return !plan_changes(n->kind);
	}
}

void join_name_sides(const struct plan *p, const struct plan_chain *c, uint32_t at)
{
	const struct plan_join *j = c->nodes[at]->join;
	struct taking t = { .j = j, .of = { j->label[0], j->kind != JOIN_SEMI && j->kind != JOIN_ANTI }, .arena = p->arena };

	for (uint32_t i = at + 1; i < c->n && (t.of[0] || t.of[1]); i++) {
		take_node(&t, c->nodes[i]);
		if (!keeps_fields(c->nodes[i]))
			return;
	}
}

/* Rules: what is known of fields, filters early, projection pushdown. */
#include "codec/pattern.h"
#include "plan/cogroup.h"
#include "plan/lookup.h"
#include "plan/known.h"
#include "plan/state_spec.h"

/* ---- filters run as early as they can without crossing a stage that counts or may fail ---- */

static bool plain_copy(const struct item *it)
{
	return !it->expr || it->expr->kind == N_FIELD;
}

/* Does the node only choose and place fields, so that rows pass one by one and nothing can fail? */
static bool only_places(const struct plan_node *n)
{
	for (uint32_t i = 0; n->kind == PLAN_SORT && i < n->n_orders; i++)
		if (n->orders[i].expr->kind != N_FIELD)
			return false;
	if (n->kind == PLAN_SORT)
		return true;
	if (n->kind != PLAN_MAP)
		return false;
	for (uint32_t i = 0; i < n->items.n; i++)
		if (!plain_copy(&n->items.at[i]))
			return false;
	return true;
}

/* May `field`, a dotted path, read the field of this name? The longest exact name wins, so every prefix may be it. */
static bool may_read(const char *field, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(field, name, n) && (!field[n] || field[n] == '.');
}

/* Does the field mean the same in front of the node and behind it? */
static bool same_before(const struct plan_node *n, const char *field)
{
	bool through = false;

	for (uint32_t i = 0; i < n->items.n; i++) {
		const struct item *it = &n->items.at[i];

		if (!it->expr)
			through = true;
		else if (strcmp(it->expr->name, it->name) && may_read(field, it->name))
			return false;
		else if (n->at && n->at[i] && may_read(field, n->at[i]))
			return false;
		else if (!strcmp(field, it->name))
			through = true;
	}
	for (uint32_t i = 0; i < n->n_drop; i++)
		if (may_read(field, n->drop[i]))
			return false;
	return through;
}

/* Does every field the filter reads mean the same in front of the node? */
static bool reads_through(const struct plan_node *filter, const struct plan_node *n, struct arena *a)
{
	struct field_set f = { .arena = a };

	node_fields(filter->expr, NULL, 0, &f);
	if (f.all)
		return n->kind == PLAN_SORT;
	for (uint32_t k = 0; k < f.n && n->kind == PLAN_MAP; k++)
		if (!same_before(n, f.names[k]))
			return false;
	return true;
}

static void move_filters(struct plan *p, struct plan_chain *c)
{
	for (uint32_t i = 1; i < c->n; i++) {
		uint32_t at = i;

		while (at && c->nodes[at]->kind == PLAN_FILTER && only_places(c->nodes[at - 1]) &&
		       reads_through(c->nodes[at], c->nodes[at - 1], p->arena)) {
			struct plan_node *tmp = c->nodes[at];

			c->nodes[at] = c->nodes[at - 1];
			c->nodes[--at] = tmp;
			tmp->moved = true;
		}
	}
}

/* ---- projection pushdown: from the output back to the source ---- */

static void need_expr(struct field_set *f, const struct node *n)
{
	if (n)
		node_fields(n, NULL, 0, f);
}

static void need_items(struct field_set *f, const struct items *items)
{
	for (uint32_t i = 0; i < items->n; i++)
		need_expr(f, items->at[i].expr);
}

static void need_set(struct field_set *f, const struct field_set *more)
{
	f->all |= more->all;
	for (uint32_t i = 0; i < more->n; i++)
		field_set_add(f, more->names[i], strlen(more->names[i]));
}

static bool is_root(const char *field, const char *name)
{
	size_t n = strcspn(field, ".");

	return !strcmp(field, name) || (strlen(name) == n && !memcmp(field, name, n));
}

/* Through map: what its items read, and behind `*` what is wanted of the rest. Items see earlier items, so a name that one
 * defined is not the input's. */
static void need_map(const struct plan_node *n, const struct field_set *after, struct field_set *f)
{
	for (uint32_t i = 0; i < n->items.n; i++) {
		const struct item *it = &n->items.at[i];
		struct field_set own = { .arena = f->arena };

		if (!it->expr) {
			f->all |= after->all;
			for (uint32_t k = 0; k < after->n; k++) {
				bool named = false;

				for (uint32_t j = 0; j < n->items.n; j++)
					named |= n->items.at[j].name && is_root(after->names[k], n->items.at[j].name);
				if (!named)
					field_set_add(f, after->names[k], strlen(after->names[k]));
			}
			continue;
		}
		need_expr(&own, it->expr);
		f->all |= own.all;
		for (uint32_t k = 0; k < own.n; k++) {
			bool earlier = false;

			for (uint32_t j = 0; j < i && !n->at; j++)
				earlier |= n->items.at[j].name && is_root(own.names[k], n->items.at[j].name);
			if (!earlier)
				field_set_add(f, own.names[k], strlen(own.names[k]));
		}
	}
}

/* The fields of a pattern come from it, the others from its input. */
static void need_parse(const struct plan_node *n, const struct field_set *after, struct field_set *f)
{
	struct err ignored = { 0 };
	struct pattern *p = plan_pattern(n, &ignored);
	const char *const *names;
	uint32_t n_names = 0, n_default;

	need_expr(f, n->expr);
	f->all |= after->all;
	names = p ? pattern_fields(p, &n_names, &n_default) : NULL;
	for (uint32_t k = 0; k < after->n; k++) {
		bool own = false;

		for (uint32_t j = 0; j < n_names; j++)
			own |= is_root(after->names[k], names[j]);
		if (!own)
			field_set_add(f, after->names[k], strlen(after->names[k]));
	}
	pattern_free(p);
}

static void need_node(struct plan_node *n, const struct field_set *after)
{
	struct field_set *f = &n->needs;

	switch (n->kind) {
	case PLAN_MAP:
	case PLAN_FLATMAP:
		need_map(n, after, f);
		return;
	case PLAN_WORDS:
		need_expr(f, n->expr);
		return;
	case PLAN_PARSE:
		need_parse(n, after, f);
		return;
	case PLAN_COGROUP:
		cogroup_needs(n);
		return;
	case PLAN_LOOKUP:
		lookup_needs(n, after);
		return;
	case PLAN_JOIN:
		join_needs(n, after);
		return;
	case PLAN_REDUCE:
	case PLAN_GROUP_ROWS:
	case PLAN_ABSENT:
		need_items(f, &n->keys);
		need_items(f, &n->items);
		return;
	case PLAN_STATE:
		state_needs(n, after, f);
		return;
	case PLAN_EXEC:
	case PLAN_SINK:
		f->all = true;
		return;
	case PLAN_DEDUP:
		f->all |= !n->keys.n;
		break;
	default:
		break;
	}
	need_set(f, after);
	need_expr(f, n->expr);
	need_expr(f, n->on);
	need_expr(f, n->gap);
	need_items(f, &n->keys);
	if (n->kind == PLAN_SPLIT)
		need_items(f, &n->items);
	for (uint32_t i = 0; i < n->n_orders; i++)
		need_expr(f, n->orders[i].expr);
}

/* What the readers of a union's other points want of them. */
static void need_others(const struct plan_node *n)
{
	for (uint32_t i = 0; i < n->n_others && n->kind == PLAN_UNION; i++)
		need_set(&n->others[i].point->needs, &n->needs);
}

/* What the readers of the streams of a split want; of any other end, what those of its point or the output do. */
static struct field_set wanted_of(const struct plan *p, const struct plan_chain *c, bool verbatim)
{
	struct field_set want = { .arena = p->arena, .all = c->ends && !verbatim };

	for (uint32_t i = 0; i < p->n_points; i++)
		if (p->points[i]->maker == c)
			need_set(&want, &p->points[i]->needs);
	return want;
}

/* Readers before what they read. */
static void push_projections(struct plan *p, bool verbatim)
{
	for (uint32_t i = 0; i < p->n_points; i++)
		p->points[i]->needs = (struct field_set){ .arena = p->arena };
	for (uint32_t i = p->n; i-- > 0;) {
		struct plan_chain *c = p->chains[i];
		struct field_set want = wanted_of(p, c, verbatim);

		for (uint32_t k = c->n; k-- > 0;) {
			c->nodes[k]->after = want;
			c->nodes[k]->needs.arena = p->arena;
			need_node(c->nodes[k], &want);
			c->nodes[k]->needs.all |= p->keeps_late;
			need_others(c->nodes[k]);
			want = c->nodes[k]->needs;
		}
		need_set(&c->from->needs, &want);
	}
}

/* A sink within the chain has the columns of its place. */
static void give_columns(struct plan_node *n, const struct plan *p, const struct known *k)
{
	if (n->kind != PLAN_SINK || k->open || !p->changes)
		return;
	n->fields = k->set.names;
	n->n_fields = k->set.n;
}

static void leave_point(struct plan *p, struct plan_point *at, const struct known *k)
{
	at->known = arena_new(p->arena, struct known);
	*at->known = known_empty(k);
	known_merge(at->known, k);
}

static void leave_inputs(struct plan *p, const struct plan_input *in, uint32_t n_in)
{
	for (uint32_t i = 0; i < n_in; i++) {
		struct known k;

		known_start(p, &in[i], &k);
		if (in[i].point->known)
			known_merge(in[i].point->known, &k);
		else
			leave_point(p, in[i].point, &k);
	}
}

static int chain_known(struct plan *p, struct plan_chain *c, struct known *out, struct err *e)
{
	struct known k = known_empty(c->from->known);

	known_merge(&k, c->from->known);
	for (uint32_t i = 0; i < c->n; i++) {
		if (known_node(&k, c->nodes[i], e))
			return -1;
		if (c->nodes[i]->join)
			join_name_sides(p, c, i);
		p->changes |= plan_changes(c->nodes[i]->kind);
		give_columns(c->nodes[i], p, &k);
	}
	for (uint32_t i = 0; i < p->n_points; i++)
		if (p->points[i]->maker == c)
			leave_point(p, p->points[i], &k);
	if (c->ends)
		known_merge(out, &k);
	return 0;
}

int plan_known(struct plan *p, const struct plan_input *in, uint32_t n_in, struct err *e)
{
	struct known out = { .set = { .arena = p->arena }, .hidden = { .arena = p->arena } };

	leave_inputs(p, in, n_in);
	for (uint32_t i = 0; i < p->n; i++)
		if (chain_known(p, p->chains[i], &out, e))
			return -1;
	if (!out.open && p->changes) {
		p->fields = out.set.names;
		p->n_fields = out.set.n;
	}
	return 0;
}

void plan_rules(struct plan *p, bool verbatim)
{
	for (uint32_t i = 0; i < p->n; i++)
		move_filters(p, p->chains[i]);
	push_projections(p, verbatim && !p->changes);
}

const struct schema *plan_columns(const struct plan *p, const struct plan_input *in)
{
	struct err ignored = { 0 };
	struct known out;
	uint32_t *len;

	if (!plan_is_line(p) || known_check(p, in, &out, &ignored))
		return NULL;
	len = arena_array(p->arena, uint32_t, out.set.n + 1);
	for (uint32_t i = 0; i < out.set.n; i++)
		len[i] = (uint32_t)strlen(out.set.names[i]);
	return schema_intern(out.set.names, len, out.set.n);
}

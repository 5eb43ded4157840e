#include "plan/known.h"

#include "plan/state_spec.h"

#include "base/nearest.h"
#include "codec/pattern.h"
#include "plan/cogroup.h"
#include "plan/lookup.h"

static bool set_has(const struct field_set *f, const char *name)
{
	for (uint32_t i = 0; i < f->n; i++) {
		size_t n = strlen(f->names[i]);

		if (!strncmp(name, f->names[i], n) && (!name[n] || name[n] == '.'))
			return true;
	}
	return false;
}

bool known_has(const struct known *k, const char *name)
{
	return k->open || set_has(&k->set, name) || set_has(&k->hidden, name);
}

bool known_has_field(const struct known *k, const char *name)
{
	for (uint32_t i = 0; i < k->set.n; i++)
		if (!strcmp(k->set.names[i], name))
			return true;
	return false;
}

static void known_add(struct known *k, const char *name)
{
	field_set_add(&k->set, name, strlen(name));
}

struct known known_empty(const struct known *like)
{
	return (struct known){ .set = { .arena = like->set.arena }, .hidden = { .arena = like->set.arena } };
}

struct find {
	const char *name;
	struct pos pos;
};

static int find_field(struct node *n, void *ctx)
{
	struct find *f = ctx;

	if (n->kind == N_FIELD && !strncmp(f->name, n->name, n->name_n) && (!f->name[n->name_n] || f->name[n->name_n] == '.')) {
		f->pos = n->pos;
		return 1;
	}
	return 0;
}

static int unknown_field(const struct known *k, struct node *expr, const char *name, struct pos pos, struct err *e)
{
	struct find f = { .name = name, .pos = pos };
	struct nearest s;
	struct buf list = { 0 };

	if (expr)
		node_walk(expr, find_field, &f);
	err_at(e, f.pos, "no field `%s` here", name);
	nearest_init(&s, name, strlen(name));
	for (uint32_t i = 0; i < k->set.n; i++) {
		nearest_offer(&s, k->set.names[i]);
		buf_printf(&list, "%s`%s`", i ? ", " : "", k->set.names[i]);
	}
	if (s.best)
		err_hint(e, "did you mean `%s`?", s.best);
	else if (k->set.n == 1 && !strcmp(k->set.names[0], "line"))
		err_hint(e, "the input is lines: the record has `line`; say -i csv or -i json, or begin with `words` or `parse`");
	else if (k->set.n)
		err_hint(e, "the record has %s", buf_cstr(&list));
	else
		err_hint(e, "the record has no fields: that is what -n gives");
	buf_release(&list);
	return -1;
}

int known_expr(const struct known *k, struct node *expr, struct err *e)
{
	struct field_set f = { .arena = k->set.arena };

	if (!expr || k->open)
		return 0;
	node_fields(expr, NULL, 0, &f);
	for (uint32_t i = 0; i < f.n; i++)
		if (!known_has(k, f.names[i]))
			return unknown_field(k, expr, f.names[i], expr->pos, e);
	return 0;
}

static int check_items(const struct known *k, const struct items *items, struct err *e)
{
	for (uint32_t i = 0; i < items->n; i++)
		if (known_expr(k, items->at[i].expr, e))
			return -1;
	return 0;
}

static bool is_dropped(const struct plan_node *n, const char *name)
{
	for (uint32_t i = 0; i < n->n_drop; i++)
		if (!strcmp(n->drop[i], name))
			return true;
	return false;
}

/* What stands behind `*` (item `star`) in the place of a field: the item that takes it, or the field itself. */
static const char *name_in_place(const struct plan_node *n, uint32_t star, const char *field)
{
	for (uint32_t j = star + 1; j < n->items.n; j++) {
		const char *at = n->at && n->at[j] ? n->at[j] : n->items.at[j].name;

		if (!strcmp(at, field))
			return n->items.at[j].name;
	}
	return field;
}

/* Later items see earlier ones. */
static int known_map(struct known *k, const struct plan_node *n, struct err *e)
{
	struct known scope = *k, out = known_empty(k);

	for (uint32_t i = 0; i < n->n_drop; i++)
		if (!known_has(k, n->drop[i]))
			return unknown_field(k, NULL, n->drop[i], n->pos, e);
	for (uint32_t i = 0; i < n->items.n; i++) {
		const struct item *it = &n->items.at[i];

		if (!it->expr) {
			for (uint32_t f = 0; f < k->set.n; f++)
				if (!is_dropped(n, k->set.names[f]))
					known_add(&out, name_in_place(n, i, k->set.names[f]));
			out.open = k->open;
			continue;
		}
		if (known_expr(&scope, it->expr, e))
			return -1;
		known_add(&scope, it->name);
		known_add(&out, it->name);
	}
	*k = out;
	return 0;
}

/* The new fields take the place of the text. */
static int known_parse(struct known *k, const struct plan_node *n, struct err *e)
{
	struct known out = known_empty(k);
	struct err ignored = { 0 };
	const char *text = n->expr->kind == N_FIELD ? n->expr->name : NULL;
	const char *const *names;
	uint32_t n_names = 0, n_default = 0;
	struct pattern *p;
	bool placed = false;

	if (known_expr(k, n->expr, e))
		return -1;
	p = plan_pattern(n, &ignored);
	names = p ? pattern_fields(p, &n_names, &n_default) : NULL;
	for (uint32_t i = 0; i <= k->set.n; i++) {
		bool here = i < k->set.n ? text && !strcmp(k->set.names[i], text) : !placed;

		for (uint32_t f = 0; here && f < n_default; f++)
			known_add(&out, names[f]);
		placed |= here;
		if (i < k->set.n && !here)
			known_add(&out, k->set.names[i]);
	}
	out.open = k->open || !names;
	for (uint32_t f = n_default; f < n_names; f++)
		field_set_add(&out.hidden, names[f], strlen(names[f]));
	pattern_free(p);
	*k = out;
	return 0;
}

static int known_reduce(struct known *k, const struct plan_node *n, struct err *e)
{
	struct known out = known_empty(k);

	if (check_items(k, &n->keys, e) || check_items(k, &n->items, e))
		return -1;
	if (plan_is_windowed(n)) {
		known_add(&out, "window_start");
		known_add(&out, "window_end");
	}
	for (uint32_t i = 0; i < n->keys.n; i++)
		known_add(&out, n->keys.at[i].name);
	for (uint32_t i = 0; i < n->items.n; i++)
		known_add(&out, n->items.at[i].name);
	if (n->panes && n->panes->trigger->accumulation == PANES_RETRACTING)
		known_add(&out, "_op");
	*k = out;
	return 0;
}

/* Fields of every record that comes out are known: the keys and two times. */
static int known_absent(struct known *k, const struct plan_node *n, struct err *e)
{
	struct known out = known_empty(k);

	if (check_items(k, &n->keys, e))
		return -1;
	for (uint32_t i = 0; i < n->keys.n; i++)
		known_add(&out, n->keys.at[i].name);
	known_add(&out, "last_seen");
	known_add(&out, "silent_since");
	*k = out;
	return 0;
}

/* The expression knows of an empty window what there is without a record. */
static int known_fill(const struct known *k, const struct plan_node *n, struct err *e)
{
	struct known scope = known_empty(k);

	for (uint32_t i = 0; i < k->set.n - n->filled->items.n; i++)
		known_add(&scope, k->set.names[i]);
	return known_expr(&scope, n->expr, e);
}

void known_merge(struct known *k, const struct known *more)
{
	for (uint32_t i = 0; i < more->set.n; i++)
		known_add(k, more->set.names[i]);
	for (uint32_t i = 0; i < more->hidden.n; i++)
		field_set_add(&k->hidden, more->hidden.names[i], strlen(more->hidden.names[i]));
	k->open |= more->open;
}

static int known_union(struct known *k, const struct plan_node *n)
{
	struct known out = known_empty(k);

	known_merge(&out, k);
	for (uint32_t i = 0; i < n->n_others; i++)
		known_merge(&out, n->others[i].point->known);
	*k = out;
	return 0;
}

struct known_state {
	const struct known *k;
	struct err *e;
};

static int check_state_expr(void *ctx, struct node *expr, const char *const *bound, uint32_t n_bound)
{
	const struct known_state *s = ctx;
	struct field_set f = { .arena = s->k->set.arena };

	node_fields(expr, bound, n_bound, &f);
	for (uint32_t i = 0; i < f.n; i++)
		if (!known_has(s->k, f.names[i]))
			return unknown_field(s->k, expr, f.names[i], expr->pos, s->e);
	return 0;
}

/* Variables and keys are no fields. */
static int known_state(struct known *k, const struct plan_node *n, struct err *e)
{
	struct known out = known_empty(k);
	struct field_set made = { .arena = k->set.arena };
	struct known_state s = { k, e };

	if (!k->open && state_record_exprs(n, made.arena, check_state_expr, &s))
		return -1;
	state_makes(n, &made);
	for (uint32_t i = 0; made.all && i < k->set.n; i++)
		known_add(&out, k->set.names[i]);
	for (uint32_t i = 0; i < made.n; i++)
		known_add(&out, made.names[i]);
	out.open = made.all && k->open;
	*k = out;
	return 0;
}

int known_node(struct known *k, const struct plan_node *n, struct err *e)
{
	switch (n->kind) {
	case PLAN_MAP:
	case PLAN_FLATMAP:
		return known_map(k, n, e);
	case PLAN_WORDS:
		if (known_expr(k, n->expr, e))
			return -1;
		*k = known_empty(k);
		known_add(k, "word");
		return 0;
	case PLAN_PARSE:
		return known_parse(k, n, e);
	case PLAN_EXEC:
		*k = known_empty(k);
		known_add(k, "line");
		return 0;
	case PLAN_REDUCE:
	case PLAN_GROUP_ROWS:
		return known_reduce(k, n, e);
	case PLAN_ABSENT:
		return known_absent(k, n, e);
	case PLAN_FILL:
		return known_fill(k, n, e);
	case PLAN_STATE:
		return known_state(k, n, e);
	case PLAN_UNION:
		return known_union(k, n);
	case PLAN_COGROUP:
		return cogroup_known(k, n, e);
	case PLAN_LOOKUP:
		return lookup_known(k, n, e);
	case PLAN_JOIN:
		return join_known(k, n, e);
	case PLAN_SPLIT:
		return check_items(k, &n->items, e);
	default:
		for (uint32_t i = 0; i < n->n_orders; i++)
			if (known_expr(k, n->orders[i].expr, e))
				return -1;
		return known_expr(k, n->expr, e) || check_items(k, &n->keys, e) ? -1 : 0;
	}
}

void known_start(const struct plan *p, const struct plan_input *in, struct known *out)
{
	*out = (struct known){ .set = { .arena = p->arena }, .hidden = { .arena = p->arena }, .open = true };
	if (in->nothing || !strcmp(in->codec->doc.name, "lines"))
		out->open = false;
	if (!in->nothing && !out->open)
		known_add(out, "line");
	for (uint32_t i = 0; in->all && i < in->n_names; i++)
		known_add(out, in->names[i]);
	out->open &= !in->all;
}

int known_check(const struct plan *p, const struct plan_input *in, struct known *out, struct err *e)
{
	known_start(p, in, out);
	for (uint32_t i = 0; i < p->chains[0]->n; i++)
		if (known_node(out, p->chains[0]->nodes[i], e))
			return -1;
	return 0;
}

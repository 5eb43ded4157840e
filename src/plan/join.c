#include "plan/join.h"

#include "base/nearest.h"

bool join_key_is_one(const struct join_key *k)
{
	const struct node *l = k->side[0], *r = k->side[1];

	return l->kind == N_FIELD && r->kind == N_FIELD && !strcmp(l->name, r->name);
}

static bool is_one_key(const struct plan_join *j, const char *name)
{
	for (uint32_t i = 0; i < j->n_keys; i++)
		if (join_key_is_one(&j->keys[i]) && !strcmp(j->keys[i].side[0]->name, name))
			return true;
	return false;
}

/* What follows the name of a side in `SIDE.field`, NULL: it does not begin so. */
static const char *behind_label(const char *label, const char *field)
{
	size_t n = label ? strlen(label) : 0;

	return n && !strncmp(field, label, n) && field[n] == '.' ? field + n + 1 : NULL;
}

/* ---- what is known behind it ---- */

/* A right field whose name the left has too goes by the name of its side. */
static void known_pairs(const struct plan_join *j, struct known *out)
{
	const struct known *l = &j->known[0], *r = &j->known[1];

	known_merge(out, l);
	for (uint32_t i = 0; i < r->set.n; i++) {
		const char *name = r->set.names[i];
		bool both = known_has_field(l, name);

		if (!both)
			field_set_add(&out->set, name, strlen(name));
		else if (!is_one_key(j, name))
			field_set_add(&out->set, arena_printf(out->set.arena, "%s.%s", j->label[1], name), strlen(j->label[1]) + 1 + strlen(name));
	}
	for (uint32_t i = 0; i < r->hidden.n; i++)
		field_set_add(&out->hidden, r->hidden.names[i], strlen(r->hidden.names[i]));
	out->open |= r->open;
}

/* Pairs, and the fields of each side by its name. */
static void known_where(const struct plan_join *j, struct known *out)
{
	known_pairs(j, out);
	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; j->label[side] && i < j->known[side].set.n; i++) {
			const char *name = arena_printf(out->set.arena, "%s.%s", j->label[side], j->known[side].set.names[i]);

			field_set_add(&out->hidden, name, strlen(name));
		}
}

enum { SIDE_LEFT, SIDE_RIGHT, SIDE_BOTH };

/* Whose field a name means in a condition. */
static int side_of(const struct plan_join *j, const char *field)
{
	if (behind_label(j->label[1], field))
		return SIDE_RIGHT;
	if (behind_label(j->label[0], field))
		return SIDE_LEFT;
	if (j->known[0].open)
		return SIDE_BOTH;
	if (known_has(&j->known[0], field))
		return SIDE_LEFT;
	return SIDE_RIGHT;
}

static int side_of_condition(const struct plan_join *j, const struct node *n, struct arena *a)
{
	struct field_set f = { .arena = a };
	int side;

	node_fields(n, NULL, 0, &f);
	if (f.all || !f.n)
		return SIDE_BOTH;
	side = side_of(j, f.names[0]);
	for (uint32_t i = 1; i < f.n; i++)
		if (side_of(j, f.names[i]) != side)
			return SIDE_BOTH;
	return side;
}

/* The tree with `label.x` as x. */
static struct node *without_label(struct arena *a, const struct node *n, const char *label)
{
	struct node *copy = arena_new(a, struct node);

	*copy = *n;
	if (n->kind == N_MEMBER && label && n->kids[0]->kind == N_FIELD && !strcmp(n->kids[0]->name, label)) {
		copy->kind = N_FIELD;
		copy->n_kids = 0;
		copy->height = 1;
		return copy;
	}
	copy->kids = arena_array(a, struct node *, n->n_kids + 1);
	for (uint32_t i = 0; i < n->n_kids; i++)
		copy->kids[i] = without_label(a, n->kids[i], label);
	return copy;
}

static void add_condition(struct arena *a, struct node **to, struct node *n)
{
	struct node *both;

	if (!*to) {
		*to = n;
		return;
	}
	both = arena_new(a, struct node);
	*both = (struct node){ .kind = N_BINARY, .op = OP_AND, .pos = n->pos, .n_kids = 2 };
	both->height = (uint16_t)(1 + ((*to)->height > n->height ? (*to)->height : n->height));
	both->kids = arena_array(a, struct node *, 2);
	both->kids[0] = *to;
	both->kids[1] = n;
	*to = both;
}

/* Conditions on one side alone are looked at before rows are kept. */
static void part_condition(struct plan_join *j, struct node *n, struct arena *a)
{
	int side;

	if (n->kind == N_BINARY && n->op == OP_AND) {
		part_condition(j, n->kids[0], a);
		part_condition(j, n->kids[1], a);
		return;
	}
	side = side_of_condition(j, n, a);
	if (side == SIDE_BOTH)
		add_condition(a, &j->pairs, n);
	else
		add_condition(a, &j->own[side], without_label(a, n, j->label[side]));
}

int join_known(struct known *k, const struct plan_node *n, struct err *e)
{
	struct plan_join *j = n->join;
	struct known where = known_empty(k), out = known_empty(k);

	j->known[0] = known_empty(k);
	j->known[1] = known_empty(k);
	known_merge(&j->known[0], k);
	known_merge(&j->known[1], n->others[0].point->known);
	for (uint32_t i = 0; i < j->n_keys; i++)
		for (int side = 0; side < 2; side++)
			if (known_expr(&j->known[side], j->keys[i].side[side], e))
				return -1;
	known_where(j, &where);
	if (j->where && known_expr(&where, j->where, e))
		return -1;
	j->own[0] = j->own[1] = j->pairs = NULL;
	if (j->where)
		part_condition(j, j->where, k->set.arena);
	if (j->kind == JOIN_SEMI || j->kind == JOIN_ANTI)
		return 0;
	known_pairs(j, &out);
	*k = out;
	return 0;
}

/* ---- what it wants ---- */

static void want(struct field_set *f, const char *name) { field_set_add(f, name, strlen(name)); }

/* A field of the result. `SIDE.x` is called so only while the left has its x too. */
static void want_field(const struct plan_join *j, const char *field, struct field_set *left, struct field_set *right)
{
	const char *own;

	if ((own = behind_label(j->label[1], field))) {
		want(right, own);
		if (known_has(&j->known[0], own))
			want(left, own);
	} else if ((own = behind_label(j->label[0], field))) {
		want(left, own);
	} else if (j->known[0].open || !known_has(&j->known[0], field)) {
		want(right, field);
		want(left, field); /* an earlier join is asked for it by this name */
	} else {
		want(left, field);
	}
}

static void want_fields(const struct plan_join *j, const struct field_set *f, struct field_set *left, struct field_set *right)
{
	left->all |= f->all;
	right->all |= f->all;
	for (uint32_t i = 0; i < f->n; i++)
		want_field(j, f->names[i], left, right);
}

void join_needs(struct plan_node *n, const struct field_set *after)
{
	struct plan_join *j = n->join;
	struct field_set *left = &n->needs, *right = &n->others[0].point->needs, where = { .arena = left->arena };

	if (j->where)
		node_fields(j->where, NULL, 0, &where);
	want_fields(j, &where, left, right);
	for (uint32_t i = 0; i < j->n_keys; i++) {
		node_fields(j->keys[i].side[0], NULL, 0, left);
		node_fields(j->keys[i].side[1], NULL, 0, right);
	}
	if (j->kind == JOIN_SEMI || j->kind == JOIN_ANTI) {
		left->all |= after->all;
		for (uint32_t i = 0; i < after->n; i++)
			want(left, after->names[i]);
		return;
	}
	want_fields(j, after, left, right);
	left->all |= j->known[0].open; /* a field that is asked for seems to be there */
}

static bool is_wanted(const struct field_set *f, const char *name)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (!strncmp(f->names[i], name, strlen(name)) && (!f->names[i][strlen(name)] || f->names[i][strlen(name)] == '.'))
			return true;
	return f->all;
}

void join_asked(const struct plan *p, const struct field_set *after, struct join_names *names)
{
	const char **asked = arena_array(p->arena, const char *, after->n + 1), *own;
	bool *plainly = arena_array(p->arena, bool, after->n + 1);

	names->asked = asked;
	names->plainly = plainly;
	for (uint32_t i = 0; i < after->n; i++) {
		if (!(own = behind_label(names->label[1], after->names[i])))
			continue;
		asked[names->n_asked] = after->names[i];
		plainly[names->n_asked++] = !after->all && is_wanted(after, arena_str(p->arena, own, strcspn(own, ".")));
	}
}

/* ---- lowering ---- */

struct lowering_join {
	const struct plan *p;
	const struct plan_node *n;
	const struct lower_opts *o;
	struct err *err;
	struct join_spec spec;
};

static struct expr *bind(const struct lowering_join *l, const struct node *n)
{
	return lower_expr(l->p, n, l->o, l->err);
}

static int bind_keys(struct lowering_join *l)
{
	const struct plan_join *j = l->n->join;
	bool *nulls = arena_array(l->p->arena, bool, j->n_keys);
	const char **names = arena_array(l->p->arena, const char *, j->n_keys);

	l->spec.keys[0] = arena_zero(l->p->arena, j->n_keys * sizeof(struct expr *));
	l->spec.keys[1] = arena_zero(l->p->arena, j->n_keys * sizeof(struct expr *));
	l->spec.n_keys = j->n_keys;
	l->spec.null_keys = nulls;
	l->spec.names.keys = names;
	for (uint32_t i = 0; i < j->n_keys; i++) {
		nulls[i] = j->keys[i].null_is_key;
		if (join_key_is_one(&j->keys[i]))
			names[l->spec.names.n_keys++] = j->keys[i].side[0]->name;
		for (int side = 0; side < 2; side++)
			if (!(l->spec.keys[side][i] = bind(l, j->keys[i].side[side])))
				return -1;
	}
	return 0;
}

static int bind_conditions(struct lowering_join *l)
{
	const struct plan_join *j = l->n->join;
	struct field_set mentions = { .arena = l->p->arena };

	for (int side = 0; side < 2; side++)
		if (j->own[side] && !(l->spec.own[side] = bind(l, j->own[side])))
			return -1;
	if (!j->pairs)
		return 0;
	node_fields(j->pairs, NULL, 0, &mentions);
	l->spec.names.mentions = mentions.names;
	l->spec.names.n_mentions = mentions.n;
	l->spec.where = bind(l, j->pairs);
	return l->spec.where ? 0 : -1;
}

/* The fields of a side, where the program fixes them, as far as they are asked for. */
static const struct schema *fixed_fields(const struct plan *p, const struct known *k, const struct field_set *needs)
{
	const char **names = arena_array(p->arena, const char *, k->set.n + 1);
	uint32_t *len = arena_array(p->arena, uint32_t, k->set.n + 1), n = 0;

	if (k->open)
		return NULL;
	for (uint32_t i = 0; i < k->set.n; i++) {
		if (!is_wanted(needs, k->set.names[i]))
			continue;
		names[n] = k->set.names[i];
		len[n++] = (uint32_t)strlen(k->set.names[i]);
	}
	return schema_intern(names, len, n);
}

static void release(const struct join_spec *s)
{
	for (int side = 0; side < 2; side++) {
		for (uint32_t i = 0; i < s->n_keys; i++)
			expr_release(s->keys[side][i]);
		expr_release(s->own[side]);
	}
	expr_release(s->where);
}

struct op *lower_join(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	const struct plan_join *j = n->join;
	struct lowering_join l = { .p = p, .n = n, .o = o, .err = e };

	l.spec.kind = j->kind;
	l.spec.scope = j->scope;
	l.spec.from = j->from;
	l.spec.to = j->to;
	l.spec.names.label[0] = j->label[0];
	l.spec.names.label[1] = j->label[1];
	l.spec.known[0] = fixed_fields(p, &j->known[0], &n->needs);
	l.spec.known[1] = fixed_fields(p, &j->known[1], &n->others[0].point->needs);
	if (j->known[0].open)
		join_asked(p, &n->after, &l.spec.names);
	if (!bind_keys(&l) && !bind_conditions(&l))
		return op_join(o->run, n->stage, n->word, &l.spec);
	release(&l.spec);
	return NULL;
}

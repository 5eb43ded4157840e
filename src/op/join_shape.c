#include "op/join_shape.h"

#include <stdlib.h>

/* Pairs of schemas that are remembered; hostile JSON has more. */
#define SHAPES_MAX 256

struct making {
	const struct join_names *names;
	struct join_shape *shape;
	struct arena *arena;
	const char **name;
	uint32_t *len;
	uint32_t n;
};

static int32_t find(const struct schema *s, const char *name, size_t n)
{
	return s ? schema_find(s, name, n) : -1;
}

static bool is_key(const struct join_names *names, const char *name)
{
	for (uint32_t i = 0; i < names->n_keys; i++)
		if (!strcmp(names->keys[i], name))
			return true;
	return false;
}

static bool is_taken(const struct making *m, const char *name)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (!strcmp(m->name[i], name))
			return true;
	return false;
}

static void add(struct making *m, const char *name, int32_t left, int32_t right)
{
	m->name[m->n] = name;
	m->len[m->n] = (uint32_t)strlen(name);
	m->shape->from[m->n++] = (struct join_source){ { left, right } };
}

static void add_left(struct making *m)
{
	const struct schema *l = m->shape->side[0], *r = m->shape->side[1];

	for (uint32_t i = 0; l && i < l->n; i++)
		add(m, l->names[i], (int32_t)i, is_key(m->names, l->names[i]) ? find(r, l->names[i], l->name_n[i]) : -1);
}

enum asking { ASKED_NOT, ASKED_BY_SIDE, ASKED_BOTH_WAYS };

/* How do later stages read the right side's field? */
static enum asking how_asked(const struct making *m, const char *name)
{
	size_t label = m->names->n_asked ? strlen(m->names->label[1]) : 0, n = strlen(name);

	for (uint32_t i = 0; i < m->names->n_asked && !is_key(m->names, name); i++) {
		const char *own = m->names->asked[i] + label + 1;

		if (!strncmp(own, name, n) && (!own[n] || own[n] == '.'))
			return m->names->plainly[i] ? ASKED_BOTH_WAYS : ASKED_BY_SIDE;
	}
	return ASKED_NOT;
}

static void add_right(struct making *m)
{
	const struct schema *l = m->shape->side[0], *r = m->shape->side[1];

	for (uint32_t i = 0; r && i < r->n; i++) {
		bool both = find(l, r->names[i], r->name_n[i]) >= 0;
		const char *name = r->names[i];
		enum asking how = how_asked(m, name);

		if (both && is_key(m->names, name))
			continue;
		if (l && !both && how == ASKED_BOTH_WAYS)
			add(m, name, -1, (int32_t)i);
		both |= how != ASKED_NOT;
		while (both) {
			name = arena_printf(m->arena, "%s.%s", m->names->label[1], name);
			both = is_taken(m, name);
		}
		add(m, name, -1, (int32_t)i);
	}
}

/* SIDE.a.b: the side's field a.b, or its field a, of which it is a member. */
static void add_mention(struct making *m, const char *mention, int side)
{
	size_t label = m->names->label[side] ? strlen(m->names->label[side]) : 0, n = strlen(mention);

	if (!label || strncmp(mention, m->names->label[side], label) || mention[label] != '.')
		return;
	for (; n > label + 1; n--) {
		int32_t at = mention[n] && mention[n] != '.' ? -1 : find(m->shape->side[side], mention + label + 1, n - label - 1);
		const char *name = arena_str(m->arena, mention, n);

		if (at < 0 || is_taken(m, name))
			continue;
		add(m, name, side ? -1 : at, side ? at : -1);
		return;
	}
}

static struct join_shape *make(struct join_shapes *s, const struct join_names *names, const struct schema *left, const struct schema *right)
{
	struct join_shape *shape = arena_new(&s->arena, struct join_shape);
	uint32_t most = (left ? left->n : 0) + (right ? 2 * right->n : 0) + 2 * names->n_mentions + 1;
	struct making m = { .names = names, .shape = shape, .arena = &s->arena };

	shape->side[0] = left;
	shape->side[1] = right;
	shape->from = arena_array(&s->arena, struct join_source, most);
	m.name = arena_array(&s->arena, const char *, most);
	m.len = arena_array(&s->arena, uint32_t, most);
	add_left(&m);
	add_right(&m);
	shape->out = schema_intern(m.name, m.len, m.n);
	for (uint32_t i = 0; i < names->n_mentions; i++)
		for (int side = 0; side < 2; side++)
			add_mention(&m, names->mentions[i], side);
	shape->wide = schema_intern(m.name, m.len, m.n);
	return shape;
}

const struct join_shape *join_shape_of(struct join_shapes *s, const struct join_names *names, const struct schema *left, const struct schema *right)
{
	if (s->last && s->last->side[0] == left && s->last->side[1] == right)
		return s->last;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->at[i]->side[0] == left && s->at[i]->side[1] == right)
			return s->last = s->at[i];
	if (s->n == SHAPES_MAX) {
		arena_reset(&s->arena);
		s->n = 0;
	}
	s->at = xgrow(s->at, &s->cap, (size_t)s->n + 1, sizeof(struct join_shape *));
	s->at[s->n] = make(s, names, left, right);
	return s->last = s->at[s->n++];
}

void join_shapes_release(struct join_shapes *s)
{
	free(s->at);
	arena_release(&s->arena);
	*s = (struct join_shapes){ 0 };
}

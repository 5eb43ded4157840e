#include "plan/lookup.h"

#include "op/op_lookup.h"

/* Which fields the file has is known when it is read; a record may thus get any. */
int lookup_known(struct known *k, const struct plan_node *n, struct err *e)
{
	const struct plan_lookup *l = n->lookup;

	for (uint32_t i = 0; i < l->n_keys; i++)
		if (known_expr(k, l->keys[i].side[0], e))
			return -1;
	n->lookup->open = k->open;
	if (!l->n_keys)
		field_set_add(&k->set, l->name, strlen(l->name));
	else
		k->open = true;
	return 0;
}

/* Is the field this one, or a member of it? */
static bool is_of(const char *field, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(field, name, n) && (!field[n] || field[n] == '.');
}

/* A field that is asked for seems to be there, and would hide the table's; so where any may be, all are read. */
void lookup_needs(struct plan_node *n, const struct field_set *after)
{
	const struct plan_lookup *l = n->lookup;

	n->needs.all |= after->all || (l->open && l->n_keys);
	for (uint32_t i = 0; i < after->n; i++)
		if (l->n_keys || !is_of(after->names[i], l->name))
			field_set_add(&n->needs, after->names[i], strlen(after->names[i]));
	for (uint32_t i = 0; i < l->n_keys; i++)
		node_fields(l->keys[i].side[0], NULL, 0, &n->needs);
}

static int read_opts(const struct plan *p, const struct plan_lookup *l, const struct lower_opts *o, struct source_read *r, struct err *e)
{
	if (source_spec_endless(l->spec)) {
		err_at(e, l->pos, "a table is read to its end, and \"%s\" has none", l->spec);
		return err_hint(e, "bring it in with --from NAME=SRC and join NAME");
	}
	r->codec = source_spec_codec(l->spec, p->arena);
	r->decode = (struct decode_opts){ .all = true, .max_record = o->max_record };
	if (source_spec_read(l->spec, r, p->arena, e))
		return -1;
	if (r->schema)
		return err_at(e, l->pos, "a table takes no schema: convert its fields behind the lookup");
	if (!r->codec) {
		err_at(e, l->pos, "what \"%s\" is cannot be told by its name", l->spec);
		return err_hint(e, "say it: %s?format=csv", l->spec);
	}
	return 0;
}

static int bind_keys(const struct plan *p, const struct plan_lookup *l, const struct lower_opts *o, struct lookup_spec *s, struct err *e)
{
	bool *nulls = arena_array(p->arena, bool, l->n_keys);
	const char **names = arena_array(p->arena, const char *, l->n_keys);

	s->n_keys = l->n_keys;
	s->null_keys = nulls;
	s->names.keys = names;
	for (int side = 0; side < 2; side++)
		s->keys[side] = arena_zero(p->arena, l->n_keys * sizeof(struct expr *));
	for (uint32_t i = 0; i < l->n_keys; i++) {
		nulls[i] = l->keys[i].null_is_key;
		if (join_key_is_one(&l->keys[i]))
			names[s->names.n_keys++] = l->keys[i].side[0]->name;
		for (int side = 0; side < 2; side++)
			if (!(s->keys[side][i] = lower_expr(p, l->keys[i].side[side], o, e)))
				return -1;
	}
	return 0;
}

struct op *lower_lookup(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	const struct plan_lookup *l = n->lookup;
	struct lookup_spec s = { .spec = l->spec, .left = l->left, .bad = o->bad, .ctx = o->ctx };

	s.names.label[1] = l->name;
	join_asked(p, &n->after, &s.names);
	if (!read_opts(p, l, o, &s.read, e) && !bind_keys(p, l, o, &s, e))
		return op_lookup(o->run, n->stage, n->word, &s, e);
	for (uint32_t i = 0; i < s.n_keys; i++) {
		expr_release(s.keys[0][i]);
		expr_release(s.keys[1][i]);
	}
	return NULL;
}

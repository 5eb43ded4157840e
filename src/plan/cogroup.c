#include "plan/cogroup.h"

#include "op/op_cogroup.h"
#include "plan/join.h"

static const char *key_name(const struct node *n)
{
	const char *last = NULL;

	return node_path(n, NULL, &last) ? last : NULL;
}

static bool is_window_field(const struct plan_cogroup *g, const char *name)
{
	return g->scope == JOIN_WINDOW && (!strcmp(name, "window_start") || !strcmp(name, "window_end"));
}

static int check_keys(const struct plan_cogroup *g, struct err *e)
{
	for (uint32_t i = 0; i < g->n_keys; i++) {
		const char *name = key_name(g->keys[i]);

		if (is_window_field(g, name)) {
			err_at(e, g->keys[i]->pos, "`%s` is the name of a key and of the window", name);
			return err_hint(e, "give the key another name in all sides: rename %s as at", name);
		}
		for (uint32_t k = 0; k < i; k++)
			if (!strcmp(name, key_name(g->keys[k]))) {
				err_at(e, g->keys[i]->pos, "two keys are named `%s`", name);
				return err_hint(e, "give one of them another name in all sides, with rename");
			}
	}
	return 0;
}

/* 0 or -1 with an error. */
static int check_name(const struct plan_node *n, uint32_t i, struct err *e)
{
	const struct plan_cogroup *g = n->cogroup;
	const char *name = g->labels[i];

	if (is_window_field(g, name))
		return err_at(e, n->pos, "`%s` is the name of a side and of the window", name);
	for (uint32_t k = 0; k < i; k++)
		if (!strcmp(name, g->labels[k]))
			return err_at(e, n->others[i - 1].pos, "two sides are named `%s`", name);
	for (uint32_t k = 0; k < g->n_keys; k++)
		if (!strcmp(name, key_name(g->keys[k])))
			return err_at(e, n->pos, "`%s` is the name of a key and of a side", name);
	return 0;
}

static int check_names(const struct plan_node *n, struct err *e)
{
	const struct plan_cogroup *g = n->cogroup;

	for (uint32_t i = 0; i <= n->n_others; i++) {
		if (!g->labels[i]) {
			err_at(e, i ? n->others[i - 1].pos : n->pos, "the list of %s side has no name", i ? "this" : "the left");
			return err_hint(e, "name its records: as NAME");
		}
		if (check_name(n, i, e))
			return err_hint(e, "a side goes by the nearest point in front of it: end its chain with `as` and another name");
	}
	return 0;
}

int cogroup_known(struct known *k, const struct plan_node *n, struct err *e)
{
	const struct plan_cogroup *g = n->cogroup;
	struct known out = known_empty(k);

	if (check_keys(g, e) || check_names(n, e))
		return -1;
	for (uint32_t i = 0; i <= n->n_others; i++)
		for (uint32_t c = 0; c < g->n_keys; c++)
			if (known_expr(i ? n->others[i - 1].point->known : k, g->keys[c], e))
				return -1;
	if (g->scope == JOIN_WINDOW) {
		field_set_add(&out.set, "window_start", 12);
		field_set_add(&out.set, "window_end", 10);
	}
	for (uint32_t c = 0; c < g->n_keys; c++)
		field_set_add(&out.set, key_name(g->keys[c]), strlen(key_name(g->keys[c])));
	for (uint32_t i = 0; i <= n->n_others; i++)
		field_set_add(&out.set, g->labels[i], strlen(g->labels[i]));
	*k = out;
	return 0;
}

void cogroup_needs(struct plan_node *n)
{
	n->needs.all = true;
	for (uint32_t i = 0; i < n->n_others; i++)
		n->others[i].point->needs.all = true;
}

struct op *lower_cogroup(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	const struct plan_cogroup *g = n->cogroup;
	struct cogroup_spec s = { .scope = g->scope, .n_sides = n->n_others + 1, .n_keys = g->n_keys, .labels = g->labels };
	const char **names = arena_array(p->arena, const char *, g->n_keys);
	uint32_t done = 0;

	s.keys = arena_array(p->arena, struct expr *, s.n_sides * s.n_keys);
	s.key_names = names;
	for (uint32_t c = 0; c < g->n_keys; c++)
		names[c] = key_name(g->keys[c]);
	for (; done < s.n_sides * s.n_keys; done++) {
		s.keys[done] = lower_expr(p, g->keys[done % s.n_keys], o, e);
		if (s.keys[done])
			continue;
		while (done-- > 0)
			expr_release(s.keys[done]);
		return NULL;
	}
	return op_cogroup(o->run, n->stage, n->word, &s);
}

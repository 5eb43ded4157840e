/* Lowering of the stages that remember keys: groups of rows, silences, empty windows. */
#include "op/op_absent.h"
#include "op/op_fill.h"
#include "op/op_group_rows.h"
#include "plan/lower.h"

static const char *const bounds[] = { "window_start", "window_end" };

static int named(const struct items *keys, const char *name)
{
	for (uint32_t i = 0; i < keys->n; i++)
		if (!strcmp(keys->at[i].name, name))
			return (int)i;
	return -1;
}

/* A key that has the name of what every result has. */
static int taken(const struct plan_node *n, const char *name, struct err *e)
{
	int at = named(&n->keys, name);

	if (at < 0)
		return 0;
	err_at(e, n->keys.at[at].pos, "`%s` is a field of each result already", name);
	return err_hint(e, "give the key another name: by NAME = ...");
}

const struct plan_node *lower_window_keys(const struct plan *p, const struct plan_node *n, struct err *e)
{
	struct plan_node *own = arena_new(p->arena, struct plan_node);

	*own = *n;
	if (n->closing != CLOSES_BY_EVENT)
		return own;
	own->keys.n += ARRAY_LEN(bounds);
	own->keys.at = arena_array(p->arena, struct item, own->keys.n);
	for (uint32_t i = 0; i < ARRAY_LEN(bounds); i++) {
		struct node *x = arena_zero(p->arena, sizeof *x);

		if (taken(n, bounds[i], e))
			return NULL;
		x->kind = N_SPECIAL;
		x->height = 1;
		x->pos = n->pos;
		x->name = bounds[i];
		x->name_n = (uint32_t)strlen(bounds[i]);
		own->keys.at[i] = (struct item){ .name = bounds[i], .expr = x, .pos = n->pos };
	}
	for (uint32_t i = 0; i < n->keys.n; i++)
		own->keys.at[ARRAY_LEN(bounds) + i] = n->keys.at[i];
	return own;
}

struct op *lower_group_rows(const struct plan_node *n, const struct lower_opts *o, const struct reduce_spec *spec)
{
	struct group_rows_spec s = { .rows = n->n, .within_ns = n->delay_ns, .lateness_ns = n->lateness_ns };

	s.scope = n->closing == CLOSES_BY_EVENT ? GROUP_WINDOW : n->closing == CLOSES_BY_CLOCK ? GROUP_BATCH : GROUP_RUN;
	return op_group_rows(o->run, n->stage, n->word, spec, &s);
}

struct op *lower_absent(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct absent_spec s = { .n_keys = n->keys.n, .span_ns = n->delay_ns, .event = n->closing == CLOSES_BY_EVENT };

	if (taken(n, "last_seen", e) || taken(n, "silent_since", e))
		return NULL;
	s.keys_take = arena_array(p->arena, struct expr *, n->keys.n + 1);
	s.key_names = arena_array(p->arena, const char *, n->keys.n + 1);
	for (uint32_t i = 0; i < n->keys.n; i++)
		s.key_names[i] = n->keys.at[i].name;
	if (lower_items(p, &n->keys, o, s.keys_take, e))
		return NULL;
	return op_absent(o->run, n->stage, n->word, &s);
}

/* The fields of the aggregate's results. */
static const struct schema *fields_of(const struct plan *p, const struct plan_node *reduce)
{
	uint32_t most = (uint32_t)ARRAY_LEN(bounds) + reduce->keys.n + reduce->items.n, n = 0;
	const char **names = arena_array(p->arena, const char *, most);
	uint32_t *lens = arena_array(p->arena, uint32_t, most);

	for (uint32_t i = 0; i < ARRAY_LEN(bounds) && plan_is_windowed(reduce); i++)
		if (named(&reduce->keys, bounds[i]) < 0)
			names[n++] = bounds[i];
	for (uint32_t i = 0; i < reduce->keys.n; i++)
		names[n++] = reduce->keys.at[i].name;
	for (uint32_t i = 0; i < reduce->items.n; i++)
		names[n++] = reduce->items.at[i].name;
	for (uint32_t i = 0; i < n; i++)
		lens[i] = (uint32_t)strlen(names[i]);
	return schema_intern(names, lens, n);
}

struct op *lower_fill(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct fill_spec s = { .window = n->closing == CLOSES_BY_EVENT ? n->assigner : NULL,
			       .lateness_ns = n->lateness_ns,
			       .n_keys = n->filled->keys.n,
			       .n_results = n->filled->items.n,
			       .schema = fields_of(p, n->filled) };

	s.value_take = lower_expr(p, n->expr, o, e);
	return s.value_take ? op_fill(o->run, n->stage, n->word, &s) : NULL;
}

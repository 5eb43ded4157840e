#include "op/project.h"

#include <stdlib.h>

void project_init(struct project *p, struct arena *a, uint32_t n_items, uint32_t n_drop)
{
	*p = (struct project){ .n = n_items, .n_drop = n_drop };
	p->items = memset(arena_array(a, struct project_item, n_items + 1), 0, (n_items + 1) * sizeof *p->items);
	p->drop = arena_array(a, const char *, n_drop + 1);
}

void project_release(struct project *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		expr_release(p->items[i].expr);
	free(p->source);
	p->source = NULL;
}

static bool name_is(const char *s, const char *p, uint32_t n)
{
	return s && strlen(s) == n && !memcmp(s, p, n);
}

static bool dropped(const struct project *p, const char *name, uint32_t n)
{
	for (uint32_t i = 0; i < p->n_drop; i++)
		if (name_is(p->drop[i], name, n))
			return true;
	return false;
}

/* The item behind `*` that takes the place of this field, else -1; *named: some item has this name or place. */
static int item_at(const struct project *p, const char *name, uint32_t n, bool *named)
{
	bool behind = false;

	*named = false;
	for (uint32_t i = 0; i < p->n; i++) {
		if (!p->items[i].name) {
			behind = true;
			continue;
		}
		if (name_is(p->items[i].name, name, n))
			*named = true;
		if (behind && name_is(p->items[i].at, name, n)) {
			*named = true;
			return (int)i;
		}
	}
	return -1;
}

struct layout {
	const char **names;
	uint32_t *name_n;
	int32_t *source;
	bool *placed; /* per item */
	uint32_t n;
};

static void layout_add(struct layout *l, const char *name, uint32_t n, int32_t source)
{
	for (uint32_t k = 0; k < l->n; k++)
		if (name_is(l->names[k], name, n)) {
			l->source[k] = source; /* a later item of the same name wins */
			return;
		}
	l->names[l->n] = name;
	l->name_n[l->n] = n;
	l->source[l->n++] = source;
}

static void layout_star(struct layout *l, const struct project *p, const struct schema *s)
{
	for (uint32_t k = 0; k < s->n; k++) {
		bool named;
		int item = item_at(p, s->names[k], s->name_n[k], &named);

		if (item >= 0) {
			l->placed[item] = true;
			layout_add(l, p->items[item].name, (uint32_t)strlen(p->items[item].name), -1 - item);
		} else if (!named && !dropped(p, s->names[k], s->name_n[k])) {
			layout_add(l, s->names[k], s->name_n[k], (int32_t)k);
		}
	}
}

void project_layout(struct project *p, const struct schema *s)
{
	struct arena tmp = { 0 };
	size_t n = p->n + s->n + 1;
	struct layout l = { 0 };

	if (p->from == s)
		return;
	l.names = arena_array(&tmp, const char *, n);
	l.name_n = arena_array(&tmp, uint32_t, n);
	l.placed = memset(arena_array(&tmp, bool, p->n + 1), 0, p->n + 1);
	l.source = p->source = xrealloc(p->source, n * sizeof *p->source);
	for (uint32_t i = 0; i < p->n; i++) {
		if (!p->items[i].name)
			layout_star(&l, p, s);
		else if (!l.placed[i])
			layout_add(&l, p->items[i].name, (uint32_t)strlen(p->items[i].name), -1 - (int32_t)i);
	}
	p->from = s;
	p->to = schema_intern(l.names, l.name_n, l.n);
	arena_release(&tmp);
}

/* Does a later item read what earlier items define? Evaluation then runs over a batch that holds both. */
static void extend(struct batch *b, struct column *cols, const char *name, const struct column *c)
{
	const struct schema *s = b->schema;
	int at = schema_find(s, name, strlen(name));
	const char **names;
	uint32_t *lens;

	if (at >= 0) {
		cols[at] = *c;
		return;
	}
	names = arena_array(b->arena, const char *, s->n + 1);
	lens = arena_array(b->arena, uint32_t, s->n + 1);
	memcpy(names, s->names, s->n * sizeof *names);
	memcpy(lens, s->name_n, s->n * sizeof *lens);
	names[s->n] = name;
	lens[s->n] = (uint32_t)strlen(name);
	cols[s->n] = *c;
	b->schema = schema_intern(names, lens, s->n + 1);
}

void project_apply(struct project *p, struct eval *ev, const struct batch *b, struct batch *out)
{
	struct column *scope = arena_array(b->arena, struct column, b->schema->n + p->n + 1);
	struct column *made = arena_array(b->arena, struct column, p->n + 1), *cols;
	struct batch in = *b;

	project_layout(p, b->schema);
	if (b->schema->n)
		memcpy(scope, b->cols, b->schema->n * sizeof *scope);
	in.cols = scope;
	for (uint32_t i = 0; i < p->n; i++) {
		if (!p->items[i].name)
			continue;
		made[i] = expr_eval(p->items[i].expr, ev, &in, b->sel, b->n_sel);
		if (i + 1 < p->n && !p->at_once)
			extend(&in, scope, p->items[i].name, &made[i]);
	}
	cols = arena_array(b->arena, struct column, p->to->n + 1);
	for (uint32_t k = 0; k < p->to->n; k++)
		cols[k] = p->source[k] >= 0 ? b->cols[p->source[k]] : made[-1 - p->source[k]];
	*out = *b;
	out->schema = p->to;
	out->cols = cols;
	out->raw = NULL;
}

void project_unseen(const struct project *p, void (*fn)(void *ctx, const char *name), void *ctx)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->items[i].expr)
			expr_unseen(p->items[i].expr, fn, ctx);
}

#include "op/living.h"

#include <stdlib.h>

/* Dead keys worth numbering the others anew for. */
#define DEAD_MIN 1024

void living_init(struct living *l, uint32_t n_keys)
{
	*l = (struct living){ .n_keys = n_keys };
	if (n_keys)
		groups_init(&l->groups, n_keys);
}

void living_release(struct living *l)
{
	if (l->n_keys)
		groups_release(&l->groups);
	free(l->born);
}

static void reserve(struct living *l)
{
	uint32_t n = l->n_keys ? l->groups.table.n : 1;

	if (n <= l->n)
		return;
	l->born = xgrow(l->born, &l->cap, n, sizeof *l->born);
	memset(l->born + l->n, 0, (n - l->n) * sizeof *l->born);
	l->n = n;
}

uint32_t *living_put(struct living *l, const struct batch *b, const struct column *cols, const uint32_t *sel, uint32_t n_sel)
{
	const struct column **at = arena_array(b->arena, const struct column *, l->n_keys + 1);
	uint32_t *group = arena_zero(b->arena, (n_sel + 1) * sizeof *group);

	for (uint32_t k = 0; k < l->n_keys; k++)
		at[k] = &cols[k];
	if (l->n_keys)
		groups_put(&l->groups, b->arena, at, sel, n_sel, group);
	reserve(l);
	l->cols = at;
	return group;
}

void living_wake(struct living *l, uint32_t key, uint32_t row)
{
	l->born[key] = ++l->births;
	l->n_live++;
	if (l->n_keys)
		groups_respell(&l->groups, key, l->cols, row);
}

void living_die(struct living *l, uint32_t key)
{
	l->born[key] = 0;
	l->n_live--;
}

bool living_worn(const struct living *l) { return l->n_keys && l->n - l->n_live >= DEAD_MIN && l->n - l->n_live >= l->n / 2; }

uint32_t *living_compact(struct living *l)
{
	uint32_t *live, *map, *names, n = 0;
	struct groups fresh;

	live = xmalloc((l->n + 1) * sizeof *live);
	map = xmalloc((l->n + 1) * sizeof *map);
	names = xmalloc((l->n + 1) * sizeof *names);
	for (uint32_t k = 0; k < l->n; k++) {
		names[k] = UINT32_MAX;
		if (l->born[k])
			live[n++] = k;
	}
	groups_init(&fresh, l->n_keys);
	groups_copy(&fresh, &l->groups, live, n, map);
	for (uint32_t i = 0; i < n; i++) {
		names[live[i]] = map[i];
		l->born[map[i]] = l->born[live[i]]; /* numbers only become less, in order */
	}
	groups_release(&l->groups);
	l->groups = fresh;
	l->n = n;
	l->cap = n + 1;
	l->born = xrealloc(l->born, l->cap * sizeof *l->born);
	free(live);
	free(map);
	return names;
}

struct column *living_columns(const struct living *l, const uint32_t *list, uint32_t n, struct arena *a)
{
	struct column *cols = arena_array(a, struct column, l->n_keys + 1);

	if (l->n_keys)
		groups_keys(&l->groups, list, 0, n, a, cols);
	return cols;
}

void living_save(const struct living *l, uint32_t key, struct buf *out)
{
	if (l->n_keys)
		groups_save(&l->groups, key, out);
}

int living_load(struct living *l, struct bytes_in *in, uint64_t born, uint32_t *key)
{
	*key = 0;
	if (in->bad || !born || (l->n_keys && groups_load(&l->groups, &in->p, in->end, key)))
		return -1;
	reserve(l);
	if (l->born[*key])
		return -1;
	l->born[*key] = born;
	l->n_live++;
	if (born > l->births)
		l->births = born;
	return 0;
}

size_t living_memory(const struct living *l) { return l->cap * sizeof *l->born + (l->n_keys ? groups_memory(&l->groups) : 0); }

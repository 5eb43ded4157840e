#include "op/aggtable.h"

#include <stdlib.h>

/* ---- states ---- */

void aggtable_init(struct aggtable *t, const struct reducer *r)
{
	*t = (struct aggtable){ .states = states_new(r) };
	if (r->spec.n_keys)
		groups_init(&t->groups, r->spec.n_keys);
}

uint32_t aggtable_n(const struct aggtable *t, const struct reducer *r)
{
	return r->spec.n_keys ? t->groups.table.n : 1;
}

static void reserve_all(struct aggtable *t, struct reducer *r)
{
	states_reserve(t->states, r, aggtable_n(t, r));
}

void aggtable_clear(struct aggtable *t, struct reducer *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;
		size_t used = t->states[i].p ? (size_t)aggtable_n(t, r) * c->state_size : 0;

		for (size_t at = 0; c->def->release && at < used; at += c->state_size)
			c->def->release(c, t->states[i].p + at);
		if (used)
			memset(t->states[i].p, 0, used);
	}
	if (r->spec.n_keys)
		groups_clear(&t->groups);
	t->any = false;
}

void aggtable_release(struct aggtable *t, struct reducer *r)
{
	if (!t->states)
		return;
	states_free(t->states, r, aggtable_n(t, r));
	if (r->spec.n_keys)
		groups_release(&t->groups);
	*t = (struct aggtable){ 0 };
}

size_t aggtable_memory(const struct aggtable *t, const struct reducer *r)
{
	size_t n = r->spec.n_keys ? groups_memory(&t->groups) : 0;

	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		n += t->states[i].size;
	return n;
}

/* ---- rows in ---- */

void aggtable_update(struct aggtable *t, struct reducer *r, const struct batch *b, uint32_t **group)
{
	uint32_t *g = reducer_groups(r, &t->groups, b);
	struct column *args = reducer_args(r, b);

	reserve_all(t, r);
	states_update(t->states, r, g, args, b->sel, b->n_sel, b);
	t->any = true;
	if (group)
		*group = g;
}

/* ---- tables into tables ---- */

/* dst's group of each of src's, made where it is new. */
static void map_groups(struct aggtable *dst, const struct aggtable *src, struct reducer *r, uint32_t *map)
{
	if (r->spec.n_keys)
		groups_merge(&dst->groups, &src->groups, map);
	else
		map[0] = 0;
	reserve_all(dst, r);
}

static char *state_of(const struct aggtable *t, const struct reducer *r, uint32_t call, uint32_t group)
{
	return t->states[call].p + (size_t)group * r->spec.calls[call].call.state_size;
}

static void combine(struct aggtable *dst, struct aggtable *src, struct reducer *r, const uint32_t *map, bool retract)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		if (!src->states[i].p)
			continue;
		for (uint32_t g = 0; g < aggtable_n(src, r); g++) {
			char *d = state_of(dst, r, i, map[g]), *s = state_of(src, r, i, g);

			if (retract)
				c->def->retract(c, d, s);
			else
				c->def->merge(c, d, s);
		}
	}
}

void aggtable_merge(struct aggtable *dst, struct aggtable *src, struct reducer *r, uint32_t *map)
{
	uint32_t *m = map ? map : xmalloc((aggtable_n(src, r) + 1) * sizeof *m);

	map_groups(dst, src, r, m);
	combine(dst, src, r, m, false);
	dst->any |= src->any;
	if (!map)
		free(m);
}

void aggtable_retract(struct aggtable *dst, struct aggtable *src, struct reducer *r, uint32_t *map)
{
	uint32_t *m = map ? map : xmalloc((aggtable_n(src, r) + 1) * sizeof *m);

	map_groups(dst, src, r, m);
	combine(dst, src, r, m, true);
	if (!map)
		free(m);
}

/* Through the serialised form, which every aggregate has. */
void aggtable_copy(struct aggtable *dst, const struct aggtable *src, struct reducer *r)
{
	uint32_t n = aggtable_n(src, r), *map = xmalloc((n + 1) * sizeof *map);
	struct buf b = { 0 };

	map_groups(dst, src, r, map);
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		if (!src->states[i].p)
			continue;
		for (uint32_t g = 0; g < n; g++) {
			const char *p;

			b.n = 0;
			c->def->save(c, state_of(src, r, i, g), &b);
			p = b.p;
			if (c->def->load(c, state_of(dst, r, i, map[g]), &p, b.p + b.n))
				BUG("%s: a state does not load again", c->def->doc.name);
		}
	}
	dst->any = src->any;
	buf_release(&b);
	free(map);
}

/* ---- rows out ---- */

static int push(struct aggtable *t, struct reducer *r, const uint32_t *list, uint32_t from, uint32_t n, struct err *e)
{
	struct reduce_rows rows = { .groups = &t->groups, .states = t->states, .key_list = list, .state_list = list, .from = from, .n = n };
	struct batch b;

	reserve_all(t, r);
	reducer_batch(r, &rows, &b);
	return op_push(r->op, &b, e);
}

int aggtable_push(struct aggtable *t, struct reducer *r, uint32_t from, uint32_t n, struct err *e)
{
	return push(t, r, NULL, from, n, e);
}

int aggtable_push_list(struct aggtable *t, struct reducer *r, const uint32_t *groups, uint32_t n, struct err *e)
{
	int verdict = 0;

	for (uint32_t from = 0, step = batch_rows(); from < n && !verdict; from += step) {
		verdict = push(t, r, groups + from, 0, n - from < step ? n - from : step, e);
		arena_reset(&r->op->arena);
	}
	return verdict;
}

int aggtable_push_all(struct aggtable *t, struct reducer *r, struct err *e)
{
	uint32_t n = aggtable_n(t, r), step = batch_rows();
	int verdict = 0;

	for (uint32_t from = 0; from < n && !verdict; from += step) {
		verdict = push(t, r, NULL, from, n - from < step ? n - from : step, e);
		arena_reset(&r->op->arena);
	}
	return verdict;
}

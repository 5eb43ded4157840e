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

void aggtable_update(struct aggtable *t, struct reducer *r, const struct batch *b)
{
	uint32_t *g = reducer_groups(r, &t->groups, b);
	struct column *args = reducer_args(r, b);

	reserve_all(t, r);
	states_update(t->states, r, g, args, b->sel, b->n_sel, b);
	t->any = true;
}

/* ---- rows out ---- */

static int push(struct aggtable *t, struct reducer *r, uint32_t from, uint32_t n, struct err *e)
{
	struct reduce_rows rows = { .groups = &t->groups, .states = t->states, .from = from, .n = n };
	struct batch b;

	reserve_all(t, r);
	reducer_batch(r, &rows, &b);
	return op_push(r->op, &b, e);
}

int aggtable_push_all(struct aggtable *t, struct reducer *r, struct err *e)
{
	uint32_t n = aggtable_n(t, r), step = batch_rows();
	int verdict = 0;

	for (uint32_t from = 0; from < n && !verdict; from += step) {
		verdict = push(t, r, from, n - from < step ? n - from : step, e);
		arena_reset(&r->op->arena);
	}
	return verdict;
}

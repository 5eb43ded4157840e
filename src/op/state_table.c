#include "op/state_table.h"

#include <stdlib.h>

/* Births of windows that close stand behind all others. */
#define ORDER_LAST ((uint64_t)1 << 56)
/* Keys that are gone, worth making the table anew for. */
#define DEAD_MIN 4096

void state_table_init(struct state_table *t, const struct state_shape *shape)
{
	*t = (struct state_table){ .shape = *shape, .oldest = KEYTAB_NONE, .youngest = KEYTAB_NONE };
	groups_init(&t->groups, shape->n_keys);
}

static void free_columns(struct state_table *t)
{
	big_free(t->meta, t->meta_cap);
	big_free(t->vars, t->vars_cap);
	big_free(t->cells, t->cells_cap);
	big_free(t->ages, t->ages_cap);
}

void state_table_release(struct state_table *t)
{
	for (size_t i = 0; t->pool.large && i < (size_t)t->n * t->shape.n_vars; i++)
		valuepool_drop(&t->pool, &t->vars[i]);
	valuepool_release(&t->pool);
	free_columns(t);
	timer_heap_release(&t->clock);
	timer_heap_release(&t->event);
	free(t->changed);
	groups_release(&t->groups);
	*t = (struct state_table){ 0 };
}

/* `size` bytes for each of n keys. */
static void *grow_column(void *p, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap ? *cap : 64 * size;

	if (n * size <= *cap)
		return p;
	while (want < n * size)
		want *= 2;
	p = big_grow(p, *cap, want);
	*cap = want;
	return p;
}

static void make_rows(struct state_table *t, uint32_t n)
{
	const struct state_shape *s = &t->shape;

	t->meta = grow_column(t->meta, &t->meta_cap, n, sizeof *t->meta);
	t->vars = grow_column(t->vars, &t->vars_cap, n, s->n_vars * sizeof *t->vars);
	if (s->n_slots)
		t->cells = grow_column(t->cells, &t->cells_cap, n, s->n_slots * sizeof *t->cells);
	if (s->ages)
		t->ages = grow_column(t->ages, &t->ages_cap, n, sizeof *t->ages);
	for (size_t i = (size_t)t->n * s->n_slots; i < (size_t)n * s->n_slots; i++)
		t->cells[i] = (struct state_cell){ TIMER_NONE, TIMER_NONE };
	t->n = n;
}

void state_table_put(struct state_table *t, struct arena *a, const struct column *const *cols, const uint32_t *sel,
		     uint32_t n_sel, uint32_t *key)
{
	groups_put(&t->groups, a, cols, sel, n_sel, key);
	if (t->groups.table.n > t->n)
		make_rows(t, t->groups.table.n);
}

/* ---- coming and going ---- */

void state_table_note_change(struct state_table *t, uint32_t key)
{
	if (t->meta[key].flags & STATE_CHANGED)
		return;
	t->meta[key].flags |= STATE_CHANGED;
	t->changed = xgrow(t->changed, &t->changed_cap, t->n_changed + 1, sizeof *t->changed);
	t->changed[t->n_changed++] = key;
}

void state_table_forget_changes(struct state_table *t)
{
	for (size_t i = 0; i < t->n_changed; i++)
		t->meta[t->changed[i]].flags &= ~STATE_CHANGED;
	t->n_changed = 0;
}

void state_table_revive(struct state_table *t, uint32_t key, uint64_t birth)
{
	t->meta[key].birth = birth;
	t->reborn = t->n_live && (t->reborn || key < t->newest || birth < t->births);
	t->newest = key;
	t->births = birth > t->births ? birth : t->births;
	t->n_live++;
}

void state_table_wake(struct state_table *t, uint32_t key)
{
	if (t->meta[key].birth)
		return;
	state_table_revive(t, key, t->births + 1);
	state_table_note_change(t, key);
}

void state_table_set(struct state_table *t, uint32_t key, uint32_t var, const struct value *v)
{
	struct value *to = &state_table_vars(t, key)[var], old = *to;

	*to = valuepool_keep(&t->pool, v);
	valuepool_retire(&t->pool, &old);
}

void state_table_clear(struct state_table *t, uint32_t key)
{
	static const struct value null = { .type = T_NULL };

	for (uint32_t i = 0; i < t->shape.n_vars; i++)
		state_table_set(t, key, i, &null);
	for (uint32_t i = 0; i < t->shape.n_slots; i++)
		if (i != t->shape.close)
			state_table_timer(t, key, i, TIMER_NONE, 0);
	t->meta[key].flags &= ~(STATE_READY | STATE_HOLDS);
}

bool state_table_holds(const struct state_table *t, uint32_t key)
{
	const struct state_cell *c = state_table_cells(t, key);

	if (t->meta[key].flags & STATE_HOLDS)
		return true;
	for (uint32_t i = 0; i < t->shape.n_slots; i++)
		if (i != t->shape.close && c[i].at != TIMER_NONE)
			return true;
	return false;
}

static void link_age(struct state_table *t, uint32_t key)
{
	struct state_age *a = &t->ages[key];

	a->prev = t->youngest;
	a->next = KEYTAB_NONE;
	*(t->youngest == KEYTAB_NONE ? &t->oldest : &t->ages[t->youngest].next) = key;
	t->youngest = key;
}

static void unlink_age(struct state_table *t, uint32_t key)
{
	struct state_age *a = &t->ages[key];

	*(a->prev == KEYTAB_NONE ? &t->oldest : &t->ages[a->prev].next) = a->next;
	*(a->next == KEYTAB_NONE ? &t->youngest : &t->ages[a->next].prev) = a->prev;
}

void state_table_drop(struct state_table *t, uint32_t key)
{
	if (!t->meta[key].birth)
		return;
	state_table_clear(t, key);
	if (t->shape.close != STATE_NO_SLOT)
		state_table_timer(t, key, t->shape.close, TIMER_NONE, 0);
	for (uint32_t i = 0; i < t->shape.n_slots; i++) {
		struct state_cell *c = &state_table_cells(t, key)[i];

		t->n_queued -= c->queued != TIMER_NONE;
		c->queued = TIMER_NONE;
	}
	if (t->shape.ages && t->meta[key].flags & STATE_AGED)
		unlink_age(t, key);
	t->meta[key].birth = 0;
	t->meta[key].flags &= STATE_CHANGED;
	t->n_live--;
	t->crowded = t->n - t->n_live >= DEAD_MIN && t->n - t->n_live > t->n_live;
}

/* ---- ages ---- */

void state_table_touch(struct state_table *t, uint32_t key, int64_t now)
{
	if (!t->shape.ages)
		return;
	if (t->meta[key].flags & STATE_AGED) {
		if (t->ages[key].last == now)
			return;
		unlink_age(t, key);
	}
	t->meta[key].flags |= STATE_AGED;
	t->ages[key].last = now;
	link_age(t, key);
	state_table_note_change(t, key);
}

struct aged {
	int64_t last;
	uint32_t key;
};

static int aged_cmp(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;

	if (x->last != y->last)
		return x->last < y->last ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

void state_table_sort_ages(struct state_table *t)
{
	struct aged *at = xmalloc(((size_t)t->n_live + 1) * sizeof *at);
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		if (t->meta[i].birth && t->meta[i].flags & STATE_AGED)
			at[n++] = (struct aged){ t->ages[i].last, i };
	qsort(at, n, sizeof *at, aged_cmp);
	t->oldest = t->youngest = KEYTAB_NONE;
	for (uint32_t i = 0; i < n; i++)
		link_age(t, at[i].key);
	t->ages_mixed = false;
	free(at);
}

/* ---- timers ---- */

static struct timer_heap *heap_of(struct state_table *t, uint32_t slot) { return t->shape.event[slot] ? &t->event : &t->clock; }

static uint64_t order_of(const struct state_table *t, uint32_t key, uint32_t slot)
{
	return t->meta[key].birth | (slot == t->shape.close ? ORDER_LAST : 0);
}

/* Does the entry count? */
static bool is_current(struct timer_entry *e, void *ctx)
{
	const struct state_table *t = ctx;

	return e->order == order_of(t, e->key, e->slot) && state_table_cells(t, e->key)[e->slot].queued == e->at;
}

static void count_timer(struct state_table *t, uint32_t slot, bool was, bool is)
{
	uint64_t *n = slot == t->shape.close ? &t->n_windows : &t->n_set[t->shape.event[slot]];

	*n += (uint64_t)is - (uint64_t)was;
}

void state_table_timer(struct state_table *t, uint32_t key, uint32_t slot, int64_t at, uint32_t chain)
{
	struct state_cell *c = &state_table_cells(t, key)[slot];
	struct timer_heap *h = heap_of(t, slot);

	if (c->at == at)
		return;
	count_timer(t, slot, c->at != TIMER_NONE, at != TIMER_NONE);
	c->at = at;
	state_table_note_change(t, key);
	if (at >= c->queued)
		return;
	t->n_queued += c->queued == TIMER_NONE;
	c->queued = at;
	timer_heap_push(h,
			&(struct timer_entry){
				.at = at, .order = order_of(t, key, slot), .key = key, .slot = (uint8_t)slot, .chain = chain });
	if (h->n > 2 * t->n_queued + DEAD_MIN)
		timer_heap_keep(h, is_current, t);
}

/* The timer has been put off since its entry was made: a new entry. */
static void put_off(struct state_table *t, struct timer_heap *h, struct timer_entry *e, struct state_cell *c)
{
	e->at = c->queued = c->at;
	t->n_queued++;
	timer_heap_push(h, e);
}

bool state_table_due(struct state_table *t, bool event, int64_t until, struct timer_entry *out)
{
	struct timer_heap *h = event ? &t->event : &t->clock;

	while (h->n && h->at[0].at < until) {
		struct timer_entry e = timer_heap_pop(h);
		struct state_cell *c = &state_table_cells(t, e.key)[e.slot];

		if (e.order != order_of(t, e.key, e.slot) || c->queued != e.at)
			continue;
		t->n_queued--;
		c->queued = TIMER_NONE;
		if (c->at == TIMER_NONE)
			continue;
		if (c->at > e.at) {
			put_off(t, h, &e, c);
			continue;
		}
		state_table_timer(t, e.key, e.slot, TIMER_NONE, 0);
		*out = e;
		return true;
	}
	return false;
}

int64_t state_table_next(struct state_table *t, bool event)
{
	struct timer_heap *h = event ? &t->event : &t->clock;

	while (h->n) {
		struct timer_entry e = h->at[0];
		struct state_cell *c = &state_table_cells(t, e.key)[e.slot];

		if (is_current(&e, t) && c->at == e.at)
			return e.at;
		timer_heap_pop(h);
		if (!is_current(&e, t))
			continue;
		t->n_queued--;
		c->queued = TIMER_NONE;
		if (c->at != TIMER_NONE)
			put_off(t, h, &e, c);
	}
	return TIMER_NONE;
}

/* ---- all keys ---- */

struct born {
	uint64_t birth;
	uint32_t key;
};

static int born_cmp(const void *a, const void *b)
{
	uint64_t x = ((const struct born *)a)->birth, y = ((const struct born *)b)->birth;

	return x < y ? -1 : x > y;
}

static void sort_by_birth(const struct state_table *t, uint32_t *keys, uint32_t n)
{
	struct born *b = xmalloc(((size_t)n + 1) * sizeof *b);

	for (uint32_t i = 0; i < n; i++)
		b[i] = (struct born){ t->meta[keys[i]].birth, keys[i] };
	qsort(b, n, sizeof *b, born_cmp);
	for (uint32_t i = 0; i < n; i++)
		keys[i] = b[i].key;
	free(b);
}

uint32_t state_table_order(const struct state_table *t, uint32_t *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		if (t->meta[i].birth)
			out[n++] = i;
	if (t->reborn)
		sort_by_birth(t, out, n);
	return n;
}

/* ---- compaction ---- */

static bool renumber(struct timer_entry *e, void *ctx)
{
	const uint32_t *to = ctx;

	e->key = to[e->key];
	return true;
}

/* Row list[i] of a column becomes row i. */
static void *gather(const void *from, const uint32_t *list, uint32_t n, size_t size, size_t *cap)
{
	char *to;

	*cap = 0;
	if (!size)
		return NULL;
	to = grow_column(NULL, cap, n, size);
	for (uint32_t i = 0; i < n; i++)
		memcpy(to + i * size, (const char *)from + list[i] * size, size);
	return to;
}

static void renumber_ages(struct state_table *t, uint32_t n, const uint32_t *to)
{
	for (uint32_t i = 0; i < n; i++) {
		struct state_age *a = &t->ages[i];

		if (!(t->meta[i].flags & STATE_AGED))
			continue;
		a->prev = a->prev == KEYTAB_NONE ? KEYTAB_NONE : to[a->prev];
		a->next = a->next == KEYTAB_NONE ? KEYTAB_NONE : to[a->next];
	}
	t->oldest = t->oldest == KEYTAB_NONE ? KEYTAB_NONE : to[t->oldest];
	t->youngest = t->youngest == KEYTAB_NONE ? KEYTAB_NONE : to[t->youngest];
}

static void gather_columns(struct state_table *t, const uint32_t *list, uint32_t n)
{
	const struct state_shape *s = &t->shape;
	struct state_table old = *t;

	t->meta = gather(old.meta, list, n, sizeof *t->meta, &t->meta_cap);
	t->vars = gather(old.vars, list, n, s->n_vars * sizeof *t->vars, &t->vars_cap);
	t->cells = gather(old.cells, list, n, s->n_slots * sizeof *t->cells, &t->cells_cap);
	t->ages = gather(old.ages, list, n, s->ages ? sizeof *t->ages : 0, &t->ages_cap);
	t->n = n;
	free_columns(&old);
}

void state_table_compact(struct state_table *t)
{
	uint32_t *list = xmalloc(((size_t)t->n_live + 1) * sizeof *list), *to = xmalloc(((size_t)t->n + 1) * sizeof *to);
	uint32_t *map = xmalloc(((size_t)t->n_live + 1) * sizeof *map), n = state_table_order(t, list);
	struct groups fresh;

	timer_heap_keep(&t->clock, is_current, t);
	timer_heap_keep(&t->event, is_current, t);
	for (uint32_t i = 0; i < n; i++)
		to[list[i]] = i;
	groups_init(&fresh, t->shape.n_keys);
	groups_copy(&fresh, &t->groups, list, n, map);
	for (uint32_t i = 0; i < n; i++)
		fresh.table.entries[i].user = t->groups.table.entries[list[i]].user;
	groups_release(&t->groups);
	t->groups = fresh;
	gather_columns(t, list, n);
	timer_heap_keep(&t->clock, renumber, to);
	timer_heap_keep(&t->event, renumber, to);
	if (t->shape.ages)
		renumber_ages(t, n, to);
	t->reborn = t->crowded = false;
	t->newest = n ? n - 1 : 0;
	free(list);
	free(to);
	free(map);
}

bool state_table_may_leave(const struct state_table *t, uint32_t key)
{
	return t->meta[key].birth && !(t->meta[key].flags & (STATE_TOUCHED | STATE_CHANGED | STATE_CLOSED));
}

void state_table_repack(struct state_table *t)
{
	struct valuepool fresh = { 0 };

	valuepool_settle(&t->pool);
	for (size_t i = 0; i < (size_t)t->n * t->shape.n_vars; i++) {
		struct value old = t->vars[i];

		t->vars[i] = valuepool_keep(&fresh, &old);
		valuepool_drop(&t->pool, &old);
	}
	valuepool_release(&t->pool);
	t->pool = fresh;
}

size_t state_table_memory(const struct state_table *t)
{
	return groups_memory(&t->groups) + t->meta_cap + t->vars_cap + t->cells_cap + t->ages_cap + valuepool_memory(&t->pool) +
	       (t->clock.cap + t->event.cap) * sizeof *t->clock.at + t->changed_cap * sizeof *t->changed;
}

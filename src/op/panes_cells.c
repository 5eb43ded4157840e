/* The cells of keys. */
#include <stdlib.h>

#include "op/panes_impl.h"

void cell_list_add(struct cell_list *l, uint32_t cell)
{
	l->at = xgrow(l->at, &l->cap, l->n + 1, sizeof *l->at);
	l->at[l->n++] = cell;
}

void panes_touch(struct panes *p, uint32_t cell)
{
	struct cell *c = &p->cells[cell];

	if (c->flags & CELL_TOUCHED)
		return;
	c->flags |= CELL_TOUCHED;
	p->touched = xgrow(p->touched, &p->touched_cap, p->n_touched + 1, sizeof *p->touched);
	p->touched[p->n_touched++] = (struct cell_visit){ cell, c->gen };
}

void *panes_trigger(const struct panes *p, uint32_t cell)
{
	return p->triggers + (size_t)cell * p->trigger_size;
}

/* ---- windows of a key ---- */

struct key_cells *panes_key(struct panes *p, uint32_t key)
{
	if (key >= p->n_keys) {
		p->keys = xgrow(p->keys, &p->keys_cap, (size_t)key + 1, sizeof *p->keys);
		p->born = xgrow(p->born, &p->born_cap, (size_t)key + 1, sizeof *p->born);
		for (; p->n_keys <= key; p->n_keys++) {
			p->keys[p->n_keys] = (struct key_cells){ 0 };
			p->born[p->n_keys] = 0;
			p->n_dead++;
		}
	}
	return &p->keys[key];
}

const uint32_t *key_cells_at(const struct key_cells *k)
{
	return k->cap ? k->many : &k->one;
}

static bool is_before(const struct cell *c, int64_t start, int64_t end)
{
	return c->start != start ? c->start < start : c->end < end;
}

uint32_t key_cells_place(const struct panes *p, const struct key_cells *k, int64_t start, int64_t end)
{
	const uint32_t *at = key_cells_at(k);
	uint32_t lo = 0, hi = k->n;

	if (hi && is_before(&p->cells[at[hi - 1]], start, end))
		return hi; /* most records are newer than what there is */
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (is_before(&p->cells[at[mid]], start, end))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void make_room(struct key_cells *k)
{
	uint32_t one = k->one, *many;

	if (k->n < (k->cap ? k->cap : 1))
		return;
	many = xrealloc(k->cap ? k->many : NULL, (k->cap ? k->cap * 2 : 4) * sizeof *many);
	if (!k->cap)
		many[0] = one;
	k->cap = k->cap ? k->cap * 2 : 4;
	k->many = many;
}

void panes_list(struct panes *p, uint32_t cell)
{
	struct cell *c = &p->cells[cell];
	struct key_cells *k = panes_key(p, c->key);
	uint32_t at = key_cells_place(p, k, c->start, c->end), *cells;

	if (!p->born[c->key]) {
		p->born[c->key] = ++p->births;
		p->n_dead--;
	}
	make_room(k);
	cells = k->cap ? k->many : &k->one;
	memmove(cells + at + 1, cells + at, (k->n - at) * sizeof *cells);
	cells[at] = cell;
	k->n++;
}

void panes_unlist(struct panes *p, uint32_t cell)
{
	struct cell *c = &p->cells[cell];
	struct key_cells *k = panes_key(p, c->key);
	uint32_t *cells = k->cap ? k->many : &k->one, at = key_cells_place(p, k, c->start, c->end);

	while (cells[at] != cell)
		at++;
	k->n--;
	memmove(cells + at, cells + at + 1, (k->n - at) * sizeof *cells);
	if (k->n || !k->cap)
		return;
	free(k->many);
	*k = (struct key_cells){ 0 };
}

uint32_t panes_find(struct panes *p, uint32_t key, const struct interval *w)
{
	const struct key_cells *k = panes_key(p, key);
	uint32_t at = key_cells_place(p, k, w->start, w->end), cell;

	if (at == k->n)
		return CELL_NONE;
	cell = key_cells_at(k)[at];
	return p->cells[cell].start == w->start && p->cells[cell].end == w->end ? cell : CELL_NONE;
}

/* ---- slots ---- */

uint32_t panes_slot(struct panes *p)
{
	uint32_t slot;

	if (p->unused.n) {
		slot = p->unused.at[--p->unused.n];
	} else {
		slot = p->n_cells++;
		p->cells = xgrow(p->cells, &p->cells_cap, p->n_cells, sizeof *p->cells);
		p->cells[slot] = (struct cell){ 0 };
		p->triggers = xgrow(p->triggers, &p->triggers_cap, (size_t)p->n_cells * p->trigger_size, 1);
		states_reserve(p->states, &p->reducer, p->n_cells);
	}
	if (p->ordered)
		panes_parts_slot(p, slot);
	return slot;
}

uint32_t panes_open(struct panes *p, uint32_t key, const struct interval *w)
{
	uint32_t slot = panes_slot(p);

	p->cells[slot] = (struct cell){ .start = w->start, .end = w->end, .key = key, .gen = p->cells[slot].gen, .merged_into = CELL_NONE,
					.flags = CELL_LIVE | CELL_FRESH, .clock_timer = INT64_MAX, .first = INT64_MAX, .last = INT64_MIN };
	memset(panes_trigger(p, slot), 0, p->trigger_size);
	p->n_live++;
	panes_list(p, slot);
	panes_set_timer(p, slot);
	if (p->op.run->durable)
		panes_keep_open(p, slot);
	return slot;
}

void panes_forget(struct panes *p, struct said *s)
{
	while (s) {
		struct said *next = s->next;

		p->said_bytes -= sizeof *next + s->n;
		free(s);
		s = next;
	}
}

void panes_forget_said(struct panes *p, struct cell *c)
{
	panes_forget(p, c->said);
	c->said = NULL;
}

void panes_drop(struct panes *p, uint32_t cell)
{
	struct cell *c = &p->cells[cell];

	if (p->op.run->durable)
		panes_keep_drop(p, cell);
	panes_forget_said(p, c);
	if (p->ordered)
		panes_parts_forget(p, cell);
	states_reset(p->states, &p->reducer, cell);
	c->flags = 0;
	c->gen++;
	p->n_live--;
	cell_list_add(&p->unused, cell);
	if (p->keys[c->key].n)
		return;
	p->born[c->key] = 0;
	p->n_dead++;
}

/* ---- timers ---- */

int64_t panes_expiry(const struct panes *p, const struct cell *c)
{
	int64_t lateness = p->spec.trigger.lateness_ns;

	return c->end > INT64_MAX - lateness ? INT64_MAX : c->end + lateness;
}

/* At the end of the window, if its trigger looks at that; at the end of the lateness. */
void panes_set_timer(struct panes *p, uint32_t cell)
{
	const struct cell *c = &p->cells[cell];
	bool looks = trigger_sees_watermark(p->trigger) && !(c->flags & (CELL_ENDED | CELL_CLOSED));

	if (!p->spec.complete)
		timers_add(&p->by_watermark, looks ? c->end : panes_expiry(p, c), cell, c->gen);
}

void panes_set_clock(struct panes *p, uint32_t cell, int64_t at)
{
	struct cell *c = &p->cells[cell];

	if (at == INT64_MAX || at >= c->clock_timer)
		return;
	c->clock_timer = at;
	timers_add(&p->by_clock, at, cell, c->gen);
}

int64_t panes_hold(const struct panes *p, const struct cell *c)
{
	if (!p->stamps)
		return c->flags & CELL_HOLDS ? c->end : INT64_MAX;
	if (p->spec.trigger.stamp == STAMP_EARLIEST)
		return c->first;
	return c->last == INT64_MIN ? INT64_MAX : c->last;
}

void panes_set_hold(struct panes *p, uint32_t cell)
{
	int64_t at = panes_hold(p, &p->cells[cell]);

	if (at != INT64_MAX)
		timers_add(&p->held, at, cell, p->cells[cell].gen);
}

/* Beam's (WatermarkHold): what is behind the watermark that those behind know holds nothing, and its pane has the time of the window's end. */
void panes_stamp(struct panes *p, uint32_t cell, int64_t t)
{
	struct cell *c = &p->cells[cell];
	int64_t was = panes_hold(p, c);

	if (t <= p->op.passes)
		return;
	if (t < c->first)
		c->first = t;
	if (t > c->last)
		c->last = t;
	if (panes_hold(p, c) < was)
		panes_set_hold(p, cell);
}

/* ---- keys that have gone ---- */

/* Dead keys worth numbering the others anew for. */
#define DEAD_MIN 1024

void panes_compact(struct panes *p)
{
	struct groups fresh;
	size_t room = p->n_keys - p->n_dead + 1;
	struct key_cells *keys = xcalloc(room, sizeof *keys);
	uint64_t *born = xcalloc(room, sizeof *born);
	uint32_t *live = xmalloc((p->n_keys + 1) * sizeof *live), *group = xmalloc((p->n_keys + 1) * sizeof *group), n = 0;

	for (uint32_t k = 0; k < p->n_keys; k++)
		if (p->born[k])
			live[n++] = k;
	groups_init(&fresh, p->groups.n_keys);
	groups_copy(&fresh, &p->groups, live, n, group);
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t *at = key_cells_at(&p->keys[live[i]]);

		fresh.table.entries[group[i]].user = p->groups.table.entries[live[i]].user;
		keys[group[i]] = p->keys[live[i]];
		born[group[i]] = p->born[live[i]];
		for (uint32_t c = 0; c < keys[group[i]].n; c++)
			p->cells[at[c]].key = group[i];
	}
	groups_release(&p->groups);
	p->groups = fresh;
	free(p->keys);
	free(p->born);
	p->keys = keys;
	p->born = born;
	p->keys_cap = p->born_cap = room;
	p->n_keys = n;
	p->n_dead = 0;
	panes_parts_renumbered(p);
	free(live);
	free(group);
}

/* ---- slots that have gone ---- */

struct renaming {
	const struct panes *p;
	const uint32_t *to;
};

static bool rename_timer(struct timer *t, void *ctx)
{
	const struct renaming *r = ctx;

	if (r->to[t->what] == CELL_NONE || r->p->cells[t->what].gen != t->gen)
		return false;
	t->what = r->to[t->what];
	return true;
}

/* Rows of cells that stay, in an array of their own. */
static void *pack(void *from, const uint32_t *to, uint32_t n, uint32_t n_stay, size_t size)
{
	char *fresh = xmalloc(((size_t)n_stay + 1) * (size ? size : 1));

	for (uint32_t i = 0; i < n; i++)
		if (to[i] != CELL_NONE)
			memcpy(fresh + to[i] * size, (const char *)from + i * size, size);
	free(from);
	return fresh;
}

static void rename_listed(struct panes *p, const uint32_t *to)
{
	for (uint32_t k = 0; k < p->n_keys; k++) {
		uint32_t *at = p->keys[k].cap ? p->keys[k].many : &p->keys[k].one;

		for (uint32_t i = 0; i < p->keys[k].n; i++)
			at[i] = to[at[i]];
	}
}

void panes_repack(struct panes *p)
{
	uint32_t *to = xmalloc(((size_t)p->n_cells + 1) * sizeof *to), n = 0;
	struct renaming r = { p, to };

	for (uint32_t i = 0; i < p->n_cells; i++)
		to[i] = p->cells[i].flags & CELL_LIVE || (p->ordered && p->arrivals[i].seq) ? n++ : CELL_NONE;
	timers_keep(&p->by_watermark, rename_timer, &r);
	timers_keep(&p->by_clock, rename_timer, &r);
	timers_keep(&p->held, rename_timer, &r);
	rename_listed(p, to);
	p->cells = pack(p->cells, to, p->n_cells, n, sizeof *p->cells);
	p->triggers = pack(p->triggers, to, p->n_cells, n, p->trigger_size);
	panes_keep_reserve(p, p->n_cells); /* parts of sessions have nothing there */
	p->kept = pack(p->kept, to, p->n_cells, n, sizeof *p->kept);
	states_pack(p->states, &p->reducer, to, p->n_cells, n);
	if (p->ordered)
		panes_parts_pack(p, to, n);
	p->cells_cap = p->kept_cap = n;
	p->triggers_cap = (size_t)n * p->trigger_size;
	p->n_cells = n;
	free(p->unused.at);
	p->unused = (struct cell_list){ 0 };
	panes_near_free(p);
	panes_compact(p);
	free(to);
}

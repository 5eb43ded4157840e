/* Sessions: windows of a key that merge as records bridge them. */
#include "op/panes_impl.h"

static bool bridges(const struct panes *p, const struct cell *c, const struct interval *w)
{
	if (c->flags & CELL_CLOSED)
		return false;
	return p->spec.assign.window.closed ? c->start <= w->end && c->end >= w->start : c->start < w->end && c->end > w->start;
}

/* The open sessions of the key that w bridges, by ascending start, onto p->going's spare room: they are few. Returns how many. */
static uint32_t find_bridged(struct panes *p, const struct key_cells *k, const struct interval *w, struct cell_list *out)
{
	uint32_t at = key_cells_place(p, k, w->end, INT64_MAX);
	const uint32_t *cells = key_cells_at(k);

	out->n = 0;
	while (at-- > 0) {
		const struct cell *c = &p->cells[cells[at]];

		if (bridges(p, c, w))
			cell_list_add(out, cells[at]);
		else if (!(c->flags & CELL_CLOSED) && c->end < w->start)
			break;
	}
	return (uint32_t)out->n;
}

/* Of the sessions that were there before this micro-batch: records are told to the trigger at its end. */
static void join_triggers(struct panes *p, uint32_t into, const struct cell_list *from, int64_t end)
{
	struct trigger_view view = { .now = p->op.run->now, .watermark = p->op.watermark, .end = end };
	const void **states = arena_array(&p->op.arena, const void *, from->n + 1);
	char *merged = arena_zero(&p->op.arena, p->trigger_size + 8);
	uint32_t n = 0;

	for (size_t i = 0; i < from->n; i++)
		if (!(p->cells[from->at[i]].flags & CELL_FRESH))
			states[n++] = panes_trigger(p, from->at[i]);
	if (!n)
		return;
	trigger_merge(p->trigger, merged, states, n, &view);
	memcpy(panes_trigger(p, into), merged, p->trigger_size);
	arena_reset(&p->op.arena);
}

/* The cell goes now; what it holds stays where it is. */
static void swallow_parts(struct panes *p, uint32_t into, uint32_t from)
{
	if (p->op.run->durable)
		panes_keep_drop(p, from);
	p->n_live--;
	panes_parts_take(p, into, from);
}

/* `from` becomes part of `into`: its states, records and panes. The slot goes once this batch's records are in. */
static void swallow(struct panes *p, uint32_t into, uint32_t from)
{
	struct cell *d = &p->cells[into], *s = &p->cells[from];
	struct said **end = &d->said;

	if (!p->ordered)
		states_merge(p->states, into, p->states, from, &p->reducer);
	d->came += s->came;
	d->flags |= s->flags & CELL_NEW;
	d->flags &= (uint16_t)(s->flags | ~CELL_FRESH);
	if (s->first < d->first)
		d->first = s->first;
	if (s->last > d->last)
		d->last = s->last;
	while (*end)
		end = &(*end)->next;
	*end = s->said;
	s->said = NULL;
	if (s->flags & CELL_TOUCHED)
		panes_touch(p, into);
	s->flags = 0;
	s->gen++;
	if (p->ordered) {
		swallow_parts(p, into, from);
		return;
	}
	s->merged_into = into;
	cell_list_add(&p->going, from);
}

/* A window that is none of those merged begins to count its panes anew. */
static void forget_panes(struct cell *c)
{
	c->pane = c->on_time = 0;
	c->flags &= (uint16_t)~CELL_ON_TIME;
}

static void grow(struct panes *p, struct cell_list *bridged, const struct interval *all)
{
	uint32_t into = bridged->at[bridged->n - 1]; /* the earliest: its values come first */
	int keeps = -1;
	struct cell *c = &p->cells[into];
	uint32_t pane = 0, on_time = 0, flags = 0;
	bool later, held = c->flags & CELL_HOLDS;

	for (size_t i = 0; i < bridged->n; i++) {
		const struct cell *s = &p->cells[bridged->at[i]];

		if (s->start == all->start && s->end == all->end)
			keeps = (int)i;
	}
	if (keeps >= 0) {
		pane = p->cells[bridged->at[keeps]].pane;
		on_time = p->cells[bridged->at[keeps]].on_time;
		flags = p->cells[bridged->at[keeps]].flags & CELL_ON_TIME;
	}
	for (size_t i = 0; i < bridged->n; i++) {
		panes_unlist(p, bridged->at[i]);
		c->flags |= p->cells[bridged->at[i]].flags & CELL_HOLDS;
	}
	later = all->end > c->end;
	c->start = all->start;
	c->end = all->end;
	panes_list(p, into);
	for (size_t i = bridged->n - 1; i-- > 0;)
		swallow(p, into, bridged->at[i]);
	if (p->stamps || (c->flags & CELL_HOLDS && !held))
		panes_set_hold(p, into);
	forget_panes(c);
	if (keeps >= 0) {
		c->pane = pane;
		c->on_time = on_time;
		c->flags |= (uint16_t)flags;
	}
	if (later && c->flags & CELL_ENDED) {
		c->flags &= (uint16_t)~CELL_ENDED;
		timers_add(&p->by_watermark, c->end, into, c->gen);
	}
}

uint32_t panes_session(struct panes *p, uint32_t key, const struct interval *w)
{
	struct key_cells *k = panes_key(p, key);
	struct interval all = *w;
	struct cell_list *bridged = &p->look; /* free outside panes_fire */
	uint32_t into;

	if (!find_bridged(p, k, w, bridged))
		return panes_open(p, key, w);
	for (size_t i = 0; i < bridged->n; i++) {
		const struct cell *c = &p->cells[bridged->at[i]];

		all.start = c->start < all.start ? c->start : all.start;
		all.end = c->end > all.end ? c->end : all.end;
	}
	into = bridged->at[bridged->n - 1];
	if (bridged->n > 1 || p->cells[into].start != all.start || p->cells[into].end != all.end) {
		join_triggers(p, into, bridged, all.end);
		grow(p, bridged, &all);
	}
	bridged->n = 0;
	return into;
}

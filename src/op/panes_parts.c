/* Sessions whose aggregates go by the order of arrival (first, collect ...). Sessions of a key that are apart take rows in turn, and may become one later. So
 * what a cell holds is in parts: rows that came one after the other, with none of the key's other sessions between them. A part is a slot; the first is the
 * cell's own. They become one state, in the order of arrival, where the key has no other session, and for a pane. */
#include <stdlib.h>

#include "op/panes_impl.h"

void panes_parts_slot(struct panes *p, uint32_t slot)
{
	p->arrivals = xgrow(p->arrivals, &p->arrivals_cap, (size_t)slot + 1, sizeof *p->arrivals);
	p->arrivals[slot] = (struct arrival){ .newest = CELL_NONE };
}

/* The slot that took the key's last row, CELL_NONE: not known. */
static uint32_t *last_of(struct panes *p, uint32_t key)
{
	p->last_slot = xgrow(p->last_slot, &p->last_slot_cap, (size_t)key + 1, sizeof *p->last_slot);
	while (p->n_last <= key)
		p->last_slot[p->n_last++] = CELL_NONE;
	return &p->last_slot[key];
}

uint32_t panes_part(struct panes *p, uint32_t cell)
{
	uint32_t *last = last_of(p, p->cells[cell].key), slot = cell;
	struct arrival *a = &p->arrivals[cell];

	if (a->newest != CELL_NONE && *last == a->newest)
		return *last;
	if (a->seq) {
		slot = panes_slot(p);
		p->cells[slot].merged_into = CELL_NONE;
		cell_list_add(&p->arrivals[cell].parts, slot);
	}
	p->arrivals[slot].seq = ++p->arrived;
	p->arrivals[cell].newest = *last = slot;
	return slot;
}

static void release(struct panes *p, uint32_t slot)
{
	states_reset(p->states, &p->reducer, slot);
	p->arrivals[slot].seq = 0;
	cell_list_add(&p->unused, slot);
}

void panes_parts_forget(struct panes *p, uint32_t cell)
{
	struct arrival *a = &p->arrivals[cell];

	for (size_t i = 0; i < a->parts.n; i++)
		release(p, a->parts.at[i]);
	free(a->parts.at);
	*a = (struct arrival){ .newest = CELL_NONE };
}

void panes_parts_take(struct panes *p, uint32_t into, uint32_t from)
{
	struct arrival *d = &p->arrivals[into], *s = &p->arrivals[from];

	for (size_t i = 0; i < s->parts.n; i++)
		cell_list_add(&d->parts, s->parts.at[i]);
	if (s->newest != CELL_NONE && (d->newest == CELL_NONE || p->arrivals[d->newest].seq < p->arrivals[s->newest].seq))
		d->newest = s->newest;
	free(s->parts.at);
	s->parts = (struct cell_list){ 0 };
	s->newest = CELL_NONE;
	cell_list_add(s->seq ? &d->parts : &p->unused, from);
}

/* ---- as one ---- */

static int by_arrival(const void *x, const void *y, void *ctx)
{
	const struct panes *p = ctx;
	uint64_t a = p->arrivals[*(const uint32_t *)x].seq, b = p->arrivals[*(const uint32_t *)y].seq;

	return a < b ? -1 : a > b;
}

/* The cell's slots that hold rows, by arrival. The caller frees. */
static uint32_t *slots_of(const struct panes *p, uint32_t cell, size_t *n)
{
	const struct arrival *a = &p->arrivals[cell];
	uint32_t *slots = xmalloc((a->parts.n + 1) * sizeof *slots);

	*n = 0;
	if (a->seq)
		slots[(*n)++] = cell;
	for (size_t i = 0; i < a->parts.n; i++)
		slots[(*n)++] = a->parts.at[i];
	qsort_r(slots, *n, sizeof *slots, by_arrival, (void *)(uintptr_t)p);
	return slots;
}

/* All into the cell's own slot. */
static void fold(struct panes *p, uint32_t cell)
{
	struct arrival *a = &p->arrivals[cell];
	size_t n;
	uint32_t *slots = slots_of(p, cell, &n), *last = last_of(p, p->cells[cell].key);
	uint64_t seq = p->arrivals[slots[0]].seq;

	for (size_t i = 1; i < n; i++) {
		states_merge(p->states, slots[0], p->states, slots[i], &p->reducer);
		states_reset(p->states, &p->reducer, slots[i]);
	}
	if (slots[0] != cell)
		states_merge(p->states, cell, p->states, slots[0], &p->reducer);
	if (*last == a->newest)
		*last = cell;
	for (size_t i = 0; i < a->parts.n; i++)
		release(p, a->parts.at[i]);
	a->parts.n = 0;
	a->seq = seq;
	a->newest = cell;
	free(slots);
}

void panes_parts_settle(struct panes *p, uint32_t cell)
{
	if (p->arrivals[cell].parts.n && p->keys[p->cells[cell].key].n == 1)
		fold(p, cell);
}

static uint32_t copy_of(struct panes *p, uint32_t slot)
{
	uint32_t copy = panes_slot(p);
	struct buf bytes = { 0 };
	const char *at;

	states_save(p->states, &p->reducer, slot, &bytes);
	at = bytes.p;
	if (states_load(p->states, &p->reducer, copy, &at, bytes.p + bytes.n))
		BUG("states do not load again");
	buf_release(&bytes);
	return copy;
}

uint32_t panes_whole(struct panes *p, uint32_t cell, bool ends)
{
	uint32_t *slots, whole;
	size_t n;

	if (!p->arrivals[cell].parts.n)
		return cell;
	if (ends || p->keys[p->cells[cell].key].n == 1) {
		fold(p, cell);
		return cell;
	}
	slots = slots_of(p, cell, &n);
	whole = copy_of(p, slots[0]);
	for (size_t i = 1; i < n; i++) {
		uint32_t copy = copy_of(p, slots[i]);

		states_merge(p->states, whole, p->states, copy, &p->reducer);
		release(p, copy);
	}
	cell_list_add(&p->going, whole);
	free(slots);
	return whole;
}

void panes_whole_done(struct panes *p)
{
	for (size_t i = 0; i < p->going.n; i++)
		release(p, p->going.at[i]);
	p->going.n = 0;
}

/* ---- kept ---- */

void panes_parts_save(struct panes *p, uint32_t cell, struct buf *out)
{
	const struct arrival *a = &p->arrivals[cell];

	put_varint(out, a->seq);
	put_varint(out, a->parts.n);
	for (size_t i = 0; i < a->parts.n; i++) {
		put_varint(out, p->arrivals[a->parts.at[i]].seq);
		states_save(p->states, &p->reducer, a->parts.at[i], out);
	}
}

static void load_seq(struct panes *p, uint32_t cell, uint32_t slot, struct bytes_in *in)
{
	struct arrival *a = &p->arrivals[cell];
	uint64_t seq = get_varint(in);

	p->arrivals[slot].seq = seq;
	if (seq > p->arrived)
		p->arrived = seq;
	if (seq && (a->newest == CELL_NONE || p->arrivals[a->newest].seq < seq))
		a->newest = slot;
}

void panes_parts_load(struct panes *p, uint32_t cell, struct bytes_in *in)
{
	load_seq(p, cell, cell, in);
	for (uint64_t n = get_varint(in); n && !in->bad; n--) {
		uint32_t slot = panes_slot(p);

		p->cells[slot].merged_into = CELL_NONE;
		cell_list_add(&p->arrivals[cell].parts, slot);
		load_seq(p, cell, slot, in);
		in->bad |= !p->arrivals[slot].seq || states_load(p->states, &p->reducer, slot, &in->p, in->end);
	}
}

void panes_parts_renumbered(struct panes *p)
{
	p->n_last = 0;
}

static void rename_slots(struct arrival *a, const uint32_t *to)
{
	if (a->newest != CELL_NONE)
		a->newest = to[a->newest];
	for (size_t i = 0; i < a->parts.n; i++)
		a->parts.at[i] = to[a->parts.at[i]];
}

void panes_parts_pack(struct panes *p, const uint32_t *to, uint32_t n)
{
	struct arrival *fresh = xmalloc(((size_t)n + 1) * sizeof *fresh);

	for (uint32_t i = 0; i < p->n_cells; i++) {
		if (to[i] == CELL_NONE) {
			free(p->arrivals[i].parts.at);
			continue;
		}
		fresh[to[i]] = p->arrivals[i];
		rename_slots(&fresh[to[i]], to);
	}
	free(p->arrivals);
	p->arrivals = fresh;
	p->arrivals_cap = n;
	p->n_last = 0;
}

void panes_parts_release(struct panes *p)
{
	for (uint32_t i = 0; p->arrivals && i < p->n_cells; i++)
		free(p->arrivals[i].parts.at);
	free(p->arrivals);
	free(p->last_slot);
}

size_t panes_parts_memory(const struct panes *p)
{
	return p->arrivals_cap * sizeof *p->arrivals + p->last_slot_cap * sizeof *p->last_slot;
}

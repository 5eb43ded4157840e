/* Cells as entries of a checkpoint.
 *
 * key    'c' | values of the key | number of the cell, which is given once
 * value  version | flags u8 | start, end | the key's birth varint | pane, those on time varint | time of the clock's look |
 *        first, last | words of the trigger | number of panes said varint, { start, end, time, results } | states of the aggregates
 * and where the order of arrival matters, with another version: when the first row of the state came varint | number of parts varint, { when varint, states }
 * Times are i64. Timers are made anew of the cells. */
#include <stdlib.h>

#include "op/panes_impl.h"

#define TAG_CELL 'c'
#define CELL_VERSION 1
#define CELL_VERSION_PARTS 2
#define KEPT_FLAGS (CELL_NEW | CELL_CLOSED | CELL_ON_TIME | CELL_ENDED)

static void kept_reserve(struct panes *p, uint32_t cell)
{
	p->kept = xgrow(p->kept, &p->kept_cap, (size_t)cell + 1, sizeof *p->kept);
}

void panes_keep_open(struct panes *p, uint32_t cell)
{
	kept_reserve(p, cell);
	p->kept[cell] = (struct cell_kept){ .id = ++p->ids };
	keep_dirty_add(&p->dirty, cell);
}

static void put_key(const struct panes *p, uint32_t cell, struct buf *key)
{
	if (p->reducer.spec.n_keys)
		groups_save(&p->groups, p->cells[cell].key, key);
	keep_number(key, p->kept[cell].id);
}

void panes_keep_drop(struct panes *p, uint32_t cell)
{
	struct buf key = { 0 };

	keep_dirty_remove(&p->dirty, cell);
	if (!p->kept[cell].mark)
		return;
	buf_char(&key, TAG_CELL);
	put_key(p, cell, &key);
	keep_gone_add(&p->gone, key.p, key.n, p->kept[cell].mark);
	p->kept[cell].mark = 0;
	buf_release(&key);
}

void panes_keep_release(struct panes *p)
{
	free(p->kept);
	keep_dirty_release(&p->dirty);
	keep_gone_release(&p->gone);
}

size_t panes_keep_memory(const struct panes *p)
{
	return p->kept_cap * sizeof *p->kept + keep_dirty_memory(&p->dirty) + p->gone.b.cap;
}

/* ---- out ---- */

static void put_said(const struct said *s, struct buf *out)
{
	uint32_t n = 0;

	for (const struct said *at = s; at; at = at->next)
		n++;
	put_varint(out, n);
	for (; s; s = s->next) {
		keep_int(out, s->start);
		keep_int(out, s->end);
		keep_int(out, s->stamp);
		put_bytes(out, (struct store_bytes){ s->bytes, s->n });
	}
}

static void put_cell(struct panes *p, uint32_t cell, struct buf *out)
{
	const struct cell *c = &p->cells[cell];
	const uint64_t *words = panes_trigger(p, cell);

	buf_char(out, (char)(c->flags & KEPT_FLAGS));
	keep_int(out, c->start);
	keep_int(out, c->end);
	put_varint(out, p->born[c->key]);
	put_varint(out, c->pane);
	put_varint(out, c->on_time);
	keep_int(out, c->clock_timer);
	keep_int(out, c->first);
	keep_int(out, c->last);
	for (uint32_t i = 0; i < p->trigger_size / sizeof *words; i++)
		put_le(out, words[i], 8);
	put_said(c->said, out);
	states_save(p->states, &p->reducer, cell, out);
	if (p->ordered)
		panes_parts_save(p, cell, out);
}

static uint8_t version(const struct panes *p)
{
	return p->ordered ? CELL_VERSION_PARTS : CELL_VERSION;
}

void panes_commit(struct op *op, struct keeper *to)
{
	struct panes *p = (struct panes *)op;
	struct keep k = { .to = to };
	uint32_t cell;

	keep_gone_commit(&p->gone, to);
	while ((cell = keep_dirty_take(&p->dirty)) != UINT32_MAX) {
		keep_start(&k, TAG_CELL, version(p));
		put_key(p, cell, &k.key);
		put_cell(p, cell, &k.value);
		keep_put(&k, &p->kept[cell].mark);
	}
	keep_release(&k);
}

/* ---- in ---- */

/* The results of a pane that may have to be taken back load again. */
static bool loads(const struct panes *p, struct store_bytes s)
{
	const char *at = s.p, *end = s.p + s.n;
	struct arena a = { 0 };
	bool good = p->recalls || p->spec.trigger.accumulation == PANES_RETRACTING;

	for (uint32_t k = 0; k < p->reducer.spec.n_results && good; k++) {
		struct value v;

		good = !value_load(&at, end, &a, &v);
	}
	arena_release(&a);
	return good && at == end;
}

static struct said *load_said(struct panes *p, struct bytes_in *in)
{
	struct said one = { .start = keep_get_int(in) }, *s;
	struct store_bytes bytes;

	one.end = keep_get_int(in);
	one.stamp = keep_get_int(in);
	bytes = get_bytes(in);
	in->bad |= !loads(p, bytes);
	if (in->bad)
		return NULL;
	one.n = (uint32_t)bytes.n;
	s = xmalloc(sizeof *s + one.n);
	*s = one;
	memcpy(s->bytes, bytes.p, one.n);
	p->said_bytes += sizeof *s + one.n;
	return s;
}

static void load_cell(struct panes *p, uint32_t cell, struct bytes_in *in, uint64_t *born)
{
	struct cell *c = &p->cells[cell];
	uint64_t *words = panes_trigger(p, cell), n;
	struct said **end = &c->said;
	uint8_t flags = (uint8_t)get_le(in, 1);

	in->bad |= flags & ~KEPT_FLAGS;
	c->start = keep_get_int(in);
	c->end = keep_get_int(in);
	*born = get_varint(in);
	c->pane = (uint32_t)get_varint(in);
	c->on_time = (uint32_t)get_varint(in);
	c->clock_timer = keep_get_int(in);
	c->first = keep_get_int(in);
	c->last = keep_get_int(in);
	for (uint32_t i = 0; i < p->trigger_size / sizeof *words; i++)
		words[i] = get_le(in, 8);
	for (n = get_varint(in); n && !in->bad; n--) {
		*end = load_said(p, in);
		if (*end)
			end = &(*end)->next;
	}
	in->bad |= c->start > c->end || !*born;
	if (!in->bad && states_load(p->states, &p->reducer, cell, &in->p, in->end))
		in->bad = true;
	c->flags = CELL_LIVE | flags;
	if (p->ordered && !in->bad)
		panes_parts_load(p, cell, in);
}

static void revive(struct panes *p, uint32_t cell, uint64_t born)
{
	struct cell *c = &p->cells[cell];
	int64_t clock = c->clock_timer;

	panes_key(p, c->key);
	if (!p->born[c->key]) {
		p->born[c->key] = born;
		p->n_dead--;
	}
	if (born > p->births)
		p->births = born;
	p->n_live++;
	panes_list(p, cell);
	panes_set_timer(p, cell);
	if (p->stamps)
		panes_set_hold(p, cell);
	c->clock_timer = INT64_MAX;
	panes_set_clock(p, cell, clock);
}

static int restore_cell(struct panes *p, struct bytes_in key, struct bytes_in in, uint32_t mark)
{
	uint32_t group = 0, cell;
	uint64_t born, id;

	if (p->reducer.spec.n_keys && groups_load(&p->groups, &key.p, key.end, &group))
		return -1;
	id = keep_get_number(&key);
	if (in.bad || !id || !keep_over(&key))
		return -1;
	cell = panes_slot(p);
	p->cells[cell] = (struct cell){ .key = group, .merged_into = CELL_NONE };
	kept_reserve(p, cell);
	p->kept[cell] = (struct cell_kept){ id, mark };
	load_cell(p, cell, &in, &born);
	if (!keep_over(&in)) {
		p->cells[cell].flags = 0;
		return -1;
	}
	if (id > p->ids)
		p->ids = id;
	revive(p, cell, born);
	return 0;
}

int panes_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct panes *p = (struct panes *)op;

	if (!key) {
		p->before = op->watermark;
		return 0;
	}
	if (restore_cell(p, keep_open(key, key_n, TAG_CELL), keep_open(value, n, version(p)), mark))
		return keep_refuse(op, e);
	return 0;
}

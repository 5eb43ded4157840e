/* Cells as entries of a checkpoint.
 *
 * key    'c' | values of the key | number of the cell, which is given once (none where a key has one cell for good)
 * value  version | flags u8 | start, end | the key's birth varint | pane, those on time varint | time of the clock's look |
 *        first, last | words of the trigger | number of panes said varint, { start, end, time, results } | states of the aggregates
 * where a key has one cell for good, with another version: version | flags u8 | birth | pane | those on time | time of the clock's look, if a flag says so |
 *        words of the trigger varint | panes said | states
 * and where the order of arrival matters, with another version: when the first row of the state came varint | number of parts varint, { when varint, states }
 * With --mem, of the windows of a key, that it may leave memory whole
 *
 * key    'k' | values of the key
 * value  version | when the watermark wants it, when the clock, where it holds the watermark back | end and start of the first cell | birth varint |
 *        number of cells varint, { as above behind the version }
 *
 * Times are i64. Timers are made anew of the cells. Where the whole table comes out at each micro-batch, also
 *
 * key    'o' | birth u64 big-endian
 * value  version | values of the key */
#include <stdlib.h>

#include "op/panes_impl.h"

#define CELL_VERSION 1
#define CELL_VERSION_WHOLE 3
#define BORN_VERSION 1
#define LIST_VERSION 2
#define CELL_VERSION_PARTS 2
#define KEPT_FLAGS (CELL_NEW | CELL_CLOSED | CELL_ON_TIME | CELL_HOLDS | CELL_ENDED)
#define KEPT_CLOCK 1 /* the entry has a time of the clock's look */

void panes_keep_reserve(struct panes *p, uint32_t n)
{
	size_t had = p->kept_cap;

	p->kept = xgrow(p->kept, &p->kept_cap, n, sizeof *p->kept);
	if (p->kept_cap > had)
		memset(p->kept + had, 0, (p->kept_cap - had) * sizeof *p->kept);
}

void panes_keep_open(struct panes *p, uint32_t cell)
{
	panes_keep_reserve(p, cell + 1);
	p->kept[cell] = (struct cell_kept){ .id = ++p->ids };
	keep_dirty_add(&p->dirty, cell);
}

static void put_key(const struct panes *p, uint32_t cell, struct buf *key)
{
	if (p->reducer.spec.n_keys)
		groups_save(&p->groups, p->cells[cell].key, key);
	if (!p->by_key)
		keep_number(key, p->kept[cell].id);
}

void panes_entry_key(const struct panes *p, uint32_t key, struct buf *out)
{
	buf_char(out, panes_tag(p));
	groups_save(&p->groups, key, out);
}

/* The list of the key is one shorter, or gone. */
static void list_changed(struct panes *p, uint32_t key)
{
	uint32_t *mark = &p->groups.table.entries[key].user;
	struct buf b = { 0 };

	if (!*mark)
		return;
	if (p->keys[key].n) {
		keep_dirty_add(&p->dirty, *key_cells_at(&p->keys[key]));
		return;
	}
	panes_entry_key(p, key, &b);
	keep_gone_add(&p->gone, b.p, b.n, *mark);
	*mark = 0;
	buf_release(&b);
}

void panes_keep_drop(struct panes *p, uint32_t cell)
{
	struct buf key = { 0 };

	keep_dirty_remove(&p->dirty, cell);
	if (p->by_list)
		list_changed(p, p->cells[cell].key);
	if (!p->kept[cell].mark)
		return;
	buf_char(&key, PANES_TAG_CELL);
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

/* Of the whole stream, in little room: there are as many as keys. */
static void put_whole(struct panes *p, uint32_t cell, struct buf *out)
{
	const struct cell *c = &p->cells[cell];
	const uint64_t *words = panes_trigger(p, cell);
	bool clock = c->clock_timer != INT64_MAX;

	buf_char(out, (char)((c->flags & KEPT_FLAGS) | (clock ? KEPT_CLOCK : 0)));
	put_varint(out, p->born[c->key]);
	put_varint(out, c->pane);
	put_varint(out, c->on_time);
	if (clock)
		keep_int(out, c->clock_timer);
	for (uint32_t i = 0; i < p->trigger_size / sizeof *words; i++)
		put_varint(out, words[i]);
}

static void put_bounded(struct panes *p, uint32_t cell, struct buf *out)
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
}

static void put_cell(struct panes *p, uint32_t cell, struct buf *out)
{
	if (p->by_key)
		put_whole(p, cell, out);
	else
		put_bounded(p, cell, out);
	put_said(p->cells[cell].said, out);
	states_save(p->states, &p->reducer, cell, out);
	if (p->ordered)
		panes_parts_save(p, cell, out);
}

static uint8_t version(const struct panes *p)
{
	return p->by_key ? CELL_VERSION_WHOLE : p->ordered ? CELL_VERSION_PARTS : CELL_VERSION;
}

void panes_born_key(uint64_t born, char out[PANES_BORN_BYTES])
{
	out[0] = PANES_TAG_BORN;
	for (int i = 1; i < PANES_BORN_BYTES; i++)
		out[i] = (char)(born >> (64 - 8 * i));
}

/* The key is met for the first time: it has its place among the others for good. */
static void put_born(const struct panes *p, uint32_t cell, struct keep *k)
{
	char key[PANES_BORN_BYTES];
	uint32_t mark = 0;

	panes_born_key(p->born[p->cells[cell].key], key);
	keep_start(k, PANES_TAG_BORN, BORN_VERSION);
	buf_add(&k->key, key + 1, sizeof key - 1);
	groups_save(&p->groups, p->cells[cell].key, &k->value);
	keep_put(k, &mark);
}

static void put_alone(struct panes *p, uint32_t cell, struct keep *k)
{
	if (p->by_key && p->spec.complete && !p->kept[cell].mark)
		put_born(p, cell, k);
	keep_start(k, PANES_TAG_CELL, version(p));
	put_key(p, cell, &k->key);
	put_cell(p, cell, &k->value);
	keep_put(k, &p->kept[cell].mark);
}

/* When the watermark wants the cell. */
static int64_t due_of(const struct panes *p, const struct cell *c)
{
	bool looks = trigger_sees_watermark(p->trigger) && !(c->flags & (CELL_ENDED | CELL_CLOSED));

	return looks ? c->end : panes_expiry(p, c);
}

static struct panes_waits no_waits(uint64_t born)
{
	return (struct panes_waits){ { INT64_MAX, INT64_MAX, INT64_MAX }, { INT64_MAX, INT64_MAX, born } };
}

struct panes_waits panes_waits_of(const struct panes *p, uint32_t key)
{
	const struct key_cells *l = &p->keys[key];
	struct panes_waits w = no_waits(p->born[key]);

	for (uint32_t i = 0; i < l->n; i++) {
		const struct cell *c = &p->cells[key_cells_at(l)[i]];
		const int64_t at[DUE_COUNT] = { due_of(p, c), c->clock_timer, p->plain ? INT64_MAX : panes_hold(p, c) };

		const struct panes_place place = { c->end, c->start, w.first.born };

		for (int k = 0; k < DUE_COUNT; k++)
			w.at[k] = at[k] < w.at[k] ? at[k] : w.at[k];
		if (panes_place_cmp(&place, &w.first) < 0)
			w.first = place;
	}
	/* before it holds anything back it is here again */
	if (!p->stamps && w.at[DUE_HOLD] >= w.at[DUE_WATERMARK])
		w.at[DUE_HOLD] = INT64_MAX;
	return w;
}

/* Of the whole stream: only the clock wants it, before the end. */
static int whole_waits(const struct panes *p, const struct kept_entry *entry, struct panes_waits *out)
{
	struct bytes_in in = panes_cell_value(p, entry);
	uint8_t flags = (uint8_t)get_le(&in, 1);

	*out = no_waits(get_varint(&in));
	out->first.start = INT64_MIN;
	for (int k = 0; k < 2; k++)
		get_varint(&in);
	if (flags & KEPT_CLOCK)
		out->at[DUE_CLOCK] = keep_get_int(&in);
	return in.bad ? -1 : 0;
}

static void put_waits(const struct panes_waits *w, struct buf *out)
{
	for (int k = 0; k < DUE_COUNT; k++)
		keep_int(out, w->at[k]);
	keep_int(out, w->first.end);
	keep_int(out, w->first.start);
	put_varint(out, w->first.born);
}

static struct panes_waits get_waits(struct bytes_in *in)
{
	struct panes_waits w;

	for (int k = 0; k < DUE_COUNT; k++)
		w.at[k] = keep_get_int(in);
	w.first.end = keep_get_int(in);
	w.first.start = keep_get_int(in);
	w.first.born = get_varint(in);
	return w;
}

int panes_entry_waits(const struct panes *p, const struct kept_entry *entry, struct panes_waits *out)
{
	struct bytes_in in = keep_open(entry->value, entry->n, LIST_VERSION);

	if (p->by_key)
		return whole_waits(p, entry, out);
	*out = get_waits(&in);
	return in.bad ? -1 : 0;
}

/* All cells of the key. An entry that one of them had alone, without --mem, goes. */
static void put_list(struct panes *p, uint32_t key, struct keep *k)
{
	const struct key_cells *l = &p->keys[key];
	struct panes_waits waits = panes_waits_of(p, key);

	for (uint32_t i = 0; i < l->n; i++) {
		uint32_t cell = key_cells_at(l)[i];

		keep_dirty_remove(&p->dirty, cell);
		if (!p->kept[cell].mark)
			continue;
		keep_start(k, PANES_TAG_CELL, version(p));
		put_key(p, cell, &k->key);
		keep_drop(k, &p->kept[cell].mark);
	}
	keep_start(k, PANES_TAG_LIST, LIST_VERSION);
	groups_save(&p->groups, key, &k->key);
	put_waits(&waits, &k->value);
	put_varint(&k->value, l->n);
	for (uint32_t i = 0; i < l->n; i++)
		put_cell(p, key_cells_at(l)[i], &k->value);
	keep_put(k, &p->groups.table.entries[key].user);
}

void panes_commit(struct op *op, struct keeper *to)
{
	struct panes *p = (struct panes *)op;
	struct keep k = { .to = to };
	uint32_t cell;

	keep_gone_commit(&p->gone, to);
	while ((cell = keep_dirty_take(&p->dirty)) != UINT32_MAX) {
		p->cells[cell].flags |= CELL_RECENT;
		if (p->by_list)
			put_list(p, p->cells[cell].key, &k);
		else
			put_alone(p, cell, &k);
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

static void load_whole(struct panes *p, uint32_t cell, struct bytes_in *in, uint64_t *born)
{
	struct cell *c = &p->cells[cell];
	uint64_t *words = panes_trigger(p, cell);
	uint8_t flags = (uint8_t)get_le(in, 1);

	in->bad |= flags & ~(KEPT_FLAGS | KEPT_CLOCK);
	c->flags = flags & KEPT_FLAGS;
	c->start = c->last = INT64_MIN;
	c->end = c->first = INT64_MAX;
	*born = get_varint(in);
	c->pane = (uint32_t)get_varint(in);
	c->on_time = (uint32_t)get_varint(in);
	c->clock_timer = flags & KEPT_CLOCK ? keep_get_int(in) : INT64_MAX;
	for (uint32_t i = 0; i < p->trigger_size / sizeof *words; i++)
		words[i] = get_varint(in);
}

static void load_bounded(struct panes *p, uint32_t cell, struct bytes_in *in, uint64_t *born)
{
	struct cell *c = &p->cells[cell];
	uint64_t *words = panes_trigger(p, cell);
	uint8_t flags = (uint8_t)get_le(in, 1);

	in->bad |= flags & ~KEPT_FLAGS;
	c->flags = flags;
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
}

static void load_cell(struct panes *p, uint32_t cell, struct bytes_in *in, uint64_t *born)
{
	struct cell *c = &p->cells[cell];
	struct said **end = &c->said;

	if (p->by_key)
		load_whole(p, cell, in, born);
	else
		load_bounded(p, cell, in, born);
	for (uint64_t n = get_varint(in); n && !in->bad; n--) {
		*end = load_said(p, in);
		if (*end)
			end = &(*end)->next;
	}
	in->bad |= c->start > c->end || !*born;
	if (!in->bad && states_load(p->states, &p->reducer, cell, &in->p, in->end))
		in->bad = true;
	c->flags |= CELL_LIVE;
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
	if (!p->plain)
		panes_set_hold(p, cell);
	c->clock_timer = INT64_MAX;
	panes_set_clock(p, cell, clock);
}

struct bytes_in panes_born_value(struct store_bytes value) { return keep_open(value.p, value.n, BORN_VERSION); }

struct bytes_in panes_cell_value(const struct panes *p, const struct kept_entry *entry)
{
	return keep_open(entry->value, entry->n, version(p));
}

int panes_load(struct panes *p, uint32_t slot, uint32_t group, struct bytes_in value, uint64_t *born)
{
	p->cells[slot] = (struct cell){ .key = group, .gen = p->cells[slot].gen, .merged_into = CELL_NONE };
	load_cell(p, slot, &value, born);
	if (keep_over(&value))
		return 0;
	p->cells[slot].flags = 0;
	return -1;
}

static int revive_as(struct panes *p, uint32_t group, uint64_t id, const struct kept_entry *entry)
{
	uint32_t cell = panes_slot(p);
	uint64_t born;

	panes_keep_reserve(p, cell + 1);
	p->kept[cell] = (struct cell_kept){ id, entry->mark };
	if (panes_load(p, cell, group, panes_cell_value(p, entry), &born))
		return -1;
	if (id > p->ids)
		p->ids = id;
	revive(p, cell, born);
	return 0;
}

/* One of several in an entry. */
static int revive_listed(struct panes *p, uint32_t group, struct bytes_in *in)
{
	uint32_t cell = panes_slot(p);
	uint64_t born;

	panes_keep_reserve(p, cell + 1);
	p->kept[cell] = (struct cell_kept){ 0 };
	p->cells[cell] = (struct cell){ .key = group, .gen = p->cells[cell].gen, .merged_into = CELL_NONE };
	load_cell(p, cell, in, &born);
	if (in->bad) {
		p->cells[cell].flags = 0;
		return -1;
	}
	revive(p, cell, born);
	return 0;
}

static int revive_list(struct panes *p, uint32_t group, const struct kept_entry *entry)
{
	struct bytes_in in = keep_open(entry->value, entry->n, LIST_VERSION);

	get_waits(&in);
	for (uint64_t n = get_varint(&in); n && !in.bad; n--)
		if (revive_listed(p, group, &in))
			return -1;
	p->groups.table.entries[group].user = entry->mark;
	return keep_over(&in) ? 0 : -1;
}

int panes_revive(struct panes *p, uint32_t group, const struct kept_entry *entry)
{
	return p->by_list ? revive_list(p, group, entry) : revive_as(p, group, 0, entry);
}

static int restore_cell(struct panes *p, const struct kept_entry *entry)
{
	struct bytes_in key = keep_open(entry->key, entry->key_n, PANES_TAG_CELL);
	uint32_t group = 0;
	uint64_t id = 0;

	if (p->reducer.spec.n_keys && groups_load(&p->groups, &key.p, key.end, &group))
		return -1;
	if (!p->by_key)
		id = keep_get_number(&key);
	if (!keep_over(&key) || (p->by_key ? panes_key(p, group)->n : !id))
		return -1;
	return revive_as(p, group, id, entry);
}

static int restore_list(struct panes *p, const struct kept_entry *entry)
{
	struct bytes_in key = keep_open(entry->key, entry->key_n, PANES_TAG_LIST);
	uint32_t group = 0;

	if (p->by_key || !p->reducer.spec.n_keys || groups_load(&p->groups, &key.p, key.end, &group) || !keep_over(&key) ||
	    p->groups.table.entries[group].user)
		return -1;
	return revive_list(p, group, entry);
}

/* Without --mem cells are entries of their own again. */
static void part_list(struct panes *p, uint32_t key)
{
	const struct key_cells *l = panes_key(p, key);
	uint32_t *mark = &p->groups.table.entries[key].user;
	struct buf b = { 0 };

	buf_char(&b, PANES_TAG_LIST);
	groups_save(&p->groups, key, &b);
	keep_gone_add(&p->gone, b.p, b.n, *mark);
	*mark = 0;
	buf_release(&b);
	for (uint32_t i = 0; i < l->n; i++) {
		uint32_t cell = key_cells_at(l)[i];

		if (p->kept[cell].id)
			continue;
		p->kept[cell].id = ++p->ids;
		keep_dirty_add(&p->dirty, cell);
	}
}

/* What a run with --mem, or one without, has kept becomes entries of this one's kind with the first commit. */
static int restored(struct panes *p, struct err *e)
{
	for (uint32_t i = 0; p->by_list && i < p->n_cells; i++)
		if (p->cells[i].flags & CELL_LIVE && p->kept[i].mark)
			keep_dirty_add(&p->dirty, i);
	for (uint32_t k = 0; !p->by_list && k < p->groups.table.n; k++)
		if (p->groups.table.entries[k].user)
			part_list(p, k);
	return panes_hold_back(p, e);
}

/* Of the order of births nothing has to be in memory. */
static bool is_born(const struct panes *p, const char *key, size_t key_n)
{
	return p->by_key && p->spec.complete && key_n == PANES_BORN_BYTES && *key == PANES_TAG_BORN;
}

int panes_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct panes *p = (struct panes *)op;
	struct kept_entry entry = { key, value, key_n, n, mark };

	if (!key)
		return restored(p, e);
	if (is_born(p, key, key_n))
		return 0;
	if (*key == PANES_TAG_LIST ? restore_list(p, &entry) : restore_cell(p, &entry))
		return keep_refuse(op, e);
	panes_leave(p);
	return 0;
}

/* Keys that are more than memory holds: those of the whole stream, and of windows, leave it between micro-batches, and come back when a record has them, or when they
 * are due (panes_recall.c). */
#include <stdlib.h>

#include "op/panes_impl.h"

static size_t beside(const struct panes *p) { return away_memory(&p->away) + panes_due_memory(p); }

/* Of --mem: times and keys that the watermark waits for. */
#define DUE_SHARE 16

/* Of --mem, in bytes of the operator: from 3/8 on keys leave, down to half of that. Columns and slots may double once in a micro-batch. */
static size_t leave_from(const struct panes *p) { return (size_t)(p->op.run->mem_max / 8 * 3); }

/* How many keys stay, at the size that they have now. */
static uint32_t stay_max(const struct panes *p, size_t held)
{
	double each = (double)(held - beside(p)) / (p->n_keys - p->n_dead + 1.0);

	return (uint32_t)((double)leave_from(p) / 2 / each);
}

/* It may when its entry says all of it. The whole table does not ask when it is due. */
static bool may_leave(const struct panes *p, uint32_t key)
{
	const struct key_cells *l = &p->keys[key];
	bool kept = p->by_list ? p->groups.table.entries[key].user : p->kept[*key_cells_at(l)].mark;

	for (uint32_t i = 0; i < l->n && kept; i++) {
		uint32_t cell = key_cells_at(l)[i];

		kept = p->by_list ? !p->kept[cell].mark : !p->spec.complete || p->cells[cell].clock_timer == INT64_MAX;
	}
	return kept;
}

static void leave_one(struct panes *p, uint32_t key)
{
	if (!away_add_group(&p->away, &p->groups, key))
		return;
	panes_note_due(p, key);
	p->groups.table.entries[key].user = 0; /* the entry stays */
	while (p->keys[key].n) {
		uint32_t cell = *key_cells_at(&p->keys[key]);

		p->kept[cell].mark = 0; /* likewise */
		panes_unlist(p, cell);
		panes_drop(p, cell);
	}
}

static bool was_recent(struct panes *p, const struct key_cells *l)
{
	bool recent = false;

	for (uint32_t i = 0; i < l->n; i++) {
		struct cell *c = &p->cells[key_cells_at(l)[i]];

		recent |= (c->flags & CELL_RECENT) != 0;
		c->flags &= (uint16_t)~CELL_RECENT;
	}
	return recent;
}

/* Those without a record for the longest time leave; of the others as many stay as may. */
static void leave_some(struct panes *p, uint32_t stay)
{
	for (uint32_t key = 0; key < p->n_keys; key++) {
		if (!p->keys[key].n)
			continue;
		if (was_recent(p, &p->keys[key]) && stay)
			stay--;
		else if (may_leave(p, key))
			leave_one(p, key);
	}
}

void panes_leave(struct panes *p)
{
	const struct run *run = p->op.run;
	size_t held;

	if (!(p->by_key || p->by_list) || !run->mem_max || !run->fetch || p->gone.b.n || p->dirty.n || p->n_touched)
		return;
	held = p->op.cls->memory(&p->op);
	if (held < leave_from(p) || held < p->leave_at)
		return;
	for (int k = 0; k < DUE_COUNT; k++)
		p->due[k].most = (size_t)(run->mem_max / DUE_SHARE);
	leave_some(p, stay_max(p, held));
	panes_repack(p);
	p->leave_at = p->op.cls->memory(&p->op) / 2 * 3;
}

/* ---- coming back ---- */

int panes_return(struct panes *p, uint32_t first, struct err *e)
{
	struct away_owner o = { &p->op, &p->groups, &(char){ panes_tag(p) }, 1 };
	struct kept_entry found;
	int r = 0;

	for (uint32_t key = first; key < p->groups.table.n && r >= 0; key++) {
		r = away_return(&p->away, &o, key, &found, e);
		if (r > 0 && panes_revive(p, key, &found))
			r = keep_refuse(&p->op, e);
	}
	return r < 0 ? -1 : 0;
}

/* ---- the whole table ---- */

/* Of --mem: keys that are read at a time. */
#define ROLL_SHARE 16

/* The next keys in the order of their birth. */
struct roll {
	size_t room; /* bytes of keys */
	char from[PANES_BORN_BYTES];
	struct buf keys; /* values of entries, each with its length */
	uint32_t n;
	bool over;
};

static int roll_entry(void *ctx, const struct kept_entry *entry)
{
	struct roll *r = ctx;

	if (entry->key_n != PANES_BORN_BYTES || entry->key[0] != PANES_TAG_BORN)
		return 1;
	if (r->keys.n >= r->room) {
		memcpy(r->from, entry->key, sizeof r->from);
		r->over = false;
		return 1;
	}
	put_bytes(&r->keys, (struct store_bytes){ entry->value, entry->n });
	r->n++;
	return 0;
}

static int roll_on(struct roll *r, const struct panes *p, struct err *e)
{
	const struct run *run = p->op.run;

	r->keys.n = r->n = 0;
	r->over = true;
	return run->walk(run->fetch_ctx, &p->op, &(struct kept_walk){ r->from, sizeof r->from, roll_entry, r }, e) < 0 ? -1 : 0;
}

/* Some rows of the table on their way out: cells that are in memory, and guests. */
struct showing {
	struct panes *p;
	struct fired_keys own;
	struct fired *f;
	uint32_t n, cap;
	struct cell_list guests; /* slots */
	struct err *e;
};

/* The cell of a key that is away, for a while. `key`: its values as its entry has them. */
static uint32_t invite(struct showing *s, struct store_bytes key)
{
	struct panes *p = s->p;
	const struct run *run = p->op.run;
	struct kept_entry ask = { 0 }, found;
	struct buf b = { 0 };
	uint32_t slot = CELL_NONE;
	uint64_t born;
	int r;

	buf_char(&b, PANES_TAG_CELL);
	buf_add(&b, key.p, key.n);
	ask.key = b.p;
	ask.key_n = b.n;
	r = run->fetch(run->fetch_ctx, &p->op, &ask, &found, s->e);
	buf_release(&b);
	if (r > 0) {
		slot = panes_slot(p);
		cell_list_add(&s->guests, slot);
		r = panes_load(p, slot, 0, panes_cell_value(p, &found), &born) ? 0 : 1;
	}
	if (!r)
		keep_refuse(&p->op, s->e);
	return r > 0 ? slot : CELL_NONE;
}

static void dismiss(struct showing *s)
{
	struct panes *p = s->p;

	for (size_t i = 0; i < s->guests.n; i++) {
		uint32_t slot = s->guests.at[i];
		struct cell *c = &p->cells[slot];

		panes_forget_said(p, c);
		states_reset(p->states, &p->reducer, slot);
		c->flags = 0;
		c->gen++;
		cell_list_add(&p->unused, slot);
	}
	s->guests.n = 0;
}

/* The key's cell in memory, or CELL_NONE. */
static uint32_t cell_here(const struct panes *p, const struct groups *g, uint32_t group)
{
	struct key_bytes key;
	uint32_t own;

	keytab_key(&g->table, group, &key);
	own = keytab_find(&p->groups.table, &key);
	return own < p->n_keys && p->keys[own].n ? *key_cells_at(&p->keys[own]) : CELL_NONE;
}

/* A row of the roll. */
static int show_one(struct showing *s, struct store_bytes born)
{
	struct bytes_in in = panes_born_value(born);
	const char *from = in.p;
	uint32_t group, cell;

	if (in.bad || groups_load(&s->own.groups, &in.p, in.end, &group) || !keep_over(&in))
		return keep_refuse(&s->p->op, s->e);
	cell = cell_here(s->p, &s->own.groups, group);
	if (cell == CELL_NONE)
		cell = invite(s, (struct store_bytes){ from, (size_t)(in.end - from) });
	if (cell == CELL_NONE)
		return -1;
	if (panes_fired(s->p, cell, &s->f[s->n]))
		s->own.keys[s->n++] = group;
	return 0;
}

/* What is shown goes out. Verdict of the push. */
static int show_out(struct showing *s)
{
	int verdict = s->n ? panes_push(s->p, &s->own, s->f, s->n, s->e) : 0;

	dismiss(s);
	groups_clear(&s->own.groups);
	s->n = 0;
	return verdict < 0 ? -1 : 0;
}

static int show_roll(struct showing *s)
{
	struct roll r = { .room = (size_t)(s->p->op.run->mem_max / ROLL_SHARE) };
	int failed = 0;

	panes_born_key(0, r.from);
	while (!r.over && !failed) {
		struct bytes_in in;

		failed = roll_on(&r, s->p, s->e);
		in = (struct bytes_in){ .p = r.keys.p, .end = r.keys.p + r.keys.n };
		for (uint32_t i = 0; i < r.n && !failed; i++) {
			failed = show_one(s, get_bytes(&in));
			if (!failed && s->n == s->cap)
				failed = show_out(s);
		}
		if (!failed)
			failed = show_out(s);
	}
	buf_release(&r.keys);
	return failed;
}

/* Keys that this micro-batch brought are on no roll yet; they were born last. */
static int show_new(struct panes *p, struct err *e)
{
	struct fired *f = NULL;
	size_t cap = 0, n = 0;
	int verdict = 0;

	for (uint32_t i = 0; i < p->n_cells; i++) {
		if (!(p->cells[i].flags & CELL_LIVE) || p->kept[i].mark)
			continue;
		f = xgrow(f, &cap, n + 1, sizeof *f);
		n += panes_fired(p, i, &f[n]);
	}
	panes_sort(p, f, n);
	for (size_t from = 0, step = batch_rows(); from < n && verdict >= 0; from += step)
		verdict = panes_push(p, NULL, f + from, (uint32_t)(n - from < step ? n - from : step), e);
	free(f);
	return verdict;
}

int panes_push_table(struct panes *p, struct err *e)
{
	struct showing s = { .p = p, .cap = batch_rows(), .e = e };
	int failed;

	groups_init(&s.own.groups, p->groups.n_keys);
	s.f = xmalloc(s.cap * sizeof *s.f);
	s.own.keys = xmalloc(s.cap * sizeof *s.own.keys);
	failed = show_roll(&s);
	dismiss(&s);
	groups_release(&s.own.groups);
	free(s.f);
	free(s.own.keys);
	free(s.guests.at);
	return failed ? -1 : show_new(p, e);
}

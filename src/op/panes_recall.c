/* Keys that are away come back when the watermark or the clock has reached what they wait for. Where the windows that are over are more than memory holds they
 * come some at a time, in the order of their panes, which go out before the next ones come. */
#include <stdlib.h>

#include "op/panes_impl.h"

void panes_note_due(struct panes *p, uint32_t key)
{
	struct panes_waits w = panes_waits_of(p, key);
	struct buf b = { 0 };

	if (p->by_key)
		w.at[DUE_WATERMARK] = INT64_MAX; /* the end of the stream */
	for (int k = 0; k < DUE_COUNT; k++) {
		if (!away_times_wants(&p->due[k], w.at[k]))
			continue;
		if (!b.n)
			panes_entry_key(p, key, &b);
		away_times_add(&p->due[k], w.at[k], (struct store_bytes){ b.p, b.n });
	}
	buf_release(&b);
}

void panes_due_release(struct panes *p)
{
	for (int k = 0; k < DUE_COUNT; k++)
		away_times_release(&p->due[k]);
}

size_t panes_due_memory(const struct panes *p)
{
	size_t sum = 0;

	for (int k = 0; k < DUE_COUNT; k++)
		sum += away_times_memory(&p->due[k]);
	return sum;
}

struct recall {
	struct panes *p;
	struct groups keys; /* for looking */
	enum panes_due why;
	bool all;           /* they come back at once; else it is noted when they are due */
	struct err *e;
};

static struct recall recall_start(struct panes *p, enum panes_due why, struct err *e)
{
	struct recall r = { .p = p, .why = why, .e = e };

	groups_init(&r.keys, p->groups.n_keys);
	return r;
}

/* 1: its key is in memory; 0, or -1: it is none. */
static int is_here(struct recall *r, const struct kept_entry *entry)
{
	struct bytes_in key = keep_open(entry->key, entry->key_n, (uint8_t)panes_tag(r->p));
	struct key_bytes bytes;
	uint32_t group, own;

	groups_clear(&r->keys);
	if (key.bad || groups_load(&r->keys, &key.p, key.end, &group) || !keep_over(&key))
		return keep_refuse(&r->p->op, r->e);
	keytab_key(&r->keys.table, group, &bytes);
	own = keytab_find(&r->p->groups.table, &bytes);
	return own < r->p->n_keys && r->p->keys[own].n;
}

static int come_back(struct recall *r, const struct kept_entry *entry)
{
	struct panes *p = r->p;
	const char *at = entry->key + 1;
	uint32_t group;

	if (groups_load(&p->groups, &at, entry->key + entry->key_n, &group) || panes_revive(p, group, entry))
		return keep_refuse(&p->op, r->e);
	p->away.n--;
	return op_check_memory(&p->op, p->n_live + p->away.n, r->e);
}

static bool is_ours(const struct panes *p, const struct kept_entry *entry) { return entry->key_n > 1 && entry->key[0] == panes_tag(p); }

/* ---- at once ---- */

/* From here on, in bytes of the operator, keys come back some at a time. */
static bool is_crowded(const struct panes *p) { return p->op.cls->memory(&p->op) + keytab_leap(&p->groups.table) > p->op.run->mem_max / 2; }

/* May they? Cells that stay behind their pane have changed, and are needed until the commit in any case. */
static bool may_part(const struct panes *p) { return p->op.watermark == WATERMARK_END || (p->by_list && !p->spec.trigger.lateness_ns); }

/* 1: there is no room for more. */
static int come_if_room(struct recall *r, const struct kept_entry *entry)
{
	struct panes *p = r->p;

	if (r->why == DUE_WATERMARK && is_crowded(p) && may_part(p)) {
		p->parted = true;
		return 1;
	}
	return come_back(r, entry);
}

/* Once all that is due has been here: this one too, and it has ended. */
static bool is_over(const struct panes *p, const struct panes_waits *w) { return w->at[DUE_WATERMARK] <= p->op.watermark; }

static int recall_entry(void *ctx, const struct kept_entry *entry)
{
	struct recall *r = ctx;
	struct panes *p = r->p;
	struct panes_waits waits;
	int here;

	if (!is_ours(p, entry))
		return 0;
	here = is_here(r, entry);
	if (here)
		return here < 0 ? -1 : 0;
	if (r->all)
		return come_if_room(r, entry);
	if (panes_entry_waits(p, entry, &waits))
		return keep_refuse(&p->op, r->e);
	if (r->why == DUE_HOLD && is_over(p, &waits))
		return 0;
	away_times_add(&p->due[r->why], waits.at[r->why], (struct store_bytes){ entry->key, entry->key_n });
	return 0;
}

static int recall_walk(struct recall *r)
{
	const struct run *run = r->p->op.run;

	return run->walk(run->fetch_ctx, &r->p->op, &(struct kept_walk){ &(char){ panes_tag(r->p) }, 1, recall_entry, r }, r->e);
}

/* The entry of a key that is away: 1; 0: it is none any more. */
static int fetch_away(struct recall *r, const struct buf *key, struct kept_entry *found)
{
	const struct run *run = r->p->op.run;
	struct kept_entry ask = { .key = key->p, .key_n = key->n };
	int here = is_here(r, &ask);

	return here ? (here < 0 ? -1 : 0) : run->fetch(run->fetch_ctx, &r->p->op, &ask, found, r->e);
}

/* What was noted of a key may be over by now. */
static int recall_one(struct recall *r, const struct buf *key)
{
	struct kept_entry found;
	int got = fetch_away(r, key, &found);

	return got > 0 ? come_if_room(r, &found) : got;
}

static int recall_due(struct recall *r, int64_t until)
{
	struct away_times *due = &r->p->due[r->why];
	struct buf key = { 0 };
	int failed = 0;

	for (;;) {
		while (!failed && away_times_take(due, until, &key))
			failed = recall_one(r, &key);
		if (failed || !away_times_short(due, until))
			break;
		away_times_renew(due);
		failed = recall_walk(r);
	}
	buf_release(&key);
	return failed;
}

int panes_recall(struct panes *p, struct err *e)
{
	struct recall r = recall_start(p, DUE_CLOCK, e);
	int failed = recall_due(&r, p->op.run->now + 1);

	r.why = DUE_WATERMARK;
	r.all = p->op.watermark == WATERMARK_END;
	p->parted = false;
	if (r.all && !failed)
		failed = recall_walk(&r);
	else if (p->op.watermark != WATERMARK_NONE && !failed)
		failed = recall_due(&r, p->op.watermark + 1);
	groups_release(&r.keys);
	return failed < 0 ? -1 : 0;
}

/* ---- what holds the watermark back ---- */

/* The nearest that was noted: 1 with its key; 0: none is that near. */
static int first_noted(struct recall *r, int64_t until, int64_t *at, struct buf *key)
{
	struct away_times *due = &r->p->due[r->why];

	if (!due->n && away_times_short(due, until)) {
		away_times_renew(due);
		if (recall_walk(r))
			return -1;
	}
	if (!due->n)
		return 0;
	*at = due->heap[0].at;
	return away_times_take(due, until, key);
}

int panes_away_hold(struct panes *p, int64_t until, int64_t *hold, struct err *e)
{
	struct recall r = recall_start(p, DUE_HOLD, e);
	struct panes_waits waits;
	struct kept_entry found;
	struct buf key = { 0 };
	int got = 0;

	*hold = INT64_MAX;
	until += until < INT64_MAX;
	while (*hold == INT64_MAX && p->away.n && (got = first_noted(&r, until, hold, &key)) > 0) {
		int64_t noted = *hold;

		*hold = INT64_MAX;
		got = fetch_away(&r, &key, &found);
		if (got < 0 || (got && panes_entry_waits(p, &found, &waits) && (got = keep_refuse(&p->op, e))))
			break;
		if (!got || is_over(p, &waits))
			continue;
		away_times_add(&p->due[DUE_HOLD], waits.at[DUE_HOLD], (struct store_bytes){ key.p, key.n });
		if (waits.at[DUE_HOLD] == noted)
			*hold = noted;
	}
	groups_release(&r.keys);
	buf_release(&key);
	return got < 0 ? -1 : 0;
}

/* ---- some at a time ---- */

/* Of --mem: the places that are known at a time. */
#define PLACES_SHARE 8

struct portion_key {
	struct panes_place place;
	uint32_t from, n;
};

struct panes_portions {
	struct recall r;
	struct portion_key *at;
	size_t n, cap, next;
	struct buf keys;
	struct panes_place upto, horizon; /* those up to here have been back; those from here on are not known */
	bool begun, cut;
};

int panes_place_cmp(const struct panes_place *a, const struct panes_place *b)
{
	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->born < b->born ? -1 : a->born > b->born;
}

struct panes_portions *panes_portions_new(struct panes *p, struct err *e)
{
	struct panes_portions *s = xcalloc(1, sizeof *s);

	s->r = recall_start(p, DUE_WATERMARK, e);
	away_times_renew(&p->due[DUE_WATERMARK]);
	return s;
}

void panes_portions_free(struct panes_portions *s)
{
	if (!s)
		return;
	groups_release(&s->r.keys);
	buf_release(&s->keys);
	free(s->at);
	free(s);
}

static int by_place(const void *a, const void *b) { return panes_place_cmp(&((const struct portion_key *)a)->place, &((const struct portion_key *)b)->place); }

static void sort_places(struct panes_portions *s)
{
	if (s->n)
		qsort(s->at, s->n, sizeof *s->at, by_place);
}

/* The further half goes. */
static void cut_places(struct panes_portions *s)
{
	struct buf fresh = { 0 };

	sort_places(s);
	s->n /= 2;
	s->horizon = s->at[s->n].place;
	s->cut = true;
	for (size_t i = 0; i < s->n; i++) {
		uint32_t from = (uint32_t)fresh.n;

		buf_add(&fresh, s->keys.p + s->at[i].from, s->at[i].n);
		s->at[i].from = from;
	}
	buf_release(&s->keys);
	s->keys = fresh;
}

static void add_place(struct panes_portions *s, const struct panes_place *at, const struct kept_entry *entry)
{
	size_t most = (size_t)(s->r.p->op.run->mem_max / PLACES_SHARE);

	if (s->n > PANES_PORTION_MIN && s->n * sizeof *s->at + s->keys.n + entry->key_n > (most < UINT32_MAX / 2 ? most : UINT32_MAX / 2))
		cut_places(s);
	if (s->cut && panes_place_cmp(at, &s->horizon) >= 0)
		return;
	s->at = xgrow(s->at, &s->cap, s->n + 1, sizeof *s->at);
	s->at[s->n++] = (struct portion_key){ *at, (uint32_t)s->keys.n, (uint32_t)entry->key_n };
	buf_add(&s->keys, entry->key, entry->key_n);
}

static int note_place(void *ctx, const struct kept_entry *entry)
{
	struct panes_portions *s = ctx;
	struct panes *p = s->r.p;
	struct panes_waits waits;
	bool due;
	int here;

	if (!is_ours(p, entry))
		return 0;
	if (panes_entry_waits(p, entry, &waits))
		return keep_refuse(&p->op, s->r.e);
	due = p->op.watermark == WATERMARK_END || waits.at[DUE_WATERMARK] <= p->op.watermark;
	if (due ? (s->begun && panes_place_cmp(&waits.first, &s->upto) <= 0) : s->begun)
		return 0;
	here = is_here(&s->r, entry);
	if (here)
		return here < 0 ? -1 : 0;
	if (due)
		add_place(s, &waits.first, entry);
	else
		away_times_add(&p->due[DUE_WATERMARK], waits.at[DUE_WATERMARK], (struct store_bytes){ entry->key, entry->key_n });
	return 0;
}

static int know_places(struct panes_portions *s)
{
	struct panes *p = s->r.p;
	const struct run *run = p->op.run;

	s->n = s->next = s->keys.n = 0;
	s->cut = false;
	if (run->walk(run->fetch_ctx, &p->op, &(struct kept_walk){ &(char){ panes_tag(p) }, 1, note_place, s }, s->r.e))
		return -1;
	sort_places(s);
	return 0;
}

/* Room for that many without growing. */
static size_t portion_size(const struct panes *p)
{
	size_t room = p->unused.n + p->cells_cap - p->n_cells, keys = p->groups.table.cap - p->groups.table.n;

	room = keys < room ? keys : room;
	return room > PANES_PORTION_MIN ? room : PANES_PORTION_MIN;
}

static int portion_one(struct panes_portions *s, const struct portion_key *k)
{
	const struct run *run = s->r.p->op.run;
	struct kept_entry ask = { .key = s->keys.p + k->from, .key_n = k->n }, found;
	int got = run->fetch(run->fetch_ctx, &s->r.p->op, &ask, &found, s->r.e);

	if (got > 0)
		got = come_back(&s->r, &found);
	else if (!got)
		got = keep_refuse(&s->r.p->op, s->r.e);
	s->upto = k->place;
	return got;
}

int panes_portion(struct panes_portions *s, struct panes_place *upto)
{
	struct panes *p = s->r.p;
	size_t room = portion_size(p);

	if ((!s->begun || (s->next == s->n && s->cut)) && know_places(s))
		return -1;
	s->begun = true;
	for (size_t i = 0; s->next < s->n && i < room && (i < PANES_PORTION_MIN || !is_crowded(p)); i++)
		if (portion_one(s, &s->at[s->next++]))
			return -1;
	*upto = s->upto;
	return s->next < s->n || s->cut;
}

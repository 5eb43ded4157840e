/* What a window says of all keys, those that are away too: these come with the entries of the roll, which are in the order of the keys' first appearances, as
 * the keys in memory are. Both are merged, some rows at a time. */
#include <stdlib.h>

#include "op/sliding_impl.h"

/* Of --mem: entries that are read at a time. */
#define VIEW_SHARE 16

struct reading {
	struct sliding_view *v;
	size_t bytes, most;
	bool over; /* the roll is */
	struct err *e;
};

/* Keys in memory that were born before. False: there is no room for all of them. */
static bool add_here(struct sliding_view *v, uint64_t before)
{
	struct sliding *s = v->s;

	for (; v->at < v->n_here && s->keys[v->here[v->at]].born < before; v->at++) {
		if (v->n == v->max)
			return false;
		groups_copy(&v->groups, &s->groups, &v->here[v->at], 1, &v->keys[v->n]);
		sliding_states(s, &v->here[v->at], 1, &v->slots[v->n]);
		v->n++;
	}
	return true;
}

/* A cell of a key that is away into the states of its row. */
static int add_states(struct sliding *s, uint32_t *slot, struct store_bytes states)
{
	if (*slot == SLIDING_NONE) {
		*slot = sliding_scratch(s);
		return sliding_load_states(s, *slot, states);
	}
	if (sliding_load_states(s, s->spare, states))
		return -1;
	states_merge(s->states, *slot, s->states, s->spare, s->reducer);
	states_reset(s->states, s->reducer, s->spare);
	return 0;
}

/* What the window has of a key's cells; SLIDING_NONE: nothing. */
static int merge_cells(struct sliding_view *v, struct sliding_rolled *r, uint32_t *slot)
{
	struct store_bytes states;
	int64_t number;

	*slot = SLIDING_NONE;
	while (sliding_next_rolled(v->s, r, &number, &states))
		if (number >= v->from && number < v->to && add_states(v->s, slot, states))
			return -1;
	return r->cells.bad ? -1 : 0;
}

static int add_guest(struct sliding_view *v, struct sliding_rolled r)
{
	const char *p = r.key.p;
	uint32_t slot;

	if (merge_cells(v, &r, &slot))
		return -1;
	if (slot == SLIDING_NONE)
		return 0;
	if (groups_load(&v->groups, &p, p + r.key.n, &v->keys[v->n]))
		return -1;
	v->slots[v->n++] = slot;
	return 0;
}

/* An entry of the roll; else 1, behind the last one, or -1. *here: its key is in memory, or has just died there. */
static int open_entry(struct sliding *s, const struct kept_entry *entry, struct sliding_rolled *out, bool *here, struct err *e)
{
	struct bytes_in key = { .p = entry->key, .end = entry->key + entry->key_n };
	uint32_t group;

	if (sliding_get_number(&key) != SLIDING_ROLL || entry->key_n != SLIDING_ROLL_BYTES)
		return 1;
	if (sliding_open_roll(entry, out) || sliding_look(s, out->key, &group))
		return keep_refuse(s->reducer->op, e);
	*here = group != KEYTAB_NONE;
	return 0;
}

/* From a birth on. 0 or -1. */
static int walk_roll(const struct sliding *s, uint64_t born, struct kept_walk w, struct err *e)
{
	const struct run *run = s->reducer->op->run;
	struct buf from = { 0 };
	int r;

	sliding_put_number(&from, SLIDING_ROLL);
	put_le(&from, __builtin_bswap64(born), SLIDING_NUMBER_BYTES);
	w.from = from.p;
	w.from_n = from.n;
	r = run->walk(run->fetch_ctx, s->reducer->op, &w, e);
	buf_release(&from);
	return r < 0 ? -1 : 0;
}

static int read_entry(void *ctx, const struct kept_entry *entry)
{
	struct reading *r = ctx;
	struct sliding_view *v = r->v;
	struct sliding_rolled rolled;
	bool here;
	int end = open_entry(v->s, entry, &rolled, &here, r->e);

	if (end)
		return end;
	v->next = rolled.born;
	r->over = false;
	if (!add_here(v, rolled.born) || v->n == v->max || r->bytes > r->most)
		return 1;
	r->over = true;
	v->next++;
	if (here)
		return 0;
	r->bytes += entry->n;
	return add_guest(v, rolled) ? keep_refuse(v->s->reducer->op, r->e) : 0;
}

static int read_on(struct sliding_view *v, struct err *e)
{
	struct reading r = { .v = v, .most = (size_t)(v->s->reducer->op->run->mem_max / VIEW_SHARE), .over = true, .e = e };
	int failed = walk_roll(v->s, v->next, (struct kept_walk){ .fn = read_entry, .ctx = &r }, e);

	if (r.over)
		v->next = UINT64_MAX;
	return failed;
}

void sliding_view_begin(struct sliding *s, struct sliding_view *v, int64_t from, int64_t to)
{
	*v = (struct sliding_view){ .s = s, .from = from, .to = to, .max = BATCH_ROWS_MAX };
	v->here = sliding_keys(s, &v->n_here);
	v->keys = xmalloc(v->max * sizeof *v->keys);
	v->slots = xmalloc(v->max * sizeof *v->slots);
	groups_init(&v->groups, s->reducer->spec.n_keys);
}

int sliding_view_next(struct sliding_view *v, struct err *e)
{
	sliding_done(v->s);
	groups_clear(&v->groups);
	v->n = 0;
	while (!v->n && v->next != UINT64_MAX)
		if (read_on(v, e))
			return -1;
	if (v->next == UINT64_MAX)
		add_here(v, UINT64_MAX);
	return v->n != 0;
}

void sliding_view_end(struct sliding_view *v)
{
	sliding_done(v->s);
	groups_release(&v->groups);
	free(v->keys);
	free(v->slots);
}

/* ---- those that died while they were away ---- */

/* Entries that are looked at, and keys that are dropped, for each that leaves memory: then there are never many of them. */
#define READ_EACH 16
#define BURY_EACH 2
/* In a micro-batch, at least; of --mem, at most: each drop changes a page of the store. */
#define READ_MIN 256
#define BURY_MIN 64
#define BURY_SHARE 16384

struct sweeping {
	struct sliding *s;
	uint64_t read, bury; /* how many still */
	bool over;           /* the roll is */
	struct err *e;
};

static bool is_dead(const struct sliding *s, struct sliding_rolled r)
{
	struct store_bytes states;
	int64_t number;

	return !sliding_next_rolled(s, &r, &number, &states) && !r.cells.bad;
}

static int sweep_entry(void *ctx, const struct kept_entry *entry)
{
	struct sweeping *w = ctx;
	struct sliding *s = w->s;
	struct sliding_rolled r;
	bool here;
	int end = open_entry(s, entry, &r, &here, w->e);

	if (end)
		return end;
	s->sweep_at = r.born;
	w->over = w->read && w->bury;
	if (!w->over)
		return 1;
	w->read--;
	s->sweep_at++;
	if (here || !is_dead(s, r))
		return 0;
	w->bury--;
	sliding_bury(s, &r);
	s->away.n--;
	return 0;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t most(uint64_t a, uint64_t b) { return a > b ? a : b; }

int sliding_sweep(struct sliding *s, struct err *e)
{
	uint64_t may = BURY_MIN + s->reducer->op->run->mem_max / BURY_SHARE;
	struct sweeping w = { s, READ_MIN, BURY_MIN, true, e };

	if (!s->away.n || !s->stale)
		return 0;
	w.bury = least(most(s->left_memory * BURY_EACH, BURY_MIN), may);
	w.read = most(w.bury * READ_EACH / BURY_EACH, READ_MIN);
	s->left_memory -= least(s->left_memory, w.bury / BURY_EACH);
	if (walk_roll(s, s->sweep_at, (struct kept_walk){ .fn = sweep_entry, .ctx = &w }, e))
		return -1;
	if (w.over) {
		s->stale = s->stale_again;
		s->stale_again = false;
		s->sweep_at = 0;
	}
	if (!s->away.n)
		away_release(&s->away);
	return 0;
}

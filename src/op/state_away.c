/* Keyed state that is larger than memory: keys leave it between micro-batches, and come back when a record needs them. */
#include "op/state_impl.h"

static size_t times_memory(const struct state_op *s) { return away_times_memory(&s->times[0]) + away_times_memory(&s->times[1]); }

/* Of --mem, in bytes of the table: from 3/8 on keys leave, down to half of that. Columns and slots may double once in a
 * micro-batch. What is known of those that are away takes of it too. */
static size_t leave_from(const struct state_op *s)
{
	size_t all = (size_t)s->op.run->mem_max, aside = away_memory(&s->away) + times_memory(s);

	return (aside < all / 2 ? all - aside : all / 2) / 8 * 3;
}

static size_t memory(const struct state_op *s) { return state_table_memory(&s->table) + keytab_leap(&s->table.groups.table); }

/* How many keys stay, at the size that keys have now. */
static uint32_t stay_max(const struct state_op *s, size_t held)
{
	double each = (double)held / (s->table.n_live + 1.0);

	return (uint32_t)((double)leave_from(s) / 2 / each);
}

static struct state_waits waits_of(const struct state_op *s, uint32_t key)
{
	const struct state_table *t = &s->table;
	struct state_waits w = { { TIMER_NONE, TIMER_NONE }, TIMER_NONE, { 0 } };

	if (t->meta[key].flags & STATE_AGED)
		w.over = state_over(s, t->ages[key].last);
	for (uint32_t i = 0; i < t->shape.n_slots; i++)
		state_waits_add(s, i, state_table_cells(t, key)[i].at, &w);
	return w;
}

/* The time by which a key that is away has to come back. */
static int64_t due_at(const struct state_waits *w, bool event)
{
	return event ? w->at[1] : w->at[0] < w->over ? w->at[0] : w->over;
}

static void wait_away(struct state_op *s, uint32_t key, struct buf *b)
{
	struct state_waits w = waits_of(s, key);

	for (int k = 0; k < 3; k++)
		s->away_set[k] += w.n_set[k];
	if (!away_times_wants(&s->times[0], due_at(&w, false)) && !away_times_wants(&s->times[1], due_at(&w, true)))
		return;
	b->n = 0;
	groups_save(&s->table.groups, key, b);
	for (int k = 0; k < 2; k++)
		away_times_add(&s->times[k], due_at(&w, k), (struct store_bytes){ b->p, b->n });
}

static void leave_one(struct state_op *s, uint32_t key, struct buf *b)
{
	if (!away_add_group(&s->away, &s->table.groups, key))
		return;
	wait_away(s, key, b);
	state_table_drop(&s->table, key);
	s->table.groups.table.entries[key].user = 0;
}

/* Those without a record for the longest time leave; of the others as many stay as may. */
static void leave_some(struct state_op *s, uint32_t stay)
{
	struct state_table *t = &s->table;
	struct buf b = { 0 };

	for (uint32_t i = 0; i < t->n; i++) {
		bool recent = t->meta[i].flags & STATE_RECENT;

		t->meta[i].flags &= ~STATE_RECENT;
		if (recent && stay)
			stay--;
		else if (state_table_may_leave(t, i))
			leave_one(s, i, &b);
	}
	state_table_forget_changes(t); /* a timer that has left is not one that was set off */
	buf_release(&b);
}

void state_leave(struct state_op *s)
{
	struct state_table *t = &s->table;
	size_t held;

	if (!s->op.run->mem_max || !s->op.run->fetch || s->gone.b.n)
		return;
	held = memory(s);
	if (held < leave_from(s) || held < s->leave_at)
		return;
	leave_some(s, stay_max(s, held));
	valuepool_settle(&t->pool);
	state_table_compact(t);
	state_table_repack(t);
	s->leave_at = memory(s) / 8 * 9;
}

/* ---- coming back ---- */

int state_refuse(const struct state_op *s, struct err *e)
{
	return err_set(e, ERR_IO, "stage %d: %s: an entry of the checkpoint that it did not write", s->op.stage, s->op.word);
}

void state_forget_away(struct state_op *s, const struct state_waits *w)
{
	for (int k = 0; k < 3; k++)
		s->away_set[k] -= w->n_set[k];
	s->away.n--;
}

/* The key as it would be spelled by these types. 1: it is back, 0, or -1. */
static int return_as(struct state_op *s, uint32_t key, const uint8_t *types, struct buf *b, struct err *e)
{
	struct groups *g = &s->table.groups;
	struct kept_entry ask = { 0 }, found;
	struct state_waits w;
	int r;

	b->n = 0;
	if (!groups_save_as(g, key, types, b))
		return 0;
	ask.key = b->p;
	ask.key_n = b->n;
	r = s->op.run->fetch(s->op.run->fetch_ctx, &s->op, &ask, &found, e);
	if (r <= 0)
		return r;
	if (state_waits_saved(s, found.value, found.n, &w) || state_load_value(s, key, found.value, found.n, found.mark))
		return state_refuse(s, e);
	groups_retype(g, key, types);
	state_forget_away(s, &w);
	return 1;
}

int state_return(struct state_op *s, uint32_t first, struct err *e)
{
	struct key_bytes bytes;
	struct buf b = { 0 };
	int r = 0;

	for (uint32_t key = first; key < s->table.n && r >= 0; key++) {
		keytab_key(&s->table.groups.table, key, &bytes);
		if (!away_may_have(&s->away, &bytes))
			continue;
		r = 0;
		for (uint32_t i = 0; i < s->away.n_spellings && !r; i++)
			r = return_as(s, key, s->away.spellings + (size_t)i * s->table.groups.n_keys, &b, e);
	}
	buf_release(&b);
	return r < 0 ? -1 : 0;
}

/* ---- coming back in time ---- */

/* The keys of a micro-batch that are over without anything to fire are as many as there is memory for: the others are when they are met. */
static bool enough_are_over(const struct state_op *s)
{
	bool fires = false;

	for (uint32_t i = 0; i < s->table.shape.n_slots; i++)
		fires |= !s->table.shape.event[i];
	return !fires && state_table_memory(&s->table) > s->op.run->mem_max / 2;
}

/* An entry that is due; its key is new to the table. Over, it stays there as one that is gone. */
static int take_due(struct state_op *s, uint32_t key, const struct kept_entry *found, const struct state_waits *w)
{
	bool aged;

	state_forget_away(s, w);
	s->table.groups.table.entries[key].user = found->mark;
	if (w->over < s->op.run->now && w->at[0] > w->over) {
		state_table_note_change(&s->table, key);
		return 0;
	}
	if (state_load_value(s, key, found->value, found->n, found->mark))
		return -1;
	aged = s->table.meta[key].flags & STATE_AGED;
	s->table.ages_mixed |= aged;
	return 0;
}

static int return_one(struct state_op *s, bool event, int64_t until, const struct buf *b, struct err *e)
{
	struct kept_entry ask = { .key = b->p, .key_n = b->n }, found;
	struct state_waits w;
	bool is_new;
	uint32_t key;
	int r = state_knows_key(s, b->p, b->n);

	if (r)
		return r < 0 ? state_refuse(s, e) : 0;
	r = s->op.run->fetch(s->op.run->fetch_ctx, &s->op, &ask, &found, e);
	if (r <= 0)
		return r;
	if (state_waits_saved(s, found.value, found.n, &w))
		return state_refuse(s, e);
	if (due_at(&w, event) >= until) {
		away_times_add(&s->times[event], due_at(&w, event), (struct store_bytes){ b->p, b->n });
		return 0;
	}
	if (state_load_key(s, b->p, b->n, &key, &is_new) || !is_new || take_due(s, key, &found, &w))
		return state_refuse(s, e);
	arena_reset(&s->op.arena);
	return 0;
}

struct renewing {
	struct state_op *s;
	bool event;
};

static int renew_one(void *ctx, const struct kept_entry *entry)
{
	struct renewing *r = ctx;
	struct state_op *s = r->s;
	struct state_waits w;
	int known;

	if (entry->key_n == 1 && *entry->key == KEEP_BASE)
		return 0;
	if (state_waits_saved(s, entry->value, entry->n, &w))
		return 1;
	if (!away_times_wants(&s->times[r->event], due_at(&w, r->event)))
		return 0;
	known = state_knows_key(s, entry->key, entry->key_n);
	if (!known)
		away_times_add(&s->times[r->event], due_at(&w, r->event), (struct store_bytes){ entry->key, entry->key_n });
	return known < 0;
}

/* The nearest times of all that is away. */
static int renew(struct state_op *s, bool event, struct err *e)
{
	struct renewing r = { s, event };
	struct kept_walk w = { .fn = renew_one, .ctx = &r };
	int failed;

	away_times_renew(&s->times[event]);
	failed = s->op.run->walk(s->op.run->fetch_ctx, &s->op, &w, e);
	return failed > 0 ? state_refuse(s, e) : failed;
}

int state_return_due(struct state_op *s, bool event, int64_t until, struct err *e)
{
	struct away_times *t = &s->times[event];
	struct buf b = { 0 };
	int r = 0;

	while (!r) {
		while (!r && (event || !enough_are_over(s)) && away_times_take(t, until, &b))
			r = return_one(s, event, until, &b, e);
		if (r || !away_times_short(t, until) || (!event && enough_are_over(s)))
			break;
		r = op_check_memory(&s->op, s->table.n_live + s->away.n, e) || renew(s, event, e) ? -1 : 0;
	}
	buf_release(&b);
	return r;
}

/* Keyed state that is larger than memory: keys leave it between micro-batches, and come back when a record needs them. */
#include "op/state_impl.h"

/* Of --mem, in bytes of the table: from 3/8 on keys leave, down to half of that. Columns and slots may double once in a
 * micro-batch. */
static size_t leave_from(const struct state_op *s) { return (size_t)(s->op.run->mem_max / 8 * 3); }

/* How many keys stay, at the size that keys have now. */
static uint32_t stay_max(const struct state_op *s, size_t held)
{
	double each = (double)held / (s->table.n_live + 1.0);

	return (uint32_t)((double)leave_from(s) / 2 / each);
}

static void leave_one(struct state_op *s, uint32_t key)
{
	if (!away_add_group(&s->away, &s->table.groups, key))
		return;
	state_table_drop(&s->table, key);
	s->table.groups.table.entries[key].user = 0;
}

/* Those without a record for the longest time leave; of the others as many stay as may. */
static void leave_some(struct state_op *s, uint32_t stay)
{
	struct state_table *t = &s->table;

	for (uint32_t i = 0; i < t->n; i++) {
		bool recent = t->meta[i].flags & STATE_RECENT;

		t->meta[i].flags &= ~STATE_RECENT;
		if (recent && stay)
			stay--;
		else if (state_table_may_leave(t, i))
			leave_one(s, i);
	}
}

void state_leave(struct state_op *s)
{
	struct state_table *t = &s->table;
	size_t held;

	if (!s->leaves || !s->op.run->mem_max || !s->op.run->fetch || s->gone.b.n)
		return;
	held = state_table_memory(t);
	if (held < leave_from(s) || held < s->leave_at)
		return;
	leave_some(s, stay_max(s, held));
	valuepool_settle(&t->pool);
	state_table_compact(t);
	state_table_repack(t);
	s->leave_at = state_table_memory(t) / 2 * 3;
}

/* ---- coming back ---- */

static int refuse(const struct state_op *s, struct err *e)
{
	return err_set(e, ERR_IO, "stage %d: %s: an entry of the checkpoint that it did not write", s->op.stage, s->op.word);
}

/* The key as it would be spelled by these types. 1: it is back, 0, or -1. */
static int return_as(struct state_op *s, uint32_t key, const uint8_t *types, struct buf *b, struct err *e)
{
	struct groups *g = &s->table.groups;
	struct kept_entry ask = { 0 }, found;
	int r;

	b->n = 0;
	if (!groups_save_as(g, key, types, b))
		return 0;
	ask.key = b->p;
	ask.key_n = b->n;
	r = s->op.run->fetch(s->op.run->fetch_ctx, &s->op, &ask, &found, e);
	if (r <= 0)
		return r;
	if (state_load_value(s, key, found.value, found.n, found.mark))
		return refuse(s, e);
	groups_retype(g, key, types);
	s->away.n--;
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

/* Rules that are about all keys. Keys that are away are gone through in the order of their births, as many at a time as there is
 * memory for: a walk over the entries finds the next ones. */
#include <stdlib.h>

#include "op/state_impl.h"

struct all_keys {
	struct state_op *s;
	int (*rule)(struct state_op *s, uint32_t key);
	uint32_t *list, n, at;	/* those in memory */
	struct away_times next; /* those that are away, by birth */
	int64_t from;		/* births before this one have had their turn */
	struct state_table visited;
	size_t most; /* bytes of it */
	struct buf key, value;
	struct err *e;
};

static void swap_tables(struct all_keys *a)
{
	struct state_table t = a->s->table;

	a->s->table = a->visited;
	a->visited = t;
	a->s->visits = !a->s->visits;
}

/* Those in memory that were born before. */
static int run_present(struct all_keys *a, uint64_t before)
{
	int r = 0;

	while (!r && a->at < a->n && a->s->table.meta[a->list[a->at]].birth < before)
		r = a->rule(a->s, a->list[a->at++]);
	return r;
}

/* The rule for a key in the other table. 1 when that changed it: what it is now is in a->value. */
static int run_visited(struct all_keys *a, const struct kept_entry *found)
{
	struct state_op *s = a->s;
	bool is_new;
	uint32_t key;

	if (state_load_key(s, a->key.p, a->key.n, &key, &is_new) || !is_new ||
	    state_load_value(s, key, found->value, found->n, found->mark))
		return state_refuse(s, a->e);
	if (a->rule(s, key))
		return -1;
	if (!(s->table.meta[key].flags & STATE_CHANGED))
		return 0;
	a->value.n = 0;
	state_save_value(&s->table, key, &a->value);
	return 1;
}

/* What the other table holds is read by nobody any more. */
static int forget_visited(struct all_keys *a)
{
	struct state_shape shape = a->visited.shape;

	if (state_table_memory(&a->visited) < a->most)
		return 0;
	if (state_flush(a->s))
		return -1;
	state_table_release(&a->visited);
	state_table_init(&a->visited, &shape);
	return 0;
}

/* A key that the rule has changed comes back to memory. */
static int bring_home(struct all_keys *a, uint32_t mark)
{
	struct state_op *s = a->s;
	bool is_new;
	uint32_t key;

	if (state_load_key(s, a->key.p, a->key.n, &key, &is_new) || !is_new ||
	    state_load_value(s, key, a->value.p, a->value.n, mark))
		return state_refuse(s, a->e);
	s->table.ages_mixed = s->table.shape.ages;
	state_table_note_change(&s->table, key);
	return 0;
}

static int visit(struct all_keys *a)
{
	struct state_op *s = a->s;
	struct kept_entry ask = { .key = a->key.p, .key_n = a->key.n }, found;
	struct state_waits w;
	int r = s->op.run->fetch(s->op.run->fetch_ctx, &s->op, &ask, &found, a->e);

	if (r <= 0)
		return r;
	if (state_waits_saved(s, found.value, found.n, &w))
		return state_refuse(s, a->e);
	if (w.over < s->op.run->now)
		return 0;
	swap_tables(a);
	r = run_visited(a, &found);
	swap_tables(a);
	if (r > 0) {
		state_forget_away(s, &w);
		r = state_flush(s) ? -1 : bring_home(a, found.mark); /* what was emitted has keys as the table has them */
	}
	return r ? r : forget_visited(a);
}

static int add_one(void *ctx, const struct kept_entry *entry)
{
	struct all_keys *a = ctx;
	struct bytes_in in = { .p = entry->value, .end = entry->value + entry->n };
	int64_t birth = (int64_t)get_varint(&in);
	int known;

	if ((entry->key_n == 1 && *entry->key == KEEP_BASE) || birth < a->from || !away_times_wants(&a->next, birth))
		return 0;
	known = state_knows_key(a->s, entry->key, entry->key_n);
	if (!known)
		away_times_add(&a->next, birth, (struct store_bytes){ entry->key, entry->key_n });
	return known < 0;
}

/* The next of those that are away. */
static int find_next(struct all_keys *a)
{
	const struct run *run = a->s->op.run;
	struct kept_walk w = { .fn = add_one, .ctx = a };
	int r;

	a->from = a->next.cut ? a->next.horizon : a->from;
	away_times_renew(&a->next);
	r = run->walk(run->fetch_ctx, &a->s->op, &w, a->e);
	if (r > 0)
		return state_refuse(a->s, a->e);
	return r ? r : op_check_memory(&a->s->op, a->s->table.n_live + a->s->away.n, a->e);
}

static int run_all(struct all_keys *a)
{
	int r = 0;

	do {
		r = find_next(a);
		while (!r && a->next.n) {
			r = run_present(a, (uint64_t)a->next.heap[0].at);
			if (!r && away_times_take(&a->next, INT64_MAX, &a->key))
				r = visit(a);
		}
	} while (!r && a->next.cut);
	return r ? r : run_present(a, UINT64_MAX);
}

static int with_those_away(struct all_keys *a)
{
	int r;

	state_table_init(&a->visited, &a->s->table.shape);
	r = run_all(a);
	if (!r)
		r = state_flush(a->s);
	state_table_release(&a->visited);
	away_times_release(&a->next);
	buf_release(&a->key);
	buf_release(&a->value);
	return r;
}

int state_each_key(struct state_op *s, int (*rule)(struct state_op *s, uint32_t key), struct err *e)
{
	struct all_keys a = { .s = s, .rule = rule, .from = 1, .most = (size_t)s->op.run->mem_max / 16, .e = e };
	int r;

	a.next.most = a.most;
	a.list = xmalloc(((size_t)s->table.n_live + 1) * sizeof *a.list);
	a.n = state_table_order(&s->table, a.list);
	r = s->away.n ? with_those_away(&a) : run_present(&a, UINT64_MAX);
	free(a.list);
	return r;
}

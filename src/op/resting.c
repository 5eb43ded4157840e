#include "op/resting.h"

#include "op/keep.h"

/* Of --mem: the times that are waited for; what is brought back at a time. */
#define TIMES_SHARE 16
#define BRING_SHARE 16
/* Bytes that a key takes in tables, at about. */
#define KEY_BYTES 150

void resting_init(struct resting *r, struct op *op, struct living *keys, const struct resting_calls *calls)
{
	*r = (struct resting){ .op = op, .keys = keys, .calls = calls };
	for (int k = 0; k < RESTING_TIMES; k++)
		r->times[k].most = (size_t)(op->run->mem_max / TIMES_SHARE);
}

void resting_release(struct resting *r)
{
	away_release(&r->away);
	for (int k = 0; k < RESTING_TIMES; k++)
		away_times_release(&r->times[k]);
}

size_t resting_memory(const struct resting *r)
{
	size_t n = away_memory(&r->away);

	for (int k = 0; k < RESTING_TIMES; k++)
		n += away_times_memory(&r->times[k]);
	return n;
}

/* ---- leaving ---- */

/* Of --mem, in bytes of what is in memory for keys: from 3/8 on they leave, down to half of that. Tables may double once in a micro-batch. What is
 * known of those that are away takes of it too. */
static size_t leave_from(const struct resting *r)
{
	size_t all = (size_t)r->op->run->mem_max, beside = resting_memory(r);

	return (beside < all / 2 ? all - beside : all / 2) / 8 * 3;
}

static size_t held(const struct resting *r) { return op_memory(r->op) - resting_memory(r) + keytab_leap(&r->keys->groups.table); }

bool resting_should_leave(const struct resting *r, uint32_t *stay)
{
	const struct run *run = r->op->run;
	size_t n;

	if (!run->mem_max || !run->fetch || !r->keys->n_keys)
		return false;
	n = held(r);
	if (n < leave_from(r) || n < r->leave_at)
		return false;
	*stay = (uint32_t)((double)leave_from(r) / 2 / ((double)n / (r->keys->n_live + 1.0)));
	return true;
}

static bool wants(const struct resting *r, const int64_t due[RESTING_TIMES])
{
	for (int k = 0; k < RESTING_TIMES; k++)
		if (away_times_wants(&r->times[k], due[k]))
			return true;
	return false;
}

bool resting_leave(struct resting *r, uint32_t key, const int64_t due[RESTING_TIMES])
{
	struct buf b = { 0 };

	if (!away_add_group(&r->away, &r->keys->groups, key))
		return false;
	living_die(r->keys, key);
	if (!due || !wants(r, due))
		return true;
	buf_char(&b, r->calls->tag);
	living_save(r->keys, key, &b);
	for (int k = 0; k < RESTING_TIMES; k++)
		away_times_add(&r->times[k], due[k], (struct store_bytes){ b.p, b.n });
	buf_release(&b);
	return true;
}

void resting_left(struct resting *r) { r->leave_at = held(r) / 8 * 9; }

/* ---- coming back with a record ---- */

int resting_return(struct resting *r, uint32_t first, struct err *e)
{
	struct away_owner o = { r->op, &r->keys->groups, &r->calls->tag, 1 };
	struct kept_entry found;
	struct buf b = { 0 };
	int got = 0;

	for (uint32_t key = first; r->away.n && key < r->keys->n && got >= 0; key++) {
		got = away_return(&r->away, &o, key, &found, e);
		if (got <= 0)
			continue;
		b.n = 0;
		buf_char(&b, r->calls->tag);
		living_save(r->keys, key, &b);
		found.key = b.p;
		found.key_n = b.n;
		if (r->calls->load(r->op, &found))
			got = keep_refuse(r->op, e);
	}
	buf_release(&b);
	return got < 0 ? -1 : 0;
}

/* ---- coming back in time ---- */

/* 1: the key of the entry is in memory; 0, or -1: it has none. `own` is for looking. */
static int is_here(const struct resting *r, const struct kept_entry *entry, struct groups *own)
{
	struct bytes_in key = keep_open(entry->key, entry->key_n, (uint8_t)r->calls->tag);
	struct key_bytes bytes;
	uint32_t group;

	groups_clear(own);
	if (key.bad || groups_load(own, &key.p, key.end, &group) || !keep_over(&key))
		return -1;
	keytab_key(&own->table, group, &bytes);
	return keytab_find(&r->keys->groups.table, &bytes) != KEYTAB_NONE;
}

struct bringing {
	struct resting *r;
	struct away_times *times;
	int kind;
	struct groups own;
	int64_t until, last; /* last: the time of the one that came last */
	size_t came;	     /* bytes, at about */
	struct err *e;
};

static struct bringing bringing_of(struct resting *r, int kind, struct err *e)
{
	struct bringing b = { .r = r, .times = &r->times[kind], .kind = kind, .until = INT64_MAX, .last = INT64_MIN, .e = e };

	groups_init(&b.own, r->keys->n_keys);
	return b;
}

static int due_of(const struct bringing *b, const struct kept_entry *entry, int64_t *at)
{
	int64_t due[RESTING_TIMES] = { INT64_MAX, INT64_MAX };

	if (b->r->calls->due(b->r->op, entry, due))
		return keep_refuse(b->r->op, b->e);
	*at = due[b->kind];
	return 0;
}

/* The entry of a key that is away: 1, 0 when it is not, or -1. */
static int find(struct bringing *b, struct store_bytes key, struct kept_entry *found)
{
	const struct op *op = b->r->op;
	struct kept_entry ask = { .key = key.p, .key_n = key.n };
	int here = is_here(b->r, &ask, &b->own);

	if (here)
		return here < 0 ? keep_refuse(op, b->e) : 0;
	return op->run->fetch(op->run->fetch_ctx, op, &ask, found, b->e);
}

/* What was noted of a key may be out of date: then its time is noted elsewhere, or it is in memory. */
static int bring_one(struct bringing *b, const struct buf *key)
{
	struct resting *r = b->r;
	struct kept_entry found;
	int64_t due;
	int got = find(b, (struct store_bytes){ key->p, key->n }, &found);

	if (got <= 0)
		return got;
	if (due_of(b, &found, &due))
		return -1;
	if (due >= b->until)
		return 0;
	b->came += found.key_n + found.n + KEY_BYTES;
	r->away.n--;
	return r->calls->load(r->op, &found) ? keep_refuse(r->op, b->e) : 0;
}

/* Those that are known to be due. */
static int bring_known(struct bringing *b)
{
	struct away_times *t = b->times;
	size_t most = (size_t)(b->r->op->run->mem_max / BRING_SHARE);
	struct buf key = { 0 };
	int failed = 0;

	while (!failed && t->n && t->heap[0].at < b->until) {
		if (b->came >= most && t->heap[0].at > b->last) {
			b->until = t->heap[0].at;
			break;
		}
		b->last = t->heap[0].at;
		away_times_take(t, b->until, &key);
		failed = bring_one(b, &key);
	}
	buf_release(&key);
	return failed;
}

static int renew_one(void *ctx, const struct kept_entry *entry)
{
	struct bringing *b = ctx;
	int64_t due;
	int here;

	if (!entry->key_n || *entry->key != b->r->calls->tag)
		return 0;
	if (due_of(b, entry, &due))
		return -1;
	if (!away_times_wants(b->times, due))
		return 0;
	here = is_here(b->r, entry, &b->own);
	if (!here)
		away_times_add(b->times, due, (struct store_bytes){ entry->key, entry->key_n });
	return here < 0 ? keep_refuse(b->r->op, b->e) : 0;
}

static int renew(struct bringing *b)
{
	struct resting *r = b->r;
	struct kept_walk w = { .from = &r->calls->tag, .from_n = 1, .fn = renew_one, .ctx = b };

	if (op_check_memory(r->op, r->keys->n_live + r->away.n, b->e))
		return -1;
	away_times_renew(b->times);
	return r->op->run->walk(r->op->run->fetch_ctx, r->op, &w, b->e) < 0 ? -1 : 0;
}

int resting_bring(struct resting *r, int kind, int64_t until, int64_t *upto, struct err *e)
{
	struct bringing b;
	int failed = 0;

	*upto = until;
	if (!r->away.n)
		return 0;
	b = bringing_of(r, kind, e);
	b.until = until;
	if ((!b.times->n || b.times->heap[0].at >= until) && away_times_short(b.times, until))
		failed = renew(&b);
	if (!failed)
		failed = bring_known(&b);
	*upto = away_times_short(b.times, b.until) ? b.times->horizon : b.until;
	groups_release(&b.own);
	return failed;
}

/* Is the first of the heap up to date? Else it is taken out. 1: it is, 0, or -1. */
static int first_holds(struct bringing *b)
{
	const struct away_time *first = &b->times->heap[0];
	struct kept_entry found;
	struct buf key = { 0 };
	int64_t at = first->at, due = INT64_MAX;
	int got = find(b, (struct store_bytes){ b->times->keys.p + first->from, first->n }, &found);

	if (got > 0 && due_of(b, &found, &due))
		got = -1;
	if (got >= 0 && due != at) {
		away_times_take(b->times, INT64_MAX, &key);
		got = 0;
	}
	buf_release(&key);
	return got;
}

int resting_first(struct resting *r, int kind, int64_t *at, struct err *e)
{
	struct bringing b;
	int got = 0;

	*at = INT64_MAX;
	if (!r->away.n)
		return 0;
	b = bringing_of(r, kind, e);
	while (!got && (b.times->n || b.times->cut))
		got = b.times->n ? first_holds(&b) : renew(&b);
	if (got > 0)
		*at = b.times->heap[0].at;
	groups_release(&b.own);
	return got < 0 ? -1 : 0;
}

void resting_forget(struct resting *r, int kind)
{
	away_times_renew(&r->times[kind]);
	r->times[kind].cut = r->away.n;
	r->times[kind].horizon = INT64_MIN;
}

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
	r->times.most = (size_t)(op->run->mem_max / TIMES_SHARE);
}

void resting_release(struct resting *r)
{
	away_release(&r->away);
	away_times_release(&r->times);
}

size_t resting_memory(const struct resting *r) { return away_memory(&r->away) + away_times_memory(&r->times); }

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

bool resting_leave(struct resting *r, uint32_t key, int64_t due)
{
	struct buf b = { 0 };

	if (!away_add_group(&r->away, &r->keys->groups, key))
		return false;
	living_die(r->keys, key);
	if (!away_times_wants(&r->times, due))
		return true;
	buf_char(&b, r->calls->tag);
	living_save(r->keys, key, &b);
	away_times_add(&r->times, due, (struct store_bytes){ b.p, b.n });
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
	struct groups own;
	int64_t until, last; /* last: the time of the one that came last */
	size_t came;	     /* bytes, at about */
	struct err *e;
};

/* What was noted of a key may be out of date: then its time is noted elsewhere, or it is in memory. */
static int bring_one(struct bringing *b, const struct buf *key)
{
	struct resting *r = b->r;
	const struct run *run = r->op->run;
	struct kept_entry ask = { .key = key->p, .key_n = key->n }, found;
	int got = is_here(r, &ask, &b->own);
	int64_t due;

	if (got)
		return got < 0 ? keep_refuse(r->op, b->e) : 0;
	got = run->fetch(run->fetch_ctx, r->op, &ask, &found, b->e);
	if (got <= 0)
		return got;
	if (r->calls->due(r->op, &found, &due))
		return keep_refuse(r->op, b->e);
	if (due >= b->until)
		return 0;
	b->came += found.key_n + found.n + KEY_BYTES;
	r->away.n--;
	return r->calls->load(r->op, &found) ? keep_refuse(r->op, b->e) : 0;
}

/* Those that are known to be due. */
static int bring_known(struct bringing *b)
{
	struct away_times *t = &b->r->times;
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
	struct resting *r = b->r;
	int64_t due;
	int here;

	if (!entry->key_n || *entry->key != r->calls->tag)
		return 0;
	if (r->calls->due(r->op, entry, &due))
		return keep_refuse(r->op, b->e);
	if (!away_times_wants(&r->times, due))
		return 0;
	here = is_here(r, entry, &b->own);
	if (!here)
		away_times_add(&r->times, due, (struct store_bytes){ entry->key, entry->key_n });
	return here < 0 ? keep_refuse(r->op, b->e) : 0;
}

static int renew(struct bringing *b)
{
	struct resting *r = b->r;
	struct kept_walk w = { .from = &r->calls->tag, .from_n = 1, .fn = renew_one, .ctx = b };

	if (op_check_memory(r->op, r->keys->n_live + r->away.n, b->e))
		return -1;
	away_times_renew(&r->times);
	return r->op->run->walk(r->op->run->fetch_ctx, r->op, &w, b->e) < 0 ? -1 : 0;
}

int resting_bring(struct resting *r, int64_t until, int64_t *upto, struct err *e)
{
	struct away_times *t = &r->times;
	struct bringing b = { .r = r, .until = until, .last = INT64_MIN, .e = e };
	int failed = 0;

	*upto = until;
	if (!r->away.n)
		return 0;
	groups_init(&b.own, r->keys->n_keys);
	if ((!t->n || t->heap[0].at >= until) && away_times_short(t, until))
		failed = renew(&b);
	if (!failed)
		failed = bring_known(&b);
	*upto = away_times_short(t, b.until) ? t->horizon : b.until;
	groups_release(&b.own);
	return failed;
}

#include "op/op_dedup.h"

#include <stdlib.h>

#include "data/keytab.h"
#include "op/away.h"
#include "op/away_times.h"
#include "op/keep.h"

struct dedup {
	struct op op;
	struct dedup_spec spec;
	struct keytab table;
	int64_t *until; /* by key, of kinds with event time: forgotten when the watermark reaches it */
	size_t until_cap;
	uint32_t swept; /* keys left by the last sweep */
	struct keep_dirty dirty; /* with run->durable: keys; their marks are the table's */
	struct keep_gone gone;
	struct away away;
	struct away_times times; /* when those that are away are to be forgotten */
	struct keytab over;	 /* those that were, since the last commit; their marks are the table's */
	size_t leave_at;  /* bytes of the table from which on it is worth trying */
};

/* The key columns; a window is part of the key where each has its own. */
static void dedup_keys(struct dedup *d, const struct batch *b, const uint32_t *sel, uint32_t n_sel, struct key_bytes *keys)
{
	uint32_t n = d->spec.n_keys ? d->spec.n_keys : 1;
	struct column *cols = arena_array(b->arena, struct column, n);
	const struct column **at = arena_array(b->arena, const struct column *, n + 2);

	for (uint32_t k = 0; k < n; k++) {
		at[k] = &cols[k];
		if (d->spec.n_keys)
			cols[k] = expr_eval(d->spec.keys_take[k], &d->op.eval, b, sel, n_sel);
	}
	if (!d->spec.n_keys) {
		cols[0] = column_make(b->arena, T_OBJECT, b->n_rows);
		BATCH_EACH(sel, n_sel, i) cols[0].v[i] = batch_record(b, i, b->arena);
	}
	if (d->spec.by_window && b->hidden[HIDDEN_WINDOW_START]) {
		at[n++] = b->hidden[HIDDEN_WINDOW_START];
		at[n++] = b->hidden[HIDDEN_WINDOW_END];
	}
	key_of_columns(b->arena, at, n, sel, n_sel, keys);
}

static bool by_time(const struct dedup *d)
{
	return d->spec.kind >= DEDUP_WINDOW;
}

/* How long the row's key is to be remembered. */
static bool until_of(const struct dedup *d, const struct batch *b, uint32_t row, int64_t *until)
{
	const struct column *c = b->hidden[d->spec.kind == DEDUP_WINDOW ? HIDDEN_WINDOW_END : HIDDEN_EVENT];
	struct value v = c ? column_get(c, row) : v_null();

	*until = v.i;
	return v.type == T_TIME;
}

/* Rows in time: the others are counted. */
static uint32_t in_time(struct dedup *d, const struct batch *b, uint32_t *sel, int64_t *until, struct err *e)
{
	uint32_t n = 0;

	BATCH_EACH(b->sel, b->n_sel, i)
	{
		int64_t t;

		if (!until_of(d, b, i, &t)) {
			d->op.count[3]++;
		} else if (t <= d->op.watermark) {
			d->op.count[2]++;
			if (d->op.run->late && d->op.run->late(d->op.run->late_ctx, &d->op, b, i, t, d->op.watermark - t, e))
				return UINT32_MAX;
		} else {
			until[n] = d->spec.kind != DEDUP_WITHIN ? t : t > INT64_MAX - d->spec.within_ns ? INT64_MAX : t + d->spec.within_ns;
			sel[n++] = i;
		}
	}
	return n;
}

/* Is the row the first of its key? `next`: the first key number that is new in this batch; one that has come back has its mark. */
static bool is_first(struct dedup *d, uint32_t group, uint32_t *next, int64_t until)
{
	bool fresh = group == *next;

	*next += fresh;
	fresh = fresh && !d->table.entries[group].user;
	if (!fresh && (!by_time(d) || d->until[group] > d->op.watermark))
		return false;
	if (by_time(d))
		d->until[group] = until;
	if (d->op.run->durable && d->spec.kind != DEDUP_BATCH)
		keep_dirty_add(&d->dirty, group);
	return true;
}

/* ---- keys that are not in memory; what survives a restart: 'k', the kind of the key and its bytes -> how long it is to be remembered (0: for good) ---- */

#define TAG_KEY 'k'
#define DEDUP_VERSION 1

static void put_key(const struct dedup *d, uint32_t group, struct buf *out)
{
	struct key_bytes key;

	keytab_key(&d->table, group, &key);
	buf_char(out, (char)key.kind);
	buf_add(out, key.p, key.n);
}

static void entry_key(const struct dedup *d, uint32_t group, struct buf *out)
{
	buf_char(out, TAG_KEY);
	put_key(d, group, out);
}

static size_t aside(const struct dedup *d) { return away_memory(&d->away) + away_times_memory(&d->times) + keytab_memory(&d->over); }

/* Of --mem, in bytes of the table: from 3/8 on the older half of the keys leaves. The table may double once in a micro-batch. What is known of those that are
 * away takes of it too. */
static size_t leave_from(const struct dedup *d)
{
	size_t all = (size_t)d->op.run->mem_max, other = aside(d);

	return (other < all / 2 ? all - other : all / 2) / 8 * 3;
}

static size_t memory(const struct dedup *d)
{
	return keytab_memory(&d->table) + keytab_leap(&d->table) + (by_time(d) ? d->table.n * sizeof *d->until : 0);
}

static void leave_one(struct dedup *d, uint32_t i, struct buf *b)
{
	struct key_bytes key;

	keytab_key(&d->table, i, &key);
	away_add(&d->away, &key);
	if (!by_time(d) || !away_times_wants(&d->times, d->until[i]))
		return;
	b->n = 0;
	entry_key(d, i, b);
	away_times_add(&d->times, d->until[i], (struct store_bytes){ b->p, b->n });
}

/* Behind a commit: every key has its entry. */
static bool may_leave(const struct dedup *d)
{
	return d->op.run->mem_max && d->op.run->fetch && d->spec.kind != DEDUP_BATCH && !d->dirty.n && !d->gone.b.n && !d->over.n;
}

static void leave(struct dedup *d)
{
	struct keytab fresh;
	struct key_bytes key;
	struct buf b = { 0 };
	uint32_t half = d->table.n / 2, group;
	size_t held = memory(d);

	if (!may_leave(d) || held < leave_from(d) || held < d->leave_at)
		return;
	keytab_init(&fresh);
	for (uint32_t i = 0; i < d->table.n; i++) {
		if (i < half) {
			leave_one(d, i, &b);
			continue;
		}
		keytab_key(&d->table, i, &key);
		keytab_put(&fresh, &key, 1, &group);
		fresh.entries[group].user = d->table.entries[i].user;
		if (by_time(d))
			d->until[group] = d->until[i];
	}
	keytab_release(&d->table);
	d->table = fresh;
	d->swept = d->swept < fresh.n ? d->swept : fresh.n;
	d->leave_at = memory(d) / 8 * 9;
	buf_release(&b);
}

/* The entry of a key that is away. 1, 0 or -1. */
static int fetch(struct dedup *d, const struct buf *key, int64_t *until, uint32_t *mark, struct err *e)
{
	struct kept_entry ask = { .key = key->p, .key_n = key->n }, found;
	int r = d->op.run->fetch(d->op.run->fetch_ctx, &d->op, &ask, &found, e);
	struct bytes_in in;

	if (r <= 0)
		return r;
	in = keep_open(found.value, found.n, DEDUP_VERSION);
	*until = keep_get_int(&in);
	*mark = found.mark;
	return keep_over(&in) ? 1 : keep_refuse(&d->op, e);
}

/* Keys from `first` on are new to the table: those that are away come back. */
static int come_back(struct dedup *d, uint32_t first, struct err *e)
{
	struct buf b = { 0 };
	int r = 0;

	for (uint32_t i = first; i < d->table.n && r >= 0; i++) {
		struct key_bytes key;
		int64_t until;
		uint32_t mark;

		keytab_key(&d->table, i, &key);
		if (!away_may_have(&d->away, &key))
			continue;
		b.n = 0;
		entry_key(d, i, &b);
		r = fetch(d, &b, &until, &mark, e);
		if (r <= 0)
			continue;
		d->table.entries[i].user = mark;
		if (by_time(d))
			d->until[i] = until;
		d->away.n--;
	}
	buf_release(&b);
	return r < 0 ? -1 : 0;
}

/* ---- forgetting keys that are away ---- */

/* An entry's key; false: none that was written here. */
static bool read_key(const char *p, size_t n, struct key_bytes *key)
{
	if (n < 2 || *p != TAG_KEY || (unsigned char)p[1] > KEY_ROW || n - 2 > UINT32_MAX)
		return false;
	*key = (struct key_bytes){ .p = p + 2, .n = (uint32_t)(n - 2), .kind = (unsigned char)p[1] };
	return true;
}

/* Is it in memory, or forgotten already? */
static bool is_known(const struct dedup *d, const struct key_bytes *key)
{
	return keytab_find(&d->table, key) != KEYTAB_NONE || keytab_find(&d->over, key) != KEYTAB_NONE;
}

/* A key whose time has come, unless it has been seen since. */
static int forget_away(struct dedup *d, const struct buf *b, struct err *e)
{
	struct key_bytes key;
	uint32_t mark, group;
	int64_t until;
	int r;

	if (!read_key(b->p, b->n, &key) || is_known(d, &key))
		return 0;
	r = fetch(d, b, &until, &mark, e);
	if (r <= 0)
		return r;
	if (until > d->op.watermark) {
		away_times_add(&d->times, until, (struct store_bytes){ b->p, b->n });
		return 0;
	}
	keytab_put(&d->over, &key, 1, &group);
	d->over.entries[group].user = mark;
	d->away.n--;
	return 0;
}

static int renew_one(void *ctx, const struct kept_entry *entry)
{
	struct dedup *d = ctx;
	struct bytes_in in = keep_open(entry->value, entry->n, DEDUP_VERSION);
	int64_t until = keep_get_int(&in);
	struct key_bytes key;

	if (!read_key(entry->key, entry->key_n, &key))
		return 0;
	if (away_times_wants(&d->times, until) && !is_known(d, &key))
		away_times_add(&d->times, until, (struct store_bytes){ entry->key, entry->key_n });
	return 0;
}

static int renew(struct dedup *d, struct err *e)
{
	struct kept_walk w = { .fn = renew_one, .ctx = d };

	away_times_renew(&d->times);
	return d->op.run->walk(d->op.run->fetch_ctx, &d->op, &w, e);
}

/* Those that the watermark has reached; as many as there is memory for, for who is met later is looked at then. */
static int forget_over(struct dedup *d, struct err *e)
{
	int64_t until = d->op.watermark == WATERMARK_END ? WATERMARK_END : d->op.watermark + 1;
	size_t most = (size_t)d->op.run->mem_max / 8;
	struct buf b = { 0 };
	int r = 0;

	while (!r && d->away.n) {
		while (!r && keytab_memory(&d->over) < most && away_times_take(&d->times, until, &b))
			r = forget_away(d, &b, e);
		if (r || keytab_memory(&d->over) >= most || !away_times_short(&d->times, until))
			break;
		r = renew(d, e);
	}
	buf_release(&b);
	return r;
}

static int dedup_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct dedup *d = (struct dedup *)op;
	struct key_bytes *keys = arena_array(b->arena, struct key_bytes, b->n_sel + 1);
	uint32_t *group = arena_array(b->arena, uint32_t, b->n_sel + 1), *sel = arena_array(b->arena, uint32_t, b->n_sel + 1);
	uint32_t *timely = arena_array(b->arena, uint32_t, b->n_sel + 1), next, n = b->n_sel;
	int64_t *until = arena_array(b->arena, int64_t, b->n_sel + 1);
	const uint32_t *in = b->sel;
	struct batch out = *b;
	int verdict;

	(void)port;
	leave(d);
	next = d->table.n;
	if (by_time(d)) {
		in = timely;
		n = in_time(d, b, timely, until, e);
		if (n == UINT32_MAX)
			return -1;
	}
	dedup_keys(d, b, in, n, keys);
	keytab_put(&d->table, keys, n, group);
	if (by_time(d))
		d->until = xgrow(d->until, &d->until_cap, d->table.n, sizeof *d->until);
	if (d->away.n && come_back(d, next, e))
		return -1;
	out.sel = sel;
	out.n_sel = 0;
	BATCH_EACH(in, n, i) if (is_first(d, group[k_], &next, by_time(d) ? until[k_] : 0)) sel[out.n_sel++] = i;
	op->count[0] += out.n_sel;
	op->count[1] += n - out.n_sel;
	verdict = op_push(op, &out, e);
	return verdict ? verdict : op_check_memory(op, d->table.n + d->away.n, e);
}

/* ---- commit and restore ---- */

static void commit_over(struct dedup *d, struct keep *k)
{
	struct key_bytes key;

	for (uint32_t i = 0; i < d->over.n; i++) {
		keytab_key(&d->over, i, &key);
		keep_start(k, TAG_KEY, DEDUP_VERSION);
		buf_char(&k->key, (char)key.kind);
		buf_add(&k->key, key.p, key.n);
		keep_drop(k, &d->over.entries[i].user);
	}
	if (!d->over.n)
		return;
	keytab_release(&d->over);
	keytab_init(&d->over);
}

static void dedup_commit(struct op *op, struct keeper *to)
{
	struct dedup *d = (struct dedup *)op;
	struct keep k = { .to = to };
	uint32_t group;

	keep_gone_commit(&d->gone, to);
	commit_over(d, &k);
	while ((group = keep_dirty_take(&d->dirty)) != UINT32_MAX) {
		keep_start(&k, TAG_KEY, DEDUP_VERSION);
		put_key(d, group, &k.key);
		keep_int(&k.value, by_time(d) ? d->until[group] : 0);
		keep_put(&k, &d->table.entries[group].user);
	}
	keep_release(&k);
}

static int dedup_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct dedup *d = (struct dedup *)op;
	struct bytes_in in = keep_open(value, n, DEDUP_VERSION);
	int64_t until = keep_get_int(&in);
	struct key_bytes bytes;
	uint32_t group;

	if (!key)
		return 0;
	if (!keep_over(&in) || !read_key(key, key_n, &bytes) || d->spec.kind == DEDUP_BATCH)
		return keep_refuse(op, e);
	keytab_put(&d->table, &bytes, 1, &group);
	d->table.entries[group].user = mark;
	if (by_time(d)) {
		d->until = xgrow(d->until, &d->until_cap, d->table.n, sizeof *d->until);
		d->until[group] = until;
	}
	leave(d);
	return 0;
}

/* A key that is forgotten has no entry any more. */
static void forget_key(struct dedup *d, uint32_t group)
{
	struct buf key = { 0 };

	if (!d->table.entries[group].user)
		return;
	entry_key(d, group, &key);
	keep_gone_add(&d->gone, key.p, key.n, d->table.entries[group].user);
	buf_release(&key);
}

/* Keys that are worth looking through for those to forget. */
#define SWEEP_MIN 4096

/* A table of the keys that the watermark has not reached: when there are twice as many as the last time, so that a key is looked at a bounded number of times. */
static void sweep(struct dedup *d)
{
	struct keytab fresh;
	uint32_t n = 0, *names;

	if (d->table.n < SWEEP_MIN || d->table.n < 2 * d->swept)
		return;
	keytab_init(&fresh);
	names = xmalloc(d->table.n * sizeof *names);
	for (uint32_t i = 0; i < d->table.n; i++) {
		struct key_bytes key;

		names[i] = UINT32_MAX;
		if (d->until[i] <= d->op.watermark) {
			forget_key(d, i);
			continue;
		}
		keytab_key(&d->table, i, &key);
		keytab_put(&fresh, &key, 1, &names[i]);
		fresh.entries[names[i]].user = d->table.entries[i].user;
		d->until[n++] = d->until[i];
	}
	keep_dirty_rename(&d->dirty, names);
	free(names);
	keytab_release(&d->table);
	d->table = fresh;
	d->swept = n;
}

static int dedup_batch_end(struct op *op, struct err *e)
{
	struct dedup *d = (struct dedup *)op;

	if (d->spec.kind == DEDUP_BATCH)
		keytab_clear(&d->table);
	if (!by_time(d))
		return 0;
	if (d->away.n && forget_over(d, e))
		return -1;
	sweep(d);
	return 0;
}

static void dedup_free(struct op *op)
{
	struct dedup *d = (struct dedup *)op;

	for (uint32_t k = 0; k < d->spec.n_keys; k++)
		expr_release(d->spec.keys_take[k]);
	keytab_release(&d->table);
	free(d->until);
	keep_dirty_release(&d->dirty);
	keep_gone_release(&d->gone);
	away_release(&d->away);
	away_times_release(&d->times);
	keytab_release(&d->over);
}

static size_t dedup_memory(const struct op *op)
{
	const struct dedup *d = (const struct dedup *)op;

	return keytab_memory(&d->table) + d->until_cap * sizeof *d->until + keep_dirty_memory(&d->dirty) + d->gone.b.cap + aside(d);
}

static void dedup_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct dedup *d = (const struct dedup *)op;

	for (uint32_t k = 0; k < d->spec.n_keys; k++)
		expr_unseen(d->spec.keys_take[k], fn, ctx);
}

static uint64_t dedup_held(const struct op *op, const char **what)
{
	const struct dedup *d = (const struct dedup *)op;

	*what = "keys";
	return d->table.n + d->away.n;
}

static const struct op_class dedup_class = {
	.name = "dedup",
	.leaves = true,
	.counters = { "first", "repeated", "late", "no-time" },
	.process = dedup_process,
	.on_batch_end = dedup_batch_end,
	.free = dedup_free,
	.memory = dedup_memory,
	.held = dedup_held,
	.unseen = dedup_unseen,
	.commit = dedup_commit,
	.restore = dedup_restore,
};

struct op *op_dedup(struct run *run, int stage, const char *word, const struct dedup_spec *spec)
{
	struct dedup *d = op_make(&dedup_class, sizeof *d, run, stage, word);

	d->spec = *spec;
	keytab_init(&d->table);
	keytab_init(&d->over);
	d->op.stays = spec->kind == DEDUP_BATCH;
	d->times.most = (size_t)run->mem_max / 16;
	return &d->op;
}

#include "op/op_absent.h"

#include <stdlib.h>

#include "op/keep.h"
#include "op/op_assign.h"
#include "op/resting.h"
#include "op/timers.h"

enum count { HEARD, LATE, NO_TIME };

/* From the first record to the last, with no gap longer than DUR. */
struct stretch {
	int64_t first, last;
};

/* What a key has said: stretches [from, n), earliest first. */
struct voice {
	struct stretch one, *many; /* many NULL: it has room for one */
	uint32_t from, n, cap : 31, recent : 1; /* recent: heard of lately */
	uint32_t mark;
	int64_t due; /* when it is in the heap, where others of its times are void */
};

struct absent {
	struct op op;
	struct absent_spec spec;
	const struct schema *schema;
	struct living keys;
	struct voice *voices; /* by key */
	size_t voices_cap, many_bytes;
	uint32_t n_voices;
	struct timers due;
	int64_t latest; /* time seen; INT64_MIN: none */
	/* with run->durable */
	struct keep_dirty dirty;
	struct keep_gone gone;
	int64_t kept_latest;
	uint32_t latest_mark;
	struct resting rest;
	int64_t told; /* silences before it have been told */
};

static int64_t later(int64_t t, int64_t by) { return t > INT64_MAX - by ? INT64_MAX : t + by; }
static int64_t earlier(int64_t t, int64_t by) { return t < INT64_MIN + by ? INT64_MIN : t - by; }

static uint64_t n_keys(const struct absent *x) { return x->keys.n_live + x->rest.away.n; }

/* ---- stretches ---- */

static struct stretch *stretches(struct voice *v) { return v->many ? v->many : &v->one; }

static bool is_silent(const struct voice *v) { return v->from == v->n; }

/* Room for one more behind the last. */
static void make_room(struct absent *x, struct voice *v)
{
	uint32_t have = v->many ? v->cap : 1, n = v->n - v->from;

	if (v->n < have)
		return;
	if (v->from > v->n / 2) {
		memmove(stretches(v), stretches(v) + v->from, n * sizeof *v->many);
	} else {
		uint32_t cap = v->many ? 2 * v->cap : 4;
		struct stretch *many = xmalloc(cap * sizeof *many);

		memcpy(many, stretches(v) + v->from, n * sizeof *many);
		free(v->many);
		x->many_bytes += (cap - v->cap) * sizeof *many;
		v->many = many;
		v->cap = cap;
	}
	v->from = 0;
	v->n = n;
}

static void forget(struct absent *x, struct voice *v)
{
	x->many_bytes -= v->cap * sizeof *v->many;
	free(v->many);
	v->many = NULL;
	v->from = v->n = v->cap = 0;
}

/* The first stretch whose end, DUR later, is not before t: most records are newer than what there is. */
static uint32_t place_of(const struct absent *x, struct voice *v, int64_t t)
{
	const struct stretch *at = stretches(v);
	uint32_t lo = v->from, hi = v->n;

	if (lo < hi && t >= at[hi - 1].first)
		lo = hi - 1;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (later(at[mid].last, x->spec.span_ns) < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void insert(struct absent *x, struct voice *v, uint32_t place, int64_t first, int64_t last)
{
	uint32_t behind = v->n - place;
	struct stretch *at;

	make_room(x, v);
	at = stretches(v) + v->n - behind;
	memmove(at + 1, at, behind * sizeof *at);
	*at = (struct stretch){ first, last };
	v->n++;
}

/* The stretch has grown: those behind it that it reaches become part of it. */
static void swallow(const struct absent *x, struct voice *v, uint32_t place)
{
	struct stretch *at = stretches(v);
	uint32_t next = place + 1;

	for (; next < v->n && at[next].first <= later(at[place].last, x->spec.span_ns); next++)
		at[place].last = at[next].last > at[place].last ? at[next].last : at[place].last;
	memmove(at + place + 1, at + next, (v->n - next) * sizeof *at);
	v->n -= next - place - 1;
}

/* When the key's first stretch is. */
static int64_t over_at(const struct absent *x, struct voice *v) { return later(stretches(v)[v->from].last, x->spec.span_ns); }

/* The heap has the end of the first stretch, or an earlier time. */
static void set_due(struct absent *x, uint32_t key)
{
	struct voice *v = &x->voices[key];
	int64_t due = over_at(x, v);

	if (due >= v->due)
		return;
	v->due = due;
	timers_add(&x->due, due, key, 0);
}

static void hear(struct absent *x, uint32_t key, int64_t t)
{
	struct voice *v = &x->voices[key];
	uint32_t place = place_of(x, v, t);
	struct stretch *at = stretches(v) + place;

	if (place == v->n || t < earlier(at->first, x->spec.span_ns)) {
		insert(x, v, place, t, t);
	} else {
		at->first = t < at->first ? t : at->first;
		at->last = t > at->last ? t : at->last;
		swallow(x, v, place);
	}
	set_due(x, key);
}

/* ---- records in ---- */

static void reserve(struct absent *x)
{
	x->voices = xgrow(x->voices, &x->voices_cap, x->keys.n, sizeof *x->voices);
	for (; x->n_voices < x->keys.n; x->n_voices++)
		x->voices[x->n_voices] = (struct voice){ .due = INT64_MAX };
}

/* New numbers for the keys that live. */
static void compact(struct absent *x)
{
	uint32_t *names = living_compact(&x->keys);

	timers_release(&x->due);
	for (uint32_t k = 0; k < x->n_voices; k++) {
		if (names[k] == UINT32_MAX)
			continue;
		x->voices[names[k]] = x->voices[k];
		timers_add(&x->due, x->voices[k].due, names[k], 0);
	}
	x->n_voices = x->keys.n;
	x->voices_cap = x->n_voices + 1;
	x->voices = xrealloc(x->voices, x->voices_cap * sizeof *x->voices);
	keep_dirty_rename(&x->dirty, names);
	free(names);
}

/* Behind a commit, with every key in its entry: those not heard of for the longest time leave memory. */
static void leave(struct absent *x)
{
	uint32_t stay;

	if (x->dirty.n || x->gone.b.n || !resting_should_leave(&x->rest, &stay))
		return;
	for (uint32_t k = 0; k < x->n_voices; k++) {
		struct voice *v = &x->voices[k];
		bool recent = v->recent;

		v->recent = false;
		if (!living_has(&x->keys, k))
			continue;
		if (recent && stay)
			stay--;
		else if (resting_leave(&x->rest, k, (int64_t[RESTING_TIMES]){ over_at(x, v), INT64_MAX }))
			forget(x, v);
	}
	compact(x);
	resting_left(&x->rest);
}

static int too_late(struct absent *x, const struct batch *b, uint32_t row, int64_t over, struct err *e)
{
	const struct run *run = x->op.run;

	x->op.count[LATE]++;
	return run->late ? run->late(run->late_ctx, &x->op, b, row, over, x->op.watermark - over, e) : 0;
}

static int take_row(struct absent *x, const struct batch *b, uint32_t row, uint32_t key, struct err *e)
{
	int64_t t = x->op.run->now, over;

	if (x->spec.event && !row_time(b->hidden[HIDDEN_EVENT], row, &t)) {
		x->op.count[NO_TIME]++;
		return 0;
	}
	x->latest = t > x->latest ? t : x->latest;
	over = later(t, x->spec.span_ns);
	if (x->spec.event && over < x->op.watermark)
		return too_late(x, b, row, over, e);
	if (!living_has(&x->keys, key))
		living_wake(&x->keys, key, row);
	hear(x, key, t);
	x->voices[key].recent = true;
	if (x->op.run->durable)
		keep_dirty_add(&x->dirty, key);
	x->op.count[HEARD]++;
	return 0;
}

static int absent_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct absent *x = (struct absent *)op;
	struct column *cols = arena_array(b->arena, struct column, x->spec.n_keys + 1);
	uint32_t *key, known;

	(void)port;
	leave(x);
	known = x->keys.n;
	for (uint32_t k = 0; k < x->spec.n_keys; k++)
		cols[k] = expr_eval(x->spec.keys_take[k], &op->eval, b, b->sel, b->n_sel);
	key = living_put(&x->keys, b, cols, b->sel, b->n_sel);
	reserve(x);
	if (resting_return(&x->rest, known, e))
		return -1;
	BATCH_EACH(b->sel, b->n_sel, i) if (take_row(x, b, i, key[k_], e)) return -1;
	return op_check_memory(op, n_keys(x), e);
}

/* ---- silences out ---- */

/* Until when silences are told: those that began before. */
static int64_t time_now(const struct absent *x)
{
	return !x->spec.event ? x->op.run->now : x->op.watermark == WATERMARK_END ? x->latest : x->op.watermark;
}

struct silence {
	int64_t last;
	uint64_t born;
	uint32_t key;
};

static int by_time(const void *a, const void *b)
{
	const struct silence *x = a, *y = b;

	if (x->last != y->last)
		return x->last < y->last ? -1 : 1;
	return x->born < y->born ? -1 : x->born > y->born;
}

/* The key's first stretch is over. */
static struct silence end_stretch(struct absent *x, uint32_t key)
{
	struct voice *v = &x->voices[key];
	struct silence out = { stretches(v)[v->from++].last, x->keys.born[key], key };

	v->due = INT64_MAX;
	if (is_silent(v))
		forget(x, v);
	else
		set_due(x, key);
	if (x->op.run->durable)
		keep_dirty_add(&x->dirty, key);
	return out;
}

/* The first of the heap is the end of a stretch then. False: there is none. */
static bool next_due(struct absent *x)
{
	const struct timer *first;
	struct timer t;

	while ((first = timers_first(&x->due))) {
		struct voice *v = &x->voices[first->what];

		if (v->due == first->at && over_at(x, v) == first->at)
			return true;
		timers_take(&x->due, INT64_MAX, &t);
		if (v->due != t.at)
			continue;
		v->due = INT64_MAX;
		set_due(x, t.what);
	}
	return false;
}

static struct silence *take_due(struct absent *x, int64_t now, size_t *n)
{
	struct silence *out = NULL;
	size_t cap = 0;
	struct timer t;

	while (next_due(x) && timers_first(&x->due)->at < now) {
		timers_take(&x->due, INT64_MAX, &t);
		out = xgrow(out, &cap, *n + 1, sizeof *out);
		out[(*n)++] = end_stretch(x, t.what);
	}
	return out;
}

static int push_some(struct absent *x, const struct silence *s, uint32_t n, struct err *e)
{
	struct arena *a = &x->op.arena;
	uint32_t *list = arena_array(a, uint32_t, n + 1), keys = x->spec.n_keys;
	struct column *cols = arena_array(a, struct column, keys + 2), *own;
	struct batch b = { .schema = x->schema, .cols = cols, .n_rows = n, .n_sel = n, .arena = a };
	int verdict;

	for (uint32_t k = 0; k < n; k++)
		list[k] = s[k].key;
	own = living_columns(&x->keys, list, n, a);
	memcpy(cols, own, keys * sizeof *cols);
	cols[keys] = column_make(a, T_TIME, n);
	cols[keys + 1] = column_make(a, T_TIME, n);
	for (uint32_t k = 0; k < n; k++) {
		cols[keys].i[k] = s[k].last;
		cols[keys + 1].i[k] = later(s[k].last, x->spec.span_ns);
	}
	if (x->spec.event)
		b.hidden[HIDDEN_EVENT] = &cols[keys + 1];
	verdict = op_push(&x->op, &b, e);
	arena_reset(a);
	return verdict;
}

/* Keys that have said all they will. */
static void bury(struct absent *x, const struct silence *s, size_t n)
{
	struct buf key = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct voice *v = &x->voices[s[i].key];

		if (!is_silent(v) || !living_has(&x->keys, s[i].key))
			continue;
		living_die(&x->keys, s[i].key);
		keep_dirty_remove(&x->dirty, s[i].key);
		if (!v->mark)
			continue;
		key.n = 0;
		buf_char(&key, 'k');
		living_save(&x->keys, s[i].key, &key);
		keep_gone_add(&x->gone, key.p, key.n, v->mark);
		v->mark = 0;
	}
	buf_release(&key);
}

/* Silences that began before then, of keys in memory. */
static int tell(struct absent *x, int64_t until, struct err *e)
{
	size_t n = 0;
	struct silence *s = take_due(x, until, &n);
	int verdict = 0;

	if (n)
		qsort(s, n, sizeof *s, by_time);
	for (size_t from = 0, step = batch_rows(); from < n && verdict >= 0; from += step)
		verdict = push_some(x, s + from, (uint32_t)(n - from < step ? n - from : step), e);
	bury(x, s, n);
	free(s);
	x->told = until > x->told ? until : x->told;
	if (living_worn(&x->keys))
		compact(x);
	return verdict < 0 ? -1 : 0;
}

/* Keys that are away come back for it some at a time; whose silence begins now holds back the watermark, and is in memory too. */
static int tell_all(struct absent *x, int64_t now, struct err *e)
{
	int64_t bound = now < INT64_MAX ? now + 1 : now, upto;

	for (;;) {
		if (resting_bring(&x->rest, 0, bound, &upto, e) || tell(x, upto < now ? upto : now, e))
			return -1;
		if (upto == bound)
			return 0;
		if (op_check_memory(&x->op, n_keys(x), e))
			return -1;
	}
}

static int absent_batch_end(struct op *op, struct err *e)
{
	struct absent *x = (struct absent *)op;
	int64_t now = time_now(x);

	if (now > INT64_MIN && tell_all(x, now, e))
		return -1;
	if (x->spec.event && op->watermark != WATERMARK_END && next_due(x) && timers_first(&x->due)->at <= op->watermark)
		op->passes = timers_first(&x->due)->at - 1;
	return 0;
}

/* ---- checkpoints ----
 *
 * k | values of the key -> version | birth varint | number of stretches varint, { first, last }
 * t                     -> version | time of the latest record */

#define ABSENT_VERSION 1

static void absent_commit(struct op *op, struct keeper *to)
{
	struct absent *x = (struct absent *)op;
	struct keep k = { .to = to };
	uint32_t key;

	keep_gone_commit(&x->gone, to);
	while ((key = keep_dirty_take(&x->dirty)) != UINT32_MAX) {
		struct voice *v = &x->voices[key];

		keep_start(&k, 'k', ABSENT_VERSION);
		living_save(&x->keys, key, &k.key);
		put_varint(&k.value, x->keys.born[key]);
		put_varint(&k.value, v->n - v->from);
		for (uint32_t i = v->from; i < v->n; i++) {
			keep_int(&k.value, stretches(v)[i].first);
			keep_int(&k.value, stretches(v)[i].last);
		}
		keep_put(&k, &v->mark);
	}
	if (x->latest != x->kept_latest) {
		keep_start(&k, 't', ABSENT_VERSION);
		keep_int(&k.value, x->latest);
		keep_put(&k, &x->latest_mark);
		x->kept_latest = x->latest;
	}
	keep_release(&k);
}

static int restore_key(struct absent *x, struct bytes_in key, struct bytes_in in, uint32_t mark)
{
	uint64_t born = get_varint(&in), n = get_varint(&in);
	struct voice *v;
	uint32_t number;

	if (in.bad || !n || living_load(&x->keys, &key, born, &number) || !keep_over(&key))
		return -1;
	reserve(x);
	v = &x->voices[number];
	v->mark = mark;
	for (; n; n--) {
		int64_t first = keep_get_int(&in), last = keep_get_int(&in);

		if (in.bad || first > last || (v->n && first <= stretches(v)[v->n - 1].last))
			return -1;
		insert(x, v, v->n, first, last);
	}
	set_due(x, number);
	return keep_over(&in) ? 0 : -1;
}

static int absent_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct absent *x = (struct absent *)op;
	struct bytes_in in;

	if (!key)
		return 0;
	in = keep_open(value, n, ABSENT_VERSION);
	if (key_n == 1 && *key == 't') {
		x->latest = x->kept_latest = keep_get_int(&in);
		x->latest_mark = mark;
		return keep_over(&in) ? 0 : keep_refuse(op, e);
	}
	if (restore_key(x, keep_open(key, key_n, 'k'), in, mark))
		return keep_refuse(op, e);
	leave(x);
	return 0;
}

/* ---- keys that are away ---- */

static int absent_load(struct op *op, const struct kept_entry *entry)
{
	return restore_key((struct absent *)op, keep_open(entry->key, entry->key_n, 'k'), keep_open(entry->value, entry->n, ABSENT_VERSION), entry->mark);
}

/* One whose silences are told is on its way out. */
static int absent_due(const struct op *op, const struct kept_entry *entry, int64_t at[RESTING_TIMES])
{
	const struct absent *x = (const struct absent *)op;
	struct bytes_in in = keep_open(entry->value, entry->n, ABSENT_VERSION);

	get_varint(&in);
	get_varint(&in);
	keep_get_int(&in);
	at[0] = later(keep_get_int(&in), x->spec.span_ns);
	if (at[0] < x->told)
		at[0] = INT64_MAX;
	return in.bad ? -1 : 0;
}

static const struct resting_calls absent_calls = { absent_load, absent_due, 'k' };

/* ---- the operator ---- */

static bool absent_holds(const struct op *op) { return n_keys((const struct absent *)op); }

static uint64_t absent_held(const struct op *op, const char **what)
{
	*what = "keys";
	return n_keys((const struct absent *)op);
}

static size_t absent_memory(const struct op *op)
{
	const struct absent *x = (const struct absent *)op;

	return living_memory(&x->keys) + x->voices_cap * sizeof *x->voices + x->many_bytes + timers_memory(&x->due) +
	       keep_dirty_memory(&x->dirty) + x->gone.b.cap + resting_memory(&x->rest);
}

static void absent_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct absent *x = (const struct absent *)op;

	for (uint32_t k = 0; k < x->spec.n_keys; k++)
		expr_unseen(x->spec.keys_take[k], fn, ctx);
}

static void absent_free(struct op *op)
{
	struct absent *x = (struct absent *)op;

	for (uint32_t k = 0; k < x->spec.n_keys; k++)
		expr_release(x->spec.keys_take[k]);
	for (uint32_t k = 0; k < x->n_voices; k++)
		free(x->voices[k].many);
	living_release(&x->keys);
	free(x->voices);
	timers_release(&x->due);
	keep_dirty_release(&x->dirty);
	keep_gone_release(&x->gone);
	resting_release(&x->rest);
}

static int64_t absent_wakes(struct op *op)
{
	struct absent *x = (struct absent *)op;
	int64_t next, away;

	if (x->spec.event)
		return INT64_MAX;
	next = next_due(x) ? timers_first(&x->due)->at : INT64_MAX;
	away = resting_wakes(&x->rest, 0);
	return later(away < next ? away : next, 1);
}

static const struct op_class absent_class = {
	.name = "absent",
	.leaves = true,
	.makes_fields = true,
	.counters = { "heard", "late", "no-time" },
	.process = absent_process,
	.on_batch_end = absent_batch_end,
	.free = absent_free,
	.memory = absent_memory,
	.holds = absent_holds,
	.wakes = absent_wakes,
	.held = absent_held,
	.commit = absent_commit,
	.restore = absent_restore,
	.unseen = absent_unseen,
};

static const struct schema *make_schema(const struct absent_spec *s)
{
	struct arena tmp = { 0 };
	const char **names = arena_array(&tmp, const char *, s->n_keys + 2);
	uint32_t *lens = arena_array(&tmp, uint32_t, s->n_keys + 2), n = 0;
	const struct schema *schema;

	for (; n < s->n_keys; n++)
		names[n] = s->key_names[n];
	names[n++] = "last_seen";
	names[n++] = "silent_since";
	for (uint32_t k = 0; k < n; k++)
		lens[k] = (uint32_t)strlen(names[k]);
	schema = schema_intern(names, lens, n);
	arena_release(&tmp);
	return schema;
}

struct op *op_absent(struct run *run, int stage, const char *word, const struct absent_spec *spec)
{
	struct absent *x = op_make(&absent_class, sizeof *x, run, stage, word);

	x->spec = *spec;
	x->schema = make_schema(spec);
	x->latest = x->kept_latest = INT64_MIN;
	living_init(&x->keys, spec->n_keys);
	resting_init(&x->rest, &x->op, &x->keys, &absent_calls);
	x->told = INT64_MIN;
	x->op.stays = !spec->n_keys;
	return &x->op;
}

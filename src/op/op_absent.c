#include "op/op_absent.h"

#include <stdlib.h>

#include "op/keep.h"
#include "op/living.h"
#include "op/op_assign.h"
#include "op/timers.h"

#define NONE UINT32_MAX

enum count { HEARD, LATE, NO_TIME };

struct stretch {
	int64_t first, last;
	uint32_t key, next; /* the key's next one, later */
	uint32_t gen;	    /* of the slot: timers of an earlier one are void */
	bool live;
};

struct voice {
	uint32_t first; /* stretch, NONE: none */
	uint32_t mark;
};

struct absent {
	struct op op;
	struct absent_spec spec;
	const struct schema *schema;
	struct living keys;
	struct voice *voices; /* by key */
	size_t voices_cap;
	uint32_t n_voices;
	struct stretch *at;
	size_t at_cap;
	uint32_t n, unused;
	struct timers due;
	int64_t latest; /* time seen; INT64_MIN: none */
	/* with run->durable */
	struct keep_dirty dirty;
	struct keep_gone gone;
	int64_t kept_latest;
	uint32_t latest_mark;
};

static int64_t later(int64_t t, int64_t by) { return t > INT64_MAX - by ? INT64_MAX : t + by; }
static int64_t earlier(int64_t t, int64_t by) { return t < INT64_MIN + by ? INT64_MIN : t - by; }

/* ---- stretches ---- */

static uint32_t take_slot(struct absent *x)
{
	uint32_t slot = x->unused;

	if (slot != NONE) {
		x->unused = x->at[slot].next;
		return slot;
	}
	x->at = xgrow(x->at, &x->at_cap, x->n + 1, sizeof *x->at);
	x->at[x->n] = (struct stretch){ 0 };
	return x->n++;
}

static uint32_t begin(struct absent *x, uint32_t key, int64_t first, int64_t last, uint32_t next)
{
	uint32_t slot = take_slot(x);

	x->at[slot] =
		(struct stretch){ .first = first, .last = last, .key = key, .next = next, .gen = x->at[slot].gen, .live = true };
	timers_add(&x->due, later(last, x->spec.span_ns), slot, x->at[slot].gen);
	return slot;
}

static void let_go(struct absent *x, uint32_t slot)
{
	x->at[slot].live = false;
	x->at[slot].gen++;
	x->at[slot].next = x->unused;
	x->unused = slot;
}

/* The stretch has grown to `last`: those that it reaches become part of it. */
static void swallow(struct absent *x, uint32_t slot, int64_t last)
{
	struct stretch *s = &x->at[slot];

	s->last = last > s->last ? last : s->last;
	while (s->next != NONE && x->at[s->next].first <= later(s->last, x->spec.span_ns)) {
		uint32_t gone = s->next;

		s->last = x->at[gone].last > s->last ? x->at[gone].last : s->last;
		s->next = x->at[gone].next;
		let_go(x, gone);
	}
}

/* `fresh` behind `prev` in its key's list. */
static void list_behind(struct absent *x, uint32_t prev, uint32_t fresh)
{
	*(prev == NONE ? &x->voices[x->at[fresh].key].first : &x->at[prev].next) = fresh;
}

static void hear(struct absent *x, uint32_t key, int64_t t)
{
	uint32_t slot = x->voices[key].first, prev = NONE;

	while (slot != NONE && later(x->at[slot].last, x->spec.span_ns) < t) {
		prev = slot;
		slot = x->at[slot].next;
	}
	if (slot == NONE || t < earlier(x->at[slot].first, x->spec.span_ns)) {
		list_behind(x, prev, begin(x, key, t, t, slot));
		return;
	}
	if (t < x->at[slot].first)
		x->at[slot].first = t;
	swallow(x, slot, t);
}

/* ---- records in ---- */

static void reserve(struct absent *x)
{
	x->voices = xgrow(x->voices, &x->voices_cap, x->keys.n, sizeof *x->voices);
	for (; x->n_voices < x->keys.n; x->n_voices++)
		x->voices[x->n_voices] = (struct voice){ .first = NONE };
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
	if (x->op.run->durable)
		keep_dirty_add(&x->dirty, key);
	x->op.count[HEARD]++;
	return 0;
}

static int absent_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct absent *x = (struct absent *)op;
	struct column *cols = arena_array(b->arena, struct column, x->spec.n_keys + 1);
	uint32_t *key;

	(void)port;
	for (uint32_t k = 0; k < x->spec.n_keys; k++)
		cols[k] = expr_eval(x->spec.keys_take[k], &op->eval, b, b->sel, b->n_sel);
	key = living_put(&x->keys, b, cols, b->sel, b->n_sel);
	reserve(x);
	BATCH_EACH(b->sel, b->n_sel, i) if (take_row(x, b, i, key[k_], e)) return -1;
	return op_check_memory(op, x->keys.n_live, e);
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

/* The stretch is over; it is its key's first, for later ones end later. */
static struct silence end_stretch(struct absent *x, uint32_t slot)
{
	struct stretch *s = &x->at[slot];
	struct silence out = { s->last, x->keys.born[s->key], s->key };

	x->voices[s->key].first = s->next;
	if (x->op.run->durable)
		keep_dirty_add(&x->dirty, s->key);
	let_go(x, slot);
	return out;
}

static struct silence *take_due(struct absent *x, int64_t now, size_t *n)
{
	struct silence *out = NULL;
	size_t cap = 0;
	struct timer t;

	while (now > INT64_MIN && timers_take(&x->due, now - 1, &t)) {
		const struct stretch *s = &x->at[t.what];
		int64_t due = later(s->last, x->spec.span_ns);

		if (!s->live || s->gen != t.gen)
			continue;
		if (due != t.at) {
			timers_add(&x->due, due, t.what, t.gen);
			continue;
		}
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

		if (v->first != NONE || !living_has(&x->keys, s[i].key))
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

static void compact(struct absent *x)
{
	uint32_t *names = living_compact(&x->keys);

	if (!names)
		return;
	for (uint32_t k = 0; k < x->n_voices; k++)
		if (names[k] != UINT32_MAX)
			x->voices[names[k]] = x->voices[k];
	x->n_voices = x->keys.n;
	for (uint32_t i = 0; i < x->n; i++)
		if (x->at[i].live)
			x->at[i].key = names[x->at[i].key];
	keep_dirty_rename(&x->dirty, names);
	free(names);
}

static int absent_batch_end(struct op *op, struct err *e)
{
	struct absent *x = (struct absent *)op;
	const struct timer *next;
	size_t n = 0;
	struct silence *s = take_due(x, time_now(x), &n);
	int verdict = 0;

	if (n)
		qsort(s, n, sizeof *s, by_time);
	for (size_t from = 0, step = batch_rows(); from < n && verdict >= 0; from += step)
		verdict = push_some(x, s + from, (uint32_t)(n - from < step ? n - from : step), e);
	bury(x, s, n);
	free(s);
	compact(x);
	next = timers_first(&x->due);
	if (x->spec.event && op->watermark != WATERMARK_END && next && next->at <= op->watermark)
		op->passes = next->at - 1;
	return verdict < 0 ? -1 : 0;
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
		uint32_t n = 0;

		keep_start(&k, 'k', ABSENT_VERSION);
		living_save(&x->keys, key, &k.key);
		put_varint(&k.value, x->keys.born[key]);
		for (uint32_t s = x->voices[key].first; s != NONE; s = x->at[s].next)
			n++;
		put_varint(&k.value, n);
		for (uint32_t s = x->voices[key].first; s != NONE; s = x->at[s].next) {
			keep_int(&k.value, x->at[s].first);
			keep_int(&k.value, x->at[s].last);
		}
		keep_put(&k, &x->voices[key].mark);
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
	uint32_t number, prev = NONE;

	if (in.bad || !n || living_load(&x->keys, &key, born, &number) || !keep_over(&key))
		return -1;
	reserve(x);
	x->voices[number].mark = mark;
	for (; n; n--) {
		int64_t first = keep_get_int(&in), last = keep_get_int(&in);
		uint32_t fresh;

		if (in.bad || first > last || (prev != NONE && first <= x->at[prev].last))
			return -1;
		fresh = begin(x, number, first, last, NONE);
		list_behind(x, prev, fresh);
		prev = fresh;
	}
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
	return restore_key(x, keep_open(key, key_n, 'k'), in, mark) ? keep_refuse(op, e) : 0;
}

/* ---- the operator ---- */

static bool absent_holds(const struct op *op) { return ((const struct absent *)op)->keys.n_live; }

static uint64_t absent_held(const struct op *op, const char **what)
{
	*what = "keys";
	return ((const struct absent *)op)->keys.n_live;
}

static size_t absent_memory(const struct op *op)
{
	const struct absent *x = (const struct absent *)op;

	return living_memory(&x->keys) + x->voices_cap * sizeof *x->voices + x->at_cap * sizeof *x->at + timers_memory(&x->due) +
	       keep_dirty_memory(&x->dirty) + x->gone.b.cap;
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
	living_release(&x->keys);
	free(x->voices);
	free(x->at);
	timers_release(&x->due);
	keep_dirty_release(&x->dirty);
	keep_gone_release(&x->gone);
}

static const struct op_class absent_class = {
	.name = "absent",
	.makes_fields = true,
	.counters = { "heard", "late", "no-time" },
	.process = absent_process,
	.on_batch_end = absent_batch_end,
	.free = absent_free,
	.memory = absent_memory,
	.holds = absent_holds,
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
	x->unused = NONE;
	x->latest = x->kept_latest = INT64_MIN;
	living_init(&x->keys, spec->n_keys);
	return &x->op;
}

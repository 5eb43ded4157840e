#include "op/op_group_rows.h"

#include <stdlib.h>

#include "op/keep.h"
#include "op/op_assign.h"
#include "op/resting.h"
#include "op/timers.h"
#include "window/window.h"

#define NONE UINT32_MAX

enum count { GROUPED, LATE, NO_TIME };

/* A group that fills: a place in the columns of states. */
struct pack {
	uint64_t n, order;	/* order: of its first record among all */
	uint32_t key, gen;	/* gen: of the slot, timers of an earlier one are void */
	struct interval window; /* GROUP_WINDOW */
	int64_t began;		/* by the clock */
	int64_t earliest;	/* event time; INT64_MAX: none */
	bool live, recent; /* recent: it had a record lately */
};

struct packing {
	uint32_t pack; /* of the key, NONE: none */
	uint32_t mark;
};

struct group_rows {
	struct op op;
	struct reducer reducer;
	struct group_rows_spec spec;
	struct living keys;
	struct packing *packing; /* by key */
	size_t packing_cap;
	uint32_t n_packing;
	struct pack *packs; /* by slot */
	size_t packs_cap;
	uint32_t n_packs, n_open;
	uint32_t *unused, *out; /* slots free again; slots on their way out */
	size_t unused_cap, out_cap;
	uint32_t n_unused, n_out;
	uint64_t orders;
	struct agg_states *states;
	struct timers by_clock, by_watermark, held; /* held: the earliest times of open packs */
	/* with run->durable */
	struct keep_dirty dirty; /* keys */
	struct keep_gone gone;
	struct resting rest;
	bool emptying; /* all go out, in order */
};

/* What keys that are away wait for: the clock; the watermark, or when all go out their turn, or to hold it back. */
enum { WAITS_CLOCK, WAITS_OTHER };

static uint64_t n_groups(const struct group_rows *g) { return g->n_open + g->rest.away.n; }

/* ---- packs ---- */

static int64_t later(int64_t t, int64_t by) { return t > INT64_MAX - by ? INT64_MAX : t + by; }

static void set_timers(struct group_rows *g, uint32_t slot)
{
	const struct pack *p = &g->packs[slot];

	if (g->spec.within_ns)
		timers_add(&g->by_clock, later(p->began, g->spec.within_ns), slot, p->gen);
	if (g->spec.scope == GROUP_WINDOW)
		timers_add(&g->by_watermark, later(p->window.end, g->spec.lateness_ns), slot, p->gen);
}

static uint32_t take_slot(struct group_rows *g)
{
	if (g->n_unused)
		return g->unused[--g->n_unused];
	g->packs = xgrow(g->packs, &g->packs_cap, g->n_packs + 1, sizeof *g->packs);
	g->packs[g->n_packs] = (struct pack){ 0 };
	states_reserve(g->states, &g->reducer, g->n_packs + 1);
	return g->n_packs++;
}

static uint32_t open_pack(struct group_rows *g, uint32_t key)
{
	uint32_t slot = take_slot(g);

	g->packs[slot] = (struct pack){ .key = key,
					.gen = g->packs[slot].gen,
					.order = ++g->orders,
					.began = g->op.run->now,
					.earliest = INT64_MAX,
					.live = true };
	g->packing[key].pack = slot;
	g->n_open++;
	return slot;
}

/* It fills no more, and waits for its way out. */
static void close_pack(struct group_rows *g, uint32_t slot)
{
	g->out = xgrow(g->out, &g->out_cap, g->n_out + 1, sizeof *g->out);
	g->out[g->n_out++] = slot;
	g->packing[g->packs[slot].key].pack = NONE;
	g->packs[slot].live = false;
	g->packs[slot].gen++;
	g->n_open--;
}

static void forget_key(struct group_rows *g, uint32_t key)
{
	struct buf bytes = { 0 };

	if (!living_has(&g->keys, key) || g->packing[key].pack != NONE)
		return;
	living_die(&g->keys, key);
	keep_dirty_remove(&g->dirty, key);
	if (!g->packing[key].mark)
		return;
	buf_char(&bytes, 'g');
	living_save(&g->keys, key, &bytes);
	keep_gone_add(&g->gone, bytes.p, bytes.n, g->packing[key].mark);
	g->packing[key].mark = 0;
	buf_release(&bytes);
}

/* ---- out ---- */

static struct column *hide(struct batch *b, enum hidden which)
{
	struct column *c = arena_array(b->arena, struct column, 1);

	*c = column_make(b->arena, T_TIME, b->n_rows);
	b->hidden[which] = c;
	return c;
}

static void hide_times(const struct group_rows *g, const uint32_t *slots, struct batch *b)
{
	bool windows = g->spec.scope == GROUP_WINDOW, any = windows;
	struct column *event, *start = windows ? hide(b, HIDDEN_WINDOW_START) : NULL,
			      *end = windows ? hide(b, HIDDEN_WINDOW_END) : NULL;

	for (uint32_t k = 0; k < b->n_rows; k++) {
		const struct pack *p = &g->packs[slots[k]];

		any |= p->earliest != INT64_MAX;
		if (windows) {
			start->i[k] = p->window.start;
			end->i[k] = p->window.end;
		}
	}
	if (!any)
		return;
	event = hide(b, HIDDEN_EVENT);
	event->valid = bitmap_make(b->arena, b->n_rows);
	for (uint32_t k = 0; k < b->n_rows; k++) {
		const struct pack *p = &g->packs[slots[k]];

		event->i[k] = windows ? p->window.end - 1 : p->earliest;
		if (!windows && p->earliest == INT64_MAX)
			bit_clear(event->valid, k);
	}
}

static int push_some(struct group_rows *g, const uint32_t *slots, uint32_t n, struct err *e)
{
	uint32_t *keys = arena_array(&g->op.arena, uint32_t, n + 1);
	struct reduce_rows rows = {
		.groups = &g->keys.groups, .states = g->states, .key_list = keys, .state_list = slots, .n = n
	};
	struct batch b;
	int verdict;

	for (uint32_t k = 0; k < n; k++)
		keys[k] = g->packs[slots[k]].key;
	reducer_batch(&g->reducer, &rows, &b);
	hide_times(g, slots, &b);
	verdict = op_push(&g->op, &b, e);
	arena_reset(&g->op.arena);
	return verdict;
}

/* What is on its way out goes; keys without a record are forgotten. */
static int push_out(struct group_rows *g, struct err *e)
{
	uint32_t step = batch_rows();
	int verdict = 0;

	for (uint32_t from = 0; from < g->n_out && verdict >= 0; from += step)
		verdict = push_some(g, g->out + from, g->n_out - from < step ? g->n_out - from : step, e);
	for (uint32_t i = 0; i < g->n_out; i++) {
		states_reset(g->states, &g->reducer, g->out[i]);
		forget_key(g, g->packs[g->out[i]].key);
		g->unused = xgrow(g->unused, &g->unused_cap, g->n_unused + 1, sizeof *g->unused);
		g->unused[g->n_unused++] = g->out[i];
	}
	g->n_out = 0;
	return verdict;
}

/* ---- in ---- */

static void reserve(struct group_rows *g)
{
	g->packing = xgrow(g->packing, &g->packing_cap, g->keys.n, sizeof *g->packing);
	for (; g->n_packing < g->keys.n; g->n_packing++)
		g->packing[g->n_packing] = (struct packing){ .pack = NONE };
}

/* New numbers for the keys that live. */
static void compact(struct group_rows *g)
{
	uint32_t *names = living_compact(&g->keys);

	for (uint32_t k = 0; k < g->n_packing; k++)
		if (names[k] != UINT32_MAX)
			g->packing[names[k]] = g->packing[k];
	g->n_packing = g->keys.n;
	g->packing_cap = g->n_packing + 1;
	g->packing = xrealloc(g->packing, g->packing_cap * sizeof *g->packing);
	for (uint32_t i = 0; i < g->n_packs; i++)
		if (g->packs[i].live)
			g->packs[i].key = names[g->packs[i].key];
	keep_dirty_rename(&g->dirty, names);
	free(names);
}

/* ---- groups that are away ---- */

struct renaming {
	const struct group_rows *g;
	const uint32_t *to;
};

static bool rename_timer(struct timer *t, void *ctx)
{
	const struct renaming *r = ctx;
	const struct pack *p = &r->g->packs[t->what];

	if (!p->live || p->gen != t->gen)
		return false;
	t->what = r->to[t->what];
	return true;
}

/* Slots that are free go. */
static void repack(struct group_rows *g)
{
	uint32_t *to = xmalloc(((size_t)g->n_packs + 1) * sizeof *to), n = 0;
	struct renaming r = { g, to };

	for (uint32_t i = 0; i < g->n_packs; i++)
		to[i] = g->packs[i].live ? n++ : NONE;
	timers_keep(&g->by_clock, rename_timer, &r);
	timers_keep(&g->by_watermark, rename_timer, &r);
	timers_keep(&g->held, rename_timer, &r);
	for (uint32_t i = 0; i < g->n_packs; i++) {
		if (to[i] == NONE)
			continue;
		g->packs[to[i]] = g->packs[i];
		g->packing[g->packs[i].key].pack = to[i];
	}
	states_pack(g->states, &g->reducer, to, g->n_packs, n);
	g->n_packs = n;
	g->packs_cap = (size_t)n + 1;
	g->packs = xrealloc(g->packs, g->packs_cap * sizeof *g->packs);
	g->n_unused = 0;
	free(to);
}

static int64_t waits_other(const struct group_rows *g, const struct pack *p)
{
	if (g->emptying)
		return (int64_t)p->order;
	return g->spec.scope == GROUP_WINDOW ? later(p->window.end, g->spec.lateness_ns) : p->earliest;
}

static void waits_of(const struct group_rows *g, const struct pack *p, int64_t due[RESTING_TIMES])
{
	due[WAITS_CLOCK] = g->spec.within_ns ? later(p->began, g->spec.within_ns) : INT64_MAX;
	due[WAITS_OTHER] = waits_other(g, p);
}

static void leave_one(struct group_rows *g, uint32_t slot)
{
	struct pack *p = &g->packs[slot];
	int64_t due[RESTING_TIMES];

	waits_of(g, p, due);
	if (!resting_leave(&g->rest, p->key, due))
		return;
	states_reset(g->states, &g->reducer, slot);
	p->live = false;
	g->n_open--;
}

/* Behind a commit, with every group in its entry: those without a record for the longest time leave memory. Keys that are forgotten leave the table only
 * here, when their entries are gone too. */
static void leave(struct group_rows *g)
{
	uint32_t stay;

	if (g->dirty.n || g->gone.b.n)
		return;
	if (g->rest.away.n && living_worn(&g->keys))
		compact(g);
	if (!resting_should_leave(&g->rest, &stay))
		return;
	for (uint32_t i = 0; i < g->n_packs; i++) {
		bool recent = g->packs[i].recent;

		g->packs[i].recent = false;
		if (!g->packs[i].live)
			continue;
		if (recent && stay)
			stay--;
		else
			leave_one(g, i);
	}
	repack(g);
	compact(g);
	resting_left(&g->rest);
}

/* The row's window; false: it is not taken. */
static bool in_window(struct group_rows *g, const struct batch *b, uint32_t row, struct interval *w, int *verdict, struct err *e)
{
	const struct run *run = g->op.run;

	*w = (struct interval){ 0, 0 };
	if (g->spec.scope != GROUP_WINDOW)
		return true;
	if (!row_time(b->hidden[HIDDEN_WINDOW_START], row, &w->start) || !row_time(b->hidden[HIDDEN_WINDOW_END], row, &w->end)) {
		g->op.count[NO_TIME]++;
		return false;
	}
	if (w->end > INT64_MAX - g->spec.lateness_ns || w->end + g->spec.lateness_ns > g->op.watermark)
		return true;
	g->op.count[LATE]++;
	if (run->late)
		*verdict = run->late(run->late_ctx, &g->op, b, row, w->end, g->op.watermark - w->end, e);
	return false;
}

/* The slot that the row goes to. */
static uint32_t put_row(struct group_rows *g, const struct batch *b, uint32_t row, uint32_t key, const struct interval *w)
{
	uint32_t slot = g->packing[key].pack;
	struct pack *p;
	int64_t t;

	if (!living_has(&g->keys, key))
		living_wake(&g->keys, key, row);
	if (slot == NONE) {
		slot = open_pack(g, key);
		g->packs[slot].window = *w;
		set_timers(g, slot);
	}
	p = &g->packs[slot];
	p->recent = true;
	if (row_time(b->hidden[HIDDEN_EVENT], row, &t) && t < p->earliest) {
		p->earliest = t;
		if (g->spec.scope == GROUP_RUN)
			timers_add(&g->held, t, slot, p->gen);
	}
	if (g->op.run->durable)
		keep_dirty_add(&g->dirty, key);
	g->op.count[GROUPED]++;
	if (++p->n == g->spec.rows)
		close_pack(g, slot);
	return slot;
}

/* Rows with their slots, before the states have them. */
struct taken {
	const struct batch *b;
	const struct column *args;
	uint32_t *row, *slot, n;
};

/* The states have them, and what is full goes. */
static int settle(struct group_rows *g, struct taken *t, struct err *e)
{
	if (t->n)
		states_update(g->states, &g->reducer, t->slot, t->args, t->row, t->n, t->b);
	t->n = 0;
	return g->n_out ? push_out(g, e) : 0;
}

/* Does a full group of the key wait that spells the key otherwise? It goes first. */
static bool waits_otherwise(const struct group_rows *g, uint32_t key, uint32_t row)
{
	uint32_t n = g->keys.n_keys;

	if (!living_has(&g->keys, key) || g->packing[key].pack != NONE)
		return false;
	for (uint32_t k = 0; k < n; k++)
		if (g->keys.groups.types[(size_t)key * n + k] != column_get(g->keys.cols[k], row).type)
			return true;
	return false;
}

static int take_row(struct group_rows *g, struct taken *t, uint32_t row, uint32_t key, struct err *e)
{
	struct interval w;
	int verdict = 0;

	if (!in_window(g, t->b, row, &w, &verdict, e))
		return verdict;
	if (waits_otherwise(g, key, row))
		verdict = settle(g, t, e);
	t->row[t->n] = row;
	t->slot[t->n++] = put_row(g, t->b, row, key, &w);
	return verdict;
}

static int group_rows_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct group_rows *g = (struct group_rows *)op;
	uint32_t n_keys = g->reducer.spec.n_keys, *key, known;
	struct column *cols = arena_array(b->arena, struct column, n_keys + 1);
	struct taken t = { .b = b,
			   .row = arena_array(b->arena, uint32_t, b->n_sel + 1),
			   .slot = arena_array(b->arena, uint32_t, b->n_sel + 1) };
	int verdict;

	(void)port;
	leave(g);
	known = g->keys.n;
	for (uint32_t k = 0; k < n_keys; k++)
		cols[k] = expr_eval(g->reducer.spec.keys[k], &op->eval, b, b->sel, b->n_sel);
	key = living_put(&g->keys, b, cols, b->sel, b->n_sel);
	reserve(g);
	if (resting_return(&g->rest, known, e))
		return -1;
	t.args = reducer_args(&g->reducer, b);
	BATCH_EACH(b->sel, b->n_sel, i) if (take_row(g, &t, i, key[k_], e) < 0) return -1;
	verdict = settle(g, &t, e);
	return verdict ? verdict : op_check_memory(op, n_groups(g), e);
}

/* ---- the rest, in time ---- */

static int by_window(const void *a, const void *b, void *ctx)
{
	const struct group_rows *g = ctx;
	const struct pack *x = &g->packs[*(const uint32_t *)a], *y = &g->packs[*(const uint32_t *)b];

	if (x->window.end != y->window.end)
		return x->window.end < y->window.end ? -1 : 1;
	if (x->window.start != y->window.start)
		return x->window.start < y->window.start ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void close_due(struct group_rows *g, struct timers *timers, int64_t until)
{
	struct timer t;

	while (timers_take(timers, until, &t))
		if (g->packs[t.what].live && g->packs[t.what].gen == t.gen)
			close_pack(g, t.what);
}

static int hold_back(struct group_rows *g, struct err *e)
{
	const struct timer *t;
	struct timer gone;
	int64_t at = INT64_MAX;

	if (g->spec.scope == GROUP_RUN && resting_first(&g->rest, WAITS_OTHER, &at, e))
		return -1;

	while ((t = timers_first(&g->held))) {
		const struct pack *p = &g->packs[t->what];

		if (p->live && p->gen == t->gen && p->earliest == t->at)
			break;
		timers_take(&g->held, INT64_MAX, &gone);
	}
	at = t && t->at < at ? t->at : at;
	if (at < INT64_MAX && at <= g->op.watermark)
		g->op.passes = at > INT64_MIN ? at - 1 : at;
	return 0;
}

/* The clock's and the watermark's come out together. */
static bool is_mixed(const struct group_rows *g) { return g->spec.scope == GROUP_WINDOW && g->spec.within_ns; }

static int push_sorted(struct group_rows *g, struct err *e)
{
	if (g->n_out)
		qsort_r(g->out, g->n_out, sizeof *g->out, by_window, g);
	return push_out(g, e) < 0 ? -1 : 0;
}

/* Of those whose time has come, keys that are away come back for it some at a time. */
static int close_in_time(struct group_rows *g, int waits, int64_t until, struct err *e)
{
	struct timers *timers = waits == WAITS_CLOCK ? &g->by_clock : &g->by_watermark;
	int64_t bound = later(until, 1), upto;

	for (;;) {
		if (resting_bring(&g->rest, waits, bound, &upto, e))
			return -1;
		close_due(g, timers, upto < bound ? upto - 1 : until);
		if (upto == bound)
			return 0;
		if ((!is_mixed(g) && push_sorted(g, e)) || op_check_memory(&g->op, n_groups(g), e))
			return -1;
	}
}

/* All groups, in the order of their first records. */
static int close_all(struct group_rows *g, struct err *e)
{
	int64_t upto;
	int failed = 0;

	g->emptying = true;
	resting_forget(&g->rest, WAITS_OTHER);
	do {
		if (resting_bring(&g->rest, WAITS_OTHER, INT64_MAX, &upto, e))
			failed = -1;
		for (uint32_t i = 0; !failed && i < g->n_packs; i++)
			if (g->packs[i].live && (upto == INT64_MAX || g->packs[i].order < (uint64_t)upto))
				close_pack(g, i);
		if (!failed && upto < INT64_MAX && (push_sorted(g, e) || op_check_memory(&g->op, n_groups(g), e)))
			failed = -1;
	} while (!failed && upto < INT64_MAX);
	g->emptying = false;
	resting_forget(&g->rest, WAITS_OTHER);
	return failed;
}

static int64_t group_rows_wakes(struct op *op)
{
	struct group_rows *g = (struct group_rows *)op;
	int64_t away = resting_wakes(&g->rest, WAITS_CLOCK);
	const struct timer *first;
	struct timer gone;

	if (!g->spec.within_ns)
		return INT64_MAX;
	while ((first = timers_first(&g->by_clock)) && (!g->packs[first->what].live || g->packs[first->what].gen != first->gen))
		timers_take(&g->by_clock, INT64_MAX, &gone);
	return first && first->at < away ? first->at : away;
}

static int group_rows_batch_end(struct op *op, struct err *e)
{
	struct group_rows *g = (struct group_rows *)op;

	if (g->spec.within_ns && close_in_time(g, WAITS_CLOCK, op->run->now, e))
		return -1;
	if (g->spec.scope == GROUP_WINDOW && op->watermark != WATERMARK_NONE && close_in_time(g, WAITS_OTHER, op->watermark, e))
		return -1;
	if ((g->spec.scope == GROUP_BATCH || op->watermark == WATERMARK_END) && close_all(g, e))
		return -1;
	if (push_sorted(g, e) || hold_back(g, e))
		return -1;
	if (!g->rest.away.n && living_worn(&g->keys))
		compact(g);
	reducer_collect_failures(&g->reducer);
	return 0;
}

/* ---- checkpoints ----
 *
 * g | values of the key -> version | order varint | records varint | began i64 | earliest i64 | states */

#define GROUP_VERSION 1

static void group_rows_commit(struct op *op, struct keeper *to)
{
	struct group_rows *g = (struct group_rows *)op;
	struct keep k = { .to = to };
	uint32_t key;

	keep_gone_commit(&g->gone, to);
	while ((key = keep_dirty_take(&g->dirty)) != UINT32_MAX) {
		const struct pack *p = &g->packs[g->packing[key].pack];

		keep_start(&k, 'g', GROUP_VERSION);
		living_save(&g->keys, key, &k.key);
		put_varint(&k.value, p->order);
		put_varint(&k.value, p->n);
		keep_int(&k.value, p->began);
		keep_int(&k.value, p->earliest);
		states_save(g->states, &g->reducer, g->packing[key].pack, &k.value);
		keep_put(&k, &g->packing[key].mark);
	}
	keep_release(&k);
}

/* The window is among the key's values. */
static int window_of_key(struct group_rows *g, uint32_t key, struct interval *w)
{
	struct column *cols = living_columns(&g->keys, &key, 1, &g->op.arena);
	bool good = g->spec.scope != GROUP_WINDOW || (row_time(&cols[0], 0, &w->start) && row_time(&cols[1], 0, &w->end));

	arena_reset(&g->op.arena);
	return good ? 0 : -1;
}

/* All but the window and the states. */
static void read_pack(struct bytes_in *in, struct pack *p)
{
	p->order = get_varint(in);
	p->n = get_varint(in);
	p->began = keep_get_int(in);
	p->earliest = keep_get_int(in);
}

static int restore_pack(struct group_rows *g, struct bytes_in key, struct bytes_in in, uint32_t mark)
{
	struct pack read, *p;
	uint32_t number, slot;
	uint64_t orders = g->orders;

	read_pack(&in, &read);
	if (in.bad || living_load(&g->keys, &key, read.order, &number) || !keep_over(&key))
		return -1;
	reserve(g);
	g->packing[number].mark = mark;
	slot = open_pack(g, number);
	p = &g->packs[slot];
	p->order = read.order;
	p->n = read.n;
	p->began = read.began;
	p->earliest = read.earliest;
	g->orders = read.order > orders ? read.order : orders;
	if (!p->n || window_of_key(g, number, &p->window) || states_load(g->states, &g->reducer, slot, &in.p, in.end))
		return -1;
	set_timers(g, slot);
	if (g->spec.scope == GROUP_RUN && p->earliest != INT64_MAX)
		timers_add(&g->held, p->earliest, slot, p->gen);
	return keep_over(&in) ? 0 : -1;
}

static int group_rows_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark,
			      struct err *e)
{
	struct group_rows *g = (struct group_rows *)op;

	if (key && restore_pack(g, keep_open(key, key_n, 'g'), keep_open(value, n, GROUP_VERSION), mark))
		return keep_refuse(op, e);
	if (key)
		leave(g);
	return 0;
}

static int group_rows_load(struct op *op, const struct kept_entry *entry)
{
	return restore_pack((struct group_rows *)op, keep_open(entry->key, entry->key_n, 'g'), keep_open(entry->value, entry->n, GROUP_VERSION), entry->mark);
}

/* The first two values of the key. */
static int read_window(const struct kept_entry *entry, struct interval *w)
{
	struct bytes_in key = keep_open(entry->key, entry->key_n, 'g');

	w->start = keep_get_time(&key);
	w->end = keep_get_time(&key);
	return key.bad ? -1 : 0;
}

static int group_rows_due(const struct op *op, const struct kept_entry *entry, int64_t due[RESTING_TIMES])
{
	const struct group_rows *g = (const struct group_rows *)op;
	struct bytes_in in = keep_open(entry->value, entry->n, GROUP_VERSION);
	struct pack p = { 0 };

	read_pack(&in, &p);
	if (in.bad || (g->spec.scope == GROUP_WINDOW && read_window(entry, &p.window)))
		return -1;
	waits_of(g, &p, due);
	return 0;
}

static const struct resting_calls group_rows_calls = { group_rows_load, group_rows_due, 'g' };

/* ---- the operator ---- */

static bool group_rows_holds(const struct op *op) { return n_groups((const struct group_rows *)op); }

static uint64_t group_rows_held(const struct op *op, const char **what)
{
	*what = "groups";
	return n_groups((const struct group_rows *)op);
}

static size_t group_rows_memory(const struct op *op)
{
	const struct group_rows *g = (const struct group_rows *)op;

	return living_memory(&g->keys) + g->packing_cap * sizeof *g->packing + g->packs_cap * sizeof *g->packs +
	       states_memory(g->states, &g->reducer) + (g->unused_cap + g->out_cap) * sizeof(uint32_t) +
	       timers_memory(&g->by_clock) + timers_memory(&g->by_watermark) + timers_memory(&g->held) +
	       keep_dirty_memory(&g->dirty) + g->gone.b.cap + resting_memory(&g->rest);
}

static void group_rows_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	reducer_unseen(&((const struct group_rows *)op)->reducer, fn, ctx);
}

static void group_rows_free(struct op *op)
{
	struct group_rows *g = (struct group_rows *)op;

	states_free(g->states, &g->reducer, g->n_packs);
	living_release(&g->keys);
	free(g->packing);
	free(g->packs);
	free(g->unused);
	free(g->out);
	timers_release(&g->by_clock);
	timers_release(&g->by_watermark);
	timers_release(&g->held);
	keep_dirty_release(&g->dirty);
	keep_gone_release(&g->gone);
	resting_release(&g->rest);
	reducer_release(&g->reducer);
}

static const struct op_class group_rows_class = {
	.name = "group_rows",
	.leaves = true,
	.makes_fields = true,
	.counters = { "grouped", "late", "no-time" },
	.process = group_rows_process,
	.on_batch_end = group_rows_batch_end,
	.free = group_rows_free,
	.memory = group_rows_memory,
	.holds = group_rows_holds,
	.wakes = group_rows_wakes,
	.held = group_rows_held,
	.commit = group_rows_commit,
	.restore = group_rows_restore,
	.unseen = group_rows_unseen,
};

struct op *op_group_rows(struct run *run, int stage, const char *word, const struct reduce_spec *spec,
			 const struct group_rows_spec *rows)
{
	struct group_rows *g = op_make(&group_rows_class, sizeof *g, run, stage, word);

	g->spec = *rows;
	reducer_init(&g->reducer, spec, &g->op);
	living_init(&g->keys, spec->n_keys);
	resting_init(&g->rest, &g->op, &g->keys, &group_rows_calls);
	g->op.stays = !spec->n_keys;
	g->states = states_new(&g->reducer);
	return &g->op;
}

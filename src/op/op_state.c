/* The operator `state`: what happens when. The rules themselves are in state_run.c. */
#include "op/op_state.h"

#include <stdlib.h>

#include "op/state_impl.h"

/* ---- the micro-batch begins, records ---- */

/* Keys of a first state are as old as the first micro-batch: before it a clock that goes by the data knows no time. */
static void begin_ages(struct state_op *s)
{
	struct state_table *t = &s->table;

	for (uint32_t i = 0; t->shape.ages && i < t->n; i++)
		t->ages[i].last = s->op.run->now;
	s->starts = false;
}

static void begin(struct state_op *s, struct err *e)
{
	if (s->starts)
		begin_ages(s);
	memcpy(s->special, s->op.run->special, sizeof s->special);
	s->e = e;
	s->verdict = 0;
	if (s->table.ages_mixed)
		state_table_sort_ages(&s->table);
}

/* Between micro-batches nobody knows keys by their number, once changes are saved. */
static void compact(struct state_op *s)
{
	if (s->table.n_changed || s->n_touched)
		return;
	state_leave(s);
	if (s->table.crowded)
		state_table_compact(&s->table);
}

/* Start or end of the window, which a processing-time window tells by a special value. */
static struct column window_bound(const struct state_op *s, const struct batch *b, enum hidden which)
{
	if (b->hidden[which])
		return *b->hidden[which];
	return column_const(b->arena, &s->special[which]);
}

static uint32_t groups_keys_of(const struct state_rules *r)
{
	uint32_t n = r->n_keys + (r->window ? 2 : 0);

	return n ? n : 1;
}

/* The key columns, those of the window last. */
static void eval_keys(struct state_op *s, const struct batch *b, struct column *cols)
{
	const struct value null = v_null();
	uint32_t n = s->rules.n_keys;

	cols[0] = column_const(b->arena, &null);
	for (uint32_t k = 0; k < n; k++)
		cols[k] = expr_eval(s->rules.keys[k], &s->op.eval, b, b->sel, b->n_sel);
	if (s->rules.window) {
		cols[n] = window_bound(s, b, HIDDEN_WINDOW_START);
		cols[n + 1] = window_bound(s, b, HIDDEN_WINDOW_END);
	}
}

static int keep_late(struct state_op *s, const struct batch *b, uint32_t row, int64_t end, int64_t by)
{
	const struct run *run = s->op.run;

	s->op.count[1]++;
	return run->late ? run->late(run->late_ctx, &s->op, b, row, end, by, s->e) : 0;
}

/* Is the row late: for its window, or by its own time? */
static bool is_late(const struct state_op *s, const struct batch *b, uint32_t row, int64_t *end, int64_t *by)
{
	const struct column *c = b->hidden[s->rules.window ? HIDDEN_WINDOW_END : HIDDEN_EVENT];
	struct value at = c ? column_get(c, row) : v_null();

	if (at.type != T_TIME || s->op.watermark == WATERMARK_NONE || at.i > INT64_MAX - s->rules.lateness_ns)
		return false;
	*end = at.i;
	if (__builtin_sub_overflow(s->op.watermark, at.i, by))
		*by = INT64_MAX;
	return s->op.watermark >= at.i + s->rules.lateness_ns;
}

static int drop_late(struct state_op *s, struct batch *b)
{
	uint32_t *sel = arena_array(b->arena, uint32_t, b->n_sel + 1), n = 0;
	int64_t end, by;

	BATCH_EACH(b->sel, b->n_sel, i)
	{
		if (!is_late(s, b, i, &end, &by))
			sel[n++] = i;
		else if (keep_late(s, b, i, end, by))
			return -1;
	}
	if (n == b->n_sel)
		return 0;
	b->sel = sel;
	b->n_sel = n;
	return 0;
}

static void note_times(struct state_op *s, const struct batch *b)
{
	const struct column *c = b->hidden[HIDDEN_EVENT];

	if (!c || c->type != T_TIME)
		return;
	BATCH_EACH(b->sel, b->n_sel, i)
	{
		int64_t at = c->i[c->constant ? 0 : i];

		if (at > s->entered && !column_null(c, i))
			s->entered = at;
	}
}

static void keep_record(struct state_op *s)
{
	struct kept_records *k = &s->kept;
	uint32_t row = (uint32_t)rowstore_add(&k->rows, s->b, s->row, NULL, 0), *last;

	k->next = xgrow(k->next, &k->next_cap, (size_t)row + 1, sizeof *k->next);
	k->last = xgrow(k->last, &k->last_cap, s->table.n, sizeof *k->last);
	if (k->n_last < s->table.n)
		memset(k->last + k->n_last, 0, (s->table.n - k->n_last) * sizeof *k->last);
	k->n_last = s->table.n;
	last = &k->last[s->key];
	k->next[row] = *last ? k->next[*last - 1] : row;
	if (*last)
		k->next[*last - 1] = row;
	*last = row + 1;
}

/* A timer that closes the window, as late as records for it are taken. */
static void close_later(struct state_op *s, const struct column *ends)
{
	struct value end = column_get(ends, s->row);
	int64_t at;

	if (end.type != T_TIME || __builtin_add_overflow(end.i, s->rules.lateness_ns - 1, &at))
		return;
	state_table_timer(&s->table, s->key, s->table.shape.close, at, 0);
}

/* The key of a record: there, touched, not too old, and spelled as in the record that it was born with. */
static void meet(struct state_op *s, const struct column *const *cols)
{
	struct state_table *t = &s->table;
	int64_t now = s->op.run->now;
	bool had = state_table_has(t, s->key);

	if (had && s->rules.ttl_ns && !(t->meta[s->key].flags & STATE_TOUCHED) && t->meta[s->key].flags & STATE_AGED &&
	    now - t->ages[s->key].last > s->rules.ttl_ns) {
		state_table_drop(t, s->key);
		had = false;
	}
	state_table_wake(t, s->key);
	if (!had)
		state_respell(s, s->key, cols, s->row);
	if (!had && s->rules.window)
		close_later(s, cols[s->rules.n_keys + 1]);
	state_table_touch(t, s->key, now);
	if (!(t->meta[s->key].flags & STATE_TOUCHED)) {
		t->meta[s->key].flags |= STATE_TOUCHED | STATE_RECENT;
		s->touched = xgrow(s->touched, &s->touched_cap, s->n_touched + 1, sizeof *s->touched);
		s->touched[s->n_touched++] = s->key;
	}
}

static int run_record(struct state_op *s, const struct column *const *keys, const struct column *columns)
{
	meet(s, keys);
	for (uint32_t k = 0; k < s->rules.n_keys; k++)
		s->frame[frame_key(s) + k] = column_get(keys[k], s->row);
	for (uint32_t k = 0; k < s->rules.n_columns; k++)
		s->frame[frame_column(s) + k] = column_get(&columns[k], s->row);
	if (state_enter(s) && state_run(s, &s->rules.init))
		return -1;
	if (s->rules.records)
		keep_record(s);
	return state_run(s, &s->rules.record);
}

/* Rows ahead whose keys are fetched from memory. */
#define AHEAD 8

static int run_records(struct state_op *s, const struct batch *b)
{
	uint32_t n = groups_keys_of(&s->rules), *key = arena_array(b->arena, uint32_t, b->n_sel + 1), known = s->table.n;
	struct column *keys = arena_array(b->arena, struct column, n + 1);
	struct column *columns = arena_array(b->arena, struct column, s->rules.n_columns + 1);
	const struct column **at = arena_array(b->arena, const struct column *, n + 1);

	eval_keys(s, b, keys);
	for (uint32_t k = 0; k < n; k++)
		at[k] = &keys[k];
	state_table_put(&s->table, b->arena, at, b->sel, b->n_sel, key);
	if (s->away.n && state_return(s, known, s->e))
		return -1;
	for (uint32_t k = 0; k < s->rules.n_columns; k++)
		columns[k] = expr_eval(s->rules.columns[k], &s->op.eval, b, b->sel, b->n_sel);
	s->b = b;
	BATCH_EACH(b->sel, b->n_sel, i)
	{
		if (k_ + AHEAD < b->n_sel)
			state_table_prefetch(&s->table, key[k_ + AHEAD]);
		s->key = key[k_];
		s->row = i;
		if (run_record(s, at, columns) || (state_is_full(s) && state_flush(s)))
			return -1;
	}
	return state_flush(s);
}

static int state_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct state_op *s = (struct state_op *)op;
	struct batch in = *b;

	(void)port;
	begin(s, e);
	compact(s);
	if (s->judges && drop_late(s, &in))
		return -1;
	op->count[0] += in.n_sel;
	note_times(s, &in);
	if (in.n_sel && run_records(s, &in))
		return -1;
	s->b = NULL;
	return op_check_memory(op, s->table.n_live + s->away.n, e) ? -1 : s->verdict;
}

/* ---- rules without a record ---- */

/* Event time of what a rule makes that no event time called: late for nobody behind. */
static struct value made_at(const struct state_op *s)
{
	int64_t w = s->op.watermark;
	bool known = w != WATERMARK_NONE && w < WATERMARK_END - 1;

	if (known && w + 1 > s->entered)
		return v_time(w + 1);
	return s->entered == WATERMARK_NONE ? v_null() : v_time(s->entered);
}

/* s->key is about to run a rule; `event` is its event time, T_NULL: by its window, or by how far time has come. */
static void attend(struct state_op *s, struct value event)
{
	const struct state_rules *r = &s->rules;
	uint32_t n = groups_keys_of(r);
	struct column *cols = arena_array(&s->op.arena, struct column, n + 1);

	s->b = NULL;
	s->row = 0;
	groups_keys(&s->table.groups, &s->key, 0, 1, &s->op.arena, cols);
	for (uint32_t k = 0; k < r->n_keys; k++) {
		struct value v = column_get(&cols[k], 0);

		s->frame[frame_key(s) + k] = s->visits ? value_copy(&s->op.arena, &v) : v; /* others come into that table */
	}
	for (int h = 0; h < HIDDEN_OWN; h++)
		s->hidden[h] = v_null();
	if (r->window) {
		s->hidden[HIDDEN_WINDOW_START] = column_get(&cols[r->n_keys], 0);
		s->hidden[HIDDEN_WINDOW_END] = column_get(&cols[r->n_keys + 1], 0);
	}
	if (event.type == T_NULL && s->hidden[HIDDEN_WINDOW_END].type == T_TIME)
		event = v_time(s->hidden[HIDDEN_WINDOW_END].i - 1);
	s->hidden[HIDDEN_EVENT] = event.type == T_NULL ? made_at(s) : event;
	memcpy(s->special, s->hidden, sizeof s->hidden);
	state_enter(s);
}

static int run_rule(struct state_op *s, const struct state_block *b, struct value event)
{
	if (!b->n)
		return 0;
	attend(s, event);
	if (state_run(s, b))
		return -1;
	return state_is_full(s) ? state_flush(s) : 0;
}

static int close_window(struct state_op *s)
{
	s->closed = xgrow(s->closed, &s->closed_cap, s->n_closed + 1, sizeof *s->closed);
	s->closed[s->n_closed++] = s->key;
	return run_rule(s, &s->rules.close, v_null());
}

/* Was the key over before its timer's time? Then it goes with expire(), whenever a micro-batch happens to look. */
static bool too_old(const struct state_op *s, const struct timer_entry *t)
{
	const struct state_table *of = &s->table;

	return s->rules.ttl_ns && of->meta[t->key].flags & STATE_AGED && t->at > state_over(s, of->ages[t->key].last);
}

static int fire(struct state_op *s, const struct timer_entry *t, bool event)
{
	if (!event && too_old(s, t))
		return 0;
	s->key = t->key;
	s->chain = t->chain;
	s->firing = t;
	if (t->slot == s->table.shape.close)
		return close_window(s);
	return run_rule(s, &s->rules.timers[s->timer_of[t->slot]].fires, event ? v_time(t->at) : v_null());
}

static int fire_due(struct state_op *s, bool event, int64_t until)
{
	struct timer_entry t;
	int r = 0;

	s->until[event] = until;
	while (!r && state_table_due(&s->table, event, until, &t))
		r = fire(s, &t, event);
	s->until[event] = INT64_MIN;
	s->chain = 0;
	s->firing = NULL;
	return r;
}

static int close_key(struct state_op *s, uint32_t key)
{
	s->key = key;
	return s->table.meta[key].flags & STATE_CLOSED ? 0 : run_rule(s, &s->rules.close, v_null());
}

static int close_all(struct state_op *s)
{
	int r;

	if (!s->rules.close.n)
		return 0;
	for (size_t i = 0; i < s->n_closed; i++)
		s->table.meta[s->closed[i]].flags |= STATE_CLOSED;
	r = state_each_key(s, close_key, s->e);
	for (size_t i = 0; i < s->n_closed; i++)
		s->table.meta[s->closed[i]].flags &= ~STATE_CLOSED;
	return r;
}

/* ---- on batch ---- */

/* The key's records of this micro-batch. */
static struct value records_of(struct state_op *s)
{
	const struct kept_records *k = &s->kept;
	uint32_t last = s->key < k->n_last && !s->visits ? k->last[s->key] : 0, n = 0;
	struct value *items;

	if (!last)
		return v_list(NULL, 0);
	for (uint32_t row = last - 1; !n || row != last - 1; row = k->next[row])
		n++;
	items = arena_array(&s->op.arena, struct value, n);
	for (uint32_t i = 0, row = k->next[last - 1]; i < n; i++, row = k->next[row]) {
		const struct kept_row *r = &k->rows.rows[row];
		struct field *f = arena_array(&s->op.arena, struct field, r->schema->n + 1);

		for (uint32_t c = 0; c < r->schema->n; c++)
			f[c] = (struct field){ r->schema->names[c], r->schema->name_n[c], r->v[c] };
		items[i] = v_object(f, r->schema->n);
	}
	return v_list(items, n);
}

static int batch_rule(struct state_op *s, uint32_t key)
{
	if (!(s->table.meta[key].flags & (STATE_TOUCHED | STATE_HOLDS)))
		return 0;
	s->key = key;
	if (s->rules.records)
		s->special[SP_RECORDS] = records_of(s);
	return run_rule(s, &s->rules.batch, v_null());
}

static int run_batch_rules(struct state_op *s)
{
	int r = 0;

	if (!s->rules.batch.n)
		return 0;
	if (s->rules.all)
		return state_each_key(s, batch_rule, s->e);
	for (size_t i = 0; i < s->n_touched && !r; i++)
		r = batch_rule(s, s->touched[i]);
	return r;
}

/* ---- the micro-batch ends ---- */

static void forget_records(struct state_op *s)
{
	for (size_t i = 0; i < s->n_touched; i++) {
		s->table.meta[s->touched[i]].flags &= ~STATE_TOUCHED;
		if (s->touched[i] < s->kept.n_last)
			s->kept.last[s->touched[i]] = 0;
	}
	s->n_touched = 0;
	rowstore_clear(&s->kept.rows);
	s->entered = WATERMARK_NONE;
}

static void expire(struct state_op *s)
{
	struct state_table *t = &s->table;

	while (s->rules.ttl_ns && t->oldest != KEYTAB_NONE && s->op.run->now - t->ages[t->oldest].last > s->rules.ttl_ns) {
		state_table_note_change(t, t->oldest); /* its entry goes too */
		state_table_drop(t, t->oldest);
	}
}

/* What has closed, or holds nothing, goes. */
static void let_go(struct state_op *s)
{
	struct state_table *t = &s->table;

	for (size_t i = 0; i < s->n_closed; i++)
		state_table_drop(t, s->closed[i]);
	s->n_closed = 0;
	for (size_t i = 0; i < t->n_changed; i++) {
		if (i + AHEAD < t->n_changed)
			state_table_prefetch(t, t->changed[i + AHEAD]);
		if (state_table_has(t, t->changed[i]) && !state_table_holds(t, t->changed[i]))
			state_table_drop(t, t->changed[i]);
	}
	valuepool_settle(&t->pool);
	if (!s->op.run->durable)
		state_table_forget_changes(t);
}

/* Keys that are away and due. At the watermark too, though they do not fire yet: they hold it back. */
static int come_back(struct state_op *s, bool event, int64_t until)
{
	if (!s->away.n)
		return 0;
	if (state_flush(s) || state_return_due(s, event, until, s->e))
		return -1;
	if (s->table.ages_mixed)
		state_table_sort_ages(&s->table);
	return 0;
}

static int run_rules(struct state_op *s)
{
	struct run *run = s->op.run;
	int64_t w = s->op.watermark;

	s->special[SP_WATERMARK] = s->watermark == WATERMARK_NONE ? v_null() : v_time(s->watermark);
	if (come_back(s, false, run->now) || fire_due(s, false, run->now))
		return -1;
	expire(s);
	s->special[SP_WATERMARK] = w == WATERMARK_NONE ? v_null() : v_time(w);
	s->watermark = w;
	if (w != WATERMARK_NONE && (come_back(s, true, w == WATERMARK_END ? w : w + 1) || fire_due(s, true, w)))
		return -1;
	if (run->last && run->ends && !run->over && close_all(s))
		return -1;
	return run_batch_rules(s) || state_flush(s) ? -1 : 0;
}

static int state_batch_end(struct op *op, struct err *e)
{
	struct state_op *s = (struct state_op *)op;
	int64_t next;

	begin(s, e);
	compact(s);
	if (run_rules(s))
		return -1;
	forget_records(s);
	let_go(s);
	compact(s);
	next = state_table_next(&s->table, true);
	if (next != TIMER_NONE && next != WATERMARK_NONE && next <= op->passes)
		op->passes = next - 1;
	return s->verdict;
}

/* ---- the rest ---- */

static uint64_t n_keys(const struct state_op *s) { return s->table.n_live + s->away.n; }

static bool state_holds(const struct op *op)
{
	const struct state_op *s = (const struct state_op *)op;

	return s->table.n_set[1] || s->away_set[STATE_EVENT] || s->table.n_windows || s->away_set[STATE_CLOSE] ||
	       (s->rules.close.n && n_keys(s) && !s->op.run->over);
}

static bool state_answers_empty(const struct op *op)
{
	const struct state_op *s = (const struct state_op *)op;

	return s->table.n_set[0] || s->away_set[STATE_CLOCK] || (s->rules.all && s->rules.batch.n && n_keys(s));
}

/* A timer fires when its time is over. */
static int64_t state_wakes(struct op *op)
{
	struct state_op *s = (struct state_op *)op;
	int64_t next = state_table_next(&s->table, false), away = s->away_set[STATE_CLOCK] ? away_times_first(&s->times[0]) : TIMER_NONE;

	next = away < next ? away : next;
	return next < TIMER_NONE ? next + 1 : next;
}

static uint64_t state_held(const struct op *op, const char **what)
{
	*what = "keys";
	return n_keys((const struct state_op *)op);
}

static size_t state_memory(const struct op *op)
{
	const struct state_op *s = (const struct state_op *)op;

	return state_table_memory(&s->table) + s->touched_cap * sizeof *s->touched + rowstore_memory(&s->kept.rows) +
	       s->kept.next_cap * sizeof *s->kept.next + s->kept.last_cap * sizeof *s->kept.last + away_memory(&s->away) +
	       away_times_memory(&s->times[0]) + away_times_memory(&s->times[1]);
}

static void state_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct state_op *s = (const struct state_op *)op;

	for (uint32_t i = 0; i < s->rules.n_exprs; i++)
		expr_unseen(s->rules.exprs[i], fn, ctx);
}

static void release_layouts(const struct state_block *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		if (b->at[i].emit && b->at[i].emit->layout)
			project_release(b->at[i].emit->layout);
		release_layouts(&b->at[i].then);
		release_layouts(&b->at[i].other);
	}
}

static void state_free(struct op *op)
{
	struct state_op *s = (struct state_op *)op;

	for (uint32_t i = 0; i < s->rules.n_exprs; i++)
		expr_release(s->rules.exprs[i]);
	release_layouts(&s->rules.init);
	release_layouts(&s->rules.record);
	free(s->table.shape.event);
	state_table_release(&s->table);
	rowstore_release(&s->kept.rows);
	free(s->kept.next);
	free(s->kept.last);
	free(s->touched);
	free(s->closed);
	free(s->frame);
	free(s->out.at);
	keep_gone_release(&s->gone);
	away_release(&s->away);
	away_times_release(&s->times[0]);
	away_times_release(&s->times[1]);
}

static const struct op_class state_class = {
	.name = "state",
	.leaves = true,
	.makes_fields = true,
	.counters = { "absorbed", "late" },
	.process = state_process,
	.on_batch_end = state_batch_end,
	.free = state_free,
	.memory = state_memory,
	.holds = state_holds,
	.answers_empty = state_answers_empty,
	.wakes = state_wakes,
	.held = state_held,
	.commit = state_commit,
	.restore = state_restore,
	.unseen = state_unseen,
};

static uint32_t add_slot(struct state_op *s, struct state_shape *shape, uint32_t timer, bool event)
{
	shape->event[shape->n_slots] = event;
	s->timer_of[shape->n_slots] = timer;
	return shape->n_slots++;
}

static void make_slots(struct state_op *s, struct state_shape *shape)
{
	const struct state_rules *r = &s->rules;

	for (uint32_t i = 0; i < r->n_timers; i++) {
		s->slots[i][0] = r->timers[i].clock ? add_slot(s, shape, i, false) : STATE_NO_SLOT;
		s->slots[i][1] = r->timers[i].event ? add_slot(s, shape, i, true) : STATE_NO_SLOT;
		s->judges |= r->timers[i].event;
	}
	shape->close = r->window ? add_slot(s, shape, 0, r->window == STATE_EVENT_WINDOW) : STATE_NO_SLOT;
	s->judges |= r->window == STATE_EVENT_WINDOW;
	s->judges &= !r->takes_late;
}

struct op *op_state(struct run *run, int stage, const char *word, const struct state_rules *rules)
{
	struct state_op *s = op_make(&state_class, sizeof *s, run, stage, word);
	struct state_shape shape = { .n_keys = groups_keys_of(rules), .n_vars = rules->n_vars, .ages = rules->ttl_ns > 0 };

	s->rules = *rules;
	s->op.eval.special = s->special;
	shape.event = xcalloc(STATE_SLOTS_MAX, sizeof *shape.event);
	make_slots(s, &shape);
	state_table_init(&s->table, &shape);
	s->frame = xcalloc((size_t)frame_item(s) + rules->n_items + 1, sizeof *s->frame);
	for (int i = 0; i < 2; i++)
		s->times[i].most = run->mem_max / 16;
	s->entered = s->watermark = WATERMARK_NONE;
	s->until[0] = s->until[1] = INT64_MIN;
	return &s->op;
}

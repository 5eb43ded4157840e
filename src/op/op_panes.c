/* Records in. */
#include <stdlib.h>

#include "base/ints.h"
#include "op/panes_impl.h"

enum count { ABSORBED, LATE, NO_TIME, DROPPED };

/* What is computed for a batch of records before they go to their cells. */
struct intake {
	const struct batch *b;
	struct assigner assigner;
	const uint32_t *group;
	/* (row, cell) in row order */
	uint32_t *row, *cell;
	uint32_t n, cap;
	bool first; /* the rows are the batch's first ones, 0 .. n - 1, and do not stand in `row` */
};

/* Before another row is put there. */
static void note_first_rows(struct intake *in)
{
	for (uint32_t k = 0; in->first && k < in->n; k++)
		in->row[k] = k;
	in->first = false;
}

/* The window that a row behind another aggregate carries; the whole stream has none. */
static enum count inherited(const struct panes *p, struct intake *in, uint32_t row, uint32_t *n, int64_t *t)
{
	struct interval *w = &in->assigner.windows[0];
	const struct column *start = p->spec.assign.window.kind == WINDOW_ALL ? NULL : in->b->hidden[HIDDEN_WINDOW_START];

	*n = 1;
	*w = (struct interval){ INT64_MIN, INT64_MAX };
	if (start && (!row_time(start, row, &w->start) || !row_time(in->b->hidden[HIDDEN_WINDOW_END], row, &w->end)))
		*n = 0;
	if (!row_time(&in->assigner.times, row, t))
		*t = w->end == INT64_MAX ? INT64_MIN : w->end - 1;
	return *n ? ABSORBED : NO_TIME;
}

/* The instant of a row as a window that ends there. */
static enum count instant(struct intake *in, uint32_t row, uint32_t *n, int64_t *t)
{
	*n = row_time(&in->assigner.times, row, t) && *t > INT64_MIN;
	in->assigner.windows[0] = (struct interval){ *n ? *t - 1 : 0, *n ? *t : 0 };
	return *n ? ABSORBED : NO_TIME;
}

/* The windows of a row; none, and the answer says why. */
static enum count windows_of(struct panes *p, struct intake *in, uint32_t row, uint32_t *n, int64_t *t)
{
	static const enum count fate[] = { [ASSIGN_OK] = ABSORBED, [ASSIGN_NO_TIME] = NO_TIME, [ASSIGN_NONE] = DROPPED };

	if (p->spec.by_instant)
		return instant(in, row, n, t);
	return p->spec.inherits ? inherited(p, in, row, n, t) : fate[assigner_row(&in->assigner, row, n, t)];
}

static bool is_late(const struct panes *p, const struct interval *w)
{
	struct cell c = { .end = w->end };

	return !p->spec.complete && w->end != INT64_MAX && panes_expiry(p, &c) <= p->op.watermark;
}

static uint32_t cell_for(struct panes *p, uint32_t key, const struct interval *w)
{
	uint32_t cell;

	if (p->spec.merges)
		return panes_session(p, key, w);
	cell = panes_find(p, key, w);
	if (cell == CELL_NONE)
		return panes_open(p, key, w);
	return p->cells[cell].flags & CELL_CLOSED ? CELL_NONE : cell;
}

static void touch(struct panes *p, uint32_t cell, int64_t t)
{
	struct cell *c = &p->cells[cell];

	c->came++;
	if (p->stamps)
		panes_stamp(p, cell, t);
	panes_touch(p, cell);
	c->flags |= CELL_NEW;
	if (!p->plain && c->end > p->out && !(c->flags & CELL_HOLDS)) {
		c->flags |= CELL_HOLDS;
		if (!p->stamps)
			panes_set_hold(p, cell);
	}
	if (p->ordered)
		panes_keep_change(p, cell);
}

/* Rows that take others back go behind those that come. */
static void take_rows(struct panes *p, const struct intake *in, const struct column *args)
{
	const struct column *back = in->b->hidden[HIDDEN_TAKES_BACK];
	uint32_t *row, *cell, plus = 0, minus = in->n;

	if (!back || !p->reducer.spec.takes_back) {
		states_update(p->states, &p->reducer, in->cell, args, in->first ? NULL : in->row, in->n, in->b);
		return;
	}
	row = arena_array(in->b->arena, uint32_t, in->n);
	cell = arena_array(in->b->arena, uint32_t, in->n);
	for (uint32_t k = 0; k < in->n; k++) {
		uint32_t to = column_get(back, in->row[k]).b ? --minus : plus++;

		row[to] = in->row[k];
		cell[to] = in->cell[k];
	}
	if (plus)
		states_update(p->states, &p->reducer, cell, args, row, plus, in->b);
	if (plus < in->n)
		states_take_back(p->states, &p->reducer, cell + plus, args, row + plus, in->n - plus, in->b);
}

static int flush(struct panes *p, struct intake *in, const struct column *args)
{
	for (uint32_t k = 0; p->going.n && k < in->n; k++)
		while (p->cells[in->cell[k]].merged_into != CELL_NONE)
			in->cell[k] = p->cells[in->cell[k]].merged_into;
	if (in->n)
		take_rows(p, in, args);
	for (uint32_t k = 0; k < in->n && p->op.run->durable && !p->ordered; k++)
		keep_dirty_add(&p->dirty, in->cell[k]);
	in->n = 0;
	in->first = false;
	for (size_t i = 0; i < p->going.n; i++)
		panes_drop(p, p->going.at[i]);
	p->going.n = 0;
	return 0;
}

/* The cell that takes a row in this window. A key that comes back after its last window is spelled as it comes now. */
static uint32_t cell_of_row(struct panes *p, const struct intake *in, uint32_t row, uint32_t key, const struct interval *w)
{
	uint64_t births = p->births;
	uint32_t cell = cell_for(p, key, w);

	if (p->births != births && in->group)
		groups_respell(&p->groups, key, p->reducer.key_cols, row);
	return cell;
}

/* The pairs of a row. Its fate is counted once: it fell into some window, or it was late or dropped for all. */
static int put_row(struct panes *p, struct intake *in, uint32_t row, uint32_t key, struct err *e)
{
	int64_t t, last_end = INT64_MIN;
	uint32_t n, late = 0, in_cells = 0;
	enum count why = windows_of(p, in, row, &n, &t);
	const struct interval *windows = in->assigner.windows;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t cell;

		if (windows[i].end > last_end)
			last_end = windows[i].end;
		if (is_late(p, &windows[i])) {
			late++;
			continue;
		}
		cell = cell_of_row(p, in, row, key, &windows[i]);
		if (cell == CELL_NONE)
			continue;
		touch(p, cell, t);
		in->row[in->n] = row;
		in->cell[in->n++] = p->ordered ? panes_part(p, cell) : cell;
		in_cells++;
	}
	p->op.count[in_cells ? ABSORBED : n && late == n ? LATE : n ? DROPPED : why]++;
	if (in_cells)
		p->late_pairs += late;
	if (in_cells || !n || late < n || !p->op.run->late)
		return 0;
	return p->op.run->late(p->op.run->late_ctx, &p->op, in->b, row, last_end, p->op.watermark - last_end, e);
}

/* A window that rows fall into. */
struct quick {
	struct near *near; /* NULL: it is late, or there is none */
	bool late;
	int64_t start, end;
};

/* The windows of rows that have one each: [0] the last row's, [1] the one before it. Around a boundary rows fall into these in turn. */
struct quicks {
	struct quick at[2];
};

static bool quick_has(const struct quick *q, int64_t t) { return (uint64_t)t - (uint64_t)q->start < (uint64_t)q->end - (uint64_t)q->start; }

static void quicks_turn(struct quicks *q)
{
	struct quick other = q->at[1];

	q->at[1] = q->at[0];
	q->at[0] = other;
}

/* Its array may be another window's by now. */
static void quick_check(struct quick *q)
{
	if (q->near && (q->near->window.start != q->start || q->near->window.end != q->end))
		*q = (struct quick){ .start = INT64_MAX, .end = INT64_MAX };
}

/* The window of the batch before. */
static struct quick quick_again(struct panes *p, unsigned i)
{
	struct near *n = &p->near[i];

	if (n->window.start >= n->window.end || is_late(p, &n->window))
		return (struct quick){ .start = INT64_MAX, .end = INT64_MAX };
	return (struct quick){ .near = n, .start = n->window.start, .end = n->window.end };
}

static bool turn_to(struct panes *p, struct intake *in, struct quicks *q, uint32_t row)
{
	uint32_t n;
	int64_t t;
	enum count why = windows_of(p, in, row, &n, &t);
	const struct interval *w = in->assigner.windows;

	if (!n) {
		p->op.count[why]++;
		return false;
	}
	quicks_turn(q);
	q->at[0] = (struct quick){ .start = w->start, .end = w->end, .late = is_late(p, w) };
	if (!q->at[0].late)
		q->at[0].near = panes_near(p, w);
	quick_check(&q->at[1]);
	return true;
}

static int quick_late(struct panes *p, const struct intake *in, const struct quick *q, uint32_t row, struct err *e)
{
	const struct run *run = p->op.run;

	p->op.count[LATE]++;
	return run->late ? run->late(run->late_ctx, &p->op, in->b, row, q->end, p->op.watermark - q->end, e) : 0;
}

/* Is the window at hand that of the row? false: it has none, and that is counted. */
static bool quick_find(struct panes *p, struct intake *in, struct quicks *q, uint32_t row, int64_t *t)
{
	*t = INT64_MIN;
	if (!row_time(&in->assigner.times, row, t))
		return turn_to(p, in, q, row);
	if (quick_has(&q->at[0], *t))
		return true;
	if (!quick_has(&q->at[1], *t))
		return turn_to(p, in, q, row);
	quicks_turn(q);
	return true;
}

/* 0 or -1. */
static int quick_row(struct panes *p, struct intake *in, struct quicks *qs, uint32_t k, struct err *e)
{
	uint32_t row = batch_row(in->b, k), key = in->group ? in->group[k] : 0, cell;
	const struct quick *q = &qs->at[0];
	int64_t t;

	if (!quick_find(p, in, qs, row, &t))
		return 0;
	if (q->late)
		return quick_late(p, in, q, row, e);
	cell = panes_near_cell(q->near, key);
	if (cell == CELL_NONE) {
		struct interval w = { q->start, q->end };

		cell = cell_of_row(p, in, row, key, &w);
		if (cell == CELL_NONE) {
			p->op.count[DROPPED]++;
			return 0;
		}
		panes_near_set(q->near, key, cell);
		p->cells[cell].flags |= CELL_NEW;
	}
	if (!p->plain)
		touch(p, cell, t);
	in->row[in->n] = row;
	in->cell[in->n++] = cell;
	p->op.count[ABSORBED]++;
	return 0;
}

/* Rows from the k-th on, before `end`, whose time is in the window; returns the first that is not. */
static uint32_t run_in_window(const struct intake *in, const struct quick *q, uint32_t k, uint32_t end)
{
	const int64_t *t = in->assigner.times.i;
	const uint32_t *sel = in->b->sel;
	uint64_t start = (uint64_t)q->start, width = (uint64_t)q->end - start;

	if (sel)
		while (k < end && (uint64_t)t[sel[k]] - start < width)
			k++;
	else
		k += ints_ops(simd_level())->within(t + k, end - k, q->start, width);
	return k;
}

#define CELLS_AT_ONCE 8

/* The cells of keys group[0 .. n), as far as the window has them. */
static uint32_t cells_of_keys(const struct near *near, const uint32_t *group, uint32_t n, uint32_t *out)
{
	const uint64_t *cells = near->cells, epoch = (uint64_t)near->epoch << 32;
	uint32_t i = 0;

	for (uint64_t other = 0; i + CELLS_AT_ONCE <= n; i += CELLS_AT_ONCE) {
		for (int k = 0; k < CELLS_AT_ONCE; k++) {
			uint64_t c = cells[group[i + k]] - epoch;

			out[i + k] = (uint32_t)c;
			other |= c;
		}
		if (other >> 32)
			break;
	}
	for (; i < n && cells[group[i]] >> 32 == near->epoch; i++)
		out[i] = (uint32_t)cells[group[i]];
	return i;
}

/* The same without keys. */
static uint32_t cells_of_one(const struct near *near, uint32_t n, uint32_t *out)
{
	if (near->cells[0] >> 32 != near->epoch)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		out[i] = (uint32_t)near->cells[0];
	return n;
}

/* Rows from the k-th on whose window and cells are those at hand; returns the first that is not, or that finds no room. */
static uint32_t quick_run(struct panes *p, struct intake *in, const struct near *near, uint32_t k, uint32_t end)
{
	uint32_t *cell = in->cell + in->n, *row = in->row + in->n;
	uint32_t n = in->group ? cells_of_keys(near, in->group + k, end - k, cell) : cells_of_one(near, end - k, cell);

	if (in->first && in->n != k)
		note_first_rows(in);
	for (uint32_t m = 0; !in->first && m < n; m++)
		row[m] = batch_row(in->b, k + m);
	p->op.count[ABSORBED] += n;
	in->n += n;
	return k + n;
}

/* The same, in both windows at hand. */
static uint32_t quick_runs(struct panes *p, struct intake *in, struct quicks *q, uint32_t k)
{
	const int64_t *t = in->assigner.times.i;

	while (q->at[0].near) {
		uint32_t room = in->cap - in->n, end = run_in_window(in, &q->at[0], k, in->b->n_sel - k < room ? in->b->n_sel : k + room);

		panes_near_reach(q->at[0].near, p->reducer.spec.n_keys ? p->groups.table.n : 1);
		k = quick_run(p, in, q->at[0].near, k, end);
		if (k < end || k == in->b->n_sel || in->n == in->cap)
			break;
		if (!quick_has(&q->at[1], t[batch_row(in->b, k)]))
			break;
		quicks_turn(q);
	}
	return k;
}

static int put_rows(struct panes *p, struct intake *in, const struct column *args, struct err *e)
{
	uint32_t most = p->spec.inherits ? 1 : window_assign_max(&p->spec.assign.window);
	bool quick = most == 1 && !p->spec.merges && !p->spec.inherits && !p->spec.by_instant;
	struct quicks q = { { quick_again(p, p->near_last), quick_again(p, 1 - p->near_last) } };
	bool runs = quick && p->plain && in->assigner.times.type == T_TIME && !in->assigner.times.valid && !in->assigner.times.constant;

	for (uint32_t k = 0; k < in->b->n_sel; k++) {
		uint32_t row;

		if (runs && (k = quick_runs(p, in, &q, k)) == in->b->n_sel)
			break;
		row = batch_row(in->b, k);
		note_first_rows(in);
		if (quick ? quick_row(p, in, &q, k, e) : put_row(p, in, row, in->group ? in->group[k] : 0, e))
			return -1;
		if (in->n + most > in->cap)
			flush(p, in, args);
	}
	flush(p, in, args);
	return 0;
}

static int panes_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct panes *p = (struct panes *)op;
	uint32_t most = p->spec.inherits ? 1 : window_assign_max(&p->spec.assign.window);
	struct intake in = { .b = b, .cap = batch_rows() + most };
	struct column *args;
	uint32_t known;

	(void)port;
	panes_leave(p);
	known = p->groups.table.n;
	assigner_start(&in.assigner, &p->spec.assign, &op->eval, b);
	in.row = arena_array(b->arena, uint32_t, in.cap);
	in.cell = arena_array(b->arena, uint32_t, in.cap);
	in.first = !b->sel && !p->reducer.spec.takes_back;
	in.group = reducer_groups(&p->reducer, &p->groups, b);
	if (p->away.n && panes_return(p, known, e))
		return -1;
	args = reducer_args(&p->reducer, b);
	if (put_rows(p, &in, args, e))
		return -1;
	return op_check_memory(op, p->n_live + p->away.n, e);
}

static int panes_batch_end(struct op *op, struct err *e)
{
	struct panes *p = (struct panes *)op;
	int verdict;

	if (p->away.n && !p->spec.complete && panes_recall(p, e))
		return -1;
	verdict = panes_fire(p, e);
	reducer_collect_failures(&p->reducer);
	if (p->reducer.spec.n_keys && p->n_dead > 1024 && p->n_dead > p->n_keys / 2) {
		panes_compact(p);
		panes_near_forget(p);
	}
	return verdict < 0 ? -1 : 0;
}

static size_t panes_memory(const struct op *op)
{
	const struct panes *p = (const struct panes *)op;

	return p->cells_cap * sizeof *p->cells + p->triggers_cap + states_memory(p->states, &p->reducer) +
	       p->keys_cap * (sizeof *p->keys + sizeof *p->born) + (p->reducer.spec.n_keys ? groups_memory(&p->groups) : 0) + p->said_bytes +
	       timers_memory(&p->by_watermark) + timers_memory(&p->by_clock) + timers_memory(&p->held) +
	       panes_keep_memory(p) + panes_parts_memory(p) + panes_near_memory(p) + away_memory(&p->away) + panes_due_memory(p) + (p->unused.cap + 2 * p->touched_cap + p->look.cap + p->going.cap) * sizeof(uint32_t);
}

static bool panes_holds(const struct op *op)
{
	const struct panes *p = (const struct panes *)op;

	return p->n_live + p->away.n;
}

static bool panes_answers_empty(const struct op *op)
{
	return ((const struct panes *)op)->spec.complete;
}

static int64_t panes_wakes(struct op *op)
{
	struct panes *p = (struct panes *)op;
	int64_t away = away_times_first(&p->due[DUE_CLOCK]);
	const struct timer *first;
	struct timer gone;

	while ((first = timers_first(&p->by_clock))) {
		const struct cell *c = &p->cells[first->what];

		if (c->gen == first->gen && c->flags & CELL_LIVE && c->clock_timer == first->at)
			break;
		timers_take(&p->by_clock, INT64_MAX, &gone);
	}
	return first && first->at < away ? first->at : away;
}

static void put_time(struct buf *out, int64_t t)
{
	buf_took(out, time_format(t, buf_room(out, TIME_MAX)));
}

/* The window that ends first, and where the watermark stands. */
static void panes_waits(const struct op *op, struct buf *out)
{
	const struct panes *p = (const struct panes *)op;
	const struct timer *first = timers_first(&p->by_watermark);

	if (!p->n_live || !first || first->at == INT64_MAX)
		return;
	buf_str(out, "the window that ends ");
	put_time(out, first->at);
	buf_str(out, op->watermark == WATERMARK_NONE ? " waits for a watermark: there is none yet" : " waits for the watermark, which stands at ");
	if (op->watermark != WATERMARK_NONE)
		put_time(out, op->watermark);
}

static void panes_free(struct op *op)
{
	struct panes *p = (struct panes *)op;

	for (uint32_t i = 0; i < p->n_cells; i++)
		panes_forget_said(p, &p->cells[i]);
	for (uint32_t k = 0; k < p->n_keys; k++)
		if (p->keys[k].cap)
			free(p->keys[k].many);
	states_free(p->states, &p->reducer, p->n_cells);
	if (p->reducer.spec.n_keys)
		groups_release(&p->groups);
	free(p->keys);
	free(p->born);
	free(p->cells);
	free(p->triggers);
	free(p->unused.at);
	free(p->going.at);
	free(p->touched);
	free(p->look.at);
	timers_release(&p->by_watermark);
	timers_release(&p->by_clock);
	timers_release(&p->held);
	panes_near_free(p);
	panes_keep_release(p);
	panes_parts_release(p);
	away_release(&p->away);
	panes_due_release(p);
	trigger_free(p->trigger);
	expr_release(p->spec.assign.on_take);
	expr_release(p->spec.assign.gap_take);
	reducer_release(&p->reducer);
}

static void panes_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct panes *p = (const struct panes *)op;

	reducer_unseen(&p->reducer, fn, ctx);
	if (p->spec.assign.on_take)
		expr_unseen(p->spec.assign.on_take, fn, ctx);
}

static const struct op_class panes_class = {
	.name = "panes",
	.leaves = true,
	.makes_fields = true,
	.counters = { "absorbed", "late", "no-time", "dropped" },
	.process = panes_process,
	.on_batch_end = panes_batch_end,
	.free = panes_free,
	.memory = panes_memory,
	.unseen = panes_unseen,
	.holds = panes_holds,
	.answers_empty = panes_answers_empty,
	.wakes = panes_wakes,
	.waits = panes_waits,
	.commit = panes_commit,
	.restore = panes_restore,
};

static bool goes_by_arrival(const struct reducer *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		if (r->spec.calls[i].call.def->flags & AGG_ORDERED)
			return true;
	return false;
}

/* Nothing but the watermark at the end of the window brings a pane out, once, and its stamp is that end. */
static bool is_plain(const struct panes *p)
{
	const struct trigger_spec *t = &p->spec.trigger;
	bool bare = !t->root || (t->root->kind == TRIGGER_WATERMARK && !t->root->kids[0] && !t->root->kids[1]);

	return bare && !t->lateness_ns && t->stamp == STAMP_END && !p->spec.complete && !p->spec.merges;
}

struct op *op_panes(struct run *run, int stage, const char *word, const struct reduce_spec *spec, const struct panes_spec *panes)
{
	struct panes *p = op_make(&panes_class, sizeof *p, run, stage, word);

	p->spec = *panes;
	reducer_init(&p->reducer, spec, &p->op);
	if (spec->n_keys)
		groups_init(&p->groups, spec->n_keys);
	p->trigger = trigger_new(&p->spec.trigger);
	p->trigger_size = trigger_state_size(p->trigger);
	p->states = states_new(&p->reducer);
	p->plain = is_plain(p);
	p->recalls = spec->takes_back && p->spec.order == PANES_AS_TOUCHED;
	p->stamps = p->spec.trigger.stamp != STAMP_END && p->spec.assign.window.kind != WINDOW_ALL;
	p->ordered = p->spec.merges && goes_by_arrival(&p->reducer);
	p->by_key = spec->n_keys && p->spec.assign.window.kind == WINDOW_ALL && !p->spec.by_instant && !p->spec.merges;
	p->by_list = run->mem_max && spec->n_keys && !p->by_key && !p->spec.complete;
	p->op.stays = !p->by_key && !p->by_list;
	panes_near_forget(p);
	p->out = WATERMARK_NONE;
	return &p->op;
}

/* Panes out. */
#include <stdlib.h>

#include "op/panes_impl.h"

enum timing { EARLY, ON_TIME, LATE };

struct firing {
	struct panes *p;
	struct fired *at;
	size_t n, cap;
	size_t timed; /* from here on it was the time that brought them, not a record */
};

/* ---- what to look at ---- */

static void look_at(struct panes *p, uint32_t cell)
{
	if (p->cells[cell].flags & CELL_LOOK)
		return;
	p->cells[cell].flags |= CELL_LOOK;
	cell_list_add(&p->look, cell);
}

static void take_watermark_timers(struct panes *p)
{
	struct timer t;

	while (timers_take(&p->by_watermark, p->op.watermark, &t)) {
		struct cell *c = &p->cells[t.what];
		int64_t due;

		if (c->gen != t.gen || !(c->flags & CELL_LIVE))
			continue;
		due = trigger_sees_watermark(p->trigger) && !(c->flags & (CELL_ENDED | CELL_CLOSED)) ? c->end : panes_expiry(p, c);
		if (due > p->op.watermark)
			timers_add(&p->by_watermark, due, t.what, t.gen); /* the session has grown */
		else
			look_at(p, t.what);
	}
}

static void take_clock_timers(struct panes *p)
{
	struct timer t;

	while (timers_take(&p->by_clock, p->op.run->now, &t)) {
		struct cell *c = &p->cells[t.what];

		if (c->gen != t.gen || !(c->flags & CELL_LIVE) || c->clock_timer != t.at)
			continue;
		c->clock_timer = INT64_MAX;
		look_at(p, t.what);
	}
}

/* Has this very window finished, before a session of this micro-batch grew to it? */
static bool was_finished(const struct panes *p, const struct cell *c)
{
	const struct key_cells *k = &p->keys[c->key];

	if (!p->spec.merges || !(c->flags & CELL_FRESH))
		return false;
	for (uint32_t at = key_cells_place(p, k, c->start, c->end); at < k->n; at++) {
		const struct cell *other = &p->cells[key_cells_at(k)[at]];

		if (other->start != c->start || other->end != c->end)
			return false;
		if (other->flags & CELL_CLOSED)
			return true;
	}
	return false;
}

static void refuse(struct panes *p, uint32_t cell)
{
	p->op.count[0] -= p->cells[cell].came;
	p->op.count[3] += p->cells[cell].came;
	panes_unlist(p, cell);
	panes_drop(p, cell);
}

static void take_touched(struct panes *p)
{
	for (size_t i = 0; i < p->n_touched; i++) {
		uint32_t cell = p->touched[i].cell;
		struct cell *c = &p->cells[cell];

		if (c->gen != p->touched[i].gen || !(c->flags & CELL_LIVE) || !c->came)
			continue;
		if (was_finished(p, c)) {
			refuse(p, cell);
			continue;
		}
		trigger_add(p->trigger, panes_trigger(p, cell), c->came, p->op.run->now);
		c->came = 0;
		c->flags &= (uint16_t) ~(CELL_TOUCHED | CELL_FRESH);
		if (p->ordered)
			panes_parts_settle(p, cell);
		look_at(p, cell);
	}
	p->n_touched = 0;
}

/* ---- what is due ---- */

/* Beam's (PaneInfoTracker, WatermarkHold): the first pane that is not early is on time, unless its window is behind what the watermark is held at by the windows
 * that have something to say; all after it are late. */
static enum timing timing_of(const struct panes *p, const struct cell *c)
{
	if (c->flags & CELL_ON_TIME || p->out >= c->end)
		return LATE;
	return p->op.watermark >= c->end ? ON_TIME : EARLY;
}

static bool comes_out(const struct panes *p, const struct cell *c, enum timing timing, bool last)
{
	if (c->flags & CELL_NEW)
		return true;
	if (timing == ON_TIME && !p->spec.trigger.ontime_if_new)
		return true;
	return last && p->spec.trigger.closing_always;
}

/* Have all its records been taken back? A discarding pane says what has changed since the one before; the whole stream without keys is there in any case. */
static bool is_gone(const struct panes *p, uint32_t cell)
{
	const struct reduce_spec *s = &p->reducer.spec;
	bool whole = p->spec.trigger.accumulation != PANES_DISCARDING || !p->cells[cell].pane;

	return s->takes_back && (s->n_keys || p->cells[cell].end != INT64_MAX) && whole && states_hits(p->states, &p->reducer, cell) <= 0;
}

/* A group without records is none; where panes are taken back, that is said. */
static bool has_pane(const struct panes *p, const struct fired *f)
{
	return !f->gone || (p->spec.trigger.accumulation == PANES_RETRACTING && p->cells[f->cell].said);
}

static void fire(struct firing *f, uint32_t cell, enum timing timing, bool last)
{
	struct fired x = { .cell = cell, .timing = (uint8_t)timing, .last = last, .gone = is_gone(f->p, cell) };

	if (!has_pane(f->p, &x))
		return;
	f->at = xgrow(f->at, &f->cap, f->n + 1, sizeof *f->at);
	f->at[f->n++] = x;
}

bool panes_fired(const struct panes *p, uint32_t cell, struct fired *out)
{
	*out = (struct fired){ .cell = cell, .timing = (uint8_t)timing_of(p, &p->cells[cell]), .gone = is_gone(p, cell) };
	return has_pane(p, out);
}

/* A cell that may have something to say: brings its pane out, and says whether the cell is over. */
static bool look(struct firing *f, uint32_t cell)
{
	struct panes *p = f->p;
	struct cell *c = &p->cells[cell];
	struct trigger_view view = { .now = p->op.run->now, .watermark = p->op.watermark, .end = c->end };
	bool expired = !p->spec.complete && panes_expiry(p, c) <= p->op.watermark, ended = c->end <= p->op.watermark;
	enum timing timing = timing_of(p, c);

	if (c->flags & CELL_CLOSED)
		return expired;
	if (expired) {
		if (comes_out(p, c, timing, true))
			fire(f, cell, timing, true);
		return true;
	}
	if (trigger_is_due(p->trigger, panes_trigger(p, cell), &view)) {
		trigger_fired(p->trigger, panes_trigger(p, cell), &view);
		if (trigger_finished(p->trigger, panes_trigger(p, cell))) {
			c->flags |= CELL_CLOSED;
			panes_near_forget(p);
		}
		if (comes_out(p, c, timing, c->flags & CELL_CLOSED))
			fire(f, cell, timing, c->flags & CELL_CLOSED);
	}
	if (ended && !(c->flags & CELL_ENDED)) {
		c->flags |= CELL_ENDED;
		if (trigger_sees_watermark(p->trigger))
			panes_set_timer(p, cell);
	}
	panes_set_clock(p, cell, trigger_next_clock(p->trigger, panes_trigger(p, cell)));
	return false;
}

/* ---- order ---- */

static int by_window(const void *x, const void *y, void *ctx)
{
	const struct panes *p = ctx;
	const struct fired *a = x, *b = y;
	const struct cell *c = &p->cells[a->cell], *d = &p->cells[b->cell];
	uint64_t i = p->born[c->key], j = p->born[d->key];

	if (c->end != d->end)
		return c->end < d->end ? -1 : 1;
	if (c->start != d->start)
		return c->start < d->start ? -1 : 1;
	return i < j ? -1 : i > j;
}

void panes_sort(const struct panes *p, struct fired *f, size_t n)
{
	if (n)
		qsort_r(f, n, sizeof *f, by_window, (void *)(uintptr_t)p);
}

static void fire_all(struct firing *f)
{
	struct panes *p = f->p;

	for (uint32_t i = 0; i < p->n_cells; i++)
		if (p->cells[i].flags & CELL_LIVE)
			fire(f, i, timing_of(p, &p->cells[i]), false);
}

/* ---- rows ---- */

static const char *const timing_names[] = { "early", "on_time", "late" };

static int64_t stamp_of(const struct panes *p, const struct cell *c)
{
	if (p->spec.trigger.stamp == STAMP_EARLIEST && c->first != INT64_MAX)
		return c->first;
	if (p->spec.trigger.stamp == STAMP_LATEST && c->last != INT64_MIN)
		return c->last;
	return p->spec.by_instant ? c->end : c->end - 1;
}

static struct column *hide(struct batch *b, enum hidden which, enum type t)
{
	struct column *c = arena_array(b->arena, struct column, 1);

	*c = column_make(b->arena, t, b->n_rows);
	b->hidden[which] = c;
	return c;
}

/* What goes along with a pane. The whole stream has no bounds, and its results no time. */
static void hide_panes(struct panes *p, const struct fired *f, struct batch *b)
{
	bool whole = p->spec.assign.window.kind == WINDOW_ALL;
	struct column *event = whole && !p->spec.by_instant ? NULL : hide(b, HIDDEN_EVENT, T_TIME), *start = whole ? NULL : hide(b, HIDDEN_WINDOW_START, T_TIME);
	struct column *end = whole ? NULL : hide(b, HIDDEN_WINDOW_END, T_TIME), *pane = hide(b, HIDDEN_PANE, T_INT);
	struct column *on_time = hide(b, HIDDEN_PANE_ON_TIME, T_ANY), *timing = hide(b, HIDDEN_TIMING, T_STR), *last = hide(b, HIDDEN_FINAL, T_BOOL);

	on_time->has_null = true;
	for (uint32_t k = 0; k < b->n_rows; k++) {
		const struct cell *c = &p->cells[f[k].cell];

		if (event)
			event->i[k] = stamp_of(p, c);
		if (!whole) {
			start->i[k] = c->start;
			end->i[k] = c->end;
		}
		pane->i[k] = c->pane;
		on_time->v[k] = f[k].timing == EARLY ? v_null() : v_int(c->on_time);
		timing->v[k] = v_str(timing_names[f[k].timing], strlen(timing_names[f[k].timing]));
		last->b[k] = f[k].last;
	}
}

/* Does the cell hold nothing any more once the pane is out? */
static bool forgets(const struct panes *p, const struct fired *f)
{
	bool closed = p->cells[f->cell].flags & CELL_CLOSED;

	return !p->spec.complete && (f->last || closed || p->spec.trigger.accumulation == PANES_DISCARDING);
}

static void make_rows(struct panes *p, const struct fired_keys *other, const struct fired *f, uint32_t n, struct batch *b)
{
	struct arena *a = &p->op.arena;
	struct column start = column_make(a, T_TIME, n), end = column_make(a, T_TIME, n);
	uint32_t *keys = arena_array(a, uint32_t, n + 1), *states = arena_array(a, uint32_t, n + 1);
	struct reduce_rows rows = { .groups = other ? &other->groups : &p->groups, .states = p->states, .key_list = keys, .state_list = states, .n = n, .start = &start, .end = &end };

	for (uint32_t k = 0; k < n; k++) {
		const struct cell *c = &p->cells[f[k].cell];

		start.i[k] = c->start;
		end.i[k] = c->end;
		keys[k] = other ? other->keys[k] : c->key;
		states[k] = p->ordered ? panes_whole(p, f[k].cell, forgets(p, &f[k])) : f[k].cell;
	}
	reducer_batch(&p->reducer, &rows, b);
	hide_panes(p, f, b);
}

/* ---- taking back ---- */

static uint32_t n_said(const struct cell *c)
{
	uint32_t n = 0;

	for (const struct said *s = c->said; s; s = s->next)
		n++;
	return n;
}

/* Where the results stand in a row: behind the window and the keys, before _op. */
static uint32_t first_result(const struct panes *p)
{
	return p->reducer.out_schema->n - p->reducer.spec.retracting - p->reducer.spec.n_results;
}

static struct said *say(struct panes *p, const struct cell *c, const struct batch *b, uint32_t row)
{
	struct buf bytes = { 0 };
	struct said *s;

	for (uint32_t k = 0; k < p->reducer.spec.n_results; k++) {
		struct value v = column_get(&b->cols[first_result(p) + k], row);

		value_save(&bytes, &v);
	}
	s = xmalloc(sizeof *s + bytes.n);
	*s = (struct said){ .start = c->start, .end = c->end, .stamp = stamp_of(p, c), .n = (uint32_t)bytes.n };
	memcpy(s->bytes, bytes.p, bytes.n);
	p->said_bytes += sizeof *s + bytes.n;
	buf_release(&bytes);
	return s;
}

/* One value of the row that takes `s` back, column by column. */
static void unsay(struct panes *p, const struct said *s, const struct batch *b, uint32_t row, struct value *out)
{
	const char *at = s->bytes, *end = s->bytes + s->n;
	uint32_t first = first_result(p), n = p->reducer.out_schema->n;

	for (uint32_t k = 0; k < first; k++) {
		const char *name = p->reducer.out_schema->names[k];

		out[k] = !strcmp(name, "window_start") ? v_time(s->start) : !strcmp(name, "window_end") ? v_time(s->end) : column_get(&b->cols[k], row);
	}
	for (uint32_t k = first; k + 1 < n; k++)
		if (value_load(&at, end, b->arena, &out[k]))
			BUG("a pane that came out does not load again");
	out[n - 1] = v_str("-", 1);
}

/* Panes with what they take back, a row at a time. */
struct refining {
	struct panes *p;
	const struct batch *plus;
	uint32_t rows, at;   /* room, and how many there are */
	struct value *v;     /* rows values a column */
	uint32_t *from;      /* the row of plus */
	const struct said **back; /* what it takes back, NULL: nothing */
};

static void refine_row(struct refining *r, uint32_t from, const struct said *back)
{
	uint32_t n = r->plus->schema->n;
	struct value *one = arena_array(&r->p->op.arena, struct value, n);

	for (uint32_t i = 0; i < n && !back; i++)
		one[i] = column_get(&r->plus->cols[i], from);
	if (back)
		unsay(r->p, back, r->plus, from, one);
	for (uint32_t i = 0; i < n; i++)
		r->v[(size_t)i * r->rows + r->at] = one[i];
	r->from[r->at] = from;
	r->back[r->at++] = back;
}

/* Rows that take back have the window and time of the pane they take back. */
static void hide_refined(const struct refining *r, uint32_t first, struct batch *b)
{
	struct column *back = hide(b, HIDDEN_TAKES_BACK, T_BOOL);

	for (uint32_t k = 0; k < b->n_rows; k++) {
		const struct said *s = r->back[first + k];

		back->b[k] = s != NULL;
		if (!s || !b->hidden[HIDDEN_EVENT])
			continue;
		b->hidden[HIDDEN_EVENT]->i[k] = s->stamp;
		b->hidden[HIDDEN_WINDOW_START]->i[k] = s->start;
		b->hidden[HIDDEN_WINDOW_END]->i[k] = s->end;
	}
}

static int push_refined(const struct refining *r, uint32_t first, uint32_t n, struct err *e)
{
	struct arena *a = &r->p->op.arena;
	struct batch b = *r->plus;
	struct column *cols = arena_array(a, struct column, b.schema->n);

	for (uint32_t i = 0; i < b.schema->n; i++)
		cols[i] = column_tighten(a, r->v + (size_t)i * r->rows + first, NULL, n, n);
	b.cols = cols;
	b.n_rows = b.n_sel = n;
	batch_gather_hidden(&b, r->plus, r->from + first, n);
	hide_refined(r, first, &b);
	return op_push(&r->p->op, &b, e);
}

/* The panes with what they take back: each behind those it replaces. */
static int push_with_taken_back(struct panes *p, const struct fired *f, const struct batch *plus, struct err *e)
{
	struct arena *a = &p->op.arena;
	struct refining r = { .p = p, .plus = plus, .rows = plus->n_rows };
	struct said **over = arena_array(a, struct said *, plus->n_rows + 1);
	int verdict = 0;

	for (uint32_t k = 0; k < plus->n_rows; k++)
		r.rows += n_said(&p->cells[f[k].cell]);
	r.v = arena_array(a, struct value, (size_t)plus->schema->n * r.rows + 1);
	r.from = arena_array(a, uint32_t, r.rows + 1);
	r.back = arena_array(a, const struct said *, r.rows + 1);
	for (uint32_t k = 0; k < plus->n_rows; k++) {
		struct cell *c = &p->cells[f[k].cell];

		for (const struct said *s = c->said; s; s = s->next)
			refine_row(&r, k, s);
		if (!f[k].gone)
			refine_row(&r, k, NULL);
		over[k] = c->said;
		c->said = f[k].last || f[k].gone ? NULL : say(p, c, plus, k);
	}
	for (uint32_t from = 0, step = batch_rows(); from < r.at && verdict >= 0; from += step)
		verdict = push_refined(&r, from, r.at - from < step ? r.at - from : step, e);
	for (uint32_t k = 0; k < plus->n_rows; k++)
		panes_forget(p, over[k]);
	return verdict;
}

/* ---- the way out ---- */

/* The pane is out: the next one begins. */
static void next_pane(struct panes *p, const struct fired *f)
{
	struct cell *c = &p->cells[f->cell];

	c->pane++;
	if (f->timing != EARLY) {
		c->on_time++;
		c->flags |= CELL_ON_TIME;
	}
	c->flags &= (uint16_t)~(CELL_NEW | CELL_HOLDS);
	c->first = INT64_MAX;
	c->last = INT64_MIN;
	if (p->spec.trigger.accumulation == PANES_DISCARDING || c->flags & CELL_CLOSED) {
		if (p->ordered)
			panes_parts_forget(p, f->cell);
		states_reset(p->states, &p->reducer, f->cell);
	}
}

/* A group that is the same as before it was touched has no update. */
static void leave_out_same(struct panes *p, const struct fired *f, struct batch *b)
{
	uint32_t *sel = arena_array(b->arena, uint32_t, b->n_rows + 1);

	b->n_sel = 0;
	for (uint32_t k = 0; k < b->n_rows; k++) {
		struct cell *c = &p->cells[f[k].cell];
		struct said *s = say(p, c, b, k);

		if (!c->said || c->said->n != s->n || memcmp(c->said->bytes, s->bytes, s->n))
			sel[b->n_sel++] = k;
		panes_forget_said(p, c);
		c->said = s;
	}
	b->sel = sel;
}

int panes_push(struct panes *p, const struct fired_keys *other, const struct fired *f, uint32_t n, struct err *e)
{
	struct batch b;
	int verdict;

	make_rows(p, other, f, n, &b);
	if (p->recalls)
		leave_out_same(p, f, &b);
	verdict = p->spec.trigger.accumulation == PANES_RETRACTING ? push_with_taken_back(p, f, &b, e) : op_push(&p->op, &b, e);
	arena_reset(&p->op.arena);
	return verdict;
}

/* Panes go out, and the next ones begin. `verdict` is that of the last push: nobody may want more. */
static int push_some(struct panes *p, const struct fired *f, size_t n, int verdict, struct err *e)
{
	for (size_t from = 0, step = batch_rows(); from < n && !verdict; from += step)
		verdict = panes_push(p, NULL, f + from, (uint32_t)(n - from < step ? n - from : step), e);
	for (size_t k = 0; k < n && !p->spec.complete; k++)
		next_pane(p, &f[k]);
	panes_whole_done(p);
	return verdict;
}

/* In their order; slots tell nothing: a cell has another one after a restart. */
static void sort_fired(struct firing *f)
{
	if (f->p->spec.order == PANES_BY_WINDOW || f->p->spec.complete)
		f->timed = 0;
	panes_sort(f->p, f->at + f->timed, f->n - f->timed);
}

static int push_all(struct firing *f, struct err *e)
{
	sort_fired(f);
	return push_some(f->p, f->at, f->n, 0, e);
}

/* ---- in portions ---- */

static void end_guest(struct panes *p, uint32_t cell)
{
	panes_unlist(p, cell);
	panes_drop(p, cell);
}

/* What came back in a portion, looked at: in order. */
static void look_at_guests(struct firing *g)
{
	struct panes *p = g->p;

	p->look.n = 0;
	take_watermark_timers(p);
	for (size_t i = 0; i < p->look.n; i++) {
		size_t n = g->n;
		uint32_t cell = p->look.at[i];

		p->cells[cell].flags &= (uint16_t)~CELL_LOOK;
		if (!look(g, cell))
			panes_keep_change(p, cell);
		else if (g->n == n)
			end_guest(p, cell);
		else
			g->at[n].guest = true;
	}
	p->look.n = 0;
	panes_sort(p, g->at, g->n);
}

/* Those of g among those of f, from the k-th on; both are in order. g is empty then. */
static void merge_fired(struct firing *f, size_t k, struct firing *g)
{
	struct fired *all = xmalloc((f->n - k + g->n + 1) * sizeof *all);
	size_t n = 0, i = k, j = 0;

	while (i < f->n || j < g->n)
		all[n++] = j == g->n || (i < f->n && by_window(&f->at[i], &g->at[j], f->p) <= 0) ? f->at[i++] : g->at[j++];
	free(f->at);
	free(g->at);
	*g = (struct firing){ .p = g->p };
	f->at = all;
	f->n = f->cap = n;
}

/* How many stand at most there. */
static size_t count_upto(const struct firing *f, const struct panes_place *upto)
{
	const struct panes *p = f->p;
	size_t n = 0;

	for (; n < f->n; n++) {
		const struct cell *c = &p->cells[f->at[n].cell];

		if (panes_place_cmp(&(struct panes_place){ c->end, c->start, p->born[c->key] }, upto) > 0)
			break;
	}
	return n;
}

static bool is_live(struct timer *t, void *ctx)
{
	const struct panes *p = ctx;

	return p->cells[t->what].gen == t->gen && p->cells[t->what].flags & CELL_LIVE;
}

/* Numbers of keys are used again before the table has to grow for the next portion. */
static bool is_full_of_dead(const struct panes *p)
{
	return p->n_dead > PANES_PORTION_MIN && (p->n_dead > p->n_keys / 4 || p->groups.table.cap - p->groups.table.n < PANES_PORTION_MIN);
}

static void end_guests(struct panes *p, const struct fired *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (f[i].guest)
			end_guest(p, f[i].cell);
	if (p->held.n > 1024 && p->held.n / 2 > p->n_live)
		timers_keep(&p->held, is_live, p);
	if (is_full_of_dead(p))
		panes_compact(p);
	panes_near_forget(p);
}

/* Panes whose keys are more than memory holds: what is due in memory goes out among them. Verdict of the push. */
static int push_portions(struct firing *f, struct err *e)
{
	struct panes *p = f->p;
	struct panes_portions *s = panes_portions_new(p, e);
	struct firing g = { .p = p };
	struct panes_place upto;
	int verdict, more = 1;

	sort_fired(f);
	verdict = push_some(p, f->at, f->timed, 0, e);
	for (size_t done = f->timed; more > 0 && verdict >= 0; done = 0) {
		size_t n;

		more = panes_portion(s, &upto);
		look_at_guests(&g);
		merge_fired(f, done, &g);
		n = more > 0 ? count_upto(f, &upto) : f->n;
		verdict = push_some(p, f->at, n, verdict, e);
		end_guests(p, f->at, n);
		memmove(f->at, f->at + n, (f->n - n) * sizeof *f->at);
		f->n -= n;
	}
	panes_portions_free(s);
	return more < 0 ? -1 : verdict;
}

/* The whole stream without keys has a result even when nothing came. */
static void open_whole(struct panes *p)
{
	struct interval all = { INT64_MIN, INT64_MAX };
	bool whole = p->spec.assign.window.kind == WINDOW_ALL && !p->reducer.spec.n_keys;
	uint32_t cell;

	if (!whole || p->n_live || !(p->spec.complete || p->op.run->last) || p->op.count[0])
		return;
	cell = panes_open(p, 0, &all);
	p->cells[cell].flags |= CELL_NEW;
	look_at(p, cell);
}

/* The first hold, with what is out of date taken away; NULL: none. */
static const struct timer *first_hold(struct panes *p)
{
	const struct timer *first;
	struct timer t;

	while ((first = timers_first(&p->held))) {
		const struct cell *c = &p->cells[first->what];
		bool live = c->gen == first->gen && c->flags & CELL_LIVE;
		int64_t hold = live ? panes_hold(p, c) : INT64_MAX;

		if (hold <= first->at)
			return first;
		timers_take(&p->held, INT64_MAX, &t);
		if (hold != INT64_MAX)
			timers_add(&p->held, hold, t.what, t.gen);
	}
	return NULL;
}

int panes_hold_back(struct panes *p, struct err *e)
{
	int64_t until = p->stamps && p->op.passes > p->op.watermark ? p->op.passes : p->op.watermark, hold;
	const struct timer *first = first_hold(p);

	if (panes_away_hold(p, until, &hold, e))
		return -1;
	if (first && first->at < hold)
		hold = first->at;
	p->out = hold <= p->op.watermark ? hold - 1 : p->op.watermark;
	if (p->stamps && hold <= p->op.passes)
		p->op.passes = hold - 1;
	return 0;
}

int panes_fire(struct panes *p, struct err *e)
{
	struct firing f = { .p = p };
	struct cell_list over = { 0 };
	size_t touched;
	int verdict;

	p->look.n = 0;
	take_touched(p);
	touched = p->look.n;
	open_whole(p);
	take_watermark_timers(p);
	take_clock_timers(p);
	for (size_t i = 0; i < p->look.n; i++) {
		p->cells[p->look.at[i]].flags &= (uint16_t)~CELL_LOOK;
		panes_keep_change(p, p->look.at[i]);
		if (look(&f, p->look.at[i]))
			cell_list_add(&over, p->look.at[i]);
		if (i < touched)
			f.timed = f.n;
	}
	p->look.n = 0;
	if (p->spec.complete)
		f.n = 0;
	if (p->spec.complete && !p->away.n)
		fire_all(&f);
	if (p->away.n && p->spec.complete)
		verdict = panes_push_table(p, e);
	else
		verdict = p->parted ? push_portions(&f, e) : push_all(&f, e);
	p->parted = false;
	for (size_t i = over.n; i-- > 0;) { /* so that slots are used again in ascending order */
		panes_unlist(p, over.at[i]);
		panes_drop(p, over.at[i]);
	}
	if (over.n)
		panes_near_forget(p);
	free(over.at);
	free(f.at);
	return panes_hold_back(p, e) ? -1 : verdict;
}

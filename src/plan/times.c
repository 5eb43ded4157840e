/* Time: which window, watermark and trigger hold where, and what that asks of the stages that aggregate, order, count and remember. */
#include "plan/times_impl.h"

#include "plan/cogroup.h"
#include "plan/join.h"
#include "plan/state_spec.h"
#include "window/trigger.h"

/* ---- watermark, window, trigger ---- */

static int take_watermark(struct times *t, struct time_flow *f, struct plan_node *n)
{
	if (f->watermark && !f->merged) {
		err_at(t->err, n->pos, "a second watermark: stage %d has set one", f->watermark->stage);
		return err_hint(t->err, "event time has one meaning in a chain: keep one of them");
	}
	if (f->window && !f->aggregated) {
		err_at(t->err, n->pos, "a watermark behind the window of stage %d", f->window->stage);
		return err_hint(t->err, "put the watermark in front of the window that goes by it");
	}
	f->watermark = n;
	f->merged = false;
	return 0;
}

static int no_time(struct times *t, const struct plan_node *n)
{
	err_at(t->err, n->pos, "a window of event time, and nothing says which time that is");
	return err_hint(t->err, "say `window ... on FIELD`, or put `watermark FIELD delay 10s` in front of it");
}

/* A window written without `on` goes by the watermark's time where there is one, else by the clock. */
static int choose_time(struct times *t, struct time_flow *f, struct plan_node *n)
{
	struct window *w = arena_new(t->p->arena, struct window);
	bool is_result = f->aggregated || f->joined, has_event = f->watermark || (is_result && bounded(f->window));

	*w = *n->assigner;
	if (w->kind == WINDOW_PROCESSING && has_event)
		window_to_event_time(w);
	else if (w->kind != WINDOW_PROCESSING && w->kind != WINDOW_ALL && w->kind != WINDOW_ROWS && !n->on && !has_event)
		return no_time(t, n);
	if (n->on && is_result && bounded(f->window)) {
		err_at(t->err, n->on->pos, "the time of a result is that of its window (stage %d), and this window goes by another", f->window->stage);
		return err_hint(t->err, "leave `on` out: a result falls into the window that covers the end of its own");
	}
	if (n->on && f->watermark && !f->merged && !times_is_event(f, n->on) && !(is_result && node_equal(n->on, f->watermark->expr))) {
		err_at(t->err, n->on->pos, "the window goes by another time than the watermark of stage %d", f->watermark->stage);
		return err_hint(t->err, "leave `on` out, or set the watermark on this time");
	}
	if (n->on && f->watermark && !f->merged && !is_result)
		n->on = NULL; /* it is @event */
	n->assigner = w;
	return 0;
}

static int take_window(struct times *t, struct time_flow *f, struct plan_node *n)
{
	if (f->retracting && (n->assigner->kind == WINDOW_SESSION || n->assigner->kind == WINDOW_ROWS)) {
		err_at(t->err, n->pos, "a window of %s over the retracting panes of stage %d: when a record is taken back, its windows cannot be undone",
		       n->assigner->kind == WINDOW_ROWS ? "rows" : "sessions", f->retracting->stage);
		return err_hint(t->err, "leave `retracting` out: then it gets final panes only");
	}
	if (f->window && !f->aggregated && !f->joined) {
		err_at(t->err, n->pos, "a second window with no aggregate since the one of stage %d", f->window->stage);
		return err_hint(t->err, "a record falls into one set of windows: put reduce, count, group or join between them");
	}
	if (choose_time(t, f, n))
		return -1;
	f->window = n;
	f->trigger = NULL;
	f->aggregated = f->joined = f->held = f->partial = f->several = false;
	f->unlike = NULL;
	f->closes |= n->assigner->kind == WINDOW_PROCESSING;
	if (n->assigner->kind == WINDOW_PROCESSING && !t->p->windowed)
		t->p->windowed = n;
	return 0;
}

/* ---- aggregates ---- */

static const struct trigger_spec *make_trigger(struct times *t, enum trigger_kind kind, enum accumulation how)
{
	struct trigger_spec *s = arena_zero(t->p->arena, sizeof *s);

	s->root = arena_zero(t->p->arena, sizeof *s->root);
	s->root->kind = kind;
	s->root->count = 1;
	s->accumulation = how;
	s->ontime_if_new = kind != TRIGGER_WATERMARK;
	return s;
}

/* Do the records of the point enter the chain in front of its node `at`? */
static bool reads_point(const struct plan_chain *c, uint32_t at, const struct plan_point *point)
{
	if (!at && c->from == point)
		return true;
	for (uint32_t i = 0; at < c->n && i < c->nodes[at]->n_others; i++)
		if (c->nodes[at]->others[i].point == point)
			return true;
	return false;
}

/* Do panes come out of something behind the i-th node, before the next window? */
static bool has_panes(const struct times *t, const struct plan_chain *c, uint32_t i)
{
	for (i++; i < c->n && c->nodes[i]->kind != PLAN_WINDOW; i++)
		if (c->nodes[i]->kind == PLAN_REDUCE || c->nodes[i]->kind == PLAN_GROUP_ROWS || c->nodes[i]->kind == PLAN_STATE)
			return true;
	for (uint32_t k = 0; i == c->n && k < t->p->n; k++)
		for (uint32_t at = 0; c->to && at <= t->p->chains[k]->n; at++)
			if (reads_point(t->p->chains[k], at, c->to) && has_panes(t, t->p->chains[k], at - 1))
				return true;
	return false;
}

static int take_trigger(struct times *t, struct time_flow *f, const struct plan_chain *c, uint32_t i)
{
	struct plan_node *n = c->nodes[i];

	if (!f->window || f->aggregated) {
		err_at(t->err, n->pos, "a trigger without a window");
		return err_hint(t->err, "it says when panes of the window in front of it come out: window 10m | trigger ... | count");
	}
	if (!event_time(f->window)) {
		err_at(t->err, n->pos, "a trigger for a window that is not of event time");
		return err_hint(t->err, "windows of processing time and of rows come out when they are full; name a time: window ... on FIELD");
	}
	if (f->trigger) {
		err_at(t->err, n->pos, "a second trigger for the window of stage %d: stage %d has one", f->window->stage, f->trigger->stage);
		return err_hint(t->err, "make one of them, with `or`, `and`, `then` or `until`");
	}
	if (t->mode != MODE_DEFAULT) {
		err_at(t->err, n->pos, "a trigger beside --mode");
		return err_hint(t->err, "--mode is a short form of a trigger: keep one of them");
	}
	if (bounded(f->window) && !has_panes(t, c, i)) { /* Beam's global window has one by default, so `window all` may be given another for nothing */
		err_at(t->err, n->pos, "a trigger with no aggregate behind it, and so without panes");
		return err_hint(t->err, "it says when the results of an aggregate come out: window 10m | trigger ... | count by k");
	}
	f->trigger = n;
	return 0;
}

/* Is there another aggregate behind this one, to which it gives only what is final? Points are read by chains that come later. */
static bool feeds_aggregate(const struct times *t, const struct plan_chain *c, uint32_t i)
{
	for (i++; i < c->n; i++)
		if (c->nodes[i]->kind == PLAN_REDUCE || c->nodes[i]->kind == PLAN_GROUP_ROWS)
			return true;
	for (uint32_t k = 0; k < t->p->n; k++)
		for (uint32_t at = 0; c->to && at <= t->p->chains[k]->n; at++)
			if (reads_point(t->p->chains[k], at, c->to) && feeds_aggregate(t, t->p->chains[k], at - 1))
				return true;
	return false;
}

/* sort and top behind an aggregate over the whole stream want the whole table. */
static bool is_ordered(const struct plan_chain *c, uint32_t i)
{
	for (i++; i < c->n && c->nodes[i]->kind != PLAN_REDUCE; i++)
		if (c->nodes[i]->kind == PLAN_SORT || c->nodes[i]->kind == PLAN_TOP)
			return true;
	return false;
}

static enum output_mode mode_of(const struct times *t, const struct time_flow *f, const struct plan_chain *c, uint32_t i)
{
	if (t->mode != MODE_DEFAULT)
		return t->mode;
	if (f->window->assigner->kind != WINDOW_ALL)
		return MODE_APPEND;
	return is_ordered(c, i) ? MODE_COMPLETE : MODE_UPDATE;
}

static int refuse_append(struct times *t, const struct time_flow *f, const struct plan_node *n)
{
	if (bounded(f->window) || f->watermark)
		return 0;
	err_at(t->err, n->pos, "--mode append over the whole stream, without a watermark: no group would ever be final");
	return err_hint(t->err, "say --mode update or complete, or give the groups a window");
}

static int is_fold(struct node *n, void *ctx)
{
	(void)ctx;
	return n->kind == N_CALL && !strcmp(n->name, "fold");
}

static bool has_fold(const struct plan_node *n)
{
	for (uint32_t i = 0; i < n->items.n; i++)
		if (node_walk(n->items.at[i].expr, is_fold, NULL))
			return true;
	return false;
}

/* Which session a record belongs to is known at its end: until then it waits for the others of the stage's key, and without one for all. */
static void wait_for_window(struct time_flow *f, struct plan_node *n)
{
	n->holds = !f->aggregated && !f->held;
	n->merges = n->holds && f->window->assigner->kind == WINDOW_SESSION ? f->window : NULL;
	f->held |= n->holds;
	if (n->merges)
		n->keeps = "the records of sessions that are open";
}

static bool over_sessions(const struct time_flow *f)
{
	return !f->aggregated && !f->held && f->window->assigner->kind == WINDOW_SESSION;
}

static int give_panes(struct times *t, struct time_flow *f, const struct plan_chain *c, uint32_t i)
{
	struct plan_node *n = c->nodes[i];
	bool feeds = feeds_aggregate(t, c, i);
	enum output_mode mode = feeds || f->trigger ? MODE_APPEND : mode_of(t, f, c, i);
	struct plan_panes *s = arena_zero(t->p->arena, sizeof *s);

	if (!feeds && !f->trigger && t->mode == MODE_APPEND && refuse_append(t, f, n))
		return -1;
	if (over_sessions(f) && has_fold(n) && !f->trigger && mode == MODE_APPEND)
		wait_for_window(f, n);
	s->window = f->window;
	s->inherits = f->aggregated || f->held || !f->window->in_reduce;
	s->merges = over_sessions(f);
	s->trigger = f->trigger ? f->trigger->trigger : make_trigger(t, mode == MODE_APPEND ? TRIGGER_WATERMARK : TRIGGER_COUNT,
								      mode == MODE_APPEND ? PANES_DISCARDING : PANES_ACCUMULATING);
	if (f->trigger && f->aggregated && retracting(f))
		s->trigger = trigger_continued(s->trigger, t->p->arena);
	if (f->trigger && feeds && !retracting(f)) {
		struct trigger_spec *last = arena_new(t->p->arena, struct trigger_spec);

		*last = *make_trigger(t, TRIGGER_NEVER, PANES_ACCUMULATING);
		last->lateness_ns = s->trigger->lateness_ns;
		last->stamp = s->trigger->stamp;
		s->trigger = last;
	}
	s->complete = mode == MODE_COMPLETE;
	s->as_touched = mode == MODE_UPDATE;
	s->windowed = bounded(f->window);
	s->by_instant = t->mode == MODE_APPEND && !s->windowed && !f->trigger && n->keys.n && times_keyed_by_event(f, n);
	n->panes = s;
	f->partial = (!feeds || retracting(f)) && (f->trigger || mode != MODE_APPEND);
	return 0;
}

/* Without a window it is about all of a finite input. */
static void wants_all(struct times *t, struct plan_node *n, bool all)
{
	n->whole = all;
	t->p->whole |= all;
}

static int no_mode(struct times *t, const struct time_flow *f, const struct plan_node *n)
{
	if (f->window) {
		err_at(t->err, n->pos, "--mode is about windows of event time, and that of stage %d is of %s", f->window->stage,
		       f->window->assigner->kind == WINDOW_ROWS ? "rows" : "processing time");
		return err_hint(t->err, "leave --mode out: what such a window gives comes once, at its end");
	}
	err_at(t->err, n->pos, "--mode says how the results of a window come out, and `%s` has none", n->word);
	return err_hint(t->err, "put a window in front of it: `window all` for the whole stream");
}

static int take_reduce(struct times *t, struct time_flow *f, const struct plan_chain *c, uint32_t i)
{
	struct plan_node *n = c->nodes[i];

	if (times_take_back(t, f, n))
		return -1;
	if (event_time(f->window)) {
		if (give_panes(t, f, c, i))
			return -1;
	} else if (f->window && !f->aggregated && !f->unlike) {
		n->window = f->window;
	} else {
		f->window = f->unlike ? NULL : f->window;
		n->in_clock_window = f->window && f->window->assigner->kind == WINDOW_PROCESSING;
		wants_all(t, n, true);
	}
	if (t->mode != MODE_DEFAULT && !n->panes && !feeds_aggregate(t, c, i))
		return no_mode(t, f, n);
	f->retracting = n->panes && n->panes->trigger->accumulation == PANES_RETRACTING ? n : NULL;
	f->has_op = f->retracting != NULL;
	f->between = NULL;
	f->aggregated = f->closes = true;
	f->held = false;
	f->unlike = NULL;
	t->aggregates++;
	return 0;
}

/* ---- stages that order, count and remember ---- */

/* Rows of a window that has not been aggregated wait for its end. */
static void order_by_window(struct times *t, struct time_flow *f, struct plan_node *n)
{
	if (!event_time(f->window)) {
		n->scope = f->closes || n->kind == PLAN_SORT || n->kind == PLAN_TOP ? SCOPE_BATCH : SCOPE_RUN;
		wants_all(t, n, (n->kind == PLAN_SORT || n->kind == PLAN_TOP) && !f->window);
		return;
	}
	wait_for_window(f, n);
	n->scope = bounded(f->window) ? SCOPE_WINDOW : SCOPE_BATCH;
}

static int take_dedup(struct times *t, struct time_flow *f, struct plan_node *n)
{
	bool session = f->window && f->window->assigner->kind == WINDOW_SESSION && !f->aggregated;

	if (n->delay_ns && session) {
		err_at(t->err, n->pos, "`within` in the sessions of stage %d: where a session ends is known later than its first record", f->window->stage);
		return err_hint(t->err, "leave `within` out: a session has what is near in time, or put `dedup` in front of the window");
	}
	if (n->delay_ns && !f->watermark) {
		err_at(t->err, n->pos, "`within` counts event time, and nothing says which time that is");
		return err_hint(t->err, "put `watermark FIELD delay 10s` in front of it");
	}
	if (session)
		wait_for_window(f, n);
	n->in_window = bounded(f->window) && (!n->delay_ns || !f->aggregated);
	if (n->delay_ns)
		n->dedup = DEDUP_WITHIN;
	else if (bounded(f->window))
		n->dedup = DEDUP_WINDOW;
	else if (f->window && f->window->assigner->kind == WINDOW_PROCESSING)
		n->dedup = DEDUP_BATCH;
	else
		n->dedup = times_keyed_by_event(f, n) ? DEDUP_TIME : DEDUP_RUN;
	return 0;
}

/* A command that is run for each micro-batch answers with records of its own, without event time or a window of it. */
static int take_exec(struct times *t, struct time_flow *f, struct plan_node *n)
{
	if (n->each)
		return 0;
	if (event_time(f->window) && !f->aggregated) {
		err_at(t->err, n->pos, "a command for each micro-batch in the window of stage %d: its answers fall into no window", f->window->stage);
		return err_hint(t->err, "put the window behind it, or use `exec each`, whose answers keep the window of the record");
	}
	if (f->watermark && !f->aggregated) {
		err_at(t->err, n->pos, "a command for each micro-batch behind the watermark of stage %d: its answers have no event time", f->watermark->stage);
		return err_hint(t->err, "put the watermark behind it, or use `exec each`, whose answers keep the time of the record");
	}
	t->p->closes = true;
	wants_all(t, n, !f->window);
	f->watermark = NULL;
	f->merged = f->held = f->partial = false;
	if (event_time(f->window))
		f->window = NULL;
	return 0;
}

/* Behind a window the state is that of a key in a window. */
static int take_state(struct times *t, struct time_flow *f, struct plan_node *n)
{
	struct state_spec *s = n->state;

	if (f->window && f->window->assigner->kind == WINDOW_SESSION && !f->aggregated) {
		err_at(t->err, n->pos, "a state in the sessions of stage %d: sessions merge, and variables do not", f->window->stage);
		return err_hint(t->err, "put `state` in front of the window, or reduce the sessions first");
	}
	s->event = f->watermark || (f->aggregated && bounded(f->window));
	s->window = bounded(f->window)							  ? STATE_EVENT_WINDOW
		    : f->window && f->window->assigner->kind == WINDOW_PROCESSING ? STATE_CLOCK_WINDOW
										  : STATE_NO_WINDOW;
	s->takes_late = f->window && f->window->assigner->kind == WINDOW_ALL;
	s->lateness_ns = bounded(f->window) && f->trigger ? f->trigger->trigger->lateness_ns : 0;
	f->closes |= s->batch.n > 0;
	wants_all(t, n, s->batch.n && !f->window);
	return 0;
}

/* ---- joins ---- */

/* Nothing holds where inputs enter. */
static const struct time_flow *flow_at(const struct plan_point *p)
{
	static const struct time_flow none;

	return p->time ? p->time : &none;
}

static const char *window_of(const struct time_flow *f)
{
	return !f->window ? "no window" : f->window->assigner->kind == WINDOW_ALL ? "`window all`" : "a window of event time";
}

/* Windows of both sides, where they are by event time or the whole stream; others are the business of the micro-batch. */
static int same_windows(struct times *t, const struct time_flow *l, const struct time_flow *r, const struct plan_node *n)
{
	bool left = event_time(l->window), right = event_time(r->window);
	const struct window *a = left ? l->window->assigner : NULL, *b = right ? r->window->assigner : NULL;

	if (left != right || (left && (a->kind == WINDOW_ALL) != (b->kind == WINDOW_ALL))) {
		err_at(t->err, n->pos, "the left side has %s, the right one %s", left ? window_of(l) : "no window",
		       right ? window_of(r) : "no window");
		return err_hint(t->err, "a join by window needs the same one in front of both sides");
	}
	if (left && a->kind == WINDOW_SESSION && !(l->aggregated && r->aggregated)) {
		err_at(t->err, n->pos, "a join by sessions: records of one key may end in one session of each side, or in several");
		return err_hint(t->err, "reduce the sessions first, or say `within`");
	}
	if (left && a->kind == WINDOW_FIXED && b->kind == WINDOW_FIXED && a->length_ns != b->length_ns && !l->several && !r->several) {
		err_at(t->err, n->pos, "windows of stage %d and of stage %d are not equally long, so none is equal to another", l->window->stage,
		       r->window->stage);
		return err_hint(t->err, "a join by window needs the same one in front of both sides");
	}
	return 0;
}

static int interval_times(struct times *t, const struct time_flow *l, const struct time_flow *r, const struct plan_node *n)
{
	if (l->window || r->window) {
		err_at(t->err, n->pos, "`within` beside a window");
		return err_hint(t->err, "keep one of them: a window in both sides, or `within`");
	}
	if (!l->watermark || !r->watermark) {
		err_at(t->err, n->pos, "`within` goes by event time, and the %s side has none", l->watermark ? "right" : "left");
		return err_hint(t->err, "put `watermark FIELD delay 10s` into both sides");
	}
	return 0;
}

static int take_join(struct times *t, struct time_flow *f, struct plan_node *n)
{
	const struct time_flow *r = flow_at(n->others[0].point);
	struct plan_join *j = n->join;

	if (j->within ? interval_times(t, f, r, n) : same_windows(t, f, r, n))
		return -1;
	j->scope = j->within		       ? JOIN_WITHIN
		   : !event_time(f->window)    ? JOIN_BATCH
		   : !bounded(f->window)       ? JOIN_ALL
					       : JOIN_WINDOW;
	n->keeps = j->scope == JOIN_BATCH    ? "both sides of the micro-batch"
		   : j->scope == JOIN_ALL    ? "all records of both sides, without bound"
		   : j->scope == JOIN_WINDOW ? "both sides of the windows that are open"
					     : "both sides as far back as matches can come";
	if (j->scope == JOIN_WITHIN && (j->from == INT64_MIN || j->to == INT64_MAX))
		n->keeps = "both sides; one of them without bound, for `within` has none";
	t->p->forgets |= j->scope == JOIN_WITHIN || j->scope == JOIN_WINDOW;
	wants_all(t, n, j->scope == JOIN_BATCH && !f->window && !r->window);
	f->closes |= j->scope == JOIN_BATCH;
	times_merge(f, r);
	f->joined |= j->scope == JOIN_WINDOW;
	return j->scope == JOIN_BATCH ? times_unlike(t, f, n) : 0;
}

/* As an aggregate: its records are panes of the window. */
static int take_cogroup(struct times *t, struct time_flow *f, struct plan_node *n)
{
	struct plan_cogroup *g = n->cogroup;

	if (f->retracting)
		return times_cannot_take_back(t, f, n, "its lists have no inverse");
	for (uint32_t i = 0; i < n->n_others; i++) {
		const struct time_flow *r = flow_at(n->others[i].point);

		if (same_windows(t, f, r, n))
			return -1;
		if (r->retracting)
			return times_cannot_take_back(t, r, n, "its lists have no inverse");
		times_merge(f, r);
	}
	g->scope = !event_time(f->window) ? JOIN_BATCH : !bounded(f->window) ? JOIN_ALL : JOIN_WINDOW;
	n->keeps = g->scope == JOIN_BATCH ? "all sides of the micro-batch"
		   : g->scope == JOIN_ALL ? "all records of all sides, without bound"
					  : "all sides of the windows that are open";
	t->p->forgets |= g->scope == JOIN_WINDOW;
	wants_all(t, n, g->scope == JOIN_BATCH && !f->window);
	f->closes = f->aggregated = true;
	f->held = false;
	return g->scope == JOIN_BATCH ? times_unlike(t, f, n) : 0;
}

/* The node in front of the i-th, in the chain that it goes on from too. */
static const struct plan_node *before(const struct plan_chain *c, uint32_t i)
{
	const struct plan_chain *from = c->from ? c->from->maker : NULL;

	if (i)
		return c->nodes[i - 1];
	return from && from->to == c->from && from->n ? from->nodes[from->n - 1] : NULL;
}

static int take_node(struct times *t, struct time_flow *f, const struct plan_chain *c, uint32_t i)
{
	struct plan_node *n = c->nodes[i];

	if (times_unlike(t, f, n))
		return -1;
	switch (n->kind) {
	case PLAN_WATERMARK:
		return take_watermark(t, f, n);
	case PLAN_WINDOW:
		return take_window(t, f, n);
	case PLAN_TRIGGER:
		return take_trigger(t, f, c, i);
	case PLAN_REDUCE:
		return take_reduce(t, f, c, i);
	case PLAN_SORT:
	case PLAN_TOP:
	case PLAN_LIMIT:
	case PLAN_SKIP:
		order_by_window(t, f, n);
		f->closes |= n->kind == PLAN_SORT || n->kind == PLAN_TOP;
		return 0;
	case PLAN_DEDUP:
		return take_dedup(t, f, n);
	case PLAN_EXEC:
		return take_exec(t, f, n);
	case PLAN_JOIN:
		return take_join(t, f, n);
	case PLAN_COGROUP:
		return take_cogroup(t, f, n);
	case PLAN_STATE:
		return take_state(t, f, n);
	case PLAN_GROUP_ROWS:
		return times_group_rows(t, f, n);
	case PLAN_ABSENT:
		return times_absent(t, f, n);
	case PLAN_FILL:
		return times_fill(t, f, n, before(c, i));
	default:
		return 0;
	}
}

/* ---- fusing ---- */

static int reads_window(struct node *n, void *ctx)
{
	(void)ctx;
	return is_special(n, "window_start") || is_special(n, "window_end");
}

static bool mentions_window(const struct plan_node *n)
{
	for (uint32_t i = 0; i < n->items.n; i++)
		if (n->items.at[i].expr && node_walk(n->items.at[i].expr, reads_window, NULL))
			return true;
	return n->expr && node_walk(n->expr, reads_window, NULL);
}

/* May the node stand between a window and the reduce that keeps its panes? It goes record by record and does not ask for the window. */
static bool goes_by_record(const struct plan_node *n)
{
	switch (n->kind) {
	case PLAN_MAP:
	case PLAN_FILTER:
	case PLAN_FLATMAP:
	case PLAN_WORDS:
	case PLAN_PARSE:
	case PLAN_TRIGGER:
		return !mentions_window(n);
	case PLAN_EXEC:
		return n->each;
	default:
		return false;
	}
}

/* A window is the business of the reduce behind it where nothing between them needs to know. What it computes from fields stays where it is written. */
static void fuse(struct plan_chain *c, uint32_t at)
{
	struct plan_node *w = c->nodes[at];
	uint32_t i = at + 1;

	while (i < c->n && goes_by_record(c->nodes[i]))
		i++;
	if (i == c->n || c->nodes[i]->kind != PLAN_REDUCE)
		return;
	if ((w->assigner->kind == WINDOW_PROCESSING || w->assigner->kind == WINDOW_SESSION) && has_fold(c->nodes[i]))
		return;
	if (w->assigner->kind == WINDOW_PROCESSING)
		w->in_reduce = true;
	else
		w->in_reduce = w->assigner->kind == WINDOW_ROWS || i == at + 1 || c->nodes[at + 1]->kind == PLAN_TRIGGER || (!w->on && !w->gap);
}

/* Count windows are of the keys of the aggregate behind them: nothing else could say whose rows to count. */
static int rows_alone(struct times *t, const struct plan_node *n)
{
	if (n->kind != PLAN_WINDOW || n->assigner->kind != WINDOW_ROWS || n->in_reduce)
		return 0;
	err_at(t->err, n->pos, "a window of rows with no aggregate behind it");
	return err_hint(t->err, "its rows are counted for each key of the aggregate: window 100 rows | count by k; for lists of rows: group 100 rows by k");
}

static int no_fold(struct times *t, const struct plan_node *n)
{
	if (!n->panes || !n->panes->merges || !has_fold(n))
		return 0;
	err_at(t->err, n->pos, "fold over sessions that come out before their end: sessions merge, and the states of fold do not");
	return err_hint(t->err, "leave trigger and --mode out, or use combine, which says how two states become one");
}

/* ---- chains ---- */

static void leave(struct times *t, const struct plan_chain *c, const struct time_flow *f)
{
	for (uint32_t i = 0; i < t->p->n_points; i++) {
		struct plan_point *at = t->p->points[i];

		if (at->maker != c)
			continue;
		at->time = arena_new(t->p->arena, struct time_flow);
		*at->time = *f;
	}
}

static int64_t clock_window(const struct time_flow *f)
{
	return f->window && !f->unlike && f->window->assigner->kind == WINDOW_PROCESSING ? f->window->assigner->length_ns : 0;
}

static int walk_chain(struct times *t, struct plan_chain *c)
{
	struct time_flow f = { 0 };

	if (c->from && c->from->time)
		f = *c->from->time;
	for (uint32_t i = 0; i < c->n; i++) {
		for (uint32_t k = 0; k < c->nodes[i]->n_others && c->nodes[i]->kind == PLAN_UNION; k++)
			times_merge(&f, flow_at(c->nodes[i]->others[k].point));
		if (take_node(t, &f, c, i))
			return -1;
		c->nodes[i]->clock_ns = clock_window(&f);
		times_follow_field(t, &f, c->nodes[i]);
		if (f.retracting && f.retracting != c->nodes[i])
			times_pass_op(t, &f, c->nodes[i]);
		if (c->nodes[i]->kind == PLAN_WINDOW)
			fuse(c, i);
		if (rows_alone(t, c->nodes[i]) || no_fold(t, c->nodes[i]))
			return -1;
	}
	t->p->closes |= f.closes;
	leave(t, c, &f);
	return 0;
}

int plan_times(struct plan *p, enum output_mode mode, struct err *e)
{
	struct times t = { .p = p, .mode = mode, .err = e };

	for (uint32_t i = 0; i < p->n; i++)
		if (walk_chain(&t, p->chains[i]))
			return -1;
	if (mode == MODE_DEFAULT || t.aggregates)
		return 0;
	err_set(e, ERR_PROGRAM, "--mode says how the results of the last aggregate come out, and the program has none");
	return err_hint(e, "leave --mode out: records pass through as they come");
}

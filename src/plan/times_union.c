/* Streams that come together, in a union, a join or a cogroup: what holds behind it, and what cannot stand there because their windows
 * are not alike. */
#include "plan/times_impl.h"

#include <stdio.h>

enum sort { SORT_NONE, SORT_CLOCK, SORT_ROWS, SORT_EVENT, SORT_ALL };

static enum sort sort_of(const struct plan_node *window)
{
	if (!window)
		return SORT_NONE;
	switch (window->assigner->kind) {
	case WINDOW_PROCESSING:
		return SORT_CLOCK;
	case WINDOW_ROWS:
		return SORT_ROWS;
	case WINDOW_ALL:
		return SORT_ALL;
	default:
		return SORT_EVENT;
	}
}

static bool merges(const struct time_flow *f) { return f->window->assigner->kind == WINDOW_SESSION && !f->aggregated; }

static bool same_trigger(const struct time_flow *a, const struct time_flow *b)
{
	if (a->aggregated || b->aggregated || a->trigger == b->trigger)
		return true;
	return a->trigger && b->trigger && !strcmp(a->trigger->canonical, b->trigger->canonical);
}

/* Windows of the clock: where one of the streams has none, its records are of a window as long as the micro-batch. */
static const char *clock_difference(const struct plan_node *a, const struct plan_node *b)
{
	const struct window *l = a ? a->assigner : NULL, *r = b ? b->assigner : NULL;

	if (l && r && l->slide_ns != r->slide_ns && l->slide_ns && r->slide_ns)
		return "they come out at different times";
	return l && r && l->length_ns == r->length_ns ? NULL : "";
}

/* How the windows differ: NULL: they are alike, "": stages that see what has come together may use them. */
static const char *difference(const struct time_flow *a, const struct time_flow *b)
{
	enum sort l = sort_of(a->window), r = sort_of(b->window);

	if (l == SORT_ROWS || r == SORT_ROWS)
		return NULL;
	if ((l == SORT_CLOCK || r == SORT_CLOCK) && (l <= SORT_CLOCK && r <= SORT_CLOCK))
		return clock_difference(a->window, b->window);
	if (l != r)
		return l == SORT_EVENT || r == SORT_EVENT || l == SORT_CLOCK || r == SORT_CLOCK ? "they are not of one kind" : NULL;
	if (l == SORT_EVENT && merges(a) != merges(b))
		return "sessions merge, and other windows do not";
	return l >= SORT_EVENT && !same_trigger(a, b) ? "their triggers differ" : NULL;
}

/* Where one of the streams has records of windows and the other has results, a stage behind them waits for the end of the window. */
static void merge_rows(struct time_flow *f, const struct time_flow *more)
{
	bool in_both = sort_of(f->window) == SORT_EVENT && sort_of(more->window) == SORT_EVENT;

	f->aggregated = in_both ? f->aggregated && more->aggregated : f->aggregated || more->aggregated;
	f->held &= !in_both || more->held || more->aggregated;
	f->several |= more->several || (in_both && f->window != more->window);
	if (f->window)
		return;
	f->window = more->window;
	f->trigger = more->trigger;
	f->held = more->held;
}

void times_merge(struct time_flow *f, const struct time_flow *more)
{
	const char *unlike = difference(f, more);

	if (!f->unlike || (unlike && *unlike && !*f->unlike)) {
		f->other = !unlike ? more->other : f->window ? more->window : NULL;
		f->unlike = unlike ? unlike : more->unlike;
	}
	if (f->watermark != more->watermark) {
		f->watermark = f->watermark ? f->watermark : more->watermark;
		f->merged = true;
	}
	merge_rows(f, more);
	f->closes |= more->closes;
	f->partial |= more->partial;
	f->has_op = more->retracting ? more->has_op && (!f->retracting || f->has_op) : f->has_op;
	f->retracting = f->retracting ? f->retracting : more->retracting;
	f->between = f->between ? f->between : more->between;
}

/* Does the stage go by windows, so that it has to know them? */
static bool goes_by_window(const struct plan_node *n, bool by_micro_batch)
{
	switch (n->kind) {
	case PLAN_REDUCE:
	case PLAN_SORT:
	case PLAN_TOP:
	case PLAN_JOIN:
	case PLAN_COGROUP:
		return !by_micro_batch;
	case PLAN_LIMIT:
	case PLAN_SKIP:
	case PLAN_DEDUP:
	case PLAN_STATE:
	case PLAN_GROUP_ROWS:
	case PLAN_TRIGGER:
	case PLAN_FILL:
		return true;
	default:
		return false;
	}
}

static const char *windows_of(const struct plan_node *window, char *at)
{
	if (!window)
		return "no window";
	sprintf(at, "the windows of stage %d", window->stage);
	return at;
}

int times_unlike(struct times *t, const struct time_flow *f, const struct plan_node *n)
{
	char some[40], others[40];

	if (!f->unlike || !goes_by_window(n, !*f->unlike))
		return 0;
	err_at(t->err, n->pos, "`%s` over records of %s and of %s%s%s", n->word, windows_of(f->window, some), windows_of(f->other, others),
	       *f->unlike ? ": " : "", f->unlike);
	return err_hint(t->err, n->kind == PLAN_JOIN || n->kind == PLAN_COGROUP
					? "give both sides windows with the same `every`"
					: "put it into each chain before they meet, or the same window and trigger into all of them");
}

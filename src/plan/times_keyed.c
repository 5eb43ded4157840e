/* Stages that remember keys: groups of rows, silences, empty windows. */
#include "plan/times_impl.h"

static const struct plan_node *unaggregated(const struct time_flow *f, enum window_kind kind)
{
	return f->window && !f->aggregated && f->window->assigner->kind == kind ? f->window : NULL;
}

/* Its lists are as panes: they have the window, and without one the time of their first record. */
int times_group_rows(struct times *t, struct time_flow *f, struct plan_node *n)
{
	const struct plan_node *session = unaggregated(f, WINDOW_SESSION);

	if (session) {
		err_at(t->err, n->pos,
		       "groups of rows in the sessions of stage %d: sessions merge, and groups that came out do not",
		       session->stage);
		return err_hint(t->err, "put `group` in front of the window, or take `group by` for whole sessions");
	}
	n->closing = bounded(f->window)						   ? CLOSES_BY_EVENT
		     : f->window && f->window->assigner->kind == WINDOW_PROCESSING ? CLOSES_BY_CLOCK
										   : CLOSES_NEVER;
	n->lateness_ns = bounded(f->window) && f->trigger ? f->trigger->trigger->lateness_ns : 0;
	n->keeps = n->closing == CLOSES_NEVER && !n->delay_ns ? "the records of groups that are not full, until the run ends"
							      : "the records of groups that are not full";
	if (!f->window)
		f->trigger = NULL;
	f->aggregated = true;
	f->held = f->partial = false;
	return 0;
}

/* Its records are of no window. */
int times_absent(struct times *t, struct time_flow *f, struct plan_node *n)
{
	if (f->window && !f->aggregated) {
		err_at(t->err, n->pos, "`absent` in the window of stage %d", f->window->stage);
		return err_hint(t->err, "silence goes across windows: put the window behind it");
	}
	n->closing = f->watermark || (f->aggregated && bounded(f->window)) ? CLOSES_BY_EVENT : CLOSES_BY_CLOCK;
	n->keeps = n->closing == CLOSES_BY_EVENT ? "keys heard of within this time before the watermark"
						 : "keys heard of within this time";
	f->window = NULL;
	f->trigger = NULL;
	f->closes = f->aggregated = true;
	f->held = f->partial = false;
	return 0;
}

static int no_windows(struct times *t, const struct plan_node *n, const char *what, const char *why)
{
	err_at(t->err, n->pos, "`fill` behind %s: %s", what, why);
	return err_hint(t->err, "it fills windows of equal length: window 10m | count by k | fill 0");
}

int times_fill(struct times *t, struct time_flow *f, struct plan_node *n, const struct plan_node *before)
{
	const struct window *w = f->window ? f->window->assigner : NULL;

	if (!before || before->kind != PLAN_REDUCE) {
		err_at(t->err, n->pos, "`fill` without an aggregate in front of it");
		return err_hint(t->err,
				"it stands right behind the aggregate whose windows it fills: window 10m | count by k | fill 0");
	}
	if (w && w->kind == WINDOW_SESSION)
		return no_windows(t, n, "sessions", "they are as long as their records, and none is empty");
	if (w && w->kind == WINDOW_ROWS)
		return no_windows(t, n, "a window of rows", "none is empty");
	if (w && w->kind == WINDOW_ALL)
		return no_windows(t, n, "`window all`", "the whole stream is one window, and it ends with the run");
	if (f->partial) {
		err_at(t->err, n->pos, "`fill` behind panes that are not final: whether a window is empty is known at its end");
		return err_hint(t->err, "leave out the trigger, or --mode");
	}
	n->filled = before;
	n->closing = before->panes ? CLOSES_BY_EVENT : CLOSES_BY_CLOCK;
	n->assigner = w;
	n->lateness_ns = before->panes ? before->panes->trigger->lateness_ns : 0;
	n->keeps = "every key, for the whole run";
	return 0;
}

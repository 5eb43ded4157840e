/* Lowering of event time: watermarks, windows and the reduces over them. */
#include "op/op_assign.h"
#include "op/op_hold.h"
#include "op/op_panes.h"
#include "op/op_reduce.h"
#include "op/op_rows.h"
#include "op/op_sessions.h"
#include "op/op_slices.h"
#include "op/op_watermark.h"
#include "op/op_window.h"
#include "plan/lower.h"

struct op *lower_watermark(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct watermark_spec s = { .delay_ns = n->delay_ns, .idle_ns = n->idle_ns, .by_marks = n->by_marks, .point = n->text };

	s.time_take = lower_expr(p, n->expr, o, e);
	return s.time_take ? op_watermark(o->run, n->stage, n->word, &s) : NULL;
}

static int lower_assign(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct assign_spec *s, struct err *e)
{
	*s = (struct assign_spec){ .window = *n->assigner };
	if (n->on && !(s->on_take = lower_expr(p, n->on, o, e)))
		return -1;
	if (n->gap && !(s->gap_take = lower_expr(p, n->gap, o, e))) {
		expr_release(s->on_take);
		return -1;
	}
	return 0;
}

struct op *lower_window(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct assign_spec s;

	if (n->assigner->kind == WINDOW_PROCESSING)
		return op_window_buffer(o->run, n->stage, n->word, &(struct window_spec){ n->assigner->length_ns, n->assigner->slide_ns });
	if (lower_assign(p, n, o, &s, e))
		return NULL;
	return op_assign(o->run, n->stage, n->word, &s);
}

struct op *lower_hold(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct sessions_spec s = { .n_keys = n->keys.n, .by_record = n->kind == PLAN_DEDUP && !n->keys.n };

	if (!n->merges)
		return op_hold(o->run, n->stage, n->word);
	s.closed = n->merges->assigner->closed;
	s.keys_take = arena_array(p->arena, struct expr *, n->keys.n + 1);
	if (lower_items(p, &n->keys, o, s.keys_take, e))
		return NULL;
	return op_sessions(o->run, n->stage, n->word, &s);
}

/* Of processing time, or of rows. */
static struct op *over_other(const struct plan_node *n, const struct lower_opts *o, const struct reduce_spec *spec)
{
	const struct window *w = n->window->assigner;

	if (w->kind == WINDOW_ROWS)
		return op_rows(o->run, n->stage, n->word, spec, w->rows, w->slide_rows);
	if (!n->window->in_reduce)
		return op_reduce(o->run, n->stage, n->word, spec);
	return op_window_reduce(o->run, n->stage, n->word, spec, &(struct window_spec){ w->length_ns, w->slide_ns });
}

struct op *lower_panes(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, const struct reduce_spec *spec, struct err *e)
{
	const struct plan_panes *at = n->panes;
	struct panes_spec s = { 0 };

	if (!at)
		return over_other(n, o, spec);
	if (!at->inherits && lower_assign(p, at->window, o, &s.assign, e))
		return NULL;
	s.assign.window = *at->window->assigner;
	s.inherits = at->inherits;
	s.merges = at->merges;
	s.trigger = *at->trigger;
	s.order = at->as_touched ? PANES_AS_TOUCHED : PANES_BY_WINDOW;
	s.complete = at->complete;
	s.by_instant = at->by_instant;
	if (!spec->takes_back && op_slices_can(spec, &s))
		return op_slices(o->run, n->stage, n->word, spec, &s.assign);
	return op_panes(o->run, n->stage, n->word, spec, &s);
}

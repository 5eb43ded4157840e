/* Panes that are taken back, on their way to another aggregate. */
#include "expr/fn.h"
#include "plan/times_impl.h"

/* What is not the same when a pane is taken back. */
static int is_of_pane(struct node *n, void *ctx)
{
	static const char *const names[] = { "pane", "pane_on_time", "timing", "final", "batch", "time", "watermark", "record" };
	const struct fn_def *fn = n->kind == N_CALL ? fn_find(n->name) : NULL;

	(void)ctx;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (is_special(n, names[i]))
			return 1;
	return (n->kind == N_FIELD && !strcmp(n->name, "_op")) || (fn && fn->flags & FN_VOLATILE);
}

static bool any_of_pane(const struct items *items)
{
	for (uint32_t i = 0; i < items->n; i++)
		if (items->at[i].expr && node_walk(items->at[i].expr, is_of_pane, NULL))
			return true;
	return false;
}

static bool asks_for_pane(const struct plan_node *n)
{
	return any_of_pane(&n->items) || any_of_pane(&n->keys) || (n->expr && node_walk(n->expr, is_of_pane, NULL)) ||
	       (n->on && node_walk(n->on, is_of_pane, NULL));
}

/* Does the node do the same with a row that takes back as it did with the one taken back, whatever came in between? */
static bool goes_row_by_row(const struct plan_node *n)
{
	switch (n->kind) {
	case PLAN_MAP:
	case PLAN_FILTER:
	case PLAN_FLATMAP:
	case PLAN_WORDS:
	case PLAN_PARSE:
	case PLAN_WATERMARK:
	case PLAN_WINDOW:
	case PLAN_TRIGGER:
	case PLAN_SORT:
	case PLAN_UNION:
	case PLAN_SPLIT:
	case PLAN_SINK:
		return true;
	default:
		return false;
	}
}

int times_cannot_take_back(struct times *t, const struct time_flow *f, const struct plan_node *at, const char *why)
{
	err_at(t->err, at->pos, "`%s` behind the retracting panes of stage %d: %s", at->word, f->retracting->stage, why);
	return err_hint(t->err, "leave `retracting` out: then an aggregate behind it gets final panes only");
}

/* Rows that may take back earlier ones, into an aggregate. */
int times_take_back(struct times *t, const struct time_flow *f, struct plan_node *n)
{
	static const char differs[] =
		"@pane, @timing, @batch, _op and the like are not the same when a pane is taken back from an aggregate";

	n->takes_back = f->retracting != NULL;
	if (!f->retracting)
		return 0;
	if (f->between && goes_row_by_row(f->between))
		return times_cannot_take_back(t, f, f->between, differs);
	if (f->between)
		return times_cannot_take_back(t, f, f->between,
					      "what it makes of a pane cannot be taken back from the aggregate behind it");
	if (asks_for_pane(n))
		return times_cannot_take_back(t, f, n, differs);
	return event_time(f->window)
		       ? 0
		       : times_cannot_take_back(t, f, n, "without a window of event time it forgets what may be taken back");
}

/* `_op` goes along by itself. */
static void add_op(struct times *t, struct plan_node *n)
{
	struct items *items = &n->items;
	struct item *at = arena_array(t->p->arena, struct item, items->n + 1);
	struct node *field = arena_zero(t->p->arena, sizeof *field);

	field->kind = N_FIELD;
	field->height = 1;
	field->pos = n->pos;
	field->name = "_op";
	field->name_n = 3;
	memcpy(at, items->at, items->n * sizeof *at);
	at[items->n] = (struct item){ .name = field->name, .expr = field, .pos = n->pos };
	items->at = at;
	items->n++;
}

enum op_fate { OP_LOST, OP_KEPT, OP_TAKEN };

/* What a projection does with _op: kept by name or by `*`, lost, or taken for another field or dropped on purpose. */
static enum op_fate fate_of_op(const struct plan_node *n)
{
	enum op_fate fate = OP_LOST;

	for (uint32_t i = 0; i < n->n_drop; i++)
		if (!strcmp(n->drop[i], "_op"))
			return OP_TAKEN;
	for (uint32_t i = 0; i < n->items.n; i++) {
		const struct item *it = &n->items.at[i];

		if (it->expr && !strcmp(it->name, "_op"))
			return OP_KEPT;
		if (it->expr && it->expr->kind == N_FIELD && !strcmp(it->expr->name, "_op"))
			fate = OP_TAKEN;
		else if (!it->expr && fate == OP_LOST)
			fate = OP_KEPT;
	}
	return fate;
}

/* Behind a retracting aggregate. */
void times_pass_op(struct times *t, struct time_flow *f, struct plan_node *n)
{
	enum op_fate fate = OP_KEPT;

	if (!f->between && (!goes_row_by_row(n) || asks_for_pane(n)))
		f->between = n;
	if (n->kind == PLAN_MAP || n->kind == PLAN_FLATMAP)
		fate = fate_of_op(n);
	else if (n->kind != PLAN_PARSE && plan_changes(n->kind))
		fate = OP_TAKEN;
	if (fate == OP_LOST && f->has_op)
		add_op(t, n);
	f->has_op &= fate != OP_TAKEN;
}

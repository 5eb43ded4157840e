#include "plan/plan.h"

#include <stdlib.h>

#include "codec/pattern.h"

int plan_each(const struct plan *p, int (*fn)(struct plan_node *n, void *ctx), void *ctx)
{
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t k = 0; k < p->chains[i]->n; k++) {
			int r = fn(p->chains[i]->nodes[k], ctx);

			if (r)
				return r;
		}
	return 0;
}

bool plan_chain_closed(const struct plan_chain *c)
{
	enum plan_kind last = c->n ? c->nodes[c->n - 1]->kind : PLAN_MAP;

	return last == PLAN_SINK || last == PLAN_SPLIT;
}

bool plan_is_line(const struct plan *p)
{
	for (uint32_t k = 0; p->n == 1 && k < p->chains[0]->n; k++)
		if (p->chains[0]->nodes[k]->n_others)
			return false;
	return p->n == 1 && p->chains[0]->ends | plan_chain_closed(p->chains[0]);
}

const char *plan_kind_name(enum plan_kind k)
{
	static const char *const names[PLAN_KINDS_] = {
		[PLAN_MAP] = "map",	[PLAN_FILTER] = "filter", [PLAN_FLATMAP] = "flatmap", [PLAN_WORDS] = "words",
		[PLAN_PARSE] = "parse", [PLAN_REDUCE] = "reduce", [PLAN_SORT] = "sort",	      [PLAN_TOP] = "top",
		[PLAN_LIMIT] = "limit", [PLAN_SKIP] = "skip",	  [PLAN_SAMPLE] = "sample",   [PLAN_DEDUP] = "dedup",
		[PLAN_WATERMARK] = "watermark", [PLAN_WINDOW] = "window", [PLAN_TRIGGER] = "trigger", [PLAN_SINK] = "sink",
		[PLAN_EXEC] = "exec",	[PLAN_STATE] = "state",
		[PLAN_UNION] = "union", [PLAN_JOIN] = "join", [PLAN_LOOKUP] = "lookup", [PLAN_GROUP_ROWS] = "group", [PLAN_ABSENT] = "absent", [PLAN_FILL] = "fill", [PLAN_COGROUP] = "cogroup", [PLAN_SPLIT] = "split",	  [PLAN_FROM] = "from",	      [PLAN_AS] = "as",
	};

	return names[k];
}

struct pattern *plan_pattern(const struct plan_node *n, struct err *e)
{
	struct err own = { 0 };
	const struct value *f = &n->format;
	struct pattern *p = f->type == T_REGEX ? pattern_regex(f->s, f->n, &own)
			    : f->type == T_STR ? pattern_brace(f->s, f->n, &own)
					       : pattern_named(f->s, f->n, &own);

	if (p)
		return p;
	err_at(e, n->format_pos, "%s", own.msg);
	if (own.hint[0])
		err_hint(e, "%s", own.hint);
	return NULL;
}

bool plan_is_windowed(const struct plan_node *n)
{
	if (n->kind == PLAN_GROUP_ROWS)
		return n->closing != CLOSES_NEVER;
	return n->panes ? n->panes->windowed : n->in_clock_window || (n->window && n->window->assigner->kind == WINDOW_PROCESSING);
}

bool plan_changes(enum plan_kind k)
{
	return k == PLAN_JOIN || k == PLAN_LOOKUP || k == PLAN_COGROUP || k == PLAN_MAP || k == PLAN_FLATMAP || k == PLAN_WORDS || k == PLAN_PARSE || k == PLAN_REDUCE || k == PLAN_EXEC || k == PLAN_STATE ||
	       k == PLAN_GROUP_ROWS || k == PLAN_ABSENT || k == PLAN_FILL;
}

void plan_release(struct plan *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		free(p->chains[i]->nodes);
	free(p->chains);
	free(p->points);
	p->chains = NULL;
	p->points = NULL;
	p->n = p->n_points = 0;
}

#include "plan/plan.h"

#include <stdlib.h>

#include "codec/pattern.h"

struct plan_node *plan_add(struct plan *p)
{
	struct plan_node *n = arena_new(p->arena, struct plan_node);

	p->nodes = xgrow(p->nodes, &p->cap, p->n + 1, sizeof *p->nodes);
	p->nodes[p->n++] = n;
	return n;
}

const char *plan_kind_name(enum plan_kind k)
{
	static const char *const names[PLAN_KINDS_] = { "map",	"filter", "flatmap", "words",  "parse", "reduce", "sort",
							"top",	"limit",  "skip",    "sample", "dedup", "window", "sink" };

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

bool plan_changes(enum plan_kind k)
{
	return k == PLAN_MAP || k == PLAN_FLATMAP || k == PLAN_WORDS || k == PLAN_PARSE || k == PLAN_REDUCE;
}

void plan_release(struct plan *p)
{
	free(p->nodes);
	p->nodes = NULL;
	p->n = 0;
}

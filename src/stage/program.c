/* A program: stages one after the other. */
#include "base/nearest.h"
#include "stage/stage.h"

static int unknown_stage(const char *word, struct pos pos, struct err *e)
{
	struct nearest s;

	err_at(e, pos, "unknown stage `%s`", word);
	nearest_init(&s, word, strlen(word));
	stage_nearest(&s);
	if (s.best)
		return err_hint(e, "did you mean `%s`?", s.best);
	return err_hint(e, "`strm help stages` lists them");
}

int stage_read(struct parser *p, const char *word, struct pos pos, struct plan_node *n, struct err *e)
{
	const struct stage_def *def = stage_find(word);

	if (!def)
		return unknown_stage(word, pos, e);
	n->word = def->doc.name;
	n->pos = pos;
	return def->parse(p, n, e) || parser_end(p, e) ? -1 : 0;
}

/* Advice that looks at the whole command goes before that of the stage. */
static int parse_stage(struct parser *p, const char *word, struct pos pos, struct plan_node *n, const struct source_unit *units, int n_units,
		       struct err *e)
{
	struct err advice = { 0 };

	if (!stage_read(p, word, pos, n, e))
		return 0;
	if (!n->word)
		parse_stage_hint(&advice, word, units, n_units, pos.unit);
	else
		parse_quote_hint(&advice, units, n_units, pos.unit);
	if (advice.hint[0] && (!n->word || !e->hint[0]))
		memcpy(e->hint, advice.hint, sizeof e->hint);
	if (n->word)
		err_hint(e, "%s: %s", n->word, stage_find(n->word)->doc.synopsis);
	return -1;
}

int program_parse(struct parser *p, const struct source_unit *units, int n_units, struct plan *plan, struct err *e)
{
	struct plan_chain *c = plan_add_chain(plan, NULL);
	struct buf b = { 0 };
	const char *word;
	struct pos pos;
	int more;

	while (c && (more = parser_stage(p, &word, &pos, e)) == 1) {
		struct plan_node *n = arena_new(plan->arena, struct plan_node);

		n->stage = ++plan->n_stages;
		if (parse_stage(p, word, pos, n, units, n_units, e)) {
			c = NULL;
			break;
		}
		buf_printf(&b, "%s\n", n->canonical);
		c = plan_add(plan, c, n, e);
	}
	if (c && !more)
		plan->canonical = arena_str(plan->arena, b.p ? b.p : "", b.n);
	buf_release(&b);
	return c && !more ? 0 : -1;
}

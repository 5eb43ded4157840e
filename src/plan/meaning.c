#include "plan/meaning.h"

#include <string.h>

#include "expr/lex.h"
#include "state/bytes.h"

struct meaning {
	const struct plan_given *given;
	struct buf text;       /* what is hashed */
	struct field_set want; /* fields whose making counts */
};

static void put(struct meaning *m, const char *text)
{
	buf_str(&m->text, text);
	buf_char(&m->text, '\n');
}

static void want_expr(struct meaning *m, const struct node *n)
{
	if (n)
		node_fields(n, NULL, 0, &m->want);
}

static bool wants(const struct meaning *m, const char *name)
{
	size_t n = strlen(name);

	for (uint32_t i = 0; i < m->want.n; i++)
		if (!strncmp(m->want.names[i], name, n) && (!m->want.names[i][n] || m->want.names[i][n] == '.'))
			return true;
	return m->want.all;
}

/* Fields that are made count with what makes them; those that are passed on are of the stage before. */
static void through_map(struct meaning *m, const struct plan_node *n)
{
	for (uint32_t i = 0; i < n->items.n; i++) {
		const struct item *it = &n->items.at[i];
		bool same = it->expr && it->expr->kind == N_FIELD && !strcmp(it->expr->name, it->name);

		if (!it->expr || (same && !n->at) || !wants(m, it->name))
			continue;
		buf_printf(&m->text, "%s = ", it->name);
		node_print(&m->text, it->expr);
		put(m, n->at && n->at[i] ? n->at[i] : "");
		want_expr(m, it->expr);
	}
}

static void through_chain(struct meaning *m, const struct plan_chain *c, uint32_t from);

static void through_point(struct meaning *m, const struct plan_point *at)
{
	if (at->name)
		put(m, at->name);
	if (at->maker)
		through_chain(m, at->maker, at->maker->n);
}

static void through_node(struct meaning *m, const struct plan_node *n)
{
	switch (n->kind) {
	case PLAN_FILTER:
	case PLAN_SORT:
	case PLAN_TOP:
	case PLAN_LIMIT:
	case PLAN_SKIP:
	case PLAN_SAMPLE:
	case PLAN_DEDUP:
	case PLAN_SINK:
		return;
	case PLAN_MAP:
		through_map(m, n);
		return;
	case PLAN_WATERMARK:
	case PLAN_WINDOW:
	case PLAN_TRIGGER:
		put(m, n->canonical);
		want_expr(m, n->expr);
		want_expr(m, n->on);
		want_expr(m, n->gap);
		return;
	default:
		put(m, n->canonical);
		m->want.all = true;
	}
	for (uint32_t i = 0; i < n->n_others; i++)
		through_point(m, n->others[i].point);
}

/* The chain in front of its node `from`, last first. */
static void through_chain(struct meaning *m, const struct plan_chain *c, uint32_t from)
{
	for (uint32_t i = from; i-- > 0;)
		through_node(m, c->nodes[i]);
	through_point(m, c->from);
}

/* What the stage itself reads. */
static void want_own(struct meaning *m, const struct plan_node *n)
{
	for (uint32_t i = 0; i < n->keys.n; i++)
		want_expr(m, n->keys.at[i].expr);
	want_expr(m, n->expr);
	want_expr(m, n->on);
	want_expr(m, n->gap);
	if (n->kind == PLAN_REDUCE)
		for (uint32_t i = 0; i < n->items.n; i++)
			want_expr(m, n->items.at[i].expr);
	else if (n->kind != PLAN_WATERMARK && n->kind != PLAN_WINDOW && (n->kind != PLAN_DEDUP || !n->keys.n))
		m->want.all = true;
}

static void put_panes(struct meaning *m, const struct plan_panes *p)
{
	if (!p)
		return;
	trigger_print(p->trigger, &m->text);
	buf_printf(&m->text, " %d%d%d%d%d\n", p->inherits, p->merges, p->windowed, p->complete, p->as_touched);
}

/* Does the text have `$name`? In a string, too: that is no harm. */
static bool names_var(const struct buf *text, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i + n < text->n; i++) {
		const char *at = text->p + i;

		if (*at == '$' && !memcmp(at + 1, name, n) && (i + n + 1 == text->n || !name_char(at[n + 1])))
			return true;
	}
	return false;
}

static void put_vars(struct meaning *m)
{
	size_t n = m->text.n;

	for (int i = 0; i < m->given->n_vars; i++) {
		const struct program_var *v = &m->given->vars[i];
		const struct buf program = { .p = m->text.p, .n = n };

		if (names_var(&program, v->name))
			buf_printf(&m->text, "$%s=%s\n", v->name, v->value);
	}
}

static uint64_t node_meaning(const struct meaning *whole, const struct plan_chain *c, uint32_t at, uint64_t seed)
{
	const struct plan_node *n = c->nodes[at];
	struct meaning m = *whole;
	uint64_t sum;

	put(&m, n->canonical ? n->canonical : n->word);
	put_panes(&m, n->panes);
	want_own(&m, n);
	for (uint32_t i = 0; i < n->n_others; i++)
		through_point(&m, n->others[i].point);
	through_chain(&m, c, at);
	put_vars(&m);
	sum = sum64(m.text.p, m.text.n, seed);
	buf_release(&m.text);
	return sum;
}

struct plan_meaning *plan_meanings(const struct plan *p, const struct plan_given *g)
{
	const struct meaning whole = { .given = g, .want = { .arena = p->arena } };
	struct plan_meaning *out = arena_zero(p->arena, ((size_t)p->n_stages + 1) * sizeof *out);
	uint64_t seed = sum64(g->salt, strlen(g->salt), 0);

	out[0] = (struct plan_meaning){ "", seed };
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t k = 0; k < p->chains[i]->n; k++) {
			const struct plan_node *n = p->chains[i]->nodes[k];
			struct plan_meaning *to = &out[n->stage];

			if (!to->name)
				to->name = n->canonical ? n->canonical : n->word;
			to->fingerprint = to->fingerprint * 31 + node_meaning(&whole, p->chains[i], k, seed);
		}
	for (int i = 0; i <= p->n_stages; i++)
		if (!out[i].name)
			out[i].name = "";
	return out;
}

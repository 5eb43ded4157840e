#include "stage/points.h"

#include "stage/stage.h"

static int add_inner(struct plan_ref *r, struct plan_node *n, struct arena *a)
{
	struct plan_node **all = arena_array(a, struct plan_node *, r->n_inner + 1);

	for (uint32_t i = 0; i < r->n_inner; i++)
		all[i] = r->inner[i];
	all[r->n_inner++] = n;
	r->inner = all;
	return 0;
}

/* The stages up to the closing parenthesis. */
static int parse_chain(struct parser *p, int stage, struct plan_ref *r, struct err *e)
{
	const char *word;
	struct pos pos;
	int more;

	while ((more = parser_stage(p, &word, &pos, e)) == 1) {
		struct plan_node *n = arena_new(parser_arena(p), struct plan_node);

		n->stage = stage;
		if (stage_read(p, word, pos, n, e))
			return -1;
		add_inner(r, n, parser_arena(p));
	}
	return more;
}

int parse_point(struct parser *p, struct plan_node *n, bool chains, struct err *e)
{
	struct plan_ref *all = arena_array(parser_arena(p), struct plan_ref, n->n_others + 1), *r = &all[n->n_others];
	uint32_t len;

	for (uint32_t i = 0; i < n->n_others; i++)
		all[i] = n->others[i];
	*r = (struct plan_ref){ .pos = parser_pos(p) };
	if (chains && parser_accept_chain(p)) {
		if (parse_chain(p, n->stage, r, e))
			return -1;
	} else {
		r->name = parser_name(p, chains ? "the name of a point, or a chain in parentheses" : "the name of a point", &len, e);
		if (!r->name)
			return -1;
	}
	n->others = all;
	n->n_others++;
	return 0;
}

int parse_points(struct parser *p, struct plan_node *n, bool chains, struct err *e)
{
	do {
		if (parse_point(p, n, chains, e))
			return -1;
	} while (parser_accept(p, ","));
	return 0;
}

static void canon_chain(struct buf *b, const struct plan_ref *r)
{
	for (uint32_t i = 0; i < r->n_inner; i++)
		buf_printf(b, "%s%s", i ? " | " : "(", r->inner[i]->canonical);
	buf_char(b, ')');
}

void canon_points(struct buf *b, const struct plan_node *n)
{
	for (uint32_t i = 0; i < n->n_others; i++) {
		if (i)
			buf_str(b, ", ");
		if (n->others[i].name)
			name_print(b, n->others[i].name);
		else
			canon_chain(b, &n->others[i]);
	}
}

#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct arena *a = parser_arena(p);
	struct items named;
	struct buf b = { 0 };

	n->kind = PLAN_MAP;
	if (parser_items(p, false, true, &named, e))
		return -1;
	n->items.n = named.n + 1;
	n->items.at = arena_zero(a, (named.n + 1) * sizeof *n->items.at);
	n->items.at[0].pos = n->pos;
	memcpy(n->items.at + 1, named.at, named.n * sizeof *named.at);
	buf_str(&b, "set ");
	canon_items(&b, &named);
	n->canonical = canon_done(a, &b);
	return 0;
}

const struct stage_def stage_set = {
	.doc = {
		.name = "set",
		.synopsis = "set name = E, ...",
		.summary = "add fields, or change them where they stand",
		.text = "The same as `map *, name = E, ...`.",
		.group = "shape",
		.params = { { "name = E", "expr", NULL, NULL, "the field and its new value; later ones see earlier ones" } },
		.examples = {
			{ "-i csv 'set total = price * n'", "price,n\n1.5,4\n", "price,n,total\n1.5,4,6\n", NULL },
			{ "-i csv 'set price = round(price)'", "price,n\n1.7,4\n", "price,n\n2,4\n", "the field keeps its place" },
		},
	},
	.parse = parse,
};

#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_MAP;
	if (parser_items(p, true, false, &n->items, e))
		return -1;
	buf_str(&b, "select ");
	canon_items(&b, &n->items);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_select = {
	.doc = {
		.name = "select",
		.synopsis = "select a, b, ...",
		.summary = "keep only these fields, in this order",
		.text = "The same as `map a, b, ...`.",
		.group = "shape",
		.params = { { "a, b", "field", NULL, NULL, "fields or paths; items of map are taken too" } },
		.examples = { { "-i csv 'select n, name'", "name,price,n\npen,1.5,4\n", "n,name\n4,pen\n", NULL } },
	},
	.parse = parse,
};

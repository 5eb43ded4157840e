#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_MAP;
	if (parser_items(p, true, false, &n->items, e))
		return -1;
	buf_str(&b, "map ");
	canon_items(&b, &n->items);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_map = {
	.doc = {
		.name = "map",
		.synopsis = "map ITEM, ...    with ITEM = name = E | path | *",
		.summary = "a new record with exactly these fields",
		.text = "Items are worked out from left to right and later ones see earlier ones. A path takes its last component as its name. "
			"`*` stands for the fields that are not named otherwise; an item behind it whose field exists already changes that "
			"field where it stands.",
		.group = "shape",
		.params = { { "ITEM", "expr", NULL, NULL, "name = expression, a path, or * for the other fields" } },
		.examples = {
			{ "-i csv 'map name, total = price * n'", "name,price,n\npen,1.5,4\n", "name,total\npen,6\n", "two fields out of three" },
			{ "-i json 'map id, *'", "{\"a\":1,\"id\":7}\n", "{\"id\":7,\"a\":1}\n", "a field to the front" },
			{ "-i json -o json 'map city = user.city, n = len(tags)'",
			  "{\"user\":{\"city\":\"Oslo\"},\"tags\":[1,2]}\n", "{\"city\":\"Oslo\",\"n\":2}\n", "into nested records" },
		},
	},
	.parse = parse,
};

#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_SPLIT;
	if (parser_items(p, false, true, &n->items, e))
		return -1;
	buf_str(&b, "split ");
	canon_items(&b, &n->items);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_split = {
	.doc = {
		.name = "split",
		.synopsis = "split NAME = E, ...",
		.summary = "part the records into named streams",
		.text = "Each record goes to the first stream whose condition is true; the conditions are tried in the order written. `from NAME` reads a "
			"stream. Records for which none is true are left out and counted; a last stream `rest = true` takes them. The stage ends its chain.",
		.group = "graph",
		.params = { { "NAME = E", "assign", NULL, NULL, "a stream and its condition" } },
		.examples = {
			{ "-i csv -o csv 'split small = n < 10, rest = true' 'from rest | map n, size = \"large\"' 'from small | map n, size = \"small\"'",
			  "n\n1\n20\n3\n", "n,size\n20,large\n1,small\n3,small\n", "Beam's Partition" },
		},
	},
	.parse = parse,
};

#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_FILTER;
	n->expr = parser_expr(p, e);
	if (!n->expr)
		return -1;
	buf_str(&b, "filter ");
	node_print(&b, n->expr);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_filter = {
	.doc = {
		.name = "filter",
		.synopsis = "filter E",
		.summary = "keep the records for which E is true",
		.text = "A record for which E is false or null is left out; the nulls are counted. Text from csv, logs and the like that looks like a "
			"number is compared as one, a quoted literal always as text.",
		.group = "choose",
		.params = { { "E", "expr", NULL, NULL, "a condition" } },
		.examples = {
			{ "-i csv 'filter n > 9'", "name,n\npen,4\nink,10\n", "name,n\nink,10\n", "numbers by value" },
			{ "'filter line =~ /error/i'", "ok\nError 1\n", "Error 1\n", "as grep -i" },
			{ "-i json 'filter user.age >= 18 and not banned'",
			  "{\"user\":{\"age\":20},\"banned\":false}\n{\"user\":{\"age\":7},\"banned\":false}\n",
			  "{\"user\":{\"age\":20},\"banned\":false}\n", "records go out as they came" },
		},
	},
	.parse = parse,
};

#include "stage/canon.h"
#include "stage/points.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_FROM;
	if (parse_points(p, n, false, e))
		return -1;
	buf_str(&b, "from ");
	canon_points(&b, n);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_from = {
	.doc = {
		.name = "from",
		.synopsis = "from NAME, ...",
		.summary = "begin a chain with the records of named points",
		.text = "NAME is a point that `as` or `split` names, anywhere in the program, or an input of --from NAME=SRC. Several names: in each "
			"micro-batch the records of the first one, then those of the next, as with `union`. The chain before ends here, and goes to the output "
			"unless its last stage is `to`, `as` or `split`; chains that end in the same output do so in order.",
		.group = "graph",
		.params = { { "NAME", "name", NULL, NULL, "of a point or an input" } },
		.examples = {
			{ "--from 'a=values:1,2' --from 'b=values:3' 'from b, a'", "", "3\n1\n2\n", "two inputs, the second one first" },
			{ "-i csv -o csv 'as all' 'from all | filter n > 1' 'from all | filter n < 2 | set n = n * 10'", "n\n1\n2\n3\n", "n\n2\n3\n10\n",
			  "one input, two chains" },
		},
	},
	.parse = parse,
};

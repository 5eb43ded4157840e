#include "stage/canon.h"
#include "stage/points.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_UNION;
	n->keeps = "what the points behind the first have given in this micro-batch";
	if (parse_points(p, n, true, e))
		return -1;
	buf_str(&b, "union ");
	canon_points(&b, n);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_union = {
	.doc = {
		.name = "union",
		.synopsis = "union NAME, ...",
		.summary = "the records of this chain and of other points",
		.text = "In each micro-batch the records of this chain, then those of the first NAME, and so on. Records keep their own fields. A chain in place "
			"may stand for a name: union (from all | filter n > 1). Repeated records stay: behind it `dedup` makes a set of them.\n\n"
			"Records keep the windows of their chain. A stage that goes by windows wants all of them of one kind, with one trigger; windows of event "
			"time may be of several lengths, those of processing time have to come out together.",
		.group = "graph",
		.params = { { "NAME", "name", NULL, NULL, "of a point or an input, or a chain in parentheses" } },
		.examples = {
			{ "--from 'values:1,2' --from 'more=values:3' 'union more'", "", "1\n2\n3\n", NULL },
			{ "'as all | union (from all | map line = upper(line))'", "a\nb\n", "a\nb\nA\nB\n", "a chain in place" },
		},
	},
	.parse = parse,
};

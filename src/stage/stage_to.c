#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	n->kind = PLAN_SINK;
	n->text = parser_raw_word(p, "where to write: a file, a URL or -", e);
	if (!n->text)
		return -1;
	n->canonical = arena_printf(parser_arena(p), "to %s", n->text);
	return 0;
}

const struct stage_def stage_to = {
	.doc = {
		.name = "to",
		.synopsis = "to SINK",
		.summary = "write the records to a sink, and go on with them",
		.text = "SINK is -, a path or a URL (`strm help sinks`) and may carry ?format=. A program whose last stage is `to` prints nothing more.",
		.group = "ends",
		.params = { { "SINK", "text", NULL, NULL, "where to write" } },
		.examples = { { "'to -'", "a\n", "a\n", NULL } },
	},
	.parse = parse,
};

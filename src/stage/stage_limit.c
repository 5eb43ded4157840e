#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	n->kind = PLAN_LIMIT;
	if (parser_uint(p, "how many records", 0, INT64_MAX, &n->n, e))
		return -1;
	n->canonical = arena_printf(parser_arena(p), "limit %llu", (unsigned long long)n->n);
	return 0;
}

const struct stage_def stage_limit = {
	.doc = {
		.name = "limit",
		.synopsis = "limit N",
		.summary = "the first N records, then no more input is read",
		.text = "Behind an aggregate or an ordering stage it counts within the micro-batch, else over the whole run.",
		.group = "choose",
		.params = { { "N", "int", NULL, ">= 0", "how many records" } },
		.examples = { { "'limit 2'", "a\nb\nc\n", "a\nb\n", "as head -n 2" } },
	},
	.parse = parse,
};

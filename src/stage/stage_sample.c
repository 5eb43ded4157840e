#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct pos pos = parser_pos(p);
	struct buf b = { 0 };

	n->kind = PLAN_SAMPLE;
	if (parser_number(p, "a probability", &n->p, e))
		return -1;
	if (!(n->p >= 0 && n->p <= 1))
		return err_at(e, pos, "a probability is from 0 to 1");
	if (parser_accept_word(p, "seed") && parser_uint(p, "the seed", 0, INT64_MAX, &n->n, e))
		return -1;
	buf_str(&b, "sample ");
	buf_took(&b, num_format_double(n->p, buf_room(&b, NUM_MAX)));
	buf_printf(&b, " seed %llu", (unsigned long long)n->n);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_sample = {
	.doc = {
		.name = "sample",
		.synopsis = "sample P [seed N]",
		.summary = "each record with probability P",
		.text = "The choice follows from the seed and the record's number alone, so the same run gives the same sample.",
		.group = "choose",
		.params = { { "P", "number", NULL, "0..1", "the probability" }, { "seed N", "int", "0", ">= 0", "another sample" } },
		.examples = { { "'sample 1'", "a\nb\n", "a\nb\n", NULL }, { "'sample 0'", "a\nb\n", "", NULL } },
	},
	.words = "seed",
	.parse = parse,
};

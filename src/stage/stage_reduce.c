#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_REDUCE;
	n->keeps = "one state for each key";
	if (parser_items(p, false, true, &n->items, e))
		return -1;
	if (parser_accept_word(p, "by") && parser_keys(p, &n->keys, e))
		return -1;
	buf_str(&b, "reduce ");
	canon_items(&b, &n->items);
	canon_by(&b, "by", &n->keys);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_reduce = {
	.doc = {
		.name = "reduce",
		.synopsis = "reduce name = AGG, ... [by KEYS]",
		.summary = "aggregates of all records, or for each key",
		.text = "AGG is an expression over aggregate calls (`strm help aggregates`), such as count(status >= 500) / count(). A key is a field, a path or "
			"name = E. The result has the keys, then the aggregates; keys come in the order they first appeared. Without `by` there is one "
			"result, also for no records.",
		.group = "aggregate",
		.params = { { "name = AGG", "expr", NULL, NULL, "the field and its aggregate" },
			    { "by KEYS", "keys", "all records", NULL, "one result for each combination of these" } },
		.examples = {
			{ "-i csv 'reduce n = count(), total = sum(amount) by city'", "city,amount\nOslo,2\nRome,1.5\nOslo,3\n",
			  "city,n,total\nOslo,2,5\nRome,1,1.5\n", NULL },
			{ "-i csv -o lines 'reduce share = count(ok == \"no\") / count()'", "ok\nyes\nno\nyes\nyes\n", "0.25\n",
			  "an expression over aggregates" },
		},
	},
	.words = "by",
	.parse = parse,
};

#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_TOP;
	n->keeps = "N records for each key of `per`";
	n->orders = arena_zero(parser_arena(p), sizeof *n->orders);
	n->n_orders = 1;
	n->orders[0].desc = true;
	if (parser_uint(p, "how many", 1, 1u << 31, &n->n, e))
		return -1;
	if (!parser_accept_word(p, "by"))
		return parser_expected(p, NULL, e);
	n->orders[0].expr = parser_expr(p, e);
	if (!n->orders[0].expr)
		return -1;
	if (parser_accept_word(p, "asc"))
		n->orders[0].desc = false;
	else
		parser_accept_word(p, "desc");
	if (parser_accept_word(p, "per") && parser_keys(p, &n->keys, e))
		return -1;
	buf_printf(&b, "top %llu by ", (unsigned long long)n->n);
	node_print(&b, n->orders[0].expr);
	buf_str(&b, n->orders[0].desc ? " desc" : " asc");
	canon_by(&b, "per", &n->keys);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_top = {
	.doc = {
		.name = "top",
		.synopsis = "top N by E [asc] [per KEYS]",
		.summary = "the N records with the largest E",
		.text = "Largest first, ties in the order they came; with asc the smallest first. `per` gives the N of each key, keys in the order they first "
			"appeared. Memory is N records a key, whatever the input.",
		.group = "order",
		.params = { { "N", "int", NULL, "1..2^31", "how many" },
			    { "by E", "expr", NULL, NULL, "what to order by; null is last" },
			    { "asc", "text", "desc", NULL, "smallest first" },
			    { "per KEYS", "keys", "all records", NULL, "N for each combination of these" } },
		.examples = {
			{ "words 'count by word' 'top 1 by count'", "a b\nb\n", "b\t2\n", NULL },
			{ "-i csv 'top 1 by n per city'", "city,n\nOslo,1\nRome,5\nOslo,3\n", "city,n\nOslo,3\nRome,5\n", NULL },
		},
	},
	.words = "by asc desc per",
	.parse = parse,
};

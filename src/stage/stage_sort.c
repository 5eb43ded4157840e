#include "stage/canon.h"
#include "stage/stage_list.h"

/* Most sort keys of one stage. */
#define ORDERS_MAX 64

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_SORT;
	n->keeps = "every record";
	n->orders = arena_array(parser_arena(p), struct plan_order, ORDERS_MAX);
	buf_str(&b, "sort ");
	do {
		struct plan_order *o = &n->orders[n->n_orders];

		if (n->n_orders == ORDERS_MAX) {
			buf_release(&b);
			return err_at(e, parser_pos(p), "more than %d sort keys", ORDERS_MAX);
		}
		*o = (struct plan_order){ .expr = parser_expr(p, e) };
		if (!o->expr) {
			buf_release(&b);
			return -1;
		}
		o->desc = parser_accept_word(p, "desc");
		if (!o->desc)
			parser_accept_word(p, "asc");
		if (n->n_orders++)
			buf_str(&b, ", ");
		node_print(&b, o->expr);
		buf_str(&b, o->desc ? " desc" : " asc");
	} while (parser_accept(p, ","));
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_sort = {
	.doc = {
		.name = "sort",
		.synopsis = "sort E [desc], ...",
		.summary = "put the records in order",
		.text = "Stable. The order is booleans, numbers by value (NaN last), times, durations, text by bytes, lists, objects; null is last in either "
			"direction.",
		.group = "order",
		.params = { { "E", "expr", NULL, NULL, "what to order by" }, { "desc", "text", "asc", NULL, "largest first" } },
		.examples = {
			{ "-i csv 'sort n desc, name'", "name,n\nb,2\na,10\nc,2\n", "name,n\na,10\nb,2\nc,2\n", NULL },
			{ "'sort line'", "10\n9\nx\n", "9\n10\nx\n", "text that looks like a number is one" },
		},
	},
	.words = "asc desc",
	.parse = parse,
};

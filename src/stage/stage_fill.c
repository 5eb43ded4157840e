#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_FILL;
	if (parser_at_end(p))
		return parser_expected(p, "what the results of an empty window are, as 0", e);
	n->expr = parser_expr(p, e);
	if (!n->expr)
		return -1;
	buf_str(&b, "fill ");
	node_print(&b, n->expr);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_fill = {
	.doc = {
		.name = "fill",
		.synopsis = "fill E",
		.summary = "rows for the windows in which a known key had no record",
		.text = "It stands right behind an aggregate over windows. Each key that has had a row gets one for every later window, until the run ends: where no record "
			"fell into the window, its results are all E. E may use the keys, window_start and window_end.\n\n"
			"Rows come out when the watermark has passed their window, windows in order, in each the keys as they first appeared; at the end of the input up to "
			"the last window that has a record. Windows of processing time are filled as they end, micro-batches too where no window stands in front.\n\n"
			"Keys are kept for the whole run. Sessions, windows of rows and the whole stream have no empty windows; panes that are not final cannot be "
			"filled.",
		.group = "time",
		.params = { { "E", "expr", NULL, NULL, "every result of an empty window" } },
		.examples = {
			{ "-i csv -o csv 'watermark t' 'window 10s' 'count by k' 'fill 0' 'map s = epoch(window_start), k, count'", "t,k\n1,a\n2,b\n12,a\n35,b\n",
			  "s,k,count\n0,a,1\n0,b,1\n10,a,1\n10,b,0\n20,a,0\n20,b,0\n30,a,0\n30,b,1\n", "zeros where nothing came" },
			{ "-i csv -o csv --every mark 'count by k' 'fill null'", "k\na\nb\n\f\nb\n\f\n", "k,count\na,1\nb,1\na,\nb,1\n", "in each micro-batch" },
		},
	},
	.parse = parse,
};

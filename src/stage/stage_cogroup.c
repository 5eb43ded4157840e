#include "plan/cogroup.h"
#include "stage/canon.h"
#include "stage/points.h"
#include "stage/stage_list.h"

static int parse_key(struct parser *p, struct plan_cogroup *g, struct err *e)
{
	struct node **all = arena_array(parser_arena(p), struct node *, g->n_keys + 1);
	struct pos pos = parser_pos(p);
	struct node *key = parser_expr(p, e);

	if (!key)
		return -1;
	if (!node_path(key, NULL, NULL)) {
		err_at(e, pos, "a key of cogroup is a field that every side has");
		return err_hint(e, "make one in front of it: set k = ...");
	}
	if (g->n_keys)
		memcpy(all, g->keys, g->n_keys * sizeof(struct node *));
	all[g->n_keys++] = key;
	g->keys = all;
	return 0;
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct plan_cogroup *g = arena_new(parser_arena(p), struct plan_cogroup);
	struct buf b = { 0 };

	n->kind = PLAN_COGROUP;
	n->cogroup = g;
	if (parse_points(p, n, true, e))
		return -1;
	if (!parser_accept_word(p, "on")) {
		parser_expected(p, NULL, e);
		return err_hint(e, "say which field is the key: on id");
	}
	do {
		if (parse_key(p, g, e))
			return -1;
	} while (parser_accept(p, ","));
	buf_str(&b, "cogroup ");
	canon_points(&b, n);
	for (uint32_t i = 0; i < g->n_keys; i++) {
		buf_str(&b, i ? ", " : " on ");
		node_print(&b, g->keys[i]);
	}
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_cogroup = {
	.doc = {
		.name = "cogroup",
		.synopsis = "cogroup NAME, ... on k, ...",
		.summary = "one record for each key, with a list of each stream's records",
		.text = "From a point named A, `cogroup B, C on k` makes records {k, A, B, C}: for each key that occurs in any of them, the lists of whole "
			"records, empty where a stream has none; A.v is the list of the field v. A null is a key like any other.\n\n"
			"Without a window it sees one micro-batch, of finite input all of it. Over `window all` in all sides a key comes out again, with all its "
			"records so far, whenever it gets one. With windows of event time in all sides each key and window comes out once, when the watermark "
			"reaches its end, with window_start and window_end in front.",
		.group = "graph",
		.params = { { "NAME", "name", NULL, NULL, "of another side" }, { "on", "keys", NULL, NULL, "fields that all sides have" } },
		.examples = {
			{ "-i csv -o json 'as all' 'from all | filter n != null | select id, n | as orders' "
			  "'from all | filter price != null | select id, price | as prices' 'from orders | cogroup prices on id | map id, n = orders.n, price = prices.price'",
			  "id,n,price\n1,2,\n2,5,\n1,,10\n1,3,\n", "{\"id\":1,\"n\":[2,3],\"price\":[10]}\n{\"id\":2,\"n\":[5],\"price\":[]}\n", NULL },
		},
	},
	.words = "on",
	.parse = parse,
};

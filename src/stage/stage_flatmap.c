#include "stage/canon.h"
#include "stage/stage_list.h"

/* The list is the first item that is an assignment; `*` and plain paths keep other fields beside the element. */
static int find_element(struct plan_node *n, struct err *e)
{
	int at = -1;

	for (uint32_t i = 0; i < n->items.n; i++) {
		const struct item *it = &n->items.at[i];
		const char *last;

		if (!it->expr || node_path(it->expr, NULL, &last))
			continue;
		if (at >= 0)
			return err_at(e, it->pos, "flatmap expands one list, `%s` is a second one", it->name);
		at = (int)i;
	}
	for (uint32_t i = 0; i < n->items.n && at < 0; i++)
		if (n->items.at[i].expr)
			at = (int)i;
	if (at < 0)
		return err_at(e, n->pos, "flatmap needs the list to expand, as in 'flatmap tag = tags'");
	n->element = (uint32_t)at;
	return 0;
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_FLATMAP;
	if (parser_items(p, true, false, &n->items, e) || find_element(n, e))
		return -1;
	buf_str(&b, "flatmap ");
	canon_items(&b, &n->items);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_flatmap = {
	.doc = {
		.name = "flatmap",
		.synopsis = "flatmap name = LIST [, *]",
		.summary = "one record for each element of a list",
		.text = "The field holds the element; `*` (or named fields) keep other fields beside it. An empty list and null give no record; they are "
			"counted as empty. A value that is no list counts as a list of itself. Of several items the first that is an "
			"expression is the list, else the first field.",
		.group = "shape",
		.params = { { "name = LIST", "expr", NULL, NULL, "the list and the field for its elements" },
			    { "*", "text", "not kept", NULL, "the other fields too" } },
		.examples = {
			{ "-i json -o json 'flatmap tag = tags, id'", "{\"id\":1,\"tags\":[\"a\",\"b\"]}\n",
			  "{\"tag\":\"a\",\"id\":1}\n{\"tag\":\"b\",\"id\":1}\n", NULL },
			{ "'flatmap w = split(line, \",\")'", "a,b\nc\n", "a\nb\nc\n", NULL },
		},
	},
	.parse = parse,
};

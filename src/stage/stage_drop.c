#include <stdlib.h>

#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct arena *a = parser_arena(p);
	struct buf b = { 0 };
	size_t cap = 0;
	const char **drop = NULL;

	n->kind = PLAN_MAP;
	do {
		uint32_t len;
		const char *name = parser_name(p, "a field to drop", &len, e);

		if (!name) {
			free(drop);
			return -1;
		}
		drop = xgrow(drop, &cap, n->n_drop + 1, sizeof *drop);
		drop[n->n_drop++] = name;
	} while (parser_accept(p, ","));
	n->drop = arena_array(a, const char *, n->n_drop);
	memcpy(n->drop, drop, n->n_drop * sizeof *drop);
	free(drop);
	n->items.n = 1;
	n->items.at = arena_zero(a, sizeof *n->items.at);
	n->items.at[0].pos = n->pos;
	buf_str(&b, "drop ");
	for (uint32_t i = 0; i < n->n_drop; i++) {
		if (i)
			buf_str(&b, ", ");
		name_print(&b, n->drop[i]);
	}
	n->canonical = canon_done(a, &b);
	return 0;
}

const struct stage_def stage_drop = {
	.doc = {
		.name = "drop",
		.synopsis = "drop a, b, ...",
		.summary = "leave fields out",
		.group = "shape",
		.params = { { "a, b", "field", NULL, NULL, "fields to leave out; one that a record lacks is no error" } },
		.examples = { { "-i csv 'drop price'", "name,price,n\npen,1.5,4\n", "name,n\npen,4\n", NULL } },
	},
	.parse = parse,
};

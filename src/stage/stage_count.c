#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct arena *a = parser_arena(p);
	const char *name = "count";
	struct buf b = { 0 };
	uint32_t len;

	n->kind = PLAN_REDUCE;
	n->keeps = "a count for each key";
	if (parser_accept_word(p, "by") && parser_keys(p, &n->keys, e))
		return -1;
	if (parser_accept_word(p, "as") && !(name = parser_name(p, "the name of the count", &len, e)))
		return -1;
	n->items.n = 1;
	n->items.at = arena_array(a, struct item, 1);
	n->items.at[0] = (struct item){ .name = name, .pos = n->pos, .expr = arena_new(a, struct node) };
	n->items.at[0].expr->kind = N_CALL;
	n->items.at[0].expr->name = "count";
	n->items.at[0].expr->name_n = 5;
	n->items.at[0].expr->pos = n->pos;
	buf_str(&b, "count");
	canon_by(&b, "by", &n->keys);
	buf_str(&b, " as ");
	name_print(&b, name);
	n->canonical = canon_done(a, &b);
	return 0;
}

const struct stage_def stage_count = {
	.doc = {
		.name = "count",
		.synopsis = "count [by KEYS] [as NAME]",
		.summary = "how many records, or how many of each key",
		.text = "The same as `reduce count = count() by KEYS`.",
		.group = "aggregate",
		.params = { { "by KEYS", "keys", "all records", NULL, "one count for each combination of these" },
			    { "as NAME", "name", "count", NULL, "the field of the count" } },
		.examples = {
			{ "count", "a\nb\n", "2\n", "as wc -l" },
			{ "'count by line as n' 'sort n desc'", "a\nb\nb\n", "b\t2\na\t1\n", "as sort | uniq -c | sort -rn" },
		},
	},
	.words = "by as",
	.parse = parse,
};

#include "stage/canon.h"
#include "stage/stage_list.h"

/* collect(@record) */
static struct node *collect_records(struct arena *a, struct pos pos)
{
	struct node *call = arena_new(a, struct node), *record = arena_new(a, struct node);

	record->kind = N_SPECIAL;
	record->name = "record";
	record->name_n = 6;
	record->pos = pos;
	call->kind = N_CALL;
	call->name = "collect";
	call->name_n = 7;
	call->pos = pos;
	call->n_kids = 1;
	call->kids = arena_array(a, struct node *, 1);
	call->kids[0] = record;
	return call;
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct arena *a = parser_arena(p);
	const char *name = "group";
	struct buf b = { 0 };
	uint32_t len;

	n->kind = PLAN_REDUCE;
	n->keeps = "every record, by key";
	if (parser_peek_number(p))
		return err_at(e, parser_pos(p), "`group N rows` is not in this build");
	if (parser_accept_word(p, "by") && parser_keys(p, &n->keys, e))
		return -1;
	if (parser_accept_word(p, "as") && !(name = parser_name(p, "the name of the list", &len, e)))
		return -1;
	n->items.n = 1;
	n->items.at = arena_array(a, struct item, 1);
	n->items.at[0] = (struct item){ .name = name, .pos = n->pos, .expr = collect_records(a, n->pos) };
	buf_str(&b, "group");
	canon_by(&b, "by", &n->keys);
	buf_str(&b, " as ");
	name_print(&b, name);
	n->canonical = canon_done(a, &b);
	return 0;
}

const struct stage_def stage_group = {
	.doc = {
		.name = "group",
		.synopsis = "group [by KEYS] [as NAME]",
		.summary = "all records of a key as one list",
		.text = "The same as `reduce group = collect(@record) by KEYS`. `group.field` is then the list of that field.",
		.group = "aggregate",
		.params = { { "by KEYS", "keys", "all records", NULL, "one list for each combination of these" },
			    { "as NAME", "name", "group", NULL, "the field of the list" } },
		.examples = {
			{ "-i json -o json 'group by k' 'map k, vs = group.v'", "{\"k\":\"a\",\"v\":1}\n{\"k\":\"a\",\"v\":2}\n",
			  "{\"k\":\"a\",\"vs\":[1,2]}\n", NULL },
		},
	},
	.words = "by as",
	.parse = parse,
};

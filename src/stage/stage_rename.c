#include "stage/canon.h"
#include "stage/stage_list.h"

/* Most renames of one stage. */
#define RENAMES_MAX 256

static struct node *field_node(struct arena *a, const char *name, uint32_t n, struct pos pos)
{
	struct node *f = arena_new(a, struct node);

	f->kind = N_FIELD;
	f->name = name;
	f->name_n = n;
	f->pos = pos;
	return f;
}

static int accept_as(struct parser *p, const char *from, struct err *e)
{
	if (parser_accept_word(p, "as"))
		return 0;
	if (!parser_peek(p, "="))
		return parser_expected(p, NULL, e);
	err_at(e, parser_pos(p), "expected `as`, found `=`");
	return err_hint(e, "the old name comes first: rename %.60s as NAME", from);
}

static int given_twice(const struct plan_node *n, uint32_t k, const char *from, const char *to, struct pos pos, struct err *e)
{
	for (uint32_t i = 1; i < k; i++) {
		if (!strcmp(n->items.at[i].name, to))
			return err_at(e, pos, "the name `%.60s` is given twice", to);
		if (!strcmp(n->at[i], from))
			return err_at(e, pos, "the field `%.60s` is renamed twice", from);
	}
	return 0;
}

/* Each rename is an item behind `*` that takes the place of the old field. */
static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct arena *a = parser_arena(p);
	struct buf b = { 0 };
	uint32_t k = 1, len;

	n->kind = PLAN_MAP;
	n->items.at = arena_zero(a, RENAMES_MAX * sizeof *n->items.at);
	n->at = arena_zero(a, RENAMES_MAX * sizeof *n->at);
	n->items.at[0].pos = n->pos;
	buf_str(&b, "rename ");
	do {
		struct pos pos = parser_pos(p);
		const char *from = parser_name(p, "the field to rename", &len, e), *to;

		if (!from || accept_as(p, from, e)) {
			buf_release(&b);
			return -1;
		}
		to = parser_name(p, "the new name", &len, e);
		if (!to || k == RENAMES_MAX) {
			buf_release(&b);
			return to ? err_at(e, pos, "more than %d renames in one stage", RENAMES_MAX - 1) : -1;
		}
		if (given_twice(n, k, from, to, pos, e)) {
			buf_release(&b);
			return -1;
		}
		n->items.at[k] = (struct item){ .name = to, .expr = field_node(a, from, (uint32_t)strlen(from), pos), .pos = pos };
		n->at[k] = from;
		if (k++ > 1)
			buf_str(&b, ", ");
		name_print(&b, from);
		buf_str(&b, " as ");
		name_print(&b, to);
	} while (parser_accept(p, ","));
	n->items.n = k;
	n->canonical = canon_done(a, &b);
	return 0;
}

const struct stage_def stage_rename = {
	.doc = {
		.name = "rename",
		.synopsis = "rename a as b, ...",
		.summary = "give fields other names, where they stand",
		.group = "shape",
		.params = { { "a as b", "field", NULL, NULL, "the old name and the new one" } },
		.examples = { { "-i csv 'rename n as count'", "name,n\npen,4\n", "name,count\npen,4\n", NULL } },
	},
	.words = "as",
	.parse = parse,
};

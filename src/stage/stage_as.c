#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };
	uint32_t len;

	n->kind = PLAN_AS;
	n->pos = parser_pos(p);
	n->text = parser_name(p, "a name for this point", &len, e);
	if (!n->text)
		return -1;
	buf_str(&b, "as ");
	name_print(&b, n->text);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_as = {
	.doc = {
		.name = "as",
		.synopsis = "as NAME",
		.summary = "name this point of the program, and go on",
		.text = "Other chains read the records of the point: `from NAME` begins one with them, `union`, `join` and `cogroup` bring them in. What "
			"stands in front of the point is done once, however many chains read it. A program whose last stage is `as` prints nothing there. "
			"A name that nothing reads is an error.",
		.group = "graph",
		.params = { { "NAME", "name", NULL, NULL, "of the point" } },
		.examples = {
			{ "'words | as all | count by word' 'from all | filter word =~ /^a/ | map word, count = \"starts with a\"'", "an ox\n",
			  "an\t1\nox\t1\nan\tstarts with a\n", "two chains read what the first one has split" },
		},
	},
	.parse = parse,
};

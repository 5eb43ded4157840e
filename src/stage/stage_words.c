#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_WORDS;
	if (parser_accept_word(p, "of")) {
		n->expr = parser_expr(p, e);
		if (!n->expr)
			return -1;
	} else {
		n->expr = arena_new(parser_arena(p), struct node);
		n->expr->kind = N_FIELD;
		n->expr->name = "line";
		n->expr->name_n = 4;
		n->expr->pos = n->pos;
	}
	buf_str(&b, "words of ");
	node_print(&b, n->expr);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_words = {
	.doc = {
		.name = "words",
		.synopsis = "words [of FIELD]",
		.summary = "one record with the field word for each word",
		.text = "A word is a run of bytes that are not blanks, tabs or line ends. The same as `flatmap word = split(line)`, and faster.",
		.group = "shape",
		.params = { { "of FIELD", "expr", "line", NULL, "the text" } },
		.examples = {
			{ "words 'count by word'", "a b\nb\n", "a\t1\nb\t2\n", "the word count" },
			{ "-i csv -o lines 'words of title'", "id,title\n1,two words\n", "two\nwords\n", NULL },
		},
	},
	.words = "of",
	.parse = parse,
};

#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_DEDUP;
	n->keeps = "every key, for the whole run";
	if (parser_accept_word(p, "by") && parser_keys(p, &n->keys, e))
		return -1;
	if (parser_peek_word(p, "within"))
		return err_at(e, parser_pos(p), "`dedup ... within` is not in this build");
	buf_str(&b, "dedup");
	canon_by(&b, "by", &n->keys);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_dedup = {
	.doc = {
		.name = "dedup",
		.synopsis = "dedup [by KEYS]",
		.summary = "the first record of each key",
		.text = "Without `by` the whole record is the key. Records go on at once; the keys seen are kept for the whole run.",
		.group = "choose",
		.params = { { "by KEYS", "keys", "the whole record", NULL, "what makes records the same" } },
		.examples = { { "dedup", "b\na\nb\n", "b\na\n", "as awk '!seen[$0]++'" },
			      { "-i csv 'dedup by city'", "city,n\nOslo,1\nRome,2\nOslo,3\n", "city,n\nOslo,1\nRome,2\n", NULL } },
	},
	.words = "by",
	.parse = parse,
};

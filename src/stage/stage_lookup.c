#include "plan/lookup.h"
#include "stage/canon.h"
#include "stage/join_keys.h"
#include "stage/stage_list.h"

/* The file's name without its directory and what follows the first dot; what is no name of a field has its odd bytes replaced. */
static const char *table_name(struct arena *a, const char *spec)
{
	const char *slash, *end = spec + strcspn(spec, "?");
	char *name;
	size_t n;

	for (slash = end; slash > spec && slash[-1] != '/' && slash[-1] != ':'; slash--)
		;
	n = strcspn(slash, ".?");
	name = arena_str(a, slash, n ? n : 1);
	for (size_t i = 0; i < n; i++)
		if (!((unsigned)(name[i] | 32) - 'a' < 26 || (i && (unsigned)name[i] - '0' < 10)))
			name[i] = '_';
	return n ? name : "table";
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct plan_lookup *l = arena_new(parser_arena(p), struct plan_lookup);
	struct buf b = { 0 };
	uint32_t len;

	n->kind = PLAN_LOOKUP;
	n->lookup = l;
	n->keeps = "the table";
	l->pos = parser_pos(p);
	l->spec = parser_raw_word(p, "the file with the table", e);
	if (!l->spec)
		return -1;
	l->name = parser_accept_word(p, "as") ? parser_name(p, "a name for the table", &len, e) : table_name(parser_arena(p), l->spec);
	if (!l->name)
		return -1;
	if (parser_accept_word(p, "on")) {
		if (parse_join_keys(p, &l->keys, &l->n_keys, e))
			return -1;
		l->left = parser_accept_word(p, "left");
	}
	buf_printf(&b, "lookup %s as ", l->spec);
	name_print(&b, l->name);
	canon_join_keys(&b, l->keys, l->n_keys);
	if (l->left)
		buf_str(&b, " left");
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_lookup = {
	.doc = {
		.name = "lookup",
		.synopsis = "lookup FILE [as NAME] [on k [= k2], ... [left]]",
		.summary = "the rows of a table in a file, beside each record",
		.text = "FILE is read whole, in the format that its name tells or ?format= says, and again before the next micro-batch when it has changed. A record "
			"gets the fields of each row with its key, as with `join`; a record without a row is left out and counted, with `left` kept. Another "
			"field of the table that the record has too, or that a later stage asks for so, is called NAME.field; NAME is the file's name without directory and ending.\n\n"
			"Without `on` each record gets the field NAME: the list of all rows, for small tables. What is looked up is at hand at once and in "
			"order, unlike with `join`, which waits for the end of the micro-batch.",
		.group = "graph",
		.params = { { "FILE", "source", NULL, NULL, "a file, or a source that ends" },
			    { "as NAME", "name", "of the file", NULL, "the name of the table" },
			    { "on", "keys", "none", NULL, "what must be equal" },
			    { "left", "word", "off", NULL, "keep records without a row" } },
		.examples = {
			{ "'lookup values:to,be as small on line'", "to\nor\nbe\n", "to\nbe\n", "only what the table has" },
			{ "-o json 'lookup values:to,be as small | map line, n = len(small)'", "or\n", "{\"line\":\"or\",\"n\":2}\n", "all rows as a list" },
		},
	},
	.words = "as on left",
	.parse = parse,
};

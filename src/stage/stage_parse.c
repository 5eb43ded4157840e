#include "codec/pattern.h"
#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse_format(struct parser *p, struct plan_node *n, struct err *e)
{
	const char *name;
	uint32_t len;

	n->format_pos = parser_pos(p);
	if (parser_accept_literal(p, &n->format))
		return 0;
	name = parser_name(p, "a format (combined, syslog, json ...)", &len, e);
	if (!name)
		return -1;
	n->format = v_text(name, len);
	return 0;
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct arena *a = parser_arena(p);
	struct buf b = { 0 };
	struct pattern *pattern;
	struct node lit = { .kind = N_LIT };

	n->kind = PLAN_PARSE;
	if (parse_format(p, n, e))
		return -1;
	if (parser_accept_word(p, "of")) {
		n->expr = parser_expr(p, e);
		if (!n->expr)
			return -1;
	} else {
		n->expr = arena_new(a, struct node);
		n->expr->kind = N_FIELD;
		n->expr->name = "line";
		n->expr->name_n = 4;
		n->expr->pos = n->pos;
	}
	pattern = plan_pattern(n, e);
	if (!pattern)
		return -1;
	pattern_free(pattern);
	buf_str(&b, "parse ");
	lit.lit = n->format;
	if (n->format.type == T_TEXT)
		buf_add(&b, n->format.s, n->format.n);
	else
		node_print(&b, &lit);
	buf_str(&b, " of ");
	node_print(&b, n->expr);
	n->canonical = canon_done(a, &b);
	return 0;
}

const struct stage_def stage_parse = {
	.doc = {
		.name = "parse",
		.synopsis = "parse FORMAT|\"PATTERN\"|/REGEX/ [of FIELD]",
		.summary = "fields out of text",
		.text = "FORMAT is combined, common, syslog, logfmt, json or csv (`strm help combined` lists its fields). In a \"pattern\" each {name} takes "
			"the text up to what follows it, {} skips it. In a /regex/ the groups (?<name>...) are the fields. The new fields take the place of "
			"the text. A record that does not match is a bad record: counted, shown, kept with --bad.",
		.group = "shape",
		.params = { { "FORMAT", "name", NULL, NULL, "a named format, a quoted pattern or a regex" },
			    { "of FIELD", "expr", "line", NULL, "the text" } },
		.examples = {
			{ "-o csv 'parse \"{ip} - {user} [{ts}]\"'", "1.2.3.4 - ann [noon]\n", "ip,user,ts\n1.2.3.4,ann,noon\n", "a brace pattern" },
			{ "-o csv 'parse /^(?<level>\\w+): (?<text>.*)/'", "warn: low disk\n", "level,text\nwarn,low disk\n",
			  "named groups" },
			{ "'parse combined' 'filter status >= 500' 'count by path'",
			  "::1 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 500 12 \"-\" \"curl\"\n", "/a\t1\n", "a web server's log" },
		},
	},
	.words = "of",
	.parse = parse,
};

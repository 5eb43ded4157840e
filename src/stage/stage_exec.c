#include "base/time.h"
#include "op/op_exec.h"
#include "stage/canon.h"
#include "stage/stage_list.h"

#define PATIENCE_MAX_NS (24 * 3600 * TIME_NS)

static int parse_patience(struct parser *p, struct plan_node *n, struct err *e)
{
	struct pos pos = parser_pos(p);

	n->patience_ns = EXEC_PATIENCE_NS;
	if (!parser_accept_word(p, "within"))
		return 0;
	pos = parser_pos(p);
	if (parser_duration(p, "how long an answer may take, as 30s", &n->patience_ns, NULL, e))
		return -1;
	if (n->patience_ns >= TIME_NS / 1000 && n->patience_ns <= PATIENCE_MAX_NS)
		return 0;
	return err_at(e, pos, "an answer may take 1ms to 1d");
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	char d[TIME_MAX + 1];

	n->kind = PLAN_EXEC;
	n->each = parser_accept_word(p, "each");
	if (n->each && parse_patience(p, n, e))
		return -1;
	n->text = parser_raw_rest(p, "a command", e);
	if (!n->text)
		return -1;
	d[dur_format(n->patience_ns, d)] = 0;
	n->canonical = n->each ? arena_printf(parser_arena(p), "exec each within %s %s", d, n->text)
			       : arena_printf(parser_arena(p), "exec %s", n->text);
	return 0;
}

const struct stage_def stage_exec = {
	.doc = {
		.name = "exec",
		.synopsis = "exec CMD · exec each [within DUR] CMD",
		.summary = "records through another program",
		.text = "CMD is the rest of the stage as it stands, up to a | outside quotes; /bin/sh -c runs it, and its stderr is that of strm. A record goes to it as "
			"a line: the text of the field line where the record has no other field, else the record as JSON (also a line with a line end in it). Each line "
			"that CMD prints is a record with the field line; `parse` makes fields of it.\n\n"
			"`exec CMD` starts CMD once for each micro-batch that has records, or for each slide of the window before it, closes its stdin at the end and "
			"takes what it prints until it ends. CMD may stop reading early, as head does, and print as many lines as it likes. Event time and windows "
			"of it end there: put `watermark` and `window` behind it.\n\n"
			"`exec each CMD` starts CMD once and asks it: each record gets exactly one line as its answer, at once, and the answer keeps the event time and the "
			"window of the record. A CMD that gathers its output in a buffer has to be told not to (sed -u, grep --line-buffered, awk with fflush()). One that ends "
			"early, prints too many lines or is silent for DUR ends the run.\n\n"
			"A status of CMD other than 0 ends the run with status 1. Ledger: in = sent + unread, of each: in = answered.",
		.group = "ends",
		.params = {
			{ "CMD", "text", NULL, NULL, "a command of the shell" },
			{ "within DUR", "duration", "30s", "1ms..1d", "each: how long it may be silent" },
		},
		.examples = {
			{ "'exec sort -n' 'limit 2'", "3\n1\n2\n", "1\n2\n", "sorted by another program" },
			{ "'exec each sed -u s/a/b/'", "a\nca\n", "b\ncb\n", "a line filter" },
			{ "-i csv -o lines 'exec cat'", "a,b\n1,x\n", "{\"a\":1,\"b\":\"x\"}\n", "what a command is given of records with fields" },
			{ "-i csv -o csv 'exec sed -n s/2/3/p' 'parse json' 'select b, a'", "a,b\n1,x\n2,y\n", "b,a\ny,3\n", "fields out of its answer" },
		},
	},
	.words = "each within",
	.parse = parse,
};

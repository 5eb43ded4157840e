#include "base/time.h"
#include "stage/canon.h"
#include "stage/stage_list.h"

static int read_span(struct parser *p, const char *word, const char *what, int64_t *ns, struct err *e)
{
	struct pos pos = parser_pos(p);

	if (parser_duration_signed(p, what, ns, NULL, e))
		return -1;
	return *ns < 0 ? err_at(e, pos, "`%s` is not less than 0s", word) : 0;
}

static int read_idle(struct parser *p, struct plan_node *n, struct err *e)
{
	struct pos pos = parser_pos(p);

	if (read_span(p, "idle", "how long an input may be silent, as 1m", &n->idle_ns, e))
		return -1;
	return n->idle_ns ? 0 : err_at(e, pos, "`idle` is longer than 0s");
}

static int marked_and_more(struct parser *p, struct err *e)
{
	err_at(e, parser_pos(p), "an explicit watermark has no delay and no idle");
	return err_hint(e, "marks in the input set it: say `watermark TS explicit`, or `watermark TS delay 10s`");
}

static int read_clauses(struct parser *p, struct plan_node *n, struct err *e)
{
	bool delay = false;

	for (;;) {
		if (!delay && parser_accept_word(p, "delay")) {
			delay = true;
			if (read_span(p, "delay", "how late records may come, as 10s", &n->delay_ns, e))
				return -1;
		} else if (!n->idle_ns && parser_accept_word(p, "idle")) {
			if (read_idle(p, n, e))
				return -1;
		} else {
			break;
		}
	}
	if ((delay || n->idle_ns) && parser_peek_word(p, "explicit"))
		return marked_and_more(p, e);
	return 0;
}

static const char *canonical(struct parser *p, const struct plan_node *n)
{
	struct buf b = { 0 };

	buf_str(&b, "watermark ");
	node_print(&b, n->expr);
	buf_str(&b, n->by_marks ? " explicit" : " delay ");
	if (!n->by_marks)
		buf_took(&b, dur_format(n->delay_ns, buf_room(&b, TIME_MAX)));
	if (n->idle_ns) {
		buf_str(&b, " idle ");
		buf_took(&b, dur_format(n->idle_ns, buf_room(&b, TIME_MAX)));
	}
	return canon_done(parser_arena(p), &b);
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	n->kind = PLAN_WATERMARK;
	if (parser_at_end(p))
		return parser_expected(p, "the event time, a field or an expression", e);
	n->expr = parser_expr(p, e);
	if (!n->expr)
		return -1;
	n->by_marks = parser_accept_word(p, "explicit");
	if (!n->by_marks && read_clauses(p, n, e))
		return -1;
	if (n->by_marks && (parser_peek_word(p, "delay") || parser_peek_word(p, "idle")))
		return marked_and_more(p, e);
	n->canonical = canonical(p, n);
	return 0;
}

const struct stage_def stage_watermark = {
	.doc = {
		.name = "watermark",
		.synopsis = "watermark TS [delay DUR] [idle DUR] | watermark TS explicit",
		.summary = "the event time of records, and how far it has got",
		.text = "The watermark says: records before this time are all here. It closes windows and tells late records. It is the largest TS "
			"seen, less the delay; it never goes back, and it moves at the end of a micro-batch, so that records are judged by the "
			"watermark as it stood when their micro-batch began. Of several inputs the slowest counts, and there is none while one has not "
			"spoken; an input that has been silent for `idle` does not hold it back. At the end of the input it is beyond all time.\n\n"
			"With `explicit` only marks in the input move it (a form feed, then `watermark=TIME`; with --every mark).\n\n"
			"A number as TS is a time since 1970, its unit told by its size. A record whose TS is null or no time falls into no window; "
			"it is counted.",
		.group = "time",
		.params = { { "TS", "expr", NULL, NULL, "the record's event time, a field or an expression" },
			    { "delay DUR", "duration", "0s", ">= 0s", "how much later than others a record may come" },
			    { "idle DUR", "duration", "never", "> 0s", "after how much silence an input is not waited for" },
			    { "explicit", "word", NULL, NULL, "marks set it" } },
		.examples = {
			{ "-i csv --every mark 'watermark t' 'window 10s' count 'select count'", "t\n1\n12\n\f\n5\n13\n\f\n", "count\n1\n2\n",
			  "12 closes the first window, 5 is late for it" },
			{ "-i csv --every mark 'watermark t delay 10s' 'window 10s' count 'select count'", "t\n1\n12\n\f\n5\n13\n\f\n", "count\n2\n2\n",
			  "ten seconds of patience" },
			{ "-i csv --every mark 'watermark t explicit' 'window 10s' count 'select count'", "t\n1\n12\n\f watermark=10\n2\n\f\n",
			  "count\n1\n1\n", "marks set it" },
		},
	},
	.words = "delay idle explicit",
	.parse = parse,
};

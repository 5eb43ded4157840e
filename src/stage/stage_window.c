#include "base/time.h"
#include "stage/canon.h"
#include "stage/stage_list.h"

/* Forms of the language that this build does not have. */
static int refuse_later(struct parser *p, struct err *e)
{
	static const char *const later[] = { "session", "all", "on", "offset", "tz", "from", "rows" };

	for (unsigned i = 0; i < ARRAY_LEN(later); i++)
		if (parser_peek_word(p, later[i])) {
			err_at(e, parser_pos(p), "`window ... %s` is not in this build", later[i]);
			return err_hint(e, "this build has windows over processing time: window 30s every 10s");
		}
	return 0;
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };
	struct pos pos = parser_pos(p);
	struct window *w = arena_zero(parser_arena(p), sizeof *w);

	n->kind = PLAN_WINDOW;
	n->assigner = w;
	n->keeps = "what its windows cover, a pane for each micro-batch";
	if (refuse_later(p, e) || parser_duration(p, "the length of the window, as 30s", &w->length_ns, NULL, e))
		return -1;
	if (w->length_ns <= 0)
		return err_at(e, pos, "a window is longer than 0");
	if (refuse_later(p, e))
		return -1;
	if (parser_accept_word(p, "every")) {
		pos = parser_pos(p);
		if (parser_duration(p, "how often a window is emitted, as 10s", &w->slide_ns, NULL, e))
			return -1;
		if (w->slide_ns <= 0)
			return err_at(e, pos, "windows slide by more than 0");
	}
	if (refuse_later(p, e))
		return -1;
	buf_str(&b, "window ");
	buf_took(&b, dur_format(w->length_ns, buf_room(&b, TIME_MAX)));
	if (w->slide_ns) {
		buf_str(&b, " every ");
		buf_took(&b, dur_format(w->slide_ns, buf_room(&b, TIME_MAX)));
	}
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_window = {
	.doc = {
		.name = "window",
		.synopsis = "window LENGTH [every SLIDE]",
		.summary = "the records of the last LENGTH, seen again each SLIDE",
		.text = "Windows over processing time, made of whole micro-batches: at time t the window covers (t - LENGTH, t]. The first one comes out "
			"after one SLIDE. Aggregates behind it carry window_start and window_end; where all of them have an inverse (count, sum, avg ..., "
			"combine with its fifth argument) old records are taken out again, so that the cost of a record does not depend on LENGTH / SLIDE. "
			"Other stages see all records of the window at each slide. LENGTH and SLIDE are multiples of the micro-batch.\n\n"
			"Finite input needs --every, --replay or marks, for it has no processing time of its own.",
		.group = "time",
		.params = { { "LENGTH", "duration", NULL, "> 0", "how far back" },
			    { "every SLIDE", "duration", "each micro-batch", "> 0", "how often" } },
		.examples = {
			{ "-o json --every mark 'window 2s every 1s' 'count by line' 'drop window_start'",
			  "a\n\f clock=+1s\nb\n\f clock=+1s\n\f clock=+1s\n",
			  "{\"window_end\":\"1970-01-01T00:00:01Z\",\"line\":\"a\",\"count\":1}\n"
			  "{\"window_end\":\"1970-01-01T00:00:02Z\",\"line\":\"a\",\"count\":1}\n"
			  "{\"window_end\":\"1970-01-01T00:00:02Z\",\"line\":\"b\",\"count\":1}\n"
			  "{\"window_end\":\"1970-01-01T00:00:03Z\",\"line\":\"b\",\"count\":1}\n", "marks move the clock" },
			{ "-i csv --replay t --every 1s 'window 2s every 2s' 'reduce n = sum(n)' 'select n'", "t,n\n1,1\n2,2\n4,4\n", "n\n3\n4\n",
			  "a recording keeps its own time" },
		},
	},
	.words = "every",
	.parse = parse,
};

#include "base/time.h"
#include "stage/canon.h"
#include "stage/stage_list.h"

/* The stage as it is read. */
struct reading {
	struct parser *p;
	struct trigger_spec *s;
	uint32_t n_parts;
	const char *inside; /* `early` or `late` of a watermark, whose firings are read; NULL: none */
	unsigned given;     /* bits of the options that have been read */
};

static struct trigger_node *new_node(struct reading *r, enum trigger_kind kind, struct err *e)
{
	struct trigger_node *n;

	if (r->n_parts++ == TRIGGER_PARTS_MAX) {
		err_at(e, parser_pos(r->p), "a trigger has at most %d parts", TRIGGER_PARTS_MAX);
		return NULL;
	}
	n = arena_zero(parser_arena(r->p), sizeof *n);
	n->kind = kind;
	return n;
}

static bool next_is(struct reading *r, const char *word)
{
	return !strcmp(parser_peek_text(r->p), word);
}

static int early_or_late_hint(struct reading *r, struct err *e)
{
	const char *word = next_is(r, "early") ? "early" : "late";

	return next_is(r, word) ? err_hint(e, "`%s` belongs behind `watermark`, once: watermark early count 5 late count 1", word) : -1;
}

/* ---- one trigger ---- */

static struct trigger_node *read_infix(struct reading *r, unsigned level, struct err *e);
static struct trigger_node *read_one(struct reading *r, struct err *e);

static int read_span(struct reading *r, const char *word, const char *what, int64_t *ns, struct err *e)
{
	struct pos pos = parser_pos(r->p);

	if (parser_duration_signed(r->p, what, ns, NULL, e))
		return -1;
	return *ns < 0 ? err_at(e, pos, "`%s` is not less than 0s", word) : 0;
}

static struct trigger_node *read_every(struct reading *r, struct err *e)
{
	struct trigger_node *n = new_node(r, TRIGGER_EVERY, e);
	struct pos pos = parser_pos(r->p);

	if (!n || parser_duration_signed(r->p, "how often panes come out, as 1m", &n->delay_ns, NULL, e))
		return NULL;
	if (n->delay_ns <= 0) {
		err_at(e, pos, "`every` is longer than 0s");
		err_hint(e, "`count 1` is each micro-batch that brings something");
		return NULL;
	}
	if (parser_accept_word(r->p, "offset") && parser_duration_signed(r->p, "how much later than the multiples, as 15s", &n->offset_ns, NULL, e))
		return NULL;
	n->offset_ns %= n->delay_ns;
	if (n->offset_ns < 0)
		n->offset_ns += n->delay_ns;
	return n;
}

static struct trigger_node *read_after(struct reading *r, struct err *e)
{
	struct trigger_node *n = new_node(r, TRIGGER_AFTER, e);

	return n && !read_span(r, "after", "how long after the pane's first record, as 10s", &n->delay_ns, e) ? n : NULL;
}

static struct trigger_node *read_count(struct reading *r, struct err *e)
{
	struct trigger_node *n = new_node(r, TRIGGER_COUNT, e);

	return n && !parser_uint(r->p, "how many records", 1, INT64_MAX, &n->count, e) ? n : NULL;
}

static struct trigger_node *refuse_watermark(struct reading *r, struct pos pos, struct err *e)
{
	err_at(e, pos, "`%s` takes no `watermark`", r->inside);
	if (strcmp(r->inside, "early"))
		err_hint(e, "it is past: `late count 1` fires in each micro-batch that brings late records");
	else
		err_hint(e, "early firings come before it: by `count N`, `after D` or `every D`");
	return NULL;
}

static struct trigger_node *read_inside(struct reading *r, const char *word, struct err *e)
{
	struct trigger_node *n;

	r->inside = word;
	n = read_one(r, e);
	r->inside = NULL;
	return n;
}

static struct trigger_node *read_watermark(struct reading *r, struct pos pos, struct err *e)
{
	static const char *const words[] = { "early", "late" };
	struct trigger_node *n;

	if (r->inside)
		return refuse_watermark(r, pos, e);
	n = new_node(r, TRIGGER_WATERMARK, e);
	for (int k = 0; n && k < 2;) {
		if (n->kids[k] || !parser_accept_word(r->p, words[k])) {
			k++;
			continue;
		}
		n->kids[k] = read_inside(r, words[k], e);
		if (!n->kids[k])
			return NULL;
		k = 0;
	}
	return n;
}

static struct trigger_node *read_prefix(struct reading *r, enum trigger_kind kind, struct err *e)
{
	struct trigger_node *n = new_node(r, kind, e);
	struct pos pos = parser_pos(r->p);

	if (!n)
		return NULL;
	n->kids[0] = read_one(r, e);
	if (!n->kids[0])
		return NULL;
	if (kind == TRIGGER_ONCE && n->kids[0]->kind == TRIGGER_REPEAT) {
		err_at(e, pos, "`once` of what is repeated");
		err_hint(e, "a trigger repeats by itself: `trigger count 5` fires again and again, `trigger once count 5` once");
		return NULL;
	}
	return n;
}

static struct trigger_node *read_parentheses(struct reading *r, struct err *e)
{
	struct trigger_node *n = read_infix(r, 0, e);

	if (!n || parser_accept(r->p, ")"))
		return n;
	parser_expected(r->p, NULL, e);
	early_or_late_hint(r, e);
	return NULL;
}

static struct trigger_node *no_trigger(struct reading *r, struct err *e)
{
	parser_expected(r->p, NULL, e);
	early_or_late_hint(r, e);
	if (next_is(r, "accumulating") || next_is(r, "discarding") || next_is(r, "retracting"))
		err_hint(e, "first when, then how: trigger watermark %s", parser_peek_text(r->p));
	return NULL;
}

static struct trigger_node *read_one(struct reading *r, struct err *e)
{
	struct pos pos = parser_pos(r->p);

	if (parser_accept_word(r->p, "watermark"))
		return read_watermark(r, pos, e);
	if (parser_accept_word(r->p, "every"))
		return read_every(r, e);
	if (parser_accept_word(r->p, "after"))
		return read_after(r, e);
	if (parser_accept_word(r->p, "count"))
		return read_count(r, e);
	if (parser_accept_word(r->p, "never"))
		return new_node(r, TRIGGER_NEVER, e);
	if (parser_accept_word(r->p, "once"))
		return read_prefix(r, TRIGGER_ONCE, e);
	if (parser_accept_word(r->p, "repeat"))
		return read_prefix(r, TRIGGER_REPEAT, e);
	if (parser_accept(r->p, "("))
		return read_parentheses(r, e);
	return no_trigger(r, e);
}

/* ---- of several ---- */

static bool never_ends(const struct trigger_node *n)
{
	switch (n->kind) {
	case TRIGGER_NEVER:
	case TRIGGER_REPEAT:
		return true;
	case TRIGGER_WATERMARK:
		return n->kids[1];
	case TRIGGER_ONCE:
		return never_ends(n->kids[0]);
	case TRIGGER_THEN:
		return never_ends(n->kids[1]);
	default:
		return false;
	}
}

/* Loosest to tightest. */
static const struct {
	const char *word;
	enum trigger_kind kind;
} infixes[] = { { "then", TRIGGER_THEN }, { "until", TRIGGER_UNTIL }, { "or", TRIGGER_OR }, { "and", TRIGGER_AND } };

static struct trigger_node *never_reached(struct pos pos, struct err *e)
{
	err_at(e, pos, "what follows `then` is never reached: what stands before it does not end");
	err_hint(e, "repeat, never and late firings do not end: say `repeat (count 5 then count 9)`, or `repeat count 5 until watermark then count 9`");
	return NULL;
}

static struct trigger_node *read_infix(struct reading *r, unsigned level, struct err *e)
{
	struct trigger_node *n, *left;
	struct pos pos;

	if (level == ARRAY_LEN(infixes))
		return read_one(r, e);
	n = read_infix(r, level + 1, e);
	for (;;) {
		pos = parser_pos(r->p);
		if (!n || !parser_accept_word(r->p, infixes[level].word))
			return n;
		left = n;
		if (infixes[level].kind == TRIGGER_THEN && never_ends(left))
			return never_reached(pos, e);
		n = new_node(r, infixes[level].kind, e);
		if (!n)
			return NULL;
		n->kids[0] = left;
		n->kids[1] = read_infix(r, level + 1, e);
		if (!n->kids[1])
			return NULL;
	}
}

/* ---- options ---- */

static int read_accumulating(struct reading *r, struct err *e)
{
	(void)e;
	r->s->accumulation = PANES_ACCUMULATING;
	return 0;
}

static int read_discarding(struct reading *r, struct err *e)
{
	(void)e;
	r->s->accumulation = PANES_DISCARDING;
	return 0;
}

static int read_retracting(struct reading *r, struct err *e)
{
	(void)e;
	r->s->accumulation = PANES_RETRACTING;
	return 0;
}

static int read_lateness(struct reading *r, struct err *e)
{
	if (parser_accept_word(r->p, "forever")) {
		r->s->lateness_ns = INT64_MAX;
		return 0;
	}
	return read_span(r, "lateness", "how long late records are still taken, as 1h, or `forever`", &r->s->lateness_ns, e);
}

static int read_ontime(struct reading *r, struct err *e)
{
	r->s->ontime_if_new = parser_accept_word(r->p, "ifnew");
	return r->s->ontime_if_new || parser_accept_word(r->p, "always") ? 0 : parser_expected(r->p, NULL, e);
}

static int read_closing(struct reading *r, struct err *e)
{
	r->s->closing_always = parser_accept_word(r->p, "always");
	return r->s->closing_always || parser_accept_word(r->p, "ifnew") ? 0 : parser_expected(r->p, NULL, e);
}

static int read_stamp(struct reading *r, struct err *e)
{
	if (parser_accept_word(r->p, "end"))
		r->s->stamp = STAMP_END;
	else if (parser_accept_word(r->p, "earliest"))
		r->s->stamp = STAMP_EARLIEST;
	else if (parser_accept_word(r->p, "latest"))
		r->s->stamp = STAMP_LATEST;
	else
		return parser_expected(r->p, NULL, e);
	return 0;
}

struct option {
	const char *word;
	unsigned bit; /* those of one bit exclude each other */
	int (*read)(struct reading *r, struct err *e);
};

#define ACCUMULATION 1u

static const struct option options[] = {
	{ "accumulating", ACCUMULATION, read_accumulating },
	{ "discarding", ACCUMULATION, read_discarding },
	{ "retracting", ACCUMULATION, read_retracting },
	{ "lateness", 2, read_lateness },
	{ "ontime", 4, read_ontime },
	{ "closing", 8, read_closing },
	{ "stamp", 16, read_stamp },
};

static int given_twice(const struct option *o, struct pos pos, struct err *e)
{
	if (o->bit != ACCUMULATION)
		return err_at(e, pos, "`%s` is given twice", o->word);
	err_at(e, pos, "`%s` is one too many", o->word);
	return err_hint(e, "panes are accumulating, discarding or retracting");
}

/* 1: an option was read, 0: none is next, -1. */
static int read_option(struct reading *r, struct err *e)
{
	struct pos pos = parser_pos(r->p);

	for (unsigned i = 0; i < ARRAY_LEN(options); i++) {
		const struct option *o = &options[i];

		if (r->given & o->bit ? !next_is(r, o->word) : !parser_accept_word(r->p, o->word))
			continue;
		if (r->given & o->bit)
			return given_twice(o, pos, e);
		r->given |= o->bit;
		return o->read(r, e) ? -1 : 1;
	}
	return 0;
}

static int read_options(struct reading *r, struct err *e)
{
	bool comma;
	int more;

	do {
		comma = parser_accept(r->p, ",");
		more = read_option(r, e);
	} while (more > 0);
	return comma && !more ? parser_expected(r->p, NULL, e) : more;
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct trigger_spec *s = arena_zero(parser_arena(p), sizeof *s);
	struct reading r = { .p = p, .s = s };
	struct buf b = { 0 };

	n->kind = PLAN_TRIGGER;
	n->trigger = s;
	s->accumulation = PANES_ACCUMULATING;
	s->root = read_infix(&r, 0, e);
	if (!s->root || read_options(&r, e))
		return -1;
	s->accumulation_given = r.given & ACCUMULATION;
	if (parser_end(p, e))
		return early_or_late_hint(&r, e);
	trigger_print(s, &b);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_trigger = {
	.doc = {
		.name = "trigger",
		.synopsis = "trigger T [accumulating|discarding|retracting] [lateness D] [ontime WHEN] [closing WHEN] [stamp WHICH]",
		.summary = "when panes of a window come out, and how they refine each other",
		.text = "It belongs to the `window` before it. Each key of a window has a trigger of its own; when it fires, a pane comes out: what the aggregate is "
			"now. Triggers are looked at once per micro-batch, after the clock and the watermark have moved, so a pane may hold more records than it "
			"waited for.\n\n"
			"`watermark` fires when the watermark passes the end of the window; behind it `early T` fires before that and `late T` afterwards, both "
			"again and again. `every D` fires at the next multiple of D by the clock (later by `offset D`) after the pane's first record, `after D` so "
			"long after that record, `count N` when the pane has N new records, `never` not at all.\n\n"
			"`T and T` fires when both are ready, `T or T` when one is. `T until T` is the first until the second fires, which fires too; what the second "
			"counts goes on across panes. `T then T` is the second when the first has ended. `repeat T` begins T anew when it has ended, and `trigger T` "
			"is `trigger repeat T`; `trigger once T` gives no more panes when T has ended, and its window takes no more records. From tight to loose: once and "
			"repeat, and, or, until, then; parentheses group. `early` and `late` take one T or parentheses.\n\n"
			"A pane that is accumulating holds all records so far, one that is discarding those since the pane before. Retracting panes are accumulating "
			"ones, and what such a pane replaces comes out before it once more, told apart by the field _op (`-`, `+`). @pane numbers the panes of a key and "
			"window from 0, @timing is early, on_time or late, @final says that no pane follows.\n\n"
			"An aggregate behind the aggregate gets final panes only, except that retracting ones reach it as they come: what a pane takes back leaves it "
			"again, which every aggregate call there must be able to undo. `_op` goes along where map and the like do not name it.\n\n"
			"A record is late for a window when the watermark has passed its end and the lateness; then the window is forgotten, after a last pane if "
			"something is new. These are the rules of Apache Beam.",
		.group = "time",
		.params = { { "T", "trigger", NULL, NULL, "when panes come out" },
			    { "accumulating", "word", "accumulating", NULL, "a pane holds all records so far" },
			    { "discarding", "word", NULL, NULL, "a pane holds the records since the one before" },
			    { "retracting", "word", NULL, NULL, "accumulating, and the pane before is taken back" },
			    { "lateness D", "duration", "0s", ">= 0s, forever", "how long after its end a window takes records" },
			    { "ontime WHEN", "word", "always", "always, ifnew", "a pane on time even if nothing is new" },
			    { "closing WHEN", "word", "ifnew", "always, ifnew", "a last pane even if nothing is new" },
			    { "stamp WHICH", "word", "end", "end, earliest, latest", "a pane's event time: the window's end, or that of a new record" } },
		.examples = {
			{ "-i csv -o json --every mark 'watermark t explicit' 'window 10s' 'trigger watermark early count 2' 'reduce n = count()' "
			  "'map n, pane = @pane, timing = @timing'",
			  "t\n1\n2\n\f watermark=0\n3\n\f watermark=5\n\f watermark=10\n",
			  "{\"n\":2,\"pane\":0,\"timing\":\"early\"}\n{\"n\":3,\"pane\":1,\"timing\":\"on_time\"}\n", "a first answer early" },
			{ "-i csv -o json --every mark 'watermark t explicit' 'window 10s' 'trigger watermark late count 1, discarding, lateness 1m' "
			  "'reduce n = sum(n)' 'map n, timing = @timing'",
			  "t,n\n1,5\n2,5\n\f watermark=10\n3,7\n\f watermark=20\n", "{\"n\":10,\"timing\":\"on_time\"}\n{\"n\":7,\"timing\":\"late\"}\n",
			  "late records as panes of their own" },
			{ "-o json --every mark 'window all' 'trigger every 10s ontime ifnew' count 'map count, at = epoch(@time)'",
			  "a\n\f clock=+1s\nb\nc\n\f clock=+9s\n\f clock=+10s\nd\n\f clock=+10s\n",
			  "{\"count\":3,\"at\":10}\n{\"count\":4,\"at\":30}\n", "every ten seconds of the clock, if something came" },
			{ "-o json --every mark 'window all' 'trigger count 1 retracting' 'count by line' 'reduce n = count() by count' 'map count, n' 'filter !@final'",
			  "a\nb\n\f\nb\n\f\n",
			  "{\"count\":1,\"n\":2,\"_op\":\"+\"}\n{\"count\":1,\"n\":2,\"_op\":\"-\"}\n{\"count\":1,\"n\":1,\"_op\":\"+\"}\n{\"count\":2,\"n\":1,\"_op\":\"+\"}\n",
			  "how many come once, how many twice: counts that change leave the old one" },
			{ "-o json --every mark 'window all' 'trigger once count 2' count", "a\n\f\nb\n\f\nc\n\f\n", "{\"count\":2}\n", "one pane, and no more" },
		},
	},
	.words = "watermark early late every offset after count never once repeat or and then until accumulating discarding retracting lateness forever "
		 "ontime closing always ifnew stamp end earliest latest",
	.parse = parse,
};

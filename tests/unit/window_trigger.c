/* Triggers on their own, against what Beam's tests state: a script of records, clock, watermark, looks and firings over cells a to z. */
#include "window/trigger.h"

#include "test.h"

/* Trees, in a pool that lasts for the program. */
static struct trigger_node pool[512];
static unsigned n_pool;

static struct trigger_node *node(enum trigger_kind kind, struct trigger_node *a, struct trigger_node *b)
{
	struct trigger_node *n = &pool[n_pool++];

	*n = (struct trigger_node){ .kind = kind, .kids = { a, b } };
	return n;
}

static struct trigger_node *count(uint64_t at_least)
{
	struct trigger_node *n = node(TRIGGER_COUNT, NULL, NULL);

	n->count = at_least;
	return n;
}

static struct trigger_node *after(int64_t delay)
{
	struct trigger_node *n = node(TRIGGER_AFTER, NULL, NULL);

	n->delay_ns = delay;
	return n;
}

static struct trigger_node *every(int64_t period, int64_t offset)
{
	struct trigger_node *n = node(TRIGGER_EVERY, NULL, NULL);

	n->delay_ns = period;
	n->offset_ns = offset;
	return n;
}

#define WATERMARK(early, late) node(TRIGGER_WATERMARK, early, late)
#define ONCE(a) node(TRIGGER_ONCE, a, NULL)
#define REPEAT(a) node(TRIGGER_REPEAT, a, NULL)
#define OR(a, b) node(TRIGGER_OR, a, b)
#define AND(a, b) node(TRIGGER_AND, a, b)
#define THEN(a, b) node(TRIGGER_THEN, a, b)
#define UNTIL(a, b) node(TRIGGER_UNTIL, a, b)
#define NEVER() node(TRIGGER_NEVER, NULL, NULL)

/* Scripts: statements separated by `;`, a cell is a letter.
 *   end C T         its window ends at T (else 100)     clock T, wm T   (inf)
 *   add C N         N records                            due C 0|1       is it due?
 *   fire C 0|1      it is due; afterwards finished?      next C T|none   next time of the clock
 *   fired C 0|1     the same, due or not
 *   merge C T D...  C, which ends at T, out of D...                                                     */
struct bench {
	struct trigger *t;
	int64_t clock, watermark;
	int64_t end[26];
	uint64_t state[26][64];
};

static struct trigger_view view(const struct bench *b, int cell)
{
	return (struct trigger_view){ .now = b->clock, .watermark = b->watermark, .end = b->end[cell] };
}

static int64_t time_of(const char *s)
{
	return !strcmp(s, "inf") || !strcmp(s, "none") ? INT64_MAX : strtoll(s, NULL, 10);
}

static void do_merge(struct bench *b, int cell, char **names, int n)
{
	const void *src[26];
	struct trigger_view v;

	memset(b->state[cell], 0, sizeof b->state[cell]);
	for (int i = 0; i < n; i++)
		src[i] = b->state[names[i][0] - 'a'];
	v = view(b, cell);
	trigger_merge(b->t, b->state[cell], src, (uint32_t)n, &v);
}

static void do_fire(struct bench *b, int cell, bool finished, bool any)
{
	struct trigger_view v = view(b, cell);

	CHECK(any || trigger_is_due(b->t, b->state[cell], &v));
	trigger_fired(b->t, b->state[cell], &v);
	CHECK_INT(trigger_finished(b->t, b->state[cell]), finished);
}

static void run_words(struct bench *b, char **w, int n)
{
	int cell = w[1][0] - 'a';
	struct trigger_view v;

	if (!strcmp(w[0], "clock")) {
		b->clock = time_of(w[1]);
	} else if (!strcmp(w[0], "wm")) {
		b->watermark = time_of(w[1]);
	} else if (!strcmp(w[0], "end")) {
		b->end[cell] = time_of(w[2]);
	} else if (!strcmp(w[0], "add")) {
		trigger_add(b->t, b->state[cell], strtoull(w[2], NULL, 10), b->clock);
	} else if (!strcmp(w[0], "due")) {
		v = view(b, cell);
		CHECK_INT(trigger_is_due(b->t, b->state[cell], &v), *w[2] == '1');
	} else if (!strncmp(w[0], "fire", 4)) {
		do_fire(b, cell, *w[2] == '1', w[0][4]);
	} else if (!strcmp(w[0], "next")) {
		CHECK_INT(trigger_next_clock(b->t, b->state[cell]), time_of(w[2]));
	} else if (!strcmp(w[0], "merge")) {
		b->end[cell] = time_of(w[2]);
		do_merge(b, cell, w + 3, n - 3);
	} else {
		CHECK(!"a statement");
	}
}

static void run_statement(struct bench *b, char *text)
{
	char *words[16], *save = NULL, *copy = strdup(text);
	int n = 0, bad = test_bad;

	for (char *w = strtok_r(copy, " ", &save); w && n < 16; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	test_bad = 0;
	if (n >= 2)
		run_words(b, words, n);
	if (test_bad)
		printf("# in: %s\n", text);
	test_bad |= bad;
	free(copy);
}

static void run(struct trigger_node *root, const char *script)
{
	struct trigger_spec spec = { .root = root };
	struct bench *b = calloc(1, sizeof *b);
	char *save = NULL, *copy = strdup(script);

	b->t = trigger_new(&spec);
	b->watermark = INT64_MIN;
	for (int i = 0; i < 26; i++)
		b->end[i] = 100;
	CHECK(trigger_state_size(b->t) % 8 == 0 && trigger_state_size(b->t) <= sizeof b->state[0]);
	for (char *s = strtok_r(copy, ";", &save); s; s = strtok_r(NULL, ";", &save))
		run_statement(b, s);
	trigger_free(b->t);
	free(copy);
	free(b);
}

static void test_watermark(void)
{
	TEST("watermark: on time once, and finished")
		run(ONCE(WATERMARK(NULL, NULL)), "add a 2; due a 0; wm 99; due a 0; wm 100; due a 1; fire a 1; due a 0; add a 1; due a 0");
	TEST("watermark at the root: on time, then with every late record")
		run(WATERMARK(NULL, NULL), "add a 1; wm 99; due a 0; wm 100; fire a 0; add a 1; due a 1; fire a 0");
	TEST("no trigger at all is that one")
		run(NULL, "add a 1; due a 0; wm 100; fire a 0; add a 1; due a 1");
	TEST("watermark: the whole stream ends with it")
		run(WATERMARK(NULL, NULL), "end a inf; add a 1; due a 0; wm 1000; due a 0; wm inf; due a 1");
	TEST("early, on time and late firings")
		run(ONCE(WATERMARK(count(1), count(1))),
		    "add a 1; due a 1; fire a 0; wm 100; due a 1; fire a 0; due a 0; add a 1; due a 1; fire a 0");
	TEST("early firings repeat by themselves")
		run(ONCE(WATERMARK(count(2), NULL)), "add a 3; fire a 0; add a 1; due a 0; add a 1; fire a 0; wm 100; fire a 1");
	TEST("early firings of an `or` begin anew")
		run(ONCE(WATERMARK(OR(count(2), after(10)), NULL)),
		    "add a 2; fire a 0; due a 0; add a 1; due a 0; next a 10; clock 10; due a 1; fire a 0; due a 0; next a none");
	TEST("early without late finishes on time, repeated it fires with late records")
	{
		run(ONCE(WATERMARK(count(1), NULL)), "wm 100; add a 1; fire a 1");
		run(WATERMARK(count(5), NULL), "add a 1; wm 100; fire a 0; add a 1; due a 1");
	}
	TEST("late firings wait for their own condition")
		run(WATERMARK(NULL, count(2)), "add a 1; due a 0; wm 100; fire a 0; add a 1; due a 0; add a 1; due a 1; fire a 0; due a 0");
	TEST("records that came before the pane on time do not count as late")
		run(WATERMARK(NULL, count(2)), "add a 5; wm 100; fire a 0; due a 0; add a 1; due a 0");
	TEST("late never")
		run(WATERMARK(count(2), NEVER()), "add a 1; wm 100; fire a 0; add a 9; due a 0");
	TEST("early and late delays")
		run(WATERMARK(after(5), after(10)), "add a 1; next a 5; clock 4; due a 0; clock 5; fire a 0; next a none; wm 100; fire a 0;"
						    "clock 6; add a 1; next a 16; clock 15; due a 0; clock 16; fire a 0; next a none");
}

static void test_counts_and_delays(void)
{
	TEST("count: finished with the first pane, other cells untouched")
		run(ONCE(count(2)), "add a 1; due a 0; add a 1; add b 1; due a 1; fire a 1; due b 0");
	TEST("count: a micro-batch may bring more")
		run(ONCE(count(2)), "add a 3; fire a 1; add a 5; due a 0");
	TEST("count: repeated")
		run(count(3), "add a 1; add a 1; due a 0; add a 1; fire a 0; due a 0; add a 2; due a 0; add a 1; fire a 0");
	TEST("after: from the first record of the pane, ready at the very time")
		run(ONCE(after(5)), "clock 10; add a 1; clock 12; due a 0; add b 3; due b 0; clock 14; due a 0; due b 0; add a 2;"
				    "clock 15; due a 1; due b 0; fire a 1; clock 18; due b 1; fire b 1");
	TEST("after: repeated, from the next pane's first record")
		run(after(900), "add a 1; next a 900; due a 0; clock 900; fire a 0; due a 0; next a none; clock 1000; add a 1; next a 1900");
	TEST("after 0: at the next look")
		run(after(0), "due a 0; add a 1; due a 1; fire a 0; due a 0");
	TEST("every: the next multiple, at once on it")
		run(every(120, 0), "clock 61; add a 1; next a 120; due a 0; clock 119; due a 0; clock 120; fire a 0; add a 1; next a 120; due a 1; fire a 0;"
				   "clock 121; add a 1; next a 240");
	TEST("every: an offset, and times before the epoch")
	{
		run(every(120, 60), "clock 61; add a 1; next a 180; clock 60; add b 1; next b 60; due b 1");
		run(every(120, 60), "clock -61; add a 1; next a -60; clock -59; add b 1; next b 60; clock -60; add c 1; next c -60");
		run(every(120, 3600), "clock 1; add a 1; next a 120; clock 0; add b 1; next b 0");
	}
	TEST("times beyond the range of time are never reached")
	{
		run(after(INT64_MAX), "clock 5; add a 1; next a none");
		run(every(INT64_MAX, 0), "clock -1; add a 1; next a 0; clock 5; add b 1; next b none");
	}
	TEST("never")
		run(NEVER(), "add a 9; wm inf; clock inf; due a 0; next a none");
}

static void test_composites(void)
{
	TEST("and: when both are ready, then finished")
	{
		run(ONCE(AND(count(2), count(1))), "add a 1; due a 0; add a 1; due a 1; fire a 1");
		run(ONCE(AND(count(2), WATERMARK(NULL, NULL))), "add a 3; due a 0; wm inf; fire a 1");
		run(ONCE(AND(count(5), WATERMARK(NULL, NULL))), "add a 3; wm inf; due a 0; add a 2; fire a 1; add a 1; due a 0");
	}
	TEST("or: with the first, then finished")
	{
		run(ONCE(OR(count(1), count(3))), "add a 1; due a 1; fire a 1");
		run(ONCE(OR(count(3), count(1))), "add a 1; due a 1; fire a 1");
		run(ONCE(OR(count(1), count(3))), "add a 3; due a 1; fire a 1");
	}
	TEST("or, repeated: after a firing both begin anew")
		run(OR(after(900), count(5)), "add a 1; due a 0; add a 4; fire a 0; due a 0; clock 900; due a 0; add a 1; next a 1800");
	TEST("or, repeated, with the watermark")
		run(OR(count(2), WATERMARK(NULL, NULL)), "add a 2; fire a 0; wm 50; due a 0; wm 150; fire a 0");
	TEST("until: what it ends may end by itself")
		run(ONCE(UNTIL(count(2), count(100))), "add a 1; due a 0; add a 1; fire a 1");
	TEST("until: what it ends may go on")
		run(ONCE(UNTIL(REPEAT(count(2)), count(100))), "add a 1; due a 0; add a 1; fire a 0; add a 2; fire a 0");
	TEST("until: its count runs across firings, and it fires itself")
		run(ONCE(UNTIL(REPEAT(count(2)), count(3))), "add a 1; due a 0; add a 1; fire a 0; add a 1; due a 1; fire a 1");
	TEST("until, repeated: all of it begins anew")
		run(UNTIL(REPEAT(count(2)), count(3)), "add a 2; fire a 0; add a 1; fire a 0; add a 1; due a 0; add a 1; fire a 0; add a 1; fire a 0");
	TEST("then: one after the other, the later ones begin with their turn")
	{
		run(ONCE(THEN(WATERMARK(NULL, NULL), count(1))), "add a 2; due a 0; wm 100; fire a 0; due a 0; add a 1; fire a 1");
		run(ONCE(THEN(THEN(count(1), count(2)), count(3))),
		    "add a 1; fire a 0; due a 0; add a 1; due a 0; add a 1; fire a 0; add a 2; due a 0; add a 1; fire a 1");
		run(ONCE(THEN(count(1), THEN(count(2), count(3)))),
		    "add a 1; fire a 0; due a 0; add a 1; due a 0; add a 1; fire a 0; add a 2; due a 0; add a 1; fire a 1");
		run(THEN(count(2), count(1)), "add a 2; fire a 0; add a 1; fire a 0; add a 1; due a 0; add a 1; due a 1");
	}
	TEST("then: a repeated part goes on until it is ended")
		run(THEN(UNTIL(REPEAT(after(5)), WATERMARK(NULL, NULL)), REPEAT(after(25))),
		    "end a 10; wm 0; add a 4; next a 5; clock 6; fire a 0; add a 2; next a 11; due a 0; wm 11; due a 1; fire a 0; due a 0; next a none;"
		    "add a 2; next a 31; clock 30; due a 0; clock 31; fire a 0; next a none");
	TEST("once inside is the trigger itself")
		run(ONCE(OR(ONCE(count(2)), ONCE(ONCE(count(3))))), "add a 1; due a 0; add a 1; fire a 1");
	TEST("next clock: of `and` the later, if records and watermark allow it")
	{
		run(AND(after(5), after(9)), "add a 1; next a 9");
		run(AND(after(5), count(2)), "add a 1; next a none; add a 1; next a 5");
		run(AND(after(5), WATERMARK(NULL, NULL)), "add a 1; next a 5");
		run(AND(count(1), WATERMARK(NULL, NULL)), "add a 1; next a none");
		run(AND(after(5), NEVER()), "add a 1; next a none");
		run(AND(after(5), OR(after(9), count(1))), "add a 1; next a 5");
		run(OR(after(5), after(9)), "add a 1; next a 5");
	}
}

static void test_sessions(void)
{
	TEST("sessions: counts add up, a finished one is apart")
		run(ONCE(count(2)), "end a 11; end b 12; add a 1; add b 1; due a 0; due b 0; merge m 12 a b; due m 1; fire m 1;"
				    "end c 17; end d 19; add c 1; add d 1; merge n 19 c d; due n 1; fire n 1");
	TEST("sessions: counts after a firing")
		run(count(2), "add a 1; add b 1; merge m 25 a b; add m 1; fire m 0; add m 2; fire m 0");
	TEST("sessions: the earliest of the times")
	{
		run(after(10), "add a 1; clock 3; add b 1; merge m 30 b a; next m 10; clock 10; fire m 0; merge n 40 m; next n none");
		run(after(10), "clock -5; add a 1; merge m 30 a b; next m 5; clock 5; due m 1");
	}
	TEST("sessions: the pane on time is out, in the merged session too")
		run(ONCE(THEN(WATERMARK(NULL, NULL), REPEAT(count(1)))),
		    "end a 11; end b 15; add a 1; add b 1; wm 15; due a 1; due b 1; fire a 0; fire b 0; due a 0; due b 0; add a 1; add b 1;"
		    "due a 1; due b 1; fire a 0; fire b 0; merge m 15 a b; due m 0; add m 1; due m 1");
	TEST("sessions: late firings go on in the merged session")
		run(ONCE(WATERMARK(count(100), count(1))),
		    "end a 11; end b 15; add a 1; add b 1; wm 15; fire a 0; fire b 0; due a 0; due b 0; add a 1; add b 1; fire a 0; fire b 0;"
		    "merge m 15 a b; due m 0; add m 1; due m 1; fire m 0");
	TEST("sessions: a merge takes the trigger back")
		run(ONCE(THEN(OR(count(5), WATERMARK(NULL, NULL)), REPEAT(count(1)))),
		    "end a 11; end b 15; add a 1; due a 0; wm 11; due a 1; fire a 0; add b 1; due b 0; merge m 15 a b; due m 0;"
		    "end c 11; add c 5; merge n 15 m c; due n 1");
	TEST("sessions: a session that grows beyond the watermark is open again")
	{
		run(ONCE(WATERMARK(count(2), count(1))),
		    "end a 10; add a 1; wm 10; fire a 0; merge b 20 a; add b 1; due b 0; add b 1; due b 1; fire b 0; wm 20; fire b 0; add b 1; fire b 0");
		run(ONCE(THEN(WATERMARK(NULL, NULL), REPEAT(count(1)))), "end a 10; add a 1; wm 10; fire a 0; merge b 20 a; add b 1; due b 0; wm 20; fire b 0");
	}
	TEST("sessions: one that had no pane on time brings it back")
		run(ONCE(WATERMARK(NULL, count(2))), "end a 10; end b 12; add a 1; wm 10; fire a 0; add b 1; wm 12; merge m 12 a b; due m 1; fire m 0; due m 0");
	TEST("sessions: early counts survive a merge with one that is past its end")
		run(ONCE(WATERMARK(count(2), NULL)), "end a 10; end b 20; add a 1; wm 10; fire a 1; add b 1; merge m 20 a b; add m 1; due m 1; fire m 0");
	TEST("sessions: on time without late is finished in the merged one")
		run(THEN(WATERMARK(count(9), NULL), REPEAT(count(1))), "wm 100; add a 1; add b 1; fire a 0; fire b 0; merge m 100 a b; due m 0; add m 1; fire m 0");
	TEST("sessions: early and late, as a transcript has it")
		run(WATERMARK(count(2), count(3)),
		    "end a 12; add a 2; fire a 0; merge b 13 a; add b 1; due b 0; merge c 14 b; add c 1; fire c 0; merge d 15 c; add d 1; due d 0;"
		    "wm 100; fire d 0; add d 1; due d 0; add d 2; fire d 0");
	TEST("sessions: late records bridge two that are past")
		run(WATERMARK(count(2), count(1)),
		    "end a 11; end b 25; add a 1; add b 1; due a 0; due b 0; merge m 25 a b; add m 1; fire m 0; end z 40; add z 1; due z 0;"
		    "wm inf; fire m 0; fire z 0; add m 2; fire m 0; merge n 40 m z; due n 0; add n 1; fire n 0; due n 0");
	TEST("sessions: until and and")
	{
		run(ONCE(UNTIL(REPEAT(count(2)), count(5))), "add a 2; fire a 0; add b 2; fire b 0; merge m 100 a b; due m 0; add m 1; due m 1; fire m 1");
		run(ONCE(AND(count(2), WATERMARK(NULL, NULL))), "end a 12; add a 2; merge b 13 a; add b 1; due b 0; wm inf; fire b 1");
	}
	TEST("sessions: a count that was reached stays so")
		run(THEN(count(5), REPEAT(count(1))), "add a 5; fire a 0; add b 1; merge m 100 a b; due m 1");
	TEST("sessions: late records add up")
		run(WATERMARK(NULL, count(3)), "wm 100; add a 1; fire a 0; add a 1; add b 1; fire b 0; add b 1; merge m 100 a b; due m 0; add m 1; due m 1");
	TEST("sessions: and, or and then end if their parts still have")
	{
		run(THEN(AND(count(1), WATERMARK(NULL, NULL)), REPEAT(count(1))),
		    "end a 10; end b 20; add a 1; wm 10; fire a 0; add b 1; merge m 20 a b; due m 0; wm 20; due m 1");
		run(THEN(OR(count(5), after(50)), REPEAT(count(1))), "add a 5; fire a 0; merge b 100 a; due b 0; add b 1; due b 1");
		run(THEN(THEN(WATERMARK(NULL, NULL), count(1)), REPEAT(count(2))),
		    "wm 100; add a 1; fire a 0; add a 1; fire a 0; merge m 100 a; add m 1; due m 0; add m 1; due m 1");
	}
	TEST("sessions: what is open again begins anew")
	{
		run(THEN(THEN(WATERMARK(NULL, NULL), count(1)), REPEAT(count(2))),
		    "end a 10; wm 10; add a 1; fire a 0; add a 1; fire a 0; merge b 20 a; add b 1; due b 0; wm 20; fire b 0; add b 1; due b 1");
		run(THEN(UNTIL(REPEAT(count(4)), WATERMARK(NULL, NULL)), REPEAT(count(1))),
		    "end a 10; add a 2; wm 10; fire a 0; merge b 20 a; add b 3; due b 0; add b 1; due b 1");
		run(THEN(OR(count(5), WATERMARK(NULL, NULL)), REPEAT(count(1))),
		    "end a 10; add a 3; wm 10; fire a 0; merge b 20 a; add b 2; due b 0; add b 3; due b 1");
		run(WATERMARK(THEN(count(1), count(5)), count(9)),
		    "end a 10; add a 1; fire a 0; add a 1; due a 0; wm 10; fire a 0; merge b 20 a; add b 1; due b 1");
		run(WATERMARK(count(3), count(1)), "end a 10; wm 10; add a 1; fire a 0; add a 2; fire a 0; merge b 20 a; add b 1; due b 0; add b 2; due b 1");
	}
	TEST("sessions: nothing to merge")
	{
		run(count(1), "merge m 10; due m 0");
		run(ONCE(WATERMARK(NULL, NULL)), "wm 10; merge m 10; due m 1");
	}
	TEST("a pane that is not the trigger's own")
		run(ONCE(count(2)), "add a 1; fired a 0; add a 1; due a 1; fired a 1; fired a 1");
}

static void check_print(struct trigger_spec s, const char *want)
{
	struct buf b = { 0 };

	trigger_print(&s, &b);
	CHECK_STR(buf_cstr(&b), want);
	buf_release(&b);
}

static void test_print(void)
{
	struct trigger_node *tree = THEN(UNTIL(OR(count(1), AND(after(1), NEVER())), REPEAT(count(2))), ONCE(THEN(count(1), count(2))));

	TEST("canonical text")
	{
		check_print((struct trigger_spec){ 0 }, "trigger repeat watermark, discarding, lateness 0s, ontime always, closing ifnew, stamp end");
		check_print((struct trigger_spec){ .root = ONCE(WATERMARK(OR(count(1), every(TIME_NS, 0)), count(2))),
						   .accumulation = PANES_RETRACTING,
						   .lateness_ns = INT64_MAX,
						   .ontime_if_new = true,
						   .closing_always = true,
						   .stamp = STAMP_LATEST },
			    "trigger once watermark early (count 1 or every 1s offset 0s) late count 2, retracting, lateness forever, ontime ifnew, "
			    "closing always, stamp latest");
		check_print((struct trigger_spec){ .root = tree, .accumulation = PANES_ACCUMULATING, .stamp = STAMP_EARLIEST },
			    "trigger repeat (count 1 or after 1ns and never until repeat count 2 then once (count 1 then count 2)), accumulating, "
			    "lateness 0s, ontime always, closing ifnew, stamp earliest");
		check_print((struct trigger_spec){ .root = REPEAT(THEN(count(1), THEN(count(2), count(3)))) },
			    "trigger repeat (count 1 then (count 2 then count 3)), discarding, lateness 0s, ontime always, closing ifnew, stamp end");
	}
}

static struct trigger_node *random_tree(uint64_t *seed, int depth)
{
	uint64_t r = *seed = *seed * 6364136223846793005u + 1442695040888963407u;
	enum trigger_kind kind = (enum trigger_kind)((r >> 33) % (depth ? TRIGGER_UNTIL + 1 : TRIGGER_NEVER + 1));
	struct trigger_node *n = node(kind, NULL, NULL);

	n->count = 1 + (r >> 40) % 4;
	n->delay_ns = 1 + (int64_t)((r >> 44) % 7);
	if (kind >= TRIGGER_ONCE || (kind == TRIGGER_WATERMARK && depth && r >> 50 & 1))
		n->kids[0] = random_tree(seed, depth - 1);
	if (kind >= TRIGGER_OR || (kind == TRIGGER_WATERMARK && depth && r >> 51 & 1))
		n->kids[1] = random_tree(seed, depth - 1);
	return n;
}

/* Laws that hold for every tree: n records at once are n records one by one, after a firing it is not due by what it remembered, a finished one is never due,
 * and by the clock alone nothing is due before trigger_next_clock. */
static void check_laws(uint64_t seed)
{
	struct trigger_spec spec = { .root = random_tree(&seed, 3) };
	struct trigger *t = trigger_new(&spec);
	uint64_t a[64] = { 0 }, b[64] = { 0 };
	struct trigger_view v = { .now = 0, .watermark = INT64_MIN, .end = 20 }, later;

	for (int step = 0; step < 60; step++) {
		uint64_t n = (seed = seed * 6364136223846793005u + 1) >> 60;

		v.now += (int64_t)(seed >> 40 & 3);
		v.watermark = step;
		trigger_add(t, a, n, v.now);
		for (uint64_t i = 0; i < n; i++)
			trigger_add(t, b, 1, v.now);
		if (n)
			CHECK(!memcmp(a, b, sizeof a));
		else
			memcpy(b, a, sizeof b);
		CHECK(!(trigger_finished(t, a) && trigger_is_due(t, a, &v)));
		later = v;
		later.now = trigger_next_clock(t, a) - 1;
		if (!trigger_is_due(t, a, &v) && later.now > v.now)
			CHECK(!trigger_is_due(t, a, &later));
		if (trigger_is_due(t, a, &v)) {
			trigger_fired(t, a, &v);
			trigger_fired(t, b, &v);
		}
		CHECK(!memcmp(a, b, sizeof a));
	}
	trigger_free(t);
}

static void test_laws(void)
{
	TEST("laws of all trees")
		for (uint64_t seed = 1; seed < 2000; seed++) {
			n_pool = 0;
			check_laws(seed * 7919);
		}
	TEST("watermark or not")
	{
		struct trigger_spec with = { .root = OR(count(1), WATERMARK(NULL, NULL)) }, without = { .root = count(1) };
		struct trigger *t = trigger_new(&with), *u = trigger_new(&without);

		CHECK(trigger_sees_watermark(t));
		CHECK(!trigger_sees_watermark(u));
		trigger_free(t);
		trigger_free(u);
		trigger_free(NULL);
	}
}

int main(void)
{
	test_watermark();
	test_counts_and_delays();
	test_composites();
	test_sessions();
	test_print();
	test_laws();
	return test_done();
}

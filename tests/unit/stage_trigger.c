/* The stage trigger: programs to canonical text, which must read back as itself. */
#include "stage/stage.h"

#include "test.h"

#define REST ", accumulating, lateness 0s, ontime always, closing ifnew, stamp end"

static const char *canonical(struct arena *a, const char *text, bool *accumulation_given)
{
	struct source_unit unit = { .text = text, .n = strlen(text), .arg = 1 };
	struct parser *p = parser_new(a, &unit, 1, NULL, 0);
	struct plan_node n = { 0 };
	struct err e = { 0 };
	const char *word;
	struct pos pos;

	if (parser_stage(p, &word, &pos, &e) != 1 || strcmp(word, "trigger") || stage_find(word)->parse(p, &n, &e) || parser_end(p, &e)) {
		printf("# %s: %s\n", text, e.msg);
		return "";
	}
	CHECK_INT(n.kind, PLAN_TRIGGER);
	*accumulation_given = n.trigger->accumulation_given;
	return n.canonical;
}

static void check(const char *text, const char *want)
{
	struct arena a = { 0 };
	bool given, given_again;
	const char *once = canonical(&a, text, &given);

	CHECK_STR(once, want);
	CHECK_STR(canonical(&a, once, &given_again), want);
	CHECK(given_again);
	CHECK_INT(given, strstr(text, "ing") != NULL);
	arena_release(&a);
}

static void test_defaults(void)
{
	TEST("what is not said is made explicit")
	{
		check("trigger watermark", "trigger repeat watermark" REST);
		check("trigger once watermark", "trigger once watermark" REST);
		check("trigger repeat watermark", "trigger repeat watermark" REST);
		check("trigger once once count 3", "trigger once once count 3" REST);
		check("trigger never", "trigger repeat never" REST);
		check("trigger every 90s", "trigger repeat every 1m30s offset 0s" REST);
		check("trigger after 0s", "trigger repeat after 0s" REST);
		check("trigger count 2K", "trigger repeat count 2048" REST);
	}
	TEST("offsets lie within the period")
	{
		check("trigger every 1m offset 15s", "trigger repeat every 1m offset 15s" REST);
		check("trigger every 1m offset -15s", "trigger repeat every 1m offset 45s" REST);
		check("trigger every 1m offset 10m", "trigger repeat every 1m offset 0s" REST);
	}
}

static void test_precedence(void)
{
	TEST("once and repeat, and, or, until, then")
	{
		check("trigger count 1 or count 2 and count 3", "trigger repeat (count 1 or count 2 and count 3)" REST);
		check("trigger (count 1 or count 2) and count 3", "trigger repeat ((count 1 or count 2) and count 3)" REST);
		check("trigger count 1 until count 2 or count 3", "trigger repeat (count 1 until count 2 or count 3)" REST);
		check("trigger (count 1 until count 2) or count 3", "trigger repeat ((count 1 until count 2) or count 3)" REST);
		check("trigger count 1 then count 2 until count 3", "trigger repeat (count 1 then count 2 until count 3)" REST);
		check("trigger (count 1 then count 2) until count 3", "trigger repeat ((count 1 then count 2) until count 3)" REST);
		check("trigger repeat count 1 or count 2", "trigger repeat (repeat count 1 or count 2)" REST);
		check("trigger once count 1 then count 2", "trigger repeat (once count 1 then count 2)" REST);
		check("trigger once (count 1 then count 2)", "trigger once (count 1 then count 2)" REST);
		check("trigger (once (count 1))", "trigger once count 1" REST);
	}
	TEST("from the left")
	{
		check("trigger count 1 then count 2 then count 3", "trigger repeat (count 1 then count 2 then count 3)" REST);
		check("trigger count 1 then (count 2 then count 3)", "trigger repeat (count 1 then (count 2 then count 3))" REST);
		check("trigger count 1 until (count 2 until count 3)", "trigger repeat (count 1 until (count 2 until count 3))" REST);
	}
	TEST("early and late take one")
	{
		check("trigger watermark early count 5 late after 1m", "trigger repeat watermark early count 5 late after 1m" REST);
		check("trigger watermark late count 1 early every 1m", "trigger repeat watermark early every 1m offset 0s late count 1" REST);
		check("trigger watermark early count 5 or count 9", "trigger repeat (watermark early count 5 or count 9)" REST);
		check("trigger watermark early (count 5 or after 1m) late never",
		      "trigger repeat watermark early (count 5 or after 1m) late never" REST);
		check("trigger once watermark early repeat count 5", "trigger once watermark early repeat count 5" REST);
	}
	TEST("a part that ends may be followed")
	{
		check("trigger (repeat after 5s until watermark) then repeat after 25s",
		      "trigger repeat (repeat after 5s until watermark then repeat after 25s)" REST);
		check("trigger count 5 or watermark then repeat count 1", "trigger repeat (count 5 or watermark then repeat count 1)" REST);
	}
}

static void test_options(void)
{
	TEST("options in any order, with commas or without")
	{
		check("trigger watermark discarding", "trigger repeat watermark, discarding, lateness 0s, ontime always, closing ifnew, stamp end");
		check("trigger watermark, lateness forever retracting, stamp latest closing always, ontime ifnew",
		      "trigger repeat watermark, retracting, lateness forever, ontime ifnew, closing always, stamp latest");
		check("trigger watermark late count 2 lateness 100s stamp earliest ontime always closing ifnew accumulating",
		      "trigger repeat watermark late count 2, accumulating, lateness 1m40s, ontime always, closing ifnew, stamp earliest");
	}
}

int main(void)
{
	test_defaults();
	test_precedence();
	test_options();
	return test_done();
}

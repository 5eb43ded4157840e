#include "tests/unit/test.h"

#include "base/regex.h"

static struct regex_span spans[REGEX_GROUPS_MAX + 1];

static struct regex *compile(const char *pattern)
{
	struct err e = { 0 };
	struct regex *re = regex_compile(pattern, strlen(pattern), &e);

	CHECK(re != NULL);
	if (!re)
		printf("# %s\n", e.msg);
	return re;
}

/* "at-end" of the first match from `from`, or "none", or "limit". */
static const char *find(const char *pattern, const char *text, size_t from)
{
	static char out[64];
	struct regex *re = compile(pattern);
	int rc = regex_match(re, text, strlen(text), from, spans);

	if (rc == 1)
		snprintf(out, sizeof out, "%zu-%zu", spans[0].at, spans[0].end);
	else
		snprintf(out, sizeof out, "%s", rc ? "limit" : "none");
	regex_free(re);
	return out;
}

static void test_match(void)
{
	struct regex *re;

	TEST("the first match at or after an offset")
	{
		CHECK_STR(find("b+", "abba", 0), "1-3");
		CHECK_STR(find("b+", "abba", 2), "2-3");
		CHECK_STR(find("b+", "abba", 3), "none");
		CHECK_STR(find("b*", "", 0), "0-0");
		CHECK_STR(find("a", "a", 2), "none");
		CHECK_STR(find("^a", "aa", 1), "none");
	}
	TEST("groups, those that took no part, and their names")
	{
		re = compile("(?<year>\\d+)-(?<month>\\d+)|(x)");
		CHECK_INT(regex_groups(re), 3);
		CHECK_STR(regex_group_name(re, 1), "year");
		CHECK_STR(regex_group_name(re, 2), "month");
		CHECK(regex_group_name(re, 3) == NULL);
		CHECK(regex_group_name(re, 4) == NULL);
		CHECK_INT(regex_match(re, "on 2015-05", 10, 0, spans), 1);
		CHECK(spans[1].at == 3 && spans[1].end == 7 && spans[2].at == 8 && spans[2].end == 10);
		CHECK(spans[3].at == (size_t)-1);
		regex_free(re);
	}
	TEST("the same answers once machine code runs")
	{
		re = compile("(\\w+)@(\\w+)?");
		for (int i = 0; i < 100; i++) {
			CHECK_INT(regex_match(re, "to me@here", 10, 0, spans), 1);
			CHECK(spans[0].at == 3 && spans[2].at == 6 && spans[2].end == 10);
			CHECK_INT(regex_match(re, "nobody", 6, 0, spans), 0);
		}
		regex_free(re);
	}
}

static void test_utf8(void)
{
	TEST("characters where a pattern speaks of them")
	{
		CHECK_STR(find("^.$", "\xC3\xA9", 0), "0-2");
		CHECK_STR(find("[^a]", "a\xE2\x82\xAC", 0), "1-4");
		CHECK_STR(find("\xC3\xA9+", "x\xC3\xA9\xC3\xA9", 0), "1-5");
		CHECK_STR(find("[\\p{L}']+", "\xC3\xA9tude 1", 0), "0-6");
		CHECK_STR(find("\\D", "1\xC3\xA9", 0), "1-3");
		CHECK_STR(find(".+?", "\xC3\xA9", 0), "0-2");
		CHECK_STR(find("\\x{e9}", "\xC3\xA9", 0), "0-2");
		CHECK_STR(find("a(?!b)|.", "\xC3\xA9", 0), "0-2");
		CHECK_STR(find("\\Q[\\E.", "[\xC3\xA9", 0), "0-3");
	}
	TEST("bytes that are not UTF-8, in pattern and subject")
	{
		CHECK_STR(find("b.",
			       "\xFF"
			       "bc",
			       0),
			  "1-3");
		CHECK_STR(find("\xFF+", "a\xFF\xFF", 0), "1-3");
		CHECK_STR(find("^(\\S+) (\\S+)", "\xFF \xFE", 0), "0-3");
		CHECK_STR(find("(*UTF).", "\xFF\xC3\xA9", 0), "1-3");
	}
}

static void test_errors(void)
{
	struct err e = { 0 };
	char many[3 * (REGEX_GROUPS_MAX + 2)] = "";

	TEST("a malformed pattern names its place")
	{
		CHECK(regex_compile("a(b", 3, &e) == NULL);
		CHECK(e.kind == ERR_PROGRAM);
		CHECK_STR(e.msg, "regular expression \"a(b\": at offset 3: missing closing parenthesis");
	}
	TEST("a pattern with too many groups")
	{
		for (int i = 0; i <= REGEX_GROUPS_MAX; i++)
			strcat(many, "()");
		e = (struct err){ 0 };
		CHECK(regex_compile(many, strlen(many), &e) == NULL);
		CHECK(strstr(e.msg, "65 groups, at most 64"));
	}
	TEST("a pattern that explodes stops at the limit")
	{
		char text[64];

		memset(text, 'a', sizeof text);
		memcpy(text + sizeof text - 3, "bx", 3);
		CHECK_STR(find("^(a|aa|a?)+$x", text, 0), "limit");
	}
}

int main(void)
{
	test_match();
	test_utf8();
	test_errors();
	return test_done();
}

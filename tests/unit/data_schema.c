#include "tests/unit/test.h"

#include "data/batch.h"

static const struct schema *make(const char *const *names, uint32_t n)
{
	uint32_t lens[8];

	for (uint32_t i = 0; i < n; i++)
		lens[i] = (uint32_t)strlen(names[i]);
	return schema_intern(names, lens, n);
}

static void test_intern(void)
{
	const char *const ab[] = { "a", "b" }, *const ba[] = { "b", "a" }, *const abc[] = { "ab", "" };
	const struct schema *s = make(ab, 2);

	TEST("equal names are one schema")
	{
		char a[] = "a", b[] = "bx";
		const char *copy[] = { a, b };
		uint32_t lens[] = { 1, 1 };

		CHECK(make(ab, 2) == s);
		CHECK(schema_intern(copy, lens, 2) == s);
		memset(a, 'z', 1);
		CHECK_STR(s->names[0], "a");
		CHECK(make(ba, 2) != s);
		CHECK(make(ab, 1) != s);
		CHECK(make(abc, 2) != s);
		CHECK(make(NULL, 0) == make(NULL, 0));
	}
	TEST("names are found")
	{
		CHECK_INT(schema_find(s, "a", 1), 0);
		CHECK_INT(schema_find(s, "b", 1), 1);
		CHECK_INT(schema_find(s, "bx", 1), 1);
		CHECK_INT(schema_find(s, "bx", 2), -1);
		CHECK_INT(schema_find(s, "", 0), -1);
		CHECK_INT(schema_find(make(abc, 2), "", 0), 1);
		CHECK_INT(schema_find(make(NULL, 0), "a", 1), -1);
	}
}

static void test_many(void)
{
	enum { FIELDS = 5000, SCHEMAS = 20000 };

	TEST("a schema of thousands of fields")
	{
		const char **names = xcalloc(FIELDS, sizeof *names);
		uint32_t *lens = xcalloc(FIELDS, sizeof *lens);
		const struct schema *s;

		for (uint32_t i = 0; i < FIELDS; i++) {
			char *d = xmalloc(16);

			lens[i] = (uint32_t)snprintf(d, 16, "f%u", i * 7919 % FIELDS);
			names[i] = d;
		}
		s = schema_intern(names, lens, FIELDS);
		CHECK_INT(s->n, FIELDS);
		for (uint32_t i = 0; i < FIELDS; i++)
			CHECK_INT(schema_find(s, names[i], lens[i]), i);
		CHECK_INT(schema_find(s, "f5000", 5), -1);
		for (uint32_t i = 0; i < FIELDS; i++)
			free((char *)(uintptr_t)names[i]);
		free(names);
		free(lens);
		CHECK_STR(s->names[1], "f2919");
	}
	TEST("thousands of schemas stay apart")
	{
		const struct schema **all = xcalloc(SCHEMAS, sizeof *all);

		for (int round = 0; round < 2; round++)
			for (uint32_t i = 0; i < SCHEMAS; i++) {
				char a[16], b[16];
				const char *names[] = { a, b };
				const struct schema *s;

				snprintf(a, sizeof a, "x%u", i / 100);
				snprintf(b, sizeof b, "y%u", i % 100);
				s = make(names, 2);
				CHECK(!round || s == all[i]);
				all[i] = s;
				CHECK_STR(s->names[0], a);
				CHECK_STR(s->names[1], b);
			}
		free(all);
	}
}

int main(void)
{
	test_intern();
	test_many();
	return test_done();
}

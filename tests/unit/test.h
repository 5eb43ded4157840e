/* Unit tests: CHECK and friends count and print TAP. One program per topic; main() runs its tests and returns test_done(). */
#ifndef STRM_TEST_H
#define STRM_TEST_H
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_count, test_failed;

/* One TAP line per named test: TEST("name") { CHECK(...); ... } closed by the next TEST or test_done(). */
static const char *test_name;
static int test_bad;

__attribute__((unused)) static void test_close(void)
{
	if (!test_name)
		return;
	test_count++;
	test_failed += test_bad;
	printf("%sok %d - %s\n", test_bad ? "not " : "", test_count, test_name);
	test_name = NULL;
	test_bad = 0;
}

__attribute__((unused)) static int test_open(const char *name)
{
	test_close();
	test_name = name;
	return 1;
}

#define TEST(name) if (test_open(name))

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			test_bad = 1; \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
		} \
	} while (0)

#define CHECK_INT(a, b) \
	do { \
		int64_t a_ = (int64_t)(a), b_ = (int64_t)(b); \
		if (a_ != b_) { \
			test_bad = 1; \
			printf("# %s:%d: %s is %" PRId64 ", want %" PRId64 "\n", __FILE__, __LINE__, #a, a_, b_); \
		} \
	} while (0)

/* Bytes p[0..n) against a C string. */
#define CHECK_BYTES(p, n, want) \
	do { \
		const char *p_ = (p), *w_ = (want); \
		size_t n_ = (n); \
		if (n_ != strlen(w_) || memcmp(p_, w_, n_)) { \
			test_bad = 1; \
			printf("# %s:%d: %s is \"%.*s\", want \"%s\"\n", __FILE__, __LINE__, #p, (int)n_, p_, w_); \
		} \
	} while (0)

#define CHECK_STR(a, b) CHECK_BYTES((a), strlen(a), (b))

__attribute__((unused)) static int test_done(void)
{
	test_close();
	printf("1..%d\n", test_count);
	return test_failed != 0;
}

#endif

/* The loops over integers, each level beside the plain loop: at every length, with the odd one in every place, and at the ends of the range. */
#include "base/ints.h"

#include "tests/unit/test.h"

#define MOST 71

static void fill(int64_t *v, int64_t with)
{
	for (int i = 0; i < MOST; i++)
		v[i] = with;
}

static void test_max(const struct ints_ops *ops)
{
	static const int64_t low[] = { INT64_MIN, -5, 0, 1700000000 };
	int64_t v[MOST];

	for (size_t l = 0; l < sizeof low / sizeof *low; l++)
		for (uint32_t n = 0; n <= MOST; n++) {
			fill(v, low[l]);
			CHECK_INT(ops->max(v, n, INT64_MIN), n ? low[l] : INT64_MIN);
			CHECK_INT(ops->max(v, n, 99), n && low[l] > 99 ? low[l] : 99);
			for (uint32_t at = 0; at < n; at++) {
				fill(v, low[l]);
				v[at]++;
				CHECK_INT(ops->max(v, n, INT64_MIN), low[l] + 1);
				CHECK_INT(ops->max(v, at, INT64_MIN), at ? low[l] : INT64_MIN);
			}
		}
}

/* One value of n is outside, in every place. */
static void outside(const struct ints_ops *ops, int64_t start, uint64_t width, int64_t odd)
{
	int64_t v[MOST];

	for (uint32_t n = 1; n <= MOST; n++)
		for (uint32_t at = 0; at < n; at++) {
			for (uint32_t i = 0; i < n; i++)
				v[i] = (int64_t)((uint64_t)start + i % width);
			v[at] = odd;
			CHECK_INT(ops->within(v, n, start, width), at);
			CHECK_INT(ops->within(v, at, start, width), at);
		}
}

static void test_within(const struct ints_ops *ops)
{
	static const struct {
		int64_t start;
		uint64_t width;
		int64_t odd;
	} c[] = {
		{ 0, 60, 60 },   { 0, 60, -1 },           { 0, 60, INT64_MIN },        { 0, 60, INT64_MAX }, { -30, 60, 30 },
		{ -30, 60, -31 }, { INT64_MIN, 5, INT64_MAX }, { INT64_MAX - 4, 4, INT64_MAX }, { 7, 1, 8 },         { INT64_MIN, UINT64_MAX, INT64_MAX },
	};

	for (size_t i = 0; i < sizeof c / sizeof *c; i++)
		outside(ops, c[i].start, c[i].width, c[i].odd);
	CHECK_INT(ops->within((int64_t[]){ 1 }, 0, 0, 5), 0);
}

int main(void)
{
	static const char *const max[] = { "max, portable", "max, sse2", "max, avx2", "max, avx512" };
	static const char *const within[] = { "within, portable", "within, sse2", "within, avx2", "within, avx512" };

	for (enum simd_level l = SIMD_PORTABLE; l <= simd_level(); l++) {
		TEST(max[l]) test_max(ints_ops(l));
		TEST(within[l]) test_within(ints_ops(l));
	}
	return test_done();
}

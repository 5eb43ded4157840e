#include "tests/unit/test.h"

#include <stdlib.h>

#include "op/away_times.h"

/* What is away, as the entries of a store have it: at[key], INT64_MAX where nothing waits. */
#define KEYS 3000

static int64_t at[KEYS];
static uint64_t seed = 5;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

static void add(struct away_times *t, uint32_t key)
{
	char text[16];

	snprintf(text, sizeof text, "%u", key);
	away_times_add(t, at[key], (struct store_bytes){ text, strlen(text) });
}

static void renew(struct away_times *t)
{
	away_times_renew(t);
	for (uint32_t i = 0; i < KEYS; i++)
		add(t, i);
}

/* All that is due comes, in whatever heap; entries that are out of date are passed over. */
static void take_due(struct away_times *t, int64_t until)
{
	struct buf b = { 0 };

	for (;;) {
		while (away_times_take(t, until, &b)) {
			uint32_t key = (uint32_t)atoi(buf_cstr(&b));

			CHECK(key < KEYS);
			if (at[key] < until)
				at[key] = INT64_MAX;
			else
				add(t, key);
		}
		if (!away_times_short(t, until))
			break;
		renew(t);
	}
	buf_release(&b);
	for (uint32_t i = 0; i < KEYS && !test_bad; i++)
		CHECK(at[i] >= until);
}

static void test_all_that_is_due_comes(size_t most)
{
	struct away_times t = { .most = most };

	for (uint32_t i = 0; i < KEYS; i++)
		at[i] = INT64_MAX;
	for (int64_t now = 0; now < 20000; now += 1 + rnd(100)) {
		for (uint32_t k = rnd(60); k--;) {
			uint32_t key = rnd(KEYS);

			at[key] = rnd(50) ? now + rnd(rnd(2) ? 300 : 9000) : INT64_MAX;
			add(&t, key);
		}
		take_due(&t, now);
		CHECK(away_times_memory(&t) <= 4 * (most > 4096 ? most : 4096) + 4096);
	}
	take_due(&t, INT64_MAX);
	away_times_release(&t);
}

int main(void)
{
	TEST("all that is due comes, by the skin of its teeth") test_all_that_is_due_comes(1);
	TEST("with little memory") test_all_that_is_due_comes(10000);
	TEST("with enough") test_all_that_is_due_comes(1 << 20);
	return test_done();
}

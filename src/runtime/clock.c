#include "runtime/clock.h"

#include <stdlib.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void clock_init(struct clock *c)
{
	const char *s = getenv("STRM_TEST_NOW");

	*c = (struct clock){ .manual = s, .now_ns = s ? strtoll(s, NULL, 10) * 1000000000 : 0, .still = getenv("STRM_TEST_STILL") != NULL };
}

int64_t clock_now(const struct clock *c)
{
	return c->manual ? c->now_ns : read_clock(CLOCK_REALTIME);
}

int64_t clock_watch(const struct clock *c)
{
	return c->still ? 0 : read_clock(CLOCK_MONOTONIC);
}

void clock_set(struct clock *c, int64_t t_ns)
{
	if (t_ns > c->now_ns)
		c->now_ns = t_ns;
}

int64_t clock_interval_end(int64_t t_ns, int64_t every_ns)
{
	int64_t k = t_ns / every_ns;

	k -= t_ns % every_ns < 0;
	return (k + 1) * every_ns;
}

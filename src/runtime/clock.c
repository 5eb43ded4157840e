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

int64_t clock_later(int64_t t_ns, int64_t by_ns)
{
	int64_t t;

	if (__builtin_add_overflow(t_ns, by_ns, &t))
		t = by_ns < 0 ? INT64_MIN : INT64_MAX;
	return t;
}

int64_t clock_interval_end(int64_t t_ns, int64_t every_ns)
{
	int64_t past = t_ns % every_ns;

	return clock_later(t_ns, every_ns - past - (past < 0 ? every_ns : 0));
}

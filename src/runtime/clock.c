#include "runtime/clock.h"

#include <time.h>

int64_t clock_now(const struct clock *c)
{
	struct timespec t;

	if (c->manual)
		return c->now_ns;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
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

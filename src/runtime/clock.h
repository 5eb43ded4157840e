/* The clock: processing time is a component. The system's, or one that marks or the data move by hand. */
#ifndef STRM_RUNTIME_CLOCK_H
#define STRM_RUNTIME_CLOCK_H
#include <stdbool.h>
#include <stdint.h>

struct clock {
	bool manual;    /* moved by clock_set; stands at the epoch until then */
	int64_t now_ns; /* of a manual clock */
	bool still;     /* the stopwatch stands at 0: what it measures is 0 (tests) */
};

/* The system's, unless the environment has STRM_TEST_NOW, seconds since 1970: then it stands there. */
void clock_init(struct clock *c);
int64_t clock_now(const struct clock *c);
/* The stopwatch, ns since some time: for durations, rates and waits, never for results. */
int64_t clock_watch(const struct clock *c);
/* A manual clock never goes back: an earlier time leaves it where it is. */
void clock_set(struct clock *c, int64_t t_ns);
/* So much later (or earlier), and no further than times go. */
int64_t clock_later(int64_t t_ns, int64_t by_ns);
/* End of the interval of `every` that t lies in: the smallest multiple of it that is > t; of the last one INT64_MAX. */
int64_t clock_interval_end(int64_t t_ns, int64_t every_ns);

#endif

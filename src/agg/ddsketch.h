/* DDSketch: quantiles with a relative error of at most 1 % of the value, mergeable without loss.
 *
 * C. Masson, J. E. Rim, H. K. Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees" (VLDB
 * 2019). A value x goes to bucket ceil(log(|x|) / log(gamma)), gamma = 1.01 / 0.99; zero, the infinities and NaN are counted by
 * themselves, negative values have buckets of their own. Each sign has at most DDSKETCH_BUCKETS_MAX buckets, which span a
 * factor of 10^71; beyond that the smallest magnitudes share the lowest bucket and lose the bound. All of it is a function of
 * the values alone, whatever the order and the cut. */
#ifndef STRM_AGG_DDSKETCH_H
#define STRM_AGG_DDSKETCH_H
#include "agg/rows.h"

#define DDSKETCH_BUCKETS_MAX 8192
#define DDSKETCH_ERROR 0.01

struct dd_store {
	uint64_t *count; /* of buckets lo .. lo + n - 1 */
	int32_t lo;
	uint32_t n;
	size_t cap;
};

/* Zeroed memory is the empty sketch. */
struct ddsketch {
	struct dd_store neg, pos;
	uint64_t n_zero, n_ninf, n_pinf, n_nan;
	uint64_t n_finite;
	double min, max; /* of the finite values, exact, where n_finite > 0 */
};

void ddsketch_add(struct agg_call *c, struct ddsketch *d, double x);
void ddsketch_merge(struct agg_call *c, struct ddsketch *dst, const struct ddsketch *src);
uint64_t ddsketch_count(const struct ddsketch *d);
/* The value of rank floor(p * (n - 1)), n > 0. NaN ranks last. */
double ddsketch_quantile(const struct ddsketch *d, double p);
void ddsketch_save(const struct ddsketch *d, struct buf *b);
/* 0, or -1 when malformed; release in both cases. */
int ddsketch_load(struct agg_call *c, struct ddsketch *d, const char **p, const char *end);
void ddsketch_release(struct agg_call *c, struct ddsketch *d);

#endif

/* HyperLogLog: how many different values, in 12 to 16 KiB at most. 2^14 registers, relative standard error 1.04 / 2^7 = 0.81 %.
 *
 * P. Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm" (2007). The estimate is
 * O. Ertl's improved raw estimator, "New cardinality estimation algorithms for HyperLogLog sketches" (2017, arXiv:1702.01284),
 * which needs no correction table and no switch to linear counting: it is right from 0 upwards. Few values are kept as a hash
 * set of registers, so that a small group is small. What the sketch says depends on the set of values only. */
#ifndef STRM_AGG_HLL_H
#define STRM_AGG_HLL_H
#include "agg/rows.h"

#define HLL_PRECISION 14
#define HLL_REGISTERS (1u << HLL_PRECISION)

struct hll; /* NULL is the empty sketch */

void hll_add(struct agg_call *c, struct hll **h, uint64_t hash);
void hll_merge(struct agg_call *c, struct hll **dst, const struct hll *src);
double hll_estimate(const struct hll *h);
void hll_save(const struct hll *h, struct buf *b);
/* 0, or -1 when malformed (then *h is NULL). */
int hll_load(struct agg_call *c, struct hll **h, const char **p, const char *end);
void hll_release(struct agg_call *c, struct hll **h);

#endif

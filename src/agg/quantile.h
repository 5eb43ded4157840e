/* Quantiles, exact: all values are kept and the ranks looked up at the end, with linear interpolation between the two closest
 * ranks: for p and n values in ascending order the answer lies at rank (n - 1) * p, counted from 0 (type 7 of Hyndman and Fan,
 * "Sample Quantiles in Statistical Packages", 1996; the default of R, numpy and SQL's percentile_cont). */
#ifndef STRM_AGG_QUANTILE_H
#define STRM_AGG_QUANTILE_H
#include "agg/rows.h"

/* Sets c->param from the literal of quantile(E, p) and approx_quantile(E, p): a number from 0 to 1. */
int quantile_prepare(struct agg_call *c, struct err *e);
/* k-th smallest (from 0) of v[0..n), which is reordered: what stands before v[k] is no larger, what stands behind no smaller. */
int64_t select_int64(int64_t *v, size_t n, size_t k);

#endif

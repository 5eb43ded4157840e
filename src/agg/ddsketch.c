#include "agg/ddsketch.h"

#include <math.h>

#include "agg/pack.h"

/* Buckets added below at a time, so that falling values do not copy the store each time. */
#define LOW_STEP 32
/* Buckets of the smallest and largest doubles lie within this. */
#define BUCKET_MAX 40000

static double log_gamma(void) { return log1p(2 * DDSKETCH_ERROR / (1 - DDSKETCH_ERROR)); }

/* Middle of a bucket in the sense of relative error: 2 gamma^i / (gamma + 1). */
static double bucket_value(int32_t i) { return exp(i * log_gamma()) * (1 - DDSKETCH_ERROR); }

/* Moves the counts so that the store spans lo .. lo + n - 1; what lies below is added to the lowest. */
static void store_span(struct agg_call *c, struct dd_store *s, int32_t lo, uint32_t n)
{
	uint64_t *count = NULL;
	size_t cap = 0;

	count = agg_heap_grow(c, count, &cap, n, sizeof *count);
	memset(count, 0, cap * sizeof *count);
	for (uint32_t i = 0; i < s->n; i++) {
		int32_t at = s->lo + (int32_t)i;

		count[at < lo ? 0 : at - lo] += s->count[i];
	}
	agg_heap_free(c, s->count, s->cap * sizeof *s->count);
	*s = (struct dd_store){ count, lo, n, cap };
}

static void store_widen(struct agg_call *c, struct dd_store *s, int32_t at)
{
	int32_t lo = !s->n	  ? at
		     : s->lo < at ? s->lo
				  : at - LOW_STEP,
		hi = s->n && s->lo + (int32_t)s->n - 1 > at ? s->lo + (int32_t)s->n - 1 : at;

	if (lo < hi - (DDSKETCH_BUCKETS_MAX - 1))
		lo = hi - (DDSKETCH_BUCKETS_MAX - 1);
	if (s->n && lo == s->lo && (size_t)(hi - lo) < s->cap) {
		s->n = (uint32_t)(hi - lo + 1); /* room behind is zero */
		return;
	}
	store_span(c, s, lo, (uint32_t)(hi - lo + 1));
}

static void store_add(struct agg_call *c, struct dd_store *s, int32_t at, uint64_t n)
{
	if (!s->n || at < s->lo || at >= s->lo + (int32_t)s->n)
		store_widen(c, s, at);
	s->count[at < s->lo ? 0 : at - s->lo] += n;
}

static void dd_range(struct ddsketch *d, double min, double max)
{
	if (!d->n_finite || min < d->min)
		d->min = min;
	if (!d->n_finite || max > d->max)
		d->max = max;
}

void ddsketch_add(struct agg_call *c, struct ddsketch *d, double x)
{
	if (isnan(x)) {
		d->n_nan++;
		return;
	}
	if (isinf(x)) {
		*(x < 0 ? &d->n_ninf : &d->n_pinf) += 1;
		return;
	}
	x += 0.0; /* no -0 */
	dd_range(d, x, x);
	d->n_finite++;
	if (x == 0)
		d->n_zero++;
	else
		store_add(c, x < 0 ? &d->neg : &d->pos, (int32_t)ceil(log(fabs(x)) / log_gamma()), 1);
}

static void store_merge(struct agg_call *c, struct dd_store *dst, const struct dd_store *src)
{
	for (uint32_t i = src->n; i-- > 0;)
		if (src->count[i])
			store_add(c, dst, src->lo + (int32_t)i, src->count[i]);
}

void ddsketch_merge(struct agg_call *c, struct ddsketch *dst, const struct ddsketch *src)
{
	if (src->n_finite)
		dd_range(dst, src->min, src->max);
	dst->n_finite += src->n_finite;
	dst->n_zero += src->n_zero;
	dst->n_ninf += src->n_ninf;
	dst->n_pinf += src->n_pinf;
	dst->n_nan += src->n_nan;
	store_merge(c, &dst->neg, &src->neg);
	store_merge(c, &dst->pos, &src->pos);
}

uint64_t ddsketch_count(const struct ddsketch *d) { return d->n_finite + d->n_ninf + d->n_pinf + d->n_nan; }

static double dd_clamp(const struct ddsketch *d, double x) { return x < d->min ? d->min : x > d->max ? d->max : x; }

/* Walks ranks upwards: true when rank *k lies among the next n values, else *k is counted down. */
static bool rank_in(uint64_t *k, uint64_t n)
{
	if (*k < n)
		return true;
	*k -= n;
	return false;
}

double ddsketch_quantile(const struct ddsketch *d, double p)
{
	uint64_t n = ddsketch_count(d), k = (uint64_t)(p * (double)(n - 1));

	if (k > n - 1)
		k = n - 1;
	if (rank_in(&k, d->n_ninf))
		return -INFINITY;
	if (d->n_finite && k == 0)
		return d->min;
	if (d->n_finite && k == d->n_finite - 1)
		return d->max;
	for (uint32_t i = d->neg.n; i-- > 0;)
		if (rank_in(&k, d->neg.count[i]))
			return dd_clamp(d, -bucket_value(d->neg.lo + (int32_t)i));
	if (rank_in(&k, d->n_zero))
		return 0;
	for (uint32_t i = 0; i < d->pos.n; i++)
		if (rank_in(&k, d->pos.count[i]))
			return dd_clamp(d, bucket_value(d->pos.lo + (int32_t)i));
	return rank_in(&k, d->n_pinf) ? INFINITY : (double)NAN;
}

/* Buckets in use: how many, the first, then (distance, count). */
static void store_save(const struct dd_store *s, struct buf *b)
{
	uint32_t used = 0;
	int32_t last = -BUCKET_MAX;

	for (uint32_t i = 0; i < s->n; i++)
		used += s->count[i] != 0;
	pack_uint(b, used);
	for (uint32_t i = 0; i < s->n; i++) {
		if (!s->count[i])
			continue;
		pack_uint(b, (uint64_t)(s->lo + (int32_t)i - last));
		pack_uint(b, s->count[i]);
		last = s->lo + (int32_t)i;
	}
}

static int store_load(struct agg_call *c, struct dd_store *s, const char **p, const char *end)
{
	int32_t at = -BUCKET_MAX;
	uint64_t used, step, n;

	if (unpack_uint(p, end, &used) || used > DDSKETCH_BUCKETS_MAX)
		return -1;
	for (uint64_t i = 0; i < used; i++) {
		if (unpack_uint(p, end, &step) || unpack_uint(p, end, &n) || !step || !n || step > 2 * BUCKET_MAX)
			return -1;
		at += (int32_t)step;
		if (at > BUCKET_MAX || (s->n && at - s->lo >= DDSKETCH_BUCKETS_MAX))
			return -1;
		store_add(c, s, at, n);
	}
	return 0;
}

void ddsketch_save(const struct ddsketch *d, struct buf *b)
{
	pack_uint(b, d->n_finite);
	pack_uint(b, d->n_zero);
	pack_uint(b, d->n_ninf);
	pack_uint(b, d->n_pinf);
	pack_uint(b, d->n_nan);
	if (!d->n_finite)
		return;
	pack_double(b, d->min);
	pack_double(b, d->max);
	store_save(&d->neg, b);
	store_save(&d->pos, b);
}

static uint64_t store_total(const struct dd_store *s)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		n += s->count[i];
	return n;
}

int ddsketch_load(struct agg_call *c, struct ddsketch *d, const char **p, const char *end)
{
	if (unpack_uint(p, end, &d->n_finite) || unpack_uint(p, end, &d->n_zero) || unpack_uint(p, end, &d->n_ninf) ||
	    unpack_uint(p, end, &d->n_pinf) || unpack_uint(p, end, &d->n_nan))
		return -1;
	if (!d->n_finite)
		return d->n_zero ? -1 : 0;
	if (unpack_double(p, end, &d->min) || unpack_double(p, end, &d->max) || store_load(c, &d->neg, p, end) ||
	    store_load(c, &d->pos, p, end))
		return -1;
	if (!isfinite(d->min) || !isfinite(d->max) || d->min > d->max)
		return -1;
	return d->n_zero + store_total(&d->neg) + store_total(&d->pos) == d->n_finite ? 0 : -1;
}

void ddsketch_release(struct agg_call *c, struct ddsketch *d)
{
	agg_heap_free(c, d->neg.count, d->neg.cap * sizeof *d->neg.count);
	agg_heap_free(c, d->pos.count, d->pos.cap * sizeof *d->pos.count);
	memset(d, 0, sizeof *d);
}

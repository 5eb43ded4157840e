/* median, quantile, pNN: exact. */
#include "agg/quantile.h"

#include <math.h>
#include <stdlib.h>

#include "agg/families.h"
#include "agg/pack.h"

/* Doubles are kept as int64 keys in the same order (NaN last, no -0), so that one selection serves all. */
struct samples {
	int64_t *ints; /* integers, or durations, or times, as the counts say */
	int64_t *floats;
	size_t n_ints, n_floats, cap_ints, cap_floats;
	uint64_t n_dur, n_time; /* of n_ints */
};

static int64_t key_of_double(double x)
{
	int64_t b;

	x = isnan(x) ? fabs((double)NAN) : x + 0.0;
	memcpy(&b, &x, 8);
	return b ^ (b >> 63 & INT64_MAX);
}

static double double_of_key(int64_t k)
{
	double x;

	k ^= k >> 63 & INT64_MAX;
	memcpy(&x, &k, 8);
	return x;
}

static struct samples *samples_of(const void *state)
{
	struct samples *s;

	memcpy(&s, state, sizeof s);
	return s;
}

static struct samples *samples_make(struct agg_call *c, void *state)
{
	struct samples *s = samples_of(state);

	if (!s) {
		s = agg_heap(c, sizeof *s);
		memcpy(state, &s, sizeof s);
	}
	return s;
}

static void samples_int(struct agg_call *c, struct samples *s, int64_t i)
{
	s->ints = agg_heap_grow(c, s->ints, &s->cap_ints, s->n_ints + 1, sizeof *s->ints);
	s->ints[s->n_ints++] = i;
}

static void samples_float(struct agg_call *c, struct samples *s, int64_t key)
{
	s->floats = agg_heap_grow(c, s->floats, &s->cap_floats, s->n_floats + 1, sizeof *s->floats);
	s->floats[s->n_floats++] = key;
}

AGG_INLINE void samples_put(struct agg_call *c, void *state, const struct value *v)
{
	struct samples *s = samples_make(c, state);
	struct num n;

	if (v->type == T_DUR || v->type == T_TIME) {
		*(v->type == T_DUR ? &s->n_dur : &s->n_time) += 1;
		samples_int(c, s, v->i);
	} else if (value_num(v, &n) == NUM_INT) {
		samples_int(c, s, n.i);
	} else if (n.kind == NUM_FLOAT) {
		samples_float(c, s, key_of_double(n.f));
	} else {
		agg_fail(c, "not a number");
	}
}

static void samples_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	agg_each(AGG_IN(0), samples_put);
}

static void samples_merge(struct agg_call *c, void *dst, void *src)
{
	struct samples *s = samples_of(src), *d, *none = NULL;

	if (!s)
		return;
	if (!samples_of(dst)) {
		memcpy(dst, &s, sizeof s);
		memcpy(src, &none, sizeof none);
		return;
	}
	d = samples_of(dst);
	for (size_t i = 0; i < s->n_ints; i++)
		samples_int(c, d, s->ints[i]);
	for (size_t i = 0; i < s->n_floats; i++)
		samples_float(c, d, s->floats[i]);
	d->n_dur += s->n_dur;
	d->n_time += s->n_time;
}

static void swap_int64(int64_t *a, int64_t *b)
{
	int64_t t = *a;

	*a = *b;
	*b = t;
}

static int int64_order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Hoare's partition around the median of three: v[lo..j] <= pivot <= v[j + 1..hi], j < hi. */
static size_t partition_int64(int64_t *v, size_t lo, size_t hi)
{
	size_t mid = lo + (hi - lo) / 2, i = lo, j = hi;
	int64_t pivot;

	if (v[mid] < v[lo])
		swap_int64(&v[mid], &v[lo]);
	if (v[hi] < v[lo])
		swap_int64(&v[hi], &v[lo]);
	if (v[hi] < v[mid])
		swap_int64(&v[hi], &v[mid]);
	for (pivot = v[mid];; i++, j--) {
		while (v[i] < pivot)
			i++;
		while (v[j] > pivot)
			j--;
		if (i >= j)
			return j;
		swap_int64(&v[i], &v[j]);
	}
}

/* Data made to defeat the choice of pivots costs a sort, no more. */
#define SELECT_ROUNDS_MAX 128

int64_t select_int64(int64_t *v, size_t n, size_t k)
{
	size_t lo = 0, hi = n - 1, j;

	for (int round = 0; lo < hi; round++) {
		if (round == SELECT_ROUNDS_MAX) {
			qsort(v + lo, hi - lo + 1, sizeof *v, int64_order);
			break;
		}
		j = partition_int64(v, lo, hi);
		if (k <= j)
			hi = j;
		else
			lo = j + 1;
	}
	return v[k];
}

static int64_t *copy_int64(const int64_t *v, size_t n)
{
	int64_t *d = xmalloc(n * sizeof *d);

	if (n)
		memcpy(d, v, n * sizeof *d);
	return d;
}

/* The values of ranks k and k + 1 (the same if k is the last). */
struct pair {
	struct value lo, hi;
};

static void pair_of_one_kind(const int64_t *v, size_t n, size_t k, int64_t out[2])
{
	int64_t *d = copy_int64(v, n);

	out[0] = out[1] = select_int64(d, n, k);
	if (k + 1 < n) {
		out[1] = d[k + 1];
		for (size_t i = k + 2; i < n; i++)
			out[1] = d[i] < out[1] ? d[i] : out[1];
	}
	free(d);
}

static void pair_of_mixture(const struct samples *s, size_t k, struct pair *out)
{
	int64_t *ints = copy_int64(s->ints, s->n_ints), *floats = copy_int64(s->floats, s->n_floats);
	size_t i = 0, f = 0, n = s->n_ints + s->n_floats;

	qsort(ints, s->n_ints, sizeof *ints, int64_order);
	qsort(floats, s->n_floats, sizeof *floats, int64_order);
	for (size_t at = 0; at < n && at <= k + 1; at++) {
		bool take_int = f == s->n_floats || (i < s->n_ints && num_cmp_int_double(ints[i], double_of_key(floats[f])) <= 0);
		struct value v = take_int ? v_int(ints[i++]) : v_float(double_of_key(floats[f++]));

		if (at == k)
			out->lo = v;
		out->hi = v;
	}
	free(ints);
	free(floats);
}

static void samples_pair(const struct samples *s, size_t k, struct pair *out)
{
	int64_t two[2];

	if (!s->n_floats) {
		pair_of_one_kind(s->ints, s->n_ints, k, two);
		*out = (struct pair){ v_int(two[0]), v_int(two[1]) };
	} else if (!s->n_ints) {
		pair_of_one_kind(s->floats, s->n_floats, k, two);
		*out = (struct pair){ v_float(double_of_key(two[0])), v_float(double_of_key(two[1])) };
	} else {
		pair_of_mixture(s, k, out);
	}
}

static double between(double a, double b, double part)
{
	if (a == b)
		return a;
	if (isinf(b - a) && isfinite(a) && isfinite(b))
		return a * (1 - part) + b * part;
	return a + part * (b - a);
}

static double as_double(const struct value *v) { return v->type == T_INT ? (double)v->i : v->f; }

static int64_t between_ns(int64_t a, int64_t b, double part)
{
	double gap = (double)((uint64_t)b - (uint64_t)a) * part;
	uint64_t ns = gap < 0x1p64 ? (uint64_t)gap : (uint64_t)b - (uint64_t)a; /* a and b may be all of int64 apart */

	ns += gap - (double)ns >= 0.5;
	return ns > (uint64_t)b - (uint64_t)a ? b : (int64_t)((uint64_t)a + ns);
}

static struct value quantile_of(const struct samples *s, double p)
{
	size_t n = s->n_ints + s->n_floats;
	double rank = (double)(n - 1) * p;
	size_t k = (size_t)rank < n ? (size_t)rank : n - 1;
	double part = rank - (double)k, f;
	struct pair at = { 0 };

	samples_pair(s, k, &at);
	if (s->n_dur)
		return v_dur(between_ns(at.lo.i, at.hi.i, part));
	if (s->n_time)
		return v_time(between_ns(at.lo.i, at.hi.i, part));
	if (part <= 0 || (at.lo.type == T_INT && at.hi.type == T_INT && at.lo.i == at.hi.i))
		return at.lo;
	f = between(as_double(&at.lo), as_double(&at.hi), part);
	return v_float(f + 0.0);
}

static void quantile_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	const struct samples *s = samples_of(state);
	bool nums;

	(void)a;
	*out = v_null();
	if (!s || !(s->n_ints + s->n_floats))
		return;
	nums = s->n_floats || s->n_ints > s->n_dur + s->n_time;
	if (nums + (s->n_dur > 0) + (s->n_time > 0) > 1)
		agg_fail(c, "numbers, durations and times do not mix");
	else
		*out = quantile_of(s, c->param);
}

static void samples_save(struct agg_call *c, const void *state, struct buf *b)
{
	static const struct samples empty;
	const struct samples *s = samples_of(state) ? samples_of(state) : &empty;
	int64_t *ints = copy_int64(s->ints, s->n_ints), *floats = copy_int64(s->floats, s->n_floats);
	uint64_t last = 0;

	(void)c;
	qsort(ints, s->n_ints, sizeof *ints, int64_order);
	qsort(floats, s->n_floats, sizeof *floats, int64_order);
	pack_uint(b, s->n_ints);
	pack_uint(b, s->n_floats);
	pack_uint(b, s->n_dur);
	pack_uint(b, s->n_time);
	for (size_t i = 0; i < s->n_ints; i++) {
		uint64_t v = (uint64_t)ints[i] ^ (uint64_t)1 << 63; /* unsigned in the same order */

		pack_uint(b, v - last);
		last = v;
	}
	for (size_t i = 0; i < s->n_floats; i++)
		pack_fixed(b, (uint64_t)floats[i], 8);
	free(ints);
	free(floats);
}

static int load_ints(struct agg_call *c, struct samples *s, uint64_t n, const char **p, const char *end)
{
	uint64_t last = 0, step;

	for (uint64_t i = 0; i < n; i++) {
		if (unpack_uint(p, end, &step) || last + step < last)
			return -1;
		last += step;
		samples_int(c, s, (int64_t)(last ^ (uint64_t)1 << 63));
	}
	return 0;
}

static int load_floats(struct agg_call *c, struct samples *s, uint64_t n, const char **p, const char *end)
{
	uint64_t key;

	for (uint64_t i = 0; i < n; i++) {
		if (unpack_fixed(p, end, &key, 8) || key_of_double(double_of_key((int64_t)key)) != (int64_t)key)
			return -1;
		if (i && (int64_t)key < s->floats[s->n_floats - 1])
			return -1;
		samples_float(c, s, (int64_t)key);
	}
	return 0;
}

static void samples_release(struct agg_call *c, void *state)
{
	struct samples *s = samples_of(state), *none = NULL;

	if (!s)
		return;
	agg_heap_free(c, s->ints, s->cap_ints * sizeof *s->ints);
	agg_heap_free(c, s->floats, s->cap_floats * sizeof *s->floats);
	agg_heap_free(c, s, sizeof *s);
	memcpy(state, &none, sizeof none);
}

static int samples_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	struct samples *s = samples_make(c, state);
	uint64_t n_ints, n_floats;

	if (!unpack_uint(p, end, &n_ints) && !unpack_uint(p, end, &n_floats) && !unpack_uint(p, end, &s->n_dur) &&
	    !unpack_uint(p, end, &s->n_time) && s->n_dur <= n_ints && s->n_time <= n_ints - s->n_dur &&
	    !load_ints(c, s, n_ints, p, end) && !load_floats(c, s, n_floats, p, end))
		return 0;
	samples_release(c, state);
	return -1;
}

int quantile_prepare(struct agg_call *c, struct err *e)
{
	struct num n;
	double p;

	if (c->n_params != 1)
		return err_set(e, ERR_PROGRAM, "needs a second argument, a number from 0 to 1");
	if (value_num(&c->params[0], &n) == NUM_NOT)
		return err_set(e, ERR_PROGRAM, "the second argument is not a number");
	p = n.kind == NUM_INT ? (double)n.i : n.f;
	if (!(p >= 0 && p <= 1)) {
		err_set(e, ERR_PROGRAM, "the second argument is %g, not from 0 to 1", p);
		return p > 1 && p <= 100 ? err_hint(e, "write %g for the %gth percentile", p / 100, p) : -1;
	}
	c->param = p;
	return 0;
}

static int median_prepare(struct agg_call *c, struct err *e)
{
	(void)e;
	c->param = 0.5;
	return 0;
}

#define QUANTILE_ROW \
	.min_args = 1, .max_args = 1, .flags = AGG_NUMERIC, .state_size = sizeof(struct samples *), .update = samples_update, \
	.merge = samples_merge, .finish = quantile_finish, .save = samples_save, .load = samples_load, \
	.release = samples_release

const struct agg_def agg_family_quantile[] = {
	{ .doc = { .name = "median",
		   .synopsis = "median(E)",
		   .summary = "the middle value, or the mean of the two middle ones",
		   .text = "quantile(E, 0.5).",
		   .group = "quantiles",
		   .params = { { "E", "expr", NULL, NULL, "numbers, durations or times" } },
		   .examples = { { "median(x)", "3\n1\n10\n", "3", NULL }, { "median(x)", "1\n2\n", "1.5", NULL } } },
	  .prepare = median_prepare,
	  QUANTILE_ROW },
	{ .doc = { .name = "quantile",
		   .synopsis = "quantile(E, P)",
		   .summary = "the value below which the share P of the values lies, exactly",
		   .text = "Keeps every value. Between two ranks it interpolates linearly: the answer lies at rank (n - 1) * "
			   "P of the sorted values, counted from 0 (type 7, the default of R and numpy, percentile_cont of "
			   "SQL). Nulls are skipped; what is no number is skipped and counted; null if nothing is left. "
			   "Works on durations and times too, not on mixtures. approx_quantile needs little memory.",
		   .group = "quantiles",
		   .params = { { "E", "expr", NULL, NULL, "numbers, durations or times" },
			       { "P", "number", NULL, "0..1", "a literal, 0.95 for the 95th percentile" } },
		   .examples = { { "quantile(x, 0.25)", "1\n2\n3\n4\n", "1.75", NULL },
				 { "quantile(x, 1)", "4\n9\n", "9", "the largest" } } },
	  .max_params = 1,
	  .prepare = quantile_prepare,
	  QUANTILE_ROW },
	{ .doc = { .name = "pNN",
		   .synopsis = "p1(E) ... p99(E), p999(E), p9999(E)",
		   .summary = "percentiles, exactly",
		   .text = "p95(E) is quantile(E, 0.95), p999(E) is quantile(E, 0.999).",
		   .group = "quantiles",
		   .params = { { "E", "expr", NULL, NULL, "numbers, durations or times" } },
		   .examples = { { "p90(x)", "0\n10\n", "9", NULL }, { "p999(x)", "0\n1000\n", "999", NULL } } },
	  QUANTILE_ROW },
	{ .doc = { .name = NULL } },
};

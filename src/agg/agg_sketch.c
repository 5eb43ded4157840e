/* approx_distinct, approx_quantile, approx_pNN. */
#include "agg/families.h"

#include <math.h>

#include "agg/ddsketch.h"
#include "agg/hll.h"
#include "agg/pack.h"
#include "agg/quantile.h"
#include "data/hash.h"
#include "data/rowkey.h"

/* Values are the same as they are for keys. XXH3 and a last mixing step: every bit counts here. */
static uint64_t sketch_hash(const struct key_bytes *k)
{
	uint64_t h = hash_long(k->p, k->n) + k->kind * 0x9e3779b97f4a7c15ull;

	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ull;
	return h ^ h >> 32;
}

static void distinct_update(AGG_UPDATE_ARGS)
{
	struct arena tmp = { 0 };
	struct key_bytes *keys = arena_array(&tmp, struct key_bytes, n_sel);
	const struct column *col = &args[0];
	const struct agg_in *in = AGG_IN(0);

	(void)batch;
	key_of_columns(&tmp, &col, 1, sel, n_sel, keys);
	for (uint32_t k = 0; k < n_sel; k++)
		if (keys[k].kind != KEY_NULL)
			hll_add(c, in_state(in, k), sketch_hash(&keys[k]));
	arena_release(&tmp);
}

static void distinct_merge(struct agg_call *c, void *dst, void *src) { hll_merge(c, dst, *(struct hll **)src); }

static void distinct_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	(void)a;
	*out = v_int((int64_t)llround(hll_estimate(*(struct hll *const *)state)));
}

static void distinct_save(struct agg_call *c, const void *state, struct buf *b)
{
	(void)c;
	hll_save(*(struct hll *const *)state, b);
}

static int distinct_load(struct agg_call *c, void *state, const char **p, const char *end) { return hll_load(c, state, p, end); }

static void distinct_release(struct agg_call *c, void *state) { hll_release(c, state); }

struct approx {
	struct ddsketch d;
	uint64_t n_dur; /* of its values */
};

AGG_INLINE void approx_put(struct agg_call *c, void *state, const struct value *v)
{
	struct approx *s = state;
	struct num n;

	if (v->type == T_DUR) {
		s->n_dur++;
		ddsketch_add(c, &s->d, (double)v->i);
	} else if (v->type == T_TIME) {
		agg_fail(c, "times have no relative error, use quantile");
	} else if (value_num(v, &n) == NUM_NOT) {
		agg_fail(c, "not a number");
	} else {
		ddsketch_add(c, &s->d, n.kind == NUM_INT ? (double)n.i : n.f);
	}
}

static void approx_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	agg_each(AGG_IN(0), approx_put);
}

static void approx_merge(struct agg_call *c, void *dst, void *src)
{
	struct approx *d = dst, *s = src;

	ddsketch_merge(c, &d->d, &s->d);
	d->n_dur += s->n_dur;
}

/* -2^63 .. 2^63 - 1 */
static int64_t round_ns(double x) { return x >= 0x1p63 ? INT64_MAX : x <= -0x1p63 ? INT64_MIN : (int64_t)llround(x); }

static void approx_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	const struct approx *s = state;
	uint64_t n = ddsketch_count(&s->d);
	double x;

	(void)a;
	*out = v_null();
	if (!n)
		return;
	if (s->n_dur && s->n_dur != n) {
		agg_fail(c, "numbers and durations do not mix");
		return;
	}
	x = ddsketch_quantile(&s->d, c->param);
	*out = s->n_dur ? v_dur(round_ns(x)) : v_float(x);
}

static void approx_save(struct agg_call *c, const void *state, struct buf *b)
{
	const struct approx *s = state;

	(void)c;
	pack_uint(b, s->n_dur);
	ddsketch_save(&s->d, b);
}

static void approx_release(struct agg_call *c, void *state)
{
	struct approx *s = state;

	ddsketch_release(c, &s->d);
	s->n_dur = 0;
}

static int approx_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	struct approx *s = state;

	if (!unpack_uint(p, end, &s->n_dur) && !ddsketch_load(c, &s->d, p, end) && s->n_dur <= s->d.n_finite)
		return 0;
	approx_release(c, state);
	return -1;
}

#define APPROX_ROW \
	.min_args = 1, .max_args = 1, .flags = AGG_NUMERIC, .state_size = sizeof(struct approx), .update = approx_update, \
	.merge = approx_merge, .finish = approx_finish, .save = approx_save, .load = approx_load, .release = approx_release

const struct agg_def agg_family_sketch[] = {
	{ .doc = { .name = "approx_distinct",
		   .synopsis = "approx_distinct(E)",
		   .summary = "about how many different values, in at most 16 KiB a group",
		   .text = "HyperLogLog with 2^14 registers: the relative standard error is 0.81 %, so 95 % of answers are "
			   "within 1.6 %; small counts are nearly always exact. Values are the same as they are for keys; "
			   "nulls are not counted. The answer depends on the set of values alone. distinct(E) is exact.",
		   .group = "sketches",
		   .params = { { "E", "expr", NULL, NULL, "any values" } },
		   .examples = { { "approx_distinct(x)", "a\nb\na\n", "2", NULL } } },
	  .min_args = 1,
	  .max_args = 1,
	  .state_size = sizeof(struct hll *),
	  .update = distinct_update,
	  .merge = distinct_merge,
	  .finish = distinct_finish,
	  .save = distinct_save,
	  .load = distinct_load,
	  .release = distinct_release },
	{ .doc = { .name = "approx_quantile",
		   .synopsis = "approx_quantile(E, P)",
		   .summary = "a quantile within 1 % of its value, in little memory",
		   .text = "DDSketch: the answer differs by at most 1 % from the value at rank floor((n - 1) * P). Sketches "
			   "merge without loss, the answer depends on the values alone. Smallest and largest value are "
			   "exact. Each sign has at most 8192 buckets, which span a factor of 10^71: values smaller than the "
			   "largest by more than that share a bucket and lose the bound. Works on durations too. Nulls are "
			   "skipped; what is no number is skipped and counted.",
		   .group = "sketches",
		   .params = { { "E", "expr", NULL, NULL, "numbers or durations" },
			       { "P", "number", NULL, "0..1", "a literal, 0.95 for the 95th percentile" } },
		   .examples = { { "approx_quantile(x, 1)", "3\n1\n2\n", "3", NULL } } },
	  .max_params = 1,
	  .prepare = quantile_prepare,
	  APPROX_ROW },
	{ .doc = { .name = "approx_pNN",
		   .synopsis = "approx_p1(E) ... approx_p99(E), approx_p999(E), approx_p9999(E)",
		   .summary = "percentiles within 1 % of their value, in little memory",
		   .text = "approx_p95(E) is approx_quantile(E, 0.95), approx_p999(E) is approx_quantile(E, 0.999).",
		   .group = "sketches",
		   .params = { { "E", "expr", NULL, NULL, "numbers or durations" } },
		   .examples = { { "approx_p99(x)", "7\n7\n7\n", "7", NULL } } },
	  APPROX_ROW },
	{ .doc = { .name = NULL } },
};

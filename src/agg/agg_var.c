/* var, stddev and their population forms. The exact sum S and the exact sum of squares Q are kept; at the end
 * (n * Q - S * S) / (n * (n - 1)) is computed in integers of any length and rounded once. */
#include "agg/families.h"

#include <math.h>

#include "agg/pack.h"
#include "agg/sum.h"

#define FSQ_WORDS 4

struct var {
	struct sum s;
	sum_u128 isq;            /* squares of integers */
	uint64_t fsq[FSQ_WORDS]; /* squares of the floats that sum.h keeps inline, weight 2^-150 */
	struct superacc *wide;   /* squares that fit neither, NULL while none */
};

static struct superacc *var_wide(struct agg_call *c, struct var *v)
{
	if (!v->wide) {
		v->wide = agg_heap(c, superacc_size(SUPERACC_SQ_CHUNKS));
		superacc_init(v->wide, SUPERACC_SQ_CHUNKS);
	}
	return v->wide;
}

static void wide_add_fsq(struct superacc *w, const uint64_t *fsq, bool neg)
{
	for (uint32_t i = 0; i < FSQ_WORDS; i++)
		superacc_add(w, fsq[i], (uint32_t)(2 * SUM_FIX_LSB - SUPERACC_SQ_LSB) + 64 * i, neg);
}

static void wide_add_isq(struct superacc *w, superacc_u128 isq, bool neg)
{
	superacc_add(w, isq, -SUPERACC_SQ_LSB, neg);
}

static void var_add_isq(struct agg_call *c, struct var *v, superacc_u128 sq)
{
	superacc_u128 r;

	if (unlikely(__builtin_add_overflow((superacc_u128)v->isq, sq, &r)))
		wide_add_isq(var_wide(c, v), sq, false);
	else
		v->isq = r;
}

static void var_sub_isq(struct agg_call *c, struct var *v, superacc_u128 sq)
{
	if (sq > v->isq)
		wide_add_isq(var_wide(c, v), sq, true);
	else
		v->isq -= sq;
}

/* fsq += sq, or false and nothing done when it overflows. */
static bool fsq_add(uint64_t *fsq, const uint64_t *sq)
{
	uint64_t r[FSQ_WORDS];
	superacc_u128 t = 0;

	for (int i = 0; i < FSQ_WORDS; i++) {
		t += (superacc_u128)fsq[i] + sq[i];
		r[i] = (uint64_t)t;
		t >>= 64;
	}
	if (unlikely(t))
		return false;
	memcpy(fsq, r, sizeof r);
	return true;
}

static bool fsq_sub(uint64_t *fsq, const uint64_t *sq)
{
	uint64_t r[FSQ_WORDS];
	superacc_i128 t = 0;

	for (int i = 0; i < FSQ_WORDS; i++) {
		t += (superacc_i128)fsq[i] - (superacc_i128)sq[i];
		r[i] = (uint64_t)t;
		t >>= 64;
	}
	if (t)
		return false;
	memcpy(fsq, r, sizeof r);
	return true;
}

static void var_put_double(struct agg_call *c, struct var *v, double x)
{
	uint64_t m, sq[FSQ_WORDS + 1] = { 0 };
	superacc_u128 mm;
	uint32_t bit;
	int exp;
	bool neg;

	sum_put_double(c, &v->s, x);
	if (!isfinite(x) || x == 0)
		return;
	double_split(x, &m, &exp, &neg);
	mm = (superacc_u128)m * m;
	if (exp >= SUM_FIX_LSB && exp <= SUM_FIX_LSB + SUM_FIX_SHIFT_MAX) {
		bit = 2 * (uint32_t)(exp - SUM_FIX_LSB);
		sq[bit / 64] = (uint64_t)(mm << bit % 64);
		sq[bit / 64 + 1] = (uint64_t)(bit % 64 ? mm >> (64 - bit % 64) : mm >> 64);
		if (bit % 64 && bit / 64 + 2 < FSQ_WORDS)
			sq[bit / 64 + 2] = (uint64_t)((mm >> 64) >> (64 - bit % 64));
		if (likely(fsq_add(v->fsq, sq)))
			return;
	}
	superacc_add(var_wide(c, v), mm, (uint32_t)(2 * exp - SUPERACC_SQ_LSB), false);
}

AGG_INLINE void var_put(struct agg_call *c, void *state, const struct value *x)
{
	struct num n;
	uint64_t abs;

	if (value_num(x, &n) == NUM_FLOAT) {
		var_put_double(c, state, n.f);
	} else if (n.kind == NUM_INT) {
		abs = n.i < 0 ? -(uint64_t)n.i : (uint64_t)n.i;
		sum_put(c, state, &(struct value){ .i = n.i, .type = T_INT });
		var_add_isq(c, state, (superacc_u128)abs * abs);
	} else {
		agg_fail(c, "not a number");
	}
}

static void var_update(AGG_UPDATE_ARGS)
{
	(void)batch;
	agg_each(AGG_IN(0), var_put);
}

static void var_merge(struct agg_call *c, void *dst, void *src)
{
	struct var *d = dst, *s = src;

	sum_merge(c, &d->s, &s->s, false);
	var_add_isq(c, d, s->isq);
	if (!fsq_add(d->fsq, s->fsq))
		wide_add_fsq(var_wide(c, d), s->fsq, false);
	if (s->wide)
		superacc_merge(var_wide(c, d), s->wide, false);
}

static void var_retract(struct agg_call *c, void *dst, const void *src)
{
	struct var *d = dst, *s = (struct var *)(uintptr_t)src;

	sum_merge(c, &d->s, &s->s, true);
	var_sub_isq(c, d, s->isq);
	if (!fsq_sub(d->fsq, s->fsq))
		wide_add_fsq(var_wide(c, d), s->fsq, true);
	if (s->wide)
		superacc_merge(var_wide(c, d), s->wide, true);
}

static void var_squares(const struct var *v, struct mag *m)
{
	struct superacc a;

	superacc_init(&a, SUPERACC_SQ_CHUNKS);
	wide_add_isq(&a, v->isq, false);
	wide_add_fsq(&a, v->fsq, false);
	if (v->wide)
		superacc_merge(&a, v->wide, false);
	superacc_mag(&a, SUPERACC_SQ_LSB, m);
}

/* The exact variance but for a last bit below the lowest limb; false when there is none: *out is the answer. */
static bool var_mag(const struct var *v, bool sample, struct mag *m, struct value *out)
{
	uint64_t n = v->s.n_int + v->s.n_float;
	struct mag q, s, s2;
	double f;

	*out = v_null();
	if (n < 1 + (uint64_t)sample)
		return false;
	if (sum_special(&v->s, &f)) {
		*out = v_float(NAN);
		return false;
	}
	var_squares(v, &q);
	mag_mul(&q, n);
	sum_mag(&v->s, &s);
	mag_square(&s2, &s);
	mag_sub(m, &q, &s2);
	mag_div(m, n, 6); /* 128 bits and more, of which a second divisor of 64 leaves enough to round */
	mag_div(m, n - sample, 4);
	return true;
}

static void var_finish_any(const void *state, bool sample, struct value *out)
{
	struct mag m;

	if (var_mag(state, sample, &m, out))
		*out = v_float(mag_double(&m));
}

/* The root is taken of the variance scaled to 1..4, so that neither overflow nor underflow of the square shows. */
static void stddev_finish_any(const void *state, bool sample, struct value *out)
{
	struct mag m;
	int e;

	if (!var_mag(state, sample, &m, out))
		return;
	e = m.n ? mag_exp(&m) & ~1 : 0;
	m.lsb -= e;
	*out = v_float(ldexp(sqrt(mag_double(&m)), e / 2));
}

static void var_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	(void)a;
	var_finish_any(state, true, out);
}

static void var_pop_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	(void)a;
	var_finish_any(state, false, out);
}

static void stddev_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	(void)a;
	stddev_finish_any(state, true, out);
}

static void stddev_pop_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	(void)a;
	stddev_finish_any(state, false, out);
}

static void var_save(struct agg_call *c, const void *state, struct buf *b)
{
	const struct var *v = state;
	struct mag m;

	(void)c;
	sum_save(&v->s, b);
	var_squares(v, &m);
	mag_save(b, &m, SUPERACC_SQ_LSB);
}

/* A loaded total goes where it costs least. */
static void var_take(struct agg_call *c, struct var *v, const struct mag *m)
{
	int top = m->n ? mag_exp(m) : 0, low = m->n ? m->lsb + __builtin_ctz(m->limb[0]) : 0;

	if (low >= 0 && top < 128) {
		v->isq = (superacc_u128)mag_bits(m, 64) << 64 | mag_bits(m, 0);
	} else if (low >= 2 * SUM_FIX_LSB && top < 2 * SUM_FIX_LSB + 64 * FSQ_WORDS) {
		for (int i = 0; i < FSQ_WORDS; i++)
			v->fsq[i] = mag_bits(m, 2 * SUM_FIX_LSB + 64 * i);
	} else {
		superacc_add_mag(var_wide(c, v), m, SUPERACC_SQ_LSB);
	}
}

static void var_release(struct agg_call *c, void *state)
{
	struct var *v = state;

	sum_release(c, &v->s);
	agg_heap_free(c, v->wide, superacc_size(SUPERACC_SQ_CHUNKS));
	memset(v, 0, sizeof *v);
}

static int var_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	struct var *v = state;
	struct mag m;

	if (sum_load(c, &v->s, p, end) || mag_load(p, end, &m, SUPERACC_SQ_LSB, SUPERACC_SQ_CHUNKS) || m.neg) {
		var_release(c, state);
		return -1;
	}
	var_take(c, v, &m);
	return 0;
}

#define VAR_ROW(fin) \
	.min_args = 1, .max_args = 1, .flags = AGG_NUMERIC, .state_size = sizeof(struct var), .update = var_update, .merge = var_merge, \
	.finish = fin, .save = var_save, .load = var_load, .release = var_release, .retract = var_retract
#define VAR_PARAMS { { "E", "expr", NULL, NULL, "numbers" } }

const struct agg_def agg_family_var[] = {
	{ .doc = { .name = "var",
		   .aliases = "var_samp",
		   .synopsis = "var(E)",
		   .summary = "the sample variance (divisor n - 1)",
		   .text = "Computed from the exact sum and the exact sum of squares and rounded once: it depends neither on the order of the "
			   "records nor on how they were split, and large values with a small spread lose nothing. Nulls are skipped; what is "
			   "no number is skipped and counted. Null for fewer than two values; NaN if one is not finite.",
		   .group = "numbers",
		   .params = VAR_PARAMS,
		   .examples = { { "var(x)", "1\n2\n3\n4\n", "1.6666666666666667", NULL },
				 { "var(x)", "1\n", "null", "too few" },
				 { "var(x)", "1000000001\n1000000002\n1000000003\n", "1", "no cancellation" } } },
	  VAR_ROW(var_finish) },
	{ .doc = { .name = "var_pop",
		   .synopsis = "var_pop(E)",
		   .summary = "the population variance (divisor n)",
		   .text = "As var, but null only for no value at all.",
		   .group = "numbers",
		   .params = VAR_PARAMS,
		   .examples = { { "var_pop(x)", "1\n2\n3\n4\n", "1.25", NULL } } },
	  VAR_ROW(var_pop_finish) },
	{ .doc = { .name = "stddev",
		   .aliases = "stddev_samp",
		   .synopsis = "stddev(E)",
		   .summary = "the sample standard deviation (divisor n - 1)",
		   .text = "The square root of the exact variance, see var; within one unit in the last place. Values whose squares overflow or "
			   "underflow a double are no trouble.",
		   .group = "numbers",
		   .params = VAR_PARAMS,
		   .examples = { { "stddev(x)", "1\n2\n3\n4\n", "1.2909944487358056", NULL }, { "stddev(x)", "7\n", "null", "too few" } } },
	  VAR_ROW(stddev_finish) },
	{ .doc = { .name = "stddev_pop",
		   .synopsis = "stddev_pop(E)",
		   .summary = "the population standard deviation (divisor n)",
		   .text = "As stddev, but null only for no value at all.",
		   .group = "numbers",
		   .params = VAR_PARAMS,
		   .examples = { { "stddev_pop(x)", "2\n4\n4\n4\n5\n5\n7\n9\n", "2", NULL } } },
	  VAR_ROW(stddev_pop_finish) },
	{ .doc = { .name = NULL } },
};

/* var, stddev and their population forms. The exact sum S and the exact sum of squares Q are kept; at the end
 * (n * Q - S * S) / (n * (n - 1)) is computed in integers of any length and rounded once. */
#include "agg/families.h"

#include <math.h>

#include "agg/pack.h"
#include "agg/sum.h"

/* A float of high * 2^-24 + low * 2^-75, see sum_split(), has the square
 * high^2 * 2^-48 + high * low * 2^-98 + low^2 * 2^-150; each of the three adds up by itself, in two's complement. */
enum part { PART_HH, PART_HL, PART_LL, PARTS };
static const int part_lsb[PARTS] = { 2 * SUM_HIGH_LSB, SUM_HIGH_LSB + SUM_FIX_LSB + 1, 2 * SUM_FIX_LSB };

struct var {
	struct sum s;
	sum_u128 isq;	       /* squares of integers */
	sum_u128 part[PARTS];  /* squares of floats */
	struct superacc *wide; /* squares that fit neither, NULL while none */
};

static struct superacc *var_wide(struct agg_call *c, struct var *v)
{
	if (!v->wide) {
		v->wide = agg_heap(c, superacc_size(SUPERACC_SQ_CHUNKS));
		superacc_init(v->wide, SUPERACC_SQ_CHUNKS);
	}
	return v->wide;
}

static void wide_add(struct superacc *w, superacc_i128 x, int lsb)
{
	superacc_add(w, x < 0 ? -(superacc_u128)x : (superacc_u128)x, (uint32_t)(lsb - SUPERACC_SQ_LSB), x < 0);
}

static void wide_add_isq(struct superacc *w, superacc_u128 isq, bool neg) { superacc_add(w, isq, -SUPERACC_SQ_LSB, neg); }

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

static __attribute__((noinline)) void var_spill(struct agg_call *c, struct var *v, superacc_i128 x, int lsb)
{
	wide_add(var_wide(c, v), x, lsb);
}

AGG_INLINE void var_add_part(struct agg_call *c, struct var *v, enum part p, superacc_i128 x)
{
	if (unlikely(!sum_fix(&v->part[p], (superacc_u128)x)))
		var_spill(c, v, x, part_lsb[p]);
}

/* A square that sum_split() refuses: of a large multiple of 2^-24, or any other. */
static __attribute__((noinline)) void var_odd(struct agg_call *c, struct var *v, double x)
{
	double t = x * 0x1p24;
	uint64_t m;
	int exp;
	bool neg;

	if (!isfinite(x))
		return;
	if (fabs(t) < 0x1p62 && t == (double)(int64_t)t) {
		var_add_part(c, v, PART_HH, (superacc_i128)(int64_t)t * (int64_t)t);
		return;
	}
	double_split(x, &m, &exp, &neg);
	superacc_add(var_wide(c, v), (superacc_u128)m * m, (uint32_t)(2 * exp - SUPERACC_SQ_LSB), false);
}

AGG_INLINE void var_put_double(struct agg_call *c, struct var *v, double x)
{
	int64_t high, low;

	sum_put_double(c, &v->s, x);
	if (unlikely(!sum_split(x, &high, &low))) {
		var_odd(c, v, x);
		return;
	}
	var_add_part(c, v, PART_HH, (superacc_i128)high * high);
	var_add_part(c, v, PART_HL, (superacc_i128)high * low);
	var_add_part(c, v, PART_LL, (superacc_i128)low * low);
}

AGG_INLINE void var_put(struct agg_call *c, void *state, const struct value *x)
{
	struct num n;
	uint64_t abs;

	if (x->type == T_FLOAT) {
		var_put_double(c, state, x->f);
	} else if (value_num(x, &n) == NUM_FLOAT) {
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
	for (int p = 0; p < PARTS; p++)
		var_add_part(c, d, (enum part)p, (superacc_i128)s->part[p]);
	if (s->wide)
		superacc_merge(var_wide(c, d), s->wide, false);
}

static void var_retract(struct agg_call *c, void *dst, const void *src)
{
	struct var *d = dst, *s = (struct var *)(uintptr_t)src;

	sum_merge(c, &d->s, &s->s, true);
	var_sub_isq(c, d, s->isq);
	for (int p = 0; p < PARTS; p++) {
		superacc_i128 x = (superacc_i128)s->part[p];

		if (s->part[p] == (superacc_u128)1 << 127) /* the one number whose negative does not fit */
			superacc_add(var_wide(c, d), s->part[p], (uint32_t)(part_lsb[p] - SUPERACC_SQ_LSB), false);
		else
			var_add_part(c, d, (enum part)p, -x);
	}
	if (s->wide)
		superacc_merge(var_wide(c, d), s->wide, true);
}

static void var_squares(const struct var *v, struct mag *m)
{
	struct superacc a;

	superacc_init(&a, SUPERACC_SQ_CHUNKS);
	wide_add_isq(&a, v->isq, false);
	for (int p = 0; p < PARTS; p++)
		wide_add(&a, (superacc_i128)v->part[p], part_lsb[p]);
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

static superacc_u128 mag_bits128(const struct mag *m, int bit)
{
	return (superacc_u128)mag_bits(m, bit + 64) << 64 | mag_bits(m, bit);
}

/* A loaded total goes where it costs least. */
static void var_take(struct agg_call *c, struct var *v, const struct mag *m)
{
	int top = m->n ? mag_exp(m) : 0, low = m->n ? m->lsb + __builtin_ctz(m->limb[0]) : 0;
	const int lsb = part_lsb[PART_LL], high = part_lsb[PART_HH];

	if (low >= 0 && top < 128) {
		v->isq = mag_bits128(m, 0);
	} else if (low >= lsb && top < high + 127) {
		v->part[PART_HH] = mag_bits128(m, high);
		v->part[PART_LL] = mag_bits128(m, lsb) & (((superacc_u128)1 << (high - lsb)) - 1);
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
	.min_args = 1, .max_args = 1, .flags = AGG_NUMERIC, .state_size = sizeof(struct var), .update = var_update, \
	.merge = var_merge, .finish = fin, .save = var_save, .load = var_load, .release = var_release, .retract = var_retract
#define VAR_PARAMS \
	{ \
		{ \
			"E", "expr", NULL, NULL, "numbers" \
		} \
	}

const struct agg_def agg_family_var[] = {
	{ .doc = { .name = "var",
		   .aliases = "var_samp",
		   .synopsis = "var(E)",
		   .summary = "the sample variance (divisor n - 1)",
		   .text = "Computed from the exact sum and the exact sum of squares and rounded once: it depends neither on "
			   "the order of the records nor on how they were split, and large values with a small spread lose "
			   "nothing. Nulls are skipped; what is no number is skipped and counted. Null for fewer than two "
			   "values; NaN if one is not finite.",
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
		   .text = "The square root of the exact variance, see var; within one unit in the last place. Values whose "
			   "squares overflow or underflow a double are no trouble.",
		   .group = "numbers",
		   .params = VAR_PARAMS,
		   .examples = { { "stddev(x)", "1\n2\n3\n4\n", "1.2909944487358056", NULL },
				 { "stddev(x)", "7\n", "null", "too few" } } },
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

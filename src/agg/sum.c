#include "agg/sum.h"

#include <math.h>

#include "agg/pack.h"

static struct sum_rest *sum_rest(struct agg_call *c, struct sum *s)
{
	if (!s->rest)
		s->rest = agg_heap(c, sizeof *s->rest);
	return s->rest;
}

static struct superacc *sum_big(struct agg_call *c, struct sum *s)
{
	struct sum_rest *r = sum_rest(c, s);

	if (!r->big) {
		r->big = agg_heap(c, superacc_size(SUPERACC_CHUNKS));
		superacc_init(r->big, SUPERACC_CHUNKS);
	}
	return r->big;
}

static void superacc_add_int(struct superacc *a, superacc_i128 v, int lsb)
{
	superacc_add(a, v < 0 ? -(superacc_u128)v : (superacc_u128)v, (uint32_t)(lsb - SUPERACC_LSB), v < 0);
}

/* The inline part is full, or v does not fit it. */
static __attribute__((noinline)) void sum_spill(struct agg_call *c, struct sum *s, superacc_u128 v)
{
	superacc_add_int(sum_big(c, s), (superacc_i128)v, SUM_FIX_LSB);
}

static void sum_add_fix(struct agg_call *c, struct sum *s, superacc_u128 v)
{
	if (!sum_fix(&s->fix, v))
		sum_spill(c, s, v);
}

/* Empties high and low. */
static __attribute__((noinline)) void sum_settle(struct agg_call *c, struct sum *s)
{
	sum_add_fix(c, s, (superacc_u128)sum_loose(s->high, s->low));
	s->high = s->low = 0;
}

/* What sum_split refuses. n_float is the caller's. */
static __attribute__((noinline)) void sum_odd(struct agg_call *c, struct sum *s, double x)
{
	superacc_u128 v;
	uint64_t m;
	int exp;
	bool neg;

	if (sum_fix_of(x, &v)) {
		sum_add_fix(c, s, v);
	} else if (isnan(x)) {
		sum_rest(c, s)->n_nan++;
	} else if (isinf(x)) {
		sum_rest(c, s);
		*(x < 0 ? &s->rest->n_ninf : &s->rest->n_pinf) += 1;
	} else {
		double_split(x, &m, &exp, &neg);
		superacc_add(sum_big(c, s), m, (uint32_t)(exp - SUPERACC_LSB), neg);
	}
}

AGG_INLINE void sum_double(struct agg_call *c, struct sum *s, double x)
{
	int64_t high, low;

	if (sum_split(x, &high, &low)) {
		s->high += high;
		s->low += low;
	} else {
		sum_odd(c, s, x);
	}
	if (unlikely(!(++s->n_float & SUM_LOOSE_MASK)))
		sum_settle(c, s);
}

AGG_INLINE void sum_int(struct sum *s, int64_t i)
{
	s->n_int++;
	s->ints += (superacc_u128)(superacc_i128)i;
}

void sum_put_double(struct agg_call *c, struct sum *s, double x) { sum_double(c, s, x); }

static __attribute__((noinline)) void sum_other(struct agg_call *c, struct sum *s, const struct value *v)
{
	struct num n;

	switch (v->type) {
	case T_DUR:
		sum_rest(c, s)->n_dur++;
		s->rest->dur += (superacc_u128)(superacc_i128)v->i;
		return;
	case T_TIME:
		sum_rest(c, s)->n_time++;
		s->rest->time += (superacc_u128)(superacc_i128)v->i;
		return;
	default:
		value_num(v, &n);
	}
	if (n.kind == NUM_INT)
		sum_int(s, n.i);
	else if (n.kind == NUM_FLOAT)
		sum_double(c, s, n.f);
	else
		agg_fail(c, "not a number");
}

AGG_INLINE void sum_value(struct agg_call *c, struct sum *s, const struct value *v)
{
	if (v->type == T_FLOAT)
		sum_double(c, s, v->f);
	else if (v->type == T_INT)
		sum_int(s, v->i);
	else if (v->type != T_NULL)
		sum_other(c, s, v);
}

void sum_put(struct agg_call *c, struct sum *s, const struct value *v) { sum_value(c, s, v); }

AGG_INLINE struct sum *sum_at(const struct agg_in *in, uint32_t k, bool grouped)
{
	return (struct sum *)(void *)in->states + (grouped ? in->gid[k] : 0);
}

AGG_INLINE bool row_at(const struct agg_in *in, uint32_t k, bool selected, bool nulls, uint32_t *row)
{
	*row = selected ? in->sel[k] : k;
	return !nulls || bit_get(in->col->valid, *row);
}

/* All rows of one group: the total stays in registers. */
AGG_INLINE void sum_floats_one(const struct agg_in *in, bool selected, bool nulls)
{
	struct sum *s = sum_at(in, 0, false);
	int64_t all_high = 0, all_low = 0, high, low;
	uint64_t n = 0;
	uint32_t i;

	for (uint32_t k = 0; k < in->n; k++) {
		if (!row_at(in, k, selected, nulls, &i))
			continue;
		if (sum_split(in->col->f[i], &high, &low)) {
			all_high += high;
			all_low += low;
		} else {
			sum_odd(in->c, s, in->col->f[i]);
		}
		if (unlikely(!(++n & SUM_LOOSE_MASK))) {
			sum_add_fix(in->c, s, (superacc_u128)sum_loose(all_high, all_low));
			all_high = all_low = 0;
		}
	}
	sum_settle(in->c, s);
	sum_add_fix(in->c, s, (superacc_u128)sum_loose(all_high, all_low));
	s->n_float += n;
}

AGG_INLINE void sum_floats_body(const struct agg_in *in, bool grouped, bool selected, bool nulls)
{
	uint32_t i;

	if (!grouped) {
		sum_floats_one(in, selected, nulls);
		return;
	}
	for (uint32_t k = 0; k < in->n; k++)
		if (row_at(in, k, selected, nulls, &i))
			sum_double(in->c, sum_at(in, k, true), in->col->f[i]);
}
AGG_LOOP(sum_floats, sum_floats_body)

AGG_INLINE void sum_ints_one(const struct agg_in *in, bool selected, bool nulls)
{
	struct sum *s = sum_at(in, 0, false);
	superacc_u128 total = 0;
	uint64_t n = 0;
	uint32_t i;

	for (uint32_t k = 0; k < in->n; k++) {
		if (!row_at(in, k, selected, nulls, &i))
			continue;
		n++;
		total += (superacc_u128)(superacc_i128)in->col->i[i];
	}
	s->n_int += n;
	s->ints += total;
}

AGG_INLINE void sum_ints_body(const struct agg_in *in, bool grouped, bool selected, bool nulls)
{
	uint32_t i;

	if (!grouped) {
		sum_ints_one(in, selected, nulls);
		return;
	}
	for (uint32_t k = 0; k < in->n; k++)
		if (row_at(in, k, selected, nulls, &i))
			sum_int(sum_at(in, k, true), in->col->i[i]);
}
AGG_LOOP(sum_ints, sum_ints_body)

AGG_INLINE void sum_values_body(const struct agg_in *in, bool grouped, bool selected, bool nulls)
{
	(void)nulls;
	for (uint32_t k = 0; k < in->n; k++)
		sum_value(in->c, sum_at(in, k, grouped), &in->col->v[selected ? in->sel[k] : k]);
}
AGG_LOOP(sum_values, sum_values_body)

static void sum_put_any(struct agg_call *c, void *s, const struct value *v) { sum_put(c, s, v); }

void sum_column(const struct agg_in *in)
{
	switch (in->col->type) {
	case T_NULL:
		return;
	case T_FLOAT:
		agg_typed(in, sum_floats);
		return;
	case T_INT:
		agg_typed(in, sum_ints);
		return;
	case T_BOOL:
	case T_TIME:
	case T_DUR:
		agg_each(in, sum_put_any);
		return;
	default:
		agg_typed(in, sum_values);
	}
}

static void rest_merge(struct agg_call *c, struct sum *dst, struct sum_rest *r, bool neg)
{
	struct sum_rest *d = sum_rest(c, dst);
	uint64_t sign = neg ? -(uint64_t)1 : 1;
	superacc_u128 wide = neg ? -(superacc_u128)1 : 1;

	if (r->big)
		superacc_merge(sum_big(c, dst), r->big, neg);
	d->n_pinf += sign * r->n_pinf;
	d->n_ninf += sign * r->n_ninf;
	d->n_nan += sign * r->n_nan;
	d->n_dur += sign * r->n_dur;
	d->n_time += sign * r->n_time;
	d->dur += wide * r->dur;
	d->time += wide * r->time;
}

void sum_merge(struct agg_call *c, struct sum *dst, struct sum *src, bool neg)
{
	dst->n_int += neg ? -src->n_int : src->n_int;
	dst->n_float += neg ? -src->n_float : src->n_float;
	dst->ints += neg ? -src->ints : src->ints;
	sum_settle(c, dst);
	dst->high = neg ? -src->high : src->high;
	dst->low = neg ? -src->low : src->low;
	sum_settle(c, dst);
	if (neg && src->fix == (superacc_u128)1 << 127) /* the one number whose negative does not fit */
		superacc_add(sum_big(c, dst), src->fix, SUM_FIX_LSB - SUPERACC_LSB, false);
	else
		sum_add_fix(c, dst, neg ? -src->fix : src->fix);
	if (src->rest)
		rest_merge(c, dst, src->rest, neg);
}

void sum_mag(const struct sum *s, struct mag *m)
{
	struct superacc a;

	superacc_init(&a, SUPERACC_CHUNKS);
	superacc_add_int(&a, (superacc_i128)s->ints, 0);
	superacc_add_int(&a, (superacc_i128)s->fix, SUM_FIX_LSB);
	superacc_add_int(&a, sum_loose(s->high, s->low), SUM_FIX_LSB);
	if (s->rest && s->rest->big)
		superacc_merge(&a, s->rest->big, false);
	superacc_mag(&a, SUPERACC_LSB, m);
}

bool sum_special(const struct sum *s, double *out)
{
	const struct sum_rest *r = s->rest;

	if (!r || !(r->n_nan || r->n_pinf || r->n_ninf))
		return false;
	*out = r->n_nan || (r->n_pinf && r->n_ninf) ? (double)NAN : r->n_pinf ? INFINITY : -INFINITY;
	return true;
}

enum type sum_kind(const struct sum *s)
{
	bool num = s->n_int || s->n_float, dur = s->rest && s->rest->n_dur, time = s->rest && s->rest->n_time;

	if (num + dur + time > 1)
		return T_ANY;
	return num ? T_FLOAT : dur ? T_DUR : time ? T_TIME : T_NULL;
}

/* Saved: what is there, counts, the exact total. The total is one number, wherever its parts were kept: equal sums, equal bytes.
 */
enum { SAVED_SPECIAL = 1, SAVED_DUR = 2, SAVED_TIME = 4 };

static void sum_save_rest(const struct sum_rest *r, struct buf *b)
{
	int has = r ? (r->n_pinf || r->n_ninf || r->n_nan ? SAVED_SPECIAL : 0) | (r->n_dur ? SAVED_DUR : 0) |
				  (r->n_time ? SAVED_TIME : 0)
		    : 0;

	buf_char(b, (char)has);
	if (has & SAVED_SPECIAL) {
		pack_uint(b, r->n_pinf);
		pack_uint(b, r->n_ninf);
		pack_uint(b, r->n_nan);
	}
	if (has & SAVED_DUR) {
		pack_uint(b, r->n_dur);
		pack_int128(b, (__int128)r->dur);
	}
	if (has & SAVED_TIME) {
		pack_uint(b, r->n_time);
		pack_int128(b, (__int128)r->time);
	}
}

static int load_counted(const char **p, const char *end, uint64_t *n, sum_u128 *total)
{
	__int128 v;

	if (unpack_uint(p, end, n) || unpack_int128(p, end, &v) || !*n)
		return -1;
	*total = (superacc_u128)v;
	return 0;
}

static int sum_load_rest(struct agg_call *c, struct sum *s, const char **p, const char *end)
{
	struct sum_rest *r;
	int has;

	if (*p >= end || (has = (unsigned char)*(*p)++) > 7)
		return -1;
	if (!has)
		return 0;
	r = sum_rest(c, s);
	if (has & SAVED_SPECIAL) {
		if (unpack_uint(p, end, &r->n_pinf) || unpack_uint(p, end, &r->n_ninf) || unpack_uint(p, end, &r->n_nan))
			return -1;
		if (!(r->n_pinf || r->n_ninf || r->n_nan))
			return -1;
	}
	if (has & SAVED_DUR && load_counted(p, end, &r->n_dur, &r->dur))
		return -1;
	return has & SAVED_TIME ? load_counted(p, end, &r->n_time, &r->time) : 0;
}

void sum_save(const struct sum *s, struct buf *b)
{
	struct mag m;

	pack_uint(b, s->n_int);
	pack_uint(b, s->n_float);
	sum_save_rest(s->rest, b);
	if (s->n_int || s->n_float) {
		sum_mag(s, &m);
		mag_save(b, &m, SUPERACC_LSB);
	}
}

/* Put a loaded total where it costs least: among the integers, into the inline part, or into a superaccumulator. */
static int sum_take(struct agg_call *c, struct sum *s, const struct mag *m)
{
	struct mag shifted = *m;
	superacc_i128 v;

	if (!s->n_float) {
		if (!mag_int(m, &v))
			return -1;
		s->ints = (superacc_u128)v;
		return 0;
	}
	shifted.lsb -= SUM_FIX_LSB;
	if (mag_int(&shifted, &v))
		s->fix = (superacc_u128)v;
	else
		superacc_add_mag(sum_big(c, s), m, SUPERACC_LSB);
	return 0;
}

int sum_load(struct agg_call *c, struct sum *s, const char **p, const char *end)
{
	struct mag m;

	if (unpack_uint(p, end, &s->n_int) || unpack_uint(p, end, &s->n_float) || sum_load_rest(c, s, p, end))
		return -1;
	if (!s->n_int && !s->n_float)
		return s->rest && (s->rest->n_pinf || s->rest->n_ninf || s->rest->n_nan) ? -1 : 0;
	if (mag_load(p, end, &m, SUPERACC_LSB, SUPERACC_CHUNKS))
		return -1;
	return sum_take(c, s, &m);
}

void sum_release(struct agg_call *c, struct sum *s)
{
	if (s->rest) {
		agg_heap_free(c, s->rest->big, superacc_size(SUPERACC_CHUNKS));
		agg_heap_free(c, s->rest, sizeof *s->rest);
	}
	memset(s, 0, sizeof *s);
}

#include "agg/superacc.h"

#include <math.h>

#include "agg/pack.h"

#define ROOM ((uint32_t)1 << 30)

size_t superacc_size(uint32_t n) { return offsetof(struct superacc, chunk) + n * sizeof(int64_t); }

void superacc_init(struct superacc *a, uint32_t n)
{
	memset(a, 0, superacc_size(n));
	a->n = n;
	a->room = ROOM;
}

/* Afterwards every chunk but the highest is in 0..2^32-1: one form for one value. */
static void superacc_carry(struct superacc *a)
{
	int64_t carry = 0;

	for (uint32_t i = 0; i + 1 < a->n; i++) {
		int64_t v = a->chunk[i] + carry;

		a->chunk[i] = v & 0xffffffff;
		carry = v >> 32;
	}
	a->chunk[a->n - 1] += carry;
	a->room = ROOM;
}

static inline void superacc_took(struct superacc *a)
{
	if (unlikely(!--a->room))
		superacc_carry(a);
}

void superacc_add(struct superacc *a, superacc_u128 m, uint32_t bit, bool neg)
{
	uint32_t at = bit / 32, shift = bit % 32;
	uint64_t rest = 0;

	for (; m || rest; at++) {
		uint64_t v = (((uint64_t)m & 0xffffffff) << shift) | rest;

		a->chunk[at] += neg ? -(int64_t)(v & 0xffffffff) : (int64_t)(v & 0xffffffff);
		rest = v >> 32;
		m >>= 32;
	}
	superacc_took(a);
}

void superacc_merge(struct superacc *dst, struct superacc *src, bool neg)
{
	superacc_carry(src);
	superacc_carry(dst);
	for (uint32_t i = 0; i < dst->n; i++)
		dst->chunk[i] += neg ? -src->chunk[i] : src->chunk[i];
	superacc_took(dst);
}

void superacc_add_mag(struct superacc *a, const struct mag *m, int lsb)
{
	uint32_t at = (uint32_t)(m->lsb - lsb) / 32;

	if (!m->n)
		return;
	for (uint32_t i = 0; i < m->n; i++)
		a->chunk[at + i] += m->neg ? -(int64_t)m->limb[i] : (int64_t)m->limb[i];
	superacc_took(a);
}

static void mag_trim(struct mag *m)
{
	uint32_t low = 0;

	while (m->n && !m->limb[m->n - 1])
		m->n--;
	while (low < m->n && !m->limb[low])
		low++;
	if (low) {
		memmove(m->limb, m->limb + low, (m->n - low) * sizeof *m->limb);
		m->n -= low;
		m->lsb += 32 * (int)low;
	}
	if (!m->n)
		m->neg = false;
}

void superacc_mag(struct superacc *a, int lsb, struct mag *m)
{
	int64_t carry = 0;

	superacc_carry(a);
	m->neg = a->chunk[a->n - 1] < 0;
	m->sticky = false;
	m->lsb = lsb;
	m->n = a->n + 1;
	for (uint32_t i = 0; i < a->n; i++) {
		int64_t v = (m->neg ? -a->chunk[i] : a->chunk[i]) + carry;

		m->limb[i] = (uint32_t)v;
		carry = v >> 32;
	}
	m->limb[a->n] = (uint32_t)carry;
	mag_trim(m);
}

void mag_set(struct mag *m, superacc_u128 v, int lsb, bool neg)
{
	m->neg = neg;
	m->sticky = false;
	m->lsb = lsb;
	m->n = 4;
	for (uint32_t i = 0; i < 4; i++)
		m->limb[i] = (uint32_t)(v >> (32 * i));
	mag_trim(m);
}

void mag_mul(struct mag *m, uint64_t v)
{
	superacc_u128 carry = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		carry += (superacc_u128)m->limb[i] * v;
		m->limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
	for (; carry; carry >>= 32)
		m->limb[m->n++] = (uint32_t)carry;
	mag_trim(m);
}

void mag_square(struct mag *m, const struct mag *a)
{
	m->neg = m->sticky = false;
	m->lsb = 2 * a->lsb;
	m->n = 2 * a->n;
	memset(m->limb, 0, m->n * sizeof *m->limb);
	for (uint32_t i = 0; i < a->n; i++) {
		uint64_t carry = 0;

		for (uint32_t j = 0; j < a->n; j++) {
			carry += (uint64_t)a->limb[i] * a->limb[j] + m->limb[i + j];
			m->limb[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		m->limb[i + a->n] = (uint32_t)carry;
	}
	mag_trim(m);
}

static uint32_t mag_limb(const struct mag *m, int lsb)
{
	int at = (lsb - m->lsb) / 32;

	return lsb >= m->lsb && at < (int)m->n ? m->limb[at] : 0;
}

void mag_sub(struct mag *m, const struct mag *a, const struct mag *b)
{
	int64_t borrow = 0;
	int lsb = b->n && b->lsb < a->lsb ? b->lsb : a->lsb;
	int top = a->lsb + 32 * (int)a->n;

	m->neg = m->sticky = false;
	m->lsb = lsb;
	m->n = 0;
	if (!a->n || (b->n && b->lsb + 32 * (int)b->n > top))
		return;
	for (int at = lsb; at < top; at += 32) {
		int64_t v = (int64_t)mag_limb(a, at) - mag_limb(b, at) + borrow;

		m->limb[m->n++] = (uint32_t)v;
		borrow = v >> 32;
	}
	if (borrow)
		m->n = 0;
	mag_trim(m);
}

static uint64_t div_step(uint64_t *rest, uint32_t limb, uint64_t d)
{
	superacc_u128 v;

	if (*rest >> 32 == 0) {
		uint64_t w = *rest << 32 | limb;

		*rest = w % d;
		return w / d;
	}
	v = (superacc_u128)*rest << 32 | limb;
	*rest = (uint64_t)(v % d);
	return (uint64_t)(v / d);
}

void mag_div(struct mag *m, uint64_t d, uint32_t extend)
{
	uint64_t rest = 0;

	memmove(m->limb + extend, m->limb, m->n * sizeof *m->limb);
	memset(m->limb, 0, extend * sizeof *m->limb);
	m->n += m->n ? extend : 0;
	m->lsb -= 32 * (int)extend;
	for (uint32_t i = m->n; i-- > 0;)
		m->limb[i] = (uint32_t)div_step(&rest, m->limb[i], d);
	m->sticky = m->sticky || rest;
	mag_trim(m);
}

uint64_t mag_bits(const struct mag *m, int bit)
{
	int rel = bit - m->lsb, at = rel >> 5;
	superacc_u128 v = 0;

	for (int i = 2; i >= 0; i--)
		v = v << 32 | (at + i >= 0 && at + i < (int)m->n ? m->limb[at + i] : 0);
	return (uint64_t)(v >> (rel & 31));
}

static bool mag_any_below(const struct mag *m, int bit)
{
	int rel = bit - m->lsb;

	if (m->sticky)
		return true;
	if (rel <= 0 || !m->n)
		return false; /* the lowest limb is not zero, so anything at all below shows there */
	if (rel >= 32)
		return true;
	return (m->limb[0] & (((uint32_t)1 << rel) - 1)) != 0;
}

int mag_exp(const struct mag *m) { return m->lsb + 32 * (int)m->n - 1 - __builtin_clz(m->limb[m->n - 1]); }

double mag_double(const struct mag *m)
{
	int keep, e;
	uint64_t q;
	double f;

	if (!m->n)
		return 0;
	e = mag_exp(m);
	if (e > 1023)
		return m->neg ? -INFINITY : INFINITY;
	keep = e - 52 < -1074 ? -1074 : e - 52;
	q = mag_bits(m, keep) & (((uint64_t)1 << 53) - 1);
	if (mag_bits(m, keep - 1) & 1 && (q & 1 || mag_any_below(m, keep - 1)))
		q++;
	f = ldexp((double)q, keep);
	return m->neg ? -f : f;
}

bool mag_int(const struct mag *m, superacc_i128 *out)
{
	superacc_u128 v;

	if (!m->n) {
		*out = 0;
		return true;
	}
	if (mag_any_below(m, 0) || mag_exp(m) > 126)
		return false;
	v = (superacc_u128)mag_bits(m, 64) << 64 | mag_bits(m, 0);
	*out = m->neg ? -(superacc_i128)v : (superacc_i128)v;
	return true;
}

void mag_save(struct buf *b, const struct mag *m, int lsb)
{
	pack_uint(b, (uint64_t)m->n << 1 | m->neg);
	if (!m->n)
		return;
	pack_uint(b, (uint64_t)(m->lsb - lsb) / 32);
	for (uint32_t i = 0; i < m->n; i++)
		pack_fixed(b, m->limb[i], 4);
}

int mag_load(const char **p, const char *end, struct mag *m, int lsb, uint32_t chunks)
{
	uint64_t n, at = 0, limb;

	memset(m, 0, offsetof(struct mag, limb));
	m->lsb = lsb;
	if (unpack_uint(p, end, &n) || n == 1 || n >> 1 > chunks)
		return -1;
	if (!n)
		return 0;
	m->neg = n & 1;
	m->n = (uint32_t)(n >> 1);
	if (unpack_uint(p, end, &at) || at > chunks - m->n)
		return -1;
	m->lsb += 32 * (int)at;
	for (uint32_t i = 0; i < m->n; i++) {
		if (unpack_fixed(p, end, &limb, 4))
			return -1;
		m->limb[i] = (uint32_t)limb;
	}
	return m->limb[0] && m->limb[m->n - 1] ? 0 : -1;
}

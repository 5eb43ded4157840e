#include "agg/hll.h"

#include <math.h>

#include "agg/pack.h"

#define RHO_MAX (64 - HLL_PRECISION + 1)
/* Sparse tables up to the size of the dense form. */
#define SLOTS_MIN 8
#define SLOTS_MAX (HLL_REGISTERS / 4)
/* From so many registers on, all are saved. */
#define SAVE_DENSE (HLL_REGISTERS / 3)

struct hll {
	uint8_t *dense; /* HLL_REGISTERS, or NULL while sparse */
	uint32_t *slot; /* register << 6 | rho, 0: free; open addressing by the register */
	uint32_t n, slots;
};

static void dense_put(struct hll *h, uint32_t reg, uint32_t rho)
{
	if (h->dense[reg] < rho)
		h->dense[reg] = (uint8_t)rho;
}

/* True when the register was not there. */
static bool sparse_put(uint32_t *slot, uint32_t slots, uint32_t reg, uint32_t rho)
{
	uint32_t at = reg & (slots - 1);

	while (slot[at] && slot[at] >> 6 != reg)
		at = (at + 1) & (slots - 1);
	if (slot[at]) {
		if ((slot[at] & 63) < rho)
			slot[at] = reg << 6 | rho;
		return false;
	}
	slot[at] = reg << 6 | rho;
	return true;
}

static void hll_free_slots(struct agg_call *c, struct hll *h)
{
	agg_heap_free(c, h->slot, h->slots * sizeof *h->slot);
	h->slot = NULL;
	h->slots = 0;
}

static void hll_to_dense(struct agg_call *c, struct hll *h)
{
	h->dense = agg_heap(c, HLL_REGISTERS);
	for (uint32_t i = 0; i < h->slots; i++)
		if (h->slot[i])
			dense_put(h, h->slot[i] >> 6, h->slot[i] & 63);
	hll_free_slots(c, h);
}

static void hll_widen(struct agg_call *c, struct hll *h)
{
	uint32_t slots = h->slots ? h->slots * 2 : SLOTS_MIN;
	uint32_t *slot;

	if (slots > SLOTS_MAX) {
		hll_to_dense(c, h);
		return;
	}
	slot = agg_heap(c, slots * sizeof *slot);
	for (uint32_t i = 0; i < h->slots; i++)
		if (h->slot[i])
			sparse_put(slot, slots, h->slot[i] >> 6, h->slot[i] & 63);
	hll_free_slots(c, h);
	h->slot = slot;
	h->slots = slots;
}

static void hll_put(struct agg_call *c, struct hll *h, uint32_t reg, uint32_t rho)
{
	if (!h->dense && h->n >= h->slots / 4 * 3)
		hll_widen(c, h);
	if (h->dense)
		dense_put(h, reg, rho);
	else
		h->n += sparse_put(h->slot, h->slots, reg, rho);
}

static struct hll *hll_make(struct agg_call *c, struct hll **h)
{
	if (!*h)
		*h = agg_heap(c, sizeof **h);
	return *h;
}

void hll_add(struct agg_call *c, struct hll **h, uint64_t hash)
{
	uint64_t rest = hash << HLL_PRECISION;

	hll_put(c, hll_make(c, h), (uint32_t)(hash >> (64 - HLL_PRECISION)),
		rest ? (uint32_t)__builtin_clzll(rest) + 1 : RHO_MAX);
}

void hll_merge(struct agg_call *c, struct hll **dst, const struct hll *src)
{
	struct hll *d;

	if (!src)
		return;
	d = hll_make(c, dst);
	for (uint32_t i = 0; i < src->slots; i++)
		if (src->slot[i])
			hll_put(c, d, src->slot[i] >> 6, src->slot[i] & 63);
	for (uint32_t i = 0; src->dense && i < HLL_REGISTERS; i++)
		if (src->dense[i])
			hll_put(c, d, i, src->dense[i]);
}

static double ertl_sigma(double x)
{
	double y = 1, z = x, was;

	if (x == 1)
		return INFINITY;
	do {
		x *= x;
		was = z;
		z += x * y;
		y += y;
	} while (z != was);
	return z;
}

static double ertl_tau(double x)
{
	double y = 1, z = 1 - x, was;

	if (x == 0 || x == 1)
		return 0;
	do {
		x = sqrt(x);
		was = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	} while (z != was);
	return z / 3;
}

/* How many registers hold each rho. */
static void hll_histogram(const struct hll *h, uint32_t count[RHO_MAX + 1])
{
	memset(count, 0, (RHO_MAX + 1) * sizeof *count);
	count[0] = h->dense ? 0 : HLL_REGISTERS - h->n;
	for (uint32_t i = 0; i < h->slots; i++)
		if (h->slot[i])
			count[h->slot[i] & 63]++;
	for (uint32_t i = 0; h->dense && i < HLL_REGISTERS; i++)
		count[h->dense[i]]++;
}

double hll_estimate(const struct hll *h)
{
	const double m = HLL_REGISTERS;
	uint32_t count[RHO_MAX + 1];
	double z;

	if (!h)
		return 0;
	hll_histogram(h, count);
	z = m * ertl_tau(1 - count[RHO_MAX] / m);
	for (int k = RHO_MAX - 1; k >= 1; k--)
		z = 0.5 * (z + count[k]);
	z += m * ertl_sigma(count[0] / m);
	return m * m / (2 * M_LN2 * z);
}

static uint32_t hll_used(const uint8_t *reg)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < HLL_REGISTERS; i++)
		n += reg[i] != 0;
	return n;
}

static void hll_spread(const struct hll *h, uint8_t *reg)
{
	memset(reg, 0, HLL_REGISTERS);
	if (h && h->dense)
		memcpy(reg, h->dense, HLL_REGISTERS);
	for (uint32_t i = 0; h && i < h->slots; i++)
		if (h->slot[i])
			reg[h->slot[i] >> 6] = h->slot[i] & 63;
}

/* The count of registers used, then each (distance to the one before, rho), or from SAVE_DENSE on every register. */
void hll_save(const struct hll *h, struct buf *b)
{
	uint8_t reg[HLL_REGISTERS];
	uint32_t n, last = 0;

	hll_spread(h, reg);
	n = hll_used(reg);
	pack_uint(b, n);
	if (n >= SAVE_DENSE) {
		buf_add(b, reg, HLL_REGISTERS);
		return;
	}
	for (uint32_t i = 0; i < HLL_REGISTERS; i++) {
		if (!reg[i])
			continue;
		pack_uint(b, i - last);
		buf_char(b, (char)reg[i]);
		last = i;
	}
}

static int load_sparse(uint8_t *reg, uint64_t n, const char **p, const char *end)
{
	uint64_t at = 0, step;

	memset(reg, 0, HLL_REGISTERS);
	for (uint64_t i = 0; i < n; i++) {
		if (unpack_uint(p, end, &step) || step >= HLL_REGISTERS || (i && !step) || (at += step) >= HLL_REGISTERS ||
		    *p >= end)
			return -1;
		reg[at] = (uint8_t) * (*p)++;
	}
	return 0;
}

static int load_registers(uint8_t *reg, uint64_t *n, const char **p, const char *end)
{
	if (unpack_uint(p, end, n) || *n > HLL_REGISTERS)
		return -1;
	if (*n < SAVE_DENSE) {
		if (load_sparse(reg, *n, p, end))
			return -1;
	} else {
		if (end - *p < HLL_REGISTERS)
			return -1;
		memcpy(reg, *p, HLL_REGISTERS);
		*p += HLL_REGISTERS;
	}
	for (uint32_t i = 0; i < HLL_REGISTERS; i++)
		if (reg[i] > RHO_MAX)
			return -1;
	return hll_used(reg) == *n ? 0 : -1;
}

int hll_load(struct agg_call *c, struct hll **h, const char **p, const char *end)
{
	uint8_t reg[HLL_REGISTERS];
	uint64_t n;

	if (load_registers(reg, &n, p, end))
		return -1;
	for (uint32_t i = 0; n && i < HLL_REGISTERS; i++)
		if (reg[i])
			hll_put(c, hll_make(c, h), i, reg[i]);
	return 0;
}

void hll_release(struct agg_call *c, struct hll **h)
{
	if (!*h)
		return;
	hll_free_slots(c, *h);
	agg_heap_free(c, (*h)->dense, HLL_REGISTERS);
	agg_heap_free(c, *h, sizeof **h);
	*h = NULL;
}

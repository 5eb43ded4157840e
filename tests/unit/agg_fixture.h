/* What the tests of aggregates share: a generator of numbers, of awkward values, and calls bound by name. */
#ifndef STRM_TEST_AGG_FIXTURE_H
#define STRM_TEST_AGG_FIXTURE_H
#include <math.h>

#include "agg/agg.h"
#include "test.h"

static uint64_t rng_state = 0x9e3779b97f4a7c15ull;

__attribute__((unused)) static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x2545f4914f6cdd1dull;
}

__attribute__((unused)) static uint32_t rng_below(uint32_t n) { return (uint32_t)((rng() >> 32) * n >> 32); }

/* 0 <= x < 1 */
__attribute__((unused)) static double rng_unit(void) { return (double)(rng() >> 11) * 0x1p-53; }

/* Any finite double, all exponents alike, subnormals included. */
__attribute__((unused)) static double rng_double(void)
{
	uint64_t bits = rng();
	double x;

	if ((bits >> 52 & 0x7ff) == 0x7ff)
		bits &= ~((uint64_t)1 << 60);
	memcpy(&x, &bits, 8);
	return x;
}

/* A call as op/ would bind it. Params must outlive it. */
__attribute__((unused)) static struct agg_call agg_bind(const char *name, bool distinct, const struct value *params,
							uint32_t n_params)
{
	struct agg_call c = { .distinct = distinct, .params = params, .n_params = n_params };
	struct err e = { 0 };

	c.def = agg_find(name, &c.param);
	if (!c.def) {
		printf("# no aggregate \"%s\"\n", name);
		abort();
	}
	c.state_size = c.def->state_size;
	if (c.def->prepare && c.def->prepare(&c, &e)) {
		printf("# %s\n", e.msg);
		abort();
	}
	return c;
}

__attribute__((unused)) static void *agg_state(const struct agg_call *c) { return xcalloc(1, c->state_size); }

__attribute__((unused)) static void agg_drop(struct agg_call *c, void *state)
{
	if (c->def->release)
		c->def->release(c, state);
	free(state);
}

/* Finish a fresh state over one column of n rows. */
__attribute__((unused)) static struct value agg_of(struct agg_call *c, const struct column *col, uint32_t n, struct arena *a)
{
	void *s = agg_state(c);
	struct value v = v_null();

	c->def->update(c, s, NULL, col, NULL, n, NULL);
	c->def->finish(c, s, a, &v);
	agg_drop(c, s);
	return v;
}

__attribute__((unused)) static struct column column_of_doubles(double *f) { return (struct column){ .f = f, .type = T_FLOAT }; }

__attribute__((unused)) static struct column column_of_values(struct value *v)
{
	return (struct column){ .v = v, .type = T_ANY, .has_null = true };
}

#endif

#include "base/num.h"

#include <math.h>

#define TWO63 0x1p63

int num_double_to_int(double v, int64_t *out)
{
	int64_t i;

	if (!(v >= -TWO63 && v < TWO63))
		return 0;
	i = (int64_t)v;
	if ((double)i != v)
		return 0;
	*out = i;
	return 1;
}

int num_cmp_int_double(int64_t a, double b)
{
	int64_t whole;
	double rest;

	if (isnan(b) || b >= TWO63)
		return -1;
	if (b < -TWO63)
		return 1;
	whole = (int64_t)b;
	if (a != whole)
		return a < whole ? -1 : 1;
	rest = b - (double)whole; /* exact: a double with a fraction is below 2^53 */
	return (rest < 0) - (rest > 0);
}

static int cmp_double(double a, double b)
{
	if (isnan(a) || isnan(b))
		return !!isnan(a) - !!isnan(b);
	return (a > b) - (a < b);
}

int num_cmp(const struct num *a, const struct num *b)
{
	if (a->kind == NUM_INT && b->kind == NUM_INT)
		return (a->i > b->i) - (a->i < b->i);
	if (a->kind == NUM_INT)
		return num_cmp_int_double(a->i, b->f);
	if (b->kind == NUM_INT)
		return -num_cmp_int_double(b->i, a->f);
	return cmp_double(a->f, b->f);
}

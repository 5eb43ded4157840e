/* Numbers in lists. Nulls do not count; what is not a number makes the answer null. */
#define FN_GROUP "lists of numbers"
#include <math.h>
#include <stdlib.h>

#include "expr/fn_impl.h"

/* A running sum: exact while all are ints that fit, else compensated (Neumaier 1974). */
struct total {
	int64_t i;
	double f, lost;
	bool real;
};

static void total_real(struct total *t, double x)
{
	double sum = t->f + x;

	if (isfinite(sum))
		t->lost += fabs(t->f) >= fabs(x) ? (t->f - sum) + x : (x - sum) + t->f;
	t->f = sum;
}

static void total_add(struct total *t, const struct num *n)
{
	int64_t sum;

	if (n->kind == NUM_INT && !t->real && !__builtin_add_overflow(t->i, n->i, &sum)) {
		t->i = sum;
		return;
	}
	if (!t->real) {
		t->real = true;
		t->f = (double)t->i;
		t->lost = (double)((__int128)t->i - (__int128)t->f);
	}
	total_real(t, n->kind == NUM_INT ? (double)n->i : n->f);
}

static struct value total_value(const struct total *t) { return t->real ? v_float(t->f + t->lost) : v_int(t->i); }

/* The numbers of a list without nulls, in the arena. */
static struct num *numbers(struct fn_call *c, const struct value *v, size_t *n)
{
	const struct value *items;
	struct num *x;
	uint32_t len;

	*n = 0;
	if (!fn_arg_list(c, v, &items, &len))
		return NULL;
	x = arena_array(c->arena, struct num, len + 1);
	for (uint32_t i = 0; i < len; i++)
		if (items[i].type != T_NULL && !fn_arg_num(c, &items[i], &x[(*n)++]))
			return NULL;
	return x;
}

static double num_double(const struct num *n) { return n->kind == NUM_INT ? (double)n->i : n->f; }

static void row_sum(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	struct total t = { 0 };
	size_t n;
	struct num *x = numbers(c, v, &n);

	(void)k;
	for (size_t i = 0; x && i < n; i++)
		total_add(&t, &x[i]);
	if (x)
		*out = total_value(&t);
}

static void row_product(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	struct num r = { .kind = NUM_INT, .i = 1 };
	size_t n;
	struct num *x = numbers(c, v, &n);

	(void)k;
	if (!x)
		return;
	for (size_t i = 0; i < n; i++) {
		int64_t p;

		if (r.kind == NUM_INT && x[i].kind == NUM_INT && !__builtin_mul_overflow(r.i, x[i].i, &p))
			r.i = p;
		else
			r = (struct num){ .kind = NUM_FLOAT, .f = num_double(&r) * num_double(&x[i]) };
	}
	*out = value_from_num(&r);
}

static double mean(const struct num *x, size_t n)
{
	struct total t = { 0 };

	for (size_t i = 0; i < n; i++)
		total_add(&t, &x[i]);
	return (t.real ? t.f + t.lost : (double)t.i) / (double)n;
}

static void row_avg(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	size_t n;
	struct num *x = numbers(c, v, &n);

	(void)k;
	if (x && n)
		*out = v_float(mean(x, n));
}

static void extreme(struct fn_call *c, const struct value *v, int sign, struct value *out)
{
	const struct value *items;
	uint32_t n;

	if (!fn_arg_list(c, v, &items, &n))
		return;
	for (uint32_t i = 0; i < n; i++)
		if (items[i].type != T_NULL && (out->type == T_NULL || sign * value_cmp(&items[i], out) > 0))
			*out = items[i];
}

static void row_min(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	(void)k;
	extreme(c, v, -1, out);
}

static void row_max(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	(void)k;
	extreme(c, v, 1, out);
}

/* ---- spread and middle ---- */

/* Sum of squared distances from the mean, in two passes. */
static double squares(const struct num *x, size_t n)
{
	double m = mean(x, n), sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (num_double(&x[i]) - m) * (num_double(&x[i]) - m);
	return sum;
}

static void row_var(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	size_t n;
	struct num *x = numbers(c, v, &n);

	(void)k;
	if (x && n > 1)
		*out = v_float(squares(x, n) / (double)(n - 1));
}

static void row_stddev(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	size_t n;
	struct num *x = numbers(c, v, &n);

	(void)k;
	if (x && n > 1)
		*out = v_float(sqrt(squares(x, n) / (double)(n - 1)));
}

static int cmp_num(const void *a, const void *b) { return num_cmp(a, b); }

/* Linear between the two nearest ranks. */
static void quantile(struct num *x, size_t n, double p, struct value *out)
{
	double at = p * (double)(n - 1), low = floor(at);
	size_t i = (size_t)low;

	qsort(x, n, sizeof *x, cmp_num);
	if (at == low)
		*out = value_from_num(&x[i]);
	else
		*out = v_float(num_double(&x[i]) + (at - low) * (num_double(&x[i + 1]) - num_double(&x[i])));
}

static void row_median(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	size_t n;
	struct num *x = numbers(c, v, &n);

	(void)k;
	if (x && n)
		quantile(x, n, 0.5, out);
}

static void row_quantile(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	struct num *x;
	double p;
	size_t n;

	(void)k;
	x = numbers(c, v, &n);
	if (!x || !fn_arg_double(c, &v[1], &p))
		return;
	if (!(p >= 0 && p <= 1))
		fn_fail(c, "a quantile is from 0 to 1");
	else if (n)
		quantile(x, n, p, out);
}

/* ---- along the list ---- */

static void row_cumsum(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	struct total t = { 0 };
	struct value *items;
	struct num x;

	(void)k;
	if (v->type != T_LIST) {
		fn_fail(c, "not a list");
		return;
	}
	if (!(items = fn_items(c, v->n)))
		return;
	for (uint32_t i = 0; i < v->n; i++) {
		if (v->items[i].type != T_NULL) {
			if (!fn_arg_num(c, &v->items[i], &x))
				return;
			total_add(&t, &x);
		}
		items[i] = total_value(&t);
	}
	*out = v_list(items, v->n);
}

static struct value difference(const struct num *a, const struct num *b)
{
	int64_t d;

	if (a->kind == NUM_INT && b->kind == NUM_INT && !__builtin_sub_overflow(b->i, a->i, &d))
		return v_int(d);
	return v_float(num_double(b) - num_double(a));
}

static void row_deltas(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	size_t n;
	struct num *x = numbers(c, v, &n);
	struct value *items;

	(void)k;
	if (!x || !(items = fn_items(c, n)))
		return;
	for (size_t i = 1; i < n; i++)
		items[i - 1] = difference(&x[i - 1], &x[i]);
	*out = v_list(items, n ? n - 1 : 0);
}

static void row_dot(struct fn_call *c, const struct value *v, uint32_t k, struct value *out)
{
	struct total t = { 0 };
	struct num *x, *y;
	size_t n, m;

	(void)k;
	if (!(x = numbers(c, &v[0], &n)) || !(y = numbers(c, &v[1], &m)))
		return;
	if (n != m) {
		fn_fail(c, "lists of different lengths");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct num p = { .kind = NUM_INT };

		if (x[i].kind != NUM_INT || y[i].kind != NUM_INT || __builtin_mul_overflow(x[i].i, y[i].i, &p.i))
			p = (struct num){ .kind = NUM_FLOAT, .f = num_double(&x[i]) * num_double(&y[i]) };
		total_add(&t, &p);
	}
	*out = total_value(&t);
}

#define OVER(name, row_, alias, sum, expr, result) \
	{ \
		FN_DOC(name, name "(LIST)", sum), .doc.aliases = alias, FN_EX(EX(expr, result)), FN_ARGS(1, 1), .row = row_ \
	}

static const struct fn_def defs[] = {
	OVER("list_sum", row_sum, "array_sum", "sum; of the empty list 0", "list_sum([1, 2.5, null])", "3.5"),
	OVER("list_product", row_product, NULL, "product; of the empty list 1", "list_product([2, 3, 4])", "24"),
	OVER("list_avg", row_avg, "list_mean", "arithmetic mean, null without numbers", "list_avg([1, 2, 4, 5])", "3"),
	OVER("list_min", row_min, "array_min", "smallest item in sort order, null without any", "list_min([3, 1, null])", "1"),
	OVER("list_max", row_max, "array_max", "largest item in sort order that is not null", "list_max([3, 10, null])", "10"),
	OVER("list_var", row_var, NULL, "sample variance (by n - 1), null below two numbers", "list_var([1, 2, 3])", "1"),
	OVER("list_stddev", row_stddev, NULL, "sample standard deviation", "list_stddev([1, 2, 3])", "1"),
	OVER("list_median", row_median, NULL, "middle number, or the mean of the two in the middle", "list_median([9, 1, 2, 3])",
	     "2.5"),
	{ FN_DOC("list_quantile", "list_quantile(LIST, P)", "quantile P (0 to 1), linear between the nearest two"),
	  FN_EX(EX("list_quantile([1, 2, 3, 4, 5], 0.25)", "2")), FN_ARGS(2, 2), .row = row_quantile },
	OVER("cumsum", row_cumsum, NULL, "list of the running sums", "cumsum([1, 2, 3])", "[1,3,6]"),
	OVER("deltas", row_deltas, "diffs", "list of the steps from each number to the next", "deltas([1, 4, 9])", "[3,5]"),
	{ FN_DOC("dot", "dot(A, B)", "sum of the products, item by item"), FN_EX(EX("dot([1, 2], [3, 4])", "11")), FN_ARGS(2, 2),
	  .row = row_dot },
};

FN_FAMILY(fn_family_list_math);

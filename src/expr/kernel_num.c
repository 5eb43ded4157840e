/* Kernels of arithmetic and comparison. Each is a typed loop; what has no kernel goes through the row operators, which define the meaning. */
#include "expr/expr_impl.h"

/* Index of a row in a column that may be constant. */
#define AT(c, i) ((c)->constant ? 0 : (i))

static uint64_t *valid_both(const struct batch *b, const struct column *l, const struct column *r)
{
	const struct column *nulls[2] = { l->valid && !l->constant ? l : NULL, r->valid && !r->constant ? r : NULL };
	uint64_t *m;

	if (!nulls[0] && !nulls[1])
		return NULL;
	m = bitmap_make(b->arena, b->n_rows);
	for (int k = 0; k < 2; k++)
		for (uint32_t w = 0; nulls[k] && w < bit_words(b->n_rows); w++)
			m[w] &= nulls[k]->valid[w];
	return m;
}

/* ---- arithmetic ---- */

/* OP over doubles; L and R give the operand of row i. */
#define DOUBLE_LOOP(OP, L, R) BATCH_EACH(sel, n_sel, i) out.f[i] = (L)OP(R)

#define DOUBLE_KERNEL(name, LT, RT)                                                                                                      \
	static struct column name(enum op_code op, const struct batch *b, const struct column *l, const struct column *r, const uint32_t *sel, \
				  uint32_t n_sel)                                                                                        \
	{                                                                                                                                \
		struct column out = column_make(b->arena, T_FLOAT, b->n_rows);                                                           \
		const uint32_t ls = !l->constant, rs = !r->constant;                                                                     \
		const LT *restrict x = l->data;                                                                                          \
		const RT *restrict y = r->data;                                                                                          \
                                                                                                                                         \
		out.valid = valid_both(b, l, r);                                                                                         \
		if (op == OP_ADD)                                                                                                        \
			DOUBLE_LOOP(+, (double)x[i * ls], (double)y[i * rs]);                                                            \
		else if (op == OP_SUB)                                                                                                   \
			DOUBLE_LOOP(-, (double)x[i * ls], (double)y[i * rs]);                                                            \
		else                                                                                                                     \
			DOUBLE_LOOP(*, (double)x[i * ls], (double)y[i * rs]);                                                            \
		return out;                                                                                                              \
	}
DOUBLE_KERNEL(arith_ff, double, double)
DOUBLE_KERNEL(arith_if, int64_t, double)
DOUBLE_KERNEL(arith_fi, double, int64_t)

/* Integers; false when some row overflowed (then the row operators decide). */
static bool arith_ii(enum op_code op, const struct batch *b, const struct column *l, const struct column *r, const uint32_t *sel, uint32_t n_sel,
		     struct column *out)
{
	const uint32_t ls = !l->constant, rs = !r->constant;
	const int64_t *restrict x = l->i, *restrict y = r->i;
	bool over = false;

	*out = column_make(b->arena, T_INT, b->n_rows);
	out->valid = valid_both(b, l, r);
	if (op == OP_ADD)
		BATCH_EACH(sel, n_sel, i) over |= __builtin_add_overflow(x[i * ls], y[i * rs], &out->i[i]);
	else if (op == OP_SUB)
		BATCH_EACH(sel, n_sel, i) over |= __builtin_sub_overflow(x[i * ls], y[i * rs], &out->i[i]);
	else
		BATCH_EACH(sel, n_sel, i) over |= __builtin_mul_overflow(x[i * ls], y[i * rs], &out->i[i]);
	return !over;
}

static bool is_number_column(const struct column *c) { return c->type == T_INT || c->type == T_FLOAT; }

static double double_at(const struct column *c, uint32_t i) { return c->type == T_INT ? (double)c->i[AT(c, i)] : c->f[AT(c, i)]; }

/* Of which at least one has floats; false when some divisor is 0 (then the row operators say so). */
static bool divide(const struct batch *b, const struct column *l, const struct column *r, const uint32_t *sel, uint32_t n_sel, struct column *out)
{
	bool zero = false;

	if (l->type == T_INT && r->type == T_INT)
		return false; /* a type for each row */
	*out = column_make(b->arena, T_FLOAT, b->n_rows);
	out->valid = valid_both(b, l, r);
	BATCH_EACH(sel, n_sel, i)
	{
		double by = double_at(r, i);

		zero |= by == 0;
		out->f[i] = double_at(l, i) / by;
	}
	return !zero;
}

/* The column, or its spelled numbers in `numbers` where all are of one type. An expression over columns that are not waits a while before it looks again. */
static const struct column *as_numbers(struct expr *x, const struct batch *b, const struct column *c, const uint32_t *sel, uint32_t n_sel, struct column *numbers)
{
	if (c->constant || column_is_scalar(c->type))
		return c;
	if (x->unlike) {
		x->unlike--;
		return c;
	}
	if (column_numbers_typed(b->arena, c, sel, n_sel, b->n_rows, numbers))
		return numbers;
	x->unlike = UINT8_MAX;
	return c;
}

static struct column arith_rows(struct expr *x, struct eval *ev, const struct batch *b, const struct column *l, const struct column *r,
				const uint32_t *sel, uint32_t n_sel)
{
	struct value *out = arena_array(b->arena, struct value, b->n_rows);

	BATCH_EACH(sel, n_sel, i)
	{
		struct value p = column_get(l, i), q = column_get(r, i);
		const char *why = NULL;

		out[i] = rowop_arith(x->op, &p, &q, ev->env, &why);
		if (unlikely(why) && ev->fails)
			fails_add(ev->fails, x->what, why, &b->origin, i);
	}
	return column_tighten(b->arena, out, sel, n_sel, b->n_rows);
}

struct column kernel_arith(struct expr *x, struct eval *ev, const struct batch *b, const struct column *left, const struct column *right,
			   const uint32_t *sel, uint32_t n_sel)
{
	struct column out, numbers[2];
	const struct column *l = as_numbers(x, b, left, sel, n_sel, &numbers[0]), *r = as_numbers(x, b, right, sel, n_sel, &numbers[1]);

	if (x->op == OP_ADD || x->op == OP_SUB || x->op == OP_MUL) {
		if (l->type == T_INT && r->type == T_INT && arith_ii(x->op, b, l, r, sel, n_sel, &out))
			return out;
		if (l->type == T_FLOAT && r->type == T_FLOAT)
			return arith_ff(x->op, b, l, r, sel, n_sel);
		if (l->type == T_INT && r->type == T_FLOAT)
			return arith_if(x->op, b, l, r, sel, n_sel);
		if (l->type == T_FLOAT && r->type == T_INT)
			return arith_fi(x->op, b, l, r, sel, n_sel);
	}
	if (x->op == OP_DIV && is_number_column(l) && is_number_column(r) && divide(b, l, r, sel, n_sel, &out))
		return out;
	return arith_rows(x, ev, b, left, right, sel, n_sel);
}

/* ---- comparison ---- */

static int cmp_i(int64_t a, int64_t b) { return a < b ? -1 : a > b; }

static void copy_valid(struct bools *out, const struct batch *b, const struct column *l, const struct column *r)
{
	out->c.valid = valid_both(b, l, r);
}

/* int against int, time against time, duration against duration */
static struct column compare_ii(enum op_code op, const struct batch *b, const struct column *l, const struct column *r, const uint32_t *sel,
				uint32_t n_sel)
{
	struct bools out = bools_make(b->arena, b->n_rows);
	const uint32_t ls = !l->constant, rs = !r->constant;
	const int64_t *restrict x = l->i, *restrict y = r->i;
	bool *restrict d = out.c.b;

	copy_valid(&out, b, l, r);
	switch (op) {
	case OP_EQ:
		BATCH_EACH(sel, n_sel, i) d[i] = x[i * ls] == y[i * rs];
		break;
	case OP_NE:
		BATCH_EACH(sel, n_sel, i) d[i] = x[i * ls] != y[i * rs];
		break;
	case OP_LT:
		BATCH_EACH(sel, n_sel, i) d[i] = x[i * ls] < y[i * rs];
		break;
	case OP_GT:
		BATCH_EACH(sel, n_sel, i) d[i] = x[i * ls] > y[i * rs];
		break;
	default:
		BATCH_EACH(sel, n_sel, i) d[i] = compare_holds(op, cmp_i(x[i * ls], y[i * rs]));
	}
	return out.c;
}

static struct num num_at(const struct column *c, uint32_t i)
{
	if (c->type == T_INT)
		return (struct num){ .kind = NUM_INT, .i = c->i[AT(c, i)] };
	return (struct num){ .kind = NUM_FLOAT, .f = c->f[AT(c, i)] };
}

static struct column compare_numbers(enum op_code op, const struct batch *b, const struct column *l, const struct column *r, const uint32_t *sel,
				     uint32_t n_sel)
{
	struct bools out = bools_make(b->arena, b->n_rows);

	copy_valid(&out, b, l, r);
	BATCH_EACH(sel, n_sel, i)
	{
		struct num p = num_at(l, i), q = num_at(r, i);

		out.c.b[i] = compare_holds(op, num_cmp(&p, &q));
	}
	return out.c;
}

static void compare_row(struct expr *x, struct eval *ev, const struct batch *b, const struct value *p, const struct value *q,
			struct bools *out, uint32_t i)
{
	const char *why = NULL;

	bools_set(out, i, rowop_compare(x->op, p, q, ev->env, &why));
	if (unlikely(why) && ev->fails)
		fails_add(ev->fails, x->what, why, &b->origin, i);
}

/* Text fields against a number: `status >= 500`. */
static struct column compare_text_number(struct expr *x, struct eval *ev, const struct batch *b, const struct column *l, const struct column *r,
					 const uint32_t *sel, uint32_t n_sel)
{
	struct bools out;
	struct num q, p;
	struct value k = column_get(r, 0);
	struct column numbers;
	const struct column *typed = as_numbers(x, b, l, sel, n_sel, &numbers);

	if (typed->type == T_INT && r->type == T_INT)
		return compare_ii(x->op, b, typed, r, sel, n_sel);
	if (is_number_column(typed) && is_number_column(r))
		return compare_numbers(x->op, b, typed, r, sel, n_sel);
	out = bools_make(b->arena, b->n_rows);
	value_num(&k, &q);
	BATCH_EACH(sel, n_sel, i)
	{
		const struct value *v = &l->v[i];

		if (likely((v->type == T_TEXT || v->type == T_NUM) && num_parse(v->s, v->n, &p) != NUM_NOT))
			out.c.b[i] = compare_holds(x->op, p.kind == NUM_INT && q.kind == NUM_INT ? cmp_i(p.i, q.i) : num_cmp(&p, &q));
		else
			compare_row(x, ev, b, v, &k, &out, i);
	}
	return out.c;
}

/* Text fields equal to a quoted literal. */
static struct column compare_text_literal(struct expr *x, struct eval *ev, const struct batch *b, const struct column *l,
					  const struct value *k, const uint32_t *sel, uint32_t n_sel)
{
	struct bools out = bools_make(b->arena, b->n_rows);
	const bool want = x->op == OP_EQ;

	BATCH_EACH(sel, n_sel, i)
	{
		const struct value *v = &l->v[i];

		if (likely(v->type == T_TEXT || v->type == T_STR))
			out.c.b[i] = (v->n == k->n && !memcmp(v->s, k->s, k->n)) == want;
		else
			compare_row(x, ev, b, v, k, &out, i);
	}
	return out.c;
}

static struct column compare_rows(struct expr *x, struct eval *ev, const struct batch *b, const struct column *l, const struct column *r,
				  const uint32_t *sel, uint32_t n_sel)
{
	struct bools out = bools_make(b->arena, b->n_rows);

	BATCH_EACH(sel, n_sel, i)
	{
		struct value p = column_get(l, i), q = column_get(r, i);

		compare_row(x, ev, b, &p, &q, &out, i);
	}
	return out.c;
}

struct column kernel_compare(struct expr *x, struct eval *ev, const struct batch *b, const struct column *l, const struct column *r,
			     const uint32_t *sel, uint32_t n_sel)
{
	if (l->type == r->type && (l->type == T_INT || l->type == T_TIME || l->type == T_DUR))
		return compare_ii(x->op, b, l, r, sel, n_sel);
	if (is_number_column(l) && is_number_column(r))
		return compare_numbers(x->op, b, l, r, sel, n_sel);
	if (r->constant && !l->constant && !column_is_scalar(l->type)) {
		struct value k = column_get(r, 0);

		if (k.type == T_INT || k.type == T_FLOAT)
			return compare_text_number(x, ev, b, l, r, sel, n_sel);
		if (k.type == T_STR && (x->op == OP_EQ || x->op == OP_NE))
			return compare_text_literal(x, ev, b, l, &k, sel, n_sel);
	}
	return compare_rows(x, ev, b, l, r, sel, n_sel);
}

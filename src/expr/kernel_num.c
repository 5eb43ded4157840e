/* Kernels of arithmetic and comparison. Each is a typed loop; what has no kernel goes through the row operators, which define the meaning. */
#include "base/short_nums.h"
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

struct column kernel_arith(struct expr *x, struct eval *ev, const struct batch *b, const struct column *l, const struct column *r,
			   const uint32_t *sel, uint32_t n_sel)
{
	struct column out;

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
	return arith_rows(x, ev, b, l, r, sel, n_sel);
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
static struct column compare_text_number(struct expr *x, struct eval *ev, const struct batch *b, const struct column *l,
					 const struct value *k, const uint32_t *sel, uint32_t n_sel)
{
	struct bools out = bools_make(b->arena, b->n_rows);
	struct num q, p;

	value_num(k, &q);
	BATCH_EACH(sel, n_sel, i)
	{
		const struct value *v = &l->v[i];

		if (likely((v->type == T_TEXT || v->type == T_NUM) && num_parse(v->s, v->n, &p) != NUM_NOT))
			out.c.b[i] = compare_holds(x->op, p.kind == NUM_INT && q.kind == NUM_INT ? cmp_i(p.i, q.i) : num_cmp(&p, &q));
		else
			compare_row(x, ev, b, v, k, &out, i);
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

static bool is_number_column(const struct column *c) { return c->type == T_INT || c->type == T_FLOAT; }

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
			return compare_text_number(x, ev, b, l, &k, sel, n_sel);
		if (k.type == T_STR && (x->op == OP_EQ || x->op == OP_NE))
			return compare_text_literal(x, ev, b, l, &k, sel, n_sel);
	}
	return compare_rows(x, ev, b, l, r, sel, n_sel);
}

/* ---- conversion ---- */

/* The first bytes of some texts of a column; what is no text has length 0. */
struct words {
	uint64_t word[SHORT_NUMS], len[SHORT_NUMS];
};

static void words_fill(struct words *w, const struct value *v, const uint32_t *rows, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		const struct value *x = rows ? &v[rows[k]] : &v[k];
		bool text = (x->type == T_TEXT || x->type == T_NUM) && x->n;

		w->len[k] = text ? x->n : 0;
		w->word[k] = text ? short_nums_word(x->s, x->n) : 0;
	}
}

/* Some rows of a column, all of this kind, into `out`; false: one is not. */
#define NUMBERS_SOME(name, c_type, kernel, KIND, member) \
	static bool name(struct words *w, const struct value *v, const uint32_t *rows, uint32_t n, c_type *out) \
	{ \
		const struct short_nums_ops *ops = short_nums_ops(simd_level()); \
		struct num x; \
\
		words_fill(w, v, rows, n); \
		for (uint32_t k = 0; (k += ops->kernel(w->word + k, w->len + k, n - k, out + k)) < n;) \
			for (uint32_t to = k + 8 < n ? k + 8 : n; k < to; k++) { \
				if (value_num(rows ? &v[rows[k]] : &v[k], &x) != KIND) \
					return false; \
				out[k] = x.member; \
			} \
		return true; \
	}

NUMBERS_SOME(floats_some, double, floats, NUM_FLOAT, f)
NUMBERS_SOME(ints_some, int64_t, ints, NUM_INT, i)

static bool floats_typed(struct arena *a, const struct column *c, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows, struct column *out)
{
	struct words w;
	double some[SHORT_NUMS];

	*out = column_make(a, T_FLOAT, n_rows);
	for (uint32_t k = 0, n; k < n_sel; k += n) {
		n = n_sel - k < SHORT_NUMS ? n_sel - k : SHORT_NUMS;
		if (!floats_some(&w, sel ? c->v : c->v + k, sel ? sel + k : NULL, n, sel ? some : out->f + k))
			return false;
		for (uint32_t j = 0; sel && j < n; j++)
			out->f[sel[k + j]] = some[j];
	}
	return true;
}

static bool ints_typed(struct arena *a, const struct column *c, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows, struct column *out)
{
	struct words w;
	int64_t some[SHORT_NUMS];

	*out = column_make(a, T_INT, n_rows);
	for (uint32_t k = 0, n; k < n_sel; k += n) {
		n = n_sel - k < SHORT_NUMS ? n_sel - k : SHORT_NUMS;
		if (!ints_some(&w, sel ? c->v : c->v + k, sel ? sel + k : NULL, n, sel ? some : out->i + k))
			return false;
		for (uint32_t j = 0; sel && j < n; j++)
			out->i[sel[k + j]] = some[j];
	}
	return true;
}

/* All rows floats or all ints, as the first one is: straight into typed storage. false: mixed, or something is no number. */
static bool numbers_typed(struct arena *a, const struct column *c, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows, struct column *out)
{
	struct num n;

	if (!n_sel)
		return false;
	switch (value_num(&c->v[sel ? sel[0] : 0], &n)) {
	case NUM_INT:
		return ints_typed(a, c, sel, n_sel, n_rows, out);
	case NUM_FLOAT:
		return floats_typed(a, c, sel, n_sel, n_rows, out);
	default:
		return false;
	}
}

struct column column_numbers(struct arena *a, const struct column *c, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows, bool strict,
			     struct not_numbers *failures)
{
	struct column out;
	struct value *v;
	struct num n;

	if (c->type == T_INT || c->type == T_FLOAT || c->type == T_NULL)
		return *c;
	if (!c->constant && !column_is_scalar(c->type) && numbers_typed(a, c, sel, n_sel, n_rows, &out))
		return out;
	v = arena_array(a, struct value, n_rows);
	BATCH_EACH(sel, n_sel, i)
	{
		v[i] = column_get(c, i);
		if (v[i].type == T_NULL || v[i].type == T_INT || v[i].type == T_FLOAT)
			continue;
		if (value_num(&v[i], &n) != NUM_NOT) {
			v[i] = value_from_num(&n);
		} else if (strict && v[i].type != T_DUR && v[i].type != T_TIME) {
			v[i] = v_null();
			if (!failures->n++)
				failures->first = i;
		}
	}
	return column_tighten(a, v, sel, n_sel, n_rows);
}

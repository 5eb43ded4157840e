/* Columns of spelled numbers as columns of numbers. */
#include "base/short_nums.h"
#include "expr/expr_impl.h"

/* A stretch of the selected rows, the first bytes of their texts; what is no text has length 0. */
struct stretch {
	const struct value *v;
	const uint32_t *rows; /* NULL: all from v on */
	uint32_t n;
	bool nulls; /* some row was null */
	uint64_t word[SHORT_NUMS], len[SHORT_NUMS];
};

static const struct value *stretch_at(const struct stretch *s, uint32_t k) { return &s->v[s->rows ? s->rows[k] : k]; }

/* Nulls are spelled as a zero of the type. */
static void stretch_fill(struct stretch *s, enum type t)
{
	const char *zero = t == T_INT ? "0       " : "0.      ";

	for (uint32_t k = 0; k < s->n; k++) {
		const struct value *v = stretch_at(s, k);
		const bool text = (v->type == T_TEXT || v->type == T_NUM) && v->n, null = v->type == T_NULL;
		const char *p = text ? v->s : zero;

		s->nulls |= null;
		s->len[k] = text ? v->n : null ? 2 - (t == T_INT) : 0;
		s->word[k] = short_nums_word(p, text ? v->n : 8);
	}
}

/* A row that the kernels would not have, into row `at`. False: it is of another type. */
static bool slow_row(const struct value *v, struct column *to, uint32_t at)
{
	struct num n = { .i = 0, .f = 0 };

	if (v->type != T_NULL && value_num(v, &n) != (to->type == T_INT ? NUM_INT : NUM_FLOAT))
		return false;
	if (to->type == T_INT)
		to->i[at] = n.i;
	else
		to->f[at] = n.f;
	return true;
}

/* Into the rows from `at` on. */
static bool stretch_numbers(struct stretch *s, struct column *to, uint32_t at)
{
	const struct short_nums_ops *ops = short_nums_ops(simd_level());
	uint32_t k = 0, end;

	for (;;) {
		k += to->type == T_INT ? ops->ints(s->word + k, s->len + k, s->n - k, to->i + at + k) :
					 ops->floats(s->word + k, s->len + k, s->n - k, to->f + at + k);
		if (k == s->n)
			return true;
		/* where one is not of the short form, its neighbours tend to be like it */
		for (end = k + 8 < s->n ? k + 8 : s->n; k < end; k++)
			if (!slow_row(stretch_at(s, k), to, at + k))
				return false;
	}
}

static void clear_nulls(struct arena *a, const struct column *c, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows, struct column *out)
{
	BATCH_EACH(sel, n_sel, i)
	{
		if (c->v[i].type != T_NULL)
			continue;
		if (!out->valid)
			out->valid = bitmap_make(a, n_rows);
		bit_clear(out->valid, i);
	}
	out->has_null = true;
}

static void scatter(const struct column *some, const uint32_t *rows, uint32_t n, struct column *out)
{
	if (out->type == T_INT)
		for (uint32_t k = 0; k < n; k++)
			out->i[rows[k]] = some->i[k];
	else
		for (uint32_t k = 0; k < n; k++)
			out->f[rows[k]] = some->f[k];
}

static enum num_kind first_kind(const struct column *c, const uint32_t *sel, uint32_t n_sel)
{
	struct num n;

	BATCH_EACH(sel, n_sel, i)
	{
		if (c->v[i].type != T_NULL)
			return value_num(&c->v[i], &n);
	}
	return NUM_NOT;
}

bool column_numbers_typed(struct arena *a, const struct column *c, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows, struct column *out)
{
	enum num_kind kind = c->type == T_NULL ? NUM_NOT : first_kind(c, sel, n_sel);
	enum type t = kind == NUM_INT ? T_INT : T_FLOAT;
	struct column some = { .type = t };
	struct stretch s;

	if (kind == NUM_NOT)
		return false;
	*out = column_make(a, t, n_rows);
	s.nulls = false;
	if (sel)
		some = column_make(a, t, SHORT_NUMS);
	for (uint32_t k = 0; k < n_sel; k += s.n) {
		s.v = sel ? c->v : c->v + k;
		s.rows = sel ? sel + k : NULL;
		s.n = n_sel - k < SHORT_NUMS ? n_sel - k : SHORT_NUMS;
		stretch_fill(&s, t);
		if (!stretch_numbers(&s, sel ? &some : out, sel ? 0 : k))
			return false;
		if (sel)
			scatter(&some, s.rows, s.n, out);
	}
	if (s.nulls)
		clear_nulls(a, c, sel, n_sel, n_rows, out);
	return true;
}

struct column column_numbers(struct arena *a, const struct column *c, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows, bool strict,
			     struct not_numbers *failures)
{
	struct column out;
	struct value *v;
	struct num n;

	if (c->type == T_INT || c->type == T_FLOAT || c->type == T_NULL)
		return *c;
	if (!c->constant && !column_is_scalar(c->type) && column_numbers_typed(a, c, sel, n_sel, n_rows, &out))
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

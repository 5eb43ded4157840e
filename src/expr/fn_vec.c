/* Whole batches of the hottest text functions: a column of text against a constant. */
#include "base/utf8.h"
#include "expr/fn_impl.h"

static bool is_text_column(const struct column *c) { return (c->type == T_STR || c->type == T_TEXT) && !c->constant; }

static void null_row(struct fn_call *c, struct column *out, uint32_t n_rows, uint32_t row)
{
	if (!out->valid)
		out->valid = bitmap_make(c->arena, n_rows);
	bit_clear(out->valid, row);
}

static inline struct fn_text text_of(const struct value *v) { return (struct fn_text){ v->s, v->n }; }

static inline bool starts(struct fn_text s, struct fn_text p) { return s.n >= p.n && !memcmp(s.p, p.p, p.n); }

static inline bool ends(struct fn_text s, struct fn_text p) { return s.n >= p.n && !memcmp(s.p + s.n - p.n, p.p, p.n); }

static inline bool holds(struct fn_text s, struct fn_text p) { return fn_find_bytes(s, p, 0) != (size_t)-1; }

/* text column, constant text -> bool column */
#define TEXT_TEST(name, test) \
	FN_VEC(name) \
	{ \
		const struct column *p = &args[1]; \
\
		(void)n_args; \
		if (!is_text_column(&args[0]) || !p->constant || (p->type != T_STR && p->type != T_TEXT) || \
		    p->v[0].type == T_NULL || !p->v[0].n) \
			return false; \
		*out = column_make(c->arena, T_BOOL, n_rows); \
		BATCH_EACH(sel, n_sel, i) \
		{ \
			const struct value *v = &args[0].v[i]; \
\
			out->b[i] = v->type != T_NULL && test(text_of(v), text_of(&p->v[0])); \
			if (unlikely(v->type == T_NULL)) \
				null_row(c, out, n_rows, i); \
		} \
		out->has_null = out->valid != NULL; \
		return true; \
	}
TEXT_TEST(contains, holds)
TEXT_TEST(starts_with, starts)
TEXT_TEST(ends_with, ends)

FN_VEC(len)
{
	(void)n_args;
	if (!is_text_column(&args[0]))
		return false;
	*out = column_make(c->arena, T_INT, n_rows);
	BATCH_EACH(sel, n_sel, i)
	{
		const struct value *v = &args[0].v[i];

		out->i[i] = v->type == T_NULL ? 0 : (int64_t)utf8_length(v->s, v->n);
		if (unlikely(v->type == T_NULL))
			null_row(c, out, n_rows, i);
	}
	out->has_null = out->valid != NULL;
	return true;
}

/* Shared by the function families: how a row is written down, and the small tools of row functions. */
#ifndef STRM_EXPR_FN_IMPL_H
#define STRM_EXPR_FN_IMPL_H
#include "expr/fn.h"

/* A registry row. FN_GROUP is the section of the reference, defined by the family's file. */
#define FN_DOC(n, syn, sum) .doc.name = n, .doc.synopsis = syn, .doc.summary = sum, .doc.group = FN_GROUP
#define FN_EX(...) .doc.examples = { __VA_ARGS__ }
#define EX(expr, result) \
	{ \
		.args = expr, .out = result \
	}
#define FN_ARGS(least, most) .min_args = least, .max_args = most
#define FN_ANY 255

struct fn_family {
	const struct fn_def *defs;
	unsigned n;
};
#define FN_FAMILY(name) const struct fn_family name = { defs, ARRAY_LEN(defs) }

extern const struct fn_family fn_family_string, fn_family_text, fn_family_pad, fn_family_regex, fn_family_math, fn_family_bits,
	fn_family_time, fn_family_calendar, fn_family_convert, fn_family_choose, fn_family_hash, fn_family_encode, fn_family_list,
	fn_family_list_math, fn_family_sets, fn_family_object, fn_family_json, fn_family_cells, fn_family_url, fn_family_ip,
	fn_family_special;

/* Limits of one result. */
#define FN_TEXT_MAX ((size_t)256 << 20)
#define FN_ITEMS_MAX ((size_t)16 << 20)

struct fn_text {
	const char *p;
	size_t n;
};

/* Sets the reason; false. */
static inline bool fn_fail(struct fn_call *c, const char *why)
{
	c->fail = why;
	return false;
}

static inline bool fn_text(struct fn_call *c, const struct value *v, struct fn_text *t) { return fn_arg_str(c, v, &t->p, &t->n); }

static inline bool fn_same(struct fn_text a, struct fn_text b) { return a.n == b.n && !memcmp(a.p, b.p, a.n); }

/* Room for n bytes of a result, NULL and a reason when they are too many. */
char *fn_room(struct fn_call *c, size_t n);
/* Likewise for n items or fields. */
struct value *fn_items(struct fn_call *c, size_t n);
struct field *fn_fields(struct fn_call *c, size_t n);
/* Index `at` of a sequence of n, counted from the end when negative, clamped to 0..n. */
size_t fn_clamp(int64_t at, size_t n);
/* First occurrence of needle in s at or after `from`, or (size_t)-1. The empty needle is found at once. */
size_t fn_find_bytes(struct fn_text s, struct fn_text needle, size_t from);
/* Are the two equal by `==`? */
bool fn_equal(struct fn_call *c, const struct value *a, const struct value *b);
/* The zone named by an optional last argument; the run's zone when args[at] is not there. */
bool fn_arg_zone(struct fn_call *c, const struct value *args, uint32_t n, uint32_t at, const struct zone **z);
/* Stable sort by value_cmp, descending when asked, nulls last either way; in place (items are the caller's own). */
void fn_sort_values(struct arena *a, struct value *items, size_t n, bool desc);
/* A field of an object result. The name must live as long as the value. */
static inline struct field fn_field(const char *name, size_t n, struct value v)
{
	return (struct field){ .name = name, .name_n = (uint32_t)n, .v = v };
}

/* Kernels of fn_vec.c, as fn_def's vec. */
#define FN_VEC(name) \
	bool fn_vec_##name(struct fn_call *c, const struct column *args, uint32_t n_args, const uint32_t *sel, uint32_t n_sel, \
			   uint32_t n_rows, struct column *out)
FN_VEC(contains);
FN_VEC(starts_with);
FN_VEC(ends_with);
FN_VEC(len);

/* Text under construction, in the call's arena. After an overflow of FN_TEXT_MAX it takes nothing more and fails at the end. */
struct fn_sb {
	struct fn_call *c;
	char *p;
	size_t n, cap;
	bool full;
};
char *fn_sb_room(struct fn_sb *b, size_t n);
void fn_sb_add(struct fn_sb *b, const void *p, size_t n);
static inline void fn_sb_char(struct fn_sb *b, char ch)
{
	if (likely(b->n < b->cap))
		b->p[b->n++] = ch;
	else
		fn_sb_add(b, &ch, 1);
}
static inline void fn_sb_text(struct fn_sb *b, struct fn_text t) { fn_sb_add(b, t.p, t.n); }
/* The text as a result; null with the reason when it grew too long. */
void fn_sb_out(struct fn_sb *b, struct value *out);

/* Items under construction. */
struct fn_lb {
	struct fn_call *c;
	struct value *v;
	size_t n, cap;
	bool full;
};
void fn_lb_add(struct fn_lb *b, struct value v);
void fn_lb_out(struct fn_lb *b, struct value *out);

#endif

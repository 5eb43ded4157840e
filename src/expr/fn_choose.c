/* Choosing among values, and comparing them in the order of `sort`. */
#define FN_GROUP "choice"
#include "expr/fn_impl.h"

static void row_coalesce(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)c;
	for (uint32_t i = 0; i < n && out->type == T_NULL; i++)
		*out = v[i];
}

static void row_first_of(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)c;
	for (uint32_t i = 0; i < n; i++) {
		bool empty = v[i].type == T_NULL || ((type_is_bytes(v[i].type) || v[i].type >= T_LIST) && v[i].n == 0);

		if (!empty) {
			*out = v[i];
			return;
		}
	}
}

static void extreme(const struct value *v, uint32_t n, int sign, struct value *out)
{
	for (uint32_t i = 0; i < n; i++)
		if (v[i].type != T_NULL && (out->type == T_NULL || sign * value_cmp(&v[i], out) > 0))
			*out = v[i];
}

static void row_least(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)c;
	extreme(v, n, -1, out);
}

static void row_greatest(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)c;
	extreme(v, n, 1, out);
}

static void row_compare(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int cmp = value_cmp(&v[0], &v[1]);

	(void)c, (void)n;
	*out = v_int((cmp > 0) - (cmp < 0));
}

static void row_between(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)c, (void)n;
	*out = v_bool(value_cmp(&v[0], &v[1]) >= 0 && value_cmp(&v[0], &v[2]) <= 0);
}

static void row_null_if(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	*out = v[0];
	for (uint32_t i = 1; i < n; i++)
		if (fn_equal(c, &v[0], &v[i]))
			*out = v_null();
}

static void row_same(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	if (v[0].type == T_NULL || v[1].type == T_NULL)
		*out = v_bool(v[0].type == v[1].type);
	else
		*out = v_bool(fn_equal(c, &v[0], &v[1]));
}

/* case(C1, V1, C2, V2, ..., ELSE) */
static void row_case(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	uint32_t i = 0;

	(void)c;
	for (; i + 1 < n; i += 2)
		if (value_truth(&v[i]) == 1) {
			*out = v[i + 1];
			return;
		}
	if (i < n)
		*out = v[i];
}

/* match(X, A1, V1, A2, V2, ..., ELSE) */
static void row_decode(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	uint32_t i = 1;

	for (; i + 1 < n; i += 2)
		if (v[0].type == T_NULL ? v[i].type == T_NULL : fn_equal(c, &v[0], &v[i])) {
			*out = v[i + 1];
			return;
		}
	if (i < n)
		*out = v[i];
}

static const struct fn_def defs[] = {
	{ FN_DOC("coalesce", "coalesce(X ...)", "the first that is not null"), .doc.aliases = "ifnull nvl default",
	  FN_EX(EX("coalesce(null, 2, 3)", "2")), FN_ARGS(1, FN_ANY), .flags = FN_NULLS, .row = row_coalesce },
	{ FN_DOC("first_of", "first_of(X ...)", "the first that is neither null nor empty"),
	  FN_EX(EX("first_of(\"\", null, \"a\")", "\"a\"")), FN_ARGS(1, FN_ANY), .flags = FN_NULLS, .row = row_first_of },
	{ FN_DOC("least", "least(X ...)", "the smallest in sort order; nulls do not count"), FN_EX(EX("least(3, 1, null)", "1")),
	  FN_ARGS(1, FN_ANY), .flags = FN_NULLS, .row = row_least },
	{ FN_DOC("greatest", "greatest(X ...)", "the largest in sort order; nulls do not count"),
	  FN_EX(EX("greatest(3, 10, null)", "10")), FN_ARGS(1, FN_ANY), .flags = FN_NULLS, .row = row_greatest },
	{ FN_DOC("compare", "compare(A, B)", "-1, 0 or 1 as A sorts before, with or behind B"), .doc.aliases = "cmp",
	  FN_EX(EX("compare(\"a\", \"b\")", "-1"), EX("compare(10, 9)", "1")), FN_ARGS(2, 2), .flags = FN_NULLS,
	  .row = row_compare },
	{ FN_DOC("between", "between(X, LOW, HIGH)", "not below LOW and not above HIGH"), FN_EX(EX("between(5, 1, 5)", "true")),
	  FN_ARGS(3, 3), .row = row_between },
	{ FN_DOC("null_if", "null_if(X, A ...)", "null if X equals one of the others, else X"), .doc.aliases = "nullif",
	  FN_EX(EX("null_if(\"-\", \"-\", \"\")", "null")), FN_ARGS(2, FN_ANY), .flags = FN_NULLS, .row = row_null_if },
	{ FN_DOC("same", "same(A, B)", "equal, where null equals null"), .doc.aliases = "equal_null",
	  FN_EX(EX("same(null, null)", "true")), FN_ARGS(2, 2), .flags = FN_NULLS, .row = row_same },
	{ FN_DOC("case", "case(COND, V, COND, V ... [, ELSE])", "the value behind the first condition that is true"),
	  FN_EX(EX("case(1 > 2, \"a\", 2 > 1, \"b\", \"c\")", "\"b\"")), FN_ARGS(2, FN_ANY), .flags = FN_NULLS, .row = row_case },
	{ FN_DOC("decode", "decode(X, A, V, A, V ... [, ELSE])", "the value behind the first A that equals X"),
	  .doc.aliases = "switch", FN_EX(EX("decode(404, 200, \"ok\", 404, \"gone\", \"?\")", "\"gone\"")), FN_ARGS(3, FN_ANY),
	  .flags = FN_NULLS, .row = row_decode },
};

FN_FAMILY(fn_family_choose);

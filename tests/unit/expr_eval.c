#include "tests/unit/test.h"

#include <math.h>

#include "expr/eval.h"
#include "expr/parse.h"
#include "expr/rowop.h"

static struct arena arena, lasting;
static uint64_t seed = 3;
static const struct fn_env env = { .time = { .now_ns = 0 } };

#define ROWS 150

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

static struct value value_of(enum type t)
{
	static const int64_t ints[] = { 0, 1, -1, 2, 7, -7, 1000, INT64_MAX, INT64_MIN, 3037000500 };
	static const double floats[] = { 0, -0.0, 1, 2.5, -7, 1e308, INFINITY, -INFINITY, NAN, 9223372036854775808.0 };
	static const char *const texts[] = {
		"7", "007", "7.0", "x", "", "true", "-1", "1e3", "nan", "1h", "2024-01-01T00:00:00Z", "abc"
	};
	static const char *const nums[] = { "7", "-0", "1.50", "1e400", "9223372036854775807", "9223372036854775808", "0", "2" };
	const char *s = t == T_NUM ? nums[rnd(ARRAY_LEN(nums))] : texts[rnd(ARRAY_LEN(texts))];

	switch (t) {
	case T_NULL:
		return v_null();
	case T_BOOL:
		return v_bool(rnd(2));
	case T_FLOAT:
		return v_float(floats[rnd(ARRAY_LEN(floats))]);
	case T_INT:
	case T_TIME:
	case T_DUR:
		return (struct value){ .i = ints[rnd(ARRAY_LEN(ints))], .type = (uint8_t)t };
	case T_LIST: {
		struct value *items = arena_array(&arena, struct value, 2);

		items[0] = value_of(T_INT);
		items[1] = value_of(T_TEXT);
		return v_list(items, rnd(3));
	}
	default:
		return v_bytes(t, s, strlen(s));
	}
}

static const enum type types[] = { T_INT, T_FLOAT, T_BOOL, T_TIME, T_DUR, T_TEXT, T_STR, T_NUM, T_LIST, T_NULL };

/* A column of one type, mixed or constant, with nulls or without; `v` gets the values. */
static struct column random_column(struct value *v, uint32_t n)
{
	enum type t = types[rnd(ARRAY_LEN(types))];
	bool mixed = rnd(4) == 0, nulls = rnd(2), constant = rnd(4) == 0;
	struct value *own = arena_array(&arena, struct value, n);

	for (uint32_t i = 0; i < n; i++) {
		v[i] = nulls && rnd(5) == 0 ? v_null() : value_of(mixed ? types[rnd(ARRAY_LEN(types))] : t);
		if (constant)
			v[i] = v[0];
		own[i] = v[i];
	}
	return constant ? column_const(&arena, &v[0]) : column_tighten(&arena, own, NULL, n, n);
}

static bool identical(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == T_NULL)
		return true;
	if (a->type == T_BOOL)
		return a->b == b->b;
	if (a->type == T_FLOAT && isnan(a->f))
		return isnan(b->f);
	if (a->type <= T_DUR)
		return a->i == b->i;
	if (type_is_bytes(a->type))
		return a->n == b->n && (!a->n || !memcmp(a->s, b->s, a->n));
	return value_key_equal(a, b);
}

static struct expr *compile(const char *text)
{
	struct err e = { 0 };
	struct node *n = parse_expr_text(&lasting, text, &e);
	struct expr *x = n ? expr_bind(n, &env, &lasting, &e) : NULL;

	if (!x)
		printf("# %s: %s\n", text, e.msg);
	return x;
}

/* What the row operators say of `a OP b`; *failed: a failure is counted. */
static struct value expected(enum op_code op, const struct value *a, const struct value *b, bool *failed)
{
	const char *fail = NULL;
	struct value v;
	int t;

	if (op == OP_CONCAT) {
		v = rowop_concat(a, b, &env, &arena, &fail);
	} else if (op == OP_IN) {
		t = rowop_in(a, b, &env, &fail);
		v = t < 0 ? v_null() : v_bool(t);
	} else if (op >= OP_ADD) {
		v = rowop_arith(op, a, b, &env, &fail);
	} else {
		t = rowop_compare(op, a, b, &env, &fail);
		v = t < 0 ? v_null() : v_bool(t);
	}
	*failed = fail != NULL;
	return v;
}

static void tell(enum op_code op, const struct value *a, const struct value *b, const struct value *got, const struct value *want)
{
	const struct value *all[] = { a, b, got, want };
	struct buf t = { 0 };

	for (int i = 0; i < 4; i++) {
		buf_printf(&t, "%s", i == 1 ? op_name(op) : i == 2 ? " gives " : i == 3 ? ", want " : "");
		buf_printf(&t, "%s ", value_type_name(all[i]));
		value_print_json(&t, all[i], NULL);
	}
	printf("# %s\n", buf_cstr(&t));
	buf_release(&t);
	test_bad = 1;
}

static void try_operator(enum op_code op, struct expr *x)
{
	static const char *const names[] = { "a", "b" };
	static const uint32_t lens[] = { 1, 1 };
	uint32_t n = 1 + rnd(ROWS), sel[ROWS], m = 0;
	struct value a[ROWS], b[ROWS];
	struct column cols[2] = { random_column(a, n), random_column(b, n) }, c;
	struct fails fails = { 0 };
	struct eval ev = { .env = &env, .fails = &fails };
	struct batch batch = { .schema = schema_intern(names, lens, 2), .cols = cols, .n_rows = n, .arena = &arena };
	uint64_t n_failed = 0;
	bool all = rnd(2);

	for (uint32_t i = 0; i < n; i++)
		if (all || rnd(3))
			sel[m++] = i;
	batch.sel = all ? NULL : sel;
	batch.n_sel = m;
	c = expr_eval(x, &ev, &batch, batch.sel, m);
	for (uint32_t k = 0; k < m && !test_bad; k++) {
		uint32_t i = batch_row(&batch, k);
		bool failed;
		struct value got = column_get(&c, i), want = expected(op, &a[i], &b[i], &failed);

		n_failed += failed;
		if (!identical(&got, &want))
			tell(op, &a[i], &b[i], &got, &want);
	}
	if (!test_bad)
		CHECK_INT(fails.n, n_failed);
	arena_reset(&arena);
}

static void test_operators(void)
{
	static const enum op_code ops[] = { OP_EQ,  OP_NE,  OP_LT,  OP_LE,  OP_GT,   OP_GE,  OP_IN, OP_CONCAT,
					    OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_IDIV, OP_MOD, OP_POW };

	for (size_t k = 0; k < ARRAY_LEN(ops); k++) {
		char text[16];
		struct expr *x;

		snprintf(text, sizeof text, "a %s b", op_name(ops[k]));
		x = compile(text);
		TEST(arena_printf(&lasting, "columns and rows agree on `%s`", text))
		{
			CHECK(x != NULL);
			for (int i = 0; x && i < 3000 && !test_bad; i++)
				try_operator(ops[k], x);
		}
		expr_release(x);
	}
}

/* Against a literal, where there are kernels of their own. */
static void test_literals(void)
{
	static const struct {
		const char *text;
		enum op_code op;
		struct value lit;
	} tries[] = {
		{ "a == 7", OP_EQ, { .i = 7, .type = T_INT } },
		{ "a != 7", OP_NE, { .i = 7, .type = T_INT } },
		{ "a < 2.5", OP_LT, { .f = 2.5, .type = T_FLOAT } },
		{ "a >= 7", OP_GE, { .i = 7, .type = T_INT } },
		{ "a == \"7\"", OP_EQ, { .s = "7", .n = 1, .type = T_STR } },
		{ "a != \"x\"", OP_NE, { .s = "x", .n = 1, .type = T_STR } },
		{ "a < \"x\"", OP_LT, { .s = "x", .n = 1, .type = T_STR } },
		{ "a == true", OP_EQ, { .i = 1, .type = T_BOOL } },
		{ "a * 2", OP_MUL, { .i = 2, .type = T_INT } },
		{ "a + 2.5", OP_ADD, { .f = 2.5, .type = T_FLOAT } },
		{ "a / 0", OP_DIV, { .i = 0, .type = T_INT } },
		{ "a % -1", OP_MOD, { .i = -1, .type = T_INT } },
		{ "a ++ \"x\"", OP_CONCAT, { .s = "x", .n = 1, .type = T_STR } },
	};
	static const char *const names[] = { "a" };
	static const uint32_t lens[] = { 1 };

	TEST("columns and rows agree beside literals")
	{
		for (size_t t = 0; t < ARRAY_LEN(tries); t++) {
			struct expr *x = compile(tries[t].text);

			for (int round = 0; x && round < 1000 && !test_bad; round++) {
				struct value a[ROWS];
				uint32_t n = 1 + rnd(ROWS);
				struct column col = random_column(a, n), c;
				struct eval ev = { .env = &env };
				struct batch b = { .schema = schema_intern(names, lens, 1),
						   .cols = &col,
						   .n_rows = n,
						   .n_sel = n,
						   .arena = &arena };

				c = expr_eval(x, &ev, &b, NULL, n);
				for (uint32_t i = 0; i < n && !test_bad; i++) {
					bool failed;
					struct value got = column_get(&c, i),
						     want = expected(tries[t].op, &a[i], &tries[t].lit, &failed);

					if (!identical(&got, &want))
						tell(tries[t].op, &a[i], &tries[t].lit, &got, &want);
				}
				arena_reset(&arena);
			}
			expr_release(x);
		}
	}
}

/* A whole batch, a selection of it and single rows give the same. */
static void test_batches(void)
{
	static const char *const texts[] = {
		"a > 1 ? b : a ?? b",
		"a == b and not (a < b) or b != 7",
		"if(a == 7, b ++ 1, -a)",
		"[a, b, a + b][-1]",
		"each(x, [a, b], x ?? 0)",
		"keep(x, [a, b, 7], x == 7)",
		"{k: a, b}.k",
		"a =~ /7|x/ or b glob \"*\"",
		"a ?? b ?? 1 / 0",
		"upper(a ++ \"\") ++ len(b ++ \"\")",
		"a in [7, b, \"x\"]",
		"@record.a == a",
		"each(x, [a, b], each(y, [x, 1], x == y))",
		"null and a == b",
		"a == b or null",
	};
	static const char *const names[] = { "a", "b" };
	static const uint32_t lens[] = { 1, 1 };

	for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
		struct expr *x = compile(texts[t]);

		TEST(arena_printf(&lasting, "the batch does not matter to `%s`", texts[t]))
		{
			CHECK(x != NULL);
			for (int round = 0; x && round < 300 && !test_bad; round++) {
				struct value a[ROWS], b[ROWS], got, want;
				uint32_t n = 1 + rnd(ROWS), sel[ROWS], m = 0;
				struct column cols[2] = { random_column(a, n), random_column(b, n) }, c, d;
				struct fails whole = { 0 }, single = { 0 };
				struct eval ev = { .env = &env, .fails = &whole };
				struct batch in = { .schema = schema_intern(names, lens, 2),
						    .cols = cols,
						    .n_rows = n,
						    .n_sel = n,
						    .arena = &arena };

				c = expr_eval(x, &ev, &in, NULL, n);
				ev.fails = &single;
				for (uint32_t i = 0; i < n && !test_bad; i++) {
					got = column_get(&c, i);
					want = expr_eval_row(x, &ev, &in, i, NULL, &arena);
					CHECK(identical(&got, &want));
					if (rnd(3))
						sel[m++] = i;
				}
				CHECK_INT(whole.n, single.n);
				ev.fails = NULL;
				d = expr_eval(x, &ev, &in, sel, m);
				for (uint32_t k = 0; k < m && !test_bad; k++) {
					got = column_get(&d, sel[k]);
					want = column_get(&c, sel[k]);
					CHECK(identical(&got, &want));
				}
				arena_reset(&arena);
			}
		}
		expr_release(x);
	}
}

static void test_filter(void)
{
	static const char *const names[] = { "a" };
	static const uint32_t lens[] = { 1 };
	static const char *const texts[] = { "a > 1", "a == 7", "a", "not a == 7", "true", "null and true", "a != \"x\"" };

	TEST("filter keeps the rows that are true and counts null")
	{
		for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
			struct expr *x = compile(texts[t]);

			for (int round = 0; x && round < 500; round++) {
				struct value a[ROWS];
				uint32_t n = 1 + rnd(ROWS), out[ROWS], kept = 0, want_kept = 0;
				struct column col = random_column(a, n), c;
				struct eval ev = { .env = &env };
				struct batch b = { .schema = schema_intern(names, lens, 1),
						   .cols = &col,
						   .n_rows = n,
						   .n_sel = n,
						   .arena = &arena };
				uint64_t nulls = 0, want_nulls = 0;

				kept = expr_filter(x, &ev, &b, NULL, n, out, &nulls);
				c = expr_eval(x, &ev, &b, NULL, n);
				for (uint32_t i = 0; i < n; i++) {
					struct value v = column_get(&c, i);
					int truth = value_truth(&v);

					want_nulls += truth < 0;
					if (truth == 1) {
						CHECK(want_kept < kept && out[want_kept] == i);
						want_kept++;
					}
				}
				CHECK_INT(kept, want_kept);
				CHECK_INT(nulls, want_nulls);
				arena_reset(&arena);
			}
			expr_release(x);
		}
	}
}

static void test_numbers(void)
{
	TEST("numbers of a column are those of its values")
	{
		for (int round = 0; round < 3000; round++) {
			struct value v[ROWS];
			uint32_t n = 1 + rnd(ROWS);
			struct column c = random_column(v, n), got;
			bool strict = rnd(2);
			struct not_numbers failures = { 0 };
			uint64_t want = 0;
			uint32_t first = 0;

			got = column_numbers(&arena, &c, NULL, n, n, strict, &failures);
			for (uint32_t i = 0; i < n; i++) {
				struct value g = column_get(&got, i), w = v[i];
				struct num num;

				if (value_num(&v[i], &num) != NUM_NOT)
					w = value_from_num(&num);
				else if (strict && w.type != T_NULL && w.type != T_TIME && w.type != T_DUR) {
					w = v_null();
					first = want++ ? first : i;
				}
				CHECK(identical(&g, &w));
			}
			CHECK_INT(failures.n, want);
			if (want)
				CHECK_INT(failures.first, first);
			arena_reset(&arena);
		}
	}
}

int main(void)
{
	test_operators();
	test_literals();
	test_batches();
	test_filter();
	test_numbers();
	arena_release(&arena);
	arena_release(&lasting);
	return test_done();
}

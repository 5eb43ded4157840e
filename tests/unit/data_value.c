#include "tests/unit/test.h"

#include <math.h>

#include "data/rowkey.h"

static struct arena arena;
static uint64_t seed = 1;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

static const int64_t ints[] = { 0, 1, -1, 5, 10, INT64_MAX, INT64_MIN, 9007199254740993, 9007199254740992, 1700000000 };
static const double floats[] = { 0,	   -0.0,      1,   5,	  0.5, 1e300, -1e300, 9007199254740992.0, 9223372036854775808.0,
				 INFINITY, -INFINITY, NAN, 1e-300 };
static const char *const texts[] = { "",
				     "5",
				     "5.0",
				     "05",
				     "1e1",
				     "10",
				     "x",
				     "X",
				     "true",
				     "nan",
				     "-0",
				     "0",
				     " 5",
				     "0.5",
				     ".5",
				     "inf",
				     "null",
				     "a",
				     "ab",
				     "9007199254740993",
				     "9223372036854775808",
				     "1e400" };

static struct value leaf(void)
{
	static const enum type bytes[] = { T_STR, T_TEXT, T_NUM };
	const char *s = texts[rnd(ARRAY_LEN(texts))];
	enum type t;

	switch (rnd(8)) {
	case 0:
		return v_null();
	case 1:
		return v_bool(rnd(2));
	case 2:
		return v_int(ints[rnd(ARRAY_LEN(ints))]);
	case 3:
		return v_float(floats[rnd(ARRAY_LEN(floats))]);
	case 4:
		return rnd(2) ? v_time(ints[rnd(ARRAY_LEN(ints))]) : v_dur(ints[rnd(ARRAY_LEN(ints))]);
	default:
		t = bytes[rnd(3)];
		if (t == T_NUM && !num_is_json(s, strlen(s)))
			t = T_TEXT;
		return v_bytes(t, s, strlen(s));
	}
}

static struct value any(int depth)
{
	uint32_t n = rnd(4);

	if (depth && rnd(5) == 0) {
		struct value *items = arena_array(&arena, struct value, n + 1);

		for (uint32_t i = 0; i < n; i++)
			items[i] = any(depth - 1);
		return v_list(items, n);
	}
	if (depth && rnd(5) == 0) {
		struct field *f = arena_array(&arena, struct field, n + 1);

		for (uint32_t i = 0; i < n; i++)
			f[i] = (struct field){ &"abcdefgh"[i + rnd(2) * 4], 1, any(depth - 1) };
		return v_object(f, n);
	}
	return leaf();
}

/* The same type, bits and structure. */
static bool identical(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == T_NULL)
		return true;
	if (a->type == T_BOOL)
		return a->b == b->b;
	if (a->type <= T_DUR)
		return a->i == b->i;
	if (a->n != b->n)
		return false;
	if (type_is_bytes(a->type))
		return !a->n || !memcmp(a->s, b->s, a->n);
	for (uint32_t i = 0; i < a->n; i++) {
		if (a->type == T_LIST ? !identical(&a->items[i], &b->items[i]) : !identical(&a->fields[i].v, &b->fields[i].v))
			return false;
		if (a->type == T_OBJECT && (a->fields[i].name_n != b->fields[i].name_n ||
					    memcmp(a->fields[i].name, b->fields[i].name, a->fields[i].name_n)))
			return false;
	}
	return true;
}

static int sign(int c) { return (c > 0) - (c < 0); }

static void test_order(void)
{
	struct value v[300];

	for (uint32_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = any(2);
	TEST("value_cmp is a total order")
	{
		for (uint32_t i = 0; i < ARRAY_LEN(v); i++) {
			CHECK_INT(value_cmp(&v[i], &v[i]), 0);
			for (uint32_t j = 0; j < ARRAY_LEN(v); j++)
				CHECK(sign(value_cmp(&v[i], &v[j])) == -sign(value_cmp(&v[j], &v[i])));
		}
		for (uint32_t k = 0; k < 400000; k++) {
			const struct value *a = &v[rnd(300)], *b = &v[rnd(300)], *c = &v[rnd(300)];

			if (value_cmp(a, b) <= 0 && value_cmp(b, c) <= 0)
				CHECK(value_cmp(a, c) <= 0);
		}
	}
	TEST("kinds come in their order")
	{
		struct value in[] = {
			v_bool(true),	 v_float(-INFINITY), v_text("-5", 2), v_int(3),	     v_bytes(T_NUM, "1e400", 5),
			v_float(NAN),	 v_time(0),	     v_dur(0),	      v_str("5", 1), v_text("x", 1),
			v_list(NULL, 0), v_object(NULL, 0),  v_null()
		};

		for (uint32_t i = 1; i < ARRAY_LEN(in); i++)
			CHECK(value_cmp(&in[i - 1], &in[i]) < 0);
	}
}

static bool same_key(const struct value *a, const struct value *b)
{
	struct key_bytes x, y;

	key_of_value(&arena, a, &x);
	key_of_value(&arena, b, &y);
	return x.kind == y.kind && x.n == y.n && !memcmp(x.p, y.p, x.n);
}

/* What the rule says of two values that hold no others. */
static bool leaf_equal(const struct value *a, const struct value *b)
{
	char s[NUM_MAX];
	struct num x, y;
	bool na = a->type == T_INT || a->type == T_FLOAT || a->type == T_NUM,
	     nb = b->type == T_INT || b->type == T_FLOAT || b->type == T_NUM;
	bool ta = a->type == T_STR || a->type == T_TEXT, tb = b->type == T_STR || b->type == T_TEXT;

	if (na && nb)
		return !num_cmp((value_num(a, &x), &x), (value_num(b, &y), &y));
	if (ta && tb)
		return a->n == b->n && !memcmp(a->s, b->s, a->n);
	if (ta && nb)
		return leaf_equal(b, a);
	if (na && tb) {
		int64_t i;
		size_t n;

		value_num(a, &x);
		if (x.kind == NUM_FLOAT && num_double_to_int(x.f, &i))
			x = (struct num){ .kind = NUM_INT, .i = i };
		n = x.kind == NUM_INT ? num_format_int(x.i, s) : num_format_double(x.f, s);
		return b->n == n && !memcmp(s, b->s, n);
	}
	if (a->type != b->type)
		return false;
	return a->type == T_NULL || (a->type == T_BOOL ? a->b == b->b : a->i == b->i);
}

static bool is_beyond(const struct value *v)
{
	struct num n;

	return v->type == T_NUM && v->n > 18 && value_num(v, &n) == NUM_FLOAT && !memchr(v->s, '.', v->n);
}

static void test_keys(void)
{
	TEST("keys are equal as the rule says")
	{
		for (uint32_t k = 0; k < 200000; k++) {
			struct value a = leaf(), b = leaf();
			bool want = leaf_equal(&a, &b);

			if (is_beyond(&a) || is_beyond(&b))
				continue; /* integers beyond 64 bits are told apart by their digits */
			if (value_key_equal(&a, &b) != want || same_key(&a, &b) != want) {
				struct buf t = { 0 };

				value_print_json(&t, &a, NULL);
				buf_str(&t, " ");
				value_print_json(&t, &b, NULL);
				printf("# %s: types %d %d, want %d\n", buf_cstr(&t), a.type, b.type, want);
				buf_release(&t);
				test_bad = 1;
				break;
			}
		}
	}
	TEST("nested keys are equal when their parts are")
	{
		for (uint32_t k = 0; k < 50000; k++) {
			struct value a[2] = { leaf(), leaf() }, b[2] = { leaf(), leaf() };
			struct value x = v_list(a, 2), y = v_list(b, 2);

			CHECK(value_key_equal(&x, &y) == (value_key_equal(&a[0], &b[0]) && value_key_equal(&a[1], &b[1])));
		}
	}
	TEST("parts of a key do not run together")
	{
		struct value a[] = { v_str("x", 1), v_str("yz", 2) }, b[] = { v_str("xy", 2), v_str("z", 1) };
		struct column ca[2], cb[2];
		const struct column *pa[2] = { &ca[0], &ca[1] }, *pb[2] = { &cb[0], &cb[1] };
		struct key_bytes x, y;

		for (int i = 0; i < 2; i++) {
			ca[i] = column_const(&arena, &a[i]);
			cb[i] = column_const(&arena, &b[i]);
		}
		key_of_columns(&arena, pa, 2, NULL, 1, &x);
		key_of_columns(&arena, pb, 2, NULL, 1, &y);
		CHECK(x.n != y.n || memcmp(x.p, y.p, x.n));
	}
}

static void test_save(void)
{
	struct buf b = { 0 };

	TEST("save and load is the identity")
	{
		for (uint32_t k = 0; k < 5000; k++) {
			struct value v = any(3), w;
			const char *p;

			b.n = 0;
			value_save(&b, &v);
			p = b.p;
			CHECK_INT(value_load(&p, b.p + b.n, &arena, &w), 0);
			CHECK(p == b.p + b.n);
			CHECK(identical(&v, &w));
		}
	}
	TEST("small numbers and short text take few bytes, and have one spelling")
	{
		const struct value few[] = { v_int(0), v_int(-1), v_int(127), v_float(0), v_float(1), v_bool(true), v_str("abc", 3) };
		const size_t bytes[] = { 1, 2, 2, 1, 3, 1, 4 };
		const char *p = (const char[]){ T_INT | 2 << 4, 2, 0 };
		struct value w;

		for (size_t i = 0; i < ARRAY_LEN(few); i++) {
			b.n = 0;
			value_save(&b, &few[i]);
			CHECK_INT(b.n, bytes[i]);
			CHECK_INT(value_saved_type(b.p), few[i].type);
		}
		CHECK_INT(value_load(&p, p + 3, &arena, &w), -1);
		p = (const char[]){ (char)(T_STR | 0xe0), 1, 'a' };
		CHECK_INT(value_load(&p, p + 3, &arena, &w), -1);
	}
	TEST("what is cut is malformed")
	{
		for (uint32_t k = 0; k < 300; k++) {
			struct value v = any(3), w;

			b.n = 0;
			value_save(&b, &v);
			for (size_t n = 0; n < b.n; n++) {
				char *cut = xmalloc(n + 1);
				const char *p = memcpy(cut, b.p, n);

				CHECK(value_load(&p, cut + n, &arena, &w) == -1);
				free(cut);
			}
		}
	}
	TEST("hostile bytes are read or refused, in little memory")
	{
		struct arena own = { 0 };

		for (uint32_t k = 0; k < 20000; k++) {
			char junk[64];
			const char *p = junk;
			struct value v;

			for (uint32_t i = 0; i < sizeof junk; i++)
				junk[i] = (char)(rnd(3) ? rnd(T_ANY + 2) | rnd(3) << 4 : rnd(256));
			value_load(&p, junk + sizeof junk, &own, &v);
			CHECK(p <= junk + sizeof junk);
			arena_reset(&own);
		}
		b.n = 0;
		for (int i = 0; i < 1000; i++)
			buf_add(&b, (char[]){ (char)(T_LIST | 0xf0), (char)0xff, (char)0xff, 0, 0 }, 5);
		for (int i = 0; i < 70000; i++)
			buf_char(&b, T_NULL);
		const char *p = b.p;
		struct value v;

		CHECK_INT(value_load(&p, b.p + b.n, &own, &v), -1);
		CHECK(own.total < (size_t)8 << 20);
		arena_release(&own);
	}
	TEST("a nesting without end is malformed")
	{
		const char *p;
		struct value v;

		b.n = 0;
		for (int i = 0; i < 100000; i++)
			buf_char(&b, T_LIST | 1 << 4);
		buf_char(&b, T_NULL);
		p = b.p;
		CHECK_INT(value_load(&p, b.p + b.n, &arena, &v), -1);
	}
	buf_release(&b);
}

static void test_copy(void)
{
	TEST("a copy is the same and stands alone")
	{
		for (uint32_t k = 0; k < 2000; k++) {
			struct arena own = { 0 };
			struct value v = any(3), w = value_copy(&own, &v);

			CHECK(identical(&v, &w));
			CHECK(!type_is_bytes(v.type) || v.s != w.s);
			arena_release(&own);
		}
	}
}

static void test_columns(void)
{
	TEST("tighten and gather keep every value")
	{
		for (uint32_t k = 0; k < 2000; k++) {
			uint32_t n = 1 + rnd(130), rows[130], m = 0;
			struct value *v = arena_array(&arena, struct value, n), *was = arena_array(&arena, struct value, n);
			bool one = rnd(2);
			struct value first = leaf();
			struct column c, g;

			for (uint32_t i = 0; i < n; i++) {
				v[i] = !one ? leaf() : rnd(4) ? first : v_null();
				if (rnd(3))
					rows[m++] = i;
			}
			memcpy(was, v, n * sizeof *v);
			c = column_tighten(&arena, v, NULL, n, n);
			g = column_gather(&arena, &c, rows, m);
			for (uint32_t i = 0; i < n; i++) {
				struct value got = column_get(&c, i);

				CHECK(identical(&got, &was[i]));
				CHECK(column_null(&c, i) == (was[i].type == T_NULL));
			}
			for (uint32_t i = 0; i < m; i++) {
				struct value got = column_get(&g, i);

				CHECK(identical(&got, &was[rows[i]]));
			}
			arena_reset(&arena);
		}
	}
}

int main(void)
{
	test_order();
	test_keys();
	test_save();
	test_copy();
	test_columns();
	arena_release(&arena);
	return test_done();
}

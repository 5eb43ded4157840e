/* From one type to another, and what type a value has. */
#define FN_GROUP "conversion"
#include <math.h>
#include <strings.h>

#include "expr/fn_impl.h"

static void row_type(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const char *name = value_type_name(v);

	(void)c, (void)n;
	*out = v_str(name, strlen(name));
}

static void row_string(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct buf b = { 0 };
	struct fn_text t;

	(void)n;
	if (v->type == T_LIST || v->type == T_OBJECT) {
		value_print_json(&b, v, c->env ? c->env->format : NULL);
		*out = v_str(arena_copy(c->arena, b.p, b.n), b.n);
		buf_release(&b);
	} else if (fn_text(c, v, &t)) {
		*out = v_str(t.p, t.n);
	}
}

/* 0x1F, 0b101, 0o17, with a sign. */
static bool prefixed_number(struct fn_text t, struct num *out)
{
	bool minus = t.n && *t.p == '-', sign = minus || (t.n && *t.p == '+');
	unsigned bits, d;
	uint64_t x = 0;

	t.p += sign;
	t.n -= sign;
	if (t.n < 3 || t.p[0] != '0')
		return false;
	bits = (t.p[1] | 32) == 'x' ? 4 : (t.p[1] | 32) == 'o' ? 3 : (t.p[1] | 32) == 'b' ? 1 : 0;
	for (size_t i = 2; i < t.n; i++) {
		unsigned letter = ((unsigned char)t.p[i] | 32u) - 'a';

		d = (unsigned)(t.p[i] - '0') < 10 ? (unsigned)(t.p[i] - '0') : letter < 6 ? letter + 10 : 99;
		if (!bits || d >> bits || x >> (63 - bits))
			return false;
		x = x << bits | d;
	}
	*out = (struct num){ .kind = NUM_INT, .i = minus ? -(int64_t)x : (int64_t)x };
	return true;
}

static struct fn_text trimmed(struct fn_text t)
{
	while (t.n && (*t.p == ' ' || (unsigned)(*t.p - 9) < 5)) {
		t.p++;
		t.n--;
	}
	while (t.n && (t.p[t.n - 1] == ' ' || (unsigned)(t.p[t.n - 1] - 9) < 5))
		t.n--;
	return t;
}

static bool special_float(struct fn_text t, double *f)
{
	bool minus = t.n && *t.p == '-';

	if (t.n && (*t.p == '-' || *t.p == '+')) {
		t.p++;
		t.n--;
	}
	if (t.n == 3 && !strncasecmp(t.p, "nan", 3))
		*f = NAN;
	else if ((t.n == 3 && !strncasecmp(t.p, "inf", 3)) || (t.n == 8 && !strncasecmp(t.p, "infinity", 8)))
		*f = minus ? -INFINITY : INFINITY;
	else
		return false;
	return true;
}

/* Any value that can be read as a number. */
static bool to_number(struct fn_call *c, const struct value *v, struct num *x)
{
	struct fn_text t;
	double f;

	if (v->type == T_BOOL) {
		*x = (struct num){ .kind = NUM_INT, .i = v->b };
		return true;
	}
	if (!type_is_bytes(v->type))
		return fn_arg_num(c, v, x);
	t = trimmed((struct fn_text){ v->s, v->n });
	if (num_parse(t.p, t.n, x) != NUM_NOT || prefixed_number(t, x))
		return true;
	if (!special_float(t, &f))
		return fn_fail(c, "not a number");
	*x = (struct num){ .kind = NUM_FLOAT, .f = f };
	return true;
}

static void row_number(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x;

	(void)n;
	if (to_number(c, v, &x))
		*out = value_from_num(&x);
}

static void row_int(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x;

	(void)n;
	if (!to_number(c, v, &x))
		return;
	if (x.kind == NUM_INT)
		*out = v_int(x.i);
	else if (x.f >= -0x1p63 && x.f < 0x1p63)
		*out = v_int((int64_t)x.f);
	else
		fn_fail(c, "not a whole number of 64 bits");
}

static void row_float(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x;

	(void)n;
	if (to_number(c, v, &x))
		*out = v_float(x.kind == NUM_INT ? (double)x.i : x.f);
}

static void row_bool(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	static const char words[][2][6] = { { "true", "false" }, { "yes", "no" }, { "on", "off" }, { "t", "f" }, { "y", "n" } };
	struct num x;
	struct fn_text t;

	(void)n;
	if (v->type == T_BOOL) {
		*out = *v;
		return;
	}
	if (value_num(v, &x) != NUM_NOT || (v->type == T_STR && num_parse(v->s, v->n, &x) != NUM_NOT)) {
		*out = v_bool(x.kind == NUM_INT ? x.i != 0 : x.f != 0 && !isnan(x.f));
		return;
	}
	if (!fn_text(c, v, &t))
		return;
	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		for (int no = 0; no < 2; no++)
			if (t.n == strlen(words[i][no]) && !strncasecmp(t.p, words[i][no], t.n))
				*out = v_bool(!no);
	if (out->type == T_NULL)
		fn_fail(c, "neither true nor false");
}

/* ---- sizes ---- */

static void row_size(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	static const char letters[] = "kmgtpe";
	unsigned power = 0, unit = 1024;
	struct fn_text t;
	struct num x;
	bool b, i;
	double f;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	t = trimmed(t);
	b = t.n && (t.p[t.n - 1] | 32) == 'b';
	t.n -= b;
	i = t.n && t.p[t.n - 1] == 'i';
	t.n -= i;
	if (b && !i)
		unit = 1000;
	for (unsigned k = 0; t.n && k < sizeof letters - 1; k++)
		if ((t.p[t.n - 1] | 32) == letters[k])
			power = k + 1;
	t.n -= power > 0;
	if (num_parse(t.p, t.n, &x) == NUM_NOT) {
		fn_fail(c, "not a size");
		return;
	}
	f = x.kind == NUM_INT ? (double)x.i : x.f;
	for (; power; power--)
		f *= unit;
	if (f >= 0 && f < 0x1p63)
		*out = v_int((int64_t)(f + (f < 0x1p52 ? 0.5 : 0)));
	else
		fn_fail(c, "size out of range");
}

/* A number with at most three digits and a unit: 1536 -> "1.5K". */
static void human(struct fn_call *c, const struct value *v, double unit, struct value *out)
{
	static const char letters[] = "\0KMGTPE";
	char text[NUM_MAX];
	unsigned power = 0;
	size_t len;
	double x;

	if (!fn_arg_double(c, v, &x))
		return;
	for (; fabs(x) >= unit && power < sizeof letters - 2; power++)
		x /= unit;
	if (fabs(x) >= unit - 0.5 && power < sizeof letters - 2) {
		x /= unit;
		power++;
	}
	x = fabs(x) < 10 && power ? round(x * 10) / 10 : round(x);
	len = num_format_double(x, text);
	if (power)
		text[len++] = letters[power];
	*out = v_str(arena_copy(c->arena, text, len), len);
}

static void row_human_bytes(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	human(c, v, 1024, out);
}

static void row_human_number(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	human(c, v, 1000, out);
}

/* ---- tests: of the value's type, and for text from text formats what it looks like ---- */

#define TEST_OF(name, expression) \
	static void row_##name(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) \
	{ \
		struct num x = { .kind = NUM_NOT }; \
\
		(void)c, (void)n; \
		value_num(v, &x); \
		*out = v_bool(expression); \
	}
TEST_OF(is_null, v->type == T_NULL)
TEST_OF(is_string, type_is_bytes(v->type) && x.kind == NUM_NOT)
TEST_OF(is_number, x.kind != NUM_NOT)
TEST_OF(is_int, x.kind == NUM_INT)
TEST_OF(is_float, x.kind == NUM_FLOAT)
TEST_OF(is_bool, v->type == T_BOOL)
TEST_OF(is_time, v->type == T_TIME)
TEST_OF(is_duration, v->type == T_DUR)
TEST_OF(is_list, v->type == T_LIST)
TEST_OF(is_object, v->type == T_OBJECT)
TEST_OF(is_empty, v->type == T_NULL || ((type_is_bytes(v->type) || v->type == T_LIST || v->type == T_OBJECT) && v->n == 0))

static void row_looks_numeric(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;
	struct num x;

	(void)n;
	if (v->type == T_NULL || v->type == T_LIST || v->type == T_OBJECT)
		*out = v_bool(false);
	else if (fn_text(c, v, &t))
		*out = v_bool(num_parse(t.p, t.n, &x) != NUM_NOT);
}

#define IS(name, alias, sum, expr, result) \
	{ \
		FN_DOC(#name, #name "(X)", sum), .doc.aliases = alias, FN_EX(EX(expr, result)), FN_ARGS(1, 1), \
						 .flags = FN_NULLS, .row = row_##name \
	}

static const struct fn_def defs[] = {
	IS(type, "typeof", "null, bool, int, float, time, duration, string, list or object", "type(1.5)", "\"float\""),
	{ FN_DOC("string", "string(X)", "the value as text; lists and objects as JSON"), .doc.aliases = "str text tostring",
	  FN_EX(EX("string(1.50)", "\"1.5\""), EX("string([1, \"a\"])", "\"[1,\\\"a\\\"]\"")), FN_ARGS(1, 1), .row = row_string },
	{ FN_DOC("number", "number(X)", "int or float that the text says, also 0x1f, 0b101, inf and nan; true is 1"),
	  .doc.aliases = "num tonumber",
	  FN_EX(EX("number(\" 42 \")", "42"), EX("number(\"0x1f\")", "31"), EX("number(\"1e3\")", "1000")), FN_ARGS(1, 1),
	  .row = row_number },
	{ FN_DOC("int", "int(X)", "whole number: as number, the fraction cut off"), .doc.aliases = "integer bigint",
	  FN_EX(EX("int(-2.7)", "-2"), EX("int(\"12\")", "12")), FN_ARGS(1, 1), .row = row_int },
	{ FN_DOC("float", "float(X)", "as number, always a float"), .doc.aliases = "double real",
	  FN_EX(EX("float(\"2.50\")", "2.5")), FN_ARGS(1, 1), .row = row_float },
	{ FN_DOC("bool", "bool(X)",
		 "true or false: of true false yes no on off t f y n in any case, and of numbers (0 is false)"),
	  .doc.aliases = "boolean", FN_EX(EX("bool(\"Yes\")", "true"), EX("bool(0)", "false")), FN_ARGS(1, 1), .row = row_bool },
	{ FN_DOC("size", "size(S)", "bytes of a size: K M G T P E are powers of 1024, KB MB ... of 1000, KiB of 1024"),
	  .doc.aliases = "parse_bytes", FN_EX(EX("size(\"64M\")", "67108864"), EX("size(\"1.5 kB\")", "1500")), FN_ARGS(1, 1),
	  .row = row_size },
	{ FN_DOC("human_bytes", "human_bytes(N)", "a size in few letters, powers of 1024"), .doc.aliases = "format_bytes",
	  FN_EX(EX("human_bytes(1536)", "\"1.5K\"")), FN_ARGS(1, 1), .row = row_human_bytes },
	{ FN_DOC("human_number", "human_number(N)", "a number in few letters, powers of 1000"),
	  FN_EX(EX("human_number(1234567)", "\"1.2M\"")), FN_ARGS(1, 1), .row = row_human_number },
	IS(is_null, "isnull is_absent", "null or missing", "is_null(null)", "true"),
	IS(is_empty, NULL, "null, empty text, list or object", "is_empty([])", "true"),
	IS(is_string, NULL, "text that is no number", "is_string(\"5\")", "true"),
	IS(is_number, "is_numeric", "a number, or text from a text format that looks like one", "is_number(5)", "true"),
	IS(is_int, "is_integer", "a whole number of 64 bits", "is_int(5.5)", "false"),
	IS(is_float, NULL, "a number that is not a whole one of 64 bits", "is_float(5.5)", "true"),
	IS(is_bool, "is_boolean", "true or false", "is_bool(true)", "true"),
	IS(is_time, "is_timestamp", "a time", "is_time(time(0))", "true"),
	IS(is_duration, NULL, "a duration", "is_duration(5m)", "true"),
	IS(is_list, "is_array", "a list", "is_list([1])", "true"),
	IS(is_object, "is_map", "an object", "is_object({a: 1})", "true"),
	IS(looks_numeric, NULL, "a number, or any text that number() reads as a decimal one", "looks_numeric(\"1e3\")", "true"),
};

FN_FAMILY(fn_family_convert);

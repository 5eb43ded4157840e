#include "expr/rowop.h"

#include <math.h>

static const char not_number[] = "not a number";
static const char out_of_range[] = "out of range";

static int64_t floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return q - (a % b && (a < 0) != (b < 0));
}

static int64_t floor_mod(int64_t a, int64_t b)
{
	int64_t r = a % b;

	return r && (r < 0) != (b < 0) ? r + b : r;
}

/* Exact integer power, or false on overflow. */
static bool int_pow(int64_t base, int64_t e, int64_t *out)
{
	int64_t r = 1;

	while (e) {
		if (e & 1 && __builtin_mul_overflow(r, base, &r))
			return false;
		e >>= 1;
		if (e && __builtin_mul_overflow(base, base, &base))
			return false;
	}
	*out = r;
	return true;
}

static struct value arith_double(enum op_code op, double a, double b, const char **fail)
{
	double r;

	if (((op == OP_DIV || op == OP_IDIV || op == OP_MOD) && b == 0) || (op == OP_POW && a == 0 && b < 0)) {
		*fail = "division by zero";
		return v_null();
	}
	switch (op) {
	case OP_ADD:
		return v_float(a + b);
	case OP_SUB:
		return v_float(a - b);
	case OP_MUL:
		return v_float(a * b);
	case OP_DIV:
		return v_float(a / b);
	case OP_IDIV:
		return v_float(floor(a / b));
	case OP_MOD:
		r = fmod(a, b);
		return v_float(r != 0 && (r < 0) != (b < 0) ? r + b : r);
	default:
		r = pow(a, b);
		if (isnan(r) && !isnan(a) && !isnan(b)) {
			*fail = "power of a negative number to a fraction";
			return v_null();
		}
		return v_float(r);
	}
}

static struct value arith_int(enum op_code op, int64_t a, int64_t b, const char **fail)
{
	int64_t r;

	switch (op) {
	case OP_ADD:
		if (!__builtin_add_overflow(a, b, &r))
			return v_int(r);
		break;
	case OP_SUB:
		if (!__builtin_sub_overflow(a, b, &r))
			return v_int(r);
		break;
	case OP_MUL:
		if (!__builtin_mul_overflow(a, b, &r))
			return v_int(r);
		break;
	case OP_POW:
		if (b >= 0 && int_pow(a, b, &r))
			return v_int(r);
		break;
	default:
		if (op == OP_MOD && b == -1)
			return v_int(0);
		if (b == 0 || (b == -1 && a == INT64_MIN))
			break;
		if (op == OP_IDIV)
			return v_int(floor_div(a, b));
		if (op == OP_MOD)
			return v_int(floor_mod(a, b));
		if (a % b == 0)
			return v_int(a / b);
	}
	return arith_double(op, (double)a, (double)b, fail);
}

struct value rowop_arith_num(enum op_code op, const struct num *a, const struct num *b, const char **fail)
{
	if (a->kind == NUM_INT && b->kind == NUM_INT)
		return arith_int(op, a->i, b->i, fail);
	return arith_double(op, a->kind == NUM_INT ? (double)a->i : a->f, b->kind == NUM_INT ? (double)b->i : b->f, fail);
}

/* a + b, a - b or a * b of nanoseconds as a value of type t. */
static struct value time_calc(enum type t, enum op_code op, int64_t a, int64_t b, const char **fail)
{
	int64_t r;
	bool over = op == OP_ADD   ? __builtin_add_overflow(a, b, &r)
		    : op == OP_SUB ? __builtin_sub_overflow(a, b, &r)
				   : __builtin_mul_overflow(a, b, &r);

	if (over) {
		*fail = out_of_range;
		return v_null();
	}
	return (struct value){ .i = r, .type = (uint8_t)t };
}

/* duration * number, duration / number */
static struct value scale_duration(enum op_code op, int64_t d, const struct num *n, const char **fail)
{
	double f;

	if (n->kind == NUM_INT && op == OP_MUL)
		return time_calc(T_DUR, op, d, n->i, fail);
	f = n->kind == NUM_INT ? (double)n->i : n->f;
	if (op != OP_MUL && f == 0) {
		*fail = "division by zero";
		return v_null();
	}
	f = op == OP_MUL ? (double)d * f : (double)d / f;
	if (!(fabs(f) < 9.2e18)) {
		*fail = out_of_range;
		return v_null();
	}
	return v_dur(llround(f));
}

static struct value arith_durations(enum op_code op, int64_t a, int64_t b, const char **fail)
{
	struct num x = { .kind = NUM_INT, .i = a }, y = { .kind = NUM_INT, .i = b };
	struct value r;

	if (op == OP_ADD || op == OP_SUB)
		return time_calc(T_DUR, op, a, b, fail);
	if (op == OP_MUL || op == OP_POW) {
		*fail = "durations do not multiply";
		return v_null();
	}
	r = rowop_arith_num(op, &x, &y, fail);
	if (op == OP_MOD && r.type == T_INT)
		r.type = T_DUR;
	return r;
}

/* At least one side is a time or a duration. Text beside them is read as a time. */
static struct value arith_times(enum op_code op, struct value a, struct value b, const struct fn_env *env, const char **fail)
{
	struct num n;
	int64_t t;

	if (type_is_bytes(a.type) && value_num(&a, &n) == NUM_NOT && time_parse(a.s, a.n, &env->time, &t))
		a = v_time(t);
	if (type_is_bytes(b.type) && value_num(&b, &n) == NUM_NOT && time_parse(b.s, b.n, &env->time, &t))
		b = v_time(t);
	if (a.type == T_TIME && b.type == T_TIME && op == OP_SUB)
		return time_calc(T_DUR, op, a.i, b.i, fail);
	if (a.type == T_TIME && b.type == T_DUR && op == OP_SUB)
		return time_calc(T_TIME, op, a.i, b.i, fail);
	if (op == OP_ADD && ((a.type == T_TIME && b.type == T_DUR) || (a.type == T_DUR && b.type == T_TIME)))
		return time_calc(T_TIME, op, a.i, b.i, fail);
	if (a.type == T_DUR && b.type == T_DUR)
		return arith_durations(op, a.i, b.i, fail);
	if (a.type == T_DUR && value_num(&b, &n) != NUM_NOT && (op == OP_MUL || op == OP_DIV))
		return scale_duration(op, a.i, &n, fail);
	if (b.type == T_DUR && value_num(&a, &n) != NUM_NOT && op == OP_MUL)
		return scale_duration(op, b.i, &n, fail);
	*fail = "times and durations do not combine like this";
	return v_null();
}

struct value rowop_arith(enum op_code op, const struct value *a, const struct value *b, const struct fn_env *env, const char **fail)
{
	struct num x, y;

	if (a->type == T_NULL || b->type == T_NULL)
		return v_null();
	if (a->type == T_TIME || a->type == T_DUR || b->type == T_TIME || b->type == T_DUR)
		return arith_times(op, *a, *b, env, fail);
	if (value_num(a, &x) == NUM_NOT || value_num(b, &y) == NUM_NOT) {
		*fail = a->type == T_STR || b->type == T_STR ? "text, not a number: use number()" : not_number;
		return v_null();
	}
	return rowop_arith_num(op, &x, &y, fail);
}

struct value rowop_neg(const struct value *a, const char **fail)
{
	struct value zero = v_int(0);
	struct num n;

	if (a->type == T_NULL)
		return v_null();
	if (a->type == T_DUR && a->i != INT64_MIN)
		return v_dur(-a->i);
	if (value_num(a, &n) == NUM_FLOAT)
		return v_float(-n.f);
	if (a->type == T_DUR || a->type == T_TIME) {
		*fail = a->type == T_DUR ? out_of_range : not_number;
		return v_null();
	}
	return rowop_arith(OP_SUB, &zero, a, NULL, fail);
}

bool rowop_text(const struct value *v, const struct fn_env *env, struct arena *arena, const char **p, size_t *n)
{
	struct buf b = { 0 };

	if (v->type == T_LIST || v->type == T_OBJECT)
		return false;
	if (type_is_bytes(v->type)) {
		*p = v->s;
		*n = v->n;
		return true;
	}
	value_print(&b, v, env ? env->format : NULL);
	*p = arena_copy(arena, b.p, b.n);
	*n = b.n;
	buf_release(&b);
	return true;
}

static int bytes_cmp(const char *a, size_t na, const char *b, size_t nb)
{
	int c = memcmp(a, b, na < nb ? na : nb);

	return c ? c : na < nb ? -1 : na > nb;
}

/* A number against text that is text: by the number's canonical spelling. */
static int compare_as_text(enum op_code op, const struct value *a, const struct value *b)
{
	struct value x = *a, y = *b;
	char xs[NUM_MAX], ys[NUM_MAX];
	struct num n;

	if (x.type == T_NUM && value_num(a, &n) != NUM_NOT)
		x = value_from_num(&n);
	if (y.type == T_NUM && value_num(b, &n) != NUM_NOT)
		y = value_from_num(&n);
	if (x.type == T_INT)
		x = v_str(xs, num_format_int(x.i, xs));
	else if (x.type == T_FLOAT)
		x = v_str(xs, num_format_double(x.f, xs));
	if (y.type == T_INT)
		y = v_str(ys, num_format_int(y.i, ys));
	else if (y.type == T_FLOAT)
		y = v_str(ys, num_format_double(y.f, ys));
	return compare_holds(op, bytes_cmp(x.s, x.n, y.s, y.n));
}

static bool as_time(const struct value *v, const struct fn_env *env, int64_t *t)
{
	if (v->type == T_TIME) {
		*t = v->i;
		return true;
	}
	if (type_is_bytes(v->type))
		return time_parse(v->s, v->n, &env->time, t);
	if (v->type == T_INT)
		return time_from_int(v->i, t);
	return v->type == T_FLOAT && time_from_double(v->f, t);
}

static bool as_duration(const struct value *v, int64_t *d)
{
	int64_t months = 0;

	if (v->type == T_DUR) {
		*d = v->i;
		return true;
	}
	return type_is_bytes(v->type) && dur_parse(v->s, v->n, d, &months) && !months;
}

static int unlike(enum op_code op, const char *why, const char **fail)
{
	if (op == OP_EQ || op == OP_NE)
		return op == OP_NE;
	*fail = why;
	return -1;
}

static int compare_kinds(enum op_code op, const struct value *a, const struct value *b, const struct fn_env *env, const char **fail)
{
	int64_t x, y;

	if (a->type == T_TIME || b->type == T_TIME) {
		if (as_time(a, env, &x) && as_time(b, env, &y))
			return compare_holds(op, x < y ? -1 : x > y);
		return unlike(op, "not a time", fail);
	}
	if (a->type == T_DUR || b->type == T_DUR) {
		if (as_duration(a, &x) && as_duration(b, &y))
			return compare_holds(op, x < y ? -1 : x > y);
		return unlike(op, "not a duration", fail);
	}
	if (a->type == T_BOOL || b->type == T_BOOL) {
		int p = value_truth(a), q = value_truth(b);

		return p < 0 || q < 0 ? unlike(op, "not true or false", fail) : compare_holds(op, p - q);
	}
	if (a->type == b->type)
		return compare_holds(op, value_cmp(a, b));
	return unlike(op, "values of different kinds", fail);
}

static bool is_numberlike(const struct value *v)
{
	return v->type == T_INT || v->type == T_FLOAT || v->type == T_NUM;
}

int rowop_compare(enum op_code op, const struct value *a, const struct value *b, const struct fn_env *env, const char **fail)
{
	struct num x, y;

	if (a->type == T_NULL || b->type == T_NULL)
		return -1;
	if (value_num(a, &x) != NUM_NOT && value_num(b, &y) != NUM_NOT)
		return compare_holds(op, num_cmp(&x, &y));
	if ((type_is_bytes(a->type) || is_numberlike(a)) && (type_is_bytes(b->type) || is_numberlike(b))) {
		if ((a->type == T_TEXT && is_numberlike(b)) || (b->type == T_TEXT && is_numberlike(a)))
			return unlike(op, not_number, fail);
		return compare_as_text(op, a, b);
	}
	return compare_kinds(op, a, b, env, fail);
}

int rowop_in(const struct value *a, const struct value *b, const struct fn_env *env, const char **fail)
{
	const char *ignored = NULL;

	if (a->type == T_NULL || b->type == T_NULL)
		return -1;
	if (b->type == T_OBJECT && type_is_bytes(a->type))
		return value_get(b, a->s, a->n) != NULL;
	if (b->type != T_LIST) {
		*fail = "`in` wants a list or an object on its right";
		return -1;
	}
	for (uint32_t i = 0; i < b->n; i++)
		if (rowop_compare(OP_EQ, a, &b->items[i], env, &ignored) == 1)
			return 1;
	return 0;
}

static struct value concat_lists(const struct value *a, const struct value *b, struct arena *arena)
{
	uint32_t na = a->type == T_LIST ? a->n : 1, nb = b->type == T_LIST ? b->n : 1;
	struct value *items = arena_array(arena, struct value, (size_t)na + nb);

	memcpy(items, a->type == T_LIST ? a->items : a, na * sizeof *items);
	memcpy(items + na, b->type == T_LIST ? b->items : b, nb * sizeof *items);
	return v_list(items, (size_t)na + nb);
}

struct value rowop_concat(const struct value *a, const struct value *b, const struct fn_env *env, struct arena *arena, const char **fail)
{
	const char *x, *y;
	size_t nx, ny;
	char *d;

	if (a->type == T_NULL || b->type == T_NULL)
		return v_null();
	if (a->type == T_LIST || b->type == T_LIST)
		return concat_lists(a, b, arena);
	if (!rowop_text(a, env, arena, &x, &nx) || !rowop_text(b, env, arena, &y, &ny)) {
		*fail = "objects do not concatenate: use merge()";
		return v_null();
	}
	if (nx + ny > VALUE_LEN_MAX) {
		*fail = "text too long";
		return v_null();
	}
	d = arena_bytes(arena, nx + ny);
	memcpy(d, x, nx);
	memcpy(d + nx, y, ny);
	return v_str(d, nx + ny);
}

/* One [set] at p (behind the bracket): does c belong? *end: behind the closing bracket, NULL when there is none. */
static bool set_match(const char *p, const char *stop, unsigned char c, const char **end)
{
	bool negate = p < stop && (*p == '!' || *p == '^'), hit = false, first = true;

	for (p += negate; p < stop && (*p != ']' || first); first = false) {
		unsigned char lo, hi;

		if (*p == '\\' && p + 1 < stop)
			p++;
		lo = hi = (unsigned char)*p++;
		if (p + 1 < stop && *p == '-' && p[1] != ']') {
			hi = (unsigned char)p[1];
			p += 2;
		}
		hit |= c >= lo && c <= hi;
	}
	*end = p < stop ? p + 1 : NULL;
	return hit != negate;
}

/* One pattern element against one byte; returns the element's length, 0 when it does not match. */
static size_t glob_one(const char *p, const char *stop, unsigned char c)
{
	const char *end;

	if (*p == '?')
		return 1;
	if (*p == '[') {
		bool hit = set_match(p + 1, stop, c, &end);

		if (end)
			return hit ? (size_t)(end - p) : 0;
	}
	if (*p == '\\' && p + 1 < stop)
		return (unsigned char)p[1] == c ? 2 : 0;
	return (unsigned char)*p == c;
}

/* Greedy with one point of return (the last star): O(pattern * text) at worst. */
bool glob_match(const char *pat, size_t pn, const char *s, size_t n)
{
	const char *p = pat, *stop = pat + pn, *end = s + n, *star = NULL, *back = NULL;
	size_t step;

	while (s < end) {
		if (p < stop && *p == '*') {
			star = ++p;
			back = s;
		} else if (p < stop && (step = glob_one(p, stop, (unsigned char)*s))) {
			p += step;
			s++;
		} else if (star) {
			p = star;
			s = ++back;
		} else {
			return false;
		}
	}
	while (p < stop && *p == '*')
		p++;
	return p == stop;
}

struct value rowop_index(const struct value *v, const struct value *i, struct arena *arena, const char **fail)
{
	struct num n;
	int64_t at;

	if (v->type == T_NULL || i->type == T_NULL)
		return v_null();
	if (v->type == T_OBJECT && type_is_bytes(i->type))
		return value_member(v, i->s, i->n, arena);
	if (v->type != T_LIST || value_num(i, &n) == NUM_NOT) {
		*fail = v->type == T_LIST ? not_number : "not a list or an object";
		return v_null();
	}
	if (n.kind == NUM_FLOAT && !num_double_to_int(n.f, &at)) {
		*fail = "not a whole number";
		return v_null();
	}
	if (n.kind == NUM_INT)
		at = n.i;
	if (at < 0)
		at += v->n;
	return at >= 0 && at < v->n ? v->items[at] : v_null();
}

/* Evaluation of bound expressions, a batch at a time. */
#include "expr/eval.h"

#include <stdio.h>

#include "expr/expr_impl.h"

void fails_add(struct fails *f, const char *what, const char *reason, const struct origin *origin, uint32_t row)
{
	if (f->n++)
		return;
	if (origin && origin->source && origin->line_base)
		snprintf(f->first, sizeof f->first, "%s: %s at %s:%llu", what, reason, origin->source,
			 (unsigned long long)(origin->line_base + (origin->line ? origin->line[row] : row)));
	else
		snprintf(f->first, sizeof f->first, "%s: %s", what, reason);
}

struct bools bools_make(struct arena *a, uint32_t n_rows)
{
	return (struct bools){ .c = column_make(a, T_BOOL, n_rows), .arena = a, .n_rows = n_rows };
}

void bools_null(struct bools *b, uint32_t row)
{
	if (!b->c.valid)
		b->c.valid = bitmap_make(b->arena, b->n_rows);
	bit_clear(b->c.valid, row);
	b->c.b[row] = false;
}

static void fail_row(struct expr *x, struct eval *ev, const struct batch *b, const char *why, uint32_t row)
{
	if (why && ev->fails)
		fails_add(ev->fails, x->what, why, &b->origin, row);
}

/* ---- fields ---- */

/* The column of a variable. */
static const char *variable_name(struct arena *a, const char *name, uint32_t *n)
{
	const char *p = arena_printf(a, VAR_PREFIX "%s", name);

	*n = (uint32_t)strlen(p);
	return p;
}

static bool is_variable(const char *p, uint32_t n)
{
	return n >= sizeof VAR_PREFIX - 1 && !memcmp(p, VAR_PREFIX, sizeof VAR_PREFIX - 1);
}

void expr_resolve(struct expr *x, const struct schema *s, struct arena *tmp)
{
	size_t n = x->name_n;
	uint32_t len;
	const char *own;

	x->schema = s;
	if (x->variable) {
		own = variable_name(tmp, x->path[0].p, &len);
		x->column = schema_find(s, own, len);
		x->path_from = 1;
		return;
	}
	x->column = -1;
	for (uint32_t k = x->n_path; k; k--) {
		x->column = schema_find(s, x->name, n);
		x->path_from = k;
		if (x->column >= 0)
			return;
		n -= x->path[k - 1].n + (k > 1);
	}
}

static struct column null_column(void)
{
	return (struct column){ .type = T_NULL, .constant = true, .has_null = true };
}

static struct column eval_path_below(struct expr *x, const struct batch *b, const struct column *c, const uint32_t *sel, uint32_t n_sel)
{
	struct value *v = arena_array(b->arena, struct value, b->n_rows);

	BATCH_EACH(sel, n_sel, i)
	{
		v[i] = column_get(c, i);
		for (uint32_t k = x->path_from; k < x->n_path; k++)
			v[i] = value_member(&v[i], x->path[k].p, x->path[k].n, b->arena);
	}
	return column_tighten(b->arena, v, sel, n_sel, b->n_rows);
}

static struct column eval_field(struct expr *x, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column c;

	if (b->schema != x->schema)
		expr_resolve(x, b->schema, b->arena);
	x->asked |= n_sel > 0;
	if (x->column < 0)
		return null_column();
	c = b->cols[x->column];
	if (x->path_from < x->n_path)
		c = eval_path_below(x, b, &c, sel, n_sel);
	if (unlikely(!x->seen) && c.type != T_NULL)
		BATCH_EACH(sel, n_sel, i) if (!column_null(&c, i)) {
			x->seen = true;
			break;
		}
	return c;
}

static struct column eval_special(struct expr *x, struct eval *ev, const struct batch *b)
{
	struct value v = ev->special ? ev->special[x->special] : v_null();

	if (x->special < HIDDEN_SPECIALS_ && b->hidden[x->special])
		return *b->hidden[x->special];
	if ((x->special == SP_SOURCE || x->special == SP_FILE) && b->origin.source)
		v = v_str(b->origin.source, strlen(b->origin.source));
	return column_const(b->arena, &v);
}

/* The batch without its variables. */
static struct batch without_variables(const struct batch *b)
{
	const char **names = arena_array(b->arena, const char *, b->schema->n + 1);
	uint32_t *lens = arena_array(b->arena, uint32_t, b->schema->n + 1), n = 0;
	struct column *cols = arena_array(b->arena, struct column, b->schema->n + 1);
	struct batch out = *b;

	for (uint32_t k = 0; k < b->schema->n; k++) {
		if (is_variable(b->schema->names[k], b->schema->name_n[k]))
			continue;
		names[n] = b->schema->names[k];
		lens[n] = b->schema->name_n[k];
		cols[n++] = b->cols[k];
	}
	out.schema = schema_intern(names, lens, n);
	out.cols = cols;
	return out;
}

static struct column eval_record(const struct expr *x, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column c = column_make(b->arena, T_OBJECT, b->n_rows);
	struct batch own = x->variable ? without_variables(b) : *b;

	BATCH_EACH(sel, n_sel, i) c.v[i] = batch_record(&own, i, b->arena);
	return c;
}

/* ---- operators that go row by row over values ---- */

static struct column eval_kid(struct expr *x, uint32_t k, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	return expr_eval(x->kids[k], ev, b, sel, n_sel);
}

struct value expr_operate(struct expr *x, const struct value *v, struct eval *ev, struct arena *a, const char **why)
{
	switch (x->kind) {
	case X_NEG:
		return rowop_neg(&v[0], why);
	case X_MEMBER:
		return value_member(&v[0], x->name, x->name_n, a);
	case X_INDEX:
		return rowop_index(&v[0], &v[1], a, why);
	default:
		return rowop_concat(&v[0], &v[1], ev->env, a, why);
	}
}

static struct column eval_values(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column kids[2] = { eval_kid(x, 0, ev, b, sel, n_sel) };
	struct value *out = arena_array(b->arena, struct value, b->n_rows);

	if (x->n_kids > 1)
		kids[1] = eval_kid(x, 1, ev, b, sel, n_sel);
	BATCH_EACH(sel, n_sel, i)
	{
		struct value v[2] = { column_get(&kids[0], i) };
		const char *why = NULL;

		if (x->n_kids > 1)
			v[1] = column_get(&kids[1], i);
		out[i] = expr_operate(x, v, ev, b->arena, &why);
		fail_row(x, ev, b, why, i);
	}
	return column_tighten(b->arena, out, sel, n_sel, b->n_rows);
}

static struct column eval_list(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column *kids = arena_array(b->arena, struct column, x->n_kids + 1);
	struct column c = column_make(b->arena, x->kind == X_LIST ? T_LIST : T_OBJECT, b->n_rows);

	for (uint32_t k = 0; k < x->n_kids; k++)
		kids[k] = eval_kid(x, k, ev, b, sel, n_sel);
	BATCH_EACH(sel, n_sel, i)
	{
		if (x->kind == X_LIST) {
			struct value *items = arena_array(b->arena, struct value, x->n_kids);

			for (uint32_t k = 0; k < x->n_kids; k++)
				items[k] = column_get(&kids[k], i);
			c.v[i] = v_list(items, x->n_kids);
		} else {
			struct field *f = arena_array(b->arena, struct field, x->n_kids);

			for (uint32_t k = 0; k < x->n_kids; k++)
				f[k] = (struct field){ x->keys[k], (uint32_t)strlen(x->keys[k]), column_get(&kids[k], i) };
			c.v[i] = v_object(f, x->n_kids);
		}
	}
	return c;
}

/* ---- truth ---- */

static int truth_of(struct expr *x, struct eval *ev, const struct batch *b, const struct column *c, uint32_t i)
{
	struct value v = column_get(c, i);
	int t = value_truth(&v);

	if (t < 0 && v.type != T_NULL)
		fail_row(x, ev, b, "not true or false", i);
	return t;
}

static struct column eval_not(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column c = eval_kid(x, 0, ev, b, sel, n_sel);
	struct bools out = bools_make(b->arena, b->n_rows);

	BATCH_EACH(sel, n_sel, i)
	{
		int t = truth_of(x, ev, b, &c, i);

		bools_set(&out, i, t < 0 ? -1 : !t);
	}
	return out.c;
}

/* Three-valued: false && null is false, true || null is true. The right side sees only the rows that the left leaves open. */
static struct column eval_and_or(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column l = eval_kid(x, 0, ev, b, sel, n_sel), r;
	struct bools out = bools_make(b->arena, b->n_rows);
	uint32_t *open = arena_array(b->arena, uint32_t, n_sel), n_open = 0;
	int decided = x->kind == X_OR;

	BATCH_EACH(sel, n_sel, i)
	{
		int t = truth_of(x, ev, b, &l, i);

		bools_set(&out, i, t);
		if (t != decided)
			open[n_open++] = i;
	}
	if (!n_open)
		return out.c;
	r = eval_kid(x, 1, ev, b, open, n_open);
	for (uint32_t k = 0; k < n_open; k++) {
		uint32_t i = open[k];
		int t = truth_of(x, ev, b, &r, i);
		bool left_null = out.c.valid && !bit_get(out.c.valid, i);

		if (t == decided && left_null)
			bit_set(out.c.valid, i);
		if (t < 0 || (left_null && t != decided))
			bools_null(&out, i);
		else
			out.c.b[i] = t;
	}
	return out.c;
}

static void merge_rows(struct value *out, const struct column *c, const uint32_t *rows, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		out[rows[k]] = column_get(c, rows[k]);
}

static struct column eval_cond(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column c = eval_kid(x, 0, ev, b, sel, n_sel), v;
	struct value *out = arena_array(b->arena, struct value, b->n_rows);
	uint32_t *rows = arena_array(b->arena, uint32_t, 2 * (size_t)n_sel), n[2] = { 0 };

	BATCH_EACH(sel, n_sel, i)
	{
		int t = truth_of(x, ev, b, &c, i);

		out[i] = v_null();
		if (t >= 0)
			rows[t ? n[0]++ : n_sel + n[1]++] = i;
	}
	for (uint32_t k = 0; k < 2; k++) {
		if (!n[k] || k + 1 >= x->n_kids)
			continue;
		v = eval_kid(x, k + 1, ev, b, rows + k * n_sel, n[k]);
		merge_rows(out, &v, rows + k * n_sel, n[k]);
	}
	return column_tighten(b->arena, out, sel, n_sel, b->n_rows);
}

static struct column eval_null_or(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column l = eval_kid(x, 0, ev, b, sel, n_sel), r;
	uint32_t *open = arena_array(b->arena, uint32_t, n_sel), n_open = 0;
	struct value *out;

	BATCH_EACH(sel, n_sel, i) if (column_null(&l, i)) open[n_open++] = i;
	if (!n_open)
		return l;
	r = eval_kid(x, 1, ev, b, open, n_open);
	out = arena_array(b->arena, struct value, b->n_rows);
	BATCH_EACH(sel, n_sel, i) out[i] = column_get(&l, i);
	merge_rows(out, &r, open, n_open);
	return column_tighten(b->arena, out, sel, n_sel, b->n_rows);
}

/* ---- patterns and membership ---- */

static struct regex *pattern_of(struct expr *x, struct eval *ev, const struct value *v, const char **why)
{
	struct regex *re;

	if (x->re)
		return x->re;
	x->call.env = ev->env;
	x->call.fail = NULL;
	re = fn_arg_regex(&x->call, v);
	*why = x->call.fail;
	return re;
}

static int row_match(struct expr *x, struct eval *ev, const struct value *v, struct arena *a, const char **why)
{
	struct regex_span spans[REGEX_GROUPS_MAX + 1];
	struct regex *re;
	const char *s;
	size_t n;

	if (v[0].type == T_NULL || v[1].type == T_NULL)
		return -1;
	if (!rowop_text(&v[0], ev->env, a, &s, &n)) {
		*why = "not text";
		return -1;
	}
	re = pattern_of(x, ev, &v[1], why);
	if (!re)
		return -1;
	return (regex_match(re, s, n, 0, spans) == 1) == (x->op == OP_MATCH);
}

static int row_glob(struct eval *ev, const struct value *v, struct arena *a, const char **why)
{
	const char *s, *p;
	size_t n, pn;

	if (v[0].type == T_NULL || v[1].type == T_NULL)
		return -1;
	if (!rowop_text(&v[0], ev->env, a, &s, &n) || !rowop_text(&v[1], ev->env, a, &p, &pn)) {
		*why = "not text";
		return -1;
	}
	return glob_match(p, pn, s, n);
}

int expr_test(struct expr *x, const struct value *v, struct eval *ev, struct arena *a, const char **why)
{
	if (x->kind == X_MATCH && !x->re && !x->call.arena)
		x->call.arena = a;
	return x->kind == X_MATCH  ? row_match(x, ev, v, a, why)
	       : x->kind == X_GLOB ? row_glob(ev, v, a, why)
				   : rowop_in(&v[0], &v[1], ev->env, why);
}

static struct column eval_test(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column l = eval_kid(x, 0, ev, b, sel, n_sel), r = eval_kid(x, 1, ev, b, sel, n_sel);
	struct bools out = bools_make(b->arena, b->n_rows);

	BATCH_EACH(sel, n_sel, i)
	{
		struct value v[2] = { column_get(&l, i), column_get(&r, i) };
		const char *why = NULL;

		bools_set(&out, i, expr_test(x, v, ev, b->arena, &why));
		fail_row(x, ev, b, why, i);
	}
	return out.c;
}

static struct column eval_binary(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column l = eval_kid(x, 0, ev, b, sel, n_sel), r = eval_kid(x, 1, ev, b, sel, n_sel);

	if (l.type == T_NULL || r.type == T_NULL)
		return null_column();
	return x->kind == X_ARITH ? kernel_arith(x, ev, b, &l, &r, sel, n_sel) : kernel_compare(x, ev, b, &l, &r, sel, n_sel);
}

/* ---- calls ---- */

static struct value call_row(struct expr *x, struct eval *ev, const struct batch *b, const struct column *args, uint32_t i)
{
	struct value v[FN_ARGS_MAX], out = v_null();
	bool nulls = false;

	for (uint32_t k = 0; k < x->n_kids; k++) {
		v[k] = column_get(&args[k], i);
		nulls |= v[k].type == T_NULL;
	}
	if (nulls && !(x->call.def->flags & FN_NULLS))
		return out;
	x->call.fail = NULL;
	x->call.def->row(&x->call, v, x->n_kids, &out);
	fail_row(x, ev, b, x->call.fail, i);
	return out;
}

static struct column eval_call(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column *args = arena_array(b->arena, struct column, x->n_kids + 1), c;
	struct value *out;

	for (uint32_t k = 0; k < x->n_kids; k++)
		args[k] = eval_kid(x, k, ev, b, sel, n_sel);
	x->call.arena = b->arena;
	x->call.env = ev->env;
	if (x->call.def->vec && x->call.def->vec(&x->call, args, x->n_kids, sel, n_sel, b->n_rows, &c))
		return c;
	out = arena_array(b->arena, struct value, b->n_rows);
	BATCH_EACH(sel, n_sel, i) out[i] = call_row(x, ev, b, args, i);
	return column_tighten(b->arena, out, sel, n_sel, b->n_rows);
}

/* ---- each(x, LIST, E), keep(x, LIST, E): all elements of all rows make one batch ---- */

struct lambda {
	const struct column *lists;
	const uint32_t *sel;
	uint32_t n_sel;
	uint32_t n;            /* elements */
	struct value *items;   /* n */
	uint32_t *parent;      /* n: row of the outer batch */
};

static void lambda_flatten(struct expr *x, struct eval *ev, const struct batch *b, struct lambda *l)
{
	uint64_t n = 0;

	BATCH_EACH(l->sel, l->n_sel, i)
	{
		struct value v = column_get(l->lists, i);

		if (v.type == T_LIST)
			n += v.n;
		else if (v.type != T_NULL)
			fail_row(x, ev, b, "not a list", i);
	}
	l->items = arena_array(b->arena, struct value, n + 1);
	l->parent = arena_array(b->arena, uint32_t, n + 1);
	BATCH_EACH(l->sel, l->n_sel, i)
	{
		struct value v = column_get(l->lists, i);

		for (uint32_t k = 0; v.type == T_LIST && k < v.n; k++, l->n++) {
			l->items[l->n] = v.items[k];
			l->parent[l->n] = i;
		}
	}
}

/* Elements are told by the place of their record. */
static struct origin lambda_origin(const struct batch *b, const struct lambda *l)
{
	uint32_t *line = arena_array(b->arena, uint32_t, l->n + 1);
	struct origin o = b->origin;

	for (uint32_t k = 0; k < l->n; k++)
		line[k] = o.line ? o.line[l->parent[k]] : l->parent[k];
	o.line = line;
	return o;
}

/* The batch the body runs on: the variable, and the record's fields where the body reads any. */
static struct batch lambda_batch(struct expr *x, const struct batch *b, const struct lambda *l)
{
	uint32_t n = x->reads ? b->schema->n : 0, m = 1;
	const char **names = arena_array(b->arena, const char *, n + 1);
	uint32_t *lens = arena_array(b->arena, uint32_t, n + 1);
	struct column *cols = arena_array(b->arena, struct column, n + 1);

	names[0] = variable_name(b->arena, x->name, &lens[0]);
	cols[0] = column_tighten(b->arena, l->items, NULL, l->n, l->n);
	for (uint32_t k = 0; k < n; k++) {
		names[m] = b->schema->names[k];
		lens[m] = b->schema->name_n[k];
		if (lens[m] != lens[0] || memcmp(names[m], names[0], lens[0]))
			cols[m++] = column_gather(b->arena, &b->cols[k], l->parent, l->n);
	}
	return (struct batch){ .schema = schema_intern(names, lens, m), .cols = cols, .n_rows = l->n, .n_sel = l->n, .arena = b->arena,
			       .origin = lambda_origin(b, l) };
}

static struct column eval_lambda(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	struct column lists = eval_kid(x, 0, ev, b, sel, n_sel), body, c = column_make(b->arena, T_LIST, b->n_rows);
	struct lambda l = { .lists = &lists, .sel = sel, .n_sel = n_sel };
	struct value *out;
	struct batch inner;
	uint32_t at = 0;

	lambda_flatten(x, ev, b, &l);
	inner = lambda_batch(x, b, &l);
	body = expr_eval(x->kids[1], ev, &inner, NULL, l.n);
	out = arena_array(b->arena, struct value, l.n + 1);
	BATCH_EACH(sel, n_sel, i)
	{
		struct value v = column_get(&lists, i);
		struct value *from = out + at;
		uint32_t m = 0;

		c.v[i] = v_null();
		c.has_null |= v.type != T_LIST;
		if (v.type != T_LIST)
			continue;
		for (uint32_t k = 0; k < v.n; k++, at++) {
			if (x->kind == X_EACH)
				from[m++] = column_get(&body, at);
			else if (truth_of(x, ev, &inner, &body, at) == 1)
				from[m++] = l.items[at];
		}
		c.v[i] = v_list(from, m);
	}
	return c;
}

struct column expr_eval(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel)
{
	switch (x->kind) {
	case X_CONST:
		return column_const(b->arena, &x->lit);
	case X_FIELD:
		return eval_field(x, b, sel, n_sel);
	case X_SPECIAL:
		return eval_special(x, ev, b);
	case X_RECORD:
		return eval_record(x, b, sel, n_sel);
	case X_NOT:
		return eval_not(x, ev, b, sel, n_sel);
	case X_AND:
	case X_OR:
		return eval_and_or(x, ev, b, sel, n_sel);
	case X_NULL_OR:
		return eval_null_or(x, ev, b, sel, n_sel);
	case X_COND:
		return eval_cond(x, ev, b, sel, n_sel);
	case X_COMPARE:
	case X_ARITH:
		return eval_binary(x, ev, b, sel, n_sel);
	case X_MATCH:
	case X_GLOB:
	case X_IN:
		return eval_test(x, ev, b, sel, n_sel);
	case X_CALL:
		return eval_call(x, ev, b, sel, n_sel);
	case X_LIST:
	case X_OBJECT:
		return eval_list(x, ev, b, sel, n_sel);
	case X_EACH:
	case X_KEEP:
		return eval_lambda(x, ev, b, sel, n_sel);
	default:
		return eval_values(x, ev, b, sel, n_sel);
	}
}

uint32_t expr_filter(struct expr *x, struct eval *ev, const struct batch *b, const uint32_t *sel, uint32_t n_sel, uint32_t *out,
		     uint64_t *nulls)
{
	struct column c = expr_eval(x, ev, b, sel, n_sel);
	uint32_t n = 0;

	if (c.type == T_BOOL && !c.constant && !c.valid) {
		BATCH_EACH(sel, n_sel, i)
		{
			out[n] = i;
			n += c.b[i];
		}
		return n;
	}
	BATCH_EACH(sel, n_sel, i)
	{
		int t = truth_of(x, ev, b, &c, i);

		*nulls += t < 0;
		if (t == 1)
			out[n++] = i;
	}
	return n;
}

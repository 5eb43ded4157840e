/* Evaluation of one row: a walk over the tree that hands single values up. Agrees with eval.c, which goes column by column. */
#include "expr/expr_impl.h"

/* A variable of each or keep. */
struct local {
	const struct local *up;
	uint32_t slot;
	struct value v;
};

struct row {
	struct eval *ev;
	const struct batch *b;
	uint32_t row;
	const struct value *vars;
	const struct local *local;
	struct arena *arena;
};

static struct value eval(struct expr *x, const struct row *r);

static struct value counted(struct expr *x, const struct row *r, struct value v, const char *why)
{
	if (unlikely(why) && r->ev->fails)
		fails_add(r->ev->fails, x->what, why, r->b ? &r->b->origin : NULL, r->row);
	return v;
}

static struct value truth(int t) { return t < 0 ? v_null() : v_bool(t); }

/* ---- leaves ---- */

static struct value below(const struct expr *x, const struct row *r, struct value v, uint32_t from)
{
	for (uint32_t k = from; k < x->n_path; k++)
		v = value_member(&v, x->path[k].p, x->path[k].n, r->arena);
	return v;
}

static struct value variable(const struct expr *x, const struct row *r)
{
	for (const struct local *l = r->local; l; l = l->up)
		if (l->slot == x->slot)
			return below(x, r, l->v, 1);
	return below(x, r, r->vars[x->slot], 1);
}

static struct value field(struct expr *x, const struct row *r)
{
	struct value v;

	if (x->variable)
		return variable(x, r);
	if (!r->b)
		return v_null();
	if (r->b->schema != x->schema)
		expr_resolve(x, r->b->schema, r->arena);
	x->asked = true;
	if (x->column < 0)
		return v_null();
	v = column_get(&r->b->cols[x->column], r->row);
	if (x->path_from < x->n_path)
		v = below(x, r, v, x->path_from);
	x->seen |= v.type != T_NULL;
	return v;
}

static struct value special(const struct expr *x, const struct row *r)
{
	if (r->b && x->special < HIDDEN_SPECIALS_ && r->b->hidden[x->special])
		return column_get(r->b->hidden[x->special], r->row);
	if (r->b && (x->special == SP_SOURCE || x->special == SP_FILE) && r->b->origin.source)
		return v_str(r->b->origin.source, strlen(r->b->origin.source));
	return r->ev->special ? r->ev->special[x->special] : v_null();
}

/* ---- operators ---- */

static int truth_of(struct expr *x, const struct row *r, const struct value *v)
{
	int t = value_truth(v);

	if (t < 0 && v->type != T_NULL)
		counted(x, r, *v, "not true or false");
	return t;
}

static int kid_truth(struct expr *x, uint32_t k, const struct row *r)
{
	struct value v = eval(x->kids[k], r);

	return truth_of(x, r, &v);
}

static struct value and_or(struct expr *x, const struct row *r)
{
	int decided = x->kind == X_OR, l = kid_truth(x, 0, r), right;

	if (l == decided)
		return v_bool(l);
	right = kid_truth(x, 1, r);
	if (right == decided)
		return v_bool(right);
	return truth(l < 0 ? -1 : right);
}

static struct value not(struct expr * x, const struct row *r)
{
	int t = kid_truth(x, 0, r);

	return truth(t < 0 ? -1 : !t);
}

static struct value cond(struct expr *x, const struct row *r)
{
	int t = kid_truth(x, 0, r);
	uint32_t k = t ? 1 : 2;

	return t < 0 || k >= x->n_kids ? v_null() : eval(x->kids[k], r);
}

static struct value binary(struct expr *x, const struct row *r)
{
	struct value v[2] = { eval(x->kids[0], r), x->n_kids > 1 ? eval(x->kids[1], r) : v_null() }, out;
	const char *why = NULL;

	switch (x->kind) {
	case X_ARITH:
		out = rowop_arith(x->op, &v[0], &v[1], r->ev->env, &why);
		break;
	case X_COMPARE:
		out = truth(rowop_compare(x->op, &v[0], &v[1], r->ev->env, &why));
		break;
	case X_MATCH:
	case X_GLOB:
	case X_IN:
		out = truth(expr_test(x, v, r->ev, r->arena, &why));
		break;
	default:
		out = expr_operate(x, v, r->ev, r->arena, &why);
	}
	return counted(x, r, out, why);
}

static struct value null_or(struct expr *x, const struct row *r)
{
	struct value v = eval(x->kids[0], r);

	return v.type == T_NULL ? eval(x->kids[1], r) : v;
}

static struct value call(struct expr *x, const struct row *r)
{
	struct value v[FN_ARGS_MAX], out = v_null();
	bool nulls = false;

	for (uint32_t k = 0; k < x->n_kids; k++) {
		v[k] = eval(x->kids[k], r);
		nulls |= v[k].type == T_NULL;
	}
	if (nulls && !(x->call.def->flags & FN_NULLS))
		return out;
	x->call.arena = r->arena;
	x->call.env = r->ev->env;
	x->call.fail = NULL;
	x->call.def->row(&x->call, v, x->n_kids, &out);
	return counted(x, r, out, x->call.fail);
}

/* ---- lists ---- */

static struct value list(struct expr *x, const struct row *r)
{
	struct value *items = arena_array(r->arena, struct value, x->n_kids + 1);

	for (uint32_t k = 0; k < x->n_kids; k++)
		items[k] = eval(x->kids[k], r);
	return v_list(items, x->n_kids);
}

static struct value object(struct expr *x, const struct row *r)
{
	struct field *f = arena_array(r->arena, struct field, x->n_kids + 1);

	for (uint32_t k = 0; k < x->n_kids; k++)
		f[k] = (struct field){ x->keys[k], (uint32_t)strlen(x->keys[k]), eval(x->kids[k], r) };
	return v_object(f, x->n_kids);
}

static struct value lambda(struct expr *x, const struct row *r)
{
	struct value of = eval(x->kids[0], r), *items, v;
	struct local own = { .up = r->local, .slot = x->slot };
	struct row inner = *r;
	uint32_t n = 0;

	if (of.type != T_LIST)
		return counted(x, r, v_null(), of.type == T_NULL ? NULL : "not a list");
	items = arena_array(r->arena, struct value, (size_t)of.n + 1);
	inner.local = &own;
	for (uint32_t k = 0; k < of.n; k++) {
		own.v = of.items[k];
		v = eval(x->kids[1], &inner);
		if (x->kind == X_EACH)
			items[n++] = v;
		else if (truth_of(x, r, &v) == 1)
			items[n++] = of.items[k];
	}
	return v_list(items, n);
}

static struct value eval(struct expr *x, const struct row *r)
{
	switch (x->kind) {
	case X_CONST:
		return x->lit;
	case X_FIELD:
		return field(x, r);
	case X_SPECIAL:
		return special(x, r);
	case X_RECORD:
		return r->b ? batch_record(r->b, r->row, r->arena) : v_null();
	case X_NOT:
		return not(x, r);
	case X_AND:
	case X_OR:
		return and_or(x, r);
	case X_NULL_OR:
		return null_or(x, r);
	case X_COND:
		return cond(x, r);
	case X_CALL:
		return call(x, r);
	case X_LIST:
		return list(x, r);
	case X_OBJECT:
		return object(x, r);
	case X_EACH:
	case X_KEEP:
		return lambda(x, r);
	default:
		return binary(x, r);
	}
}

struct value expr_eval_row(struct expr *x, struct eval *ev, const struct batch *b, uint32_t row, const struct value *vars,
			   struct arena *a)
{
	const struct row r = { .ev = ev, .b = b, .row = row, .vars = vars, .arena = a };

	return eval(x, &r);
}

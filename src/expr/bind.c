/* Binding: ast -> expr. */
#include <stdlib.h>

#include "base/nearest.h"
#include "expr/expr_impl.h"
#include "expr/lex.h"

int special_find(const char *name)
{
	for (int i = 0; i < SP_COUNT_; i++)
		if (!strcmp(special_names[i], name))
			return i;
	return -1;
}

/* The names in scope that are not fields. */
struct scope {
	const struct scope *up;
	const char *name;
	uint32_t slot; /* 0, 1 ... from the outermost */
};

struct binder {
	const struct fn_env *env;
	struct arena *arena;
	struct err *err;
};

static struct expr *bind(struct binder *b, const struct node *n, const struct scope *scope);

void field_set_add(struct field_set *f, const char *name, size_t n)
{
	const char **names;

	for (uint32_t i = 0; i < f->n; i++)
		if (strlen(f->names[i]) == n && !memcmp(f->names[i], name, n))
			return;
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 8;
		names = arena_array(f->arena, const char *, f->cap);
		if (f->n)
			memcpy(names, f->names, f->n * sizeof *names);
		f->names = names;
	}
	f->names[f->n++] = arena_str(f->arena, name, n);
}

static const char *path_root(const struct node *n)
{
	while (n->kind == N_MEMBER)
		n = n->kids[0];
	return n->kind == N_FIELD ? n->name : NULL;
}

bool node_is_lambda(const struct node *n)
{
	return n->kind == N_CALL && n->n_kids == 3 && n->kids[0]->kind == N_FIELD && (!strcmp(n->name, "each") || !strcmp(n->name, "keep"));
}

/* `record` is a special that stands for all fields, but @record.name for one. */
static bool is_record(const struct node *n)
{
	return n->kind == N_SPECIAL && !strcmp(n->name, "record");
}

/* How many of a call's first arguments are names of variables: each, keep, fold 1, combine 2, else 0. The one argument behind them does
 * not see them. */
static uint32_t call_variables(const struct node *n)
{
	uint32_t vars = n->kind != N_CALL	 ? 0
			: node_is_lambda(n)	 ? 1
			: !strcmp(n->name, "fold")    ? 1
			: !strcmp(n->name, "combine") ? 2
						      : 0;

	for (uint32_t k = 0; k < vars; k++)
		if (k >= n->n_kids || n->kids[k]->kind != N_FIELD)
			return 0;
	return vars;
}

static void inner_fields(const struct node *n, uint32_t vars, const char *const *bound, uint32_t n_bound, struct field_set *out)
{
	const char **inner = arena_array(out->arena, const char *, n_bound + vars);

	if (n_bound)
		memcpy(inner, bound, n_bound * sizeof *inner);
	for (uint32_t k = 0; k < vars; k++)
		inner[n_bound + k] = n->kids[k]->name;
	if (vars < n->n_kids)
		node_fields(n->kids[vars], bound, n_bound, out);
	for (uint32_t k = vars + 1; k < n->n_kids; k++)
		node_fields(n->kids[k], inner, n_bound + vars, out);
}

void node_fields(const struct node *n, const char *const *bound, uint32_t n_bound, struct field_set *out)
{
	struct buf path = { 0 };
	const char *root;
	uint32_t vars;

	if (is_record(n)) {
		out->all = true;
		return;
	}
	if (n->kind == N_MEMBER && is_record(n->kids[0])) {
		field_set_add(out, n->name, n->name_n);
		return;
	}
	if ((n->kind == N_FIELD || n->kind == N_MEMBER) && (root = path_root(n))) {
		for (uint32_t i = 0; i < n_bound; i++)
			if (!strcmp(bound[i], root))
				return;
		node_path(n, &path, NULL);
		field_set_add(out, path.p, path.n);
		buf_release(&path);
		return;
	}
	vars = call_variables(n);
	if (vars) {
		inner_fields(n, vars, bound, n_bound, out);
		return;
	}
	for (uint32_t i = 0; i < n->n_kids; i++)
		node_fields(n->kids[i], bound, n_bound, out);
}

static struct expr *expr_make(struct binder *b, enum x_kind kind, const struct node *n)
{
	struct expr *x = arena_new(b->arena, struct expr);

	x->kind = (uint8_t)kind;
	x->op = n->op;
	x->column = -1;
	x->what = n->kind == N_CALL					  ? n->name
		  : n->kind == N_BINARY || n->kind == N_UNARY ? op_name(n->op)
		  : n->kind == N_INDEX				  ? "index"
		  : n->kind == N_COND				  ? "? :"
								  : "value";
	return x;
}

static struct expr *expr_const(struct binder *b, const struct node *n, struct value v)
{
	struct expr *x = expr_make(b, X_CONST, n);

	x->lit = v;
	return x;
}

static void release_kids(struct expr **kids, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		expr_release(kids[i]);
}

/* Binds all children; on failure those already bound are released. */
static int bind_kids(struct binder *b, const struct node *n, const struct scope *scope, struct expr *x)
{
	x->kids = arena_array(b->arena, struct expr *, n->n_kids + 1);
	for (x->n_kids = 0; x->n_kids < n->n_kids; x->n_kids++) {
		struct expr *k = bind(b, n->kids[x->n_kids], scope);

		if (!k) {
			release_kids(x->kids, x->n_kids);
			return -1;
		}
		x->kids[x->n_kids] = k;
	}
	return 0;
}

/* A path of names: one dotted field, resolved against each schema (the longest exact name first). */
static struct expr *bind_path(struct binder *b, const struct node *n, const struct scope *scope)
{
	struct expr *x = expr_make(b, X_FIELD, n);
	const struct node *m;
	struct buf path = { 0 };
	uint32_t k = 1;

	for (m = n; m->kind == N_MEMBER; m = m->kids[0])
		k++;
	x->n_path = k;
	x->path = arena_array(b->arena, struct x_name, k);
	for (m = n; k; m = m->n_kids ? m->kids[0] : m)
		x->path[--k] = (struct x_name){ m->name, m->name_n };
	for (; scope && !x->variable; scope = scope->up) {
		x->variable = !strcmp(scope->name, x->path[0].p);
		x->slot = scope->slot;
	}
	node_path(n, &path, NULL);
	x->name = arena_str(b->arena, path.p, path.n);
	x->name_n = (uint32_t)path.n;
	x->what = x->name;
	buf_release(&path);
	return x;
}

/* @record.a is field a even where a variable is called so. */
static struct expr *bind_member(struct binder *b, const struct node *n, const struct scope *scope)
{
	struct expr *x;

	if (path_root(n))
		return bind_path(b, n, scope);
	if (is_record(n->kids[0])) {
		struct node field = *n;

		field.kind = N_FIELD;
		field.n_kids = 0;
		return bind_path(b, &field, NULL);
	}
	x = expr_make(b, X_MEMBER, n);
	x->name = n->name;
	x->name_n = n->name_n;
	return bind_kids(b, n, scope, x) ? NULL : x;
}

static struct expr *bind_special(struct binder *b, const struct node *n, const struct scope *scope)
{
	struct expr *x = expr_make(b, X_SPECIAL, n);

	x->special = special_find(n->name);
	if (x->special < 0) {
		err_at(b->err, n->pos, "unknown special value `@%s`", n->name);
		return NULL;
	}
	if (x->special == SP_RECORD)
		x->kind = X_RECORD;
	x->variable = scope != NULL;
	return x;
}

static struct expr *bind_lambda(struct binder *b, const struct node *n, const struct scope *scope)
{
	struct expr *x = expr_make(b, !strcmp(n->name, "each") ? X_EACH : X_KEEP, n);
	struct scope inner = { .up = scope, .name = n->kids[0]->name, .slot = scope ? scope->slot + 1 : 0 };
	struct field_set read = { .arena = b->arena };

	x->name = n->kids[0]->name;
	x->name_n = n->kids[0]->name_n;
	x->slot = inner.slot;
	x->kids = arena_array(b->arena, struct expr *, 2);
	node_fields(n->kids[2], &x->name, 1, &read);
	x->reads = read.all || read.n;
	x->kids[0] = bind(b, n->kids[1], scope);
	if (!x->kids[0])
		return NULL;
	x->kids[1] = bind(b, n->kids[2], &inner);
	if (!x->kids[1]) {
		expr_release(x->kids[0]);
		return NULL;
	}
	x->n_kids = 2;
	return x;
}

static int check_arity(struct binder *b, const struct node *n, const struct fn_def *def)
{
	if (n->n_kids >= def->min_args && (n->n_kids <= def->max_args || def->max_args == 255) && n->n_kids <= FN_ARGS_MAX)
		return 0;
	err_at(b->err, n->pos, "%s: %u argument%s, the function is %s", n->name, n->n_kids, n->n_kids == 1 ? "" : "s", def->doc.synopsis);
	return -1;
}

static int unknown_function(struct binder *b, const struct node *n)
{
	struct nearest s;

	err_at(b->err, n->pos, "unknown function `%s`", n->name);
	nearest_init(&s, n->name, n->name_n);
	fn_nearest(&s);
	if (s.best)
		err_hint(b->err, "did you mean `%s`?", s.best);
	else
		err_hint(b->err, "`strm help functions` lists them");
	return -1;
}

static bool all_const(const struct expr *x)
{
	for (uint32_t i = 0; i < x->n_kids; i++)
		if (x->kids[i]->kind != X_CONST)
			return false;
	return true;
}

/* A pattern or other argument fixed at bind time. */
static int prepare_call(struct binder *b, const struct node *n, struct expr *x)
{
	const struct value *lits[FN_ARGS_MAX];
	struct err e = { 0 };

	x->call = (struct fn_call){ .def = fn_find(n->name), .env = b->env, .arena = b->arena };
	if (!x->call.def->prepare)
		return 0;
	for (uint32_t i = 0; i < x->n_kids; i++)
		lits[i] = x->kids[i]->kind == X_CONST ? &x->kids[i]->lit : NULL;
	if (!x->call.def->prepare(&x->call, lits, x->n_kids, &e))
		return 0;
	err_at(b->err, n->pos, "%s: %s", n->name, e.msg);
	if (e.hint[0])
		err_hint(b->err, "%s", e.hint);
	return -1;
}

static struct expr *bind_call(struct binder *b, const struct node *n, const struct scope *scope)
{
	const struct fn_def *def = fn_find(n->name);
	struct expr *x;

	if (!def) {
		unknown_function(b, n);
		return NULL;
	}
	if (check_arity(b, n, def))
		return NULL;
	if (def->flags & FN_SPECIAL) {
		if (node_is_lambda(n))
			return bind_lambda(b, n, scope);
		if (!strcmp(n->name, "if")) {
			x = expr_make(b, X_COND, n);
			return bind_kids(b, n, scope, x) ? NULL : x;
		}
		err_at(b->err, n->pos, "%s: the first argument is the name of a variable: %s", n->name, def->doc.synopsis);
		return NULL;
	}
	x = expr_make(b, X_CALL, n);
	if (bind_kids(b, n, scope, x))
		return NULL;
	if (prepare_call(b, n, x)) {
		release_kids(x->kids, x->n_kids);
		return NULL;
	}
	return x;
}

static enum x_kind binary_kind(enum op_code op)
{
	switch (op) {
	case OP_OR: return X_OR;
	case OP_AND: return X_AND;
	case OP_NULL_OR: return X_NULL_OR;
	case OP_EQ: case OP_NE: case OP_LT: case OP_LE: case OP_GT: case OP_GE: return X_COMPARE;
	case OP_MATCH: case OP_NOT_MATCH: return X_MATCH;
	case OP_GLOB: return X_GLOB;
	case OP_IN: return X_IN;
	case OP_CONCAT: return X_CONCAT;
	default: return X_ARITH;
	}
}

/* The pattern of =~: compiled now when it is a literal. */
static int bind_pattern(struct binder *b, const struct node *n, struct expr *x)
{
	const struct expr *pat = x->kids[1];
	struct err e = { 0 };

	if (pat->kind != X_CONST)
		return 0;
	if (!type_is_bytes(pat->lit.type))
		return err_at(b->err, n->kids[1]->pos, "%s wants a pattern on its right, as /error/", op_name(n->op));
	x->re = regex_compile(pat->lit.s, pat->lit.n, &e);
	if (!x->re)
		return err_at(b->err, n->kids[1]->pos, "%s", e.msg);
	return 0;
}

static struct expr *bind(struct binder *b, const struct node *n, const struct scope *scope);

/* The other operand of a comparison with the literal null; NULL: it is none. */
static struct node *compared_to_null(const struct node *n)
{
	for (int i = 0; n->kind == N_BINARY && i < 2; i++)
		if (n->kids[i]->kind == N_LIT && n->kids[i]->lit.type == T_NULL)
			return n->kids[!i];
	return NULL;
}

/* `x == null` asks whether x is null; an order has no place for it. */
static struct expr *bind_null_test(struct binder *b, const struct node *n, struct node *x, const struct scope *scope)
{
	struct node *call = arena_zero(b->arena, sizeof *call), *no = arena_zero(b->arena, sizeof *no);

	if (n->op != OP_EQ && n->op != OP_NE) {
		err_at(b->err, n->pos, "null is neither less nor greater than anything");
		err_hint(b->err, "to test for it: x == null, x != null");
		return NULL;
	}
	call->kind = N_CALL;
	call->pos = no->pos = n->pos;
	call->name = "is_null";
	call->name_n = 7;
	call->kids = arena_array(b->arena, struct node *, 1);
	call->kids[0] = x;
	call->n_kids = no->n_kids = 1;
	no->kind = N_UNARY;
	no->op = OP_NOT;
	no->kids = arena_array(b->arena, struct node *, 1);
	no->kids[0] = call;
	return bind(b, n->op == OP_EQ ? call : no, scope);
}

static struct expr *bind_operator(struct binder *b, const struct node *n, const struct scope *scope)
{
	enum x_kind kind = n->kind == N_BINARY  ? binary_kind(n->op)
			   : n->kind == N_UNARY ? (n->op == OP_NEG ? X_NEG : X_NOT)
			   : n->kind == N_COND	? X_COND
			   : n->kind == N_LIST	? X_LIST
			   : n->kind == N_INDEX ? X_INDEX
						: X_OBJECT;
	struct node *tested = kind == X_COMPARE ? compared_to_null(n) : NULL;
	struct expr *x;

	if (tested)
		return bind_null_test(b, n, tested, scope);
	x = expr_make(b, kind, n);
	x->keys = n->keys;
	if (bind_kids(b, n, scope, x))
		return NULL;
	if (kind == X_MATCH && bind_pattern(b, n, x)) {
		release_kids(x->kids, x->n_kids);
		return NULL;
	}
	return x;
}

/* Constant operands and nothing volatile: evaluate now. A failure is left for the run to count. */
static struct expr *fold(struct binder *b, const struct node *n, struct expr *x)
{
	struct fails fails = { 0 };
	struct eval ev = { .env = b->env, .fails = &fails };
	struct batch one = { .schema = schema_intern(NULL, NULL, 0), .n_rows = 1, .n_sel = 1, .arena = b->arena };
	struct column c;
	struct value v;

	if (x->kind == X_CONST || x->kind == X_FIELD || x->kind == X_SPECIAL || x->kind == X_RECORD || x->kind == X_EACH || x->kind == X_KEEP)
		return x;
	if (!all_const(x) || (x->kind == X_CALL && x->call.def->flags & FN_VOLATILE))
		return x;
	c = expr_eval(x, &ev, &one, NULL, 1);
	if (fails.n)
		return x;
	v = column_get(&c, 0);
	v = value_copy(b->arena, &v);
	expr_release(x);
	return expr_const(b, n, v);
}

static struct expr *bind(struct binder *b, const struct node *n, const struct scope *scope)
{
	struct expr *x;

	switch (n->kind) {
	case N_LIT:
		return expr_const(b, n, n->lit);
	case N_FIELD:
		return bind_path(b, n, scope);
	case N_SPECIAL:
		return bind_special(b, n, scope);
	case N_MEMBER:
		x = bind_member(b, n, scope);
		break;
	case N_CALL:
		x = bind_call(b, n, scope);
		break;
	default:
		x = bind_operator(b, n, scope);
	}
	return x ? fold(b, n, x) : NULL;
}

struct expr *expr_bind_vars(const struct node *n, const struct fn_env *env, const char *const *vars, uint32_t n_vars, struct arena *a,
			    struct err *e)
{
	struct binder b = { .env = env, .arena = a, .err = e };
	struct scope *scope = arena_array(a, struct scope, n_vars + 1);

	for (uint32_t k = 0; k < n_vars; k++)
		scope[k] = (struct scope){ .up = k ? &scope[k - 1] : NULL, .name = vars[k], .slot = k };
	return bind(&b, n, n_vars ? &scope[n_vars - 1] : NULL);
}

struct expr *expr_bind(const struct node *n, const struct fn_env *env, struct arena *a, struct err *e)
{
	return expr_bind_vars(n, env, NULL, 0, a, e);
}

void expr_release(struct expr *x)
{
	if (!x)
		return;
	release_kids(x->kids, x->n_kids);
	x->n_kids = 0;
	if (x->kind == X_CALL && x->call.def && x->call.def->unprepare)
		x->call.def->unprepare(&x->call);
	if (x->kind == X_MATCH)
		fn_unprepare_regex(&x->call);
	if (x->re)
		regex_free(x->re);
	x->re = NULL;
	x->call.def = NULL;
}

const struct value *expr_constant(const struct expr *x)
{
	return x->kind == X_CONST ? &x->lit : NULL;
}

void expr_unseen(const struct expr *x, void (*fn)(void *ctx, const char *name), void *ctx)
{
	if (x->kind == X_FIELD && !x->variable && x->asked && !x->seen)
		fn(ctx, x->name);
	for (uint32_t i = 0; i < x->n_kids; i++)
		expr_unseen(x->kids[i], fn, ctx);
}

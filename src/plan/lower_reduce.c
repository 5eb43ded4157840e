/* Lowering of reduce: the aggregate calls are taken out of the item expressions, equal calls and equal arguments shared. */
#include <stdlib.h>

#include "agg/agg.h"
#include "base/nearest.h"
#include "op/op_reduce.h"
#include "op/op_window.h"
#include "plan/lower.h"

struct lowering {
	const struct plan *p;
	const struct plan_node *n;
	const struct lower_opts *o;
	struct err *err;
	struct reduce_spec spec;
	const struct node **call_nodes; /* of spec.calls */
	const struct node **arg_nodes;  /* of spec.args */
	size_t calls_cap, args_cap;
};

/* Fields of the results, beside the keys. */
#define AGG_PREFIX "@agg"

static bool is_agg_name(const char *name)
{
	return !strncmp(name, AGG_PREFIX, sizeof AGG_PREFIX - 1);
}

static struct node *agg_field(struct lowering *r, const struct node *at, uint32_t call)
{
	struct node *f = arena_new(r->p->arena, struct node);

	f->kind = N_FIELD;
	f->pos = at->pos;
	f->name = arena_printf(r->p->arena, AGG_PREFIX "%u", call);
	f->name_n = (uint32_t)strlen(f->name);
	return f;
}

/* Grow an array of the pipeline's arena. */
static void *more(struct lowering *r, void *p, uint32_t n, size_t *cap, size_t size)
{
	void *d;

	if (n < *cap)
		return p;
	*cap = *cap ? *cap * 2 : 8;
	d = arena_zero(r->p->arena, *cap * size);
	if (n)
		memcpy(d, p, n * size);
	return d;
}

static bool converts(const struct reduce_arg *arg) { return arg->numbers || arg->prefer; }

/* Number of the argument: shared with an equal one that wants its numbers the same way. -1 and err. */
static int add_arg(struct lowering *r, const struct node *n, uint8_t flags)
{
	struct reduce_arg arg = { .numbers = flags & AGG_NUMERIC, .prefer = (flags & AGG_NUM_FAST) != 0, .same_as = -1 };
	size_t cap = r->args_cap;

	for (uint32_t i = 0; i < r->spec.n_args; i++) {
		if (!node_equal(r->arg_nodes[i], n))
			continue;
		if (r->spec.args[i].numbers == arg.numbers && r->spec.args[i].prefer == arg.prefer)
			return (int)i;
		if (converts(&arg) && converts(&r->spec.args[i]) && r->spec.args[i].same_as < 0)
			arg.same_as = (int)i;
	}
	arg.expr = lower_expr(r->p, n, r->o, r->err);
	if (!arg.expr)
		return -1;
	r->spec.args = more(r, r->spec.args, r->spec.n_args, &cap, sizeof *r->spec.args);
	r->arg_nodes = more(r, r->arg_nodes, r->spec.n_args, &r->args_cap, sizeof *r->arg_nodes);
	r->spec.args[r->spec.n_args] = arg;
	r->arg_nodes[r->spec.n_args] = n;
	return (int)r->spec.n_args++;
}

static int add_params(struct lowering *r, const struct node *n, uint32_t from, struct reduce_call *c)
{
	struct value *params = arena_array(r->p->arena, struct value, n->n_kids + 1);

	c->call.params = params;
	for (uint32_t i = from; i < n->n_kids; i++) {
		struct expr *x = lower_expr(r->p, n->kids[i], r->o, r->err);
		const struct value *v = x ? expr_constant(x) : NULL;

		if (!v) {
			expr_release(x);
			err_at(r->err, n->kids[i]->pos, "%s: argument %u must be a constant", n->name, i + 1);
			return err_hint(r->err, "the aggregate is %s", c->call.def->doc.synopsis);
		}
		params[c->call.n_params++] = *v;
	}
	return 0;
}

static int usage(struct lowering *r, const struct node *n, const struct agg_def *def)
{
	return err_at(r->err, n->pos, "%s: %u argument%s, the aggregate is %s", n->name, n->n_kids, n->n_kids == 1 ? "" : "s",
		      def->doc.synopsis);
}

static int bound_name(struct lowering *r, const struct node *n, uint32_t k, struct reduce_call *c)
{
	if (n->kids[k]->kind != N_FIELD)
		return err_at(r->err, n->kids[k]->pos, "%s: argument %u is the name of a variable: %s", n->name, k + 1,
			      c->call.def->doc.synopsis);
	c->vars[c->n_vars++] = n->kids[k]->name;
	return 0;
}

/* fold(acc, INIT, E) and combine(a, b, VALUE, E [, INVERSE]): names first, then expressions. */
static int add_user_call(struct lowering *r, const struct node *n, struct reduce_call *c)
{
	uint32_t n_vars = !strcmp(c->call.def->doc.name, "fold") ? 1 : 2, rest = n->n_kids - n_vars;

	if (n->n_kids < n_vars + 2 || rest > (n_vars == 1 ? 2 : 3))
		return usage(r, n, c->call.def);
	for (uint32_t k = 0; k < n_vars; k++)
		if (bound_name(r, n, k, c))
			return -1;
	for (uint32_t k = 0; k < rest; k++) {
		c->user[k] = lower_expr_vars(r->p, n->kids[n_vars + k], r->o, c->vars, k ? n_vars : 0, r->err);
		if (!c->user[k])
			return -1;
	}
	return 0;
}

static int add_plain_call(struct lowering *r, const struct node *n, struct reduce_call *c)
{
	const struct agg_def *def = c->call.def;
	uint32_t n_args = n->n_kids < def->max_args ? n->n_kids : def->max_args;

	if (n->n_kids < def->min_args || n->n_kids > (uint32_t)def->max_args + def->max_params)
		return usage(r, n, def);
	if (n->distinct && !(def->flags & AGG_DISTINCT_OK)) {
		err_at(r->err, n->pos, "%s: distinct goes with count and sum", n->name);
		return err_hint(r->err, "`dedup` in front of it leaves each value once");
	}
	if (add_params(r, n, n_args, c))
		return -1;
	for (uint32_t i = 0; i < n_args; i++) {
		int arg = add_arg(r, n->kids[i], def->flags);

		if (arg < 0)
			return -1;
		c->arg[c->n_args++] = (uint32_t)arg;
	}
	return 0;
}

static int prepare_call(struct lowering *r, const struct node *n, struct reduce_call *c)
{
	struct err own = { 0 };

	c->call.state_size = c->call.def->state_size;
	if (!c->call.def->prepare || !c->call.def->prepare(&c->call, &own))
		return 0;
	err_at(r->err, n->pos, "%s: %s", n->name, own.msg);
	if (own.hint[0])
		err_hint(r->err, "%s", own.hint);
	return -1;
}

/* Number of the call, -1 and err. */
static int add_call(struct lowering *r, const struct node *n, const struct agg_def *def, double param)
{
	struct reduce_call *c;
	size_t cap = r->calls_cap;

	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		if (node_equal(r->call_nodes[i], n))
			return (int)i;
	r->spec.calls = more(r, r->spec.calls, r->spec.n_calls, &cap, sizeof *r->spec.calls);
	r->call_nodes = more(r, r->call_nodes, r->spec.n_calls, &r->calls_cap, sizeof *r->call_nodes);
	r->call_nodes[r->spec.n_calls] = n;
	c = &r->spec.calls[r->spec.n_calls++];
	c->call = (struct agg_call){ .def = def, .param = param, .distinct = n->distinct };
	if (def->flags & AGG_USER ? add_user_call(r, n, c) : add_plain_call(r, n, c))
		return -1;
	return prepare_call(r, n, c) ? -1 : (int)r->spec.n_calls - 1;
}

static bool is_key(const struct lowering *r, const char *name)
{
	for (uint32_t i = 0; i < r->spec.n_keys; i++)
		if (!strcmp(r->spec.key_names[i], name))
			return true;
	return false;
}

/* Variables of each and keep around an expression. */
struct bound {
	const struct bound *up;
	const char *name;
};

static bool is_bound(const struct bound *b, const char *name)
{
	for (; b; b = b->up)
		if (!strcmp(b->name, name))
			return true;
	return false;
}

static int not_aggregated(struct lowering *r, const struct node *n)
{
	if (n->kind == N_SPECIAL) {
		err_at(r->err, n->pos, "`@record` stands outside an aggregate");
		return err_hint(r->err, "one record stands for many: say first(@record) or collect(@record)");
	}
	err_at(r->err, n->pos, "field `%s` stands outside an aggregate", n->name);
	return err_hint(r->err, "one record stands for many: say first(%s), max(%s), or put it in by", n->name, n->name);
}

static struct node *take_calls(struct lowering *r, const struct node *n, const struct bound *vars);

/* each(x, LIST, E), keep(x, LIST, E): x is a name, and one in E. */
static int take_lambda(struct lowering *r, const struct node *n, struct node *copy, const struct bound *vars)
{
	struct bound inner = { vars, n->kids[0]->name };

	copy->kids[0] = n->kids[0];
	copy->kids[1] = take_calls(r, n->kids[1], vars);
	copy->kids[2] = copy->kids[1] ? take_calls(r, n->kids[2], &inner) : NULL;
	return copy->kids[2] ? 0 : -1;
}

static int take_kids(struct lowering *r, const struct node *n, struct node *copy, const struct bound *vars)
{
	if (node_is_lambda(n))
		return take_lambda(r, n, copy, vars);
	for (uint32_t i = 0; i < n->n_kids; i++) {
		copy->kids[i] = take_calls(r, n->kids[i], vars);
		if (!copy->kids[i])
			return -1;
	}
	return 0;
}

/* The expression with its aggregate calls replaced by fields of the results. NULL and err. */
static struct node *take_calls(struct lowering *r, const struct node *n, const struct bound *vars)
{
	double param = 0;
	const struct agg_def *def = n->kind == N_CALL && !fn_find(n->name) ? agg_find(n->name, &param) : NULL;
	struct node *copy;
	int call;

	if (def) {
		call = add_call(r, n, def, param);
		return call < 0 ? NULL : agg_field(r, n, (uint32_t)call);
	}
	if ((n->kind == N_FIELD && !is_key(r, n->name) && !is_bound(vars, n->name)) ||
	    (n->kind == N_SPECIAL && !strcmp(n->name, "record"))) {
		not_aggregated(r, n);
		return NULL;
	}
	copy = arena_new(r->p->arena, struct node);
	*copy = *n;
	copy->kids = arena_array(r->p->arena, struct node *, n->n_kids + 1);
	return take_kids(r, n, copy, vars) ? NULL : copy;
}

static int unknown_aggregate(struct lowering *r, const struct node *n)
{
	struct nearest s;

	if (n->kind != N_CALL || fn_find(n->name) || agg_find(n->name, NULL))
		return 0;
	err_at(r->err, n->pos, "unknown aggregate or function `%s`", n->name);
	nearest_init(&s, n->name, n->name_n);
	agg_nearest(&s);
	fn_nearest(&s);
	if (s.best)
		err_hint(r->err, "did you mean `%s`?", s.best);
	else
		err_hint(r->err, "`strm help aggregates` lists them");
	return 1;
}

static int walk_unknown(struct node *n, void *ctx)
{
	return unknown_aggregate(ctx, n);
}

static int add_result(struct lowering *r, const struct item *it, struct reduce_result *out)
{
	struct node *rest;
	uint32_t before = r->spec.n_calls;

	out->name = it->name;
	if (node_walk(it->expr, walk_unknown, r))
		return -1;
	rest = take_calls(r, it->expr, NULL);
	if (!rest)
		return -1;
	if (rest->kind == N_FIELD && is_agg_name(rest->name)) {
		out->call = atoi(rest->name + sizeof AGG_PREFIX - 1);
		return 0;
	}
	if (r->spec.n_calls == before && !it->expr->n_kids) {
		err_at(r->err, it->pos, "`%s` has no aggregate in it", it->name);
		return err_hint(r->err, "what is the same for all comes behind it: set %s = ...", it->name);
	}
	out->call = -1;
	out->expr = expr_bind(rest, r->o->run->env, r->p->arena, r->err);
	return out->expr ? 0 : -1;
}

static void release(struct lowering *r)
{
	for (uint32_t i = 0; i < r->spec.n_keys; i++)
		expr_release(r->spec.keys[i]);
	for (uint32_t i = 0; i < r->spec.n_args; i++)
		expr_release(r->spec.args[i].expr);
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		for (int k = 0; k < 3; k++)
			expr_release(r->spec.calls[i].user[k]);
	for (uint32_t i = 0; i < r->spec.n_results; i++)
		expr_release(r->spec.results[i].expr);
}

static int both(struct lowering *r, const struct item *it)
{
	err_at(r->err, it->pos, "`%s` is both a key and an aggregate", it->name);
	if (strcmp(r->n->word, "reduce"))
		return err_hint(r->err, "give the result another name: %s by ... as NAME", r->n->word);
	return err_hint(r->err, "give one of them another name: NAME = ...");
}

/* The hidden count that says whether a key has records left. */
static int add_hits(struct lowering *r)
{
	struct node *call = arena_new(r->p->arena, struct node);
	int at;

	call->kind = N_CALL;
	call->name = "count";
	call->name_n = 5;
	at = add_call(r, call, agg_find("count", NULL), 0);
	r->spec.hits = (uint32_t)at;
	return at < 0 ? -1 : 0;
}

/* Rows that are taken back leave the states by the inverse of each call. */
static int no_inverse(struct lowering *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		const struct reduce_call *c = &r->spec.calls[i];

		if (c->call.def->retract && (!(c->call.def->flags & AGG_USER) || c->user[2]))
			continue;
		err_at(r->err, r->call_nodes[i]->pos, "`%s` cannot take back a record, and the panes in front of it are retracting", r->call_nodes[i]->name);
		return err_hint(r->err, "count, sum, avg, var, stddev, any, all and combine with an inverse can; without `retracting` it gets final panes only");
	}
	return 0;
}

static int build(struct lowering *r)
{
	const struct plan_node *n = r->n;
	struct arena *a = r->p->arena;

	r->spec.key_names = arena_array(a, const char *, n->keys.n + 1);
	r->spec.keys = arena_array(a, struct expr *, n->keys.n + 1);
	for (uint32_t i = 0; i < n->keys.n; i++) {
		r->spec.key_names[i] = n->keys.at[i].name;
		if (is_agg_name(n->keys.at[i].name)) {
			err_at(r->err, n->keys.at[i].pos, "a key cannot have a name that begins with " AGG_PREFIX);
			return err_hint(r->err, "give it another: by NAME = ...");
		}
		r->spec.keys[i] = lower_expr(r->p, n->keys.at[i].expr, r->o, r->err);
		if (!r->spec.keys[i])
			return -1;
		r->spec.n_keys++;
	}
	r->spec.results = arena_zero(a, (n->items.n + 1) * sizeof *r->spec.results);
	for (; r->spec.n_results < n->items.n; r->spec.n_results++) {
		const struct item *it = &n->items.at[r->spec.n_results];

		if (is_key(r, it->name))
			return both(r, it);
		if (add_result(r, it, &r->spec.results[r->spec.n_results]))
			return -1;
	}
	if (n->takes_back && (add_hits(r) || no_inverse(r)))
		return -1;
	r->spec.takes_back = n->takes_back;
	r->spec.start_values = true;
	r->spec.count_zero = !strcmp(n->word, "count") && !n->keys.n;
	return 0;
}

struct op *lower_reduce(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct lowering r = { .p = p, .n = n->kind == PLAN_GROUP_ROWS ? lower_window_keys(p, n, e) : n, .o = o, .err = e };
	struct op *op = NULL;

	if (!r.n)
		return NULL;
	r.spec.windowed = plan_is_windowed(n);
	r.spec.retracting = n->panes && n->panes->trigger->accumulation == PANES_RETRACTING;
	if (!build(&r))
		op = n->kind == PLAN_GROUP_ROWS ? lower_group_rows(n, o, &r.spec)
		     : n->panes || n->window    ? lower_panes(p, n, o, &r.spec, e)
						: op_reduce(o->run, n->stage, n->word, &r.spec);
	if (!op)
		release(&r);
	return op;
}

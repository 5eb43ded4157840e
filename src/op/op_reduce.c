#include "op/op_reduce.h"

#include <stdlib.h>

#include "op/groups.h"

struct reduce {
	struct op op;
	struct reduce_spec spec;
	struct groups groups;
	bool any;                         /* a record came in this micro-batch */
	const struct schema *agg_schema;  /* keys and "@aggN", for results that are expressions */
	const struct schema *out_schema;
};

/* ---- the user's own aggregates: expressions of fold and combine ---- */

static void user_eval(void *ctx, int which, const struct batch *b, uint32_t row, const struct value *vars, struct arena *a,
		      struct value *out)
{
	struct reduce_call *c = ctx;
	uint32_t n = which ? c->n_vars : 0;

	*out = expr_eval_row(c->user[which], &c->owner->op.eval, b, row, c->vars, vars, n, a);
}

/* ---- states ---- */

static void states_reserve(struct reduce_call *c, size_t groups)
{
	size_t need = groups * c->call.state_size, size = c->states_size ? c->states_size : 64 * (size_t)c->call.state_size;

	if (need <= c->states_size)
		return;
	while (size < need)
		size *= 2;
	c->states = big_grow(c->states, c->states_size, size);
	c->states_size = size;
}

static uint32_t n_groups(const struct reduce *r)
{
	return r->spec.n_keys ? r->groups.table.n : 1;
}

static void states_clear(struct reduce *r, bool release)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct reduce_call *c = &r->spec.calls[i];
		size_t used = c->states ? (size_t)n_groups(r) * c->call.state_size : 0;

		for (size_t at = 0; c->call.def->release && at < used; at += c->call.state_size)
			c->call.def->release(&c->call, c->states + at);
		if (release) {
			big_free(c->states, c->states_size);
			c->states = NULL;
			c->states_size = 0;
		} else if (used) {
			memset(c->states, 0, used);
		}
	}
}

static size_t reduce_memory(const struct op *op)
{
	const struct reduce *r = (const struct reduce *)op;
	size_t n = r->spec.n_keys ? groups_memory(&r->groups) : 0;

	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		n += r->spec.calls[i].states_size + r->spec.calls[i].call.heap_bytes;
	return n;
}

/* ---- rows in ---- */

/* Typed numbers without nulls: a conversion, strict or not, lost nothing. */
static bool lossless(const struct column *c)
{
	return (c->type == T_INT || c->type == T_FLOAT) && !c->valid;
}

static void eval_args(struct reduce *r, const struct batch *b, struct column *args)
{
	for (uint32_t i = 0; i < r->spec.n_args; i++) {
		const struct reduce_arg *arg = &r->spec.args[i];
		uint64_t failed = 0;

		if (arg->same_as >= 0 && lossless(&args[arg->same_as])) {
			args[i] = args[arg->same_as];
			continue;
		}
		args[i] = expr_eval(arg->expr, &r->op.eval, b, b->sel, b->n_sel);
		if (arg->numbers || arg->prefer)
			args[i] = column_numbers(b->arena, &args[i], b->sel, b->n_sel, b->n_rows, arg->numbers, &failed);
		r->op.failures += failed;
		if (failed && !r->op.fail_reason)
			r->op.fail_reason = "not a number";
	}
}

static void update_calls(struct reduce *r, const struct batch *b, const uint32_t *group)
{
	struct column *args = arena_array(b->arena, struct column, r->spec.n_args + 1);
	struct column own[REDUCE_ARGS_MAX];

	eval_args(r, b, args);
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct reduce_call *c = &r->spec.calls[i];

		for (uint32_t k = 0; k < c->n_args; k++)
			own[k] = args[c->arg[k]];
		states_reserve(c, n_groups(r));
		c->call.def->update(&c->call, c->states, group, c->n_args ? own : NULL, b->sel, b->n_sel, b);
	}
}

static int reduce_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct reduce *r = (struct reduce *)op;
	const struct column **keys = arena_array(b->arena, const struct column *, r->spec.n_keys + 1);
	struct column *cols = arena_array(b->arena, struct column, r->spec.n_keys + 1);
	uint32_t *group = NULL;

	(void)port;
	for (uint32_t i = 0; i < r->spec.n_keys; i++) {
		cols[i] = expr_eval(r->spec.keys[i], &op->eval, b, b->sel, b->n_sel);
		keys[i] = &cols[i];
	}
	if (r->spec.n_keys) {
		group = arena_array(b->arena, uint32_t, b->n_sel + 1);
		groups_put(&r->groups, b->arena, keys, b->sel, b->n_sel, group);
	}
	update_calls(r, b, group);
	op->count[0] += b->n_sel;
	r->any = true;
	return op_check_memory(op, n_groups(r), e);
}

/* ---- rows out ---- */

static struct column finish_call(struct reduce_call *c, uint32_t from, uint32_t n, struct arena *a)
{
	struct value *v = arena_array(a, struct value, n);

	for (uint32_t k = 0; k < n; k++) {
		v[k] = v_null();
		c->call.def->finish(&c->call, c->states + (size_t)(from + k) * c->call.state_size, a, &v[k]);
	}
	return column_tighten(a, v, NULL, n, n);
}

static int emit(struct reduce *r, uint32_t from, uint32_t n, struct err *e)
{
	struct arena *a = &r->op.arena;
	const struct reduce_spec *s = &r->spec;
	struct column *agg = arena_array(a, struct column, s->n_keys + s->n_calls), *out = arena_array(a, struct column, s->n_keys + s->n_results);
	struct batch b = { .schema = r->agg_schema, .cols = agg, .n_rows = n, .n_sel = n, .arena = a };

	if (s->n_keys)
		groups_keys(&r->groups, from, n, a, agg);
	for (uint32_t i = 0; i < s->n_calls; i++)
		agg[s->n_keys + i] = finish_call(&s->calls[i], from, n, a);
	for (uint32_t i = 0; i < s->n_keys; i++)
		out[i] = agg[i];
	for (uint32_t i = 0; i < s->n_results; i++)
		out[s->n_keys + i] = s->results[i].call >= 0 ? agg[s->n_keys + (uint32_t)s->results[i].call]
							     : expr_eval(s->results[i].expr, &r->op.eval, &b, NULL, n);
	b.schema = r->out_schema;
	b.cols = out;
	return op_push(&r->op, &b, e);
}

static void collect_failures(struct reduce *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		r->op.failures += c->failures;
		if (c->failures && !r->op.fail_reason)
			r->op.fail_reason = c->fail_reason;
		c->failures = 0;
	}
}

static int reduce_batch_end(struct op *op, struct err *e)
{
	struct reduce *r = (struct reduce *)op;
	uint32_t n = r->spec.n_keys || r->any || r->spec.start_values ? n_groups(r) : 0, step = batch_rows();
	int verdict = 0;

	for (uint32_t i = 0; i < r->spec.n_calls && !r->spec.n_keys; i++)
		states_reserve(&r->spec.calls[i], 1);
	for (uint32_t from = 0; from < n && !verdict; from += step) {
		verdict = emit(r, from, n - from < step ? n - from : step, e);
		arena_reset(&op->arena);
	}
	collect_failures(r);
	states_clear(r, false);
	if (r->spec.n_keys)
		groups_clear(&r->groups);
	r->any = false;
	return verdict;
}

static void reduce_free(struct op *op)
{
	struct reduce *r = (struct reduce *)op;

	states_clear(r, true);
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		for (int k = 0; k < 3; k++)
			expr_release(r->spec.calls[i].user[k]);
	for (uint32_t i = 0; i < r->spec.n_keys; i++)
		expr_release(r->spec.keys[i]);
	for (uint32_t i = 0; i < r->spec.n_args; i++)
		expr_release(r->spec.args[i].expr);
	for (uint32_t i = 0; i < r->spec.n_results; i++)
		expr_release(r->spec.results[i].expr);
	if (r->spec.n_keys)
		groups_release(&r->groups);
}

static void reduce_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct reduce *r = (const struct reduce *)op;

	for (uint32_t i = 0; i < r->spec.n_keys; i++)
		expr_unseen(r->spec.keys[i], fn, ctx);
	for (uint32_t i = 0; i < r->spec.n_args; i++)
		expr_unseen(r->spec.args[i].expr, fn, ctx);
}

static const struct op_class reduce_class = {
	.name = "reduce",
	.counters = { "absorbed" },
	.process = reduce_process,
	.on_batch_end = reduce_batch_end,
	.free = reduce_free,
	.memory = reduce_memory,
	.unseen = reduce_unseen,
};

static void make_schemas(struct reduce *r)
{
	struct arena tmp = { 0 };
	const struct reduce_spec *s = &r->spec;
	uint32_t n = s->n_keys + (s->n_calls > s->n_results ? s->n_calls : s->n_results), i;
	const char **names = arena_array(&tmp, const char *, n + 1);
	uint32_t *lens = arena_array(&tmp, uint32_t, n + 1);

	for (i = 0; i < s->n_keys; i++) {
		names[i] = s->key_names[i];
		lens[i] = (uint32_t)strlen(names[i]);
	}
	for (uint32_t k = 0; k < s->n_calls; k++, i++) {
		names[i] = arena_printf(&tmp, "@agg%u", k);
		lens[i] = (uint32_t)strlen(names[i]);
	}
	r->agg_schema = schema_intern(names, lens, i);
	for (i = s->n_keys; i < s->n_keys + s->n_results; i++) {
		names[i] = s->results[i - s->n_keys].name;
		lens[i] = (uint32_t)strlen(names[i]);
	}
	r->out_schema = schema_intern(names, lens, i);
	arena_release(&tmp);
}

struct op *op_reduce(struct run *run, int stage, const char *word, const struct reduce_spec *spec)
{
	struct reduce *r = op_make(&reduce_class, sizeof *r, run, stage, word);

	r->spec = *spec;
	if (spec->n_keys)
		groups_init(&r->groups, spec->n_keys);
	for (uint32_t i = 0; i < spec->n_calls; i++) {
		spec->calls[i].owner = r;
		spec->calls[i].call.eval = (struct agg_eval){ user_eval, &spec->calls[i] };
	}
	make_schemas(r);
	return &r->op;
}

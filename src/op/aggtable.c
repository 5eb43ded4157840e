#include "op/aggtable.h"

#include <stdlib.h>

/* ---- the spec ---- */

/* The user's own aggregates: expressions of fold and combine. */
static void user_eval(void *ctx, int which, const struct batch *b, uint32_t row, const struct value *vars, struct arena *a,
		      struct value *out)
{
	struct reduce_call *c = ctx;

	*out = expr_eval_row(c->user[which], c->eval, b, row, c->vars, vars, which ? c->n_vars : 0, a);
}

static void make_schemas(struct reducer *r)
{
	struct arena tmp = { 0 };
	const struct reduce_spec *s = &r->spec;
	uint32_t n = 2 + s->n_keys + (s->n_calls > s->n_results ? s->n_calls : s->n_results), i;
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
	i = 0;
	if (s->windowed) {
		names[i++] = "window_start";
		names[i++] = "window_end";
	}
	for (uint32_t k = 0; k < s->n_keys; k++)
		names[i++] = s->key_names[k];
	for (uint32_t k = 0; k < s->n_results; k++)
		names[i++] = s->results[k].name;
	for (uint32_t k = 0; k < i; k++)
		lens[k] = (uint32_t)strlen(names[k]);
	r->out_schema = schema_intern(names, lens, i);
	arena_release(&tmp);
}

void reducer_init(struct reducer *r, const struct reduce_spec *spec, struct op *op)
{
	r->spec = *spec;
	r->op = op;
	for (uint32_t i = 0; i < spec->n_calls; i++) {
		spec->calls[i].eval = &op->eval;
		spec->calls[i].call.eval = (struct agg_eval){ user_eval, &spec->calls[i] };
	}
	make_schemas(r);
}

void reducer_release(struct reducer *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		for (int k = 0; k < 3; k++)
			expr_release(r->spec.calls[i].user[k]);
	for (uint32_t i = 0; i < r->spec.n_keys; i++)
		expr_release(r->spec.keys[i]);
	for (uint32_t i = 0; i < r->spec.n_args; i++)
		expr_release(r->spec.args[i].expr);
	for (uint32_t i = 0; i < r->spec.n_results; i++)
		expr_release(r->spec.results[i].expr);
}

void reducer_unseen(const struct reducer *r, void (*fn)(void *ctx, const char *name), void *ctx)
{
	for (uint32_t i = 0; i < r->spec.n_keys; i++)
		expr_unseen(r->spec.keys[i], fn, ctx);
	for (uint32_t i = 0; i < r->spec.n_args; i++)
		if (r->spec.args[i].same_as < 0)
			expr_unseen(r->spec.args[i].expr, fn, ctx);
}

bool reducer_retracts(const struct reducer *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		const struct reduce_call *c = &r->spec.calls[i];

		if (!c->call.def->retract || (c->call.def->flags & AGG_USER && !c->user[2]))
			return false;
	}
	return true;
}

bool reducer_merges(const struct reducer *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		if (r->spec.calls[i].call.def->flags & AGG_SEQUENTIAL)
			return false;
	return true;
}

void reducer_collect_failures(struct reducer *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		r->op->failures += c->failures;
		if (c->failures && !r->op->fail_reason)
			r->op->fail_reason = c->fail_reason;
		c->failures = 0;
	}
}

/* ---- states ---- */

void aggtable_init(struct aggtable *t, const struct reducer *r)
{
	*t = (struct aggtable){ .states = xcalloc(r->spec.n_calls + 1, sizeof *t->states) };
	if (r->spec.n_keys)
		groups_init(&t->groups, r->spec.n_keys);
}

uint32_t aggtable_n(const struct aggtable *t, const struct reducer *r)
{
	return r->spec.n_keys ? t->groups.table.n : 1;
}

static void reserve(struct agg_states *s, const struct agg_call *c, size_t groups)
{
	size_t need = groups * c->state_size, size = s->size ? s->size : (size_t)c->state_size * (groups == 1 ? 1 : 64);

	if (need <= s->size)
		return;
	while (size < need)
		size *= 2;
	s->p = big_grow(s->p, s->size, size);
	s->size = size;
}

static void reserve_all(struct aggtable *t, struct reducer *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		reserve(&t->states[i], &r->spec.calls[i].call, aggtable_n(t, r));
}

void aggtable_clear(struct aggtable *t, struct reducer *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;
		size_t used = t->states[i].p ? (size_t)aggtable_n(t, r) * c->state_size : 0;

		for (size_t at = 0; c->def->release && at < used; at += c->state_size)
			c->def->release(c, t->states[i].p + at);
		if (used)
			memset(t->states[i].p, 0, used);
	}
	if (r->spec.n_keys)
		groups_clear(&t->groups);
	t->any = false;
}

void aggtable_release(struct aggtable *t, struct reducer *r)
{
	if (!t->states)
		return;
	aggtable_clear(t, r);
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		big_free(t->states[i].p, t->states[i].size);
	free(t->states);
	if (r->spec.n_keys)
		groups_release(&t->groups);
	*t = (struct aggtable){ 0 };
}

size_t aggtable_memory(const struct aggtable *t, const struct reducer *r)
{
	size_t n = r->spec.n_keys ? groups_memory(&t->groups) : 0;

	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		n += t->states[i].size;
	return n;
}

/* ---- rows in ---- */

/* Typed numbers without nulls: a conversion, strict or not, lost nothing. */
static bool lossless(const struct column *c)
{
	return (c->type == T_INT || c->type == T_FLOAT) && !c->valid;
}

static void eval_args(struct reducer *r, const struct batch *b, struct column *args)
{
	for (uint32_t i = 0; i < r->spec.n_args; i++) {
		const struct reduce_arg *arg = &r->spec.args[i];
		uint64_t failed = 0;

		if (arg->same_as >= 0 && lossless(&args[arg->same_as])) {
			args[i] = args[arg->same_as];
			continue;
		}
		args[i] = expr_eval(arg->expr, &r->op->eval, b, b->sel, b->n_sel);
		if (arg->numbers || arg->prefer)
			args[i] = column_numbers(b->arena, &args[i], b->sel, b->n_sel, b->n_rows, arg->numbers, &failed);
		r->op->failures += failed;
		if (failed && !r->op->fail_reason)
			r->op->fail_reason = "not a number";
	}
}

static uint32_t *put_keys(struct aggtable *t, struct reducer *r, const struct batch *b)
{
	const struct column **keys = arena_array(b->arena, const struct column *, r->spec.n_keys);
	struct column *cols = arena_array(b->arena, struct column, r->spec.n_keys);
	uint32_t *group = arena_array(b->arena, uint32_t, b->n_sel + 1);

	for (uint32_t i = 0; i < r->spec.n_keys; i++) {
		cols[i] = expr_eval(r->spec.keys[i], &r->op->eval, b, b->sel, b->n_sel);
		keys[i] = &cols[i];
	}
	groups_put(&t->groups, b->arena, keys, b->sel, b->n_sel, group);
	return group;
}

void aggtable_update(struct aggtable *t, struct reducer *r, const struct batch *b, uint32_t **group)
{
	struct column *args = arena_array(b->arena, struct column, r->spec.n_args + 1), own[REDUCE_ARGS_MAX];
	uint32_t *g = r->spec.n_keys ? put_keys(t, r, b) : NULL;

	eval_args(r, b, args);
	reserve_all(t, r);
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct reduce_call *c = &r->spec.calls[i];

		for (uint32_t k = 0; k < c->n_args; k++)
			own[k] = args[c->arg[k]];
		c->call.def->update(&c->call, t->states[i].p, g, c->n_args ? own : NULL, b->sel, b->n_sel, b);
	}
	t->any = true;
	if (group)
		*group = g;
}

/* ---- tables into tables ---- */

/* dst's group of each of src's, made where it is new. */
static void map_groups(struct aggtable *dst, const struct aggtable *src, struct reducer *r, uint32_t *map)
{
	if (r->spec.n_keys)
		groups_merge(&dst->groups, &src->groups, map);
	else
		map[0] = 0;
	reserve_all(dst, r);
}

static char *state_of(const struct aggtable *t, const struct reducer *r, uint32_t call, uint32_t group)
{
	return t->states[call].p + (size_t)group * r->spec.calls[call].call.state_size;
}

static void combine(struct aggtable *dst, struct aggtable *src, struct reducer *r, const uint32_t *map, bool retract)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		if (!src->states[i].p)
			continue;
		for (uint32_t g = 0; g < aggtable_n(src, r); g++) {
			char *d = state_of(dst, r, i, map[g]), *s = state_of(src, r, i, g);

			if (retract)
				c->def->retract(c, d, s);
			else
				c->def->merge(c, d, s);
		}
	}
}

void aggtable_merge(struct aggtable *dst, struct aggtable *src, struct reducer *r, uint32_t *map)
{
	uint32_t *m = map ? map : xmalloc((aggtable_n(src, r) + 1) * sizeof *m);

	map_groups(dst, src, r, m);
	combine(dst, src, r, m, false);
	dst->any |= src->any;
	if (!map)
		free(m);
}

void aggtable_retract(struct aggtable *dst, struct aggtable *src, struct reducer *r, uint32_t *map)
{
	uint32_t *m = map ? map : xmalloc((aggtable_n(src, r) + 1) * sizeof *m);

	map_groups(dst, src, r, m);
	combine(dst, src, r, m, true);
	if (!map)
		free(m);
}

/* Through the serialised form, which every aggregate has. */
void aggtable_copy(struct aggtable *dst, const struct aggtable *src, struct reducer *r)
{
	uint32_t n = aggtable_n(src, r), *map = xmalloc((n + 1) * sizeof *map);
	struct buf b = { 0 };

	map_groups(dst, src, r, map);
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		if (!src->states[i].p)
			continue;
		for (uint32_t g = 0; g < n; g++) {
			const char *p;

			b.n = 0;
			c->def->save(c, state_of(src, r, i, g), &b);
			p = b.p;
			if (c->def->load(c, state_of(dst, r, i, map[g]), &p, b.p + b.n))
				BUG("%s: a state does not load again", c->def->doc.name);
		}
	}
	dst->any = src->any;
	buf_release(&b);
	free(map);
}

/* ---- rows out ---- */

static struct column finish_call(struct aggtable *t, struct reducer *r, uint32_t call, const uint32_t *list, uint32_t from, uint32_t n)
{
	struct arena *a = &r->op->arena;
	struct agg_call *c = &r->spec.calls[call].call;
	struct value *v = arena_array(a, struct value, n);

	for (uint32_t k = 0; k < n; k++) {
		v[k] = v_null();
		c->def->finish(c, state_of(t, r, call, list ? list[k] : from + k), a, &v[k]);
	}
	return column_tighten(a, v, NULL, n, n);
}

static int push(struct aggtable *t, struct reducer *r, const uint32_t *list, uint32_t from, uint32_t n, struct err *e)
{
	struct arena *a = &r->op->arena;
	const struct reduce_spec *s = &r->spec;
	struct column *agg = arena_array(a, struct column, s->n_keys + s->n_calls), *out = arena_array(a, struct column, 2 + s->n_keys + s->n_results);
	uint32_t at = 0;
	struct batch b = { .schema = r->agg_schema, .cols = agg, .n_rows = n, .n_sel = n, .arena = a };

	reserve_all(t, r);
	if (s->n_keys)
		groups_keys(&t->groups, list, from, n, a, agg);
	for (uint32_t i = 0; i < s->n_calls; i++)
		agg[s->n_keys + i] = finish_call(t, r, i, list, from, n);
	if (s->windowed) {
		out[at++] = column_const(a, &r->op->run->special[SP_WINDOW_START]);
		out[at++] = column_const(a, &r->op->run->special[SP_WINDOW_END]);
	}
	for (uint32_t i = 0; i < s->n_keys; i++)
		out[at++] = agg[i];
	for (uint32_t i = 0; i < s->n_results; i++)
		out[at++] = s->results[i].call >= 0 ? agg[s->n_keys + (uint32_t)s->results[i].call]
						    : expr_eval(s->results[i].expr, &r->op->eval, &b, NULL, n);
	b.schema = r->out_schema;
	b.cols = out;
	return op_push(r->op, &b, e);
}

int aggtable_push(struct aggtable *t, struct reducer *r, uint32_t from, uint32_t n, struct err *e)
{
	return push(t, r, NULL, from, n, e);
}

int aggtable_push_list(struct aggtable *t, struct reducer *r, const uint32_t *groups, uint32_t n, struct err *e)
{
	int verdict = 0;

	for (uint32_t from = 0, step = batch_rows(); from < n && !verdict; from += step) {
		verdict = push(t, r, groups + from, 0, n - from < step ? n - from : step, e);
		arena_reset(&r->op->arena);
	}
	return verdict;
}

int aggtable_push_all(struct aggtable *t, struct reducer *r, struct err *e)
{
	uint32_t n = aggtable_n(t, r), step = batch_rows();
	int verdict = 0;

	for (uint32_t from = 0; from < n && !verdict; from += step) {
		verdict = push(t, r, NULL, from, n - from < step ? n - from : step, e);
		arena_reset(&r->op->arena);
	}
	return verdict;
}

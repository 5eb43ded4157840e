#include "op/reducer.h"

#include <stdlib.h>

/* ---- the spec ---- */

/* The user's own aggregates: expressions of fold and combine. */
static void user_eval(void *ctx, int which, const struct batch *b, uint32_t row, const struct value *vars, struct arena *a,
		      struct value *out)
{
	struct reduce_call *c = ctx;

	*out = expr_eval_row(c->user[which], c->eval, b, row, vars, a);
}

/* Do results begin with this bound of the window? A key of the same name stands for it. */
static bool shows(const struct reducer *r, const char *bound)
{
	for (uint32_t k = 0; k < r->spec.n_keys; k++)
		if (!strcmp(r->spec.key_names[k], bound))
			return false;
	return r->spec.windowed;
}

static void make_schemas(struct reducer *r)
{
	struct arena tmp = { 0 };
	const struct reduce_spec *s = &r->spec;
	uint32_t n = 3 + s->n_keys + (s->n_calls > s->n_results ? s->n_calls : s->n_results), i;
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
	if (shows(r, "window_start"))
		names[i++] = "window_start";
	if (shows(r, "window_end"))
		names[i++] = "window_end";
	for (uint32_t k = 0; k < s->n_keys; k++)
		names[i++] = s->key_names[k];
	for (uint32_t k = 0; k < s->n_results; k++)
		names[i++] = s->results[k].name;
	if (s->retracting)
		names[i++] = "_op";
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

/* `b`: the batch whose update has just ended; NULL: they came about elsewhere, in no place. */
static void note_failures(struct reducer *r, struct agg_call *c, const struct batch *b)
{
	if (!c->failures)
		return;
	fails_add(&r->op->unused, c->def->doc.name, c->fail_reason, b ? &b->origin : NULL, c->fail_row);
	r->op->unused.n += c->failures - 1;
	c->failures = 0;
}

void reducer_collect_failures(struct reducer *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		note_failures(r, &r->spec.calls[i].call, NULL);
}

/* ---- rows in ---- */

/* Typed numbers without nulls: a conversion, strict or not, lost nothing. */
static bool lossless(const struct column *c)
{
	return (c->type == T_INT || c->type == T_FLOAT) && !c->valid;
}

static const char *call_with(const struct reducer *r, uint32_t arg)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		for (uint32_t k = 0; k < r->spec.calls[i].n_args; k++)
			if (r->spec.calls[i].arg[k] == arg)
				return r->spec.calls[i].call.def->doc.name;
	return r->op->word;
}

static void note_not_numbers(struct reducer *r, uint32_t arg, const struct batch *b, const struct not_numbers *failed)
{
	if (!failed->n)
		return;
	fails_add(&r->op->unused, call_with(r, arg), "not a number", &b->origin, failed->first);
	r->op->unused.n += failed->n - 1;
}

struct column *reducer_args(struct reducer *r, const struct batch *b)
{
	struct column *args = arena_array(b->arena, struct column, r->spec.n_args + 1);

	for (uint32_t i = 0; i < r->spec.n_args; i++) {
		const struct reduce_arg *arg = &r->spec.args[i];
		struct not_numbers failed = { 0 };

		if (arg->same_as >= 0 && lossless(&args[arg->same_as])) {
			args[i] = args[arg->same_as];
			continue;
		}
		args[i] = expr_eval(arg->expr, &r->op->eval, b, b->sel, b->n_sel);
		if (arg->numbers || arg->prefer)
			args[i] = column_numbers(b->arena, &args[i], b->sel, b->n_sel, b->n_rows, arg->numbers, &failed);
		note_not_numbers(r, i, b, &failed);
	}
	return args;
}

uint32_t *reducer_groups(struct reducer *r, struct groups *g, const struct batch *b)
{
	const struct column **keys = arena_array(b->arena, const struct column *, r->spec.n_keys);
	struct column *cols = arena_array(b->arena, struct column, r->spec.n_keys);
	uint32_t *group = arena_array(b->arena, uint32_t, b->n_sel + 1);

	if (!r->spec.n_keys)
		return NULL;
	for (uint32_t i = 0; i < r->spec.n_keys; i++) {
		cols[i] = expr_eval(r->spec.keys[i], &r->op->eval, b, b->sel, b->n_sel);
		keys[i] = &cols[i];
	}
	groups_put(g, b->arena, keys, b->sel, b->n_sel, group);
	r->key_cols = keys;
	return group;
}

/* ---- states ---- */

struct agg_states *states_new(const struct reducer *r)
{
	return xcalloc(r->spec.n_calls + 1, sizeof(struct agg_states));
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

void states_reserve(struct agg_states *s, struct reducer *r, size_t n_groups)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		reserve(&s[i], &r->spec.calls[i].call, n_groups);
}

void states_update(struct agg_states *s, struct reducer *r, const uint32_t *gid, const struct column *args, const uint32_t *sel, uint32_t n_sel,
		   const struct batch *b)
{
	struct column own[REDUCE_ARGS_MAX];

	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct reduce_call *c = &r->spec.calls[i];

		for (uint32_t k = 0; k < c->n_args; k++)
			own[k] = args[c->arg[k]];
		c->call.def->update(&c->call, s[i].p, gid, c->n_args ? own : NULL, sel, n_sel, b);
		note_failures(r, &c->call, b);
	}
}

static char *state_at(const struct agg_states *s, const struct reducer *r, uint32_t call, uint32_t group)
{
	return s[call].p + (size_t)group * r->spec.calls[call].call.state_size;
}

void states_take_back(struct agg_states *s, struct reducer *r, const uint32_t *gid, const struct column *args, const uint32_t *sel, uint32_t n_sel,
		      const struct batch *b)
{
	struct agg_states *own = states_new(r);
	uint32_t *at = arena_array(b->arena, uint32_t, n_sel + 1);

	for (uint32_t k = 0; k < n_sel; k++)
		at[k] = k;
	states_reserve(own, r, n_sel);
	states_update(own, r, at, args, sel, n_sel, b);
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		for (uint32_t k = 0; k < n_sel; k++)
			c->def->retract(c, state_at(s, r, i, gid[k]), state_at(own, r, i, k));
	}
	states_free(own, r, n_sel);
}

int64_t states_hits(const struct agg_states *s, const struct reducer *r, uint32_t group)
{
	struct agg_call *c = &r->spec.calls[r->spec.hits].call;
	struct arena none = { 0 };
	struct value v;

	c->def->finish(c, state_at(s, r, r->spec.hits, group), &none, &v);
	return v.i;
}

void states_reset(struct agg_states *s, struct reducer *r, uint32_t group)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;
		char *p = state_at(s, r, i, group);

		if (c->def->release)
			c->def->release(c, p);
		memset(p, 0, c->state_size);
	}
}

static void pack(struct agg_states *s, struct agg_call *c, const uint32_t *to, uint32_t n_groups, uint32_t n)
{
	struct agg_states fresh = { 0 };

	reserve(&fresh, c, n);
	for (uint32_t i = 0; i < n_groups; i++)
		if (to[i] != UINT32_MAX)
			memcpy(fresh.p + (size_t)to[i] * c->state_size, s->p + (size_t)i * c->state_size, c->state_size);
	big_free(s->p, s->size);
	*s = fresh;
}

void states_pack(struct agg_states *s, struct reducer *r, const uint32_t *to, uint32_t n_groups, uint32_t n)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		pack(&s[i], &r->spec.calls[i].call, to, n_groups, n);
}

void states_merge(struct agg_states *dst, uint32_t to, struct agg_states *src, uint32_t from, struct reducer *r)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		c->def->merge(c, state_at(dst, r, i, to), state_at(src, r, i, from));
	}
}

void states_save(const struct agg_states *s, struct reducer *r, uint32_t group, struct buf *out)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		c->def->save(c, state_at(s, r, i, group), out);
	}
}

int states_load(struct agg_states *s, struct reducer *r, uint32_t group, const char **p, const char *end)
{
	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		if (c->def->load(c, state_at(s, r, i, group), p, end))
			return -1;
	}
	return 0;
}

void states_free(struct agg_states *s, struct reducer *r, size_t n_groups)
{
	for (uint32_t i = 0; s && i < r->spec.n_calls; i++) {
		struct agg_call *c = &r->spec.calls[i].call;

		for (size_t g = 0; c->def->release && s[i].p && g < n_groups; g++)
			c->def->release(c, s[i].p + g * c->state_size);
		big_free(s[i].p, s[i].size);
	}
	free(s);
}

size_t states_memory(const struct agg_states *s, const struct reducer *r)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->spec.n_calls; i++)
		n += s[i].size + r->spec.calls[i].call.heap_bytes;
	return n;
}

/* ---- rows out ---- */

static struct column finish_call(struct reducer *r, const struct reduce_rows *rows, uint32_t call)
{
	struct arena *a = &r->op->arena;
	struct agg_call *c = &r->spec.calls[call].call;
	struct value *v = arena_array(a, struct value, rows->n);

	for (uint32_t k = 0; k < rows->n; k++) {
		v[k] = v_null();
		c->def->finish(c, state_at(rows->states, r, call, rows->state_list ? rows->state_list[k] : rows->from + k), a, &v[k]);
	}
	return column_tighten(a, v, NULL, rows->n, rows->n);
}

static struct column window_bound(struct reducer *r, const struct column *given, enum special which)
{
	return given ? *given : column_const(&r->op->arena, &r->op->run->special[which]);
}

void reducer_batch(struct reducer *r, const struct reduce_rows *rows, struct batch *b)
{
	struct arena *a = &r->op->arena;
	const struct reduce_spec *s = &r->spec;
	struct column *agg = arena_array(a, struct column, s->n_keys + s->n_calls), *out = arena_array(a, struct column, 3 + s->n_keys + s->n_results);
	struct value plus = v_str("+", 1);
	uint32_t at = 0;

	*b = (struct batch){ .schema = r->agg_schema, .cols = agg, .n_rows = rows->n, .n_sel = rows->n, .arena = a };
	if (s->n_keys)
		groups_keys(rows->groups, rows->key_list, rows->from, rows->n, a, agg);
	for (uint32_t i = 0; i < s->n_calls; i++)
		agg[s->n_keys + i] = finish_call(r, rows, i);
	if (shows(r, "window_start"))
		out[at++] = window_bound(r, rows->start, SP_WINDOW_START);
	if (shows(r, "window_end"))
		out[at++] = window_bound(r, rows->end, SP_WINDOW_END);
	for (uint32_t i = 0; i < s->n_keys; i++)
		out[at++] = agg[i];
	for (uint32_t i = 0; i < s->n_results; i++)
		out[at++] = s->results[i].call >= 0 ? agg[s->n_keys + (uint32_t)s->results[i].call]
						    : expr_eval(s->results[i].expr, &r->op->eval, b, NULL, rows->n);
	if (s->retracting)
		out[at++] = column_const(a, &plus);
	b->schema = r->out_schema;
	b->cols = out;
}

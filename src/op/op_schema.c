#include "op/op_schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/nearest.h"

/* Most fields of one --schema. */
#define TYPED_MAX 1024

struct typed {
	char *name;
	const struct kind *kind;
};

struct schema_op {
	struct op op;
	struct schema_spec spec;
	struct typed *fields;
	uint32_t n;
};

/* A type: converts a value in place, false when it does not. */
struct kind {
	const char *name;
	bool (*to)(struct value *v, const struct fn_env *env);
};

static bool to_int(struct value *v, const struct fn_env *env)
{
	struct num n;
	int64_t i;

	(void)env;
	if (value_num(v, &n) == NUM_NOT && !(v->type == T_STR && num_parse(v->s, v->n, &n) != NUM_NOT))
		return false;
	if (n.kind == NUM_FLOAT && !num_double_to_int(n.f, &i))
		return false;
	*v = v_int(n.kind == NUM_INT ? n.i : i);
	return true;
}

static bool to_number(struct value *v, const struct fn_env *env)
{
	struct num n;

	(void)env;
	if (value_num(v, &n) == NUM_NOT && !(v->type == T_STR && num_parse(v->s, v->n, &n) != NUM_NOT))
		return false;
	*v = value_from_num(&n);
	return true;
}

static bool to_float(struct value *v, const struct fn_env *env)
{
	if (!to_number(v, env))
		return false;
	if (v->type == T_INT)
		*v = v_float((double)v->i);
	return true;
}

static bool to_bool(struct value *v, const struct fn_env *env)
{
	int t = value_truth(v);
	struct num n;

	(void)env;
	if (t < 0 && value_num(v, &n) == NUM_INT && (n.i == 0 || n.i == 1))
		t = n.i == 1;
	*v = v_bool(t == 1);
	return t >= 0;
}

static bool to_string(struct value *v, const struct fn_env *env)
{
	(void)env;
	if (!type_is_bytes(v->type))
		return false;
	v->type = T_STR;
	return true;
}

static bool to_time(struct value *v, const struct fn_env *env)
{
	int64_t t;

	if (v->type == T_TIME)
		return true;
	if (!type_is_bytes(v->type) || !time_parse(v->s, v->n, &env->time, &t))
		return false;
	*v = v_time(t);
	return true;
}

static bool to_duration(struct value *v, const struct fn_env *env)
{
	int64_t d;

	(void)env;
	if (!type_is_bytes(v->type) || !dur_parse(v->s, v->n, &d, NULL))
		return false;
	*v = v_dur(d);
	return true;
}

static const struct kind kinds[] = {
	{ "int", to_int },	 { "float", to_float }, { "number", to_number },     { "bool", to_bool },
	{ "string", to_string }, { "time", to_time },	{ "duration", to_duration },
};

static const struct kind *find_kind(const char *p, size_t n, struct err *e)
{
	struct nearest s;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i].name) == n && !memcmp(kinds[i].name, p, n))
			return &kinds[i];
	err_set(e, ERR_USAGE, "--schema: unknown type \"%.*s\"", (int)n, p);
	nearest_init(&s, p, n);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		nearest_offer(&s, kinds[i].name);
	if (s.best)
		err_hint(e, "did you mean %s?", s.best);
	else
		err_hint(e, "the types are int, float, number, bool, string, time and duration");
	return NULL;
}

static const char *trim(const char *p, size_t *n)
{
	while (*n && (*p == ' ' || *p == '\t' || *p == '\n'))
		p++, --*n;
	while (*n && (p[*n - 1] == ' ' || p[*n - 1] == '\t' || p[*n - 1] == '\n'))
		--*n;
	return p;
}

/* Calls fn for each name and kind. */
static int each_typed(const char *text, int (*fn)(void *ctx, const char *name, size_t n, const struct kind *k), void *ctx, struct err *e)
{
	for (const char *p = text;; p++) {
		size_t n = strcspn(p, ","), name_n, kind_n;
		const char *colon = memrchr(p, ':', n), *name, *kind;
		const struct kind *k;

		if (!colon)
			return err_set(e, ERR_USAGE, "--schema: \"%.*s\" is not name:type", (int)n, p);
		name_n = (size_t)(colon - p);
		kind_n = n - name_n - 1;
		name = trim(p, &name_n);
		kind = trim(colon + 1, &kind_n);
		k = find_kind(kind, kind_n, e);
		if (!k || !name_n)
			return k ? err_set(e, ERR_USAGE, "--schema: \"%.*s\" has no name", (int)n, p) : -1;
		if (fn(ctx, name, name_n, k))
			return err_set(e, ERR_USAGE, "--schema: more than %d fields", TYPED_MAX);
		p += n;
		if (!*p)
			return 0;
	}
}

static int add_field(void *ctx, const char *name, size_t n, const struct kind *k)
{
	(void)k;
	field_set_add(ctx, name, n);
	return 0;
}

int op_schema_fields(const char *text, struct field_set *f, struct err *e)
{
	return each_typed(text, add_field, f, e);
}

static int add_typed(void *ctx, const char *name, size_t n, const struct kind *k)
{
	struct schema_op *s = ctx;

	if (s->n == TYPED_MAX)
		return -1;
	s->fields = xrealloc(s->fields, (s->n + 1) * sizeof *s->fields);
	s->fields[s->n++] = (struct typed){ xstrndup(name, n), k };
	return 0;
}

/* The bytes to report: the record as read where it is known, else the value. */
static int report(struct schema_op *s, const struct batch *b, uint32_t row, const struct typed *t, struct err *e)
{
	uint64_t line = b->origin.line_base ? b->origin.line_base + (b->origin.line ? b->origin.line[row] : row) : 0;
	struct value record = b->raw ? b->raw[row] : batch_record(b, row, b->arena);
	const char *kind = t->kind->name;
	struct buf raw = { 0 };
	char reason[160];
	int r;

	s->op.count[1]++;
	snprintf(reason, sizeof reason, "field %s is not %s %s", t->name, strchr("aeiou", kind[0]) ? "an" : "a", kind);
	value_print(&raw, &record, NULL);
	r = s->spec.bad(s->spec.ctx, raw.p ? raw.p : "", raw.n, b->origin.source, line, reason, e);
	buf_release(&raw);
	return r;
}

/* Converts one column; why[row] becomes the type that a row does not convert to, the first of them. */
static void convert(struct schema_op *s, const struct batch *b, const struct typed *t, struct column *c, const struct typed **why)
{
	struct value *v = arena_array(b->arena, struct value, b->n_rows);

	BATCH_EACH(b->sel, b->n_sel, i)
	{
		v[i] = column_get(c, i);
		if (v[i].type == T_NULL || t->kind->to(&v[i], s->op.eval.env))
			continue;
		why[i] = why[i] ? why[i] : t;
		v[i] = v_null();
	}
	*c = column_tighten(b->arena, v, b->sel, b->n_sel, b->n_rows);
}

/* The rows that all types fit, in order, up to the one that ends the run; -1 when one does. */
static int choose(struct schema_op *s, const struct batch *b, const struct typed **why, uint32_t *sel, uint32_t *n, struct err *e)
{
	*n = 0;
	for (uint32_t k = 0; k < b->n_sel; k++) {
		uint32_t row = batch_row(b, k);

		if (!why[row]) {
			sel[(*n)++] = row;
		} else if (report(s, b, row, why[row], e)) {
			s->op.unwanted += b->n_sel - k - 1;
			return -1;
		}
	}
	return 0;
}

static int schema_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct schema_op *s = (struct schema_op *)op;
	struct column *cols = arena_array(b->arena, struct column, b->schema->n + 1);
	uint32_t *sel = arena_array(b->arena, uint32_t, b->n_sel + 1);
	const struct typed **why = arena_zero(b->arena, b->n_rows * sizeof *why);
	struct batch out = *b;
	struct err stop = { 0 };
	int verdict;

	(void)port;
	if (b->schema->n)
		memcpy(cols, b->cols, b->schema->n * sizeof *cols);
	for (uint32_t k = 0; k < s->n; k++) {
		int at = schema_find(b->schema, s->fields[k].name, strlen(s->fields[k].name));

		if (at >= 0)
			convert(s, b, &s->fields[k], &cols[at], why);
	}
	choose(s, b, why, sel, &out.n_sel, &stop);
	out.cols = cols;
	out.sel = sel;
	if (!s->spec.raw)
		out.raw = NULL;
	op->count[0] += out.n_sel;
	verdict = op_push(op, &out, e);
	if (verdict < 0 || !stop.kind)
		return verdict;
	*e = stop;
	return -1;
}

static void schema_free(struct op *op)
{
	struct schema_op *s = (struct schema_op *)op;

	for (uint32_t k = 0; k < s->n; k++)
		free(s->fields[k].name);
	free(s->fields);
}

static const struct op_class schema_class = {
	.name = "schema",
	.counters = { "typed", "bad" },
	.process = schema_process,
	.free = schema_free,
};

struct op *op_schema(struct run *run, const struct schema_spec *spec, struct err *e)
{
	struct schema_op *s = op_make(&schema_class, sizeof *s, run, 0, "--schema");

	s->spec = *spec;
	if (!each_typed(spec->text, add_typed, s, e))
		return &s->op;
	op_free(&s->op);
	return NULL;
}

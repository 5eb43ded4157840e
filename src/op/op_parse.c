#include "op/op_parse.h"

struct parse {
	struct op op;
	struct parse_spec spec;
	const struct schema *to;         /* of the new fields, unless they are the rows' own */
	uint32_t n_default;
	const char *const *names;       /* the new fields; NULL: objects */
};

static bool is_new(const struct parse *p, const char *name)
{
	for (uint32_t i = 0; p->names && i < p->n_default; i++)
		if (!strcmp(p->names[i], name))
			return true;
	return false;
}

/* The old fields that stay: not the text itself, not those that a new one replaces. */
static bool stays(const struct parse *p, const struct schema *s, uint32_t k)
{
	if (!p->spec.rest)
		return false;
	if (p->spec.field && !strcmp(s->names[k], p->spec.field))
		return false;
	return !is_new(p, s->names[k]);
}

/* Column order of the output: old fields before the text, the new ones, old fields behind it. `cols` may be NULL. */
static uint32_t lay_out(struct parse *p, const struct schema *s, const struct schema *fresh, const struct column *old,
			const struct column *made, const char **names, uint32_t *lens, struct column *cols)
{
	uint32_t n = 0, at = 0;
	int text = p->spec.field ? schema_find(s, p->spec.field, strlen(p->spec.field)) : -1;

	for (uint32_t k = 0; k < s->n && (int)k < text; k++)
		if (stays(p, s, k) && schema_find(fresh, s->names[k], s->name_n[k]) < 0) {
			names[n] = s->names[k];
			lens[n] = s->name_n[k];
			cols[n++] = old[k];
		}
	for (at = 0; at < fresh->n; at++) {
		names[n] = fresh->names[at];
		lens[n] = fresh->name_n[at];
		cols[n++] = made[at];
	}
	for (uint32_t k = text < 0 ? 0 : (uint32_t)text; k < s->n; k++)
		if (stays(p, s, k) && schema_find(fresh, s->names[k], s->name_n[k]) < 0) {
			names[n] = s->names[k];
			lens[n] = s->name_n[k];
			cols[n++] = old[k];
		}
	return n;
}

static int push_with(struct parse *p, const struct batch *b, const struct schema *fresh, const struct column *made, const uint32_t *sel,
		     uint32_t n_sel, struct err *e)
{
	uint32_t max = b->schema->n + fresh->n + 1, n;
	const char **names = arena_array(b->arena, const char *, max);
	uint32_t *lens = arena_array(b->arena, uint32_t, max);
	struct column *cols = arena_array(b->arena, struct column, max);
	struct batch out = *b;

	n = lay_out(p, b->schema, fresh, b->cols, made, names, lens, cols);
	out.schema = schema_intern(names, lens, n);
	out.cols = cols;
	out.sel = sel;
	out.n_sel = n_sel;
	out.raw = NULL;
	return op_push(&p->op, &out, e);
}

static const struct schema *object_schema(struct arena *a, const struct value *v)
{
	const char **names = arena_array(a, const char *, v->n + 1);
	uint32_t *lens = arena_array(a, uint32_t, v->n + 1);

	for (uint32_t i = 0; i < v->n; i++) {
		names[i] = v->fields[i].name;
		lens[i] = v->fields[i].name_n;
	}
	return schema_of_record(names, lens, v->n);
}

static bool same_shape(const struct value *a, const struct value *b)
{
	if (a->type != b->type || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->fields[i].name_n != b->fields[i].name_n || memcmp(a->fields[i].name, b->fields[i].name, a->fields[i].name_n))
			return false;
	return true;
}

/* A document that is no object is a record with the one field `value`. */
static struct value as_object(struct arena *a, struct value v)
{
	struct field *f;

	if (v.type == T_OBJECT)
		return v;
	f = arena_array(a, struct field, 1);
	*f = (struct field){ "value", 5, v };
	return v_object(f, 1);
}

/* Rows whose objects have the fields of s, as a batch of just these rows. */
static int push_shape(struct parse *p, const struct batch *b, const struct schema *s, const struct column *objects, const uint32_t *rows,
		      uint32_t n, struct err *e)
{
	struct column *cols = arena_array(b->arena, struct column, s->n + 1), *old = arena_array(b->arena, struct column, b->schema->n + 1);
	uint32_t *line = arena_array(b->arena, uint32_t, n);
	struct batch own = *b;

	for (uint32_t c = 0; c < s->n; c++)
		cols[c] = column_make(b->arena, T_ANY, n);
	for (uint32_t k = 0; k < n; k++) {
		struct value v = as_object(b->arena, column_get(objects, rows[k]));

		line[k] = b->origin.line ? b->origin.line[rows[k]] : rows[k];
		for (uint32_t c = 0; c < s->n; c++)
			cols[c].v[k] = v.fields[c].v;
	}
	for (uint32_t c = 0; c < s->n; c++)
		cols[c] = column_tighten(b->arena, cols[c].v, NULL, n, n);
	for (uint32_t c = 0; c < b->schema->n; c++)
		old[c] = column_gather(b->arena, &b->cols[c], rows, n);
	own.cols = old;
	own.origin.line = line;
	own.n_rows = n;
	return push_with(p, &own, s, cols, NULL, n, e);
}

/* Records with fields of their own: a batch for each stretch of rows with the same field list. */
static int push_objects(struct parse *p, const struct batch *b, const struct column *objects, const struct pattern_out *out, struct err *e)
{
	int verdict = 0;

	for (uint32_t k = 0, m; k < out->n_ok && !verdict; k = m) {
		struct value first = column_get(objects, out->ok[k]), v;
		const struct schema *s;

		first = as_object(b->arena, first);
		s = object_schema(b->arena, &first);
		for (m = k + 1; m < out->n_ok; m++) {
			v = as_object(b->arena, column_get(objects, out->ok[m]));
			if (!same_shape(&first, &v))
				break;
		}
		verdict = push_shape(p, b, s, objects, out->ok + k, m - k, e);
	}
	return verdict;
}

/* Rows whose field names are a set too many become bad ones. */
static void refuse_shapes(const struct batch *b, const struct column *objects, struct pattern_out *out)
{
	struct value last = v_null();
	uint32_t n = 0;

	for (uint32_t k = 0; k < out->n_ok; k++) {
		struct value v = as_object(b->arena, column_get(objects, out->ok[k]));

		if (same_shape(&last, &v) || object_schema(b->arena, &v)) {
			out->ok[n++] = out->ok[k];
			last = v;
			continue;
		}
		out->bad[out->n_bad] = out->ok[k];
		out->why[out->n_bad++] = SCHEMA_FULL;
	}
	out->n_ok = n;
}

static int report_bad(struct parse *p, const struct batch *b, const struct column *text, struct pattern_out *out, struct err *e)
{
	for (uint32_t k = 0; k < out->n_bad; k++) {
		uint32_t row = out->bad[k];
		uint64_t line = b->origin.line_base ? b->origin.line_base + (b->origin.line ? b->origin.line[row] : row) : 0;
		struct value v = column_get(text, row);
		struct buf raw = { 0 };
		int verdict;

		p->op.count[1]++;
		value_print(&raw, &v, NULL);
		verdict = p->spec.bad(p->spec.ctx, raw.p ? raw.p : "", raw.n, b->origin.source, line, out->why[k], e);
		buf_release(&raw);
		if (!verdict)
			continue;
		while (out->n_ok && out->ok[out->n_ok - 1] > row)
			out->n_ok--; /* what came before the one that ends the run goes on */
		p->op.unwanted += b->n_sel - out->n_ok - (k + 1);
		return verdict;
	}
	return 0;
}

static int parse_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct parse *p = (struct parse *)op;
	struct column text = expr_eval(p->spec.text, &op->eval, b, b->sel, b->n_sel);
	struct pattern_in in = { .text = &text, .sel = b->sel, .n_sel = b->n_sel, .n_rows = b->n_rows, .need = p->spec.need,
				 .n_need = p->spec.n_need, .arena = b->arena };
	struct pattern_out out = { .cols = arena_array(b->arena, struct column, p->n_default + 2),
				   .ok = arena_array(b->arena, uint32_t, b->n_sel + 1),
				   .bad = arena_array(b->arena, uint32_t, b->n_sel + 1),
				   .why = arena_array(b->arena, const char *, b->n_sel + 1) };
	struct err stop = { 0 };
	int verdict;

	(void)port;
	pattern_parse(p->spec.pattern, &in, &out);
	if (!p->names)
		refuse_shapes(b, &out.cols[0], &out);
	report_bad(p, b, &text, &out, &stop);
	op->count[0] += out.n_ok;
	if (!p->names)
		verdict = push_objects(p, b, &out.cols[0], &out, e);
	else
		verdict = push_with(p, b, p->to, out.cols, out.n_ok == b->n_rows ? NULL : out.ok, out.n_ok, e);
	if (verdict < 0 || !stop.kind)
		return verdict;
	*e = stop;
	return -1;
}

static void parse_free(struct op *op)
{
	struct parse *p = (struct parse *)op;

	pattern_free(p->spec.pattern);
	expr_release(p->spec.text);
}

static void parse_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	expr_unseen(((const struct parse *)op)->spec.text, fn, ctx);
}

static const struct op_class parse_class = {
	.name = "parse",
	.makes_fields = true,
	.counters = { "parsed", "bad" },
	.process = parse_process,
	.free = parse_free,
	.unseen = parse_unseen,
};

struct op *op_parse(struct run *run, int stage, const char *word, const struct parse_spec *spec)
{
	struct parse *p = op_make(&parse_class, sizeof *p, run, stage, word);
	uint32_t n, *lens;
	struct arena tmp = { 0 };

	p->spec = *spec;
	p->names = spec->need;
	p->n_default = spec->n_need;
	if (!spec->need)
		p->names = pattern_fields(spec->pattern, &n, &p->n_default);
	if (p->names) {
		lens = arena_array(&tmp, uint32_t, p->n_default + 1);
		for (uint32_t i = 0; i < p->n_default; i++)
			lens[i] = (uint32_t)strlen(p->names[i]);
		p->to = schema_intern(p->names, lens, p->n_default);
		arena_release(&tmp);
	}
	return &p->op;
}

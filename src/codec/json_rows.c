#include <stdlib.h>

#include "codec/json_decode.h"
#include "data/json_value.h"

#define CELLS_WANTED ((size_t)1 << 18) /* cells of a batch; records with many fields make batches of fewer rows */
#define FEW_FIELDS 16

static inline struct value *cell(struct json_rows *r, uint32_t column, uint32_t row)
{
	return &r->cells[(size_t)column * r->stride + row];
}

/* Room for batches of this schema. */
static void rows_shape(struct json_rows *r, const struct schema *s)
{
	size_t rows = s->n ? CELLS_WANTED / s->n : CELLS_WANTED;

	r->schema = s;
	r->stride = rows < 1 ? 1 : rows > batch_rows() ? batch_rows() : (uint32_t)rows;
	if (s->n > r->cols_cap)
		r->cols = xgrow(r->cols, &r->cols_cap, s->n, sizeof *r->cols);
	if ((size_t)s->n * r->stride > r->cells_cap) {
		free(r->cells);
		r->cells_cap = (size_t)s->n * r->stride;
		r->cells = xmalloc(r->cells_cap * sizeof *r->cells);
	}
}

static const struct schema *wanted_schema(const struct decode_opts *o, struct arena *a)
{
	uint32_t *lens = arena_array(a, uint32_t, o->n_fields + 1);

	for (uint32_t i = 0; i < o->n_fields; i++)
		lens[i] = (uint32_t)strlen(o->fields[i]);
	return schema_intern(o->fields, lens, o->n_fields);
}

void json_rows_init(struct json_decoder *d)
{
	const struct decode_opts *o = &d->base.opts;
	struct json_rows *r = &d->rows;

	r->raw = xmalloc(batch_rows() * sizeof *r->raw);
	r->line = xmalloc(batch_rows() * sizeof *r->line);
	if (o->all)
		return;
	d->plan = json_plan(&d->base.keep, o->fields, o->n_fields);
	r->exact = xcalloc(o->n_fields, sizeof *r->exact);
	rows_shape(r, wanted_schema(o, &d->base.keep));
}

void json_rows_release(struct json_rows *r)
{
	free(r->cols);
	free(r->cells);
	free(r->raw);
	free(r->line);
	free(r->fields);
	free(r->exact);
	arena_release(&r->spare);
}

static void column_close(struct json_rows *r, uint32_t i)
{
	const struct value *v = cell(r, i, 0);
	uint32_t types = 0, plain;

	for (uint32_t k = 0; k < r->n; k++)
		types |= (uint32_t)1 << v[k].type;
	plain = types & ~((uint32_t)1 << T_NULL);
	r->cols[i] = (struct column){ .v = cell(r, i, 0), .has_null = plain != types };
	if (!plain)
		r->cols[i].type = T_NULL;
	else if ((plain & (plain - 1)) || (plain & 1u << T_BOOL))
		r->cols[i].type = T_ANY;
	else
		r->cols[i].type = (uint8_t)__builtin_ctz(plain);
}

void json_rows_flush(struct json_decoder *d)
{
	struct json_rows *r = &d->rows;
	struct batch b = { .schema = r->schema, .cols = r->cols, .n_rows = r->n, .n_sel = r->n, .arena = &d->base.arena };
	int rc;

	if (!r->n)
		return;
	for (uint32_t i = 0; i < r->schema->n; i++)
		column_close(r, i);
	if (d->base.opts.raw)
		b.raw = r->raw;
	b.origin.source = d->base.opts.source;
	b.origin.line_base = r->line_base;
	b.origin.line = r->lines_run ? NULL : r->line;
	rc = d->to->emit(d->to->ctx, &b, d->err);
	r->n = 0;
	if (!d->verdict)
		d->verdict = rc;
}

static inline void row_begin(struct json_decoder *d)
{
	struct json_rows *r = &d->rows;

	if (!r->n)
		arena_reset(&d->base.arena);
	r->record++;
}

static inline void row_end(struct json_decoder *d, uint64_t line, const char *p, size_t n)
{
	struct json_rows *r = &d->rows;

	if (!r->n) {
		r->line_base = line;
		r->lines_run = true;
	}
	r->line[r->n] = (uint32_t)(line - r->line_base);
	r->lines_run &= r->line[r->n] == r->n;
	r->raw[r->n] = v_text(p, n);
	d->base.n_records++;
	if (++r->n == r->stride)
		json_rows_flush(d);
}

/* ---- wanted fields only ---- */

static inline void columns_clear(struct json_rows *r)
{
	for (uint32_t i = 0; i < r->schema->n; i++)
		*cell(r, i, r->n) = v_null();
}

static void put_wanted(struct json_rows *r, const struct json_wanted *key, const struct value *v)
{
	if (key->exact >= 0) {
		*cell(r, (uint32_t)key->exact, r->n) = *v;
		r->exact[key->exact] = r->record;
	}
	if (key->path >= 0 && r->exact[key->path] != r->record)
		*cell(r, (uint32_t)key->path, r->n) = *v;
}

/* The key came a second time in this record: what was found below it is void. */
static void forget(struct json_rows *r, struct json_node *node)
{
	for (uint32_t i = 0; i < node->n; i++) {
		if (node->keys[i].path >= 0 && r->exact[node->keys[i].path] != r->record)
			*cell(r, (uint32_t)node->keys[i].path, r->n) = v_null();
		if (node->keys[i].sub)
			forget(r, node->keys[i].sub);
	}
}

static void enter(struct json_rows *r, struct json_node *node)
{
	if (node->seen == r->record)
		forget(r, node);
	node->seen = r->record;
}

/* Steps of a path below a list, or below what another step made of one: the lists of the fields. */
static void project_lists(struct json_decoder *d, const struct json_node *node, const struct value *v)
{
	for (uint32_t i = 0; i < node->n; i++) {
		const struct json_wanted *key = &node->keys[i];
		struct value m = value_member(v, key->name, key->n, &d->base.arena);

		put_wanted(&d->rows, key, &m);
		if (key->sub)
			project_lists(d, key->sub, &m);
	}
}

static uint32_t walk_object(struct json_decoder *d, const struct json_node *node, uint32_t k, unsigned depth);

static uint32_t walk_wanted(struct json_decoder *d, const struct json_wanted *key, uint32_t k, unsigned depth)
{
	struct json_walk *w = &d->walk;
	uint32_t after = 0;
	struct value v;

	if (key->sub) {
		enter(&d->rows, key->sub);
		if (w->ix.kind[k] == '{') {
			after = walk_object(d, key->sub, k, depth);
			if (!after)
				return 0;
		}
	}
	if (key->exact < 0 && key->path < 0 && !(key->sub && w->ix.kind[k] == '['))
		return after ? after : json_skip(w, k, depth);
	after = json_read(w, k, depth, &v);
	if (after)
		put_wanted(&d->rows, key, &v);
	if (after && key->sub && v.type == T_LIST)
		project_lists(d, key->sub, &v);
	return after;
}

/* The object at token k, `depth` containers around it. */
static uint32_t walk_object(struct json_decoder *d, const struct json_node *node, uint32_t k, unsigned depth)
{
	struct json_walk *w = &d->walk;
	const char *kind = w->ix.kind;

	if (kind[++k] == '}')
		return k + 1;
	for (;; k++) {
		const struct json_wanted *key;
		const char *name;
		uint32_t n;

		k = json_key(w, k, &name, &n);
		if (unlikely(!k))
			return 0;
		key = json_wanted_find(node, name, n);
		k = key ? walk_wanted(d, key, k, depth + 1) : json_skip(w, k, depth + 1);
		if (unlikely(!k))
			return 0;
		if (kind[k] == ',')
			continue;
		return kind[k] == '}' ? k + 1 : json_fail(w, k);
	}
}

/* ---- all fields ---- */

/* Keep what the record has put in its row so far as a list of fields. */
static void spill(struct json_rows *r, uint32_t n)
{
	r->fields = xgrow(r->fields, &r->fields_cap, n + 1, sizeof *r->fields);
	for (uint32_t i = 0; i < n; i++)
		r->fields[i] = (struct field){ r->schema->names[i], r->schema->name_n[i], *cell(r, i, r->n) };
}

static bool in_block(const struct json_decoder *d, const struct value *v)
{
	return type_is_bytes(v->type) && v->s >= d->p && v->s <= d->p + d->n;
}

/* Hand over the rows before a record of another shape; what the record has in their arena moves to another. */
static void flush_before(struct json_decoder *d, uint32_t n)
{
	struct json_rows *r = &d->rows;
	struct arena old;

	arena_reset(&r->spare);
	for (uint32_t i = 0; i < n; i++)
		if (!in_block(d, &r->fields[i].v))
			r->fields[i].v = value_copy(&r->spare, &r->fields[i].v);
	json_rows_flush(d);
	old = d->base.arena;
	d->base.arena = r->spare;
	r->spare = old;
}

static const struct schema *fields_schema(const struct field *f, uint32_t n)
{
	const char *few_names[FEW_FIELDS], **names = few_names;
	uint32_t few_lens[FEW_FIELDS], *lens = few_lens;
	const struct schema *s;

	if (n > FEW_FIELDS) {
		names = xmalloc(n * sizeof *names);
		lens = xmalloc(n * sizeof *lens);
	}
	for (uint32_t i = 0; i < n; i++) {
		names[i] = f[i].name;
		lens[i] = f[i].name_n;
	}
	s = schema_of_record(names, lens, n);
	if (n > FEW_FIELDS) {
		free(names);
		free(lens);
	}
	return s;
}

/* The row from r->fields[0..n). False: their names are a set too many. */
static bool put_fields(struct json_decoder *d, uint32_t n)
{
	struct json_rows *r = &d->rows;
	const struct schema *s;

	n = (uint32_t)fields_unique(r->fields, n);
	s = fields_schema(r->fields, n);
	if (unlikely(!s))
		return false;
	if (s != r->schema) {
		if (r->n)
			flush_before(d, n);
		rows_shape(r, s);
	}
	for (uint32_t i = 0; i < n; i++)
		*cell(r, i, r->n) = r->fields[i].v;
	return true;
}

/* The values of an object straight into the row, as long as its keys are those of the schema. */
static uint32_t walk_all(struct json_decoder *d, uint32_t k)
{
	struct json_walk *w = &d->walk;
	struct json_rows *r = &d->rows;
	uint32_t expect = r->schema ? r->schema->n : 0, i = 0;
	bool same = r->schema != NULL;

	for (k++; i || w->ix.kind[k] != '}'; k++) {
		struct field f;

		k = json_key(w, k, &f.name, &f.name_n);
		if (unlikely(!k))
			return 0;
		k = json_read(w, k, 1, &f.v);
		if (unlikely(!k))
			return 0;
		if (same && !(i < expect && r->schema->name_n[i] == f.name_n && !memcmp(r->schema->names[i], f.name, f.name_n))) {
			spill(r, i);
			same = false;
		}
		if (same) {
			*cell(r, i, r->n) = f.v;
		} else {
			r->fields = xgrow(r->fields, &r->fields_cap, i + 1, sizeof *r->fields);
			r->fields[i] = f;
		}
		i++;
		if (w->ix.kind[k] == '}')
			break;
		if (unlikely(w->ix.kind[k] != ','))
			return json_fail(w, k);
	}
	if (same && i != expect)
		spill(r, i);
	if ((!same || i != expect) && !put_fields(d, i))
		return json_fail(w, k);
	return k + 1;
}

/* ---- records ---- */

static bool put_value(struct json_decoder *d, const struct value *v)
{
	struct json_rows *r = &d->rows;
	struct field f = { JSON_VALUE_FIELD, sizeof JSON_VALUE_FIELD - 1, *v };
	const struct json_wanted *key;

	if (!d->plan) {
		spill(r, 0);
		r->fields[0] = f;
		return put_fields(d, 1);
	}
	columns_clear(r);
	key = json_wanted_find(d->plan, f.name, f.name_n);
	if (key)
		put_wanted(r, key, v);
	return true;
}

static uint32_t walk_value(struct json_decoder *d, uint32_t k)
{
	struct value v;
	uint32_t after = json_read(&d->walk, k, 0, &v);

	return after && !put_value(d, &v) ? json_fail(&d->walk, k) : after;
}

/* Does the text of a record end where token `after` - 1 does? A number or word at the top needs white space or the end behind it,
 * an element of an array may have its mark there. Returns `after`, or 0. */
static inline uint32_t record_end(struct json_decoder *d, uint32_t k, uint32_t after, uint32_t to)
{
	struct json_walk *w = &d->walk;
	char c = w->ix.kind[k], next = w->ix.kind[after];

	if (to - w->ix.at[k] > d->max_record)
		return json_fail(w, k);
	if (c == '{' || c == '[' || c == '"' || w->ix.at[after] != to)
		return after;
	if (next == JSON_CUT)
		return d->final && !w->ix.stopped && d->pos + to == d->n ? after : json_fail(w, after);
	return d->top != JSON_TOP && (next == ',' || next == ']') ? after : json_fail(w, k);
}

uint32_t json_row(struct json_decoder *d, uint32_t k)
{
	struct json_walk *w = &d->walk;
	uint32_t from = w->ix.at[k], to, after;

	row_begin(d);
	if (w->ix.kind[k] != '{') {
		after = walk_value(d, k);
	} else if (d->plan) {
		columns_clear(&d->rows);
		after = walk_object(d, d->plan, k, 0);
	} else {
		after = walk_all(d, k);
	}
	if (unlikely(!after))
		return 0;
	to = json_token_end(&w->ix, after - 1);
	if (unlikely(!record_end(d, k, after, to)))
		return 0;
	row_end(d, d->base.line + json_lines_before(&w->ix, from), w->ix.p + from, to - from);
	return after;
}

/* ---- the slow path's ---- */

static void wanted_value(struct json_decoder *d, const struct json_node *node, const struct value *object)
{
	for (uint32_t i = 0; i < object->n; i++) {
		const struct field *f = &object->fields[i];
		const struct json_wanted *key = json_wanted_find(node, f->name, f->name_n);

		if (key && key->sub && f->v.type == T_OBJECT)
			wanted_value(d, key->sub, &f->v);
		if (key && key->sub && f->v.type == T_LIST)
			project_lists(d, key->sub, &f->v);
		if (key)
			put_wanted(&d->rows, key, &f->v);
	}
}

static bool all_values(struct json_decoder *d, const struct value *object)
{
	struct json_rows *r = &d->rows;

	spill(r, 0);
	r->fields = xgrow(r->fields, &r->fields_cap, object->n, sizeof *r->fields);
	if (object->n)
		memcpy(r->fields, object->fields, object->n * sizeof *r->fields);
	return put_fields(d, object->n);
}

int json_row_slow(struct json_decoder *d, size_t n, const char **why)
{
	const char *p = d->p + d->pos;
	bool fits = true;
	struct value v;

	row_begin(d);
	if (value_from_json(p, n, &d->base.arena, &v, why))
		return -1;
	if (v.type != T_OBJECT) {
		fits = put_value(d, &v);
	} else if (d->plan) {
		columns_clear(&d->rows);
		wanted_value(d, d->plan, &v);
	} else {
		fits = all_values(d, &v);
	}
	if (!fits) {
		*why = SCHEMA_FULL;
		return -1;
	}
	row_end(d, d->base.line, p, n);
	return 0;
}

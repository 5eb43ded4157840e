#include "op/op_lookup.h"

#include <stdlib.h>

#include "data/keytab.h"
#include "io/blocks.h"

enum { LOOKUP_PASSED, LOOKUP_NOT_FOUND };

struct lookup {
	struct op op;
	struct lookup_spec spec;
	struct keytab keys;
	struct join_side table;
	struct value all;      /* without keys: the rows as a list */
	struct arena list;
	struct join_shapes shapes;
	struct fails load_fails;
	uint64_t stamp;        /* of the file that was read */
	bool begun;            /* records of the micro-batch at hand have come */
	/* a batch at work */
	const struct batch *b;
	uint32_t *from, *row;  /* batch_rows() pairs: row of the batch, of the table (JOIN_NONE: none) */
	uint32_t n;
};

/* ---- the table ---- */

static bool null_key(const struct lookup *l, const struct column *keys, uint32_t row)
{
	for (uint32_t k = 0; k < l->spec.n_keys; k++)
		if (!l->spec.null_keys[k] && column_null(&keys[k], row))
			return true;
	return false;
}

static struct key_bytes *keys_of(struct lookup *l, int side, const struct batch *b, struct column *keys)
{
	const struct column **at = arena_array(b->arena, const struct column *, l->spec.n_keys + 1);
	struct key_bytes *bytes = arena_array(b->arena, struct key_bytes, b->n_sel + 1);
	struct eval ev = l->op.eval;

	if (side)
		ev.fails = &l->load_fails;
	for (uint32_t k = 0; k < l->spec.n_keys; k++) {
		keys[k] = expr_eval(l->spec.keys[side][k], &ev, b, b->sel, b->n_sel);
		at[k] = &keys[k];
	}
	if (l->spec.n_keys)
		key_of_columns(b->arena, at, l->spec.n_keys, b->sel, b->n_sel, bytes);
	return bytes;
}

static int take_rows(void *ctx, struct batch *b, struct err *e)
{
	struct lookup *l = ctx;
	struct column *keys = arena_array(b->arena, struct column, l->spec.n_keys + 1);
	struct key_bytes *bytes = keys_of(l, 1, b, keys);

	(void)e;
	for (uint32_t k = 0; k < b->n_sel; k++) {
		struct join_stamp stamp = { .group = JOIN_NONE };

		if (l->spec.n_keys && null_key(l, keys, batch_row(b, k)))
			continue;
		if (l->spec.n_keys)
			keytab_put(&l->keys, &bytes[k], 1, &stamp.group);
		join_side_add(&l->table, b, batch_row(b, k), &stamp);
	}
	return 0;
}

static int bad_row(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e)
{
	struct lookup *l = ctx;

	return l->spec.bad ? l->spec.bad(l->spec.ctx, raw, n, l->spec.spec, line, reason, e) : 0;
}

static int read_file(struct lookup *l, struct err *e)
{
	struct decode_to to = { .emit = take_rows, .bad = bad_row, .ctx = l };
	struct decoder *d = l->spec.read.codec->open(&l->spec.read.decode, e);
	struct blocks *blocks;
	int r;

	if (!d)
		return -1;
	d->def = l->spec.read.codec;
	blocks = blocks_new(&l->spec.spec, 1, d);
	do
		r = blocks_step(blocks, &to, e);
	while (r == 1);
	blocks_free(blocks);
	d->def->close(d);
	return r < 0 ? -1 : 0;
}

static void make_list(struct lookup *l)
{
	struct value *items = arena_array(&l->list, struct value, l->table.n + 1);

	for (uint32_t i = 0; i < l->table.n; i++) {
		const struct join_row *r = &l->table.rows[i];
		struct field *f = arena_array(&l->list, struct field, r->schema->n + 1);

		for (uint32_t c = 0; c < r->schema->n; c++)
			f[c] = (struct field){ .name = r->schema->names[c], .name_n = r->schema->name_n[c], .v = r->v[c] };
		items[i] = v_object(f, r->schema->n);
	}
	l->all = v_list(items, l->table.n);
}

static int load(struct lookup *l, struct err *e)
{
	l->stamp = source_spec_stamp(l->spec.spec);
	keytab_clear(&l->keys);
	join_side_clear(&l->table);
	arena_reset(&l->list);
	if (read_file(l, e))
		return -1;
	if (!l->spec.n_keys)
		make_list(l);
	return op_check_memory(&l->op, l->table.n, e);
}

/* ---- records ---- */

static const struct schema *table_schema(const struct lookup *l, uint32_t row)
{
	return row == JOIN_NONE ? l->table.seen : l->table.rows[row].schema;
}

static struct column row_column(struct lookup *l, uint32_t at, uint32_t n, int32_t col)
{
	struct value *v = arena_array(&l->op.arena, struct value, n);

	for (uint32_t k = 0; k < n; k++)
		v[k] = l->row[at + k] == JOIN_NONE ? v_null() : l->table.rows[l->row[at + k]].v[col];
	return column_tighten(&l->op.arena, v, NULL, n, n);
}

/* Pairs [at, at + n), whose rows have one schema. */
static int push_run(struct lookup *l, uint32_t at, uint32_t n, struct err *e)
{
	const struct join_shape *shape = join_shape_of(&l->shapes, &l->spec.names, l->b->schema, table_schema(l, l->row[at]));
	struct arena *a = &l->op.arena;
	struct column *cols = arena_array(a, struct column, shape->out->n + 1);
	struct batch out = { .schema = shape->out, .cols = cols, .n_rows = n, .n_sel = n, .input = l->b->input, .arena = a };

	for (uint32_t c = 0; c < shape->out->n; c++) {
		const struct join_source *from = &shape->from[c];

		cols[c] = from->at[0] >= 0 ? column_gather(a, &l->b->cols[from->at[0]], l->from + at, n) : row_column(l, at, n, from->at[1]);
	}
	batch_gather_hidden(&out, l->b, l->from + at, n);
	return op_push(&l->op, &out, e);
}

static int flush(struct lookup *l, struct err *e)
{
	int verdict = 0;
	uint32_t n;

	for (uint32_t at = 0; at < l->n && !verdict; at += n) {
		for (n = 1; at + n < l->n && table_schema(l, l->row[at + n]) == table_schema(l, l->row[at]); n++)
			;
		arena_reset(&l->op.arena);
		verdict = push_run(l, at, n, e);
	}
	l->n = 0;
	return verdict;
}

static int add(struct lookup *l, uint32_t from, uint32_t row, struct err *e)
{
	l->from[l->n] = from;
	l->row[l->n++] = row;
	return l->n == batch_rows() ? flush(l, e) : 0;
}

/* The rows of one record. */
static int look_up(struct lookup *l, uint32_t from, uint32_t group, struct err *e)
{
	uint32_t row = group == KEYTAB_NONE ? JOIN_NONE : join_side_first(&l->table, group);
	int verdict = 0;

	if (row == JOIN_NONE && !l->spec.left) {
		l->op.count[LOOKUP_NOT_FOUND]++;
		return 0;
	}
	l->op.count[LOOKUP_PASSED]++;
	if (row == JOIN_NONE)
		return add(l, from, JOIN_NONE, e);
	for (; row != JOIN_NONE && !verdict; row = join_side_next(&l->table, row))
		verdict = add(l, from, row, e);
	return verdict;
}

static int with_list(struct lookup *l, const struct batch *b, struct err *e)
{
	const struct schema *s = b->schema;
	const char **names = arena_array(b->arena, const char *, s->n + 1), *name = l->spec.names.label[1];
	uint32_t *len = arena_array(b->arena, uint32_t, s->n + 1), n = s->n;
	struct column *cols = arena_array(b->arena, struct column, s->n + 1);
	int at = schema_find(s, name, strlen(name));
	struct batch out = *b;

	for (uint32_t i = 0; i < s->n; i++) {
		names[i] = s->names[i];
		len[i] = s->name_n[i];
		cols[i] = b->cols[i];
	}
	if (at < 0) {
		names[n] = name;
		len[n] = (uint32_t)strlen(name);
		at = (int)n++;
	}
	cols[at] = column_const(b->arena, &l->all);
	out.schema = schema_intern(names, len, n);
	out.cols = cols;
	out.raw = NULL;
	l->op.count[LOOKUP_PASSED] += b->n_sel;
	return op_push(&l->op, &out, e);
}

/* Before the first record of a micro-batch. A file that is away for the moment leaves the table as it is. */
static int look_at_file(struct lookup *l, struct err *e)
{
	uint64_t stamp = l->begun ? l->stamp : source_spec_stamp(l->spec.spec);

	l->begun = true;
	return stamp && stamp != l->stamp ? load(l, e) : 0;
}

static int lookup_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct lookup *l = (struct lookup *)op;
	struct column *keys = arena_array(b->arena, struct column, l->spec.n_keys + 1);
	struct key_bytes *bytes;
	int verdict = 0;
	uint32_t k;

	(void)port;
	if (look_at_file(l, e))
		return -1;
	if (!l->spec.n_keys)
		return with_list(l, b, e);
	bytes = keys_of(l, 0, b, keys);
	l->b = b;
	for (k = 0; k < b->n_sel && !verdict; k++) {
		uint32_t row = batch_row(b, k);

		verdict = look_up(l, row, null_key(l, keys, row) ? KEYTAB_NONE : keytab_find(&l->keys, &bytes[k]), e);
	}
	op->unwanted += b->n_sel - k;
	return verdict ? verdict : flush(l, e);
}

static int lookup_batch_end(struct op *op, struct err *e)
{
	struct lookup *l = (struct lookup *)op;

	(void)e;
	l->begun = false;
	return 0;
}

static void lookup_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct lookup *l = (const struct lookup *)op;

	for (uint32_t k = 0; k < l->spec.n_keys; k++)
		expr_unseen(l->spec.keys[0][k], fn, ctx);
}

static size_t lookup_memory(const struct op *op)
{
	const struct lookup *l = (const struct lookup *)op;

	return keytab_memory(&l->keys) + join_side_memory(&l->table) + l->list.total;
}

static void lookup_free(struct op *op)
{
	struct lookup *l = (struct lookup *)op;

	for (uint32_t k = 0; k < l->spec.n_keys; k++) {
		expr_release(l->spec.keys[0][k]);
		expr_release(l->spec.keys[1][k]);
	}
	keytab_release(&l->keys);
	join_side_release(&l->table);
	join_shapes_release(&l->shapes);
	arena_release(&l->list);
	free(l->from);
	free(l->row);
}

static const struct op_class lookup_class = {
	.name = "lookup",
	.makes_fields = true,
	.counters = { "passed", "not found" },
	.process = lookup_process,
	.on_batch_end = lookup_batch_end,
	.free = lookup_free,
	.memory = lookup_memory,
	.unseen = lookup_unseen,
};

struct op *op_lookup(struct run *run, int stage, const char *word, const struct lookup_spec *spec, struct err *e)
{
	struct lookup *l = op_make(&lookup_class, sizeof *l, run, stage, word);

	l->spec = *spec;
	l->from = xcalloc(batch_rows(), sizeof *l->from);
	l->row = xcalloc(batch_rows(), sizeof *l->row);
	keytab_init(&l->keys);
	if (!load(l, e))
		return &l->op;
	op_free(&l->op);
	return NULL;
}

#include "op/op_flatmap.h"

struct flatmap {
	struct op op;
	struct project project;
	uint32_t element;
};

/* A value that is no list expands as a list of itself; null and empty lists expand to nothing. */
static uint32_t list_length(const struct value *v)
{
	return v->type == T_LIST ? v->n : v->type != T_NULL;
}

struct expansion {
	const struct batch *b;      /* projected, the list still a column */
	const struct column *lists;
	uint32_t column;
	uint32_t *rows;             /* input row of each output row */
	struct value *items;
	uint32_t n, cap;
};

static int push_expansion(struct op *op, struct expansion *x, struct err *e)
{
	struct batch out = *x->b;
	struct column *cols = arena_array(&op->arena, struct column, out.schema->n);
	uint32_t *line;

	if (!x->n)
		return 0;
	for (uint32_t k = 0; k < out.schema->n; k++)
		cols[k] = k == x->column ? column_tighten(&op->arena, x->items, NULL, x->n, x->n)
					 : column_gather(&op->arena, &x->b->cols[k], x->rows, x->n);
	line = arena_array(&op->arena, uint32_t, x->n);
	for (uint32_t k = 0; k < x->n; k++)
		line[k] = x->b->origin.line ? x->b->origin.line[x->rows[k]] : x->rows[k];
	out.origin.line = line;
	out.cols = cols;
	out.sel = NULL;
	out.n_rows = out.n_sel = x->n;
	out.arena = &op->arena;
	batch_gather_hidden(&out, x->b, x->rows, x->n);
	x->n = 0;
	return op_push(op, &out, e);
}

static void expansion_init(struct op *op, struct expansion *x)
{
	arena_reset(&op->arena);
	x->cap = batch_rows();
	x->rows = arena_array(&op->arena, uint32_t, x->cap);
	x->items = arena_array(&op->arena, struct value, x->cap);
}

static int expand_row(struct op *op, struct expansion *x, uint32_t row, struct err *e)
{
	struct value v = column_get(x->lists, row);
	uint32_t n = list_length(&v);

	op->count[n ? 0 : 1]++;
	for (uint32_t k = 0; k < n; k++) {
		if (x->n == x->cap) {
			int verdict = push_expansion(op, x, e);

			if (verdict)
				return verdict;
			expansion_init(op, x);
		}
		x->rows[x->n] = row;
		x->items[x->n++] = v.type == T_LIST ? v.items[k] : v;
	}
	return 0;
}

static int flatmap_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct flatmap *f = (struct flatmap *)op;
	struct expansion x = { 0 };
	struct batch in;
	int verdict = 0;

	(void)port;
	project_apply(&f->project, &op->eval, b, &in);
	x.b = &in;
	x.column = (uint32_t)schema_find(in.schema, f->project.items[f->element].name, strlen(f->project.items[f->element].name));
	x.lists = &in.cols[x.column];
	expansion_init(op, &x);
	for (uint32_t k = 0; k < b->n_sel && !verdict; k++) {
		verdict = expand_row(op, &x, batch_row(b, k), e);
		if (verdict)
			op->unwanted += b->n_sel - k - 1;
	}
	return verdict ? verdict : push_expansion(op, &x, e);
}

static void flatmap_free(struct op *op)
{
	project_release(&((struct flatmap *)op)->project);
}

static void flatmap_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	project_unseen(&((const struct flatmap *)op)->project, fn, ctx);
}

static const struct op_class flatmap_class = {
	.name = "flatmap",
	.makes_fields = true,
	.counters = { "expanded", "empty" },
	.process = flatmap_process,
	.free = flatmap_free,
	.unseen = flatmap_unseen,
};

struct op *op_flatmap(struct run *run, int stage, const char *word, struct project **project, uint32_t element)
{
	struct flatmap *f = op_make(&flatmap_class, sizeof *f, run, stage, word);

	f->element = element;
	*project = &f->project;
	return &f->op;
}

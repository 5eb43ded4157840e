#include "data/batch_copy.h"

#include <stdlib.h>

static struct column copy_column(struct arena *a, const struct column *c, const uint32_t *rows, uint32_t n)
{
	static const uint32_t first[1] = { 0 };
	uint32_t stored = c->constant && n ? 1 : n;
	struct column all = *c, out;

	if (c->type == T_NULL)
		return (struct column){ .type = T_NULL, .constant = c->constant, .has_null = c->has_null };
	all.constant = false;
	out = column_gather(a, &all, c->constant ? first : rows, stored);
	out.constant = c->constant;
	for (uint32_t i = 0; !column_is_scalar(out.type) && i < stored; i++)
		out.v[i] = value_copy(a, &out.v[i]);
	return out;
}

static const uint32_t *selected(struct arena *a, const struct batch *b)
{
	uint32_t *rows = b->sel ? NULL : arena_array(a, uint32_t, b->n_sel + 1);

	for (uint32_t k = 0; rows && k < b->n_sel; k++)
		rows[k] = k;
	return rows ? rows : b->sel;
}

static void copy_origin(struct arena *a, const struct batch *b, struct batch *out)
{
	uint32_t *line;

	out->origin = (struct origin){ .line_base = b->origin.line_base };
	if (b->origin.source)
		out->origin.source = arena_str(a, b->origin.source, strlen(b->origin.source));
	if (!b->origin.line && !b->sel)
		return;
	line = arena_array(a, uint32_t, b->n_sel + 1);
	for (uint32_t k = 0; k < b->n_sel; k++)
		line[k] = b->origin.line ? b->origin.line[batch_row(b, k)] : batch_row(b, k);
	out->origin.line = line;
}

void batch_copy(struct arena *a, const struct batch *b, struct batch *out)
{
	struct column *cols = arena_array(a, struct column, b->schema->n + 1);
	const uint32_t *rows = selected(b->arena, b);
	struct value *raw = b->raw ? arena_array(a, struct value, b->n_sel + 1) : NULL;

	*out = (struct batch){ .schema = b->schema, .cols = cols, .n_rows = b->n_sel, .n_sel = b->n_sel, .raw = raw, .input = b->input, .arena = a };
	for (uint32_t c = 0; c < b->schema->n; c++)
		cols[c] = copy_column(a, &b->cols[c], rows, b->n_sel);
	for (uint32_t k = 0; raw && k < b->n_sel; k++)
		raw[k] = value_copy(a, &b->raw[rows[k]]);
	for (int h = 0; h < HIDDEN_COUNT_; h++) {
		struct column *hidden;

		if (!b->hidden[h])
			continue;
		hidden = arena_new(a, struct column);
		*hidden = copy_column(a, b->hidden[h], rows, b->n_sel);
		out->hidden[h] = hidden;
	}
	copy_origin(a, b, out);
}

void batch_list_add(struct batch_list *l, const struct batch *b)
{
	l->at = xgrow(l->at, &l->cap, l->n + 1, sizeof *l->at);
	batch_copy(&l->arena, b, &l->at[l->n++]);
	l->rows += b->n_sel;
}

void batch_list_clear(struct batch_list *l)
{
	arena_reset(&l->arena);
	l->n = 0;
	l->rows = 0;
}

void batch_list_release(struct batch_list *l)
{
	free(l->at);
	arena_release(&l->arena);
	*l = (struct batch_list){ 0 };
}

size_t batch_list_memory(const struct batch_list *l)
{
	return l->cap * sizeof *l->at + l->arena.total;
}

#include "data/batch.h"

#include <stdlib.h>

uint32_t batch_rows(void)
{
	static uint32_t cached;
	uint32_t n = __atomic_load_n(&cached, __ATOMIC_RELAXED);
	const char *want;

	if (n)
		return n;
	want = getenv("STRM_TEST_BATCH");
	n = want ? (uint32_t)strtoul(want, NULL, 10) : BATCH_ROWS_MAX;
	if (n < 1 || n > BATCH_ROWS_MAX)
		n = BATCH_ROWS_MAX;
	__atomic_store_n(&cached, n, __ATOMIC_RELAXED);
	return n;
}

static size_t cell_size(enum type t)
{
	return t == T_BOOL ? sizeof(bool) : column_is_scalar(t) ? 8 : sizeof(struct value);
}

struct column column_make(struct arena *a, enum type t, uint32_t n)
{
	return (struct column){ .type = t, .data = arena_alloc(a, cell_size(t) * n + MEM_SLACK) };
}

struct column column_const(struct arena *a, const struct value *v)
{
	struct column c = column_make(a, v->type, 1);

	c.constant = true;
	if (v->type == T_BOOL) {
		c.b[0] = v->b;
	} else if (column_is_scalar(v->type)) {
		c.i[0] = v->i;
	} else {
		c.v[0] = *v;
		c.has_null = v->type == T_NULL;
	}
	return c;
}

uint64_t *bitmap_make(struct arena *a, uint32_t n)
{
	uint64_t *m = arena_array(a, uint64_t, bit_words(n) + 1);

	return memset(m, 0xff, (bit_words(n) + 1) * sizeof *m);
}

static void gather_valid(struct arena *a, struct column *d, const struct column *c, const uint32_t *rows, uint32_t n)
{
	if (!c->valid)
		return;
	d->valid = bitmap_make(a, n);
	for (uint32_t k = 0; k < n; k++)
		if (!bit_get(c->valid, rows[k]))
			bit_clear(d->valid, k);
}

struct column column_gather(struct arena *a, const struct column *c, const uint32_t *rows, uint32_t n)
{
	struct column d;

	if (c->constant || c->type == T_NULL)
		return *c;
	d = column_make(a, c->type, n);
	d.has_null = c->has_null;
	if (c->type == T_BOOL)
		for (uint32_t k = 0; k < n; k++)
			d.b[k] = c->b[rows[k]];
	else if (column_is_scalar(c->type))
		for (uint32_t k = 0; k < n; k++)
			d.i[k] = c->i[rows[k]];
	else
		for (uint32_t k = 0; k < n; k++)
			d.v[k] = c->v[rows[k]];
	if (column_is_scalar(c->type))
		gather_valid(a, &d, c, rows, n);
	return d;
}

static struct column tighten_scalar(struct arena *a, enum type t, const struct value *v, const uint32_t *sel, uint32_t n_sel,
				    uint32_t n_rows, bool nulls)
{
	struct column c = column_make(a, t, n_rows);

	if (nulls)
		c.valid = bitmap_make(a, n_rows);
	BATCH_EACH(sel, n_sel, i)
	{
		if (v[i].type == T_NULL) {
			bit_clear(c.valid, i);
			if (t == T_BOOL)
				c.b[i] = false;
			else
				c.i[i] = 0;
		} else if (t == T_BOOL) {
			c.b[i] = v[i].b;
		} else {
			c.i[i] = v[i].i;
		}
	}
	return c;
}

struct column column_tighten(struct arena *a, struct value *v, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows)
{
	enum type t = T_NULL;
	bool nulls = false;

	BATCH_EACH(sel, n_sel, i)
	{
		if (v[i].type == T_NULL)
			nulls = true;
		else if (t == T_NULL)
			t = v[i].type;
		else if (t != v[i].type)
			t = T_ANY;
	}
	if (column_is_scalar(t))
		return tighten_scalar(a, t, v, sel, n_sel, n_rows, nulls);
	return (struct column){ .v = v, .type = t, .has_null = nulls };
}

void batch_gather_hidden(struct batch *dst, const struct batch *src, const uint32_t *rows, uint32_t n)
{
	for (int i = 0; i < HIDDEN_COUNT_; i++) {
		struct column *c;

		if (!src->hidden[i])
			continue;
		c = arena_array(dst->arena, struct column, 1);
		*c = column_gather(dst->arena, src->hidden[i], rows, n);
		dst->hidden[i] = c;
	}
}

struct value batch_record(const struct batch *b, uint32_t row, struct arena *a)
{
	const struct schema *s = b->schema;
	struct field *f = arena_array(a, struct field, s->n + 1);

	for (uint32_t i = 0; i < s->n; i++) {
		f[i].name = s->names[i];
		f[i].name_n = s->name_n[i];
		f[i].v = column_get(&b->cols[i], row);
	}
	return v_object(f, s->n);
}

struct batch batch_slice(const struct batch *b, uint32_t from, uint32_t n)
{
	struct batch out = *b;
	uint32_t *sel;

	if (!b->sel) {
		sel = arena_array(b->arena, uint32_t, n + 1);
		for (uint32_t k = 0; k < n; k++)
			sel[k] = from + k;
		out.sel = sel;
	} else {
		out.sel = b->sel + from;
	}
	out.n_sel = n;
	return out;
}

#include "data/rowstore.h"

#include <stdlib.h>

void rowstore_release(struct rowstore *s)
{
	free(s->rows);
	arena_release(&s->arena);
	*s = (struct rowstore){ 0 };
}

void rowstore_clear(struct rowstore *s)
{
	arena_reset(&s->arena);
	s->n = 0;
	s->live = s->dead = 0;
}

static void copy_row(struct arena *a, struct kept_row *r, const struct value *v)
{
	struct value *d = arena_array(a, struct value, r->n + 1);

	for (uint32_t i = 0; i < r->n; i++)
		d[i] = value_copy(a, &v[i]);
	r->v = d;
	r->raw = value_copy(a, &r->raw);
}

static uint32_t hidden_of(const struct batch *b, uint32_t *n)
{
	uint32_t mask = 0;

	*n = 0;
	for (uint32_t i = 0; i < HIDDEN_COUNT_; i++)
		if (b->hidden[i]) {
			mask |= 1u << i;
			++*n;
		}
	return mask;
}

static void gather_row(struct value *v, const struct batch *b, uint32_t row, const struct value *extra, uint32_t n_extra)
{
	for (uint32_t i = 0; i < b->schema->n; i++)
		*v++ = column_get(&b->cols[i], row);
	for (uint32_t i = 0; i < n_extra; i++)
		*v++ = extra[i];
	for (uint32_t i = 0; i < HIDDEN_COUNT_; i++)
		if (b->hidden[i])
			*v++ = column_get(b->hidden[i], row);
}

static void put_row(struct rowstore *s, size_t at, const struct batch *b, uint32_t row, const struct value *extra, uint32_t n_extra)
{
	struct kept_row *r = &s->rows[at];
	uint32_t n_hidden, mask = hidden_of(b, &n_hidden), n = b->schema->n + n_extra + n_hidden;
	struct value small[32], *v = n <= ARRAY_LEN(small) ? small : xmalloc(n * sizeof *v);

	*r = (struct kept_row){ .schema = b->schema, .n = n, .hidden = mask, .raw = b->raw ? b->raw[row] : v_null() };
	r->bytes = n * sizeof *v + value_bytes(&r->raw);
	gather_row(v, b, row, extra, n_extra);
	for (uint32_t i = 0; i < n; i++)
		r->bytes += value_bytes(&v[i]);
	copy_row(&s->arena, r, v);
	s->live += r->bytes;
	if (v != small)
		free(v);
}

/* Where in v a hidden column is: they are its last values. */
static uint32_t hidden_at(const struct kept_row *r, enum hidden which)
{
	return r->n - (uint32_t)__builtin_popcount(r->hidden >> which);
}

struct value rowstore_hidden(const struct rowstore *s, size_t at, enum hidden which)
{
	const struct kept_row *r = &s->rows[at];

	return r->hidden >> which & 1 ? r->v[hidden_at(r, which)] : v_null();
}

size_t rowstore_add(struct rowstore *s, const struct batch *b, uint32_t row, const struct value *extra, uint32_t n_extra)
{
	s->rows = xgrow(s->rows, &s->cap, s->n + 1, sizeof *s->rows);
	put_row(s, s->n, b, row, extra, n_extra);
	return s->n++;
}

static void compact(struct rowstore *s)
{
	struct arena fresh = { 0 };

	for (size_t i = 0; i < s->n; i++)
		copy_row(&fresh, &s->rows[i], s->rows[i].v);
	arena_release(&s->arena);
	s->arena = fresh;
	s->dead = 0;
}

/* Dead bytes that are worth a copy of the living. */
#define COMPACT_MIN ((size_t)1 << 20)

void rowstore_replace(struct rowstore *s, size_t at, const struct batch *b, uint32_t row, const struct value *extra, uint32_t n_extra)
{
	s->live -= s->rows[at].bytes;
	s->dead += s->rows[at].bytes;
	put_row(s, at, b, row, extra, n_extra);
	if (s->dead > COMPACT_MIN && s->dead > s->live)
		compact(s);
}

size_t rowstore_memory(const struct rowstore *s)
{
	return s->cap * sizeof *s->rows + s->arena.total;
}

static struct column *row_values(const struct rowstore *s, const size_t *order, uint32_t m, uint32_t at, struct arena *a)
{
	struct value *v = arena_array(a, struct value, m);
	struct column *c = arena_array(a, struct column, 1);

	for (uint32_t k = 0; k < m; k++)
		v[k] = s->rows[order[k]].v[at];
	*c = column_tighten(a, v, NULL, m, m);
	return c;
}

size_t rowstore_batch(const struct rowstore *s, const size_t *order, size_t from, size_t n, struct arena *a, struct batch *out)
{
	const struct kept_row *first = &s->rows[order[from]];
	struct column *cols = arena_array(a, struct column, first->schema->n + 1);
	struct value *raw;
	uint32_t m = 0;

	while (from + m < n && m < batch_rows() && s->rows[order[from + m]].schema == first->schema && s->rows[order[from + m]].hidden == first->hidden)
		m++;
	raw = arena_array(a, struct value, m);
	for (uint32_t c = 0; c < first->schema->n; c++)
		cols[c] = *row_values(s, order + from, m, c, a);
	for (uint32_t k = 0; k < m; k++)
		raw[k] = s->rows[order[from + k]].raw;
	*out = (struct batch){ .schema = first->schema, .cols = cols, .n_rows = m, .n_sel = m, .arena = a, .raw = raw[0].type != T_NULL ? raw : NULL };
	for (int i = 0; i < HIDDEN_COUNT_; i++)
		if (first->hidden >> i & 1)
			out->hidden[i] = row_values(s, order + from, m, hidden_at(first, (enum hidden)i), a);
	return m;
}

#include "data/rowstore.h"

#include <assert.h>
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

/* ---- saved ----
 *
 * number of fields | their names, a length and bytes each | number of values | hidden u8 | the values, the record (value_save); numbers are u32, little-endian. */

/* Values behind the fields (sort keys and the like) and hidden columns: more is malformed. */
#define EXTRA_MAX 65536u

static void save_u32(struct buf *b, uint32_t v)
{
	unsigned char d[4] = { (unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16), (unsigned char)(v >> 24) };

	buf_add(b, d, sizeof d);
}

static int load_u32(const char **p, const char *end, uint32_t *v)
{
	const unsigned char *s = (const unsigned char *)*p;

	if (end - *p < 4)
		return -1;
	*v = s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
	*p += 4;
	return 0;
}

void schema_save(const struct schema *s, struct buf *out)
{
	save_u32(out, s->n);
	for (uint32_t i = 0; i < s->n; i++) {
		save_u32(out, s->name_n[i]);
		buf_add(out, s->names[i], s->name_n[i]);
	}
}

void kept_row_save(const struct kept_row *r, struct buf *out)
{
	schema_save(r->schema, out);
	save_u32(out, r->n);
	buf_char(out, (char)r->hidden);
	for (uint32_t i = 0; i < r->n; i++)
		value_save(out, &r->v[i]);
	value_save(out, &r->raw);
}

static bool has_twins(const struct schema *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (schema_find(s, s->names[i], s->name_n[i]) != (int)i)
			return true;
	return false;
}

static int load_names(const char **p, const char *end, const char **names, uint32_t *len, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (load_u32(p, end, &len[i]) || len[i] > (size_t)(end - *p))
			return -1;
		names[i] = *p;
		*p += len[i];
	}
	return 0;
}

int schema_load(const char **p, const char *end, const struct schema **schema)
{
	struct arena a = { 0 };
	const char **names;
	uint32_t n, *len;
	int r = -1;

	if (load_u32(p, end, &n) || n > (size_t)(end - *p) / 4)
		return -1;
	names = arena_array(&a, const char *, n + 1);
	len = arena_array(&a, uint32_t, n + 1);
	if (!load_names(p, end, names, len, n)) {
		*schema = schema_intern(names, len, n);
		r = has_twins(*schema) ? -1 : 0;
	}
	arena_release(&a);
	return r;
}

static_assert(HIDDEN_COUNT_ <= 8, "hidden columns are bits of a byte");

/* What is read without asking for its type. */
static bool is_hidden(enum hidden which, const struct value *v)
{
	static const enum type of[HIDDEN_COUNT_] = { [HIDDEN_EVENT] = T_TIME, [HIDDEN_WINDOW_START] = T_TIME, [HIDDEN_WINDOW_END] = T_TIME };

	return v->type == T_NULL || !of[which] || v->type == of[which];
}

static int check_hidden(const struct kept_row *r)
{
	if (r->hidden >> HIDDEN_COUNT_)
		return -1;
	for (int i = 0; i < HIDDEN_COUNT_; i++)
		if (r->hidden >> i & 1 && !is_hidden((enum hidden)i, &r->v[hidden_at(r, (enum hidden)i)]))
			return -1;
	return 0;
}

static int load_values(const char **p, const char *end, struct arena *a, struct kept_row *r)
{
	r->v = arena_array(a, struct value, (size_t)r->n + 1);
	for (uint32_t i = 0; i < r->n; i++)
		if (value_load(p, end, a, &r->v[i]))
			return -1;
	return value_load(p, end, a, &r->raw);
}

int kept_row_load(const char **p, const char *end, struct arena *a, struct kept_row *r)
{
	*r = (struct kept_row){ .raw = v_null() };
	if (schema_load(p, end, &r->schema) || load_u32(p, end, &r->n) || *p == end)
		return -1;
	r->hidden = (unsigned char)*(*p)++;
	if (r->n < r->schema->n + (uint32_t)__builtin_popcount(r->hidden) || r->n - r->schema->n > EXTRA_MAX || r->n > (size_t)(end - *p))
		return -1;
	if (load_values(p, end, a, r) || check_hidden(r))
		return -1;
	r->bytes = r->n * sizeof *r->v + value_bytes(&r->raw);
	for (uint32_t i = 0; i < r->n; i++)
		r->bytes += value_bytes(&r->v[i]);
	return 0;
}

void rowstore_save_row(const struct rowstore *s, size_t at, struct buf *out)
{
	kept_row_save(&s->rows[at], out);
}

int rowstore_load_row(struct rowstore *s, const char **p, const char *end)
{
	struct kept_row r;

	if (kept_row_load(p, end, &s->arena, &r))
		return -1;
	s->rows = xgrow(s->rows, &s->cap, s->n + 1, sizeof *s->rows);
	s->rows[s->n++] = r;
	s->live += r.bytes;
	return 0;
}

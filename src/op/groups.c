#include "op/groups.h"

#include <math.h>
#include <stdlib.h>

struct odd_value {
	uint64_t at; /* group * n_keys + key */
	struct value v;
};

void groups_init(struct groups *g, uint32_t n_keys)
{
	*g = (struct groups){ .n_keys = n_keys };
	keytab_init(&g->table);
}

void groups_release(struct groups *g)
{
	keytab_release(&g->table);
	free(g->types);
	free(g->odd);
	arena_release(&g->odd_arena);
	*g = (struct groups){ 0 };
}

void groups_clear(struct groups *g)
{
	keytab_clear(&g->table);
	g->n_odd = 0;
	arena_reset(&g->odd_arena);
}

static void note_key(struct groups *g, uint64_t at, const struct value *v)
{
	g->types[at] = v->type;
	if (v->type != T_LIST && v->type != T_OBJECT)
		return;
	g->odd = xgrow(g->odd, &g->odd_cap, g->n_odd + 1, sizeof *g->odd);
	g->odd[g->n_odd++] = (struct odd_value){ at, value_copy(&g->odd_arena, v) };
}

/* New groups are numbered in row order, so one pass meets each at its first row. */
static void note_new_groups(struct groups *g, uint32_t next, const struct column *const *cols, const uint32_t *sel, uint32_t n_sel,
			    const uint32_t *group)
{
	g->types = xgrow(g->types, &g->types_cap, (size_t)g->table.n * g->n_keys, 1);
	BATCH_EACH(sel, n_sel, i)
	{
		if (group[k_] != next)
			continue;
		for (uint32_t c = 0; c < g->n_keys; c++) {
			struct value v = column_get(cols[c], i);

			note_key(g, (uint64_t)next * g->n_keys + c, &v);
		}
		if (++next == g->table.n)
			break;
	}
}

void groups_put(struct groups *g, struct arena *a, const struct column *const *cols, const uint32_t *sel, uint32_t n_sel, uint32_t *group)
{
	struct key_bytes *keys = arena_array(a, struct key_bytes, n_sel + 1);
	uint32_t before = g->table.n;

	key_of_columns(a, cols, g->n_keys, sel, n_sel, keys);
	keytab_put(&g->table, keys, n_sel, group);
	if (g->table.n > before)
		note_new_groups(g, before, cols, sel, n_sel, group);
}

static struct odd_value *odd_at(const struct groups *g, uint64_t at)
{
	size_t lo = 0, hi = g->n_odd;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (g->odd[mid].at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return &g->odd[lo];
}

static struct value odd_find(const struct groups *g, uint64_t at) { return odd_at(g, at)->v; }

/* Numbers come back in their canonical spelling, as T_NUM; what JSON cannot spell as a float. */
static struct value number_key(const char *p, uint32_t n)
{
	struct num x;

	if (num_is_json(p, n))
		return v_bytes(T_NUM, p, n);
	if (num_parse(p, n, &x) != NUM_NOT)
		return value_from_num(&x);
	return v_float(n && p[0] == 'i' ? INFINITY : n && p[0] == '-' ? -INFINITY : NAN);
}

static struct value value_of_type(const struct groups *g, uint64_t at, enum type t, const char *p, uint32_t n)
{
	struct num x = { 0 };

	switch (t) {
	case T_NULL:
		return v_null();
	case T_BOOL:
		return v_bool(*p == '1');
	case T_TIME:
	case T_DUR:
		num_parse(p, n, &x);
		return (struct value){ .i = x.i, .type = (uint8_t)t };
	case T_INT:
		num_parse(p, n, &x);
		return v_int(x.i);
	case T_FLOAT:
	case T_NUM:
		return number_key(p, n);
	case T_LIST:
	case T_OBJECT:
		return odd_find(g, at);
	default:
		return v_bytes(t, p, n);
	}
}

static struct value key_value(const struct groups *g, uint64_t at, const char *p, uint32_t n)
{
	return value_of_type(g, at, (enum type)g->types[at], p, n);
}

void groups_merge(struct groups *dst, const struct groups *src, uint32_t *map)
{
	groups_copy(dst, src, NULL, src->table.n, map);
}

void groups_copy(struct groups *dst, const struct groups *src, const uint32_t *list, uint32_t n, uint32_t *map)
{
	struct key_bytes key;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t before = dst->table.n, from = list ? list[i] : i;

		keytab_key(&src->table, from, &key);
		keytab_put(&dst->table, &key, 1, &map[i]);
		if (dst->table.n == before)
			continue;
		dst->types = xgrow(dst->types, &dst->types_cap, (size_t)dst->table.n * dst->n_keys, 1);
		for (uint32_t c = 0; c < dst->n_keys; c++) {
			uint64_t at = (uint64_t)from * src->n_keys + c;
			struct value v = { .type = src->types[at] };

			if (v.type == T_LIST || v.type == T_OBJECT)
				v = odd_find(src, at);
			note_key(dst, (uint64_t)map[i] * dst->n_keys + c, &v);
		}
	}
}

static void row_keys(const struct groups *g, uint32_t group, const struct key_bytes *key, struct value **out, uint32_t row)
{
	const char *p = key->p;
	uint32_t n;

	for (uint32_t c = 0; c < g->n_keys; c++) {
		memcpy(&n, p + 4, 4);
		out[c][row] = key_value(g, (uint64_t)group * g->n_keys + c, p + 8, n);
		p += 8 + n;
	}
}

void groups_keys(const struct groups *g, const uint32_t *list, uint32_t from, uint32_t n, struct arena *a, struct column *cols)
{
	struct value **v = arena_array(a, struct value *, g->n_keys);
	struct key_bytes key;

	for (uint32_t c = 0; c < g->n_keys; c++)
		v[c] = arena_array(a, struct value, n);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t group = list ? list[k] : from + k;

		keytab_key(&g->table, group, &key);
		if (g->n_keys == 1)
			v[0][k] = key_value(g, group, key.p, key.n);
		else
			row_keys(g, group, &key, v, k);
	}
	for (uint32_t c = 0; c < g->n_keys; c++)
		cols[c] = column_tighten(a, v[c], NULL, n, n);
}

/* ---- saved ---- */

void groups_save(const struct groups *g, uint32_t group, struct buf *out)
{
	struct key_bytes key;
	const char *p;

	keytab_key(&g->table, group, &key);
	p = key.p;
	for (uint32_t c = 0; c < g->n_keys; c++) {
		uint32_t n = key.n;
		struct value v;

		if (g->n_keys > 1) {
			memcpy(&n, p + 4, 4);
			p += 8;
		}
		v = key_value(g, (uint64_t)group * g->n_keys + c, p, n);
		value_save(out, &v);
		p += n;
	}
}

int groups_load(struct groups *g, const char **p, const char *end, uint32_t *group)
{
	struct arena a = { 0 };
	struct column *cols = arena_array(&a, struct column, g->n_keys);
	const struct column **at = arena_array(&a, const struct column *, g->n_keys);
	int r = 0;

	for (uint32_t c = 0; c < g->n_keys && !r; c++) {
		struct value v;

		r = value_load(p, end, &a, &v);
		cols[c] = column_const(&a, &v);
		at[c] = &cols[c];
	}
	if (!r)
		groups_put(g, &a, at, NULL, 1, group);
	arena_release(&a);
	return r;
}

/* One value of that type with this key, if there is one. */
static bool save_as(const struct groups *g, enum type t, const struct key_bytes *key, struct arena *a, struct buf *out)
{
	struct value v;
	struct key_bytes again;
	struct num x;
	bool is_text = t != T_NULL && t != T_BOOL && t != T_TIME && t != T_DUR;

	if (t == T_LIST || t == T_OBJECT || is_text != (key->kind == KEY_TEXT))
		return false;
	if ((t == T_INT || t == T_FLOAT || t == T_NUM) && num_parse(key->p, key->n, &x) == NUM_NOT)
		return false;
	v = value_of_type(g, 0, t, key->p, key->n);
	key_of_value(a, &v, &again);
	if (again.kind != key->kind || again.n != key->n || (key->n && memcmp(again.p, key->p, key->n)))
		return false;
	value_save(out, &v);
	return true;
}

bool groups_save_as(const struct groups *g, uint32_t group, const uint8_t *types, struct buf *out)
{
	struct arena a = { 0 };
	struct key_bytes key, one;
	const char *p;
	size_t before = out->n;
	bool ok = true;

	keytab_key(&g->table, group, &key);
	one = key;
	p = key.p;
	for (uint32_t c = 0; c < g->n_keys && ok; c++) {
		if (g->n_keys > 1) {
			memcpy(&one.kind, p, 4);
			memcpy(&one.n, p + 4, 4);
			one.p = p + 8;
			p += 8 + one.n;
		}
		ok = save_as(g, (enum type)types[c], &one, &a, out);
	}
	if (!ok)
		out->n = before;
	arena_release(&a);
	return ok;
}

void groups_retype(struct groups *g, uint32_t group, const uint8_t *types)
{
	memcpy(g->types + (size_t)group * g->n_keys, types, g->n_keys);
}

static void odd_set(struct groups *g, uint64_t at, const struct value *v)
{
	struct odd_value *o = odd_at(g, at);
	struct buf was = { 0 }, now = { 0 };

	value_save(&was, &o->v);
	value_save(&now, v);
	if (was.n != now.n || memcmp(was.p, now.p, now.n))
		o->v = value_copy(&g->odd_arena, v);
	buf_release(&was);
	buf_release(&now);
}

void groups_respell(struct groups *g, uint32_t group, const struct column *const *cols, uint32_t row)
{
	for (uint32_t c = 0; c < g->n_keys; c++) {
		uint64_t at = (uint64_t)group * g->n_keys + c;
		struct value v = column_get(cols[c], row);

		if (v.type == T_LIST || v.type == T_OBJECT)
			odd_set(g, at, &v);
		g->types[at] = v.type;
	}
}

size_t groups_memory(const struct groups *g)
{
	return keytab_memory(&g->table) + g->types_cap + g->odd_cap * sizeof *g->odd + g->odd_arena.total;
}

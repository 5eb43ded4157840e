#include "agg/rows.h"

#include <stdlib.h>

void agg_typed(const struct agg_in *in, void (*loop)(const struct agg_in *))
{
	static const uint32_t zeros[BATCH_ROWS_MAX];
	struct agg_in part = *in;

	if (!in->col->constant) {
		loop(in);
		return;
	}
	part.sel = zeros;
	for (uint32_t at = 0; at < in->n; at += part.n) {
		part.n = in->n - at < BATCH_ROWS_MAX ? in->n - at : BATCH_ROWS_MAX;
		part.gid = in->gid ? in->gid + at : NULL;
		loop(&part);
	}
}

void *agg_heap(struct agg_call *c, size_t n)
{
	c->heap_bytes += n;
	return xcalloc(1, n);
}

void *agg_heap_grow(struct agg_call *c, void *p, size_t *cap, size_t need, size_t size)
{
	size_t was = *cap;

	p = xgrow(p, cap, need, size);
	c->heap_bytes += (*cap - was) * size;
	return p;
}

void agg_heap_free(struct agg_call *c, void *p, size_t n)
{
	if (!p)
		return;
	c->heap_bytes -= n;
	free(p);
}

/* A deep copy in one block: structs first, bytes behind them. */
struct packer {
	char *structs, *bytes;
};

static void pack_sizes(const struct value *v, size_t *structs, size_t *bytes)
{
	if (type_is_bytes(v->type)) {
		*bytes += v->n;
	} else if (v->type == T_LIST) {
		*structs += v->n * sizeof *v->items;
		for (uint32_t i = 0; i < v->n; i++)
			pack_sizes(&v->items[i], structs, bytes);
	} else if (v->type == T_OBJECT) {
		*structs += v->n * sizeof *v->fields;
		for (uint32_t i = 0; i < v->n; i++) {
			*bytes += v->fields[i].name_n;
			pack_sizes(&v->fields[i].v, structs, bytes);
		}
	}
}

static const char *pack_put(struct packer *k, const char *p, size_t n)
{
	char *d = k->bytes;

	if (n)
		memcpy(d, p, n);
	k->bytes += n;
	return d;
}

static struct value pack_value(struct packer *k, const struct value *v);

static struct value pack_list(struct packer *k, const struct value *v)
{
	struct value *items = (struct value *)(void *)k->structs;

	k->structs += v->n * sizeof *items;
	for (uint32_t i = 0; i < v->n; i++)
		items[i] = pack_value(k, &v->items[i]);
	return v_list(items, v->n);
}

static struct value pack_object(struct packer *k, const struct value *v)
{
	struct field *fields = (struct field *)(void *)k->structs;

	k->structs += v->n * sizeof *fields;
	for (uint32_t i = 0; i < v->n; i++) {
		fields[i].name = pack_put(k, v->fields[i].name, v->fields[i].name_n);
		fields[i].name_n = v->fields[i].name_n;
		fields[i].v = pack_value(k, &v->fields[i].v);
	}
	return v_object(fields, v->n);
}

static struct value pack_value(struct packer *k, const struct value *v)
{
	if (type_is_bytes(v->type))
		return v_bytes(v->type, pack_put(k, v->s, v->n), v->n);
	if (v->type == T_LIST)
		return pack_list(k, v);
	if (v->type == T_OBJECT)
		return pack_object(k, v);
	return *v;
}

static bool kept_deep(const struct value *v) { return type_is_bytes(v->type) || v->type == T_LIST || v->type == T_OBJECT; }

/* Text of the same length goes where the old one was: `last` and `max` over equal-sized ids do no malloc. */
static bool kept_in_place(struct value *slot, const struct value *v)
{
	if (!type_is_bytes(v->type) || !type_is_bytes(slot->type) || slot->n != v->n)
		return false;
	if (v->n)
		memmove((char *)(uintptr_t)slot->s, v->s, v->n);
	slot->type = v->type;
	return true;
}

void kept_set(struct agg_call *c, struct value *slot, const struct value *v)
{
	struct value copy = *v;
	size_t structs = 0, bytes = 0;
	char *block;

	if (kept_in_place(slot, v))
		return;
	if (kept_deep(v)) {
		pack_sizes(v, &structs, &bytes);
		block = agg_heap(c, structs + bytes);
		copy = pack_value(&(struct packer){ block, block + structs }, v);
	}
	kept_clear(c, slot);
	*slot = copy;
}

void kept_clear(struct agg_call *c, struct value *slot)
{
	size_t structs = 0, bytes = 0;

	if (kept_deep(slot)) {
		pack_sizes(slot, &structs, &bytes);
		agg_heap_free(c, (void *)(uintptr_t)slot->items, structs + bytes);
	}
	*slot = v_null();
}

int kept_load(struct agg_call *c, struct value *slot, const char **p, const char *end)
{
	struct arena tmp = { 0 };
	struct value v;
	int rc = value_load(p, end, &tmp, &v);

	if (!rc)
		kept_set(c, slot, &v);
	arena_release(&tmp);
	return rc;
}

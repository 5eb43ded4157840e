#include "data/valuepool.h"

#include <stdlib.h>

#define SMALL_MAX 64		    /* up to here classes are 8 bytes apart */
#define CLASS_MAX ((size_t)1 << 16) /* larger blocks are malloc's */

/* Four classes for each doubling. */
static unsigned class_of(size_t n, size_t *size)
{
	unsigned e, step;

	if (n <= SMALL_MAX) {
		*size = n < 16 ? 16 : (n + 7) & ~(size_t)7;
		return (unsigned)(*size / 8 - 2);
	}
	e = 63 - (unsigned)__builtin_clzll(n - 1);
	step = (unsigned)((n - 1 - ((size_t)1 << e)) >> (e - 2));
	*size = ((size_t)1 << e) + ((size_t)step + 1) * ((size_t)1 << (e - 2));
	return 7 + (e - 6) * 4 + step;
}

/* Blocks are multiples of 8 and never mixed with others, so all of them are aligned to 8. */
static void *block_get(struct valuepool *p, size_t n)
{
	size_t size;
	unsigned c;
	void *b;

	if (n > CLASS_MAX) {
		p->large += n;
		return xmalloc(n);
	}
	c = class_of(n, &size);
	b = p->free[c];
	if (!b)
		return arena_bytes(&p->arena, size);
	memcpy(&p->free[c], b, sizeof b);
	return b;
}

static void block_put(struct valuepool *p, void *b, size_t n)
{
	size_t size;
	unsigned c;

	if (n > CLASS_MAX) {
		p->large -= n;
		free(b);
		return;
	}
	c = class_of(n, &size);
	memcpy(b, &p->free[c], sizeof b);
	p->free[c] = b;
}

/* Items and fields from the front of the block, which keeps them aligned, bytes from its end. */
struct packer {
	char *front, *back;
};

static void *pack_front(struct packer *k, size_t n)
{
	k->front += n;
	return k->front - n;
}

static const char *pack_bytes(struct packer *k, const char *p, size_t n)
{
	k->back -= n;
	return n ? memcpy(k->back, p, n) : k->back;
}

static struct value pack(struct packer *k, const struct value *v)
{
	if (type_is_bytes(v->type))
		return v_bytes(v->type, pack_bytes(k, v->s, v->n), v->n);
	if (v->type == T_LIST) {
		struct value *items = pack_front(k, v->n * sizeof *items);

		for (uint32_t i = 0; i < v->n; i++)
			items[i] = pack(k, &v->items[i]);
		return v_list(items, v->n);
	}
	if (v->type == T_OBJECT) {
		struct field *f = pack_front(k, v->n * sizeof *f);

		for (uint32_t i = 0; i < v->n; i++) {
			f[i].name = pack_bytes(k, v->fields[i].name, v->fields[i].name_n);
			f[i].name_n = v->fields[i].name_n;
			f[i].v = pack(k, &v->fields[i].v);
		}
		return v_object(f, v->n);
	}
	return *v;
}

static bool is_deep(const struct value *v) { return type_is_bytes(v->type) || v->type == T_LIST || v->type == T_OBJECT; }

struct value valuepool_keep(struct valuepool *p, const struct value *v)
{
	static const struct field none;
	struct packer k;
	size_t n;

	if (!is_deep(v))
		return *v;
	n = value_bytes(v);
	if (!n)
		return (struct value){ .fields = &none, .type = v->type };
	k.front = block_get(p, n);
	k.back = k.front + n;
	return pack(&k, v);
}

void valuepool_drop(struct valuepool *p, const struct value *v)
{
	size_t n = is_deep(v) ? value_bytes(v) : 0;

	if (n)
		block_put(p, (void *)(uintptr_t)v->s, n);
}

void valuepool_retire(struct valuepool *p, const struct value *v)
{
	size_t n = is_deep(v) ? value_bytes(v) : 0;

	if (!n)
		return;
	p->retired = xgrow(p->retired, &p->retired_cap, p->n_retired + 1, sizeof *p->retired);
	p->retired[p->n_retired++] = *v;
	p->retired_bytes += n;
}

void valuepool_settle(struct valuepool *p)
{
	for (size_t i = 0; i < p->n_retired; i++)
		valuepool_drop(p, &p->retired[i]);
	p->n_retired = 0;
	p->retired_bytes = 0;
}

void valuepool_release(struct valuepool *p)
{
	valuepool_settle(p);
	free(p->retired);
	arena_release(&p->arena);
	*p = (struct valuepool){ 0 };
}

size_t valuepool_memory(const struct valuepool *p) { return p->arena.total + p->large + p->retired_cap * sizeof *p->retired; }

#include "data/value.h"

#include <assert.h>
#include <endian.h>

#include "base/time.h"
#include "data/rowkey.h"

const char *value_type_name(const struct value *v)
{
	static const char *const names[] = { "null",   "bool",	 "int",	   "float", "time", "duration", "string",
					     "string", "number", "regex", "list",  "object", "any" };
	struct num n;

	if (v->type == T_TEXT || v->type == T_NUM) {
		enum num_kind k = value_num(v, &n);

		return k == NUM_INT ? "int" : k == NUM_FLOAT ? "float" : "string";
	}
	return names[v->type];
}

enum num_kind value_num(const struct value *v, struct num *out)
{
	switch (v->type) {
	case T_INT:
		out->i = v->i;
		return out->kind = NUM_INT;
	case T_FLOAT:
		out->f = v->f;
		return out->kind = NUM_FLOAT;
	case T_NUM:
	case T_TEXT:
		return num_parse(v->s, v->n, out);
	default:
		return out->kind = NUM_NOT;
	}
}

struct value value_from_num(const struct num *n)
{
	return n->kind == NUM_INT ? v_int(n->i) : n->kind == NUM_FLOAT ? v_float(n->f) : v_null();
}

int value_truth(const struct value *v)
{
	if (v->type == T_BOOL)
		return v->b;
	if (v->type == T_TEXT || v->type == T_STR) {
		if (v->n == 4 && !memcmp(v->s, "true", 4))
			return 1;
		if (v->n == 5 && !memcmp(v->s, "false", 5))
			return 0;
	}
	return -1;
}

static struct value copy_list(struct arena *a, const struct value *v)
{
	struct value *items = arena_array(a, struct value, v->n);

	for (uint32_t i = 0; i < v->n; i++)
		items[i] = value_copy(a, &v->items[i]);
	return v_list(items, v->n);
}

static struct value copy_object(struct arena *a, const struct value *v)
{
	struct field *f = arena_array(a, struct field, v->n);

	for (uint32_t i = 0; i < v->n; i++) {
		f[i].name = arena_copy(a, v->fields[i].name, v->fields[i].name_n);
		f[i].name_n = v->fields[i].name_n;
		f[i].v = value_copy(a, &v->fields[i].v);
	}
	return v_object(f, v->n);
}

struct value value_copy(struct arena *a, const struct value *v)
{
	if (type_is_bytes(v->type))
		return v_bytes(v->type, arena_copy(a, v->s, v->n), v->n);
	if (v->type == T_LIST)
		return copy_list(a, v);
	if (v->type == T_OBJECT)
		return copy_object(a, v);
	return *v;
}

size_t value_bytes(const struct value *v)
{
	size_t n = 0;

	if (type_is_bytes(v->type))
		return v->n;
	if (v->type == T_LIST)
		for (uint32_t i = 0; i < v->n; i++)
			n += sizeof(struct value) + value_bytes(&v->items[i]);
	if (v->type == T_OBJECT)
		for (uint32_t i = 0; i < v->n; i++)
			n += sizeof(struct field) + v->fields[i].name_n + value_bytes(&v->fields[i].v);
	return n;
}

static int bytes_cmp(const char *a, size_t na, const char *b, size_t nb)
{
	int c = memcmp(a, b, na < nb ? na : nb);

	return c ? c : na < nb ? -1 : na > nb;
}

enum rank { RANK_BOOL, RANK_NUM, RANK_TIME, RANK_DUR, RANK_TEXT, RANK_LIST, RANK_OBJECT, RANK_NULL };

static enum rank rank_of(const struct value *v, struct num *n)
{
	switch (v->type) {
	case T_NULL:
		return RANK_NULL;
	case T_BOOL:
		return RANK_BOOL;
	case T_TIME:
		return RANK_TIME;
	case T_DUR:
		return RANK_DUR;
	case T_LIST:
		return RANK_LIST;
	case T_OBJECT:
		return RANK_OBJECT;
	default:
		return value_num(v, n) == NUM_NOT ? RANK_TEXT : RANK_NUM;
	}
}

static int list_cmp(const struct value *a, const struct value *b)
{
	for (uint32_t i = 0; i < a->n && i < b->n; i++) {
		int c = value_cmp(&a->items[i], &b->items[i]);

		if (c)
			return c;
	}
	return a->n < b->n ? -1 : a->n > b->n;
}

static int object_cmp(const struct value *a, const struct value *b)
{
	for (uint32_t i = 0; i < a->n && i < b->n; i++) {
		const struct field *f = &a->fields[i], *g = &b->fields[i];
		int c = bytes_cmp(f->name, f->name_n, g->name, g->name_n);

		if (!c)
			c = value_cmp(&f->v, &g->v);
		if (c)
			return c;
	}
	return a->n < b->n ? -1 : a->n > b->n;
}

int value_cmp(const struct value *a, const struct value *b)
{
	struct num x = { 0 }, y = { 0 };
	enum rank ra = rank_of(a, &x), rb = rank_of(b, &y);

	if (ra != rb)
		return ra < rb ? -1 : 1;
	switch (ra) {
	case RANK_NULL:
		return 0;
	case RANK_BOOL:
		return (int)a->b - (int)b->b;
	case RANK_NUM:
		return num_cmp(&x, &y);
	case RANK_TIME:
	case RANK_DUR:
		return a->i < b->i ? -1 : a->i > b->i;
	case RANK_LIST:
		return list_cmp(a, b);
	case RANK_OBJECT:
		return object_cmp(a, b);
	default:
		return bytes_cmp(a->s, a->n, b->s, b->n);
	}
}

bool value_key_equal(const struct value *a, const struct value *b)
{
	struct arena tmp = { 0 };
	struct key_bytes x, y;
	bool same;

	key_of_value(&tmp, a, &x);
	key_of_value(&tmp, b, &y);
	same = x.kind == y.kind && x.n == y.n && (!x.n || !memcmp(x.p, y.p, x.n));
	arena_release(&tmp);
	return same;
}

const struct value *value_get(const struct value *object, const char *name, size_t n)
{
	if (object->type != T_OBJECT)
		return NULL;
	for (uint32_t i = 0; i < object->n; i++)
		if (object->fields[i].name_n == n && !memcmp(object->fields[i].name, name, n))
			return &object->fields[i].v;
	return NULL;
}

struct value value_member(const struct value *v, const char *name, size_t n, struct arena *arena)
{
	const struct value *f;
	struct value *items;

	if (v->type == T_OBJECT) {
		f = value_get(v, name, n);
		return f ? *f : v_null();
	}
	if (v->type != T_LIST)
		return v_null();
	items = arena_array(arena, struct value, v->n);
	for (uint32_t i = 0; i < v->n; i++) {
		f = value_get(&v->items[i], name, n);
		items[i] = f ? *f : v_null();
	}
	return v_list(items, v->n);
}

/* ---- as bytes ----
 *
 * head   type in the lower four bits; in the upper ones of a bool its value, of a number how many bytes follow, of the others a length: under
 *        LENGTH_U8 it stands there, else as a u8 or u32 behind it
 * body   a number (a zigzag integer; a double from its sign down) without the zeros above it; bytes; items; fields, each a name saved as text and a value
 * All little-endian; there is one spelling of each value. */

#define LENGTH_U8 14
#define LENGTH_U32 15

static_assert(T_ANY < 16, "a type has four bits");

static uint64_t number_bits(const struct value *v)
{
	uint64_t u = (uint64_t)v->i;

	return v->type == T_FLOAT ? __builtin_bswap64(u) : u << 1 ^ -(u >> 63);
}

static int64_t number_of_bits(enum type t, uint64_t u)
{
	return (int64_t)(t == T_FLOAT ? __builtin_bswap64(u) : u >> 1 ^ -(u & 1));
}

static void save_number(struct buf *b, const struct value *v)
{
	uint64_t bits = number_bits(v), le = htole64(bits);
	int n = bits ? 8 - __builtin_clzll(bits) / 8 : 0;
	char *p = buf_room(b, 9);

	*p = (char)(v->type | n << 4);
	memcpy(p + 1, &le, 8);
	buf_took(b, (size_t)n + 1);
}

static void save_length(struct buf *b, enum type t, uint32_t n)
{
	char *p = buf_room(b, 5);
	uint32_t le = htole32(n);

	*p = (char)(t | (n < LENGTH_U8 ? n : n < 256 ? LENGTH_U8 : LENGTH_U32) << 4);
	memcpy(p + 1, &le, 4);
	buf_took(b, n < LENGTH_U8 ? 1 : n < 256 ? 2 : 5);
}

static void save_bytes(struct buf *b, enum type t, const char *s, uint32_t n)
{
	save_length(b, t, n);
	buf_add(b, s, n);
}

void value_save(struct buf *b, const struct value *v)
{
	if (v->type < T_INT) {
		buf_char(b, (char)(v->type | (v->type == T_BOOL && v->b) << 4));
	} else if (v->type <= T_DUR) {
		save_number(b, v);
	} else if (type_is_bytes(v->type)) {
		save_bytes(b, v->type, v->s, v->n);
	} else {
		save_length(b, v->type, v->n);
		for (uint32_t i = 0; v->type == T_LIST && i < v->n; i++)
			value_save(b, &v->items[i]);
		for (uint32_t i = 0; v->type == T_OBJECT && i < v->n; i++) {
			save_bytes(b, T_STR, v->fields[i].name, v->fields[i].name_n);
			value_save(b, &v->fields[i].v);
		}
	}
}

enum type value_saved_type(const char *p) { return *p & 15; }

/* The head is taken off; `more` are its upper bits. */
static int load_length(const char **p, const char *end, unsigned more, uint32_t *n)
{
	size_t bytes = more == LENGTH_U8 ? 1 : more == LENGTH_U32 ? 4 : 0;
	uint32_t le = 0;

	*n = more;
	if (!bytes)
		return 0;
	if ((size_t)(end - *p) < bytes)
		return -1;
	memcpy(&le, *p, bytes);
	*p += bytes;
	*n = le32toh(le);
	return *n < (bytes == 1 ? LENGTH_U8 : 256) ? -1 : 0;
}

static int load_number(const char **p, const char *end, struct value *v, unsigned n)
{
	uint64_t le = 0;

	if (n > 8 || (size_t)(end - *p) < n)
		return -1;
	memcpy(&le, *p, n);
	*p += n;
	if (n && !(*p)[-1])
		return -1;
	v->i = number_of_bits(v->type, le64toh(le));
	return 0;
}

static int load_bytes(const char **p, const char *end, struct arena *a, unsigned more, struct value *v)
{
	if (load_length(p, end, more, &v->n) || (size_t)(end - *p) < v->n)
		return -1;
	v->s = arena_copy(a, *p, v->n);
	*p += v->n;
	return 0;
}

/* Room for element i of n. It grows as elements come, so that a few malformed bytes cannot ask for much memory. */
static void *room_for(struct arena *a, void *old, uint32_t i, uint32_t n, uint32_t *cap, size_t size)
{
	void *d;

	if (i < *cap)
		return old;
	*cap = *cap ? *cap * 2 : 16;
	if (*cap > n)
		*cap = n;
	d = arena_alloc(a, *cap * size);
	if (i)
		memcpy(d, old, i * size);
	return d;
}

/* Nesting of a saved value; deeper is malformed. */
#define LOAD_DEPTH_MAX 1024

static int load_value(const char **p, const char *end, struct arena *a, struct value *v, int depth);

static int load_list(const char **p, const char *end, struct arena *a, struct value *v, int depth)
{
	struct value *items = NULL;
	uint32_t n = v->n, cap = 0;

	for (uint32_t i = 0; i < n; i++) {
		items = room_for(a, items, i, n, &cap, sizeof *items);
		if (load_value(p, end, a, &items[i], depth))
			return -1;
	}
	*v = v_list(items, n);
	return 0;
}

static int load_object(const char **p, const char *end, struct arena *a, struct value *v, int depth)
{
	struct field *f = NULL;
	uint32_t n = v->n, cap = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct value name;

		f = room_for(a, f, i, n, &cap, sizeof *f);
		if (load_value(p, end, a, &name, depth) || name.type != T_STR || load_value(p, end, a, &f[i].v, depth))
			return -1;
		f[i].name = name.s;
		f[i].name_n = name.n;
	}
	*v = v_object(f, n);
	return 0;
}

/* Items and fields have at least a byte each. */
static int load_value(const char **p, const char *end, struct arena *a, struct value *v, int depth)
{
	unsigned head, more;

	*v = v_null();
	if (*p >= end || depth > LOAD_DEPTH_MAX)
		return -1;
	head = (unsigned char)*(*p)++;
	more = head >> 4;
	v->type = head & 15;
	if (v->type == T_NULL)
		return more ? -1 : 0;
	if (v->type == T_BOOL) {
		v->b = more;
		return more > 1 ? -1 : 0;
	}
	if (v->type <= T_DUR)
		return load_number(p, end, v, more);
	if (type_is_bytes(v->type))
		return load_bytes(p, end, a, more, v);
	if (load_length(p, end, more, &v->n) || (size_t)(end - *p) < v->n)
		return -1;
	return v->type == T_LIST ? load_list(p, end, a, v, depth + 1) : v->type == T_OBJECT ? load_object(p, end, a, v, depth + 1) : -1;
}

int value_load(const char **p, const char *end, struct arena *a, struct value *v)
{
	return load_value(p, end, a, v, 0);
}

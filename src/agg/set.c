#include "agg/set.h"

#include <math.h>
#include <stdlib.h>

#include "agg/pack.h"
#include "agg/sum.h"
#include "data/hash.h"
#include "data/rowkey.h"

struct member {
	size_t at;	  /* in bytes: the key, behind it the saved value */
	uint32_t n;	  /* of the key */
	uint32_t value_n; /* of the saved value, 0: none */
	uint32_t kind;	  /* enum key_kind */
	uint32_t hash;
	uint64_t count;
};

struct set {
	uint32_t n;
	uint32_t slots; /* a power of two, 0: none */
	uint32_t *slot; /* member + 1 */
	struct member *member;
	char *bytes;
	size_t cap, bytes_n, bytes_cap;
};

/* What is to be added. */
struct candidate {
	struct key_bytes key;
	uint64_t count;
	const char *value; /* saved form */
	uint32_t value_n;
};

static struct set *set_of(const void *state)
{
	struct set *s;

	memcpy(&s, state, sizeof s);
	return s;
}

static uint32_t key_hash(const struct key_bytes *k)
{
	uint64_t h = hash_bytes(k->n ? k->p : "", k->n) + k->kind * 0x9e3779b97f4a7c15ull;

	return (uint32_t)(h ^ h >> 32);
}

static bool member_is(const struct set *s, const struct member *m, const struct key_bytes *k, uint32_t hash)
{
	return m->hash == hash && m->n == k->n && m->kind == k->kind && (!k->n || !memcmp(s->bytes + m->at, k->p, k->n));
}

static struct member *set_find(const struct set *s, const struct key_bytes *k, uint32_t hash)
{
	if (!s->slots) {
		for (uint32_t i = 0; i < s->n; i++)
			if (member_is(s, &s->member[i], k, hash))
				return &s->member[i];
		return NULL;
	}
	for (uint32_t at = hash & (s->slots - 1); s->slot[at]; at = (at + 1) & (s->slots - 1))
		if (member_is(s, &s->member[s->slot[at] - 1], k, hash))
			return &s->member[s->slot[at] - 1];
	return NULL;
}

static void set_link(struct set *s, uint32_t i)
{
	uint32_t at = s->member[i].hash & (s->slots - 1);

	while (s->slot[at])
		at = (at + 1) & (s->slots - 1);
	s->slot[at] = i + 1;
}

static void set_index(struct agg_call *c, struct set *s)
{
	uint32_t had = s->slots;

	if (s->n <= SET_SMALL || s->n <= s->slots / 2)
		return;
	agg_heap_free(c, s->slot, had * sizeof *s->slot);
	s->slots = had ? had * 2 : 4 * SET_SMALL;
	s->slot = agg_heap(c, s->slots * sizeof *s->slot);
	for (uint32_t i = 0; i + 1 < s->n; i++)
		set_link(s, i);
}

static void set_append(struct agg_call *c, struct set *s, const struct candidate *k, uint32_t hash)
{
	struct member *m;

	s->member = agg_heap_grow(c, s->member, &s->cap, s->n + (size_t)1, sizeof *s->member);
	s->bytes = agg_heap_grow(c, s->bytes, &s->bytes_cap, s->bytes_n + k->key.n + k->value_n, 1);
	m = &s->member[s->n++];
	*m = (struct member){ s->bytes_n, k->key.n, k->value_n, k->key.kind, hash, k->count };
	if (k->key.n)
		memcpy(s->bytes + m->at, k->key.p, k->key.n);
	if (k->value_n)
		memcpy(s->bytes + m->at + m->n, k->value, k->value_n);
	s->bytes_n += (size_t)m->n + m->value_n;
	set_index(c, s);
	if (s->slots)
		set_link(s, s->n - 1);
}

static struct member *set_seek(struct agg_call *c, void *state, const struct key_bytes *k, uint32_t hash)
{
	struct set *s = set_of(state);

	if (!s) {
		s = agg_heap(c, sizeof *s);
		memcpy(state, &s, sizeof s);
	}
	return set_find(s, k, hash);
}

/* Adds what set_seek did not find. */
static void set_new(struct agg_call *c, void *state, const struct candidate *k, uint32_t hash)
{
	if (set_of(state)->n < SET_MEMBERS_MAX)
		set_append(c, set_of(state), k, hash);
	else
		agg_fail(c, "more than 2^30 distinct values");
}

/* One number for equal numbers: whole floats are ints, -0 is 0, there is one NaN. */
static struct value number_of(struct agg_call *c, const struct value *v)
{
	struct num n;
	int64_t i;

	if (v->type == T_NULL || v->type == T_DUR || v->type == T_TIME)
		return *v;
	if (value_num(v, &n) == NUM_NOT) {
		agg_fail(c, "not a number");
		return v_null();
	}
	if (n.kind == NUM_INT)
		return v_int(n.i);
	if (num_double_to_int(n.f, &i))
		return v_int(i);
	return v_float(isnan(n.f) ? (double)NAN : n.f);
}

struct set_scratch {
	struct arena arena;
	struct buf saved;
};

static void set_put(const struct agg_in *in, uint32_t k, const struct key_bytes *key, const struct value *v, struct buf *saved)
{
	uint32_t hash = key_hash(key);
	struct member *m = set_seek(in->c, in_state(in, k), key, hash);

	if (m) {
		m->count++;
		return;
	}
	saved->n = 0;
	if (v)
		value_save(saved, v);
	if (saved->n > UINT32_MAX) {
		agg_fail(in->c, "longer than 4 GiB");
		return;
	}
	set_new(in->c, in_state(in, k), &(struct candidate){ *key, 1, saved->p, (uint32_t)saved->n }, hash);
}

static void set_update_numbers(const struct agg_in *in, struct set_scratch *t)
{
	for (uint32_t k = 0; k < in->n; k++) {
		struct value v = column_get(in->col, in_row(in, k));
		struct key_bytes key;

		in->c->row = in_row(in, k);
		v = number_of(in->c, &v);
		if (v.type == T_NULL)
			continue;
		key_of_value(&t->arena, &v, &key);
		set_put(in, k, &key, &v, &t->saved);
	}
}

static void set_update_keys(const struct agg_in *in, struct set_scratch *t, bool values)
{
	struct key_bytes *keys = arena_array(&t->arena, struct key_bytes, in->n);

	key_of_columns(&t->arena, &in->col, 1, in->sel, in->n, keys);
	for (uint32_t k = 0; k < in->n; k++) {
		struct value v;

		if (keys[k].kind == KEY_NULL)
			continue;
		if (values)
			v = column_get(in->col, in_row(in, k));
		set_put(in, k, &keys[k], values ? &v : NULL, &t->saved);
	}
}

void set_update(const struct agg_in *in, enum set_flags flags)
{
	struct set_scratch t = { 0 };

	if (flags & SET_NUMBERS)
		set_update_numbers(in, &t);
	else
		set_update_keys(in, &t, flags & SET_VALUES);
	buf_release(&t.saved);
	arena_release(&t.arena);
}

static void set_merge_member(struct agg_call *c, void *dst, const struct set *src, const struct member *m)
{
	const char *p = src->bytes + m->at;
	struct candidate k = { { p, m->n, m->kind }, m->count, p + m->n, m->value_n };
	struct member *same = set_seek(c, dst, &k.key, m->hash);

	if (same)
		same->count += m->count;
	else
		set_new(c, dst, &k, m->hash);
}

void set_merge(struct agg_call *c, void *dst, void *src, enum set_flags flags)
{
	struct set *s = set_of(src), *none = NULL;

	(void)flags;
	if (!set_of(dst)) {
		memcpy(dst, &s, sizeof s);
		memcpy(src, &none, sizeof none);
		return;
	}
	for (uint32_t i = 0; s && i < s->n; i++)
		set_merge_member(c, dst, s, &s->member[i]);
}

uint32_t set_count(const void *state)
{
	const struct set *s = set_of(state);

	return s ? s->n : 0;
}

static struct value member_value(const struct set *s, const struct member *m, struct arena *a)
{
	const char *p = s->bytes + m->at + m->n;
	struct value v;

	if (value_load(&p, p + m->value_n, a, &v))
		BUG("a set does not hold what it saved");
	return v;
}

struct value set_list(const void *state, struct arena *a)
{
	const struct set *s = set_of(state);
	uint32_t n = set_count(state);
	struct value *items = arena_array(a, struct value, n);

	for (uint32_t i = 0; i < n; i++)
		items[i] = member_value(s, &s->member[i], a);
	return v_list(items, n);
}

struct value set_mode(const void *state, struct arena *a)
{
	const struct set *s = set_of(state);
	uint32_t best = 0;

	if (!s)
		return v_null();
	for (uint32_t i = 1; i < s->n; i++)
		if (s->member[i].count > s->member[best].count)
			best = i;
	return member_value(s, &s->member[best], a);
}

void set_sum(struct agg_call *c, const void *state, struct sum *sum)
{
	const struct set *s = set_of(state);
	struct arena a = { 0 };

	for (uint32_t i = 0; s && i < s->n; i++) {
		struct value v = member_value(s, &s->member[i], &a);

		sum_put(c, sum, &v);
	}
	arena_release(&a);
}

static int key_order(const struct key_bytes *a, const struct key_bytes *b)
{
	int d;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	d = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);
	return d ? d : a->n < b->n ? -1 : a->n > b->n;
}

static int key_order_void(const void *a, const void *b) { return key_order(a, b); }

/* What is saved of a set without order: its keys, ascending. Numbers are their keys too. */
static void save_keys(const struct set *s, struct buf *b)
{
	struct key_bytes *keys = xcalloc(s->n, sizeof *keys);

	for (uint32_t i = 0; i < s->n; i++)
		keys[i] = (struct key_bytes){ s->bytes + s->member[i].at, s->member[i].n, s->member[i].kind };
	qsort(keys, s->n, sizeof *keys, key_order_void);
	for (uint32_t i = 0; i < s->n; i++) {
		buf_char(b, (char)keys[i].kind);
		pack_bytes(b, keys[i].p, keys[i].n);
	}
	free(keys);
}

static void save_values(const struct set *s, struct buf *b, bool counts)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct member *m = &s->member[i];

		buf_add(b, s->bytes + m->at + m->n, m->value_n);
		if (counts)
			pack_uint(b, m->count);
	}
}

void set_save(const void *state, struct buf *b, enum set_flags flags)
{
	const struct set *s = set_of(state);

	pack_uint(b, set_count(state));
	if (s && flags & SET_VALUES)
		save_values(s, b, flags & SET_COUNTS);
	else if (s)
		save_keys(s, b);
}

/* The number (duration, time) whose key this is. */
static int number_of_key(const struct key_bytes *k, struct value *v)
{
	struct num n;
	bool plain = num_parse(k->p, k->n, &n) != NUM_NOT;

	if (k->kind == KEY_TEXT && !plain) {
		if (k->n == 3 && !memcmp(k->p, "nan", 3))
			*v = v_float(NAN);
		else if (k->n == 3 && !memcmp(k->p, "inf", 3))
			*v = v_float(INFINITY);
		else if (k->n == 4 && !memcmp(k->p, "-inf", 4))
			*v = v_float(-INFINITY);
		else
			return -1;
		return 0;
	}
	if (!plain || (k->kind != KEY_TEXT && n.kind != NUM_INT))
		return -1;
	*v = k->kind == KEY_TIME ? v_time(n.i) : k->kind == KEY_DUR ? v_dur(n.i) : value_from_num(&n);
	return k->kind == KEY_TEXT || k->kind == KEY_TIME || k->kind == KEY_DUR ? 0 : -1;
}

static int load_key(const char **p, const char *end, struct key_bytes *k)
{
	size_t n;

	if (*p >= end)
		return -1;
	k->kind = (unsigned char)*(*p)++;
	if (k->kind > KEY_OBJECT || k->kind == KEY_NULL || unpack_bytes(p, end, &k->p, &n) || n > VALUE_LEN_MAX)
		return -1;
	k->n = (uint32_t)n;
	return 0;
}

/* The key of the value must be the key it came with. */
static int load_number(struct set_scratch *t, struct candidate *k)
{
	struct key_bytes again;
	struct value v;

	if (number_of_key(&k->key, &v))
		return -1;
	key_of_value(&t->arena, &v, &again);
	if (key_order(&again, &k->key))
		return -1;
	t->saved.n = 0;
	value_save(&t->saved, &v);
	k->value = t->saved.p;
	k->value_n = (uint32_t)t->saved.n;
	return 0;
}

static int load_value(struct set_scratch *t, const char **p, const char *end, struct candidate *k)
{
	struct value v;

	k->value = *p;
	if (value_load(p, end, &t->arena, &v) || v.type == T_NULL || *p - k->value > UINT32_MAX)
		return -1;
	k->value_n = (uint32_t)(*p - k->value);
	key_of_value(&t->arena, &v, &k->key);
	return 0;
}

static int load_member(struct set_scratch *t, const char **p, const char *end, enum set_flags flags, struct candidate *k)
{
	*k = (struct candidate){ .count = 1 };
	if (flags & SET_VALUES)
		return load_value(t, p, end, k) || (flags & SET_COUNTS && (unpack_uint(p, end, &k->count) || !k->count)) ? -1 : 0;
	if (load_key(p, end, &k->key))
		return -1;
	return flags & SET_NUMBERS ? load_number(t, k) : 0;
}

static int load_members(struct agg_call *c, void *state, const char **p, const char *end, enum set_flags flags)
{
	struct set_scratch t = { 0 };
	struct key_bytes last = { 0 };
	struct candidate k;
	uint64_t n;
	int rc = unpack_uint(p, end, &n) || n > SET_MEMBERS_MAX ? -1 : 0;

	for (uint64_t i = 0; !rc && i < n; i++) {
		rc = load_member(&t, p, end, flags, &k);
		if (rc || set_seek(c, state, &k.key, key_hash(&k.key)) ||
		    (!(flags & SET_VALUES) && i && key_order(&last, &k.key) >= 0))
			rc = -1;
		else
			set_new(c, state, &k, key_hash(&k.key));
		last = k.key;
	}
	buf_release(&t.saved);
	arena_release(&t.arena);
	return rc;
}

int set_load(struct agg_call *c, void *state, const char **p, const char *end, enum set_flags flags)
{
	if (!load_members(c, state, p, end, flags))
		return 0;
	set_release(c, state);
	return -1;
}

void set_release(struct agg_call *c, void *state)
{
	struct set *s = set_of(state), *none = NULL;

	if (!s)
		return;
	agg_heap_free(c, s->slot, s->slots * sizeof *s->slot);
	agg_heap_free(c, s->member, s->cap * sizeof *s->member);
	agg_heap_free(c, s->bytes, s->bytes_cap);
	agg_heap_free(c, s, sizeof *s);
	memcpy(state, &none, sizeof none);
}

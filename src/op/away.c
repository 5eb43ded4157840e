#include "op/away.h"

#include <stdlib.h>

#include "base/mem.h"
#include "data/hash.h"

#define FIRST_ROOM 65536 /* keys of the first filter */
#define KEYS_A_LINE 51	 /* 512 bits: 10 for each key when it is full */
#define BITS_A_KEY 6

void away_release(struct away *a)
{
	for (uint32_t i = 0; i < a->n_filters; i++)
		big_free(a->filters[i].lines, a->filters[i].n_lines * 64);
	free(a->spellings);
	*a = (struct away){ 0 };
}

static uint64_t hash_of(const struct key_bytes *key)
{
	return hash_mum(hash_bytes(key->p, key->n) ^ 0x9e3779b97f4a7c15ull, 0xd6e8feb86659fd93ull ^ key->kind);
}

/* Six bits of the line, nine bits of the hash each; the line comes from its upper half. */
static uint64_t *line_of(const struct away_filter *f, uint64_t h) { return f->lines + 8 * (((h >> 32) * f->n_lines) >> 32); }

static bool has(const struct away_filter *f, uint64_t h)
{
	const uint64_t *line = line_of(f, h);

	for (uint64_t i = 0, b = hash_mum(h, 0xa0761d6478bd642full); i < BITS_A_KEY; i++, b >>= 9)
		if (!(line[b >> 6 & 7] >> (b & 63) & 1))
			return false;
	return true;
}

static void set(const struct away_filter *f, uint64_t h)
{
	uint64_t *line = line_of(f, h);

	for (uint64_t i = 0, b = hash_mum(h, 0xa0761d6478bd642full); i < BITS_A_KEY; i++, b >>= 9)
		line[b >> 6 & 7] |= (uint64_t)1 << (b & 63);
}

static void add_filter(struct away *a)
{
	struct away_filter *f = &a->filters[a->n_filters];

	f->room = (uint64_t)FIRST_ROOM << a->n_filters;
	f->n_lines = f->room / KEYS_A_LINE + 1;
	f->lines = big_alloc(f->n_lines * 64);
	a->n_filters++;
	a->noted = 0;
}

static bool any_has(const struct away *a, uint64_t h)
{
	for (uint32_t i = a->n_filters; i--;)
		if (has(&a->filters[i], h))
			return true;
	return false;
}

static bool spelling_known(struct away *a, const struct groups *g, uint32_t group)
{
	const uint8_t *types = g->types + (size_t)group * g->n_keys;

	for (uint32_t i = 0; i < a->n_spellings; i++)
		if (!memcmp(a->spellings + (size_t)i * g->n_keys, types, g->n_keys))
			return true;
	if (a->n_spellings == AWAY_SPELLINGS_MAX || memchr(types, T_LIST, g->n_keys) || memchr(types, T_OBJECT, g->n_keys))
		return false;
	if (!a->spellings)
		a->spellings = xmalloc((size_t)AWAY_SPELLINGS_MAX * g->n_keys);
	memcpy(a->spellings + (size_t)a->n_spellings++ * g->n_keys, types, g->n_keys);
	return true;
}

void away_add(struct away *a, const struct key_bytes *key)
{
	uint64_t h = hash_of(key);

	a->n++;
	if (any_has(a, h))
		return;
	if (!a->n_filters || (a->noted >= a->filters[a->n_filters - 1].room && a->n_filters < AWAY_FILTERS_MAX))
		add_filter(a);
	set(&a->filters[a->n_filters - 1], h);
	a->noted++;
}

bool away_may_have(const struct away *a, const struct key_bytes *key) { return a->n && any_has(a, hash_of(key)); }

bool away_add_group(struct away *a, const struct groups *g, uint32_t group)
{
	struct key_bytes key;

	if (!spelling_known(a, g, group))
		return false;
	keytab_key(&g->table, group, &key);
	away_add(a, &key);
	return true;
}

/* The key as it would be spelled by these types. */
static int find_as(const struct away_owner *o, uint32_t group, const uint8_t *types, struct kept_entry *found, struct err *e)
{
	const struct run *run = o->op->run;
	struct kept_entry ask = { 0 };
	struct buf b = { 0 };
	int r = 0;

	buf_add(&b, o->tag, o->tag_n);
	if (groups_save_as(o->groups, group, types, &b)) {
		ask.key = b.p;
		ask.key_n = b.n;
		r = run->fetch(run->fetch_ctx, o->op, &ask, found, e);
	}
	buf_release(&b);
	if (r > 0)
		groups_retype(o->groups, group, types);
	return r;
}

int away_return(struct away *a, const struct away_owner *o, uint32_t group, struct kept_entry *found, struct err *e)
{
	struct key_bytes key;
	int r = 0;

	keytab_key(&o->groups->table, group, &key);
	if (!away_may_have(a, &key))
		return 0;
	for (uint32_t i = 0; i < a->n_spellings && !r; i++)
		r = find_as(o, group, a->spellings + (size_t)i * o->groups->n_keys, found, e);
	a->n -= r > 0;
	return r;
}

size_t away_memory(const struct away *a)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < a->n_filters; i++)
		sum += a->filters[i].n_lines * 64;
	return sum;
}

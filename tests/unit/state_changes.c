/* The order of changes beside that of a plain comparison, on keys that are alike for long. */
#include <stdlib.h>

#include "state/changes.h"
#include "test.h"

#define N 20000
#define TABLES 3

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* A key: some of a few beginnings over and over, zeros, then a few letters; `long_too` makes some longer than LMDB takes. */
static size_t make_key(char *p, bool long_too)
{
	static const char *const heads[] = { "", "https://www.example.org/", "abcdefghijklmnop", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" };
	static const size_t head_n[] = { 0, 24, 16, 16 };
	size_t n = 0, tail = rnd() % 5;

	for (uint64_t k = rnd() % 3; k; k--) {
		size_t h = rnd() % 4;

		memcpy(p + n, heads[h], head_n[h]);
		n += head_n[h];
	}
	for (; long_too && rnd() % 4 == 0 && n < 480; n += 120)
		memset(p + n, 'x', 120);
	for (; tail; tail--)
		p[n++] = "ab\0\xff"[rnd() % 4];
	return n;
}

struct want {
	struct change c;
	uint32_t table;
	size_t at;
};

static int by_bytes(struct store_bytes a, struct store_bytes b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* As the header says it. */
static int plain_order(const void *pa, const void *pb)
{
	const struct want *a = pa, *b = pb;
	bool long_a = a->c.key.n > SHORT_KEY_MAX, long_b = b->c.key.n > SHORT_KEY_MAX;
	struct sum128 x, y;

	if (a->c.stage != b->c.stage)
		return a->c.stage < b->c.stage ? -1 : 1;
	if (long_a != long_b)
		return long_a ? 1 : -1;
	x = sum128(a->c.key.p, a->c.key.n);
	y = sum128(b->c.key.p, b->c.key.n);
	if (long_a && x.hi != y.hi)
		return x.hi < y.hi ? -1 : 1;
	if (long_a && x.lo != y.lo)
		return x.lo < y.lo ? -1 : 1;
	return by_bytes(a->c.key, b->c.key);
}

static bool same_key(const struct want *a, const struct want *b) { return a->c.stage == b->c.stage && !by_bytes(a->c.key, b->c.key); }

static bool later(const struct want *a, const struct want *b) { return a->table != b->table ? a->table > b->table : a->at > b->at; }

/* Sorted, of each key the latest. */
static size_t plain_sort(struct want *w, size_t n)
{
	size_t kept = 0;

	qsort(w, n, sizeof *w, plain_order);
	for (size_t i = 0; i < n; i++) {
		if (!kept || !same_key(&w[kept - 1], &w[i]))
			w[kept++] = w[i];
		else if (later(&w[i], &w[kept - 1]))
			w[kept - 1] = w[i];
	}
	return kept;
}

static void fill(struct memtab *m, struct want *w, size_t n, bool long_too)
{
	char key[1024];

	for (size_t i = 0; i < n; i++) {
		struct memtab *t = &m[i % TABLES];
		struct change c = { .stage = 1 + (uint32_t)(rnd() % 3 == 0), .mark = (uint32_t)(rnd() % 5), .value = { "v", 1 } };

		c.key = (struct store_bytes){ key, make_key(key, long_too) };
		w[i] = (struct want){ .table = (uint32_t)(i % TABLES), .at = t->b.n };
		change_put(&t->b, &c);
	}
	for (size_t k = 0; k < TABLES; k++)
		memtab_region(&m[k], 0, m[k].b.n);
	for (size_t i = 0; i < n; i++)
		w[i].c = memtab_change(&m[w[i].table], w[i].at);
}

static void check(size_t n, bool long_too)
{
	struct memtab m[TABLES] = { 0 };
	const struct memtab *tables[TABLES] = { &m[0], &m[1], &m[2] };
	struct change_list l = { .tables = tables };
	struct want *w = xcalloc(n + 1, sizeof *w);
	size_t wrong = 0, kept;

	fill(m, w, n, long_too);
	for (uint32_t k = 0; k < TABLES; k++)
		change_list_add(&l, k, 0);
	change_list_sort(&l);
	kept = plain_sort(w, n);
	CHECK_INT(l.n, kept);
	for (size_t i = 0; i < kept && i < l.n; i++) {
		struct change_ref r = key_ref(w[i].c.stage, w[i].c.key, 0);

		wrong += change_at(&l, i).key.p != w[i].c.key.p;
		wrong += change_list_compare(&l, &r, w[i].c.key, i) != 0;
	}
	CHECK_INT(wrong, 0);
	for (size_t k = 0; k < TABLES; k++)
		memtab_release(&m[k]);
	change_list_release(&l);
	free(w);
}

int main(void)
{
	TEST("changes are in the order of LMDB's keys, of each key the latest")
	{
		for (size_t n = 0; n < 70; n++)
			check(n, false);
		check(N, false);
	}
	TEST("so are those of long keys")
	{
		check(N, true);
	}
	return test_done();
}

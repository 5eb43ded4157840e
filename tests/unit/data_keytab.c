#include "tests/unit/test.h"

#include "data/keytab.h"

static uint64_t seed = 7;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

/* The model: keys in order, searched one by one through a table of heads by length and first byte. */
struct model {
	struct key_bytes *keys;
	uint32_t *next;
	uint32_t n, head[65536];
};

static uint32_t model_slot(const struct key_bytes *k)
{
	uint32_t h = k->n * 31 + k->kind;

	for (uint32_t i = 0; i < k->n; i++)
		h = h * 131 + (unsigned char)k->p[i];
	return h & 65535;
}

static bool same(const struct key_bytes *a, const struct key_bytes *b)
{
	return a->n == b->n && a->kind == b->kind && (!a->n || !memcmp(a->p, b->p, a->n));
}

static uint32_t model_put(struct model *m, struct arena *a, const struct key_bytes *k)
{
	uint32_t slot = model_slot(k);

	for (uint32_t i = m->head[slot]; i; i = m->next[i - 1]) {
		const struct key_bytes *o = &m->keys[i - 1];

		if (same(o, k))
			return i - 1;
	}
	m->keys[m->n] = (struct key_bytes){ .p = arena_copy(a, k->p, k->n), .n = k->n, .kind = k->kind };
	m->next[m->n] = m->head[slot];
	return m->head[slot] = ++m->n, m->n - 1;
}

/* A key of 0 to 40 bytes, often like another one. */
static struct key_bytes random_key(struct arena *a, uint32_t kinds)
{
	uint32_t n = rnd(4) ? rnd(20) : 14 + rnd(27), id = rnd(kinds);
	char *d = arena_bytes(a, n + 16), num[16];

	memset(d, 'k', n);
	snprintf(num, sizeof num, "%u", id);
	memcpy(d + (n > strlen(num) ? rnd(2) ? 0 : n - strlen(num) : 0), num, n < strlen(num) ? n : strlen(num));
	return (struct key_bytes){ .p = d, .n = n, .kind = rnd(10) ? KEY_TEXT : KEY_ROW };
}

static void check_against_model(struct keytab *t, uint32_t rounds, uint32_t kinds)
{
	struct arena a = { 0 }, keep = { 0 };
	struct model *m = xcalloc(1, sizeof *m);
	uint32_t most = rounds * 100;

	m->keys = xcalloc(most, sizeof *m->keys);
	m->next = xcalloc(most, sizeof *m->next);
	for (uint32_t r = 0; r < rounds; r++) {
		uint32_t n = 1 + rnd(100), group[100], before = t->n;
		struct key_bytes k[100];

		for (uint32_t i = 0; i < n; i++)
			k[i] = random_key(&a, kinds);
		keytab_put(t, k, n, group);
		for (uint32_t i = 0; i < n; i++) {
			CHECK_INT(group[i], model_put(m, &keep, &k[i]));
			CHECK_INT(keytab_find(t, &k[i]), group[i]);
		}
		CHECK_INT(t->n, m->n);
		CHECK(t->n >= before);
		arena_reset(&a);
	}
	for (uint32_t i = 0; i < m->n; i++) {
		struct key_bytes k;

		keytab_key(t, i, &k);
		CHECK(same(&k, &m->keys[i]));
	}
	free(m->keys);
	free(m->next);
	free(m);
	arena_release(&a);
	arena_release(&keep);
}

static void test_model(void)
{
	struct keytab t;

	TEST("groups are those of a simple model")
	{
		keytab_init(&t);
		check_against_model(&t, 400, 50);
		keytab_release(&t);
		keytab_init(&t);
		check_against_model(&t, 2000, 100000);
		keytab_release(&t);
	}
	TEST("a cleared table begins anew")
	{
		keytab_init(&t);
		for (int i = 0; i < 3; i++) {
			check_against_model(&t, 100, 3000);
			keytab_clear(&t);
			CHECK_INT(t.n, 0);
		}
		keytab_release(&t);
	}
}

static void test_edges(void)
{
	struct keytab t;
	uint32_t g[4];

	TEST("kind, length and NUL bytes tell keys apart")
	{
		struct key_bytes k[] = {
			{ "", 0, KEY_TEXT }, { "", 0, KEY_NULL }, { "\0", 1, KEY_TEXT }, { "\0\0", 2, KEY_TEXT }
		};

		keytab_init(&t);
		keytab_put(&t, k, 4, g);
		for (uint32_t i = 0; i < 4; i++)
			CHECK_INT(g[i], i);
		CHECK_INT(keytab_find(&t, &(struct key_bytes){ "\0\0\0", 3, KEY_TEXT }), KEYTAB_NONE);
		keytab_release(&t);
	}
	TEST("long keys that differ in the last byte only")
	{
		char *a = xmalloc(100000), *b = xmalloc(100000);
		struct key_bytes k[3] = { { a, 100000, KEY_TEXT }, { b, 100000, KEY_TEXT }, { a, 99999, KEY_TEXT } };

		memset(a, 'x', 100000);
		memset(b, 'x', 100000);
		b[99999] = 'y';
		keytab_init(&t);
		keytab_put(&t, k, 3, g);
		CHECK(g[0] == 0 && g[1] == 1 && g[2] == 2);
		memset(a, 'z', 100000);
		CHECK_INT(keytab_find(&t, &k[1]), 1);
		CHECK_INT(keytab_find(&t, &k[0]), KEYTAB_NONE);
		CHECK(keytab_memory(&t) >= 300000 - 1);
		keytab_release(&t);
		free(a);
		free(b);
	}
	TEST("a million keys")
	{
		keytab_init(&t);
		for (uint32_t i = 0; i < 1000000; i++) {
			char s[16];
			struct key_bytes k = { s, (uint32_t)snprintf(s, sizeof s, "%u", i), KEY_TEXT };

			keytab_put(&t, &k, 1, g);
			if (g[0] != i)
				CHECK_INT(g[0], i);
		}
		for (uint32_t i = 0; i < 1000000; i += 997) {
			char s[16];
			struct key_bytes k = { s, (uint32_t)snprintf(s, sizeof s, "%u", i), KEY_TEXT };

			CHECK_INT(keytab_find(&t, &k), i);
		}
		keytab_release(&t);
	}
}

int main(void)
{
	test_model();
	test_edges();
	return test_done();
}

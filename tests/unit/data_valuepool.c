#include "tests/unit/test.h"

#include "data/valuepool.h"

static struct arena scratch;
static uint64_t seed = 5;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

static struct value random_text(void)
{
	uint32_t n = rnd(4) ? rnd(40) : rnd(8) ? rnd(3000) : rnd(200000);
	char *p = arena_bytes(&scratch, n + 1);

	memset(p, 'a' + (int)rnd(26), n);
	return v_str(p, n);
}

static struct value random_value(int depth)
{
	struct value *items;
	struct field *f;
	uint32_t n = rnd(5);

	switch (depth ? rnd(6) : rnd(4)) {
	case 0:
		return v_null();
	case 1:
		return v_int((int64_t)rnd(1000) - 500);
	case 2:
	case 3:
		return random_text();
	case 4:
		items = arena_array(&scratch, struct value, n + 1);
		for (uint32_t i = 0; i < n; i++)
			items[i] = random_value(depth - 1);
		return v_list(items, n);
	default:
		f = arena_array(&scratch, struct field, n + 1);
		for (uint32_t i = 0; i < n; i++)
			f[i] = (struct field){ arena_printf(&scratch, "f%u", i), 2, random_value(depth - 1) };
		return v_object(f, n);
	}
}

#define HELD 200

static void test_model(void)
{
	struct valuepool pool = { 0 };
	struct value held[HELD] = { { { 0 }, 0, 0 } };
	struct buf want[HELD] = { { 0 } }, got = { 0 };

	TEST("values kept stay what they were, whatever comes and goes around them")
	{
		for (int round = 0; round < 60000 && !test_bad; round++) {
			uint32_t i = rnd(HELD);
			struct value v;

			got.n = 0;
			value_save(&got, &held[i]);
			if (!want[i].n)
				value_save(&want[i], &held[i]);
			CHECK(got.n == want[i].n && !memcmp(got.p, want[i].p, got.n));
			if (rnd(2))
				valuepool_drop(&pool, &held[i]);
			else
				valuepool_retire(&pool, &held[i]);
			if (!rnd(50))
				valuepool_settle(&pool);
			v = random_value(3);
			held[i] = valuepool_keep(&pool, &v);
			CHECK(held[i].type < T_LIST || (uintptr_t)held[i].items % 8 == 0);
			want[i].n = 0;
			value_save(&want[i], &v);
			arena_reset(&scratch);
		}
	}
	for (int i = 0; i < HELD; i++) {
		valuepool_drop(&pool, &held[i]);
		buf_release(&want[i]);
	}
	valuepool_settle(&pool);
	TEST("nothing large is left") CHECK_INT(pool.large, 0);
	valuepool_release(&pool);
	buf_release(&got);
}

static void test_bound(void)
{
	struct valuepool pool = { 0 };
	struct value held[100] = { { { 0 }, 0, 0 } };
	size_t early = 0;

	TEST("what is replaced again and again takes no more memory")
	{
		for (int round = 0; round < 200000; round++) {
			struct value *to = &held[round % 100],
				     v = v_str("0123456789012345678901234567890123456789", 20 + rnd(20));

			valuepool_drop(&pool, to);
			*to = valuepool_keep(&pool, &v);
			if (round == 20000)
				early = valuepool_memory(&pool);
		}
		CHECK_INT(valuepool_memory(&pool), early);
	}
	valuepool_release(&pool);
}

static void test_retired(void)
{
	struct valuepool pool = { 0 };
	struct value a = v_str("the first of two texts", 22), b = v_str("a second text, longer", 21);

	TEST("a retired value is readable until the pool settles")
	{
		struct value kept = valuepool_keep(&pool, &a), other;

		valuepool_retire(&pool, &kept);
		other = valuepool_keep(&pool, &b);
		CHECK_BYTES(kept.s, kept.n, "the first of two texts");
		CHECK_BYTES(other.s, other.n, "a second text, longer");
		CHECK_INT(pool.retired_bytes, 22);
		valuepool_settle(&pool);
		CHECK_INT(pool.retired_bytes, 0);
	}
	valuepool_release(&pool);
}

int main(void)
{
	test_model();
	test_bound();
	test_retired();
	arena_release(&scratch);
	return test_done();
}

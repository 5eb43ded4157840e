#include "tests/unit/test.h"

#include <math.h>

#include "op/groups.h"

static struct arena arena, lasting;
static uint64_t seed = 11;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

static struct value random_value(struct arena *a)
{
	static const char *const texts[] = {
		"", "7", "07", "x", "true", "a long text that does not fit in a slot", "1.5", "nan"
	};
	static const double floats[] = { 0, -0.0, 7, 1.5, INFINITY, -INFINITY, NAN, 1e300 };
	const char *s = texts[rnd(ARRAY_LEN(texts))];

	switch (rnd(9)) {
	case 0:
		return v_null();
	case 1:
		return v_bool(rnd(2));
	case 2:
		return v_int(rnd(9));
	case 3:
		return v_float(floats[rnd(ARRAY_LEN(floats))]);
	case 4:
		return rnd(2) ? v_time(rnd(9)) : v_dur(-(int64_t)rnd(9));
	case 5: {
		struct value *items = arena_array(a, struct value, 1);

		*items = v_int(rnd(3));
		return v_list(items, rnd(2));
	}
	case 6:
		return v_bytes(T_NUM, "1.50", rnd(2) ? 4 : 3);
	default:
		return v_bytes(rnd(2) ? T_TEXT : T_STR, s, strlen(s));
	}
}

/* What a group's key gives back: the same key, of the kind first seen. */
static void check_key(const struct value *got, const struct value *first)
{
	CHECK(value_key_equal(got, first));
	if (first->type == T_FLOAT || first->type == T_NUM)
		CHECK(got->type == T_NUM || got->type == T_FLOAT || got->type == T_INT);
	else
		CHECK_INT(got->type, first->type);
}

static bool same_keys(struct value *const *v, uint32_t n_keys, uint32_t i, uint32_t j)
{
	for (uint32_t k = 0; k < n_keys; k++)
		if (!value_key_equal(&v[k][i], &v[k][j]))
			return false;
	return true;
}

enum { ROWS = 400 };

static void put_all(struct groups *g, struct value *const *v, uint32_t n_keys, uint32_t *group)
{
	for (uint32_t from = 0, n; from < ROWS; from += n) {
		struct column cols[3];
		const struct column *at[3];

		n = 1 + rnd(ROWS - from);
		for (uint32_t k = 0; k < n_keys; k++) {
			struct value *own = arena_array(&arena, struct value, n);

			memcpy(own, v[k] + from, n * sizeof *own);
			cols[k] = column_tighten(&arena, own, NULL, n, n);
			at[k] = &cols[k];
		}
		groups_put(g, &arena, at, NULL, n, group + from);
		arena_reset(&arena);
	}
}

static void try_groups(uint32_t n_keys)
{
	struct value *v[3];
	uint32_t group[ROWS], first[ROWS], seen = 0;
	struct groups g;
	struct column cols[3];

	for (uint32_t k = 0; k < n_keys; k++) {
		v[k] = arena_array(&lasting, struct value, ROWS);
		for (uint32_t i = 0; i < ROWS; i++)
			v[k][i] = random_value(&lasting);
	}
	groups_init(&g, n_keys);
	put_all(&g, v, n_keys, group);
	for (uint32_t i = 0; i < ROWS; i++) {
		CHECK(group[i] <= seen);
		if (group[i] == seen)
			first[seen++] = i;
		CHECK(same_keys(v, n_keys, i, first[group[i]]));
		for (uint32_t j = 0; j < i; j += 7)
			CHECK((group[i] == group[j]) == same_keys(v, n_keys, i, j));
	}
	CHECK_INT(g.table.n, seen);
	groups_keys(&g, NULL, 0, seen, &arena, cols);
	for (uint32_t i = 0; i < seen; i++)
		for (uint32_t k = 0; k < n_keys; k++) {
			struct value got = column_get(&cols[k], i);

			check_key(&got, &v[k][first[i]]);
		}
	groups_release(&g);
	arena_reset(&arena);
	arena_reset(&lasting);
}

static void try_merge(void)
{
	struct value *v[1] = { arena_array(&lasting, struct value, ROWS) };
	uint32_t a[ROWS], b[ROWS], map[ROWS];
	struct groups x, y;
	struct column was, now;

	for (uint32_t i = 0; i < ROWS; i++)
		v[0][i] = random_value(&lasting);
	groups_init(&x, 1);
	groups_init(&y, 1);
	put_all(&x, v, 1, a);
	for (uint32_t i = 0; i < ROWS; i++)
		v[0][i] = random_value(&lasting);
	put_all(&y, v, 1, b);
	groups_merge(&x, &y, map);
	groups_keys(&x, NULL, 0, x.table.n, &arena, &now);
	groups_keys(&y, NULL, 0, y.table.n, &arena, &was);
	for (uint32_t i = 0; i < y.table.n; i++) {
		struct value p = column_get(&was, i), q = column_get(&now, map[i]);

		CHECK(value_key_equal(&p, &q));
	}
	groups_release(&x);
	groups_release(&y);
	arena_reset(&arena);
	arena_reset(&lasting);
}

/* Saved and loaded, in any order: the same keys, spelled the same. */
static void try_saved(uint32_t n_keys)
{
	struct value *v[3];
	uint32_t group[ROWS], again;
	struct groups g, loaded;
	struct buf was = { 0 }, now = { 0 };

	for (uint32_t k = 0; k < n_keys; k++) {
		v[k] = arena_array(&lasting, struct value, ROWS);
		for (uint32_t i = 0; i < ROWS; i++)
			v[k][i] = random_value(&lasting);
	}
	groups_init(&g, n_keys);
	groups_init(&loaded, n_keys);
	put_all(&g, v, n_keys, group);
	for (uint32_t i = g.table.n; i-- > 0;) {
		const char *p;

		was.n = now.n = 0;
		groups_save(&g, i, &was);
		p = was.p;
		CHECK(!groups_load(&loaded, &p, was.p + was.n, &again) && p == was.p + was.n);
		CHECK_INT(again, g.table.n - 1 - i);
		groups_save(&loaded, again, &now);
		CHECK(was.n == now.n && !memcmp(was.p, now.p, was.n));
		p = was.p;
		CHECK(groups_load(&loaded, &p, was.p + rnd((uint32_t)was.n), &again));
	}
	CHECK_INT(loaded.table.n, g.table.n);
	groups_release(&g);
	groups_release(&loaded);
	buf_release(&was);
	buf_release(&now);
	arena_reset(&arena);
	arena_reset(&lasting);
}

static struct value spelled_again(struct groups *g, const struct value *first, const struct value *then)
{
	struct column a = column_const(&arena, first), b = column_const(&arena, then), out;
	const struct column *at = &a;
	uint32_t group;

	groups_put(g, &arena, &at, NULL, 1, &group);
	at = &b;
	groups_respell(g, group, &at, 0);
	groups_keys(g, &group, 0, 1, &arena, &out);
	return column_get(&out, 0);
}

static void try_respelled(void)
{
	struct value items[2] = { v_int(5), v_text("5", 1) }, a = v_list(&items[0], 1), b = v_list(&items[1], 1), v;
	struct groups g;

	groups_init(&g, 1);
	v = spelled_again(&g, &items[0], &items[1]);
	CHECK(v.type == T_TEXT && v.n == 1);
	v = spelled_again(&g, &a, &b);
	CHECK(v.type == T_LIST && v.items[0].type == T_TEXT);
	CHECK_INT(g.table.n, 2);
	groups_release(&g);
}

int main(void)
{
	for (uint32_t n = 1; n <= 3; n++)
		TEST(n == 1 ? "groups of one key" : n == 2 ? "groups of two keys" : "groups of three keys")
		{
			for (int i = 0; i < 100 && !test_bad; i++)
				try_groups(n);
		}
	TEST("groups merge")
	{
		for (int i = 0; i < 100 && !test_bad; i++)
			try_merge();
	}
	TEST("groups are saved and loaded")
	{
		for (int i = 0; i < 100 && !test_bad; i++)
			try_saved(1 + rnd(3));
	}
	TEST("a key is spelled anew")
	{
		try_respelled();
	}
	arena_release(&arena);
	arena_release(&lasting);
	return test_done();
}

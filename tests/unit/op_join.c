/* What joins keep: rows in lists by key, through deaths and rebuilds, beside a plain model; the heap of expiries. */
#include "test.h"

#include "op/expiries.h"
#include "op/join_side.h"

#define ROWS 20000
#define GROUPS 50

struct model {
	uint32_t group[ROWS]; /* of value v */
	bool dead[ROWS];
};

static uint32_t rnd(uint64_t *s)
{
	*s = *s * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*s >> 33);
}

static void add(struct join_side *s, struct arena *a, int64_t v, uint32_t group)
{
	static const char *const names[2] = { "v", "text" };
	static const uint32_t lens[2] = { 1, 4 };
	struct value cells[2] = { v_int(v), v_str("a text that is longer than a value", 34) };
	struct column cols[2] = { column_const(a, &cells[0]), column_const(a, &cells[1]) };
	struct batch b = { .schema = schema_intern(names, lens, 2), .cols = cols, .n_rows = 1, .n_sel = 1, .arena = a };
	struct value extra = v_int(-v);

	join_side_add(s, &b, 0, &(struct join_stamp){ .at = v, .group = group, .extra = &extra, .n_extra = 1 });
}

/* The living rows of each group, in order. */
static bool agrees(struct join_side *s, const struct model *m, uint32_t n, const uint32_t *map)
{
	for (uint32_t g = 0; g < GROUPS; g++) {
		uint32_t at = map[g] == JOIN_NONE ? JOIN_NONE : join_side_first(s, map[g]);

		for (uint32_t v = 0; v < n; v++) {
			if (m->group[v] != g || m->dead[v])
				continue;
			if (at == JOIN_NONE || s->rows[at].v[0].i != v || s->rows[at].v[2].i != -(int64_t)v || s->rows[at].v[1].n != 34)
				return false;
			at = join_side_next(s, at);
		}
		if (at != JOIN_NONE)
			return false;
	}
	return true;
}

static void kill_some(struct join_side *s, struct model *m, uint64_t *seed, uint32_t chance)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (!s->rows[i].dead && rnd(seed) % 100 < chance) {
			m->dead[s->rows[i].v[0].i] = true;
			join_side_kill(s, i);
		}
}

static void test_sides(void)
{
	static struct model m;
	struct join_side s = { 0 };
	struct arena a = { 0 };
	uint32_t map[GROUPS], n = 0;
	uint64_t seed = 7;
	size_t most = 0;

	for (uint32_t g = 0; g < GROUPS; g++)
		map[g] = g;
	TEST("lists keep their order while rows die, and through rebuilds")
	{
		while (n < ROWS) {
			for (int k = 0; k < 1000; k++, n++) {
				m.group[n] = rnd(&seed) % GROUPS;
				add(&s, &a, n, map[m.group[n]]);
			}
			arena_reset(&a);
			kill_some(&s, &m, &seed, n % 3000 ? 30 : 90);
			CHECK(agrees(&s, &m, n, map));
			if (join_side_worn(&s)) {
				join_side_rebuild(&s, map, NULL);
				CHECK(!s.n_dead);
				CHECK(agrees(&s, &m, n, map));
			}
			most = join_side_memory(&s) > most ? join_side_memory(&s) : most;
		}
	}
	TEST("the dead are given back")
		CHECK(most < ROWS * (sizeof(struct join_row) + 100) / 2);
	join_side_release(&s);
	arena_release(&a);
}

static void test_expiries(void)
{
	struct expiries x = { 0 };
	struct expiry last = { INT64_MIN, 0, 0 };
	uint32_t names[3000];
	uint64_t seed = 3;
	bool sorted = true;

	TEST("expiries come out in order, with renamed ids")
	{
		for (uint32_t i = 0; i < 3000; i++) {
			names[i] = i % 3 ? i - i / 3 - 1 : UINT32_MAX;
			expiries_add(&x, (struct expiry){ rnd(&seed) % 100, rnd(&seed) % 3, i });
		}
		expiries_rename(&x, names);
		CHECK(x.n == 2000);
		for (; x.n; expiries_pop(&x)) {
			const struct expiry *e = &x.at[0];

			sorted &= e->time > last.time || (e->time == last.time && (e->then > last.then || (e->then == last.then && e->id > last.id)));
			last = *e;
		}
		CHECK(sorted);
	}
	expiries_release(&x);
}

int main(void)
{
	test_sides();
	test_expiries();
	return test_done();
}

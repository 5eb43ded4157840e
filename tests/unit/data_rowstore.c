#include "tests/unit/test.h"

#include "data/rowstore.h"

static struct arena arena;
static uint64_t seed = 5;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

static struct value random_value(void)
{
	struct value *items = arena_array(&arena, struct value, 2);
	struct field *f = arena_array(&arena, struct field, 1);

	switch (rnd(8)) {
	case 0:
		return v_null();
	case 1:
		return v_int(rnd(9));
	case 2:
		return v_float(1.5);
	case 3:
		items[0] = items[1] = v_text("07", 2);
		return v_list(items, rnd(3));
	case 4:
		*f = (struct field){ .name = "x", .name_n = 1, .v = v_bool(rnd(2)) };
		return v_object(f, 1);
	case 5:
		return v_time(-5);
	default:
		return v_text("a longer text than the others", rnd(30));
	}
}

static const struct column *times(bool wanted)
{
	struct column *c = arena_array(&arena, struct column, 1);

	*c = column_make(&arena, T_TIME, 1);
	c->i[0] = rnd(1000);
	return wanted ? c : NULL;
}

static void add_random(struct rowstore *s)
{
	static const char *const names[] = { "a", "b", "", "a longer name" };
	static const uint32_t lens[] = { 1, 1, 0, 13 };
	uint32_t n = rnd(5), n_extra = rnd(3);
	struct value v, extra[2] = { random_value(), random_value() }, raw = v_text("a,b", 3);
	struct column *cols = arena_array(&arena, struct column, 5);
	struct batch b = { .schema = schema_intern(names, lens, n), .cols = cols, .n_rows = 1, .n_sel = 1, .arena = &arena };

	for (uint32_t i = 0; i < n; i++) {
		v = random_value();
		cols[i] = column_const(&arena, &v);
	}
	b.raw = rnd(2) ? &raw : NULL;
	b.hidden[HIDDEN_EVENT] = times(rnd(2));
	b.hidden[HIDDEN_WINDOW_START] = times(rnd(2));
	b.hidden[HIDDEN_WINDOW_END] = times(rnd(2));
	rowstore_add(s, &b, 0, extra, n_extra);
}

static void same_row(const struct kept_row *r, const struct kept_row *q)
{
	CHECK(r->schema == q->schema && r->n == q->n && r->hidden == q->hidden && r->bytes == q->bytes);
	CHECK(r->raw.type == q->raw.type);
	for (uint32_t i = 0; i < r->n; i++)
		CHECK(r->v[i].type == q->v[i].type && !value_cmp(&r->v[i], &q->v[i]));
}

static void try_rows(void)
{
	struct rowstore s = { 0 }, loaded = { 0 };
	struct buf b = { 0 };
	const char *p;
	size_t at;

	for (int i = 0; i < 20; i++)
		add_random(&s);
	for (at = 0; at < s.n; at++)
		rowstore_save_row(&s, at, &b);
	p = b.p;
	for (at = 0; p < b.p + b.n && !rowstore_load_row(&loaded, &p, b.p + b.n); at++)
		same_row(&s.rows[at], &loaded.rows[at]);
	CHECK_INT(at, s.n);
	CHECK(loaded.live == s.live);
	rowstore_release(&s);
	rowstore_release(&loaded);
	buf_release(&b);
	arena_reset(&arena);
}

/* What was written and then damaged is refused or read as something else, and nothing worse. */
static void try_damage(void)
{
	struct rowstore s = { 0 }, loaded = { 0 };
	struct buf b = { 0 };

	add_random(&s);
	rowstore_save_row(&s, 0, &b);
	for (size_t n = 0; n < b.n; n++) {
		char *copy = xmalloc(n + 1);
		const char *p = copy;

		memcpy(copy, b.p, n);
		CHECK_INT(rowstore_load_row(&loaded, &p, copy + n), -1);
		free(copy);
	}
	for (int i = 0; i < 200; i++) {
		size_t at = rnd((uint32_t)b.n);
		char was = b.p[at];
		const char *p = b.p;

		b.p[at] = (char)rnd(256);
		rowstore_load_row(&loaded, &p, b.p + b.n);
		CHECK(p <= b.p + b.n);
		b.p[at] = was;
	}
	rowstore_release(&s);
	rowstore_release(&loaded);
	buf_release(&b);
	arena_reset(&arena);
}

int main(void)
{
	TEST("rows are saved and loaded")
	{
		for (int i = 0; i < 200 && !test_bad; i++)
			try_rows();
	}
	TEST("damaged rows")
	{
		for (int i = 0; i < 50 && !test_bad; i++)
			try_damage();
	}
	arena_release(&arena);
	return test_done();
}

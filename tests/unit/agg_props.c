/* Every aggregate of the registry: any split merges to the whole, saved states come back, forged ones are refused. */
#include "agg_fixture.h"

#define ROWS 300
#define ROUNDS 36

enum kind { KIND_ANY, KIND_NUM, KIND_DUR, KIND_TIME, KIND_TEXT, KIND_BOOL, KIND_INTS, KIND_FLOATS, KIND_TIES, KINDS };

static struct value text_value(struct arena *a, enum type t)
{
	static const char *const words[] = {
		"", "a", "b", "true", "false", "5", "007", "1.50", "5.0", "-0", "1e400", "nan", "zebra crossing at noon"
	};
	const char *w = words[rng_below(ARRAY_LEN(words))];

	if (rng_below(4) == 0)
		return v_bytes(t, arena_printf(a, "%u.%u", rng_below(50), rng_below(10)), 0);
	return v_bytes(t, w, strlen(w));
}

static struct value fixed_text(struct arena *a, enum type t)
{
	struct value v = text_value(a, t);

	v.n = (uint32_t)strlen(v.s);
	return v;
}

static struct value number_value(void)
{
	static const double odd[] = { 0.0,	 -0.0,	 INFINITY, -INFINITY, NAN, 1e308, -1e308, 5e-324,
				      0x1p-1060, 0x1p52, 0x1p51,   0x1p63,    1.0, 2.0,	  0.1 };

	switch (rng_below(8)) {
	case 0:
		return v_int((int64_t)rng());
	case 1:
		return v_int(rng_below(10));
	case 2:
		return v_float(rng_double());
	case 3:
		return v_float(rng_below(8) ? odd[5 + rng_below(10)] : odd[rng_below(5)]);
	case 4:
		return v_float(rng_below(10));
	case 5:
		return v_int(INT64_MIN);
	default:
		return v_float((rng_unit() - 0.5) * 1000);
	}
}

static struct value deep_value(struct arena *a)
{
	struct value *items = arena_array(a, struct value, 3);
	struct field *f = arena_array(a, struct field, 2);

	items[0] = number_value();
	items[1] = fixed_text(a, T_STR);
	items[2] = v_null();
	if (rng_below(2))
		return v_list(items, rng_below(4));
	f[0] = (struct field){ "k", 1, items[0] };
	f[1] = (struct field){ "list", 4, v_list(items, 2) };
	return v_object(f, rng_below(3));
}

/* Equal numbers of unlike looks, in lists too. */
static struct value tied_value(struct arena *a)
{
	static const char *const words[] = { "0", "1", "2", "a" };
	struct value *item = arena_array(a, struct value, 1);
	uint32_t i = rng_below(4);

	*item = i == 0 ? v_int(1) : i == 1 ? v_float(1) : i == 2 ? v_float(-0.0) : v_text(words[rng_below(4)], 1);
	if (rng_below(20))
		return *item;
	*item = rng_below(2) ? v_int(1) : v_float(1);
	return v_list(item, 1);
}

static struct value any_value(struct arena *a)
{
	switch (rng_below(9)) {
	case 0:
		return v_bool(rng_below(2));
	case 1:
		return v_time((int64_t)rng_below(1000));
	case 2:
		return v_dur((int64_t)rng_below(1000) - 500);
	case 3:
		return deep_value(a);
	case 4:
	case 5:
		return fixed_text(a, T_TEXT);
	case 6:
		return fixed_text(a, T_STR);
	default:
		return number_value();
	}
}

static struct value value_of(enum kind kind, struct arena *a)
{
	if (rng_below(10) == 0)
		return v_null();
	switch (kind) {
	case KIND_NUM:
		return number_value();
	case KIND_DUR:
		return v_dur(rng_below(3) ? (int64_t)rng_below(100) : (int64_t)rng() >> 8);
	case KIND_TIME:
		return v_time((int64_t)rng());
	case KIND_TEXT:
		return fixed_text(a, T_TEXT);
	case KIND_BOOL:
		return v_bool(rng_below(2));
	case KIND_INTS:
		return v_int(rng_below(3) ? (int64_t)rng_below(100) : (int64_t)rng());
	case KIND_FLOATS:
		return v_float(rng_below(3) ? (double)rng_below(1000) / 10 : rng_double());
	case KIND_TIES:
		return tied_value(a);
	default:
		return any_value(a);
	}
}

/* Storage as tight as it gets. */
static struct column column_random(enum kind kind, struct arena *a)
{
	struct value *v = arena_array(a, struct value, ROWS);

	for (uint32_t i = 0; i < ROWS; i++)
		v[i] = value_of(kind, a);
	return rng_below(4) ? column_tighten(a, v, NULL, ROWS, ROWS) : column_of_values(v);
}

/* fold: acc * 31 + row; combine: text of a and b, each row giving its number. */
static void eval(void *ctx, int which, const struct batch *b, uint32_t row, const struct value *vars, struct arena *a,
		 struct value *out)
{
	bool fold = *(bool *)ctx;

	(void)b;
	if (which == 0)
		*out = fold ? v_int(7) : row % 5 ? v_str(arena_printf(a, "%u,", row), 0) : v_null();
	else if (fold)
		*out = v_int((int64_t)((uint64_t)vars[0].i * 31 + row));
	else
		*out = v_str(arena_printf(a, "%.*s%.*s", (int)vars[0].n, vars[0].s, (int)vars[1].n, vars[1].s), 0);
	if (out->type == T_STR)
		out->n = (uint32_t)strlen(out->s);
}

struct spec {
	const char *name;
	bool distinct;
	struct value params[3];
	uint32_t n_params;
};

static const struct spec specs[] = {
	{ .name = "count" },
	{ .name = "count", .distinct = true },
	{ .name = "sum" },
	{ .name = "sum", .distinct = true },
	{ .name = "avg" },
	{ .name = "mean" },
	{ .name = "var" },
	{ .name = "var_pop" },
	{ .name = "stddev" },
	{ .name = "stddev_pop" },
	{ .name = "min" },
	{ .name = "max" },
	{ .name = "argmin" },
	{ .name = "argmax" },
	{ .name = "first" },
	{ .name = "last" },
	{ .name = "median" },
	{ .name = "p95" },
	{ .name = "p1" },
	{ .name = "quantile", .params = { { .f = 0.3, .type = T_FLOAT } }, .n_params = 1 },
	{ .name = "distinct" },
	{ .name = "collect_set" },
	{ .name = "mode" },
	{ .name = "approx_distinct" },
	{ .name = "approx_p50" },
	{ .name = "approx_quantile", .params = { { .f = 0.9, .type = T_FLOAT } }, .n_params = 1 },
	{ .name = "collect" },
	{ .name = "concat" },
	{ .name = "concat", .params = { { .s = "; ", .n = 2, .type = T_STR } }, .n_params = 1 },
	{ .name = "any" },
	{ .name = "all" },
	{ .name = "histogram",
	  .params = { { .i = -10, .type = T_INT }, { .f = 99.5, .type = T_FLOAT }, { .i = 7, .type = T_INT } },
	  .n_params = 3 },
	{ .name = "fold" },
	{ .name = "combine" },
};

struct rig {
	struct agg_call c;
	struct column cols[2];
	struct batch batch;
	struct arena *arena;
	bool fold;
};

static void rig_init(struct rig *r, const struct spec *s, enum kind kind, struct arena *a)
{
	r->arena = a;
	r->c = agg_bind(s->name, s->distinct, s->params, s->n_params);
	r->fold = !strcmp(s->name, "fold");
	r->c.eval = (struct agg_eval){ eval, &r->fold };
	r->cols[0] = column_random(kind, a);
	r->cols[1] = column_random(rng_below(KINDS), a);
	r->batch = (struct batch){ .n_rows = ROWS, .n_sel = ROWS, .arena = a };
}

static void rig_update(struct rig *r, void *state, const uint32_t *sel, uint32_t n)
{
	r->c.def->update(&r->c, state, NULL, r->c.def->max_args ? r->cols : NULL, sel, n, &r->batch);
}

static void saved(struct rig *r, const void *state, struct buf *b)
{
	b->n = 0;
	r->c.def->save(&r->c, state, b);
}

static void finished(struct rig *r, const void *state, struct buf *b)
{
	struct value v = v_null();

	b->n = 0;
	r->c.def->finish(&r->c, state, r->arena, &v);
	value_save(b, &v);
}

static bool same(const struct buf *a, const struct buf *b) { return a->n == b->n && (!a->n || !memcmp(a->p, b->p, a->n)); }

static void check_same(struct rig *r, const void *a, const void *b, const char *what)
{
	struct buf x = { 0 }, y = { 0 };

	finished(r, a, &x);
	finished(r, b, &y);
	if (!same(&x, &y)) {
		test_bad = 1;
		printf("# %s: %s: results differ\n", r->c.def->doc.name, what);
	}
	saved(r, a, &x);
	saved(r, b, &y);
	if (!same(&x, &y)) {
		test_bad = 1;
		printf("# %s: %s: saved states differ\n", r->c.def->doc.name, what);
	}
	buf_release(&x);
	buf_release(&y);
}

/* Through bytes and back; takes the state. */
static void *reloaded(struct rig *r, void *state)
{
	struct buf b = { 0 }, again = { 0 };
	void *s = agg_state(&r->c);
	const char *p;

	saved(r, state, &b);
	p = b.p;
	CHECK(r->c.def->load(&r->c, s, &p, b.p + b.n) == 0);
	CHECK(p == b.p + b.n);
	saved(r, s, &again);
	CHECK(same(&b, &again));
	agg_drop(&r->c, state);
	buf_release(&b);
	buf_release(&again);
	return s;
}

#define PARTS_MAX 6

/* Rows to parts: in stretches where order matters, else at random. */
static uint32_t split(bool ordered, uint32_t parts, uint32_t sel[][ROWS], uint32_t *n)
{
	uint32_t at = 0;

	memset(n, 0, parts * sizeof *n);
	for (uint32_t i = 0; i < ROWS; i++) {
		if (ordered && at + 1 < parts && rng_below(ROWS / parts) == 0)
			at++;
		else if (!ordered)
			at = rng_below(parts);
		sel[at][n[at]++] = i;
	}
	return parts;
}

static void check_split(struct rig *r, const void *whole)
{
	static uint32_t sel[PARTS_MAX][ROWS];
	bool ordered = r->c.def->flags & AGG_ORDERED;
	uint32_t n[PARTS_MAX], parts = split(ordered, 1 + rng_below(PARTS_MAX), sel, n), left = parts;
	void *part[PARTS_MAX];

	for (uint32_t i = 0; i < parts; i++) {
		uint32_t cut = n[i] ? rng_below(n[i]) : 0;

		part[i] = agg_state(&r->c);
		rig_update(r, part[i], sel[i], cut);
		rig_update(r, part[i], sel[i] + cut, n[i] - cut);
		if (rng_below(2))
			part[i] = reloaded(r, part[i]);
	}
	while (left > 1) {
		uint32_t at = rng_below(left - 1);

		r->c.def->merge(&r->c, part[at], part[at + 1]);
		agg_drop(&r->c, part[at + 1]);
		memmove(part + at + 1, part + at + 2, (left - at - 2) * sizeof *part);
		left--;
		if (!ordered && left > 1) {
			uint32_t to = rng_below(left);
			void *t = part[at];

			part[at] = part[to];
			part[to] = t;
		}
	}
	check_same(r, whole, part[0], "merged");
	agg_drop(&r->c, part[0]);
}

/* All rows of a group to one state, as fold needs it. */
static void check_sequence(struct rig *r, const void *whole)
{
	static uint32_t sel[PARTS_MAX][ROWS];
	uint32_t n[PARTS_MAX], parts = split(true, PARTS_MAX, sel, n);
	void *s = agg_state(&r->c), *empty = agg_state(&r->c);

	for (uint32_t i = 0; i < parts; i++) {
		rig_update(r, s, sel[i], n[i]);
		s = reloaded(r, s);
	}
	r->c.def->merge(&r->c, empty, s);
	r->c.def->merge(&r->c, empty, s);
	check_same(r, whole, empty, "in sequence");
	agg_drop(&r->c, s);
	agg_drop(&r->c, empty);
}

#define GROUPS 5

/* Groups in one column of states against a state for each. */
static void check_groups(struct rig *r, uint32_t step)
{
	static uint32_t gid[ROWS], sel[ROWS], mine[ROWS];
	char *states = xcalloc(GROUPS, r->c.state_size);
	uint32_t n = 0;

	for (uint32_t i = 0; i < ROWS; i += step) {
		sel[n] = i;
		gid[n++] = rng_below(GROUPS);
	}
	if (step == 1) {
		r->c.def->update(&r->c, states, gid, r->c.def->max_args ? r->cols : NULL, NULL, n, &r->batch);
	} else {
		for (uint32_t at = 0, m; at < n; at += m) {
			m = rng_below(n - at < 4 ? n - at : 4) + 1;
			r->c.def->update(&r->c, states, gid + at, r->c.def->max_args ? r->cols : NULL, sel + at, m, &r->batch);
		}
	}
	for (uint32_t g = 0; g < GROUPS; g++) {
		void *one = agg_state(&r->c);
		uint32_t m = 0;

		for (uint32_t k = 0; k < n; k++)
			if (gid[k] == g)
				mine[m++] = sel[k];
		rig_update(r, one, mine, m);
		check_same(r, one, states + g * r->c.state_size, "grouped");
		agg_drop(&r->c, one);
		if (r->c.def->release)
			r->c.def->release(&r->c, states + g * r->c.state_size);
	}
	free(states);
}

/* What was merged can be taken back. */
static void check_retract(struct rig *r)
{
	static uint32_t sel[2][ROWS];
	uint32_t n[2];
	void *a = agg_state(&r->c), *b = agg_state(&r->c), *both = agg_state(&r->c);

	split(true, 2, sel, n);
	rig_update(r, a, sel[0], n[0]);
	rig_update(r, b, sel[1], n[1]);
	rig_update(r, both, NULL, ROWS);
	r->c.def->retract(&r->c, both, a);
	check_same(r, b, both, "retracted");
	r->c.def->retract(&r->c, both, b);
	r->c.def->merge(&r->c, both, b);
	check_same(r, b, both, "retracted to nothing and merged");
	agg_drop(&r->c, a);
	agg_drop(&r->c, b);
	agg_drop(&r->c, both);
}

/* The one row of a constant column stands for all. */
static void check_constant(struct rig *r)
{
	struct column was[2] = { r->cols[0], r->cols[1] };
	struct value v = column_get(&was[0], 0), *all = arena_array(r->arena, struct value, ROWS);
	void *a = agg_state(&r->c), *b = agg_state(&r->c);

	for (uint32_t i = 0; i < ROWS; i++)
		all[i] = v;
	r->cols[0] = column_const(r->arena, &v);
	rig_update(r, a, NULL, ROWS);
	r->cols[0] = column_of_values(all);
	rig_update(r, b, NULL, ROWS);
	check_same(r, a, b, "constant");
	agg_drop(&r->c, a);
	agg_drop(&r->c, b);
	r->cols[0] = was[0];
}

/* Bytes that save did not write: refused, or a state that works. */
static void load_forged(struct rig *r, const char *p, size_t n, void *whole)
{
	char *copy = xmalloc(n);
	void *s = agg_state(&r->c), *sum = agg_state(&r->c);
	const char *at = copy;
	struct buf b = { 0 };

	if (n)
		memcpy(copy, p, n);
	if (r->c.def->load(&r->c, s, &at, copy + n)) {
		for (uint32_t i = 0; i < r->c.state_size; i++)
			CHECK(((char *)s)[i] == 0);
	} else {
		finished(r, s, &b);
		saved(r, s, &b);
		if (!(r->c.def->flags & AGG_SEQUENTIAL)) {
			r->c.def->merge(&r->c, sum, whole); /* may take what it holds */
			r->c.def->merge(&r->c, sum, s);
			finished(r, sum, &b);
		}
	}
	agg_drop(&r->c, s);
	agg_drop(&r->c, sum);
	buf_release(&b);
	free(copy);
}

static void check_forged(struct rig *r, const void *state)
{
	struct buf b = { 0 };

	saved(r, state, &b);
	for (int i = 0; i < 60; i++) {
		size_t n = b.n, at = n ? rng_below((uint32_t)n) : 0;
		void *whole = agg_state(&r->c);
		char was = n ? b.p[at] : 0;

		rig_update(r, whole, NULL, ROWS / 4);
		if (i % 3 == 0)
			n = at;
		else if (n)
			b.p[at] = i % 3 == 1 ? (char)(was ^ 1 << rng_below(8)) : (char)rng();
		load_forged(r, b.p, n, whole);
		if (b.n)
			b.p[at] = was;
		agg_drop(&r->c, whole);
	}
	buf_release(&b);
}

static void check_spec(const struct spec *s, enum kind kind)
{
	struct arena a = { 0 };
	struct rig r = { 0 };
	void *whole, *empty;

	rig_init(&r, s, kind, &a);
	whole = agg_state(&r.c);
	rig_update(&r, whole, NULL, ROWS);
	if (r.c.def->flags & AGG_SEQUENTIAL)
		check_sequence(&r, whole);
	else
		check_split(&r, whole);
	check_groups(&r, 1);
	check_groups(&r, 2);
	if (!(r.c.def->flags & AGG_USER))
		check_constant(&r);
	if (r.c.def->retract && !(r.c.def->flags & AGG_USER))
		check_retract(&r);
	check_forged(&r, whole);
	whole = reloaded(&r, whole);
	empty = reloaded(&r, agg_state(&r.c));
	agg_drop(&r.c, empty);
	agg_drop(&r.c, whole);
	CHECK_INT(r.c.heap_bytes, 0);
	arena_release(&a);
}

static bool is_tested(const struct agg_def *d)
{
	for (unsigned i = 0; i < ARRAY_LEN(specs); i++)
		if (agg_find(specs[i].name, NULL) == d)
			return true;
	printf("# no test of %s\n", d->doc.name);
	return false;
}

int main(void)
{
	TEST("every aggregate of the registry is tested here, documented, with an example")
	{
		for (unsigned i = 0; agg_at(i); i++) {
			const struct agg_def *d = agg_at(i);

			CHECK(is_tested(d));
			CHECK(d->doc.synopsis && d->doc.summary && d->doc.text && d->doc.group && d->doc.examples[0].args);
			CHECK(d->state_size % 8 == 0);
			CHECK(d->update && d->merge && d->finish && d->save && d->load);
		}
	}
	for (unsigned i = 0; i < ARRAY_LEN(specs); i++) {
		static char name[ARRAY_LEN(specs)][100];

		snprintf(name[i], sizeof name[i], "%s%s: splits, groups, bytes, forged bytes", specs[i].name,
			 specs[i].distinct ? " distinct" : "");
		test_open(name[i]);
		for (int round = 0; round < ROUNDS && !test_bad; round++)
			check_spec(&specs[i], (enum kind)(round % KINDS));
	}
	return test_done();
}

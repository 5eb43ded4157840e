#include "tests/unit/test.h"

#include "expr/parse.h"
#include "op/op_state.h"
#include "op/state_table.h"

static struct arena arena, lasting;
static uint64_t seed = 3;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

/* ---- the table against a plain model ---- */

#define KEYS 300
#define SLOTS 2

struct model {
	bool there;
	uint64_t birth; /* kept as its mark, too */
	int64_t n;	/* the variable, < 0: null */
	int64_t at[SLOTS];
};

static uint32_t number_of(struct state_table *t, int64_t name)
{
	struct value v = v_int(name);
	struct column c = column_const(&arena, &v);
	const struct column *at[] = { &c };
	uint32_t key;

	state_table_put(t, &arena, at, NULL, 1, &key);
	return key;
}

static void same(struct state_table *t, const struct model *m)
{
	for (int64_t i = 0; i < KEYS && !test_bad; i++) {
		uint32_t key = number_of(t, i);
		const struct value *v = state_table_vars(t, key);

		CHECK_INT(state_table_has(t, key), m[i].there);
		if (!m[i].there)
			continue;
		CHECK_INT(t->groups.table.entries[key].user, m[i].birth);
		if (m[i].n < 0)
			CHECK_INT(v->type, T_NULL);
		else
			CHECK_INT(v->items[0].i, m[i].n);
		for (int s = 0; s < SLOTS; s++)
			CHECK_INT(state_table_cells(t, key)[s].at, m[i].at[s]);
	}
}

/* The earliest timer of a slot before `until`: of equal ones, that of the key born first. */
static int64_t model_due(const struct model *m, int slot, int64_t until)
{
	int64_t best = -1;

	for (int64_t i = 0; i < KEYS; i++) {
		if (!m[i].there || m[i].at[slot] == TIMER_NONE || m[i].at[slot] >= until)
			continue;
		if (best < 0 || m[i].at[slot] < m[best].at[slot] ||
		    (m[i].at[slot] == m[best].at[slot] && m[i].birth < m[best].birth))
			best = i;
	}
	return best;
}

static void fire(struct state_table *t, struct model *m, bool event, int64_t until)
{
	struct timer_entry e;
	int64_t want;

	while ((want = model_due(m, event, until)) >= 0 && !test_bad) {
		CHECK(state_table_due(t, event, until, &e));
		CHECK_INT(e.key, number_of(t, want));
		CHECK_INT(e.at, m[want].at[event]);
		m[want].at[event] = TIMER_NONE;
	}
	CHECK(!state_table_due(t, event, until, &e));
}

static void check_order(struct state_table *t, const struct model *m)
{
	uint32_t *keys = xmalloc((t->n_live + 1) * sizeof *keys), n = state_table_order(t, keys);
	uint64_t last = 0;

	CHECK_INT(n, t->n_live);
	for (uint32_t i = 0; i < n; i++) {
		CHECK(t->meta[keys[i]].birth > last);
		last = t->meta[keys[i]].birth;
	}
	for (int64_t i = 0; i < KEYS; i++)
		n -= m[i].there;
	CHECK_INT(n, 0);
	free(keys);
}

static void change(struct state_table *t, struct model *m, uint64_t *births)
{
	int64_t i = rnd(KEYS), at;
	uint32_t key = number_of(t, i), slot = rnd(SLOTS);
	struct value item = v_int(rnd(1000)), v = v_list(&item, 1);

	switch (rnd(6)) {
	case 0:
		state_table_drop(t, key);
		m[i].there = false;
		return;
	case 1:
		state_table_clear(t, key);
		m[i].n = -1;
		m[i].at[0] = m[i].at[1] = TIMER_NONE;
		return;
	default:
		break;
	}
	if (!m[i].there)
		m[i] = (struct model){ .there = true, .birth = ++*births, .n = -1, .at = { TIMER_NONE, TIMER_NONE } };
	state_table_wake(t, key);
	t->groups.table.entries[key].user = (uint32_t)m[i].birth;
	state_table_set(t, key, 0, &v);
	m[i].n = item.i;
	at = rnd(8) ? (int64_t)rnd(500) : TIMER_NONE;
	state_table_timer(t, key, slot, at, 0);
	m[i].at[slot] = at;
}

static void test_table(void)
{
	bool *event = xcalloc(SLOTS, sizeof *event);
	struct state_shape shape = { .n_keys = 1, .n_vars = 1, .n_slots = SLOTS, .close = STATE_NO_SLOT, .event = event };
	struct model *m = xcalloc(KEYS, sizeof *m);
	struct state_table t;
	uint64_t births = 0;

	event[1] = true;
	state_table_init(&t, &shape);
	TEST("the table agrees with a plain one")
	{
		for (int round = 0; round < 400 && !test_bad; round++) {
			for (int k = 0; k < 60; k++)
				change(&t, m, &births);
			same(&t, m);
			fire(&t, m, rnd(2), rnd(600));
			check_order(&t, m);
			valuepool_settle(&t.pool);
			state_table_forget_changes(&t);
			if (!rnd(5))
				state_table_compact(&t);
			arena_reset(&arena);
		}
	}
	state_table_release(&t);
	free(event);
	free(m);
}

static void test_put_off(void)
{
	bool event = false;
	struct state_shape shape = { .n_keys = 1, .n_slots = 1, .close = STATE_NO_SLOT, .event = &event };
	struct state_table t;

	state_table_init(&t, &shape);
	TEST("a timer that is put off again and again has one entry")
	{
		uint32_t key = number_of(&t, 1);
		struct timer_entry e;

		state_table_wake(&t, key);
		for (int64_t i = 1; i <= 100000; i++)
			state_table_timer(&t, key, 0, i, 0);
		CHECK_INT(t.clock.n, 1);
		CHECK(!state_table_due(&t, false, 100000, &e));
		CHECK(state_table_due(&t, false, 100001, &e));
		CHECK_INT(e.at, 100000);
	}
	TEST("one that comes nearer and nearer has few")
	{
		for (int64_t i = 1000000; i; i--)
			state_table_timer(&t, number_of(&t, 1), 0, i, 0);
		CHECK(t.clock.n < 10000);
	}
	state_table_release(&t);
	arena_reset(&arena);
}

/* ---- the operator: what is saved and loaded goes on as if nothing had happened ---- */

struct collector {
	struct op op;
	struct buf out;
};

static int collect(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct collector *c = (struct collector *)op;

	(void)port;
	(void)e;
	BATCH_EACH(b->sel, b->n_sel, i)
	{
		struct value v = batch_record(b, i, b->arena);

		value_print_json(&c->out, &v, NULL);
		buf_char(&c->out, '\n');
	}
	return 0;
}

static void collector_free(struct op *op) { buf_release(&((struct collector *)op)->out); }

static const struct op_class collector_class = { .name = "collect", .process = collect, .free = collector_free };

static struct fn_env env;
static const char *const names[] = { "n", "seen", "k" };

static struct expr *bind(struct state_rules *r, const char *text)
{
	struct err e = { 0 };
	struct node *n = parse_expr_text(&lasting, text, &e);
	struct expr *x = n ? expr_bind_vars(n, &env, names, 3, &lasting, &e) : NULL;

	if (!x)
		BUG("%s: %s", text, e.msg);
	r->exprs[r->n_exprs++] = x;
	return x;
}

static struct state_block block(uint32_t n)
{
	return (struct state_block){ .at = arena_zero(&lasting, n * sizeof(struct state_stmt)), .n = n };
}

static struct state_emit *emit_all(struct state_rules *r, const char *what)
{
	struct state_emit *em = arena_new(&lasting, struct state_emit);
	static const char *const out[] = { "what", "k", "n", "seen" };
	static const uint32_t places[] = { 0, 2, 0, 1 };

	em->n = 4;
	em->names = (const char **)(uintptr_t)out;
	em->places = (uint32_t *)(uintptr_t)places;
	em->exprs = arena_zero(&lasting, 4 * sizeof *em->exprs);
	em->exprs[0] = bind(r, arena_printf(&lasting, "\"%s\"", what));
	return em;
}

static struct state_stmt assign(struct expr *x, uint32_t var, enum assign_op op)
{
	return (struct state_stmt){ .kind = ST_ASSIGN, .op = (uint8_t)op, .target = var, .expr = x };
}

/* on record { n += v; seen ++= [v]; if v == 7 { remove }; timeout v s } on timeout { emit; n = n - 1; timeout 2s } on batch {
 * emit } */
static struct state_rules make_rules(void)
{
	struct state_rules r = { .n_keys = 1, .n_vars = 2, .n_timers = 1, .n_items = 4, .ttl_ns = 40, .all = true };
	struct state_timer *t = arena_new(&lasting, struct state_timer);

	r.exprs = arena_array(&lasting, struct expr *, 32);
	r.keys = arena_array(&lasting, struct expr *, 1);
	r.key_names = (const char **)(uintptr_t)&names[2];
	r.var_names = (const char **)(uintptr_t)names;
	r.keys[0] = bind(&r, "@record.k");
	r.first = arena_zero(&lasting, 2 * sizeof *r.first);
	r.first[0] = bind(&r, "100");
	r.record = block(4);
	r.record.at[0] = assign(bind(&r, "v"), 0, ASSIGN_ADD);
	r.record.at[1] = assign(bind(&r, "[v,]"), 1, ASSIGN_CONCAT);
	r.record.at[2] = (struct state_stmt){ .kind = ST_IF, .expr = bind(&r, "v == 7"), .then = block(1) };
	r.record.at[2].then.at[0].kind = ST_REMOVE;
	r.record.at[3] = (struct state_stmt){ .kind = ST_TIMEOUT, .expr = bind(&r, "v * 1ns") };
	r.timers = t;
	t->clock = true;
	t->fires = block(3);
	t->fires.at[0] = (struct state_stmt){ .kind = ST_EMIT, .emit = emit_all(&r, "timeout") };
	t->fires.at[1] = assign(bind(&r, "n - 1"), 0, ASSIGN);
	t->fires.at[2] = (struct state_stmt){ .kind = ST_TIMEOUT, .expr = bind(&r, "n > 90 ? 20ns : null") };
	r.batch = block(1);
	r.batch.at[0] = (struct state_stmt){ .kind = ST_EMIT, .emit = emit_all(&r, "batch") };
	return r;
}

#define ENTRIES_MAX 65536

struct entry {
	struct buf key, value;
	bool there;
};

struct kept_bytes {
	struct keeper keeper;
	struct entry at[ENTRIES_MAX];
	uint32_t n;
};

static void keep(struct keeper *to, const char *key, size_t key_n, const char *value, size_t n, uint32_t *mark)
{
	struct kept_bytes *k = (struct kept_bytes *)to;
	struct entry *at;

	if (!*mark && k->n < ENTRIES_MAX)
		*mark = ++k->n;
	at = &k->at[*mark - 1];
	if (at->key.n)
		CHECK(at->key.n == key_n && !memcmp(at->key.p, key, key_n));
	else
		buf_add(&at->key, key, key_n);
	at->there = true;
	at->value.n = 0;
	buf_add(&at->value, value, n);
}

static void lose(struct keeper *to, const char *key, size_t key_n, uint32_t *mark)
{
	struct entry *at = &((struct kept_bytes *)to)->at[*mark - 1];

	CHECK(*mark && at->there && at->key.n == key_n && !memcmp(at->key.p, key, key_n));
	at->there = false;
}

struct side {
	struct run run;
	struct op *op;
	struct collector *out;
};

static void side_init(struct side *s)
{
	struct state_rules r = make_rules();

	*s = (struct side){ .run = { .env = &env, .durable = true } };
	s->op = op_state(&s->run, 1, "state", &r);
	s->out = op_make(&collector_class, sizeof *s->out, &s->run, 2, "collect");
	op_connect(s->op, &s->out->op, 0);
}

static void side_free(struct side *s)
{
	op_free(s->op);
	op_free(&s->out->op);
}

static void feed(struct side *s, const int64_t *k, const int64_t *v, uint32_t n)
{
	static const char *const fields[] = { "k", "v" };
	static const uint32_t lens[] = { 1, 1 };
	struct column cols[2] = { column_make(&arena, T_INT, n), column_make(&arena, T_INT, n) };
	struct batch b = { .schema = schema_intern(fields, lens, 2), .cols = cols, .n_rows = n, .n_sel = n, .arena = &arena };
	struct err e = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		cols[0].i[i] = k[i];
		cols[1].i[i] = v[i];
	}
	CHECK_INT(op_process(s->op, 0, &b, &e), 0);
}

static int load(struct side *s, const struct entry *at, size_t n, uint32_t mark)
{
	struct err e = { 0 };

	return s->op->cls->restore(s->op, at->key.p, at->key.n, at->value.p, n, mark, &e);
}

static void load_all(struct side *s, const struct kept_bytes *k)
{
	struct err e = { 0 };

	for (uint32_t i = k->n; i-- > 0;)
		if (k->at[i].there)
			CHECK_INT(load(s, &k->at[i], k->at[i].value.n, i + 1), 0);
	CHECK_INT(s->op->cls->restore(s->op, NULL, 0, NULL, 0, 0, &e), 0);
}

static void batch_of(struct side *s, int64_t now, uint64_t round)
{
	int64_t k[64], v[64];
	uint64_t at = round * 977;
	uint32_t n = (uint32_t)(round % 5) * 12;

	s->run.now = now;
	for (uint32_t i = 0; i < n; i++) {
		at = at * 6364136223846793005ull + 1442695040888963407ull;
		k[i] = (int64_t)(at >> 33) % 50 + (int64_t)round / 10;
		v[i] = (int64_t)(at >> 40) % 9;
	}
	feed(s, k, v, n);
	CHECK(op_batch_end(s->op, &(struct err){ 0 }) == 0);
}

static void test_saved(void)
{
	struct kept_bytes *k = xcalloc(1, sizeof *k);
	struct side s;

	k->keeper = (struct keeper){ keep, lose };
	side_init(&s);
	TEST("a restart at any micro-batch changes nothing")
	{
		for (uint64_t round = 0; round < 120 && !test_bad; round++) {
			struct side again;

			batch_of(&s, (int64_t)round * 60, round);
			s.op->cls->commit(s.op, &k->keeper);
			side_init(&again);
			load_all(&again, k);
			s.out->out.n = 0;
			for (uint64_t more = 0; more < 5; more++) {
				batch_of(&s, (int64_t)(round * 60 + more * 11) + 2, round + 1000 * more);
				batch_of(&again, (int64_t)(round * 60 + more * 11) + 2, round + 1000 * more);
			}
			CHECK_INT(s.out->out.n, again.out->out.n);
			CHECK(test_bad || !s.out->out.n || !memcmp(s.out->out.p, again.out->out.p, s.out->out.n));
			s.op->cls->commit(s.op, &k->keeper);
			side_free(&again);
			arena_reset(&arena);
		}
		CHECK(s.out->out.n > 0);
	}
	side_free(&s);
	TEST("malformed entries are refused")
	{
		for (uint32_t i = 0; i < k->n && !test_bad; i++) {
			for (size_t n = 0; k->at[i].there && n < k->at[i].value.n; n++) {
				struct side cut;

				if (i > 3 && n % 5)
					continue;
				side_init(&cut);
				CHECK_INT(load(&cut, &k->at[i], n, 1), -1);
				side_free(&cut);
			}
		}
	}
	for (uint32_t i = 0; i < k->n; i++) {
		buf_release(&k->at[i].key);
		buf_release(&k->at[i].value);
	}
	free(k);
}

int main(void)
{
	test_table();
	test_put_off();
	test_saved();
	arena_release(&arena);
	arena_release(&lasting);
	return test_done();
}

/* Programs that are thrown away between two micro-batches and go on from what they had committed: their answers are those of a run that never stopped, and what
 * a micro-batch writes is bounded by what it changed. */
#include "tests/unit/test.h"

#include "codec/codec.h"
#include "plan/pipeline.h"
#include "plan/times.h"
#include "stage/stage.h"

static uint64_t seed = 7;

static uint64_t next_random(uint64_t *s)
{
	*s = *s * 6364136223846793005ull + 1442695040888963407ull;
	return *s >> 33;
}

static uint32_t rnd(uint32_t below) { return (uint32_t)next_random(&seed) % below; }

/* ---- a store in memory ---- */

struct entry {
	struct buf key, value;
	uint32_t mark; /* 0: not there */
};

struct shelf {
	struct keeper keeper;
	struct entry *at;
	uint32_t n;
	size_t cap;
	uint32_t marks;
	uint64_t written; /* entries put and dropped */
};

#define OPS_MAX 24

static struct entry *entry_of(struct shelf *s, const char *key, size_t n)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->at[i].key.n == n && !memcmp(s->at[i].key.p, key, n))
			return &s->at[i];
	s->at = xgrow(s->at, &s->cap, (size_t)s->n + 1, sizeof *s->at);
	s->at[s->n] = (struct entry){ 0 };
	buf_add(&s->at[s->n].key, key, n);
	return &s->at[s->n++];
}

static void put(struct keeper *k, const char *key, size_t key_n, const char *value, size_t n, uint32_t *mark)
{
	struct shelf *s = (struct shelf *)k;
	struct entry *e = entry_of(s, key, key_n);

	CHECK_INT(e->mark, *mark);
	e->value.n = 0;
	buf_add(&e->value, value, n);
	*mark = e->mark = ++s->marks;
	s->written++;
}

static void drop(struct keeper *k, const char *key, size_t key_n, uint32_t *mark)
{
	struct shelf *s = (struct shelf *)k;
	struct entry *e = entry_of(s, key, key_n);

	CHECK(*mark);
	CHECK_INT(e->mark, *mark);
	e->mark = *mark = 0;
	s->written++;
	buf_release(&e->key);
	buf_release(&e->value);
	*e = s->at[--s->n];
}

static void shelf_clear(struct shelf *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		buf_release(&s->at[i].key);
		buf_release(&s->at[i].value);
	}
	free(s->at);
	*s = (struct shelf){ .keeper = { put, drop } };
}

/* ---- a program at work ---- */

struct collector {
	struct op op;
	struct buf *out;
};

static int collect(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct collector *c = (struct collector *)op;

	(void)port;
	(void)e;
	BATCH_EACH(b->sel, b->n_sel, i)
	{
		struct value v = batch_record(b, i, b->arena);

		buf_printf(c->out, "%" PRIu64 " ", op->run->batch);
		value_print_json(c->out, &v, NULL);
		for (int h = 0; h < HIDDEN_COUNT_; h++) {
			v = b->hidden[h] ? column_get(b->hidden[h], i) : v_null();
			buf_char(c->out, ' ');
			value_print(c->out, &v, NULL);
		}
		buf_char(c->out, '\n');
	}
	return 0;
}

static const struct op_class collector_class = { .name = "collect", .process = collect };

struct machine {
	struct arena arena;
	struct fn_env env;
	struct value_format format;
	struct run run;
	struct plan plan;
	struct plan_input in;
	struct pipeline pipe;
	struct buf out;
};

static void compile(struct machine *m, const char *text, enum output_mode mode)
{
	struct source_unit unit = { .text = text, .n = strlen(text), .arg = 1 };
	struct decode_opts decode = { 0 };
	const char *no_schema = NULL;
	struct pipeline_opts o = { .plan = &m->plan, .in = &m->in, .n_in = 1, .decode = &decode, .schema = &no_schema };
	struct err e = { 0 };

	m->env = (struct fn_env){ .format = &m->format };
	m->run = (struct run){ .env = &m->env, .ends = true, .durable = true, .n_inputs = 2 };
	m->plan = (struct plan){ .arena = &m->arena };
	m->in = (struct plan_input){ .codec = codec_find("json") };
	o.lower.run = &m->run;
	o.lower.to = m->in.codec;
	if (program_parse(parser_new(&m->arena, &unit, 1, NULL, 0), &unit, 1, &m->plan, &e) || plan_link(&m->plan, &m->in, 1, &e) ||
	    plan_times(&m->plan, mode, &e) || plan_known(&m->plan, &m->in, 1, &e))
		BUG("%s: %s", text, e.msg);
	plan_rules(&m->plan, false);
	if (pipeline_build(&o, &m->pipe, &e))
		BUG("%s: %s", text, e.msg);
	graph_enter(&m->pipe.graph, m->pipe.graph.entries[0]); /* two inputs come in together */
	for (uint32_t i = 0, n = m->pipe.graph.n; i < n; i++) {
		struct op *op = m->pipe.graph.ops[i];
		struct collector *c;

		if (op->n_outs)
			continue;
		c = op_make(&collector_class, sizeof *c, &m->run, 0, "collect");
		c->out = &m->out;
		op_connect(op, graph_add(&m->pipe.graph, &c->op), 0);
	}
	if (m->pipe.graph.n > OPS_MAX)
		BUG("%s: more than %d operators", text, OPS_MAX);
}

static void machine_free(struct machine *m)
{
	graph_free(&m->pipe.graph);
	plan_release(&m->plan);
	arena_release(&m->arena);
	buf_release(&m->out);
	*m = (struct machine){ 0 };
}

/* ---- records ---- */

#define ROUNDS 60
#define RUNS 3 /* of each program in each weather */
#define DAMAGES 8 /* of entries of each operator of a program */
#define ROWS_MAX 40

/* How the records of a run differ. */
struct weather {
	uint32_t keys;   /* different ones at a time */
	uint32_t rows;   /* most of a micro-batch */
	uint32_t spread; /* seconds that event times are apart */
	uint32_t seed;
};

static struct value random_key(uint64_t *s, const struct weather *w, uint64_t round)
{
	static const char digits[] = "0123456789";
	uint64_t k = next_random(s) % w->keys + round / 8;

	switch (next_random(s) % 8) {
	case 0:
		return v_int((int64_t)k % 10);
	case 1:
		return v_str(digits + k % 10, 1);
	case 2:
		return next_random(s) % 4 ? v_str("a key that is long enough to need memory of its own", 20 + k % 20) : v_null();
	default:
		return v_str("abcdefghijklmnopqrstuvwxyz" + k % 20, 1 + k % 5);
	}
}

static int feed(struct machine *m, const struct weather *w, uint64_t round, struct err *e)
{
	static const char *const names[] = { "k", "v", "f", "t", "s" };
	static const uint32_t lens[] = { 1, 1, 1, 1, 1 };
	struct arena a = { 0 };
	uint64_t s = round * 977 + w->seed * 7919;
	uint32_t n = next_random(&s) % 4 ? (uint32_t)next_random(&s) % w->rows : 0;
	struct column *cols = arena_array(&a, struct column, 5);
	struct batch b = { .schema = schema_intern(names, lens, 5), .cols = cols, .n_rows = n, .n_sel = n, .arena = &a };
	struct value *k = arena_array(&a, struct value, n + 1);
	int r;

	for (uint32_t i = 0; i < n; i++)
		k[i] = random_key(&s, w, round);
	cols[0] = column_tighten(&a, k, NULL, n, n);
	cols[1] = column_make(&a, T_INT, n);
	cols[2] = column_make(&a, T_FLOAT, n);
	cols[3] = column_make(&a, T_TIME, n);
	cols[4] = column_make(&a, T_STR, n);
	for (uint32_t i = 0; i < n; i++) {
		cols[1].i[i] = (int64_t)(next_random(&s) % 20);
		cols[2].f[i] = (double)(next_random(&s) % 1000) / 7;
		cols[3].i[i] = ((int64_t)round + (int64_t)(next_random(&s) % w->spread) - w->spread / 2) * 1000000000;
		cols[4].v[i] = v_str(next_random(&s) % 2 ? "l" : "r", 1);
	}
	b.input = next_random(&s) % 2;
	r = n ? op_process(m->pipe.graph.entries[0], 0, &b, e) : 0;
	arena_release(&a);
	return r < 0 ? -1 : 0;
}

static void set_now(struct machine *m, uint64_t round, int64_t now)
{
	m->run.batch = round;
	m->run.now = now;
	m->run.special[SP_TIME] = v_time(now);
	m->run.special[SP_BATCH] = v_int((int64_t)round);
}

static int try_micro_batch(struct machine *m, const struct weather *w, uint64_t round, struct err *e)
{
	set_now(m, round, (int64_t)round * 1000000000);
	m->run.last = round + 1 == ROUNDS;
	if (feed(m, w, round, e))
		return -1;
	set_now(m, round, (int64_t)(round + 1) * 1000000000);
	return graph_batch_end(&m->pipe.graph, e);
}

static void micro_batch(struct machine *m, const struct weather *w, uint64_t round)
{
	struct err e = { 0 };

	if (try_micro_batch(m, w, round, &e))
		BUG("%s", e.msg);
}

/* ---- restarts ---- */

static struct keeper *shelf_of(void *ctx, uint32_t i) { return &((struct shelf *)ctx)[i].keeper; }

static int load(struct machine *m, uint32_t op, const struct entry *from, struct err *e)
{
	struct kept_entry entry = { .key = from->key.p, .key_n = from->key.n, .value = from->value.p, .n = from->value.n, .mark = from->mark };

	return graph_restore(&m->pipe.graph, op, &entry, e);
}

/* Entries in any order. */
static void load_all(struct machine *m, const struct shelf *shelves)
{
	struct err e = { 0 };

	for (uint32_t i = 0; i < m->pipe.graph.n; i++) {
		const struct shelf *s = &shelves[i];
		uint32_t first = s->n ? rnd(s->n) : 0;

		for (uint32_t k = 0; k < s->n; k++)
			if (load(m, i, &s->at[(first + s->n - k) % s->n], &e))
				BUG("%s", e.msg);
		if (graph_restore(&m->pipe.graph, i, NULL, &e))
			BUG("%s", e.msg);
	}
}

struct program {
	const char *text;
	enum output_mode mode;
	uint32_t per_row; /* entries that one record may change, and those that time changes on the way out in proportion to records */
};

static uint64_t written(struct shelf *shelves)
{
	uint64_t n = 0;

	for (int i = 0; i < OPS_MAX; i++)
		n += shelves[i].written;
	return n;
}

static void compare(const struct program *p, struct buf *want, struct buf *got)
{
	size_t at = 0, from;

	if (want->n == got->n && !memcmp(want->p, got->p, want->n))
		return;
	while (at < want->n && at < got->n && want->p[at] == got->p[at])
		at++;
	for (from = at; from && want->p[from - 1] != '\n'; from--)
		;
	CHECK(!"the same answer");
	printf("# %s\n# at %zu of %zu\n# want %.*s\n# got  %.*s\n", p->text, at, want->n, want->n - from > 300 ? 300 : (int)(want->n - from), want->p + from,
	       got->n - from > 300 ? 300 : (int)(got->n - from), got->p + from);
}

/* Most entries that the operators' watermarks and counters take in a micro-batch. */
#define FIXED 24

static void try_program(const struct program *p, const struct weather *w)
{
	struct shelf *shelves = xcalloc(OPS_MAX, sizeof *shelves);
	struct machine whole = { 0 }, cut = { 0 };
	struct buf got = { 0 };
	uint64_t most;

	for (int i = 0; i < OPS_MAX; i++)
		shelf_clear(&shelves[i]);
	compile(&whole, p->text, p->mode);
	compile(&cut, p->text, p->mode);
	for (uint64_t round = 0; round < ROUNDS && !test_bad; round++) {
		micro_batch(&whole, w, round);
		micro_batch(&cut, w, round);
		graph_commit(&cut.pipe.graph, shelf_of, shelves);
		if (rnd(3))
			continue;
		buf_add(&got, cut.out.p, cut.out.n);
		machine_free(&cut);
		compile(&cut, p->text, p->mode);
		load_all(&cut, shelves);
	}
	buf_add(&got, cut.out.p, cut.out.n);
	compare(p, &whole.out, &got);
	CHECK(whole.out.n);
	most = FIXED * ROUNDS + (uint64_t)p->per_row * w->rows * ROUNDS;
	if (written(shelves) > most)
		printf("# %s: %" PRIu64 " entries\n", p->text, written(shelves));
	CHECK(written(shelves) <= most);
	machine_free(&whole);
	machine_free(&cut);
	for (int i = 0; i < OPS_MAX; i++)
		shelf_clear(&shelves[i]);
	free(shelves);
	buf_release(&got);
}

#define EVENT "watermark t delay 3s | "
#define AGGREGATES "n = count(), total = sum(v), mean = avg(f), all = collect(v), kinds = distinct(v), last = last(f) by k"

#define SIDES "split l = s == \"l\", r = s == \"r\" | "
#define TIMED SIDES "from l | watermark t delay 2s | as left | from r | watermark t delay 3s | map k, t, rv = v | as right | from left | "
#define BY_WINDOW SIDES \
	"from l | watermark t delay 2s | window 4s | as left | from r | watermark t delay 3s | map k, t, rv = v | window 4s | as right | from left | "

static const struct program programs[] = {
	{ EVENT "window 5s | count by k", MODE_DEFAULT, 2 },
	{ EVENT "window 5s | reduce " AGGREGATES, MODE_DEFAULT, 2 },
	{ EVENT "window 6s every 2s | reduce " AGGREGATES, MODE_DEFAULT, 6 },
	{ EVENT "window 6s every 2s | count by k", MODE_DEFAULT, 6 },
	{ EVENT "window 7s every 3s | reduce n = count(), total = sum(v), mean = avg(f), spread = stddev(f) by k", MODE_DEFAULT, 2 },
	{ EVENT "window 7s every 3s offset 1s | reduce most = max(v), least = min(f), kinds = distinct(v), mean = avg(f) by k, s", MODE_DEFAULT, 2 },
	{ EVENT "window 20s every 1s | reduce most = max(v), middle = median(f)", MODE_DEFAULT, 2 },
	{ EVENT "window 6s every 2s | count", MODE_DEFAULT, 6 },
	{ EVENT "window 5s | count by k, s", MODE_UPDATE, 2 },
	{ EVENT "window 5s | count by k", MODE_COMPLETE, 2 },
	{ "window all | reduce " AGGREGATES, MODE_UPDATE, 2 },
	{ "window all | count", MODE_COMPLETE, 2 },
	{ EVENT "window session 2s | reduce " AGGREGATES, MODE_DEFAULT, 3 },
	{ EVENT "window session 2s | trigger watermark early count 2 late count 1, accumulating, lateness 5s | count by k", MODE_DEFAULT, 4 },
	{ EVENT "window session 2s | trigger count 2, retracting, lateness 5s | reduce n = count(), v = collect(v) by k", MODE_DEFAULT, 4 },
	{ EVENT "window session 3s | trigger once count 3, lateness 4s | count by k", MODE_DEFAULT, 4 },
	{ EVENT "window session 1s | trigger watermark early count 2, accumulating, lateness 4s | reduce f = first(v), v = collect(v) by k", MODE_DEFAULT, 4 },
	{ EVENT "window 4s | trigger watermark early every 3s late count 2, retracting, lateness 6s | reduce n = count(), m = max(v) by k", MODE_DEFAULT, 4 },
	{ EVENT "window 4s | trigger after 2s, accumulating, lateness forever | reduce n = count(), m = max(v) by k", MODE_DEFAULT, 4 },
	{ EVENT "window 4s | trigger (after 2s or count 5) then every 7s, discarding, lateness 20s | count by k", MODE_DEFAULT, 4 },
	{ EVENT "window 4s | trigger count 3 until watermark, stamp latest, closing always | count by k | window 8s | count", MODE_DEFAULT, 4 },
	{ "window 6s | reduce n = count(), total = sum(v), mean = avg(f) by k", MODE_DEFAULT, 2 },
	{ "window 6s every 4s | reduce " AGGREGATES, MODE_DEFAULT, 2 },
	{ "window 2s every 5s | count by k", MODE_DEFAULT, 2 },
	{ "window 3s every 2s | count", MODE_DEFAULT, 2 },
	{ EVENT "window 4s | trigger count 5, stamp latest | count by k", MODE_DEFAULT, 4 },
	{ EVENT "window 4s | trigger count 5, accumulating, stamp earliest | count by k", MODE_DEFAULT, 4 },
	{ "watermark t delay 1s idle 1s | map w = @watermark, v", MODE_DEFAULT, 0 },
	{ "watermark t delay 1s idle 2s | window 4s | count by k", MODE_DEFAULT, 2 },
	{ "limit 60", MODE_DEFAULT, 0 },
	{ "skip 60", MODE_DEFAULT, 0 },
	{ "sample 0.3", MODE_DEFAULT, 0 },
	{ "watermark t delay 2s idle 3s | map w = @watermark, v", MODE_DEFAULT, 0 },
	{ "dedup by k", MODE_DEFAULT, 1 },
	{ "dedup", MODE_DEFAULT, 1 },
	{ EVENT "dedup by k within 4s", MODE_DEFAULT, 2 },
	{ EVENT "window 4s | dedup by k, v", MODE_DEFAULT, 2 },
	{ EVENT "dedup by t, k", MODE_DEFAULT, 2 },
	{ "window 4 rows | reduce " AGGREGATES, MODE_DEFAULT, 1 },
	{ "window 6 rows every 2 | reduce " AGGREGATES, MODE_DEFAULT, 1 },
	{ "window 2 rows every 5 | count by k", MODE_DEFAULT, 1 },
	{ "window 7 rows | count", MODE_DEFAULT, 1 },
	{ EVENT "window 4s | sort v desc", MODE_DEFAULT, 1 },
	{ EVENT "window 6s every 2s | top 2 by f per k", MODE_DEFAULT, 3 },
	{ EVENT "window 4s | skip 2 | limit 3", MODE_DEFAULT, 1 },
	{ EVENT "window session 1s | sort v desc | map v, n = @window_end", MODE_DEFAULT, 2 },
	{ EVENT "window session 1500ms | top 2 by f per k | count by k", MODE_DEFAULT, 6 },
	{ EVENT "window session 2s | dedup by k, s | map k, s, v", MODE_DEFAULT, 3 },
	{ EVENT "window session 1s | limit 3", MODE_DEFAULT, 2 },
	{ SIDES "from l | join r on k | map k, v, rv = r.v", MODE_DEFAULT, 1 },
	{ SIDES "from l | join r on k full | map k, v, rv = r.v", MODE_DEFAULT, 1 },
	{ SIDES "from l | window all | as left | from r | window all | as right | from left | join right on k, v | count", MODE_UPDATE, 3 },
	{ SIDES "from l | window all | as left | from r | window all | as right | from left | join right on k, v full | map k, v, f, g = right.f", MODE_DEFAULT, 2 },
	{ SIDES "from l | window all | as left | from r | window all | as right | from left | join right on k where v < right.v semi", MODE_DEFAULT, 2 },
	{ TIMED "join right on k within 2s", MODE_DEFAULT, 2 },
	{ TIMED "join right on k where v < rv within 1s to 3s full", MODE_DEFAULT, 3 },
	{ TIMED "join right on k where v < rv within 0s to 3s anti", MODE_DEFAULT, 3 },
	{ TIMED "join right on k within -2s to 0s left | window 4s | count by k", MODE_DEFAULT, 6 },
	{ BY_WINDOW "join right on k full", MODE_DEFAULT, 3 },
	{ BY_WINDOW "join right on k where v < rv semi", MODE_DEFAULT, 3 },
	{ BY_WINDOW "cogroup right on k", MODE_DEFAULT, 2 },
	{ SIDES "from l | window all | as left | from r | window all | as right | from left | cogroup right on k, v", MODE_DEFAULT, 2 },
	{ "window 5s every 3s | sort v desc", MODE_DEFAULT, 2 },
	{ "window 4s | top 2 by f", MODE_DEFAULT, 2 },
	{ "state n += v, seen ++= [v,] by k ttl 4s", MODE_DEFAULT, 2 },
	{ "state { on record { n += v; timeout v * 1s; if v == 7 { remove } } on timeout { emit k, n; if n > 20 { n = n - 20; timeout 2s } } on batch { emit k, n, b = true } } by k",
	  MODE_DEFAULT, 3 },
	{ "state { on record { n += 1 } on batch { emit k, n, r = @records; if n > 5 { remove } } } by k all", MODE_DEFAULT, 3 },
	{ EVENT "state { on record { n += 1; timeout at t + 2s; timeout slow at t + 5s } on timeout { emit k, n } on timeout slow { emit k, late = n; remove } } by k",
	  MODE_DEFAULT, 3 },
	{ EVENT "window 4s | state { on record { n += v; if n > 9 { emit k, n, @window_end } } on close { emit k, n, s = @window_start } } by k", MODE_DEFAULT, 3 },
	{ EVENT "window 3s | count by k | window 6s | reduce n = sum(count), most = max(count)", MODE_DEFAULT, 4 },
	{ EVENT "window 4s | trigger watermark early count 2 late count 1, retracting, lateness 4s | count by k | reduce n = sum(count), keys = count()", MODE_DEFAULT, 8 },
	{ EVENT "window session 2s | trigger count 1, retracting, lateness 4s | count by k | map k, n = 2 * count | window 20s | reduce n = sum(n) by k", MODE_DEFAULT, 8 },
	{ EVENT "window all | count by t, k", MODE_APPEND, 2 },
	{ EVENT "window 3s | count by k | fill 0", MODE_DEFAULT, 4 },
	{ EVENT "window 4s every 2s | trigger watermark, lateness 3s | count by k | fill -1 | window 20s | reduce n = count(), sum = sum(count) by k", MODE_DEFAULT, 8 },
	{ "window 4s every 2s | reduce n = count(), m = max(v) by k | fill null", MODE_DEFAULT, 4 },
	{ EVENT "window 3s | count | fill 0", MODE_DEFAULT, 3 },
	{ EVENT "absent 3s by k", MODE_DEFAULT, 2 },
	{ EVENT "filter v == 7 | absent 2s", MODE_DEFAULT, 2 },
	{ "absent 3s by k, v", MODE_DEFAULT, 2 },
	{ "group 4 rows by k", MODE_DEFAULT, 2 },
	{ "group 7 rows within 3s by k", MODE_DEFAULT, 2 },
	{ EVENT "group 7 rows | window 5s | reduce n = count(), m = max(len(group))", MODE_DEFAULT, 3 },
	{ EVENT "window 4s every 2s | trigger watermark, lateness 3s | group 3 rows by k", MODE_DEFAULT, 4 },
	{ "window 4s | group 3 rows by k", MODE_DEFAULT, 2 },
};

/* ---- what one record changes ---- */

static void feed_keys(struct machine *m, uint32_t from, uint32_t n, int64_t seconds)
{
	static const char *const names[] = { "k", "v", "t" };
	static const uint32_t lens[] = { 1, 1, 1 };
	struct arena a = { 0 };
	struct column *cols = arena_array(&a, struct column, 3);
	struct batch b = { .schema = schema_intern(names, lens, 3), .cols = cols, .n_rows = n, .n_sel = n, .arena = &a };
	struct err e = { 0 };

	for (int c = 0; c < 3; c++)
		cols[c] = column_make(&a, c < 2 ? T_INT : T_TIME, n);
	for (uint32_t i = 0; i < n; i++) {
		cols[0].i[i] = from + i;
		cols[1].i[i] = 1;
		cols[2].i[i] = seconds * 1000000000;
	}
	for (b.input = 0; b.input < 2; b.input++) { /* one has nothing but time to say */
		if (op_process(m->pipe.graph.entries[0], 0, &b, &e) < 0)
			BUG("%s", e.msg);
		b.n_rows = b.n_sel = 1;
	}
	if (graph_batch_end(&m->pipe.graph, &e))
		BUG("%s", e.msg);
	arena_release(&a);
}

#define MANY 2000 /* keys */

/* Entries written when one of many keys has a record more: before and after a restart. */
static void try_one(const struct program *p, uint64_t entries)
{
	struct shelf *shelves = xcalloc(OPS_MAX, sizeof *shelves);
	struct machine m = { 0 };

	for (int i = 0; i < OPS_MAX; i++)
		shelf_clear(&shelves[i]);
	compile(&m, p->text, p->mode);
	for (uint64_t round = 0; round < 3; round++) {
		uint64_t before = written(shelves);

		set_now(&m, round, (int64_t)(round + 1) * 1000000000);
		feed_keys(&m, round ? 7 : 0, round ? 1 : MANY, 100);
		graph_commit(&m.pipe.graph, shelf_of, shelves);
		if (round)
			CHECK(written(shelves) - before <= FIXED / 2 + p->per_row);
		else
			CHECK(written(shelves) >= entries);
		before = written(shelves);
		CHECK(!graph_batch_end(&m.pipe.graph, &(struct err){ 0 }));
		graph_commit(&m.pipe.graph, shelf_of, shelves);
		CHECK_INT(written(shelves), before); /* nothing came */
		machine_free(&m);
		compile(&m, p->text, p->mode);
		load_all(&m, shelves);
	}
	machine_free(&m);
	for (int i = 0; i < OPS_MAX; i++)
		shelf_clear(&shelves[i]);
	free(shelves);
}

static uint64_t entries_of(const struct shelf *shelves)
{
	uint64_t n = 0;

	for (int i = 0; i < OPS_MAX; i++)
		n += shelves[i].n;
	return n;
}

/* Keys that come, are forgotten and leave no entry behind. */
static void test_forgotten(void)
{
	static const struct {
		const char *text;
		uint64_t most;
	} at[] = {
		{ EVENT "dedup by k within 2s", 6 * MANY },
		{ EVENT "window 2s | count by k", 6 * MANY },
		{ EVENT "window 4s every 2s | count by k", 6 * MANY },
		{ EVENT "window 2s | sort v", FIXED / 2 },
		{ "window 2s every 1s | sort v", FIXED / 2 },
		{ "window 2s every 1s | count by k", 6 * MANY },
	};
	struct shelf *shelves = xcalloc(OPS_MAX, sizeof *shelves);

	TEST("what is forgotten leaves nothing behind")
	{
		for (size_t i = 0; i < ARRAY_LEN(at) && !test_bad; i++) {
			struct machine m = { 0 };

			for (int k = 0; k < OPS_MAX; k++)
				shelf_clear(&shelves[k]);
			compile(&m, at[i].text, MODE_DEFAULT);
			for (uint32_t round = 0; round < 12; round++) {
				set_now(&m, round, (int64_t)round * 1000000000);
				feed_keys(&m, round * MANY, MANY, round * 3);
				graph_commit(&m.pipe.graph, shelf_of, shelves);
				machine_free(&m);
				compile(&m, at[i].text, MODE_DEFAULT);
				load_all(&m, shelves);
				CHECK(entries_of(shelves) < at[i].most);
			}
			machine_free(&m);
		}
	}
	for (int k = 0; k < OPS_MAX; k++)
		shelf_clear(&shelves[k]);
	free(shelves);
}

static void test_one(void)
{
	static const struct {
		struct program p;
		uint64_t entries; /* at least so many are there */
	} at[] = {
		{ { EVENT "window 1h | reduce n = count(), s = sum(v) by k", MODE_DEFAULT, 1 }, MANY },
		{ { EVENT "window 1h | count by k", MODE_UPDATE, 1 }, MANY },
		{ { EVENT "window 1h | trigger watermark early every 1s, retracting | count by k", MODE_DEFAULT, 2 }, MANY },
		{ { EVENT "window 4m every 1m | count by k", MODE_DEFAULT, 4 }, MANY },
		{ { EVENT "window session 1h | count by k", MODE_DEFAULT, 2 }, MANY },
		{ { EVENT "window 1h | sort v", MODE_DEFAULT, 1 }, 1 },
		{ { "window all | count by k", MODE_COMPLETE, 1 }, MANY },
		{ { "window 7 rows | count by k", MODE_DEFAULT, 1 }, MANY },
		{ { "window 1h every 1m | count by k", MODE_DEFAULT, 2 }, MANY },
		{ { "window 1h every 1m | sort v", MODE_DEFAULT, 1 }, 1 },
		{ { "limit 10000 | skip 10 | sample 0.5", MODE_DEFAULT, 3 }, 3 },
		{ { "dedup by k", MODE_DEFAULT, 1 }, MANY },
		{ { "state n += v by k", MODE_DEFAULT, 1 }, MANY },
		{ { "window all | as all | from all | join (from all | map k, w = v) on k", MODE_DEFAULT, 2 }, 2 * MANY },
	};

	TEST("what is written for one record does not grow with the keys that there are")
	{
		for (size_t i = 0; i < ARRAY_LEN(at) && !test_bad; i++) {
			try_one(&at[i].p, at[i].entries);
			if (test_bad)
				printf("# %s\n", at[i].p.text);
		}
	}
}

/* ---- damage ---- */

/* An entry that is not as it was written: refused, or taken for another one, and nothing worse. */
static void load_damaged(const struct program *p, const struct weather *w, const struct shelf *shelves, const struct entry *from)
{
	struct machine m = { 0 };
	struct entry own = { .mark = from->mark };
	struct err e = { 0 };
	struct buf *b = rnd(3) ? &own.value : &own.key;
	bool refused = false;

	buf_add(&own.key, from->key.p, from->key.n);
	buf_add(&own.value, from->value.p, from->value.n);
	if (rnd(2))
		b->n = rnd((uint32_t)b->n);
	for (int i = 0; i < 2 && b->n; i++)
		b->p[rnd((uint32_t)b->n)] = (char)rnd(256);
	own.key.p = xrealloc(own.key.p, own.key.n + 1); /* so that a sanitizer sees where they end */
	own.value.p = xrealloc(own.value.p, own.value.n + 1);
	compile(&m, p->text, p->mode);
	for (uint32_t i = 0; i < m.pipe.graph.n && !refused; i++) {
		for (uint32_t k = 0; k < shelves[i].n && !refused; k++)
			refused = load(&m, i, &shelves[i].at[k] == from ? &own : &shelves[i].at[k], &e);
		refused = refused || graph_restore(&m.pipe.graph, i, NULL, &e);
	}
	CHECK(!refused || (e.kind == ERR_IO && strstr(e.msg, "an entry of the checkpoint that it did not write")));
	refused |= strstr(p->text, "| fill") != NULL; /* from a damaged time to the next there may be a million empty windows */
	for (uint64_t round = 9; round < 13 && !refused; round++)
		refused = try_micro_batch(&m, w, round, &e);
	machine_free(&m);
	buf_release(&own.key);
	buf_release(&own.value);
}

static void test_damage(const struct program *at, size_t n)
{
	struct shelf *shelves = xcalloc(OPS_MAX, sizeof *shelves);
	struct weather w = { 5, ROWS_MAX, 9, 3 };

	TEST("damaged entries")
	{
		for (size_t i = 0; i < n && !test_bad; i++) {
			struct machine m = { 0 };

			for (int k = 0; k < OPS_MAX; k++)
				shelf_clear(&shelves[k]);
			compile(&m, at[i].text, at[i].mode);
			for (uint64_t round = 0; round < 9; round++) {
				micro_batch(&m, &w, round);
				graph_commit(&m.pipe.graph, shelf_of, shelves);
			}
			machine_free(&m);
			for (uint32_t k = 0; k < OPS_MAX * DAMAGES; k++) {
				struct shelf *s = &shelves[k % OPS_MAX];

				if (s->n)
					load_damaged(&at[i], &w, shelves, &s->at[rnd(s->n)]);
			}
		}
	}
	for (int k = 0; k < OPS_MAX; k++)
		shelf_clear(&shelves[k]);
	free(shelves);
}

static void test_programs(const struct program *at, size_t n)
{
	struct weather weathers[] = { { 3, ROWS_MAX, 4, 0 }, { 12, ROWS_MAX, 12, 0 }, { 5, 6, 9, 0 } };

	for (size_t i = 0; i < n; i++)
		TEST(at[i].text)
		{
			for (uint32_t run = 0; run < RUNS * ARRAY_LEN(weathers) && !test_bad; run++) {
				weathers[run % ARRAY_LEN(weathers)].seed = run;
				try_program(&at[i], &weathers[run % ARRAY_LEN(weathers)]);
			}
		}
}

int main(void)
{
	test_programs(programs, ARRAY_LEN(programs));
	test_one();
	test_forgotten();
	test_damage(programs, ARRAY_LEN(programs));
	return test_done();
}

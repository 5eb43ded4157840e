/* Generated and mutated JSON through the fast path and the slow one (jansson's verdict): the same rows, the same bad records, at
 * every SIMD level and in any cuts; and single texts against jansson itself. STRM_TEST_ROUNDS texts from seed STRM_TEST_SEED. */
#include "test.h"

#include "base/json.h"
#include "data/json_value.h"
#include "json_oracle.h"

#define ROUNDS 20000
#define TEXT_MAX 65536

static uint64_t state;

static uint32_t rnd(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20) % n;
}

#define PICK(list) (list)[rnd(ARRAY_LEN(list))]

struct text {
	char p[TEXT_MAX];
	size_t n;
};

static void put(struct text *t, const char *s)
{
	size_t n = strlen(s);

	if (t->n + n > TEXT_MAX - 256)
		return;
	memcpy(t->p + t->n, s, n);
	t->n += n;
}

static void put_space(struct text *t)
{
	static const char *const some[] = { "", "", "", "", " ", "  ", "\n", "\r\n", "\t" };

	put(t, PICK(some));
}

static void put_string(struct text *t)
{
	static const char *const parts[] = { "a",
					     "b",
					     "\\n",
					     "\\\"",
					     "\\\\",
					     "\\/",
					     "\\u0041",
					     "\\ud83d\\ude00",
					     "\xC3\xA9",
					     "\xE2\x82\xAC",
					     "\xF0\x9F\x98\x80",
					     "x y",
					     "{",
					     "}",
					     ",",
					     ":",
					     "[",
					     "]",
					     "\\u00e9",
					     "a longer text that goes over the end of sixty-four bytes wherever it begins" };

	put(t, "\"");
	for (uint32_t n = rnd(12); n; n--)
		put(t, PICK(parts));
	put(t, "\"");
}

static void put_scalar(struct text *t)
{
	static const char *const some[] = { "0",
					    "-0",
					    "1",
					    "12",
					    "-3.5",
					    "1e5",
					    "1E+400",
					    "12345678",
					    "123456789",
					    "0.0001",
					    "1.50",
					    "-1e-999",
					    "12345678901234567890123456789",
					    "true",
					    "false",
					    "null" };

	if (rnd(3))
		put(t, PICK(some));
	else
		put_string(t);
}

static void put_value(struct text *t, int depth);

static void put_key(struct text *t)
{
	static const char *const keys[] = { "\"a\"",	   "\"b\"",	"\"user\"", "\"id\"", "\"x.y\"",
					    "\"\\u0061\"", "\"value\"", "\"a.b\"",  "\"\"" };

	if (rnd(8))
		put(t, PICK(keys));
	else
		put_string(t);
	put_space(t);
	put(t, ":");
	put_space(t);
}

static void put_nested(struct text *t, int depth, bool object)
{
	put(t, object ? "{" : "[");
	put_space(t);
	for (uint32_t n = rnd(5), i = 0; i < n; i++) {
		if (i) {
			put(t, ",");
			put_space(t);
		}
		if (object)
			put_key(t);
		put_value(t, depth + 1);
		put_space(t);
	}
	put(t, object ? "}" : "]");
}

static void put_value(struct text *t, int depth)
{
	uint32_t kind = depth > 4 ? 3 : rnd(depth ? 6 : 9);

	if (kind < 4)
		put_scalar(t);
	else
		put_nested(t, depth, kind != 4);
}

static void put_stream(struct text *t)
{
	static const char *const between[] = { "\n", "\n", "\n", "\n", " ", "", "\n\n", "\r\n" };
	bool array = !rnd(5);

	if (!rnd(20))
		put(t, "\xEF\xBB\xBF");
	put(t, array ? "[" : "");
	for (uint32_t n = 1 + rnd(6), i = 0; i < n; i++) {
		put(t, !i ? "" : array ? "," : PICK(between));
		put_space(t);
		put_value(t, rnd(3) ? 0 : 1);
		put_space(t);
	}
	put(t, array ? "]" : "");
}

/* A byte more. */
static void insert(struct text *t, size_t at, char c)
{
	memmove(t->p + at + 1, t->p + at, t->n - at);
	t->p[at] = c;
	t->n++;
}

static void mutate(struct text *t)
{
	static const char marks[] = "{}[]:,\"\\\n 0u\x01\xC3";
	size_t at = t->n ? rnd((uint32_t)t->n) : 0, n;

	if (!t->n || t->n > TEXT_MAX - 256)
		return;
	switch (rnd(7)) {
	case 0:
		t->p[at] = (char)rnd(256);
		break;
	case 1:
		memmove(t->p + at, t->p + at + 1, t->n - at - 1);
		t->n--;
		break;
	case 2:
	case 3:
		insert(t, at, marks[rnd(sizeof marks - 1)]);
		break;
	case 4:
		t->n = at;
		break;
	case 5:
		n = rnd(20);
		n = n < t->n - at ? n : t->n - at;
		memmove(t->p + at + n, t->p + at, t->n - at);
		t->n += n;
		break;
	default:
		t->p[at] = marks[rnd(sizeof marks - 1)];
	}
}

static bool complain(const char *what, const struct text *t, const struct oracle_way *w)
{
	printf("# %s: level %u, cut %zu, seed %u, slow %d, max_record %zu, %u fields\n# text of %zu bytes:", what, w->level,
	       w->cut, w->seed, w->slow, w->max_record, w->n_fields, t->n);
	for (size_t i = 0; i < t->n; i++)
		printf(" %02x", (unsigned char)t->p[i]);
	printf("\n");
	return false;
}

static bool compare_ways(const struct text *t)
{
	static const char *const fields[] = { "a", "user.id", "x.y", "a.b", "value", "b", "a.a.b", "" };
	static const size_t limits[] = { 0, 0, 0, 0, 0, 200, 60, 20 };
	unsigned top = (unsigned)simd_level() + 1;
	struct oracle_way slow = { .slow = true, .max_record = PICK(limits) };
	struct oracle_log want;
	bool ok = true;

	if (rnd(2)) {
		slow.fields = fields;
		slow.n_fields = ARRAY_LEN(fields);
	}
	if (!oracle_run(&slow, t->p, t->n, &want))
		return complain("the slow path breaks its contract", t, &slow);
	for (unsigned k = 0; ok && k < top + 2; k++) {
		struct oracle_way w = slow;

		w.slow = k > top;
		w.level = k < top ? k : rnd(top);
		if (k >= top || rnd(2)) {
			w.cut = 1 + rnd(200);
			w.seed = rnd(2) ? 1 + rnd(100000) : 0;
		}
		ok = oracle_agrees(&w, t->p, t->n, &want) || complain("differs from the slow path", t, &w);
	}
	oracle_free(&want);
	return ok;
}

/* One text by itself, as an element so that it is one record: rows if jansson says so, with the values of the reader. */
static bool compare_single(const struct text *t)
{
	struct oracle_way w = { .level = (unsigned)simd_level() };
	struct arena a = { 0 };
	struct buf record = { 0 }, want = { 0 };
	struct oracle_log log;
	struct value v;
	const char *why;
	char reason[160];
	size_t at;
	bool good = json_check(t->p, t->n, reason, &at), ok;

	ok = (value_from_json(t->p, t->n, &a, &v, &why) == 0) == good;
	buf_str(&record, "{\"x\":");
	buf_add(&record, t->p, t->n);
	buf_str(&record, "}");
	ok &= oracle_run(&w, record.p, record.n, &log);
	if (good) {
		buf_printf(&want, "1:%zu:{\"x\":", record.n);
		value_print_json(&want, &v, NULL);
		buf_str(&want, "}\n");
		ok &= !log.n_bad && oracle_same(&log.rows, &want);
	} else {
		/* what closes the object early leaves a good record and a bad rest */
		ok &= log.n_bad > 0 || log.n_rows > 1 || json_check(record.p, record.n, reason, &at);
	}
	oracle_free(&log);
	arena_release(&a);
	buf_release(&record);
	buf_release(&want);
	return ok || complain("a text by itself", t, &w);
}

static void check_streams(long rounds)
{
	static struct text t;

	for (long i = 0; i < rounds; i++) {
		t.n = 0;
		put_stream(&t);
		for (uint32_t n = rnd(4); n; n--)
			mutate(&t);
		if (!compare_ways(&t)) {
			CHECK(!"ways differ");
			return;
		}
	}
}

static void check_singles(long rounds)
{
	static struct text t;

	for (long i = 0; i < rounds; i++) {
		t.n = 0;
		put_space(&t);
		put_value(&t, rnd(3) ? 0 : 1);
		for (uint32_t n = rnd(3); n; n--)
			mutate(&t);
		if (!compare_single(&t)) {
			CHECK(!"verdicts differ");
			return;
		}
	}
}

int main(void)
{
	const char *rounds = getenv("STRM_TEST_ROUNDS"), *seed = getenv("STRM_TEST_SEED");
	long n = rounds ? strtol(rounds, NULL, 10) : ROUNDS;

	state = 0x9e3779b97f4a7c15ull * (seed ? strtoull(seed, NULL, 10) + 1 : 1);
	TEST("streams: the fast path says what the slow one says, at every level and in any cuts") check_streams(n);
	TEST("single texts: the fast path says what jansson says, and reads what the reader reads") check_singles(n * 5);
	return test_done();
}

/* Short numbers, each level beside strtod and strtoll: all kinds of spellings, with junk behind them, in every place of a run of good ones. */
#include "base/short_nums.h"

#include <math.h>
#include <stdbool.h>

#include "tests/unit/test.h"

#define MOST 37
#define ROUNDS 20000

static uint64_t state;

static uint32_t some(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

/* Digits, at most one of these characters among them, and at times others. */
static uint32_t spell(char *p, const char *odd)
{
	uint32_t n = some(9) + 1, at = some(n);

	for (uint32_t i = 0; i < n; i++)
		p[i] = (char)('0' + some(10));
	if (some(2))
		p[0] = "+-"[some(2)];
	if (some(3))
		p[at] = odd[some((uint32_t)strlen(odd))];
	if (!some(8))
		p[some(n)] = (char)some(256);
	return n;
}

/* Is it of the form; how many dots has it? */
static bool has_form(const char *p, uint32_t n, int *dots)
{
	uint32_t sign = p[0] == '-' || p[0] == '+', digits = 0;

	*dots = 0;
	for (uint32_t i = sign; i < n; i++) {
		if (p[i] == '.')
			++*dots;
		else if (p[i] >= '0' && p[i] <= '9')
			digits++;
		else
			return false;
	}
	return n <= 8 && digits && *dots <= 1;
}

struct run {
	uint64_t word[MOST], len[MOST];
	char text[MOST][16];
};

static void put(struct run *r, uint32_t at, const char *p, uint32_t n)
{
	memcpy(r->text[at], p, n);
	r->text[at][n] = 0;
	r->len[at] = n;
	memcpy(&r->word[at], p, 8); /* with what is behind it */
}

static void check_floats(const struct short_nums_ops *ops, const struct run *r, uint32_t n, uint32_t want)
{
	double f[MOST], x;

	CHECK_INT(ops->floats(r->word, r->len, n, f), want);
	for (uint32_t i = 0; i < want; i++) {
		x = strtod(r->text[i], NULL);
		if (f[i] != x || signbit(f[i]) != signbit(x))
			printf("# %s is %.17g\n", r->text[i], f[i]), test_bad = 1;
	}
}

static void check_ints(const struct short_nums_ops *ops, const struct run *r, uint32_t n, uint32_t want)
{
	int64_t v[MOST];

	CHECK_INT(ops->ints(r->word, r->len, n, v), want);
	for (uint32_t i = 0; i < want; i++)
		CHECK_INT(v[i], strtoll(r->text[i], NULL, 10));
}

/* A run of good ones with one of any kind in it. */
static void one_run(const struct short_nums_ops *ops, bool floats)
{
	struct run r;
	uint32_t n = some(MOST) + 1, odd = some(n), len;
	char p[16];
	int dots;

	for (uint32_t i = 0; i < n; i++) {
		memset(p, (int)some(256), sizeof p);
		do
			len = spell(p, i == odd ? ".-+ e_:/" : floats ? "." : "5");
		while (i != odd && !(has_form(p, len, &dots) && dots == floats));
		put(&r, i, p, len);
	}
	(floats ? check_floats : check_ints)(ops, &r, n, has_form(r.text[odd], (uint32_t)r.len[odd], &dots) && dots == floats ? n : odd);
}

static void test_form(const struct short_nums_ops *ops)
{
	static const struct {
		char text[16];
		bool is_float, is_int;
	} c[] = {
		{ "-0", false, true },	{ "-0.0", true, false }, { ".5", true, false },	 { "5.", true, false },	      { "-.5", true, false },
		{ ".", false, false },	{ "-.", false, false },	 { "-", false, false },	 { "", false, false },	      { "1.2.", false, false },
		{ "..", false, false }, { "+7", false, true },	 { "--7", false, false }, { "12345678", false, true }, { "1234567.", true, false },
		{ "/", false, false },	{ ":", false, false },	 { "1e5", false, false }, { "\xb0", false, false },    { "1\xff", false, false },
	};
	struct run r;

	for (size_t i = 0; i < sizeof c / sizeof *c; i++)
		for (uint32_t n = 0; n < 9; n++) {
			for (uint32_t k = 0; k < n; k++)
				put(&r, k, "1.25\0\0\0", 4);
			put(&r, n, c[i].text, (uint32_t)strlen(c[i].text));
			check_floats(ops, &r, n + 1, n + c[i].is_float);
			for (uint32_t k = 0; k < n; k++)
				put(&r, k, "-125\0\0\0", 4);
			check_ints(ops, &r, n + 1, n + c[i].is_int);
		}
}

int main(void)
{
	static const char *const form[] = { "form, portable", "form, sse2", "form, avx2", "form, avx512" };
	static const char *const runs[] = { "runs, portable", "runs, sse2", "runs, avx2", "runs, avx512" };

	for (enum simd_level l = SIMD_PORTABLE; l <= simd_level(); l++) {
		TEST(form[l]) test_form(short_nums_ops(l));
		TEST(runs[l]) for (int i = 0; i < ROUNDS; i++) one_run(short_nums_ops(l), i & 1);
	}
	return test_done();
}

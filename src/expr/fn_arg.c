/* Reading arguments and building results. */
#include <stdlib.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "expr/fn_impl.h"
#include "expr/rowop.h"

static bool print_arg(struct fn_call *c, const struct value *v, const char **p, size_t *n)
{
	struct buf b = { 0 };

	value_print(&b, v, c->env ? c->env->format : NULL);
	*p = arena_copy(c->arena, b.p, b.n);
	*n = b.n;
	buf_release(&b);
	return true;
}

bool fn_arg_str(struct fn_call *c, const struct value *v, const char **p, size_t *n)
{
	char *d;

	if (likely(type_is_bytes(v->type))) {
		*p = v->n ? v->s : "";
		*n = v->n;
		return true;
	}
	switch (v->type) {
	case T_NULL:
		return fn_fail(c, "null where text is wanted");
	case T_LIST:
		return fn_fail(c, "a list, not text");
	case T_OBJECT:
		return fn_fail(c, "an object, not text");
	case T_INT:
		*p = d = arena_bytes(c->arena, NUM_MAX);
		*n = num_format_int(v->i, d);
		return true;
	default:
		return print_arg(c, v, p, n);
	}
}

static const char *why_no_number(const struct value *v)
{
	switch (v->type) {
	case T_NULL:
		return "null where a number is wanted";
	case T_BOOL:
		return "true or false, not a number: use int()";
	case T_TIME:
		return "a time, not a number: use epoch()";
	case T_DUR:
		return "a duration, not a number: use seconds()";
	case T_STR:
		return "text, not a number: use number()";
	case T_LIST:
		return "a list, not a number";
	case T_OBJECT:
		return "an object, not a number";
	default:
		return "not a number";
	}
}

bool fn_arg_num(struct fn_call *c, const struct value *v, struct num *out)
{
	if (value_num(v, out) != NUM_NOT)
		return true;
	return fn_fail(c, why_no_number(v));
}

bool fn_arg_double(struct fn_call *c, const struct value *v, double *out)
{
	struct num n;

	if (!fn_arg_num(c, v, &n))
		return false;
	*out = n.kind == NUM_INT ? (double)n.i : n.f;
	return true;
}

bool fn_arg_int(struct fn_call *c, const struct value *v, int64_t *out)
{
	struct num n;

	if (!fn_arg_num(c, v, &n))
		return false;
	if (n.kind == NUM_INT) {
		*out = n.i;
		return true;
	}
	return num_double_to_int(n.f, out) || fn_fail(c, "not a whole number of 64 bits");
}

bool fn_arg_time(struct fn_call *c, const struct value *v, int64_t *ns)
{
	struct time_opts none = { 0 };
	bool ok = false;

	if (v->type == T_TIME) {
		*ns = v->i;
		return true;
	}
	if (v->type == T_INT)
		ok = time_from_int(v->i, ns);
	else if (v->type == T_FLOAT)
		ok = time_from_double(v->f, ns);
	else if (type_is_bytes(v->type))
		ok = time_parse(v->s, v->n, c->env ? &c->env->time : &none, ns);
	return ok || fn_fail(c, "not a time");
}

/* Nanoseconds of a unit's name, singular or plural; 0 when there is none such. */
static int64_t unit_ns(const char *p, size_t n)
{
	static const struct {
		char name[12];
		int64_t ns;
	} units[] = { { "nanosecond", 1 },	  { "microsecond", 1000 },	  { "millisecond", 1000000 },
		      { "second", TIME_NS },	  { "minute", 60 * TIME_NS },	  { "hour", 3600 * TIME_NS },
		      { "day", 86400 * TIME_NS }, { "week", 7 * 86400 * TIME_NS } };

	if (n > 1 && (p[n - 1] | 32) == 's')
		n--;
	for (unsigned i = 0; i < ARRAY_LEN(units); i++)
		if (n == strlen(units[i].name) && !strncasecmp(p, units[i].name, n))
			return units[i].ns;
	return 0;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

/* "10 seconds", "1 hour 30 minutes", "1 day": a duration in words, as SQL writes intervals. */
static bool dur_words(const char *p, size_t n, int64_t *ns)
{
	const char *end = p + n, *word, *number = NULL;

	*ns = 0;
	for (p = skip_blanks(p, end); p < end; p = skip_blanks(p, end)) {
		int64_t v = 0, unit;

		for (number = p; p < end && (unsigned)(*p - '0') < 10; p++)
			if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
				return false;
		if (p == number)
			return false;
		for (word = p = skip_blanks(p, end); p < end && (unsigned)((*p | 32) - 'a') < 26; p++)
			;
		unit = unit_ns(word, (size_t)(p - word));
		if (!unit || __builtin_mul_overflow(v, unit, &v) || __builtin_add_overflow(*ns, v, ns))
			return false;
	}
	return number != NULL;
}

bool fn_arg_dur(struct fn_call *c, const struct value *v, int64_t *ns)
{
	if (v->type == T_DUR) {
		*ns = v->i;
		return true;
	}
	if (type_is_bytes(v->type) && (dur_parse(v->s, v->n, ns, NULL) || dur_words(v->s, v->n, ns)))
		return true;
	return fn_fail(c, "not a duration");
}

bool fn_arg_list(struct fn_call *c, const struct value *v, const struct value **items, uint32_t *n)
{
	if (v->type != T_LIST)
		return fn_fail(c, "not a list");
	*items = v->items;
	*n = v->n;
	return true;
}

/* ---- patterns ---- */

struct regex_cache {
	struct regex *re; /* NULL: the pattern is malformed */
	char *pattern;
	size_t n;
};

static struct regex_cache *cache_fill(const char *p, size_t n, struct err *e)
{
	struct regex_cache *k = xmalloc(sizeof *k);

	k->re = regex_compile(p, n, e);
	k->pattern = xstrndup(n ? p : "", n);
	k->n = n;
	return k;
}

struct regex *fn_arg_regex(struct fn_call *c, const struct value *v)
{
	struct regex_cache *k = c->state;
	struct err e = { 0 };

	if (!type_is_bytes(v->type)) {
		fn_fail(c, "not a pattern");
		return NULL;
	}
	if (unlikely(!k || k->n != v->n || memcmp(k->pattern, v->s, v->n))) {
		fn_unprepare_regex(c);
		c->state = k = cache_fill(v->s, v->n, &e);
	}
	if (!k->re)
		fn_fail(c, "malformed pattern");
	return k->re;
}

/* The pattern is the second argument of every function that takes one. */
int fn_prepare_regex(struct fn_call *c, const struct value *const *lits, uint32_t n, struct err *e)
{
	c->state = NULL;
	if (n < 2 || !lits[1] || !type_is_bytes(lits[1]->type))
		return 0;
	c->state = cache_fill(lits[1]->s, lits[1]->n, e);
	if (((struct regex_cache *)c->state)->re)
		return 0;
	fn_unprepare_regex(c);
	return -1;
}

void fn_unprepare_regex(struct fn_call *c)
{
	struct regex_cache *k = c->state;

	if (!k)
		return;
	regex_free(k->re);
	free(k->pattern);
	free(k);
	c->state = NULL;
}

/* ---- results ---- */

char *fn_room(struct fn_call *c, size_t n)
{
	if (n <= FN_TEXT_MAX)
		return arena_bytes(c->arena, n);
	fn_fail(c, "result longer than 256 MiB");
	return NULL;
}

static bool items_fit(struct fn_call *c, size_t n)
{
	return n <= FN_ITEMS_MAX || fn_fail(c, "result of more than 16 million items");
}

struct value *fn_items(struct fn_call *c, size_t n) { return items_fit(c, n) ? arena_array(c->arena, struct value, n) : NULL; }

struct field *fn_fields(struct fn_call *c, size_t n) { return items_fit(c, n) ? arena_array(c->arena, struct field, n) : NULL; }

size_t fn_clamp(int64_t at, size_t n)
{
	if (at < 0)
		at = at < -(int64_t)n ? 0 : at + (int64_t)n;
	return (uint64_t)at > n ? n : (size_t)at;
}

#if defined(__SSE2__)
/* Candidates are places where both the first and the last byte of the needle (n >= 2) fit, 16 at a time; *p moves past what was
 * looked at. */
static const char *find_blocks(const char **p, const char *end, struct fn_text needle)
{
	const __m128i first = _mm_set1_epi8(needle.p[0]), last = _mm_set1_epi8(needle.p[needle.n - 1]);

	for (; end - *p >= (ptrdiff_t)(needle.n + 15); *p += 16) {
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)*p);
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(*p + needle.n - 1));
		unsigned m = (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, last)));

		for (; m; m &= m - 1) {
			const char *at = *p + __builtin_ctz(m);

			if (!memcmp(at + 1, needle.p + 1, needle.n - 2))
				return at;
		}
	}
	return NULL;
}
#endif

#define FIND_SHORT 64 /* longer needles go to memmem, whose worst case is linear */

static const char *find_short(const char *p, const char *end, struct fn_text needle)
{
#if defined(__SSE2__)
	const char *hit = needle.n > 1 ? find_blocks(&p, end, needle) : NULL;

	if (hit)
		return hit;
#endif
	while (end - p >= (ptrdiff_t)needle.n) {
		p = memchr(p, needle.p[0], (size_t)(end - p) - needle.n + 1);
		if (!p || !memcmp(p, needle.p, needle.n))
			return p;
		p++;
	}
	return NULL;
}

size_t fn_find_bytes(struct fn_text s, struct fn_text needle, size_t from)
{
	const char *at;

	if (from > s.n || needle.n > s.n - from)
		return (size_t)-1;
	if (!needle.n)
		return from;
	if (needle.n <= FIND_SHORT)
		at = find_short(s.p + from, s.p + s.n, needle);
	else
		at = memmem(s.p + from, s.n - from, needle.p, needle.n);
	return at ? (size_t)(at - s.p) : (size_t)-1;
}

bool fn_equal(struct fn_call *c, const struct value *a, const struct value *b)
{
	const char *ignored = NULL;

	return rowop_compare(OP_EQ, a, b, c->env, &ignored) == 1;
}

bool fn_arg_zone(struct fn_call *c, const struct value *args, uint32_t n, uint32_t at, const struct zone **z)
{
	struct err e = { 0 };
	struct fn_text t;

	*z = c->env ? c->env->time.zone : NULL;
	if (at >= n)
		return true;
	if (!fn_text(c, &args[at], &t))
		return false;
	*z = zone_get(t.p, t.n, &e);
	return !e.kind || fn_fail(c, "unknown time zone");
}

/* Merge the sorted halves v[0..mid) and v[mid..n) through tmp. */
static void merge_halves(struct value *v, size_t mid, size_t n, struct value *tmp, int sign)
{
	size_t i = 0, j = mid;

	if (sign * value_cmp(&v[mid - 1], &v[mid]) <= 0)
		return;
	memcpy(tmp, v, mid * sizeof *v);
	for (size_t k = 0; i < mid; k++)
		v[k] = j < n && sign * value_cmp(&tmp[i], &v[j]) > 0 ? v[j++] : tmp[i++];
}

static void sort_run(struct value *v, size_t n, struct value *tmp, int sign)
{
	if (n < 8) {
		for (size_t i = 1; i < n; i++) {
			struct value x = v[i];
			size_t k = i;

			for (; k && sign * value_cmp(&v[k - 1], &x) > 0; k--)
				v[k] = v[k - 1];
			v[k] = x;
		}
		return;
	}
	sort_run(v, n / 2, tmp, sign);
	sort_run(v + n / 2, n - n / 2, tmp, sign);
	merge_halves(v, n / 2, n, tmp, sign);
}

/* Nulls move to the end, in order; returns how many are not. */
static size_t nulls_last(struct value *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i].type != T_NULL)
			v[kept++] = v[i];
	for (size_t i = kept; i < n; i++)
		v[i] = v_null();
	return kept;
}

void fn_sort_values(struct arena *a, struct value *items, size_t n, bool desc)
{
	n = nulls_last(items, n);
	sort_run(items, n, arena_array(a, struct value, n / 2 + 1), desc ? -1 : 1);
}

char *fn_sb_room(struct fn_sb *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;
	char *p;

	if (b->full || n > FN_TEXT_MAX - b->n) {
		b->full = true;
		return NULL;
	}
	if (n <= b->cap - b->n)
		return b->p + b->n;
	while (cap - b->n < n)
		cap *= 2;
	p = arena_bytes(b->c->arena, cap);
	if (b->n)
		memcpy(p, b->p, b->n);
	b->p = p;
	b->cap = cap;
	return p + b->n;
}

void fn_sb_add(struct fn_sb *b, const void *p, size_t n)
{
	char *d = fn_sb_room(b, n);

	if (!d)
		return;
	if (n)
		memcpy(d, p, n);
	b->n += n;
}

void fn_sb_out(struct fn_sb *b, struct value *out)
{
	if (b->full)
		fn_room(b->c, FN_TEXT_MAX + 1);
	else
		*out = v_str(b->p ? b->p : "", b->n);
}

void fn_lb_add(struct fn_lb *b, struct value v)
{
	size_t cap = b->cap ? b->cap * 2 : 16;
	struct value *items;

	if (b->full)
		return;
	if (b->n == b->cap) {
		items = fn_items(b->c, cap);
		b->full = !items;
		if (b->full)
			return;
		if (b->n)
			memcpy(items, b->v, b->n * sizeof *items);
		b->v = items;
		b->cap = cap;
	}
	b->v[b->n++] = v;
}

void fn_lb_out(struct fn_lb *b, struct value *out)
{
	if (!b->full)
		*out = v_list(b->v, b->n);
}

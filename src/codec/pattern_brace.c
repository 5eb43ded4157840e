/* "{ip} - {user} [{ts}]": literal text with captures between. The whole text must match; each capture takes the shortest run that
 * lets what follows match, which for literals in a row means: the first occurrence of the next one, and the last literal at the
 * very end. */
#include "codec/pattern_impl.h"

#include <stdlib.h>

struct literal {
	const char *p;
	size_t n;
};

struct brace_pattern {
	struct pattern base;
	struct literal *lit; /* n_parts + 1: before, between and after the captures; the first and last may be empty */
	int *field;	     /* of each capture, -1: skipped */
	uint32_t n_parts;
	const char *names[PATTERN_FIELDS_MAX];
};

/* The compiler's place in the text. */
struct scan {
	struct brace_pattern *b;
	const char *p;
	size_t n, at;
	struct buf lit; /* the literal being read */
	size_t cap_lit, cap_field;
	struct err *err;
};

static int fail(struct scan *s, size_t at, size_t n, const char *what)
{
	return err_at(s->err, (struct pos){ .unit = -1, .at = (int)at, .n = (int)n }, "%s", what);
}

static void literal_done(struct scan *s)
{
	struct brace_pattern *b = s->b;

	b->lit = xgrow(b->lit, &s->cap_lit, b->n_parts + 1, sizeof *b->lit);
	b->lit[b->n_parts].n = s->lit.n;
	b->lit[b->n_parts].p = s->lit.n ? arena_copy(&b->base.keep, s->lit.p, s->lit.n) : "";
	s->lit.n = 0;
}

static bool name_char(unsigned char c)
{
	return c >= 0x80 || (unsigned)(c | 32) - 'a' < 26 || (unsigned)c - '0' < 10 || c == '_' || c == '-' || c == '.';
}

static int check_name(struct scan *s, size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (name_char((unsigned char)s->p[at + i]))
			continue;
		fail(s, at + i, 1, "a capture's name is letters, digits, '_', '-' and '.'");
		if (s->p[at + i] == ':')
			return err_hint(s->err,
					"no type is needed: text that looks like a number is one where a number is wanted");
		return err_hint(s->err, "a literal brace is written {{");
	}
	return 0;
}

static int add_field(struct scan *s, size_t at, size_t n)
{
	struct pattern *p = &s->b->base;
	char *name = arena_str(&p->keep, s->p + at, n);

	for (uint32_t f = 0; f < p->n_fields; f++)
		if (!strcmp(s->b->names[f], name))
			return fail(s, at, n, "this name is captured twice");
	if (p->n_fields == PATTERN_FIELDS_MAX)
		return fail(s, at, n, "more than 64 captures");
	s->b->names[p->n_fields] = name;
	s->b->field[s->b->n_parts] = (int)p->n_fields;
	pattern_set_fields(p, s->b->names, p->n_fields + 1);
	return 0;
}

/* "{name}" at s->at. */
static int compile_capture(struct scan *s)
{
	struct brace_pattern *b = s->b;
	size_t at = s->at + 1;
	const char *close = memchr(s->p + at, '}', s->n - at);
	size_t n = close ? (size_t)(close - s->p) - at : 0;

	if (!close) {
		fail(s, s->at, 1, "a '{' without its '}'");
		return err_hint(s->err, "a literal brace is written {{");
	}
	if (b->n_parts && !s->lit.n) {
		fail(s, s->at, n + 2, "two captures need some text between them");
		return err_hint(s->err, "put the separator between them, or use one capture, or a /regex with (?<names>)/");
	}
	if (check_name(s, at, n))
		return -1;
	literal_done(s);
	b->field = xgrow(b->field, &s->cap_field, b->n_parts + 1, sizeof *b->field);
	b->field[b->n_parts] = -1;
	if (n && add_field(s, at, n))
		return -1;
	b->n_parts++;
	s->at = at + n + 1;
	return 0;
}

static int compile_step(struct scan *s)
{
	char c = s->p[s->at];
	bool twice = s->at + 1 < s->n && s->p[s->at + 1] == c;

	if (c == '{' && !twice)
		return compile_capture(s);
	if (c == '}' && !twice) {
		fail(s, s->at, 1, "a '}' without its '{'");
		return err_hint(s->err, "a literal brace is written }}");
	}
	buf_char(&s->lit, c);
	s->at += c == '{' || c == '}' ? 2 : 1;
	return 0;
}

static int compile(struct scan *s)
{
	while (s->at < s->n)
		if (compile_step(s))
			return -1;
	literal_done(s);
	if (!s->b->base.n_fields) {
		fail(s, 0, s->n, "the pattern captures nothing");
		return err_hint(s->err, "write {name} where a field's text stands");
	}
	return 0;
}

static const char *find(const char *p, const char *end, const struct literal *l)
{
	if (l->n == 1)
		return memchr(p, *l->p, (size_t)(end - p));
	return memmem(p, (size_t)(end - p), l->p, l->n);
}

static const char *brace_row(struct pattern *p, const char *s, size_t n, struct value *slot)
{
	struct brace_pattern *b = (struct brace_pattern *)p;
	const struct literal *first = &b->lit[0], *last = &b->lit[b->n_parts];
	const char *end = s + n - last->n;

	if (n < first->n + last->n || memcmp(s, first->p, first->n) || memcmp(end, last->p, last->n))
		return "does not match the pattern";
	s += first->n;
	for (uint32_t i = 0; i < b->n_parts; i++) {
		const char *stop = i + 1 < b->n_parts ? find(s, end, &b->lit[i + 1]) : end;

		if (!stop)
			return "does not match the pattern";
		if (b->field[i] >= 0)
			slot[b->field[i]] = v_text(s, (size_t)(stop - s));
		s = stop + b->lit[i + 1].n;
	}
	return NULL;
}

static void brace_free(struct pattern *p)
{
	struct brace_pattern *b = (struct brace_pattern *)p;

	free(b->lit);
	free(b->field);
}

static const struct pattern_def brace_def = { .row = brace_row, .free = brace_free };

struct pattern *pattern_brace(const char *p, size_t n, struct err *e)
{
	struct scan s = { .p = p, .n = n, .err = e };
	int bad;

	s.b = xcalloc(1, sizeof *s.b);
	s.b->base.def = &brace_def;
	bad = compile(&s);
	buf_release(&s.lit);
	if (!bad)
		return &s.b->base;
	pattern_free(&s.b->base);
	return NULL;
}

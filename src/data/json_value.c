#include "data/json_value.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"
#include "data/hash.h"

#define STACK_INLINE 64 /* open items before the stack moves to the heap */
#define LINEAR_KEYS 12	/* up to here duplicate keys are found by comparing all pairs */

struct reader {
	const char *p, *end;
	struct arena *arena;
	const char *why;
	struct field *stack; /* items of the open lists and objects; lists use .v only */
	size_t n, cap;
	unsigned depth;
	struct field room[STACK_INLINE];
};

static int fail(struct reader *r, const char *why)
{
	r->why = why;
	return -1;
}

static inline void skip_space(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
		r->p++;
}

static void stack_grow(struct reader *r)
{
	struct field *old = r->stack;

	r->cap *= 4;
	if (old == r->room) {
		r->stack = xmalloc(r->cap * sizeof *r->stack);
		memcpy(r->stack, old, r->n * sizeof *old);
	} else {
		r->stack = xrealloc(old, r->cap * sizeof *r->stack);
	}
}

static inline struct field *stack_push(struct reader *r)
{
	if (unlikely(r->n == r->cap))
		stack_grow(r);
	return &r->stack[r->n++];
}

/* Bytes of w below 0x20, '"', '\\' or above 0x7F get their high bit (and none below the lowest such byte). */
static inline uint64_t special_bytes(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
	uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');

	return ((quote - ones) | (slash - ones) | (w - ones * 0x20) | w) & high;
}

/* The first byte at or after p that ends a plain run. special_bytes may flag one early: the byte loop looks again. */
static const char *plain_run(const char *p, const char *end)
{
	uint64_t w;

	for (;;) {
		while (end - p >= 8) {
			memcpy(&w, p, 8);
			if (special_bytes(w))
				break;
			p += 8;
		}
		for (unsigned i = 0; i < 8; i++, p++) {
			unsigned char c;

			if (p == end)
				return p;
			c = (unsigned char)*p;
			if (c < 0x20 || c == '"' || c == '\\' || c >= 0x80)
				return p;
		}
	}
}

static int hex4(const char *p, const char *end, uint32_t *out)
{
	uint32_t v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)p[i], d;

		if (c - '0' < 10)
			d = c - '0';
		else if ((c | 32) - 'a' < 6)
			d = (c | 32) - 'a' + 10;
		else
			return -1;
		v = v << 4 | d;
	}
	*out = v;
	return 0;
}

/* \uXXXX, at the first digit; a surrogate pair is one character. Writes the character to *d. */
static int read_unicode(struct reader *r, char **d)
{
	uint32_t cp, low;

	if (hex4(r->p, r->end, &cp))
		return fail(r, "bad \\u escape");
	r->p += 4;
	if (cp >= 0xD800 && cp <= 0xDFFF) {
		if (cp >= 0xDC00 || r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u' || hex4(r->p + 2, r->end, &low) ||
		    low < 0xDC00 || low > 0xDFFF)
			return fail(r, "lone surrogate in a \\u escape");
		r->p += 6;
		cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
	}
	*d += utf8_put(cp, *d);
	return 0;
}

static int read_escape(struct reader *r, char **d)
{
	char c;

	if (++r->p == r->end)
		return fail(r, "string without an end");
	switch (*r->p++) {
	case '"':
		c = '"';
		break;
	case '\\':
		c = '\\';
		break;
	case '/':
		c = '/';
		break;
	case 'b':
		c = '\b';
		break;
	case 'f':
		c = '\f';
		break;
	case 'n':
		c = '\n';
		break;
	case 'r':
		c = '\r';
		break;
	case 't':
		c = '\t';
		break;
	case 'u':
		return read_unicode(r, d);
	default:
		return fail(r, "unknown escape in a string");
	}
	*(*d)++ = c;
	return 0;
}

/* One past the closing quote, whose content starts at p; NULL when there is none. *escaped and *high say what is in it. */
static const char *string_end(struct reader *r, const char *p, bool *escaped, bool *high)
{
	for (;;) {
		p = plain_run(p, r->end);
		if (p == r->end) {
			fail(r, "string without an end");
			return NULL;
		}
		if (*p == '"')
			return p + 1;
		if (*p == '\\') {
			*escaped = true;
			if (++p == r->end)
				continue;
		} else if ((unsigned char)*p >= 0x80) {
			*high = true;
		} else {
			fail(r, "control character in a string");
			return NULL;
		}
		p++;
	}
}

static int unescape(struct reader *r, const char *close, const char **s, uint32_t *n)
{
	char *d = arena_bytes(r->arena, (size_t)(close - r->p)), *start = d;

	while (r->p < close) {
		const char *slash = memchr(r->p, '\\', (size_t)(close - r->p));
		size_t plain = (size_t)((slash ? slash : close) - r->p);

		memcpy(d, r->p, plain);
		d += plain;
		r->p += plain;
		if (slash && read_escape(r, &d))
			return -1;
	}
	*s = start;
	*n = (uint32_t)(d - start);
	return 0;
}

/* A string, at its opening quote. */
static int read_string(struct reader *r, const char **s, uint32_t *n)
{
	bool escaped = false, high = false;
	const char *after = string_end(r, ++r->p, &escaped, &high);

	if (!after)
		return -1;
	if (high && !utf8_valid(r->p, (size_t)(after - 1 - r->p)))
		return fail(r, "malformed UTF-8 in a string");
	if (escaped) {
		if (unescape(r, after - 1, s, n))
			return -1;
	} else {
		*s = r->p;
		*n = (uint32_t)(after - 1 - r->p);
	}
	r->p = after;
	return 0;
}

static inline bool at_digit(const struct reader *r) { return r->p < r->end && (unsigned)(*r->p - '0') < 10; }

static bool skip_digits(struct reader *r)
{
	const char *start = r->p;

	while (at_digit(r))
		r->p++;
	return r->p > start;
}

static int read_number(struct reader *r, struct value *out)
{
	const char *start = r->p;

	if (*r->p == '-')
		r->p++;
	if (r->p < r->end && *r->p == '0')
		r->p++;
	else if (!skip_digits(r))
		return fail(r, "not a JSON value");
	if (r->p < r->end && *r->p == '.') {
		r->p++;
		if (!skip_digits(r))
			return fail(r, "number without digits after its point");
	}
	if (r->p < r->end && (*r->p | 32) == 'e') {
		r->p++;
		if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
			r->p++;
		if (!skip_digits(r))
			return fail(r, "number without digits in its exponent");
	}
	*out = v_bytes(T_NUM, start, (size_t)(r->p - start));
	return 0;
}

static int read_word(struct reader *r, const char *word, struct value v, struct value *out)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n))
		return fail(r, "not a JSON value");
	r->p += n;
	*out = v;
	return 0;
}

static int read_value(struct reader *r, struct value *out);

static int read_list(struct reader *r, struct value *out)
{
	size_t base = r->n;
	struct value *items;

	r->p++;
	skip_space(r);
	if (r->p < r->end && *r->p == ']') {
		r->p++;
		*out = v_list(NULL, 0);
		return 0;
	}
	for (;; r->p++) {
		struct value v;

		if (read_value(r, &v))
			return -1;
		stack_push(r)->v = v;
		skip_space(r);
		if (r->p == r->end || *r->p != ',')
			break;
	}
	if (r->p == r->end || *r->p != ']')
		return fail(r, "list: `,` or `]` expected");
	r->p++;
	items = arena_array(r->arena, struct value, r->n - base);
	for (size_t i = base; i < r->n; i++)
		items[i - base] = r->stack[i].v;
	*out = v_list(items, r->n - base);
	r->n = base;
	return 0;
}

static inline bool same_name(const struct field *a, const struct field *b)
{
	return a->name_n == b->name_n && !memcmp(a->name, b->name, a->name_n);
}

/* Both give the index of the earlier field of f[0..i) with f[i]'s name, or i. */
static size_t find_linear(const struct field *f, size_t i)
{
	size_t k = 0;

	while (k < i && !same_name(&f[k], &f[i]))
		k++;
	return k;
}

static size_t find_hashed(const struct field *f, size_t i, uint32_t *slots, uint64_t mask)
{
	uint64_t at = hash_bytes(f[i].name, f[i].name_n) & mask;

	for (; slots[at]; at = (at + 1) & mask)
		if (same_name(&f[slots[at] - 1], &f[i]))
			return slots[at] - 1;
	slots[at] = (uint32_t)i + 1;
	return i;
}

size_t fields_unique(struct field *f, size_t n)
{
	uint32_t *slots = NULL;
	uint64_t mask = 0;
	size_t kept = 0;

	if (n > LINEAR_KEYS) {
		for (mask = 32; mask < n * 2; mask *= 2)
			;
		slots = xcalloc(mask--, sizeof *slots);
	}
	for (size_t i = 0; i < n; i++) {
		size_t k;

		f[kept] = f[i];
		k = slots ? find_hashed(f, kept, slots, mask) : find_linear(f, kept);
		if (k == kept)
			kept++;
		else
			f[k].v = f[kept].v;
	}
	free(slots);
	return kept;
}

/* `"name" :`, at the white space before it. */
static int read_name(struct reader *r, struct field *f)
{
	skip_space(r);
	if (r->p == r->end || *r->p != '"')
		return fail(r, "object: a quoted name expected");
	if (read_string(r, &f->name, &f->name_n))
		return -1;
	if (memchr(f->name, 0, f->name_n))
		return fail(r, "object: NUL in a name");
	skip_space(r);
	if (r->p == r->end || *r->p != ':')
		return fail(r, "object: `:` expected");
	r->p++;
	return 0;
}

static int read_object(struct reader *r, struct value *out)
{
	size_t base = r->n, n;

	r->p++;
	skip_space(r);
	if (r->p < r->end && *r->p == '}') {
		r->p++;
		*out = v_object(NULL, 0);
		return 0;
	}
	for (;; r->p++) {
		struct field f;

		if (read_name(r, &f) || read_value(r, &f.v))
			return -1;
		*stack_push(r) = f;
		skip_space(r);
		if (r->p == r->end || *r->p != ',')
			break;
	}
	if (r->p == r->end || *r->p != '}')
		return fail(r, "object: `,` or `}` expected");
	r->p++;
	n = fields_unique(r->stack + base, r->n - base);
	*out = v_object(memcpy(arena_array(r->arena, struct field, n), r->stack + base, n * sizeof(struct field)), n);
	r->n = base;
	return 0;
}

static int read_nested(struct reader *r, struct value *out)
{
	int rc;

	if (r->depth == JSON_DEPTH_MAX)
		return fail(r, "nested too deep");
	r->depth++;
	rc = *r->p == '[' ? read_list(r, out) : read_object(r, out);
	r->depth--;
	return rc;
}

static int read_value(struct reader *r, struct value *out)
{
	skip_space(r);
	if (r->p == r->end)
		return fail(r, "ends where a value is expected");
	switch (*r->p) {
	case '[':
	case '{':
		return read_nested(r, out);
	case '"':
		*out = v_str(NULL, 0);
		return read_string(r, &out->s, &out->n);
	case 't':
		return read_word(r, "true", v_bool(true), out);
	case 'f':
		return read_word(r, "false", v_bool(false), out);
	case 'n':
		return read_word(r, "null", v_null(), out);
	default:
		return read_number(r, out);
	}
}

int value_from_json(const char *p, size_t n, struct arena *a, struct value *out, const char **why)
{
	struct reader r;
	int rc;

	r.p = p;
	r.end = p + n;
	r.arena = a;
	r.why = NULL;
	r.stack = r.room;
	r.n = r.depth = 0;
	r.cap = STACK_INLINE;
	if (n > VALUE_LEN_MAX)
		rc = fail(&r, "longer than 4 GiB");
	else
		rc = read_value(&r, out);
	skip_space(&r);
	if (!rc && r.p < r.end)
		rc = fail(&r, "text behind the value");
	if (r.stack != r.room)
		free(r.stack);
	if (rc) {
		*out = v_null();
		*why = r.why;
	}
	return rc;
}

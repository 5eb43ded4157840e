#include "codec/json_walk.h"

#include "base/json.h"
#include "base/utf8.h"
#include "data/json_value.h"

static inline bool is_digit(char c) { return (unsigned)(c - '0') < 10; }

static bool number_ok(const char *p, const char *end)
{
	const char *q;

	if (p < end && *p == '-')
		p++;
	if (p == end || !is_digit(*p))
		return false;
	q = p + 1;
	if (*p != '0')
		while (q < end && is_digit(*q))
			q++;
	if (q < end && *q == '.') {
		for (p = ++q; q < end && is_digit(*q);)
			q++;
		if (q == p)
			return false;
	}
	if (q < end && (*q | 32) == 'e') {
		q++;
		if (q < end && (*q == '+' || *q == '-'))
			q++;
		for (p = q; q < end && is_digit(*q);)
			q++;
		if (q == p)
			return false;
	}
	return q == end;
}

bool json_scalar_ok(const char *p, const char *end)
{
	switch (*p) {
	case 't':
		return end - p == 4 && !memcmp(p, "true", 4);
	case 'f':
		return end - p == 5 && !memcmp(p, "false", 5);
	case 'n':
		return end - p == 4 && !memcmp(p, "null", 4);
	default:
		return number_ok(p, end);
	}
}

/* Which of the open containers are objects: a bit per level. */
struct levels {
	uint64_t object[JSON_DEPTH_MAX / 64 + 1];
	unsigned depth;
};

static inline void level_open(struct levels *l, bool object)
{
	uint64_t *word = &l->object[l->depth >> 6], bit = (uint64_t)1 << (l->depth & 63);

	*word = object ? *word | bit : *word & ~bit;
	l->depth++;
}

static inline bool level_object(const struct levels *l) { return l->object[(l->depth - 1) >> 6] >> ((l->depth - 1) & 63) & 1; }

/* Close containers from token k on, as many as end there. Returns the token where the next item starts, with *done clear, or the
 * one behind the outermost container. */
static inline uint32_t close_levels(struct json_walk *w, struct levels *l, uint32_t k, unsigned base, bool *done)
{
	const char *kind = w->ix.kind;

	while (kind[k] != ',') {
		if (unlikely(kind[k] != (level_object(l) ? '}' : ']')))
			return json_fail(w, k);
		k++;
		if (--l->depth == base) {
			*done = true;
			return k;
		}
	}
	*done = false;
	return k + 1;
}

/* Strings and keys with plain strings for values, as many as follow. */
static inline uint32_t skip_plain(const char *kind, uint32_t k, bool object)
{
	if (object) {
		while (!memcmp(kind + k, "\":\",", 4))
			k += 4;
	} else {
		while (!memcmp(kind + k, "\",", 2))
			k += 2;
	}
	return k;
}

static uint32_t level_push(struct json_walk *w, struct levels *l, uint32_t k)
{
	if (l->depth == JSON_DEPTH_MAX)
		return json_fail(w, k);
	level_open(l, w->ix.kind[k] == '{');
	return k + 1;
}

/* The token of the next value, over plain items and the value's key. */
static inline uint32_t next_value(struct json_walk *w, const struct levels *l, uint32_t k)
{
	const char *kind = w->ix.kind;
	bool object = level_object(l);

	k = skip_plain(kind, k, object);
	if (!object)
		return k;
	if (unlikely(kind[k] != '"' || kind[k + 1] != ':'))
		return json_fail(w, kind[k] == '"' ? k + 1 : k);
	return k + 2;
}

uint32_t json_skip_nested(struct json_walk *w, uint32_t k, unsigned depth)
{
	const char *kind = w->ix.kind;
	struct levels l = { .depth = depth };
	bool done = false;

	do {
		char c = kind[k];

		if (c == '{' || c == '[') {
			k = level_push(w, &l, k);
			if (k && kind[k] != '}' && kind[k] != ']') {
				k = next_value(w, &l, k);
				continue;
			}
		} else {
			k = c == '"' ? k + 1 : json_scalar(w, k);
		}
		if (k)
			k = close_levels(w, &l, k, depth, &done);
		if (k && !done)
			k = next_value(w, &l, k);
	} while (k && !done);
	return k;
}

static unsigned hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)p[i];

		v = v << 4 | (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
	return v;
}

static char escape_char(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* The scan has looked at the escapes: nothing can be wrong. p is at the backslash. */
static const char *escape_read(const char *p, char **d)
{
	uint32_t cp;

	if (p[1] != 'u') {
		*(*d)++ = escape_char(p[1]);
		return p + 2;
	}
	cp = hex4(p + 2);
	p += 6;
	if (cp >> 10 == 0xd800 >> 10) {
		cp = 0x10000 + ((cp & 0x3ff) << 10) + (hex4(p + 2) & 0x3ff);
		p += 6;
	}
	*d += utf8_put(cp, *d);
	return p;
}

static const char *unescape(struct arena *a, const char *p, const char *end, uint32_t *n)
{
	char *start = arena_bytes(a, (size_t)(end - p)), *d = start;

	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((slash ? slash : end) - p);

		memcpy(d, p, plain);
		d += plain;
		p += plain;
		if (slash)
			p = escape_read(p, &d);
	}
	*n = (uint32_t)(d - start);
	return start;
}

const char *json_unescape(struct json_walk *w, uint32_t from, uint32_t to, uint32_t *n)
{
	return unescape(w->arena, w->ix.p + from, w->ix.p + to, n);
}

/* The walk has accepted the text, so the reader does too. */
static struct value nested_value(struct json_walk *w, uint32_t k, uint32_t after)
{
	struct value v;
	const char *why;

	value_from_json(w->ix.p + w->ix.at[k], w->ix.at[after - 1] + 1 - w->ix.at[k], w->arena, &v, &why);
	return v;
}

uint32_t json_read(struct json_walk *w, uint32_t k, unsigned depth, struct value *out)
{
	const char *p = w->ix.p + w->ix.at[k];
	char c = w->ix.kind[k];
	uint32_t after, n;

	if (c == '"') {
		const char *s = json_string(w, k, &n);

		*out = v_str(s, n);
		return k + 1;
	}
	after = json_skip(w, k, depth);
	if (unlikely(!after))
		return 0;
	if (c == '{' || c == '[')
		*out = nested_value(w, k, after);
	else if (c == 't' || c == 'f')
		*out = v_bool(c == 't');
	else if (c == 'n')
		*out = v_null();
	else
		*out = v_bytes(T_NUM, p, json_token_end(&w->ix, k) - w->ix.at[k]);
	return after;
}

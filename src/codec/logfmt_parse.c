#include "codec/logfmt_parse.h"

#include "base/utf8.h"

static bool blank(char c) { return c == ' ' || c == '\t'; }

static int hex4(const char *p, const char *end, uint32_t *cp)
{
	*cp = 0;
	if (end - p < 4)
		return 0;
	for (int i = 0; i < 4; i++) {
		char c = p[i], low = (char)(c | 32);

		if (c >= '0' && c <= '9')
			*cp = *cp * 16 + (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			*cp = *cp * 16 + (uint32_t)(low - 'a' + 10);
		else
			return 0;
	}
	return 1;
}

/* \uXXXX, or two of them that are a surrogate pair, at p (behind the u). Returns the bytes read, 0: not one. */
static size_t unicode(const char *p, const char *end, char **d)
{
	uint32_t cp, low;
	size_t n = 4;

	if (!hex4(p, end, &cp))
		return 0;
	if (cp >= 0xD800 && cp < 0xDC00 && end - p >= 10 && p[4] == '\\' && p[5] == 'u' && hex4(p + 6, end, &low) &&
	    low >= 0xDC00 && low < 0xE000) {
		cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
		n = 10;
	}
	if (cp >= 0xD800 && cp < 0xE000)
		cp = 0xFFFD;
	*d += utf8_put(cp, *d);
	return n;
}

static char simple(char c)
{
	static const char from[] = "ntrbf\"\\/", to[] = "\n\t\r\b\f\"\\/";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? to[at - from] : 0;
}

/* What is between the quotes; never longer than it was. */
static struct value unescape(const char *p, const char *end, struct arena *a)
{
	char *start = arena_bytes(a, (size_t)(end - p)), *d = start;

	while (p < end) {
		size_t n;

		if (*p != '\\' || p + 1 == end) {
			*d++ = *p++;
		} else if (simple(p[1])) {
			*d++ = simple(p[1]);
			p += 2;
		} else if (p[1] == 'u' && (n = unicode(p + 2, end, &d))) {
			p += 2 + n;
		} else {
			*d++ = *p++;
		}
	}
	return v_text(start, (size_t)(d - start));
}

/* p is behind the opening quote. Returns the closing one, or NULL. */
static const char *closing(const char *p, const char *end, bool *escapes)
{
	*escapes = false;
	for (; p < end && *p != '"'; p++) {
		if (*p != '\\')
			continue;
		*escapes = true;
		if (++p == end)
			break;
	}
	return p < end ? p : NULL;
}

static int quoted(const char **p, const char *end, struct arena *a, struct value *v, const char **why)
{
	const char *from = *p + 1;
	bool escapes;
	const char *to = closing(from, end, &escapes);

	if (!to) {
		*why = "a quote opens and does not close";
		return -1;
	}
	if (to + 1 < end && !blank(to[1])) {
		*why = "text directly after a closing quote";
		return -1;
	}
	*v = escapes ? unescape(from, to, a) : v_text(from, (size_t)(to - from));
	*p = to + 1;
	return 1;
}

int logfmt_next(const char **p, const char *end, struct arena *a, struct logfmt_pair *out, const char **why)
{
	const char *s = *p, *from;

	while (s < end && blank(*s))
		s++;
	if (s == end)
		return 0;
	for (from = s; s < end && !blank(*s) && *s != '=' && *s != '"';)
		s++;
	out->key = from;
	out->key_n = (uint32_t)(s - from);
	if (!out->key_n || (s < end && *s == '"')) {
		*why = out->key_n ? "a quote in a key" : *s == '=' ? "a value without a key" : "a quote where a key should be";
		return -1;
	}
	*p = s + 1;
	if (s == end || *s != '=') {
		*p = s;
		out->v = v_bool(true);
		return 1;
	}
	if (++s < end && *s == '"')
		return quoted(p, end, a, &out->v, why);
	for (from = s; s < end && !blank(*s);)
		s++;
	*p = s;
	out->v = s > from ? v_text(from, (size_t)(s - from)) : v_null();
	return 1;
}

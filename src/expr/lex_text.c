/* Strings and regular expressions: what stands between delimiters. */
#include "expr/lex.h"

#include "base/utf8.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads min..max hexadecimal digits at p; returns how many there are, 0 if fewer than min. */
static int hex_digits(const char *p, int min, int max, uint32_t *out)
{
	int n = 0;

	for (*out = 0; n < max && hex_digit(p[n]) >= 0; n++)
		*out = *out << 4 | (uint32_t)hex_digit(p[n]);
	return n < min ? 0 : n;
}

/* `uXXXX`, a surrogate pair of them, or `u{X...}` at p; its length, 0: malformed. */
static int escape_unicode(const char *p, uint32_t *cp)
{
	uint32_t low;
	int n;

	if (p[1] == '{') {
		n = hex_digits(p + 2, 1, 6, cp);
		return n && p[2 + n] == '}' && *cp <= 0x10ffff && (*cp < 0xd800 || *cp > 0xdfff) ? n + 3 : 0;
	}
	if (!hex_digits(p + 1, 4, 4, cp))
		return 0;
	if (*cp < 0xd800 || *cp > 0xdfff)
		return 5;
	if (*cp > 0xdbff || p[5] != '\\' || p[6] != 'u' || !hex_digits(p + 7, 4, 4, &low) || low < 0xdc00 || low > 0xdfff)
		return 0;
	*cp = 0x10000 + ((*cp - 0xd800) << 10) + (low - 0xdc00);
	return 11;
}

/* The escape behind the backslash at p: its length, 0: malformed; bytes to out (*n of them, at most 4). */
static int escape(const char *p, char *out, unsigned *n)
{
	static const char names[] = "ntr0\\\"'/", bytes[] = "\n\t\r\0\\\"'/";
	const char *at = *p ? strchr(names, *p) : NULL;
	uint32_t cp;
	int len;

	*n = 1;
	if (at) {
		*out = bytes[at - names];
		return 1;
	}
	if (*p == 'x') {
		len = hex_digits(p + 1, 2, 2, &cp);
		*out = (char)cp;
		return len ? 3 : 0;
	}
	if (*p != 'u')
		return 0;
	len = escape_unicode(p, &cp);
	if (len)
		*n = utf8_put(cp, out);
	return len;
}

/* Byte of the closing quote, or -1: the string does not end on its line. */
static int string_end(const struct lexer *lx, int at)
{
	char quote = lx->p[at];

	for (int i = at + 1; i < lx->n && lx->p[i] != '\n'; i++) {
		if (lx->p[i] == quote)
			return i;
		if (lx->p[i] == '\\' && i + 1 < lx->n && lx->p[i + 1] != '\n')
			i++;
	}
	return -1;
}

static int line_end(const struct lexer *lx, int at)
{
	while (at < lx->n && lx->p[at] != '\n')
		at++;
	return at;
}

static void bad_escape(const struct lexer *lx, struct token *t, int at, struct err *e)
{
	uint32_t cp;
	int n = (int)utf8_decode(lx->p + at + 1, (size_t)(lx->n - at - 1), &cp);

	lex_fail(lx, t, at, 1 + n, e, "unknown escape in a string: `\\%.*s`", n, lx->p + at + 1);
	err_hint(e, "escapes are \\n \\t \\r \\0 \\\\ \\\" \\' \\/ \\xHH \\uXXXX \\u{...}; a backslash is \\\\");
}

void lex_string(const struct lexer *lx, struct token *t, struct err *e)
{
	int end = string_end(lx, t->at), i = t->at + 1;
	unsigned n = 0, w;
	char *d;

	if (end < 0) {
		end = line_end(lx, t->at);
		lex_fail(lx, t, t->at, end - t->at, e, "the string is not closed");
		return;
	}
	t->kind = TK_STR;
	t->n = end + 1 - t->at;
	d = arena_bytes(lx->a, (size_t)t->n);
	while (i < end) {
		int len = 0;

		if (lx->p[i] != '\\') {
			d[n++] = lx->p[i++];
			continue;
		}
		len = escape(lx->p + i + 1, d + n, &w);
		if (!len) {
			bad_escape(lx, t, i, e);
			return;
		}
		i += 1 + len;
		n += w;
	}
	d[n] = 0;
	t->lit = v_str(d, n);
}

/* The byte behind the character or escape at i. */
static int char_end(const struct lexer *lx, int i)
{
	return i + (lx->p[i] == '\\' && i + 1 < lx->n && lx->p[i + 1] != '\n' ? 2 : 1);
}

/* Behind `[:alpha:]` if that is at i, else i + 1. */
static int posix_end(const struct lexer *lx, int i)
{
	int k = i + 2;

	if (lx->p[i + 1] != ':')
		return i + 1;
	while ((lx->p[k] >= 'a' && lx->p[k] <= 'z') || lx->p[k] == '^')
		k++;
	return lx->p[k] == ':' && lx->p[k + 1] == ']' ? k + 2 : i + 1;
}

/* Behind the `]` of the character class opened before i, or the end of the line. As in PCRE2 a `]` that comes first is literal.
 */
static int class_end(const struct lexer *lx, int i)
{
	const char *p = lx->p;

	i += p[i] == '^';
	i += p[i] == ']';
	while (i < lx->n && p[i] != '\n' && p[i] != ']')
		i = p[i] == '[' ? posix_end(lx, i) : char_end(lx, i);
	return i < lx->n && p[i] == ']' ? i + 1 : i;
}

/* Byte of the closing `/`, or -1. */
static int regex_end(const struct lexer *lx, int at)
{
	int i = at + 1;

	while (i < lx->n && lx->p[i] != '\n') {
		if (lx->p[i] == '/')
			return i;
		i = lx->p[i] == '[' ? class_end(lx, i + 1) : char_end(lx, i);
	}
	return -1;
}

/* Flags behind the closing `/`, into out as "(?im)"; -1: one is unknown. */
static int regex_flags(const struct lexer *lx, struct token *t, int i, char *out, struct err *e)
{
	static const char known[] = "imsx";
	bool on[sizeof known] = { false };
	int n = 0, from = i;

	for (; i < lx->n && name_char(lx->p[i]); i++) {
		const char *k = strchr(known, lx->p[i]);

		if (!k) {
			uint32_t cp;
			int w = (int)utf8_decode(lx->p + i, (size_t)(lx->n - i), &cp);

			lex_fail(lx, t, i, w, e, "unknown regex flag: `%.*s`", w, lx->p + i);
			err_hint(e, "flags are i (ignore case), m (lines), s (dot takes newlines), x (extended)");
			return -1;
		}
		on[k - known] = true;
	}
	t->n = i - t->at;
	if (i == from)
		return 0;
	out[n++] = '(';
	out[n++] = '?';
	for (int k = 0; known[k]; k++)
		if (on[k])
			out[n++] = known[k];
	out[n++] = ')';
	return n;
}

static void open_regex(const struct lexer *lx, struct token *t, struct err *e)
{
	lex_fail(lx, t, t->at, line_end(lx, t->at) - t->at, e, "the regex is not closed");
	err_hint(e, "where a value may start, `/` opens a regex; a regex ends on its line");
}

void lex_regex(const struct lexer *lx, struct token *t, struct err *e)
{
	int end = regex_end(lx, t->at), n;
	char *d;

	if (end == t->at + 1) {
		lex_fail(lx, t, t->at, 2, e, "a value must stand here, `//` would be an empty regex");
		err_hint(e, "`a // b` divides to a whole number; the regex that always matches is /(?:)/");
		return;
	}
	if (end < 0) {
		open_regex(lx, t, e);
		return;
	}
	if (memchr(lx->p + t->at, 0, (size_t)(end - t->at))) {
		lex_fail(lx, t, t->at, end + 1 - t->at, e, "a NUL byte in a regex");
		err_hint(e, "write \\0");
		return;
	}
	d = arena_bytes(lx->a, (size_t)(end - t->at) + 8);
	n = regex_flags(lx, t, end + 1, d, e);
	if (n < 0)
		return;
	t->kind = TK_REGEX;
	for (int i = t->at + 1; i < end; i++) {
		if (lx->p[i] == '\\' && lx->p[i + 1] == '/')
			i++;
		else if (lx->p[i] == '\\')
			d[n++] = lx->p[i++];
		d[n++] = lx->p[i];
	}
	d[n] = 0;
	t->lit = v_bytes(T_REGEX, d, (size_t)n);
}

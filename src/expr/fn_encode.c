/* Bytes as letters: hex, Base64 (RFC 4648), HTML. */
#define FN_GROUP "encodings"
#include "base/utf8.h"
#include "expr/fn_impl.h"

static void row_hex(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	static const char digit[] = "0123456789abcdef";
	struct fn_text t;
	struct num x;
	char *d;

	(void)n;
	if (v->type != T_STR && value_num(v, &x) == NUM_INT) {
		*out = v_str(d = arena_bytes(c->arena, 16), 0);
		for (int shift = 60; shift >= 0; shift -= 4)
			if (out->n || (uint64_t)x.i >> shift || !shift)
				d[out->n++] = digit[(uint64_t)x.i >> shift & 15];
		return;
	}
	if (!fn_text(c, v, &t) || !(d = fn_room(c, 2 * t.n)))
		return;
	for (size_t i = 0; i < t.n; i++) {
		d[2 * i] = digit[(unsigned char)t.p[i] >> 4];
		d[2 * i + 1] = digit[t.p[i] & 15];
	}
	*out = v_str(d, 2 * t.n);
}

static int hex_value(char ch)
{
	unsigned letter = ((unsigned char)ch | 32u) - 'a';

	return (unsigned)(ch - '0') < 10 ? ch - '0' : letter < 6 ? (int)letter + 10 : -1;
}

static void row_unhex(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;
	char *d;

	(void)n;
	if (!fn_text(c, v, &t) || !(d = fn_room(c, t.n / 2)))
		return;
	for (size_t i = 0; i < t.n; i += 2) {
		int high = hex_value(t.p[i]), low = i + 1 < t.n ? hex_value(t.p[i + 1]) : -1;

		if (high < 0 || low < 0) {
			fn_fail(c, "not pairs of hex digits");
			return;
		}
		d[i / 2] = (char)(high << 4 | low);
	}
	*out = v_str(d, t.n / 2);
}

static const char base64_letters[2][65] = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
					    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" };

static void base64(struct fn_call *c, const struct value *v, bool url, struct value *out)
{
	const char *letter = base64_letters[url];
	struct fn_text t;
	size_t at = 0;
	char *d;

	if (!fn_text(c, v, &t) || !(d = fn_room(c, (t.n + 2) / 3 * 4)))
		return;
	for (size_t i = 0; i < t.n; i += 3) {
		size_t left = t.n - i;
		uint32_t x = (uint32_t)(unsigned char)t.p[i] << 16;

		x |= left > 1 ? (uint32_t)(unsigned char)t.p[i + 1] << 8 : 0;
		x |= left > 2 ? (unsigned char)t.p[i + 2] : 0;
		for (unsigned k = 0; k < 4; k++)
			if (k <= left)
				d[at++] = letter[x >> (18 - 6 * k) & 63];
			else if (!url)
				d[at++] = '=';
	}
	*out = v_str(d, at);
}

static void row_base64(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	base64(c, v, false, out);
}

static void row_base64url(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	base64(c, v, true, out);
}

static int sextet(char ch)
{
	if ((unsigned)(ch - 'A') < 26)
		return ch - 'A';
	if ((unsigned)(ch - 'a') < 26)
		return ch - 'a' + 26;
	if ((unsigned)(ch - '0') < 10)
		return ch - '0' + 52;
	return ch == '+' || ch == '-' ? 62 : ch == '/' || ch == '_' ? 63 : -1;
}

/* Both alphabets, padding wanted or not, line breaks skipped. */
static void row_unbase64(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	uint32_t x = 0;
	unsigned bits = 0;
	struct fn_text t;
	size_t at = 0, end;
	char *d;

	(void)n;
	if (!fn_text(c, v, &t) || !(d = fn_room(c, t.n / 4 * 3 + 3)))
		return;
	for (end = t.n; end && (t.p[end - 1] == '=' || t.p[end - 1] == '\n'); end--)
		;
	for (size_t i = 0; i < end; i++) {
		int six = sextet(t.p[i]);

		if (t.p[i] == '\n' || t.p[i] == '\r')
			continue;
		if (six < 0) {
			fn_fail(c, "not Base64");
			return;
		}
		x = (x << 6 | (uint32_t)six) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			d[at++] = (char)(x >> bits);
		}
	}
	if (bits == 6)
		fn_fail(c, "not Base64");
	else
		*out = v_str(d, at);
}

static void row_html_escape(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	static const char marks[] = "&<>\"'";
	static const char names[5][7] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	struct fn_sb b = { .c = c };
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	for (size_t i = 0; i < t.n; i++) {
		const char *at = t.p[i] ? strchr(marks, t.p[i]) : NULL;

		if (at)
			fn_sb_add(&b, names[at - marks], strlen(names[at - marks]));
		else
			fn_sb_char(&b, t.p[i]);
	}
	fn_sb_out(&b, out);
}

/* The character an entity at p stands for; its length in *used, 0 when it is none of the five names or a number. */
static uint32_t entity(const char *p, size_t n, size_t *used)
{
	static const struct {
		char name[8];
		char ch;
	} names[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' } };
	uint32_t cp = 0;
	bool hex;
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if (n >= strlen(names[i].name) && !memcmp(p, names[i].name, strlen(names[i].name))) {
			*used = strlen(names[i].name);
			return (unsigned char)names[i].ch;
		}
	*used = 0;
	if (n < 4 || p[1] != '#')
		return 0;
	hex = (p[2] | 32) == 'x';
	for (i = 2 + hex; i < n && i < 10 && p[i] != ';'; i++) {
		int d = hex_value(p[i]);

		if (d < 0 || (!hex && d > 9))
			return 0;
		cp = cp * (hex ? 16 : 10) + (uint32_t)d;
	}
	if (i == n || p[i] != ';' || i == 2u + hex || cp > 0x10FFFF || !cp || (cp >= 0xD800 && cp <= 0xDFFF))
		return 0;
	*used = i + 1;
	return cp;
}

static void row_html_unescape(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	for (size_t i = 0, used; i < t.n; i += used) {
		uint32_t cp = 0;
		char *d;

		used = 0;
		if (t.p[i] == '&')
			cp = entity(t.p + i, t.n - i, &used);
		d = used ? fn_sb_room(&b, 8) : NULL;
		if (d)
			b.n += utf8_put(cp, d);
		else if (!used)
			fn_sb_char(&b, t.p[i]);
		used += !used;
	}
	fn_sb_out(&b, out);
}

#define CODE(name, row_, alias, sum, expr, result) \
	{ \
		FN_DOC(name, name "(X)", sum), .doc.aliases = alias, FN_EX(EX(expr, result)), FN_ARGS(1, 1), .row = row_ \
	}

static const struct fn_def defs[] = {
	CODE("hex", row_hex, "hexfmt", "a whole number in base 16, or the bytes of a text as hex digits",
	     "[hex(255), hex(\"AZ\")]", "[\"ff\",\"415a\"]"),
	CODE("unhex", row_unhex, "from_hex", "the bytes that pairs of hex digits say", "unhex(\"415a\")", "\"AZ\""),
	CODE("base64", row_base64, "to_base64 base64_encode", "Base64", "base64(\"hello\")", "\"aGVsbG8=\""),
	CODE("base64url", row_base64url, NULL, "Base64 for URLs, without padding", "base64url(\"hello\")", "\"aGVsbG8\""),
	CODE("unbase64", row_unbase64, "from_base64 base64_decode base64d", "the bytes that Base64 says, either alphabet",
	     "unbase64(\"aGVsbG8=\")", "\"hello\""),
	CODE("html_escape", row_html_escape, NULL, "& < > \" ' as entities", "html_escape(\"a < b\")", "\"a &lt; b\""),
	CODE("html_unescape", row_html_unescape, NULL, "those entities and numeric ones as characters",
	     "html_unescape(\"&lt;b&gt; &#x41;\")", "\"<b> A\""),
};

FN_FAMILY(fn_family_encode);

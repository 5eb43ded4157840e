/* Text: pieces, characters, tests and comparisons. */
#define FN_GROUP "strings"
#include "base/utf8.h"
#include "expr/fn_impl.h"

/* ---- pieces ---- */

enum side { BEFORE_FIRST, AFTER_FIRST, BEFORE_LAST, AFTER_LAST };

static size_t find_last(struct fn_text s, struct fn_text p)
{
	for (size_t at = s.n < p.n ? 0 : s.n - p.n + 1; at-- > 0;)
		if (!memcmp(s.p + at, p.p, p.n))
			return at;
	return (size_t)-1;
}

/* Without the separator: all of it before, nothing after. */
static void side_of(struct fn_call *c, const struct value *v, enum side side, struct value *out)
{
	bool before = side == BEFORE_FIRST || side == BEFORE_LAST;
	struct fn_text s, sep;
	size_t at;

	if (!fn_text(c, &v[0], &s) || !fn_text(c, &v[1], &sep))
		return;
	at = side <= AFTER_FIRST ? fn_find_bytes(s, sep, 0) : find_last(s, sep);
	if (at == (size_t)-1)
		*out = v_str(s.p, before ? s.n : 0);
	else if (before)
		*out = v_str(s.p, at);
	else
		*out = v_str(s.p + at + sep.n, s.n - at - sep.n);
}

static void row_before(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	side_of(c, v, BEFORE_FIRST, out);
}

static void row_after(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	side_of(c, v, AFTER_FIRST, out);
}

static void row_before_last(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	side_of(c, v, BEFORE_LAST, out);
}

static void row_after_last(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	side_of(c, v, AFTER_LAST, out);
}

static void row_split_part(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	size_t at = 0, hit, pieces = 1;
	struct fn_text s, sep;
	int64_t want;

	(void)n;
	if (!fn_text(c, &v[0], &s) || !fn_text(c, &v[1], &sep) || !fn_arg_int(c, &v[2], &want))
		return;
	if (!want || !sep.n) {
		fn_fail(c, want ? "empty separator" : "pieces count from 1");
		return;
	}
	for (size_t k = 0; (hit = fn_find_bytes(s, sep, k)) != (size_t)-1; k = hit + sep.n)
		pieces++;
	if (want < 0)
		want = want < -(int64_t)pieces ? 0 : want + (int64_t)pieces + 1;
	*out = v_str(s.p, 0);
	if (!want || (uint64_t)want > pieces)
		return;
	while (--want)
		at = fn_find_bytes(s, sep, at) + sep.n;
	hit = fn_find_bytes(s, sep, at);
	*out = v_str(s.p + at, (hit == (size_t)-1 ? s.n : hit) - at);
}

static void row_lines(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_lb b = { .c = c };
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	while (t.n) {
		const char *nl = memchr(t.p, '\n', t.n);
		size_t len = nl ? (size_t)(nl - t.p) : t.n, used = nl ? len + 1 : len;

		fn_lb_add(&b, v_str(t.p, len && t.p[len - 1] == '\r' ? len - 1 : len));
		t.p += used;
		t.n -= used;
	}
	fn_lb_out(&b, out);
}

static bool space(char ch) { return ch == ' ' || (unsigned)(ch - 9) < 5; }

static void row_word_count(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	bool inside = false;
	struct fn_text t;
	int64_t words = 0;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	for (size_t i = 0; i < t.n; i++) {
		words += !inside && !space(t.p[i]);
		inside = !space(t.p[i]);
	}
	*out = v_int(words);
}

static void row_join(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text sep = { ",", 1 }, item;
	struct fn_sb b = { .c = c };
	const struct value *items;
	bool first = true;
	uint32_t len;

	if (!fn_arg_list(c, v, &items, &len) || (n > 1 && !fn_text(c, &v[1], &sep)))
		return;
	for (uint32_t i = 0; i < len; i++) {
		if (items[i].type == T_NULL)
			continue;
		if (!fn_text(c, &items[i], &item))
			return;
		if (!first)
			fn_sb_text(&b, sep);
		first = false;
		fn_sb_text(&b, item);
	}
	fn_sb_out(&b, out);
}

/* ---- characters ---- */

static void row_chars(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items;
	struct fn_text t;
	uint32_t k = 0, cp;

	(void)n;
	if (!fn_text(c, v, &t) || !(items = fn_items(c, utf8_length(t.p, t.n))))
		return;
	for (size_t i = 0; i < t.n;) {
		unsigned len = utf8_decode(t.p + i, t.n - i, &cp);

		items[k++] = v_str(t.p + i, len);
		i += len;
	}
	*out = v_list(items, k);
}

/* The code of a character; of a malformed byte, the byte. */
static int64_t code_of(const char *p, size_t n, unsigned *len)
{
	uint32_t cp;

	*len = utf8_decode(p, n, &cp);
	return *len == 1 ? (unsigned char)*p : cp;
}

static void row_codes(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items;
	struct fn_text t;
	uint32_t k = 0;
	unsigned len;

	(void)n;
	if (!fn_text(c, v, &t) || !(items = fn_items(c, utf8_length(t.p, t.n))))
		return;
	for (size_t i = 0; i < t.n; i += len)
		items[k++] = v_int(code_of(t.p + i, t.n - i, &len));
	*out = v_list(items, k);
}

static void row_ord(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;
	unsigned len;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	if (t.n)
		*out = v_int(code_of(t.p, t.n, &len));
	else
		fn_fail(c, "empty text has no character");
}

static bool encode_code(struct fn_call *c, const struct value *v, struct fn_sb *b)
{
	int64_t cp;
	char *d;

	if (!fn_arg_int(c, v, &cp))
		return false;
	if (cp < 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		return fn_fail(c, "not the code of a character");
	d = fn_sb_room(b, 8);
	if (d)
		b->n += utf8_put((uint32_t)cp, d);
	return true;
}

static void row_chr(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const struct value *codes = v->type == T_LIST ? v->items : v;
	uint32_t len = v->type == T_LIST ? v->n : 1;
	struct fn_sb b = { .c = c };

	(void)n;
	for (uint32_t i = 0; i < len; i++)
		if (!encode_code(c, &codes[i], &b))
			return;
	fn_sb_out(&b, out);
}

/* The character in `to` at the place of cp in `from`: 1, 0 when `to` is shorter (dropped), -1 when cp is not in `from`. */
static int translated(struct fn_text from, struct fn_text to, uint32_t cp, struct fn_text *with)
{
	uint32_t a, b;

	for (size_t i = 0, j = 0; i < from.n;) {
		unsigned len = j < to.n ? utf8_decode(to.p + j, to.n - j, &b) : 0;

		i += utf8_decode(from.p + i, from.n - i, &a);
		*with = (struct fn_text){ to.p + j, len };
		if (a == cp)
			return len > 0;
		j += len;
	}
	return -1;
}

static void row_translate(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, from, to, with;
	struct fn_sb b = { .c = c };
	uint32_t cp;

	(void)n;
	if (!fn_text(c, &v[0], &s) || !fn_text(c, &v[1], &from) || !fn_text(c, &v[2], &to))
		return;
	for (size_t i = 0; i < s.n;) {
		unsigned len = utf8_decode(s.p + i, s.n - i, &cp);
		int how = translated(from, to, cp, &with);

		if (how < 0)
			fn_sb_add(&b, s.p + i, len);
		else if (how)
			fn_sb_text(&b, with);
		i += len;
	}
	fn_sb_out(&b, out);
}

static void row_width(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;

	(void)n;
	if (fn_text(c, v, &t))
		*out = v_int((int64_t)utf8_width(t.p, t.n));
}

/* ---- tests ---- */

static void row_is_ascii(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	unsigned char high = 0;
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	for (size_t i = 0; i < t.n; i++)
		high |= (unsigned char)t.p[i];
	*out = v_bool(high < 0x80);
}

static void row_is_utf8(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;

	(void)n;
	if (fn_text(c, v, &t))
		*out = v_bool(utf8_valid(t.p, t.n));
}

static void row_clean_utf8(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct fn_text t;
	uint32_t cp;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	if (utf8_valid(t.p, t.n)) {
		*out = v_str(t.p, t.n);
		return;
	}
	for (size_t i = 0; i < t.n;) {
		unsigned len = utf8_decode(t.p + i, t.n - i, &cp);

		if (len == 1 && (unsigned char)t.p[i] >= 0x80)
			fn_sb_add(&b, "\xEF\xBF\xBD", 3);
		else
			fn_sb_add(&b, t.p + i, len);
		i += len;
	}
	fn_sb_out(&b, out);
}

/* Not empty, and every byte of the class? */
static void all_bytes(struct fn_call *c, const struct value *v, bool (*is)(unsigned char), struct value *out)
{
	struct fn_text t;
	bool all;

	if (!fn_text(c, v, &t))
		return;
	all = t.n > 0;
	for (size_t i = 0; i < t.n && all; i++)
		all = is((unsigned char)t.p[i]);
	*out = v_bool(all);
}

static bool is_digit(unsigned char ch) { return (unsigned)ch - '0' < 10; }

static bool is_alpha(unsigned char ch) { return ((unsigned)ch | 32) - 'a' < 26; }

static bool is_alnum(unsigned char ch) { return is_digit(ch) || is_alpha(ch); }

static void row_is_digits(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	all_bytes(c, v, is_digit, out);
}

static void row_is_alpha(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	all_bytes(c, v, is_alpha, out);
}

static void row_is_alnum(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	all_bytes(c, v, is_alnum, out);
}

static void row_is_blank(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t = { NULL, 0 };
	bool blank = true;

	(void)n;
	if (v->type != T_NULL && !fn_text(c, v, &t))
		return;
	for (size_t i = 0; i < t.n && blank; i++)
		blank = space(t.p[i]);
	*out = v_bool(blank);
}

/* ---- comparing ---- */

/* SQL's LIKE: % any run, _ one character, \ takes the next one as it is. Greedy with one point to come back to. */
static bool like(struct fn_text s, struct fn_text p, bool fold)
{
	size_t i = 0, j = 0, star = (size_t)-1, back = 0;

	while (i < s.n) {
		uint32_t a, b = 0;
		unsigned la = utf8_decode(s.p + i, s.n - i, &a), lb = 0;
		bool escaped = j + 1 < p.n && p.p[j] == '\\';

		if (j < p.n)
			lb = utf8_decode(p.p + j + escaped, p.n - j - escaped, &b);
		if (lb && !escaped && b == '%') {
			star = ++j;
			back = i;
		} else if (lb && ((!escaped && b == '_') || a == b || (fold && utf8_lower(a) == utf8_lower(b)))) {
			i += la;
			j += lb + escaped;
		} else if (star != (size_t)-1) {
			j = star;
			back += utf8_decode(s.p + back, s.n - back, &a);
			i = back;
		} else {
			return false;
		}
	}
	while (j < p.n && p.p[j] == '%')
		j++;
	return j == p.n;
}

static void row_like(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, p;

	(void)n;
	if (fn_text(c, &v[0], &s) && fn_text(c, &v[1], &p))
		*out = v_bool(like(s, p, false));
}

static void row_ilike(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, p;

	(void)n;
	if (fn_text(c, &v[0], &s) && fn_text(c, &v[1], &p))
		*out = v_bool(like(s, p, true));
}

#define LEVENSHTEIN_MAX 10000 /* characters: the work is the product of both lengths */

static uint32_t *decode_all(struct fn_call *c, struct fn_text t, size_t *n)
{
	uint32_t *cp = arena_array(c->arena, uint32_t, t.n + 1);

	*n = 0;
	for (size_t i = 0; i < t.n;)
		i += utf8_decode(t.p + i, t.n - i, &cp[(*n)++]);
	return cp;
}

/* Wagner and Fischer (1974), one row of the table at a time. */
static int64_t edit_distance(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, uint32_t *row)
{
	for (size_t j = 0; j <= nb; j++)
		row[j] = (uint32_t)j;
	for (size_t i = 1; i <= na; i++) {
		uint32_t diagonal = row[0];

		row[0] = (uint32_t)i;
		for (size_t j = 1; j <= nb; j++) {
			uint32_t up = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

			if (up + 1 < best)
				best = up + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = up;
			row[j] = best;
		}
	}
	return row[nb];
}

static void row_levenshtein(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text a, b;
	uint32_t *ca, *cb;
	size_t na, nb;

	(void)n;
	if (!fn_text(c, &v[0], &a) || !fn_text(c, &v[1], &b))
		return;
	if (a.n > LEVENSHTEIN_MAX || b.n > LEVENSHTEIN_MAX) {
		fn_fail(c, "text longer than 10000 bytes");
		return;
	}
	ca = decode_all(c, a, &na);
	cb = decode_all(c, b, &nb);
	*out = v_int(edit_distance(ca, na, cb, nb, arena_array(c->arena, uint32_t, nb + 1)));
}

/* American Soundex, as the US National Archives describe it: h and w do not part letters of one code, vowels do. */
static void row_soundex(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	static const char code[] = "01230120022455012623010202"; /* a..z; 0: no code */
	struct fn_text t;
	unsigned len = 0;
	char *d, last = 0;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	d = arena_bytes(c->arena, 4);
	for (size_t i = 0; i < t.n && len < 4; i++) {
		unsigned letter = ((unsigned char)t.p[i] | 32u) - 'a';

		if (letter >= 26)
			continue;
		if (!len)
			d[len++] = (char)(letter + 'A');
		else if (code[letter] != '0' && code[letter] != last)
			d[len++] = code[letter];
		if (letter != 'h' - 'a' && letter != 'w' - 'a')
			last = code[letter];
	}
	while (len && len < 4)
		d[len++] = '0';
	*out = v_str(d, len);
}

static const struct fn_def defs[] = {
	{ FN_DOC("before", "before(S, SEP)", "what stands before the first SEP; all of it when there is none"),
	  .doc.aliases = "substring_before",
	  FN_EX(EX("before(\"user@host\", \"@\")", "\"user\""), EX("before(\"user\", \"@\")", "\"user\"")), FN_ARGS(2, 2),
	  .row = row_before },
	{ FN_DOC("after", "after(S, SEP)", "what stands behind the first SEP; empty when there is none"),
	  .doc.aliases = "substring_after", FN_EX(EX("after(\"a=b=c\", \"=\")", "\"b=c\"")), FN_ARGS(2, 2), .row = row_after },
	{ FN_DOC("before_last", "before_last(S, SEP)", "what stands before the last SEP; all of it when there is none"),
	  FN_EX(EX("before_last(\"a.b.c\", \".\")", "\"a.b\"")), FN_ARGS(2, 2), .row = row_before_last },
	{ FN_DOC("after_last", "after_last(S, SEP)", "what stands behind the last SEP; empty when there is none"),
	  FN_EX(EX("after_last(\"a.b.c\", \".\")", "\"c\"")), FN_ARGS(2, 2), .row = row_after_last },
	{ FN_DOC("split_part", "split_part(S, SEP, N)",
		 "piece N of a text cut at SEP, from 1 (negative: from the end); empty when there is none"),
	  FN_EX(EX("split_part(\"a,b,c\", \",\", 2)", "\"b\""), EX("split_part(\"a,b,c\", \",\", -1)", "\"c\"")), FN_ARGS(3, 3),
	  .row = row_split_part },
	{ FN_DOC("lines", "lines(S)", "the lines of a text, without their ends"),
	  FN_EX(EX("lines(\"a\\nb\\n\")", "[\"a\",\"b\"]")), FN_ARGS(1, 1), .row = row_lines },
	{ FN_DOC("word_count", "word_count(S)", "how many words, parted by white space"),
	  FN_EX(EX("word_count(\"to be or\")", "3")), FN_ARGS(1, 1), .row = row_word_count },
	{ FN_DOC("join", "join(LIST [, SEP])", "the items as one text with SEP (a comma) between them; nulls are left out"),
	  .doc.aliases = "array_join joinv", FN_EX(EX("join([\"a\", 1, null], \"-\")", "\"a-1\"")), FN_ARGS(1, 2),
	  .row = row_join },
	{ FN_DOC("chars", "chars(S)", "list of the characters"), FN_EX(EX("chars(\"h\xC3\xA9\")", "[\"h\",\"\xC3\xA9\"]")),
	  FN_ARGS(1, 1), .row = row_chars },
	{ FN_DOC("codes", "codes(S)", "list of the Unicode codes of the characters"), .doc.aliases = "codepoints explode",
	  FN_EX(EX("codes(\"h\xC3\xA9\")", "[104,233]")), FN_ARGS(1, 1), .row = row_codes },
	{ FN_DOC("ord", "ord(S)", "Unicode code of the first character"), .doc.aliases = "ascii unicode",
	  FN_EX(EX("ord(\"A\")", "65")), FN_ARGS(1, 1), .row = row_ord },
	{ FN_DOC("chr", "chr(N)", "the character with this Unicode code, or the text of a list of codes"),
	  .doc.aliases = "char implode", FN_EX(EX("chr(233)", "\"\xC3\xA9\""), EX("chr([79, 75])", "\"OK\"")), FN_ARGS(1, 1),
	  .row = row_chr },
	{ FN_DOC("translate", "translate(S, FROM, TO)",
		 "each character of FROM becomes the one of TO at its place, or goes where TO is shorter"),
	  .doc.aliases = "tr", FN_EX(EX("translate(\"a-b_c\", \"-_\", \"+\")", "\"a+bc\"")), FN_ARGS(3, 3),
	  .row = row_translate },
	{ FN_DOC("width", "width(S)", "columns on a terminal: 2 for wide characters, 0 for combining ones"),
	  FN_EX(EX("width(\"a\xE4\xBD\xA0\")", "3")), FN_ARGS(1, 1), .row = row_width },
	{ FN_DOC("is_ascii", "is_ascii(S)", "only ASCII characters"), FN_EX(EX("is_ascii(\"na\xC3\xAFve\")", "false")),
	  FN_ARGS(1, 1), .row = row_is_ascii },
	{ FN_DOC("is_utf8", "is_utf8(S)", "well-formed UTF-8"), FN_EX(EX("is_utf8(unhex(\"c328\"))", "false")), FN_ARGS(1, 1),
	  .row = row_is_utf8 },
	{ FN_DOC("clean_utf8", "clean_utf8(S)", "each malformed byte replaced by U+FFFD"),
	  FN_EX(EX("clean_utf8(unhex(\"41ff\"))", "\"A\xEF\xBF\xBD\"")), FN_ARGS(1, 1), .row = row_clean_utf8 },
	{ FN_DOC("is_digits", "is_digits(S)", "not empty, and only the digits 0 to 9"), FN_EX(EX("is_digits(\"007\")", "true")),
	  FN_ARGS(1, 1), .row = row_is_digits },
	{ FN_DOC("is_alpha", "is_alpha(S)", "not empty, and only ASCII letters"), FN_EX(EX("is_alpha(\"abC\")", "true")),
	  FN_ARGS(1, 1), .row = row_is_alpha },
	{ FN_DOC("is_alnum", "is_alnum(S)", "not empty, and only ASCII letters and digits"),
	  FN_EX(EX("is_alnum(\"a-1\")", "false")), FN_ARGS(1, 1), .row = row_is_alnum },
	{ FN_DOC("is_blank", "is_blank(S)", "null, empty, or only white space"),
	  FN_EX(EX("is_blank(\" \\t\")", "true"), EX("is_blank(null)", "true")), FN_ARGS(1, 1), .flags = FN_NULLS,
	  .row = row_is_blank },
	{ FN_DOC("like", "like(S, PATTERN)", "SQL's LIKE: % is any run of characters, _ one of them, \\ takes the next as it is"),
	  FN_EX(EX("like(\"report.csv\", \"%.csv\")", "true")), FN_ARGS(2, 2), .row = row_like },
	{ FN_DOC("ilike", "ilike(S, PATTERN)", "as like, in any case"), FN_EX(EX("ilike(\"ERROR 5\", \"error _\")", "true")),
	  FN_ARGS(2, 2), .row = row_ilike },
	{ FN_DOC("levenshtein", "levenshtein(A, B)", "least number of inserted, deleted or changed characters between two texts"),
	  FN_EX(EX("levenshtein(\"kitten\", \"sitting\")", "3")), FN_ARGS(2, 2), .row = row_levenshtein },
	{ FN_DOC("soundex", "soundex(S)", "code of how an English name sounds"),
	  FN_EX(EX("soundex(\"Robert\")", "\"R163\""), EX("soundex(\"Ashcraft\")", "\"A261\"")), FN_ARGS(1, 1),
	  .row = row_soundex },
};

FN_FAMILY(fn_family_text);

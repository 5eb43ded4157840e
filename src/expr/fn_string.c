/* Text: lengths, case, trimming, searching, cutting. Positions count characters from 0; negative ones count from the end. */
#define FN_GROUP "strings"
#include "base/utf8.h"
#include "expr/fn_impl.h"

static void row_len(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;

	(void)n;
	if (v->type == T_LIST || v->type == T_OBJECT)
		*out = v_int(v->n);
	else if (fn_text(c, v, &t))
		*out = v_int((int64_t)utf8_length(t.p, t.n));
}

static void row_bytes(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;

	(void)n;
	if (fn_text(c, v, &t))
		*out = v_int((int64_t)t.n);
}

/* ---- case ---- */

/* The 26 ASCII letters from `first` on change case, eight bytes at a time. False if there is more than ASCII in it. */
static bool map_ascii(struct fn_text t, char *d, unsigned char first)
{
	const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
	uint64_t seen = 0, w, letter;
	size_t i = 0;

	for (; t.n - i >= 8; i += 8) {
		memcpy(&w, t.p + i, 8);
		seen |= w;
		/* the high bit of a byte of ASCII: at least `first`, and not beyond the 26th letter */
		letter = ((w & ~high) + ones * (0x80u - first)) & ~((w & ~high) + ones * (0x80u - first - 26)) & high;
		w ^= letter >> 2;
		memcpy(d + i, &w, 8);
	}
	for (; i < t.n; i++) {
		unsigned char ch = (unsigned char)t.p[i];

		seen |= ch;
		d[i] = (char)((unsigned)ch - first < 26 ? ch ^ 0x20 : ch);
	}
	return !(seen & high);
}

static void map_chars(struct fn_call *c, struct fn_text t, uint32_t (*map)(uint32_t), struct value *out)
{
	struct fn_sb b = { .c = c };

	for (size_t i = 0; i < t.n;) {
		uint32_t cp;
		char *d;

		i += utf8_decode(t.p + i, t.n - i, &cp);
		d = fn_sb_room(&b, 8);
		if (d)
			b.n += utf8_put(map(cp), d);
	}
	fn_sb_out(&b, out);
}

static void change_case(struct fn_call *c, const struct value *v, bool up, struct value *out)
{
	struct fn_text t;
	char *d;

	if (!fn_text(c, v, &t))
		return;
	d = fn_room(c, t.n);
	if (d && map_ascii(t, d, up ? 'a' : 'A'))
		*out = v_str(d, t.n);
	else if (d)
		map_chars(c, t, up ? utf8_upper : utf8_lower, out);
}

static void row_upper(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	change_case(c, v, true, out);
}

static void row_lower(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	change_case(c, v, false, out);
}

/* A letter or digit for the purpose of word starts: everything beyond ASCII counts. */
static bool in_word(uint32_t cp) { return cp >= 0x80 || cp == '\'' || (cp | 32) - 'a' < 26 || cp - '0' < 10; }

static void recase(struct fn_call *c, const struct value *v, bool every_word, struct value *out)
{
	struct fn_sb b = { .c = c };
	bool inside = false;
	struct fn_text t;

	if (!fn_text(c, v, &t))
		return;
	for (size_t i = 0; i < t.n;) {
		uint32_t cp, to;
		char *d;

		i += utf8_decode(t.p + i, t.n - i, &cp);
		to = !inside ? utf8_upper(cp) : every_word ? utf8_lower(cp) : cp;
		inside = every_word ? in_word(cp) : true;
		d = fn_sb_room(&b, 8);
		if (d)
			b.n += utf8_put(to, d);
	}
	fn_sb_out(&b, out);
}

static void row_capitalize(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	recase(c, v, false, out);
}

static void row_title(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	recase(c, v, true, out);
}

/* ---- trimming ---- */

static bool is_space(uint32_t cp)
{
	return cp == ' ' || cp - 9 < 5 || cp == 0xA0 || cp == 0x3000 || cp - 0x2000 < 11 || cp == 0x2028 || cp == 0x2029;
}

static bool strip_char(struct fn_text set, bool given, uint32_t cp)
{
	if (!given)
		return is_space(cp);
	for (size_t i = 0; i < set.n;) {
		uint32_t member;

		i += utf8_decode(set.p + i, set.n - i, &member);
		if (member == cp)
			return true;
	}
	return false;
}

/* Start of the last character of p[0..n). */
static size_t last_char(const char *p, size_t n, uint32_t *cp)
{
	size_t at = n - 1;

	while (at && n - at < 4 && ((unsigned char)p[at] & 0xC0) == 0x80)
		at--;
	if (at + utf8_decode(p + at, n - at, cp) == n)
		return at;
	utf8_decode(p + n - 1, 1, cp);
	return n - 1;
}

enum { TRIM_LEFT = 1, TRIM_RIGHT = 2 };

static void trim(struct fn_call *c, const struct value *v, uint32_t n, int ends, struct value *out)
{
	struct fn_text t, set = { NULL, 0 };
	uint32_t cp;

	if (!fn_text(c, v, &t) || (n > 1 && !fn_text(c, &v[1], &set)))
		return;
	while (ends & TRIM_LEFT && t.n) {
		unsigned len = utf8_decode(t.p, t.n, &cp);

		if (!strip_char(set, n > 1, cp))
			break;
		t.p += len;
		t.n -= len;
	}
	while (ends & TRIM_RIGHT && t.n) {
		size_t at = last_char(t.p, t.n, &cp);

		if (!strip_char(set, n > 1, cp))
			break;
		t.n = at;
	}
	*out = v_str(t.p, t.n);
}

static void row_trim(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	trim(c, v, n, TRIM_LEFT | TRIM_RIGHT, out);
}

static void row_ltrim(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) { trim(c, v, n, TRIM_LEFT, out); }

static void row_rtrim(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) { trim(c, v, n, TRIM_RIGHT, out); }

static bool two_texts(struct fn_call *c, const struct value *v, struct fn_text *a, struct fn_text *b)
{
	return fn_text(c, &v[0], a) && fn_text(c, &v[1], b);
}

static bool starts(struct fn_text s, struct fn_text p) { return s.n >= p.n && !memcmp(s.p, p.p, p.n); }

static bool ends(struct fn_text s, struct fn_text p) { return s.n >= p.n && !memcmp(s.p + s.n - p.n, p.p, p.n); }

static void row_strip_prefix(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, p;

	(void)n;
	if (!two_texts(c, v, &s, &p))
		return;
	*out = starts(s, p) ? v_str(s.p + p.n, s.n - p.n) : v_str(s.p, s.n);
}

static void row_strip_suffix(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, p;

	(void)n;
	if (two_texts(c, v, &s, &p))
		*out = v_str(s.p, ends(s, p) ? s.n - p.n : s.n);
}

static void row_squeeze(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct fn_text t;
	bool gap = false;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	for (size_t i = 0; i < t.n;) {
		uint32_t cp;
		unsigned len = utf8_decode(t.p + i, t.n - i, &cp);

		if (is_space(cp)) {
			gap = b.n > 0;
		} else {
			if (gap)
				fn_sb_char(&b, ' ');
			gap = false;
			fn_sb_add(&b, t.p + i, len);
		}
		i += len;
	}
	fn_sb_out(&b, out);
}

/* ---- searching ---- */

static void list_index(struct fn_call *c, const struct value *v, bool from_end, struct value *out)
{
	*out = v_int(-1);
	for (uint32_t k = 0; k < v[0].n; k++) {
		uint32_t i = from_end ? v[0].n - 1 - k : k;

		if (fn_equal(c, &v[0].items[i], &v[1])) {
			*out = v_int(i);
			return;
		}
	}
}

static void row_contains(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, p;

	(void)n;
	if (v->type == T_LIST) {
		list_index(c, v, false, out);
		*out = v_bool(out->i >= 0);
	} else if (two_texts(c, v, &s, &p)) {
		*out = v_bool(fn_find_bytes(s, p, 0) != (size_t)-1);
	}
}

static void row_starts_with(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, p;

	(void)n;
	if (two_texts(c, v, &s, &p))
		*out = v_bool(starts(s, p));
}

static void row_ends_with(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, p;

	(void)n;
	if (two_texts(c, v, &s, &p))
		*out = v_bool(ends(s, p));
}

static void row_index_of(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, p;
	int64_t from = 0;
	size_t at;

	if (v->type == T_LIST) {
		list_index(c, v, false, out);
		return;
	}
	if (!two_texts(c, v, &s, &p) || (n > 2 && !fn_arg_int(c, &v[2], &from)))
		return;
	at = from ? utf8_offset(s.p, s.n, fn_clamp(from, utf8_length(s.p, s.n))) : 0;
	at = fn_find_bytes(s, p, at);
	*out = v_int(at == (size_t)-1 ? -1 : (int64_t)utf8_length(s.p, at));
}

static void row_last_index_of(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, p;

	(void)n;
	if (v->type == T_LIST) {
		list_index(c, v, true, out);
		return;
	}
	if (!two_texts(c, v, &s, &p))
		return;
	*out = v_int(-1);
	for (size_t at = s.n < p.n ? 0 : s.n - p.n + 1; at-- > 0;)
		if (!memcmp(s.p + at, p.p, p.n)) {
			*out = v_int((int64_t)utf8_length(s.p, at));
			return;
		}
}

static void row_occurrences(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text s, p;
	int64_t count = 0;

	(void)n;
	if (v->type == T_LIST) {
		for (uint32_t i = 0; i < v->n; i++)
			count += fn_equal(c, &v->items[i], &v[1]);
	} else {
		if (!two_texts(c, v, &s, &p))
			return;
		for (size_t at = 0; p.n && (at = fn_find_bytes(s, p, at)) != (size_t)-1; at += p.n)
			count++;
	}
	*out = v_int(count);
}

static void row_replace(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct fn_text s, p, to;
	size_t at = 0, hit;

	(void)n;
	if (!two_texts(c, v, &s, &p) || !fn_text(c, &v[2], &to))
		return;
	if (!p.n || (hit = fn_find_bytes(s, p, 0)) == (size_t)-1) {
		*out = v_str(s.p, s.n);
		return;
	}
	for (; hit != (size_t)-1; hit = fn_find_bytes(s, p, at)) {
		fn_sb_add(&b, s.p + at, hit - at);
		fn_sb_text(&b, to);
		at = hit + p.n;
	}
	fn_sb_add(&b, s.p + at, s.n - at);
	fn_sb_out(&b, out);
}

/* ---- cutting: views of the argument ---- */

static void cut(struct fn_text t, size_t from, size_t to, struct value *out)
{
	size_t at = utf8_offset(t.p, t.n, from);

	if (to <= from)
		*out = v_str(t.p, 0);
	else
		*out = v_str(t.p + at, utf8_offset(t.p + at, t.n - at, to - from));
}

static void row_left(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;
	int64_t k;

	(void)n;
	if (!fn_text(c, &v[0], &t) || !fn_arg_int(c, &v[1], &k))
		return;
	cut(t, 0, k < 0 ? fn_clamp(k, utf8_length(t.p, t.n)) : (size_t)k, out);
}

static void row_right(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;
	size_t len;
	int64_t k;

	(void)n;
	if (!fn_text(c, &v[0], &t) || !fn_arg_int(c, &v[1], &k))
		return;
	len = utf8_length(t.p, t.n);
	if (k >= 0)
		cut(t, (uint64_t)k > len ? 0 : len - (size_t)k, len, out);
	else
		cut(t, k < -(int64_t)len ? len : (size_t)-k, len, out);
}

static void row_substr(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t from, len = INT64_MAX;
	struct fn_text t;
	size_t chars, at;

	if (!fn_text(c, &v[0], &t) || !fn_arg_int(c, &v[1], &from) || (n > 2 && !fn_arg_int(c, &v[2], &len)))
		return;
	if (from >= 0 && len >= 0) {
		cut(t, (size_t)from, len > INT64_MAX - from ? SIZE_MAX : (size_t)(from + len), out);
		return;
	}
	chars = utf8_length(t.p, t.n);
	at = fn_clamp(from, chars);
	cut(t, at, len < 0 ? at : (uint64_t)len > chars - at ? chars : at + (size_t)len, out);
}

static void row_slice(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t from, to = INT64_MAX;
	struct fn_text t;
	size_t len, a, b;

	if (!fn_arg_int(c, &v[1], &from) || (n > 2 && !fn_arg_int(c, &v[2], &to)))
		return;
	if (v->type == T_LIST) {
		a = fn_clamp(from, v->n);
		b = fn_clamp(to, v->n);
		*out = a < b ? v_list(v->items + a, b - a) : v_list(NULL, 0);
		return;
	}
	if (!fn_text(c, &v[0], &t))
		return;
	len = utf8_length(t.p, t.n);
	cut(t, fn_clamp(from, len), fn_clamp(to, len), out);
}

static void reverse_list(struct fn_call *c, const struct value *v, struct value *out)
{
	struct value *items = fn_items(c, v->n);

	for (uint32_t i = 0; items && i < v->n; i++)
		items[i] = v->items[v->n - 1 - i];
	if (items)
		*out = v_list(items, v->n);
}

static void row_reverse(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;
	char *d;

	(void)n;
	if (v->type == T_LIST) {
		reverse_list(c, v, out);
		return;
	}
	if (!fn_text(c, v, &t) || !(d = fn_room(c, t.n)))
		return;
	for (size_t i = 0; i < t.n;) {
		uint32_t cp;
		unsigned len = utf8_decode(t.p + i, t.n - i, &cp);

		i += len;
		memcpy(d + t.n - i, t.p + i - len, len);
	}
	*out = v_str(d, t.n);
}

static void row_repeat(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;
	int64_t times;
	size_t total;
	char *d;

	(void)n;
	if (!fn_text(c, &v[0], &t) || !fn_arg_int(c, &v[1], &times))
		return;
	if (times < 0)
		times = 0;
	if (__builtin_mul_overflow(t.n, (size_t)times, &total))
		total = SIZE_MAX;
	d = fn_room(c, total);
	for (size_t at = 0; d && at < total; at += t.n)
		memcpy(d + at, t.p, t.n);
	if (d)
		*out = v_str(d, total);
}

static const struct fn_def defs[] = {
	{ FN_DOC("len", "len(X)", "characters of a text, items of a list, fields of an object"),
	  .doc.aliases = "length array_length",
	  FN_EX(EX("len(\"caf\xC3\xA9\")", "4"), EX("len([1, 2, 3])", "3"), EX("len({a: 1})", "1")), FN_ARGS(1, 1),
	  .row = row_len, .vec = fn_vec_len },
	{ FN_DOC("bytes", "bytes(S)", "length of a text in bytes"), .doc.aliases = "octet_length",
	  FN_EX(EX("bytes(\"caf\xC3\xA9\")", "5")), FN_ARGS(1, 1), .row = row_bytes },
	{ FN_DOC("upper", "upper(S)", "text in upper case"), .doc.aliases = "toupper ucase ascii_upcase",
	  FN_EX(EX("upper(\"caf\xC3\xA9 42\")", "\"CAF\xC3\x89 42\"")), FN_ARGS(1, 1), .row = row_upper },
	{ FN_DOC("lower", "lower(S)", "text in lower case"), .doc.aliases = "tolower lcase ascii_downcase",
	  FN_EX(EX("lower(\"Caf\xC3\x89\")", "\"caf\xC3\xA9\"")), FN_ARGS(1, 1), .row = row_lower },
	{ FN_DOC("capitalize", "capitalize(S)", "the first character in upper case, the rest as it is"),
	  FN_EX(EX("capitalize(\"hello World\")", "\"Hello World\"")), FN_ARGS(1, 1), .row = row_capitalize },
	{ FN_DOC("title", "title(S)", "each word with a capital and the rest of it small"), .doc.aliases = "initcap",
	  FN_EX(EX("title(\"the QUICK fox\")", "\"The Quick Fox\"")), FN_ARGS(1, 1), .row = row_title },
	{ FN_DOC("trim", "trim(S [, CHARS])", "text without the white space, or the given characters, at both ends"),
	  .doc.aliases = "strip btrim", FN_EX(EX("trim(\"  a b \")", "\"a b\""), EX("trim(\"--a--\", \"-\")", "\"a\"")),
	  FN_ARGS(1, 2), .row = row_trim },
	{ FN_DOC("ltrim", "ltrim(S [, CHARS])", "as trim, at the start only"), .doc.aliases = "lstrip",
	  FN_EX(EX("ltrim(\"007\", \"0\")", "\"7\"")), FN_ARGS(1, 2), .row = row_ltrim },
	{ FN_DOC("rtrim", "rtrim(S [, CHARS])", "as trim, at the end only"), .doc.aliases = "rstrip",
	  FN_EX(EX("rtrim(\"path///\", \"/\")", "\"path\"")), FN_ARGS(1, 2), .row = row_rtrim },
	{ FN_DOC("strip_prefix", "strip_prefix(S, PREFIX)", "text without the prefix, if it has it"),
	  .doc.aliases = "ltrimstr remove_prefix", FN_EX(EX("strip_prefix(\"www.example.org\", \"www.\")", "\"example.org\"")),
	  FN_ARGS(2, 2), .row = row_strip_prefix },
	{ FN_DOC("strip_suffix", "strip_suffix(S, SUFFIX)", "text without the suffix, if it has it"),
	  .doc.aliases = "rtrimstr remove_suffix", FN_EX(EX("strip_suffix(\"log.gz\", \".gz\")", "\"log\"")), FN_ARGS(2, 2),
	  .row = row_strip_suffix },
	{ FN_DOC("squeeze", "squeeze(S)", "runs of white space as one blank, none at the ends"),
	  .doc.aliases = "collapse_whitespace", FN_EX(EX("squeeze(\"  a \\t b  \")", "\"a b\"")), FN_ARGS(1, 1),
	  .row = row_squeeze },
	{ FN_DOC("contains", "contains(S, PART)", "is the part in the text, or the item in the list"),
	  .doc.aliases = "includes array_contains",
	  FN_EX(EX("contains(\"stream\", \"rea\")", "true"), EX("contains([1, 2], 3)", "false")), FN_ARGS(2, 2),
	  .row = row_contains, .vec = fn_vec_contains },
	{ FN_DOC("starts_with", "starts_with(S, PREFIX)", "does the text start so"), .doc.aliases = "startswith",
	  FN_EX(EX("starts_with(\"/api/v1\", \"/api\")", "true")), FN_ARGS(2, 2), .row = row_starts_with,
	  .vec = fn_vec_starts_with },
	{ FN_DOC("ends_with", "ends_with(S, SUFFIX)", "does the text end so"), .doc.aliases = "endswith",
	  FN_EX(EX("ends_with(\"a.png\", \".jpg\")", "false")), FN_ARGS(2, 2), .row = row_ends_with, .vec = fn_vec_ends_with },
	{ FN_DOC("index_of", "index_of(X, PART [, FROM])",
		 "where the part begins in a text, or the item in a list: from 0, -1 if it is not there"),
	  FN_EX(EX("index_of(\"banana\", \"na\")", "2"), EX("index_of(\"banana\", \"na\", 3)", "4"),
		EX("index_of([\"a\", \"b\"], \"c\")", "-1")),
	  FN_ARGS(2, 3), .row = row_index_of },
	{ FN_DOC("last_index_of", "last_index_of(X, PART)", "as index_of, the last place"),
	  FN_EX(EX("last_index_of(\"banana\", \"na\")", "4")), FN_ARGS(2, 2), .row = row_last_index_of },
	{ FN_DOC("occurrences", "occurrences(X, PART)",
		 "how often the part is in a text (without overlap), or the item in a list"),
	  FN_EX(EX("occurrences(\"banana\", \"an\")", "2"), EX("occurrences([1, 2, 1], 1)", "2")), FN_ARGS(2, 2),
	  .row = row_occurrences },
	{ FN_DOC("replace", "replace(S, FROM, TO)", "every FROM, taken literally, becomes TO"), .doc.aliases = "gssub",
	  FN_EX(EX("replace(\"1.234.567\", \".\", \"\")", "\"1234567\"")), FN_ARGS(3, 3), .row = row_replace },
	{ FN_DOC("left", "left(S, N)", "the first N characters; all but the last -N when N is negative"),
	  FN_EX(EX("left(\"stream\", 2)", "\"st\""), EX("left(\"stream\", -2)", "\"stre\"")), FN_ARGS(2, 2), .row = row_left },
	{ FN_DOC("right", "right(S, N)", "the last N characters; all but the first -N when N is negative"),
	  FN_EX(EX("right(\"stream\", 2)", "\"am\""), EX("right(\"stream\", -2)", "\"ream\"")), FN_ARGS(2, 2), .row = row_right },
	{ FN_DOC("substr", "substr(S, FROM [, LEN])",
		 "LEN characters from position FROM (from 0, negative from the end), or all of them"),
	  FN_EX(EX("substr(\"stream\", 1, 3)", "\"tre\""), EX("substr(\"stream\", -2)", "\"am\"")), FN_ARGS(2, 3),
	  .row = row_substr },
	{ FN_DOC("slice", "slice(X, FROM [, TO])",
		 "characters of a text or items of a list from FROM up to, not including, TO; negative ones from the end"),
	  FN_EX(EX("slice([1, 2, 3, 4], 1, 3)", "[2,3]"), EX("slice(\"stream\", 0, -1)", "\"strea\"")), FN_ARGS(2, 3),
	  .row = row_slice },
	{ FN_DOC("reverse", "reverse(X)", "a text or list the other way round"), .doc.aliases = "rev",
	  FN_EX(EX("reverse(\"n\xC3\xA9\")", "\"\xC3\xA9n\""), EX("reverse([1, 2])", "[2,1]")), FN_ARGS(1, 1),
	  .row = row_reverse },
	{ FN_DOC("repeat", "repeat(S, N)", "the text N times"), FN_EX(EX("repeat(\"ab\", 3)", "\"ababab\"")), FN_ARGS(2, 2),
	  .row = row_repeat },
};

FN_FAMILY(fn_family_string);

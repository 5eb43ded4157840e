/* Text: padding and formats. */
#define FN_GROUP "strings"
#include <stdio.h>

#include "base/utf8.h"
#include "expr/fn_impl.h"

#define SPEC_MAX 1000 /* widths, precisions, indents */

/* ---- padding ---- */

/* `count` characters of the repeated fill. */
static void add_fill(struct fn_sb *b, struct fn_text fill, size_t count)
{
	size_t at = 0;
	uint32_t cp;

	while (count-- && !b->full) {
		unsigned len = utf8_decode(fill.p + at, fill.n - at, &cp);

		fn_sb_add(b, fill.p + at, len);
		at = at + len < fill.n ? at + len : 0;
	}
}

/* percent: how much of the padding goes to the left. */
static void pad(struct fn_call *c, const struct value *v, uint32_t n, unsigned percent, struct value *out)
{
	struct fn_text t, fill = { " ", 1 };
	struct fn_sb b = { .c = c };
	size_t len, missing, before;
	int64_t want;

	if (!fn_text(c, &v[0], &t) || !fn_arg_int(c, &v[1], &want) || (n > 2 && !fn_text(c, &v[2], &fill)))
		return;
	len = utf8_length(t.p, t.n);
	if (want < 0 || (uint64_t)want <= len || !fill.n) {
		*out = v_str(t.p, t.n);
		return;
	}
	missing = (size_t)want - len;
	if (missing > FN_TEXT_MAX) {
		fn_room(c, missing);
		return;
	}
	before = missing / 2;
	if (percent != 50)
		before = percent ? missing : 0;
	add_fill(&b, fill, before);
	fn_sb_text(&b, t);
	add_fill(&b, fill, missing - before);
	fn_sb_out(&b, out);
}

static void row_pad_left(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) { pad(c, v, n, 100, out); }

static void row_pad_right(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) { pad(c, v, n, 0, out); }

static void row_center(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) { pad(c, v, n, 50, out); }

static void row_ellipsis(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t, mark = { "\xE2\x80\xA6", 3 };
	struct fn_sb b = { .c = c };
	size_t marks;
	int64_t most;

	if (!fn_text(c, &v[0], &t) || !fn_arg_int(c, &v[1], &most) || (n > 2 && !fn_text(c, &v[2], &mark)))
		return;
	if (most < 0 || (uint64_t)most >= utf8_length(t.p, t.n)) {
		*out = v_str(t.p, t.n);
		return;
	}
	marks = utf8_length(mark.p, mark.n);
	if (marks > (uint64_t)most)
		mark.n = utf8_offset(mark.p, mark.n, marks = (size_t)most);
	fn_sb_add(&b, t.p, utf8_offset(t.p, t.n, (size_t)most - marks));
	fn_sb_text(&b, mark);
	fn_sb_out(&b, out);
}

static void row_indent(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct fn_text t;
	int64_t depth = 4;

	if (!fn_text(c, &v[0], &t) || (n > 1 && !fn_arg_int(c, &v[1], &depth)))
		return;
	if (depth < 0 || depth > SPEC_MAX) {
		fn_fail(c, "indent by 0 to 1000");
		return;
	}
	while (t.n && !b.full) {
		const char *nl = memchr(t.p, '\n', t.n);
		size_t len = nl ? (size_t)(nl - t.p) + 1 : t.n;

		if (len > 1 || !nl)
			add_fill(&b, (struct fn_text){ " ", 1 }, (size_t)depth);
		fn_sb_add(&b, t.p, len);
		t.p += len;
		t.n -= len;
	}
	fn_sb_out(&b, out);
}

/* ---- formats ---- */

/* The text of an argument in a format: lists and objects as JSON, null as nothing. */
static void add_value(struct fn_call *c, const struct value *v, struct fn_sb *b)
{
	struct buf text = { 0 };

	value_print(&text, v, c->env ? c->env->format : NULL);
	fn_sb_add(b, text.p, text.n);
	buf_release(&text);
}

static void row_format(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	uint32_t next = 1;
	struct fn_text f;

	if (v->type == T_NULL || !fn_text(c, &v[0], &f))
		return;
	for (size_t i = 0; i < f.n; i++) {
		char ch = f.p[i], after = i + 1 < f.n ? f.p[i + 1] : 0;

		if (ch == '{' && after == '}') {
			if (next >= n) {
				fn_fail(c, "more {} than arguments");
				return;
			}
			add_value(c, &v[next++], &b);
			i++;
			continue;
		}
		i += (ch == '{' || ch == '}') && after == ch;
		fn_sb_char(&b, ch);
	}
	fn_sb_out(&b, out);
}

/* One conversion of printf: %[flags][width][.precision]letter. */
struct spec {
	char flags[8];
	int width, precision; /* -1: none */
	char letter;
};

static int small_number(const char **p, const char *end)
{
	int v = 0;

	for (; *p < end && (unsigned)(**p - '0') < 10; ++*p)
		v = v < SPEC_MAX ? v * 10 + (**p - '0') : v;
	return v < SPEC_MAX ? v : SPEC_MAX;
}

/* Reads behind the '%'; false when it is not one. */
static bool read_spec(const char **p, const char *end, struct spec *s)
{
	size_t n = 0;

	for (; *p < end && **p && strchr("-+ #0'", **p); ++*p)
		if (n < sizeof s->flags - 1 && !memchr(s->flags, **p, n) && **p != '\'')
			s->flags[n++] = **p;
	s->flags[n] = 0;
	s->width = small_number(p, end);
	s->precision = -1;
	if (*p < end && **p == '.') {
		++*p;
		s->precision = small_number(p, end);
	}
	while (*p < end && **p && strchr("lhjzq", **p))
		++*p;
	if (*p == end)
		return false;
	s->letter = *(*p)++;
	return s->letter && strchr("diuxXocsfFeEgG", s->letter);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void print_spec(struct fn_sb *b, const struct spec *s, const char *letters, struct num n)
{
	char f[32], *d;
	int len;

	snprintf(f, sizeof f, "%%%s%d.%d%s", s->flags, s->width, s->precision, letters);
	if (!s->width && s->precision < 0)
		snprintf(f, sizeof f, "%%%s%s", s->flags, letters);
	else if (!s->width)
		snprintf(f, sizeof f, "%%%s.%d%s", s->flags, s->precision, letters);
	else if (s->precision < 0)
		snprintf(f, sizeof f, "%%%s%d%s", s->flags, s->width, letters);
	d = fn_sb_room(b, 2 * SPEC_MAX + 400); /* 309 digits before the point, precision behind it */
	if (!d)
		return;
	len = n.kind == NUM_INT ? snprintf(d, 2 * SPEC_MAX + 400, f, (long long)n.i) : snprintf(d, 2 * SPEC_MAX + 400, f, n.f);
	b->n += len > 0 ? (size_t)len : 0;
}
#pragma GCC diagnostic pop

static bool spec_number(struct fn_call *c, const struct spec *s, const struct value *v, struct fn_sb *b)
{
	char letters[4] = { 'l', 'l', s->letter, 0 };
	bool real = strchr("fFeEgG", s->letter) != NULL;
	struct num n;

	if (!fn_arg_num(c, v, &n))
		return false;
	if (real && n.kind == NUM_INT)
		n = (struct num){ .kind = NUM_FLOAT, .f = (double)n.i };
	if (!real && n.kind == NUM_FLOAT) {
		if (!(n.f > -0x1p63 && n.f < 0x1p63))
			return fn_fail(c, "not a whole number of 64 bits");
		n = (struct num){ .kind = NUM_INT, .i = (int64_t)n.f };
	}
	print_spec(b, s, real ? letters + 2 : letters, n);
	return true;
}

static bool spec_text(struct fn_call *c, const struct spec *s, const struct value *v, struct fn_sb *b)
{
	struct fn_sb one = { .c = c };
	size_t n, chars;

	if (s->letter == 'c' && v->type == T_INT) {
		if (v->i < 0 || v->i > 0x10FFFF)
			return fn_fail(c, "not the code of a character");
		one.n = utf8_put((uint32_t)v->i, fn_sb_room(&one, 8));
	} else {
		add_value(c, v, &one);
	}
	n = one.n;
	if (s->letter == 'c')
		n = utf8_offset(one.p, n, 1);
	else if (s->precision >= 0)
		n = utf8_offset(one.p, n, (size_t)s->precision);
	chars = n ? utf8_length(one.p, n) : 0;
	if (!strchr(s->flags, '-') && chars < (size_t)s->width)
		add_fill(b, (struct fn_text){ " ", 1 }, (size_t)s->width - chars);
	fn_sb_add(b, one.p, n);
	if (strchr(s->flags, '-') && chars < (size_t)s->width)
		add_fill(b, (struct fn_text){ " ", 1 }, (size_t)s->width - chars);
	return true;
}

static void row_printf(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	const char *p, *end;
	uint32_t next = 1;
	struct fn_text f;
	struct spec s;

	if (!fn_text(c, &v[0], &f))
		return;
	for (p = f.p, end = p + f.n; p < end;) {
		const char *mark = memchr(p, '%', (size_t)(end - p));

		fn_sb_add(&b, p, (size_t)((mark ? mark : end) - p));
		if (!mark)
			break;
		p = mark + 1;
		if (p < end && *p == '%') {
			fn_sb_char(&b, *p++);
			continue;
		}
		if (!read_spec(&p, end, &s)) {
			fn_fail(c, "unknown conversion in the format");
			return;
		}
		if (next >= n) {
			fn_fail(c, "more conversions than arguments");
			return;
		}
		if (!(s.letter == 's' || s.letter == 'c' ? spec_text : spec_number)(c, &s, &v[next++], &b))
			return;
	}
	fn_sb_out(&b, out);
}

/* Digits of a decimal text with a mark between groups of three before the point. */
static void add_grouped(struct fn_sb *b, const char *p, size_t n, struct fn_text mark)
{
	size_t digits, sign = n && *p == '-';

	for (digits = sign; digits < n && (unsigned)(p[digits] - '0') < 10; digits++)
		;
	fn_sb_add(b, p, sign);
	for (size_t i = sign; i < digits; i++) {
		if (i > sign && (digits - i) % 3 == 0)
			fn_sb_text(b, mark);
		fn_sb_char(b, p[i]);
	}
	fn_sb_add(b, p + digits, n - digits);
}

static void row_thousands(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text mark = { ",", 1 };
	struct fn_sb b = { .c = c };
	char text[NUM_MAX];
	struct num x;
	size_t len;

	if (!fn_arg_num(c, v, &x) || (n > 1 && !fn_text(c, &v[1], &mark)))
		return;
	len = x.kind == NUM_INT ? num_format_int(x.i, text) : num_format_double(x.f, text);
	add_grouped(&b, text, len, mark);
	fn_sb_out(&b, out);
}

static void row_fixed(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	int64_t digits;
	double x;
	char *d;

	(void)n;
	if (!fn_arg_double(c, &v[0], &x) || !fn_arg_int(c, &v[1], &digits))
		return;
	if (digits < 0 || digits > 100) {
		fn_fail(c, "0 to 100 digits");
		return;
	}
	d = fn_sb_room(&b, 450);
	b.n = (size_t)snprintf(d, 450, "%.*f", (int)digits, x);
	fn_sb_out(&b, out);
}

static void row_shell_quote(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	fn_sb_char(&b, '\'');
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '\'')
			fn_sb_add(&b, "'\\''", 4);
		else
			fn_sb_char(&b, t.p[i]);
	}
	fn_sb_char(&b, '\'');
	fn_sb_out(&b, out);
}

static const struct fn_def defs[] = {
	{ FN_DOC("pad_left", "pad_left(S, N [, FILL])", "text of at least N characters, filled on the left with blanks or FILL"),
	  .doc.aliases = "lpad leftpad", FN_EX(EX("pad_left(7, 3, \"0\")", "\"007\"")), FN_ARGS(2, 3), .row = row_pad_left },
	{ FN_DOC("pad_right", "pad_right(S, N [, FILL])", "text of at least N characters, filled on the right"),
	  .doc.aliases = "rpad rightpad", FN_EX(EX("pad_right(\"ab\", 5, \".-\")", "\"ab.-.\"")), FN_ARGS(2, 3),
	  .row = row_pad_right },
	{ FN_DOC("center", "center(S, N [, FILL])", "text in the middle of at least N characters"),
	  FN_EX(EX("center(\"ab\", 6, \"*\")", "\"**ab**\"")), FN_ARGS(2, 3), .row = row_center },
	{ FN_DOC("ellipsis", "ellipsis(S, N [, MARK])", "text of at most N characters, with a mark where it was cut"),
	  .doc.aliases = "truncate", FN_EX(EX("ellipsis(\"a long title\", 7, \"...\")", "\"a lo...\"")), FN_ARGS(2, 3),
	  .row = row_ellipsis },
	{ FN_DOC("indent", "indent(S [, N])", "each line that is not empty moved right by N (4) blanks"),
	  FN_EX(EX("indent(\"a\\n\\nb\", 2)", "\"  a\\n\\n  b\"")), FN_ARGS(1, 2), .row = row_indent },
	{ FN_DOC("format", "format(FMT, X ...)", "the text FMT with each {} replaced by the next argument; {{ and }} are braces"),
	  FN_EX(EX("format(\"{} of {}\", 3, \"ten\")", "\"3 of ten\"")), FN_ARGS(1, FN_ANY), .flags = FN_NULLS,
	  .row = row_format },
	{ FN_DOC("printf", "printf(FMT, X ...)",
		 "as C's printf: %d %i %u %x %X %o %c %s %f %e %g with flags, width and precision"),
	  .doc.aliases = "sprintf format_string",
	  FN_EX(EX("printf(\"%05.2f|%-4s|%x\", 3.14159, \"ab\", 255)", "\"03.14|ab  |ff\"")), FN_ARGS(1, FN_ANY),
	  .row = row_printf },
	{ FN_DOC("thousands", "thousands(N [, MARK])", "a number with a comma, or MARK, between groups of three digits"),
	  FN_EX(EX("thousands(1234567.5)", "\"1,234,567.5\""), EX("thousands(-1234, \".\")", "\"-1.234\"")), FN_ARGS(1, 2),
	  .row = row_thousands },
	{ FN_DOC("fixed", "fixed(X, DIGITS)", "text of a number with so many digits behind the point"), .doc.aliases = "to_fixed",
	  FN_EX(EX("fixed(2.5, 2)", "\"2.50\"")), FN_ARGS(2, 2), .row = row_fixed },
	{ FN_DOC("shell_quote", "shell_quote(S)", "text as one word of a shell command"),
	  FN_EX(EX("shell_quote(\"it's\")", "\"'it'\\\\''s'\"")), FN_ARGS(1, 1), .row = row_shell_quote },
};

FN_FAMILY(fn_family_pad);

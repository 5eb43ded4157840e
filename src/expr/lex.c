#include "expr/lex.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/nearest.h"
#include "base/time.h"
#include "base/utf8.h"

const char *const special_names[SP_COUNT_] = {
	[SP_BATCH] = "batch",
	[SP_TIME] = "time",
	[SP_EVENT] = "event",
	[SP_WATERMARK] = "watermark",
	[SP_SOURCE] = "source",
	[SP_FILE] = "file",
	[SP_WINDOW_START] = "window_start",
	[SP_WINDOW_END] = "window_end",
	[SP_PANE] = "pane",
	[SP_PANE_ON_TIME] = "pane_on_time",
	[SP_TIMING] = "timing",
	[SP_FINAL] = "final",
	[SP_RECORD] = "record",
	[SP_RECORDS] = "records",
};

/* Punctuation, longer spellings first; one with a hint is not of the language. */
static const struct punct {
	const char *s, *hint;
} puncts[] = {
	{ "===", "compare with `==`" },
	{ "!==", "compare with `!=`" },
	{ "<=>", NULL }, /* of `join ... on` */
	{ "**=", "write the variable again: `n = n ** 2`" },
	{ "++=", NULL },
	{ "?\?=", NULL },
	{ "==", NULL },
	{ "=~", NULL },
	{ "=>", "at least is written `>=`" },
	{ "=<", "at most is written `<=`" },
	{ "!=", NULL },
	{ "!~", NULL },
	{ "<=", NULL },
	{ ">=", NULL },
	{ "<>", "not equal is written `!=`" },
	{ "&&", NULL },
	{ "||", NULL },
	{ "++", NULL },
	{ "+=", NULL },
	{ "-=", "write the variable again: `n = n - 1`" },
	{ "*=", "write the variable again: `n = n * 2`" },
	{ "/=", "write the variable again: `n = n / 2`" },
	{ "%=", "write the variable again: `n = n % 2`" },
	{ ":=", "a target is set with `=`" },
	{ "**", NULL },
	{ "//", NULL },
	{ "??", NULL },
	{ "(", NULL },
	{ ")", NULL },
	{ "[", NULL },
	{ "]", NULL },
	{ "{", NULL },
	{ "}", NULL },
	{ ",", NULL },
	{ ".", NULL },
	{ "=", NULL },
	{ "<", NULL },
	{ ">", NULL },
	{ "+", NULL },
	{ "-", NULL },
	{ "*", NULL },
	{ "/", NULL },
	{ "%", NULL },
	{ "!", NULL },
	{ "?", NULL },
	{ ":", NULL },
	{ ";", NULL },
	{ "&", "both must hold: `&&` or `and`" },
	{ "^", "a power is written `**`" },
	{ "~", "a regex match is written `=~`" },
	{ "`", "a field with an odd name is written [\"odd name\"]" },
};

/* Characters beyond ASCII that look like something of the language, or like nothing. */
static const struct odd {
	uint32_t lo, hi;
	const char *advice;
} odds[] = {
	{ 0x80, 0x9f, "a control character" },
	{ 0xa0, 0xa0, "a no-break space: write a plain one" },
	{ 0xab, 0xab, "a typographic quote: write \" or '" },
	{ 0xad, 0xad, "a soft hyphen, which cannot be seen" },
	{ 0xbb, 0xbb, "a typographic quote: write \" or '" },
	{ 0xd7, 0xd7, "a product is written `*`" },
	{ 0xf7, 0xf7, "a quotient is written `/`" },
	{ 0x1680, 0x1680, "a space beyond ASCII: write a plain one" },
	{ 0x2000, 0x200a, "a space beyond ASCII: write a plain one" },
	{ 0x200b, 0x200f, "a character that cannot be seen" },
	{ 0x2010, 0x2015, "a dash: minus is written `-`" },
	{ 0x2018, 0x201f, "a typographic quote: write \" or '" },
	{ 0x2026, 0x2026, "an ellipsis" },
	{ 0x2028, 0x202e, "a character that cannot be seen" },
	{ 0x202f, 0x202f, "a space beyond ASCII: write a plain one" },
	{ 0x2032, 0x2033, "a prime: write \" or '" },
	{ 0x2039, 0x203a, "a typographic quote: write \" or '" },
	{ 0x205f, 0x205f, "a space beyond ASCII: write a plain one" },
	{ 0x2060, 0x206f, "a character that cannot be seen" },
	{ 0x2212, 0x2212, "minus is written `-`" },
	{ 0x2260, 0x2260, "not equal is written `!=`" },
	{ 0x2264, 0x2264, "at most is written `<=`" },
	{ 0x2265, 0x2265, "at least is written `>=`" },
	{ 0x3000, 0x3000, "a space beyond ASCII: write a plain one" },
	{ 0xfeff, 0xfeff, "a byte order mark, which cannot be seen" },
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool name_start(char c) { return is_alpha(c) || (unsigned char)c >= 0x80; }

bool name_char(char c) { return name_start(c) || is_digit(c); }

const char *name_odd_char(uint32_t cp)
{
	if (cp < 0x80)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(odds); i++)
		if (cp >= odds[i].lo && cp <= odds[i].hi)
			return odds[i].advice;
	return NULL;
}

static bool reserved(const char *p, size_t n)
{
	static const char *const words[] = { "true", "false", "null", "not" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i]) == n && !memcmp(words[i], p, n))
			return true;
	return false;
}

bool name_is_plain(const char *p, size_t n)
{
	uint32_t cp;

	if (!n || !name_start(*p) || reserved(p, n))
		return false;
	for (size_t i = 0; i < n;) {
		if (!name_char(p[i]))
			return false;
		i += utf8_decode(p + i, n - i, &cp);
		if (name_odd_char(cp) || (cp >= 0xd800 && cp < 0xe000))
			return false;
	}
	return true;
}

struct pos lex_pos(const struct lexer *lx, int at, int n)
{
	return (struct pos){ .unit = lx->unit, .at = at, .n = n, .stage = lx->stage };
}

void lex_fail(const struct lexer *lx, struct token *t, int at, int n, struct err *e, const char *fmt, ...)
{
	char msg[sizeof e->msg];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	t->kind = TK_ERR;
	if (t->at + t->n < at + n)
		t->n = at + n - t->at;
	memset(e, 0, sizeof *e);
	err_at(e, lex_pos(lx, at, n), "%s", msg);
}

bool lex_is(const struct token *t, const char *punct) { return t->kind == TK_PUNCT && !strcmp(t->punct, punct); }

bool lex_is_word(const struct token *t, const char *word)
{
	return t->kind == TK_NAME && strlen(word) == t->lit.n && !memcmp(word, t->lit.s, t->lit.n);
}

/* Length of a `\` newline at `at`, or 0. */
static int line_join(const char *p)
{
	if (p[0] != '\\')
		return 0;
	return p[1] == '\n' ? 2 : p[1] == '\r' && p[2] == '\n' ? 3 : 0;
}

int lex_skip(const struct lexer *lx, int at, bool *newline)
{
	const char *p = lx->p;

	if (at == 0 && lx->n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		at = 3; /* a byte order mark */
	while (at < lx->n) {
		char c = p[at];

		if (c == '#') {
			while (at < lx->n && p[at] != '\n')
				at++;
		} else if (c == '\n') {
			if (!lx->newline_blank)
				break;
			*newline = true;
			at++;
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
			at++;
		} else if (line_join(p + at)) {
			at += line_join(p + at);
		} else {
			break;
		}
	}
	return at;
}

/* End of the name that begins or goes on at i; stops at a character that only looks like part of one. */
static int name_end(const struct lexer *lx, int i)
{
	uint32_t cp;

	while (i < lx->n && name_char(lx->p[i])) {
		unsigned w = utf8_decode(lx->p + i, (size_t)(lx->n - i), &cp);

		if (name_odd_char(cp))
			break;
		i += (int)w;
	}
	return i;
}

static void lex_name(const struct lexer *lx, struct token *t, struct err *e)
{
	int end = name_end(lx, t->at);
	uint32_t cp;
	unsigned w;

	if (end > t->at) {
		t->kind = TK_NAME;
		t->n = end - t->at;
		t->lit = v_bytes(T_STR, lx->p + t->at, (size_t)t->n);
		return;
	}
	w = utf8_decode(lx->p + t->at, (size_t)(lx->n - t->at), &cp);
	lex_fail(lx, t, t->at, (int)w, e, "unexpected character U+%04X", (unsigned)cp);
	err_hint(e, "%s", name_odd_char(cp));
}

static int digits_end(const struct lexer *lx, int i)
{
	while (i < lx->n && is_digit(lx->p[i]))
		i++;
	return i;
}

/* End of `digits [. digits] [e digits]` or `. digits ...`. */
static int number_end(const struct lexer *lx, int i)
{
	const char *p = lx->p;
	int k;

	i = digits_end(lx, i);
	if (p[i] == '.' && is_digit(p[i + 1]))
		i = digits_end(lx, i + 1);
	if (p[i] == 'e' || p[i] == 'E') {
		k = i + 1;
		if (p[k] == '+' || p[k] == '-')
			k++;
		if (is_digit(p[k]))
			i = digits_end(lx, k);
	}
	return i;
}

/* End of what a reader would take for one word with the number: 5min, 1h2.5m, 10.0.0.1. */
static int number_word_end(const struct lexer *lx, int i)
{
	while (i < lx->n && (name_char(lx->p[i]) || (lx->p[i] == '.' && is_digit(lx->p[i + 1]))))
		i++;
	return i;
}

/* 2015-05-17 would be a subtraction. */
static bool looks_like_date(const char *p, int n)
{
	static const char shape[] = "0000-00-00";

	if (n != 4)
		return false;
	for (int i = 0; i < (int)sizeof shape - 1; i++)
		if (shape[i] == '0' ? !is_digit(p[i]) : p[i] != '-')
			return false;
	return !name_char(p[10]) || p[10] == 'T';
}

static unsigned size_shift(char c) { return c == 'K' ? 10 : c == 'M' ? 20 : c == 'G' ? 30 : 0; }

/* 64M: digits and one letter. */
static bool lex_size(const struct lexer *lx, struct token *t)
{
	int end = digits_end(lx, t->at);
	unsigned shift = size_shift(lx->p[end]);
	struct num num;

	if (!shift || name_char(lx->p[end + 1]) || num_parse(lx->p + t->at, (size_t)(end - t->at), &num) != NUM_INT ||
	    num.i > INT64_MAX >> shift)
		return false;
	t->kind = TK_NUM;
	t->n = end + 1 - t->at;
	t->lit = v_int(num.i << shift);
	return true;
}

static bool lex_duration(const struct lexer *lx, struct token *t, int end)
{
	int64_t ns = 0, months = 0;

	if (!dur_parse(lx->p + t->at, (size_t)(end - t->at), &ns, &months))
		return false;
	t->kind = TK_DUR;
	t->n = end - t->at;
	t->lit = v_dur(ns);
	t->months = months;
	return true;
}

static void bad_number(const struct lexer *lx, struct token *t, int end, struct err *e)
{
	const char *p = lx->p + t->at;
	int n = end - t->at, show = n > 40 ? 40 : n;
	const char *advice = dur_advice(p, (size_t)n);

	lex_fail(lx, t, t->at, n, e, "`%.*s` is not a number, a duration or a size", show, p);
	if (advice)
		err_hint(e, "%s", advice);
	else if (n > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		err_hint(e, "numbers are decimal");
	else if (memchr(p, '.', (size_t)n) && !name_start(p[n - 1]))
		err_hint(e, "text stands in quotes: \"%.*s\"", show, p);
	else
		err_hint(e, "durations are written in ns us ms s m h d w, like 1h30m; sizes in K M G, like 64M");
}

static void lex_number(const struct lexer *lx, struct token *t, struct err *e)
{
	const char *p = lx->p + t->at;
	int end = number_end(lx, t->at), word = number_word_end(lx, end);
	struct num num;

	t->kind = TK_NUM;
	t->n = end - t->at;
	if (word > end) {
		if (!lex_size(lx, t) && !lex_duration(lx, t, word))
			bad_number(lx, t, word, e);
		return;
	}
	if (looks_like_date(p, t->n)) {
		lex_fail(lx, t, t->at, 10, e, "`%.10s` would be a subtraction", p);
		err_hint(e, "a date is written time(\"%.10s\")", p);
		return;
	}
	t->lit = num_parse(p, (size_t)t->n, &num) == NUM_INT ? v_int(num.i) : v_float(num.f);
}

static const struct program_var *var_find(const struct lexer *lx, const char *p, size_t n)
{
	for (int i = 0; i < lx->n_vars; i++)
		if (strlen(lx->vars[i].name) == n && !memcmp(lx->vars[i].name, p, n))
			return &lx->vars[i];
	return NULL;
}

static void unknown_var(const struct lexer *lx, struct token *t, struct err *e)
{
	const char *p = lx->p + t->at + 1;
	size_t n = (size_t)t->n - 1;
	int show = n > 60 ? 60 : (int)n;
	struct nearest s;

	lex_fail(lx, t, t->at, t->n, e, "unknown variable: `$%.*s`", show, p);
	nearest_init(&s, p, n);
	for (int i = 0; i < lx->n_vars; i++)
		nearest_offer(&s, lx->vars[i].name);
	if (s.best)
		err_hint(e, "did you mean `$%s`?", s.best);
	else if (n == 1 && *p == '0')
		err_hint(e, "the whole line is the field `line`, the whole record `@record`");
	else
		err_hint(e, "a variable is set with -v %.*s=VALUE; a field has no `$`", show, p);
}

static void lex_var(const struct lexer *lx, struct token *t, struct err *e)
{
	const char *p = lx->p + t->at + 1;
	int i = t->at + 1;
	const struct program_var *v;

	while (i < lx->n && name_char(lx->p[i]))
		i++;
	t->n = i - t->at;
	if (t->n == 1) {
		lex_fail(lx, t, t->at, 1, e, "a variable's name must follow `$`");
		return;
	}
	v = var_find(lx, p, (size_t)t->n - 1);
	if (v) {
		t->kind = TK_VAR;
		t->lit = v_text(v->value, strlen(v->value));
	} else if (is_digit(*p) && *p != '0' && digits_end(lx, t->at + 1) == i) {
		t->kind = TK_COLUMN;
		t->lit = v_str(p, (size_t)t->n - 1);
	} else {
		unknown_var(lx, t, e);
	}
}

static void lex_special(const struct lexer *lx, struct token *t, struct err *e)
{
	const char *p = lx->p + t->at + 1;
	int end = name_end(lx, t->at + 1);
	size_t n = (size_t)(end - t->at - 1);
	struct nearest s;

	t->n = end - t->at;
	nearest_init(&s, p, n);
	for (int i = 0; i < SP_COUNT_; i++) {
		if (strlen(special_names[i]) == n && !memcmp(special_names[i], p, n)) {
			t->kind = TK_SPECIAL;
			t->lit = v_str(special_names[i], n);
			return;
		}
		nearest_offer(&s, special_names[i]);
	}
	lex_fail(lx, t, t->at, t->n, e, "unknown special value: `@%.*s`", n > 60 ? 60 : (int)n, p);
	if (s.best)
		err_hint(e, "did you mean `@%s`?", s.best);
	else
		err_hint(e, "a field whose name begins with `@` is written [\"@name\"]");
}

static void lex_punct(const struct lexer *lx, struct token *t, struct err *e)
{
	const char *p = lx->p + t->at;

	for (size_t i = 0; i < ARRAY_LEN(puncts); i++) {
		const struct punct *k = &puncts[i];

		if (strncmp(p, k->s, strlen(k->s)))
			continue;
		t->kind = TK_PUNCT;
		t->punct = k->s;
		t->n = (int)strlen(k->s);
		if (k->hint) {
			lex_fail(lx, t, t->at, t->n, e, "there is no operator `%s`", k->s);
			err_hint(e, "%s", k->hint);
		}
		return;
	}
	if (*p == '|') {
		t->kind = TK_PIPE;
		t->n = 1;
	} else if (*p > ' ' && *p < 0x7f) {
		lex_fail(lx, t, t->at, 1, e, "unexpected `%c`", *p);
	} else {
		lex_fail(lx, t, t->at, 1, e, "unexpected byte 0x%02X", (unsigned)(unsigned char)*p);
	}
}

void lex(const struct lexer *lx, int at, enum lex_mode mode, struct token *t, struct err *e)
{
	bool operand = mode == LEX_OPERAND;
	char c, next;

	memset(t, 0, sizeof *t);
	t->at = lex_skip(lx, at, &t->nl_before);
	t->blank_before = t->at > at;
	if (t->at >= lx->n) {
		t->kind = TK_EOF;
		return;
	}
	c = lx->p[t->at];
	next = lx->p[t->at + 1];
	if (c == '\n')
		t->kind = TK_NEWLINE, t->n = 1;
	else if (name_start(c))
		lex_name(lx, t, e);
	else if (is_digit(c) || (operand && c == '.' && is_digit(next)))
		lex_number(lx, t, e);
	else if (c == '"' || c == '\'')
		lex_string(lx, t, e);
	else if (c == '/' && operand)
		lex_regex(lx, t, e);
	else if (c == '$')
		lex_var(lx, t, e);
	else if (c == '@')
		lex_special(lx, t, e);
	else
		lex_punct(lx, t, e);
}

#include "base/regex.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"
#include "base/utf8.h"

#define OPTIONS PCRE2_NEVER_BACKSLASH_C
#define JIT_AFTER 16		  /* matches before machine code pays: making it costs as much as some hundred matches */
#define MATCH_LIMIT 2000000	  /* steps of one match of the interpreter; a hostile pattern ends after about 0.1 s */
#define HEAP_LIMIT_KIB (64 << 10) /* backtracking memory of one match */

struct regex {
	pcre2_code *code;
	pcre2_code *loose; /* for malformed subjects, made when the first one comes; never as machine code: PCRE2's own code for
			      MATCH_INVALID_UTF misses non-ASCII characters in \D \S \W before 10.43 */
	char *pattern;	   /* UTF mode only, for `loose` */
	size_t pattern_n;
	const char *seen; /* subject of the last call */
	size_t seen_n;
	bool seen_valid;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	unsigned groups;
	unsigned uses; /* counted up to JIT_AFTER */
	bool jit;
	const char *names[REGEX_GROUPS_MAX + 1];
};

/* Of the escapes that name single characters; all of them act otherwise on bytes over 0x7F. */
static bool escape_needs_utf(const char *p, const char *end)
{
	return strchr("pPXRBhvoNQ", p[0]) || (p[0] == 'x' && p + 1 < end && p[1] == '{');
}

/* Skip a class "[...]" whose '[' is at p. *wide: it may stand for a byte over 0x7F; *utf: it speaks of characters. */
static const char *skip_class(const char *p, const char *end, bool *wide, bool *utf)
{
	p++;
	if (p < end && *p == '^') {
		*wide = true;
		p++;
	}
	if (p < end && *p == ']')
		p++;
	for (; p < end && *p != ']'; p++) {
		if (*p == '\\' && p + 1 < end) {
			p++;
			*wide |= strchr("DWSHV", *p) != NULL;
			*utf |= escape_needs_utf(p, end);
		} else if (*p == '[' && p + 1 < end && p[1] == ':') {
			*wide |= p + 2 < end && p[2] == '^';
			while (p < end && *p != ']')
				p++;
		}
	}
	return p < end ? p + 1 : end;
}

/* Does a wide atom that ends at p run to the end of its characters by itself: `*`, or a greedy or possessive `+`? */
static bool takes_all(const char *p, const char *end)
{
	if (p < end && *p == '*')
		return true;
	return p < end && *p == '+' && (p + 1 == end || p[1] != '?');
}

/* Groups that look around or start with a verb can stop inside a character; named and plain ones cannot. */
static bool group_needs_utf(const char *p, const char *end)
{
	if (end - p >= 2 && p[1] == '*')
		return true;
	if (end - p < 3 || p[1] != '?')
		return false;
	if (p[2] == '!' || p[2] == '>')
		return true;
	return p[2] == '<' && end - p > 3 && (p[3] == '=' || p[3] == '!');
}

/* What a walk over an ASCII pattern has seen. */
struct walk {
	const char *p, *end;
	unsigned depth; /* of open parentheses: what is in them may be optional */
	bool open;	/* a wide run came before, and nothing since that must be ASCII: matches may meet inside a character */
	bool branch;	/* a `|` came: from then on nothing closes a run for sure */
};

static bool quantified(const struct walk *w, const char *set) { return w->p < w->end && *w->p && strchr(set, *w->p); }

/* A character outside escapes and classes. */
static bool char_needs_utf(struct walk *w, const char *at)
{
	switch (*at) {
	case '(':
		w->depth++;
		return group_needs_utf(at, w->end);
	case ')':
		w->depth -= w->depth > 0;
		return w->open && quantified(w, "*+{");
	case '|':
		w->branch = true;
		return false;
	case '+': /* a possessive run gives nothing back, and what follows may then start inside a character */
		return w->open && strchr("*+?}", at[-1]);
	default:
		return false;
	}
}

/* Step over one atom. True: bytes and characters may give different answers. */
static bool step_needs_utf(struct walk *w)
{
	bool wide = false, utf = false, solid = true;
	const char *at = w->p;

	if (*at == '\\' && at + 1 < w->end) {
		utf = escape_needs_utf(at + 1, w->end);
		wide = strchr("DWSHV", at[1]) != NULL;
		solid = !strchr("bAzZGKE", at[1]);
		w->p += 2;
	} else if (*at == '[') {
		w->p = skip_class(at, w->end, &wide, &utf);
	} else {
		w->p++;
		utf = char_needs_utf(w, at);
		wide = *at == '.';
		solid = !strchr("^$()|*+?{}", *at);
	}
	if (wide) {
		utf |= !takes_all(w->p, w->end) || (w->open && *w->p == '+');
		w->open = true;
	} else if (solid && !w->depth && !w->branch && !quantified(w, "*?{")) {
		w->open = false;
	}
	return utf;
}

/* Could the ASCII pattern answer differently for bytes and for characters? Says yes when in doubt. */
static bool ascii_needs_utf(const char *p, const char *end)
{
	struct walk w = { .p = p, .end = end };

	while (w.p < end)
		if (step_needs_utf(&w))
			return true;
	return false;
}

static bool needs_utf(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] >= 0x80)
			return utf8_valid(p, n);
	/* a NUL is in every set of strchr */
	return memchr(p, 0, n) || ascii_needs_utf(p, p + n);
}

static int compile_error(int code, size_t at, const char *p, size_t n, struct err *e)
{
	PCRE2_UCHAR text[200];

	if (pcre2_get_error_message(code, text, sizeof text) < 0)
		text[0] = 0;
	return err_set(e, ERR_PROGRAM, "regular expression \"%.*s\": at offset %zu: %s", n > 100 ? 100 : (int)n, p, at,
		       (const char *)text);
}

static void read_names(struct regex *re)
{
	uint32_t n = 0, size = 0;
	PCRE2_SPTR table = NULL;

	pcre2_pattern_info(re->code, PCRE2_INFO_NAMECOUNT, &n);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &table);
	for (uint32_t i = 0; i < n; i++) {
		PCRE2_SPTR row = table + (size_t)i * size;
		unsigned g = (unsigned)row[0] << 8 | row[1];

		if (g <= re->groups)
			re->names[g] = (const char *)row + 2;
	}
}

static struct regex *regex_wrap(pcre2_code *code, unsigned groups)
{
	struct regex *re = xcalloc(1, sizeof *re);

	re->code = code;
	re->groups = groups;
	re->data = pcre2_match_data_create_from_pattern(code, NULL);
	re->limits = pcre2_match_context_create(NULL);
	if (!re->data || !re->limits) {
		regex_free(re);
		return NULL;
	}
	pcre2_set_match_limit(re->limits, MATCH_LIMIT);
	pcre2_set_heap_limit(re->limits, HEAP_LIMIT_KIB);
	read_names(re);
	return re;
}

struct regex *regex_compile(const char *p, size_t n, struct err *e)
{
	bool utf = needs_utf(p, n);
	uint32_t groups = 0;
	struct regex *re;
	pcre2_code *code;
	size_t at;
	int why;

	code = pcre2_compile((PCRE2_SPTR)(n ? p : ""), n, OPTIONS | (utf ? PCRE2_UTF : PCRE2_NEVER_UTF), &why, &at, NULL);
	if (!code) {
		compile_error(why, at, p, n, e);
		return NULL;
	}
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups > REGEX_GROUPS_MAX) {
		pcre2_code_free(code);
		err_set(e, ERR_PROGRAM, "regular expression \"%.*s\": %u groups, at most %d", n > 100 ? 100 : (int)n, p,
			(unsigned)groups, REGEX_GROUPS_MAX);
		return NULL;
	}
	re = regex_wrap(code, groups);
	if (!re)
		err_set(e, ERR_PROGRAM, "regular expression: out of memory");
	else if (utf)
		re->pattern = xstrndup(p, re->pattern_n = n);
	return re;
}

void regex_free(struct regex *re)
{
	if (!re)
		return;
	pcre2_match_data_free(re->data);
	pcre2_match_context_free(re->limits);
	pcre2_code_free(re->code);
	pcre2_code_free(re->loose);
	free(re->pattern);
	free(re);
}

unsigned regex_groups(const struct regex *re) { return re->groups; }

const char *regex_group_name(const struct regex *re, unsigned g) { return g <= re->groups ? re->names[g] : NULL; }

static int match_loose(struct regex *re, PCRE2_SPTR p, size_t n, size_t from)
{
	size_t at;
	int why;

	if (!re->loose)
		re->loose = pcre2_compile((PCRE2_SPTR)re->pattern, re->pattern_n, OPTIONS | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF,
					  &why, &at, NULL);
	if (!re->loose)
		return PCRE2_ERROR_NOMEMORY;
	return pcre2_match(re->loose, p, n, from, PCRE2_NO_JIT, re->data, re->limits);
}

/* A search that goes on in the subject of the last call does not look at all of it again. */
static bool subject_valid(struct regex *re, const char *p, size_t n, size_t from)
{
	if (from && re->seen == p && re->seen_n == n)
		return re->seen_valid;
	re->seen = p;
	re->seen_n = n;
	return re->seen_valid = utf8_valid(p, n);
}

static int match_code(struct regex *re, PCRE2_SPTR p, size_t n, size_t from)
{
	int rc;

	if (re->pattern && !subject_valid(re, (const char *)p, n, from))
		return match_loose(re, p, n, from);
	if (re->uses < JIT_AFTER && ++re->uses == JIT_AFTER)
		re->jit = pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0;
	if (re->jit) {
		rc = pcre2_jit_match(re->code, p, n, from, 0, re->data, re->limits);
		/* the small stack of the machine code is full: the interpreter has the heap */
		if (likely(rc != PCRE2_ERROR_JIT_STACKLIMIT))
			return rc;
	}
	return pcre2_match(re->code, p, n, from, PCRE2_NO_JIT | PCRE2_NO_UTF_CHECK, re->data, re->limits);
}

int regex_match(struct regex *re, const char *p, size_t n, size_t from, struct regex_span *spans)
{
	const size_t *at;
	int rc;

	if (from > n)
		return 0;
	rc = match_code(re, (PCRE2_SPTR)(n ? p : ""), n, from);
	if (rc < 0)
		return rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
	at = pcre2_get_ovector_pointer(re->data);
	for (unsigned g = 0; g <= re->groups; g++) {
		bool set = g < (unsigned)rc && at[2 * g] != PCRE2_UNSET;

		spans[g] = set ? (struct regex_span){ at[2 * g], at[2 * g + 1] } : (struct regex_span){ (size_t)-1, (size_t)-1 };
	}
	/* \K in a lookahead can put the start behind the end */
	if (unlikely(spans[0].at > spans[0].end))
		spans[0].at = spans[0].end;
	return 1;
}

/* Regular expressions (PCRE2 syntax). The pattern is the second argument everywhere: /pattern/ or a text. */
#define FN_GROUP "regular expressions"
#include "base/utf8.h"
#include "expr/fn_impl.h"

#define RE .prepare = fn_prepare_regex, .unprepare = fn_unprepare_regex

/* A walk over the matches in a text. */
struct matches {
	struct regex *re;
	struct fn_text s;
	size_t at;   /* where to look next */
	size_t rest; /* what no match has covered yet begins here */
	bool done;
	struct regex_span span[REGEX_GROUPS_MAX + 1];
};

static bool matches_start(struct fn_call *c, const struct value *v, struct matches *m)
{
	m->at = m->rest = 0;
	m->done = false;
	if (!fn_text(c, &v[0], &m->s))
		return false;
	m->re = fn_arg_regex(c, &v[1]);
	return m->re != NULL;
}

/* An empty match right behind the one before does not count, as in awk and sed. */
static bool matches_next(struct fn_call *c, struct matches *m)
{
	uint32_t cp;
	int rc;

	while (!m->done) {
		rc = regex_match(m->re, m->s.p, m->s.n, m->at, m->span);
		if (rc != 1) {
			m->done = true;
			return rc < 0 && fn_fail(c, "the pattern needs too many steps on this text");
		}
		m->at = m->span[0].end;
		if (m->span[0].end > m->span[0].at)
			return true;
		if (m->at < m->s.n)
			m->at += utf8_decode(m->s.p + m->at, m->s.n - m->at, &cp);
		else
			m->done = true;
		if (m->span[0].end != m->rest || m->rest == 0)
			return true;
	}
	return false;
}

static struct value group_text(const struct matches *m, unsigned g)
{
	struct regex_span s = m->span[g];

	return s.at == (size_t)-1 ? v_null() : v_str(m->s.p + s.at, s.end - s.at);
}

/* The group asked for by args[2]; without one the first, or the whole match where there are none. */
static bool arg_group(struct fn_call *c, const struct value *v, uint32_t n, const struct regex *re, unsigned *g)
{
	unsigned groups = regex_groups(re);
	int64_t want = groups > 0;

	if (n > 2 && !fn_arg_int(c, &v[2], &want))
		return false;
	if (want < 0 || want > groups)
		return fn_fail(c, "the pattern has no such group");
	*g = (unsigned)want;
	return true;
}

static void row_like(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct matches m;
	bool hit;

	(void)n;
	if (!matches_start(c, v, &m))
		return;
	hit = matches_next(c, &m);
	if (!c->fail)
		*out = v_bool(hit);
}

static void row_extract(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct matches m;
	unsigned g;

	if (matches_start(c, v, &m) && arg_group(c, v, n, m.re, &g) && matches_next(c, &m))
		*out = group_text(&m, g);
}

static void row_extract_all(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_lb b = { .c = c };
	struct matches m;
	unsigned g;

	if (!matches_start(c, v, &m) || !arg_group(c, v, n, m.re, &g))
		return;
	while (matches_next(c, &m)) {
		fn_lb_add(&b, group_text(&m, g));
		m.rest = m.span[0].end;
	}
	if (!c->fail)
		fn_lb_out(&b, out);
}

static void row_count(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct matches m;
	int64_t hits = 0;

	(void)n;
	if (!matches_start(c, v, &m))
		return;
	while (matches_next(c, &m)) {
		hits++;
		m.rest = m.span[0].end;
	}
	if (!c->fail)
		*out = v_int(hits);
}

static void row_index(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct matches m;

	(void)n;
	if (!matches_start(c, v, &m))
		return;
	if (matches_next(c, &m))
		*out = v_int((int64_t)utf8_length(m.s.p, m.span[0].at));
	else if (!c->fail)
		*out = v_int(-1);
}

static void row_groups(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items;
	struct matches m;
	unsigned groups;

	(void)n;
	if (!matches_start(c, v, &m) || !matches_next(c, &m))
		return;
	groups = regex_groups(m.re);
	items = fn_items(c, groups);
	for (unsigned g = 1; g <= groups; g++)
		items[g - 1] = group_text(&m, g);
	*out = v_list(items, groups);
}

static void row_capture(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct field *fields;
	unsigned used = 0;
	struct matches m;

	(void)n;
	if (!matches_start(c, v, &m) || !matches_next(c, &m))
		return;
	fields = fn_fields(c, regex_groups(m.re));
	for (unsigned g = 1; g <= regex_groups(m.re); g++) {
		const char *name = regex_group_name(m.re, g);
		size_t len = name ? strlen(name) : 0;

		if (name)
			fields[used++] = fn_field(arena_copy(c->arena, name, len), len, group_text(&m, g));
	}
	*out = v_object(fields, used);
}

/* ---- replacing ---- */

static void add_group(struct fn_sb *b, const struct matches *m, unsigned g)
{
	if (m->span[g].at != (size_t)-1)
		fn_sb_add(b, m->s.p + m->span[g].at, m->span[g].end - m->span[g].at);
}

static unsigned named_group(const struct regex *re, const char *p, size_t n)
{
	for (unsigned g = 1; g <= regex_groups(re); g++) {
		const char *name = regex_group_name(re, g);

		if (name && strlen(name) == n && !memcmp(name, p, n))
			return g;
	}
	return REGEX_GROUPS_MAX + 1;
}

/* A group's reference at p: \1, $1, ${1}, ${name}. Its length, 0 when it is none (or of a group that the pattern does not have).
 */
static size_t reference(const struct regex *re, const char *p, size_t n, unsigned *g)
{
	const char *close;

	if (n < 2)
		return 0;
	*g = (unsigned)(p[1] - '0');
	if (*g < 10)
		return *g <= regex_groups(re) ? 2 : 0;
	close = *p == '$' && p[1] == '{' ? memchr(p, '}', n) : NULL;
	if (!close)
		return 0;
	*g = named_group(re, p + 2, (size_t)(close - p) - 2);
	if (close - p == 3 && (unsigned)(p[2] - '0') < 10)
		*g = (unsigned)(p[2] - '0');
	return *g <= regex_groups(re) ? (size_t)(close - p) + 1 : 0;
}

static void add_replacement(struct fn_sb *b, const struct matches *m, struct fn_text to)
{
	size_t plain = 0, used;
	unsigned g;

	for (size_t i = 0; i < to.n;) {
		if (to.p[i] != '\\' && to.p[i] != '$') {
			i++;
			continue;
		}
		used = reference(m->re, to.p + i, to.n - i, &g);
		fn_sb_add(b, to.p + plain, i - plain);
		if (used) {
			add_group(b, m, g);
		} else if (to.p[i] == '\\' && i + 1 < to.n && (to.p[i + 1] == '\\' || to.p[i + 1] == '$')) {
			fn_sb_char(b, to.p[i + 1]);
			used = 2;
		} else {
			fn_sb_char(b, to.p[i]);
			used = 1;
		}
		i += used;
		plain = i;
	}
	fn_sb_add(b, to.p + plain, to.n - plain);
}

static void substitute(struct fn_call *c, const struct value *v, bool all, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct matches m;
	struct fn_text to;
	bool any = false;

	if (!fn_text(c, &v[2], &to) || !matches_start(c, v, &m))
		return;
	while ((all || !any) && matches_next(c, &m)) {
		any = true;
		fn_sb_add(&b, m.s.p + m.rest, m.span[0].at - m.rest);
		add_replacement(&b, &m, to);
		m.rest = m.span[0].end;
	}
	if (c->fail)
		return;
	if (!any) {
		*out = v_str(m.s.p, m.s.n);
		return;
	}
	fn_sb_add(&b, m.s.p + m.rest, m.s.n - m.rest);
	fn_sb_out(&b, out);
}

static void row_sub(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	substitute(c, v, false, out);
}

static void row_gsub(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	substitute(c, v, true, out);
}

static void row_escape(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] && strchr("\\^$.[]|()?*+{}/#-", t.p[i]))
			fn_sb_char(&b, '\\');
		fn_sb_char(&b, t.p[i]);
	}
	fn_sb_out(&b, out);
}

/* ---- splitting ---- */

/* Words between white space, as awk has them. */
static void split_words(struct fn_call *c, struct fn_text t, struct value *out)
{
	struct fn_lb b = { .c = c };
	size_t i = 0, start;

	for (;;) {
		while (i < t.n && (t.p[i] == ' ' || (unsigned)(t.p[i] - 9) < 5))
			i++;
		if (i == t.n)
			break;
		for (start = i; i < t.n && t.p[i] != ' ' && (unsigned)(t.p[i] - 9) >= 5;)
			i++;
		fn_lb_add(&b, v_str(t.p + start, i - start));
	}
	fn_lb_out(&b, out);
}

static void split_literal(struct fn_call *c, struct fn_text t, struct fn_text sep, int64_t most, struct value *out)
{
	struct fn_lb b = { .c = c };
	size_t at = 0, hit;

	while (most-- != 1 && (hit = fn_find_bytes(t, sep, at)) != (size_t)-1) {
		fn_lb_add(&b, v_str(t.p + at, hit - at));
		at = hit + sep.n;
	}
	fn_lb_add(&b, v_str(t.p + at, t.n - at));
	fn_lb_out(&b, out);
}

static void split_chars(struct fn_call *c, struct fn_text t, struct value *out)
{
	struct fn_lb b = { .c = c };
	uint32_t cp;

	for (size_t i = 0; i < t.n;) {
		unsigned len = utf8_decode(t.p + i, t.n - i, &cp);

		fn_lb_add(&b, v_str(t.p + i, len));
		i += len;
	}
	fn_lb_out(&b, out);
}

/* Empty matches cut nothing off at the ends. */
static void split_regex(struct fn_call *c, const struct value *v, int64_t most, struct value *out)
{
	struct fn_lb b = { .c = c };
	struct matches m;

	if (!matches_start(c, v, &m))
		return;
	while (most-- != 1 && matches_next(c, &m)) {
		if (m.span[0].end == m.span[0].at && (m.span[0].at == 0 || m.span[0].at == m.s.n)) {
			most++;
			continue;
		}
		fn_lb_add(&b, v_str(m.s.p + m.rest, m.span[0].at - m.rest));
		m.rest = m.span[0].end;
	}
	if (c->fail)
		return;
	fn_lb_add(&b, v_str(m.s.p + m.rest, m.s.n - m.rest));
	fn_lb_out(&b, out);
}

static void row_split(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t, sep;
	int64_t most = 0;

	if (!fn_text(c, &v[0], &t) || (n > 2 && !fn_arg_int(c, &v[2], &most)))
		return;
	if (most < 0)
		most = 0;
	if (n == 1) {
		split_words(c, t, out);
	} else if (v[1].type == T_REGEX) {
		split_regex(c, v, most, out);
	} else if (fn_text(c, &v[1], &sep)) {
		if (sep.n)
			split_literal(c, t, sep, most, out);
		else
			split_chars(c, t, out);
	}
}

/* A text separator is no pattern. */
static int prepare_split(struct fn_call *c, const struct value *const *lits, uint32_t n, struct err *e)
{
	if (n > 1 && lits[1] && lits[1]->type == T_REGEX)
		return fn_prepare_regex(c, lits, n, e);
	return 0;
}

static void row_split_regex(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t most = 0;

	if (n > 2 && !fn_arg_int(c, &v[2], &most))
		return;
	split_regex(c, v, most < 0 ? 0 : most, out);
}

static const struct fn_def defs[] = {
	{ FN_DOC("split", "split(S [, SEP [, N]])",
		 "list of the pieces of a text, cut at each SEP, a text or a /pattern/ (without: words between white space); at "
		 "most N pieces"),
	  .doc.aliases = "splitax",
	  FN_EX(EX("split(\"a,b,,c\", \",\")", "[\"a\",\"b\",\"\",\"c\"]"), EX("split(\" to  be \")", "[\"to\",\"be\"]"),
		EX("split(\"a1b22c\", /[0-9]+/)", "[\"a\",\"b\",\"c\"]"), EX("split(\"k=v=w\", \"=\", 2)", "[\"k\",\"v=w\"]")),
	  FN_ARGS(1, 3), .row = row_split, .prepare = prepare_split, .unprepare = fn_unprepare_regex },
	{ FN_DOC("sub", "sub(S, RE, TO)",
		 "the first match of RE replaced by TO, in which \\1 or $1 is a group, \\0 the match, ${name} a named group"),
	  .doc.aliases = "regexp_replace_first", FN_EX(EX("sub(\"abcabc\", /b(.)/, \"[$1]\")", "\"a[c]abc\"")), FN_ARGS(3, 3),
	  .row = row_sub, RE },
	{ FN_DOC("gsub", "gsub(S, RE, TO)", "every match of RE replaced by TO, as in sub"), .doc.aliases = "regexp_replace",
	  FN_EX(EX("gsub(\"2015-05-17\", /-/, \"/\")", "\"2015/05/17\""),
		EX("gsub(\"a=1 b=2\", /(?<k>\\w)=(\\d)/, \"$2:${k}\")", "\"1:a 2:b\"")),
	  FN_ARGS(3, 3), .row = row_gsub, RE },
	{ FN_DOC("regexp_like", "regexp_like(S, RE)", "does RE match in the text (the operator =~ as a function)"),
	  .doc.aliases = "matches rlike regexp", FN_EX(EX("regexp_like(\"error 42\", /\\d+$/)", "true")), FN_ARGS(2, 2),
	  .row = row_like, RE },
	{ FN_DOC("regexp_extract", "regexp_extract(S, RE [, N])",
		 "group N of the first match, 0 the whole of it; without N the first group if there is one; null without a "
		 "match"),
	  .doc.aliases = "regexp_substr extract",
	  FN_EX(EX("regexp_extract(\"id=42;\", /id=(\\d+)/)", "\"42\""), EX("regexp_extract(\"id=42;\", /\\d/, 0)", "\"4\"")),
	  FN_ARGS(2, 3), .row = row_extract, RE },
	{ FN_DOC("regexp_extract_all", "regexp_extract_all(S, RE [, N])", "list of group N of every match, as regexp_extract"),
	  .doc.aliases = "scan",
	  FN_EX(EX("regexp_extract_all(\"a1 b22\", /[a-z](\\d+)/)", "[\"1\",\"22\"]"),
		EX("regexp_extract_all(\"a1 b22\", /[a-z](\\d+)/, 0)", "[\"a1\",\"b22\"]")),
	  FN_ARGS(2, 3), .row = row_extract_all, RE },
	{ FN_DOC("regexp_groups", "regexp_groups(S, RE)", "list of the groups of the first match, null without one"),
	  FN_EX(EX("regexp_groups(\"10:05\", /(\\d+):(\\d+)/)", "[\"10\",\"05\"]")), FN_ARGS(2, 2), .row = row_groups, RE },
	{ FN_DOC("regexp_capture", "regexp_capture(S, RE)", "object of the named groups of the first match, null without one"),
	  .doc.aliases = "capture",
	  FN_EX(EX("regexp_capture(\"a@b\", /(?<user>\\w+)@(?<host>\\w+)/)", "{\"user\":\"a\",\"host\":\"b\"}")), FN_ARGS(2, 2),
	  .row = row_capture, RE },
	{ FN_DOC("regexp_count", "regexp_count(S, RE)", "number of matches"), FN_EX(EX("regexp_count(\"banana\", /a/)", "3")),
	  FN_ARGS(2, 2), .row = row_count, RE },
	{ FN_DOC("regexp_index", "regexp_index(S, RE)", "position of the first match, from 0; -1 without one"),
	  FN_EX(EX("regexp_index(\"abc42\", /\\d/)", "3")), FN_ARGS(2, 2), .row = row_index, RE },
	{ FN_DOC("regexp_split", "regexp_split(S, RE [, N])", "as split, with a text taken as a pattern"),
	  FN_EX(EX("regexp_split(\"a, b;c\", \"[,;] ?\")", "[\"a\",\"b\",\"c\"]")), FN_ARGS(2, 3), .row = row_split_regex, RE },
	{ FN_DOC("regexp_escape", "regexp_escape(S)", "pattern that matches exactly this text"), .doc.aliases = "quotemeta",
	  FN_EX(EX("regexp_escape(\"a.b\")", "\"a\\\\.b\"")), FN_ARGS(1, 1), .row = row_escape },
};

FN_FAMILY(fn_family_regex);

/* Small text formats within a field: CSV lines, key=value lists, logfmt. */
#define FN_GROUP "text formats"
#include "data/json_value.h"
#include "expr/fn_impl.h"

/* ---- CSV ---- */

/* A quoted cell at its opening quote; *i moves behind the closing one. Views the text where no quote is doubled. */
static struct value quoted_cell(struct fn_call *c, struct fn_text t, size_t *i)
{
	size_t start = ++*i;
	struct fn_sb b = { .c = c };
	struct value v = v_str(t.p, 0);

	for (;;) {
		const char *quote = *i < t.n ? memchr(t.p + *i, '"', t.n - *i) : NULL;

		*i = quote ? (size_t)(quote - t.p) + 1 : t.n;
		if (!quote || *i == t.n || t.p[*i] != '"')
			break;
		fn_sb_add(&b, t.p + start, *i - start);
		start = ++*i;
	}
	if (!b.n)
		return v_str(t.p + start, *i - start - (*i > start && t.p[*i - 1] == '"'));
	fn_sb_add(&b, t.p + start, *i - start - (*i > start && t.p[*i - 1] == '"'));
	fn_sb_out(&b, &v);
	return v;
}

static bool one_byte(struct fn_call *c, const struct value *v, uint32_t n, uint32_t at, char *out)
{
	struct fn_text t;

	if (at >= n)
		return true;
	if (!fn_text(c, &v[at], &t))
		return false;
	if (t.n != 1)
		return fn_fail(c, "the separator is one byte");
	*out = *t.p;
	return true;
}

static void row_csv_split(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_lb b = { .c = c };
	struct fn_text t;
	char sep = ',';

	if (!fn_text(c, v, &t) || !one_byte(c, v, n, 1, &sep))
		return;
	while (t.n && (t.p[t.n - 1] == '\n' || t.p[t.n - 1] == '\r'))
		t.n--;
	for (size_t i = 0;; i++) {
		struct value cell = v_null();
		const char *next;
		size_t end;

		if (i < t.n && t.p[i] == '"')
			cell = quoted_cell(c, t, &i);
		next = i < t.n ? memchr(t.p + i, sep, t.n - i) : NULL;
		end = next ? (size_t)(next - t.p) : t.n;
		if (end > i && cell.type == T_NULL)
			cell = v_text(t.p + i, end - i);
		fn_lb_add(&b, cell);
		i = end;
		if (!next)
			break;
	}
	fn_lb_out(&b, out);
}

static void csv_cell(struct fn_sb *b, struct fn_text t, char sep)
{
	bool quote = !t.n;

	for (size_t i = 0; i < t.n && !quote; i++)
		quote = t.p[i] == sep || t.p[i] == '"' || t.p[i] == '\n' || t.p[i] == '\r';
	if (!quote) {
		fn_sb_text(b, t);
		return;
	}
	fn_sb_char(b, '"');
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '"')
			fn_sb_char(b, '"');
		fn_sb_char(b, t.p[i]);
	}
	fn_sb_char(b, '"');
}

static void row_csv_join(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_sb b = { .c = c };
	const struct value *items;
	struct fn_text t;
	char sep = ',';
	uint32_t len;

	if (!fn_arg_list(c, v, &items, &len) || !one_byte(c, v, n, 1, &sep))
		return;
	for (uint32_t i = 0; i < len; i++) {
		if (i)
			fn_sb_char(&b, sep);
		if (items[i].type == T_NULL)
			continue;
		if (!fn_text(c, &items[i], &t))
			return;
		csv_cell(&b, t, sep);
	}
	fn_sb_out(&b, out);
}

/* ---- key=value ---- */

static size_t find_or_end(struct fn_text t, struct fn_text sep, size_t from)
{
	size_t at = sep.n ? fn_find_bytes(t, sep, from) : (size_t)-1;

	return at == (size_t)-1 ? t.n : at;
}

static void row_kv_parse(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t, pair = { ",", 1 }, eq = { "=", 1 };
	size_t used = 0, count = 1;
	struct field *f;

	if (!fn_text(c, v, &t) || (n > 1 && !fn_text(c, &v[1], &pair)) || (n > 2 && !fn_text(c, &v[2], &eq)))
		return;
	if (!pair.n || !eq.n) {
		fn_fail(c, "empty separator");
		return;
	}
	for (size_t at = 0; (at = find_or_end(t, pair, at)) < t.n; at += pair.n)
		count++;
	f = fn_fields(c, count);
	for (size_t at = 0; f && at < t.n;) {
		struct fn_text one = { t.p + at, find_or_end(t, pair, at) - at };
		size_t mid = find_or_end(one, eq, 0);

		if (one.n)
			f[used++] =
				fn_field(one.p, mid, mid == one.n ? v_null() : v_text(one.p + mid + eq.n, one.n - mid - eq.n));
		at += one.n + pair.n;
	}
	if (f)
		*out = v_object(f, fields_unique(f, used));
}

static void row_kv_text(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text pair = { ",", 1 }, eq = { "=", 1 }, t;
	struct fn_sb b = { .c = c };

	if (v->type != T_OBJECT) {
		fn_fail(c, "not an object");
		return;
	}
	if ((n > 1 && !fn_text(c, &v[1], &pair)) || (n > 2 && !fn_text(c, &v[2], &eq)))
		return;
	for (uint32_t i = 0; i < v->n; i++) {
		if (i)
			fn_sb_text(&b, pair);
		fn_sb_add(&b, v->fields[i].name, v->fields[i].name_n);
		if (v->fields[i].v.type == T_NULL)
			continue;
		if (!fn_text(c, &v->fields[i].v, &t))
			return;
		fn_sb_text(&b, eq);
		fn_sb_text(&b, t);
	}
	fn_sb_out(&b, out);
}

/* ---- logfmt ---- */

/* A value in quotes, at the opening one: \" \\ \n \t are taken as in JSON. */
static struct value logfmt_quoted(struct fn_call *c, struct fn_text t, size_t *i)
{
	struct fn_sb b = { .c = c };
	struct value v = v_str("", 0);

	for (++*i; *i < t.n && t.p[*i] != '"'; ++*i) {
		char ch = t.p[*i];

		if (ch == '\\' && *i + 1 < t.n) {
			ch = t.p[++*i];
			ch = ch == 'n' ? '\n' : ch == 't' ? '\t' : ch == 'r' ? '\r' : ch;
		}
		fn_sb_char(&b, ch);
	}
	*i += *i < t.n;
	fn_sb_out(&b, &v);
	return v;
}

static struct value logfmt_value(struct fn_call *c, struct fn_text t, size_t *i)
{
	size_t start = *i;

	if (*i < t.n && t.p[*i] == '"')
		return logfmt_quoted(c, t, i);
	while (*i < t.n && t.p[*i] != ' ' && t.p[*i] != '\t')
		++*i;
	return *i > start ? v_text(t.p + start, *i - start) : v_null();
}

static void row_logfmt_parse(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct field *f;
	struct fn_text t;
	size_t used = 0, i = 0, start, len;

	(void)n;
	if (!fn_text(c, v, &t) || !(f = fn_fields(c, t.n / 2 + 1)))
		return;
	for (;;) {
		while (i < t.n && (t.p[i] == ' ' || (unsigned)(t.p[i] - 9) < 5))
			i++;
		if (i == t.n)
			break;
		for (start = i; i < t.n && t.p[i] != ' ' && t.p[i] != '='; i++)
			;
		len = i - start;
		f[used] = fn_field(t.p + start, len, v_bool(true));
		if (i < t.n && t.p[i] == '=') {
			i++;
			f[used].v = logfmt_value(c, t, &i);
		}
		used += len > 0;
	}
	*out = v_object(f, fields_unique(f, used));
}

static const struct fn_def defs[] = {
	{ FN_DOC("csv_split", "csv_split(S [, SEP])", "the cells of a CSV line; unquoted empty ones are null"),
	  .doc.aliases = "from_csv", FN_EX(EX("csv_split(\"1,\\\"a,b\\\",,x\")", "[1,\"a,b\",null,\"x\"]")), FN_ARGS(1, 2),
	  .row = row_csv_split },
	{ FN_DOC("csv_join", "csv_join(LIST [, SEP])", "a CSV line of these cells, without its end"), .doc.aliases = "to_csv",
	  FN_EX(EX("csv_join([1, \"a,b\", null, \"x\"])", "\"1,\\\"a,b\\\",,x\"")), FN_ARGS(1, 2), .row = row_csv_join },
	{ FN_DOC("kv_parse", "kv_parse(S [, PAIRS [, EQ]])", "object of a text like a=1,b=2"), .doc.aliases = "str_to_map",
	  FN_EX(EX("kv_parse(\"a=1,b=x\")", "{\"a\":1,\"b\":\"x\"}"),
		EX("kv_parse(\"a:1; b:2\", \"; \", \":\")", "{\"a\":1,\"b\":2}")),
	  FN_ARGS(1, 3), .row = row_kv_parse },
	{ FN_DOC("kv_text", "kv_text(OBJECT [, PAIRS [, EQ]])", "text like a=1,b=2"),
	  FN_EX(EX("kv_text({a: 1, b: \"x\"}, \"&\")", "\"a=1&b=x\"")), FN_ARGS(1, 3), .row = row_kv_text },
	{ FN_DOC("logfmt_parse", "logfmt_parse(S)", "object of a text like level=info msg=\"all well\""),
	  FN_EX(EX("logfmt_parse(\"level=info n=5 msg=\\\"all well\\\" ok\")",
		   "{\"level\":\"info\",\"n\":5,\"msg\":\"all well\",\"ok\":true}")),
	  FN_ARGS(1, 1), .row = row_logfmt_parse },
};

FN_FAMILY(fn_family_cells);

/* JSON texts and paths into nested values. */
#define FN_GROUP "json"
#include "base/json.h"
#include "data/json_value.h"
#include "expr/fn_impl.h"

static void row_json_parse(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const char *why = NULL;
	struct fn_text t;

	(void)n;
	if (fn_text(c, v, &t) && value_from_json(t.p, t.n, c->arena, out, &why))
		fn_fail(c, why);
}

static void row_json_valid(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value ignored;
	const char *why;
	struct fn_text t;

	(void)n;
	if (fn_text(c, v, &t))
		*out = v_bool(!value_from_json(t.p, t.n, c->arena, &ignored, &why));
}

static void row_json_text(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct buf b = { 0 };

	(void)n;
	value_print_json(&b, v, c->env ? c->env->format : NULL);
	*out = v_str(arena_copy(c->arena, b.p, b.n), b.n);
	buf_release(&b);
}

#define PRETTY_DEPTH_MAX 1000

static void new_line(struct buf *b, unsigned depth, size_t indent)
{
	size_t n = depth * indent;

	buf_char(b, '\n');
	memset(buf_room(b, n), ' ', n);
	buf_took(b, n);
}

static void pretty(struct buf *b, const struct value *v, const struct value_format *f, unsigned depth, size_t indent)
{
	bool list = v->type == T_LIST;

	if ((!list && v->type != T_OBJECT) || !v->n || depth == PRETTY_DEPTH_MAX) {
		value_print_json(b, v, f);
		return;
	}
	buf_char(b, list ? '[' : '{');
	for (uint32_t i = 0; i < v->n; i++) {
		if (i)
			buf_char(b, ',');
		new_line(b, depth + 1, indent);
		if (!list) {
			json_print_string(b, v->fields[i].name, v->fields[i].name_n);
			buf_str(b, ": ");
		}
		pretty(b, list ? &v->items[i] : &v->fields[i].v, f, depth + 1, indent);
	}
	new_line(b, depth, indent);
	buf_char(b, list ? ']' : '}');
}

static void row_json_pretty(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct buf b = { 0 };
	int64_t indent = 2;

	if (n > 1 && !fn_arg_int(c, &v[1], &indent))
		return;
	if (indent < 0 || indent > 16) {
		fn_fail(c, "indent by 0 to 16");
		return;
	}
	pretty(&b, v, c->env ? c->env->format : NULL, 0, (size_t)indent);
	*out = v_str(arena_copy(c->arena, b.p, b.n), b.n);
	buf_release(&b);
}

/* ---- paths: a.b[0]["odd name"][-1], with or without `$` or `.` in front; [*] and .* take all ---- */

struct step {
	struct fn_text name; /* name.p NULL: an index */
	int64_t index;
	bool all;
};

static bool quoted_step(const char **p, const char *end, struct step *s)
{
	char quote = *(*p)++;
	const char *close = memchr(*p, quote, (size_t)(end - *p));

	if (!close || close + 1 == end || close[1] != ']')
		return false;
	s->name = (struct fn_text){ *p, (size_t)(close - *p) };
	*p = close + 2;
	return true;
}

static bool index_step(const char **p, const char *end, struct step *s)
{
	const char *close = memchr(*p, ']', (size_t)(end - *p));
	struct num n;

	if (!close)
		return false;
	s->all = close - *p == 1 && **p == '*';
	if (!s->all && num_parse(*p, (size_t)(close - *p), &n) != NUM_INT)
		return false;
	s->index = s->all ? 0 : n.i;
	*p = close + 1;
	return true;
}

/* The next step at *p < end; false when the path is malformed. */
static bool next_step(const char **p, const char *end, struct step *s)
{
	const char *start;

	*s = (struct step){ .index = 0 };
	if (**p == '[') {
		if (++*p == end)
			return false;
		return **p == '"' || **p == '\'' ? quoted_step(p, end, s) : index_step(p, end, s);
	}
	if (**p == '.')
		++*p;
	for (start = *p; *p < end && **p != '.' && **p != '['; ++*p)
		;
	s->name = (struct fn_text){ start, (size_t)(*p - start) };
	if (s->name.n == 1 && *start == '*') {
		s->all = true;
		s->name.p = NULL;
	}
	return s->all || s->name.n > 0;
}

static bool walk(struct fn_call *c, const struct value *v, const char *p, const char *end, struct value *out);

/* The rest of the path below every item or field. */
static bool walk_all(struct fn_call *c, const struct value *v, const char *p, const char *end, struct value *out)
{
	bool list = v->type == T_LIST;
	struct value *items;
	uint32_t used = 0;

	if (!list && v->type != T_OBJECT)
		return true;
	items = fn_items(c, v->n);
	if (!items)
		return false;
	for (uint32_t i = 0; i < v->n; i++) {
		items[used] = v_null();
		if (!walk(c, list ? &v->items[i] : &v->fields[i].v, p, end, &items[used]))
			return false;
		used += items[used].type != T_NULL;
	}
	*out = v_list(items, used);
	return true;
}

/* Null where the path leads nowhere; false when it is malformed. */
static bool walk(struct fn_call *c, const struct value *v, const char *p, const char *end, struct value *out)
{
	struct step s;

	for (; p < end && v;) {
		if (!next_step(&p, end, &s))
			return fn_fail(c, "malformed path");
		if (s.all)
			return walk_all(c, v, p, end, out);
		if (s.name.p) {
			v = value_get(v, s.name.p, s.name.n);
		} else {
			int64_t i = s.index + (s.index < 0 ? v->n : 0);

			v = v->type == T_LIST && i >= 0 && i < v->n ? &v->items[i] : NULL;
		}
	}
	if (v)
		*out = *v;
	return true;
}

static void row_json_path(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value parsed, found = v_null();
	const char *why = NULL;
	struct fn_text path;

	if (v[0].type == T_NULL || v[1].type == T_NULL || !fn_text(c, &v[1], &path))
		return;
	parsed = v[0];
	if (type_is_bytes(parsed.type) && value_from_json(v->s, v->n, c->arena, &parsed, &why)) {
		fn_fail(c, why);
		return;
	}
	if (path.n && *path.p == '$') {
		path.p++;
		path.n--;
	}
	if (!walk(c, &parsed, path.p, path.p + path.n, &found))
		return;
	*out = found.type == T_NULL && n > 2 ? v[2] : found;
}

/* ---- all paths ---- */

static bool list_paths(struct fn_lb *b, struct fn_text at, const struct value *v, unsigned depth)
{
	bool list = v->type == T_LIST;

	if ((!list && v->type != T_OBJECT) || !v->n || depth > JSON_DEPTH_MAX) {
		fn_lb_add(b, v_str(at.p, at.n));
		return !b->full;
	}
	for (uint32_t i = 0; i < v->n; i++) {
		struct fn_sb name = { .c = b->c };
		char digits[NUM_MAX];

		fn_sb_text(&name, at);
		if (list) {
			fn_sb_char(&name, '[');
			fn_sb_add(&name, digits, num_format_int(i, digits));
			fn_sb_char(&name, ']');
		} else {
			if (at.n)
				fn_sb_char(&name, '.');
			fn_sb_add(&name, v->fields[i].name, v->fields[i].name_n);
		}
		if (!list_paths(b, (struct fn_text){ name.p ? name.p : "", name.n }, list ? &v->items[i] : &v->fields[i].v,
				depth + 1))
			return false;
	}
	return true;
}

static void row_json_paths(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_lb b = { .c = c };

	(void)n;
	if (list_paths(&b, (struct fn_text){ "", 0 }, v, 0))
		fn_lb_out(&b, out);
}

static const struct fn_def defs[] = {
	{ FN_DOC("json_parse", "json_parse(S)", "the value that a JSON text says"),
	  .doc.aliases = "from_json fromjson parse_json json_decode",
	  FN_EX(EX("json_parse(\"{\\\"a\\\": [1, 2.50]}\")", "{\"a\":[1,2.50]}")), FN_ARGS(1, 1), .row = row_json_parse },
	{ FN_DOC("json_valid", "json_valid(S)", "is it a JSON text"), FN_EX(EX("json_valid(\"[1,]\")", "false")), FN_ARGS(1, 1),
	  .row = row_json_valid },
	{ FN_DOC("json_text", "json_text(X)", "the value as JSON text"), .doc.aliases = "to_json tojson json_encode",
	  FN_EX(EX("json_text({a: [1, \"x\"]})", "\"{\\\"a\\\":[1,\\\"x\\\"]}\""), EX("json_text(null)", "\"null\"")),
	  FN_ARGS(1, 1), .flags = FN_NULLS, .row = row_json_text },
	{ FN_DOC("json_pretty", "json_pretty(X [, INDENT])", "JSON text over several lines"),
	  FN_EX(EX("json_pretty({a: [1]}, 1)", "\"{\\n \\\"a\\\": [\\n  1\\n ]\\n}\"")), FN_ARGS(1, 2), .row = row_json_pretty },
	{ FN_DOC("json_path", "json_path(X, PATH [, ELSE])",
		 "what lies at a path like a.b[0] in a value or a JSON text; [*] takes all, a negative index counts from the "
		 "end"),
	  .doc.aliases = "get_json_object json_extract getpath",
	  FN_EX(EX("json_path({a: {b: [5, 6]}}, \"a.b[1]\")", "6"),
		EX("json_path(\"{\\\"a\\\":[{\\\"b\\\":1},{\\\"b\\\":2}]}\", \"$.a[*].b\")", "[1,2]"),
		EX("json_path({a: 1}, \"x.y\", 0)", "0")),
	  FN_ARGS(2, 3), .flags = FN_NULLS, .row = row_json_path },
	{ FN_DOC("json_paths", "json_paths(X)", "list of the paths of everything in a value"),
	  FN_EX(EX("json_paths({a: {b: [5, 6]}, c: 1})", "[\"a.b[0]\",\"a.b[1]\",\"c\"]")), FN_ARGS(1, 1),
	  .row = row_json_paths },
};

FN_FAMILY(fn_family_json);

/* Objects. Fields keep their order; of equal names the last value counts, at the first one's place. */
#define FN_GROUP "objects"
#include "data/json_value.h"
#include "expr/fn_impl.h"

static bool object_of(struct fn_call *c, const struct value *v) { return v->type == T_OBJECT || fn_fail(c, "not an object"); }

static void row_put(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text name;
	uint32_t used = 0;
	struct field *f;

	(void)n;
	if (v[0].type != T_NULL && !object_of(c, v))
		return;
	if (!fn_text(c, &v[1], &name))
		return;
	used = v->type == T_NULL ? 0 : v->n;
	f = fn_fields(c, used + 1u);
	if (!f)
		return;
	if (used)
		memcpy(f, v->fields, used * sizeof *f);
	f[used++] = fn_field(name.p, name.n, v[2]);
	*out = v_object(f, fields_unique(f, used));
}

static void row_get(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	const struct value *have = NULL;
	struct fn_text name;
	int64_t i;

	if (v[0].type == T_NULL || v[1].type == T_NULL)
		return;
	if (v->type == T_LIST) {
		if (!fn_arg_int(c, &v[1], &i))
			return;
		i += i < 0 ? v->n : 0;
		have = i >= 0 && i < v->n ? &v->items[i] : NULL;
	} else {
		if (!object_of(c, v) || !fn_text(c, &v[1], &name))
			return;
		have = value_get(v, name.p, name.n);
	}
	if (have)
		*out = *have;
	else if (n > 2)
		*out = v[2];
}

static void row_has(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text name;
	int64_t i;

	(void)n;
	if (v->type == T_LIST) {
		if (fn_arg_int(c, &v[1], &i))
			*out = v_bool(i < 0 ? i >= -(int64_t)v->n : i < v->n);
	} else if (object_of(c, v) && fn_text(c, &v[1], &name)) {
		*out = v_bool(value_get(v, name.p, name.n) != NULL);
	}
}

static void row_keys(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items;

	(void)n;
	if (!object_of(c, v) || !(items = fn_items(c, v->n)))
		return;
	for (uint32_t i = 0; i < v->n; i++)
		items[i] = v_str(v->fields[i].name, v->fields[i].name_n);
	*out = v_list(items, v->n);
}

static void row_values(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items;

	(void)n;
	if (!object_of(c, v) || !(items = fn_items(c, v->n)))
		return;
	for (uint32_t i = 0; i < v->n; i++)
		items[i] = v->fields[i].v;
	*out = v_list(items, v->n);
}

static void row_entries(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items;
	struct field *f;

	(void)n;
	if (!object_of(c, v) || !(items = fn_items(c, v->n)) || !(f = fn_fields(c, 2 * (size_t)v->n)))
		return;
	for (uint32_t i = 0; i < v->n; i++) {
		f[2 * i] = fn_field("key", 3, v_str(v->fields[i].name, v->fields[i].name_n));
		f[2 * i + 1] = fn_field("value", 5, v->fields[i].v);
		items[i] = v_object(f + 2 * (size_t)i, 2);
	}
	*out = v_list(items, v->n);
}

/* Key and value of one entry: an object {key, value} or a list [key, value]. */
static bool entry(struct fn_call *c, const struct value *e, struct fn_text *name, struct value *v)
{
	const struct value *key = NULL, *value = NULL;

	if (e->type == T_LIST && e->n == 2) {
		key = &e->items[0];
		value = &e->items[1];
	} else if (e->type == T_OBJECT) {
		key = value_get(e, "key", 3);
		value = value_get(e, "value", 5);
	}
	if (!key || key->type == T_NULL)
		return fn_fail(c, "not a list of entries");
	*v = value ? *value : v_null();
	return fn_text(c, key, name);
}

static void row_from_entries(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	uint32_t used = 0;
	struct fn_text name;
	struct value item;
	struct field *f;

	(void)n;
	if (v->type != T_LIST) {
		fn_fail(c, "not a list of entries");
		return;
	}
	f = fn_fields(c, v->n);
	for (uint32_t i = 0; f && i < v->n; i++) {
		if (!entry(c, &v->items[i], &name, &item))
			return;
		f[used++] = fn_field(name.p, name.n, item);
	}
	if (f)
		*out = v_object(f, fields_unique(f, used));
}

/* object(KEY, VALUE, ...), or object(KEYS, VALUES) of two lists. */
static void row_object(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	bool lists = n == 2 && v[0].type == T_LIST && v[1].type == T_LIST;
	uint32_t count = lists ? v[0].n : n / 2, used = 0;
	struct fn_text name;
	struct field *f;

	if (!lists && n % 2) {
		fn_fail(c, "a key without a value");
		return;
	}
	f = fn_fields(c, count);
	for (uint32_t i = 0; f && i < count; i++) {
		const struct value *key = lists ? &v[0].items[i] : &v[2 * i];
		struct value value = lists ? (i < v[1].n ? v[1].items[i] : v_null()) : v[2 * i + 1];

		if (!fn_text(c, key, &name))
			return;
		f[used++] = fn_field(name.p, name.n, value);
	}
	if (f)
		*out = v_object(f, fields_unique(f, used));
}

/* ---- joining ---- */

static bool merge_two(struct fn_call *c, const struct value *a, const struct value *b, bool deep, struct value *out)
{
	struct field *f = fn_fields(c, (size_t)a->n + b->n);
	uint32_t used = a->n;

	if (!f)
		return false;
	if (used)
		memcpy(f, a->fields, used * sizeof *f);
	for (uint32_t i = 0; i < b->n; i++) {
		const struct field *g = &b->fields[i];
		const struct value *have = deep && g->v.type == T_OBJECT ? value_get(a, g->name, g->name_n) : NULL;
		struct value v = g->v;

		if (have && have->type == T_OBJECT && !merge_two(c, have, &g->v, true, &v))
			return false;
		f[used++] = fn_field(g->name, g->name_n, v);
	}
	*out = v_object(f, fields_unique(f, used));
	return true;
}

static void merge_all(struct fn_call *c, const struct value *v, uint32_t n, bool deep, struct value *out)
{
	struct value sum = v_object(NULL, 0);

	for (uint32_t i = 0; i < n; i++) {
		if (v[i].type == T_NULL)
			continue;
		if (!object_of(c, &v[i]) || !merge_two(c, &sum, &v[i], deep, &sum))
			return;
	}
	*out = sum;
}

static void row_merge(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) { merge_all(c, v, n, false, out); }

static void row_deep_merge(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	merge_all(c, v, n, true, out);
}

/* ---- choosing fields: names as arguments or in lists ---- */

static bool named(struct fn_call *c, const struct value *v, uint32_t n, const struct field *f)
{
	for (uint32_t i = 0; i < n; i++) {
		struct fn_text name;

		if (v[i].type == T_LIST) {
			if (named(c, v[i].items, v[i].n, f))
				return true;
		} else if (fn_text(c, &v[i], &name) && name.n == f->name_n && !memcmp(name.p, f->name, name.n)) {
			return true;
		}
	}
	return false;
}

static void choose(struct fn_call *c, const struct value *v, uint32_t n, bool keep, struct value *out)
{
	uint32_t used = 0;
	struct field *f;

	if (!object_of(c, v) || !(f = fn_fields(c, v->n)))
		return;
	for (uint32_t i = 0; i < v->n; i++)
		if (named(c, v + 1, n - 1, &v->fields[i]) == keep)
			f[used++] = v->fields[i];
	if (!c->fail)
		*out = v_object(f, used);
}

static void row_pick(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) { choose(c, v, n, true, out); }

static void row_omit(struct fn_call *c, const struct value *v, uint32_t n, struct value *out) { choose(c, v, n, false, out); }

static void row_invert(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text name;
	uint32_t used = 0;
	struct field *f;

	(void)n;
	if (!object_of(c, v) || !(f = fn_fields(c, v->n)))
		return;
	for (uint32_t i = 0; i < v->n; i++) {
		if (!fn_text(c, &v->fields[i].v, &name))
			return;
		f[used++] = fn_field(name.p, name.n, v_str(v->fields[i].name, v->fields[i].name_n));
	}
	*out = v_object(f, fields_unique(f, used));
}

/* By name. The names go through the sort as [name, index]. */
static void row_sort_keys(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *pairs, *rows;
	struct field *f;

	(void)n;
	if (!object_of(c, v) || !(pairs = fn_items(c, 2 * (size_t)v->n)) || !(rows = fn_items(c, v->n)) ||
	    !(f = fn_fields(c, v->n)))
		return;
	for (uint32_t i = 0; i < v->n; i++) {
		pairs[2 * i] = v_str(v->fields[i].name, v->fields[i].name_n);
		pairs[2 * i + 1] = v_int(i);
		rows[i] = v_list(pairs + 2 * (size_t)i, 2);
	}
	fn_sort_values(c->arena, rows, v->n, false);
	for (uint32_t i = 0; i < v->n; i++)
		f[i] = v->fields[rows[i].items[1].i];
	*out = v_object(f, v->n);
}

/* ---- nested and flat ---- */

#define FLATTEN_DEPTH_MAX 600 /* more than any input nests */

struct flat {
	struct fn_call *c;
	struct fn_text sep;
	struct field *f;
	size_t n, cap;
};

static bool flat_add(struct flat *b, struct fn_text name, struct value v)
{
	size_t cap = b->cap ? b->cap * 2 : 16;
	struct field *f;

	if (b->n == b->cap) {
		f = fn_fields(b->c, cap);
		if (!f)
			return false;
		if (b->n)
			memcpy(f, b->f, b->n * sizeof *f);
		b->f = f;
		b->cap = cap;
	}
	b->f[b->n++] = fn_field(name.p, name.n, v);
	return true;
}

static bool flat_walk(struct flat *b, struct fn_text path, const struct value *v, unsigned depth)
{
	if ((v->type != T_OBJECT && v->type != T_LIST) || !v->n)
		return flat_add(b, path, *v);
	if (depth == FLATTEN_DEPTH_MAX)
		return fn_fail(b->c, "nested too deep");
	for (uint32_t i = 0; i < v->n; i++) {
		struct fn_sb name = { .c = b->c };
		char digits[NUM_MAX];

		if (depth) {
			fn_sb_text(&name, path);
			fn_sb_text(&name, b->sep);
		}
		if (v->type == T_LIST)
			fn_sb_add(&name, digits, num_format_int(i, digits));
		else
			fn_sb_add(&name, v->fields[i].name, v->fields[i].name_n);
		if (!flat_walk(b, (struct fn_text){ name.p ? name.p : "", name.n },
			       v->type == T_LIST ? &v->items[i] : &v->fields[i].v, depth + 1))
			return false;
	}
	return true;
}

static void row_flatten_object(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct flat b = { .c = c, .sep = { ".", 1 } };

	if ((v->type != T_LIST && !object_of(c, v)) || (n > 1 && !fn_text(c, &v[1], &b.sep)))
		return;
	if (!v->n)
		*out = v_object(NULL, 0);
	else if (flat_walk(&b, (struct fn_text){ "", 0 }, v, 0))
		*out = v_object(b.f, b.n);
}

/* One dotted name, or what is left of it, and its value. */
struct path {
	struct fn_text name;
	struct value v;
	bool done; /* taken into a group already */
};

static struct fn_text head_of(struct fn_text name, struct fn_text sep)
{
	size_t at = sep.n ? fn_find_bytes(name, sep, 0) : (size_t)-1;

	return at == (size_t)-1 ? name : (struct fn_text){ name.p, at };
}

static bool unflatten(struct fn_call *c, struct path *p, size_t n, struct fn_text sep, struct value *out);

/* The value of all paths from p[0] on that begin with its head: those behind the last one that ends there, or that one's value.
 */
static bool unflatten_head(struct fn_call *c, struct path *p, size_t n, struct fn_text sep, struct value *out)
{
	struct fn_text head = head_of(p->name, sep);
	struct path *below = arena_array(c->arena, struct path, n);
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i].done || !fn_same(head_of(p[i].name, sep), head))
			continue;
		p[i].done = true;
		if (p[i].name.n == head.n) {
			*out = p[i].v;
			count = 0;
			continue;
		}
		below[count] = p[i];
		below[count].done = false;
		below[count].name.p += head.n + sep.n;
		below[count++].name.n -= head.n + sep.n;
	}
	return !count || unflatten(c, below, count, sep, out);
}

static bool unflatten(struct fn_call *c, struct path *p, size_t n, struct fn_text sep, struct value *out)
{
	struct field *f = fn_fields(c, n);
	size_t used = 0;

	if (!f)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct fn_text head = head_of(p[i].name, sep);

		if (p[i].done)
			continue;
		f[used] = fn_field(head.p, head.n, v_null());
		if (!unflatten_head(c, p + i, n - i, sep, &f[used++].v))
			return false;
	}
	*out = v_object(f, used);
	return true;
}

#define UNFLATTEN_MAX 10000	/* fields: the work grows with their square */
#define UNFLATTEN_NAME_MAX 4096 /* bytes of a dotted name, which bounds the depth */

static void row_unflatten(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text sep = { ".", 1 };
	struct path *p;

	if (!object_of(c, v) || (n > 1 && !fn_text(c, &v[1], &sep)))
		return;
	if (v->n > UNFLATTEN_MAX) {
		fn_fail(c, "more than 10000 fields");
		return;
	}
	p = arena_array(c->arena, struct path, v->n);
	for (uint32_t i = 0; i < v->n; i++) {
		p[i] = (struct path){ { v->fields[i].name, v->fields[i].name_n }, v->fields[i].v, false };
		if (p[i].name.n > UNFLATTEN_NAME_MAX) {
			fn_fail(c, "name longer than 4096 bytes");
			return;
		}
	}
	unflatten(c, p, v->n, sep, out);
}

#define OBJ(name, syn, alias, sum, least, most, nulls, row_, ...) \
	{ \
		FN_DOC(name, syn, sum), .doc.aliases = alias, FN_EX(__VA_ARGS__), FN_ARGS(least, most), .flags = nulls, \
					.row = row_ \
	}

static const struct fn_def defs[] = {
	OBJ("object", "object(KEY, VALUE ...)", "named_struct",
	    "an object of these fields; or of a list of names and one of values", 0, FN_ANY, FN_NULLS, row_object,
	    EX("object(\"a\", 1, \"b\", 2)", "{\"a\":1,\"b\":2}"), EX("object([\"x\", \"y\"], [1, 2])", "{\"x\":1,\"y\":2}")),
	OBJ("get", "get(X, KEY [, ELSE])", NULL, "field of an object or item of a list, ELSE (null) where there is none", 2, 3,
	    FN_NULLS, row_get, EX("get({a: 1}, \"a\")", "1"), EX("get({a: 1}, \"b\", 0)", "0")),
	OBJ("put", "put(OBJECT, KEY, VALUE)", "mapput", "the object with this field; null counts as the empty object", 3, 3,
	    FN_NULLS, row_put, EX("put({a: 1}, \"b\", 2)", "{\"a\":1,\"b\":2}"), EX("put({a: 1}, \"a\", null)", "{\"a\":null}")),
	OBJ("has", "has(X, KEY)", "haskey map_contains_key", "has the object this field, the list this index", 2, 2, 0, row_has,
	    EX("has({a: null}, \"a\")", "true"), EX("has([5], 1)", "false")),
	OBJ("keys", "keys(OBJECT)", "map_keys get_keys json_object_keys", "list of the names, in order", 1, 1, 0, row_keys,
	    EX("keys({b: 1, a: 2})", "[\"b\",\"a\"]")),
	OBJ("values", "values(OBJECT)", "map_values get_values", "list of the values, in order", 1, 1, 0, row_values,
	    EX("values({b: 1, a: 2})", "[1,2]")),
	OBJ("entries", "entries(OBJECT)", "to_entries map_entries", "list of {key, value}", 1, 1, 0, row_entries,
	    EX("entries({a: 1})", "[{\"key\":\"a\",\"value\":1}]")),
	OBJ("from_entries", "from_entries(LIST)", "map_from_entries", "object of a list of {key, value} or [key, value]", 1, 1, 0,
	    row_from_entries, EX("from_entries([[\"a\", 1], {key: \"b\", value: 2}])", "{\"a\":1,\"b\":2}")),
	OBJ("merge", "merge(OBJECT ...)", "map_concat mapsum", "fields of all objects, later ones win; nulls do not count", 1,
	    FN_ANY, FN_NULLS, row_merge, EX("merge({a: 1, b: 1}, {b: 2})", "{\"a\":1,\"b\":2}")),
	OBJ("deep_merge", "deep_merge(OBJECT ...)", NULL, "likewise, objects in objects merged too", 1, FN_ANY, FN_NULLS,
	    row_deep_merge, EX("deep_merge({a: {x: 1}}, {a: {y: 2}})", "{\"a\":{\"x\":1,\"y\":2}}")),
	OBJ("pick", "pick(OBJECT, KEY ...)", "mapselect", "the object with only these fields; names may be in lists", 2, FN_ANY,
	    0, row_pick, EX("pick({a: 1, b: 2, c: 3}, \"c\", \"a\")", "{\"a\":1,\"c\":3}")),
	OBJ("omit", "omit(OBJECT, KEY ...)", "mapexcept mapdiff without", "the object without these fields", 2, FN_ANY, 0,
	    row_omit, EX("omit({a: 1, b: 2}, \"b\")", "{\"a\":1}")),
	OBJ("invert", "invert(OBJECT)", NULL, "values become names and names values", 1, 1, 0, row_invert,
	    EX("invert({a: \"x\"})", "{\"x\":\"a\"}")),
	OBJ("sort_keys", "sort_keys(OBJECT)", "sort_by_key", "fields ordered by name", 1, 1, 0, row_sort_keys,
	    EX("sort_keys({b: 1, a: 2})", "{\"a\":2,\"b\":1}")),
	OBJ("flatten_object", "flatten_object(X [, SEP])", NULL, "nested fields as one level, their names joined by SEP (a dot)",
	    1, 2, 0, row_flatten_object, EX("flatten_object({a: {b: 1, c: [2]}})", "{\"a.b\":1,\"a.c.0\":2}")),
	OBJ("unflatten", "unflatten(OBJECT [, SEP])", NULL, "dotted names as nested objects", 1, 2, 0, row_unflatten,
	    EX("unflatten({\"a.b\": 1, \"a.c\": 2})", "{\"a\":{\"b\":1,\"c\":2}}")),
};

FN_FAMILY(fn_family_object);

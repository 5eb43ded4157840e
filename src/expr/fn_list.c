/* Lists. Indices count from 0, negative ones from the end. */
#define FN_GROUP "lists"
#include <math.h>

#include "expr/fn_impl.h"

static bool list_of(struct fn_call *c, const struct value *v) { return v->type == T_LIST || fn_fail(c, "not a list"); }

static bool list_and_int(struct fn_call *c, const struct value *v, int64_t *i)
{
	return list_of(c, &v[0]) && fn_arg_int(c, &v[1], i);
}

static void row_list_first(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	if (list_of(c, v) && v->n)
		*out = v->items[0];
}

static void row_list_last(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	if (list_of(c, v) && v->n)
		*out = v->items[v->n - 1];
}

static void row_at(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t i;

	if (v[0].type == T_NULL || v[1].type == T_NULL)
		return;
	if (!list_and_int(c, v, &i))
		return;
	if (i < 0)
		i += v->n;
	if (i >= 0 && i < v->n)
		*out = v->items[i];
	else if (n > 2)
		*out = v[2];
}

static void part(const struct value *v, size_t from, size_t to, struct value *out)
{
	*out = from < to ? v_list(v->items + from, to - from) : v_list(NULL, 0);
}

static void row_take(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t k;

	(void)n;
	if (!list_and_int(c, v, &k))
		return;
	if (k >= 0)
		part(v, 0, fn_clamp(k, v->n), out);
	else
		part(v, fn_clamp(k, v->n), v->n, out);
}

static void row_drop(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t k;

	(void)n;
	if (!list_and_int(c, v, &k))
		return;
	if (k >= 0)
		part(v, fn_clamp(k, v->n), v->n, out);
	else
		part(v, 0, fn_clamp(k, v->n), out);
}

/* ---- putting together ---- */

static void add_all(struct value *items, size_t *at, const struct value *v, size_t n)
{
	if (n)
		memcpy(items + *at, v, n * sizeof *items);
	*at += n;
}

/* v's items with `cut` of them at `at` replaced by `ins`. */
static void splice(struct fn_call *c, const struct value *v, size_t at, size_t cut, const struct value *ins, size_t n_ins,
		   struct value *out)
{
	struct value *items = fn_items(c, v->n - cut + n_ins);
	size_t n = 0;

	if (!items)
		return;
	add_all(items, &n, v->items, at);
	add_all(items, &n, ins, n_ins);
	add_all(items, &n, v->items + at + cut, v->n - at - cut);
	*out = v_list(items, n);
}

static void row_append(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	if (v->type == T_NULL)
		splice(c, &(struct value){ .items = NULL, .n = 0, .type = T_LIST }, 0, 0, v + 1, n - 1, out);
	else if (list_of(c, v))
		splice(c, v, v->n, 0, v + 1, n - 1, out);
}

static void row_prepend(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	if (v->type == T_NULL)
		splice(c, &(struct value){ .items = NULL, .n = 0, .type = T_LIST }, 0, 0, v + 1, n - 1, out);
	else if (list_of(c, v))
		splice(c, v, 0, 0, v + 1, n - 1, out);
}

static void row_insert_at(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t i;

	(void)n;
	if (v[0].type != T_NULL && v[1].type != T_NULL && list_and_int(c, v, &i))
		splice(c, v, fn_clamp(i, v->n), 0, &v[2], 1, out);
}

static void row_set_at(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t i;

	(void)n;
	if (v[0].type == T_NULL || v[1].type == T_NULL || !list_and_int(c, v, &i))
		return;
	if (i < 0)
		i += v->n;
	if (i < 0 || i >= v->n)
		fn_fail(c, "no such index");
	else
		splice(c, v, (size_t)i, 1, &v[2], 1, out);
}

static void row_remove_at(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t i;

	(void)n;
	if (!list_and_int(c, v, &i))
		return;
	if (i < 0)
		i += v->n;
	if (i < 0 || i >= v->n)
		*out = *v;
	else
		splice(c, v, (size_t)i, 1, NULL, 0, out);
}

static void row_list_concat(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items;
	size_t total = 0, at = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (!list_of(c, &v[i]))
			return;
		total += v[i].n;
	}
	items = fn_items(c, total);
	for (uint32_t i = 0; items && i < n; i++)
		add_all(items, &at, v[i].items, v[i].n);
	if (items)
		*out = v_list(items, at);
}

static void row_compact(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct field *f = v->type == T_OBJECT ? fn_fields(c, v->n) : NULL;
	struct value *items = v->type == T_LIST ? fn_items(c, v->n) : NULL;
	uint32_t kept = 0;

	(void)n;
	for (uint32_t i = 0; items && i < v->n; i++)
		if (v->items[i].type != T_NULL)
			items[kept++] = v->items[i];
	for (uint32_t i = 0; f && i < v->n; i++)
		if (v->fields[i].v.type != T_NULL)
			f[kept++] = v->fields[i];
	if (f)
		*out = v_object(f, kept);
	else if (items)
		*out = v_list(items, kept);
	else
		fn_fail(c, "neither a list nor an object");
}

static void flatten_into(struct fn_lb *b, const struct value *v, int64_t depth)
{
	for (uint32_t i = 0; i < v->n; i++)
		if (v->items[i].type == T_LIST && depth > 0)
			flatten_into(b, &v->items[i], depth - 1);
		else
			fn_lb_add(b, v->items[i]);
}

static void row_flatten(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_lb b = { .c = c };
	int64_t depth = 1;

	if (!list_of(c, v) || (n > 1 && !fn_arg_int(c, &v[1], &depth)))
		return;
	flatten_into(&b, v, depth);
	fn_lb_out(&b, out);
}

/* ---- order ---- */

static void sort(struct fn_call *c, const struct value *v, bool desc, struct value *out)
{
	struct value *items;
	size_t at = 0;

	if (!list_of(c, v) || !(items = fn_items(c, v->n)))
		return;
	add_all(items, &at, v->items, v->n);
	fn_sort_values(c->arena, items, at, desc);
	*out = v_list(items, at);
}

static void row_sort(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	sort(c, v, false, out);
}

static void row_sort_desc(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	sort(c, v, true, out);
}

/* Sorts pairs [key, index]: the index keeps the sort stable and says which item it was. Items without a key come last. */
static void sort_by_key(struct fn_call *c, const struct value *v, struct fn_text name, bool desc, struct value *out)
{
	struct value *pairs = fn_items(c, 2 * (size_t)v->n), *keys = fn_items(c, v->n), *items = fn_items(c, v->n);
	uint32_t keyed = 0, at;

	if (!pairs || !keys || !items)
		return;
	for (uint32_t i = 0; i < v->n; i++) {
		const struct value *key = value_get(&v->items[i], name.p, name.n);

		if (!key || key->type == T_NULL)
			continue;
		pairs[2 * keyed] = *key;
		pairs[2 * keyed + 1] = v_int(desc ? -(int64_t)i : i);
		keys[keyed] = v_list(pairs + 2 * (size_t)keyed, 2);
		keyed++;
	}
	fn_sort_values(c->arena, keys, keyed, desc);
	for (uint32_t i = 0; i < keyed; i++)
		items[i] = v->items[desc ? -keys[i].items[1].i : keys[i].items[1].i];
	at = keyed;
	for (uint32_t i = 0; i < v->n; i++) {
		const struct value *key = value_get(&v->items[i], name.p, name.n);

		if (!key || key->type == T_NULL)
			items[at++] = v->items[i];
	}
	*out = v_list(items, v->n);
}

static void row_sort_by(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text name, order = { "asc", 3 };
	bool desc;

	if (!list_of(c, v) || !fn_text(c, &v[1], &name) || (n > 2 && !fn_text(c, &v[2], &order)))
		return;
	desc = fn_same(order, (struct fn_text){ "desc", 4 });
	if (!desc && !fn_same(order, (struct fn_text){ "asc", 3 }))
		fn_fail(c, "the order is \"asc\" or \"desc\"");
	else
		sort_by_key(c, v, name, desc, out);
}

static void row_is_sorted(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	bool sorted = true;

	(void)n;
	if (!list_of(c, v))
		return;
	for (uint32_t i = 1; i < v->n && sorted; i++)
		sorted = value_cmp(&v->items[i - 1], &v->items[i]) <= 0;
	*out = v_bool(sorted);
}

/* ---- making ---- */

static void range_ints(struct fn_call *c, int64_t from, int64_t to, int64_t step, struct value *out)
{
	uint64_t span, size, count = 0;
	struct value *items;

	if (step > 0 ? from < to : from > to) {
		span = step > 0 ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
		size = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
		count = (span - 1) / size + 1;
	}
	items = fn_items(c, count);
	if (!items)
		return;
	for (uint64_t i = 0; i < count; i++)
		items[i] = v_int((int64_t)((uint64_t)from + i * (uint64_t)step));
	*out = v_list(items, count);
}

static void range_floats(struct fn_call *c, double from, double to, double step, struct value *out)
{
	double count = ceil((to - from) / step);
	struct value *items;
	size_t n;

	if (!(count > 0))
		count = 0;
	n = count > 1e9 ? FN_ITEMS_MAX + 1 : (size_t)count;
	items = fn_items(c, n);
	for (size_t i = 0; items && i < n; i++)
		items[i] = v_float(from + (double)i * step);
	if (items)
		*out = v_list(items, n);
}

static double num_double(const struct num *n) { return n->kind == NUM_INT ? (double)n->i : n->f; }

static void row_range(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct num x[3] = { { .kind = NUM_INT }, { .kind = NUM_INT }, { .kind = NUM_INT, .i = 1 } };
	bool ints = true;

	for (uint32_t i = 0; i < n; i++) {
		if (!fn_arg_num(c, &v[i], &x[n == 1 ? 1 : i]))
			return;
		ints &= x[n == 1 ? 1 : i].kind == NUM_INT;
	}
	if (num_double(&x[2]) == 0)
		fn_fail(c, "step of 0");
	else if (ints)
		range_ints(c, x[0].i, x[1].i, x[2].i, out);
	else
		range_floats(c, num_double(&x[0]), num_double(&x[1]), num_double(&x[2]), out);
}

static void row_list_repeat(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items;
	int64_t times;

	(void)n;
	if (v[1].type == T_NULL || !fn_arg_int(c, &v[1], &times))
		return;
	if (times < 0)
		times = 0;
	items = fn_items(c, (size_t)times);
	for (int64_t i = 0; items && i < times; i++)
		items[i] = v[0];
	if (items)
		*out = v_list(items, (size_t)times);
}

/* ---- regrouping: the parts are views of the list ---- */

static void row_chunks(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items;
	size_t count, size;
	int64_t k;

	(void)n;
	if (!list_and_int(c, v, &k))
		return;
	if (k < 1) {
		fn_fail(c, "at least one item each");
		return;
	}
	size = (uint64_t)k > v->n ? v->n + 1u : (size_t)k;
	count = (v->n + size - 1) / size;
	items = fn_items(c, count);
	for (size_t i = 0; items && i < count; i++)
		part(v, i * size, (i + 1) * size > v->n ? v->n : (i + 1) * size, &items[i]);
	if (items)
		*out = v_list(items, count);
}

static void row_windows(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items;
	size_t count;
	int64_t k;

	(void)n;
	if (!list_and_int(c, v, &k))
		return;
	if (k < 1) {
		fn_fail(c, "at least one item each");
		return;
	}
	count = (uint64_t)k > v->n ? 0 : v->n - (size_t)k + 1;
	items = fn_items(c, count);
	for (size_t i = 0; items && i < count; i++)
		part(v, i, i + (size_t)k, &items[i]);
	if (items)
		*out = v_list(items, count);
}

static void row_enumerate(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items, *pairs;

	(void)n;
	if (!list_of(c, v) || !(items = fn_items(c, v->n)) || !(pairs = fn_items(c, 2 * (size_t)v->n)))
		return;
	for (uint32_t i = 0; i < v->n; i++) {
		pairs[2 * i] = v_int(i);
		pairs[2 * i + 1] = v->items[i];
		items[i] = v_list(pairs + 2 * i, 2);
	}
	*out = v_list(items, v->n);
}

static void row_zip(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct value *items, *cells;
	uint32_t rows = 0;

	for (uint32_t k = 0; k < n; k++) {
		if (!list_of(c, &v[k]))
			return;
		rows = v[k].n > rows ? v[k].n : rows;
	}
	items = fn_items(c, rows);
	cells = fn_items(c, (size_t)rows * n);
	if (!items || !cells)
		return;
	for (uint32_t i = 0; i < rows; i++) {
		for (uint32_t k = 0; k < n; k++)
			cells[i * n + k] = i < v[k].n ? v[k].items[i] : v_null();
		items[i] = v_list(cells + (size_t)i * n, n);
	}
	*out = v_list(items, rows);
}

static void row_transpose(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	if (!list_of(c, v))
		return;
	if (v->n)
		row_zip(c, v->items, v->n, out);
	else
		*out = *v;
	(void)n;
}

#define LIST(name, syn, alias, sum, least, most, row_, ...) \
	{ \
		FN_DOC(name, syn, sum), .doc.aliases = alias, FN_EX(__VA_ARGS__), FN_ARGS(least, most), .row = row_ \
	}
#define LIST_NULLS(name, syn, alias, sum, least, most, row_, ...) \
	{ \
		FN_DOC(name, syn, sum), .doc.aliases = alias, FN_EX(__VA_ARGS__), FN_ARGS(least, most), .flags = FN_NULLS, \
					.row = row_ \
	}

static const struct fn_def defs[] = {
	LIST("list_first", "list_first(LIST)", "head", "the first item, null if there is none", 1, 1, row_list_first,
	     EX("list_first([3, 1])", "3")),
	LIST("list_last", "list_last(LIST)", NULL, "the last item, null if there is none", 1, 1, row_list_last,
	     EX("list_last([3, 1])", "1")),
	LIST_NULLS("at", "at(LIST, I [, ELSE])", NULL, "item I, or ELSE (null) where there is none", 2, 3, row_at,
		   EX("at([5, 6], -1)", "6"), EX("at([5, 6], 2, 0)", "0")),
	LIST("take", "take(LIST, N)", NULL, "the first N items; the last -N when N is negative", 2, 2, row_take,
	     EX("take([1, 2, 3], 2)", "[1,2]"), EX("take([1, 2, 3], -1)", "[3]")),
	LIST("drop", "drop(LIST, N)", NULL, "all but the first N items; all but the last -N when N is negative", 2, 2, row_drop,
	     EX("drop([1, 2, 3], 1)", "[2,3]")),
	LIST_NULLS("append", "append(LIST, X ...)", "array_append push",
		   "the list with more items at its end; null counts as the empty list", 2, FN_ANY, row_append,
		   EX("append([1], 2, 3)", "[1,2,3]")),
	LIST_NULLS("prepend", "prepend(LIST, X ...)", "array_prepend", "the list with more items at its start", 2, FN_ANY,
		   row_prepend, EX("prepend([3], 1, 2)", "[1,2,3]")),
	LIST_NULLS("insert_at", "insert_at(LIST, I, X)", NULL, "the list with X before item I", 3, 3, row_insert_at,
		   EX("insert_at([1, 3], 1, 2)", "[1,2,3]")),
	LIST_NULLS("set_at", "set_at(LIST, I, X)", NULL, "the list with X for item I", 3, 3, row_set_at,
		   EX("set_at([1, 2, 3], -1, 9)", "[1,2,9]")),
	LIST("remove_at", "remove_at(LIST, I)", NULL, "the list without item I", 2, 2, row_remove_at,
	     EX("remove_at([1, 2, 3], 0)", "[2,3]")),
	LIST("list_concat", "list_concat(LIST ...)", "array_concat array_cat", "all lists one behind the other", 1, FN_ANY,
	     row_list_concat, EX("list_concat([1], [2, 3], [])", "[1,2,3]")),
	LIST("compact", "compact(X)", "array_compact", "a list without its nulls, an object without its null fields", 1, 1,
	     row_compact, EX("compact([1, null, 2])", "[1,2]"), EX("compact({a: null, b: 1})", "{\"b\":1}")),
	LIST("flatten", "flatten(LIST [, DEPTH])", NULL, "lists in the list replaced by their items, DEPTH (1) levels down", 1, 2,
	     row_flatten, EX("flatten([1, [2, [3]]])", "[1,2,[3]]"), EX("flatten([1, [2, [3]]], 9)", "[1,2,3]")),
	LIST("sort", "sort(LIST)", "sort_array array_sort",
	     "items in order: false, true, numbers, times, text by bytes, lists, objects, null", 1, 1, row_sort,
	     EX("sort([10, 9, \"b\", \"a\", null])", "[9,10,\"a\",\"b\",null]")),
	LIST("sort_desc", "sort_desc(LIST)", NULL, "items in the opposite order, null last all the same", 1, 1, row_sort_desc,
	     EX("sort_desc([1, 3, 2])", "[3,2,1]")),
	LIST("sort_by", "sort_by(LIST, NAME [, \"desc\"])", NULL, "list of objects ordered by a field", 2, 3, row_sort_by,
	     EX("sort_by([{a: 2}, {a: 1}], \"a\")", "[{\"a\":1},{\"a\":2}]")),
	LIST("is_sorted", "is_sorted(LIST)", NULL, "are the items in order", 1, 1, row_is_sorted,
	     EX("is_sorted([1, 2, 2])", "true")),
	LIST("range", "range([A,] B [, STEP])", "sequence", "numbers from A (0) up to, not including, B", 1, 3, row_range,
	     EX("range(1, 4)", "[1,2,3]"), EX("range(3)", "[0,1,2]"), EX("range(10, 0, -4)", "[10,6,2]")),
	LIST_NULLS("list_repeat", "list_repeat(X, N)", "array_repeat", "list of N times X", 2, 2, row_list_repeat,
		   EX("list_repeat(0, 3)", "[0,0,0]")),
	LIST("chunks", "chunks(LIST, N)", NULL, "list of lists of N items each; the last may be shorter", 2, 2, row_chunks,
	     EX("chunks([1, 2, 3], 2)", "[[1,2],[3]]")),
	LIST("windows", "windows(LIST, N)", "sliding", "list of all N items that follow one another", 2, 2, row_windows,
	     EX("windows([1, 2, 3], 2)", "[[1,2],[2,3]]")),
	LIST("enumerate", "enumerate(LIST)", NULL, "list of [index, item]", 1, 1, row_enumerate,
	     EX("enumerate([\"a\", \"b\"])", "[[0,\"a\"],[1,\"b\"]]")),
	LIST("zip", "zip(LIST ...)", "arrays_zip",
	     "list of the first items, of the second items and so on; null where a list is shorter", 1, FN_ANY, row_zip,
	     EX("zip([1, 2], [\"a\", \"b\"])", "[[1,\"a\"],[2,\"b\"]]")),
	LIST("transpose", "transpose(LISTS)", NULL, "rows become columns", 1, 1, row_transpose,
	     EX("transpose([[1, 2], [3, 4]])", "[[1,3],[2,4]]")),
};

FN_FAMILY(fn_family_list);

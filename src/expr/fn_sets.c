/* Lists as sets: items are equal as keys of `by` and `dedup` are. */
#define FN_GROUP "lists as sets"
#include "data/hash.h"
#include "data/rowkey.h"
#include "expr/fn_impl.h"

/* Different items in order of first appearance, in the arena. */
struct set {
	struct fn_call *c;
	struct key_bytes *keys;
	struct value *items;
	uint32_t *counts;
	uint32_t n;
	uint32_t *slots; /* item + 1, 0: empty */
	uint32_t mask;
};

/* Room for n items; false and a reason when there are too many. */
static bool set_init(struct set *s, struct fn_call *c, size_t n)
{
	uint32_t size = 16;

	*s = (struct set){ .c = c };
	s->items = fn_items(c, n);
	if (!s->items)
		return false;
	while (size < 2 * n)
		size *= 2;
	s->keys = arena_array(c->arena, struct key_bytes, n + 1);
	s->counts = arena_array(c->arena, uint32_t, n + 1);
	s->slots = arena_zero(c->arena, size * sizeof *s->slots);
	s->mask = size - 1;
	return true;
}

/* The slot of an item or of where it would be. */
static uint32_t *set_slot(const struct set *s, const struct key_bytes *k)
{
	uint32_t at = (uint32_t)(hash_bytes(k->p, k->n) ^ k->kind) & s->mask;

	for (; s->slots[at]; at = (at + 1) & s->mask) {
		const struct key_bytes *have = &s->keys[s->slots[at] - 1];

		if (have->kind == k->kind && have->n == k->n && !memcmp(have->p, k->p, k->n))
			break;
	}
	return &s->slots[at];
}

static bool set_has(const struct set *s, const struct value *v)
{
	struct key_bytes k;

	key_of_value(s->c->arena, v, &k);
	return *set_slot(s, &k) != 0;
}

/* True if it was not there. */
static bool set_add(struct set *s, const struct value *v)
{
	struct key_bytes k;
	uint32_t *slot;

	key_of_value(s->c->arena, v, &k);
	slot = set_slot(s, &k);
	if (*slot) {
		s->counts[*slot - 1]++;
		return false;
	}
	s->keys[s->n] = k;
	s->items[s->n] = *v;
	s->counts[s->n] = 1;
	*slot = ++s->n;
	return true;
}

static bool set_of(struct set *s, struct fn_call *c, const struct value *v)
{
	if (v->type != T_LIST)
		return fn_fail(c, "not a list");
	if (!set_init(s, c, v->n))
		return false;
	for (uint32_t i = 0; i < v->n; i++)
		set_add(s, &v->items[i]);
	return true;
}

static bool two_sets(struct fn_call *c, const struct value *v, struct set *a, struct set *b)
{
	return set_of(a, c, &v[0]) && set_of(b, c, &v[1]);
}

static void row_unique(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct set s;

	(void)n;
	if (set_of(&s, c, v))
		*out = v_list(s.items, s.n);
}

static void row_duplicates(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_lb b = { .c = c };
	struct set s;

	(void)n;
	if (!set_of(&s, c, v))
		return;
	for (uint32_t i = 0; i < s.n; i++)
		if (s.counts[i] > 1)
			fn_lb_add(&b, s.items[i]);
	fn_lb_out(&b, out);
}

static void row_union(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	size_t total = 0;
	struct set s;

	for (uint32_t k = 0; k < n; k++) {
		if (v[k].type != T_LIST) {
			fn_fail(c, "not a list");
			return;
		}
		total += v[k].n;
	}
	if (!set_init(&s, c, total))
		return;
	for (uint32_t k = 0; k < n; k++)
		for (uint32_t i = 0; i < v[k].n; i++)
			set_add(&s, &v[k].items[i]);
	*out = v_list(s.items, s.n);
}

static void filtered(struct fn_call *c, const struct value *v, bool in_both, struct value *out)
{
	struct fn_lb kept = { .c = c };
	struct set a, b;

	if (!two_sets(c, v, &a, &b))
		return;
	for (uint32_t i = 0; i < a.n; i++)
		if (set_has(&b, &a.items[i]) == in_both)
			fn_lb_add(&kept, a.items[i]);
	fn_lb_out(&kept, out);
}

static void row_intersect(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	filtered(c, v, true, out);
}

static void row_except(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	filtered(c, v, false, out);
}

/* How many different items of A are in B. */
static bool shared(struct fn_call *c, const struct value *v, struct set *a, struct set *b, uint32_t *both)
{
	*both = 0;
	if (!two_sets(c, v, a, b))
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		*both += set_has(b, &a->items[i]);
	return true;
}

static void row_has_any(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct set a, b;
	uint32_t both;

	(void)n;
	if (shared(c, v, &a, &b, &both))
		*out = v_bool(both > 0);
}

static void row_has_all(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct set a, b;
	uint32_t both;

	(void)n;
	if (shared(c, v, &a, &b, &both))
		*out = v_bool(both == b.n);
}

static void row_jaccard(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct set a, b;
	uint32_t both;

	(void)n;
	if (shared(c, v, &a, &b, &both))
		*out = v_float(a.n + b.n ? (double)both / (double)((uint64_t)a.n + b.n - both) : 1);
}

/* By the text of the items, since fields have names. */
static void row_counts(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text name;
	struct field *f;
	struct set s;

	(void)n;
	if (v->type != T_LIST) {
		fn_fail(c, "not a list");
		return;
	}
	if (!set_init(&s, c, v->n) || !(f = fn_fields(c, v->n)))
		return;
	for (uint32_t i = 0; i < v->n; i++) {
		if (v->items[i].type == T_NULL)
			continue;
		if (!fn_text(c, &v->items[i], &name))
			return;
		set_add(&s, &(struct value){ .s = name.p, .n = (uint32_t)name.n, .type = T_STR });
	}
	for (uint32_t i = 0; i < s.n; i++)
		f[i] = fn_field(s.items[i].s, s.items[i].n, v_int(s.counts[i]));
	*out = v_object(f, s.n);
}

static void row_mode(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	uint32_t best = 0;
	struct set s;

	(void)n;
	if (!set_of(&s, c, v))
		return;
	for (uint32_t i = 1; i < s.n; i++)
		if (s.counts[i] > s.counts[best])
			best = i;
	if (s.n)
		*out = s.items[best];
}

#define SET(name, syn, row_, alias, least, most, sum, expr, result) \
	{ \
		FN_DOC(name, syn, sum), .doc.aliases = alias, FN_EX(EX(expr, result)), FN_ARGS(least, most), .row = row_ \
	}

static const struct fn_def defs[] = {
	SET("unique", "unique(LIST)", row_unique, "array_distinct list_distinct", 1, 1,
	    "each item once, in order of first appearance", "unique([2, 1, 2])", "[2,1]"),
	SET("duplicates", "duplicates(LIST)", row_duplicates, NULL, 1, 1, "the items that are there more than once, each once",
	    "duplicates([2, 1, 2])", "[2]"),
	SET("list_union", "list_union(LIST ...)", row_union, "array_union", 1, FN_ANY, "items of all lists, each once",
	    "list_union([1, 2], [2, 3])", "[1,2,3]"),
	SET("intersect", "intersect(A, B)", row_intersect, "array_intersect list_intersect", 2, 2,
	    "items of A that are in B, each once", "intersect([1, 2, 2], [2, 3])", "[2]"),
	SET("except", "except(A, B)", row_except, "array_except list_except", 2, 2, "items of A that are not in B, each once",
	    "except([1, 2], [2, 3])", "[1]"),
	SET("has_any", "has_any(A, B)", row_has_any, "arrays_overlap", 2, 2, "is some item of B in A", "has_any([1, 2], [2, 3])",
	    "true"),
	SET("has_all", "has_all(A, B)", row_has_all, NULL, 2, 2, "are all items of B in A", "has_all([1, 2], [2, 3])", "false"),
	SET("jaccard", "jaccard(A, B)", row_jaccard, NULL, 2, 2, "shared items as a part of all items",
	    "jaccard([1, 2], [2, 3, 4])", "0.25"),
	SET("list_counts", "list_counts(LIST)", row_counts, NULL, 1, 1, "object of how often each item is there, by its text",
	    "list_counts([\"a\", \"b\", \"a\"])", "{\"a\":2,\"b\":1}"),
	SET("list_mode", "list_mode(LIST)", row_mode, NULL, 1, 1, "the item that is there most often, the first of several",
	    "list_mode([1, 2, 2])", "2"),
};

FN_FAMILY(fn_family_sets);

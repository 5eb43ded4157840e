/* collect, concat: everything, in input order. */
#include "agg/families.h"

#include "agg/pack.h"
#include "agg/rows.h"

struct list {
	char *p; /* collect: saved values one after the other; concat: the text */
	size_t n, cap;
	uint64_t count;
};

static bool list_add(struct agg_call *c, struct list *s, const char *p, size_t n)
{
	s->p = agg_heap_grow(c, s->p, &s->cap, s->n + n, 1);
	if (n)
		memcpy(s->p + s->n, p, n);
	s->n += n;
	return true;
}

static void collect_update(AGG_UPDATE_ARGS)
{
	const struct agg_in *in = AGG_IN(0);
	struct buf b = { 0 };

	(void)batch;
	for (uint32_t k = 0; k < n_sel; k++) {
		struct value v = column_get(in->col, in_row(in, k));
		struct list *s = in_state(in, k);

		if (v.type == T_NULL)
			continue;
		if (s->count >= VALUE_LEN_MAX) {
			agg_fail(c, "a list is full at 2^32 - 1 values");
			continue;
		}
		b.n = 0;
		value_save(&b, &v);
		s->count += list_add(c, s, b.p, b.n);
	}
	buf_release(&b);
}

static void list_steal(struct list *dst, struct list *src)
{
	*dst = *src;
	memset(src, 0, sizeof *src);
}

static void collect_merge(struct agg_call *c, void *dst, void *src)
{
	struct list *d = dst, *s = src;

	if (!d->count)
		list_steal(d, s);
	else if (d->count + s->count > VALUE_LEN_MAX)
		agg_fail(c, "a list is full at 2^32 - 1 values");
	else if (list_add(c, d, s->p, s->n))
		d->count += s->count;
}

static void collect_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	const struct list *s = state;
	const char *p = s->p;
	struct value *items = arena_array(a, struct value, s->count);

	(void)c;
	for (uint64_t i = 0; i < s->count; i++)
		if (value_load(&p, s->p + s->n, a, &items[i]))
			BUG("a list does not hold what it saved");
	*out = v_list(items, s->count);
}

static void list_save(struct agg_call *c, const void *state, struct buf *b)
{
	const struct list *s = state;

	(void)c;
	pack_uint(b, s->count);
	pack_bytes(b, s->p, s->n);
}

static void list_release(struct agg_call *c, void *state)
{
	struct list *s = state;

	agg_heap_free(c, s->p, s->cap);
	memset(s, 0, sizeof *s);
}

static int list_load(struct agg_call *c, struct list *s, const char **p, const char *end)
{
	const char *bytes;
	size_t n;

	if (unpack_uint(p, end, &s->count) || unpack_bytes(p, end, &bytes, &n) || s->count > VALUE_LEN_MAX)
		return -1;
	list_add(c, s, bytes, n);
	return 0;
}

static int check_values(const struct list *s)
{
	struct arena tmp = { 0 };
	const char *p = s->p;
	struct value v;
	int rc = 0;

	for (uint64_t i = 0; !rc && i < s->count; i++) {
		rc = value_load(&p, s->p + s->n, &tmp, &v);
		arena_reset(&tmp);
	}
	arena_release(&tmp);
	return rc || p != s->p + s->n ? -1 : 0;
}

static int collect_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	if (!list_load(c, state, p, end) && !check_values(state))
		return 0;
	list_release(c, state);
	return -1;
}

static int concat_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	struct list *s = state;

	if (!list_load(c, s, p, end) && s->n <= VALUE_LEN_MAX && (s->count || !s->n))
		return 0;
	list_release(c, state);
	return -1;
}

static int concat_prepare(struct agg_call *c, struct err *e)
{
	if (c->n_params && c->params[0].type != T_STR && c->params[0].type != T_TEXT)
		return err_set(e, ERR_PROGRAM, "the separator is not text");
	return 0;
}

static void concat_add(struct agg_call *c, struct list *s, const char *p, size_t n)
{
	size_t sep_n = c->n_params && s->count ? c->params[0].n : 0;

	if (s->n + sep_n + n > VALUE_LEN_MAX) {
		agg_fail(c, "text longer than 4 GiB");
		return;
	}
	list_add(c, s, sep_n ? c->params[0].s : NULL, sep_n);
	list_add(c, s, p, n);
	s->count++;
}

static void concat_update(AGG_UPDATE_ARGS)
{
	const struct agg_in *in = AGG_IN(0);
	struct buf b = { 0 };

	(void)batch;
	for (uint32_t k = 0; k < n_sel; k++) {
		struct value v = column_get(in->col, in_row(in, k));

		if (v.type == T_NULL)
			continue;
		if (v.type == T_TEXT || v.type == T_STR) {
			concat_add(c, in_state(in, k), v.s, v.n);
			continue;
		}
		b.n = 0;
		value_print(&b, &v, NULL);
		concat_add(c, in_state(in, k), b.p, b.n);
	}
	buf_release(&b);
}

static void concat_merge(struct agg_call *c, void *dst, void *src)
{
	struct list *d = dst, *s = src;
	uint64_t count = s->count;

	if (!d->count) {
		list_steal(d, s);
	} else if (count) {
		concat_add(c, d, s->p, s->n);
		d->count += count - 1;
	}
}

static void concat_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	const struct list *s = state;

	(void)c;
	*out = v_str(arena_copy(a, s->p, s->n), s->n);
}

const struct agg_def agg_family_list[] = {
	{ .doc = { .name = "collect",
		   .synopsis = "collect(E)",
		   .summary = "a list of all values, in input order",
		   .text = "Nulls are skipped; the list of nothing is []. Keeps every value.",
		   .group = "lists",
		   .params = { { "E", "expr", NULL, NULL, "any values" } },
		   .examples = { { "collect(x)", "b\na\nb\n", "[\"b\",\"a\",\"b\"]", NULL } } },
	  .min_args = 1,
	  .max_args = 1,
	  .flags = AGG_ORDERED,
	  .state_size = sizeof(struct list),
	  .update = collect_update,
	  .merge = collect_merge,
	  .finish = collect_finish,
	  .save = list_save,
	  .load = collect_load,
	  .release = list_release },
	{ .doc = { .name = "concat",
		   .synopsis = "concat(E [, SEP])",
		   .summary = "all values as one text, in input order, SEP between them",
		   .text = "Values are written as in output. Nulls are skipped; the text of nothing is empty.",
		   .group = "lists",
		   .params = { { "E", "expr", NULL, NULL, "any values" }, { "SEP", "text", "\"\"", NULL, "a literal" } },
		   .examples = { { "concat(x, \", \")", "b\na\nb\n", "\"b, a, b\"", NULL },
				 { "concat(x)", "b\na\n", "\"ba\"", NULL } } },
	  .min_args = 1,
	  .max_args = 1,
	  .max_params = 1,
	  .flags = AGG_ORDERED,
	  .state_size = sizeof(struct list),
	  .prepare = concat_prepare,
	  .update = concat_update,
	  .merge = concat_merge,
	  .finish = concat_finish,
	  .save = list_save,
	  .load = concat_load,
	  .release = list_release },
	{ .doc = { .name = NULL } },
};

/* fold, combine: the user's own aggregates. */
#include "agg/families.h"

#include "agg/rows.h"

/* Within a batch the value so far lies in the batch's arena (cur), and is copied once, at the end of the update. */
struct user {
	struct value kept, cur;
	uint32_t has;	  /* kept (or cur) is a value; without it the state is empty */
	uint32_t pending; /* cur is newer than kept; never outside of update */
};

enum { EVAL_VALUE, EVAL_STEP, EVAL_INVERSE };

static void user_eval(struct agg_call *c, int which, const struct value *vars, struct arena *a, struct value *out)
{
	*out = v_null();
	c->eval.fn(c->eval.ctx, which, NULL, 0, vars, a, out);
}

static void user_now(struct user *s, const struct value *v)
{
	s->cur = *v;
	s->has = s->pending = 1;
}

static const struct value *user_value(const struct user *s) { return s->pending ? &s->cur : &s->kept; }

static void user_settle(const struct agg_in *in)
{
	for (uint32_t k = 0; k < in->n; k++) {
		struct user *s = in_state(in, k);

		if (!s->pending)
			continue;
		kept_set(in->c, &s->kept, &s->cur);
		s->cur = v_null();
		s->pending = 0;
	}
}

static void fold_update(AGG_UPDATE_ARGS)
{
	const struct agg_in in = { c, states, c->state_size, gid, sel, n_sel, NULL };

	(void)args;
	for (uint32_t k = 0; k < n_sel; k++) {
		struct user *s = in_state(&in, k);
		struct value acc, out = v_null();

		if (s->has)
			acc = *user_value(s);
		else
			user_eval(c, EVAL_VALUE, NULL, batch->arena, &acc);
		c->eval.fn(c->eval.ctx, EVAL_STEP, batch, in_row(&in, k), &acc, batch->arena, &out);
		user_now(s, &out);
	}
	user_settle(&in);
}

static void user_steal(struct user *dst, struct user *src)
{
	*dst = *src;
	memset(src, 0, sizeof *src);
}

static void fold_merge(struct agg_call *c, void *dst, void *src)
{
	struct user *d = dst, *s = src;

	(void)c;
	if (!s->has)
		return;
	if (d->has)
		BUG("fold: two states that both have rows cannot be merged");
	user_steal(d, s);
}

static void fold_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	const struct user *s = state;

	if (s->has)
		*out = value_copy(a, &s->kept);
	else
		user_eval(c, EVAL_VALUE, NULL, a, out);
}

static void combine_row(struct agg_call *c, struct user *s, const struct batch *batch, uint32_t row)
{
	struct value two[2], out = v_null();

	c->eval.fn(c->eval.ctx, EVAL_VALUE, batch, row, NULL, batch->arena, &out);
	if (out.type == T_NULL)
		return;
	if (s->has) {
		two[0] = *user_value(s);
		two[1] = out;
		user_eval(c, EVAL_STEP, two, batch->arena, &out);
	}
	user_now(s, &out);
}

static void combine_update(AGG_UPDATE_ARGS)
{
	const struct agg_in in = { c, states, c->state_size, gid, sel, n_sel, NULL };

	(void)args;
	for (uint32_t k = 0; k < n_sel; k++)
		combine_row(c, in_state(&in, k), batch, in_row(&in, k));
	user_settle(&in);
}

/* dst = which(dst, src) */
static void combine_two(struct agg_call *c, int which, struct user *dst, const struct user *src)
{
	struct value two[2] = { dst->kept, src->kept }, out;
	struct arena tmp = { 0 };

	user_eval(c, which, two, &tmp, &out);
	kept_set(c, &dst->kept, &out);
	arena_release(&tmp);
}

static void combine_merge(struct agg_call *c, void *dst, void *src)
{
	struct user *d = dst, *s = src;

	if (!s->has)
		return;
	if (d->has)
		combine_two(c, EVAL_STEP, d, s);
	else
		user_steal(d, s);
}

static void combine_retract(struct agg_call *c, void *dst, const void *src)
{
	struct user *d = dst;
	const struct user *s = src;

	if (d->has && s->has)
		combine_two(c, EVAL_INVERSE, d, s);
}

static void combine_finish(struct agg_call *c, const void *state, struct arena *a, struct value *out)
{
	(void)c;
	*out = value_copy(a, &((const struct user *)state)->kept);
}

static void user_save(struct agg_call *c, const void *state, struct buf *b)
{
	const struct user *s = state;

	(void)c;
	buf_char(b, (char)s->has);
	if (s->has)
		value_save(b, &s->kept);
}

static void user_release(struct agg_call *c, void *state)
{
	struct user *s = state;

	kept_clear(c, &s->kept);
	memset(s, 0, sizeof *s);
}

static int user_load(struct agg_call *c, void *state, const char **p, const char *end)
{
	struct user *s = state;

	if (*p < end && (unsigned char)**p <= 1) {
		s->has = (uint32_t) * (*p)++;
		if (!s->has || !kept_load(c, &s->kept, p, end))
			return 0;
	}
	user_release(c, state);
	return -1;
}

const struct agg_def agg_family_user[] = {
	{ .doc = { .name = "fold",
		   .synopsis = "fold(ACC, INIT, E)",
		   .summary = "your own aggregate, record by record",
		   .text = "For each record, in order, ACC becomes E, in which ACC is the value so far; it starts as INIT. "
			   "The result of no record is INIT. It cannot be put together from parts: where records are "
			   "aggregated in pieces, write combine. Over sessions it waits for their end, with the records.",
		   .group = "your own",
		   .params = { { "ACC", "name", NULL, NULL, "the value so far" },
			       { "INIT", "expr", NULL, NULL, "where it starts" },
			       { "E", "expr", NULL, NULL, "its next value, from ACC and the record's fields" } },
		   .examples = { { "fold(acc, 0, acc * 10 + x)", "1\n2\n3\n", "123", NULL } } },
	  .min_args = 3,
	  .max_args = 3,
	  .flags = AGG_ORDERED | AGG_USER | AGG_NULLS | AGG_SEQUENTIAL,
	  .state_size = sizeof(struct user),
	  .update = fold_update,
	  .merge = fold_merge,
	  .finish = fold_finish,
	  .save = user_save,
	  .load = user_load,
	  .release = user_release },
	{ .doc = { .name = "combine",
		   .synopsis = "combine(A, B, VALUE, E [, INVERSE])",
		   .summary = "your own aggregate, from an associative operation",
		   .text = "VALUE is taken of each record, nulls are skipped, and two values A and B, in input order, become "
			   "E. E must be associative: it is applied to parts as well as to records. INVERSE, from the total "
			   "A and a part B at its start, is the total without that part; sliding windows use it. The result "
			   "of nothing is null.",
		   .group = "your own",
		   .params = { { "A", "name", NULL, NULL, "the earlier of two values" },
			       { "B", "name", NULL, NULL, "the later" },
			       { "VALUE", "expr", NULL, NULL, "of a record" },
			       { "E", "expr", NULL, NULL, "of A and B" },
			       { "INVERSE", "expr", "none", NULL, "of A and B: A without B" } },
		   .examples = { { "combine(a, b, x, a * b)", "2\n3\n4\n", "24", "a product" },
				 { "combine(a, b, x, a + b, a - b)", "2\n3\n4\n", "9", NULL } } },
	  .min_args = 4,
	  .max_args = 5,
	  .flags = AGG_ORDERED | AGG_USER,
	  .state_size = sizeof(struct user),
	  .update = combine_update,
	  .merge = combine_merge,
	  .finish = combine_finish,
	  .save = user_save,
	  .load = user_load,
	  .release = user_release,
	  .retract = combine_retract },
	{ .doc = { .name = NULL } },
};

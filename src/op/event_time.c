#include "op/event_time.h"

bool value_is_time(const struct value *v, const struct fn_env *env, int64_t *t)
{
	struct num n;

	if (v->type == T_TIME) {
		*t = v->i;
		return true;
	}
	if (type_is_bytes(v->type))
		return time_parse(v->s, v->n, &env->time, t);
	return value_num(v, &n) == NUM_INT ? time_from_int(n.i, t) : n.kind == NUM_FLOAT && time_from_double(n.f, t);
}

static struct column one_time(const struct column *c, const struct batch *b, const struct fn_env *env, uint64_t *unusable)
{
	struct value v = column_get(c, 0);
	int64_t t;

	if (value_is_time(&v, env, &t)) {
		v = v_time(t);
	} else {
		*unusable += b->n_sel;
		v = v_null();
	}
	return column_const(b->arena, &v);
}

struct column event_times(const struct column *c, const struct batch *b, const struct fn_env *env, uint64_t *unusable)
{
	struct column out;
	uint64_t bad = 0, *counted = unusable ? unusable : &bad;

	if (c->type == T_TIME) {
		if (c->valid)
			BATCH_EACH(b->sel, b->n_sel, i) *counted += column_null(c, i);
		return *c;
	}
	if (c->constant)
		return one_time(c, b, env, counted);
	out = column_make(b->arena, T_TIME, b->n_rows);
	BATCH_EACH(b->sel, b->n_sel, i)
	{
		struct value v = column_get(c, i);

		if (value_is_time(&v, env, &out.i[i]))
			continue;
		if (!out.valid)
			out.valid = bitmap_make(b->arena, b->n_rows);
		bit_clear(out.valid, i);
		++*counted;
	}
	out.has_null = out.valid != NULL;
	return out;
}

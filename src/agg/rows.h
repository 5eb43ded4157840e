/* What the update functions of agg/ share: walking the rows of a call, typed loops without a test per row, accounting. */
#ifndef STRM_AGG_ROWS_H
#define STRM_AGG_ROWS_H
#include "agg/agg.h"

#define AGG_INLINE static inline __attribute__((always_inline))

/* One column of an update call. Row k of the selection is row in_row(in, k) of the column and goes to in_state(in, k). */
struct agg_in {
	struct agg_call *c;
	char *states;
	size_t size; /* of a state */
	const uint32_t *gid, *sel;
	uint32_t n;
	const struct column *col;
};

/* The parameters of agg_def.update, and the agg_in of argument i. */
#define AGG_UPDATE_ARGS \
	struct agg_call *c, char *states, const uint32_t *gid, const struct column *args, const uint32_t *sel, uint32_t n_sel, \
		const struct batch *batch
#define AGG_IN(i) \
	&(struct agg_in) { c, states, c->state_size, gid, sel, n_sel, &args[i] }

AGG_INLINE void *in_state(const struct agg_in *in, uint32_t k) { return in->states + (in->gid ? in->gid[k] * in->size : 0); }

AGG_INLINE uint32_t in_row(const struct agg_in *in, uint32_t k) { return in->sel ? in->sel[k] : k; }

/* The whole update, value by value, nulls skipped. `put` is a constant and is inlined. */
typedef void agg_put(struct agg_call *c, void *state, const struct value *v);

AGG_INLINE void agg_each(const struct agg_in *in, agg_put *put)
{
	for (uint32_t k = 0; k < in->n; k++) {
		struct value v = column_get(in->col, in_row(in, k));

		in->c->row = in_row(in, k);
		if (v.type != T_NULL)
			put(in->c, in_state(in, k), &v);
	}
}

/* A typed loop: body(in, grouped, selected, nulls), inlined eight times with constant flags, so that no row tests them. The
 * column is not constant: agg_typed() sees to that. The copies let the compiler keep the pointers in registers. */
#define AGG_LOOP(name, body) \
	static void name(const struct agg_in *whole) \
	{ \
		const struct column col = *whole->col; \
		const struct agg_in own = { whole->c, whole->states, whole->size, whole->gid, whole->sel, whole->n, &col }, \
				    *in = &own; \
\
		switch ((in->gid != NULL) * 4 + (in->sel != NULL) * 2 + (in->col->valid != NULL)) { \
		case 0: \
			body(in, false, false, false); \
			break; \
		case 1: \
			body(in, false, false, true); \
			break; \
		case 2: \
			body(in, false, true, false); \
			break; \
		case 3: \
			body(in, false, true, true); \
			break; \
		case 4: \
			body(in, true, false, false); \
			break; \
		case 5: \
			body(in, true, false, true); \
			break; \
		case 6: \
			body(in, true, true, false); \
			break; \
		default: \
			body(in, true, true, true); \
		} \
	}

/* Run a typed loop; a constant column is given to it with a selection of zeros. */
void agg_typed(const struct agg_in *in, void (*loop)(const struct agg_in *));

/* A value that could not be used: counted; `reason` is static text. */
static inline void agg_fail(struct agg_call *c, const char *reason)
{
	if (c->failures++)
		return;
	c->fail_reason = reason;
	c->fail_row = c->row;
}

/* Memory behind states, accounted in c->heap_bytes. agg_heap: zeroed. agg_heap_grow: as xgrow. agg_heap_free: p may be NULL. */
void *agg_heap(struct agg_call *c, size_t n);
void *agg_heap_grow(struct agg_call *c, void *p, size_t *cap, size_t need, size_t size);
void agg_heap_free(struct agg_call *c, void *p, size_t n);

/* A value kept in a state: a zeroed struct value (T_NULL) holds nothing. Its bytes, items and fields are one heap block. */
/* Replaces what was kept by a deep copy of v (which may point into what was kept). */
void kept_set(struct agg_call *c, struct value *slot, const struct value *v);
void kept_clear(struct agg_call *c, struct value *slot);
int kept_load(struct agg_call *c, struct value *slot, const char **p, const char *end);

#endif

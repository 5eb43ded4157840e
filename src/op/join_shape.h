/* How the records of two sides become one: the fields of both, left first. A key of one name in both is one field; another right field whose name
 * the left has too is called SIDE.field, and so is one that is asked for by that name, whatever the left has had so far. For conditions there may be more columns behind those: fields by the name of their side, as written. */
#ifndef STRM_OP_JOIN_SHAPE_H
#define STRM_OP_JOIN_SHAPE_H
#include "expr/eval.h"
#include "op/join_side.h"

struct join_names {
	const char *label[2];        /* names of the sides; left may be NULL */
	const char *const *keys;     /* fields that are one key in both */
	uint32_t n_keys;
	const char *const *asked;    /* what later stages read by the name of the right side: "clicks.at", */
	const bool *plainly;         /* and whether they read it as "at" too */
	uint32_t n_asked;
	const char *const *mentions; /* what a condition reads by the name of a side: "clicks.at" */
	uint32_t n_mentions;
};

struct join_source {
	int32_t at[2]; /* the column of each side, -1: none; where both have it, the left's unless its row is missing */
};

struct join_shape {
	const struct schema *side[2];  /* NULL: that side is missing */
	const struct schema *out;
	const struct schema *wide;     /* out and the columns that conditions mention */
	struct join_source *from;      /* wide->n of them */
};

/* Shapes by pair of schemas; zeroed memory is an empty cache. */
struct join_shapes {
	struct arena arena;
	struct join_shape **at;
	uint32_t n;
	size_t cap;
	struct join_shape *last;
};

const struct join_shape *join_shape_of(struct join_shapes *s, const struct join_names *names, const struct schema *left, const struct schema *right);
void join_shapes_release(struct join_shapes *s);

#endif

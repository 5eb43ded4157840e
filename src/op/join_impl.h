/* What the files of op_join share. */
#ifndef STRM_OP_JOIN_IMPL_H
#define STRM_OP_JOIN_IMPL_H
#include "op/join_away.h"
#include "op/op_join.h"

/* A pair of rows, or one alone (the other JOIN_NONE) that comes out if nothing has matched it. */
struct pair {
	uint32_t row[2];
};

struct join {
	struct op op;
	struct join_spec spec;
	struct keytab keys;
	struct join_side side[2];
	struct expiries expiries[2];
	struct join_away away;
	struct join_shapes shapes;
	struct pair *pairs; /* batch_rows() of them */
	uint32_t n_pairs;
	bool timed;         /* rows have event times */
	bool done;          /* those behind want no more */
	struct buf kept;    /* as committed: what is known beside the rows */
	uint32_t kept_mark;
};

/* Does a row of this side that nothing matches come out? */
static inline bool join_preserves(const struct join *j, int side)
{
	enum join_kind k = j->spec.kind;

	return side == 0 ? k == JOIN_LEFT || k == JOIN_FULL || k == JOIN_ANTI : k == JOIN_RIGHT || k == JOIN_FULL;
}

/* The row goes when no match can come any more; where the join goes by time. */
void join_wait_for(struct op *op, int side, uint32_t row);
/* The living rows alone. */
void join_rebuild(struct join *j);
/* May keys leave memory (join_save.c)? */
bool join_leaves(const struct join *j);
/* As in op_class (join_save.c). */
void join_save(struct op *op, struct keeper *to);
int join_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e);

#endif

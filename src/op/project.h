/* Projections: the new record of map, set, select, drop, rename and flatmap, from the old one and computed columns.
 *
 * Items are evaluated left to right and later ones see earlier ones. `*` stands for the fields not named otherwise; after it, an item
 * whose `at` field exists takes that field's place, so that `set` and `rename` change a record where it stands. */
#ifndef STRM_OP_PROJECT_H
#define STRM_OP_PROJECT_H
#include "op/op.h"

struct project_item {
	const char *name;  /* of the new field; NULL: `*` */
	const char *at;    /* field whose place it takes behind `*` (its own name, or the old one of a rename) */
	struct expr *expr; /* NULL for `*` */
};

struct project {
	struct project_item *items;
	uint32_t n;
	const char **drop; /* fields that `*` leaves out beside the named ones */
	uint32_t n_drop;
	/* the layout for the schema seen last */
	const struct schema *from, *to;
	int32_t *source;   /* per output column: >= 0 input column, < 0: item -1-k */
	bool at_once; /* items do not see each other */
};

void project_init(struct project *p, struct arena *a, uint32_t n_items, uint32_t n_drop);
void project_release(struct project *p);
/* Makes from, to and source for records of this schema, unless they are. */
void project_layout(struct project *p, const struct schema *s);
/* The new batch over the same rows and selection (`out` is filled). */
void project_apply(struct project *p, struct eval *ev, const struct batch *b, struct batch *out);
void project_unseen(const struct project *p, void (*fn)(void *ctx, const char *name), void *ctx);

#endif

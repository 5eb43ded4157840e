/* map and its relatives: one new record for each, by a projection. */
#ifndef STRM_OP_MAP_H
#define STRM_OP_MAP_H
#include "op/project.h"

/* The operator owns the projection, which the caller fills through the returned pointer. */
struct op *op_map(struct run *run, int stage, const char *word, struct project **project);

#endif

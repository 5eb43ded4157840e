/* flatmap w = LIST: one record for each element. */
#ifndef STRM_OP_FLATMAP_H
#define STRM_OP_FLATMAP_H
#include "op/project.h"

/* The projection's item `element` evaluates to the list; its column holds one element a record in the output. */
struct op *op_flatmap(struct run *run, int stage, const char *word, struct project **project, uint32_t element);

#endif

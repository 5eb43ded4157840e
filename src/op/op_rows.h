/* window N rows [every M] and a reduce behind it: count windows of each key (Flink's countWindow, Beam's AfterPane over a global window). The first window of a
 * key begins with its first row, the next ones M rows later each; a window comes out as soon as it has N rows, what is left at the end of the input then. */
#ifndef STRM_OP_ROWS_H
#define STRM_OP_ROWS_H
#include "op/reducer.h"

struct op *op_rows(struct run *run, int stage, const char *word, const struct reduce_spec *spec, uint64_t rows, uint64_t slide);

#endif

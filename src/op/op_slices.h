/* Aggregates per key over sliding windows of event time that come out once, when the watermark passes their end: what op_panes does for any window and trigger,
 * at a cost per record that does not grow with length / slide.
 *
 * Windows of length L that slide by S are made of slices as wide as the greatest common divisor of both, aligned with their offset (op/sliding.h). As the
 * watermark passes, windows close in the order of their ends; only those that have records are looked at. A record goes to its slice, and to the running total or
 * the suffixes too if an earlier window has taken that slice in. It is late when all its windows have closed. */
#ifndef STRM_OP_SLICES_H
#define STRM_OP_SLICES_H
#include "op/op_assign.h"
#include "op/op_panes.h"
#include "op/reducer.h"

/* Can these windows and aggregates be had so? Sliding windows of equal length that overlap, a bare trigger without lateness, and no aggregate that depends on
 * the order of its records: slices are merged by time, not as the records came. */
bool op_slices_can(const struct reduce_spec *spec, const struct panes_spec *panes);
/* A reduce over them. Counters: absorbed, late, no-time, dropped (all windows would reach beyond the range of time). */
struct op *op_slices(struct run *run, int stage, const char *word, const struct reduce_spec *spec, const struct assign_spec *assign);

#endif

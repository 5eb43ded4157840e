/* Time in the plan: windows, watermarks, triggers and output modes find the stages that they hold for. */
#ifndef STRM_PLAN_TIMES_H
#define STRM_PLAN_TIMES_H
#include "plan/plan.h"

/* Checks them (two windows without an aggregate between, a watermark behind a window ...) and fills panes, scope, holds, dedup and window of the nodes, closes,
 * whole and windowed of the plan. After plan_link, before plan_known. 0 or -1. */
int plan_times(struct plan *p, enum output_mode mode, struct err *e);

#endif

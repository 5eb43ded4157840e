/* What the state of a stage means, as a number: of equal numbers the state of one is that of the other. It is made of the stage as written, of windows,
 * triggers and watermarks in front of it, and of what the fields that it reads are made of; filters and the like, which only choose records, do not count, nor
 * does what stands behind it. */
#ifndef STRM_PLAN_MEANING_H
#define STRM_PLAN_MEANING_H
#include "expr/parse.h"
#include "plan/plan.h"

struct plan_meaning {
	const char *name; /* the stage as written, its defaults made explicit */
	uint64_t fingerprint;
};

/* What the command line says beside the program. */
struct plan_given {
	const char *salt; /* what all of it depends on (zone, schema) */
	const struct program_var *vars; /* what stages depend on that name them */
	int n_vars;
};

/* By number of the stage, from 1; [0] is of what stands outside. In the plan's arena. */
struct plan_meaning *plan_meanings(const struct plan *p, const struct plan_given *g);

#endif

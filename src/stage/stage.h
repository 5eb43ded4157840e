/* Stages: the words of the language. One file a stage, its registry entry at the top; stage_registry.c only strings them together. */
#ifndef STRM_STAGE_H
#define STRM_STAGE_H
#include "base/doc.h"
#include "plan/plan.h"

struct stage_def {
	struct doc doc;
	const char *words; /* its connectives, blank-separated, for completion; NULL: none */
	/* Syntax -> node: the parser stands behind the stage's word; what is left over is the caller's error. Sets kind, canonical and keeps.
	 * 0 or -1. */
	int (*parse)(struct parser *p, struct plan_node *n, struct err *e);
};

/* By name or alias, NULL when unknown. By number from 0, NULL ends. */
const struct stage_def *stage_find(const char *name);
const struct stage_def *stage_at(unsigned i);
struct nearest;
void stage_nearest(struct nearest *s);

/* A stage whose first word has been read, up to its end; n->stage is set. 0 or -1. */
int stage_read(struct parser *p, const char *word, struct pos pos, struct plan_node *n, struct err *e);
/* A whole program into the plan: stages until the end of the units. 0 or -1. */
int program_parse(struct parser *p, const struct source_unit *units, int n_units, struct plan *plan, struct err *e);

#endif

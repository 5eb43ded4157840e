/* --checkpoint, --once and their like: from options to the job. */
#ifndef STRM_CLI_DURABLE_H
#define STRM_CLI_DURABLE_H
#include "cli/options.h"
#include "plan/lower.h"
#include "plan/meaning.h"
#include "runtime/checkpoint.h"

struct durable {
	const struct options *opts;
	const struct plan *plan;
	struct fn_env *env;
	struct checkpoint_opts checkpoint; /* outlives the job */
};

/* Do these options go together, and with the inputs? 0 or -1. */
int durable_check(const struct options *o, struct err *e);
/* Opens the checkpoint, if there is to be one, and puts what follows from the options into all that the job is made of. 0 or -1. */
int durable_open(struct durable *d, struct job_opts *jo, struct run *run, struct lower_opts *lower, struct err *e);

/* What the state of all stages depends on beside the program's text; the caller's. */
char *durable_salt(const struct options *o);
/* With it, for plan_meanings(); points into both. */
struct plan_given durable_given(const struct options *o, const char *salt);

#endif

/* From options to a job. */
#ifndef STRM_CLI_RUN_H
#define STRM_CLI_RUN_H
#include "cli/options.h"

/* Compile and run (or explain) the program; prints what goes wrong. Returns the exit status. */
int run_program(struct options *o);

/* The program of the options as run_program() understands it; nothing is opened. The caller releases the plan, also on failure. 0 or -1. */
int run_compile(struct options *o, struct plan *out, struct err *e);

#endif

/* From options to a job. */
#ifndef STRM_CLI_RUN_H
#define STRM_CLI_RUN_H
#include "cli/options.h"

/* Compile and run (or explain) the program; prints what goes wrong. Returns the exit status. */
int run_program(struct options *o);

#endif

/* `strm --help` and `strm help`: all from the registries. */
#ifndef STRM_CLI_HELP_H
#define STRM_CLI_HELP_H
#include <stdio.h>

/* A screenful: usage, examples, stages, options. */
void help_usage(FILE *out);
/* The words behind `help`: none (what there is), names, a list, --man [PAGE], --completion SHELL, --examples. Returns the exit
 * status: 0, 1 when it cannot be written, or 2 with a message on stderr when something is unknown. */
int help_command(int argc, char **argv, FILE *out);

#endif

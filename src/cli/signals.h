/* Signals of a run. SIGINT and SIGTERM end the input, a second one the process; SIGUSR1 (and SIGINFO) asks how things stand. */
#ifndef STRM_CLI_SIGNALS_H
#define STRM_CLI_SIGNALS_H
#include <stdbool.h>

/* From here on they are caught. */
void signals_catch(void);
/* The signal that ended the input, 0: none. */
const volatile int *signals_stop(void);
/* Not zero: a status is asked for; whoever answers sets it to zero. */
volatile int *signals_ask(void);
/* Becomes readable with either; never 0. 0 when there is none. */
int signals_wake_fd(void);
/* Is there a line on the terminal that is to be wiped before the process ends at once? */
void signals_line(bool drawn);

#endif

/* What goes to standard error: errors, bad records, notes, the closing ledger. */
#ifndef STRM_CLI_REPORT_H
#define STRM_CLI_REPORT_H
#include "cli/options.h"
#include "obs/progress.h"
#include "obs/stats.h"

/* Bad records shown one by one; the ledger counts the rest. */
#define BAD_SHOWN 3

struct report {
	const struct options *opts;
	uint64_t n_bad;
	struct stats *stats;      /* --stats, NULL: not wanted */
	struct progress progress;
	bool drawn;               /* a line of progress is on the terminal */
};

/* Print an error with its place in the program. */
void report_error(const struct options *o, const struct err *e);
void report_bad(void *ctx, const char *source, uint64_t line, const char *reason, const char *raw, size_t n);
void report_note(void *ctx, const char *text);
/* Warnings of the run, and the ledger when something was refused or left out for being null, or with --progress. */
void report_end(const struct report *r, const struct job *j);
/* The exit status of an error kind. */
int exit_status(enum err_kind k);

#endif

/* Options: one row each in the table at the foot of options.c, from which parsing, --help, the man page and completions come. */
#ifndef STRM_CLI_OPTIONS_H
#define STRM_CLI_OPTIONS_H
#include "base/doc.h"
#include "codec/codec.h"
#include "expr/parse.h"
#include "plan/plan.h"
#include "runtime/job.h"

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

struct options {
	struct arena arena; /* all that is made from arguments */
	/* the program */
	struct source_unit *units;
	int n_units;
	size_t units_cap;
	const char *program_file; /* -f */
	struct program_var *vars;
	int n_vars;
	size_t vars_cap;
	/* input and output */
	const char **sources, **sinks;
	const char **names; /* of the sources; NULL: none */
	size_t names_cap;
	unsigned n_sources, n_sinks;
	size_t sources_cap, sinks_cap;
	const struct codec_def *in, *out;
	bool out_given; /* by -o; set when the output is chosen */
	const char **header;
	uint32_t n_header;
	bool no_header, no_input;
	bool bare; /* columns go out without a header although --no-header is not given */
	char delimiter; /* 0: the format's own */
	char out_delimiter;
	size_t max_record;
	const char *bad_file, *late_file;
	bool strict;
	const char *schema;
	/* time */
	struct cut cut;
	bool cut_given, marks;
	const char *replay;
	enum output_mode mode;
	/* values */
	const struct zone *zone;
	const char *ofmt, *times;
	/* running */
	uint64_t mem_max;
	enum when color;
	bool explain_dot;
	const char *checkpoint; /* NULL: none */
	bool once, drain, accept_loss;
	bool quiet, explain, help, version, progress;
	const char *stats;
};

struct option_def {
	struct doc doc;     /* name without dashes; synopsis: as in --help; params[0] names the argument, none: a flag; with a default it
			       may be left out */
	char letter;        /* 0: none */
	bool detail;        /* in the reference, not in --help */
	bool later;         /* of the language, not in this build: refused */
	/* arg is NULL for flags. 0, or -1 with a message that need not name the option. */
	int (*take)(struct options *o, const char *arg, struct err *e);
};

/* By number from 0, NULL ends; in the order of the reference. */
const struct option_def *option_at(unsigned i);
bool option_is_detail(const struct doc *d);
/* The whole command line; argv[0] is the program. Reads the file of -f. 0 or -1. */
int options_parse(struct options *o, int argc, char **argv, struct err *e);
void options_release(struct options *o);
/* Limit of a record when --max-record does not say. */
#define MAX_RECORD_DEFAULT ((size_t)64 << 20)

#endif

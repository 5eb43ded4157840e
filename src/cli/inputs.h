/* What each --from gives: its name, and how it is read. */
#ifndef STRM_CLI_INPUTS_H
#define STRM_CLI_INPUTS_H
#include "cli/options.h"
#include "plan/plan.h"

struct inputs {
	unsigned n;                 /* at least one; the arrays live in the options' arena */
	struct plan_input *in;
	struct decode_opts *decode;
	const char **schema;        /* NULL: none */
	struct job_input *reads;
	bool mixed;                 /* some input is read in another way than the options say */
};

/* Sets the input format of the options, too, where they do not say it. 0, or -1 when an option of a source is not good. */
int inputs_make(struct options *o, struct inputs *out, struct err *e);
/* How they are read, once it is known what the program wants of them: neighbours that are read alike are one. */
void inputs_read_by(struct inputs *in, const struct codec_def *const *codecs);

#endif

/* From a plan to what runs: the decoder's options and the chain of operators with its sinks. */
#ifndef STRM_PLAN_PIPELINE_H
#define STRM_PLAN_PIPELINE_H
#include "plan/lower.h"

struct pipeline_opts {
	const struct plan *plan;       /* after plan_rules */
	const struct codec_def *in;
	struct decode_opts decode;     /* format options; the projection is set here */
	bool no_input;                 /* -n: nothing is decoded */
	const char *schema;            /* --schema, NULL: none */
	const char *const *sinks;      /* where the chain ends, unless its last stage is a sink */
	unsigned n_sinks;
	bool verbatim;                 /* the output format may copy records as they were read */
	const char *clock_field;       /* --replay: a field to decode as well, NULL: none */
	struct lower_opts lower;       /* its scanner is looked at only when the words come from the word scanner */
};

struct pipeline {
	const struct codec_def *codec; /* of the input: opts->in or the word scanner */
	struct decode_opts decode;     /* its names live as long as the plan */
	struct graph graph;            /* the caller's: graph_free */
};

/* 0 or -1; on failure there is nothing to free. */
int pipeline_build(const struct pipeline_opts *o, struct pipeline *out, struct err *e);

#endif

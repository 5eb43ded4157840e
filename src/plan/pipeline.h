/* From a plan to what runs: the decoders of its inputs and the graph of operators with its sinks. */
#ifndef STRM_PLAN_PIPELINE_H
#define STRM_PLAN_PIPELINE_H
#include "plan/lower.h"

struct pipeline_opts {
	const struct plan *plan;       /* after plan_rules */
	struct plan_input *in;         /* n_in of them, linked */
	uint32_t n_in;
	struct decode_opts *decode;    /* n_in: format options; the projection is set here */
	bool no_input;                 /* -n: nothing is decoded */
	const char *const *schema;     /* n_in: types of the input's fields, NULL: none */
	const char *const *sinks;      /* where chains end, unless their last stage is a sink */
	unsigned n_sinks;
	bool verbatim;                 /* the output format may copy records as they were read */
	const char *clock_field;       /* --replay: a field to decode as well, NULL: none */
	bool by_records;               /* micro-batches are cut by records of the input */
	struct lower_opts lower;       /* its scanner is looked at only when the words come from the word scanner */
};

struct pipeline {
	const struct codec_def **codecs; /* n_in, in the plan's arena: each input's, or the word scanner */
	struct graph graph;              /* the caller's: graph_free. An entry for each input */
};

/* Sets the projections of o->decode, whose names live as long as the plan. 0 or -1; on failure there is nothing to free. */
int pipeline_build(const struct pipeline_opts *o, struct pipeline *out, struct err *e);

#endif

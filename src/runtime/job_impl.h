/* The job, shared by job.c (micro-batches) and input.c (where records come from). */
#ifndef STRM_RUNTIME_JOB_IMPL_H
#define STRM_RUNTIME_JOB_IMPL_H
#include "runtime/job.h"

/* One --from, or all files one after the other. */
struct input {
	struct job *job;
	struct decoder *decoder;
	struct blocks *blocks;
	unsigned number; /* of the source, in command-line order */
	bool ended;
};

struct job {
	struct job_opts opts;
	struct run *run;
	struct clock clock;
	struct arena arena;
	const struct job_input *reads; /* by number of the source */
	struct input *inputs;
	unsigned n_inputs;
	struct source **live_sources; /* driven by a loop (live.c); NULL: inputs are read in turn (input.c) */
	unsigned n_live;
	uint64_t live_bytes;
	struct word_counts retired;   /* of decoders that are closed */
	struct decoder **scanning;    /* live: the open decoders of the word scanner */
	size_t n_scanning, scanning_cap;
	struct graph graph;
	struct op *bad_sink;
	struct expr *replay;
	struct eval replay_eval;
	struct word_counts words;
	uint64_t n_bad, n_bad_input, n_records, n_no_time;
	uint64_t n_batches;    /* ended */
	uint64_t batch_records; /* in the micro-batch at hand */
	uint64_t cut_bytes;    /* input at the last end of a micro-batch */
	int64_t cut_end;       /* CUT_TIME: when the micro-batch at hand ends */
	bool timed;            /* cut_end is set */
};

/* Records of a decoder, into the chain and cut into micro-batches. The verdict of op_process. */
int job_take(struct job *j, const struct batch *b, struct err *e);
/* Ends the micro-batch at hand at time `now`. 0 or -1. */
int job_end_batch(struct job *j, int64_t now, bool last, struct err *e);
/* Would a micro-batch without records do something? */
bool job_holds(const struct job *j);
/* The time that the records to come see. */
void job_set_now(struct job *j, int64_t now);
bool job_all_closed(const struct job *j);
bool job_stopped(const struct job *j);

/* input.c */
int inputs_open(struct job *j, struct err *e);
void inputs_free(struct job *j);
/* Read them to their ends, cutting as the options say. 0 or -1. */
int inputs_run(struct job *j, struct err *e);
uint64_t inputs_bytes(const struct job *j);
struct decode_to inputs_decode_to(struct input *in);
void inputs_count_words(struct job *j);
void inputs_retire_words(struct job *j, struct decoder *d);
/* live.c: open all sources; *live: a loop is to drive them, else they are closed again. 0 or -1. */
int live_open(struct job *j, bool *live, struct err *e);
void live_close(struct job *j);
int live_run(struct job *j, struct err *e);
/* The header of the input read last, where it has one. */
const struct schema *inputs_header(const struct job *j);

#endif

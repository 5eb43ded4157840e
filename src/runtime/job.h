/* A job: a plan run over its inputs. Cuts the input into micro-batches, drives the operators, counts what it refuses. */
#ifndef STRM_RUNTIME_JOB_H
#define STRM_RUNTIME_JOB_H
#include "io/blocks.h"
#include "plan/lower.h"

/* Input after which a micro-batch ends when no stage waits for the end of the input. */
#define MICRO_BATCH_BYTES ((uint64_t)8 << 20)

struct job_opts {
	const struct plan *plan;          /* after plan_rules */
	const char *const *sources;       /* specs, in order */
	unsigned n_sources;
	bool no_input;                    /* -n: one empty record, sources are not read */
	const struct codec_def *in;
	struct decode_opts decode;        /* format options; the projection is set here */
	const struct codec_def *out;
	struct encode_opts encode;
	const char *const *sinks;         /* where the chain ends, unless its last stage is a sink */
	unsigned n_sinks;
	const char *schema;               /* --schema, NULL: none */
	bool verbatim;                    /* the output format may copy records as they were read */
	bool strict;                      /* the first bad record ends the job */
	const char *bad_file;             /* bad records as TSV: source, line, reason, raw; NULL: not kept */
	/* Told of each of the first bad records; prints. */
	void (*on_bad)(void *ctx, const char *source, uint64_t line, const char *reason, const char *raw, size_t n);
	void (*on_note)(void *ctx, const char *text);
	/* Between blocks: progress; may be NULL. `bytes` read so far. */
	void (*on_step)(void *ctx, uint64_t bytes);
	void *ctx;
	volatile const int *stop;         /* not zero: a signal asks for the end of the input */
};

struct job;

/* Operators and decoder made; nothing read or written yet. The run is the caller's and must outlive the job. NULL and err. */
struct job *job_open(const struct job_opts *o, struct run *run, struct err *e);
/* To the end. 0, or -1 and err. Once. */
int job_run(struct job *j, struct err *e);
void job_free(struct job *j);

/* For the ledger. */
const struct op *job_ops(const struct job *j);
uint64_t job_records(const struct job *j); /* records decoded */
uint64_t job_bad(const struct job *j);     /* bad records, of the decoder and of `parse` */
uint64_t job_bad_input(const struct job *j); /* of the decoder alone */
uint64_t job_bytes(const struct job *j);
bool job_closed(const struct job *j);      /* every reader of the output went away */

#endif

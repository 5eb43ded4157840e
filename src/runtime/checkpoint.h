/* The checkpoint of a job (--checkpoint DIR): a store (state/store.h) and what binds it to the job. For each micro-batch, in this order: its records are read
 * and run, while the sinks hold what they are given; the cut says which bytes of which inputs were read, the time, and where the output begins, and is
 * synced; the sinks write and sync; the commit says what changed in the operators and where the inputs stand. A run that finds a cut without its commit
 * reads the same bytes again at the same time, and writes only what is not there yet.
 * Sinks that are regular files write and sync on threads while the next micro-batch is read and run; its cut, and with it the commit, waits for them.
 *
 * Where an input stands is a place (ckpt_impl.h). One owner, on the job's thread. */
#ifndef STRM_RUNTIME_CHECKPOINT_H
#define STRM_RUNTIME_CHECKPOINT_H
#include "io/sink.h"
#include "runtime/job.h"
#include "state/store.h"

/* What the operators of a stage keep belongs to a name and a meaning. */
struct checkpoint_stage {
	const char *name;
	uint64_t fingerprint;
};

struct checkpoint_opts {
	const char *dir, *command; /* command: for who finds it locked */
	const char *program;       /* as text, remembered */
	const struct checkpoint_stage *stages; /* by the number of the stage, from 1: stages[0] is of what stands outside */
	unsigned n_stages;
	bool drain;       /* at the end of the input all windows close */
	uint64_t mem_max; /* --mem, 0: no limit */
	bool accept_loss; /* input that has vanished is no error */
	struct fn_env *env; /* its clock is set back while a micro-batch is run again */
	void (*note)(void *ctx, const char *text);
	void *ctx;
};

struct checkpoint;

/* Opens the store. The options outlive it. NULL with err: ERR_LOCKED, ERR_IO. */
struct checkpoint *checkpoint_open(const struct checkpoint_opts *o, struct err *e);
/* A sink of the job, in their order, before its operator is made: it is held to the checkpoint from here on. Its writer begins with a header iff
 * sink_empty() says so after the call. 0 or -1. */
int checkpoint_sink(void *checkpoint, struct sink *s, struct err *e);
/* Does what a stage keeps go on from the last commit? */
bool checkpoint_kept(void *checkpoint, int stage);
void checkpoint_close(struct checkpoint *c);

/* For people: what commits and cuts remember. Views of the point's bytes. */
struct checkpoint_input {
	struct store_bytes name;       /* as the user wrote the source; empty: what all that is live shares */
	bool done;                     /* a file of a directory that was read (path); nothing else is said of it */
	bool file;                     /* else it is logged in the checkpoint */
	struct store_bytes path;       /* of a file */
	int64_t offset;                /* bytes taken of it, or of the stream at hand */
	uint64_t line;                 /* of the record there */
	uint64_t rows;                 /* records and bad ones that were taken from there on */
};

/* The stage under which the places of inputs are kept. */
extern const char checkpoint_inputs_stage[];
/* An entry of that stage. 0, or -1: it is none. */
int checkpoint_read_input(const struct store_entry *entry, struct checkpoint_input *out);

#endif

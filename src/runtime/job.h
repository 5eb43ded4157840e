/* A job: a graph of operators run over its inputs. Cuts the input into micro-batches, moves the clock, counts what it refuses.
 *
 * A micro-batch: records in, through the chain; the clock; the end of the micro-batch for every operator in turn. Cuts:
 *   CUT_BLOCKS   no stage waits: after MICRO_BATCH_BYTES of input and whenever the input has nothing more to give
 *   CUT_EOF      one micro-batch, the whole input
 *   CUT_RECORDS  every n records
 *   CUT_TIME     every interval of the clock (aligned to its multiples); with a replay field the data is the clock
 *   A replay field moves the clock with the others too.
 *   CUT_MARK     at mark lines in the input (io/marks.h), which also move the clock; micro-batch k is the k-th stretch of each input */
#ifndef STRM_RUNTIME_JOB_H
#define STRM_RUNTIME_JOB_H
#include "io/blocks.h"
#include "op/op_sink.h"
#include "op/op_words.h"
#include "runtime/clock.h"

/* Input after which a micro-batch ends when no stage waits for the end of the input. */
#define MICRO_BATCH_BYTES ((uint64_t)8 << 20)

enum cut_kind { CUT_BLOCKS, CUT_EOF, CUT_RECORDS, CUT_TIME, CUT_MARK };

struct cut {
	enum cut_kind kind;
	uint64_t records;
	int64_t every_ns;
};

struct job;

/* A micro-batch that has ended. Figures are of this one alone. */
struct batch_report {
	uint64_t batch;
	int64_t time;                  /* its processing time, ns */
	int64_t since;                 /* processing time since the end of the one before, or since the run began, ns */
	bool last;
	uint64_t records, bytes, bad;  /* read */
	int64_t read_ns, run_ns, deliver_ns; /* by the stopwatch: reading and decoding without waiting; operators; sinks */
	struct event_times events;     /* event times that entered */
	bool timed;                    /* cut by the system's clock: delay and queued are known */
	int64_t delay_ns;              /* from the end of its interval to its delivery */
	unsigned queued;               /* micro-batches whose interval is over by now and that wait: 0 or 1 */
};

/* One --from; figures of the whole run. */
struct source_report {
	const char *name;
	uint64_t records, bytes;
	char status[160];              /* what a live one does just now; "" nothing to say */
};

struct job_opts {
	const char *const *sources;       /* specs, in order */
	unsigned n_sources;
	bool no_input;                    /* -n: one empty record, sources are not read */
	struct cut cut;
	bool strict;                      /* the first bad record ends the job */
	const char *bad_file;             /* bad records as TSV: source, line, reason, raw; NULL: not kept */
	const char *late_file;            /* late records, see late.h; NULL: not kept */
	/* Told of each bad record and of notes; prints. */
	void (*on_bad)(void *ctx, const char *source, uint64_t line, const char *reason, const char *raw, size_t n);
	void (*on_note)(void *ctx, const char *text);
	/* The columns that the fields of an input's header have become at the chain's end, where the program says; NULL: unknown. */
	const struct schema *(*columns_left)(void *ctx, const struct schema *header);
	void *ctx;
	bool endless;                     /* some source has no end in sight: a loop waits for input and for the clock */
	bool closes;                      /* some stage waits for the end of the micro-batch */
	volatile const int *stop;         /* not zero: a signal asks for the end of the input */
	volatile int *ask;                /* not zero: a signal asks for on_ask, at the next safe point; set to zero then */
	int wake_fd;                      /* becomes readable with either, to end a wait; made by eventfd. 0: none */
	void (*on_ask)(void *ctx, const struct job *j);
	/* A micro-batch has ended; NULL: nothing is measured. 0 or -1. */
	int (*on_batch)(void *ctx, const struct job *j, const struct batch_report *r, struct err *e);
	void (*on_look)(void *ctx, const struct job *j); /* between blocks, and at least every look_ms while it waits; NULL: nobody looks */
	void (*on_deliver)(void *ctx);    /* a sink is about to write; NULL: nobody asks */
	/* Nothing has come or gone for silence_ms (0: nobody asks); once in a run, while it waits. */
	void (*on_silence)(void *ctx, const struct job *j);
	unsigned look_ms, silence_ms;
	struct checkpoint *checkpoint;    /* runtime/checkpoint.h; NULL: none */
	bool once;                        /* what has come by now is all */
};

/* The run is the caller's and must outlive the job. */
struct job *job_new(const struct job_opts *o, struct run *run);
/* For the operators that are made next: where bad rows of `parse` and --schema go (ctx is the job), and the word scanner's counts. */
int job_bad_row(void *job, const char *raw, size_t n, const char *source, uint64_t line, const char *reason, struct err *e);
const struct word_counts *job_word_counts(const struct job *j);
/* How the records of a source are read, and where they go. */
struct job_input {
	const struct codec_def *codec;
	const struct decode_opts *decode; /* outlive the job */
	unsigned group;                   /* neighbours of one group may be read as one input, one after the other */
};

/* What to run: how each source is read (outlives the job) and the graph, which is the job's from here on (also on failure). `replay`: the
 * expression of the clock's field, taken; NULL: none. 0 or -1. */
int job_start(struct job *j, const struct job_input *inputs, struct graph *graph_take, struct expr *replay_take, struct err *e);
/* To the end. 0, or -1 and err. Once. */
int job_run(struct job *j, struct err *e);
void job_free(struct job *j);

/* For the ledger. */
const struct graph *job_graph(const struct job *j);
uint64_t job_records(const struct job *j);   /* records decoded */
uint64_t job_bad(const struct job *j);       /* bad records, of the decoder and of `parse` */
uint64_t job_bad_input(const struct job *j); /* of the decoder alone */
uint64_t job_no_time(const struct job *j);   /* records whose replay field is no time: they stay in the micro-batch at hand */
/* Fields of the replay field that no record had. */
void job_clock_unseen(const struct job *j, void (*fn)(void *ctx, const char *name), void *ctx);
uint64_t job_bytes(const struct job *j);
/* For progress, status and statistics. */
unsigned job_n_sources(const struct job *j);
void job_source(const struct job *j, unsigned i, struct source_report *out);
int64_t job_size(const struct job *j);       /* bytes that all inputs will give, -1 unknown */
uint64_t job_batch(const struct job *j);     /* the micro-batch at hand */
int64_t job_now(const struct job *j);        /* processing time */
int64_t job_elapsed(const struct job *j);    /* ns since the run began, by the stopwatch */
int64_t job_delay(const struct job *j);      /* ns since the interval of the micro-batch at hand was over; 0 when it is not, or there is none */
bool job_until_end(const struct job *j);     /* nothing comes out before the end of the input */
size_t job_memory(const struct job *j);      /* bytes of input and of what operators hold */
/* The largest watermark of an operator with one, WATERMARK_NONE: there is none. */
int64_t job_watermark(const struct job *j);
/* The fields that the input's header names, NULL where it has none (or several inputs have their own). */
const struct schema *job_header(const struct job *j);

#endif

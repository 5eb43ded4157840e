/* The job, shared by job.c (micro-batches), input.c and live.c (where records come from), marked.c (micro-batches that marks cut) and
 * meter.c (what is measured and told of it). */
#ifndef STRM_RUNTIME_JOB_IMPL_H
#define STRM_RUNTIME_JOB_IMPL_H
#include "io/marks.h"
#include "runtime/job.h"

/* What the job does with its time. */
enum phase { PHASE_WAIT, PHASE_READ, PHASE_RUN, PHASE_DELIVER, PHASE_COUNT_ };

/* What was told by micro-batches before the one at hand. */
struct told {
	uint64_t records, bytes, bad;
	int64_t time;
};

struct meter {
	bool measures;               /* phases are wanted */
	enum phase phase, outer;     /* outer: while a sink writes */
	int64_t at, ns[PHASE_COUNT_];
	struct event_times events;
	struct told told;
	uint64_t shared;             /* records that sources have their share of */
	unsigned current;            /* the source whose records come in */
	struct { uint64_t records, bytes; } *sources;
	int64_t began, last_sign;    /* last_sign: something came or went */
	bool silence_told;
};

/* What the marks of one input have said. */
struct marked_input {
	bool spoken, ended;
	int64_t watermark;
};

/* One --from, or all files one after the other. */
struct input {
	struct job *job;
	struct decoder *decoder;
	struct blocks *blocks;
	unsigned number; /* of the source, in command-line order */
	bool ended;
	/* With a checkpoint: where it stands, what the decoder was given last (NULL: it is not at work), records taken of that, and those that were taken
	 * before the run began. */
	struct place *place;
	struct blocks_reader through;
	const char *call_p;
	size_t call_n;
	uint64_t call_rows, call_bads, skip_rows, skip_bads;
	uint64_t past_rows, past_bads; /* of ended calls, from where the one began in which the micro-batch that is run again was cut */
	char *const *left;       /* of a stream: the bytes that it has and that are not decoded */
	const size_t *left_n;
};

struct job {
	struct job_opts opts;
	struct run *run;
	struct clock clock;
	struct arena arena;
	bool *enough;                  /* by number of the source: nobody wants more of it */
	const struct job_input *reads; /* by number of the source */
	struct input *inputs;
	unsigned n_inputs;
	struct marked_input *marks;   /* CUT_MARK: n_sources of them */
	struct marked_watermark *marked; /* what marks have said so far; the first is that without a name, once there is one */
	uint32_t n_marked;
	size_t marked_cap;
	struct meter meter;
	struct live *loop;            /* while one runs */
	struct source **live_sources; /* driven by a loop (live.c); NULL: inputs are read in turn (input.c) */
	unsigned n_live;
	uint64_t live_bytes;
	struct word_counts retired;   /* of decoders that are closed */
	struct decoder **scanning;    /* live: the open decoders of the word scanner */
	size_t n_scanning, scanning_cap;
	struct graph graph;
	struct op *bad_sink, *late_sink; /* NULL: not kept */
	struct input *taking; /* with a checkpoint: whose records come in */
	struct expr *replay;
	struct eval replay_eval;
	struct word_counts words;
	uint64_t n_bad, n_bad_input, n_records, n_no_time;
	uint64_t n_batches;    /* ended */
	uint64_t batch_records; /* in the micro-batch at hand */
	uint64_t ahead;         /* decoded, and not in it yet */
	uint64_t cut_bytes;    /* input at the last end of a micro-batch */
	int64_t cut_end;       /* CUT_TIME: when the micro-batch at hand ends */
	bool goes_on;          /* run->start came with a checkpoint */
	bool ready;            /* the operators have what the checkpoint kept of them */
	bool timed;            /* cut_end is set */
	bool cut_over;         /* with a replay field: the interval that ends at cut_end is over */
	int64_t seen_now;      /* the time that the records of the micro-batch that ends have seen */
};

/* Records of a decoder, into the chain and cut into micro-batches. The verdict of op_process. */
int job_take(struct job *j, struct input *in, struct batch *b, struct err *e);
/* With a checkpoint: a micro-batch that was cut before is read again, and ends as it did. */
bool ckpt_reruns(const struct job *j);
int ckpt_end_rerun(struct job *j, struct err *e);
/* The operators get what a checkpoint keeps, unless they have it: before the first record, and before one is asked what it holds. 0 or -1. */
int job_ready(struct job *j, struct err *e);
/* Windows of processing time that ended while nobody ran come out: micro-batches without records, of intervals that have passed. 0 or -1. */
int job_catch_up(struct job *j, struct err *e);
/* CUT_TIME by the clock, not by a replay field? */
bool job_cuts_by_clock(const struct job *j);
/* CUT_TIME: the time of records that come now. The interval at hand ends at cut_end, but where the run may be over before and another one go on in it. */
void job_stamp(struct job *j, int64_t now);
/* The interval that `now` lies in is the one at hand; it is the first of the run, or comes behind a micro-batch that was run again. */
void job_begin_interval(struct job *j, int64_t now);
/* CUT_TIME by the clock: the intervals that are over. A window that is open sees the end of each. 0 or -1. */
int job_end_intervals(struct job *j, int64_t now, struct err *e);
/* Ends the micro-batch at hand at time `now`. 0 or -1. */
int job_end_batch(struct job *j, int64_t now, bool last, struct err *e);
/* Would a micro-batch without records do something? */
bool job_holds(const struct job *j);
/* Does something wait for micro-batches to come? */
bool job_is_open(const struct job *j);
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
size_t live_memory(const struct job *j);
/* Does some source acknowledge; a commit is on the disk: those tell so. */
bool live_acks(const struct job *j);
void live_committed(const struct job *j);

/* marked.c: what a mark that ends a stretch of an input says: the clock at once, watermarks for the end of the micro-batch. */
void job_mark(struct job *j, unsigned input, const struct mark *m);
/* The input has no marks and no records any more. */
void job_input_ended(struct job *j, unsigned input);
/* The end of a micro-batch by marks. 0 or -1. */
int job_end_marked(struct job *j, struct err *e);
void marks_open(struct job *j);
void marks_free(struct job *j);

/* meter.c. The phase begins; the one before is returned. */
enum phase job_phase(struct job *j, enum phase p);
void meter_open(struct job *j);
void meter_free(struct job *j);
/* The micro-batch at hand has ended. 0 or -1. */
int meter_batch_end(struct job *j, bool last, struct err *e);
/* Records that were decoded since the last call, and bytes, are this source's. */
void meter_share(struct job *j, unsigned source, uint64_t bytes);
/* A safe point: answers a signal that asks, and whoever looks. */
void job_look(struct job *j);
/* The loop has waited, or blocks have: tells of silence when it has lasted. How long from now it may wait for the next look, in ms; -1: for good. */
int job_waits(struct job *j);
/* Something came. */
void job_sign(struct job *j);
/* io/source.h: source.wait, ctx is the job. */
int job_wait_fd(void *job, int fd);
/* Empty the wake fd. */
void job_woken(const struct job *j);

/* The header of the input read last, where it has one. */
const struct schema *inputs_header(const struct job *j);

#endif

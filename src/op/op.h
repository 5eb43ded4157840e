/* Operators: what runs. A pipeline is a graph of them without cycles; batches are pushed from the sources towards the sinks, on one thread.
 *
 * Protocol, a call at a time, in this order for each micro-batch:
 *   process(op, port, batch)   any number of times. Takes the selected rows of the batch; may push batches on with op_push().
 *                              The batch and all it points to are the caller's and end with the call.
 *   on_batch_end(op)           once; the operator emits what its micro-batch closes. OP_HOLD: for those behind it the micro-batch goes on.
 * and once for the run: finish (input is over), then free (NULL-tolerant, releases everything, also after an error).
 * Verdicts of process: 0 more; 1 this operator wants no more rows, ever; -1 error in the caller's err. A verdict of 1 travels up, so
 * that the source stops.
 *
 * Watermarks: op->watermark is that of its input, the minimum over its ports, as it stood when the micro-batch began: records are judged against it.
 * Before on_batch_end it advances (op->port_watermark too), so what closes by it comes out in the same micro-batch. on_batch_end may lower op->passes,
 * what those behind are told, to hold back for what it may still emit; it never goes back. What is idle is left out of a minimum, and a port that is idle
 * has the watermark of the others.
 *
 * An operator never looks inside its neighbour, takes no time from the system (run->now is the clock's), and keeps no global state.
 * Keeping: what outlives the call is copied. Ledger: `in` is counted by op_push; the class names the counters whose sum must equal it. */
#ifndef STRM_OP_OP_H
#define STRM_OP_OP_H
#include "expr/eval.h"

struct op;
struct kept_entry;
struct kept_walk;

#define WATERMARK_NONE INT64_MIN /* some input has not spoken yet */
#define WATERMARK_END INT64_MAX  /* no record comes any more */

/* A watermark set by a mark. */
struct marked_watermark {
	const char *name; /* of the point, NULL: all */
	int64_t at;
};

/* Event times that entered in this micro-batch. */
struct event_times {
	uint64_t n;
	int64_t min, max;
	__int128 sum;
};

/* Where an input stands while others go on. */
enum input_state {
	INPUT_OPEN,
	INPUT_UNOPENED, /* its turn has not come: it is not idle */
	INPUT_ENDED,    /* it gives no record any more */
};

/* What all operators of a run share. */
struct run {
	const struct fn_env *env;
	struct value special[SP_COUNT_]; /* of this micro-batch */
	int64_t now;                     /* the micro-batch's time: the end of its interval, by the clock component */
	int64_t interval_ns;             /* its length, 0: it has none that is known. Intervals in which no stage has anything to say are left out */
	int64_t start;                   /* time the run began; slides of windows count from it */
	uint64_t batch;                  /* number of the micro-batch, from 0 */
	bool last;                       /* the micro-batch at the end of the input */
	bool whole;                      /* one micro-batch is the whole finite run, or with to_end is to the operators that close at its end */
	bool to_end;                     /* operators that are about all of a finite input wait for the last of its micro-batches */
	bool durable;                    /* --checkpoint: operators note what changes, for commit */
	bool ends;                       /* the end of the input is the end of time: at the last micro-batch the watermark is WATERMARK_END */
	bool over;                       /* the end of time has come before, and nothing was read since: what happens then has happened */
	uint32_t n_inputs;
	const char *const *input_names;  /* as the user wrote them, by number; NULL: not known */
	enum input_state *inputs;        /* n_inputs of them; NULL: all are open */
	const struct marked_watermark *marked; /* by the mark that ends this micro-batch */
	uint32_t n_marked;
	/* Keeps a late record (--late), as it reached the stage; NULL: not kept. 0 or -1. */
	int (*late)(void *ctx, const struct op *op, const struct batch *b, uint32_t row, int64_t window_end, int64_t late_by, struct err *e);
	void *late_ctx;
	/* The operator's entry with this key, as of its last commit: 1 with `out`, which lives until the next call; 0: there is none, -1. NULL: without a
	 * checkpoint, and what an operator keeps has to stay in memory. */
	int (*fetch)(void *ctx, const struct op *op, const struct kept_entry *key, struct kept_entry *out, struct err *e);
	/* All of them. NULL: likewise. */
	int (*walk)(void *ctx, const struct op *op, const struct kept_walk *w, struct err *e);
	void *fetch_ctx; /* of both */
	const volatile int *stop;        /* not zero: a signal asks for the end; NULL: none does */
	uint64_t mem_max;                /* --mem: bytes the operators may hold, 0: no limit */
	struct event_times *events;      /* kept by op_push where records first have an event time; NULL: nobody asks */
	void (*delivering)(void *ctx, bool begins); /* told before and after each write of a sink; NULL: nobody asks */
	void *delivering_ctx;
};

/* An entry of an operator as it was put; of a key alone, the rest is not looked at. */
struct kept_entry {
	const char *key, *value;
	size_t key_n, n;
	uint32_t mark;
};

/* Entries of an operator from a key on (of at most 500 bytes), ascending by the bytes of their keys; long keys come last, in no order. fn is given what lives for
 * its call, asks for no entry itself, and returns 0 to go on, else the walk ends with that; -1 with err is an error. */
struct kept_walk {
	const char *from;
	size_t from_n;
	int (*fn)(void *ctx, const struct kept_entry *entry);
	void *ctx;
};

/* What an operator that counts or orders records looks at. */
enum op_scope {
	SCOPE_RUN,    /* the whole run */
	SCOPE_BATCH,  /* the micro-batch */
	SCOPE_WINDOW, /* the records of one window in the micro-batch (@window_start, @window_end) */
};

#define OP_COUNTERS_MAX 4
/* Of on_batch_end: nothing closes now; the operators behind see no end of a micro-batch. */
#define OP_HOLD 2

/* Where an operator's entries go at a commit: key bytes -> value bytes, an operator's own. `mark` belongs to the entry (state/store.h): the operator keeps it with
 * what the entry describes, 0 at first. */
struct keeper {
	void (*put)(struct keeper *k, const char *key, size_t key_n, const char *value, size_t n, uint32_t *mark);
	void (*drop)(struct keeper *k, const char *key, size_t key_n, uint32_t *mark);
};

struct op_class {
	const char *name;
	bool delivers;     /* a sink: it ends its micro-batch when all operators that are none have ended theirs */
	bool leaves;       /* with run->fetch what it keeps leaves memory when that gets short, as far as it can */
	bool makes_fields; /* its records have other fields than the ones it got */
	bool slides;       /* it holds windows of processing time: what leaves one that ended while nobody ran was never in any that came out */
	/* The law of its ledger: in = sum of these counters; NULL ends. The first one is the ordinary way. */
	const char *counters[OP_COUNTERS_MAX + 1];
	int (*process)(struct op *op, int port, const struct batch *b, struct err *e);
	int (*on_batch_end)(struct op *op, struct err *e); /* NULL: nothing to emit, only passed on */
	int (*finish)(struct op *op, struct err *e);       /* NULL: likewise */
	void (*free)(struct op *op);
	/* Bytes it holds, for --explain's promise and --mem; NULL: nothing that grows. */
	size_t (*memory)(const struct op *op);
	/* Does it hold records for micro-batches to come (a window)? NULL: no. */
	bool (*holds)(const struct op *op);
	/* Does it answer a micro-batch without records (a count of nothing is 0)? NULL: no. */
	bool (*answers_empty)(const struct op *op);
	/* The processing time at which a micro-batch without records next has something to bring out, or somewhat before; INT64_MAX: none. Between
	 * micro-batches. NULL: none. */
	int64_t (*wakes)(struct op *op);
	/* How much it holds for micro-batches to come, *what is what is counted: "keys", "rows", "windows" (static). NULL: nothing. */
	uint64_t (*held)(const struct op *op, const char **what);
	/* Why nothing comes out at the moment, for the status ("window 12:00..12:10 waits for ..."): added to out, nothing when it waits for nothing.
	 * NULL: it never waits. */
	void (*waits)(const struct op *op, struct buf *out);
	/* With run->durable, behind a micro-batch: the entries that changed since the last call. NULL: nothing of it outlives a micro-batch. */
	void (*commit)(struct op *op, struct keeper *k);
	/* Before the first record, each entry of the last commit, in any order; then once with key NULL. 0, or -1 for an entry it did not write. */
	int (*restore)(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e);
	/* Fields its expressions read and never saw; NULL: none. */
	void (*unseen)(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx);
};

struct op_edge {
	struct op *op; /* the other end */
	int port;      /* of the end it leads to */
	bool done;     /* it wants no more rows */
};

/* The base of every operator; the first member of its struct. */
struct op {
	const struct op_class *cls;
	struct op_edge *outs, *ins;
	uint32_t n_outs, n_ins, n_ports;
	size_t outs_cap, ins_cap, ports_cap;
	int64_t watermark;       /* see above */
	int64_t *port_watermark; /* n_ports of them, at least one */
	int64_t passes;
	bool idle;               /* all that leads to it is silent (watermark ... idle D): those behind do not wait for it, unless all are */
	bool held;               /* in this micro-batch nothing in front of it closes */
	int64_t window_ns;       /* how long the window of processing time is that holds here, and ends with the micro-batch; 0: none */
	bool whole;              /* with run->to_end it closes in the last micro-batch alone */
	bool stays;              /* though its class leaves memory, nothing of this one does */
	uint64_t inputs;         /* bit i: records of input i may reach it */
	bool reads_input;        /* the records it gets have the fields of the input */
	bool had_event;          /* the batch it got last had event times; kept where run->events asks */
	struct run *run;
	int stage;            /* 1-based number of the stage it came from */
	const char *word;     /* that stage's word */
	struct eval eval;     /* evaluation with this stage's failure counter */
	struct fails fails;
	uint64_t in, out;
	uint64_t count[OP_COUNTERS_MAX];
	uint64_t unwanted;    /* rows handed in and not looked at, because what follows had enough */
	uint64_t nulls;       /* of the rows filtered: the condition was null */
	struct fails unused;  /* values that an aggregate could not use */
	struct arena arena;   /* its own batches; reset by whoever fills it */
	struct buf kept;      /* the base as it was committed last (graph_commit) */
	uint32_t kept_mark;
};

/* Fill the base; `size` bytes are allocated zeroed. */
void *op_make(const struct op_class *cls, size_t size, struct run *run, int stage, const char *word);
/* Count and hand a batch to those behind (empty ones are dropped). 1 when all of them want no more. */
int op_push(struct op *op, const struct batch *b, struct err *e);
/* The same for one of those behind alone, by number in the order connected. */
int op_push_to(struct op *op, uint32_t end, const struct batch *b, struct err *e);
/* Start of the graph: count and process. */
int op_process(struct op *op, int port, const struct batch *b, struct err *e);
/* End of the micro-batch for this operator alone. */
int op_batch_end(struct op *op, struct err *e);
void op_free(struct op *op);
/* What comes out of `from` goes into a port of `to`. */
void op_connect(struct op *from, struct op *to, int port);

/* The operators of a job, owned; every edge leads from an earlier one to a later one. */
struct graph {
	struct op **ops;
	uint32_t n;
	size_t cap;
	struct op **entries; /* where the records of each input go in */
	uint32_t n_entries;
	size_t entries_cap;
	bool delivering;     /* sinks are at it; stays when one fails */
};

/* Takes the operator. Returns it. */
struct op *graph_add(struct graph *g, struct op *op_take);
/* The next input enters at this operator. */
void graph_enter(struct graph *g, struct op *op);
/* End of the micro-batch: each operator's in order, with its watermark; the sinks' when all results are there, so that they deliver all or nothing of
 * what could fail before. 0 or -1. */
int graph_batch_end(struct graph *g, struct err *e);
int graph_finish(struct graph *g, struct err *e);
void graph_free(struct graph *g);

/* Behind a micro-batch, with run->durable: all that changed, of each operator its watermarks too. of(ctx, i) is the keeper of ops[i]; NULL: nothing of it is kept,
 * and after a restart it knows no watermark until its micro-batch ends. */
void graph_commit(struct graph *g, struct keeper *(*of)(void *ctx, uint32_t i), void *ctx);
/* Before the first record: an entry of ops[i], in any order; NULL once behind its last one, for each operator whose state goes on. 0, or -1: it is none that this
 * operator wrote. Counters of the ledger begin anew. */
int graph_restore(struct graph *g, uint32_t i, const struct kept_entry *entry, struct err *e);
/* The earliest time at which an operator wakes; with `slides` of those that hold windows of processing time alone. */
int64_t graph_wakes(const struct graph *g, bool slides);
/* Does the ledger balance: in = sum of the class's counters + unwanted? */
bool op_balanced(const struct op *op);
/* Do its records have the fields of those it got? */
bool op_keeps_fields(const struct op *op);
size_t op_memory(const struct op *op);
/* Is what it holds within --mem? `keys` is for the message. 0 or -1. */
int op_check_memory(const struct op *op, uint64_t keys, struct err *e);

#endif

/* Inside of a checkpoint: checkpoint.c (cut and commit), ckpt_places.c (where inputs stand), ckpt_read.c (inputs that are read in turn), ckpt_live.h (those
 * that a loop drives), ckpt_points.c (what cuts and commits remember, as bytes). */
#ifndef STRM_RUNTIME_CKPT_IMPL_H
#define STRM_RUNTIME_CKPT_IMPL_H
#include "io/resume.h"
#include "runtime/checkpoint.h"
#include "runtime/job_impl.h"

#define CKPT_LIVE_WAL 1 /* the log of live input; inputs that are read in turn have their own, from 2 */

enum place_kind { PLACE_NONE, PLACE_FILE, PLACE_LOG };

/* What an entry says. Bytes are consumed when they were decoded, up to the start of the decode call at hand; of that call so many rows and bad records are
 * taken already. */
struct place_value {
	enum place_kind kind;
	struct position pos; /* PLACE_LOG: only offset, of the stream */
	uint32_t wal;        /* PLACE_LOG: the log, (PLACE_FILE: the one it had when it was a pipe, all taken; 0: none) */
	uint64_t wal_at;     /* how much of it was taken off, */
	struct buf rest;     /* and what of that was not consumed */
	uint64_t ahead;      /* PLACE_FILE of live input: bytes behind it that were read and not consumed */
	bool open;           /* a stream is at hand */
	bool over;           /* it has ended in due form: what is left is its last record, without a line end */
	uint64_t rows, bads;
	uint64_t line;
	struct buf decoder;  /* its state, there */
	struct buf name;     /* of the stream, for messages */
	struct buf format;   /* what it was decoded as */
};

/* Where an input stands, kept under its key: the source as the user wrote it, with #2 for a second one. */
struct place {
	char *key;
	struct place_value now;
	struct trace trace;       /* PLACE_FILE: of what was consumed */
	uint32_t mark;            /* of the entry */
	int64_t kept_at;          /* read_at in the last commit */
	uint64_t trim_at;         /* PLACE_LOG: what lies before it in the log is not needed any more, once the last commit is on the disk */
	bool dirty, gone;         /* since the last commit */
	bool moved;               /* something was consumed since then; that a stream ended needs no commit: its log says so */
	char *done_key;           /* of a file: how it is known once it was read; NULL: it is none */
	bool left;                /* its stream was open when the run ended: nobody reads it, and its rest stays */
	bool known;               /* it was there when the run began */
	int64_t read_at;          /* bytes handed to the decoder's buffer, consumed or not */
	struct place_value *legs; /* of the micro-batch that is run again: where it stood at the ends, in order */
	size_t n_legs, legs_cap, leg;
	struct input *reader;     /* who reads it just now; NULL: nobody */
	const char *ahead;        /* PLACE_LOG: bytes taken off the log and not handed over */
	size_t ahead_n;
};

/* A sink of the job. */
struct kept_sink {
	struct sink *sink;
	struct op *op;            /* once there is one */
	struct sink_place from;   /* where the micro-batch that is run again began */
	bool has_from;
	struct store_bytes columns; /* of the last commit */
};

/* ---- ckpt_points.c ---- */

struct point_sink {
	struct store_bytes name, columns, rest; /* commit */
	bool acks;                              /* commit */
	struct sink_place place;                /* cut */
};

struct point_mark {
	struct store_bytes name;
	bool named;
	int64_t at;
};

struct point_leg {
	struct store_bytes key, value;
};

/* A commit or a cut, as views of its bytes; the arrays are the point's. */
struct point {
	int64_t clock, cut_end;        /* the clock and the interval at hand */
	bool timed, over;
	int64_t start;                 /* when the first run began */
	bool drained, finished;        /* commit: the end of time has come, and nothing was read since */
	int64_t wakes;                 /* commit: graph_wakes */
	int64_t env_now, seen;         /* cut: the clocks of now() and @time while its records were read */
	bool last;                     /* cut: all windows closed behind it */
	uint64_t ended;                /* cut: live input: those that had ended, the first 64 */
	struct point_sink *sinks;
	size_t n_sinks;
	struct point_mark *marks;      /* commit: what marks have said of points, */
	size_t n_marks;
	struct point_mark *spoken;     /* and of inputs, by the key of the place */
	size_t n_spoken;
	struct point_leg *legs;        /* cut */
	size_t n_legs;
	struct store_bytes feeds;      /* cut: of live input, in what order it came (ckpt_live.h) */
};

void commit_put(struct buf *b, const struct point *p);
void cut_put(struct buf *b, const struct point *p);
/* 0, or -1: not written by this format. */
int commit_get(struct store_bytes bytes, struct point *p);
int cut_get(struct store_bytes bytes, struct point *p);
void point_release(struct point *p);

void place_value_put(struct buf *b, const struct place_value *v);
int place_value_get(struct store_bytes bytes, struct place_value *v);
void place_value_release(struct place_value *v);

/* ---- the checkpoint ---- */

/* A micro-batch that is run again. */
struct rerun {
	bool is;
	uint64_t batch;
	int64_t time;
};

struct pulled;

struct checkpoint {
	struct checkpoint_opts opts;
	struct store *store;
	struct job *job;
	struct point commit, cut; /* as found: views of bytes below */
	struct buf commit_bytes, cut_bytes;
	bool has_commit;
	uint64_t committed;       /* number of the last commit */
	struct rerun rerun;
	struct kept_sink *sinks;
	size_t n_sinks, sinks_cap;
	struct place **places;
	size_t n_places, places_cap;
	uint32_t inputs_stage;
	uint32_t *op_stage;       /* store stage of each operator */
	bool *restores;           /* by operator: it has entries of the last commit that it did not get yet */
	struct buf legs;          /* of places that went on to another file in the micro-batch at hand: key, value */
	size_t n_legs;
	struct buf feeds;         /* of live input, of the micro-batch at hand */
	size_t last_feed;         /* where the last one begins, */
	const struct place *fed;  /* and whose it is; NULL: it cannot be gone on with */
	struct buf done;          /* entries to be put with the next commit: key, value; "": to be deleted */
	struct place *log;        /* of live input that cannot be read again; NULL: none */
	uint64_t next_stream;
	struct pulled *pulled;    /* by number of the source */
	unsigned n_pulled;
	bool closed;              /* an output's reader is gone: nothing is committed any more */
	bool drained;
	uint32_t next_wal;
	bool unsynced;            /* the last commit is not synced yet */
	bool sending;             /* the sinks are still at its micro-batch: it is not written before they have synced that, */
	bool all_sends;           /* however little it is (tests) */
	struct err undelivered;   /* which failed */
	struct err failed;        /* of a keeper */
	bool swept;               /* see sinks_sweep */
	const char **keys;        /* place_key_of, once asked for */
	const char **noted;       /* keys of sources that stand in the store */
	size_t n_noted, noted_cap;
	struct store_found fetched; /* the last entry that an operator asked for */
	int64_t env_now;          /* the clock of the run */
};

/* job_start: the graph and clocks are as they were. 0 or -1. */
int ckpt_begin(struct job *j, struct err *e);
/* Cut, delivery and commit of a micro-batch whose operators have ended. 0, 1: an output is closed and nothing was committed, -1. */
int ckpt_end_batch(struct job *j, struct err *e);
/* Was anything consumed since the last commit? */
bool ckpt_moved(const struct checkpoint *c);
/* The last commit again, with what has changed since. Without one it waits for the first. 0 or -1. */
int ckpt_note(struct checkpoint *c, struct err *e);
/* The same, if where inputs stand has changed. */
int ckpt_note_places(struct checkpoint *c, struct err *e);
/* All is synced: at the end, and when nothing is there to be read, so that the last commit does not wait for the next cut. 0 or -1. */
int ckpt_finish(struct checkpoint *c, struct err *e);

/* ckpt_program.c: the program is remembered, and it is said what becomes of the stages that changed. 0 or -1. */
int ckpt_take_program(struct checkpoint *c, struct err *e);
/* The operators get what they kept. Once, before the first record. 0 or -1. */
int ckpt_restore(struct checkpoint *c, struct err *e);
/* When an empty micro-batch next has something to do, as op.h says; as of the last commit where the operators have not got theirs. */
int64_t ckpt_wakes(const struct checkpoint *c);

/* ckpt_sinks.c */

/* How a sink is known: one that is acknowledged by where it leads. */
const char *sink_key(const struct sink *s);
/* What a point says of the sink of this name; of the k-th of those with that name. NULL. */
const struct point_sink *sink_of_point(const struct point *p, const char *name, size_t k);
/* Where the micro-batch to be run again begins in the sink, by its name or its file. NULL: it was not there, and what else is to be said of that is said. */
const struct point_sink *sink_of_cut(const struct checkpoint *c, const struct sink *s, size_t k, const struct sink_place *now);
/* Does no other sink of the run write into its file? What lies behind the place where a micro-batch began is one sink's. 0 or -1. */
int sink_is_alone(const struct checkpoint *c, const struct sink *s, struct err *e);
/* All sinks are there: those of the last run that are not, and what of them cannot be left. 0 or -1. */
int sinks_gone(struct checkpoint *c, struct err *e);
/* A commit that knows of the sinks there are is on the disk. */
void sinks_sweep(struct checkpoint *c);
/* The run ends: what was acknowledged is committed. 0 or -1. */
int sinks_settle(struct checkpoint *c, struct err *e);

/* ckpt_places.c */
struct place *place_find(struct checkpoint *c, const char *key);
/* How a source is known, by its number: as the user wrote it, with #2 for a second one; or as it was written when it was seen first. */
const char *place_key_of(struct checkpoint *c, unsigned number);
/* The place of a source, by its number. */
struct place *place_of_source(struct checkpoint *c, unsigned number);
void place_begin(struct place *p);
struct place *place_get(struct checkpoint *c, const char *key);
/* The key of a file of a directory that was read: "SOURCE\n=ID". They are looked up one by one. */
bool place_is_done(struct store_bytes key);
/* With the next commit. */
void place_note_done(struct checkpoint *c, struct store_bytes key, const char *path);
void place_forget_done(struct checkpoint *c, struct store_bytes key);
int places_load(struct checkpoint *c, struct err *e);
/* The open cut's legs to their places. */
int places_aim(struct checkpoint *c, struct err *e);
/* Do the logs of inputs hold all that commit and cut have taken off them? They are synced before a cut is: if not, the end of one is gone. 0 or -1. */
int places_check_logs(struct checkpoint *c, struct err *e);
/* Of a place of a file: finds it, and says so where something of it is missing. The list may be empty: it is gone. */
void place_resume(const struct checkpoint *c, const struct place *p, struct resume_list *out);
/* It is gone. 0 where that is accepted, and said; else -1. */
int place_lost(const struct checkpoint *c, const struct place *p, struct err *e);
/* The same, which cannot be accepted: -1. */
int place_no_file(const struct place *p, struct err *e);
/* The first file of those found, where the place stands; closed with source_close. NULL and err. */
struct fd_source *place_open(struct place *p, const struct resume_leg *leg, struct err *e);
/* It is decoded as this; what was begun goes on as that, from there on. 0 or -1. */
int place_decodes(const struct checkpoint *c, struct place *p, struct decoder *d, bool goes_on, struct err *e);
/* The value as of now into the place's own (position, rest, decoder). */
void place_settle(struct place *p);
/* It goes on to another file or stream: how it stands becomes a leg of the cut. */
void place_turn(struct checkpoint *c, struct place *p);
/* Legs of the micro-batch at hand, with the places as they stand at its end. */
void places_legs(struct checkpoint *c, struct point *cut);
/* The same without a cut. */
void places_settle(struct checkpoint *c);
int places_commit(struct checkpoint *c, struct err *e);
int places_sync(struct checkpoint *c, struct err *e);
/* The last commit is on the disk. */
int places_trim(struct checkpoint *c, struct err *e);
void places_free(struct checkpoint *c);
/* The next leg to read to; NULL: none. */
const struct place_value *place_aim(const struct place *p);

/* ckpt_alike.c */

/* An entry with this key is of a source. */
void alike_note(struct checkpoint *c, struct store_bytes key);
/* All entries are noted: sources whose options have changed go by the keys that they had. 0 or -1. */
int alike_keys(struct checkpoint *c, struct err *e);

/* ckpt_inputs.c: the inputs are known, and how they are read: what other ones have left. 0 or -1. */
int ckpt_inputs(struct job *j, bool live, struct err *e);

/* ckpt_read.c: reads in->blocks through the checkpoint. */
void ckpt_read(struct job *j, struct input *in);
/* Has the micro-batch that is run again bytes of this input that were not read yet? */
bool ckpt_reaches(const struct input *in);
/* Before a call of the decoder, and behind one that took so many bytes. */
void ckpt_decoding(struct input *in, const char *p, size_t n);
void ckpt_decoded(struct input *in, const char *p, size_t used);
void ckpt_read_free(struct checkpoint *c);
/* Rows of a decoder on their way in: which of them were taken before. The batch to take is in *b; rows 0: none. */
void ckpt_skip(struct input *in, struct batch *b);
/* So many rows of the decode call at hand go in. */
void ckpt_takes(struct input *in, uint32_t n);
/* A bad record: was it reported before? */
bool ckpt_skip_bad(struct input *in);
/* Rows that the micro-batch that is run again still takes of this decode call; UINT64_MAX: no limit. */
uint64_t ckpt_limit(const struct input *in);
/* They are taken, and (unless more rows follow) as many bad records: the micro-batch ends here. */
bool ckpt_at_limit(const struct input *in, bool more);

#endif

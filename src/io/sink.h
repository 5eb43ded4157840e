/* Sinks: where bytes go. The caller buffers; each write is complete when sink_write returns. SIGPIPE must be ignored (the cli
 * does). A sink has one owner and no global state. */
#ifndef STRM_IO_SINK_H
#define STRM_IO_SINK_H
#include <sys/stat.h>

#include "io/held.h"
#include "io/url.h"

#define SINK_CLOSED (-2) /* the reader of a pipe went away */

struct sink_def;

/* Where the first byte of a micro-batch goes. */
struct sink_place {
	bool file;         /* in a regular file, the others say which and where; else it cannot be told */
	uint64_t dev, ino;
	int64_t offset;
};

struct sink {
	const struct sink_def *def;
	struct url url;
	const char *name; /* for messages: the path, "stdout"; lives as long as the sink */
	int fd;
	bool empty; /* see sink_empty */
	/* Kept by the writer: */
	uint64_t batch;	    /* the micro-batch being written */
	const char *format; /* the name of the format */
	uint32_t part;	    /* where writes go, as sink_part says; 0 where that is not asked */
	struct held *held;  /* see sink_keep; NULL: bytes go out as they are written */
	struct sending *sending; /* see sink_deliver_begin; NULL: it was not called yet */
	bool durable;       /* sink_keep was called */
	const volatile int *stop; /* not zero: a signal asks for the end, and nobody is waited for any more; NULL: no signal does */
	bool acks;          /* what it writes is acknowledged: only with a checkpoint */
	int64_t begins;     /* of a file, with sink_keep: where the micro-batch at hand begins */
};

struct sink_def {
	struct doc doc; /* params: the options of the URL's query */
	/* Allocates; the struct begins with struct sink; u outlives it. name defaults to u->rest. */
	struct sink *(*open)(const struct url *u, struct err *e);
	int (*write)(struct sink *s, const char *p, size_t n, struct err *e);
	/* Finish, or with keep false drop what can be dropped; releases what open made, not the struct. 0, or -1 and err. */
	int (*close)(struct sink *s, bool keep, struct err *e);
	/* A micro-batch is over: all of it is written. NULL: nothing to do. */
	int (*batch_end)(struct sink *s, uint64_t batch, struct err *e);
	/* See sink_part. NULL: it has none. */
	uint32_t (*part)(struct sink *s, const char *sub);
	/* With sink_keep, before the commit: all of the micro-batch is on the disk, though not yet under its name. What is to be done behind the commit, as
	 * bytes appended to `rest`, for `recover`. NULL: nothing. 0, or -1 and err. */
	int (*prepare)(struct sink *s, struct buf *rest, struct err *e);
	/* Do it, if it is not done: the process ended between the commit and that. 0, or -1 and err. */
	int (*recover)(struct sink *s, const char *p, size_t n, struct err *e);
	/* See sink_settle. NULL: nothing to do. */
	bool (*settle)(struct sink *s);
	/* See sink_keep: its file is made in the checkpoint, and set as the sink's descriptor. NULL: it needs none. */
	int (*keep)(struct sink *s, const char *dir, unsigned twin, struct err *e);
	bool parts; /* each micro-batch is an output of its own, which begins anew (with a header) */
	enum url_form form;
};

/* Open what a user named: "-", a path, or a URL of a registered kind. NULL and err: ERR_USAGE when it is malformed, unknown or
 * not in this build; ERR_IO when it cannot be opened. */
struct sink *sink_open(const char *spec, struct err *e);
/* All n bytes: 0; SINK_CLOSED (err untouched) when the reader of a pipe went away; -1 and err (ERR_IO, names the sink and the
 * cause).
 */
int sink_write(struct sink *s, const char *p, size_t n, struct err *e);
/* The end of a micro-batch: a directory's file gets its name, a connection is looked at. 0, or -1 and err. */
int sink_batch_end(struct sink *s, uint64_t batch, struct err *e);
/* A part of the micro-batch at hand, in the sub-directory `sub` ("a=x/b=y"): its number, for sink->part, until the end of the micro-batch. A part
 * that nothing is written to is not there. To be asked once for each sub, of sinks with the option `partition` only. */
uint32_t sink_part(struct sink *s, const char *sub);
/* Is each micro-batch an output of its own? */
bool sink_in_parts(const struct sink *s);
const char *sink_name(const struct sink *s);
/* Did it hold nothing when it was opened? A header is written only then. */
bool sink_empty(const struct sink *s);
/* Value of an option of its URL (format), NULL when it is not given. */
const char *sink_option(const struct sink *s, const char *key);
/* The end of the output: a file opened with ?replace takes its place now. Frees the sink. 0, or -1 and err. */
int sink_close(struct sink *s, struct err *e);
/* Give up: with ?replace the old file stays. Frees the sink; takes NULL. */
void sink_abandon(struct sink *s);

/* Delivery with a checkpoint. From sink_keep on, writes are held (unless each micro-batch is an output of its own, which nobody sees before its end);
 * `dir` is for what is too much for memory and outlives the sink; `twin`: so many others of the same URL are there already. sink_deliver writes what is held and syncs it, as sink_write; then follows
 * sink_prepare, the commit, and sink_batch_end. 0, or -1 and err: a sink that cannot do that. */
int sink_keep(struct sink *s, const char *dir, unsigned twin, struct err *e);
/* Without a checkpoint: may it be? 0, or -1 and err. */
int sink_alone(const struct sink *s, struct err *e);
/* Where the next byte would go. 0, or -1 and err. */
int sink_place(const struct sink *s, struct sink_place *out, struct err *e);
/* With `from` (not NULL): a micro-batch that was begun before, there. What is in the file behind it must be the beginning of what is held, and only the rest is
 * written; else nothing is touched, and -1. */
int sink_deliver(struct sink *s, const struct sink_place *from, struct err *e);
/* The same on a thread of its own, while the sink takes what comes next: until sink_deliver_end, which waits for it and returns what it said, the sink is
 * neither asked nor told anything else. Only where sink_may_overlap: a regular file, with nothing to be done before or behind the commit. 0, or -1 and err: no
 * thread, nothing was begun. */
bool sink_may_overlap(const struct sink *s);
int sink_deliver_begin(struct sink *s, struct err *e);
/* 0 also when nothing was begun. */
int sink_deliver_end(struct sink *s, struct err *e);
int sink_prepare(struct sink *s, struct buf *rest, struct err *e);
int sink_recover(struct sink *s, const char *p, size_t n, struct err *e);
/* The same for one that the program does not have any more. A place that is gone needs nothing. */
int sink_recover_gone(const char *spec, const char *p, size_t n, struct err *e);
/* The run ends: waits until all is acknowledged, as sink_close does. Would `prepare` say something else than it did? */
bool sink_settle(struct sink *s);
/* Of one that appends to a file: is that file there? */
bool sink_spec_stat(const char *spec, struct stat *st);

/* The registry: by name or alias; by number from 0, NULL ends; a "did you mean" search. */
const struct sink_def *sink_find(const char *name);
const struct sink_def *sink_at(unsigned i);
void sink_nearest(struct nearest *s);

#endif

/* Sources: where bytes come from. The block reader (io/blocks.h) pulls: each read is one plain read() into the caller's buffer,
 * compressed data (gzip, bzip2, xz, zstd, lz4, told by its first bytes) comes out unpacked. Fds 0, 1, 2 keep the mode they have:
 * a source of another program's making that does not block is waited for with poll. A source has one owner and no global state.
 */
#ifndef STRM_IO_SOURCE_H
#define STRM_IO_SOURCE_H
#include <stdbool.h>
#include <sys/types.h>

#include "io/url.h"

struct stat;

struct source_def;
struct live_def;
struct file_id;

/* A file that a live source is to read on, from the offset (bytes as they are read). The source takes fd and sets it to -1. */
struct source_past {
	struct source_past *next;
	int fd;
	const char *path;
	int64_t offset;
	void *stream; /* of the intake, it goes on; NULL: it begins */
};

struct source {
	const struct source_def *def;
	struct url url;
	const char *name;	     /* for messages and @source: the path, "stdin", "values"; lives as long as the source */
	int64_t size;		     /* bytes to come from outside, -1 unknown */
	int64_t position;	     /* bytes taken from outside (compressed ones, if so) */
	const struct live_def *live; /* how the loop drives it; NULL: it is pulled with source_read */
	bool endless;		     /* no end is in sight: a socket, a directory, a file that is followed */
	/* Set by the runtime before a live source starts: */
	bool once;		     /* dir, follow: end when all that is there has been read */
	int64_t (*clock)(void *ctx); /* processing time in ns since 1970; NULL: it stands at 1970 */
	void *clock_ctx;
	/* Of one that is pulled: called before each read of a pipe, terminal or socket. Waits until fd can be read and returns 0; 1: the
	 * input ends here instead. NULL: the read itself waits. */
	int (*wait)(void *ctx, int fd);
	void *wait_ctx;
	bool cut_off; /* wait() has said 1 */
	/* With a checkpoint, of a live source of files, before it starts: files to be read before all others, oldest first; and whether a file was read to its end
	 * (or is among the past ones). NULL: nobody knows. */
	struct source_past *past;
	bool (*known)(void *ctx, const struct file_id *id);
	/* A file is not there any more; NULL: none is there but those that were asked for. */
	void (*gone)(void *ctx, const struct file_id *id);
	void *known_ctx;
	bool acks;   /* it tells who sends what is committed: only with a checkpoint, and then it keeps */
	bool keeps;  /* with a checkpoint: its streams go on in the next run. They are never closed, but by the runtime */
	bool leaves; /* by the source: it closes streams because it stops, not because they end */
};

/* What every source may say of its records: the rows of its params. */
#define SOURCE_READ_DOC                                                                                            \
	{ "format", "name", "-i", NULL, "format of its records" },                                                 \
	{ "header", "names", "--header", NULL, "names of their fields, as a,b,c" },                                \
	{ "no-header", "flag", "--no-header", NULL, "csv and tsv have no header line" },                           \
	{ "delimiter", "byte", "--delimiter", NULL, "the byte between fields of csv, or tab" },                    \
	{ "schema", "schema", "--schema", NULL, "types of fields, as a:int,b:time" }

struct source_def {
	struct doc doc; /* params: the options of the URL's query */
	/* Allocates; the struct begins with struct source; u outlives it. name defaults to u->rest. */
	struct source *(*open)(const struct url *u, struct err *e);
	ssize_t (*read)(struct source *s, char *p, size_t n, struct err *e); /* NULL: only live */
	/* Is there something to read, or the end, now or within so many ms? NULL: always. A signal may cut the wait short. */
	bool (*ready)(struct source *s, int within_ms);
	void (*close)(struct source *s); /* releases what open made, not the struct */
	const struct live_def *
		live; /* io/live.h; NULL: finite and pulled. A source that may be either way sets source.live when it is opened */
	const char *default_format; /* of its records where nothing else says; NULL: none */
	enum url_form form;
};

/* Open what a user named: "-", a path, or a URL of a registered kind. NULL and err: ERR_USAGE when it is malformed, unknown or
 * not in this build; ERR_IO when it cannot be opened. */
struct source *source_open(const char *spec, struct err *e);
/* The format its kind of source has unless told otherwise, NULL: none. */
const char *source_spec_format(const char *spec);
/* Would it be driven by a loop without an end in sight (a socket, a directory, a file that is followed)? Opens nothing; false
 * when malformed. */
bool source_spec_endless(const char *spec);
/* The value of an option of its URL ("" for a flag), in the arena; NULL: not there, or the spec is malformed. */
const char *source_spec_option(const char *spec, const char *key, struct arena *a);
/* Do both name the same directory or address, with whatever options but ack? False for what is no directory or address. */
bool source_spec_alike(const char *a, const char *b);
/* The path of the file that it names, there or not; to be freed. NULL: it names none. */
char *source_spec_path(const char *spec);
/* Does it name a regular file, as far as can be told without opening it? */
bool source_spec_stat(const char *spec, struct stat *st);
/* The bytes of the regular file that it names, as far as can be told without opening it; -1 unknown. */
int64_t source_spec_size(const char *spec);
/* Up to n > 0 bytes: how many, 0 at the end, -1 and err (ERR_IO, names the source and the cause). */
ssize_t source_read(struct source *s, char *p, size_t n, struct err *e);
bool source_ready(struct source *s, int within_ms);
/* Is it driven by the loop, and how? Such a source is never read with source_read. */
bool source_is_live(const struct source *s);
const struct live_def *source_live(const struct source *s);
/* Processing time in ns. */
int64_t source_now(const struct source *s);
const char *source_name(const struct source *s);
void source_close(struct source *s);

/* The registry: by name or alias; by number from 0, NULL ends; a "did you mean" search. */
const struct source_def *source_find(const char *name);
const struct source_def *source_at(unsigned i);
void source_nearest(struct nearest *s);

#endif

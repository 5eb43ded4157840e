/* Live sources: bytes that arrive when they like. A source owns handles on the run's libuv loop and pushes what it reads into an
 * intake, stream by stream: a stream is one sequence of records that must not be mixed with others (a connection, a file, a
 * child's output).
 *
 * All calls are on the loop's thread. Bytes go straight into the stream's own block: room() says where, filled() hands over. When
 * filled() returns 1 the source stops reading that stream until resume() (back-pressure: a socket's window closes, a child
 * blocks). Fds 0, 1 and 2 are never libuv streams (they would turn non-blocking for the whole shell): they are watched with
 * uv_poll and read with plain read(). */
#ifndef STRM_IO_LIVE_H
#define STRM_IO_LIVE_H
#include <uv.h>

#include "io/source.h"

struct intake {
	/* A new stream begins; its handle. `name` is for messages and @file (copied). `position` and `size`: bytes already behind
	 * and in all, -1 unknown. NULL and err when it cannot be taken (the source then fails). */
	void *(*open)(void *ctx, const char *name, struct err *e);
	/* Where to put bytes: *n of room, at least 1. */
	char *(*room)(void *stream, size_t *n);
	/* n bytes were put there (n > 0). 0: go on; 1: stop reading this stream until resume; -1: the run ends (err is kept by
	 * the intake). */
	int (*filled)(void *stream, size_t n);
	/* The stream ends; what is left without a line end counts as its last record. `drop`: it does not (a client that hung up
	 * in the middle of a record: the rest is reported as a bad record). The handle is gone. */
	void (*close)(void *stream, bool drop);
	/* The source has nothing more to give, ever. err NULL: a plain end; else it failed (ERR_IO, names the source and the
	 * cause). */
	void (*end)(void *ctx, const struct err *e);
	/* Something worth a line on stderr ("connection refused, again in 2s"): lower case, no full stop, names the source. */
	void (*note)(void *ctx, const char *text);
	void *ctx;
	/* As open, for a stream that is a file, read from the offset on, behind an open descriptor: one that can be read again. NULL: it makes no difference. */
	void *(*open_file)(void *ctx, const char *name, int fd, int64_t offset, struct err *e);
	/* For a source that keeps its streams (source.keeps), with a checkpoint: an open stream whose name begins so, perhaps of another run, and its name; NULL: none. */
	void *(*find)(void *ctx, const char *begins, const char **name);
	/* Bytes of the stream that are here, and those that are in a commit on the disk. */
	uint64_t (*have)(void *stream);
	uint64_t (*committed)(void *stream);
};

/* The live side of a source_def (source_def.live; NULL: the source is finite and pulled with source_read). */
struct live_def {
	/* Begin. May call the intake from within (but not end()). 0, or -1 and err. */
	int (*start)(struct source *s, uv_loop_t *loop, const struct intake *to, struct err *e);
	/* Read again where filled() said stop. */
	void (*resume)(struct source *s);
	/* Let go of everything on the loop: closes handles (their close callbacks run in later turns of the loop) and streams
	 * (drop false). After it the intake is not called again, but for those closes. Idempotent. source_close() comes after the
	 * loop has run out. resume and stop may be called from within a call of the intake. After end() a source holds nothing on
	 * the loop, or gives it back by itself. */
	void (*stop)(struct source *s);
	/* One line on what it waits for ("12 clients", "connecting, try 3"), for the status report; into p[0..n). NULL: nothing
	 * to say. */
	void (*status)(const struct source *s, char *p, size_t n);
	/* A commit is on the disk: of a source that acknowledges. */
	void (*committed)(struct source *s);
};

/* For sources: a note to the intake; the end with an error of kind ERR_IO ("NAME: what"). */
void live_note(const struct intake *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void live_fail(const struct intake *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The wait before the next of a row of tries, in ms: 100, then twice as long each time, 10,000 at most. */
unsigned live_backoff(unsigned tries);
/* Hand over n bytes that lie elsewhere, in as many pieces as the stream's room asks for; the verdict of filled(), the worst of
 * them. A stream that is told to stop takes the rest all the same; *stream is NULL once stop() was called from within, and then
 * it is over. */
int live_put(const struct intake *to, void *const *stream, const char *p, size_t n);

#endif

/* Errors as values. Below cli/ nothing prints or exits: a function that can fail returns 0 or -1 and
 * fills the caller's `struct err`, its last argument. The message is `where: what`, lower case, no full
 * stop, with the offending value quoted. The kind decides the exit status (cli/exit.h).
 * A struct err is plain memory, owned by the caller, valid when zeroed; the first error set wins. */
#ifndef STRM_BASE_ERR_H
#define STRM_BASE_ERR_H
#include <stddef.h>

enum err_kind {
	ERR_NONE = 0,
	ERR_IO,      /* a source, sink or checkpoint failed: exit status 1 */
	ERR_USAGE,   /* options and arguments: 2 */
	ERR_PROGRAM, /* the program does not compile: 3, has a position */
	ERR_DATA,    /* a record was refused under --strict: 4 */
	ERR_LOCKED,  /* another process holds the checkpoint: 5 */
};

/* Where in the program text: the unit (argument, or line of a -f file) and a byte range in it. */
struct pos {
	int unit; /* index of the source unit, -1: none */
	int at;   /* byte offset in the unit */
	int n;    /* bytes covered, 0: a point */
	int stage; /* 1-based number of the stage in the program, 0: none */
};

struct err {
	enum err_kind kind;
	char msg[640];
	char hint[320]; /* advice on a line of its own, "" if none */
	struct pos pos; /* meaningful for ERR_PROGRAM */
};

/* Set kind and message; returns -1 so that callers can `return err_set(...)`. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A program error at a place in the text; returns -1. */
int err_at(struct err *e, struct pos pos, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Add advice to an error; returns -1. */
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A programmer error: prints to stderr and aborts. */
#define BUG(...) err_bug(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void err_bug(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif

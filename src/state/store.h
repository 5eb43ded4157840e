/* The durable store: what `--checkpoint DIR` keeps. Keyed state of stages, cuts, commits, the remembered program and the write-ahead logs
 * of inputs that cannot be read again.
 *
 * A log takes every cut and commit (log.h); a background thread folds its full segments into LMDB (mdbfile.h) and drops them. What was
 * synced is there after a crash: recovery opens LMDB and replays the rest of the log. A log is made of frames, the unit that is written,
 * checksummed and synced; only the last frame may be torn, and then nobody was told that it was kept. Everything else that is damaged is
 * an ERR_IO that names file and offset.
 *
 * Keys and values are bytes. A key belongs to a stage, known by an id that the store gives (from 1, never given twice). An entry has a mark, a
 * 32-bit hash of stage, key and value (never 0); a commit carries for each stage the number of its entries and the sum of their marks,
 * which recovery and store_verify hold against what they find.
 *
 * Errors: 0 or -1 with err, ERR_LOCKED or ERR_IO. After a failed write, sync or fold the store takes nothing more and repeats the error;
 * the last commit stays what it was. Threads: one owner; the fold thread is the store's own. Folding starts when a segment is full, so
 * short runs have neither the thread nor LMDB. */
#ifndef STRM_STATE_STORE_H
#define STRM_STATE_STORE_H
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

#define STORE_FORMAT 2                    /* of the directory; others are refused */
#define STORE_KEY_MAX (64u << 20)         /* bytes of a key */
#define STORE_VALUE_MAX (1u << 30)        /* bytes of a value */
#define STORE_SEGMENT_BYTES (16u << 20)   /* a segment of the log is folded from here on */
#define STORE_SEGMENT_GROWTH 8            /* as many times that while the fold thread is busy; then a commit waits for it */

struct store;

struct store_opts {
	const char *command;    /* for the one who finds the directory locked */
	bool read_only;         /* for people: no lock; a snapshot, also of a directory in use (by another process) */
	bool no_sync;           /* a crash of the machine may lose commits, a crash of the process does not; for tests */
	size_t segment_bytes;   /* 0: STORE_SEGMENT_BYTES */
	size_t map_bytes;       /* LMDB's map at first, 0: 64 MiB; it doubles when it is full */
	unsigned weak_hash;     /* tests only: long keys collide; bits of their hash that are kept, 0: all */
};

/* Bytes of somebody else's. */
struct store_bytes {
	const char *p;
	size_t n;
};

/* A cut or a commit: the micro-batch's number and time, and what the caller remembers with it (positions, seeds, watermarks). */
struct store_point {
	uint64_t batch;
	int64_t time;
	struct store_bytes data;
};

enum store_fate { STORE_KEPT, STORE_ANEW };

struct store_stage {
	const char *name;     /* unique in the program */
	uint64_t fingerprint; /* of all that gives its state's bytes their meaning */
	uint32_t id;          /* by the store */
	enum store_fate fate; /* by the store: its state goes on, or it starts with none */
	uint64_t keys;        /* entries, in store_program() */
};

struct store_program {
	struct store_bytes text;
	struct store_stage *stages;
	uint32_t n_stages;
};

/* Opens, makes or recovers the checkpoint in `dir` (made if it is missing, unless read_only). NULL with err: ERR_LOCKED names the holder. */
struct store *store_open(const char *dir, const struct store_opts *opts, struct err *e);
/* What was committed stays; changes that were not are dropped. NULL-tolerant. */
void store_close(struct store *s);

/* The program that was remembered, with its stages; NULL: none yet. Valid until store_set_program. */
const struct store_program *store_program(const struct store *s);
/* Sets id and fate of p's stages by name and fingerprint (id 0: not there yet); kept[i], if not NULL: the i-th remembered stage goes on. */
void store_match(const struct store *s, struct store_program *p, bool *kept);
/* Remembers the program and gives its stages their ids; the entries of stages that do not go on are dropped. Written and synced if
 * anything changed. Before the first cut of a run. */
int store_set_program(struct store *s, struct store_program *p, struct err *e);

/* The last commit, and the cut that has no commit yet; NULL: none. Valid until the next call that changes the store. */
const struct store_point *store_last_commit(const struct store *s);
const struct store_point *store_open_cut(const struct store *s);

/* Appends the cut of the next micro-batch. Synced on return unless `later`. */
int store_cut(struct store *s, const struct store_point *cut, bool later, struct err *e);
/* Changes for the commit that is being made. *mark is the entry's mark as the owner remembers it (0: there is no entry) and is set anew;
 * with mark NULL the store looks for the old entry itself, which costs a lookup. */
int store_put(struct store *s, uint32_t stage, const struct store_bytes kv[2], uint32_t *mark, struct err *e);
int store_delete(struct store *s, uint32_t stage, struct store_bytes key, uint32_t *mark, struct err *e);
/* Appends the commit with all changes since the last one. With `later` it is written and counts with the next cut, commit or sync. */
int store_commit(struct store *s, const struct store_point *commit, bool later, struct err *e);
int store_sync(struct store *s, struct err *e);
/* Bytes of changes that wait for their commit. */
size_t store_pending_bytes(const struct store *s);

struct store_entry {
	struct store_bytes key, value;
	uint32_t mark;
};

/* All entries of a stage as of the last change, in an order that depends on nothing but the keys. The bytes live for the call of fn, which may
 * not change the store; it returns 0 to go on, else the walk ends with that. 0, -1, or what fn returned. */
int store_load(struct store *s, uint32_t stage, int (*fn)(void *ctx, const struct store_entry *entry), void *ctx, struct err *e);
/* The same from a key on, of at most STORE_FROM_MAX bytes: keys as short as that come first, ascending by their bytes. */
#define STORE_FROM_MAX 500
struct store_walk {
	struct store_bytes from;
	int (*fn)(void *ctx, const struct store_entry *entry);
	void *ctx;
};
int store_walk(struct store *s, uint32_t stage, const struct store_walk *w, struct err *e);
/* One entry as of the last change: 1 with its value (the buffer is emptied first; the caller's, to be released), 0: there is none, -1. */
struct store_found {
	struct buf value;
	uint32_t mark;
};
int store_get(struct store *s, uint32_t stage, struct store_bytes key, struct store_found *found, struct err *e);

/* Folds all that is committed and waits for it; what is read with store_get then costs no memory. */
int store_fold(struct store *s, struct err *e);
/* Reads everything again: every page of LMDB, counts and sums of its entries, the log against what was written. store_open does as
 * much, so a store that is read only and open is verified. */
int store_verify(struct store *s, struct err *e);

/* The write-ahead log of an input. Offsets count its bytes from the first ever appended. */
/* Appends one piece. With `later` it is synced by the next append that is not, or by store_wal_sync. */
int store_wal_append(struct store *s, uint32_t input, struct store_bytes bytes, bool later, struct err *e);
int store_wal_sync(struct store *s, uint32_t input, struct err *e);
/* The offset behind all that was appended. */
int store_wal_end(struct store *s, uint32_t input, uint64_t *end, struct err *e);
/* What lies behind `from`, piece by piece; fn as in store_load. An offset that was trimmed, or lies behind the end, is an error. */
struct store_reader {
	uint64_t from;
	int (*fn)(void *ctx, uint64_t at, struct store_bytes piece);
	void *ctx;
};
int store_wal_read(struct store *s, uint32_t input, const struct store_reader *r, struct err *e);
/* Nobody asks again for what lies before `offset`; after the commit that says so. Files that are not needed go. */
int store_wal_trim(struct store *s, uint32_t input, uint64_t offset, struct err *e);

#endif

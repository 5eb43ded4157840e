/* Inside of the store: what store.c, recover.c, fold.c and wal.c share. */
#ifndef STRM_STATE_STORE_IMPL_H
#define STRM_STATE_STORE_IMPL_H
#include <pthread.h>

#include "state/mdbfile.h"

/* A file of the commit log in memory. The last one takes the frames; the ones before it are full and wait for the fold. */
struct segment {
	struct memtab tab; /* the file's bytes and their changes */
	struct log_head head;
	/* Of a full one: what the fold writes beside the changes. */
	struct buf meta;
	uint32_t *live;
	size_t n_live;
	bool folded; /* under the folder's lock */
};

/* The fold thread and what it works on. */
struct folder {
	pthread_t thread;
	bool started, stop;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	struct segment **full; /* oldest first; taken off by the owner once they are folded */
	size_t n, cap;
	struct err err;        /* of the thread */
};

struct wal;

struct store {
	struct store_opts opts;
	struct log_dir dir;
	char *path, *command;
	int lock_fd;
	struct mdbfile *mdb;
	struct saved now;            /* as of the last change */
	struct store_program program; /* the view of it */
	struct segment *active;
	int fd;                      /* of the active file; -1: read only */
	struct log_name name;
	bool in_frame;               /* there is a frame that is not written yet */
	size_t frame_at, written;    /* where it begins; how much of the file is written */
	uint64_t seq;                /* of the last frame */
	int end_fd;                  /* of the file that says how far the log goes; -1: not needed yet */
	struct memtab pending;       /* changes for the next commit, one region */
	struct folder fold;
	struct wal **wals;
	size_t n_wals, wals_cap;
	struct err failed;           /* the store takes nothing more */
};

struct segment *segment_new(const struct log_head *h);
void segment_free(struct segment *g);
/* What the fold is to write with it: `now` as it stood at its end. */
void segment_fill(struct segment *g, const struct saved *now, uint64_t last_seq);

/* dirlock.c: advice for an error of the system's about a file there. */
void store_advise(const struct store *s, int code, struct err *e);
/* dirlock.c: the directory, its lock and format. Opens or makes it: fills dir.fd and lock_fd. 0 or -1. */
int store_open_dir(struct store *s, struct err *e);
#define END_NAME "end"
/* end.c: all frames are on the disk. */
void store_note_end(struct store *s);
/* end.c: the seq of a frame that was on the disk, 0: nobody knows. Asked for before the log is read. */
uint64_t store_known_end(const struct store *s);

/* recover.c: reads the log and LMDB. */
int store_recover(struct store *s, struct err *e);

/* fold.c */
void folder_init(struct folder *f);
/* Ends the thread after the fold it is at. */
void folder_stop(struct store *s);
/* Takes a full segment. Its file goes once it is folded. */
void folder_push(struct store *s, struct segment *full_take);
/* Frees what is folded; waits until all is, with `wait`. Returns how many are left, or -1 with the thread's error. */
int folder_reap(struct store *s, bool wait, struct err *e);

/* store.c: the view of the remembered program, anew. */
void store_view_program(struct store *s);
/* An open cut that is in no frame of the active file gets one, before the file that has it may go. */
int store_carry_cut(struct store *s, struct err *e);
/* All changes in memory, as tables for a change_list: oldest first, the commit being made last. The array is the caller's. */
const struct memtab **store_tables(const struct store *s, size_t *n);

/* wal.c */
void wal_free(struct wal *w);
/* Inputs that have a log, ascending; *inputs is the caller's. */
int wal_list(struct store *s, uint32_t **inputs, size_t *n, struct err *e);
/* Offsets of what an input's log holds. */
int wal_range(struct store *s, uint32_t input, uint64_t *begin, uint64_t *end, struct err *e);

#endif

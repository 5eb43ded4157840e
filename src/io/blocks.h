/* The block reader: sources, one after the other, into a decoder. It owns one buffer: BLOCK_SIZE bytes and MEM_SLACK behind them,
 * reads into it, lets the decoder take the whole records and carries the rest to the front. The buffer grows for a long record up
 * to the decoder's max_record; beyond it the decoder skips (codec/codec.h), so memory is bounded. One owner. */
#ifndef STRM_IO_BLOCKS_H
#define STRM_IO_BLOCKS_H
#include "codec/codec.h"
#include "io/source.h"

#define BLOCK_SIZE ((size_t)256 << 10)

struct blocks;

/* Read the n sources named by specs (they must outlive it) in order into the decoder, which stays the caller's; each source
 * restarts it. Sources are opened when their turn comes. STRM_TEST_READ=BYTES in the environment caps each read (tests). */
struct blocks *blocks_new(const char *const *specs, unsigned n, struct decoder *d);
/* What its sources do before a read that may wait, see io/source.h. */
void blocks_on_wait(struct blocks *b, int (*wait)(void *ctx, int fd), void *ctx);
/* Somebody between the block reader and its sources, who knows where they stand (a checkpoint). All calls are on the reader's thread. */
#define BLOCKS_PAUSE (-2)
struct blocks_reader {
	/* The next source of a spec, perhaps one of several: 1; 0: no more of this spec; BLOCKS_PAUSE as with read, -1. */
	int (*open)(void *ctx, unsigned spec, struct source **out, struct err *e);
	/* The decoder was told that the source begins. 0 or -1. */
	int (*begun)(void *ctx, struct err *e);
	/* As source_read; BLOCKS_PAUSE: no more just now, the step returns BLOCKS_PAUSED. */
	ssize_t (*read)(void *ctx, struct source *s, char *p, size_t n, struct err *e);
	/* The source has ended: does what is left without a line end count as its last record? */
	bool (*final)(void *ctx);
	/* Around each call of the decoder: what it is given, and how much it took. */
	void (*decoding)(void *ctx, const char *p, size_t n);
	void (*decoded)(void *ctx, const char *p, size_t used);
	/* Behind the last call: the bytes that are left. 0 or -1. */
	int (*ended)(void *ctx, const char *p, size_t n, struct err *e);
	void *ctx;
};

/* Before the first step; *r outlives the reader. */
void blocks_through(struct blocks *b, const struct blocks_reader *r);
/* Bytes that are read and not decoded. */
const char *blocks_rest(const struct blocks *b, size_t *n);
/* One block: one read (more only while a record longer than a block is coming in) and what can be decoded of it. Returns 1: go
 * on; 0: the end of the last source; 2: emit asked to stop; -1 and err. Not to be called again after 0, 2 or -1. */
int blocks_step(struct blocks *b, const struct decode_to *to, struct err *e);
/* Marked input (io/marks.h): looks for the next mark without decoding, so that what it says is known before the records in front of it. Returns
 * BLOCKS_MARK and the mark; BLOCKS_PART when MARK_AHEAD bytes hold none yet (take them and seek again); BLOCKS_END when the rest has none; -1. */
struct mark;
enum { BLOCKS_END = 0, BLOCKS_PART = 1, BLOCKS_MARK = 3, BLOCKS_PAUSED = 4 };
#define MARK_AHEAD ((size_t)64 << 20)
int blocks_seek_mark(struct blocks *b, struct mark *m, struct err *e);
/* Decodes what blocks_seek_mark found. As blocks_step: 1, 0, 2, -1; through somebody, 1 also when the input goes on in another source. */
int blocks_take(struct blocks *b, const struct decode_to *to, struct err *e);
/* Through somebody, after BLOCKS_END: is nothing left of the source at hand? */
bool blocks_at_end(const struct blocks *b);
/* Could a step go ahead without waiting for the source, now or within so many ms? */
bool blocks_ready(const struct blocks *b, int within_ms);
/* The source being read, NULL between sources; bytes taken from outside in all. */
const struct source *blocks_source(const struct blocks *b);
uint64_t blocks_bytes(const struct blocks *b);
/* The number of the spec being read, or read last. Bytes of all its sources together, -1 unknown. */
unsigned blocks_spec(const struct blocks *b);
int64_t blocks_size(const struct blocks *b);
/* Bytes of memory the buffer holds. */
size_t blocks_held(const struct blocks *b);
void blocks_free(struct blocks *b);

#endif

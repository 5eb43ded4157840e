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
/* One block: one read (more only while a record longer than a block is coming in) and what can be decoded of it. Returns 1: go
 * on; 0: the end of the last source; 2: emit asked to stop; -1 and err. Not to be called again after 0, 2 or -1. */
int blocks_step(struct blocks *b, const struct decode_to *to, struct err *e);
/* Marked input (io/marks.h): looks for the next mark without decoding, so that what it says is known before the records in front of it. Returns
 * BLOCKS_MARK and the mark; BLOCKS_PART when MARK_AHEAD bytes hold none yet (take them and seek again); BLOCKS_END when the rest has none; -1. */
struct mark;
enum { BLOCKS_END = 0, BLOCKS_PART = 1, BLOCKS_MARK = 3 };
#define MARK_AHEAD ((size_t)64 << 20)
int blocks_seek_mark(struct blocks *b, struct mark *m, struct err *e);
/* Decodes what blocks_seek_mark found. As blocks_step: 1, 0, 2, -1. */
int blocks_take(struct blocks *b, const struct decode_to *to, struct err *e);
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

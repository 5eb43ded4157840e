#include "io/blocks.h"

#include <stdlib.h>

#include "io/marks.h"

struct blocks {
	const char *const *specs;
	unsigned n_specs, next_spec;
	struct decoder *dec;
	struct source *src; /* NULL: between sources */
	struct arena names; /* of the sources: batches and messages speak of them after they are closed */
	char *p;
	size_t n, cap;
	size_t patience; /* inside a long record: bytes to gather before it is worth another look */
	size_t read_max;
	uint64_t bytes; /* of the sources that are done */
	bool final;
	const struct blocks_reader *through; /* NULL: nobody */
	bool paused, kept_open;              /* through: no more just now; the source's end does not end its last record */
	size_t stretch, next; /* marked input: bytes to decode, and where the next stretch begins */
	bool marked;          /* the stretch ends in a mark */
	int (*wait)(void *ctx, int fd);
	void *wait_ctx;
};

static size_t test_read(void)
{
	const char *s = getenv("STRM_TEST_READ");
	size_t n = s ? strtoul(s, NULL, 10) : 0;

	return n ? n : SIZE_MAX;
}

static void set_capacity(struct blocks *b, size_t cap)
{
	b->p = xrealloc(b->p, cap + MEM_SLACK);
	b->cap = cap;
}

struct blocks *blocks_new(const char *const *specs, unsigned n, struct decoder *d)
{
	struct blocks *b = xcalloc(1, sizeof *b);

	b->specs = specs;
	b->n_specs = n;
	b->dec = d;
	b->read_max = test_read();
	set_capacity(b, BLOCK_SIZE);
	return b;
}

/* The source of the next spec; through somebody, a spec may have several. As next_source. */
static int open_next(struct blocks *b, struct err *e)
{
	if (b->through) {
		int r = b->next_spec ? b->through->open(b->through->ctx, b->next_spec - 1, &b->src, e) : 0;

		while (!r && b->next_spec < b->n_specs)
			r = b->through->open(b->through->ctx, b->next_spec++, &b->src, e);
		return r == BLOCKS_PAUSE ? BLOCKS_PAUSED : r;
	}
	if (b->next_spec == b->n_specs)
		return 0;
	b->src = source_open(b->specs[b->next_spec++], e);
	return b->src ? 1 : -1;
}

/* 1 when there is a source to read, 0 after the last, -1. */
static int next_source(struct blocks *b, struct err *e)
{
	const char *name;
	int r;

	if (b->src)
		return 1;
	r = open_next(b, e);
	if (r != 1)
		return r;
	b->src->wait = b->wait;
	b->src->wait_ctx = b->wait_ctx;
	name = source_name(b->src);
	b->dec->def->restart(b->dec, arena_str(&b->names, name, strlen(name)));
	b->final = b->kept_open = false;
	b->n = b->patience = 0;
	return b->through && b->through->begun(b->through->ctx, e) ? -1 : 1;
}

static int decode(struct blocks *b, size_t n, bool final, const struct decode_to *to, size_t *used, struct err *e)
{
	int r;

	if (b->through)
		b->through->decoding(b->through->ctx, b->p, n);
	r = b->dec->def->decode(b->dec, b->p, n, final && (b->marked || !b->kept_open), to, used, e);
	if (b->through && !r)
		b->through->decoded(b->through->ctx, b->p, *used);
	return r;
}

/* All of the source is decoded, but for `used` on. */
static int check_end(struct blocks *b, size_t used, size_t n, struct err *e)
{
	if (used < n && !b->kept_open)
		BUG("the decoder of %s leaves %zu bytes", b->dec->def->doc.name, n - used);
	return b->through ? b->through->ended(b->through->ctx, b->p + used, n - used, e) : 0;
}

static void end_source(struct blocks *b)
{
	b->bytes += (uint64_t)b->src->position;
	source_close(b->src);
	b->src = NULL;
}

/* The longest record the decoder keeps waiting for; it may know a limit of its own when it was told none. */
static size_t record_max(const struct blocks *b)
{
	size_t most = b->dec->opts.max_record;

	return most && most < SIZE_MAX / 4 ? most : SIZE_MAX / 4;
}

/* Twice the room, but not more than the longest record and a block behind it. */
static void grow(struct blocks *b)
{
	size_t most = record_max(b) + BLOCK_SIZE;

	set_capacity(b, b->cap < most && b->cap * 2 > most ? most : b->cap * 2);
}

static int read_into(struct blocks *b, size_t room, struct err *e)
{
	const struct blocks_reader *t = b->through;
	ssize_t r = t ? t->read(t->ctx, b->src, b->p + b->n, room, e) : source_read(b->src, b->p + b->n, room, e);

	b->paused = t && r == BLOCKS_PAUSE;
	if (b->paused)
		return 0;
	if (r < 0)
		return -1;
	b->n += (size_t)r;
	b->final = r == 0;
	b->kept_open = b->final && t && !t->final(t->ctx);
	return 0;
}

static int read_once(struct blocks *b, struct err *e)
{
	size_t room;

	if (b->n == b->cap)
		grow(b);
	room = b->cap - b->n;
	return read_into(b, room < b->read_max ? room : b->read_max, e);
}

/* Is there a byte in p[0..n) that may end a record of some format? */
static bool may_end(const char *p, size_t n)
{
	return memchr(p, '\n', n) || memchr(p, '\r', n) || memchr(p, '}', n) || memchr(p, ']', n);
}

/* Inside a long record: a slow source is waited for only as long as nothing came that could end it. */
static int fill(struct blocks *b, struct err *e)
{
	bool ended = false;

	do {
		size_t from = b->n;

		if (read_once(b, e))
			return -1;
		ended = ended || may_end(b->p + from, b->n - from);
	} while (!b->final && !b->paused && b->n < b->patience && (!ended || source_ready(b->src, 0)));
	return 0;
}

/* The undecoded rest to the front. A record over a block in size is looked at again only when twice as much of it is there: its
 * start would be scanned once for each read otherwise. */
static void carry(struct blocks *b, size_t used)
{
	size_t most = record_max(b);

	if (!used && b->n > most && b->n == b->cap)
		BUG("the decoder of %s keeps %zu bytes", b->dec->def->doc.name, b->n);
	b->n -= used;
	memmove(b->p, b->p + used, b->n);
	b->patience = b->n < BLOCK_SIZE / 2 ? 0 : b->n * 2;
	if (b->patience > most)
		b->patience = most + 1;
	if (b->cap > BLOCK_SIZE && b->n < BLOCK_SIZE / 2)
		set_capacity(b, BLOCK_SIZE);
}

int blocks_step(struct blocks *b, const struct decode_to *to, struct err *e)
{
	int r = next_source(b, e);
	size_t used = 0, before = b->n;

	if (r != 1)
		return r;
	if (fill(b, e))
		return -1;
	if (b->paused && b->n == before)
		return BLOCKS_PAUSED;
	r = decode(b, b->n, b->final, to, &used, e);
	if (r)
		return r > 0 ? 2 : -1;
	if (!b->final) {
		carry(b, used);
		return 1;
	}
	if (check_end(b, used, b->n, e))
		return -1;
	end_source(b);
	return 1;
}

/* Room for more of a stretch that is not decoded yet. */
static int read_ahead(struct blocks *b, struct err *e)
{
	size_t room;

	if (b->n == b->cap)
		set_capacity(b, b->cap * 2);
	room = b->cap - b->n;
	return read_into(b, room < b->read_max ? room : b->read_max, e);
}

int blocks_seek_mark(struct blocks *b, struct mark *m, struct err *e)
{
	const char *why = NULL;
	int r = next_source(b, e);

	b->marked = false;
	b->stretch = b->next = 0;
	if (r != 1)
		return r;
	while (!(b->marked = mark_find(b->p, b->n, b->final && !b->kept_open, &b->stretch, &b->next))) {
		b->next = b->stretch;
		if (b->final)
			return BLOCKS_END;
		if (b->n >= MARK_AHEAD)
			return BLOCKS_PART;
		if (read_ahead(b, e))
			return -1;
		if (b->paused) {
			b->stretch = b->next = b->n;
			return BLOCKS_PAUSED;
		}
	}
	if (mark_parse(b->p + b->stretch, b->next - b->stretch - (b->p[b->next - 1] == '\n'), m, &why))
		return err_set(e, ERR_IO, "%s: a mark is not understood: %s", source_name(b->src), why);
	return BLOCKS_MARK;
}

int blocks_take(struct blocks *b, const struct decode_to *to, struct err *e)
{
	bool whole = b->marked || b->final;
	size_t used = 0;
	int r = 0;

	if (!b->src)
		return 0;
	if (b->stretch || (b->final && !b->marked))
		r = decode(b, b->stretch, whole, to, &used, e);
	if (r)
		return r > 0 ? 2 : -1;
	if (b->marked) {
		if (used < b->stretch)
			BUG("the decoder of %s leaves %zu bytes", b->dec->def->doc.name, b->stretch - used);
		b->dec->line++;
		if (b->through)
			b->through->decoded(b->through->ctx, b->p + b->stretch, b->next - b->stretch);
		used = b->next;
	} else if (whole && check_end(b, used, b->n, e)) {
		return -1;
	}
	b->n -= used;
	memmove(b->p, b->p + used, b->n);
	if (b->marked || !b->final)
		return 1;
	end_source(b);
	return b->through ? next_source(b, e) : 0;
}

bool blocks_at_end(const struct blocks *b) { return b->through && b->src && b->final && !b->n; }

void blocks_on_wait(struct blocks *b, int (*wait)(void *ctx, int fd), void *ctx)
{
	b->wait = wait;
	b->wait_ctx = ctx;
}

void blocks_through(struct blocks *b, const struct blocks_reader *r) { b->through = r; }

const char *blocks_rest(const struct blocks *b, size_t *n)
{
	*n = b->src ? b->n : 0;
	return b->p;
}

unsigned blocks_spec(const struct blocks *b) { return b->next_spec ? b->next_spec - 1 : 0; }

int64_t blocks_size(const struct blocks *b)
{
	int64_t all = (int64_t)b->bytes;

	if (b->src && b->src->size < 0)
		return -1;
	all += b->src ? b->src->size : 0;
	for (unsigned i = b->next_spec; i < b->n_specs; i++) {
		int64_t size = source_spec_size(b->specs[i]);

		if (size < 0)
			return -1;
		all += size;
	}
	return all;
}

bool blocks_ready(const struct blocks *b, int within_ms)
{
	return !b->src || source_ready(b->src, within_ms);
}

const struct source *blocks_source(const struct blocks *b) { return b->src; }

uint64_t blocks_bytes(const struct blocks *b) { return b->bytes + (b->src ? (uint64_t)b->src->position : 0); }

size_t blocks_held(const struct blocks *b) { return b->cap + MEM_SLACK; }

void blocks_free(struct blocks *b)
{
	if (!b)
		return;
	source_close(b->src);
	arena_release(&b->names);
	free(b->p);
	free(b);
}

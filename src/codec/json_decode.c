#include <stdlib.h>

#include "base/simd.h"
#include "codec/json.h"
#include "codec/json_decode.h"

#define CHUNK ((size_t)64 << 10)
#define INDEX_KEPT ((size_t)1 << 20) /* an index grown for a longer record is given back */
#define MAX_RECORD ((size_t)64 << 20)
#define BOM "\xEF\xBB\xBF"

struct decoder *json_open(const struct decode_opts *o, struct err *e)
{
	struct json_decoder *d = xcalloc(1, sizeof *d);

	(void)e;
	d->base.opts = *o;
	d->base.line = 1;
	d->walk.arena = &d->base.arena;
	d->level = simd_level();
	d->chunk = CHUNK;
	d->max_record = o->max_record ? o->max_record : MAX_RECORD;
	if (d->max_record > JSON_SCAN_MAX - CHUNK)
		d->max_record = JSON_SCAN_MAX - CHUNK;
	json_rows_init(d);
	return &d->base;
}

void json_restart(struct decoder *base, const char *source)
{
	struct json_decoder *d = (struct json_decoder *)base;

	d->base.opts.source = source;
	d->base.line = 1;
	d->top = JSON_TOP;
	d->begun = d->skipping = false;
	d->column = 0;
}

void json_close(struct decoder *base)
{
	struct json_decoder *d = (struct json_decoder *)base;

	if (!d)
		return;
	json_index_release(&d->walk.ix);
	json_rows_release(&d->rows);
	arena_release(&d->base.arena);
	arena_release(&d->base.keep);
	free(d);
}

/* As bytes: what is between two calls. */
struct json_saved {
	enum json_top top;
	bool loose, begun, skipping;
	struct json_skip skip;
	uint64_t column;
};

void json_save(const struct decoder *base, struct buf *out)
{
	const struct json_decoder *d = (const struct json_decoder *)base;
	struct json_saved s;

	memset(&s, 0, sizeof s); /* padding too: equal states are equal bytes */
	s.top = d->top;
	s.loose = d->loose;
	s.begun = d->begun;
	s.skipping = d->skipping;
	if (d->skipping)
		s.skip = d->skip;
	s.column = d->column;
	buf_add(out, &s, sizeof s);
}

int json_load(struct decoder *base, const char *p, size_t n)
{
	struct json_decoder *d = (struct json_decoder *)base;
	struct json_saved s;

	if (n != sizeof s)
		return -1;
	memcpy(&s, p, n);
	d->top = s.top;
	d->loose = s.loose;
	d->begun = s.begun;
	d->skipping = s.skipping;
	d->skip = s.skip;
	d->column = s.column;
	return 0;
}

/* One mark of a top-level array, or one record, at token k. */
static inline uint32_t step(struct json_decoder *d, uint32_t k)
{
	struct json_walk *w = &d->walk;
	char c = w->ix.kind[k], next = w->ix.kind[k + 1];
	uint32_t after;

	if (d->top == JSON_COMMA) {
		if (c != ',' && c != ']')
			return json_fail(w, k);
		d->top = c == ',' ? JSON_ELEMENT : JSON_TOP;
		return k + 1;
	}
	if (c == '[' && d->top == JSON_TOP) {
		if (next == JSON_CUT)
			return json_fail(w, k + 1);
		if (next == ']')
			return k + 2;
		if (next == '{') {
			d->top = JSON_ELEMENT;
			d->loose = false;
			return k + 1;
		}
	}
	after = json_row(d, k);
	if (after && d->top != JSON_TOP)
		d->top = JSON_COMMA;
	return after;
}

/* All that is whole in the index. True when every token of it was taken. */
static bool walk_chunk(struct json_decoder *d)
{
	struct json_index *ix = &d->walk.ix;
	uint32_t k = 0, after = 1;

	while (k < ix->n && !d->verdict) {
		after = step(d, k);
		if (unlikely(!after))
			break;
		k = after;
	}
	d->base.line += json_lines_before(ix, ix->at[k]);
	d->pos += ix->at[k];
	return after != 0;
}

/* Scan and walk the next stretch. Returns false when more text is needed. */
static bool fast_step(struct json_decoder *d)
{
	struct json_index *ix = &d->walk.ix;
	size_t left = d->n - d->pos, most = d->max_record + CHUNK, n = d->chunk < left ? d->chunk : left, from = d->pos;
	bool whole, cut;

	if (unlikely(d->slow_only))
		return json_slow(d, false);
	json_scan(ix, d->p + d->pos, n, d->level);
	whole = walk_chunk(d);
	if (d->verdict || (whole && d->pos == from + n))
		return true;
	cut = !ix->stopped && (whole || ix->kind[d->walk.failed] == JSON_CUT);
	if (cut && from + n < d->n && (d->pos > from || n < most)) {
		/* the record goes on behind the stretch */
		d->chunk = d->pos > from ? CHUNK : n * 2 < most ? n * 2 : most;
		return true;
	}
	d->chunk = CHUNK;
	if (cut && !d->final && d->n - d->pos <= d->max_record)
		return false;
	return json_slow(d, !whole && !cut && ix->kind[d->walk.failed] != JSON_CUT);
}

/* A byte order mark at the start is dropped. False when it may still come. */
static bool begin(struct json_decoder *d)
{
	size_t n = d->n - d->pos;

	if (n < 3 && !d->final && !memcmp(d->p, BOM, n))
		return false;
	if (n >= 3 && !memcmp(d->p, BOM, 3))
		d->pos += 3;
	d->begun = true;
	return true;
}

static void finish(struct json_decoder *d)
{
	if (d->final && d->pos == d->n && d->top != JSON_TOP) {
		if (!d->loose)
			json_bad(d, d->p + d->pos, 0, "'[' without ']'");
		d->top = JSON_TOP;
	}
	json_rows_flush(d);
	if (d->walk.ix.cap > INDEX_KEPT)
		json_index_release(&d->walk.ix);
}

static uint64_t column_after(const struct json_decoder *d)
{
	const char *nl = d->pos ? memrchr(d->p, '\n', d->pos) : NULL;

	return nl ? (uint64_t)(d->p + d->pos - nl - 1) : d->column + d->pos;
}

int json_decode(struct decoder *base, const char *p, size_t n, bool final, const struct decode_to *to, size_t *used,
		struct err *e)
{
	struct json_decoder *d = (struct json_decoder *)base;
	bool more = true;

	d->p = p;
	d->n = n;
	d->pos = 0;
	d->final = final;
	d->to = to;
	d->err = e;
	d->verdict = 0;
	d->chunk = CHUNK;
	if (!d->begun)
		more = begin(d);
	while (more && d->pos < d->n && !d->verdict) {
		if (d->skipping)
			json_skip_more(d);
		else
			more = fast_step(d);
	}
	finish(d);
	d->column = column_after(d);
	*used = d->pos;
	return d->verdict;
}

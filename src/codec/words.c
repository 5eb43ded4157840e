#include "codec/words.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/simd.h"

/* Bytes scanned at a time: a multiple of 64, small enough for the edges to stay in the first-level cache. */
#define PIECE 4096

struct word_scan {
	uint64_t in_word, at_start; /* 0 or 1 */
	uint64_t lines, empty;
};

#define SIMD_BODY "codec/words.inc.h"
#include "base/simd_levels.h"

typedef uint32_t words_edges_fn(struct word_scan *s, const char *p, uint32_t n, uint32_t *edges);
static words_edges_fn *const words_edges[SIMD_LEVELS] = SIMD_TABLE(words_edges);

struct words_decoder {
	struct decoder base;
	struct word_scan scan;
	const struct schema *schema;
	words_edges_fn *edges_of;
	uint32_t cap, n;       /* words in the batch */
	uint64_t n_long;       /* lines over the limit */
	uint64_t lines_before; /* of earlier sources, the long ones included */
	bool skip;             /* inside a line over the limit */
	struct value *v;
	uint32_t *edges;
};

uint64_t words_lines(const struct decoder *d)
{
	const struct words_decoder *w = (const struct words_decoder *)d;

	return w->scan.lines;
}

uint64_t words_empty(const struct decoder *d)
{
	return ((const struct words_decoder *)d)->scan.empty;
}

static uint64_t line_now(const struct words_decoder *w)
{
	return w->scan.lines + w->n_long - w->lines_before + 1;
}

static struct decoder *words_open(const struct decode_opts *o, struct err *e)
{
	struct words_decoder *w = xcalloc(1, sizeof *w);
	uint32_t name_n = (uint32_t)strlen(o->fields[0]);

	(void)e;
	w->base.def = &words_codec;
	w->base.opts = *o;
	w->base.line = 1;
	w->scan.at_start = 1;
	w->edges_of = words_edges[simd_level()];
	w->schema = schema_intern(o->fields, &name_n, 1);
	w->cap = batch_rows();
	w->v = xmalloc(w->cap * sizeof *w->v);
	w->edges = xmalloc((PIECE + 128) * sizeof *w->edges);
	return &w->base;
}

static int flush(struct words_decoder *w, const struct decode_to *to, struct err *e)
{
	struct column col = { .type = T_TEXT, .v = w->v };
	struct batch b = { .schema = w->schema, .cols = &col, .n_rows = w->n, .n_sel = w->n, .arena = &w->base.arena };

	if (!w->n)
		return 0;
	b.origin.source = w->base.opts.source;
	w->base.n_records += w->n;
	w->n = 0;
	arena_reset(&w->base.arena);
	return to->emit(to->ctx, &b, e);
}

/* Pairs of edges -> values. */
static int add_words(struct words_decoder *w, const char *p, uint32_t n_edges, const struct decode_to *to, struct err *e)
{
	const uint32_t *edge = w->edges, *end = edge + n_edges;

	while (edge < end) {
		uint32_t room = w->cap - w->n, m = (uint32_t)(end - edge) / 2, k;
		struct value *v = w->v + w->n;
		int verdict;

		if (m > room)
			m = room;
		for (k = 0; k < m; k++, edge += 2)
			v[k] = v_text(p + edge[0], edge[1] - edge[0]);
		w->n += m;
		if (w->n < w->cap)
			continue;
		verdict = flush(w, to, e);
		if (verdict)
			return verdict;
	}
	return 0;
}

/* Whole lines p[0..n). A piece ends behind white space, so that no word is cut; a longer word than a piece makes its own piece. */
static int scan_lines(struct words_decoder *w, const char *p, size_t n, const struct decode_to *to, struct err *e)
{
	while (n) {
		size_t m = n < PIECE ? n : PIECE;
		uint32_t edges;
		int verdict;

		while (m < n && m && (unsigned char)(p[m - 1] - 9) > 4 && p[m - 1] != ' ')
			m--;
		if (!m) /* one long word: up to the end of it */
			for (m = PIECE; m < n && (unsigned char)(p[m - 1] - 9) > 4 && p[m - 1] != ' ';)
				m++;
		if (m > PIECE) {
			edges = 0;
			w->scan.in_word = 0;
			for (size_t at = 0; at < m; at += PIECE) {
				uint32_t part = (uint32_t)(m - at < PIECE ? m - at : PIECE);
				uint32_t k = w->edges_of(&w->scan, p + at, part, w->edges + edges);

				for (uint32_t i = 0; i < k; i++)
					w->edges[edges + i] += (uint32_t)at;
				edges += k; /* at most a start, an end, and blanks behind: few */
			}
		} else {
			w->scan.in_word = 0;
			edges = w->edges_of(&w->scan, p, (uint32_t)m, w->edges);
		}
		if (edges & 1) /* the block ends in a word */
			w->edges[edges++] = (uint32_t)m;
		verdict = add_words(w, p, edges, to, e);
		if (verdict)
			return verdict;
		p += m;
		n -= m;
	}
	return 0;
}

static int long_line(struct words_decoder *w, const char *p, size_t n, const struct decode_to *to, struct err *e)
{
	int verdict = flush(w, to, e);
	size_t max = w->base.opts.max_record;
	char reason[64];

	w->base.n_bad++;
	w->n_long++;
	if (verdict)
		return verdict;
	snprintf(reason, sizeof reason, "longer than %zu bytes", max);
	return to->bad(to->ctx, p, n < max ? n : max, line_now(w) - 1, reason, e);
}

/* A last line without a newline counts; it is empty if the scan is still at its start. */
static void end_line(struct words_decoder *w)
{
	w->scan.lines++;
	w->scan.empty += w->scan.at_start;
	w->scan.at_start = 1;
}

/* The block is longer than the limit, so a line in it may be. */
static int scan_checked(struct words_decoder *w, const char *p, size_t n, const struct decode_to *to, struct err *e)
{
	while (n) {
		const char *nl = memchr(p, '\n', n);
		size_t len = nl ? (size_t)(nl - p) : n, take = len + (nl != NULL);
		bool is_long = len > w->base.opts.max_record;
		int verdict = is_long ? long_line(w, p, len, to, e) : scan_lines(w, p, take, to, e);

		if (verdict)
			return verdict;
		if (!nl && !is_long)
			end_line(w);
		p += take;
		n -= take;
	}
	return 0;
}

static size_t skip_rest(struct words_decoder *w, const char *p, size_t n)
{
	const char *nl = memchr(p, '\n', n);

	w->skip = !nl;
	return nl ? (size_t)(nl - p) + 1 : n;
}

static int words_decode(struct decoder *d, const char *p, size_t n, bool final, const struct decode_to *to, size_t *used, struct err *e)
{
	struct words_decoder *w = (struct words_decoder *)d;
	size_t from = w->skip ? skip_rest(w, p, n) : 0, whole = n;
	const char *last = n > from ? memrchr(p + from, '\n', n - from) : NULL;
	int verdict;

	if (!final)
		whole = last ? (size_t)(last - p) + 1 : from;
	*used = whole;
	if (!final && whole == from && n - from > d->opts.max_record) {
		*used = n;
		w->skip = true;
		return long_line(w, p + from, n - from, to, e);
	}
	if (whole - from > d->opts.max_record) {
		verdict = scan_checked(w, p + from, whole - from, to, e);
	} else {
		verdict = scan_lines(w, p + from, whole - from, to, e);
		if (!verdict && final && whole > from && p[whole - 1] != '\n')
			end_line(w);
	}
	if (!verdict)
		verdict = flush(w, to, e);
	w->n = 0;
	d->line = line_now(w);
	return verdict;
}

static void words_restart(struct decoder *d, const char *source)
{
	struct words_decoder *w = (struct words_decoder *)d;

	d->opts.source = source;
	d->line = 1;
	w->lines_before = w->scan.lines + w->n_long;
	w->skip = false;
	w->scan.in_word = 0;
	w->scan.at_start = 1;
}

static void words_save(const struct decoder *d, struct buf *out) { buf_char(out, (char)((const struct words_decoder *)d)->skip); }

static int words_load(struct decoder *d, const char *p, size_t n)
{
	struct words_decoder *w = (struct words_decoder *)d;

	if (n != 1)
		return -1;
	w->skip = *p;
	w->lines_before -= d->line - 1;
	return 0;
}

static void words_close(struct decoder *d)
{
	struct words_decoder *w = (struct words_decoder *)d;

	if (!w)
		return;
	free(w->v);
	free(w->edges);
	arena_release(&d->arena);
	arena_release(&d->keep);
	free(w);
}

const struct codec_def words_codec = {
	.doc = { .name = "words", .summary = "one record for each word of the lines" },
	.open = words_open,
	.decode = words_decode,
	.restart = words_restart,
	.close = words_close,
	.save = words_save,
	.load = words_load,
};

#include "codec/csv_slow.h"

#include <stdlib.h>

/* libcsv takes memory in steps of this size. */
#define FIELD_STEP 4096

static int no_space(unsigned char c)
{
	(void)c;
	return 0;
}

static int is_end(unsigned char c) { return c == '\n' || c == '\r'; }

void csv_settings(struct csv_parser *c, char delim)
{
	csv_init(c, CSV_EMPTY_IS_NULL);
	csv_set_delim(c, (unsigned char)delim);
	csv_set_quote(c, '"');
	csv_set_space_func(c, no_space);
	csv_set_term_func(c, is_end);
	csv_set_realloc_func(c, xrealloc);
	csv_set_free_func(c, free);
	csv_set_blk_size(c, FIELD_STEP);
}

void csv_release(struct delim_decoder *d)
{
	if (d->libcsv)
		csv_free(d->libcsv);
	free(d->libcsv);
}

/* Where a record ends: libcsv's states. Only the place is found here; the fields are libcsv's. */
enum state {
	IN_PLAIN = 1, /* an unquoted field */
	IN_QUOTES,
	AT_FIELD, /* before its first byte */
	AT_QUOTE, /* behind a quote in a quoted field: the end of it, or the first of two */
};

struct machine {
	enum state state;
	char delim;
	size_t open_at; /* of the last opening quote */
};

static enum state at_field(struct machine *m, char c, size_t i)
{
	if (c == m->delim)
		return AT_FIELD;
	if (c != '"')
		return IN_PLAIN;
	m->open_at = i;
	return IN_QUOTES;
}

/* Inside quotes: offset of the next quote, or n; the line end if a record is one line. */
static size_t next_quote(const char *p, size_t i, size_t n, bool one_line)
{
	const char *q;

	if (!one_line) {
		q = memchr(p + i, '"', n - i);
		return q ? (size_t)(q - p) : n;
	}
	while (i < n && p[i] != '"' && !is_end((unsigned char)p[i]))
		i++;
	return i;
}

/* Offset of the byte that ends the record, or n. */
static size_t find_end(struct machine *m, const char *p, size_t n, bool one_line)
{
	for (size_t i = 0; i < n; i++) {
		if (m->state == IN_QUOTES) {
			i = next_quote(p, i, n, one_line);
			if (i == n || p[i] != '"')
				return i;
			m->state = AT_QUOTE;
			continue;
		}
		if (is_end((unsigned char)p[i]))
			return i;
		if (m->state == AT_FIELD)
			m->state = at_field(m, p[i], i);
		else if (p[i] == m->delim)
			m->state = AT_FIELD;
		else if (m->state == AT_QUOTE)
			m->state = IN_QUOTES;
	}
	return n;
}

static void on_field(void *s, size_t n, void *ctx)
{
	struct delim_decoder *d = ctx;

	if (!s)
		record_add(&d->record, v_null());
	else if (d->record.n < d->record.max_cells)
		record_add(&d->record, v_text(n ? arena_copy(&d->base.arena, s, n) : "", n));
	else
		d->record.n++;
}

static void parse(struct delim_decoder *d, const char *p, size_t n)
{
	if (!d->libcsv) {
		d->libcsv = xmalloc(sizeof *d->libcsv);
		csv_settings(d->libcsv, d->scan.delim);
	}
	csv_parse(d->libcsv, p, n, on_field, NULL, d);
	csv_fini(d->libcsv, on_field, NULL, d);
}

enum record_kind csv_one(struct delim_decoder *d, const char *p, size_t n, bool final)
{
	struct machine m = { .state = AT_FIELD, .delim = d->scan.delim };
	struct record *r = &d->record;
	size_t max = d->base.opts.max_record, look = n > max ? max + 1 : n, end = find_end(&m, p, look, d->one_line);
	bool cut = end == look, open = m.state == IN_QUOTES;

	r->len = end;
	r->open_at = m.open_at;
	r->used = cut ? look : end + 1 + (end + 1 < n && p[end] == '\r' && p[end + 1] == '\n');
	if (cut && n <= max && !final)
		return RECORD_MORE;
	if (open)
		return RECORD_OPEN;
	if (cut && n > max) {
		d->skip = (int)m.state;
		return RECORD_LONG;
	}
	if (!end)
		return RECORD_BLANK;
	parse(d, p, end);
	return RECORD_OK;
}

size_t csv_skip(struct delim_decoder *d, const char *p, size_t n)
{
	struct machine m = { .state = (enum state)d->skip, .delim = d->scan.delim };
	size_t end = find_end(&m, p, n, false);

	d->skip = end < n ? 0 : (int)m.state;
	return end < n ? end + 1 : n;
}

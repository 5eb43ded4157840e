#include "codec/delim.h"

#include <stdio.h>
#include <stdlib.h>

/* Bytes indexed at a time: the index and what it speaks of stay in the near caches. */
#define PIECE ((size_t)32 << 10)
#define OPEN_TRIES_MAX 16

static const char bom[] = "\xEF\xBB\xBF";

struct decoder *delim_open(const struct delim_format *fmt, const struct decode_opts *o, struct err *e)
{
	struct delim_decoder *d = xcalloc(1, sizeof *d);

	(void)e;
	d->base.def = fmt->def;
	d->base.opts = *o;
	if (!o->n_header)
		d->base.opts.header = NULL;
	d->format = fmt;
	d->scan.delim = fmt->delim;
	d->scan_fn = fmt->scan(simd_level());
	rows_init(&d->rows, &d->base);
	delim_restart(&d->base, o->source);
	return &d->base;
}

void delim_restart(struct decoder *b, const char *source)
{
	struct delim_decoder *d = (struct delim_decoder *)b;

	b->opts.source = source;
	b->line = 1;
	d->header = NULL;
	d->begun = d->past_first = d->one_line = false;
	d->skip = 0;
	d->offset = d->open_until = 0;
	d->open_tries = 0;
	arena_reset(&b->keep);
}

/* As bytes: what is between two calls; the names of the fields follow. */
struct delim_saved {
	bool begun, past_first;
	int skip;
	uint64_t offset, open_until;
	unsigned open_tries;
};

void delim_save(const struct decoder *b, struct buf *out)
{
	const struct delim_decoder *d = (const struct delim_decoder *)b;
	struct delim_saved s;

	memset(&s, 0, sizeof s); /* padding too: equal states are equal bytes */
	s.begun = d->begun;
	s.past_first = d->past_first;
	s.skip = d->skip;
	s.offset = d->offset;
	s.open_until = d->open_until;
	s.open_tries = d->open_tries;
	buf_add(out, &s, sizeof s);
	if (d->past_first)
		rows_put_names(out, d->header);
}

int delim_load(struct decoder *b, const char *p, size_t n)
{
	struct delim_decoder *d = (struct delim_decoder *)b;
	const struct schema *names;
	struct delim_saved s;

	if (n < sizeof s)
		return -1;
	memcpy(&s, p, sizeof s);
	names = rows_get_names(p + sizeof s, n - sizeof s);
	if (!names || (!s.past_first && names->n))
		return -1;
	d->begun = s.begun;
	d->past_first = s.past_first;
	d->skip = s.skip;
	d->offset = s.offset;
	d->open_until = s.open_until;
	d->open_tries = s.open_tries;
	if (s.past_first)
		delim_set_header(d, names);
	return 0;
}

const struct schema *delim_columns(const struct decoder *b)
{
	return ((const struct delim_decoder *)b)->header;
}

void delim_close(struct decoder *b)
{
	struct delim_decoder *d = (struct delim_decoder *)b;

	if (!d)
		return;
	if (d->format->release)
		d->format->release(d);
	rows_release(&d->rows);
	free(d->index);
	free(d->from);
	free(d->record.cells);
	arena_release(&b->arena);
	arena_release(&b->keep);
	free(d);
}

void delim_force(struct decoder *b, enum simd_level level, bool slow_only)
{
	struct delim_decoder *d = (struct delim_decoder *)b;

	d->scan_fn = d->format->scan(level);
	d->slow_only = slow_only;
}

/* One column of a run of plain records: n of them, k fields each, sep at the end of this field in the first. */
struct run {
	const char *w;
	const uint32_t *sep;
	uint32_t k, n;
	bool last; /* the field before the line end, which may have a carriage return */
	struct value *out;
};

/* Returns true when some are null. `quote`: what a field may begin with, -1: nothing. */
static inline bool fill_plain(const struct delim_decoder *d, const struct run *r, bool last, int quote)
{
	const uint32_t *sep = r->sep;
	struct value *out = r->out, *end = out + r->n;
	struct arena *arena = (struct arena *)&d->base.arena;
	bool nulls = false;

	for (; out < end; out++, sep += r->k) {
		uint32_t from = sep[-1] + 1, n = *sep - from;
		const char *p = r->w + from;

		if (last)
			n -= n && p[n - 1] == '\r';
		if (quote >= 0 && unlikely((unsigned char)*p == quote) && n) {
			*out = d->format->field(arena, p, n, d->scan.escapes != 0);
			continue;
		}
		*out = (struct value){ .s = p, .n = n, .type = n ? T_TEXT : T_NULL };
		nulls |= !n;
	}
	return nulls;
}

static bool fill_escaped(const struct delim_decoder *d, const struct run *r)
{
	const uint32_t *sep = r->sep;
	struct arena *arena = (struct arena *)&d->base.arena;
	bool nulls = false;

	for (uint32_t i = 0; i < r->n; i++, sep += r->k) {
		uint32_t from = sep[-1] + 1, n = *sep - from;
		const char *p = r->w + from;

		if (r->last)
			n -= n && p[n - 1] == '\r';
		r->out[i] = d->format->field(arena, p, n, true);
		nulls |= !n;
	}
	return nulls;
}

static bool fill(const struct delim_decoder *d, const struct run *r)
{
	if (d->format->quote < 0 && d->scan.escapes)
		return fill_escaped(d, r);
	if (d->scan.quotes)
		return r->last ? fill_plain(d, r, true, d->format->quote) : fill_plain(d, r, false, d->format->quote);
	return r->last ? fill_plain(d, r, true, -1) : fill_plain(d, r, false, -1);
}

/* Start of the record whose first separator is `sep`, and its bytes up to the line end at `end` (a carriage return not counted).
 */
static const char *record_bytes(const char *w, const uint32_t *sep, uint32_t end, uint32_t *n)
{
	const char *p = w + (uint32_t)(sep[-1] + 1);

	*n = end - (uint32_t)(sep[-1] + 1);
	*n -= *n && p[*n - 1] == '\r';
	return p;
}

static void fill_raw(struct delim_decoder *d, const struct run *r)
{
	const uint32_t *sep = r->sep;

	for (uint32_t i = 0; i < r->n; i++, sep += r->k) {
		uint32_t n;
		const char *p = record_bytes(r->w, sep, sep[r->k - 1], &n);

		d->rows.raw[d->rows.n + i] = v_text(p, n);
	}
}

/* The lines of a run, and its rows counted. */
static void count_run(struct delim_decoder *d, const struct run *r)
{
	struct rows *rows = &d->rows;
	const uint32_t *sep = r->sep;

	d->base.n_records += r->n;
	if (!d->scan.inner && !rows->lines_odd && (!rows->n || d->base.line == rows->line_base + rows->n)) {
		rows_line(rows, d->base.line);
		d->base.line += r->n;
		rows->n += r->n;
		return;
	}
	for (uint32_t i = 0; i < r->n; i++, sep += r->k) {
		uint32_t n;
		const char *p = record_bytes(r->w, sep, sep[r->k - 1], &n);

		rows_line(rows, d->base.line);
		rows->n++;
		d->base.line += 1 + (d->scan.inner ? rows_newlines(p, n) : 0);
	}
}

static void take_run(struct delim_decoder *d, const char *w, const uint32_t *sep, uint32_t n)
{
	struct rows *rows = &d->rows;
	struct run r = { .w = w, .sep = sep, .k = d->header->n, .n = n };

	for (uint32_t c = 0; c < rows->schema->n; c++) {
		if (d->from[c] < 0)
			continue;
		r.sep = sep + d->from[c];
		r.last = (uint32_t)d->from[c] == r.k - 1;
		r.out = rows_col(rows, c) + rows->n;
		rows->cols[c].has_null |= fill(d, &r);
	}
	r.sep = sep;
	if (rows->raw)
		fill_raw(d, &r);
	count_run(d, &r);
}

/* May the record that ends at `end` be over the limit? (Whether a carriage return counts is format->one's to say.) */
static bool maybe_long(const struct delim_decoder *d, const uint32_t *sep, uint32_t end)
{
	return end - (uint32_t)(sep[-1] + 1) > d->base.opts.max_record;
}

/* Must the record that ends at `end` be looked at alone? A blank line of a file of one field, or a record that may be over the
 * limit. */
static bool special(const struct delim_decoder *d, const char *w, const uint32_t *sep, uint32_t end)
{
	uint32_t n;

	record_bytes(w, sep, end, &n);
	return !n || maybe_long(d, sep, end);
}

/* How many records from separator i, line end j on have as many fields as the header: their last separator is their line end. */
static uint32_t plain_run(const struct delim_decoder *d, const char *w, uint32_t i, uint32_t j)
{
	const struct delim_scan *s = &d->scan;
	uint32_t k = d->header->n, n = (s->n_sep - i) / k, r, room = d->rows.cap - d->rows.n;
	const uint32_t *sep = s->sep + i, *nl = s->nl + j;
	bool look = k == 1 || s->nl[s->n_nl - 1] > d->base.opts.max_record;

	if (n > s->n_nl - j)
		n = s->n_nl - j;
	if (n > room)
		n = room;
	for (r = 0; r < n && sep[k - 1] == nl[r]; r++, sep += k)
		if (look && special(d, w, sep, nl[r]))
			break;
	return r;
}

static int ragged(struct delim_decoder *d, struct feed *f, const char *p, size_t n, uint32_t fields)
{
	const struct decode_opts *o = &d->base.opts;
	const char *model = o->no_header && !o->header ? "first record" : "header";
	char why[80];

	snprintf(why, sizeof why, "%u field%s, the %s has %u", fields, fields == 1 ? "" : "s", model, d->header->n);
	return rows_bad(&d->rows, f, p, n, d->base.line, why);
}

/* The record from separator *i, line end j, is not plain: blank, or of another number of fields. False: it is for format->one. */
static bool take_odd(struct delim_decoder *d, struct feed *f, const char *w, uint32_t *i, uint32_t j)
{
	const struct delim_scan *s = &d->scan;
	const uint32_t *sep = s->sep + *i;
	uint32_t n, fields = 1, end = s->nl[j];
	const char *p = record_bytes(w, sep, end, &n);

	if (maybe_long(d, sep, end))
		return false;
	while (sep[fields - 1] != end)
		fields++;
	if (n)
		ragged(d, f, p, n, fields);
	*i += fields;
	d->base.line += 1 + (s->inner ? rows_newlines(p, n) : 0);
	return true;
}

/* The whole records of the window at w, as far as they are plain; f->at behind them. */
static void take_records(struct delim_decoder *d, struct feed *f, const char *w)
{
	const struct delim_scan *s = &d->scan;
	uint32_t i = 0, j = 0;

	while (j < s->n_nl && !f->stop) {
		uint32_t n = plain_run(d, w, i, j);

		if (n) {
			take_run(d, w, s->sep + i, n);
			i += n * d->header->n;
			j += n;
			if (d->rows.n == d->rows.cap)
				rows_flush(&d->rows, f);
		} else if (take_odd(d, f, w, &i, j)) {
			j++;
		} else {
			break;
		}
	}
	f->at += j ? (size_t)s->nl[j - 1] + 1 : 0;
}

static void index_room(struct delim_decoder *d, size_t more)
{
	struct delim_scan *s = &d->scan;
	size_t half = d->index_cap / 2, need = 1 + s->n_sep + more + 64;

	if (need > half) {
		size_t to = need < 2 * (PIECE + 128) ? 2 * (PIECE + 128) : need;
		uint32_t *fresh = xmalloc(2 * to * sizeof *fresh);

		if (d->index) {
			memcpy(fresh, d->index, (1 + (size_t)s->n_sep) * sizeof *fresh);
			memcpy(fresh + to, d->index + half, (size_t)s->n_nl * sizeof *fresh);
		}
		free(d->index);
		d->index = fresh;
		d->index_cap = 2 * to;
		half = to;
	}
	d->index[0] = (uint32_t)-1;
	s->sep = d->index + 1;
	s->nl = d->index + half;
}

/* Index the window at w until it has a whole record, or reason to take its first record alone. */
static void scan_window(struct delim_decoder *d, const char *w, size_t n)
{
	struct delim_scan *s = &d->scan;
	size_t from = 0;

	*s = (struct delim_scan){ .delim = s->delim, .before = 1 };
	if (n > RECORD_MAX + PIECE)
		n = RECORD_MAX + PIECE;
	do {
		size_t to = n - from < PIECE ? n : from + PIECE;

		index_room(d, to - from);
		d->scan_fn(s, w, from, to);
		from = to;
	} while (!s->n_nl && !s->odd && from < n && s->n_sep <= d->header->n && from <= d->base.opts.max_record);
}

/* Bytes used, and the lines in them. */
static void advance(struct delim_decoder *d, struct feed *f, size_t used)
{
	d->base.line += rows_newlines(f->p + f->at, used);
	f->at += used;
}

static bool skip_long(struct delim_decoder *d, struct feed *f)
{
	advance(d, f, d->format->skip(d, f->p + f->at, f->n - f->at));
	return !d->skip;
}

static void add_row(struct delim_decoder *d, struct feed *f, const char *p)
{
	const struct record *rec = &d->record;
	struct rows *r = &d->rows;

	if (rec->n != d->header->n) {
		ragged(d, f, p, rec->len, rec->n);
		return;
	}
	for (uint32_t c = 0; c < r->schema->n; c++)
		if (d->from[c] >= 0)
			rows_set(r, c, rec->cells[d->from[c]]);
	if (r->raw)
		r->raw[r->n] = v_text(p, rec->len);
	rows_line(r, d->base.line);
	rows_next(r, f);
}

/* Without its header a file says nothing, and a record must not be taken for it: the run ends. */
static void refuse_header(struct delim_decoder *d, struct feed *f, const char *why, const char *hint)
{
	const char *source = d->base.opts.source;

	f->stop = err_set(f->err, ERR_DATA, "%s:%llu: the header cannot be read: %s", source ? source : "-", (unsigned long long)d->base.line, why);
	err_hint(f->err, "%s", hint);
}

static bool wants_header(const struct delim_decoder *d) { return !d->past_first && !d->base.opts.no_header; }

/* The first record of the file makes the columns, and is itself one unless it is the header. */
static void add_record(struct delim_decoder *d, struct feed *f, const char *p)
{
	if (!d->past_first) {
		if (d->record.n > FIELDS_MAX) {
			refuse_header(d, f, "more than 1048576 fields", "say -i lines, or --delimiter");
			return;
		}
		d->past_first = true;
		delim_header(d, f->to);
		if (!d->base.opts.no_header)
			return;
	}
	add_row(d, f, p);
}

/* A quote opened and nothing closed it: the record's first line is bad, what comes after that line is tried again. */
static void add_open(struct delim_decoder *d, struct feed *f, const char *p, size_t n)
{
	uint64_t at = d->offset + f->at, line = d->base.line + rows_newlines(p, d->record.open_at);
	size_t max = d->base.opts.max_record, look = n > max ? max + 1 : n, len = 0;
	char why[80];

	if (at >= d->open_until) {
		d->open_until = at + look;
		d->open_tries = 0;
	}
	d->open_tries++;
	while (len < look && p[len] != '\n' && p[len] != '\r')
		len++;
	d->record.used = len < look ? len + 1 : look;
	if (len == look && n > max)
		d->skip = 1;
	snprintf(why, sizeof why, "quote opened at line %llu never closes", (unsigned long long)line);
	rows_bad(&d->rows, f, p, len < max ? len : max, d->base.line, why);
}

/* One record through format->one. False: its end is not there yet. */
static bool take_one(struct delim_decoder *d, struct feed *f)
{
	const char *p = f->p + f->at;
	size_t n = f->n - f->at;
	enum record_kind kind;

	d->record.n = 0;
	d->record.max_cells = d->past_first ? d->header->n : FIELDS_MAX;
	d->one_line = d->offset + f->at < d->open_until && d->open_tries >= OPEN_TRIES_MAX;
	kind = d->format->one(d, p, n, f->final);
	switch (kind) {
	case RECORD_MORE:
		return false;
	case RECORD_BLANK:
		break;
	case RECORD_OK:
		add_record(d, f, p);
		break;
	case RECORD_LONG:
		if (wants_header(d))
			refuse_header(d, f, rows_too_long(&d->rows), "--max-record sets the limit");
		else
			rows_bad(&d->rows, f, p, d->base.opts.max_record, d->base.line, rows_too_long(&d->rows));
		break;
	case RECORD_OPEN:
		if (wants_header(d))
			refuse_header(d, f, "a quote opens and never closes", "say --no-header if it is a record");
		else
			add_open(d, f, p, n);
		break;
	}
	advance(d, f, d->record.used);
	return true;
}

/* False: more input is needed. */
static bool step(struct delim_decoder *d, struct feed *f)
{
	size_t at = f->at;

	if (d->skip)
		return skip_long(d, f);
	if (!d->past_first || d->slow_only || (d->open_tries >= OPEN_TRIES_MAX && d->offset + at < d->open_until))
		return take_one(d, f);
	scan_window(d, f->p + at, f->n - at);
	take_records(d, f, f->p + at);
	return f->at > at || f->stop || take_one(d, f);
}

/* Drops a byte order mark. False: it is not all there yet. */
static bool begin(struct delim_decoder *d, struct feed *f)
{
	size_t n = f->n < 3 ? f->n : 3;

	if (d->begun)
		return true;
	if (memcmp(f->p, bom, n)) {
		d->begun = true;
	} else if (n == 3) {
		d->begun = true;
		f->at = 3;
	} else if (f->final) {
		d->begun = true;
	}
	return d->begun;
}

int delim_decode(struct decoder *b, const char *p, size_t n, bool final, const struct decode_to *to, size_t *used, struct err *e)
{
	struct delim_decoder *d = (struct delim_decoder *)b;
	struct feed f = { .p = p, .n = n, .final = final, .to = to, .err = e };

	if (n && begin(d, &f))
		while (f.at < f.n && !f.stop && step(d, &f))
			;
	if (d->past_first)
		rows_flush(&d->rows, &f);
	d->offset += f.at;
	*used = f.at;
	return f.stop;
}

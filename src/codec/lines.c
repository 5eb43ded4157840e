/* lines: a record is a line, its one field is `line`. */
#include <stdlib.h>

#include "codec/codec_list.h"
#include "codec/line_scan.h"
#include "codec/text_encode.h"

struct lines_decoder {
	struct decoder base;
	struct rows rows;
	struct line_reader reader;
	struct value *cells; /* where the lines go: the column, or the raw records; NULL: only their number matters */
};

/* The columns: `line` where it is asked for, null elsewhere. The raw records are the same cells. */
static void lines_columns(struct lines_decoder *l)
{
	static const char *const only[] = { "line" };
	const struct decode_opts *o = &l->base.opts;
	int at;

	rows_schema(&l->rows, o->all ? rows_names(only, 1) : rows_names(o->fields, o->n_fields));
	at = schema_find(l->rows.schema, "line", 4);
	for (uint32_t c = 0; c < l->rows.schema->n; c++)
		if ((int)c != at)
			l->rows.cols[c] = (struct column){ .type = T_NULL, .has_null = true };
	l->cells = at >= 0 ? rows_col(&l->rows, (uint32_t)at) : l->rows.raw;
	if (l->rows.raw)
		l->rows.raw = l->cells;
}

static struct decoder *lines_open(const struct decode_opts *o, struct err *e)
{
	struct lines_decoder *l = xcalloc(1, sizeof *l);

	(void)e;
	l->base.def = &lines_codec;
	l->base.opts = *o;
	l->base.line = 1;
	rows_init(&l->rows, &l->base);
	line_reader_init(&l->reader, simd_level());
	lines_columns(l);
	return &l->base;
}

/* As many of the lines found ahead as fit the batch and the limit; f->at behind them. Returns their number. */
static uint32_t take_found(struct lines_decoder *l, struct feed *f)
{
	struct line_reader *rd = &l->reader;
	uint32_t room = l->rows.cap - l->rows.n, n = rd->n - rd->i, k;
	const uint32_t *end = rd->ends + rd->i;
	size_t from = (size_t)(f->p + f->at - rd->base), max = l->base.opts.max_record;
	struct value *v = l->cells ? l->cells + l->rows.n : NULL;

	if (rd->skip)
		return 0;
	if (n > room)
		n = room;
	for (k = 0; k < n && end[k] - from <= max; k++) {
		if (v)
			v[k] = v_text(rd->base + from, end[k] - from);
		from = (size_t)end[k] + 1;
	}
	rd->i += k;
	f->at = (size_t)(rd->base + from - f->p);
	return k;
}

static int add_rows(struct lines_decoder *l, struct feed *f, uint32_t k)
{
	rows_line(&l->rows, l->base.line);
	l->base.line += k;
	l->base.n_records += k;
	l->rows.n += k;
	return l->rows.n < l->rows.cap ? 0 : rows_flush(&l->rows, f);
}

/* One line by the slow way: the first of a stretch, one at the end of input, one after a long one. */
static bool add_one(struct lines_decoder *l, struct feed *f)
{
	struct value line;

	if (!line_next(&l->reader, &l->rows, f, &line))
		return false;
	if (l->cells)
		l->cells[l->rows.n] = line;
	rows_line(&l->rows, l->base.line - 1);
	return !rows_next(&l->rows, f);
}

/* Nobody looks at the lines and none can be over the limit: count them. */
static void count_lines(struct lines_decoder *l, struct feed *f)
{
	const char *p = f->p + f->at;
	size_t n = f->n - f->at, left = l->reader.ops->count(p, n);
	const char *last = memrchr(p, '\n', n);

	f->at += last ? (size_t)(last + 1 - p) : 0;
	while (left && !f->stop) {
		uint32_t room = l->rows.cap - l->rows.n, k = left < room ? (uint32_t)left : room;

		add_rows(l, f, k);
		left -= k;
	}
	if (f->final && f->at < f->n && !f->stop) {
		f->at = f->n;
		add_rows(l, f, 1);
		l->base.line--; /* no line end was read */
	}
}

static int lines_decode(struct decoder *d, const char *p, size_t n, bool final, const struct decode_to *to, size_t *used,
			struct err *e)
{
	struct lines_decoder *l = (struct lines_decoder *)d;
	struct feed f = { .p = p, .n = n, .final = final, .to = to, .err = e };
	uint32_t k;

	line_reader_feed(&l->reader, &f);
	if (!l->cells && !l->reader.skip && n <= d->opts.max_record) {
		if (n)
			count_lines(l, &f);
	} else {
		do {
			k = take_found(l, &f);
			if (k)
				add_rows(l, &f, k);
		} while (!f.stop && add_one(l, &f));
	}
	rows_flush(&l->rows, &f);
	*used = f.at;
	return f.stop;
}

static void lines_restart(struct decoder *d, const char *source)
{
	struct lines_decoder *l = (struct lines_decoder *)d;

	d->opts.source = source;
	d->line = 1;
	l->reader.skip = false;
}

static void lines_save(const struct decoder *b, struct buf *out) { buf_char(out, (char)((const struct lines_decoder *)b)->reader.skip); }

static int lines_load(struct decoder *b, const char *p, size_t n)
{
	if (n != 1)
		return -1;
	((struct lines_decoder *)b)->reader.skip = *p;
	return 0;
}

static void lines_close(struct decoder *d)
{
	struct lines_decoder *l = (struct lines_decoder *)d;

	if (!l)
		return;
	rows_release(&l->rows);
	arena_release(&d->arena);
	arena_release(&d->keep);
	free(l);
}

static struct encoder *lines_open_out(const struct encode_opts *o, struct err *e)
{
	(void)e;
	return text_open(sizeof(struct text_encoder), &lines_codec, o);
}

static int which_field(const struct schema *s) { return s->n == 1 ? 0 : schema_find(s, "line", 4); }

static int lines_encode(struct encoder *c, const struct batch *b, struct buf *out, struct err *e)
{
	const struct column *col;
	int at;

	c->n_records += b->n_sel;
	if (c->opts.verbatim && b->raw) {
		text_verbatim(b, out);
		return 0;
	}
	at = which_field(b->schema);
	if (at < 0 && b->n_sel) {
		err_set(e, ERR_USAGE, "lines: the record has %u fields and none is \"line\"", b->schema->n);
		return err_hint(e, "keep one field, or choose another output format with -o");
	}
	if (!b->n_sel)
		return 0;
	col = &b->cols[at];
	if (!col->constant && (col->type == T_TEXT || col->type == T_STR || col->type == T_NUM)) {
		text_lines(col->v, b, out);
		return 0;
	}
	BATCH_EACH(b->sel, b->n_sel, row)
	{
		struct value v = column_get(col, row);

		value_print(out, &v, &c->opts.format);
		buf_char(out, '\n');
	}
	return 0;
}

const struct codec_def lines_codec = {
	.doc = {
		.name = "lines",
		.aliases = "text raw",
		.synopsis = "-i lines, -o lines",
		.summary = "each line is a record with one field, line",
		.text = "The bytes of a line are kept as they are, a carriage return at its end and bytes that are not UTF-8 included. A last "
			"line without a newline counts. Reading never fails; only a line longer than --max-record is a bad record.\n\n"
			"Written are the bytes of the field line, or of the only field, and a newline.",
		.group = "formats",
		.examples = {
			{ "-i lines 'filter line != \"b\"'", "a\nb\nc\n", "a\nc\n", "lines go out as they came" },
			{ "-i lines -o lines 'map n = length(line)'", "one\nthree\n", "3\n5\n", "the only field, whatever its name" },
		},
	},
	.extensions = "txt log text",
	.open = lines_open,
	.decode = lines_decode,
	.restart = lines_restart,
	.close = lines_close,
	.save = lines_save,
	.load = lines_load,
	.open_out = lines_open_out,
	.encode = lines_encode,
	.flush = text_flush_none,
	.close_out = text_close,
};

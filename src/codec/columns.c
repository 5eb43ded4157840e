/* columns: awk's fields. A line is split at runs of blanks (space, tab); blanks at its ends and a carriage return before its line
 * feed do not count. Fields are called 1, 2, 3 ..., or as --header says, those beyond the names by their position. A line of
 * nothing but blanks is a record without fields, as in awk. */
#include <stdlib.h>

#include "codec/codec_list.h"
#include "codec/line_scan.h"
#include "codec/text_encode.h"

#define SCHEMAS_KEPT 64

struct columns_decoder {
	struct decoder base;
	struct rows rows;
	struct line_reader reader;
	uint32_t *at;  /* projection: batch column -> field of the line, from 0; UINT32_MAX none */
	uint32_t need; /* fields of a line to look at */
	struct value *cells;
	size_t cells_cap;
	const struct schema *by_count[SCHEMAS_KEPT]; /* all fields: the schema of lines with so many of them */
	bool begun;
};

/* The field that a name means, or UINT32_MAX. */
static uint32_t field_of(const struct decode_opts *o, const char *name)
{
	struct num v;

	for (uint32_t i = 0; o->header && i < o->n_header; i++)
		if (!strcmp(o->header[i], name))
			return i;
	if (name[0] < '1' || name[0] > '9' || num_parse(name, strlen(name), &v) != NUM_INT ||
	    strspn(name, "0123456789") != strlen(name))
		return UINT32_MAX;
	if (v.i > FIELDS_MAX || (o->header && v.i <= o->n_header))
		return UINT32_MAX;
	return (uint32_t)v.i - 1;
}

static void project(struct columns_decoder *d)
{
	const struct decode_opts *o = &d->base.opts;

	rows_schema(&d->rows, rows_names(o->fields, o->n_fields));
	d->at = xmalloc((o->n_fields + 1) * sizeof *d->at);
	d->need = 0;
	for (uint32_t c = 0; c < o->n_fields; c++) {
		d->at[c] = field_of(o, o->fields[c]);
		if (d->at[c] == UINT32_MAX)
			d->rows.cols[c] = (struct column){ .type = T_NULL, .has_null = true };
		else if (d->at[c] >= d->need)
			d->need = d->at[c] + 1;
	}
}

static struct decoder *columns_open(const struct decode_opts *o, struct err *e)
{
	struct columns_decoder *d = xcalloc(1, sizeof *d);

	(void)e;
	d->base.def = &columns_codec;
	d->base.opts = *o;
	d->base.line = 1;
	rows_init(&d->rows, &d->base);
	line_reader_init(&d->reader, simd_level());
	d->need = FIELDS_MAX + 1;
	if (!o->all)
		project(d);
	return &d->base;
}

static bool blank(char c) { return c == ' ' || c == '\t'; }

/* Splits off at most d->need fields; returns their number. */
static uint32_t split(struct columns_decoder *d, const char *p, size_t n)
{
	const char *end = p + n;
	uint32_t k = 0;

	for (; k < d->need; k++) {
		const char *from;

		while (p < end && blank(*p))
			p++;
		if (p == end)
			break;
		for (from = p; p < end && !blank(*p);)
			p++;
		d->cells = xgrow(d->cells, &d->cells_cap, (size_t)k + 1, sizeof *d->cells);
		d->cells[k] = v_text(from, (size_t)(p - from));
	}
	return k;
}

static const struct schema *names_of(const struct decode_opts *o, uint32_t n)
{
	const char **names = xmalloc((n + 1) * sizeof *names);
	struct arena a = { 0 };
	const struct schema *s;

	for (uint32_t i = 0; i < n; i++)
		names[i] = rows_field_name(&a, o->header, o->header ? o->n_header : 0, i);
	s = rows_names(names, n);
	arena_release(&a);
	free(names);
	return s;
}

static const struct schema *schema_for(struct columns_decoder *d, uint32_t n)
{
	if (n >= SCHEMAS_KEPT)
		return names_of(&d->base.opts, n);
	if (!d->by_count[n])
		d->by_count[n] = names_of(&d->base.opts, n);
	return d->by_count[n];
}

/* All fields: another number of them begins another batch. */
static int add_all(struct columns_decoder *d, struct feed *f, uint32_t n)
{
	if (!d->begun || d->rows.schema->n != n) {
		if (rows_flush(&d->rows, f))
			return f->stop;
		rows_schema(&d->rows, schema_for(d, n));
		d->begun = true;
	}
	for (uint32_t c = 0; c < n; c++)
		rows_set(&d->rows, c, d->cells[c]);
	return 0;
}

static void add_projected(struct columns_decoder *d, uint32_t n)
{
	for (uint32_t c = 0; c < d->rows.schema->n; c++)
		if (d->at[c] != UINT32_MAX)
			rows_set(&d->rows, c, d->at[c] < n ? d->cells[d->at[c]] : v_null());
}

static void add_line(struct columns_decoder *d, struct feed *f, const struct value *v)
{
	size_t len = v->n - (v->n && v->s[v->n - 1] == '\r');
	uint32_t n = split(d, v->s, len);

	if (n > FIELDS_MAX) {
		rows_bad(&d->rows, f, v->s, len, d->base.line - 1, "more than 1048576 fields");
		return;
	}
	if (!d->base.opts.all)
		add_projected(d, n);
	else if (add_all(d, f, n))
		return;
	if (d->rows.raw)
		d->rows.raw[d->rows.n] = v_text(v->s, len);
	rows_line(&d->rows, d->base.line - 1);
	rows_next(&d->rows, f);
}

static int columns_decode(struct decoder *b, const char *p, size_t n, bool final, const struct decode_to *to, size_t *used,
			  struct err *e)
{
	struct columns_decoder *d = (struct columns_decoder *)b;
	struct feed f = { .p = p, .n = n, .final = final, .to = to, .err = e };
	struct value line;

	line_reader_feed(&d->reader, &f);
	while (line_next(&d->reader, &d->rows, &f, &line))
		add_line(d, &f, &line);
	rows_flush(&d->rows, &f);
	*used = f.at;
	return f.stop;
}

static void columns_restart(struct decoder *b, const char *source)
{
	b->opts.source = source;
	b->line = 1;
	((struct columns_decoder *)b)->reader.skip = false;
}

static void columns_save(const struct decoder *b, struct buf *out) { buf_char(out, (char)((const struct columns_decoder *)b)->reader.skip); }

static int columns_load(struct decoder *b, const char *p, size_t n)
{
	if (n != 1)
		return -1;
	((struct columns_decoder *)b)->reader.skip = *p;
	return 0;
}

static void columns_close(struct decoder *b)
{
	struct columns_decoder *d = (struct columns_decoder *)b;

	if (!d)
		return;
	rows_release(&d->rows);
	free(d->at);
	free(d->cells);
	arena_release(&b->arena);
	arena_release(&b->keep);
	free(d);
}

static struct encoder *columns_open_out(const struct encode_opts *o, struct err *e)
{
	(void)e;
	return text_open(sizeof(struct text_encoder), &columns_codec, o);
}

static void put_cell(struct text_encoder *t, const struct column *c, uint32_t row, struct buf *out)
{
	struct value v = c ? column_get(c, row) : v_null();
	size_t n;
	const char *p = text_cell(t, &v, &n);

	buf_add(out, n ? p : "-", n ? n : 1);
}

/* Without a column list every record has its own columns: there is no header to hold them to. */
static int columns_encode(struct encoder *c, const struct batch *b, struct buf *out, struct err *e)
{
	struct text_encoder *t = (struct text_encoder *)c;
	uint32_t n;

	(void)e;
	c->n_records += b->n_sel;
	if (c->opts.verbatim && b->raw) {
		text_verbatim(b, out);
		return 0;
	}
	if (c->opts.fields)
		text_map(t, b);
	n = c->opts.fields ? t->header->n : b->schema->n;
	BATCH_EACH(b->sel, b->n_sel, row)
	{
		for (uint32_t i = 0; i < n; i++) {
			if (i)
				buf_char(out, ' ');
			put_cell(t, c->opts.fields ? text_column(t, b, i) : &b->cols[i], row, out);
		}
		buf_char(out, '\n');
	}
	return 0;
}

const struct codec_def columns_codec = {
	.doc = {
		.name = "columns",
		.aliases = "awk nidx",
		.synopsis = "-i columns, -o columns [--header a,b,c]",
		.summary = "awk's fields: split at runs of blanks, called 1, 2, 3 ...",
		.text = "Blanks are spaces and tabs; those at the ends of a line do not count. Records may have different numbers of fields; a field "
			"that a line lacks is null. With --header the fields are called so, those beyond the names by their position. In "
			"expressions field 1 is written $1 or @record[\"1\"].\n\n"
			"Written are the values with one space between them, null and the empty string as -.",
		.group = "formats",
		.params = { { "--header", "names", NULL, NULL, "names of the fields" } },
		.examples = {
			{ "-i columns --header user,pid 'map pid'", "root   1 init\nmail  77\n", "1\n77\n", "the third field would be called 3" },
			{ "-i columns -o json", " a  b\nc\n", "{\"1\":\"a\",\"2\":\"b\"}\n{\"1\":\"c\"}\n", "fields are numbered" },
		},
	},
	.open = columns_open,
	.decode = columns_decode,
	.restart = columns_restart,
	.close = columns_close,
	.save = columns_save,
	.load = columns_load,
	.open_out = columns_open_out,
	.encode = columns_encode,
	.flush = text_flush_none,
	.close_out = text_close,
};

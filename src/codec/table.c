/* table: aligned columns for people. Rows are held until the micro-batch ends, so that widths fit all of them; past
 * TABLE_ROWS_MAX rows or TABLE_BYTES_MAX bytes the widths stay as they are and the rest streams. */
#include <stdlib.h>

#include "base/utf8.h"
#include "codec/codec_list.h"
#include "codec/rows.h"
#include "codec/text_encode.h"

#define TABLE_ROWS_MAX 10000
#define TABLE_BYTES_MAX ((size_t)16 << 20)
/* No column is made narrower than this to fit the terminal. */
#define TABLE_COL_MIN 4

static const char gap[] = "  ", none[] = "-", cut_mark[] = "\xE2\x80\xA6";

struct cell {
	const char *s; /* printable; NULL: null */
	uint32_t n, width;
};

struct table_col {
	uint32_t width;
	bool text; /* some value is not a number: left-aligned */
};

struct table_encoder {
	struct text_encoder base;
	struct arena arena; /* of the rows held */
	struct cell *cells; /* header->n for each row */
	size_t cells_cap, bytes;
	uint32_t n_rows;
	struct table_col *cols;
	size_t cols_cap;
	bool fixed;   /* widths are settled and the header is printed */
	bool printed; /* an earlier table is on the screen */
	struct buf clean;
};

static struct encoder *table_open_out(const struct encode_opts *o, struct err *e)
{
	(void)e;
	return text_open(sizeof(struct table_encoder), &table_codec, o);
}

static void table_close(struct encoder *c)
{
	struct table_encoder *t = (struct table_encoder *)c;

	if (t) {
		arena_release(&t->arena);
		buf_release(&t->clean);
		free(t->cells);
		free(t->cols);
	}
	text_close(c);
}

/* One character as it may go to a terminal: control characters as escapes, malformed bytes as U+FFFD. Returns the bytes read. */
static size_t put_clean(struct buf *out, const char *p, size_t n)
{
	uint32_t cp;
	unsigned len = utf8_decode(p, n, &cp);

	if (cp == '\n' || cp == '\t' || cp == '\r')
		buf_str(out, cp == '\n' ? "\\n" : cp == '\t' ? "\\t" : "\\r");
	else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		buf_printf(out, "\\x%02x", (unsigned)cp);
	else if (len == 1 && cp >= 0xDC00)
		buf_str(out, "\xEF\xBF\xBD");
	else
		buf_add(out, p, len);
	return len;
}

static bool is_plain(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x20 || (unsigned char)p[i] >= 0x7f)
			return false;
	return true;
}

/* Printable text and its width; the bytes are p's own or in t->clean. */
static struct cell clean(struct table_encoder *t, const char *p, size_t n)
{
	if (is_plain(p, n))
		return (struct cell){ p, (uint32_t)n, (uint32_t)n };
	t->clean.n = 0;
	for (size_t i = 0; i < n;)
		i += put_clean(&t->clean, p + i, n - i);
	return (struct cell){ t->clean.p, (uint32_t)t->clean.n, (uint32_t)utf8_width(t->clean.p, t->clean.n) };
}

static void pad(struct buf *out, uint32_t n)
{
	if (!n)
		return;
	memset(buf_room(out, n), ' ', n);
	buf_took(out, n);
}

/* The cell cut to `width` columns, the last of them the cut mark. */
static void put_cut(struct buf *out, const struct cell *c, uint32_t width)
{
	uint32_t used = 0;
	size_t i = 0;

	while (i < c->n) {
		uint32_t cp;
		size_t len = utf8_decode(c->s + i, c->n - i, &cp), w = utf8_width(c->s + i, len);

		if (used + w > width - 1)
			break;
		used += (uint32_t)w;
		i += len;
	}
	buf_add(out, c->s, i);
	buf_str(out, cut_mark);
	pad(out, width - 1 - used);
}

static void put_cell(struct buf *out, const struct cell *c, const struct table_col *col, bool last)
{
	struct cell null = { none, 1, 1 };
	uint32_t room;

	if (!c->s)
		c = &null;
	room = c->width < col->width ? col->width - c->width : 0;
	if (!col->text)
		pad(out, room);
	buf_add(out, c->s, c->n);
	if (col->text && !last)
		pad(out, room);
}

static void put_row(struct table_encoder *t, struct buf *out, const struct cell *row)
{
	uint32_t n = t->base.header->n;

	for (uint32_t c = 0; c < n; c++) {
		if (c)
			buf_str(out, gap);
		if (t->base.base.opts.width && row[c].width > t->cols[c].width)
			put_cut(out, &row[c], t->cols[c].width);
		else
			put_cell(out, &row[c], &t->cols[c], c == n - 1);
	}
	buf_char(out, '\n');
}

static struct cell name_cell(struct table_encoder *t, uint32_t c)
{
	const struct schema *h = t->base.header;

	return clean(t, h->names[c], h->name_n[c]);
}

static void put_rule(struct table_encoder *t, struct buf *out)
{
	for (uint32_t c = 0; c < t->base.header->n; c++) {
		char *d;

		if (c)
			buf_str(out, gap);
		d = buf_room(out, t->cols[c].width);
		memset(d, '-', t->cols[c].width);
		buf_took(out, t->cols[c].width);
	}
	buf_char(out, '\n');
}

static void put_header(struct table_encoder *t, struct buf *out)
{
	const struct encode_opts *o = &t->base.base.opts;
	uint32_t n = t->base.header->n;

	if (t->printed)
		buf_char(out, '\n');
	t->printed = true;
	if (o->no_header)
		return;
	if (o->color)
		buf_str(out, "\033[1m");
	for (uint32_t c = 0; c < n; c++) {
		struct cell name = name_cell(t, c);

		if (c)
			buf_str(out, gap);
		if (name.width > t->cols[c].width)
			put_cut(out, &name, t->cols[c].width);
		else
			put_cell(out, &name, &t->cols[c], c == n - 1);
	}
	buf_str(out, o->color ? "\033[0m\n" : "\n");
	if (!o->color)
		put_rule(t, out);
}

/* Sum of the widths when none is over `most`. */
static uint64_t total(const struct table_encoder *t, uint32_t most)
{
	uint64_t sum = 0;

	for (uint32_t c = 0; c < t->base.header->n; c++)
		sum += t->cols[c].width < most ? t->cols[c].width : most;
	return sum;
}

/* Makes the widest columns narrower, down to TABLE_COL_MIN, until a row fits the terminal; what is left over goes to the first of
 * them. */
static void fit(struct table_encoder *t)
{
	uint32_t n = t->base.header->n, width = t->base.base.opts.width, most = TABLE_COL_MIN;
	uint64_t gaps = (uint64_t)(n - 1) * strlen(gap), left;

	if (!width || total(t, UINT32_MAX) + gaps <= width)
		return;
	while (most < width && total(t, most + 1) + gaps <= width)
		most++;
	left = total(t, most) + gaps < width ? width - (total(t, most) + gaps) : 0;
	for (uint32_t c = 0; c < n; c++) {
		if (t->cols[c].width <= most)
			continue;
		t->cols[c].width = most + (left > 0);
		left -= left > 0;
	}
}

static void begin_table(struct table_encoder *t)
{
	uint32_t n = t->base.header->n;

	t->cols = xgrow(t->cols, &t->cols_cap, n, sizeof *t->cols);
	for (uint32_t c = 0; c < n; c++) {
		bool show = !t->base.base.opts.no_header;

		t->cols[c] = (struct table_col){ .width = show ? name_cell(t, c).width : 1 };
	}
	t->n_rows = 0;
	t->bytes = 0;
	t->fixed = false;
	arena_reset(&t->arena);
}

/* Header and the rows held; from here on widths are fixed. */
static void put_held(struct table_encoder *t, struct buf *out)
{
	uint32_t n = t->base.header->n;

	fit(t);
	put_header(t, out);
	for (uint32_t i = 0; i < t->n_rows; i++)
		put_row(t, out, t->cells + (size_t)i * n);
	t->fixed = true;
}

static bool looks_number(const struct value *v)
{
	struct num num;

	return v->type == T_NULL || v->type == T_INT || v->type == T_FLOAT || v->type == T_NUM || value_num(v, &num) != NUM_NOT;
}

static void hold_cell(struct table_encoder *t, struct cell *cell, struct table_col *col, const struct value *v)
{
	if (!cell->s) {
		*cell = (struct cell){ NULL, 0, 1 };
	} else {
		cell->s = arena_copy(&t->arena, cell->s, cell->n);
		t->bytes += cell->n;
	}
	if (col->width < cell->width)
		col->width = cell->width;
	col->text |= !looks_number(v);
}

/* A row: held, or written when the widths are fixed (its cells then live only until the next one is made). */
static void add_row(struct table_encoder *t, const struct batch *b, uint32_t row, struct buf *out)
{
	uint32_t n = t->base.header->n;
	struct cell *cells;

	t->cells = xgrow(t->cells, &t->cells_cap, ((size_t)t->n_rows + 1) * n, sizeof *t->cells);
	cells = t->cells + (size_t)t->n_rows * n;
	for (uint32_t c = 0; c < n; c++) {
		const struct column *col = text_column(&t->base, b, c);
		struct value v = col ? column_get(col, row) : v_null();
		size_t len;
		const char *p = text_cell(&t->base, &v, &len);

		cells[c] = p ? clean(t, p, len) : (struct cell){ NULL, 0, 1 };
		if (!t->fixed)
			hold_cell(t, &cells[c], &t->cols[c], &v);
		else if (p)
			cells[c].s = arena_copy(&t->arena, cells[c].s, cells[c].n);
	}
	if (t->fixed) {
		put_row(t, out, cells);
		arena_reset(&t->arena);
	} else if (++t->n_rows >= TABLE_ROWS_MAX || t->bytes > TABLE_BYTES_MAX) {
		put_held(t, out);
		t->n_rows = 0;
		arena_reset(&t->arena);
	}
}

static int table_encode(struct encoder *c, const struct batch *b, struct buf *out, struct err *e)
{
	struct table_encoder *t = (struct table_encoder *)c;

	(void)e;
	c->n_records += b->n_sel;
	if (!text_map(&t->base, b) || !t->base.header->n || !b->n_sel)
		return 0;
	if (!t->base.header_done) {
		t->base.header_done = true;
		begin_table(t);
	}
	BATCH_EACH(b->sel, b->n_sel, row)
	{
		add_row(t, b, row, out);
	}
	return 0;
}

/* The table of a micro-batch. The next one has its own header and widths; one without records prints nothing. */
static int table_flush(struct encoder *c, struct buf *out, bool last, struct err *e)
{
	struct table_encoder *t = (struct table_encoder *)c;

	(void)last;
	(void)e;
	if (!t->base.header_done)
		return 0;
	if (!t->fixed)
		put_held(t, out);
	t->base.header_done = false;
	if (!c->opts.fields)
		t->base.header = t->base.seen = NULL;
	return 0;
}

const struct codec_def table_codec = {
	.doc = {
		.name = "table",
		.synopsis = "-o table",
		.summary = "aligned columns for people (output only)",
		.text = "Columns of numbers stand to the right, all others to the left; widths count terminal columns, so wide and combining characters "
			"line up. Null is -, lists and objects are JSON, control characters are escaped. On a terminal the header is bold, elsewhere "
			"it is underlined, and cells are cut to the terminal's width with an ellipsis. Each micro-batch is a table of its own; "
			"after 10000 rows the widths stay as they are.",
		.group = "formats",
		.examples = {
			{ "-i csv -o table", "name,n\npear,3\nfig,12\n", "name   n\n----  --\npear   3\nfig   12\n", "numbers to the right" },
		},
	},
	.open_out = table_open_out,
	.encode = table_encode,
	.flush = table_flush,
	.close_out = table_close,
};

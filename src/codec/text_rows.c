#include "codec/text_rows.h"

#include <stdlib.h>

#define SIMD_BODY "codec/text_rows.inc.h"
#include "base/simd_levels.h"

text_copy_fn *text_copy_fn_at(enum simd_level level)
{
	static text_copy_fn *const fn[SIMD_LEVELS] = SIMD_TABLE(text_copy);

	return fn[level];
}

/* How the cells of a column are written; decided once per batch. */
enum cell_kind { CELL_NONE, CELL_TEXT, CELL_INT, CELL_FLOAT, CELL_ANY };

struct text_rows_col {
	const struct column *col;
	enum cell_kind kind;
};

static void make_needles(struct text_needles *k, const struct text_style *s)
{
	k->needle[0] = s->delim;
	memcpy(k->needle + 1, s->others, sizeof s->others);
	for (int i = 0; i < TEXT_NEEDLES; i++)
		k->special[(uint8_t)k->needle[i]] |= TEXT_SPECIAL;
	for (const char *p = s->ends; *p; p++)
		k->special[(uint8_t)*p] |= TEXT_AT_ENDS;
}

struct encoder *text_rows_open(const struct codec_def *def, const struct encode_opts *o, struct text_style style)
{
	struct text_rows *t = (struct text_rows *)text_open(sizeof *t, def, o);
	char c = style.delim;

	t->style = style;
	t->copy = text_copy_fn_at(simd_level());
	make_needles(&t->needles, &style);
	t->plain_scalars = !(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z') && !memchr("+-.:", c, 4);
	return &t->base.base;
}

void text_rows_close(struct encoder *c)
{
	if (c)
		free(((struct text_rows *)c)->cols);
	text_close(c);
}

static inline void put_text(const struct text_rows *t, struct buf *out, const char *p, size_t n)
{
	char *d;

	if (!n) {
		buf_str(out, t->style.empty);
		return;
	}
	d = buf_room(out, n + 64);
	if (likely(!t->copy(d, p, n, &t->needles)))
		buf_took(out, n);
	else
		t->style.escape(out, p, n);
}

static void put_any(struct text_rows *t, struct buf *out, const struct value *v)
{
	size_t n;
	const char *p = text_cell(&t->base, v, &n);

	if (p)
		put_text(t, out, p, n);
}

static enum cell_kind cell_kind(const struct text_rows *t, const struct column *c)
{
	bool plain = t->plain_scalars && !t->base.base.opts.format.ofmt;

	if (!c || c->type == T_NULL)
		return CELL_NONE;
	switch (c->type) {
	case T_TEXT:
	case T_STR:
	case T_NUM:
		return CELL_TEXT;
	case T_INT:
		return t->plain_scalars ? CELL_INT : CELL_ANY;
	case T_FLOAT:
		return plain ? CELL_FLOAT : CELL_ANY;
	default:
		return CELL_ANY;
	}
}

static void put_cell(struct text_rows *t, const struct text_rows_col *k, struct buf *out, uint32_t row)
{
	const struct column *c = k->col;
	uint32_t at = k->kind != CELL_NONE && c->constant ? 0 : row;
	struct value v;

	switch (k->kind) {
	case CELL_NONE:
		break;
	case CELL_TEXT:
		if (c->v[at].type != T_NULL)
			put_text(t, out, c->v[at].s, c->v[at].n);
		break;
	case CELL_INT:
		if (!c->valid || bit_get(c->valid, at))
			buf_took(out, num_format_int(c->i[at], buf_room(out, NUM_MAX)));
		break;
	case CELL_FLOAT:
		if (!c->valid || bit_get(c->valid, at))
			buf_took(out, num_format_double(c->f[at], buf_room(out, NUM_MAX)));
		break;
	case CELL_ANY:
		v = column_get(c, row);
		put_any(t, out, &v);
		break;
	}
}

static void put_header(struct text_rows *t, struct buf *out)
{
	const struct schema *h = t->base.header;

	if (t->base.header_done)
		return;
	t->base.header_done = true;
	if (t->base.base.opts.no_header || !h->n)
		return;
	for (uint32_t c = 0; c < h->n; c++) {
		if (c)
			buf_char(out, t->style.delim);
		put_text(t, out, h->names[c], h->name_n[c]);
	}
	buf_char(out, '\n');
}

static inline void put_row(struct text_rows *t, struct buf *out, uint32_t n, uint32_t row)
{
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_char(out, t->style.delim);
		put_cell(t, &t->cols[i], out, row);
	}
}

/* A row of one null would be a blank line, which is no record. */
static void put_lone_cell(struct text_rows *t, struct buf *out, uint32_t row)
{
	size_t before = out->n;

	put_cell(t, &t->cols[0], out, row);
	if (out->n == before)
		buf_str(out, t->style.empty);
}

static void prepare(struct text_rows *t, const struct batch *b)
{
	uint32_t n = t->base.header->n;

	t->cols = xgrow(t->cols, &t->cols_cap, n, sizeof *t->cols);
	for (uint32_t c = 0; c < n; c++) {
		t->cols[c].col = text_column(&t->base, b, c);
		t->cols[c].kind = cell_kind(t, t->cols[c].col);
	}
}

int text_rows_encode(struct encoder *c, const struct batch *b, struct buf *out, struct err *e)
{
	struct text_rows *t = (struct text_rows *)c;
	uint32_t n;

	(void)e;
	c->n_records += b->n_sel;
	if (!text_map(&t->base, b))
		return 0;
	put_header(t, out);
	if (c->opts.verbatim && b->raw && b->schema == t->base.header) {
		text_verbatim(b, out);
		return 0;
	}
	prepare(t, b);
	n = t->base.header->n;
	BATCH_EACH(b->sel, b->n_sel, row)
	{
		if (n == 1)
			put_lone_cell(t, out, row);
		else
			put_row(t, out, n, row);
		buf_char(out, '\n');
	}
	return 0;
}

int text_rows_flush(struct encoder *c, struct buf *out, bool last, struct err *e)
{
	struct text_rows *t = (struct text_rows *)c;

	(void)e;
	if (last && t->base.header)
		put_header(t, out);
	return 0;
}

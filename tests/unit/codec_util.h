/* Decoding into text that can be compared: for the tests and fuzz targets of the formats.
 *
 * A record is `line:name=value|name=value`, null is ~, true is !; a bad record is `line!reason[raw]`. */
#ifndef STRM_CODEC_UTIL_H
#define STRM_CODEC_UTIL_H
#include <stdlib.h>

#include "codec/codec.h"

struct dump {
	struct buf text;
	bool names;    /* write field names */
	bool raw;      /* write the raw bytes of bad records and of records */
	bool no_lines; /* leave out the line of a record */
	int stop_at;   /* emit says stop at this batch, 0: never */
	uint64_t rows, bad;
};

__attribute__((unused)) static void dump_value(struct buf *b, const struct value *v)
{
	if (v->type == T_NULL)
		buf_char(b, '~');
	else if (v->type == T_BOOL)
		buf_char(b, '!');
	else
		buf_add(b, v->s, v->n);
}

__attribute__((unused)) static void dump_row(struct dump *d, const struct batch *b, uint32_t row)
{
	const struct origin *o = &b->origin;

	if (!d->no_lines)
		buf_printf(&d->text, "%llu:", (unsigned long long)(o->line_base + (o->line ? o->line[row] : row)));
	for (uint32_t c = 0; c < b->schema->n; c++) {
		struct value v = column_get(&b->cols[c], row);

		if (c)
			buf_char(&d->text, '|');
		if (d->names)
			buf_printf(&d->text, "%s=", b->schema->names[c]);
		dump_value(&d->text, &v);
		if (v.type == T_NULL && !b->cols[c].has_null)
			buf_str(&d->text, "<null in a column without nulls>");
	}
	if (b->raw && d->raw) {
		buf_str(&d->text, " raw ");
		buf_add(&d->text, b->raw[row].s, b->raw[row].n);
	}
	buf_char(&d->text, '\n');
}

__attribute__((unused)) static int dump_emit(void *ctx, struct batch *b, struct err *e)
{
	struct dump *d = ctx;

	(void)e;
	BATCH_EACH(b->sel, b->n_sel, row)
	{
		dump_row(d, b, row);
	}
	d->rows += b->n_sel;
	return d->stop_at && --d->stop_at == 0;
}

__attribute__((unused)) static int dump_bad(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason,
					    struct err *e)
{
	struct dump *d = ctx;

	(void)e;
	d->bad++;
	buf_printf(&d->text, "%llu!%s", (unsigned long long)line, reason);
	if (d->raw) {
		buf_char(&d->text, '[');
		buf_add(&d->text, raw, n);
		buf_char(&d->text, ']');
	}
	buf_char(&d->text, '\n');
	return 0;
}

/* Feed p[0..n) to a decoder in pieces of `cut` bytes (0: whole), each time with the rest of the piece before in front, from
 * memory that ends right after its slack. Returns what decode returned last; *total: the bytes used. */
__attribute__((unused)) static int feed_all(struct decoder *d, const char *p, size_t n, size_t cut, struct dump *out,
					    size_t *total)
{
	struct decode_to to = { .emit = dump_emit, .bad = dump_bad, .ctx = out };
	struct err e = { 0 };
	size_t have = 0, used = 0;
	int r = 0;

	*total = 0;
	while (r == 0 && *total + have <= n) {
		size_t left = n - *total - have, take = !cut || cut > left ? left : cut;
		bool final = take == left;
		char *block = malloc(have + take + MEM_SLACK);

		have += take;
		memcpy(block, p + *total, have);
		memset(block + have, '"', MEM_SLACK);
		r = d->def->decode(d, block, have, final, &to, &used, &e);
		free(block);
		*total += used;
		have -= used;
		if (final)
			break;
	}
	return r;
}

/* Decode all of it; the dump is a NUL-terminated string, owned by the caller. */
__attribute__((unused)) static char *decode_dump(const struct codec_def *def, const struct decode_opts *o, const char *p,
						 size_t n, size_t cut)
{
	struct dump out = { .names = o->all, .raw = true };
	struct err e = { 0 };
	struct decoder *d = def->open(o, &e);
	size_t total;

	if (!d)
		return strdup(e.msg);
	if (feed_all(d, p, n, cut, &out, &total) >= 0 && total != n)
		buf_printf(&out.text, "used %zu of %zu\n", total, n);
	def->close(d);
	buf_cstr(&out.text);
	return out.text.p;
}

#endif

/* logfmt: key=value pairs, one record a line (the grammar: codec/logfmt_parse.h). Lines end with LF or CR LF; a line of blanks
 * only is no record. Of two pairs with one key the later one counts, in the place of the first. */
#include <stdlib.h>

#include "codec/codec_list.h"
#include "codec/line_scan.h"
#include "codec/logfmt_parse.h"
#include "codec/name_set.h"
#include "codec/text_encode.h"

struct logfmt_decoder {
	struct decoder base;
	struct rows rows;
	struct line_reader reader;
	struct logfmt_pair *pairs; /* of one record */
	size_t pairs_cap;
	uint32_t n_pairs;
	struct name_set names;
	bool begun; /* rows.schema is set */
};

static struct decoder *logfmt_open(const struct decode_opts *o, struct err *e)
{
	struct logfmt_decoder *d = xcalloc(1, sizeof *d);

	(void)e;
	d->base.def = &logfmt_codec;
	d->base.opts = *o;
	d->base.line = 1;
	rows_init(&d->rows, &d->base);
	line_reader_init(&d->reader, simd_level());
	if (!o->all)
		rows_schema(&d->rows, rows_names(o->fields, o->n_fields));
	d->begun = !o->all;
	return &d->base;
}

/* Returns NULL, or why the line is bad. */
static const char *parse(struct logfmt_decoder *d, const char *p, size_t n)
{
	const char *end = p + n, *why = NULL;
	struct logfmt_pair pair;
	int got;

	d->n_pairs = 0;
	while ((got = logfmt_next(&p, end, &d->base.arena, &pair, &why)) > 0) {
		if (d->n_pairs == FIELDS_MAX)
			return "more than 1048576 fields";
		d->pairs = xgrow(d->pairs, &d->pairs_cap, (size_t)d->n_pairs + 1, sizeof *d->pairs);
		d->pairs[d->n_pairs++] = pair;
	}
	return got < 0 ? why : NULL;
}

/* Are the pairs' keys exactly the columns of the batch? The usual case: one program writes the same keys. */
static bool same_keys(const struct logfmt_decoder *d)
{
	const struct schema *s = d->rows.schema;

	if (!d->begun || s->n != d->n_pairs)
		return false;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->name_n[i] != d->pairs[i].key_n || memcmp(s->names[i], d->pairs[i].key, s->name_n[i]))
			return false;
	return true;
}

/* Later pairs take the place of earlier ones with their key. Returns the schema of what is left. */
static const struct schema *unique_keys(struct logfmt_decoder *d)
{
	struct name_set *s = &d->names;

	name_set_begin(s, d->n_pairs);
	for (uint32_t i = 0; i < d->n_pairs; i++) {
		int64_t at = name_set_find(s, d->pairs[i].key, d->pairs[i].key_n);

		if (at < 0)
			at = name_set_add(s, d->pairs[i].key, d->pairs[i].key_n);
		d->pairs[at] = d->pairs[i];
	}
	d->n_pairs = s->n;
	return schema_of_record(s->name, s->len, s->n);
}

/* All fields: other keys begin another batch. The pairs' unescaped bytes are in the arena, which a flush forgets: the caller
 * parses again when this returns true. *full: the keys are a set too many. */
static bool new_schema(struct logfmt_decoder *d, struct feed *f, bool *full)
{
	const struct schema *s;
	bool held = d->rows.n > 0;

	*full = false;
	if (same_keys(d))
		return false;
	s = unique_keys(d);
	*full = !s;
	if (!s || (d->begun && s == d->rows.schema))
		return false;
	rows_flush(&d->rows, f);
	rows_schema(&d->rows, s);
	d->begun = true;
	return held;
}

static void set_all(struct logfmt_decoder *d)
{
	for (uint32_t i = 0; i < d->n_pairs; i++)
		rows_set(&d->rows, i, d->pairs[i].v);
}

static void set_projected(struct logfmt_decoder *d)
{
	const struct schema *s = d->rows.schema;

	for (uint32_t c = 0; c < s->n; c++)
		rows_col(&d->rows, c)[d->rows.n] = v_null();
	for (uint32_t i = 0; i < d->n_pairs; i++) {
		int c = schema_find(s, d->pairs[i].key, d->pairs[i].key_n);

		if (c >= 0)
			rows_set(&d->rows, (uint32_t)c, d->pairs[i].v);
	}
	for (uint32_t c = 0; c < s->n; c++)
		d->rows.cols[c].has_null |= rows_col(&d->rows, c)[d->rows.n].type == T_NULL;
}

static void add_line(struct logfmt_decoder *d, struct feed *f, const struct value *v)
{
	size_t len = v->n - (v->n && v->s[v->n - 1] == '\r');
	const char *why = parse(d, v->s, len);
	bool full;

	if (why) {
		rows_bad(&d->rows, f, v->s, len, d->base.line - 1, why);
		return;
	}
	if (!d->n_pairs)
		return;
	if (!d->base.opts.all) {
		set_projected(d);
	} else {
		if (new_schema(d, f, &full)) {
			parse(d, v->s, len);
			if (!same_keys(d))
				unique_keys(d);
		}
		if (full) {
			rows_bad(&d->rows, f, v->s, len, d->base.line - 1, SCHEMA_FULL);
			return;
		}
		set_all(d);
	}
	if (f->stop)
		return;
	if (d->rows.raw)
		d->rows.raw[d->rows.n] = v_text(v->s, len);
	rows_line(&d->rows, d->base.line - 1);
	rows_next(&d->rows, f);
}

static int logfmt_decode(struct decoder *b, const char *p, size_t n, bool final, const struct decode_to *to, size_t *used,
			 struct err *e)
{
	struct logfmt_decoder *d = (struct logfmt_decoder *)b;
	struct feed f = { .p = p, .n = n, .final = final, .to = to, .err = e };
	struct value line;

	line_reader_feed(&d->reader, &f);
	while (line_next(&d->reader, &d->rows, &f, &line))
		add_line(d, &f, &line);
	rows_flush(&d->rows, &f);
	*used = f.at;
	return f.stop;
}

static void logfmt_restart(struct decoder *b, const char *source)
{
	b->opts.source = source;
	b->line = 1;
	((struct logfmt_decoder *)b)->reader.skip = false;
}

static void logfmt_save(const struct decoder *b, struct buf *out) { buf_char(out, (char)((const struct logfmt_decoder *)b)->reader.skip); }

static int logfmt_load(struct decoder *b, const char *p, size_t n)
{
	if (n != 1)
		return -1;
	((struct logfmt_decoder *)b)->reader.skip = *p;
	return 0;
}

static void logfmt_close(struct decoder *b)
{
	struct logfmt_decoder *d = (struct logfmt_decoder *)b;

	if (!d)
		return;
	rows_release(&d->rows);
	name_set_release(&d->names);
	free(d->pairs);
	arena_release(&b->arena);
	arena_release(&b->keep);
	free(d);
}

static struct encoder *logfmt_open_out(const struct encode_opts *o, struct err *e)
{
	(void)e;
	return text_open(sizeof(struct text_encoder), &logfmt_codec, o);
}

/* A key cannot be quoted: what would end it becomes _. */
static void put_key(struct buf *out, const char *p, uint32_t n)
{
	char *d = buf_room(out, (size_t)n + 1);

	for (uint32_t i = 0; i < n; i++)
		d[i] = (unsigned char)p[i] <= ' ' || p[i] == '=' || p[i] == '"' || p[i] == 0x7f ? '_' : p[i];
	d[n] = '=';
	buf_took(out, (size_t)n + 1);
}

static bool plain(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] <= ' ' || p[i] == '=' || p[i] == '"' || p[i] == 0x7f)
			return false;
	return n > 0;
}

static void put_quoted(struct buf *out, const char *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	buf_char(out, '"');
	for (size_t i = 0; i < n; i++) {
		char c = p[i], letter = c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : c == '"' || c == '\\' ? c : 0;

		if (letter) {
			buf_char(out, '\\');
			buf_char(out, letter);
		} else if ((unsigned char)c < ' ' || c == 0x7f) {
			buf_str(out, "\\u00");
			buf_char(out, hex[c >> 4 & 15]);
			buf_char(out, hex[c & 15]);
		} else {
			buf_char(out, c);
		}
	}
	buf_char(out, '"');
}

static void put_pair(struct text_encoder *t, struct buf *out, const struct batch *b, uint32_t col, uint32_t row)
{
	struct value v = column_get(&b->cols[col], row);
	size_t n;
	const char *p = text_cell(t, &v, &n);

	put_key(out, b->schema->names[col], b->schema->name_n[col]);
	if (p && plain(p, n))
		buf_add(out, p, n);
	else if (p)
		put_quoted(out, p, n);
}

static void put_record(struct text_encoder *t, struct buf *out, const struct batch *b, uint32_t row)
{
	const struct encode_opts *o = &t->base.opts;
	uint32_t n = o->fields ? t->header->n : b->schema->n;
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		int32_t col = o->fields ? t->map[i] : (int32_t)i;

		if (col < 0)
			continue;
		if (any)
			buf_char(out, ' ');
		put_pair(t, out, b, (uint32_t)col, row);
		any = true;
	}
	buf_char(out, '\n');
}

static int logfmt_encode(struct encoder *c, const struct batch *b, struct buf *out, struct err *e)
{
	struct text_encoder *t = (struct text_encoder *)c;

	(void)e;
	c->n_records += b->n_sel;
	if (c->opts.verbatim && b->raw) {
		text_verbatim(b, out);
		return 0;
	}
	if (c->opts.fields)
		text_map(t, b);
	BATCH_EACH(b->sel, b->n_sel, row)
	{
		put_record(t, out, b, row);
	}
	return 0;
}

const struct codec_def logfmt_codec = {
	.doc = {
		.name = "logfmt",
		.synopsis = "-i logfmt, -o logfmt",
		.summary = "key=value pairs, one record a line",
		.text = "A value with blanks, quotes or control characters stands in quotes with backslash escapes (\\\" \\\\ \\n \\t \\r \\uXXXX). A key "
			"alone is true, key= is null, key=\"\" is the empty string. Records may have different keys; of two pairs with the same "
			"key the later one counts. A quote that does not close, or a value without a key, makes a bad record.",
		.group = "formats",
		.examples = {
			{ "-i logfmt 'filter level == \"error\"' 'map msg'", "level=info msg=ok\nlevel=error msg=\"disk full\"\n",
			  "msg=\"disk full\"\n", "quotes around a value with blanks" },
			{ "-i logfmt -o json", "at=12:00 retry took=5ms err=\n", "{\"at\":\"12:00\",\"retry\":true,\"took\":\"5ms\",\"err\":null}\n",
			  "a key alone is true" },
			{ "-i json -o logfmt", "{\"a\":1,\"b\":\"two words\"}\n", "a=1 b=\"two words\"\n", "quotes where needed" },
		},
	},
	.extensions = "logfmt",
	.open = logfmt_open,
	.decode = logfmt_decode,
	.restart = logfmt_restart,
	.close = logfmt_close,
	.save = logfmt_save,
	.load = logfmt_load,
	.open_out = logfmt_open_out,
	.encode = logfmt_encode,
	.flush = text_flush_none,
	.close_out = text_close,
};

/* tsv: fields between tabs, no quotes; a tab, line feed, carriage return or backslash in a value is \t \n \r \\ (the convention
 * of IANA's text/tab-separated-values as Miller extends it). A backslash before any other byte is itself. An empty field is null.
 * Lines end with LF or CR LF; a line without a byte is no record. */
#include "codec/codec_list.h"
#include "codec/delim.h"
#include "codec/text_rows.h"

static char escaped(char c) { return c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == '\\' ? '\\' : 0; }

static struct value unescape(struct arena *a, const char *p, size_t n)
{
	char *d = arena_bytes(a, n), *at = d;
	const char *end = p + n;

	while (p < end) {
		char c = *p++, to = c == '\\' && p < end ? escaped(*p) : 0;

		*at++ = to ? to : c;
		p += to != 0;
	}
	return v_text(d, (size_t)(at - d));
}

static struct value tsv_field(struct arena *a, const char *p, size_t n, bool escapes)
{
	if (!n)
		return v_null();
	return escapes && memchr(p, '\\', n) ? unescape(a, p, n) : v_text(p, n);
}

static void split(struct delim_decoder *d, const char *p, size_t n)
{
	const char *end = p + n, *tab;

	while ((tab = memchr(p, '\t', (size_t)(end - p)))) {
		record_add(&d->record, tsv_field(&d->base.arena, p, (size_t)(tab - p), true));
		p = tab + 1;
	}
	record_add(&d->record, tsv_field(&d->base.arena, p, (size_t)(end - p), true));
}

static enum record_kind tsv_one(struct delim_decoder *d, const char *p, size_t n, bool final)
{
	struct record *r = &d->record;
	size_t max = d->base.opts.max_record, look = n > max ? max + 1 : n, len;
	const char *end = memchr(p, '\n', look);

	r->used = end ? (size_t)(end + 1 - p) : look;
	if (!end && n > max) {
		d->skip = 1;
		return RECORD_LONG;
	}
	if (!end && !final)
		return RECORD_MORE;
	len = end ? (size_t)(end - p) : n;
	len -= len && p[len - 1] == '\r';
	r->len = len;
	if (!len)
		return RECORD_BLANK;
	split(d, p, len);
	return RECORD_OK;
}

static size_t tsv_skip(struct delim_decoder *d, const char *p, size_t n)
{
	const char *end = memchr(p, '\n', n);

	d->skip = !end;
	return end ? (size_t)(end + 1 - p) : n;
}

static const struct delim_format tsv_format = {
	.def = &tsv_codec,
	.delim = '\t',
	.scan = tsv_scan_fn,
	.one = tsv_one,
	.skip = tsv_skip,
	.field = tsv_field,
	.quote = -1,
};

static struct decoder *tsv_open(const struct decode_opts *o, struct err *e)
{
	if (o->delimiter && o->delimiter != '\t') {
		err_set(e, ERR_USAGE, "tsv: the delimiter is always a tab");
		err_hint(e, "use -i csv with --delimiter");
		return NULL;
	}
	return delim_open(&tsv_format, o, e);
}

static char letter(char c) { return c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\\' ? '\\' : 0; }

static void tsv_escape(struct buf *out, const char *s, size_t n)
{
	char *d = buf_room(out, 2 * n), *from = d;

	for (size_t i = 0; i < n; i++) {
		char c = letter(s[i]);

		if (c)
			*d++ = '\\';
		*d++ = c ? c : s[i];
	}
	buf_took(out, (size_t)(d - from));
}

static void tsv_escape_plain(struct buf *out, const char *s, size_t n)
{
	char *d = buf_room(out, 2 * n), *from = d;

	for (size_t i = 0; i < n; i++) {
		char c = s[i] == '\\' ? 0 : letter(s[i]);

		if (c)
			*d++ = '\\';
		*d++ = c ? c : s[i];
	}
	buf_took(out, (size_t)(d - from));
}

static struct encoder *tsv_open_out(const struct encode_opts *o, struct err *e)
{
	struct text_style style = { tsv_escape, "", "", '\t', { '\\', '\n', '\r' } };
	struct text_style plain = { tsv_escape_plain, "", "", '\t', { '\n', '\n', '\r' } };

	(void)e;
	return text_rows_open(&tsv_codec, o, o->plain ? plain : style);
}

const struct codec_def tsv_codec = {
	.doc = {
		.name = "tsv",
		.synopsis = "-i tsv, -o tsv [--no-header] [--header a,b,c]",
		.summary = "tab-separated values, the first record names the fields",
		.text = "No quotes: a tab, newline, carriage return or backslash in a value is written \\t, \\n, \\r, \\\\ and read so. An empty field is "
			"null; null and the empty string are written as nothing. Header, bad records, --no-header and --header are as for csv.",
		.group = "formats",
		.params = {
			{ "--no-header", "flag", "off", NULL, "the file has no header; write none" },
			{ "--header", "names", NULL, NULL, "names of the fields" },
		},
		.examples = {
			{ "-i tsv 'filter b > 1'", "a\tb\nx\t1\ny\t2\n", "a\tb\ny\t2\n", "tsv in, tsv out, with its header" },
			{ "-i tsv -o json", "a\tb\none\\ttwo\t\n", "{\"a\":\"one\\ttwo\",\"b\":null}\n", "escapes, and an empty field" },
		},
	},
	.extensions = "tsv tab",
	.open = tsv_open,
	.decode = delim_decode,
	.restart = delim_restart,
	.columns = delim_columns,
	.close = delim_close,
	.save = delim_save,
	.load = delim_load,
	.open_out = tsv_open_out,
	.encode = text_rows_encode,
	.flush = text_rows_flush,
	.close_out = text_rows_close,
	.save_out = text_save,
	.load_out = text_load,
};

/* csv. The grammar is that of libcsv without CSV_STRICT, with these settings (csv_settings), which the fast path mirrors:
 *
 *  - Quote: ". Delimiter: a comma, or any other byte but a quote and a line end.
 *  - A record ends at a line feed or a carriage return outside quotes; so CR LF is one line end, and a lone CR is one as well.
 *  - A line without a byte is no record (so the LF after a CR is none).
 *  - No byte is a space: blanks around and in fields belong to them.
 *  - CSV_EMPTY_IS_NULL: an empty field without quotes is null, "" is the empty string.
 *  - In a quoted field two quotes are one, and a quote before a delimiter, a record end or the end of input closes the field. Any
 * other quote is a byte of it, and the field goes on. In a field that does not begin with a quote, quotes are bytes.
 *  - NUL is a byte like any other.
 *
 * Beyond libcsv: the byte order mark, the header, records of another length, quotes that never close (codec/delim.h). */
#include "codec/codec_list.h"
#include "codec/csv_slow.h"
#include "codec/text_rows.h"

/* p[0..n) between the outer quotes, its pairs of quotes made one. */
static struct value unescape(struct arena *a, const char *p, size_t n)
{
	char *d = arena_bytes(a, n), *at = d;
	const char *end = p + n, *q;

	while ((q = memchr(p, '"', (size_t)(end - p)))) {
		size_t len = (size_t)(q + 1 - p);

		memcpy(at, p, len);
		at += len;
		p = q + 2;
	}
	memcpy(at, p, (size_t)(end - p));
	at += end - p;
	return v_text(d, (size_t)(at - d));
}

static struct value csv_field(struct arena *a, const char *p, size_t n, bool escapes)
{
	p++;
	n -= 2;
	if (escapes && memchr(p, '"', n))
		return unescape(a, p, n);
	return v_text(p, n);
}

static const struct delim_format csv_format = {
	.def = &csv_codec,
	.delim = ',',
	.scan = csv_scan_fn,
	.one = csv_one,
	.skip = csv_skip,
	.field = csv_field,
	.quote = '"',
	.release = csv_release,
};

static int check_delimiter(char c, struct err *e)
{
	if (c == '"' || c == '\n' || c == '\r')
		return err_set(e, ERR_USAGE, "csv: a delimiter cannot be a quote or a line end");
	return 0;
}

static struct decoder *csv_open(const struct decode_opts *o, struct err *e)
{
	struct decoder *d;

	if (check_delimiter(o->delimiter, e))
		return NULL;
	d = delim_open(&csv_format, o, e);
	if (o->delimiter)
		((struct delim_decoder *)d)->scan.delim = o->delimiter;
	return d;
}

static void csv_escape(struct buf *out, const char *s, size_t n)
{
	const char *end = s + n, *q;

	buf_char(out, '"');
	while ((q = memchr(s, '"', (size_t)(end - s)))) {
		buf_add(out, s, (size_t)(q + 1 - s));
		buf_char(out, '"');
		s = q + 1;
	}
	buf_add(out, s, (size_t)(end - s));
	buf_char(out, '"');
}

static struct encoder *csv_open_out(const struct encode_opts *o, struct err *e)
{
	struct text_style style = { csv_escape, "\"\"", " \t", o->delimiter ? o->delimiter : ',', { '"', '\n', '\r' } };

	if (check_delimiter(o->delimiter, e))
		return NULL;
	return text_rows_open(&csv_codec, o, style);
}

const struct codec_def csv_codec = {
	.doc = {
		.name = "csv",
		.synopsis = "-i csv, -o csv [--delimiter C] [--no-header] [--header a,b,c]",
		.summary = "comma-separated values with quotes, the first record names the fields",
		.text = "Fields may be quoted with \"; in quotes, delimiters and line ends are data and \"\" is a quote. An empty field without quotes "
			"is null, \"\" is the empty string, and both are written back so. Blanks are data. Lines end with LF, CR LF or CR; blank lines "
			"are skipped; a byte order mark is dropped. A name that occurs twice in the header gets _2, _3 ...; an empty name becomes the "
			"field's position.\n\n"
			"A record with more or fewer fields than the header is a bad record, and so is the line where a quote opens that never "
			"closes; reading goes on behind it. A header with such a quote, or one over --max-record, ends the run.\n\n"
			"With --no-header the first record is data, and the fields are called 1, 2, 3 ... or as --header says. With --header alone "
			"the given names take the place of those in the file.\n\n"
			"Written are the fields of the last stage that names them, else those of the first record, with quotes only where needed; a null "
			"that is alone in its row is written \"\", as a blank line is no record. "
			"Lists and objects are written as JSON.",
		.group = "formats",
		.params = {
			{ "--delimiter", "byte", ",", "any byte but a quote and a line end", "what stands between fields" },
			{ "--no-header", "flag", "off", NULL, "the file has no header; write none" },
			{ "--header", "names", NULL, NULL, "names of the fields" },
		},
		.examples = {
			{ "-i csv 'map item, total = price * n'", "item,price,n\n\"tea, green\",2.5,4\ncup,3,2\n",
			  "item,total\n\"tea, green\",10\ncup,6\n", "quotes only where needed" },
			{ "-i csv --delimiter ';' --no-header --header city,t -o json 'filter t > 20'", "Rome;25\nOslo;7\n",
			  "{\"city\":\"Rome\",\"t\":25}\n", "names for a file without a header" },
			{ "-i csv -o json", "a,b\n,\"\"\n", "{\"a\":null,\"b\":\"\"}\n", "null and the empty string" },
		},
	},
	.extensions = "csv",
	.open = csv_open,
	.decode = delim_decode,
	.restart = delim_restart,
	.columns = delim_columns,
	.close = delim_close,
	.save = delim_save,
	.load = delim_load,
	.open_out = csv_open_out,
	.encode = text_rows_encode,
	.flush = text_rows_flush,
	.close_out = text_rows_close,
	.save_out = text_save,
	.load_out = text_load,
};

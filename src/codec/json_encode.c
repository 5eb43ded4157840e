#include <stdlib.h>

#include "base/num.h"
#include "base/utf8.h"
#include "codec/json.h"

#define SHAPES 64    /* schemas whose keys are kept; a power of two */
#define STRETCH 4096 /* bytes of a string between looks at the room */
#define ESCAPE_MAX 6 /* longest escape: \u001f */

/* The keys of a schema as they are written: `{"a":`, `,"b":`. */
struct shape {
	const struct schema *schema;
	char *text;
	uint32_t *at; /* n + 1 offsets */
};

struct json_encoder {
	struct encoder base;
	struct value_format format;
	struct shape shapes[SHAPES];
	struct cells *cells; /* of the batch at hand */
	size_t cells_cap;
};

/* A column and how its cells are written. */
struct cells {
	void (*put)(struct json_encoder *c, struct buf *out, const struct column *col, uint32_t row);
	const struct column *col;
	const char *key;
	uint32_t key_n;
};

/* ---- strings ---- */

static inline uint64_t load8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

/* Bit 7 of the bytes that cannot be copied as they are; exact up to the first of them. */
static inline uint64_t special8(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
	uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\';

	return ((quote - ones) | (slash - ones) | (v - ones * 0x20) | v) & high;
}

static inline bool special(unsigned char c) { return c < 0x20 || c == '"' || c == '\\' || c >= 0x80; }

/* Bytes at p, at most n, that need no escape and are ASCII; copied to d as well. Both sides have eight bytes to spare, or n is
 * near. */
static size_t copy_plain(char *d, const char *p, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t v = load8(p + i);

		if (special8(v))
			break;
		memcpy(d + i, &v, 8);
	}
	for (; i < n && !special((unsigned char)p[i]); i++)
		d[i] = p[i];
	return i;
}

static char *put_escape(char *d, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letter[32] = { [8] = 'b', [9] = 't', [10] = 'n', [12] = 'f', [13] = 'r' };

	*d++ = '\\';
	if (c >= 0x20) {
		*d++ = (char)c;
	} else if (letter[c]) {
		*d++ = letter[c];
	} else {
		memcpy(d, "u00", 3);
		d[3] = hex[c >> 4];
		d[4] = hex[c & 15];
		d += 5;
	}
	return d;
}

/* A character beyond ASCII, or U+FFFD for a byte that is part of none. Returns the bytes taken. */
static unsigned put_high(char **d, const char *p, size_t n)
{
	uint32_t cp;
	unsigned len = utf8_decode(p, n, &cp);

	if (len == 1) {
		memcpy(*d, "\xEF\xBF\xBD", 3);
		*d += 3;
	} else {
		memcpy(*d, p, len);
		*d += len;
	}
	return len;
}

static void put_string(struct buf *out, const char *p, size_t n)
{
	buf_char(out, '"');
	for (size_t i = 0; i < n;) {
		size_t stop = n - i < STRETCH ? n : i + STRETCH;
		char *start = buf_room(out, (stop - i) * ESCAPE_MAX + 16), *d = start;

		while (i < stop) {
			size_t plain = copy_plain(d, p + i, stop - i);

			i += plain;
			d += plain;
			if (i == stop)
				break;
			if ((unsigned char)p[i] >= 0x80)
				i += put_high(&d, p + i, n - i);
			else
				d = put_escape(d, (unsigned char)p[i++]);
		}
		buf_took(out, (size_t)(d - start));
	}
	buf_char(out, '"');
}

/* ---- values ---- */

static void put_word(struct buf *out, bool b) { buf_add(out, b ? "true" : "false", b ? 4 : 5); }

static void put_value(struct json_encoder *c, struct buf *out, const struct value *v)
{
	switch (v->type) {
	case T_NULL:
		buf_add(out, "null", 4);
		break;
	case T_BOOL:
		put_word(out, v->b);
		break;
	case T_INT:
		buf_took(out, num_format_int(v->i, buf_room(out, NUM_MAX)));
		break;
	case T_NUM:
		buf_add(out, v->s, v->n);
		break;
	case T_TEXT:
		if (num_is_json(v->s, v->n))
			buf_add(out, v->s, v->n);
		else
			put_string(out, v->s, v->n);
		break;
	case T_STR:
		put_string(out, v->s, v->n);
		break;
	default:
		value_print_json(out, v, &c->format);
	}
}

static void put_any(struct json_encoder *c, struct buf *out, const struct column *col, uint32_t row)
{
	put_value(c, out, &col->v[row]);
}

static void put_int(struct json_encoder *c, struct buf *out, const struct column *col, uint32_t row)
{
	(void)c;
	buf_took(out, num_format_int(col->i[row], buf_room(out, NUM_MAX)));
}

static void put_bool(struct json_encoder *c, struct buf *out, const struct column *col, uint32_t row)
{
	(void)c;
	put_word(out, col->b[row]);
}

static void put_null(struct json_encoder *c, struct buf *out, const struct column *col, uint32_t row)
{
	(void)c;
	(void)col;
	(void)row;
	buf_add(out, "null", 4);
}

/* Floats, times, durations, and columns with nulls or one value for all rows. */
static void put_general(struct json_encoder *c, struct buf *out, const struct column *col, uint32_t row)
{
	struct value v = column_get(col, row);

	put_value(c, out, &v);
}

static void cells_choose(struct cells *to, const struct column *col)
{
	to->col = col;
	if (col->type == T_NULL)
		to->put = put_null;
	else if (col->constant || (column_is_scalar(col->type) && col->valid))
		to->put = put_general;
	else if (col->type == T_INT)
		to->put = put_int;
	else if (col->type == T_BOOL)
		to->put = put_bool;
	else
		to->put = column_is_scalar(col->type) ? put_general : put_any;
}

/* ---- records ---- */

static void shape_make(struct shape *s, const struct schema *schema)
{
	struct buf b = { 0 };

	free(s->text);
	free(s->at);
	s->schema = schema;
	s->at = xcalloc(schema->n + 1, sizeof *s->at);
	for (uint32_t i = 0; i < schema->n; i++) {
		buf_char(&b, i ? ',' : '{');
		put_string(&b, schema->names[i], schema->name_n[i]);
		buf_char(&b, ':');
		s->at[i + 1] = (uint32_t)b.n;
	}
	s->text = b.p;
}

static const struct shape *shape_of(struct json_encoder *c, const struct schema *schema)
{
	struct shape *s = &c->shapes[schema->hash % SHAPES];

	if (s->schema != schema)
		shape_make(s, schema);
	return s;
}

static void cells_bind(struct json_encoder *c, const struct batch *b)
{
	const struct shape *s = shape_of(c, b->schema);

	c->cells = xgrow(c->cells, &c->cells_cap, b->schema->n, sizeof *c->cells);
	for (uint32_t i = 0; i < b->schema->n; i++) {
		cells_choose(&c->cells[i], &b->cols[i]);
		c->cells[i].key = s->text + s->at[i];
		c->cells[i].key_n = s->at[i + 1] - s->at[i];
	}
}

static void put_record(struct json_encoder *c, struct buf *out, uint32_t n, uint32_t row)
{
	if (!n)
		buf_char(out, '{');
	for (uint32_t i = 0; i < n; i++) {
		const struct cells *cell = &c->cells[i];

		buf_add(out, cell->key, cell->key_n);
		cell->put(c, out, cell->col, row);
	}
	buf_add(out, "}\n", 2);
}

static inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/* A record that was read from several lines goes out in one: without the white space outside strings. */
static void put_joined(struct buf *out, const char *p, size_t n)
{
	char *d = buf_room(out, n), *start = d;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		if (!in_string && is_space(p[i]))
			continue;
		if (p[i] == '"')
			in_string = !in_string;
		*d++ = p[i];
		if (in_string && p[i] == '\\' && i + 1 < n)
			*d++ = p[++i];
	}
	buf_took(out, (size_t)(d - start));
}

static void put_raw(struct buf *out, const struct value *raw)
{
	if (memchr(raw->s, '\n', raw->n))
		put_joined(out, raw->s, raw->n);
	else
		buf_add(out, raw->s, raw->n);
	buf_char(out, '\n');
}

struct encoder *json_open_out(const struct encode_opts *o, struct err *e)
{
	struct json_encoder *c = xcalloc(1, sizeof *c);

	(void)e;
	c->base.opts = *o;
	c->format = o->format;
	c->format.nan_to_null = &c->base.n_nan;
	return &c->base;
}

int json_encode(struct encoder *base, const struct batch *b, struct buf *out, struct err *e)
{
	struct json_encoder *c = (struct json_encoder *)base;
	bool verbatim = c->base.opts.verbatim && b->raw;

	(void)e;
	if (!verbatim)
		cells_bind(c, b);
	BATCH_EACH(b->sel, b->n_sel, row)
	{
		if (verbatim)
			put_raw(out, &b->raw[row]);
		else
			put_record(c, out, b->schema->n, row);
	}
	c->base.n_records += b->n_sel;
	return 0;
}

int json_flush(struct encoder *base, struct buf *out, bool last, struct err *e)
{
	(void)base;
	(void)out;
	(void)last;
	(void)e;
	return 0;
}

void json_close_out(struct encoder *base)
{
	struct json_encoder *c = (struct json_encoder *)base;

	if (!c)
		return;
	for (unsigned i = 0; i < SHAPES; i++) {
		free(c->shapes[i].text);
		free(c->shapes[i].at);
	}
	free(c->cells);
	arena_release(&c->base.keep);
	free(c);
}

/* Values as output text: cells and JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "base/utf8.h"
#include "data/value.h"

static void print_float(struct buf *b, double f, const struct value_format *fmt)
{
	if (fmt && fmt->ofmt && isfinite(f))
		buf_printf(b, fmt->ofmt, f);
	else
		buf_took(b, num_format_double(f, buf_room(b, NUM_MAX)));
}

static void print_int(struct buf *b, int64_t i)
{
	buf_took(b, num_format_int(i, buf_room(b, NUM_MAX)));
}

static int64_t floor_div(int64_t a, int64_t d)
{
	int64_t q = a / d;

	return q - (a % d < 0);
}

/* Longest text of a --times format. */
#define TIME_FORMAT_MAX 1024

/* Returns true if what was printed is a number. */
static bool print_time(struct buf *b, int64_t t, const struct value_format *fmt)
{
	size_t n;

	if (!fmt || !fmt->times) {
		buf_took(b, time_format(t, buf_room(b, TIME_MAX)));
		return false;
	}
	if (!strcmp(fmt->times, "epoch")) {
		print_int(b, floor_div(t, TIME_NS));
		return true;
	}
	if (!strcmp(fmt->times, "epoch_ms")) {
		print_int(b, floor_div(t, 1000000));
		return true;
	}
	n = time_strftime(t, fmt->times, strlen(fmt->times), fmt->zone, buf_room(b, TIME_FORMAT_MAX), TIME_FORMAT_MAX);
	if (n != (size_t)-1)
		buf_took(b, n);
	return false;
}

void value_print(struct buf *b, const struct value *v, const struct value_format *f)
{
	switch (v->type) {
	case T_NULL:
		break;
	case T_BOOL:
		buf_str(b, v->b ? "true" : "false");
		break;
	case T_INT:
		print_int(b, v->i);
		break;
	case T_FLOAT:
		print_float(b, v->f, f);
		break;
	case T_TIME:
		print_time(b, v->i, f);
		break;
	case T_DUR:
		buf_took(b, dur_format(v->i, buf_room(b, TIME_MAX)));
		break;
	case T_LIST:
	case T_OBJECT:
		value_print_json(b, v, f);
		break;
	default:
		buf_add(b, v->s, v->n);
	}
}

/* Writes the bytes that need an escape; returns the bytes consumed (one character). */
static size_t print_escaped(struct buf *b, const char *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	static const char letter[] = "btn?fr"; /* of 8..13 */
	unsigned char c = (unsigned char)*p;
	uint32_t cp;
	unsigned len;

	if (c == '"' || c == '\\') {
		buf_char(b, '\\');
		buf_char(b, (char)c);
		return 1;
	}
	if (c < 0x20) {
		buf_char(b, '\\');
		if (c >= 8 && c <= 13 && c != 11) {
			buf_char(b, letter[c - 8]);
		} else {
			buf_str(b, "u00");
			buf_char(b, hex[c >> 4]);
			buf_char(b, hex[c & 15]);
		}
		return 1;
	}
	len = utf8_decode(p, n, &cp);
	if (len == 1 && c >= 0x80)
		buf_str(b, "\xEF\xBF\xBD"); /* U+FFFD */
	else
		buf_add(b, p, len);
	return len;
}

void json_print_string(struct buf *b, const char *p, size_t n)
{
	size_t i = 0, plain;

	buf_char(b, '"');
	while (i < n) {
		for (plain = i; i < n; i++) {
			unsigned char c = (unsigned char)p[i];

			if (c < 0x20 || c == '"' || c == '\\' || c >= 0x80)
				break;
		}
		buf_add(b, p + plain, i - plain);
		if (i < n)
			i += print_escaped(b, p + i, n - i);
	}
	buf_char(b, '"');
}

static void print_json_float(struct buf *b, double f, const struct value_format *fmt)
{
	size_t at = b->n;

	if (!isfinite(f)) {
		buf_str(b, "null");
		if (fmt && fmt->nan_to_null)
			++*fmt->nan_to_null;
		return;
	}
	print_float(b, f, fmt);
	if (fmt && fmt->ofmt && !num_is_json(b->p + at, b->n - at)) {
		/* a format with decoration ("%.2f EUR", "%5.1f") is text */
		char *copy = xstrndup(b->p + at, b->n - at);

		b->n = at;
		json_print_string(b, copy, strlen(copy));
		free(copy);
	}
}

static void print_json_time(struct buf *b, int64_t t, const struct value_format *fmt)
{
	struct buf text = { 0 };

	if (print_time(&text, t, fmt))
		buf_add(b, text.p, text.n);
	else
		json_print_string(b, text.p, text.n);
	buf_release(&text);
}

void value_print_json(struct buf *b, const struct value *v, const struct value_format *f)
{
	switch (v->type) {
	case T_NULL:
		buf_str(b, "null");
		break;
	case T_FLOAT:
		print_json_float(b, v->f, f);
		break;
	case T_TIME:
		print_json_time(b, v->i, f);
		break;
	case T_DUR:
		buf_char(b, '"');
		value_print(b, v, f);
		buf_char(b, '"');
		break;
	case T_TEXT:
	case T_NUM:
		if (v->type == T_NUM || num_is_json(v->s, v->n))
			buf_add(b, v->s, v->n);
		else
			json_print_string(b, v->s, v->n);
		break;
	case T_STR:
	case T_REGEX:
		json_print_string(b, v->s, v->n);
		break;
	case T_LIST:
		buf_char(b, '[');
		for (uint32_t i = 0; i < v->n; i++) {
			if (i)
				buf_char(b, ',');
			value_print_json(b, &v->items[i], f);
		}
		buf_char(b, ']');
		break;
	case T_OBJECT:
		buf_char(b, '{');
		for (uint32_t i = 0; i < v->n; i++) {
			if (i)
				buf_char(b, ',');
			json_print_string(b, v->fields[i].name, v->fields[i].name_n);
			buf_char(b, ':');
			value_print_json(b, &v->fields[i].v, f);
		}
		buf_char(b, '}');
		break;
	default:
		value_print(b, v, f);
	}
}

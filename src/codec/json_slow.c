#include <stdio.h>

#include "base/json.h"
#include "codec/json_decode.h"

#define WHY_MAX 160
#define SURE_MOST ((size_t)1 << 20)
#define SURE_BYTES 16 /* jansson tells a fault from a text cut short, except in the last few bytes */

void json_bad(struct json_decoder *d, const char *raw, size_t n, const char *reason)
{
	d->base.n_bad++;
	if (!d->verdict && d->to->bad(d->to->ctx, raw, n, d->base.line, reason, d->err))
		d->verdict = -1;
}

static uint64_t count_lines(const char *p, size_t n)
{
	uint64_t lines = 0;
	const char *end = p + n;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		lines++;
		p++;
	}
	return lines;
}

/* Go on behind n bytes. */
static void advance(struct json_decoder *d, size_t n)
{
	d->base.line += count_lines(d->p + d->pos, n);
	d->pos += n;
}

/* Bytes of the value at p by its brackets and quotes alone; 0 when its end is not there. *broken: a line or another control
 * character in a string, so it has none. */
static size_t nested_length(const char *p, size_t n, bool *broken)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (in_string) {
			if ((unsigned char)c < 0x20) {
				*broken = true;
				return 0;
			}
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
		}
		if (!in_string && !depth)
			return i + 1;
	}
	return 0;
}

static size_t value_length(const struct json_decoder *d, const char *p, size_t n, bool *broken)
{
	size_t i = 0;

	if (*p == '{' || *p == '[' || *p == '"')
		return nested_length(p, n, broken);
	while (i < n && !json_space(p[i]) && !(d->top != JSON_TOP && (p[i] == ',' || p[i] == ']')))
		i++;
	if (!i)
		return 1;
	return i < n || d->final ? i : 0;
}

/* Bytes of its line before offset `at`. */
static uint64_t column_of(const struct json_decoder *d, size_t at)
{
	const char *nl = at ? memrchr(d->p, '\n', at) : NULL;

	return nl ? (uint64_t)(d->p + at - nl - 1) : d->column + at;
}

static void skip_begin(struct json_decoder *d)
{
	d->skip = (struct json_skip){ .column_max = column_of(d, d->pos), .in_array = d->top != JSON_TOP };
}

/* Outside strings: true when decoding goes on at this byte. */
static bool skip_mark(struct json_skip *s, char c)
{
	switch (c) {
	case '"':
		s->in_string = true;
		s->closed = false;
		return false;
	case '{':
	case '[':
		if (s->closed)
			return true;
		s->depth++;
		return false;
	case ']':
	case '}':
		if (c == ']' && !s->depth && s->in_array)
			return true;
		s->depth--;
		s->closed = !s->depth;
		return false;
	case ',':
		if (!s->depth && s->in_array)
			return true;
		break;
	}
	s->closed = s->closed && json_space(c);
	return false;
}

/* Where to go on after a bad record: at the end of a line where its brackets balance (a string never goes on to the next line);
 * at a line that begins a record no deeper indented than the bad one did; behind its last bracket if a record follows on the
 * line; in an array at the next comma or the end of it. Returns the offset, or n when it is not there yet. */
static size_t skip_run(struct json_skip *s, const char *p, size_t i, size_t n, bool *found)
{
	for (; i < n; i++) {
		char c = p[i];

		if (c == '\n') {
			s->in_string = s->escaped = s->closed = false;
			s->line_start = true;
			s->column = 0;
			if (s->depth <= 0)
				break;
		} else if (s->line_start && json_space(c)) {
			s->column++;
		} else {
			if (s->line_start && (c == '{' || c == '[') && s->column <= s->column_max)
				break;
			s->line_start = false;
			if (!s->in_string) {
				if (skip_mark(s, c))
					break;
			} else if (s->escaped) {
				s->escaped = false;
			} else {
				s->escaped = c == '\\';
				s->in_string = c != '"';
			}
		}
	}
	*found = i < n;
	return i;
}

/* The bad record is behind us. */
static void skip_end(struct json_decoder *d)
{
	if (d->top == JSON_TOP)
		return;
	d->top = JSON_COMMA;
	d->loose |= d->pos < d->n && d->p[d->pos] != ',' && d->p[d->pos] != ']';
}

static void bad_too_long(struct json_decoder *d)
{
	char why[WHY_MAX];

	snprintf(why, sizeof why, "longer than %zu bytes", d->max_record);
	json_bad(d, d->p + d->pos, d->max_record, why);
}

static void bad_text(struct json_decoder *d, size_t n, const char *fallback)
{
	char why[WHY_MAX];
	size_t at;

	if (json_check(d->p + d->pos, n, why, &at))
		json_bad(d, d->p + d->pos, n, fallback);
	else
		json_bad(d, d->p + d->pos, n, why);
}

/* The value at d->pos is bad: report it, and pass over it. False when its end is not in sight. */
static bool skip_bad(struct json_decoder *d, const char *why)
{
	const char *p = d->p + d->pos;
	size_t left = d->n - d->pos, end, n;
	bool found;

	skip_begin(d);
	/* its first byte always belongs to it */
	skip_mark(&d->skip, *p);
	end = n = skip_run(&d->skip, p, 1, left, &found);
	if (!found && !d->final && left <= d->max_record)
		return false;
	while (n && json_space(p[n - 1]))
		n--;
	d->skipping = !found && !d->final;
	if (end > d->max_record)
		bad_too_long(d);
	else
		bad_text(d, n, why);
	advance(d, end);
	if (!d->skipping)
		skip_end(d);
	return true;
}

void json_skip_more(struct json_decoder *d)
{
	bool found;
	size_t end = skip_run(&d->skip, d->p, d->pos, d->n, &found);

	advance(d, end - d->pos);
	if (found || d->final) {
		d->skipping = false;
		skip_end(d);
	}
}

/* Is the text at d->pos, which has no end yet, wrong already? */
static bool surely_wrong(const struct json_decoder *d)
{
	char why[WHY_MAX];
	size_t at, left = d->n - d->pos, n = left < SURE_MOST ? left : SURE_MOST;

	return !json_check(d->p + d->pos, n, why, &at) && at + SURE_BYTES < n;
}

static bool slow_value(struct json_decoder *d, bool wrong)
{
	size_t left = d->n - d->pos, n, at;
	const char *reason = "not a JSON text";
	char why[WHY_MAX];
	bool broken = false;

	n = value_length(d, d->p + d->pos, left, &broken);
	if (n && n <= d->max_record && json_check(d->p + d->pos, n, why, &at) && !json_row_slow(d, n, &reason)) {
		advance(d, n);
		if (d->top != JSON_TOP)
			d->top = JSON_COMMA;
		return true;
	}
	if (!n && !broken && !wrong && !d->final && left <= d->max_record && !surely_wrong(d))
		return false;
	return skip_bad(d, reason);
}

/* `[` at the top: the start of an array of objects, an empty array, or a value like any other. */
static bool slow_bracket(struct json_decoder *d, bool wrong)
{
	size_t i = d->pos + 1;

	while (i < d->n && json_space(d->p[i]))
		i++;
	if (i == d->n && !d->final)
		return false;
	if (i == d->n || (d->p[i] != '{' && d->p[i] != ']'))
		return slow_value(d, wrong);
	if (d->p[i] == '{') {
		d->top = JSON_ELEMENT;
		d->loose = false;
		advance(d, 1);
	} else {
		advance(d, i + 1 - d->pos);
	}
	return true;
}

static bool begins_value(char c) { return c && strchr("{[\"-0123456789tfn", c); }

/* In an array behind an element. */
static bool slow_comma(struct json_decoder *d)
{
	char c = d->p[d->pos];

	if (c == ',' || c == ']') {
		d->top = c == ',' ? JSON_ELEMENT : JSON_TOP;
		advance(d, 1);
		return true;
	}
	if (begins_value(c) && !d->loose) {
		d->loose = true;
		json_bad(d, d->p + d->pos, 0, "'[' without ']': ',' or ']' expected");
	}
	d->top = JSON_ELEMENT;
	return true;
}

/* In an array where an element should be. */
static bool slow_element(struct json_decoder *d, bool wrong)
{
	char c = d->p[d->pos];

	if (c != ',' && c != ']')
		return slow_value(d, wrong);
	json_bad(d, d->p + d->pos, 1, c == ',' ? "a value expected before ','" : "a value expected before ']'");
	if (c == ']')
		d->top = JSON_TOP;
	advance(d, 1);
	return true;
}

bool json_slow(struct json_decoder *d, bool wrong)
{
	size_t i = d->pos;

	while (i < d->n && json_space(d->p[i]))
		i++;
	if (i > d->pos) {
		advance(d, i - d->pos);
		return true;
	}
	if (d->top == JSON_COMMA)
		return slow_comma(d);
	if (d->top == JSON_ELEMENT)
		return slow_element(d, wrong);
	return d->p[d->pos] == '[' ? slow_bracket(d, wrong) : slow_value(d, wrong);
}

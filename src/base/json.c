#include "base/json.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define WHY_MAX 160
#define SHRINK_MIN 5 /* no shorter number overflows: 1e309 */

static inline bool is_digit(char c) { return (unsigned)(c - '0') < 10; }

static const char *digits_end(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* The end of the number token at p, taken as jansson's lexer takes it, or NULL when the grammar breaks in it. */
static const char *number_end(const char *p, const char *end)
{
	const char *q;

	if (*p == '-')
		p++;
	q = p < end && *p == '0' ? p + 1 : digits_end(p, end);
	if (q == p || (q < end && is_digit(*q)))
		return NULL;
	if (q < end && *q == '.') {
		p = digits_end(q + 1, end);
		if (p == q + 1)
			return NULL;
		q = p;
	}
	if (q < end && (*q | 32) == 'e') {
		p = q + 1;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		q = digits_end(p, end);
		return q == p ? NULL : q;
	}
	return q;
}

/* One past the string's closing quote, or the end. */
static const char *string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p + 1 : end;
}

/* The offset of the first bracket that opens a level too many, or n. In text that is not JSON the answer may be anything. */
static size_t too_deep(const char *p, size_t n)
{
	const char *at = p, *end = p + n;
	size_t depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = string_end(at, end);
			continue;
		}
		if (*at == '[' || *at == '{') {
			if (++depth > JSON_DEPTH_MAX)
				return (size_t)(at - p);
		} else if (depth && (*at == ']' || *at == '}')) {
			depth--;
		}
		at++;
	}
	return n;
}

/* 0e00…0: keeps what stands before and behind from becoming part of it. */
static void shrink(char *p, const char *end)
{
	memset(p, '0', (size_t)(end - p));
	p[1] = 'e';
}

/* Writes small numbers of the same length over those that may be too large for jansson: whole tokens, so the grammar stays. */
static void shrink_numbers(char *p, size_t n)
{
	char *at = p, *end = p + n;

	while (at < end) {
		const char *stop = at + 1;

		if (*at == '"')
			stop = string_end(at, end);
		else if (*at == '-' || is_digit(*at))
			stop = number_end(at, end);
		if (!stop)
			stop = at + 1;
		else if (*at != '"' && stop - at >= SHRINK_MIN)
			shrink(at + (*at == '-'), stop);
		at += stop - at;
	}
}

static bool load(const char *p, size_t n, json_error_t *e)
{
	json_t *j = json_loadb(p, n, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, e);

	json_decref(j);
	return j != NULL;
}

int json_check(const char *p, size_t n, char *buf, size_t *at)
{
	json_error_t e = { .position = 0 };
	size_t deep = too_deep(p, n);
	const char *nul;
	bool ok;

	if (deep < n) {
		*at = deep;
		snprintf(buf, WHY_MAX, "nesting deeper than %d", JSON_DEPTH_MAX);
		return 0;
	}
	ok = load(p, n, &e);
	if (!ok && json_error_code(&e) == json_error_numeric_overflow) {
		char *copy = xstrndup(p, n);

		shrink_numbers(copy, n);
		ok = load(copy, n, &e);
		free(copy);
	}
	if (ok && (nul = memchr(p, 0, n))) {
		/* jansson 2.14 loses a NUL that it reads behind a number */
		*at = (size_t)(nul - p);
		snprintf(buf, WHY_MAX, "NUL byte outside a string");
		return 0;
	}
	*at = e.position > 0 ? (size_t)e.position : 0;
	if (*at > n)
		*at = n;
	if (!ok)
		snprintf(buf, WHY_MAX, "%s", e.text);
	return ok;
}

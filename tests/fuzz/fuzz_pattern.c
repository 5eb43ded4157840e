/* The patterns of `parse` under any input: the first line is the pattern (a format's name, /regex/, or a brace pattern), each
 * further line a text. Every row must be told to match or not, with a reason; views must lie inside the text; and which rows
 * match must not depend on the fields that are asked for. */
#include <stdio.h>
#include <stdlib.h>

#include "codec/pattern.h"

#define ROWS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	struct column cols[PATTERN_FIELDS_MAX + 16];
	uint32_t ok[ROWS_MAX], bad[ROWS_MAX];
	const char *why[ROWS_MAX];
	struct pattern_out out;
};

static void must(int cond, const char *what)
{
	if (cond)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static struct pattern *compile(const char *p, size_t n)
{
	struct err e = { 0 };
	struct pattern *pat;

	if (n > 1 && p[0] == '/' && p[n - 1] == '/')
		pat = pattern_regex(p + 1, n - 2, &e);
	else if (memchr(p, '{', n))
		pat = pattern_brace(p, n, &e);
	else
		pat = pattern_named(p, n, &e);
	must((pat != NULL) == !e.kind, "an error and a pattern, or neither");
	must(pat || (e.pos.at >= 0 && (size_t)e.pos.at + (size_t)e.pos.n <= n), "the error's place is outside of the pattern");
	return pat;
}

static void run(struct pattern *p, struct pattern_in *in, struct result *r)
{
	r->out = (struct pattern_out){ .cols = r->cols, .ok = r->ok, .bad = r->bad, .why = r->why };
	pattern_parse(p, in, &r->out);
	must(r->out.n_ok + r->out.n_bad == in->n_rows, "a row is lost");
	for (uint32_t i = 0; i < r->out.n_bad; i++)
		must(r->why[i] && *r->why[i], "no reason");
}

/* Reads every byte of every value. */
static void touch(const struct result *r, uint32_t n_cols)
{
	struct buf b = { 0 };

	for (uint32_t c = 0; c < n_cols; c++)
		for (uint32_t i = 0; i < r->out.n_ok; i++) {
			struct value v = column_get(&r->cols[c], r->ok[i]);

			value_print_json(&b, &v, NULL);
		}
	buf_release(&b);
}

static uint32_t split_lines(const char *p, size_t n, struct value *rows)
{
	const char *end = p + n;
	uint32_t k = 0;

	while (p < end && k < ROWS_MAX) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);
		char *copy = xmalloc(len ? len : 1); /* an exact copy: a sanitizer sees reads outside */

		memcpy(copy, p, len);
		rows[k++] = v_text(copy, len);
		p += len + 1;
	}
	return k;
}

static void check(struct pattern *p, struct value *rows, uint32_t n)
{
	static const char *const need[] = { "path", "1", "a", "time", "no.such" };
	struct column text = { .v = rows, .type = T_TEXT };
	struct arena a = { 0 };
	struct pattern_in in = { .text = &text, .n_sel = n, .n_rows = n, .arena = &a };
	struct result *all = xcalloc(1, sizeof *all), *some = xcalloc(1, sizeof *some);
	uint32_t n_fields, n_default;

	pattern_fields(p, &n_fields, &n_default);
	run(p, &in, all);
	touch(all, n_default ? n_default : 1);
	in.need = need;
	for (in.n_need = 0; in.n_need <= ARRAY_LEN(need); in.n_need++) {
		run(p, &in, some);
		touch(some, in.n_need);
		must(some->out.n_ok == all->out.n_ok && !memcmp(some->ok, all->ok, all->out.n_ok * sizeof *all->ok),
		     "which rows match depends on the fields");
	}
	arena_release(&a);
	free(all);
	free(some);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *nl = size ? memchr(p, '\n', size) : NULL;
	struct value rows[ROWS_MAX];
	struct pattern *pat;
	uint32_t n;

	if (!nl)
		return 0;
	pat = compile(p, (size_t)(nl - p));
	if (!pat)
		return 0;
	n = split_lines(nl + 1, (size_t)(p + size - nl - 1), rows);
	check(pat, rows, n);
	for (uint32_t i = 0; i < n; i++)
		free((char *)(uintptr_t)rows[i].s);
	pattern_free(pat);
	return 0;
}
